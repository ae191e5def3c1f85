/* Names that customers send and that sums are called after: so that these do not grow without bound, a partition knows the
 * first so many, in the order of its records, and counts the rest as `other`.
 *
 * Which those are decides what is added to the sums: it is saved with the states, as {kind: [name, …]}. */
#include "rule/run/sales.h"

#include "base/buffer.h"
#include "state/pack.h"

static const struct known_kind {
    char letter;
    uint32_t most;
} known_kinds[KNOWN_KINDS] = {
    [KNOWN_CHANNELS] = {'c', LIMIT_CHANNELS},
    [KNOWN_CURRENCIES] = {'m', LIMIT_CURRENCIES},
    [KNOWN_TOTALS] = {'t', LIMIT_TOTAL_VALUES},
};

/* Is it known, or known from here on? */
static bool is_known(struct relance_engine *e, enum known_name kind, str name)
{
    struct names *names = &e->known.names[kind];
    if (names_find(names, name) != NAME_NONE) return true;
    if (names->count >= known_kinds[kind].most) return false;
    uint32_t number;
    str own;
    e->known.is_packed = false;
    if (!arena_copy_str(&e->arena, name, &own) || !names_put(names, &e->arena, own, &number))
        e->failed = true;
    return true;
}

uint16_t known_currency(struct relance_engine *e, str text)
{
    enum { LETTERS = 3 };
    char capitals[LETTERS];
    uint16_t currency = 0;
    if (text.size != LETTERS) return CURRENCY_OTHER;
    for (size_t i = 0; i < LETTERS; i++) {
        char c = text.data[i];
        if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
        if (c < 'A' || c > 'Z') return CURRENCY_OTHER;
        capitals[i] = c;
        currency = (uint16_t)(currency * CURRENCY_LETTERS + c - 'A');
    }
    return is_known(e, KNOWN_CURRENCIES, (str){capitals, LETTERS}) ? currency : CURRENCY_OTHER;
}

str known_channel(struct relance_engine *e, str text)
{
    if (!text.size) return text;
    return text.size <= LIMIT_CHANNEL_BYTES && is_known(e, KNOWN_CHANNELS, text) ? text : STR("other");
}

/* Known as TOTAL.BY: a total's name has no dot. */
str known_total(struct relance_engine *e, str total, str by)
{
    str name = {0};
    struct arena_mark before = arena_mark(&e->scratch);
    if (by.size <= LIMIT_TOTAL_BYTES)
        name = arena_format(&e->scratch, "%.*s.%.*s", STR_ARG(total), STR_ARG(by));
    bool known = name.size && is_known(e, KNOWN_TOTALS, name);
    arena_rewind(&e->scratch, before);
    return known ? by : STR("other");
}

/* ---- saved */

void known_take(struct relance_engine *e, str packed)
{
    struct unpack in = unpack_of(packed);
    for (size_t kinds = packed.size ? unpack_map(&in) : 0; kinds > 0 && !in.bad; kinds--) {
        str letter = unpack_str(&in);
        enum known_name kind = 0;
        while (kind < KNOWN_KINDS && !str_equal(letter, (str){&known_kinds[kind].letter, 1}))
            kind++;
        for (size_t count = unpack_array(&in); count > 0 && !in.bad; count--) {
            str name = unpack_str(&in);
            if (!in.bad && kind < KNOWN_KINDS) is_known(e, kind, name);
        }
    }
}

void known_free(struct relance_engine *e)
{
    buffer_free(&e->known.packed);
}

static void known_pack(struct known_names *known)
{
    size_t kinds = 0;
    known->packed.size = 0;
    for (enum known_name kind = 0; kind < KNOWN_KINDS; kind++)
        kinds += known->names[kind].count != 0;
    if (!kinds) return;
    pack_map(&known->packed, kinds);
    for (enum known_name kind = 0; kind < KNOWN_KINDS; kind++) {
        const struct names *names = &known->names[kind];
        if (!names->count) continue;
        pack_str(&known->packed, (str){&known_kinds[kind].letter, 1});
        pack_array(&known->packed, names->count);
        for (uint32_t i = 0; i < names->count; i++)
            pack_str(&known->packed, names->list[i]);
    }
}

struct relance_str relance_engine_names(struct relance_engine *e)
{
    if (!e->known.is_packed) known_pack(&e->known);
    e->known.is_packed = !e->known.packed.failed;
    return buffer_str(&e->known.packed);
}
