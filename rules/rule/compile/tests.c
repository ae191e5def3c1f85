/* Tests of rule files, read and checked when the set is compiled; testing.c runs them.
 *
 * What a test is about is a part of the set: the rule that it stands in, or the rules of its file, under the zone and the
 * limits of that file; or the rules that it names, under all that the set has. What it is given is checked here: a
 * field that is misspelt would leave a test that claims nothing. */
#include "rule/compile/compile.h"

#include "base/duration.h"
#include "base/limits.h"
#include "base/nearest.h"
#include "base/rfc3339.h"
#include "mapping/build.h"

#include <stdio.h>

#define TEST_UNTIL_MS (120 * INT64_C(86400000))

struct test_reader {
    struct compiler *c;
    const struct source *source;
    struct rule_test *test;
};

/* ---- what a test is given */

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

/* An attribute and its value, of the customer or of an `identify`. */
static void check_attribute(struct test_reader *r, const struct json *m)
{
    uint32_t number = names_find(&r->c->set->names.attributes, m->key);
    if (number != NAME_NONE)
        check_fit(r->c, r->source, m, r->c->set->attributes[number].type, NULL);
    else
        gather_error_at_key(r->c->diag, r->source, m, section_hint(&r->c->files.customer, m->key, r->c->diag),
                            "attribute '%.*s' is not declared in 'customer'", STR_ARG(m->key));
}

static void check_id(struct test_reader *r, const struct json *m, const char *whose)
{
    if (m->kind != JSON_STRING || !m->text.size)
        gather_error(r->c->diag, r->source, m, (str){0}, "%s id is a text", whose);
}

static void read_customer(struct test_reader *r, const struct json *customer)
{
    r->test->customer = STR("c1");
    r->test->attributes = customer;
    for (const struct json *m = customer ? customer->child : NULL; m; m = m->next) {
        if (!str_equal(m->key, STR("id"))) {
            check_attribute(r, m);
            continue;
        }
        check_id(r, m, "a customer's");
        r->test->customer = m->text;
    }
}

/* A declared field of an event and its value. */
static void check_field(struct test_reader *r, const struct event_type *type, const struct json *m)
{
    struct nearest nearest = nearest_to(m->key);
    size_t i = 0;
    while (i < type->field_count && !str_equal(type->fields[i].name, m->key))
        nearest_offer(&nearest, type->fields[i++].name);
    if (i < type->field_count)
        check_fit(r->c, r->source, m, type->fields[i].type, NULL);
    else
        gather_error_at_key(r->c->diag, r->source, m, nearest_hint(&nearest, r->c->scratch),
                            "event '%.*s' has no field '%.*s'", STR_ARG(type->name), STR_ARG(m->key));
}

/* Of an event its fields, and its `id`, may be said; of an `identify` also attributes that have a source, which it
 * leaves alone. */
static void check_fields(struct test_reader *r, const struct json *event)
{
    const struct relance_ruleset *set = r->c->set;
    uint32_t number = names_find(&set->names.types, event->key);
    if (number == NAME_NONE || event->kind != JSON_OBJECT) return;
    for (const struct json *m = event->child; m; m = m->next)
        if (str_equal(m->key, STR("id")))
            check_id(r, m, "an event's");
        else if (number == set->identify)
            check_attribute(r, m);
        else
            check_field(r, set->types[number].reader, m);
}

/* `"visitor": "v1"` and `"customer": "c1"` beside the event; a type of event with that name has an object. */
static bool read_whose(struct test_reader *r, const struct json *m, struct given_event *out)
{
    bool visitor = str_equal(m->key, STR("visitor"));
    if ((!visitor && !str_equal(m->key, STR("customer"))) || m->kind == JSON_OBJECT) return false;
    check_id(r, m, visitor ? "a visitor's" : "a customer's");
    *(visitor ? &out->visitor : &out->customer) = m->text;
    return true;
}

/* `"record": {…}` is read through the set's mapping; a type of event with that name is an event. */
static bool is_record(const struct test_reader *r, const struct json *m)
{
    return str_equal(m->key, STR("record")) && names_find(&r->c->set->names.types, m->key) == NAME_NONE;
}

static void read_record(struct test_reader *r, const struct json *m, struct given_event *out)
{
    struct relance_foreign *record = ARENA_NEW(r->c->keep, struct relance_foreign);
    if (!record) {
        r->c->diag->failed = true;
        return;
    }
    mapping_record_read(r->c->keep, r->source, m, "'record'", record, r->c->diag);
    out->record = record;
}

static void read_event(struct test_reader *r, const struct json *m)
{
    struct compiler *c = r->c;
    if (names_find(&c->set->names.types, m->key) == NAME_NONE)
        gather_error_at_key(c->diag, r->source, m, section_hint(&c->files.events, m->key, c->diag),
                            "event type '%.*s' is not declared in 'events'", STR_ARG(m->key));
    if (m->kind != JSON_OBJECT)
        gather_error(c->diag, r->source, m, (str){0}, "an event is an object of its fields");
    check_fields(r, m);
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
        if (read_whose(r, m, out)) continue;
        if (out->type.size)
            gather_error_at_key(c->diag, r->source, m, (str){0}, "an entry of 'given' holds one event");
        if (is_record(r, m))
            read_record(r, m, out);
        else
            read_event(r, m);
        out->type = m->key;
        out->fields = m;
    }
    if (!out->type.size)
        gather_error(c->diag, r->source, item, STR("such as {\"t\": \"30m\", \"purchase\": {\"total\": 65}}"),
                     "an entry of 'given' holds one event");
    if (out->record && (out->customer.size || out->visitor.size))
        gather_error(c->diag, r->source, item, (str){0}, "whose event a record holds, the mapping says");
}

/* "2026-03-12 17:00", seconds or not, in seconds, as if it were UTC. */
static bool parse_local(str text, int64_t *seconds)
{
    char instant[sizeof "2026-03-12T17:00:00Z"];
    int32_t nanos;
    bool whole = text.size == 19;
    if ((!whole && text.size != 16) || text.data[10] != ' ') return false;
    snprintf(instant, sizeof instant, "%.10sT%.*s%sZ", text.data, whole ? 8 : 5, text.data + 11,
             whole ? "" : ":00");
    return rfc3339_parse(str_of(instant), seconds, &nanos);
}

/* About when that is: the zone may have changed until then. */
static int64_t local_after_ms(const struct test_reader *r, int64_t seconds)
{
    const struct rule_test *test = r->test;
    const struct json *tz =
        test->attributes && r->c->set->tz_attribute != NAME_NONE ? json_member(test->attributes, "tz") : NULL;
    const struct zone *zone = tz && tz->kind == JSON_STRING ? zone_find(r->c->set->zones, tz->text) : NULL;
    return zone_instant(zone ? zone : test->excerpt.zone, seconds) * 1000 - test->from_ms;
}

static void read_when(struct test_reader *r, const struct json *item, bool sound, struct expected *out)
{
    struct compiler *c = r->c;
    const struct json *t = keyword_get(item, PLACE_EXPECT, "t"), *at = keyword_get(item, PLACE_EXPECT, "at");
    if (!t == !at && sound)
        gather_error(c->diag, r->source, item, (str){0},
                     "an entry of 'expect' needs either 't', when after 'from', or 'at', when by the "
                     "customer's clock");
    if (t) duration_parse(t->text, &out->after_ms);
    if (!at) return;
    if (!parse_local(at->text, &out->at_s)) {
        gather_error(c->diag, r->source, at, (str){0}, "'at' is a local time, such as \"2026-03-12 17:00\"");
        return;
    }
    out->at = at->text;
    out->after_ms = local_after_ms(r, out->at_s);
    r->test->has_local = true;
}

static void read_expected(struct test_reader *r, const struct json *item, struct expected *out)
{
    struct compiler *c = r->c;
    bool sound = keyword_check(r->source, item, PLACE_EXPECT, "an entry of 'expect'", c->diag);
    if (item->kind != JSON_OBJECT) return;
    const struct json *send = keyword_get(item, PLACE_EXPECT, "send"), *goal = json_member(item, "goal");
    const struct json *rule = keyword_get(item, PLACE_EXPECT, "rule"), *held = json_member(item, "held");
    out->node = item;
    read_when(r, item, sound, out);
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

/* ---- what has been learnt */

static void read_learnt_lists(struct test_reader *r, const struct json *affinity)
{
    if (affinity->kind != JSON_OBJECT) {
        gather_error(r->c->diag, r->source, affinity, STR("such as {\"tent\": [\"mat\", \"lamp\"]}"),
                     "what goes with what is an object: each product, and a list of others");
        return;
    }
    for (const struct json *list = affinity->child; list; list = list->next)
        if (!keyword_is_texts(list))
            gather_error(r->c->diag, r->source, list, (str){0},
                         "what goes with a product is a list of texts");
}

static void read_learnt(struct test_reader *r, const struct json *learnt)
{
    r->test->learnt = learnt;
    for (const struct json *m = learnt ? learnt->child : NULL; m; m = m->next) {
        if (names_find(&r->c->set->affinity_names, m->key) == NAME_NONE)
            gather_error_at_key(r->c->diag, r->source, m,
                                section_hint(&r->c->files.affinities, m->key, r->c->diag),
                                "affinity '%.*s' is not declared in 'affinities'", STR_ARG(m->key));
        read_learnt_lists(r, m);
    }
}

/* ---- the part of the set that runs */

/* The rules that the test names: under all that the set has. */
static void read_rules(struct test_reader *r, const struct json *node)
{
    struct compiler *c = r->c;
    struct relance_excerpt *excerpt = &r->test->excerpt;
    *excerpt = (struct relance_excerpt){
        .all_rules = node->kind == JSON_STRING, .tz = c->set->tz, .zone = c->set->zone};
    uint32_t *rules = ARENA_ARRAY(c->keep, uint32_t, node->count + 1);
    if (!rules) c->diag->failed = true;
    for (const struct json *name = rules ? node->child : NULL; name; name = name->next) {
        uint32_t rule = names_find(&c->set->names.rules, name->text);
        if (rule != NAME_NONE)
            rules[excerpt->rules.count++] = rule;
        else
            gather_error(c->diag, r->source, name, section_hint(&c->files.rules, name->text, c->diag),
                         "there is no rule '%.*s'", STR_ARG(name->text));
    }
    if (rules) sort_numbers(rules, excerpt->rules.count);
    excerpt->rules.types = rules;
}

/* The rule that the test stands in, or the rules of its file, under the zone and the limits of the file. */
static struct relance_excerpt excerpt_of(struct compiler *c, const struct source *source, uint32_t rule,
                                         const struct type_list *by_file)
{
    bool own_zone = c->files.tz.source == source;
    str tz = own_zone ? c->set->tz : STR("UTC");
    struct relance_excerpt excerpt = {
        .limits = source, .tz = tz, .zone = own_zone ? c->set->zone : zone_find(c->set->zones, tz)};
    if (rule == NAME_NONE) {
        excerpt.rules = by_file[source->order];
        return excerpt;
    }
    uint32_t *number = ARENA_NEW(c->keep, uint32_t);
    if (!number) {
        c->diag->failed = true;
        return excerpt;
    }
    *number = rule;
    excerpt.rules = (struct type_list){1, number};
    return excerpt;
}

/* By file, the numbers of the rules in it, ascending. NULL without memory. */
static struct type_list *rules_by_file(struct compiler *c)
{
    const struct relance_ruleset *set = c->set;
    struct type_list *lists = ARENA_ARRAY(c->scratch, struct type_list, c->files.source_count + 1);
    size_t *ends = ARENA_ARRAY(c->scratch, size_t, c->files.source_count + 1);
    uint32_t *numbers = ARENA_ARRAY(c->keep, uint32_t, set->rule_count + 1);
    if (!lists || !ends || !numbers) return NULL;
    for (size_t i = 0; i < set->rule_count; i++)
        ends[set->rules[i].point.source->order]++;
    for (size_t i = 0, at = 0; i < c->files.source_count; at += ends[i++])
        lists[i].types = numbers + at;
    for (uint32_t i = 0; i < set->rule_count; i++) {
        struct type_list *list = &lists[set->rules[i].point.source->order];
        ((uint32_t *)list->types)[list->count++] = i;
    }
    return lists;
}

/* ---- the whole */

/* Some rule that the test runs should have the variant: a slip of the pen leaves it to the customer's id. */
static void read_variant(struct test_reader *r, const struct json *variant)
{
    const struct relance_ruleset *set = r->c->set;
    size_t begin = r->test->alone ? r->test->rule : 0, end = r->test->alone ? begin + 1 : set->rule_count;
    struct nearest nearest = nearest_to(variant->text);
    r->test->variant = variant->text;
    for (size_t i = begin; i < end; i++)
        for (size_t v = 0; v < set->rules[i].variant_count; v++) {
            if (str_equal(set->rules[i].variants[v].name, variant->text)) return;
            nearest_offer(&nearest, set->rules[i].variants[v].name);
        }
    diag_add(r->c->diag, SEVERITY_WARNING, (struct origin){.source = r->source}, variant->begin, variant->end,
             nearest_hint(&nearest, r->c->scratch), "%s has no variant '%.*s': the customer's id decides",
             r->test->alone ? "the rule" : "the set", STR_ARG(variant->text));
}

static void compile_test(struct compiler *c, const struct source *source, const struct json *node,
                         uint32_t rule, const struct type_list *by_file)
{
    struct rule_test *test = &c->set->tests[c->set->test_count++];
    struct test_reader r = {c, source, test};
    *test =
        (struct rule_test){.rule = rule, .source = source, .begin = node->begin, .until_ms = TEST_UNTIL_MS};
    bool sound = keyword_check(source, node, PLACE_TEST, "a test", c->diag);
    if (node->kind != JSON_OBJECT) return;
    const struct json *name = keyword_get(node, PLACE_TEST, "name"),
                      *variant = keyword_get(node, PLACE_TEST, "variant");
    const struct json *until = keyword_get(node, PLACE_TEST, "until"),
                      *rules = keyword_get(node, PLACE_TEST, "rules");
    test->name = name ? name->text : STR("(without a name)");
    test->until_ms = compile_duration(c, source, until, TEST_UNTIL_MS);
    test->alone = rule != NAME_NONE && !rules;
    if (variant) read_variant(&r, variant);
    if (rules)
        read_rules(&r, rules);
    else
        test->excerpt = excerpt_of(c, source, rule, by_file);
    if (!json_member(node, "expect") && sound)
        gather_error(c->diag, source, node, STR("an empty list: nothing may be sent"),
                     "a test needs 'expect'");
    read_from(&r, node);
    read_customer(&r, keyword_get(node, PLACE_TEST, "customer"));
    read_learnt(&r, keyword_get(node, PLACE_TEST, "learnt"));
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
    const struct type_list *by_file = rules_by_file(c);
    c->set->tests = ARENA_ARRAY(c->keep, struct rule_test, bound);
    if (!c->set->tests || !by_file) {
        c->diag->failed = true;
        return;
    }
    for (size_t i = 0; i < rules->count; i++) {
        const struct json *list = keyword_get(rules->items[i].value, PLACE_RULE, "tests");
        uint32_t rule = names_find(&c->set->names.rules, rules->items[i].name);
        for (const struct json *node = list ? list->child : NULL; node; node = node->next)
            compile_test(c, rules->items[i].source, node, rule, by_file);
    }
    for (size_t i = 0; i < tests->count; i++)
        compile_test(c, tests->items[i].source, tests->items[i].value, NAME_NONE, by_file);
}
