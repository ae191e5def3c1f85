/* One partition of the input, from claim to revoke (delivery.md, "Life of a partition"): its engine, its
 * store, where it is, and what it has still to say. A partition belongs to one worker and its thread.
 *
 *     claim ──► BEHIND ──records and marks, silently, up to P──► LIVE ──► left, in a rebalance; or dropped
 *                 ▲                                               │          │
 *                 ├────────── an abort, a foreign stamp ──────────┘          │
 *                 └────────── given back: with the engine, if it is still what Redis and Kafka have
 *
 * What functions here return:
 *     RELANCE_OK       go on
 *     RELANCE_AGAIN    the partition has to be claimed (again)
 *     any other        there is no going on: the process ends with error->message */
#ifndef CONSUMER_DELIVERY_PARTITION_H
#define CONSUMER_DELIVERY_PARTITION_H

#include "delivery/counter.h"
#include "delivery/mark.h"
#include "delivery/outbox.h"
#include "delivery/rulebook.h"
#include "delivery/said.h"
#include "delivery/sampler.h"
#include "delivery/sink.h"
#include "delivery/source.h"
#include "delivery/store.h"

/* What all partitions of a worker share. */
struct workplace {
    const struct options *options;
    const char *member;   /* GROUP/INSTANCE/WORKER */
    const char *rules;    /* packed text of the rule files as they are now */
    const char *deciding; /* what decides besides rules, as text */
    int input_partitions;
    int64_t from_ms; /* --from TIME; or one of these */
    struct rulebook *book;
    struct source *source;
    struct sink *sink;
    bool sink_spent;      /* a transaction failed: another sink, and all is claimed again */
    struct outbox outbox; /* marks, dead letters, actions not yet in a transaction */
    size_t said_count;    /* of them, dead letters and actions: what asks for a transaction */
    struct blob body;     /* scratch */
    struct sampler sampler; /* what goes wrong in events and expressions, a part of it for the log */
};
/* Waits a moment before trying again; false: the process is to end. */
bool partition_pause(int64_t us);

#define FROM_EARLIEST (INT64_MIN)
#define FROM_LATEST   (INT64_MAX)
#define FROM_UNSAID   (INT64_MAX - 1)

enum partition_state { PARTITION_UNCLAIMED, PARTITION_BEHIND, PARTITION_LIVE };

struct partition {
    int32_t number;
    enum partition_state state;
    struct workplace *place;
    struct relance_engine *engine;
    struct store *store;
    char left[STAMP_SIZE]; /* while unclaimed: the engine is what Redis has under this stamp; "": there is none */

    int64_t next;      /* offset of the next record */
    int64_t reached;   /* what is decided just now follows from records below this offset */
    int64_t begin;     /* where reading starts: `next`, or the last record before it, to be compared */
    int64_t end, goal; /* of the input, as last asked for, and when it was first claimed */
    uint64_t seq, marks, chain; /* of what has been decided */
    int64_t p_offset;           /* P, */
    struct frontier p;          /* and what it says: what has been published */

    /* A recovery that is not exact (recover.c), while it lasts: */
    bool rough;       /* it is one */
    bool rebuilt;     /* nothing was there: states are made from the earliest record */
    bool has_gaps;    /* records or marks up to P are gone: nobody can say which waits they had dealt with */
    bool is_anew;     /* outlives a claim: the input has turned out to be another topic */
    struct said said; /* `rough`: what has been published since the checkpoint */

    struct mark_list ahead;           /* marks to be met before P */
    int64_t wall;                     /* in force; RELANCE_NEVER: none yet */
    const struct rulebook_set *rules; /* in force; NULL: those of the first mark to come */
    struct blob deciding;             /* in force; empty likewise */
    int64_t rules_mark;               /* number of the mark that brought the rules */
    const char *rules_seen;           /* place->rules when they were last compared with those in force */

    int64_t last_offset; /* of the last record */
    uint64_t last_hash;
    const struct source_record *last_record; /* of this batch, not hashed yet */
    bool compare_last;                       /* the first record to come is to be that one */

    struct counters counters; /* since the checkpoint */
    struct relance_engine_forgot forgot; /* of the engine, as far as it is counted */
    struct meta meta;         /* of the checkpoint that was read, then of the one being written */
    int64_t saved_offset;     /* O, */
    uint64_t saved_marks;     /* M: what the checkpoint holds */
    bool store_failing;       /* that has been logged, */
    bool claim_failing;       /* and that */
    int64_t saved_us;         /* when the last checkpoint was written */
    int64_t retry_us;         /* when a claim or a checkpoint may be tried again */
    int64_t asked_us;         /* when the end was last asked for, for ticks */
    int64_t hidden_from;      /* -1: no open transaction hides records; else from there on, */
    int64_t hidden_us;        /* since then; RELANCE_NEVER: that has been said */
    bool touched;             /* has records in this batch */
    uint64_t events, fetched; /* since it was given to us; records, and customers read from the store */
};

struct partition *partition_new(struct workplace *place, int32_t number);
void partition_free(struct partition *partition);
/* Forgets all that a claim had brought; the partition is to be claimed. */
void partition_drop(struct partition *partition);
/* Of these, the engine and its rules alone. */
void partition_drop_engine(struct partition *partition);
/* Forgets that it is ours and keeps the engine, for the case that nobody else has been at work when it is claimed
 * again. False: it has more than its checkpoint, or nothing. */
bool partition_leave(struct partition *partition);

/* ---- claim (claim.c) */
/* RELANCE_AGAIN: not now, partition->retry_us says when. */
RELANCE_MUST enum relance_status partition_claim(struct partition *partition, struct relance_error *error);

/* ---- what cannot be recovered exactly (recover.c) */
/* Something is missing, which the sentence says. Where the operator has accepted that, by an option, it is
 * logged and the recovery is not exact from here on; otherwise RELANCE_REFUSED, with the sentence and the cure. */
RELANCE_MUST __attribute__((format(printf, 5, 6))) enum relance_status
partition_lacks(struct partition *partition, bool accepted, const char *cure, struct relance_error *error,
                const char *format, ...);
RELANCE_MUST __attribute__((format(printf, 3, 4))) enum relance_status
partition_refuse(const struct partition *partition, struct relance_error *error, const char *format, ...);
/* Redis has nothing that fits: it is emptied, and all records are decided again. */
RELANCE_MUST enum relance_status partition_rebuild(struct partition *partition, struct relance_error *error);
/* The input is not the topic that P speaks of: goes on with the states that there are, at `start`; *p is set. */
RELANCE_MUST enum relance_status partition_begin_anew(struct partition *partition, int64_t start,
                                                      struct source_frontier *p, struct relance_error *error);
/* All marks of the partition that are still kept, since not all that are needed are. */
RELANCE_MUST enum relance_status partition_read_kept_marks(struct partition *partition,
                                                           struct relance_error *error);
/* Reads what has been published since the checkpoint. */
RELANCE_MUST enum relance_status partition_read_said(struct partition *partition, struct relance_error *error);
/* At P: settles what has been said already, takes its numbers and leaves a mark. */
RELANCE_MUST enum relance_status partition_arrive_roughly(struct partition *partition,
                                                          struct relance_error *error);

/* ---- the cycle (partition.c) */
RELANCE_MUST enum relance_status partition_record(struct partition *partition,
                                                  const struct source_record *record,
                                                  struct relance_error *error);
/* Before the batch is released. */
void partition_end_batch(struct partition *partition);
/* The reader is at `offset`, though no record stands right before it: the end of the input. */
RELANCE_MUST enum relance_status partition_reach(struct partition *partition, int64_t offset,
                                                 struct relance_error *error);
/* What has changed of the world since the last marks becomes a mark; `tick`: waits due before it end;
 * RELANCE_NEVER: no tick. The partition is live. */
RELANCE_MUST enum relance_status partition_freshen(struct partition *partition, int64_t tick,
                                                   struct relance_error *error);
/* Lets waits end that are due before `before_ms`. */
RELANCE_MUST enum relance_status partition_apply_tick(struct partition *partition, int64_t before_ms,
                                                      struct relance_error *error);
/* An open transaction that has hidden records for too long is told of, once. */
void partition_tell_hidden(struct partition *partition);
/* Lets waits end that are due, when the reader is at the end. */
RELANCE_MUST enum relance_status partition_tick(struct partition *partition, struct relance_error *error);
/* Reads the states of customers that the engine does not hold. */
RELANCE_MUST enum relance_status partition_fetch(struct partition *partition,
                                                 const struct relance_str *customers, size_t count,
                                                 struct relance_error *error);

/* Reads the states of those that wait for something due before then and are not at hand: all at once, instead of one by
 * one as a tick needs them. */
RELANCE_MUST enum relance_status partition_fetch_due(struct partition *partition, int64_t before_ms,
                                                     struct relance_error *error);

/* Is what has been decided up to P what has been published? */
bool partition_is_as_published(const struct partition *partition);
/* Is there something that P does not say yet? And its new P; and that it is in Kafka. */
bool partition_has_news(const struct partition *partition);
struct sink_frontier partition_frontier(const struct partition *partition);
void partition_published(struct partition *partition);

/* ---- checkpoint (checkpoint.c) */
bool partition_is_dirty(const struct partition *partition);
RELANCE_MUST enum relance_status partition_checkpoint(struct partition *partition,
                                                      struct relance_error *error);

/* ---- what is decided, put into the outbox (action.c) */
void partition_decided(void *partition, const struct relance_decision *decision);
void partition_bury(struct partition *partition, const struct source_record *record,
                    struct relance_str reason);
void partition_put_mark(struct partition *partition, const struct mark *mark);

#endif
