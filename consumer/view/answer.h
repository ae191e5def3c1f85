/* Answers what has to be looked up in Redis, in the thread that has the connection. */
#ifndef CONSUMER_VIEW_ANSWER_H
#define CONSUMER_VIEW_ANSWER_H

#include "http/question.h"
#include "view/customer.h"
#include "view/minutes.h"

/* What there is to answer with. */
struct answering {
    struct redis_view *redis; /* NULL: it is away */
    const struct checkpoints *checkpoints;
    const struct rulesets *rulesets;
    struct minutes *minutes;
    int64_t now_ms;
};

/* Of /api/minutes and /api/customer. False: Redis has failed at it. */
bool answer_question(const struct answering *answering, struct http_question *question);

/* The instant that a query names with `from`; none, or `earliest`: `otherwise`. False: it is none. */
bool answer_from(const struct http_question *question, int64_t otherwise, int64_t *out);
/* Whose story or state a query asks for: has it an id? Logs that somebody asks, as `sentence`. */
bool answer_whom(struct http_question *question, const char *sentence);
bool answer_is_visitor(const struct http_question *question);

#endif
