#include "delivery/counter.h"
#include "base/ensure.h"
#include "base/str.h"
#include <stdlib.h>

struct counter_row {
    bool whole;
    double value;
};

/* The longest name: rule, outcome and variant have no bound of their own; what is longer is cut. */
enum { COUNTER_NAME_MAX = 512 };

/* The most that a name consists of. */
enum { COUNTER_PARTS_MAX = 6 };

struct counter_name {
    str parts[COUNTER_PARTS_MAX];
    size_t count;
};

static void counter_name_put(struct counter_name *name, str part)
{
    name->parts[name->count++] = part;
}

static str counter_name_join(const struct counter_name *name, char out[COUNTER_NAME_MAX])
{
    size_t size = 0;
    for (size_t i = 0; i < name->count; i++) {
        size_t room = COUNTER_NAME_MAX - size,
               taken = name->parts[i].size < room ? name->parts[i].size : room;
        if (taken) memcpy(out + size, name->parts[i].data, taken);
        size += taken;
    }
    return (str){out, size};
}

static uint32_t counter_number_of(struct counters *counters, str name)
{
    uint32_t before = counters->names.count, room = counters->names.capacity,
             at = names_add(&counters->names, name);
    if (counters->names.capacity != room) {
        counters->rows = realloc(counters->rows, counters->names.capacity * sizeof *counters->rows);
        ensure(counters->rows);
    }
    if (at == before) counters->rows[at] = (struct counter_row){.whole = true};
    return at;
}

static struct counter_row *counter_row_of(struct counters *counters, str name)
{
    uint32_t at = counter_number_of(counters, name);
    return &counters->rows[at];
}

static bool counter_is(const struct counters *counters, uint32_t at, const struct counter_name *name)
{
    str left = counters->names.list[at];
    for (size_t i = 0; i < name->count; i++) {
        str part = name->parts[i];
        if (part.size > left.size || !str_equal((str){left.data, part.size}, part)) return false;
        left = str_slice(left, part.size, left.size);
    }
    return !left.size;
}

/* Where a name is looked for among those met last: by the sizes of its parts and what they end with. */
static uint32_t *counter_recent(struct counters *counters, const struct counter_name *name)
{
    size_t mix = 0;
    for (size_t i = 0; i < name->count; i++) {
        str part = name->parts[i];
        mix = mix * 5 + part.size + (part.size ? (unsigned char)part.data[part.size - 1] : 0);
    }
    return &counters->recent[mix % COUNTER_RECENT];
}

static struct counter_row *counter_row_named(struct counters *counters, const struct counter_name *name)
{
    char whole[COUNTER_NAME_MAX];
    uint32_t *recent = counter_recent(counters, name);
    if (!*recent || !counter_is(counters, *recent - 1, name))
        *recent = counter_number_of(counters, counter_name_join(name, whole)) + 1;
    return &counters->rows[*recent - 1];
}

void counters_add_named(struct counters *counters, struct relance_str start, struct relance_str name,
                        int64_t number)
{
    const struct counter_name whole = {{start, name}, 2};
    counter_row_named(counters, &whole)->value += (double)number;
}

/* ---- decisions */
/* rule.NAME. */
static struct counter_name counter_rule(const struct relance_decision *decision)
{
    return (struct counter_name){{STR("rule."), decision->rule, STR(".")}, 3};
}

/* rule.NAME.WHAT, with .VARIANT behind it where there is one. */
static struct counter_row *counter_variant_row(struct counters *counters,
                                               const struct relance_decision *decision,
                                               struct relance_str what, struct relance_str variant)
{
    struct counter_name name = counter_rule(decision);
    counter_name_put(&name, what);
    if (variant.size) counter_name_put(&name, STR("."));
    if (variant.size) counter_name_put(&name, variant);
    return counter_row_named(counters, &name);
}

static struct counter_row *counter_rule_row(struct counters *counters,
                                            const struct relance_decision *decision, struct relance_str what)
{
    return counter_variant_row(counters, decision, what, decision->variant);
}

/* rule.NAME.step.N.OUTCOME */
static void counter_add_step(struct counters *counters, const struct relance_decision *decision)
{
    char step[INT_PRINT_SIZE + 1];
    struct counter_name name = counter_rule(decision);
    size_t size = uint_print(decision->step, step);
    step[size++] = '.';
    counter_name_put(&name, STR("step."));
    counter_name_put(&name, (str){step, size});
    counter_name_put(&name, relance_outcome_text(decision->outcome));
    counter_row_named(counters, &name)->value += 1;
}

/* rule.NAME.cancelled_by.EVENT; a run that followed a date that is gone was ended by none. */
static void counter_add_cancel(struct counters *counters, const struct relance_decision *decision)
{
    struct counter_name name = counter_rule(decision);
    if (!decision->by.size) return;
    counter_name_put(&name, STR("cancelled_by."));
    counter_name_put(&name, decision->by);
    counter_row_named(counters, &name)->value += 1;
}

/* limit.NAME.OUTCOME, of a group limit.GROUP.held. */
static void counter_add_limit(struct counters *counters, const struct relance_decision *decision,
                              struct relance_str limit)
{
    const struct counter_name name = {
        {STR("limit."), limit, STR("."), relance_outcome_text(decision->outcome)}, 4};
    counter_row_named(counters, &name)->value += 1;
}

static void counter_add_measured(struct counters *counters, const struct relance_decision *decision,
                                 struct relance_str what, double number)
{
    if (number != 0)
        counter_variant_row(counters, decision, what, decision->measure.variant)->value += number;
}

/* The square of what a customer's goals are worth: the old one leaves the sum and the new one joins it. Whole numbers, so
 * that the sum is exact, but large ones: Redis adds them up as decimal numbers, where none overflows. */
static void counter_add_measure(struct counters *counters, const struct relance_decision *decision)
{
    const struct relance_measure *measure = &decision->measure;
    double before = (double)measure->value_before, value = (double)measure->value;
    counter_add_measured(counters, decision, STR("people"), measure->reached);
    counter_add_measured(counters, decision, STR("won"), measure->won);
    counter_add_measured(counters, decision, STR("value"), value - before);
    if (value == before) return;
    struct counter_row *squares =
        counter_variant_row(counters, decision, STR("value_squares"), measure->variant);
    squares->whole = false;
    squares->value += value * value - before * before;
}

static void counter_add_goal(struct counters *counters, const struct relance_decision *decision)
{
    struct counter_row *sum = counter_rule_row(counters, decision, STR("goal_value"));
    sum->whole = false;
    sum->value += decision->value;
}

void counters_add_decision(struct counters *counters, const struct relance_decision *decision)
{
    counter_rule_row(counters, decision, relance_outcome_text(decision->outcome))->value += 1;
    if (decision->step) counter_add_step(counters, decision);
    if (decision->limit.size) counter_add_limit(counters, decision, decision->limit);
    if (decision->group.size) counter_add_limit(counters, decision, decision->group);
    if (decision->outcome == RELANCE_OUTCOME_SENT)
        counters_add_named(counters, STR("sent."), decision->send, 1);
    if (decision->outcome == RELANCE_OUTCOME_CANCELLED) counter_add_cancel(counters, decision);
    if (decision->outcome == RELANCE_OUTCOME_GOAL) counter_add_goal(counters, decision);
    if (decision->measure.counts) counter_add_measure(counters, decision);
}

void counters_add_all(struct counters *sum, const struct counters *more)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        sum->plain[i] += more->plain[i];
    for (uint32_t i = 0; i < more->names.count; i++) {
        if (more->rows[i].value == 0) continue;
        struct counter_row *row = counter_row_of(sum, more->names.list[i]);
        row->value += more->rows[i].value;
        row->whole &= more->rows[i].whole;
    }
}

/* ---- reading */
void counters_each(const struct counters *counters, counter_visit *visit, void *context)
{
    static const char *const names[] = {
#define COUNTER(ENUM, name, prose) name,
#define COUNTER_FAMILY(ENUM, form, prose)
#include "counter.def"
#undef COUNTER
#undef COUNTER_FAMILY
    };
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        if (counters->plain[i]) visit(context, str_of(names[i]), true, (double)counters->plain[i]);
    for (uint32_t i = 0; i < counters->names.count; i++) {
        const struct counter_row *row = &counters->rows[i];
        if (row->value != 0) visit(context, counters->names.list[i], row->whole, row->value);
    }
}

bool counters_empty(const struct counters *counters)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        if (counters->plain[i]) return false;
    for (uint32_t i = 0; i < counters->names.count; i++)
        if (counters->rows[i].value != 0) return false;
    return true;
}

void counters_clear(struct counters *counters)
{
    memset(counters->plain, 0, sizeof counters->plain);
    for (uint32_t i = 0; i < counters->names.count; i++)
        counters->rows[i].value = 0;
}

void counters_free(struct counters *counters)
{
    names_free(&counters->names);
    free(counters->rows);
    *counters = (struct counters){0};
}
