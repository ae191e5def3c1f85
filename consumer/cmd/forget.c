/* relance forget CUSTOMER: erases a customer, or with --visitor a visitor. Publishes the reserved event `forget` into the input topic, so
 * that it is history and holds for every backup that is caught up from, and waits until a checkpoint is
 * behind it: then nothing of the customer is left in Redis or in the engine, and nothing that waited will be
 * sent.
 *
 * The event goes to the partition of the customer's key, and to any other in which something is known of the
 * customer (producers with another partitioner).
 *
 * Status 0: it is done; 1: it is published, but no engine has taken it within --timeout; 2: nothing was done. */
#include "base/murmur2.h"
#include "host/clock.h"
#include "host/command.h"
#include "host/print.h"
#include "kafka/feed.h"
#include "delivery/meta.h"
#include "host/option.h"
#include "redis/view.h"
#include "host/stop.h"
#include "host/text.h"

#include <cjson/cJSON.h>
#include <relance/engine.h>
#include <inttypes.h>
#include <stdlib.h>

enum { FORGET_PAUSE_US = 100000, FORGET_FLUSH_MS = 30000 };

struct forget {
    const struct options *options;
    struct relance_str customer;
    char name[RELANCE_VISITOR_NAME_BYTES]; /* of the state, of a visitor */
    struct redis_view *view;
    struct kafka_feed *feed;
    char *event;
    int64_t now_ms;
    int64_t *offsets; /* by partition: where the event stands; -1: none was sent there */
};

/* Is anything known of the customer in that partition? */
static enum relance_status forget_find(struct forget *forget, int partition, bool *known,
                                       struct relance_error *error)
{
    char *state = NULL;
    size_t size;
    struct relance_str name = forget->customer;
    if (forget->options->visitor)
        name = (struct relance_str){forget->name, relance_visitor_name(forget->customer, forget->name)};
    enum relance_status status =
        redis_view_field(forget->view, partition, REDIS_VIEW_CUSTOMERS, name, &state, &size, error);
    *known = state;
    free(state);
    return status;
}

/* {"id", "type", "customer" or "visitor", "time"} */
static bool forget_make_event(struct forget *forget)
{
    char stamp[STAMP_SIZE], id[STAMP_SIZE + 8];
    meta_make_stamp(stamp);
    snprintf(id, sizeof id, "forget-%s", stamp);
    cJSON *event = cJSON_CreateObject();
    cJSON_AddStringToObject(event, "id", id);
    cJSON_AddStringToObject(event, "type", "forget");
    cJSON_AddStringToObject(event, forget->options->visitor ? "visitor" : "customer", forget->customer.data);
    cJSON_AddNumberToObject(event, "time", (double)forget->now_ms);
    forget->event = cJSON_PrintUnformatted(event);
    cJSON_Delete(event);
    return forget->event;
}

static enum relance_status forget_publish(struct forget *forget, struct relance_error *error)
{
    int partitions = redis_view_partitions(forget->view),
        home = murmur2_partition(forget->customer, partitions);
    enum relance_status status = RELANCE_OK;
    for (int p = 0; p < partitions && status == RELANCE_OK; p++) {
        bool known;
        status = forget_find(forget, p, &known, error);
        if (status != RELANCE_OK || (p != home && !known)) continue;
        status = kafka_feed_put_native(forget->feed, p, forget->customer, str_of(forget->event),
                                       forget->now_ms, error);
        if (status == RELANCE_OK) status = kafka_feed_flush(forget->feed, FORGET_FLUSH_MS, error);
        forget->offsets[p] = kafka_feed_offset(forget->feed);
    }
    return status;
}

/* Is the partition's checkpoint behind the event? */
static enum relance_status forget_is_taken(struct forget *forget, int partition, bool *taken,
                                           struct relance_error *error)
{
    int64_t offset = -1;
    enum relance_status status = redis_view_number(forget->view, partition, "offset", &offset, error);
    *taken = offset > forget->offsets[partition];
    return status;
}

static enum relance_status forget_wait(struct forget *forget, int partition, bool *taken,
                                       struct relance_error *error)
{
    int64_t until_us = clock_monotonic_us() + forget->options->timeout * 1000;
    enum relance_status status = forget_is_taken(forget, partition, taken, error);
    while (status == RELANCE_OK && !*taken && !stop_requested() && clock_monotonic_us() < until_us) {
        clock_sleep_us(FORGET_PAUSE_US);
        status = forget_is_taken(forget, partition, taken, error);
    }
    return status;
}

/* What is known now has come behind the event. */
static enum relance_status forget_report(struct forget *forget, int partition, bool taken,
                                         struct relance_error *error)
{
    bool known;
    if (!taken) {
        print(stdout,
              "partition %d: published as record %" PRId64
              "; no checkpoint holds it yet: does an engine run?\n",
              partition, forget->offsets[partition]);
        return RELANCE_OK;
    }
    enum relance_status status = forget_find(forget, partition, &known, error);
    if (status == RELANCE_OK)
        print(stdout, "partition %d: forgotten with record %" PRId64 "%s\n", partition,
              forget->offsets[partition], known ? "; newer events have come since and are kept" : "");
    return status;
}

static int forget_customer(struct forget *forget, struct relance_error *error)
{
    bool all = true;
    if (forget_publish(forget, error) != RELANCE_OK) return EXIT_STATUS_USAGE;
    for (int p = 0; p < redis_view_partitions(forget->view); p++) {
        bool taken;
        if (forget->offsets[p] < 0) continue;
        if (forget_wait(forget, p, &taken, error) != RELANCE_OK ||
            forget_report(forget, p, taken, error) != RELANCE_OK)
            return EXIT_STATUS_FAILED;
        all &= taken;
    }
    return all ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

static enum relance_status forget_open(struct forget *forget, struct relance_error *error)
{
    const struct options *options = forget->options;
    if (!forget->customer.size)
        return relance_error_set(error, RELANCE_INVALID, "whoever is to be forgotten has a name");
    forget->view = redis_view_open(options->redis, options->group, options->input, error);
    if (!forget->view) return RELANCE_IO;
    size_t partitions = (size_t)redis_view_partitions(forget->view);
    forget->offsets = malloc((partitions + 1) * sizeof *forget->offsets);
    if (!forget->offsets || !forget_make_event(forget))
        return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory");
    for (size_t p = 0; p < partitions; p++)
        forget->offsets[p] = -1;
    forget->feed = kafka_feed_open(options->kafka, options->kafka_count, options->input, error);
    return forget->feed ? RELANCE_OK : RELANCE_IO;
}

int cmd_forget(const struct options *options)
{
    struct relance_error error = {0};
    stop_on_signals();
    struct forget forget = {
        .options = options, .customer = str_of(options->args[0]), .now_ms = clock_wall_ms()};
    int status =
        forget_open(&forget, &error) == RELANCE_OK ? forget_customer(&forget, &error) : EXIT_STATUS_USAGE;
    /* before the reason is told: what the client still has to say comes first */
    kafka_feed_close(forget.feed);
    redis_view_close(forget.view);
    if (*error.message) print_mistake("%s", error.message);
    cJSON_free(forget.event);
    free(forget.offsets);
    return status;
}
