#include "json/loader.h"

bool json_loader_init(struct json_loader *loader, struct arena *keep)
{
    *loader = (struct json_loader){.keep = keep, .index = json_index_new()};
    return loader->index;
}

void json_loader_free(struct json_loader *loader)
{
    json_index_free(loader->index);
}

static bool reserve(struct json_loader *loader, size_t size)
{
    if (size <= loader->capacity && loader->text) return true;
    size_t capacity = loader->capacity ? loader->capacity : 4096;
    while (capacity < size)
        capacity *= 2;
    char *text = arena_alloc(loader->keep, capacity + JSON_PADDING);
    char *room = arena_alloc(loader->keep, capacity + JSON_PADDING);
    if (!text || !room) return false;
    loader->text = text;
    loader->room = room;
    loader->capacity = capacity;
    return true;
}

enum json_index_status json_load(struct json_loader *loader, str json)
{
    if (json.size == 0) return JSON_INDEX_BROKEN;
    if (!reserve(loader, json.size)) return JSON_INDEX_NO_MEMORY;
    memcpy(loader->text, json.data, json.size);
    memset(loader->text + json.size, 0, JSON_PADDING);
    loader->loaded = (str){loader->text, json.size};
    return json_index_build(loader->index, loader->loaded, &loader->tokens, &loader->count);
}

void json_loader_begin(const struct json_loader *loader, struct scan *scan, unsigned depth_max)
{
    scan_begin(scan, loader->loaded, loader->tokens, loader->count, loader->room, depth_max);
}
