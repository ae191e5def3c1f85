/* The hash relance:{GROUP:TOPIC:P}:meta: what a checkpoint says of itself (STATE.md §2). Each row is a field of
 * the hash and of the struct:  META(TYPE, field, "prose"). */
#ifndef CONSUMER_DELIVERY_META_H
#define CONSUMER_DELIVERY_META_H

#include "base/buffer.h"
#include "delivery/frontier.h"

enum { STAMP_SIZE = 33, META_FORMAT_OLDEST = 1, META_FORMAT = 5 };

#define META_TABLE(META)                                                                                     \
    META(NUMBER, format, "of this hash and of the states; 5, and 1 to 4 are read, too")                      \
    META(TEXT, version, "of the engine that wrote it")                                                       \
    META(TEXT, store, "a UUID made once; the frontier in Kafka has the same")                                \
    META(TEXT, stamp, "random, new with each claim and each checkpoint")                                     \
    META(NUMBER, offset, "O: records below it are in the states")                                            \
    META(NUMBER, marks, "M: marks up to it are")                                                             \
    META(NUMBER, marks_from, "marks behind M stand at or after this offset of their topic")                  \
    META(NUMBER, links, "link records below this offset of their topic are in the states")                   \
    META(NUMBER, clock, "of the partition, ms")                                                              \
    META(NUMBER, wall, "the wall clock in force, ms")                                                        \
    META(NUMBER, seq, "number of the last action")                                                           \
    META(HASH, chain, "running hash over actions and dead letters")                                          \
    META(TEXT, rules, "the rule set in force, packed")                                                       \
    META(TEXT, rules_hash, "its hash, as actions carry it")                                                  \
    META(NUMBER, rules_mark, "the mark that brought it")                                                     \
    META(TEXT, since, "the mark since which each of its declarations has been there")                        \
    META(TEXT, models, "the versions of models in force, as a mark names them")                              \
    META(TEXT, names, "channels and currencies that the partition knows, which name its sums")               \
    META(TEXT, options, "what decides besides rules")                                                        \
    META(NUMBER, partitions, "of the input topic")                                                           \
    META(NUMBER, last_offset, "of the last record processed; -1: none yet")                                  \
    META(HASH, last_hash, "of that record: is it still the same topic?")

typedef struct buffer meta_TEXT; /* kept, with its room, from one checkpoint to the next */
typedef int64_t meta_NUMBER;
typedef uint64_t meta_HASH;

struct meta {
#define META_FIELD(TYPE, field, prose) meta_##TYPE field;
    META_TABLE(META_FIELD)
#undef META_FIELD
};

void meta_clear(struct meta *meta); /* offset, last_offset -1; the rest 0 and empty */
void meta_free(struct meta *meta);
/* Takes one field from Redis; false: its value is not of its type. A name that is not known is let through:
 * a newer engine may have written it. */
bool meta_take(struct meta *meta, struct relance_str name, struct relance_str value);
/* Gives name and value of every field; meta_field_count() of them. */
typedef void meta_visit(void *context, struct relance_str name, struct relance_str value);
void meta_each(const struct meta *meta, meta_visit *visit, void *context);
size_t meta_field_count(void);

/* Is there a checkpoint at all? A claim alone writes only `stamp`. */
static inline bool meta_has_checkpoint(const struct meta *meta)
{
    return meta->offset >= 0;
}

void meta_set_text(struct buffer *field, const char *text);
void meta_make_stamp(char out[STAMP_SIZE]); /* random, 32 hex digits */

#endif
