/* What is counted over all customers: `totals`, and what became of sends. Additions in whole numbers, each event's once; nothing of it is
 * kept with a customer. */
#include "rule/run/sales.h"

#include "base/buffer.h"

/* `name` lies in scratch. */
static void add(struct relance_engine *e, enum relance_sums table, struct buffer *name, int64_t number)
{
    e->failed |= name->failed;
    if (!number || e->failed || !e->options.add) return;
    int64_t day = table == RELANCE_SUMS_DAY ? local_day(set_zone(e), e->event.time_ms) : 0;
    const struct relance_addition addition = {table, day, buffer_str(name), number};
    e->options.add(e->options.context, &addition);
}

/* ---- totals */

/* By all time and by day. `by` NULL: the total has none. */
static void add_total(struct relance_engine *e, str prefix, const struct total_rule *total, const str *by,
                      int64_t number)
{
    struct buffer name;
    struct arena_mark before = arena_mark(&e->scratch);
    buffer_init(&name, &e->scratch);
    buffer_put_str(&name, prefix);
    buffer_put_str(&name, total->name);
    if (by) buffer_put_char(&name, '.'), buffer_put_str(&name, *by);
    add(e, RELANCE_SUMS_ALL, &name, number);
    add(e, RELANCE_SUMS_DAY, &name, number);
    arena_rewind(&e->scratch, before);
}

static void total_one(struct relance_engine *e, const struct total_rule *total)
{
    struct texts by = {0};
    int64_t sum = 0;
    if (!condition_holds(e, total->condition)) return;
    if (total->by && !engine_evaluate_texts(e, total->by, &by)) return;
    if (total->sum && !sales_money(engine_evaluate(e, total->sum), &sum)) return;
    for (size_t i = 0; i < (total->by ? by.count : 1); i++) {
        str value = total->by ? known_total(e, total->name, by.list[i]) : (str){0};
        add_total(e, STR("totals."), total, total->by ? &value : NULL, 1);
        if (total->sum) add_total(e, STR("totals_sum."), total, total->by ? &value : NULL, sum);
    }
}

/* ---- what became of sends */

static void add_feedback(struct relance_engine *e, const struct typed_event *type)
{
    static const str texts[] = {{0},
#define FEEDBACK_TEXT(NAME, text, word) STR(text),
                                RELANCE_FEEDBACK_TABLE(FEEDBACK_TEXT)
#undef FEEDBACK_TEXT
    };
    struct cel_value rule = e->frame.slots[type->feedback_rule], step = e->frame.slots[type->feedback_step];
    uint32_t number = rule.kind == CEL_STRING ? names_find(&e->set->names.rules, cel_text(rule)) : NAME_NONE;
    if (number == NAME_NONE || step.kind != CEL_INT) return;
    if (step.as.i < 1 || (uint64_t)step.as.i > e->set->rules[number].step_count) return;
    struct buffer name;
    struct arena_mark before = arena_mark(&e->scratch);
    buffer_init(&name, &e->scratch);
    buffer_put_format(&name, "rule.%.*s.step.%lld.%.*s", STR_ARG(cel_text(rule)), (long long)step.as.i,
                      STR_ARG(texts[type->feedback]));
    add(e, RELANCE_SUMS_ALL, &name, 1);
    arena_rewind(&e->scratch, before);
}

void totals_take(struct relance_engine *e, const struct typed_event *type)
{
    if (type->feedback) add_feedback(e, type);
    struct picked totals = engine_pick(e, &type->totals);
    for (uint32_t number; pick_next(&totals, &number);)
        total_one(e, &e->set->totals[number]);
}
