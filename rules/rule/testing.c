/* Runs the tests of a rule set: for each an engine of its own, virtual time, one customer; every send and
 * goal is compared with what was expected, in order. All other decisions are kept too: they tell why a send
 * is missing. */
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
    struct source_cursor place; /* of the test: they come mostly in the order of their files */
};

/* ---- what happens */

static void note_decision(void *context, const struct relance_decision *d)
{
    struct testing *t = context;
    struct seen_decision *seen = ARENA_NEW(&t->arena, struct seen_decision);
    bool copied =
        seen && arena_copy_str(&t->arena, d->rule, &seen->rule) &&
        arena_copy_str(&t->arena, d->key, &seen->key) && arena_copy_str(&t->arena, d->send, &seen->send) &&
        arena_copy_str(&t->arena, d->with, &seen->with) && arena_copy_str(&t->arena, d->why, &seen->why);
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
    return d->outcome == RELANCE_OUTCOME_SENT || d->outcome == RELANCE_OUTCOME_HELD ||
           d->outcome == RELANCE_OUTCOME_GOAL;
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
        struct relance_record record = {.topic = STR("-"),
                                        .offset = (int64_t)i,
                                        .value = event_json(t, &t->test->given[i]),
                                        .timestamp_ms = RELANCE_NEVER};
        if (relance_engine_record(e, &record, &fate) != RELANCE_DONE) t->no_memory = true;
        if (fate.kind != RELANCE_DEAD) continue;
        t->failed = true;
        buffer_put_format(&t->report, "  event %zu of 'given' cannot be read: %.*s\n", i + 1,
                          STR_ARG(fate.reason));
    }
    if (relance_engine_run_until(e, t->test->from_ms + t->test->until_ms) != RELANCE_DONE)
        t->no_memory = true;
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
            while (b && !str_equal(b->key, a->key))
                b = b->next;
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
        if (left >= units[i].ms)
            buffer_put_format(&out, "%lld%c", (long long)(left / units[i].ms), units[i].unit);
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
        buffer_put_format(&out, "%s%.*s%s%.*s", d->outcome == RELANCE_OUTCOME_HELD ? "held " : "",
                          STR_ARG(d->send), d->with.size ? " " : "", STR_ARG(d->with));
    }
    return buffer_str(&out);
}

/* Empty: any. */
static str wanted_rule(const struct testing *t, const struct expected *wanted)
{
    if (wanted->rule.size || t->test->rule == NAME_NONE) return wanted->rule;
    return t->set->rules[t->test->rule].name;
}

static str wanted_text(struct testing *t, const struct expected *wanted)
{
    struct buffer out;
    buffer_init(&out, &t->arena);
    str after = time_after(t, wanted->after_ms);
    str rule = wanted_rule(t, wanted);
    buffer_put_format(&out, "%.*s %.*s%s", STR_ARG(after), STR_ARG(rule), rule.size ? " " : "");
    if (wanted->send.size) {
        buffer_put_format(&out, "%s%.*s", wanted->held ? "held " : "", STR_ARG(wanted->send));
        if (wanted->with) buffer_put_char(&out, ' '), json_write(wanted->with, &out);
    } else {
        buffer_put_str(&out, STR("goal "));
        cel_print_double(wanted->goal, &out);
    }
    return buffer_str(&out);
}

/* ---- why a send is missing */

static bool is_of_rule(const struct seen_decision *d, str rule)
{
    return !rule.size || str_equal(rule, d->rule);
}

/* Did an event come by then that the rule waits for? */
static bool was_triggered(const struct testing *t, str name, int64_t after_ms)
{
    uint32_t number = names_find(&t->set->names.rules, name);
    if (number == NAME_NONE || t->set->rules[number].kind != ON_EVENTS) return true; /* nobody knows */
    struct type_list on = t->set->rules[number].on;
    for (size_t i = 0; i < t->test->given_count; i++) {
        uint32_t type = names_find(&t->set->names.types, t->test->given[i].type);
        for (size_t k = 0; k < on.count && t->test->given[i].after_ms <= after_ms; k++)
            if (on.types[k] == type) return true;
    }
    return false;
}

static void report_no_run(struct testing *t, str rule, const struct expected *wanted)
{
    if (was_triggered(t, rule, wanted->after_ms))
        buffer_put_str(
            &t->report,
            STR("      why: no run was waiting then: the rule's 'if' was false, or it had no key\n"));
    else
        buffer_put_str(&t->report,
                       STR("      why: no run was waiting then: no event came that the rule is 'on'\n"));
}

/* "at 59m cart was 'cancelled': An event ended the run." */
static void report_decision(struct testing *t, const struct seen_decision *d,
                            const struct seen_decision *error)
{
    str after = time_after(t, d->time_ms - t->test->from_ms);
    str text = relance_outcome_text(d->outcome), prose = relance_outcome_prose(d->outcome);
    buffer_put_format(&t->report, "      why: at %.*s %.*s was '%.*s'", STR_ARG(after), STR_ARG(d->rule),
                      STR_ARG(text));
    if (d->step) buffer_put_format(&t->report, " at step %u", d->step);
    buffer_put_format(&t->report, ": %.*s", STR_ARG(prose));
    if (d->why.size) buffer_put_format(&t->report, " (%.*s)", STR_ARG(d->why));
    if (error && error != d)
        buffer_put_format(&t->report, " An expression failed: %.*s", STR_ARG(error->why));
    buffer_put_char(&t->report, '\n');
}

/* The last that was decided for that rule until then, the beginning and the end of a run apart; and the error
 * that led to it. */
static void report_why(struct testing *t, const struct expected *wanted)
{
    int64_t at_ms = t->test->from_ms + wanted->after_ms;
    str rule = wanted_rule(t, wanted);
    const struct seen_decision *last = NULL, *error = NULL;
    for (const struct seen_decision *d = t->first; d && d->time_ms <= at_ms; d = d->next) {
        if (!is_of_rule(d, rule) || d->outcome == RELANCE_OUTCOME_STARTED ||
            d->outcome == RELANCE_OUTCOME_FINISHED)
            continue;
        if (d->outcome == RELANCE_OUTCOME_ERROR) error = d;
        last = is_output(d) ? NULL : d;
    }
    if (!wanted->send.size)
        buffer_put_str(&t->report, STR("      why: no event reached an open window of this goal then\n"));
    else if (last)
        report_decision(t, last, error && error->time_ms == last->time_ms ? error : NULL);
    else
        report_no_run(t, rule, wanted);
}

/* ---- expected against actual */

static const struct seen_decision *next_output(const struct seen_decision *d)
{
    while (d && !is_output(d))
        d = d->next;
    return d;
}

static bool is_sent_otherwise(struct testing *t, const struct expected *wanted,
                              const struct seen_decision *found)
{
    return found && t->test->from_ms + wanted->after_ms == found->time_ms &&
           str_equal(wanted->send, found->send) && is_of_rule(found, wanted->rule);
}

static void report_missing(struct testing *t, const struct expected *wanted,
                           const struct seen_decision *found)
{
    t->failed = true;
    buffer_put_format(&t->report, "    - expected %.*s\n", STR_ARG(wanted_text(t, wanted)));
    if (!is_sent_otherwise(t, wanted, found)) report_why(t, wanted);
}

static void report_extra(struct testing *t, const struct seen_decision *found)
{
    t->failed = true;
    buffer_put_format(&t->report, "    + came     %.*s\n", STR_ARG(found_text(t, found)));
}

static bool comes_later(struct testing *t, const struct expected *wanted, const struct seen_decision *found)
{
    while (found && !matches(t, wanted, found))
        found = next_output(found->next);
    return found;
}

static bool is_expected_later(struct testing *t, size_t i, const struct seen_decision *found)
{
    while (i < t->test->expect_count && !matches(t, &t->test->expect[i], found))
        i++;
    return i < t->test->expect_count;
}

/* Line by line: what both have, what is missing, what is too much. Where they differ, one side goes ahead to
 * where they meet again; where they do not, the line is wrong on both. */
static void compare(struct testing *t)
{
    const struct seen_decision *found = next_output(t->first);
    for (size_t i = 0; i < t->test->expect_count || found;) {
        const struct expected *wanted = i < t->test->expect_count ? &t->test->expect[i] : NULL;
        bool same = wanted && found && matches(t, wanted, found);
        bool extra = found && !same && (!wanted || comes_later(t, wanted, found));
        bool missing = wanted && !same && !extra;
        bool wrong = missing && found && !is_expected_later(t, i, found);
        if (same) buffer_put_format(&t->report, "    = %.*s\n", STR_ARG(found_text(t, found)));
        if (missing) report_missing(t, wanted, wrong ? found : NULL);
        if (extra || wrong) report_extra(t, found);
        if (same || missing) i++;
        if (same || extra || wrong) found = next_output(found->next);
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
    struct relance_engine_options options = {.rules = t->set,
                                             .decide = note_decision,
                                             .context = t,
                                             .only = only,
                                             .variant = t->test->variant,
                                             .errors = true,
                                             .complete = true};
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

enum relance_status relance_ruleset_test(const struct relance_ruleset *rules, relance_test_done *done,
                                         void *context, struct relance_error *error)
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
        source_cursor_move(&t.place, t.test->source, t.test->begin);
        struct relance_test_result result = {.name = t.test->name,
                                             .file = t.test->source->name,
                                             .line = t.place.line.number,
                                             .passed = !t.failed};
        if (t.test->rule != NAME_NONE) result.rule = rules->rules[t.test->rule].name;
        if (t.failed) result.report = buffer_str(&t.report);
        if (!t.no_memory) done(context, &result);
    }
    arena_free(&t.arena);
    return t.no_memory ? relance_error_set(error, RELANCE_NO_MEMORY, "out of memory while testing rules")
                       : RELANCE_OK;
}
