#include "rule/run/since.h"

#include "base/buffer.h"
#include "state/pack.h"

#include <stddef.h>

/* Every kind of declaration that a state speaks of by name. */
static const struct since_kind {
    char letter;
    size_t names; /* in struct state_names */
    size_t marks; /* in struct state_since */
} since_kinds[] = {
#define SINCE_KIND(letter, kind)                                                                             \
    {                                                                                                        \
        letter, offsetof(struct state_names, kind), offsetof(struct state_since, kind)                       \
    }
    SINCE_KIND('a', attributes), SINCE_KIND('l', types),  SINCE_KIND('c', counts), SINCE_KIND('r', rules),
    SINCE_KIND('g', segments),   SINCE_KIND('h', limits), SINCE_KIND('o', sales),  SINCE_KIND('L', lists),
#undef SINCE_KIND
};
enum { SINCE_KINDS = sizeof since_kinds / sizeof *since_kinds };

static const struct names *since_names(const struct relance_ruleset *set, const struct since_kind *kind)
{
    return (const struct names *)(const void *)((const char *)&set->names + kind->names);
}

static int64_t **since_marks(const struct state_since *since, const struct since_kind *kind)
{
    return (int64_t **)(void *)((char *)(uintptr_t)since + kind->marks);
}

/* Does a state keep anything for it? Of an event type only where `last` is read. */
static bool since_is_kept(const struct relance_ruleset *set, const struct since_kind *kind, uint32_t number)
{
    return kind->letter != 'l' || set->types[number].remembered;
}

/* The form of a count as one sign: 0 is `A`, and `!` stands behind `~`. */
enum { SIGN_FIRST = '!', SIGNS = '~' - SIGN_FIRST + 1, SIGN_OF_0 = 'A' - SIGN_FIRST };

static char sign_of_form(uint8_t form)
{
    return (char)(SIGN_FIRST + (SIGN_OF_0 + form) % SIGNS);
}

static uint8_t form_of_sign(char sign)
{
    return (uint8_t)((sign - SIGN_FIRST + SIGNS - SIGN_OF_0) % SIGNS);
}

/* What tells a declaration from another of the same name: the numbers of a count mean something else when its
 * form is another. */
static char since_form(const struct relance_ruleset *set, const struct since_kind *kind, uint32_t number)
{
    return kind->letter == 'c' ? sign_of_form(set->names.count_forms[number]) : '-';
}

/* Does a declaration of that form go on in what is declared now? */
static bool since_goes_on(const struct relance_ruleset *set, const struct since_kind *kind, uint32_t number,
                          char form)
{
    if (kind->letter != 'c') return form == '-';
    return state_form_split(form_of_sign(form), set->names.count_forms[number]) != 0;
}

static void since_take(const struct relance_ruleset *set, const struct state_since *since, str name,
                       int64_t mark)
{
    if (name.size < 2) return;
    for (size_t i = 0; i < SINCE_KINDS; i++) {
        const struct since_kind *kind = &since_kinds[i];
        if (kind->letter != name.data[0]) continue;
        uint32_t number = names_find(since_names(set, kind), (str){name.data + 2, name.size - 2});
        bool same = number != NAME_NONE && since_is_kept(set, kind, number) &&
                    since_goes_on(set, kind, number, name.data[1]);
        if (same) (*since_marks(since, kind))[number] = mark;
    }
}

static bool since_make_kind(const struct relance_ruleset *set, const struct since_kind *kind, int64_t mark,
                            struct arena *arena, struct state_since *out)
{
    uint32_t count = since_names(set, kind)->count;
    int64_t *marks = *since_marks(out, kind) = ARENA_ARRAY(arena, int64_t, count + 1);
    for (uint32_t i = 0; marks && i < count; i++)
        marks[i] = since_is_kept(set, kind, i) ? mark : INT64_MAX;
    return marks;
}

bool since_make(const struct relance_ruleset *set, str before, int64_t mark, struct arena *arena,
                struct state_since *out)
{
    for (size_t i = 0; i < SINCE_KINDS; i++)
        if (!since_make_kind(set, &since_kinds[i], mark, arena, out)) return false;
    struct unpack in = unpack_of(before);
    for (size_t n = before.size ? unpack_map(&in) : 0; n > 0 && !in.bad; n--) {
        str name = unpack_str(&in);
        since_take(set, out, name, unpack_int(&in));
    }
    return true;
}

static void since_pack_kind(const struct relance_ruleset *set, const struct since_kind *kind,
                            const struct state_since *since, struct buffer *out)
{
    const struct names *names = since_names(set, kind);
    for (uint32_t i = 0; i < names->count; i++) {
        if (!since_is_kept(set, kind, i)) continue;
        str key = arena_format(out->arena, "%c%c%.*s", kind->letter, since_form(set, kind, i),
                               STR_ARG(names->list[i]));
        if (!key.size) out->failed = true;
        pack_str(out, key);
        pack_int(out, (*since_marks(since, kind))[i]);
    }
}

void since_pack(const struct relance_ruleset *set, const struct state_since *since, struct buffer *out)
{
    size_t count = 0;
    for (size_t k = 0; k < SINCE_KINDS; k++)
        for (uint32_t i = 0; i < since_names(set, &since_kinds[k])->count; i++)
            count += since_is_kept(set, &since_kinds[k], i);
    pack_map(out, count);
    for (size_t k = 0; k < SINCE_KINDS; k++)
        since_pack_kind(set, &since_kinds[k], since, out);
}
