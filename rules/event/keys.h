/* Key table: which number a member's name has. Built once from a schema's names, looked into for every member
 * of every event. Names of up to 16 bytes are compared as two words, without a call. */
#ifndef RULES_EVENT_KEYS_H
#define RULES_EVENT_KEYS_H

#include "base/arena.h"

#define KEY_NONE UINT32_MAX

struct key_words { /* the first 8 bytes, and the last 8 where there are more */
    uint64_t first, last;
};

struct key_entry {
    struct key_words words;
    const char *name;
    uint32_t size;
    uint32_t number; /* KEY_NONE: free */
};

struct key_table {
    struct key_entry *entries; /* open addressing, at most half of them taken */
    uint32_t mask;
    uint32_t shift; /* leaves as many bits of a product as a place has */
};

bool key_table_init(struct key_table *table, struct arena *arena, size_t capacity);
/* Of two equal names the first stays. */
void key_table_add(struct key_table *table, str name, uint32_t number);
/* For a name that 8 bytes may be read from, whatever its size. */
static inline uint32_t key_find(const struct key_table *table, str name);
/* For any name. */
uint32_t key_find_any(const struct key_table *table, str name);

static inline uint64_t key_load(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

static inline struct key_words key_split(str name)
{
    if (name.size > 8) return (struct key_words){key_load(name.data), key_load(name.data + name.size - 8)};
    unsigned half =
        32 - 4 * (unsigned)name.size; /* of the bits that are not the name's: all 64 cannot go at once */
    return (struct key_words){key_load(name.data) << half << half, 0};
}

/* Where to look first. The upper bits of a product depend on all of both words. */
static inline uint32_t key_place(const struct key_table *table, struct key_words words)
{
    uint64_t mixed = (words.first ^ (words.last << 23 | words.last >> 41)) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(mixed >> table->shift);
}

static inline uint32_t key_find_split(const struct key_table *table, str name, struct key_words words)
{
    for (uint32_t at = key_place(table, words);; at = (at + 1) & table->mask) {
        const struct key_entry *entry = &table->entries[at];
        bool equal =
            entry->words.first == words.first && entry->words.last == words.last && entry->size == name.size;
        if (equal && (name.size <= 16 || memcmp(entry->name, name.data, name.size) == 0))
            return entry->number; /* the empty name's is that of a free entry: none */
        if (entry->number == KEY_NONE) return KEY_NONE;
    }
}

static inline uint32_t key_find(const struct key_table *table, str name)
{
    return key_find_split(table, name, key_split(name));
}

/* What stood at a place of an object the last time: producers write the members of their records in one order, also those
 * that nobody knows. */
struct key_hint {
    struct key_words words;
    uint32_t size;   /* 0: nothing has stood there */
    uint32_t number; /* may be KEY_NONE */
};

/* The same as key_find, sooner where the name is the hint's; else the hint becomes it. */
static inline uint32_t key_find_hinted(const struct key_table *table, str name, struct key_hint *hint)
{
    struct key_words words = key_split(name);
    bool same = hint->size == name.size && hint->words.first == words.first && hint->words.last == words.last;
    if (same && name.size <= 16 && name.size) return hint->number;
    uint32_t number = key_find_split(table, name, words);
    *hint = (struct key_hint){words, (uint32_t)name.size, number};
    return number;
}

#endif
