/* Tests of rule files, read and checked when the set is compiled; testing.c runs them. */
#include "rule/compile/compile.h"

#include "base/buffer.h"
#include "base/duration.h"
#include "base/limits.h"
#include "base/rfc3339.h"

#define TEST_UNTIL_MS (120 * INT64_C(86400000))

struct test_reader {
    struct compiler *c;
    const struct source *source;
    struct rule_test *test;
    struct event_reader *values; /* of events and attributes; NULL: the set has mistakes, types perhaps */
};

/* A value that does not fit is absent, as it would be from a shop; in a test it is hardly meant. */
static void suspect_value(struct test_reader *r, const struct json *m, const struct cel_type *type)
{
    struct compiler *c = r->c;
    struct buffer json;
    struct cel_value value;
    if (!r->values) return;
    buffer_init(&json, c->work);
    json_write(m, &json);
    bool fits = event_coerce_json_by(r->values, c->work, buffer_str(&json), type, &value);
    c->diag->failed |= json.failed || value.kind == CEL_ERROR;
    arena_reset(c->work);
    if (fits) return;
    str noun = cel_type_noun(c->scratch, type);
    diag_add(c->diag, SEVERITY_WARNING, (struct origin){.source = r->source}, m->begin, m->end, (str){0},
             "this is not %.*s, so '%.*s' is left out", STR_ARG(noun), STR_ARG(m->key));
}

static void suspect_fields(struct test_reader *r, const struct json *event, const struct event_type *type)
{
    for (const struct json *m = event->child; m; m = m->next)
        for (size_t i = 0; i < type->field_count; i++)
            if (str_equal(type->fields[i].name, m->key)) suspect_value(r, m, type->fields[i].type);
}

static void read_from(struct test_reader *r, const struct json *node)
{
    const struct json *from = keyword_get(node, PLACE_TEST, "from");
    int64_t seconds = 0;
    int32_t nanos = 0;
    if (!json_member(node, "from"))
        gather_error(r->c->diag, r->source, node, (str){0}, "a test needs 'from': when its clock starts");
    else if (from && !rfc3339_parse(from->text, &seconds, &nanos))
        gather_error(r->c->diag, r->source, from, (str){0},
                     "'from' is an instant, such as \"2026-03-02T10:00:00Z\"");
    r->test->from_ms = seconds * 1000 + nanos / 1000000;
}

static void read_customer(struct test_reader *r, const struct json *customer)
{
    r->test->customer = STR("c1");
    r->test->attributes = customer;
    for (const struct json *m = customer ? customer->child : NULL; m; m = m->next) {
        if (str_equal(m->key, STR("id"))) {
            if (m->kind == JSON_STRING && m->text.size)
                r->test->customer = m->text;
            else
                gather_error(r->c->diag, r->source, m, (str){0}, "a customer's id is a text");
        } else if (names_find(&r->c->set->names.attributes, m->key) == NAME_NONE) {
            gather_error_at_key(r->c->diag, r->source, m,
                                section_hint(&r->c->files.customer, m->key, r->c->diag),
                                "attribute '%.*s' is not declared in 'customer'", STR_ARG(m->key));
        } else {
            uint32_t number = names_find(&r->c->set->names.attributes, m->key);
            suspect_value(r, m, r->c->set->attributes[number].type);
        }
    }
}

static void read_given(struct test_reader *r, const struct json *item, struct given_event *out)
{
    struct compiler *c = r->c;
    for (const struct json *m = item->child; m; m = m->next) {
        if (str_equal(m->key, STR("t"))) {
            if (m->kind != JSON_STRING || !duration_parse(m->text, &out->after_ms))
                gather_error(c->diag, r->source, m, (str){0}, "'t' is a time after 'from', such as \"30m\"");
            continue;
        }
        if (out->type.size)
            gather_error_at_key(c->diag, r->source, m, (str){0}, "an entry of 'given' holds one event");
        uint32_t type = names_find(&c->set->names.types, m->key);
        if (type == NAME_NONE)
            gather_error_at_key(c->diag, r->source, m, section_hint(&c->files.events, m->key, c->diag),
                                "event type '%.*s' is not declared in 'events'", STR_ARG(m->key));
        else if (m->kind == JSON_OBJECT)
            suspect_fields(r, m, c->set->types[type].reader);
        if (m->kind != JSON_OBJECT)
            gather_error(c->diag, r->source, m, (str){0}, "an event is an object of its fields");
        out->type = m->key;
        out->fields = m;
    }
    if (!out->type.size)
        gather_error(c->diag, r->source, item, STR("such as {\"t\": \"30m\", \"purchase\": {\"total\": 65}}"),
                     "an entry of 'given' holds one event");
}

static void read_expected(struct test_reader *r, const struct json *item, struct expected *out)
{
    struct compiler *c = r->c;
    bool sound = keyword_check(r->source, item, PLACE_EXPECT, "an entry of 'expect'", c->diag);
    if (item->kind != JSON_OBJECT) return;
    const struct json *t = keyword_get(item, PLACE_EXPECT, "t"),
                      *send = keyword_get(item, PLACE_EXPECT, "send"), *goal = json_member(item, "goal");
    const struct json *rule = keyword_get(item, PLACE_EXPECT, "rule"), *held = json_member(item, "held");
    out->node = item;
    if (sound && (!t || !duration_parse(t->text, &out->after_ms)))
        gather_error(c->diag, r->source, item, (str){0},
                     "an entry of 'expect' needs 't': when, after 'from'");
    if (!send == !goal && (sound || send))
        gather_error(c->diag, r->source, item, (str){0},
                     "an entry of 'expect' is either a 'send' or a 'goal'");
    if (goal && goal->kind != JSON_NUMBER)
        gather_error(c->diag, r->source, goal, (str){0}, "'goal' is the number that it is worth");
    if (rule && names_find(&c->set->names.rules, rule->text) == NAME_NONE)
        gather_error(c->diag, r->source, rule, section_hint(&c->files.rules, rule->text, c->diag),
                     "there is no rule '%.*s'", STR_ARG(rule->text));
    out->rule = rule ? rule->text : (str){0};
    out->send = send ? send->text : (str){0};
    out->goal = goal ? goal->number : 0;
    out->held = held && held->boolean;
    out->with = json_member(item, "with");
}

static void read_lists(struct test_reader *r, const struct json *given, const struct json *expect)
{
    struct given_event *events = ARENA_ARRAY(r->c->keep, struct given_event, given ? given->count + 1 : 1);
    struct expected *expected = ARENA_ARRAY(r->c->keep, struct expected, expect ? expect->count + 1 : 1);
    if (!events || !expected) {
        r->c->diag->failed = true;
        return;
    }
    for (const struct json *item = given ? given->child : NULL; item; item = item->next)
        read_given(r, item, &events[r->test->given_count++]);
    for (const struct json *item = expect ? expect->child : NULL; item; item = item->next)
        read_expected(r, item, &expected[r->test->expect_count++]);
    r->test->given = events;
    r->test->expect = expected;
}

static void compile_test(struct compiler *c, struct event_reader *values, const struct source *source,
                         const struct json *node, uint32_t rule)
{
    struct rule_test *test = &c->set->tests[c->set->test_count++];
    struct test_reader r = {c, source, test, values};
    *test =
        (struct rule_test){.rule = rule, .source = source, .begin = node->begin, .until_ms = TEST_UNTIL_MS};
    bool sound = keyword_check(source, node, PLACE_TEST, "a test", c->diag);
    if (node->kind != JSON_OBJECT) return;
    const struct json *name = keyword_get(node, PLACE_TEST, "name"),
                      *variant = keyword_get(node, PLACE_TEST, "variant");
    const struct json *until = keyword_get(node, PLACE_TEST, "until");
    test->name = name ? name->text : STR("(without a name)");
    test->variant = variant ? variant->text : (str){0};
    test->until_ms = compile_duration(c, source, until, TEST_UNTIL_MS);
    if (!json_member(node, "expect") && sound)
        gather_error(c->diag, source, node, STR("an empty list: nothing may be sent"),
                     "a test needs 'expect'");
    read_from(&r, node);
    read_customer(&r, keyword_get(node, PLACE_TEST, "customer"));
    read_lists(&r, keyword_get(node, PLACE_TEST, "given"), keyword_get(node, PLACE_TEST, "expect"));
}

void compile_tests(struct compiler *c)
{
    const struct section *rules = &c->files.rules, *tests = &c->files.tests;
    size_t bound = tests->count + 1;
    for (size_t i = 0; i < rules->count; i++) {
        const struct json *list = keyword_get(rules->items[i].value, PLACE_RULE, "tests");
        bound += list ? list->count : 0;
    }
    if (bound - 1 > LIMIT_TESTS) {
        diag_add(c->diag, SEVERITY_ERROR, (struct origin){0}, 0, 0, (str){0},
                 "there are %zu tests; a rule set has at most %u", bound - 1, LIMIT_TESTS);
        return;
    }
    c->set->tests = ARENA_ARRAY(c->keep, struct rule_test, bound);
    if (!c->set->tests) {
        c->diag->failed = true;
        return;
    }
    struct event_reader *values = c->diag->error_count ? NULL : event_reader_new();
    c->diag->failed |= !values && !c->diag->error_count;
    for (size_t i = 0; i < rules->count; i++) {
        const struct json *list = keyword_get(rules->items[i].value, PLACE_RULE, "tests");
        uint32_t rule = names_find(&c->set->names.rules, rules->items[i].name);
        for (const struct json *node = list ? list->child : NULL; node; node = node->next)
            compile_test(c, values, rules->items[i].source, node, rule);
    }
    for (size_t i = 0; i < tests->count; i++)
        compile_test(c, values, tests->items[i].source, tests->items[i].value, NAME_NONE);
    event_reader_free(values);
}
