#include "delivery/said.h"
#include "host/ensure.h"
#include "host/text.h"
#include <stdlib.h>

void said_init(struct said *said)
{
    *said = (struct said){.offset = -1, .newest_due_ms = INT64_MIN};
}

void said_free(struct said *said)
{
    free(said->ids);
    said_init(said);
}

static bool said_parse(struct relance_str id, unsigned char out[SAID_ID_SIZE])
{
    uint64_t halves[2];
    if (id.size != 2 * SAID_ID_SIZE) return false;
    for (size_t i = 0; i < 2; i++)
        if (!text_hex((struct relance_str){id.data + 16 * i, 16}, &halves[i])) return false;
    memcpy(out, halves, SAID_ID_SIZE);
    return true;
}

static void said_add_id(struct said *said, struct relance_str id)
{
    if (said->count == said->capacity) {
        said->capacity = said->capacity ? 2 * said->capacity : 1024;
        said->ids = realloc(said->ids, said->capacity * sizeof *said->ids);
        ensure(said->ids);
    }
    said->count += said_parse(id, said->ids[said->count]);
}

void said_add(struct said *said, const struct said_action *action, uint64_t after)
{
    if (action->seq > said->last_seq) said->last_seq = action->seq;
    if (action->offset > said->offset) said->offset = action->offset;
    if (action->seq <= after) return;
    if (action->due_ms > said->newest_due_ms) said->newest_due_ms = action->due_ms;
    said_add_id(said, action->id);
}

static int said_compare(const void *a, const void *b)
{
    return memcmp(a, b, SAID_ID_SIZE);
}

void said_sort(struct said *said)
{
    if (said->count) qsort(said->ids, said->count, sizeof *said->ids, said_compare);
}

bool said_has(const struct said *said, struct relance_str id)
{
    unsigned char wanted[SAID_ID_SIZE];
    return said->count && said_parse(id, wanted) &&
           bsearch(wanted, said->ids, said->count, sizeof *said->ids, said_compare);
}
