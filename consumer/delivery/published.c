#include "delivery/published.h"
#include "base/ensure.h"
#include "host/text.h"
#include <stdlib.h>

void published_init(struct published *published)
{
    *published = (struct published){.offset = -1, .newest_due_ms = INT64_MIN};
}

void published_free(struct published *published)
{
    free(published->ids);
    published_init(published);
}

static bool published_parse(struct relance_str id, unsigned char out[PUBLISHED_ID_SIZE])
{
    uint64_t halves[2];
    if (id.size != 2 * PUBLISHED_ID_SIZE) return false;
    for (size_t i = 0; i < 2; i++)
        if (!text_hex((struct relance_str){id.data + 16 * i, 16}, &halves[i])) return false;
    memcpy(out, halves, PUBLISHED_ID_SIZE);
    return true;
}

static void published_add_id(struct published *published, struct relance_str id)
{
    if (published->count == published->capacity) {
        published->capacity = published->capacity ? 2 * published->capacity : 1024;
        published->ids = realloc(published->ids, published->capacity * sizeof *published->ids);
        ensure(published->ids);
    }
    published->count += published_parse(id, published->ids[published->count]);
}

void published_add(struct published *published, const struct published_action *action, uint64_t after)
{
    if (action->seq > published->last_seq) published->last_seq = action->seq;
    if (action->offset > published->offset) published->offset = action->offset;
    if (action->seq <= after) return;
    if (action->due_ms > published->newest_due_ms) published->newest_due_ms = action->due_ms;
    published_add_id(published, action->id);
}

static int published_compare(const void *a, const void *b)
{
    return memcmp(a, b, PUBLISHED_ID_SIZE);
}

void published_sort(struct published *published)
{
    if (published->count) qsort(published->ids, published->count, sizeof *published->ids, published_compare);
}

bool published_has(const struct published *published, struct relance_str id)
{
    unsigned char wanted[PUBLISHED_ID_SIZE];
    return published->count && published_parse(id, wanted) &&
           bsearch(wanted, published->ids, published->count, sizeof *published->ids, published_compare);
}
