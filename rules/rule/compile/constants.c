/* What a set says once, and nothing computes: its holidays, and whose a goal is. */
#include "rule/compile/compile.h"

#include "base/limits.h"

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
            gather_error(
                c->diag, source, day, (str){0},
                "a holiday is a day that there is, such as \"2026-12-24\", or \"12-24\" in every year");
}

void compile_credit(struct compiler *c)
{
    const struct json *node = c->files.credit.node;
    if (!node) return;
    c->set->credit_last = str_equal(node->text, STR("last"));
    if (!c->set->credit_last && !str_equal(node->text, STR("each")))
        gather_error(c->diag, c->files.credit.source, node, (str){0}, "'credit' is \"each\" or \"last\"");
}
