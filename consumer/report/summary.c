#include "report/summary.h"
#include "base/ensure.h"
#include "host/table.h"
#include "base/str.h"
#include <stdlib.h>

enum {
    REASONS_MAX = 1000, /* different ones; the sentences of failures may be many */
    REASON_SIZE = 512,  /* bytes of one, with its rule */
};

/* Heads of the columns. */
static const char *const outcome_heads[RELANCE_OUTCOME_COUNT] = {
#define OUTCOME_HEAD(name, text, prose) text,
    RELANCE_OUTCOME_TABLE(OUTCOME_HEAD)
#undef OUTCOME_HEAD
};

/* ---- taking */

static struct summary_rule *summary_rule(struct summary *summary, struct relance_str name)
{
    for (size_t i = 0; i < summary->rule_count; i++) {
        size_t at = (summary->last + i) % summary->rule_count; /* mostly the same rule again */
        if (!str_equal(str_of(summary->rules[at].name), name)) continue;
        summary->last = at;
        return &summary->rules[at];
    }
    summary->rules = realloc(summary->rules, (summary->rule_count + 1) * sizeof *summary->rules);
    ensure(summary->rules);
    summary->last = summary->rule_count;
    struct summary_rule *rule = &summary->rules[summary->rule_count++];
    *rule = (struct summary_rule){.name = strndup(name.size ? name.data : "", name.size)};
    ensure(rule->name);
    return rule;
}

/* Under RULE NUL OUTCOME REASON, so that sorting by name sorts by rule and outcome. */
static void summary_count_reason(struct summary *summary, const struct relance_decision *decision,
                                 struct relance_str reason)
{
    char name[REASON_SIZE];
    if (summary->reasons.count >= REASONS_MAX) reason = STR("(other reasons)");
    int size = snprintf(name, sizeof name, "%.*s%c%c%.*s", STR_ARG(decision->rule), '\0',
                        'A' + (int)decision->outcome, STR_ARG(reason));
    if (size >= REASON_SIZE) size = REASON_SIZE - 1;
    tally_at(&summary->reasons, (struct relance_str){name, (size_t)size})->count[0]++;
}

void summary_take(struct summary *summary, const struct relance_decision *decision)
{
    struct summary_rule *rule = summary_rule(summary, decision->rule);
    rule->counts[decision->outcome]++;
    if (decision->outcome == RELANCE_OUTCOME_GOAL) rule->money += decision->value;
    bool failed = decision->outcome == RELANCE_OUTCOME_FAILED || decision->outcome == RELANCE_OUTCOME_ERROR;
    struct relance_str reason = failed ? decision->why : decision->by;
    if (reason.size) summary_count_reason(summary, decision, reason);
}

/* ---- printing */

static int summary_by_name(const void *a, const void *b)
{
    return strcmp(((const struct summary_rule *)a)->name, ((const struct summary_rule *)b)->name);
}

void summary_sort(struct summary *summary)
{
    if (summary->rule_count)
        qsort(summary->rules, summary->rule_count, sizeof *summary->rules, summary_by_name);
    tally_sort(&summary->reasons);
}

static bool summary_has(const struct summary *summary, int outcome)
{
    for (size_t i = 0; i < summary->rule_count; i++)
        if (summary->rules[i].counts[outcome]) return true;
    return false;
}

static void summary_put_rule(struct table *table, const struct summary_rule *rule, const int *outcomes,
                             size_t count)
{
    table_put(table, "%s", rule->name);
    for (size_t i = 0; i < count; i++) {
        uint64_t decisions = rule->counts[outcomes[i]];
        if (decisions)
            table_put(table, "%llu", (unsigned long long)decisions);
        else
            table_put(table, "%s", "");
        if (outcomes[i] != RELANCE_OUTCOME_GOAL) continue;
        if (decisions)
            table_put(table, "%.2f", rule->money);
        else
            table_put(table, "%s", "");
    }
}

static void summary_print_rules(const struct summary *summary, FILE *out)
{
    struct table_column columns[2 + RELANCE_OUTCOME_COUNT] = {{"rule", TABLE_LEFT}};
    int outcomes[RELANCE_OUTCOME_COUNT];
    size_t count = 0, column_count = 1;
    for (int i = 0; i < RELANCE_OUTCOME_COUNT; i++) {
        if (!summary_has(summary, i)) continue;
        outcomes[count++] = i;
        columns[column_count++] = (struct table_column){outcome_heads[i], TABLE_RIGHT};
        if (i == RELANCE_OUTCOME_GOAL) columns[column_count++] = (struct table_column){"money", TABLE_RIGHT};
    }
    struct table *table = table_new(columns, column_count);
    for (size_t r = 0; r < summary->rule_count; r++)
        summary_put_rule(table, &summary->rules[r], outcomes, count);
    table_print(table, out);
    table_free(table);
}

static void summary_print_reasons(const struct summary *summary, FILE *out)
{
    static const struct table_column columns[] = {
        {"rule", TABLE_LEFT}, {"outcome", TABLE_LEFT}, {"by", TABLE_LEFT}, {"times", TABLE_RIGHT}};
    struct table *table = table_new(columns, 4);
    for (size_t i = 0; i < summary->reasons.count; i++) {
        const struct tally_item *item = &summary->reasons.items[i];
        size_t rule_size = strlen(item->name.data);
        const char *outcome = item->name.data + rule_size + 1;
        table_put(table, "%s", item->name.data);
        table_put(table, "%s", outcome_heads[*outcome - 'A']);
        table_put(table, "%.*s", (int)(item->name.size - rule_size - 2), outcome + 1);
        table_put(table, "%llu", (unsigned long long)item->count[0]);
    }
    fputc('\n', out);
    table_print(table, out);
    table_free(table);
}

void summary_print(struct summary *summary, FILE *out)
{
    summary_sort(summary);
    if (!summary->rule_count) return;
    summary_print_rules(summary, out);
    if (summary->reasons.count) summary_print_reasons(summary, out);
    fputc('\n', out);
}

void summary_free(struct summary *summary)
{
    for (size_t i = 0; i < summary->rule_count; i++)
        free(summary->rules[i].name);
    free(summary->rules);
    tally_free(&summary->reasons);
    *summary = (struct summary){0};
}
