#include "delivery/mark.h"
#include "delivery/number.h"
#include "base/ensure.h"
#include "host/text.h"
#include <cjson/cJSON.h>
#include <stdlib.h>

static void mark_put_number(cJSON *object, const char *name, int64_t number)
{
    char text[TEXT_NUMBER_SIZE];
    text_put_int(text, number);
    cJSON_AddRawToObject(object, name, text);
}

void mark_print(const struct mark *mark, struct buffer *out)
{
    cJSON *object = cJSON_CreateObject();
    mark_put_number(object, "n", (int64_t)mark->n);
    mark_put_number(object, "at", mark->at);
    if (mark->wall != RELANCE_NEVER) mark_put_number(object, "wall", mark->wall);
    if (mark->tick != RELANCE_NEVER) mark_put_number(object, "tick", mark->tick);
    if (mark->waits) mark_put_number(object, "waits", (int64_t)mark->waits);
    if (mark->links != RELANCE_NEVER) mark_put_number(object, "links", mark->links);
    if (mark->rules) cJSON_AddRawToObject(object, "rules", mark->rules);
    if (mark->zones) cJSON_AddRawToObject(object, "zones", mark->zones);
    if (mark->models) cJSON_AddRawToObject(object, "models", mark->models);
    if (mark->options) cJSON_AddStringToObject(object, "options", mark->options);
    if (mark->is_approximate) cJSON_AddTrueToObject(object, "approximate");
    char *text = cJSON_PrintUnformatted(object);
    ensure(text);
    out->size = 0;
    buffer_put(out, text, strlen(text));
    cJSON_free(text);
    cJSON_Delete(object);
}

static bool mark_number(const cJSON *object, const char *name, int64_t absent, int64_t *out)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    *out = absent;
    return !item || number_read(item, out);
}

static bool mark_read(const cJSON *object, struct mark *mark)
{
    int64_t n, waits;
    const cJSON *rules = cJSON_GetObjectItemCaseSensitive(object, "rules"),
                *zones = cJSON_GetObjectItemCaseSensitive(object, "zones"),
                *models = cJSON_GetObjectItemCaseSensitive(object, "models"),
                *other = cJSON_GetObjectItemCaseSensitive(object, "options");
    const char *options = cJSON_GetStringValue(other);
    if (!mark_number(object, "n", 0, &n) || n < 1 || !mark_number(object, "at", -1, &mark->at) ||
        mark->at < 0 || !mark_number(object, "wall", RELANCE_NEVER, &mark->wall) ||
        !mark_number(object, "tick", RELANCE_NEVER, &mark->tick) ||
        !mark_number(object, "waits", 0, &waits) || waits < 0 ||
        !mark_number(object, "links", RELANCE_NEVER, &mark->links) || mark->links < 0 ||
        (rules && !cJSON_IsArray(rules)) || (zones && !cJSON_IsObject(zones)) ||
        (models && !cJSON_IsObject(models)) || (other && !options))
        return false;
    mark->n = (uint64_t)n;
    mark->waits = (uint64_t)waits;
    mark->is_approximate = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "approximate"));
    if (rules) ensure(mark->rules = cJSON_PrintUnformatted(rules));
    if (zones) ensure(mark->zones = cJSON_PrintUnformatted(zones));
    if (models) ensure(mark->models = cJSON_PrintUnformatted(models));
    if (options) ensure(mark->options = strdup(options));
    return true;
}

enum relance_status mark_parse(struct relance_str text, struct mark *out, struct relance_error *error)
{
    struct mark mark = {0};
    cJSON *object = cJSON_ParseWithLength(text.data, text.size);
    bool ok = cJSON_IsObject(object) && mark_read(object, &mark);
    cJSON_Delete(object);
    if (!ok)
        return relance_error_set(error, RELANCE_INVALID, "not a mark: %.*s",
                                 (int)(text.size < 100 ? text.size : 100), text.data);
    *out = mark;
    return RELANCE_OK;
}

void mark_free(struct mark *mark)
{
    free(mark->rules);
    free(mark->zones);
    free(mark->models);
    free(mark->options);
    *mark = (struct mark){0};
}

void mark_list_add(struct mark_list *list, struct mark mark)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 8;
        list->items = realloc(list->items, list->capacity * sizeof *list->items);
        ensure(list->items);
    }
    list->items[list->count++] = mark;
}

void mark_list_drop(struct mark_list *list, size_t count)
{
    ensure(count <= list->count);
    for (size_t i = 0; i < count; i++)
        mark_free(&list->items[i]);
    list->count -= count;
    if (list->count) memmove(list->items, list->items + count, list->count * sizeof *list->items);
}

void mark_list_free(struct mark_list *list)
{
    mark_list_drop(list, list->count);
    free(list->items);
    *list = (struct mark_list){0};
}
