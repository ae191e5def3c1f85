#include "learn/days.h"
#include "base/ensure.h"
#include "base/floor.h"
#include "learn/given.h"
#include <stdlib.h>

struct days {
    struct days_listener listener;
    struct relance_engine *engine; /* reads records, and decides nothing */
    struct days_course {
        struct relance_learn *learn;
        struct relance_model *model; /* the version of the day; NULL: none yet */
        uint64_t events;
    } * courses; /* of each affinity */
    size_t count;
    int64_t day; /* of the newest event that counted */
    bool any;
};

struct days *days_open(const struct relance_ruleset *rules, int64_t wall_ms,
                       const struct days_listener *listener)
{
    size_t count = relance_ruleset_affinity_count(rules);
    if (!count) return NULL;
    struct days *days = calloc(1, sizeof *days);
    ensure(days && (days->courses = calloc(count, sizeof *days->courses)));
    days->listener = *listener;
    days->count = count;
    for (size_t i = 0; i < count; i++) {
        struct relance_affinity about = relance_ruleset_affinity(rules, i);
        days->courses[i].learn = given_learner(&about);
    }
    const struct relance_engine_options given = {
        .rules = rules, .context = days, .complete = true, .trust_future = true};
    ensure(days->engine = relance_engine_new(&given));
    if (wall_ms != RELANCE_NEVER) relance_engine_set_wall(days->engine, wall_ms);
    return days;
}

void days_close(struct days *days)
{
    if (!days) return;
    for (size_t i = 0; i < days->count; i++) {
        relance_learn_free(days->courses[i].learn);
        relance_model_release(days->courses[i].model);
    }
    relance_engine_free(days->engine);
    free(days->courses);
    free(days);
}

static void days_make_version(struct days *days, size_t affinity, int64_t day, bool in_full)
{
    struct relance_str bytes;
    struct days_course *course = &days->courses[affinity];
    struct relance_model *next =
        relance_learn_version(course->learn, day * DAYS_MS, course->model, in_full, &bytes);
    ensure(next);
    if (days->listener.version) days->listener.version(days->listener.context, affinity, next, bytes);
    relance_model_release(course->model);
    course->model = next;
}

static void days_begin(struct days *days, int64_t day, bool in_full)
{
    for (size_t i = 0; i < days->count; i++) {
        if (days->any) days_make_version(days, i, day, in_full);
        relance_learn_state(days->courses[i].learn, day * DAYS_MS);
    }
    days->day = day;
    days->any = true;
}

static void days_give(void *context, const struct relance_given *given)
{
    struct days *days = context;
    if (!given->product_count) {
        given_count(given, days->courses[given->affinity].learn);
        return;
    }
    int64_t day = floor_div(given->time_ms, DAYS_MS);
    if (!days->any || day > days->day) days_begin(days, day, false);
    if (days->listener.give) days->listener.give(days->listener.context, given);
    given_count(given, days->courses[given->affinity].learn);
    days->courses[given->affinity].events++;
}

bool days_record(struct days *days, const struct relance_record *record)
{
    struct relance_fate fate;
    do {
        if (relance_engine_give(days->engine, record, &fate, days_give, days) != RELANCE_DONE) return false;
        if (fate.kind == RELANCE_DEAD && days->listener.dead)
            days->listener.dead(days->listener.context, fate.reason, record->offset);
    } while (fate.more);
    return true;
}

struct relance_str days_error(const struct days *days)
{
    return relance_engine_error(days->engine);
}

int64_t days_end_ms(const struct days *days)
{
    return days->any ? (days->day + 1) * DAYS_MS : RELANCE_NEVER;
}

void days_end(struct days *days, bool in_full)
{
    if (days->any) days_begin(days, days->day + 1, in_full);
}

size_t days_count(const struct days *days)
{
    return days->count;
}

uint64_t days_events(const struct days *days, size_t affinity)
{
    return days->courses[affinity].events;
}

const struct relance_learn *days_learn(const struct days *days, size_t affinity)
{
    return days->courses[affinity].learn;
}

const struct relance_model *days_model(const struct days *days, size_t affinity)
{
    return days->courses[affinity].model;
}
