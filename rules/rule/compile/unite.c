/* Several files on one event type, record or customer: each names the fields that it needs, and the set has all of
 * them. A field has one type, wherever it is named. Where an attribute comes from stands in one file, and the
 * attribute there in the order in which attributes are taken; the others name its type. */
#include "rule/compile/gather.h"

#include "base/limits.h"

#include <stdlib.h>

struct uniting {
    struct gathered *files;
    struct diagnostics *diag;
    const char *what; /* "event": whose fields they are */
};

static bool same_type(str a, str b)
{
    size_t i = 0, j = 0;
    for (;; i++, j++) {
        while (i < a.size && a.data[i] == ' ')
            i++;
        while (j < b.size && b.data[j] == ' ')
            j++;
        if (i == a.size || j == b.size) return i == a.size && j == b.size;
        if (a.data[i] != b.data[j]) return false;
    }
}

/* What a field or an attribute has as its type; empty: a mistake, which is reported where types are read. */
static str type_text(const struct json *value)
{
    if (value->kind == JSON_OBJECT) value = json_member(value, "type");
    return value && value->kind == JSON_STRING ? value->text : (str){0};
}

/* "'total' of event 'purchase'", "attribute 'plan'": `of` is whose field it is; NULL: nobody's. */
static str field_text(struct uniting *u, const struct declared *field, const struct declared *of)
{
    str text = of ? arena_format(u->diag->arena, "'%.*s' of %s '%.*s'", STR_ARG(field->name), u->what,
                                 STR_ARG(of->name))
                  : arena_format(u->diag->arena, "%s '%.*s'", u->what, STR_ARG(field->name));
    if (!text.size) u->diag->failed = true;
    return text;
}

static void compare_types(struct uniting *u, const struct declared *first, const struct declared *other,
                          const struct declared *of)
{
    str wanted = type_text(first->value), found = type_text(other->value);
    if (!wanted.size || !found.size || same_type(wanted, found)) return;
    str place = gather_place(u->files, first->source, first->value, u->diag);
    str field = field_text(u, other, of);
    gather_error_at_key(u->diag, other->source, other->value, (str){0},
                        "%.*s is '%.*s' here, and '%.*s' at %.*s", STR_ARG(field), STR_ARG(found),
                        STR_ARG(wanted), STR_ARG(place));
}

/* What has come the newest first, in the order of the files. */
static struct declared *reversed(struct declared *list)
{
    struct declared *front = NULL, *next;
    for (; list; list = next) {
        next = list->more;
        list->more = front;
        front = list;
    }
    return front;
}

/* ---- fields */

static size_t members_of(const struct declared *d)
{
    size_t count = 0;
    for (; d; d = d->more)
        count += d->value->kind == JSON_OBJECT ? d->value->count : 0;
    return count;
}

static void unite_field(struct uniting *u, struct declared *into, struct names *names,
                        const struct declared *file, const struct json *member)
{
    struct declared field = {.source = file->source, .name = member->key, .value = member};
    uint32_t known = names_find(names, member->key);
    if (known == NAME_NONE) {
        names_add(names, member->key);
        into->fields[into->field_count++] = field;
        return;
    }
    if (into->fields[known].source == file->source) return; /* a duplicate key */
    compare_types(u, &into->fields[known], &field, into);
}

static void unite_fields_of(struct uniting *u, struct declared *d)
{
    struct names names;
    size_t bound = members_of(d);
    d->fields = ARENA_ARRAY(u->files->arena, struct declared, bound + 1);
    if (!d->fields || !names_init(&names, u->files->arena, bound)) {
        u->diag->failed = true;
        return;
    }
    for (const struct declared *file = d; file; file = file->more) {
        if (file->value->kind != JSON_OBJECT)
            gather_error(u->diag, file->source, file->value, (str){0},
                         "'%.*s' must be an object of fields and their types", STR_ARG(d->name));
        for (const struct json *m = file->value->kind == JSON_OBJECT ? file->value->child : NULL; m;
             m = m->next)
            unite_field(u, d, &names, file, m);
    }
    if (d->field_count <= LIMIT_FIELDS) return;
    gather_error_at_key(u->diag, d->source, d->value, (str){0}, "'%.*s' has %zu fields; at most %u are taken",
                        STR_ARG(d->name), d->field_count, LIMIT_FIELDS);
    d->field_count = 0;
}

void unite_fields(struct gathered *files, struct section *section, const char *what, struct diagnostics *diag)
{
    struct uniting u = {files, diag, what};
    for (size_t i = 0; i < section->count; i++) {
        section->items[i].more = reversed(section->items[i].more);
        unite_fields_of(&u, &section->items[i]);
    }
}

/* ---- attributes */

bool gather_has_source(const struct declared *attribute)
{
    const struct json *value = attribute->value;
    return json_member(value, "on") || json_member(value, "value") || json_member(value, "keep");
}

/* The one with the source becomes the first of them; a second one is a mistake. */
static void put_source_first(struct uniting *u, struct declared *first)
{
    for (struct declared *d = first->more; d; d = d->more) {
        if (!gather_has_source(d)) continue;
        if (gather_has_source(first)) {
            str place = gather_place(u->files, first->source, first->value, u->diag);
            gather_error_at_key(u->diag, d->source, d->value, STR("other files may name its type"),
                                "the source of attribute '%.*s' is already given at %.*s", STR_ARG(d->name),
                                STR_ARG(place));
            continue;
        }
        struct declared was = *first, *first_more = first->more, *d_more = d->more;
        *first = *d;
        *d = was;
        first->more = first_more;
        d->more = d_more;
    }
}

static int place_order(const void *a, const void *b)
{
    const struct declared *x = a, *y = b;
    if (x->source != y->source) return x->source->order < y->source->order ? -1 : 1;
    return (x->value->begin > y->value->begin) - (x->value->begin < y->value->begin);
}

void unite_attributes(struct gathered *files, struct section *section, const char *what,
                      struct diagnostics *diag)
{
    struct uniting u = {files, diag, what};
    for (size_t i = 0; i < section->count; i++) {
        struct declared *first = &section->items[i];
        first->more = reversed(first->more);
        for (const struct declared *d = first->more; d; d = d->more)
            compare_types(&u, first, d, NULL);
        put_source_first(&u, first);
    }
    qsort(section->items, section->count, sizeof *section->items, place_order);
    if (!names_init(&section->names, files->arena, section->count)) {
        diag->failed = true;
        return;
    }
    for (size_t i = 0; i < section->count; i++)
        names_add(&section->names, section->items[i].name);
}
