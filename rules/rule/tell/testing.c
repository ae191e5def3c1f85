/* Runs the tests of a rule set: for each an engine of its own, virtual time, one customer; every send and
 * goal is compared with what was expected, in order. Why one is missing, why.c finds out. */
#include "rule/tell/testing.h"

#include "base/duration.h"
#include "base/rfc3339.h"
#include "json/json.h"

#include <math.h>
#include <relance/misfit.h>
#include <relance/model.h>

enum { MISFIT_WORDS_MAX = 256 };

/* ---- what happens */

/* Of an instant, by the zone that the customer has now. */
static int64_t local_seconds(struct relance_engine *e, int64_t time_ms)
{
    int64_t seconds = (time_ms - (time_ms % 1000 + 1000) % 1000) / 1000;
    return seconds + zone_offset(customer_zone(e), seconds);
}

static void note_output(void *context, const struct relance_decision *d)
{
    struct testing *t = context;
    if (!relance_decision_is_output(d)) return;
    struct output *output = ARENA_NEW(&t->arena, struct output);
    if (!output || !arena_copy_str(&t->arena, d->rule, &output->rule) ||
        !arena_copy_str(&t->arena, d->send, &output->send) ||
        !arena_copy_str(&t->arena, d->with, &output->with)) {
        t->no_memory = true;
        return;
    }
    output->time_ms = d->time_ms;
    if (t->test->has_local) output->local_s = local_seconds(t->engine, d->time_ms);
    output->outcome = d->outcome;
    output->value = d->value;
    *t->end = output;
    t->end = &output->next;
}

static void put_id(struct buffer *out, const char *key, str id)
{
    if (!id.size) return;
    buffer_put_str(out, str_of(key));
    buffer_put_json_string(out, id);
}

/* The event of an entry as a record: {"type", "customer", "visitor", "time", its fields}. An entry that names a visitor
 * and no customer is the visitor's alone. */
static str event_json(struct testing *t, const struct given_event *given)
{
    struct buffer out;
    buffer_init(&out, &t->arena);
    buffer_put_str(&out, STR("{\"type\":"));
    buffer_put_json_string(&out, given->type);
    str customer = given->customer.size || given->visitor.size ? given->customer : t->test->customer;
    put_id(&out, ",\"customer\":", customer);
    put_id(&out, ",\"visitor\":", given->visitor);
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
        const struct cel_type *type = e->set->attributes[number].type;
        if (event_coerce_json(&e->scratch, buffer_str(&json), type, &value))
            attribute_write(e, number, value, t->test->from_ms);
        else
            t->no_memory = true; /* that it fits has been checked */
    }
    segments_update(e, false, t->test->from_ms);
    dates_update(e);
    engine_settle_customer(e, customer);
}

/* ---- what has been learnt */

static str *texts_of(struct testing *t, const struct json *list)
{
    str *texts = ARENA_ARRAY(&t->arena, str, list->count + 1);
    size_t count = 0;
    for (const struct json *text = texts ? list->child : NULL; text; text = text->next)
        texts[count++] = text->text;
    return texts;
}

/* A version of the affinity that says what the test says. */
static struct relance_model *learnt_model(struct testing *t, const struct json *affinity, uint32_t number)
{
    struct relance_model_list *lists = ARENA_ARRAY(&t->arena, struct relance_model_list, affinity->count + 1);
    const struct relance_model_head head = {
        .number = 1, .recipe = t->set->affinities[number].recipe, .at_ms = t->test->from_ms};
    size_t count = 0;
    for (const struct json *list = lists ? affinity->child : NULL; list; list = list->next) {
        const str *texts = texts_of(t, list);
        if (!texts) return NULL;
        lists[count++] = (struct relance_model_list){list->key, texts, list->count};
    }
    return lists ? relance_model_of_lists(lists, count, &head) : NULL;
}

static void set_learnt(struct testing *t, struct relance_engine *e)
{
    for (const struct json *m = t->test->learnt ? t->test->learnt->child : NULL; m; m = m->next) {
        uint32_t number = names_find(&t->set->affinity_names, m->key);
        struct relance_model *model = number == NAME_NONE ? NULL : learnt_model(t, m, number);
        if (!model) t->no_memory = true; /* that it is declared has been checked */
        relance_engine_set_model(e, m->key, model);
        relance_model_release(model);
    }
}

/* An entry of `given` as the engine gets it. False: there is no way to read it. */
static bool make_record(struct testing *t, size_t i, struct relance_record *record)
{
    const struct given_event *given = &t->test->given[i];
    const struct relance_foreign *foreign = given->record;
    t->engine->unfolded.is_native = !foreign;
    *record = (struct relance_record){.topic = STR("-"), .offset = (int64_t)i, .timestamp_ms = RELANCE_NEVER};
    if (!foreign) {
        record->value = event_json(t, given);
        return true;
    }
    record->topic = foreign->topic;
    record->key = foreign->key;
    record->value = foreign->value;
    record->headers = foreign->headers;
    record->header_count = foreign->header_count;
    record->timestamp_ms = t->test->from_ms + given->after_ms;
    if (!t->set->mapping)
        buffer_put_format(&t->unread,
                          "  entry %zu of 'given' is a record: `relance test --mapping "
                          "PRESET|FILE` reads it\n",
                          i + 1);
    return t->set->mapping && foreign->value.size;
}

static void note_fate(struct testing *t, size_t i, const struct relance_fate *fate)
{
    if (fate->kind == RELANCE_DEAD)
        buffer_put_format(&t->unread, "  event %zu of 'given' cannot be read: %.*s%s%.*s\n", i + 1,
                          STR_ARG(fate->reason), fate->sentence.size ? ": " : "", STR_ARG(fate->sentence));
    if (!t->test->given[i].record) return;
    if (fate->unmapped)
        buffer_put_format(&t->passed, "  entry %zu of 'given' is for no row of the mapping\n", i + 1);
    for (size_t m = 0; m < fate->misfit_count; m++) {
        char words[MISFIT_WORDS_MAX];
        size_t size = relance_misfit_tell(&fate->misfits[m], words, sizeof words);
        if (size > sizeof words) size = sizeof words;
        buffer_put_format(&t->passed, "  of entry %zu of 'given' is left out: %.*s\n", i + 1, (int)size,
                          words);
    }
}

static void play_given(struct testing *t, struct relance_engine *e, int64_t until_ms)
{
    int64_t end_ms = until_ms < t->test->until_ms ? until_ms : t->test->until_ms;
    for (size_t i = 0; i < t->test->given_count && t->test->given[i].after_ms <= until_ms; i++) {
        struct relance_fate fate = {0};
        struct relance_record record;
        if (!make_record(t, i, &record)) continue;
        do {
            if (relance_engine_record(e, &record, &fate) != RELANCE_DONE) t->no_memory = true;
            note_fate(t, i, &fate);
        } while (fate.more);
    }
    if (relance_engine_run_until(e, t->test->from_ms + end_ms) != RELANCE_DONE) t->no_memory = true;
}

/* As --forget-visitors-after is when nobody says otherwise: 30 days. */
#define VISITORS_MS 2592000000

struct relance_engine *testing_play(struct testing *t, struct relance_engine_options options,
                                    int64_t until_ms)
{
    options.rules = t->set;
    options.variant = t->test->variant;
    options.complete = true;
    options.state_bytes = t->options->state_bytes;
    options.forget_visitors_after_ms = VISITORS_MS;
    options.excerpt = &t->test->excerpt;
    buffer_init(&t->unread, &t->arena);
    buffer_init(&t->passed, &t->arena);
    struct relance_engine *e = relance_engine_new(&options);
    if (!e) {
        t->no_memory = true;
        return NULL;
    }
    t->engine = e;
    relance_engine_set_clock(e, t->test->from_ms);
    set_learnt(t, e);
    start_customer(t, e);
    play_given(t, e, until_ms);
    return e;
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

static bool time_matches(const struct testing *t, const struct expected *wanted, const struct output *found)
{
    return wanted->at.size ? wanted->at_s == found->local_s
                           : t->test->from_ms + wanted->after_ms == found->time_ms;
}

static bool matches(struct testing *t, const struct expected *wanted, const struct output *found)
{
    if (!time_matches(t, wanted, found)) return false;
    if (wanted->rule.size && !str_equal(wanted->rule, found->rule)) return false;
    if (!wanted->send.size) return found->outcome == RELANCE_OUTCOME_GOAL && wanted->goal == found->value;
    if (found->outcome != (wanted->held ? RELANCE_OUTCOME_HELD : RELANCE_OUTCOME_SENT)) return false;
    return str_equal(wanted->send, found->send) && payload_matches(t, wanted->with, found->with);
}

/* ---- reporting */

/* "3h", and where the test says some of its times by the clock, "3h (2026-03-12 17:00:00)". */
static void put_time(const struct testing *t, const struct output *d, struct buffer *out)
{
    char text[RFC3339_SECONDS_SIZE];
    duration_put(out, d->time_ms - t->test->from_ms);
    if (!t->test->has_local) return;
    rfc3339_print_seconds(d->local_s, text);
    buffer_put_format(out, " (%.10s %.8s)", text, text + 11);
}

static str found_text(struct testing *t, const struct output *d)
{
    struct buffer out;
    buffer_init(&out, &t->arena);
    put_time(t, d, &out);
    buffer_put_format(&out, " %.*s ", STR_ARG(d->rule));
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
    if (wanted->rule.size || !t->test->alone) return wanted->rule;
    return t->set->rules[t->test->rule].name;
}

static str wanted_text(struct testing *t, const struct expected *wanted)
{
    struct buffer out;
    buffer_init(&out, &t->arena);
    str rule = wanted_rule(t, wanted);
    if (wanted->at.size)
        buffer_put_str(&out, wanted->at);
    else
        duration_put(&out, wanted->after_ms);
    buffer_put_format(&out, " %.*s%s", STR_ARG(rule), rule.size ? " " : "");
    if (wanted->send.size) {
        buffer_put_format(&out, "%s%.*s", wanted->held ? "held " : "", STR_ARG(wanted->send));
        if (wanted->with) buffer_put_char(&out, ' '), json_write(wanted->with, &out);
    } else {
        buffer_put_str(&out, STR("goal "));
        cel_print_double(wanted->goal, &out);
    }
    return buffer_str(&out);
}

/* ---- expected against actual */

static bool is_sent_otherwise(struct testing *t, const struct expected *wanted, const struct output *found)
{
    return found && time_matches(t, wanted, found) && str_equal(wanted->send, found->send) &&
           (!wanted->rule.size || str_equal(wanted->rule, found->rule));
}

static void report_missing(struct testing *t, const struct expected *wanted, const struct output *found)
{
    t->failed = true;
    buffer_put_format(&t->report, "    - expected %.*s\n", STR_ARG(wanted_text(t, wanted)));
    enum { WHYS_MAX = 20 /* each plays the test once more */ };
    if (!is_sent_otherwise(t, wanted, found) && t->whys++ < WHYS_MAX)
        why_missing(t, wanted, wanted_rule(t, wanted));
}

static void report_extra(struct testing *t, const struct output *found)
{
    t->failed = true;
    buffer_put_format(&t->report, "    + came     %.*s\n", STR_ARG(found_text(t, found)));
}

static bool comes_later(struct testing *t, const struct expected *wanted, const struct output *found)
{
    while (found && !matches(t, wanted, found))
        found = found->next;
    return found;
}

static bool is_expected_later(struct testing *t, size_t i, const struct output *found)
{
    while (i < t->test->expect_count && !matches(t, &t->test->expect[i], found))
        i++;
    return i < t->test->expect_count;
}

/* Line by line: what both have, what is missing, what is too much. Where they differ, one side goes ahead to
 * where they meet again; where they do not, the line is wrong on both. */
static void compare(struct testing *t)
{
    const struct output *found = t->first;
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
        if (same || extra || wrong) found = found->next;
    }
}

/* ---- the whole */

static void run_test(struct testing *t)
{
    struct relance_engine_options options = {
        .decide = note_output, .context = t, .coverage = t->options->coverage};
    relance_engine_free(testing_play(t, options, RELANCE_NEVER));
    t->failed = t->unread.size > 0;
    buffer_put_str(&t->report, buffer_str(&t->unread));
    buffer_put_str(&t->report, buffer_str(&t->passed));
    compare(t);
}

/* The name of a test's rule; empty: rules run together. */
static str test_rule(const struct relance_ruleset *rules, const struct rule_test *test)
{
    return test->rule == NAME_NONE ? (str){0} : rules->rules[test->rule].name;
}

static bool text_has(str text, str part)
{
    return !part.size || (text.size && memmem(text.data, text.size, part.data, part.size));
}

static bool test_wanted(const struct relance_ruleset *rules, const struct rule_test *test, str filter)
{
    return text_has(test->name, filter) || text_has(test_rule(rules, test), filter);
}

size_t relance_ruleset_test_count(const struct relance_ruleset *rules, struct relance_str filter)
{
    size_t count = 0;
    for (size_t i = 0; i < rules->test_count; i++)
        count += test_wanted(rules, &rules->tests[i], filter);
    return count;
}

enum relance_status relance_ruleset_test(const struct relance_ruleset *rules,
                                         const struct relance_test_options *options,
                                         struct relance_error *error)
{
    struct testing t = {.set = rules, .options = options};
    arena_init(&t.arena, 0);
    for (size_t i = 0; i < rules->test_count && !t.no_memory; i++) {
        if (!test_wanted(rules, &rules->tests[i], options->filter)) continue;
        arena_reset(&t.arena);
        buffer_init(&t.report, &t.arena);
        t.test = &rules->tests[i];
        t.whys = 0;
        t.first = NULL;
        t.end = &t.first;
        run_test(&t);
        source_cursor_move(&t.place, t.test->source, t.test->begin);
        struct relance_test_result result = {.rule = test_rule(rules, t.test),
                                             .name = t.test->name,
                                             .file = t.test->source->name,
                                             .line = t.place.line.number,
                                             .passed = !t.failed};
        if (t.failed) result.report = buffer_str(&t.report);
        if (!t.no_memory) options->done(options->context, &result);
    }
    arena_free(&t.arena);
    return t.no_memory ? relance_error_set(error, RELANCE_NO_MEMORY, "out of memory while testing rules")
                       : RELANCE_OK;
}
