/* The lift of every variant, as a table, as JSON and for Prometheus. */
#include "host/table.h"
#include "report/member.h"
#include "report/report_rules.h"

#include <math.h>

/* ---- which */

/* Whom a rule has reached before it had a split: chosen by nobody, and so like nobody. */
static bool is_compared(const struct report_variant *variant, const struct report_variant *holdout)
{
    return variant != holdout && *variant->name && variant->people.people > 0;
}

static const struct report_variant *holdout_of(const struct report_rule *rule)
{
    for (size_t i = 0; i < rule->variant_count; i++)
        if (strcmp(rule->variants[i].name, LIFT_HOLDOUT) == 0) return &rule->variants[i];
    return NULL;
}

bool report_lift(const struct report_rule *rule, const struct report_variant *variant, struct lift *out)
{
    const struct report_variant *holdout = holdout_of(rule);
    size_t compared = 0;
    if (!holdout || !is_compared(variant, holdout)) return false;
    for (size_t i = 0; i < rule->variant_count; i++)
        compared += is_compared(&rule->variants[i], holdout);
    return lift_over(&variant->people, &holdout->people, compared, out);
}

struct lift_people report_people(const struct report_rule *rule)
{
    struct lift_people all = {0};
    for (size_t i = 0; i < rule->variant_count; i++) {
        const struct lift_people *people = &rule->variants[i].people;
        all.people += people->people;
        all.won += people->won;
        all.value += people->value;
        all.value_squares += people->value_squares;
    }
    return all;
}

/* ---- a table */

/* What the table has to tell: where nobody has said what a goal is worth each is worth 1, and the value of people is how many
 * goals they had; and where nothing is held there is nothing to compare with. */
struct lift_columns {
    bool any, value, lift;
};

static struct lift_columns columns_for(const struct report_rules *rules)
{
    struct lift_columns have = {0};
    for (size_t i = 0; i < rules->rule_count; i++) {
        const struct report_rule *rule = &rules->rules[i];
        struct lift lift;
        for (size_t n = 0; n < rule->variant_count; n++) {
            have.any |= rule->variants[n].people.people > 0;
            have.lift |= report_lift(rule, &rule->variants[n], &lift);
        }
        have.value |= rule->goal_value != rule->outcomes[RELANCE_OUTCOME_GOAL];
    }
    return have;
}

static void put_variant(struct table *table, const struct report_rule *rule,
                        const struct report_variant *variant, struct lift_columns have)
{
    const struct lift_people *people = &variant->people;
    char words[LIFT_WORDS_SIZE];
    struct lift lift;
    bool compared = report_lift(rule, variant, &lift);
    table_put(table, "%s", rule->name);
    table_put(table, "%s", variant->name);
    table_put(table, "%.0f", people->people);
    table_put(table, "%.0f", people->won);
    table_put(table, "%.1f %%", 100 * lift_conversion(people));
    if (have.lift) table_put(table, "%s", compared ? lift_conversion_words(&lift.conversion, words) : "");
    if (have.value) table_put(table, "%.2f", lift_value(people));
    if (have.value && have.lift) table_put(table, "%s", compared ? lift_value_words(&lift.value, words) : "");
}

static void print_lifts(const struct report_rules *rules, struct lift_columns have, FILE *out)
{
    static const struct table_column lift = {"than the holdout", TABLE_LEFT};
    struct table_column columns[8] = {{"rule", TABLE_LEFT},
                                      {"variant", TABLE_LEFT},
                                      {"people", TABLE_RIGHT},
                                      {"goal", TABLE_RIGHT},
                                      {"of them", TABLE_RIGHT}};
    size_t count = 5;
    if (have.lift) columns[count++] = lift;
    if (have.value) columns[count++] = (struct table_column){"value each", TABLE_RIGHT};
    if (have.value && have.lift) columns[count++] = lift;
    struct table *table = table_new(columns, count);
    for (size_t i = 0; i < rules->rule_count; i++)
        for (size_t n = 0; n < rules->rules[i].variant_count; n++)
            if (rules->rules[i].variants[n].people.people > 0)
                put_variant(table, &rules->rules[i], &rules->rules[i].variants[n], have);
    fputc('\n', out);
    table_print(table, out);
    table_free(table);
}

void figures_print_lifts(const struct figures *figures, FILE *out)
{
    struct report_rules rules = {0};
    report_rules_take(&rules, figures);
    struct lift_columns have = columns_for(&rules);
    if (have.any) print_lifts(&rules, have, out);
    report_rules_free(&rules);
}

/* ---- JSON */

/* To four places, as shares are. */
static void put_rounded(cJSON *object, const char *name, double number)
{
    enum { ONE = 10000 };
    char text[64];
    snprintf(text, sizeof text, "%.15g", round(number * ONE) / ONE + 0.0);
    member_must(cJSON_AddRawToObject(object, name, text));
}

static void put_interval(cJSON *object, const char *name, const struct lift_interval *interval,
                         const char *words)
{
    cJSON *item = member_object(object, name);
    put_rounded(item, "by", interval->by);
    put_rounded(item, "low", interval->low);
    put_rounded(item, "high", interval->high);
    member_must(cJSON_AddBoolToObject(item, "apart", interval->apart));
    member_text(item, "words", str_of(words));
}

void report_put_lifts(cJSON *list, const struct report_rule *rule, bool named)
{
    for (size_t i = 0; i < rule->variant_count; i++) {
        char words[LIFT_WORDS_SIZE];
        struct lift lift;
        if (!report_lift(rule, &rule->variants[i], &lift)) continue;
        cJSON *item = member_item(list);
        if (named) member_text(item, "rule", str_of(rule->name));
        member_text(item, "variant", str_of(rule->variants[i].name));
        member_text(item, "over", STR(LIFT_HOLDOUT));
        put_interval(item, "conversion", &lift.conversion, lift_conversion_words(&lift.conversion, words));
        put_interval(item, "value", &lift.value, lift_value_words(&lift.value, words));
    }
}

void figures_put_lifts(cJSON *root, const struct figures *figures)
{
    struct report_rules rules = {0};
    cJSON *list = member_list(root, "lift");
    report_rules_take(&rules, figures);
    for (size_t i = 0; i < rules.rule_count; i++)
        report_put_lifts(list, &rules.rules[i], true);
    report_rules_free(&rules);
}

/* ---- Prometheus */

static const struct {
    const char *metric, *prose;
} gauges[] = {
    {"relance_rule_lift_conversion_ratio",
     "By how much the part of a variant's people who reach the goal is greater than that of the holdout."},
    {"relance_rule_lift_conversion_low_ratio", "At least by how much it is, whenever one looks."},
    {"relance_rule_lift_conversion_high_ratio", "At most by how much it is."},
    {"relance_rule_lift_value",
     "By how much the goals of one of a variant's people are worth more than those of one of the holdout."},
    {"relance_rule_lift_value_low", "At least by how much they are, whenever one looks."},
    {"relance_rule_lift_value_high", "At most by how much they are."},
};

void report_each_lift(const struct report_rules *rules, report_lift_visit *visit, void *context)
{
    for (size_t row = 0; row < sizeof gauges / sizeof *gauges; row++)
        for (size_t i = 0; i < rules->rule_count; i++)
            for (size_t n = 0; n < rules->rules[i].variant_count; n++) {
                const struct report_rule *rule = &rules->rules[i];
                struct lift lift;
                if (!report_lift(rule, &rule->variants[n], &lift)) continue;
                const double numbers[] = {lift.conversion.by, lift.conversion.low, lift.conversion.high,
                                          lift.value.by,      lift.value.low,      lift.value.high};
                visit(context, &(struct report_gauge){gauges[row].metric, gauges[row].prose, rule->name,
                                                      rule->variants[n].name, numbers[row]});
            }
}
