#include "base/murmur2.h"
#include "report/places.h"
#include "base/buffer.h"
#include "base/ensure.h"
#include "base/str.h"
#include "host/print.h"
#include "host/text.h"
#include "kafka/scan.h"

#include <stdlib.h>

static void places_add(struct places *places, int partition)
{
    places->items = realloc(places->items, (places->count + 1) * sizeof *places->items);
    ensure(places->items);
    places->items[places->count++] = partition;
}

void places_free(struct places *places)
{
    free(places->items);
    *places = (struct places){0};
}

/* ---- in Redis */
enum relance_status places_in_redis(struct redis_view *view, struct relance_str key, struct relance_str name,
                                    struct places *places, struct relance_error *error)
{
    int partitions = redis_view_partitions(view);
    enum relance_status status = RELANCE_OK;
    *places = (struct places){.home = murmur2_partition(key, partitions), .partitions = partitions};
    for (int i = 0; i < partitions && status == RELANCE_OK; i++) {
        char *state = NULL;
        size_t size;
        int partition = (places->home + i) % partitions;
        status = redis_view_field(view, partition, REDIS_VIEW_CUSTOMERS, name, &state, &size, error);
        if (state) places_add(places, partition);
        free(state);
    }
    return status;
}

/* ---- in the topic */
struct places_scan {
    struct places *places;
    struct relance_str key;
};

static void places_begin(void *context, int32_t partition, int64_t low)
{
    struct places_scan *scan = context;
    (void)low;
    if (partition >= scan->places->partitions) scan->places->partitions = partition + 1;
}

static bool places_see(void *context, const struct kafka_scan_record *record)
{
    struct places_scan *scan = context;
    if (!str_equal(record->key, scan->key)) return true;
    for (size_t i = 0; i < scan->places->count; i++)
        if (scan->places->items[i] == record->partition) return true;
    places_add(scan->places, record->partition);
    return true;
}

enum relance_status places_in_topic(const struct options *options, struct relance_str key, int64_t from_ms,
                                    struct places *places, struct relance_error *error)
{
    struct places_scan scan = {.places = places, .key = key};
    *places = (struct places){0};
    enum relance_status status = kafka_scan_part(options, options->input, KAFKA_SCAN_ALL, from_ms,
                                                 places_begin, places_see, &scan, error);
    places->home = places->partitions ? murmur2_partition(key, places->partitions) : 0;
    return status;
}

/* ---- telling */
void places_tell(const struct places *places, const char *whom, struct relance_str key)
{
    struct buffer text = {0};
    bool is_home = places->count == 1 && places->items[0] == places->home;
    if (is_home || !places->count) return;
    for (size_t i = 0; i < places->count; i++) {
        char number[TEXT_NUMBER_SIZE];
        if (i) buffer_put_str(&text, i + 1 == places->count ? STR(" and ") : STR(", "));
        buffer_put(&text, number, text_put_int(number, places->items[i]));
    }
    print_mistake(
        "%s '%.*s' stands in partition %.*s, and belongs into %d alone: records have another key, or a "
        "producer "
        "chooses partitions otherwise than by murmur2; `relance help clients` says what to set there",
        whom, STR_ARG(key), STR_ARG(buffer_str(&text)), places->home);
    buffer_free(&text);
}
