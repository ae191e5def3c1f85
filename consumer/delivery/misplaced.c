#include "delivery/misplaced.h"
#include "base/murmur2.h"
#include "base/str.h"
#include "delivery/partitioner.h"
#include "host/clock.h"
#include "host/log.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum {
    MISPLACED_WAIT_US = 2000000,   /* for a client to be recognised */
    MISPLACED_PAUSE_US = 60000000, /* between two lines */
    MISPLACED_BITS = 10,           /* by accident a client is recognised once in two to the power of that */
    MISPLACED_COUNT_MAX = 10000,   /* of partitions: more are not tried as what a topic had before */
    MISPLACED_WHO_SIZE = 256,
};

bool misplaced_is(const struct source_record *record, int partitions)
{
    struct relance_str native;
    if (!record->key.size || source_partition_of(record->key, partitions) == record->partition) return false;
    return !source_find_header(record, STR(RELANCE_NATIVE_HEADER), &native);
}

/* ---- who it was */
void misplaced_note(struct misplaced *misplaced, const struct source_record *record, int partitions)
{
    struct misplaced_key key = {murmur2(record->key), record->partition, 0};
    if (!misplaced->count++) misplaced->first_us = clock_monotonic_us();
    misplaced->partition = record->partition;
    misplaced->offset = record->offset;
    if (misplaced->key_count == MISPLACED_KEYS) return;
    for (size_t i = 0; i < misplaced->key_count; i++)
        if (misplaced->keys[i].hash == key.hash && misplaced->keys[i].partition == key.partition) return;
    for (enum partitioner i = 0; i < PARTITIONERS; i++)
        key.fits |= (uint32_t)(partitioner_choose(i, record->key, partitions) == key.partition) << i;
    misplaced->keys[misplaced->key_count++] = key;
}

/* How many bits it says that a client that chooses among `partitions` fits `fitting` of the keys; fewer where the others do
 * not fit, since which keys these are is free. */
static double misplaced_bits(const struct misplaced *misplaced, size_t fitting, int partitions)
{
    double choices = fitting < misplaced->key_count ? (double)misplaced->key_count : 0;
    return (double)fitting * log2(partitions) - choices;
}

static size_t misplaced_fitting(const struct misplaced *misplaced, enum partitioner partitioner)
{
    size_t count = 0;
    for (size_t i = 0; i < misplaced->key_count; i++)
        count += misplaced->keys[i].fits >> partitioner & 1;
    return count;
}

/* Were they right in a topic of so many? */
static bool misplaced_all_fit(const struct misplaced *misplaced, int partitions)
{
    for (size_t i = 0; i < misplaced->key_count; i++)
        if ((int32_t)(misplaced->keys[i].hash & INT32_MAX) % partitions != misplaced->keys[i].partition)
            return false;
    return true;
}

static int misplaced_count_before(const struct misplaced *misplaced, int partitions)
{
    int before = partitions < MISPLACED_COUNT_MAX ? partitions - 1 : MISPLACED_COUNT_MAX;
    while (before && !misplaced_all_fit(misplaced, before))
        before--;
    bool certain = before && misplaced_bits(misplaced, misplaced->key_count, before) >= MISPLACED_BITS;
    return certain ? before : 0;
}

struct misplaced_cause misplaced_recognise(const struct misplaced *misplaced, int partitions)
{
    size_t most = 0;
    enum partitioner best = PARTITIONERS;
    for (enum partitioner i = 0; i < PARTITIONERS; i++) {
        size_t fitting = misplaced_fitting(misplaced, i);
        if (fitting <= most || misplaced_bits(misplaced, fitting, partitions) < MISPLACED_BITS) continue;
        most = fitting;
        best = i;
    }
    if (best < PARTITIONERS)
        return (struct misplaced_cause){partitioner_client(best), partitioner_cure(best), 0};
    return (struct misplaced_cause){.before = misplaced_count_before(misplaced, partitions)};
}

/* ---- the line */
static void misplaced_describe(struct misplaced_cause cause, char *out, size_t size)
{
    if (cause.client)
        snprintf(out, size, "%s; set there: %s", cause.client, cause.cure);
    else if (cause.before)
        snprintf(out, size, "one that knew of %d partitions, as the topic had before", cause.before);
    else
        snprintf(out, size, "not recognised; `relance help clients` says what to set");
}

void misplaced_tell(struct misplaced *misplaced, int partitions, bool refused, bool now)
{
    if (!misplaced->count) return;
    int64_t now_us = clock_monotonic_us();
    if (now_us < misplaced->quiet_until_us && !now) return;
    struct misplaced_cause cause = misplaced_recognise(misplaced, partitions);
    bool known = cause.client || cause.before;
    if (!known && !now && now_us - misplaced->first_us < MISPLACED_WAIT_US) return;
    char who[MISPLACED_WHO_SIZE];
    misplaced_describe(cause, who, sizeof who);
    log_line(
        LOG_WARNING,
        refused
            ? "Records that are in another partition than that of their key become dead letters."
            : "Records are in another partition than that of their key: their customers are decided in two.",
        "records=%" PRIu64 " partition=%d offset=%" PRId64 " partitions=%d client=\"%s\"", misplaced->count,
        misplaced->partition, misplaced->offset, partitions, who);
    *misplaced = (struct misplaced){.quiet_until_us = now_us + MISPLACED_PAUSE_US};
}
