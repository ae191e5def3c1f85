#include "event/keys.h"

bool key_table_init(struct key_table *table, struct arena *arena, size_t capacity)
{
    uint32_t bits = 3;
    while ((size_t)1 << bits < capacity * 2)
        bits++;
    size_t size = (size_t)1 << bits;
    *table = (struct key_table){.entries = ARENA_ARRAY(arena, struct key_entry, size),
                                .mask = (uint32_t)size - 1,
                                .shift = 64 - bits};
    if (!table->entries) return false;
    for (size_t i = 0; i < size; i++)
        table->entries[i].number = KEY_NONE;
    return true;
}

/* Short names may end where memory does: they are copied to where 8 bytes can be read. */
static struct key_words split_any(str name)
{
    char room[8] = {0};
    if (name.size >= 8) return key_split(name);
    if (name.size) memcpy(room, name.data, name.size);
    return key_split((str){room, name.size});
}

uint32_t key_find_any(const struct key_table *table, str name)
{
    return key_find_split(table, name, split_any(name));
}

void key_table_add(struct key_table *table, str name, uint32_t number)
{
    struct key_words words = split_any(name);
    if (key_find_split(table, name, words) != KEY_NONE) return;
    uint32_t at = key_place(table, words);
    while (table->entries[at].number != KEY_NONE)
        at = (at + 1) & table->mask;
    table->entries[at] =
        (struct key_entry){.words = words, .name = name.data, .size = (uint32_t)name.size, .number = number};
}
