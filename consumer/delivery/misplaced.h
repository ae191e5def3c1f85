/* Records that are not in the partition of their key: a client has chosen otherwise than Java's do, and its customers are
 * decided in two partitions, each of which knows nothing of the other.
 *
 * Whoever runs the engine is told once, and then once a minute, by what client, as far as that can be told: the last keys
 * are tried with each client's way to choose. One key says little (of 12 partitions every twelfth fits by accident), so the
 * line waits until a client is recognised, at most two seconds. */
#ifndef CONSUMER_DELIVERY_MISPLACED_H
#define CONSUMER_DELIVERY_MISPLACED_H

#include "delivery/source.h"

enum { MISPLACED_KEYS = 32 };

struct misplaced_key {
    uint32_t hash; /* murmur2 */
    int32_t partition;
    uint32_t fits; /* a bit for each of enum partitioner */
};

struct misplaced {
    uint64_t count; /* since the last line */
    int64_t offset; /* of the newest, in `partition` */
    int32_t partition;
    int64_t first_us, quiet_until_us; /* when the first came; no line before then */
    struct misplaced_key keys[MISPLACED_KEYS];
    size_t key_count;
};

/* Is the record in another partition than that of its key, of an input of so many? One without a key never is, nor one that
 * Relance itself has put there (RELANCE_NATIVE_HEADER). */
bool misplaced_is(const struct source_record *record, int partitions);

/* What to remember of one, for the line. */
void misplaced_note(struct misplaced *misplaced, const struct source_record *record, int partitions);

/* Who has put them there. */
struct misplaced_cause {
    const char *client, *cure; /* NULL: nobody knows */
    int before;                /* not 0: Java's way, of a topic of so many partitions */
};
struct misplaced_cause misplaced_recognise(const struct misplaced *misplaced, int partitions);

/* The line, when it is time, or `now`, at the end; `refused`: they are dead letters. */
void misplaced_tell(struct misplaced *misplaced, int partitions, bool refused, bool now);

#endif
