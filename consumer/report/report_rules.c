#include "report/report_rules.h"
#include "base/ensure.h"
#include "host/text.h"

#include <stdlib.h>

const enum relance_outcome report_not_sent[] = {
    RELANCE_OUTCOME_CANCELLED, RELANCE_OUTCOME_ENDED,     RELANCE_OUTCOME_SKIPPED, RELANCE_OUTCOME_CAPPED,
    RELANCE_OUTCOME_BLOCKED,   RELANCE_OUTCOME_STALE,     RELANCE_OUTCOME_FAILED,  RELANCE_OUTCOME_DROPPED,
    RELANCE_OUTCOME_COOLING,   RELANCE_OUTCOME_OVERTAKEN, RELANCE_OUTCOME_FULL,    RELANCE_OUTCOME_COUNT,
};

/* One more item of `size` bytes at the end of a list, all of it 0. */
static void *list_add(void *list, size_t *count, size_t size)
{
    char *items = realloc(list, (*count + 1) * size);
    ensure(items);
    memset(items + *count * size, 0, size);
    ++*count;
    return items;
}
#define LIST_ADD(list, count) ((list) = list_add(list, count, sizeof *(list)), &(list)[*(count)-1])

static double *outcome_of(double outcomes[RELANCE_OUTCOME_COUNT], const char *text)
{
    int i = 0;
    while (i < RELANCE_OUTCOME_COUNT &&
           !str_equal(relance_outcome_text((enum relance_outcome)i), str_of(text)))
        i++;
    ensure(i < RELANCE_OUTCOME_COUNT);
    return &outcomes[i];
}

/* ---- places; there are few of each, and neighbours are mostly of one */

static struct report_rule *rule_of(struct report_rules *rules, const char *name)
{
    for (size_t i = rules->rule_count; i--;)
        if (strcmp(rules->rules[i].name, name) == 0) return &rules->rules[i];
    struct report_rule *rule = LIST_ADD(rules->rules, &rules->rule_count);
    rule->name = name;
    return rule;
}

static struct report_limit *limit_of(struct report_rules *rules, const char *name)
{
    for (size_t i = rules->limit_count; i--;)
        if (strcmp(rules->limits[i].name, name) == 0) return &rules->limits[i];
    struct report_limit *limit = LIST_ADD(rules->limits, &rules->limit_count);
    limit->name = name;
    return limit;
}

static struct report_variant *variant_of(struct report_rule *rule, const char *name)
{
    for (size_t i = rule->variant_count; i--;)
        if (strcmp(rule->variants[i].name, name) == 0) return &rule->variants[i];
    struct report_variant *variant = LIST_ADD(rule->variants, &rule->variant_count);
    variant->name = name;
    return variant;
}

static struct report_step *step_of(struct report_rule *rule, const char *text)
{
    int64_t number = 0;
    if (!text_count(str_of(text), &number)) return NULL;
    for (size_t i = rule->step_count; i--;)
        if (rule->steps[i].number == number) return &rule->steps[i];
    struct report_step *step = LIST_ADD(rule->steps, &rule->step_count);
    step->number = number;
    return step;
}

/* ---- taking */

static void take_outcome(struct report_rules *rules, const struct figure *figure)
{
    struct report_rule *rule = rule_of(rules, figure->first);
    *outcome_of(rule->outcomes, figure->outcome) += figure->value;
    if (!figure->variant) return;
    *outcome_of(variant_of(rule, figure->variant)->outcomes, figure->outcome) += figure->value;
}

static void take_step(struct report_rules *rules, const struct figure *figure)
{
    struct report_step *step = step_of(rule_of(rules, figure->first), figure->step);
    if (step) *outcome_of(step->outcomes, figure->outcome) += figure->value;
}

static void take_feedback(struct report_rules *rules, const struct figure *figure)
{
    struct report_step *step = step_of(rule_of(rules, figure->first), figure->step);
    const char *text;
    for (size_t i = 0; step && (text = metric_feedback(i)); i++)
        if (strcmp(text, figure->feedback) == 0) step->feedback[i] += figure->value;
}

/* That of people who have no variant is called "". */
static struct lift_people *people_of(struct report_rules *rules, const struct figure *figure)
{
    return &variant_of(rule_of(rules, figure->first), figure->variant ? figure->variant : "")->people;
}

static void take_cancel(struct report_rules *rules, const struct figure *figure)
{
    struct report_rule *rule = rule_of(rules, figure->first);
    *LIST_ADD(rule->cancels, &rule->cancel_count) = (struct report_count){figure->event, figure->value};
}

static void take(struct report_rules *rules, const struct figure *figure)
{
    switch (figure->row) {
    case METRIC_RULE: take_outcome(rules, figure); break;
    case METRIC_GOAL_VALUE: rule_of(rules, figure->first)->goal_value += figure->value; break;
    case METRIC_RULE_STEP: take_step(rules, figure); break;
    case METRIC_RULE_FEEDBACK: take_feedback(rules, figure); break;
    case METRIC_RULE_CANCELLED_BY: take_cancel(rules, figure); break;
    case METRIC_PEOPLE: people_of(rules, figure)->people += figure->value; break;
    case METRIC_WON: people_of(rules, figure)->won += figure->value; break;
    case METRIC_VALUE: people_of(rules, figure)->value += figure->value; break;
    case METRIC_VALUE_SQUARES: people_of(rules, figure)->value_squares += figure->value; break;
    case METRIC_LIMIT:
        *outcome_of(limit_of(rules, figure->first)->outcomes, figure->outcome) += figure->value;
        break;
    default: break;
    }
}

/* ---- orders */

static int rule_order(const void *a, const void *b)
{
    return strcmp(((const struct report_rule *)a)->name, ((const struct report_rule *)b)->name);
}

static int limit_order(const void *a, const void *b)
{
    return strcmp(((const struct report_limit *)a)->name, ((const struct report_limit *)b)->name);
}

static int variant_order(const void *a, const void *b)
{
    return strcmp(((const struct report_variant *)a)->name, ((const struct report_variant *)b)->name);
}

static int step_order(const void *a, const void *b)
{
    const struct report_step *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static int count_order(const void *a, const void *b)
{
    const struct report_count *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void sort(void *items, size_t count, size_t size, int (*order)(const void *, const void *))
{
    if (count) qsort(items, count, size, order);
}

void report_rules_take(struct report_rules *rules, const struct figures *figures)
{
    for (size_t i = 0; i < figures->count; i++)
        take(rules, &figures->items[i]);
    sort(rules->rules, rules->rule_count, sizeof *rules->rules, rule_order);
    sort(rules->limits, rules->limit_count, sizeof *rules->limits, limit_order);
    for (size_t i = 0; i < rules->rule_count; i++) {
        struct report_rule *rule = &rules->rules[i];
        sort(rule->steps, rule->step_count, sizeof *rule->steps, step_order);
        sort(rule->cancels, rule->cancel_count, sizeof *rule->cancels, count_order);
        sort(rule->variants, rule->variant_count, sizeof *rule->variants, variant_order);
    }
}

double report_cancelled_otherwise(const struct report_rule *rule)
{
    double rest = rule->outcomes[RELANCE_OUTCOME_CANCELLED];
    for (size_t i = 0; i < rule->cancel_count; i++)
        rest -= rule->cancels[i].count;
    return rest;
}

void report_rules_free(struct report_rules *rules)
{
    for (size_t i = 0; i < rules->rule_count; i++) {
        free(rules->rules[i].steps);
        free(rules->rules[i].cancels);
        free(rules->rules[i].variants);
    }
    free(rules->rules);
    free(rules->limits);
    *rules = (struct report_rules){0};
}
