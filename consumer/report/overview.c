/* Metrics for people, as tables, and for programs, as JSON. */
#include "base/ensure.h"
#include "host/print.h"
#include "host/table.h"
#include "host/text.h"
#include "report/report_rules.h"

#include <cjson/cJSON.h>
#include <relance/decision.h>
#include <stdlib.h>

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
        if (figure->row == METRIC_RULE || figures_is_detail(figure)) continue; /* these have their tables */
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
        if (figure->row != METRIC_RULE || strcmp(figure->outcome, outcome) != 0) continue;
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
        if (figures->items[i].row == METRIC_RULE &&
            strcmp(figures->items[i].first, figures->items[at].first) == 0)
            return false;
    return true;
}

/* ---- rules */
struct rule_row {
    const char *rule;
    double sent;
};

static int rule_by_sent(const void *a, const void *b)
{
    const struct rule_row *x = a, *y = b;
    if (x->sent != y->sent) return x->sent > y->sent ? -1 : 1;
    return strcmp(x->rule, y->rule);
}

/* By name, as the counters stand; or what has sent most first. To be freed. */
static struct rule_row *rule_rows(const struct figures *figures, bool by_sent, size_t *count)
{
    struct rule_row *rows = calloc(figures->count + 1, sizeof *rows);
    ensure(rows);
    *count = 0;
    for (size_t i = 0; i < figures->count; i++) {
        const char *rule = figures->items[i].row == METRIC_RULE ? figures->items[i].first : NULL;
        if (!rule || !rule_is_first(figures, i)) continue;
        struct rule_row *row = &rows[(*count)++];
        row->rule = rule;
        rule_outcome(figures, rule, "sent", &row->sent);
    }
    if (by_sent && *count) qsort(rows, *count, sizeof *rows, rule_by_sent);
    return rows;
}

/* A row for each rule, a column for each outcome that occurred. */
static void print_rules(const struct figures *figures, bool by_sent, FILE *out)
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
    size_t row_count;
    struct rule_row *rows = rule_rows(figures, by_sent, &row_count);
    struct table *table = table_new(columns, count);
    for (size_t i = 0; i < row_count; i++) {
        const char *rule = rows[i].rule;
        table_put(table, "%s", *rule ? rule : "(no rule)"); /* errors of attributes, counts and segments */
        for (size_t c = 1; c < count; c++) {
            bool found = rule_outcome(figures, rule, columns[c].head, &value);
            table_put(table, "%s", found ? number_text(value, text) : "");
        }
    }
    free(rows);
    fputc('\n', out);
    table_print(table, out);
    table_free(table);
}

/* A number that is not known is no number. */
static void put_known(struct table *table, double value, const char *unit)
{
    char text[32];
    if (value < 0)
        table_put(table, "%s", "");
    else
        table_put(table, "%s%s", number_text(value, text), unit);
}

static void print_partitions(const struct figures *figures, FILE *out)
{
    static const struct table_column columns[] = {
        {"partition", TABLE_RIGHT},     {"instance", TABLE_LEFT}, {"state", TABLE_LEFT},
        {"lag", TABLE_RIGHT},           {"behind", TABLE_RIGHT},  {"clock behind", TABLE_RIGHT},
        {"checkpoint age", TABLE_RIGHT}};
    struct table *table = table_new(columns, 7);
    for (size_t i = 0; i < figures->partition_count; i++) {
        const struct figure_partition *partition = &figures->partitions[i];
        table_put(table, "%zu", i);
        table_put(table, "%s", partition->owner ? partition->owner : "");
        table_put(table, "%s", partition->state);
        put_known(table, partition->lag, "");
        put_known(table, partition->behind, "");
        put_known(table, partition->clock_behind_s, " s");
        put_known(table, partition->checkpoint_age_s, " s");
    }
    fputc('\n', out);
    table_print(table, out);
    table_free(table);
}

/* An instant in seconds since 1970 is one that can be read; 0 is none. */
static void put_live_value(struct table *table, const struct figure_live *live)
{
    char time[24];
    double seconds;
    bool is_instant = strcmp(metric_unit(live->field)->ours, "_since") == 0;
    if (!is_instant || !text_number(str_of(live->value), &seconds) || seconds < 0 || seconds > 1e11) {
        table_put(table, "%s", live->value);
        return;
    }
    relance_time_print((int64_t)(seconds * 1000), time);
    table_put(table, "%.*s", seconds > 0 ? (int)sizeof time : 0, time);
}

static void print_lives(const struct figures *figures, FILE *out)
{
    static const struct table_column columns[] = {
        {"instance", TABLE_LEFT}, {"live", TABLE_LEFT}, {"value", TABLE_RIGHT}};
    if (!figures->live_count) return;
    struct table *table = table_new(columns, 3);
    for (size_t i = 0; i < figures->live_count; i++) {
        const struct figure_live *live = &figures->lives[i];
        if (figures_is_partition(live)) continue; /* these have a table of their own */
        table_put(table, "%s", live->instance);
        table_put(table, "%s", live->field);
        put_live_value(table, live);
    }
    fputc('\n', out);
    table_print(table, out);
    table_free(table);
}

void figures_print_table(const struct figures *figures, const struct figures *before, double seconds,
                         FILE *out)
{
    print_counters(figures, before, seconds, out);
    print_rules(figures, false, out);
    figures_print_details(figures, out);
    print_partitions(figures, out);
    print_lives(figures, out);
}

void figures_print_top(const struct figures *figures, const struct figures *before, double seconds,
                       bool by_sent, FILE *out)
{
    print_rules(figures, by_sent, out);
    print_partitions(figures, out);
    figures_print_details(figures, out);
    fputc('\n', out);
    print_counters(figures, before, seconds, out);
    print_lives(figures, out);
}

/* Has an instance said that this figure is not 0? */
static bool any_live(const struct figures *figures, const char *field)
{
    double number;
    for (size_t i = 0; i < figures->live_count; i++)
        if (strcmp(figures->lives[i].field, field) == 0 &&
            text_number(str_of(figures->lives[i].value), &number) && number != 0)
            return true;
    return false;
}

bool figures_print_summary(const struct figures *figures, FILE *out)
{
    size_t partitions = figures->partition_count, live = figures_count_partitions(figures, FIGURES_LIVE),
           nobodys = figures_count_partitions(figures, FIGURES_NOBODY);
    bool refuses = any_live(figures, "redis_refuses"), away = any_live(figures, "kafka_away");
    double lag = 0;
    for (size_t i = 0; i < partitions; i++)
        lag += figures->partitions[i].lag > 0 ? figures->partitions[i].lag : 0;
    print(out, "%zu of %zu partitions live, lag %.0f", live, partitions, lag);
    if (nobodys) print(out, "; nobody has %zu", nobodys);
    if (refuses) fputs("; Redis refuses", out);
    if (away) fputs("; Kafka is away", out);
    if (any_live(figures, "same_name")) fputs("; two processes have one name", out);
    return live == partitions && !refuses && !away;
}

/* ---- JSON */

/* Numbers as numbers, everything else as text. */
static cJSON *live_value(const char *text)
{
    double number;
    return text_number(str_of(text), &number) ? cJSON_CreateNumber(number) : cJSON_CreateString(text);
}

/* Left out where it is not known. */
static void json_add_known(cJSON *object, const char *name, double value)
{
    if (value >= 0) cJSON_AddNumberToObject(object, name, value);
}

/* By number, so an array. */
static void json_add_partitions(cJSON *root, const struct figures *figures)
{
    cJSON *partitions = cJSON_AddArrayToObject(root, "partitions");
    for (size_t i = 0; i < figures->partition_count; i++) {
        const struct figure_partition *partition = &figures->partitions[i];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "state", partition->state);
        if (partition->owner) cJSON_AddStringToObject(object, "instance", partition->owner);
        json_add_known(object, "lag", partition->lag);
        json_add_known(object, "behind", partition->behind);
        json_add_known(object, "published", partition->published);
        json_add_known(object, "clock_behind_s", partition->clock_behind_s);
        json_add_known(object, "checkpoint_age_s", partition->checkpoint_age_s);
        cJSON_AddItemToArray(partitions, object);
    }
}

static void json_add_lives(cJSON *root, const struct figures *figures)
{
    cJSON *lives = cJSON_AddObjectToObject(root, "live");
    for (size_t i = 0; i < figures->live_count; i++) {
        const struct figure_live *live = &figures->lives[i];
        if (figures_is_partition(live)) continue;
        cJSON *instance = cJSON_GetObjectItemCaseSensitive(lives, live->instance);
        if (!instance) instance = cJSON_AddObjectToObject(lives, live->instance);
        cJSON_AddItemToObject(instance, live->field, live_value(live->value));
    }
}

struct cJSON *figures_json(const struct figures *figures, const char *group, const char *topic)
{
    cJSON *root = cJSON_CreateObject();
    ensure(root);
    cJSON_AddStringToObject(root, "group", group);
    cJSON_AddStringToObject(root, "topic", topic);
    cJSON *counters = cJSON_AddObjectToObject(root, "counters");
    for (size_t i = 0; i < figures->count; i++)
        cJSON_AddNumberToObject(counters, figures->items[i].name, figures->items[i].value);
    figures_put_lifts(root, figures);
    json_add_partitions(root, figures);
    json_add_lives(root, figures);
    return root;
}

bool figures_print_json(const struct figures *figures, const char *group, const char *topic, FILE *out)
{
    cJSON *root = figures_json(figures, group, topic);
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    if (!text) return false;
    print_lines(str_of(text), out);
    fputc('\n', out);
    cJSON_free(text);
    return true;
}
