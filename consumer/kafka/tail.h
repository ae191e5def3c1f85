/* Reads a topic from its beginning, all partitions, without a group: what a sender of mails would see. */
#ifndef CONSUMER_KAFKA_TAIL_H
#define CONSUMER_KAFKA_TAIL_H

#include "host/option.h"

struct kafka_tail;

struct kafka_tail_record {
    struct relance_str key, value;
};

struct kafka_tail *kafka_tail_open(const struct option_kafka *settings, size_t count, const char *topic,
                                   int partitions, struct relance_error *error);
/* The next record, waiting at most `timeout_ms` for it; valid until the next call. False: none came. */
bool kafka_tail_next(struct kafka_tail *tail, int timeout_ms, struct kafka_tail_record *record);
void kafka_tail_close(struct kafka_tail *tail);

#endif
