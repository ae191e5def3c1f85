/* Every bound of the core, with unit and reason. Each is tested at N and at N + 1. */
#ifndef RULES_BASE_LIMITS_H
#define RULES_BASE_LIMITS_H

/* Rule files */
#define LIMIT_RULE_SET_BYTES (8u << 20)  /* bytes of all files together: rules travel in marks and in Redis */
#define LIMIT_RULE_JSON_DEPTH 64         /* nested brackets in a rule file */
#define LIMIT_DIAGNOSTICS 1000           /* mistakes that are told one by one: nobody reads more */

/* Expressions */
#define LIMIT_CEL_SOURCE_BYTES (64u << 10) /* bytes of one expression */
#define LIMIT_CEL_DEPTH 128                /* nesting of an expression, and of the values of `with` */
#define LIMIT_CEL_MACRO_DEPTH 3            /* nested loops: each multiplies the cost */
#define LIMIT_CEL_STEPS 1000000            /* VM steps of one evaluation */
#define LIMIT_CEL_ARENA_BYTES (4u << 20)   /* bytes that one evaluation may make */

/* Events */
#define LIMIT_EVENT_BYTES (1u << 20)       /* bytes of one record; larger ones are dead letters */
#define LIMIT_EVENT_DEPTH 64               /* nested brackets in one record */
#define LIMIT_ID_BYTES 256                 /* bytes of an event's or a customer's id */

/* A customer's state: what keeps it small whatever arrives */
#define LIMIT_RUNS 256                     /* live runs */
#define LIMIT_GOALS 256                    /* open goal windows; then the oldest is forgotten */
#define LIMIT_TRIGGERS 32                  /* trigger events kept for a run */
#define LIMIT_COUNT_KEYS 256               /* values of `by` in one count */
#define LIMIT_EVENT_IDS 64                 /* ids remembered against duplicates */
#define LIMIT_EVENT_ID_AGE_MS 86400000     /* ms of the customer's `now` for which they are */
#define LIMIT_CANCELS 16                   /* cancelling events remembered against late triggers */
#define LIMIT_CANCEL_AGE_MS 3600000        /* ms, or the lateness where that is longer */

/* Actions */
#define LIMIT_ACTION_BYTES (512u << 10)    /* bytes of one payload; a larger one is `failed` */

#endif
