/* A file of events fed to a rig as `relance replay` feeds it to its engine (LANGUAGE.md §6), with a place between any
 * two lines at which the engine can be made to forget. */
#ifndef SUPPORT_REPLAY_H
#define SUPPORT_REPLAY_H

#include "rig.h"

#include "base/duration.h"
#include "base/rfc3339.h"

struct replay {
    str rules, events;
    int64_t lateness_ms, wall_ms, until_ms, until_after_ms; /* RELANCE_NEVER: not given */
    bool actions;                                           /* the lines are what would be published */
    bool bodies; /* the lines are as the topic of decisions has them */
};

#define REPLAY_NONE                                                                                          \
    ((struct replay){.wall_ms = RELANCE_NEVER, .until_ms = RELANCE_NEVER, .until_after_ms = RELANCE_NEVER})

static inline bool replay_instant(str text, int64_t *ms)
{
    int64_t seconds;
    int32_t nanos;
    if (!rfc3339_parse(text, &seconds, &nanos)) return false;
    *ms = seconds * 1000 + nanos / 1000000;
    return true;
}

/* One of the options that say when; false: it is none, or has no such value. */
static inline bool replay_option(struct replay *replay, str name, str value)
{
    if (str_equal(name, STR("--lateness"))) return duration_parse(value, &replay->lateness_ms);
    if (str_equal(name, STR("--wall"))) return replay_instant(value, &replay->wall_ms);
    if (str_equal(name, STR("--only"))) return true; /* what is printed does not decide */
    if (!str_equal(name, STR("--until"))) return false;
    return duration_parse(value, &replay->until_after_ms) || replay_instant(value, &replay->until_ms);
}

/* What happens behind each line; a record has been read where `record` is true. */
typedef void replay_between(void *context, struct rig *rig, bool record);

/* Starts the rig, to be ended by the caller: the lines are in it. */
static inline void replay_run(struct rig *rig, const struct relance_ruleset *rules,
                              const struct replay *replay, replay_between *between, void *context)
{
    str rest = replay->events, line;
    int64_t newest_ms = INT64_MIN;
    rig_start_as(rig, (struct relance_engine_options){.rules = rules,
                                                      .lateness_ms = replay->lateness_ms,
                                                      .trust_future = true,
                                                      .errors = replay->bodies});
    rig->topic = STR("-");
    rig->actions = replay->actions;
    rig->bodies = replay->bodies;
    relance_engine_set_wall(rig->engine, replay->wall_ms);
    while (suite_line(&rest, &line)) {
        if (line.size)
            rig_event(rig, line);
        else
            rig->offset++;
        int64_t engine_newest_ms = relance_engine_newest(rig->engine);
        if (engine_newest_ms > newest_ms) newest_ms = engine_newest_ms;
        between(context, rig, line.size > 0);
        relance_engine_set_wall(rig->engine, replay->wall_ms); /* it may be another engine now */
    }
    int64_t until_ms = replay->until_ms;
    if (replay->until_after_ms != RELANCE_NEVER && newest_ms != INT64_MIN)
        until_ms = newest_ms + replay->until_after_ms;
    if (until_ms != RELANCE_NEVER) rig_run_until(rig, until_ms);
}

#endif
