#include "view/checkpoints.h"
#include "base/ensure.h"
#include "base/str.h"
#include "host/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct relance_str checkpoint_fields[] = {STR("offset"), STR("clock"), STR("wall"),
                                                       STR("rules_hash"), STR("models")};
enum { CHECKPOINT_FIELDS = sizeof checkpoint_fields / sizeof *checkpoint_fields };

struct checkpoint_reading {
    struct checkpoint *into;
    size_t at; /* of the fields */
};

/* The greatest and the least number, which stand for none, are none. */
static int64_t checkpoint_number(struct relance_str text)
{
    int64_t number;
    bool known = text.data && text_int(text, &number) && number != INT64_MAX && number != INT64_MIN;
    return known ? number : CHECKPOINT_NONE;
}

static void checkpoint_take(void *context, struct relance_str text)
{
    struct checkpoint_reading *reading = context;
    struct checkpoint *into = reading->into;
    int64_t *const numbers[] = {&into->offset, &into->clock_ms, &into->wall_ms};
    size_t at = reading->at++;
    if (at < sizeof numbers / sizeof *numbers)
        *numbers[at] = checkpoint_number(text);
    else if (at == sizeof numbers / sizeof *numbers)
        snprintf(into->ruleset, sizeof into->ruleset, "%.*s", STR_ARG(text));
    else if (text.size)
        ensure(into->models = strndup(text.data, text.size));
}

enum relance_status checkpoints_read(struct checkpoints *checkpoints, struct redis_view *view,
                                     struct relance_error *error)
{
    size_t count = (size_t)redis_view_partitions(view);
    struct checkpoint *items = calloc(count + 1, sizeof *items);
    enum relance_status status = RELANCE_OK;
    ensure(items);
    for (size_t p = 0; p < count && status == RELANCE_OK; p++) {
        struct checkpoint_reading reading = {.into = &items[p]};
        status = redis_view_fields(view, (int)p, REDIS_VIEW_META, checkpoint_fields, CHECKPOINT_FIELDS,
                                   checkpoint_take, &reading, error);
    }
    struct checkpoints fresh = {items, count};
    if (status != RELANCE_OK) return checkpoints_free(&fresh), status;
    checkpoints_free(checkpoints);
    *checkpoints = fresh;
    return RELANCE_OK;
}

void checkpoints_free(struct checkpoints *checkpoints)
{
    for (size_t p = 0; p < checkpoints->count; p++)
        free(checkpoints->items[p].models);
    free(checkpoints->items);
    *checkpoints = (struct checkpoints){0};
}

int64_t checkpoints_wall(const struct checkpoints *checkpoints)
{
    int64_t newest = CHECKPOINT_NONE;
    for (size_t i = 0; i < checkpoints->count; i++)
        if (checkpoints->items[i].wall_ms > newest) newest = checkpoints->items[i].wall_ms;
    return newest;
}
