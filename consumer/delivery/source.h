/* The input of one worker: a member of the consumer group. A port: kafka/source.c is Kafka, a simulator has
 * its own.
 *
 * Partitions come and go inside source_gather, told to the listener. A partition that has come is not read
 * until source_start says from where, and a batch during which anything came or went is thrown away: so what
 * is handed out belongs to the present assignment, in order, from the very offset that was asked for. */
#ifndef CONSUMER_DELIVERY_SOURCE_H
#define CONSUMER_DELIVERY_SOURCE_H

#include "base/str.h"
#include "delivery/frontier.h"
#include "host/option.h"
#include <relance/engine.h>

enum { SOURCE_BATCH_MAX = 8192 };

struct source;
struct membership; /* who we are in the group: fences what we commit */

struct source_listener {
    void *context;
    void (*assigned)(void *context, const int32_t *partitions, size_t count);
    /* `lost`: the group has gone on without us; nothing can be committed any more. */
    void (*revoked)(void *context, bool lost);
};

struct source_config {
    const struct options *options; /* group, input, output and the settings of the client */
    const char *member;            /* stable over restarts */
    struct source_listener listener;
};

struct source_record {
    struct relance_str key, value; /* value.data NULL: a tombstone */
    int64_t offset, timestamp_ms;  /* RELANCE_NEVER: none */
    int32_t partition;
    /* For source_headers: the client's message, or NULL and the headers as they came. */
    const void *message;
    struct relance_str headers;
};

enum { SOURCE_HEADERS_MAX = 64 };

/* The first headers of a record, which cost something to find: how many. They are valid as long as the record. */
size_t source_headers(const struct source_record *record, struct relance_header out[SOURCE_HEADERS_MAX]);
/* The last of them that has this name; false: none has. */
static inline bool source_find_header(const struct source_record *record, struct relance_str name,
                                      struct relance_str *value)
{
    struct relance_header headers[SOURCE_HEADERS_MAX];
    for (size_t i = source_headers(record, headers); i-- > 0;) {
        if (!str_equal(headers[i].name, name)) continue;
        *value = headers[i].value;
        return true;
    }
    return false;
}

struct source_batch {
    const struct source_record *records;
    size_t count;
    bool has_more; /* much more is waiting */
};

RELANCE_MUST enum relance_status source_open(const struct source_config *config, struct source **out,
                                             struct relance_error *error);
void source_close(struct source *source);

/* Waits at most `wait_ms` for something to come (some seconds more where the group has to be asked who we are);
 * takes a lone record at once and, when much is coming, up to `most` records or 250 ms of them. RELANCE_AGAIN: the
 * session is over, all is revoked; the next call joins the group anew. RELANCE_REFUSED: there is no going on (an
 * offset is gone, the topic is gone, another process has our name). */
RELANCE_MUST enum relance_status source_gather(struct source *source, int wait_ms, size_t most,
                                               struct source_batch *batch, struct relance_error *error);
void source_release(struct source *source); /* the batch is done with */
/* For whoever is in the middle of a batch and cannot go on, since the store does not answer: waits so long, hears what the
 * group has to say, so that it does not take us for dead, and hands nothing out; what comes is kept for later.
 * RELANCE_AGAIN: the assignment has changed or the session is over, and the batch with it; release it. Inside of a
 * listener it only waits. */
RELANCE_MUST enum relance_status source_idle(struct source *source, int wait_ms, struct relance_error *error);

/* From where each partition of the assignment is to be read; those not named stay unread. */
struct source_position {
    int32_t partition;
    int64_t offset;
};
RELANCE_MUST enum relance_status source_start(struct source *source, const struct source_position *positions,
                                              size_t count, struct relance_error *error);

/* All records below this offset have been handed out; that may be past the last record. -1: end not met. */
int64_t source_read_to(const struct source *source, int32_t partition);

/* The reader has met the end, and there are more records behind it, which an open transaction hides: the offset of
 * the first of them, where that transaction begins. -1: none. As of the last fetch; asks nobody. */
int64_t source_hidden_from(const struct source *source, int32_t partition);
/* The first offset not yet there (or hidden by an open transaction), as brokers have told with records of late; asks nobody. -1: not
 * known. */
int64_t source_end(const struct source *source, int32_t partition);

/* P, as the group has committed it. Waits for open transactions; RELANCE_AGAIN: they are still open, or the broker
 * is silent. */
struct source_frontier {
    struct frontier frontier;
    bool is_foreign; /* there is an offset, but its metadata is not ours */
};
RELANCE_MUST enum relance_status source_frontier(struct source *source, int32_t partition,
                                                 struct source_frontier *out, struct relance_error *error);

/* Where producers put the records of a key, of an input of so many partitions. */
int source_partition_of(struct relance_str key, int partitions);

/* First offset still kept, where `low` is not NULL, and first offset not yet there (or hidden by an open transaction), asked
 * just now. */
enum source_topic { SOURCE_INPUT, SOURCE_MARKS, SOURCE_LINKS, SOURCE_TOPICS };
RELANCE_MUST enum relance_status source_bounds(struct source *source, enum source_topic topic,
                                               int32_t partition, int64_t *low, int64_t *high,
                                               struct relance_error *error);
/* The first offset at or after an instant; the end where there is none. */
RELANCE_MUST enum relance_status source_offset_at(struct source *source, int32_t partition,
                                                  int64_t instant_ms, int64_t *offset,
                                                  struct relance_error *error);

/* NULL when we are no member now, or another process has our name: then nothing may be committed. Valid until
 * the assignment changes. */
const struct membership *source_membership(const struct source *source);

#endif
