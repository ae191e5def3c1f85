/* What lies below a rule's row in the table of rules: what it is worth, its steps one by one, what ended its runs, and what limits did.
 * A rule of one step is told by its own row, so that steps stand here only where there are several. */
#include "base/ensure.h"
#include "host/table.h"
#include "report/report_rules.h"

#include <relance/decision.h>
#include <stdlib.h>

/* A row of a table with a column for each outcome that occurred. */
struct detail {
    const char *first, *second; /* a rule and its step; a limit and NULL */
};

struct details {
    const struct figures *figures;
    enum metric_row row, more; /* of both; alike where there is one */
    struct detail *list;
    size_t count;
};

static bool detail_is_of(const struct detail *detail, const struct figure *figure)
{
    return strcmp(detail->first, figure->first) == 0 &&
           (!detail->second || strcmp(detail->second, figure->step) == 0);
}

static int detail_order(const void *a, const void *b)
{
    const struct detail *x = a, *y = b;
    int order = strcmp(x->first, y->first);
    if (order || !x->second) return order;
    long step = strtol(x->second, NULL, 10), other = strtol(y->second, NULL, 10);
    return (step > other) - (step < other);
}

static bool details_know(const struct details *details, const struct figure *figure)
{
    for (size_t i = details->count; i--;) /* mostly it is the last */
        if (detail_is_of(&details->list[i], figure)) return true;
    return false;
}

static struct details details_of(const struct figures *figures, enum metric_row row, enum metric_row more)
{
    struct details details = {figures, row, more, calloc(figures->count + 1, sizeof *details.list), 0};
    ensure(details.list);
    for (size_t i = 0; i < figures->count; i++) {
        const struct figure *figure = &figures->items[i];
        if ((figure->row == row || figure->row == more) && !details_know(&details, figure))
            details.list[details.count++] = (struct detail){figure->first, figure->step};
    }
    if (details.count) qsort(details.list, details.count, sizeof *details.list, detail_order);
    return details;
}

static bool has_feedback(const struct details *details, const char *rule)
{
    for (size_t i = 0; i < details->figures->count; i++) {
        const struct figure *figure = &details->figures->items[i];
        if (figure->row == METRIC_RULE_FEEDBACK && strcmp(figure->first, rule) == 0) return true;
    }
    return false;
}

/* Leaves out those whose first has no other, and of which nothing else is told. */
static void details_drop_alone(struct details *details)
{
    size_t kept = 0;
    for (size_t i = 0, end; i < details->count; i = end) {
        for (end = i + 1; end < details->count; end++)
            if (strcmp(details->list[end].first, details->list[i].first) != 0) break;
        bool told = end - i > 1 || has_feedback(details, details->list[i].first);
        for (size_t n = i; told && n < end; n++)
            details->list[kept++] = details->list[n];
    }
    details->count = kept;
}

/* NULL: it has none of that outcome; of any detail where that is NULL. */
static const struct figure *detail_find(const struct details *details, const struct detail *detail,
                                        const char *outcome)
{
    for (size_t i = 0; i < details->figures->count; i++) {
        const struct figure *figure = &details->figures->items[i];
        if (figure->row != details->row && figure->row != details->more) continue;
        if (strcmp(figure->outcome ? figure->outcome : figure->feedback, outcome) != 0) continue;
        if (detail_is_of(detail, figure)) return figure;
    }
    return NULL;
}

static bool details_have(const struct details *details, const char *outcome)
{
    for (size_t i = 0; i < details->count; i++)
        if (detail_find(details, &details->list[i], outcome)) return true;
    return false;
}

static void put_detail(struct table *table, const struct details *details, const struct detail *detail,
                       const struct table_column *columns, size_t count)
{
    table_put(table, "%s", detail->first);
    if (detail->second) table_put(table, "%s", detail->second);
    for (size_t c = detail->second ? 2 : 1; c < count; c++) {
        const struct figure *figure = detail_find(details, detail, columns[c].head);
        if (figure)
            table_put(table, "%.0f", figure->value);
        else
            table_put(table, "%s", "");
    }
}

/* Ends the details. `second`: the head of the second column; NULL: there is none. */
static void details_print(struct details *details, const char *first, const char *second, FILE *out)
{
    enum { FEEDBACKS_MAX = 8 };
    struct table_column columns[2 + RELANCE_OUTCOME_COUNT + FEEDBACKS_MAX] = {{first, TABLE_LEFT},
                                                                              {second, TABLE_RIGHT}};
    size_t count = second ? 2 : 1;
    const char *outcome;
    for (size_t i = 0; (outcome = metric_outcome(i)); i++)
        if (details_have(details, outcome)) columns[count++] = (struct table_column){outcome, TABLE_RIGHT};
    for (size_t i = 0; (outcome = metric_feedback(i)); i++)
        if (details_have(details, outcome)) columns[count++] = (struct table_column){outcome, TABLE_RIGHT};
    struct table *table = table_new(columns, count);
    for (size_t i = 0; i < details->count; i++)
        put_detail(table, details, &details->list[i], columns, count);
    if (details->count) {
        fputc('\n', out);
        table_print(table, out);
    }
    table_free(table);
    free(details->list);
}

static void print_cancels(const struct figures *figures, FILE *out)
{
    static const struct table_column columns[] = {
        {"rule", TABLE_LEFT}, {"cancelled by", TABLE_LEFT}, {"runs", TABLE_RIGHT}};
    struct table *table = table_new(columns, 3);
    bool any = false;
    for (size_t i = 0; i < figures->count; i++) {
        const struct figure *figure = &figures->items[i];
        if (figure->row != METRIC_RULE_CANCELLED_BY) continue;
        any = true;
        table_put(table, "%s", figure->first);
        table_put(table, "%s", figure->event);
        table_put(table, "%.0f", figure->value);
    }
    if (any) {
        fputc('\n', out);
        table_print(table, out);
    }
    table_free(table);
}

bool figures_is_detail(const struct figure *figure)
{
    return figure->sum || figure->row == METRIC_TOTAL || figure->row == METRIC_TOTAL_SUM ||
           figure->row == METRIC_RULE_FEEDBACK || figure->row == METRIC_RULE_STEP ||
           figure->row == METRIC_RULE_CANCELLED_BY || figure->row == METRIC_LIMIT ||
           figure->row == METRIC_PEOPLE || figure->row == METRIC_WON || figure->row == METRIC_VALUE ||
           figure->row == METRIC_VALUE_SQUARES;
}

void figures_print_steps(const struct figures *figures, FILE *out)
{
    struct details steps = details_of(figures, METRIC_RULE_STEP, METRIC_RULE_FEEDBACK);
    details_drop_alone(&steps);
    details_print(&steps, "rule", "step", out);
}

void figures_print_limits(const struct figures *figures, FILE *out)
{
    struct details limits = details_of(figures, METRIC_LIMIT, METRIC_LIMIT);
    details_print(&limits, "limit", NULL, out);
}

void figures_print_details(const struct figures *figures, FILE *out)
{
    figures_print_lifts(figures, out);
    figures_print_steps(figures, out);
    print_cancels(figures, out);
    figures_print_limits(figures, out);
    figures_print_totals(figures, out);
}
