/* Runs the tests of a rule set: for each an engine of its own, virtual time, one customer; every send and goal
 * is compared with what was expected, in order. All other decisions are kept too: they tell why a send is
 * missing. */
#include "rule/engine_internal.h"

#include "base/buffer.h"
#include "json/json.h"

#include <relance/rule_test.h>
#include <math.h>

struct seen_decision {
    struct seen_decision *next;
    int64_t time_ms;
    enum relance_outcome outcome;
    uint32_t step;
    str rule, key, send, with, why;
    double value;
};

struct testing {
    const struct relance_ruleset *set;
    const struct rule_test *test;
    struct arena arena;                 /* one test */
    struct seen_decision *first, **end; /* all decisions */
    struct buffer report;
    bool failed, no_memory;
};

/* ---- what happens */

static void note_decision(void *context, const struct relance_decision *d)
{
    struct testing *t = context;
    struct seen_decision *seen = ARENA_NEW(&t->arena, struct seen_decision);
    bool copied = seen && arena_copy_str(&t->arena, d->rule, &seen->rule) && arena_copy_str(&t->arena, d->key, &seen->key) &&
                  arena_copy_str(&t->arena, d->send, &seen->send) && arena_copy_str(&t->arena, d->with, &seen->with) &&
                  arena_copy_str(&t->arena, d->why, &seen->why);
    if (!copied) {
        t->no_memory = true;
        return;
    }
    seen->time_ms = d->time_ms;
    seen->outcome = d->outcome;
    seen->step = d->step;
    seen->value = d->value;
    *t->end = seen;
    t->end = &seen->next;
}

static bool is_output(const struct seen_decision *d)
{
    return d->outcome == RELANCE_OUTCOME_SENT || d->outcome == RELANCE_OUTCOME_HELD || d->outcome == RELANCE_OUTCOME_GOAL;
}

/* The event of an entry as a record: {"type", "customer", "time", its fields}. */
static str event_json(struct testing *t, const struct given_event *given)
{
    struct buffer out;
    buffer_init(&out, &t->arena);
    buffer_put_str(&out, STR("{\"type\":"));
    buffer_put_json_string(&out, given->type);
    buffer_put_str(&out, STR(",\"customer\":"));
    buffer_put_json_string(&out, t->test->customer);
    buffer_put_format(&out, ",\"time\":%lld", (long long)(t->test->from_ms + given->after_ms));
    for (const struct json *m = given->fields->child; m; m = m->next) {
        buffer_put_char(&out, ',');
        buffer_put_json_string(&out, m->key);
        buffer_put_char(&out, ':');
        json_write(m, &out);
    }
    buffer_put_char(&out, '}');
    if (out.failed) t->no_memory = true;
    return buffer_str(&out);
}

static void run_given(struct testing *t, struct relance_engine *e)
{
    for (size_t i = 0; i < t->test->given_count; i++) {
        struct relance_fate fate;
        struct relance_record record = {.topic = STR("-"), .offset = (int64_t)i, .value = event_json(t, &t->test->given[i]), .timestamp_ms = RELANCE_NEVER};
        if (relance_engine_record(e, &record, &fate) != RELANCE_DONE) t->no_memory = true;
        if (fate.kind != RELANCE_DEAD) continue;
        t->failed = true;
        buffer_put_format(&t->report, "  event %zu of 'given' cannot be read: %.*s\n", i + 1, STR_ARG(fate.reason));
    }
    if (relance_engine_run_until(e, t->test->from_ms + t->test->until_ms) != RELANCE_DONE) t->no_memory = true;
}

/* ---- comparing */

static bool json_matches(const struct json *wanted, const struct json *found)
{
    if (!found || wanted->kind != found->kind) return false;
    switch (wanted->kind) {
    case JSON_NULL: return true;
    case JSON_BOOL: return wanted->boolean == found->boolean;
    case JSON_NUMBER: return wanted->number == found->number;
    case JSON_STRING: return str_equal(wanted->text, found->text);
    case JSON_ARRAY:
        if (wanted->count != found->count) return false;
        for (const struct json *a = wanted->child, *b = found->child; a; a = a->next, b = b->next)
            if (!json_matches(a, b)) return false;
        return true;
    case JSON_OBJECT:
        for (const struct json *a = wanted->child; a; a = a->next) {
            const struct json *b = found->child;
            while (b && !str_equal(b->key, a->key)) b = b->next;
            if (!json_matches(a, b)) return false;
        }
        return true;
    }
    return false;
}

static bool payload_matches(struct testing *t, const struct json *wanted, str found)
{
    if (!wanted) return true;
    struct diagnostics diag;
    struct source source = {.text = found};
    diag_init(&diag, &t->arena);
    return json_matches(wanted, found.size ? json_parse(&t->arena, &source, &diag) : NULL);
}

static bool matches(struct testing *t, const struct expected *wanted, const struct seen_decision *found)
{
    if (t->test->from_ms + wanted->after_ms != found->time_ms) return false;
    if (wanted->rule.size && !str_equal(wanted->rule, found->rule)) return false;
    if (!wanted->send.size) return found->outcome == RELANCE_OUTCOME_GOAL && wanted->goal == found->value;
    if (found->outcome != (wanted->held ? RELANCE_OUTCOME_HELD : RELANCE_OUTCOME_SENT)) return false;
    return str_equal(wanted->send, found->send) && payload_matches(t, wanted->with, found->with);
}

/* ---- reporting */

/* A time after `from` as people write it: 1h30m. */
static str time_after(struct testing *t, int64_t ms)
{
    static const struct {
        int64_t ms;
        char unit;
    } units[] = {{86400000, 'd'}, {3600000, 'h'}, {60000, 'm'}, {1000, 's'}};
    struct buffer out;
    buffer_init(&out, &t->arena);
    if (ms < 0) buffer_put_char(&out, '-');
    int64_t left = ms < 0 ? -ms : ms;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (left >= units[i].ms) buffer_put_format(&out, "%lld%c", (long long)(left / units[i].ms), units[i].unit);
        left %= units[i].ms;
    }
    if (left) buffer_put_format(&out, "+%lldms", (long long)left);
    if (!out.size) buffer_put_str(&out, STR("0m"));
    return buffer_str(&out);
}

static str found_text(struct testing *t, const struct seen_decision *d)
{
    struct buffer out;
    buffer_init(&out, &t->arena);
    str after = time_after(t, d->time_ms - t->test->from_ms);
    buffer_put_format(&out, "%.*s %.*s ", STR_ARG(after), STR_ARG(d->rule));
    if (d->outcome == RELANCE_OUTCOME_GOAL) {
        buffer_put_str(&out, STR("goal "));
        cel_print_double(d->value, &out);
    } else {
        buffer_put_format(&out, "%s%.*s %.*s", d->outcome == RELANCE_OUTCOME_HELD ? "held " : "", STR_ARG(d->send), STR_ARG(d->with));
    }
    return buffer_str(&out);
}

static str wanted_text(struct testing *t, const struct expected *wanted)
{
    struct buffer out;
    buffer_init(&out, &t->arena);
    str after = time_after(t, wanted->after_ms);
    str rule = wanted->rule.size ? wanted->rule : t->test->rule != NAME_NONE ? t->set->rules[t->test->rule].name : (str){0};
    buffer_put_format(&out, "%.*s %.*s%s", STR_ARG(after), STR_ARG(rule), rule.size ? " " : "");
    if (wanted->send.size) {
        buffer_put_format(&out, "%s%.*s ", wanted->held ? "held " : "", STR_ARG(wanted->send));
        if (wanted->with) json_write(wanted->with, &out);
    } else {
        buffer_put_str(&out, STR("goal "));
        cel_print_double(wanted->goal, &out);
    }
    return buffer_str(&out);
}

/* Why was it not sent? What else was decided there, by the same rule if it is known. */
static void report_why(struct testing *t, const struct expected *wanted)
{
    int64_t at_ms = t->test->from_ms + wanted->after_ms;
    const struct seen_decision *nearest = NULL;
    for (const struct seen_decision *d = t->first; d; d = d->next) {
        bool same_rule = !wanted->rule.size || str_equal(wanted->rule, d->rule);
        if (same_rule && !is_output(d) && d->outcome != RELANCE_OUTCOME_STARTED && d->time_ms <= at_ms && d->outcome != RELANCE_OUTCOME_FINISHED) nearest = d;
    }
    if (!nearest) {
        buffer_put_str(&t->report, STR("      why: no run was waiting then: nothing triggered the rule, or its 'if' was false\n"));
        return;
    }
    str after = time_after(t, nearest->time_ms - t->test->from_ms), outcome = relance_outcome_text(nearest->outcome);
    buffer_put_format(&t->report, "      why: at %.*s %.*s was '%.*s'", STR_ARG(after), STR_ARG(nearest->rule), STR_ARG(outcome));
    if (nearest->step) buffer_put_format(&t->report, " at step %u", nearest->step);
    if (nearest->why.size) buffer_put_format(&t->report, " (%.*s)", STR_ARG(nearest->why));
    buffer_put_char(&t->report, '\n');
}

static const struct seen_decision *next_output(const struct seen_decision *d)
{
    while (d && !is_output(d)) d = d->next;
    return d;
}

/* Line by line: what both have, what is missing, what is too much. A wrong line is both. */
static void compare(struct testing *t)
{
    const struct seen_decision *found = next_output(t->first);
    for (size_t i = 0; i < t->test->expect_count || found;) {
        const struct expected *wanted = i < t->test->expect_count ? &t->test->expect[i] : NULL;
        bool same = wanted && found && matches(t, wanted, found);
        if (same) {
            buffer_put_format(&t->report, "    = %.*s\n", STR_ARG(found_text(t, found)));
        } else {
            t->failed = true;
            if (wanted) {
                buffer_put_format(&t->report, "    - expected %.*s\n", STR_ARG(wanted_text(t, wanted)));
                report_why(t, wanted);
            }
            if (found) buffer_put_format(&t->report, "    + came     %.*s\n", STR_ARG(found_text(t, found)));
        }
        if (wanted) i++;
        if (found) found = next_output(found->next);
    }
}

/* ---- the whole */

static void start_customer(struct testing *t, struct relance_engine *e)
{
    struct customer *customer = or_fail(e, customers_add(&e->customers, t->test->customer));
    if (!customer || !(customer->state = or_fail(e, state_new(&e->customers.pool)))) return;
    customer->held = true;
    e->customers.held++;
    e->segments_silent = true;
    scope_enter_customer(e, customer, t->test->from_ms);
    customer->state->now_ms = t->test->from_ms;
    for (const struct json *m = t->test->attributes ? t->test->attributes->child : NULL; m; m = m->next) {
        uint32_t number = names_find(&e->set->names.attributes, m->key);
        struct cel_value value;
        struct buffer json;
        buffer_init(&json, &t->arena);
        json_write(m, &json);
        if (number == NAME_NONE) continue; /* the id */
        if (event_coerce_json(&e->scratch, buffer_str(&json), e->set->attributes[number].type, &value))
            attribute_write(e, number, value, t->test->from_ms);
    }
    segments_update(e, false, t->test->from_ms);
    dates_update(e);
    settle_customer(e, customer);
}

static void run_test(struct testing *t)
{
    str only = t->test->rule == NAME_NONE ? (str){0} : t->set->rules[t->test->rule].name;
    struct relance_engine_options options = {.rules = t->set, .decide = note_decision, .context = t, .only = only, .variant = t->test->variant, .errors = true, .complete = true};
    struct relance_engine *e = relance_engine_new(&options);
    if (!e) {
        t->no_memory = true;
        return;
    }
    relance_engine_set_clock(e, t->test->from_ms);
    start_customer(t, e);
    run_given(t, e);
    compare(t);
    relance_engine_free(e);
}

size_t relance_ruleset_test_count(const struct relance_ruleset *rules)
{
    return rules->test_count;
}

enum relance_status relance_ruleset_test(const struct relance_ruleset *rules, relance_test_done *done, void *context, struct relance_error *error)
{
    struct testing t = {.set = rules};
    arena_init(&t.arena, 0);
    for (size_t i = 0; i < rules->test_count && !t.no_memory; i++) {
        arena_reset(&t.arena);
        buffer_init(&t.report, &t.arena);
        t.test = &rules->tests[i];
        t.first = NULL;
        t.end = &t.first;
        t.failed = false;
        run_test(&t);
        struct relance_test_result result = {.name = t.test->name, .file = t.test->source->name, .line = t.test->line, .passed = !t.failed};
        if (t.test->rule != NAME_NONE) result.rule = rules->rules[t.test->rule].name;
        if (t.failed) result.report = buffer_str(&t.report);
        if (!t.no_memory) done(context, &result);
    }
    arena_free(&t.arena);
    return t.no_memory ? relance_error_set(error, RELANCE_NO_MEMORY, "out of memory while testing rules") : RELANCE_OK;
}
