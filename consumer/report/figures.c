/* Metrics for people and for Prometheus. The counters' names say what they are (counter.def:
 * "rule.NAME.OUTCOME"), so reading a name backwards gives its row and its labels, and one table prints
 * everything. A name that no row explains, from a newer engine, is shown as it is.
 *
 * Small and rare: a few hundred names, read once a second at most; memory that cannot be had ends the
 * program. */
#include "report/figures.h"
#include "base/ensure.h"
#include "host/print.h"
#include "host/table.h"
#include "host/text.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <relance/decision.h>
#include <relance/forgot.h>
#include <stdlib.h>

static const struct figure_row {
    const char *form, *prose;
    bool family;
} rows[] = {
#define COUNTER(ENUM, name, prose)        {name, prose, false},
#define COUNTER_FAMILY(ENUM, form, prose) {form, prose, true},
#include "counter.def"
#undef COUNTER
#undef COUNTER_FAMILY
};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

static const char *const outcomes[] = {
#define FIGURE_OUTCOME(name, text, prose) text,
    RELANCE_OUTCOME_TABLE(FIGURE_OUTCOME)
#undef FIGURE_OUTCOME
};
enum { OUTCOME_COUNT = sizeof outcomes / sizeof *outcomes };

const struct figure_live_row figures_live_rows[] = {
#define FIGURE_SUM(field, name, prose) {name, prose},
#define FIGURE_TIMES(field, name, prose)                                                                     \
    {name "_p50_ms", prose ", the median."}, {name "_p99_ms", prose ", 99 of 100."},
#define FIGURE_KEPT(field)
#define FIGURE_MADE(field, name, prose) {name, prose},
#include "figure.def"
    {NULL, NULL},
};
enum { LIVE_ROW_COUNT = sizeof figures_live_rows / sizeof *figures_live_rows - 1 };

static void *figures_must(void *memory)
{
    ensure(memory);
    return memory;
}

static char *figures_copy(struct relance_str text)
{
    return figures_must(strndup(text.data, text.size));
}

/* ---- understanding names */

static bool word_is_placeholder(struct relance_str word)
{
    return word.size && isupper((unsigned char)word.data[0]);
}

static bool is_outcome(struct relance_str word)
{
    for (size_t i = 0; i < OUTCOME_COUNT; i++)
        if (str_equal(word, str_of(outcomes[i]))) return true;
    return false;
}

/* Splits at the last dot: "a.b.c" is "a.b" and "c". */
static bool split_last(struct relance_str text, struct relance_str *head, struct relance_str *tail)
{
    const char *dot = memrchr(text.data, '.', text.size);
    if (!dot) return false;
    *head = (struct relance_str){text.data, (size_t)(dot - text.data)};
    *tail = (struct relance_str){dot + 1, text.size - head->size - 1};
    return true;
}

/* What of a form or name comes before its first dot, and what after. */
static bool split_first(struct relance_str text, struct relance_str *head, struct relance_str *tail)
{
    const char *dot = memchr(text.data, '.', text.size);
    if (!dot) return false;
    *head = (struct relance_str){text.data, (size_t)(dot - text.data)};
    *tail = (struct relance_str){dot + 1, text.size - head->size - 1};
    return true;
}

/* Does the last word of a rule's form ("OUTCOME", "goal_value") allow this word? */
static bool last_word_fits(struct relance_str wanted, struct relance_str word)
{
    return word_is_placeholder(wanted) ? is_outcome(word) : str_equal(wanted, word);
}

/* "cart.v2.sent.a" by "NAME.OUTCOME": from the end, since names of rules may hold dots. */
static bool match_rule(struct figure *figure, struct relance_str wanted, struct relance_str rest)
{
    struct relance_str head, tail, variant = {0};
    if (!split_last(rest, &head, &tail)) return false;
    if (!last_word_fits(wanted, tail)) {
        variant = tail;
        if (!split_last(head, &head, &tail) || !last_word_fits(wanted, tail)) return false;
    }
    figure->first = figures_copy(head);
    if (word_is_placeholder(wanted)) figure->outcome = figures_copy(tail);
    if (variant.size) figure->variant = figures_copy(variant);
    return true;
}

static bool match_family(struct figure *figure, struct relance_str form, struct relance_str name)
{
    struct relance_str form_head, form_rest, head, rest, ignored, wanted;
    if (!split_first(form, &form_head, &form_rest) || !split_first(name, &head, &rest)) return false;
    if (!str_equal(form_head, head)) return false;
    if (split_last(form_rest, &ignored, &wanted)) return match_rule(figure, wanted, rest);
    figure->first = figures_copy(rest);
    return true;
}

static void figure_understand(struct figure *figure)
{
    struct relance_str name = str_of(figure->name);
    figure->row = FIGURES_NO_ROW;
    for (size_t i = 0; i < ROW_COUNT && figure->row == FIGURES_NO_ROW; i++) {
        struct relance_str form = str_of(rows[i].form);
        if (rows[i].family ? match_family(figure, form, name) : str_equal(form, name)) figure->row = i;
    }
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
    *figure = (struct figure){.name = figures_copy(name), .value = value};
    figure_understand(figure);
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
    struct table_column columns[1 + OUTCOME_COUNT] = {{"rule", TABLE_LEFT}};
    char text[32];
    size_t count = 1;
    double value;
    for (size_t i = 0; i < OUTCOME_COUNT; i++)
        if (rule_outcome(figures, NULL, outcomes[i], &value))
            columns[count++] = (struct table_column){outcomes[i], TABLE_RIGHT};
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

/* ---- Prometheus */

static void put_lower(struct relance_str word, FILE *out)
{
    for (size_t i = 0; i < word.size; i++)
        fputc(tolower((unsigned char)word.data[i]), out);
}

/* The metric of a form: "events" is relance_events_total, "events.TYPE" relance_events_by_type_total,
 * "rule.NAME.goal_value" relance_rule_goal_value_total: words, and what the last placeholder splits them by. */
static void put_metric(const char *form, FILE *out)
{
    struct relance_str rest = str_of(form), word;
    fputs("relance", out);
    for (bool more = true; more;) {
        more = split_first(rest, &word, &rest);
        if (!more) word = rest;
        if (word_is_placeholder(word) && more) continue;
        print(out, "%s", word_is_placeholder(word) ? "_by_" : "_");
        put_lower(word, out);
    }
    fputs("_total", out);
}

/* NAME="VALUE", in lower case; nothing where there is no value. */
static void put_label(const char *before, struct relance_str name, const char *value, FILE *out)
{
    if (!value) return;
    print(out, "%s", before);
    put_lower(name, out);
    fputs("=\"", out);
    print_label(str_of(value), out);
    fputc('"', out);
}

/* The name of a form's first placeholder, as a label; for NAME the word before it says whose. */
static struct relance_str first_label(struct relance_str form)
{
    struct relance_str head, rest, ignored;
    if (!split_first(form, &head, &rest)) return form;
    return split_first(rest, &ignored, &ignored) ? head : rest;
}

static void put_sample(const struct figure *figure, const char *group, const char *topic, FILE *out)
{
    put_metric(rows[figure->row].form, out);
    put_label("{", STR("group"), group, out);
    put_label(",", STR("topic"), topic, out);
    put_label(",", first_label(str_of(rows[figure->row].form)), figure->first, out);
    put_label(",", STR("outcome"), figure->outcome, out);
    put_label(",", STR("variant"), figure->variant, out);
    print(out, "} %.15g\n", figure->value);
}

static void put_family(const struct figures *figures, size_t row, const char *group, const char *topic,
                       FILE *out)
{
    bool headed = false;
    for (size_t i = 0; i < figures->count; i++) {
        if (figures->items[i].row != row) continue;
        if (!headed) {
            fputs("# HELP ", out);
            put_metric(rows[row].form, out);
            print(out, " %s\n# TYPE ", rows[row].prose);
            put_metric(rows[row].form, out);
            fputs(" counter\n", out);
            headed = true;
        }
        put_sample(&figures->items[i], group, topic, out);
    }
}

static const char *live_prose(const char *field)
{
    for (size_t i = 0; i < LIVE_ROW_COUNT; i++)
        if (strcmp(figures_live_rows[i].name, field) == 0) return figures_live_rows[i].prose;
    return "As an instance last reported, within 5 s."; /* of a newer engine */
}

/* What a metric's name may be made of. */
static bool live_is_name(const char *field)
{
    return *field && !field[strspn(field, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")];
}

/* Live figures are gauges, relance_live_FIELD; those that are no numbers have no place here. */
static void put_live(const struct figures *figures, size_t at, const char *group, const char *topic,
                     FILE *out)
{
    const char *field = figures->lives[at].field;
    double number;
    print(out, "# HELP relance_live_%s %s\n# TYPE relance_live_%s gauge\n", field, live_prose(field), field);
    for (size_t i = at; i < figures->live_count; i++) {
        const struct figure_live *live = &figures->lives[i];
        if (strcmp(live->field, field) != 0 || !text_number(str_of(live->value), &number)) continue;
        print(out, "relance_live_%s", field);
        put_label("{", STR("group"), group, out);
        put_label(",", STR("topic"), topic, out);
        put_label(",", STR("instance"), live->instance, out);
        print(out, "} %.15g\n", number);
    }
}

static bool live_is_first_number(const struct figures *figures, size_t at)
{
    double number;
    if (!live_is_name(figures->lives[at].field)) return false;
    if (!text_number(str_of(figures->lives[at].value), &number)) return false;
    for (size_t i = 0; i < at; i++)
        if (strcmp(figures->lives[i].field, figures->lives[at].field) == 0) return false;
    return true;
}

void figures_print_prometheus(const struct figures *figures, const char *group, const char *topic, FILE *out)
{
    for (size_t row = 0; row < ROW_COUNT; row++)
        put_family(figures, row, group, topic, out);
    for (size_t i = 0; i < figures->live_count; i++)
        if (live_is_first_number(figures, i)) put_live(figures, i, group, topic, out);
}
