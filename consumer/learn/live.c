#include "learn/live.h"
#include "base/ensure.h"
#include "base/str.h"
#include "delivery/models.h"
#include "host/clock.h"
#include "host/command.h"
#include "host/log.h"
#include "host/stop.h"
#include "host/supervisor.h"
#include "learn/also.h"
#include "learn/counting.h"
#include "learn/shelf.h"
#include <inttypes.h>
#include <relance/affinity.h>
#include <relance/learn.h>
#include <stdlib.h>

enum {
    LIVE_RETRY_US = 1000000,
    LIVE_EXTEND_US = 120000000, /* so long a supervisor is to wait for an attempt to begin */
    LIVE_SENTENCE = 768,
    LIVE_REDIS_US = 60000000, /* between looks whether Redis has the lists still */
    LIVE_REDIS_AWAY_US = 10000000,
};
#define LIVE_STATE_US INT64_C(86400000000) /* between states */

/* ---- a state on its topic: offsets, little-endian, and behind them what the core makes of it */
static void state_frame(const struct live *live, struct relance_str state, struct buffer *out)
{
    out->size = 0;
    for (int p = 0; p < live->partitions; p++)
        for (int shift = 0; shift < 64; shift += 8)
            buffer_put_char(out, (char)((uint64_t)live->offsets[p] >> shift));
    buffer_put_str(out, state);
}

/* ---- where the one before has come to */
static enum relance_status live_restore(struct live *live, struct relance_error *error)
{
    struct models *models = NULL;
    struct parcel_joiner joiner = {0};
    struct parcel_record record;
    bool at_end = false;
    enum relance_status status = models_open(live->options, MODELS_BEGINNING, &models, error);
    while (status == RELANCE_OK && !at_end && !stop_requested()) {
        status = models_next(models, COUNTING_WAIT_MS, &record, &at_end, error);
        if (status != RELANCE_OK || record.offset < 0 || !parcel_join(&joiner, &record)) continue;
        struct course *course = counting_course(live, &joiner.head);
        bool fits =
            course && (joiner.head.kind != PARCEL_DELTA ||
                       (course->model && relance_model_about(course->model)->chain == joiner.head.base));
        if (fits) status = counting_take(live, course, &joiner, error);
    }
    parcel_joiner_free(&joiner);
    if (status == RELANCE_INVALID && models) status = RELANCE_REFUSED; /* no mistake of the options */
    models_close(models);
    return status;
}

/* Reading begins where the first of the affinities has to go on. */
static enum relance_status live_start_reading(struct live *live, struct relance_error *error)
{
    for (int p = 0; p < live->partitions; p++) {
        live->offsets[p] = INT64_MAX;
        for (size_t i = 0; i < live->count; i++) {
            int64_t from = live->courses[i].has_state ? live->courses[i].offsets[p] : STREAM_BEGINNING;
            if (from < live->offsets[p]) live->offsets[p] = from;
        }
    }
    return stream_open(live->options, live->offsets, live->partitions, &live->stream, error);
}

/* ---- writing */
/* Up to when is counted. It is written down, so whoever counts again has the same. */
static int64_t live_instant(const struct live *live)
{
    int64_t at_ms = live->newest_ms == INT64_MIN ? clock_wall_ms() : live->newest_ms;
    return at_ms > live->at_ms ? at_ms : live->at_ms;
}

/* The lists of what is published, for shop and sender. Engines need none of it, so nothing waits for Redis. */
static enum relance_status course_show(const struct live *live, struct course *course,
                                       struct relance_error *error)
{
    const struct also_place place = {live->options->redis, live->options->group, live->options->input};
    enum relance_status status = RELANCE_OK;
    bool is_behind = true;
    if (!course->model) return RELANCE_OK;
    if (course->model == course->shown)
        status = also_look(&place, course->about.name, course->model, &is_behind, error);
    if (status == RELANCE_OK && is_behind)
        status = also_write(&place, course->about.name, course->shown, course->model, error);
    if (status != RELANCE_OK) return status;
    relance_model_hold(course->model);
    relance_model_release(course->shown);
    course->shown = course->model;
    return RELANCE_OK;
}

static void live_show(struct live *live)
{
    struct relance_error error;
    enum relance_status status = RELANCE_OK;
    if (!live->options->redis) return;
    for (size_t i = 0; i < live->count && status == RELANCE_OK; i++)
        status = course_show(live, &live->courses[i], &error);
    if (status != RELANCE_OK && !live->redis_is_away)
        log_line(LOG_WARNING, "The lists in Redis stay as they are until it answers again.", "why=\"%s\"",
                 error.message);
    if (status == RELANCE_OK && live->redis_is_away)
        log_line(LOG_INFO, "The lists in Redis are those of the last version again.", "affinities=%zu",
                 live->count);
    live->redis_is_away = status != RELANCE_OK;
    live->shown_us = clock_monotonic_us();
}

/* Redis may have been away, or have come back without what it had. */
static void live_show_again(struct live *live)
{
    int64_t pause_us = live->redis_is_away ? LIVE_REDIS_AWAY_US : LIVE_REDIS_US;
    if (clock_monotonic_us() - live->shown_us >= pause_us) live_show(live);
}

static enum relance_status course_put(struct live *live, const struct course *course, enum parcel_kind kind,
                                      const struct relance_model_head *about, struct relance_str bytes,
                                      struct relance_error *error)
{
    struct parcel_head head = {.kind = kind,
                               .number = about->number,
                               .recipe = course->about.recipe,
                               .chain = about->chain,
                               .base = about->base,
                               .at_ms = about->at_ms,
                               .bytes = bytes.size,
                               .offsets = live->offsets,
                               .partitions = (size_t)live->partitions};
    snprintf(head.name, sizeof head.name, "%.*s", STR_ARG(course->about.name));
    return shelf_put(live->shelf, &head, bytes, error);
}

static enum relance_status course_write_state(struct live *live, struct course *course,
                                              const struct relance_model_head *about,
                                              struct relance_error *error)
{
    struct buffer framed = {0};
    state_frame(live, relance_learn_state(course->learn, live->at_ms), &framed);
    enum relance_status status = course_put(live, course, PARCEL_STATE, about, buffer_str(&framed), error);
    buffer_free(&framed);
    course->has_state = true;
    return status;
}

/* A version, and with a state the state that is made behind it. The first version has one: it is where all that is counted
 * later begins. */
static enum relance_status course_write(struct live *live, struct course *course, bool with_state,
                                        struct relance_error *error)
{
    struct relance_str bytes;
    bool in_full = with_state || !course->has_state || !course->model;
    struct relance_model *model =
        relance_learn_version(course->learn, live->at_ms, course->model, in_full, &bytes);
    if (!model) return relance_error_set(error, RELANCE_NO_MEMORY, "no memory for a version");
    const struct relance_model_head *about = relance_model_about(model);
    enum relance_status status =
        course_put(live, course, in_full ? PARCEL_FULL : PARCEL_DELTA, about, bytes, error);
    if (status == RELANCE_OK && in_full) status = course_write_state(live, course, about, error);
    log_line(LOG_INFO, "A version of a model is made.", "affinity=%.*s n=%" PRIu64 " products=%zu full=%d",
             STR_ARG(course->about.name), about->number, relance_model_product_count(model), in_full);
    relance_model_release(course->model);
    course->model = model;
    course->is_new = false;
    return status;
}

static enum relance_status live_write(struct live *live, bool with_state, struct relance_error *error)
{
    enum relance_status status = shelf_begin(live->shelf, error);
    for (size_t i = 0; i < live->count && status == RELANCE_OK; i++)
        if (live->courses[i].is_new) status = course_write(live, &live->courses[i], with_state, error);
    if (status == RELANCE_OK) status = shelf_commit(live->shelf, error);
    if (status == RELANCE_OK) live_show(live);
    return status;
}

/* Only at the end of what there is, where it starts: an old log is not told hour by hour. */
static bool live_is_due(const struct live *live, int64_t now_us)
{
    bool is_new = false, at_end = live->versions_us > 0;
    for (size_t i = 0; i < live->count; i++)
        is_new |= live->courses[i].is_new;
    for (int p = 0; p < live->partitions && !live->versions_us; p++)
        at_end = p ? at_end && stream_read_to(live->stream, p) >= 0 : stream_read_to(live->stream, p) >= 0;
    return is_new && at_end && now_us - live->versions_us >= live->options->every * 1000;
}

static size_t live_bytes(const struct live *live)
{
    size_t bytes = 0;
    for (size_t i = 0; i < live->count; i++)
        bytes += relance_learn_bytes(live->courses[i].learn);
    return bytes;
}

/* Counts are to become a state, since they have grown, and by more than a state leaves, or have come so far from the half-life
 * of the last one that weights cannot tell it any more. */
static bool live_is_full(const struct live *live)
{
    bool is_far = false;
    size_t bytes = live_bytes(live);
    for (size_t i = 0; i < live->count; i++)
        is_far |= live->courses[i].is_new && relance_learn_is_far(live->courses[i].learn, live_instant(live));
    return is_far || (bytes >= (size_t)live->options->learn_bytes && bytes / 2 >= live->state_bytes);
}

/* A state alone, between versions: where a long log is read, and where much happens in an hour. */
static enum relance_status live_write_states(struct live *live, struct relance_error *error)
{
    const struct relance_model_head none = {0};
    enum relance_status status = shelf_begin(live->shelf, error);
    for (size_t i = 0; i < live->count && status == RELANCE_OK; i++) {
        struct course *course = &live->courses[i];
        if (!course->is_new) continue;
        status = course_write_state(live, course, course->model ? relance_model_about(course->model) : &none,
                                    error);
        log_line(LOG_INFO, "A state of what is counted is made.", "affinity=%.*s",
                 STR_ARG(course->about.name));
    }
    return status == RELANCE_OK ? shelf_commit(live->shelf, error) : status;
}

static enum relance_status live_write_due(struct live *live, struct relance_error *error)
{
    int64_t now_us = clock_monotonic_us();
    bool is_full = live_is_full(live), is_due = live_is_due(live, now_us);
    bool with_state = !live->states_us || now_us - live->states_us >= LIVE_STATE_US || is_full;
    if (!is_due && !is_full) return RELANCE_OK;
    live->at_ms = live_instant(live);
    enum relance_status status =
        is_due ? live_write(live, with_state, error) : live_write_states(live, error);
    if (is_due) live->versions_us = now_us;
    if (is_due && with_state) live->states_us = now_us;
    if (with_state) live->state_bytes = live_bytes(live);
    return status;
}

/* ---- the whole */
/* Until it learns, why it does not yet, and that it is still about it. */
static void live_tell_failure(const struct relance_error *error)
{
    char lines[LIVE_SENTENCE];
    snprintf(lines, sizeof lines, "EXTEND_TIMEOUT_USEC=%d\nSTATUS=Does not learn: %s", LIVE_EXTEND_US,
             error->message);
    supervisor_tell(lines);
}

static void live_tell_ready(const struct live *live)
{
    char lines[LIVE_SENTENCE];
    snprintf(lines, sizeof lines, "READY=1\nSTATUS=Learns %zu affinit%s from %d partition%s.", live->count,
             live->count == 1 ? "y" : "ies", live->partitions, live->partitions == 1 ? "" : "s");
    supervisor_tell(lines);
}

/* First the shelf: whoever learnt before us writes nothing any more, and what we read is the last. */
static enum relance_status live_start(struct live *live, const struct relance_ruleset *rules,
                                      struct relance_error *error)
{
    enum relance_status status = stream_count(live->options, &live->partitions, error);
    if (status == RELANCE_OK) status = shelf_open(live->options, &live->shelf, error);
    if (status != RELANCE_OK) return status;
    counting_open(live, rules);
    status = live_restore(live, error);
    live->state_bytes = live_bytes(live);
    if (status == RELANCE_OK) status = live_start_reading(live, error);
    if (status == RELANCE_OK)
        log_line(LOG_INFO, "Learning.", "affinities=%zu partitions=%d", live->count, live->partitions);
    if (status == RELANCE_OK) live_tell_ready(live);
    if (status == RELANCE_OK) live_show(live);
    return status;
}

static enum relance_status live_run(struct live *live, const struct relance_ruleset *rules,
                                    struct relance_error *error)
{
    enum relance_status status = live_start(live, rules, error);
    while (status == RELANCE_OK && !stop_requested()) {
        status = counting_read(live, error);
        if (status == RELANCE_OK) status = live_write_due(live, error);
        live_show_again(live);
    }
    return status;
}

/* Nothing is guessed after a failure: whoever starts again goes on from the last state. */
int learn_live(const struct options *options, const struct relance_ruleset *rules)
{
    enum relance_status status;
    struct relance_error error;
    do {
        struct live live = {.options = options, .newest_ms = INT64_MIN, .at_ms = INT64_MIN};
        status = live_run(&live, rules, &error);
        counting_close(&live);
        if (status != RELANCE_AGAIN || stop_requested()) break;
        log_line(LOG_WARNING, "Learning begins again from the last state.", "why=\"%s\"", error.message);
        live_tell_failure(&error);
        clock_sleep_us(LIVE_RETRY_US);
    } while (!stop_requested());
    supervisor_tell("STOPPING=1");
    if (status == RELANCE_OK || stop_requested()) return EXIT_STATUS_OK;
    log_line(LOG_ERROR, "There is no going on.", "why=\"%s\"", error.message);
    /* Two supervisors that start two learners again and again would replace each other for ever. */
    return status == RELANCE_INVALID || status == RELANCE_REPLACED ? EXIT_STATUS_USAGE : EXIT_STATUS_FAILED;
}
