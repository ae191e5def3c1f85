/* What an expression names. Rules depend on it: which events a rule set looks at, which fields are kept, whether a
 * cancelling event can be remembered. So it is taken from what is written, not from what is left after folding. */
#include "cel/code.h"
#include "cel/func.h"

static void numbers_add(struct compile *c, struct numbers *numbers, uint32_t number)
{
    uint32_t at = numbers->count;
    while (at && numbers->items[at - 1] >= number)
        at--;
    if (at < numbers->count && numbers->items[at] == number) return;
    if (numbers->count == numbers->capacity) {
        uint32_t capacity = numbers->capacity ? numbers->capacity * 2 : 16;
        uint32_t *items = arena_alloc(c->scratch, capacity * sizeof *items);
        if (!items) {
            c->failed = true;
            return;
        }
        if (numbers->count) memcpy(items, numbers->items, numbers->count * sizeof *items);
        numbers->items = items;
        numbers->capacity = capacity;
    }
    memmove(numbers->items + at + 1, numbers->items + at, (numbers->count++ - at) * sizeof *numbers->items);
    numbers->items[at] = number;
}

static void note_record(struct compile *c, const struct declaration *d)
{
    if (d->presence != CEL_NO_SLOT) numbers_add(c, &c->reads.slots, d->presence);
    for (size_t i = 0; i < d->type->record->field_count; i++)
        numbers_add(c, &c->reads.slots, d->slots[i]);
}

static void note_functions(struct compile *c, const struct node *node)
{
    for (const struct overload *o = node->overload; o; o = node->several ? overload_after(c, o) : NULL)
        if (!o->body) numbers_add(c, &c->reads.functions, o->number);
}

/* A selection that has become a slot stands for itself: what it is selected from is not read. */
static void note(struct compile *c, const struct node *node)
{
    bool name = node->kind == NODE_NAME || node->kind == NODE_SELECT;
    if (name && (node->place == PLACE_SLOT || node->place == PLACE_PRESENCE)) {
        numbers_add(c, &c->reads.slots, node->number);
        return;
    }
    if (name && node->place == PLACE_RECORD) {
        note_record(c, node->declared);
        return;
    }
    if (node->kind == NODE_CALL) note_functions(c, node);
    for (size_t i = 0; i < node->count; i++)
        if (node->children[i]) note(c, node->children[i]);
}

void reads_note(struct compile *c, const struct node *root)
{
    c->reads = (struct reads){0};
    note(c, root);
}
