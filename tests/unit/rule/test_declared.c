/* What a set may declare, at N and at N + 1, and what all its expressions together may cost. */
#include "rig.h"

#include "base/limits.h"

#include <criterion/criterion.h>
#include <relance/listing.h>

static struct arena arena;
static struct relance_ruleset *rules;
static struct relance_report *report;

static void setup(void)
{
    arena_init(&arena, 0);
}

static void teardown(void)
{
    relance_report_free(report);
    relance_ruleset_free(rules);
    arena_free(&arena);
}

TestSuite(declared, .init = setup, .fini = teardown, .timeout = 300);

static enum relance_status compile(const struct buffer *text)
{
    struct relance_error error = {0};
    struct relance_source source = {.name = STR("rules.jsonc"), .text = buffer_str(text)};
    cr_assert_not(text->failed);
    relance_report_free(report);
    relance_ruleset_free(rules);
    rules = NULL;
    return relance_ruleset_compile(&source, 1, zone_file, &arena, &rules, &report, &error);
}

static void expect_said(const char *part)
{
    str text = relance_report_text(report);
    cr_expect(text.size && memmem(text.data, text.size, part, strlen(part)), "%s is not in\n%.*s", part,
              (int)(text.size < 500 ? text.size : 500), text.data);
}

/* `item` holds %zu: its number. */
static void put_items(struct buffer *text, const char *item, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i) buffer_put_char(text, ',');
        buffer_put_format(text, item, i);
    }
}

static struct buffer many(const char *before, const char *item, size_t count, const char *behind)
{
    struct buffer text;
    arena_reset(&arena);
    buffer_init(&text, &arena);
    buffer_put_str(&text, str_of(before));
    put_items(&text, item, count);
    buffer_put_str(&text, str_of(behind));
    return text;
}

#define ONE_RULE "\"events\":{\"e\":{\"n\":\"int\"}},\"rules\":{\"r\":{\"on\":\"e\","

Test(declared, as_many_as_there_may_be_and_not_one_more)
{
    static const struct {
        const char *before, *item, *behind;
        size_t most;
        const char *message;
    } rows[] = {
        {"{\"events\":{\"e\":{}},\"rules\":{", "\"r%zu\":{\"on\":\"e\",\"do\":[{\"send\":\"x\"}]}", "}}",
         LIMIT_RULES, "a rule set has at most 20000 rules"},
        {"{\"events\":{\"e\":{}},\"rules\":{},\"counts\":{", "\"c%zu\":{\"on\":\"e\"}", "}}", LIMIT_COUNTS,
         "a rule set has at most 10000 counts"},
        {"{\"events\":{\"e\":{\"p\":\"string\"}},\"rules\":{},\"lists\":{",
         "\"l%zu\":{\"on\":\"e\",\"by\":\"event.p\"}", "}}", LIMIT_LISTS, "a rule set has at most 256 lists"},
        {"{\"events\":{\"e\":{\"p\":\"string\"}},\"rules\":{},\"affinities\":{",
         "\"a%zu\":{\"from\":[{\"on\":\"e\",\"by\":\"event.p\"}],\"within\":\"1d\"}", "}}", LIMIT_AFFINITIES,
         "a rule set has at most 16 affinities"},
        {"{\"events\":{\"e\":{\"p\":\"string\"}},\"rules\":{},\"affinities\":{\"a\":{\"within\":\"1d\","
         "\"from\":[",
         "{\"on\":\"e\",\"by\":\"event.p\",\"weight\":1%zu}", "]}}}", LIMIT_AFFINITY_SOURCES,
         "'from' has 1 to 16 entries"},
        {"{\"rules\":{},\"segments\":{", "\"s%zu\":\"1 > 2\"", "}}", LIMIT_SEGMENTS,
         "a rule set has at most 1000 segments"},
        {"{\"rules\":{},\"events\":{", "\"e%zu\":{}", "}}", LIMIT_EVENT_TYPES,
         "a rule set has at most 4096 events"},
        {"{\"rules\":{},\"types\":{", "\"t%zu\":{}", "}}", LIMIT_RECORDS,
         "a rule set has at most 1024 records"},
        {"{\"rules\":{},\"customer\":{", "\"a%zu\":\"int\"", "}}", LIMIT_FIELDS,
         "a rule set has at most 1024 attributes"},
        {"{\"rules\":{},\"events\":{\"e\":{", "\"f%zu\":\"int\"", "}}}", LIMIT_FIELDS,
         "'e' has 1025 fields; at most 1024 are taken"},
        {"{\"rules\":{},\"limits\":[", "{\"max\":\"1 per 1h\",\"send\":\"x%zu\"}", "]}", LIMIT_LIMITS,
         "a rule set has at most 256 limits"},
        {"{\"rules\":{},\"tables\":{", "\"t%zu\":{}", "}}", LIMIT_TABLES,
         "a rule set has at most 1024 tables"},
        {"{\"rules\":{},\"let\":{", "\"l%zu\":\"1\"", "}}", LIMIT_LETS, "a rule set has at most 10000 lets"},
        {"{" ONE_RULE "\"do\":[{\"send\":\"x\"}],\"let\":{", "\"l%zu\":\"1\"", "}}}}", LIMIT_LETS,
         "a rule has at most 10000 names of 'let'"},
        {"{\"rules\":{},\"holidays\":[", "\"12-24\"", "]}", LIMIT_HOLIDAYS,
         "a rule set has at most 1024 holidays"},
        {"{" ONE_RULE "\"do\":[", "{\"send\":\"x%zu\"}", "]}}}", LIMIT_STEPS, "a rule has at most 256 steps"},
        {"{" ONE_RULE "\"do\":[{\"send\":\"x\"}],\"cancel\":[", "{\"on\":\"e\",\"if\":\"event.n == %zu\"}",
         "]}}}", LIMIT_RULE_CANCELS, "a rule has at most 256 entries of 'cancel'"},
        {"{" ONE_RULE "\"do\":[{\"send\":\"x\"}],\"split\":{", "\"v%zu\":1", "}}}}", LIMIT_VARIANTS,
         "'split' has at most 256 variants"},
        {"{\"rules\":{},\"tests\":[",
         "{\"name\":\"t%zu\",\"from\":\"2026-03-02T10:00:00Z\",\"given\":[],\"expect\":[]}", "]}",
         LIMIT_TESTS, "a rule set has at most 20000 tests"},
        {"{" ONE_RULE "\"do\":[{\"send\":\"x\",\"with\":[", "\"${%zu}\"", "]}]}}}", LIMIT_EXPRESSIONS,
         "a rule set has at most 200000 expressions"},
        {"{" ONE_RULE "\"do\":[{\"send\":\"x\",\"with\":[", "%zu", "]}]}}}", LIMIT_RULE_JSON_VALUES - 11,
         "a rule file has at most 1000000 values"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer text = many(rows[i].before, rows[i].item, rows[i].most, rows[i].behind);
        cr_expect_eq(compile(&text), RELANCE_OK, "row %zu: %.300s", i, relance_report_text(report).data);
        text = many(rows[i].before, rows[i].item, rows[i].most + 1, rows[i].behind);
        cr_expect_eq(compile(&text), RELANCE_INVALID, "row %zu", i);
        expect_said(rows[i].message);
    }
}

Test(declared, values_are_counted_over_all_files)
{
    struct buffer text = many("{\"rules\":{},\"tests\":[", "%zu", LIMIT_RULE_JSON_VALUES / 2, "]}");
    struct relance_source sources[] = {{.name = STR("a.jsonc"), .text = buffer_str(&text)},
                                       {.name = STR("b.jsonc"), .text = buffer_str(&text)}};
    struct relance_error error = {0};
    cr_expect_eq(relance_ruleset_compile(sources, 2, zone_file, &arena, &rules, &report, &error),
                 RELANCE_INVALID);
    expect_said("with this file the rule set has more than 1000000 values");
}

static struct buffer types_of(size_t types, size_t fields, size_t more)
{
    struct buffer text;
    arena_reset(&arena);
    buffer_init(&text, &arena);
    buffer_put_str(&text, STR("{\"events\":{"));
    for (size_t i = 0; i < types; i++) {
        buffer_put_format(&text, "%s\"e%zu\":{", i ? "," : "", i);
        put_items(&text, "\"f%zu\":\"int\"", fields);
        buffer_put_char(&text, '}');
    }
    if (more) buffer_put_str(&text, STR(",\"more\":{"));
    put_items(&text, "\"f%zu\":\"int\"", more);
    if (more) buffer_put_char(&text, '}');
    buffer_put_str(&text, STR("},\"rules\":{"));
    return text;
}

Test(declared, fields_of_all_events_have_a_bound_of_their_own)
{
    enum { TYPES = LIMIT_ALL_FIELDS / LIMIT_FIELDS };
    struct buffer text = types_of(TYPES, LIMIT_FIELDS, 0);
    buffer_put_str(&text, STR("}}"));
    cr_expect_eq(compile(&text), RELANCE_OK);
    text = types_of(TYPES, LIMIT_FIELDS, 1);
    buffer_put_str(&text, STR("}}"));
    cr_expect_eq(compile(&text), RELANCE_INVALID);
    expect_said("all event types of a rule set together have at most 65536 fields");
}

/* Rules on different pairs of types that share all their fields. */
static struct buffer pairs(size_t count)
{
    enum { TYPES = 50, FIELDS = 1020 };
    struct buffer text = types_of(TYPES, FIELDS, 0);
    for (size_t a = 0, made = 0; a < TYPES && made < count; a++)
        for (size_t b = a + 1; b < TYPES && made < count; b++, made++)
            buffer_put_format(&text, "%s\"r%zu\":{\"on\":[\"e%zu\",\"e%zu\"],\"do\":[{\"send\":\"x\"}]}",
                              made ? "," : "", made, a, b);
    buffer_put_str(&text, STR("}}"));
    return text;
}

Test(declared, what_lists_of_events_share_has_a_bound)
{
    enum { PAIRS = LIMIT_SHARED_FIELDS / 1024 /* with the four that every event has */ };
    struct buffer text = pairs(PAIRS);
    cr_expect_eq(compile(&text), RELANCE_OK);
    text = pairs(PAIRS + 1);
    cr_expect_eq(compile(&text), RELANCE_INVALID);
    expect_said("share at most 1048576 fields");
}

Test(declared, all_patterns_together_have_a_bound)
{
    struct buffer text = many("{\"events\":{\"e\":{\"t\":\"string\"}},\"rules\":{",
                              "\"r%zu\":{\"on\":\"e\",\"if\":\"event.t.matches('(?i)\\\\\\\\pL\\\\\\\\PL')\","
                              "\"do\":[{\"send\":\"x\"}]}",
                              5000, "}}");
    cr_expect_eq(compile(&text), RELANCE_INVALID);
    expect_said("all patterns of a rule set together have at most 1000000 instructions");
}

/* ---- constants computed in advance */

static struct buffer slow(size_t count)
{
    return many("{\"events\":{\"e\":{\"n\":\"int\"}},\"rules\":{",
                "\"r%zu\":{\"on\":\"e\",\"if\":\"lists.range(20000).distinct().size() == 20000\","
                "\"do\":[{\"send\":\"x\"}]}",
                count, "}}");
}

static void count_folded(void *context, const struct relance_program *program)
{
    str call = STR("distinct");
    size_t *folded = context;
    *folded += memmem(program->code.data, program->code.size, call.data, call.size) == NULL;
}

Test(declared, constants_are_computed_in_advance_until_the_budget_of_the_set_is_spent)
{
    enum { RULES = 2000 };
    struct buffer text = slow(RULES);
    struct relance_error error;
    size_t folded = 0;
    cr_assert_eq(compile(&text), RELANCE_OK);
    cr_expect_eq(relance_ruleset_programs(rules, count_folded, &folded, &error), RELANCE_OK);
    cr_expect_gt(folded, 0u);
    cr_expect_lt(folded, RULES, "nobody stopped");
}

static size_t sent;

static void count_sent(void *context, const struct relance_decision *decision)
{
    (void)context;
    sent += decision->outcome == RELANCE_OUTCOME_SENT;
}

Test(declared, computed_in_advance_or_not_constants_decide_the_same)
{
    enum { RULES = 1000 };
    struct buffer text = slow(RULES);
    cr_assert_eq(compile(&text), RELANCE_OK);
    struct relance_engine_options options = {.rules = rules, .decide = count_sent, .complete = true};
    struct relance_engine *engine = relance_engine_new(&options);
    struct relance_record record = {.topic = STR("t"),
                                    .value =
                                        STR("{\"type\":\"e\",\"customer\":\"c\",\"time\":1772445600000}"),
                                    .timestamp_ms = RELANCE_NEVER};
    struct relance_fate fate = {0};
    sent = 0;
    cr_expect_eq(relance_engine_record(engine, &record, &fate), RELANCE_DONE);
    cr_expect_eq(relance_engine_run_until(engine, 1772445600001), RELANCE_DONE);
    cr_expect_eq(sent, RULES);
    relance_engine_free(engine);
}
