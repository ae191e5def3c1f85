#include "rule/compile/gather.h"

#include "base/buffer.h"
#include "base/names.h"
#include "base/nearest.h"

#include <stdio.h>

static void error_in(struct diagnostics *diag, const struct source *source, size_t begin, size_t end,
                     str hint, const char *format, va_list arguments)
{
    char message[1024];
    vsnprintf(message, sizeof message, format, arguments);
    diag_add(diag, SEVERITY_ERROR, (struct origin){.source = source}, begin, end, hint, "%s", message);
}

void gather_error(struct diagnostics *diag, const struct source *source, const struct json *node, str hint,
                  const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_in(diag, source, node->begin, node->end, hint, format, arguments);
    va_end(arguments);
}

void gather_error_at_key(struct diagnostics *diag, const struct source *source, const struct json *member,
                         str hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error_in(diag, source, member->key_begin, member->key_end, hint, format, arguments);
    va_end(arguments);
}

const struct declared *section_find(const struct section *section, str name)
{
    for (size_t i = 0; i < section->count; i++)
        if (str_equal(section->items[i].name, name)) return &section->items[i];
    return NULL;
}

str section_hint(const struct section *section, str name, struct diagnostics *diag)
{
    struct nearest nearest = nearest_to(name);
    for (size_t i = 0; i < section->count; i++)
        nearest_offer(&nearest, section->items[i].name);
    return nearest_hint(&nearest, diag->arena);
}

struct gathering {
    struct arena *arena;
    struct gathered *out;
    struct diagnostics *diag;
};

static size_t line_of(const struct source *source, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at && i < source->text.size; i++)
        line += source->text.data[i] == '\n';
    return line;
}

/* By value: the order of members says nothing. */
static bool same_json(const struct json *a, const struct json *b)
{
    if (!b || a->kind != b->kind) return false;
    switch (a->kind) {
    case JSON_NULL: return true;
    case JSON_BOOL: return a->boolean == b->boolean;
    case JSON_NUMBER: return a->number == b->number;
    case JSON_STRING: return str_equal(a->text, b->text);
    case JSON_ARRAY:
        if (a->count != b->count) return false;
        for (const struct json *x = a->child, *y = b->child; x; x = x->next, y = y->next)
            if (!same_json(x, y)) return false;
        return true;
    case JSON_OBJECT:
        if (a->count != b->count) return false;
        for (const struct json *x = a->child; x; x = x->next) {
            const struct json *y = b->child;
            while (y && !str_equal(x->key, y->key))
                y = y->next;
            if (!same_json(x, y)) return false;
        }
        return true;
    }
    return false;
}

static void refuse_second(struct gathering *g, const struct source *source, const struct json *member,
                          const struct declared *first, const char *what)
{
    size_t line = line_of(first->source, first->value->key_begin);
    gather_error_at_key(g->diag, source, member, (str){0}, "%s '%.*s' is declared differently at %.*s:%zu",
                        what, STR_ARG(member->key), STR_ARG(first->source->name), line);
}

static void refuse_rule(struct gathering *g, const struct source *source, const struct json *member,
                        const struct declared *first)
{
    gather_error_at_key(g->diag, source, member, STR("rule names are unique in the set: choose another name"),
                        "rule '%.*s' exists already at %.*s:%zu", STR_ARG(member->key),
                        STR_ARG(first->source->name), line_of(first->source, first->value->key_begin));
}

/* Under a name of its own, so that its own mistakes are found, too. */
static void gather_again(struct gathering *g, const struct source *source, const struct json *member,
                         struct section *section, struct names *names)
{
    str name = arena_format(g->arena, "%.*s of %.*s", STR_ARG(member->key), STR_ARG(source->name));
    if (!name.size) g->diag->failed = true;
    if (!name.size || names_find(names, name) != NAME_NONE) return;
    names_add(names, name);
    section->items[section->count++] = (struct declared){source, name, member};
}

/* The sections of a file: where their members go. */
static const struct section_row {
    const char *keyword, *what;
    size_t section; /* offset in struct gathered */
} section_rows[] = {
    {"types", "record", offsetof(struct gathered, types)},
    {"events", "event", offsetof(struct gathered, events)},
    {"customer", "attribute", offsetof(struct gathered, customer)},
    {"counts", "count", offsetof(struct gathered, counts)},
    {"segments", "segment", offsetof(struct gathered, segments)},
    {"rules", "rule", offsetof(struct gathered, rules)},
};

enum { SECTION_ROWS = sizeof section_rows / sizeof *section_rows };

static struct section *section_of(struct gathered *out, const struct section_row *row)
{
    return (struct section *)((char *)out + row->section);
}

static void gather_member(struct gathering *g, const struct source *source, const struct json *member,
                          const struct section_row *row, struct names *names)
{
    struct section *section = section_of(g->out, row);
    uint32_t known = names_find(names, member->key);
    if (known == NAME_NONE) {
        names_add(names, member->key);
        section->items[section->count++] = (struct declared){source, member->key, member};
        return;
    }
    const struct declared *first = &section->items[known];
    if (first->source == source) return; /* a duplicate key: the JSON reader has said so */
    if (section == &g->out->rules) {
        refuse_rule(g, source, member, first);
        gather_again(g, source, member, section, names);
    } else if (!same_json(first->value, member))
        refuse_second(g, source, member, first, row->what);
}

static void gather_single(struct gathering *g, const struct source *source, const struct json *value,
                          const char *name, const struct json **out, const struct source **out_source)
{
    if (!value) return;
    if (*out && !same_json(*out, value))
        gather_error(g->diag, source, value, (str){0}, "'%s' is declared differently at %.*s:%zu", name,
                     STR_ARG((*out_source)->name), line_of(*out_source, (*out)->begin));
    if (*out) return;
    *out = value;
    *out_source = source;
}

static void gather_section(struct gathering *g, const struct source *sources, const struct json *const *roots,
                           size_t count, const struct section_row *row)
{
    size_t members = 0;
    for (size_t i = 0; i < count; i++) {
        const struct json *value = roots[i] ? keyword_get(roots[i], PLACE_SET, row->keyword) : NULL;
        members += value ? value->count : 0;
    }
    struct names names;
    struct section *section = section_of(g->out, row);
    section->items = ARENA_ARRAY(g->arena, struct declared, members + 1);
    if (!section->items || !names_init(&names, g->arena, members)) {
        g->diag->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct json *value = roots[i] ? keyword_get(roots[i], PLACE_SET, row->keyword) : NULL;
        for (const struct json *m = value ? value->child : NULL; m; m = m->next)
            gather_member(g, &sources[i], m, row, &names);
    }
}

/* Lists of all files, one behind the other: what has no names. */
static void gather_list(struct gathering *g, const struct source *sources, const struct json *const *roots,
                        size_t count, const char *keyword, struct section *section)
{
    size_t bound = 1;
    for (size_t i = 0; i < count; i++) {
        const struct json *list = roots[i] ? keyword_get(roots[i], PLACE_SET, keyword) : NULL;
        bound += list ? list->count : 0;
    }
    section->items = ARENA_ARRAY(g->arena, struct declared, bound);
    if (!section->items) {
        g->diag->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct json *list = roots[i] ? keyword_get(roots[i], PLACE_SET, keyword) : NULL;
        for (const struct json *item = list ? list->child : NULL; item; item = item->next)
            section->items[section->count++] = (struct declared){&sources[i], (str){0}, item};
    }
}

void gather_sources(struct arena *arena, const struct source *sources, size_t count, struct gathered *out,
                    struct diagnostics *diag)
{
    struct gathering g = {arena, out, diag};
    *out = (struct gathered){0};
    const struct json **roots = ARENA_ARRAY(arena, const struct json *, count + 1);
    if (!roots) {
        diag->failed = true;
        return;
    }
    const struct source *stale_source = NULL;
    for (size_t i = 0; i < count; i++) {
        roots[i] = json_parse(arena, &sources[i], diag);
        if (!roots[i]) continue;
        keyword_check(&sources[i], roots[i], PLACE_SET, "a rule file", diag);
        gather_single(&g, &sources[i], keyword_get(roots[i], PLACE_SET, "tz"), "tz", &out->tz,
                      &out->tz_source);
        gather_single(&g, &sources[i], keyword_get(roots[i], PLACE_SET, "stale"), "stale", &out->stale,
                      &stale_source);
    }
    for (size_t i = 0; i < SECTION_ROWS; i++)
        gather_section(&g, sources, roots, count, &section_rows[i]);
    gather_list(&g, sources, roots, count, "limits", &out->limits);
    gather_list(&g, sources, roots, count, "tests", &out->tests);
}
