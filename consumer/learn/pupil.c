#include "learn/pupil.h"
#include "base/str.h"
#include "host/print.h"
#include <relance/affinity.h>

bool pupil_load(const char *models, struct saved **out)
{
    struct relance_error error;
    *out = NULL;
    if (!models || strcmp(models, "none") == 0) return true;
    if (saved_open(models, out, &error) == RELANCE_OK) return true;
    print_mistake("--models: %s", error.message);
    return false;
}

static void pupil_adopt(void *context, size_t affinity, const struct relance_model *model,
                        struct relance_str bytes)
{
    (void)bytes;
    for (const struct pupil *pupil = context; pupil; pupil = pupil->beside)
        relance_engine_set_model(pupil->engine, relance_ruleset_affinity_name(pupil->rules, affinity), model);
}

static void pupil_adopt_saved(const struct pupil *pupil, const char *path, const struct saved *saved)
{
    for (size_t i = 0; i < relance_ruleset_affinity_count(pupil->rules); i++) {
        struct relance_str name = relance_ruleset_affinity_name(pupil->rules, i);
        const struct relance_model *model =
            saved_find(saved, name, relance_ruleset_affinity_recipe(pupil->rules, i));
        relance_engine_set_model(pupil->engine, name, model);
        if (!model)
            print_mistake(
                "%s has no version of %.*s that was counted as the rules declare it: it gives nothing", path,
                STR_ARG(name));
    }
}

void pupil_begin(struct pupil *pupil, int64_t wall_ms, const char *models, const struct saved *saved)
{
    const struct days_listener listener = {.context = pupil, .version = pupil_adopt};
    if (saved)
        pupil_adopt_saved(pupil, models, saved);
    else if (!models)
        pupil->days = days_open(pupil->rules, wall_ms, &listener);
}

/* In the same order, too: a day begins for all of a set at once, so that part of one is not learnt as the whole is. */
bool pupil_join(struct pupil *pupil, struct pupil *first)
{
    size_t count = relance_ruleset_affinity_count(pupil->rules);
    if (!first->days || count != relance_ruleset_affinity_count(first->rules)) return false;
    for (size_t i = 0; i < count; i++)
        if (relance_ruleset_affinity_recipe(pupil->rules, i) !=
                relance_ruleset_affinity_recipe(first->rules, i) ||
            !str_equal(relance_ruleset_affinity_name(pupil->rules, i),
                       relance_ruleset_affinity_name(first->rules, i)))
            return false;
    first->beside = pupil;
    return true;
}

void pupil_end(struct pupil *pupil)
{
    days_close(pupil->days);
    pupil->days = NULL;
}

bool pupil_record(struct pupil *pupil, const struct relance_record *record)
{
    return !pupil->days || days_record(pupil->days, record);
}

/* All come to the end of the day before what it has taught is told to them. */
static enum relance_progress pupil_end_day(struct pupil *first, int64_t midnight_ms)
{
    enum relance_progress progress = RELANCE_DONE;
    for (struct pupil *pupil = first; pupil && progress == RELANCE_DONE; pupil = pupil->beside)
        if (midnight_ms > relance_engine_newest(pupil->engine))
            progress = relance_engine_run_until(pupil->engine, midnight_ms - 1);
    days_end(first->days, false);
    return progress;
}

enum relance_progress pupil_run_until(struct pupil *pupil, int64_t until_ms)
{
    int64_t midnight_ms = pupil->days ? days_end_ms(pupil->days) : RELANCE_NEVER;
    bool is_over = midnight_ms != RELANCE_NEVER && midnight_ms <= until_ms;
    enum relance_progress progress = is_over ? pupil_end_day(pupil, midnight_ms) : RELANCE_DONE;
    return progress == RELANCE_DONE ? relance_engine_run_until(pupil->engine, until_ms) : progress;
}

struct relance_str pupil_error(const struct pupil *pupil)
{
    struct relance_str sentence = pupil->days ? days_error(pupil->days) : (struct relance_str){0};
    for (; pupil && !sentence.size; pupil = pupil->beside)
        sentence = relance_engine_error(pupil->engine);
    return sentence;
}
