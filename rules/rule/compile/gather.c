#include "rule/compile/gather.h"

#include "base/buffer.h"
#include "base/limits.h"
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
    uint32_t number = section->names.table ? names_find(&section->names, name) : NAME_NONE;
    return number < section->count ? &section->items[number] : NULL;
}

str section_hint(const struct section *section, str name, struct diagnostics *diag)
{
    struct nearest nearest = nearest_to(name);
    for (size_t i = 0; i < section->count && !diag_is_full(diag); i++)
        nearest_offer(&nearest, section->items[i].name);
    return nearest_hint(&nearest, diag->arena);
}

str gather_place(struct gathered *files, const struct source *source, const struct json *member,
                 struct diagnostics *diag)
{
    size_t line, column;
    if (diag_is_full(diag)) return (str){0};
    if (!files->lines) files->lines = ARENA_ARRAY(files->arena, struct source_index, files->source_count);
    struct source_index *index = files->lines ? &files->lines[source->order] : NULL;
    if (!index || (!index->source && !source_index_make(index, files->arena, source))) {
        diag->failed = true;
        return (str){0};
    }
    source_index_place(index, member->key_begin, &line, &column);
    return arena_format(diag->arena, "%.*s:%zu", STR_ARG(source->name), line);
}

struct gathering {
    struct arena *arena;
    struct gathered *out;
    struct diagnostics *diag;
};

static str place_of(struct gathering *g, const struct declared *d)
{
    return gather_place(g->out, d->source, d->value, g->diag);
}

static bool same_json(struct gathering *g, const struct json *a, const struct json *b);

static bool same_list(struct gathering *g, const struct json *a, const struct json *b)
{
    for (const struct json *x = a->child, *y = b->child; x; x = x->next, y = y->next)
        if (!same_json(g, x, y)) return false;
    return true;
}

/* Members of the same keys, in whatever order. */
static bool same_object(struct gathering *g, const struct json *a, const struct json *b)
{
    struct names keys;
    const struct json **members = ARENA_ARRAY(g->arena, const struct json *, b->count + 1);
    if (!members || !names_init(&keys, g->arena, b->count)) {
        g->diag->failed = true;
        return true;
    }
    for (const struct json *y = b->child; y; y = y->next)
        members[names_add(&keys, y->key)] = y;
    for (const struct json *x = a->child; x; x = x->next) {
        uint32_t number = names_find(&keys, x->key);
        if (number == NAME_NONE || !same_json(g, x, members[number])) return false;
    }
    return true;
}

/* By value. */
static bool same_json(struct gathering *g, const struct json *a, const struct json *b)
{
    if (a->kind != b->kind) return false;
    switch (a->kind) {
    case JSON_NULL: return true;
    case JSON_BOOL: return a->boolean == b->boolean;
    case JSON_NUMBER: return a->number == b->number;
    case JSON_STRING: return str_equal(a->text, b->text);
    case JSON_ARRAY: return a->count == b->count && same_list(g, a, b);
    case JSON_OBJECT: return a->count == b->count && same_object(g, a, b);
    }
    return false;
}

static void refuse_second(struct gathering *g, const struct source *source, const struct json *member,
                          const struct declared *first, const char *what)
{
    gather_error_at_key(g->diag, source, member, (str){0}, "%s '%.*s' is declared differently at %.*s", what,
                        STR_ARG(member->key), STR_ARG(place_of(g, first)));
}

static void refuse_rule(struct gathering *g, const struct source *source, const struct json *member,
                        const struct declared *first)
{
    gather_error_at_key(g->diag, source, member, STR("rule names are unique in the set: choose another name"),
                        "rule '%.*s' already exists at %.*s", STR_ARG(member->key),
                        STR_ARG(place_of(g, first)));
}

/* Under a name of its own, so that its own mistakes are found, too. */
static void gather_again(struct gathering *g, const struct source *source, const struct json *member,
                         struct section *section)
{
    str name = arena_format(g->arena, "%.*s of %.*s", STR_ARG(member->key), STR_ARG(source->name));
    if (!name.size) g->diag->failed = true;
    if (!name.size || names_find(&section->names, name) != NAME_NONE) return;
    names_add(&section->names, name);
    section->items[section->count++] = (struct declared){.source = source, .name = name, .value = member};
}

/* The sections of a file: where their members go. */
static const struct section_row {
    const char *keyword, *what;
    size_t section; /* offset in struct gathered */
    size_t most;    /* members, in all files together */
    /* Puts together what several files say of one name; NULL: that must be the same. */
    void (*unite)(struct gathered *files, struct section *section, const char *what,
                  struct diagnostics *diag);
} section_rows[] = {
    {"types", "record", offsetof(struct gathered, types), LIMIT_RECORDS, unite_fields},
    {"events", "event", offsetof(struct gathered, events), LIMIT_EVENT_TYPES, unite_fields},
    {"customer", "attribute", offsetof(struct gathered, customer), LIMIT_FIELDS, unite_attributes},
    {"counts", "count", offsetof(struct gathered, counts), LIMIT_COUNTS, NULL},
    {"lists", "list", offsetof(struct gathered, lists), LIMIT_LISTS, NULL},
    {"affinities", "affinity", offsetof(struct gathered, affinities), LIMIT_AFFINITIES, NULL},
    {"segments", "segment", offsetof(struct gathered, segments), LIMIT_SEGMENTS, NULL},
    {"totals", "total", offsetof(struct gathered, totals), LIMIT_TOTALS, NULL},
    {"let", "let", offsetof(struct gathered, lets), LIMIT_LETS, NULL},
    {"tables", "table", offsetof(struct gathered, tables), LIMIT_TABLES, NULL},
    {"rules", "rule", offsetof(struct gathered, rules), LIMIT_RULES, NULL},
};

enum { SECTION_ROWS = sizeof section_rows / sizeof *section_rows };

static struct section *section_of(struct gathered *out, const struct section_row *row)
{
    return (struct section *)((char *)out + row->section);
}

/* One more that says something of the name: the newest first, as long as there may be more to come. */
static void gather_more(struct gathering *g, const struct source *source, const struct json *member,
                        struct declared *first)
{
    struct declared *more = ARENA_NEW(g->arena, struct declared);
    if (!more) {
        g->diag->failed = true;
        return;
    }
    *more = (struct declared){.source = source, .name = member->key, .value = member, .more = first->more};
    first->more = more;
}

static void gather_member(struct gathering *g, const struct source *source, const struct json *member,
                          const struct section_row *row)
{
    struct section *section = section_of(g->out, row);
    uint32_t known = names_find(&section->names, member->key);
    if (known == NAME_NONE) {
        names_add(&section->names, member->key);
        section->items[section->count++] =
            (struct declared){.source = source, .name = member->key, .value = member};
        return;
    }
    struct declared *first = &section->items[known];
    if (first->source == source || (first->more && first->more->source == source))
        return; /* a duplicate key: the JSON reader has said so */
    if (row->unite) {
        gather_more(g, source, member, first);
    } else if (section == &g->out->rules) {
        refuse_rule(g, source, member, first);
        gather_again(g, source, member, section);
    } else if (!same_json(g, first->value, member))
        refuse_second(g, source, member, first, row->what);
}

/* What stands once in a set: where it is put. */
static const struct single_row {
    const char *keyword;
    size_t single; /* offset in struct gathered */
} single_rows[] = {
    {"tz", offsetof(struct gathered, tz)},
    {"stale", offsetof(struct gathered, stale)},
    {"holidays", offsetof(struct gathered, holidays)},
    {"credit", offsetof(struct gathered, credit)},
    {"sales", offsetof(struct gathered, sales)},
};

static void gather_single(struct gathering *g, const struct source *source, const struct json *root,
                          const struct single_row *row)
{
    struct single *single = (struct single *)((char *)g->out + row->single);
    const struct json *node = keyword_get(root, PLACE_SET, row->keyword);
    if (!node) return;
    bool may_repeat = single == &g->out->sales;
    if (!single->node)
        *single = (struct single){source, node};
    else if (may_repeat && !same_json(g, single->node, node))
        gather_error_at_key(g->diag, source, node, (str){0}, "'%s' is declared differently at %.*s",
                            row->keyword,
                            STR_ARG(gather_place(g->out, single->source, single->node, g->diag)));
    else if (!may_repeat && single->source != source) /* else a duplicate key: the JSON reader has said so */
        gather_error_at_key(g->diag, source, node, (str){0},
                            "'%s' can be given only once in a set: it is already given at %.*s", row->keyword,
                            STR_ARG(gather_place(g->out, single->source, single->node, g->diag)));
}

/* Says where there is one too many, and goes on with as many as there may be. */
static void gather_bounded(struct gathering *g, struct section *section, const char *what, size_t most)
{
    if (section->count <= most) return;
    const struct declared *first = &section->items[most];
    size_t stem = strlen(what) - (what[strlen(what) - 1] == 'y');
    gather_error(g->diag, first->source, first->value, (str){0}, "a rule set has at most %zu %.*s%s", most,
                 (int)stem, what, what[stem] ? "ies" : "s");
    section->count = most;
}

static void gather_section(struct gathering *g, const struct source *sources, const struct json *const *roots,
                           size_t count, const struct section_row *row)
{
    size_t members = 0;
    for (size_t i = 0; i < count; i++) {
        const struct json *value = roots[i] ? keyword_get(roots[i], PLACE_SET, row->keyword) : NULL;
        members += value ? value->count : 0;
    }
    struct section *section = section_of(g->out, row);
    section->items = ARENA_ARRAY(g->arena, struct declared, members + 1);
    if (!section->items || !names_init(&section->names, g->arena, members)) {
        g->diag->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct json *value = roots[i] ? keyword_get(roots[i], PLACE_SET, row->keyword) : NULL;
        for (const struct json *m = value ? value->child : NULL; m; m = m->next)
            gather_member(g, &sources[i], m, row);
    }
    if (row->unite) row->unite(g->out, section, row->what, g->diag);
    gather_bounded(g, section, row->what, row->most);
}

/* Lists of all files, one behind the other: what has no names. */
static void gather_list(struct gathering *g, const struct source *sources, const struct json *const *roots,
                        size_t count, const char *keyword, struct section *section, const char *what,
                        size_t most)
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
            section->items[section->count++] = (struct declared){.source = &sources[i], .value = item};
    }
    gather_bounded(g, section, what, most);
}

static size_t values_in(const struct json *node)
{
    size_t count = 1;
    for (const struct json *child = node->child; child; child = child->next)
        count += values_in(child);
    return count;
}

/* Reads a file; NULL where it is none, or behind one with which the set has too many values. */
static const struct json *read_source(struct gathering *g, const struct source *source, size_t *values)
{
    const struct json *root =
        *values <= LIMIT_RULE_JSON_VALUES ? json_parse(g->arena, source, g->diag) : NULL;
    if (!root) return NULL;
    *values += values_in(root);
    if (*values > LIMIT_RULE_JSON_VALUES)
        diag_add(g->diag, SEVERITY_ERROR, (struct origin){.source = source}, 0, 0, (str){0},
                 "with this file the rule set has more than %d values", LIMIT_RULE_JSON_VALUES);
    return root;
}

void gather_sources(struct arena *arena, const struct source *sources, size_t count, struct gathered *out,
                    struct diagnostics *diag)
{
    struct gathering g = {.arena = arena, .out = out, .diag = diag};
    *out = (struct gathered){.arena = arena, .source_count = count};
    const struct json **roots = ARENA_ARRAY(arena, const struct json *, count + 1);
    if (!roots) {
        diag->failed = true;
        return;
    }
    size_t values = 0;
    for (size_t i = 0; i < count; i++) {
        roots[i] = read_source(&g, &sources[i], &values);
        if (!roots[i]) continue;
        keyword_check(&sources[i], roots[i], PLACE_SET, "a rule file", diag);
        for (size_t k = 0; k < sizeof single_rows / sizeof *single_rows; k++)
            gather_single(&g, &sources[i], roots[i], &single_rows[k]);
    }
    for (size_t i = 0; i < SECTION_ROWS; i++)
        gather_section(&g, sources, roots, count, &section_rows[i]);
    gather_list(&g, sources, roots, count, "limits", &out->limits, "limit", LIMIT_LIMITS);
    gather_list(&g, sources, roots, count, "tests", &out->tests, "test", LIMIT_TESTS);
}
