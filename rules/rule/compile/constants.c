/* What a set says once, and nothing computes: its tables, its holidays, and whose a goal is. */
#include "rule/compile/compile.h"

#include "base/limits.h"
#include "json/number.h"

#include <math.h>

/* ---- tables: from JSON to a map that expressions name and nobody copies */

/* What the values of a table may be. Numbers are ints as long as all of them are. */
enum { VALUE_TEXT, VALUE_INT, VALUE_DOUBLE, VALUE_BOOL, VALUE_TEXTS, VALUE_NONE };
static const struct {
    enum cel_type_kind kind; /* CEL_TYPE_LIST: of strings */
    const char *many;        /* as messages say it */
} value_forms[] = {
    [VALUE_TEXT] = {CEL_TYPE_STRING, "texts"},         [VALUE_INT] = {CEL_TYPE_INT, "numbers"},
    [VALUE_DOUBLE] = {CEL_TYPE_DOUBLE, "numbers"},     [VALUE_BOOL] = {CEL_TYPE_BOOL, "bools"},
    [VALUE_TEXTS] = {CEL_TYPE_LIST, "lists of texts"}, [VALUE_NONE] = {CEL_TYPE_STRING, "nothing"}};

static bool read_int(const struct json *node, int64_t *value)
{
    struct json_number number;
    return !memchr(node->text.data, '.', node->text.size) && json_number_read(node->text, &number) &&
           json_number_int(&number, value);
}

static unsigned value_form(const struct json *node)
{
    int64_t whole;
    switch (node->kind) {
    case JSON_STRING: return VALUE_TEXT;
    case JSON_NUMBER:
        return read_int(node, &whole) ? VALUE_INT : isfinite(node->number) ? VALUE_DOUBLE : VALUE_NONE;
    case JSON_BOOL: return VALUE_BOOL;
    case JSON_ARRAY: return keyword_is_texts(node) ? VALUE_TEXTS : VALUE_NONE;
    default: return VALUE_NONE;
    }
}

/* The form that all of them have. */
static unsigned table_form(struct compiler *c, const struct declared *d)
{
    unsigned form = VALUE_NONE;
    for (const struct json *m = d->value->child; m; m = m->next) {
        unsigned found = value_form(m);
        bool numbers =
            (form == VALUE_INT || form == VALUE_DOUBLE) && (found == VALUE_INT || found == VALUE_DOUBLE);
        if (found == VALUE_NONE)
            gather_error(c->diag, d->source, m, (str){0},
                         "the values of a table are texts, numbers, bools or lists of texts");
        else if (form == VALUE_NONE || (numbers && found == VALUE_DOUBLE))
            form = found;
        else if (form != found && !numbers)
            gather_error(c->diag, d->source, m, (str){0},
                         "the values of a table have one type: those before this are %s",
                         value_forms[form].many);
    }
    return form;
}

static struct cel_value kept(struct cel_value value)
{
    value.spare = CEL_KEPT;
    return value;
}

static struct cel_value texts_value(struct compiler *c, const struct json *node)
{
    struct cel_list *list = arena_alloc(c->keep, sizeof *list + node->count * sizeof *list->items);
    if (!list) {
        c->diag->failed = true;
        return (struct cel_value){0};
    }
    list->count = 0;
    for (const struct json *text = node->child; text; text = text->next)
        list->items[list->count++] = kept(cel_string(text->text));
    return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}

static struct cel_value table_value(struct compiler *c, const struct json *node, unsigned form)
{
    int64_t whole = 0;
    switch (form) {
    case VALUE_INT: return read_int(node, &whole), cel_int(whole);
    case VALUE_DOUBLE: return cel_double(node->number);
    case VALUE_BOOL: return cel_bool(node->boolean);
    case VALUE_TEXTS: return texts_value(c, node);
    default: return cel_string(node->text);
    }
}

static bool declare_table(struct compiler *c, const struct declared *d, struct constants *out)
{
    declare_check_name(c, d->source, d->value, "a table");
    if (d->value->kind != JSON_OBJECT) {
        gather_error(c->diag, d->source, d->value, (str){0},
                     "a table is an object of texts and what they stand for");
        return true;
    }
    unsigned form = table_form(c, d);
    struct cel_map *map = cel_map_new(c->keep, d->value->count);
    if (!map) return false;
    for (const struct json *m = d->value->child; m; m = m->next)
        map->entries[map->count++] =
            (struct cel_entry){kept(cel_string(m->key)), kept(table_value(c, m, form))};
    const struct cel_type *type =
        &cel_types[value_forms[form].kind != CEL_TYPE_LIST ? value_forms[form].kind : CEL_TYPE_STRING];
    if (form == VALUE_TEXTS) type = cel_list_of(c->keep, type);
    *out = (struct constants){.name = arena_format(c->keep, "tables.%.*s", STR_ARG(d->name)),
                              .type = type ? cel_map_of(c->keep, &cel_types[CEL_TYPE_STRING], type) : NULL,
                              .map = kept((struct cel_value){.kind = CEL_MAP, .as.map = map})};
    return out->name.size && out->type && cel_map_finish(c->keep, map);
}

void declare_tables(struct compiler *c)
{
    const struct section *tables = &c->files.tables;
    c->set->tables = ARENA_ARRAY(c->keep, struct constants, tables->count + 1);
    c->scopes.tables_named = ARENA_ARRAY(c->scratch, bool, tables->count + 1);
    if (!c->set->tables || !c->scopes.tables_named) c->diag->failed = true;
    for (size_t i = 0; i < tables->count && !c->diag->failed; i++) {
        struct constants *table = &c->set->tables[c->set->table_count];
        if (!declare_table(c, &tables->items[i], table)) c->diag->failed = true;
        if (table->name.size) c->set->table_count++;
    }
}

/* ---- holidays and credit */

void compile_holidays(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    const struct source *source = c->files.holidays.source;
    const struct json *node = c->files.holidays.node;
    if (!node) return;
    if (node->count > LIMIT_HOLIDAYS) {
        gather_error(c->diag, source, node, (str){0}, "a rule set has at most %u holidays", LIMIT_HOLIDAYS);
        return;
    }
    struct calendar_day *days = ARENA_ARRAY(c->keep, struct calendar_day, node->count + 1);
    if (!days) {
        c->diag->failed = true;
        return;
    }
    set->holidays = days;
    for (const struct json *day = node->child; day; day = day->next)
        if (day->kind == JSON_STRING && calendar_day_parse(day->text, &days[set->holiday_count]))
            set->holiday_count++;
        else
            gather_error(c->diag, source, day, (str){0},
                         "a holiday is an existing day, such as \"2026-12-24\", or \"12-24\" in every year");
}

void compile_credit(struct compiler *c)
{
    const struct json *node = c->files.credit.node;
    if (!node) return;
    c->set->credit_last = str_equal(node->text, STR("last"));
    if (!c->set->credit_last && !str_equal(node->text, STR("each")))
        gather_error(c->diag, c->files.credit.source, node, (str){0}, "'credit' is \"each\" or \"last\"");
}
