#include "learn/counting.h"
#include "base/ensure.h"
#include "base/str.h"
#include "host/clock.h"
#include "learn/given.h"
#include <stdlib.h>

bool counting_unframe(const struct live *live, struct relance_str bytes, int64_t *offsets,
                      struct relance_str *state)
{
    size_t head = (size_t)live->partitions * sizeof *offsets;
    if (bytes.size < head) return false;
    for (int p = 0; p < live->partitions; p++) {
        uint64_t offset = 0;
        for (unsigned i = 0; i < sizeof offset; i++)
            offset |= (uint64_t)(unsigned char)bytes.data[(size_t)p * sizeof offset + i] << (8 * i);
        offsets[p] = (int64_t)offset;
    }
    *state = str_slice(bytes, head, bytes.size);
    return true;
}

struct course *counting_course(const struct live *live, const struct parcel_head *head)
{
    for (size_t i = 0; i < live->count; i++)
        if (str_equal(live->courses[i].about.name, str_of(head->name)) &&
            live->courses[i].about.recipe == head->recipe)
            return &live->courses[i];
    return NULL;
}

enum relance_status counting_take(struct live *live, struct course *course,
                                  const struct parcel_joiner *joiner, struct relance_error *error)
{
    struct relance_str bytes = buffer_str(&joiner->bytes), state;
    if (joiner->head.kind == PARCEL_STATE) {
        if (!counting_unframe(live, bytes, course->offsets, &state))
            return relance_error_set(error, RELANCE_REFUSED,
                                     "a state of %s is of an input with fewer partitions", joiner->head.name);
        course->has_state = true;
        return relance_learn_restore(course->learn, state, error);
    }
    struct relance_model *model = NULL;
    enum relance_status status = joiner->head.kind == PARCEL_FULL
                                     ? relance_model_read(bytes, &model, error)
                                     : relance_model_apply(course->model, bytes, &model, error);
    if (status != RELANCE_OK) return status;
    relance_model_release(course->model);
    course->model = model;
    int64_t at_ms = relance_model_about(model)->at_ms; /* no state is older than the one before */
    if (at_ms > live->newest_ms) live->newest_ms = at_ms;
    if (at_ms > live->at_ms) live->at_ms = at_ms;
    return RELANCE_OK;
}

/* ---- counting */
static void counting_give(void *context, const struct relance_given *given)
{
    struct live *live = context;
    struct course *course = &live->courses[given->affinity];
    int64_t offset = live->record->offset;
    int partition = live->record->partition;
    if (offset < course->offsets[partition] || (course->until && offset >= course->until[partition])) return;
    if (!given->product_count) {
        given_count(given, course->learn);
        return;
    }
    course->is_new = true;
    if (given->time_ms > live->newest_ms && given->time_ms <= live->wall_ms + COUNTING_AHEAD_MS)
        live->newest_ms = given->time_ms;
    given_count(given, course->learn);
}

/* The wall clock, against which the future is not believed, is the record's own: so counting again gives the same. */
static enum relance_status counting_record(struct live *live, const struct relance_record *record,
                                           struct relance_error *error)
{
    struct relance_fate fate = {.more = record->value.size > 0};
    live->record = record;
    relance_engine_set_wall(live->engine, record->timestamp_ms);
    while (fate.more)
        if (relance_engine_give(live->engine, record, &fate, counting_give, live) != RELANCE_DONE)
            return relance_error_set(error, RELANCE_NO_MEMORY, "%.*s",
                                     STR_ARG(relance_engine_error(live->engine)));
    live->offsets[record->partition] = record->offset + 1;
    return RELANCE_OK;
}

enum relance_status counting_read(struct live *live, struct relance_error *error)
{
    const struct relance_record *records;
    struct relance_header headers[STREAM_HEADERS_MAX];
    size_t count;
    live->wall_ms = clock_wall_ms();
    enum relance_status status = stream_next(live->stream, COUNTING_WAIT_MS, &records, &count, error);
    for (size_t i = 0; i < count && status == RELANCE_OK; i++) {
        struct relance_record record = records[i];
        record.headers = headers;
        record.header_count = live->reads_headers ? stream_headers(live->stream, i, headers) : 0;
        status = counting_record(live, &record, error);
    }
    return status;
}

void counting_open(struct live *live, const struct relance_ruleset *rules)
{
    live->count = relance_ruleset_affinity_count(rules);
    live->reads_headers = relance_ruleset_reads_headers(rules);
    ensure(live->courses = calloc(live->count + 1, sizeof *live->courses));
    ensure(live->offsets = calloc((size_t)live->partitions + 1, sizeof *live->offsets));
    for (size_t i = 0; i < live->count; i++) {
        struct course *course = &live->courses[i];
        course->about = relance_ruleset_affinity(rules, i);
        course->learn = given_learner(&course->about);
        ensure(course->offsets = calloc((size_t)live->partitions + 1, sizeof *course->offsets));
    }
    const struct relance_engine_options given = {.rules = rules, .context = live, .complete = true};
    ensure(live->engine = relance_engine_new(&given));
}

void counting_close(struct live *live)
{
    stream_close(live->stream);
    shelf_close(live->shelf);
    for (size_t i = 0; i < live->count; i++) {
        relance_learn_free(live->courses[i].learn);
        relance_model_release(live->courses[i].model);
        relance_model_release(live->courses[i].shown);
        free(live->courses[i].offsets);
        free(live->courses[i].until);
    }
    if (live->engine) relance_engine_free(live->engine);
    free(live->courses);
    free(live->offsets);
}
