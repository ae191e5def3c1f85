/* Metrics, read and shown to people. A counter that no row of counter.def explains, from a newer engine, is shown as
 * it is.
 *
 * Small and rare: a few hundred names, read once a second at most; memory that cannot be had ends the
 * program. */
#include "report/figures.h"
#include "base/ensure.h"
#include "host/print.h"
#include "host/table.h"
#include "host/text.h"

#include <cjson/cJSON.h>
#include <relance/decision.h>
#include <stdlib.h>

static void *figures_must(void *memory)
{
    ensure(memory);
    return memory;
}

/* NULL: there is no such text. */
static char *figures_copy(struct relance_str text)
{
    if (!text.data) return NULL;
    return figures_must(strndup(text.data, text.size));
}

/* ---- reading */

static void figures_add(void *context, struct relance_str name, double value)
{
    struct figures *figures = context;
    for (size_t i = 0; i < figures->count; i++) {
        if (!str_equal(str_of(figures->items[i].name), name)) continue;
        figures->items[i].value += value;
        return;
    }
    figures->items = figures_must(realloc(figures->items, (figures->count + 1) * sizeof *figures->items));
    struct figure *figure = &figures->items[figures->count++];
    struct metric_parts parts = metric_take_apart(name);
    *figure = (struct figure){.name = figures_copy(name), .row = parts.row, .value = value};
    figure->first = figures_copy(parts.first);
    figure->outcome = figures_copy(parts.outcome);
    figure->variant = figures_copy(parts.variant);
}

static void figures_add_live(void *context, struct relance_str instance, struct relance_str field,
                             struct relance_str value)
{
    struct figures *figures = context;
    figures->lives =
        figures_must(realloc(figures->lives, (figures->live_count + 1) * sizeof *figures->lives));
    figures->lives[figures->live_count++] =
        (struct figure_live){figures_copy(instance), figures_copy(field), figures_copy(value)};
}

static int figure_order(const void *a, const void *b)
{
    const struct figure *x = a, *y = b;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    return strcmp(x->name, y->name);
}

enum relance_status figures_read(struct redis_view *view, struct figures *out, struct relance_error *error)
{
    struct figures figures = {0};
    enum relance_status status = redis_view_counters(view, figures_add, &figures, error);
    if (status == RELANCE_OK) status = redis_view_lives(view, figures_add_live, &figures, error);
    if (status != RELANCE_OK) {
        figures_free(&figures);
        return status;
    }
    if (figures.count) qsort(figures.items, figures.count, sizeof *figures.items, figure_order);
    *out = figures;
    return RELANCE_OK;
}

void figures_free(struct figures *figures)
{
    for (size_t i = 0; i < figures->count; i++) {
        free(figures->items[i].name);
        free(figures->items[i].first);
        free(figures->items[i].outcome);
        free(figures->items[i].variant);
    }
    for (size_t i = 0; i < figures->live_count; i++) {
        free(figures->lives[i].instance);
        free(figures->lives[i].field);
        free(figures->lives[i].value);
    }
    free(figures->items);
    free(figures->lives);
    *figures = (struct figures){0};
}

const struct figure *figures_find(const struct figures *figures, const char *name)
{
    for (size_t i = 0; i < figures->count; i++)
        if (strcmp(figures->items[i].name, name) == 0) return &figures->items[i];
    return NULL;
}

/* ---- for people */

/* Whole numbers without a point. */
static const char *number_text(double value, char out[32])
{
    snprintf(out, 32, value == (double)(long long)value ? "%.0f" : "%.2f", value);
    return out;
}

static void print_counters(const struct figures *figures, const struct figures *before, double seconds,
                           FILE *out)
{
    static const struct table_column columns[] = {
        {"counter", TABLE_LEFT}, {"value", TABLE_RIGHT}, {"per second", TABLE_RIGHT}};
    char text[32];
    struct table *table = table_new(columns, before ? 3 : 2);
    for (size_t i = 0; i < figures->count; i++) {
        const struct figure *figure = &figures->items[i];
        if (figure->outcome) continue; /* these have a table of their own */
        table_put(table, "%s", figure->name);
        table_put(table, "%s", number_text(figure->value, text));
        if (!before) continue;
        const struct figure *old = figures_find(before, figure->name);
        table_put(table, "%.1f", (figure->value - (old ? old->value : 0)) / seconds);
    }
    table_print(table, out);
    table_free(table);
}

/* Is there a counter of this outcome, for this rule (NULL: for any)? Its value, over all variants. */
static bool rule_outcome(const struct figures *figures, const char *rule, const char *outcome, double *value)
{
    bool found = false;
    double plain = 0, variants = 0;
    for (size_t i = 0; i < figures->count; i++) {
        const struct figure *figure = &figures->items[i];
        if (!figure->outcome || strcmp(figure->outcome, outcome) != 0) continue;
        if (rule && strcmp(figure->first, rule) != 0) continue;
        found = true;
        *(figure->variant ? &variants : &plain) += figure->value;
    }
    *value = plain > 0 ? plain : variants; /* the plain one, where there is one, is their sum */
    return found;
}

static bool rule_is_first(const struct figures *figures, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (figures->items[i].outcome && strcmp(figures->items[i].first, figures->items[at].first) == 0)
            return false;
    return true;
}

/* A row for each rule, a column for each outcome that occurred. */
static void print_rules(const struct figures *figures, FILE *out)
{
    struct table_column columns[1 + RELANCE_OUTCOME_COUNT] = {{"rule", TABLE_LEFT}};
    const char *outcome;
    char text[32];
    size_t count = 1;
    double value;
    for (size_t i = 0; (outcome = metric_outcome(i)); i++)
        if (rule_outcome(figures, NULL, outcome, &value))
            columns[count++] = (struct table_column){outcome, TABLE_RIGHT};
    if (count == 1) return;
    struct table *table = table_new(columns, count);
    for (size_t i = 0; i < figures->count; i++) {
        const char *rule = figures->items[i].outcome ? figures->items[i].first : NULL;
        if (!rule || !rule_is_first(figures, i)) continue;
        table_put(table, "%s", *rule ? rule : "(no rule)"); /* errors of attributes, counts and segments */
        for (size_t c = 1; c < count; c++) {
            bool found = rule_outcome(figures, rule, columns[c].head, &value);
            table_put(table, "%s", found ? number_text(value, text) : "");
        }
    }
    fputc('\n', out);
    table_print(table, out);
    table_free(table);
}

static void print_lives(const struct figures *figures, FILE *out)
{
    static const struct table_column columns[] = {
        {"instance", TABLE_LEFT}, {"live", TABLE_LEFT}, {"value", TABLE_RIGHT}};
    if (!figures->live_count) return;
    struct table *table = table_new(columns, 3);
    for (size_t i = 0; i < figures->live_count; i++) {
        const struct figure_live *live = &figures->lives[i];
        table_put(table, "%s", live->instance);
        table_put(table, "%s", live->field);
        table_put(table, "%s", live->value);
    }
    fputc('\n', out);
    table_print(table, out);
    table_free(table);
}

void figures_print_table(const struct figures *figures, const struct figures *before, double seconds,
                         FILE *out)
{
    print_counters(figures, before, seconds, out);
    print_rules(figures, out);
    print_lives(figures, out);
}

/* ---- JSON */

/* Numbers as numbers, everything else as text. */
static cJSON *live_value(const char *text)
{
    double number;
    return text_number(str_of(text), &number) ? cJSON_CreateNumber(number) : cJSON_CreateString(text);
}

static void json_add_lives(cJSON *root, const struct figures *figures)
{
    cJSON *lives = cJSON_AddObjectToObject(root, "live");
    for (size_t i = 0; i < figures->live_count; i++) {
        const struct figure_live *live = &figures->lives[i];
        cJSON *instance = cJSON_GetObjectItemCaseSensitive(lives, live->instance);
        if (!instance) instance = cJSON_AddObjectToObject(lives, live->instance);
        cJSON_AddItemToObject(instance, live->field, live_value(live->value));
    }
}

bool figures_print_json(const struct figures *figures, const char *group, const char *topic, FILE *out)
{
    cJSON *root = figures_must(cJSON_CreateObject());
    cJSON_AddStringToObject(root, "group", group);
    cJSON_AddStringToObject(root, "topic", topic);
    cJSON *counters = cJSON_AddObjectToObject(root, "counters");
    for (size_t i = 0; i < figures->count; i++)
        cJSON_AddNumberToObject(counters, figures->items[i].name, figures->items[i].value);
    json_add_lives(root, figures);
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    if (!text) return false;
    print_lines(str_of(text), out);
    fputc('\n', out);
    cJSON_free(text);
    return true;
}
