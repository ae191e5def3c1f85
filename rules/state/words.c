#include "state/state.h"

static const str list[] = {
#define WORD(name) STR(name),
#include "state/words.def"
#undef WORD
};
enum { WORDS = sizeof list / sizeof *list };

/* Where a name stands, or would: most are told apart by three of their letters. */
static uint32_t word_slot(str name)
{
    const unsigned char *text = (const unsigned char *)name.data;
    return (text[0] * 5u + text[name.size / 2] * 67u + text[name.size - 1] * 13u +
            (uint32_t)name.size * 101u) %
           STATE_WORD_SLOTS;
}

uint32_t state_word(const struct state_words *words, str name)
{
    if (!name.size) return NAME_NONE;
    uint32_t at = word_slot(name);
    for (; words->slots[at]; at = (at + 1) % STATE_WORD_SLOTS)
        if (str_equal(list[words->slots[at] - 1], name)) return words->slots[at] - 1u;
    return NAME_NONE;
}

static bool words_of(struct arena *arena, const struct state_words *words, const struct names *kind,
                     struct state_words_of *out)
{
    uint32_t *of_kind = ARENA_ARRAY(arena, uint32_t, kind->count + 1);
    uint32_t *numbers = ARENA_ARRAY(arena, uint32_t, WORDS);
    *out = (struct state_words_of){of_kind, numbers};
    if (!of_kind || !numbers) return false;
    memset(numbers, UINT8_MAX, WORDS * sizeof *numbers);
    for (uint32_t i = 0; i < kind->count; i++) {
        of_kind[i] = state_word(words, kind->list[i]);
        if (of_kind[i] != NAME_NONE) numbers[of_kind[i]] = i;
    }
    return true;
}

bool state_words_make(struct arena *arena, const struct state_names *names, struct state_words *out)
{
    *out = (struct state_words){.list = list, .count = WORDS};
    for (uint32_t word = 0; word < WORDS; word++) {
        uint32_t at = word_slot(list[word]);
        while (out->slots[at])
            at = (at + 1) % STATE_WORD_SLOTS;
        out->slots[at] = (uint8_t)(word + 1);
    }
    return words_of(arena, out, &names->attributes, &out->attributes) &&
           words_of(arena, out, &names->types, &out->types) &&
           words_of(arena, out, &names->counts, &out->counts) &&
           words_of(arena, out, &names->rules, &out->rules) &&
           words_of(arena, out, &names->segments, &out->segments) &&
           words_of(arena, out, &names->lists, &out->lists);
}
