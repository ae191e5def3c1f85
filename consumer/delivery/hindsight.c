#include "delivery/hindsight.h"
#include "base/ensure.h"
#include "base/str.h"
#include "delivery/bygone.h"
#include "delivery/marks.h"
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <relance/affinity.h>
#include <stdlib.h>

enum { HINDSIGHT_WHY = 128 };

/* What of a mark matters here. */
struct hindsight_mark {
    int64_t at, tick; /* tick RELANCE_NEVER: it is none */
    uint64_t waits;
    char *models; /* NULL: as before */
};

/* One affinity that the rules declare. */
struct hindsight_course {
    struct relance_str name;
    uint64_t recipe;
    struct bygone *bygone;
    char version[PARCEL_TEXT_SIZE]; /* that the marks name; "": none */
    bool is_new;                    /* the engine does not have it yet */
    bool is_unknown;                /* that was told */
};

struct hindsight {
    struct hindsight_for whom;
    struct hindsight_mark *marks;
    size_t count, capacity, next;
    uint64_t first; /* number of the first mark that is kept; 0: none is */
    struct hindsight_course *courses;
    size_t course_count;
    bool is_silent; /* Kafka has not let us read versions: it is not asked again */
};

/* ---- reading marks */
static void hindsight_see(void *context, struct mark *mark)
{
    struct hindsight *hindsight = context;
    if (!hindsight->first) hindsight->first = mark->n;
    if (mark->models || mark->tick != RELANCE_NEVER) {
        if (hindsight->count == hindsight->capacity) {
            hindsight->capacity = hindsight->capacity ? 2 * hindsight->capacity : 64;
            hindsight->marks = realloc(hindsight->marks, hindsight->capacity * sizeof *hindsight->marks);
            ensure(hindsight->marks);
        }
        hindsight->marks[hindsight->count++] =
            (struct hindsight_mark){mark->at, mark->tick, mark->waits, mark->models};
        mark->models = NULL;
    }
    mark_free(mark);
}

/* ---- telling */
static void hindsight_miss(struct hindsight *hindsight, struct hindsight_course *course, const char *why)
{
    course->is_unknown = true;
    relance_engine_set_model(hindsight->whom.engine, course->name, NULL);
    hindsight->whom.tell(hindsight->whom.context, course->name, why);
}

static void hindsight_know(struct hindsight *hindsight, struct hindsight_course *course)
{
    if (course->is_unknown) hindsight->whom.tell(hindsight->whom.context, course->name, NULL);
    course->is_unknown = false;
}

/* ---- versions */
static void hindsight_give(struct hindsight *hindsight, struct hindsight_course *course,
                           const struct relance_model *model)
{
    const struct relance_model_head *about = relance_model_about(model);
    char why[HINDSIGHT_WHY];
    if (about->recipe != course->recipe) {
        snprintf(why, sizeof why,
                 "version %" PRIu64 " was counted by another declaration than these rules have",
                 about->number);
        hindsight_miss(hindsight, course, why);
        return;
    }
    hindsight_know(hindsight, course);
    relance_engine_set_model(hindsight->whom.engine, course->name, model);
}

static void hindsight_find(struct hindsight *hindsight, struct hindsight_course *course)
{
    struct relance_error error;
    const struct relance_model *model;
    uint64_t number, chain;
    if (!parcel_parse(str_of(course->version), &number, &chain)) {
        hindsight_miss(hindsight, course, "the mark names no version that could be read");
        return;
    }
    enum relance_status status = hindsight->is_silent
                                     ? relance_error_set(&error, RELANCE_AGAIN, "versions cannot be read")
                                     : bygone_find(course->bygone, number, chain, &model, &error);
    if (status == RELANCE_OK)
        hindsight_give(hindsight, course, model);
    else
        hindsight_miss(hindsight, course, error.message);
    hindsight->is_silent |= status != RELANCE_OK && status != RELANCE_REFUSED;
}

/* Only now, since of several that have come without a record between them the last alone decides. */
static void hindsight_settle(struct hindsight *hindsight)
{
    for (size_t i = 0; i < hindsight->course_count; i++) {
        struct hindsight_course *course = &hindsight->courses[i];
        if (!course->is_new) continue;
        course->is_new = false;
        if (*course->version) {
            hindsight_find(hindsight, course);
            continue;
        }
        hindsight_know(hindsight, course);
        relance_engine_set_model(hindsight->whom.engine, course->name, NULL);
    }
}

static void hindsight_name(struct hindsight *hindsight, const char *models)
{
    cJSON *object = cJSON_Parse(models);
    for (size_t i = 0; i < hindsight->course_count; i++) {
        struct hindsight_course *course = &hindsight->courses[i];
        char name[PARCEL_NAME_BYTES];
        snprintf(name, sizeof name, "%.*s", STR_ARG(course->name));
        const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
        if (!member) continue;
        snprintf(course->version, sizeof course->version, "%s",
                 cJSON_IsString(member) ? member->valuestring : "");
        course->is_new = true;
    }
    cJSON_Delete(object);
}

/* ---- going by */
static enum relance_progress hindsight_tick(struct hindsight *hindsight, const struct hindsight_mark *mark)
{
    uint64_t most = mark->waits ? mark->waits : UINT64_MAX;
    hindsight_settle(hindsight);
    return relance_engine_tick(hindsight->whom.engine, mark->tick, &most);
}

enum relance_progress hindsight_pass(struct hindsight *hindsight, int64_t offset)
{
    enum relance_progress progress = RELANCE_DONE;
    for (; hindsight->next < hindsight->count && progress == RELANCE_DONE; hindsight->next++) {
        const struct hindsight_mark *mark = &hindsight->marks[hindsight->next];
        if (mark->at > offset) break;
        if (mark->models) hindsight_name(hindsight, mark->models);
        if (mark->tick != RELANCE_NEVER) progress = hindsight_tick(hindsight, mark);
    }
    hindsight_settle(hindsight);
    return progress;
}

/* ---- the beginning */
/* What was in force at the beginning: the last that was named before. */
static void hindsight_skip(struct hindsight *hindsight, int64_t offset)
{
    for (; hindsight->next < hindsight->count && hindsight->marks[hindsight->next].at < offset;
         hindsight->next++)
        if (hindsight->marks[hindsight->next].models)
            hindsight_name(hindsight, hindsight->marks[hindsight->next].models);
}

/* Of marks that are no longer kept, one may have named a version. */
static void hindsight_doubt(struct hindsight *hindsight)
{
    char why[HINDSIGHT_WHY];
    snprintf(why, sizeof why,
             hindsight->first ? "the marks before number %" PRIu64 " are no longer kept"
                              : "no marks are kept",
             hindsight->first);
    for (size_t i = 0; i < hindsight->course_count; i++)
        if (!hindsight->courses[i].is_new) hindsight_miss(hindsight, &hindsight->courses[i], why);
}

struct hindsight *hindsight_open(const struct options *options, int32_t partition, int64_t offset,
                                 const struct hindsight_for *whom)
{
    struct relance_error error;
    struct hindsight *hindsight = calloc(1, sizeof *hindsight);
    ensure(hindsight);
    *hindsight =
        (struct hindsight){.whom = *whom, .course_count = relance_ruleset_affinity_count(whom->rules)};
    ensure(hindsight->courses = calloc(hindsight->course_count + 1, sizeof *hindsight->courses));
    for (size_t i = 0; i < hindsight->course_count; i++) {
        struct hindsight_course *course = &hindsight->courses[i];
        course->name = relance_ruleset_affinity_name(whom->rules, i);
        course->recipe = relance_ruleset_affinity_recipe(whom->rules, i);
        course->bygone = bygone_open(options, course->name);
    }
    enum relance_status status = marks_each_kept(options, partition, hindsight_see, hindsight, &error);
    if (status == RELANCE_OK)
        hindsight_skip(hindsight, offset);
    else
        hindsight->next = hindsight->count; /* a part of them would say what was not so */
    for (size_t i = 0; i < hindsight->course_count && status != RELANCE_OK; i++)
        hindsight_miss(hindsight, &hindsight->courses[i], error.message);
    if (status == RELANCE_OK && hindsight->first != 1) hindsight_doubt(hindsight);
    return hindsight;
}

void hindsight_close(struct hindsight *hindsight)
{
    if (!hindsight) return;
    for (size_t i = 0; i < hindsight->course_count; i++)
        bygone_close(hindsight->courses[i].bygone);
    for (size_t i = 0; i < hindsight->count; i++)
        free(hindsight->marks[i].models);
    free(hindsight->courses);
    free(hindsight->marks);
    free(hindsight);
}
