/* Memory that runs out, at every place where it can: a clean error each time, nothing kept, and the next call
 * works. The C library's allocator is taken over for this; under a sanitizer, which owns it, these tests
 * skip. */
#include "../../fuzz/shop_rules.h"
#include "rig.h"
#include "sanitized.h"

#include "mapping/mapping.h"

#include <relance/mapping_test.h>
#include <criterion/criterion.h>

static size_t fail_in; /* the n-th allocation from now fails, once; 0: none */
static long live;      /* blocks out */

#if !SUPPORT_SANITIZED
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

static bool fails(void)
{
    if (fail_in && --fail_in == 0) return true;
    live++;
    return false;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    if (!block) return malloc(size);
    return fail_in && --fail_in == 0 ? NULL : __libc_realloc(block, size);
}

void free(void *block)
{
    live -= block != NULL;
    __libc_free(block);
}
#define SKIP_SANITIZED()
#else
#define SKIP_SANITIZED() cr_skip_test("a sanitizer owns the allocator")
#endif

static struct arena zones;

static bool no_zones(void *context, struct relance_str name, struct relance_str *bytes)
{
    static struct relance_str paris;
    (void)context;
    if (!paris.size && !zone_file(&zones, STR("Europe/Paris"), &paris)) return false;
    *bytes = paris;
    return str_equal(name, STR("Europe/Paris")) || str_equal(name, STR("UTC"));
}

TestSuite(memory, .timeout = 120);

static enum relance_status compile(struct relance_ruleset **rules, struct relance_report **report)
{
    struct relance_source source = {.name = STR("rules.jsonc"), .text = str_of(shop_rules)};
    struct relance_error error;
    *rules = NULL;
    *report = NULL;
    return relance_ruleset_compile(&source, 1, no_zones, NULL, rules, report, &error);
}

Test(memory, compiling_fails_cleanly_at_any_allocation)
{
    SKIP_SANITIZED();
    struct relance_ruleset *rules;
    struct relance_report *report;
    bool whole = false;
    size_t n;
    for (int warm = 0; warm < 2; warm++) {
        cr_assert_eq(compile(&rules, &report), RELANCE_OK);
        relance_report_free(report);
        relance_ruleset_free(rules);
    }
    for (n = 1; !whole; n++) {
        long before = live;
        fail_in = n;
        enum relance_status status = compile(&rules, &report);
        whole = fail_in > 0;
        fail_in = 0;
        cr_assert_eq(status, whole ? RELANCE_OK : RELANCE_NO_MEMORY, "allocation %zu: status %d\n%.*s", n,
                     (int)status, report ? (int)relance_report_text(report).size : 0,
                     report ? relance_report_text(report).data : "");
        relance_report_free(report);
        relance_ruleset_free(rules);
        cr_assert_eq(live, before, "allocation %zu: %ld blocks are left", n, live - before);
    }
    cr_expect_gt(n, 10u);
}

static void ignore(void *context, const struct relance_decision *decision)
{
    (void)decision;
    ++*(size_t *)context;
}

static const char *const events[] = {
    "{\"id\":\"a\",\"type\":\"identify\",\"customer\":\"c\",\"time\":\"2026-03-02T10:00:00Z\",\"birthday\":"
    "\"2000-03-03\",\"renewal\":\"2026-03-09T00:00:00Z\"}",
    "{\"id\":\"b\",\"type\":\"view\",\"customer\":\"c\",\"time\":\"2026-03-02T10:00:00Z\",\"product\":\"p\"}",
    "{\"id\":\"c\",\"type\":\"cart\",\"customer\":\"c\",\"time\":\"2026-03-02T10:01:00Z\",\"cart\":\"k\","
    "\"items\":[{\"product\":\"p\",\"price\":9,\"qty\":1}]}",
    "{\"id\":\"d\",\"type\":\"buy\",\"customer\":\"c\",\"time\":\"2026-03-02T10:30:00Z\",\"cart\":\"k\","
    "\"total\":60.5,\"m\":{\"x\":1}}",
};

/* True when the engine came through; false when it said that memory was out. Nothing else is an answer. */
static bool live_through(const struct relance_ruleset *rules)
{
    size_t decisions = 0;
    struct relance_engine_options options = {
        .rules = rules, .decide = ignore, .context = &decisions, .complete = true};
    struct relance_engine *engine = relance_engine_new(&options);
    bool whole = engine != NULL;
    for (size_t i = 0; whole && i < sizeof events / sizeof *events; i++) {
        struct relance_record record = {.topic = STR("t"),
                                        .offset = (int64_t)i,
                                        .value = str_of(events[i]),
                                        .timestamp_ms = RELANCE_NEVER};
        struct relance_fate fate;
        whole = relance_engine_record(engine, &record, &fate) == RELANCE_DONE;
        cr_assert(!whole || fate.kind == RELANCE_EVENT, "event %zu has fate %d, %.*s", i, (int)fate.kind,
                  STR_ARG(fate.reason));
    }
    whole = whole &&
            relance_engine_run_until(engine, relance_engine_clock(engine) + 40 * 86400000LL) == RELANCE_DONE;
    cr_assert(!engine || whole == (relance_engine_error(engine).size == 0));
    relance_engine_free(engine);
    return whole;
}

Test(memory, an_engine_says_so_at_any_allocation)
{
    SKIP_SANITIZED();
    struct relance_ruleset *rules;
    struct relance_report *report;
    cr_assert_eq(compile(&rules, &report), RELANCE_OK);
    for (int warm = 0; warm < 2; warm++)
        cr_assert(live_through(rules));
    bool unharmed = false;
    size_t n;
    for (n = 1; !unharmed; n++) {
        long before = live;
        fail_in = n;
        bool whole = live_through(rules);
        unharmed = fail_in > 0;
        fail_in = 0;
        cr_assert_eq(whole, unharmed, "allocation %zu was missed silently", n);
        cr_assert_eq(live, before, "allocation %zu: %ld blocks are left", n, live - before);
    }
    cr_expect_gt(n, 5u);
    cr_assert(live_through(rules));
    relance_report_free(report);
    relance_ruleset_free(rules);
}

/* ---- tests of rules, with all that they ask: why a send is missing, what was reached */

static const char tested_rules[] =
    "{\"events\":{\"go\":{\"n\":\"int\",\"name\":\"string\"}},\"customer\":{\"ok\":\"bool\"},"
    "\"counts\":{\"gone\":{\"on\":\"go\"}},\"segments\":{\"keen\":\"gone() > 1\"},"
    "\"limits\":[{\"max\":\"1 per 1d\",\"if\":\"customer.ok\"}],"
    "\"rules\":{\"a\":{\"on\":\"go\",\"if\":\"event.n > 1 || event.name == 'x'\",\"again\":\"rearm\","
    "\"do\":[{\"after\":\"1h\",\"if\":\"segments.keen && has(customer.ok)\",\"send\":\"x\"},{\"send\":\"y\"},"
    "{\"send\":\"y\"}],"
    "\"tests\":["
    "{\"name\":\"1\",\"from\":\"2026-03-02T10:00:00Z\",\"given\":[{\"t\":\"0m\",\"go\":{\"n\":1}}],"
    "\"expect\":[{\"t\":\"1h\",\"send\":\"x\"}]},"
    "{\"name\":\"2\",\"from\":\"2026-03-02T10:00:00Z\",\"given\":[{\"t\":\"0m\",\"go\":{\"n\":2}},"
    "{\"t\":\"9m\",\"go\":{\"n\":3}}],"
    "\"expect\":[{\"t\":\"1h\",\"send\":\"x\"},{\"t\":\"69m\",\"send\":\"x\"},{\"t\":\"69m\",\"send\":\"y\"},"
    "{\"t\":\"69m\",\"send\":\"y\"}]}]}}}";

static void no_report(void *context, const struct relance_test_result *result)
{
    *(size_t *)context += result->report.size;
}

/* What the tests reported and what was not reached, in bytes; 0: somebody said that memory was out. */
static size_t tested(const struct relance_ruleset *rules)
{
    struct relance_error error;
    struct relance_coverage_sum sum;
    size_t size = 0;
    struct relance_coverage *coverage = relance_coverage_new(rules);
    const struct relance_test_options options = {.done = no_report, .context = &size, .coverage = coverage};
    bool whole = coverage && relance_ruleset_test(rules, &options, &error) == RELANCE_OK &&
                 relance_coverage_sum(coverage, &sum, &error) == RELANCE_OK;
    for (size_t i = 0; whole && i < sum.gap_count; i++)
        size += sum.gaps[i].sentence.size;
    relance_coverage_free(coverage);
    return whole ? size : 0;
}

Test(memory, a_test_of_rules_says_so_at_any_allocation)
{
    SKIP_SANITIZED();
    struct relance_ruleset *rules = rig_rules(&zones, STR(tested_rules));
    cr_assert_not_null(rules);
    size_t usual = 0, n;
    for (int warm = 0; warm < 2; warm++)
        usual = tested(rules);
    cr_assert_gt(usual, 500u);
    bool unharmed = false;
    for (n = 1; !unharmed; n++) {
        long before = live;
        fail_in = n;
        size_t size = tested(rules);
        unharmed = fail_in > 0;
        fail_in = 0;
        cr_assert_eq(size, unharmed ? usual : 0, "allocation %zu was missed silently: %zu bytes", n, size);
        cr_assert_eq(live, before, "allocation %zu: %ld blocks are left", n, live - before);
    }
    cr_expect_gt(n, 20u);
    cr_assert_eq(tested(rules), usual);
    relance_ruleset_free(rules);
}

/* ---- mappings */

static bool no_presets(void *context, struct relance_str name, struct relance_str *text)
{
    (void)context, (void)name, (void)text;
    return false;
}

static const char shop_mapping[] =
    "{\"record\": {\"kind\": \"string\", \"user\": \"string\", \"n\": \"double\", \"p\": {\"a\": \"int\"},"
    " \"text\": {\"$text\": {\"b\": \"string\"}}, \"lines\": [{\"sku\": \"string\", \"tags\": {\"$map\": "
    "\"string\"}}]},"
    " \"let\": {\"twice\": \"record.n * 2.0\", \"all\": [{\"for\": \"i in record.lines\", \"sku\": "
    "\"${i.sku}\", \"t\": \"${i.tags}\"}]},"
    " \"by\": \"record.kind\", \"each\": {\"customer\": \"${record.user}\", \"id\": \"${key}-1\"},"
    " \"events\": {\"a\": [{\"type\": \"a\", \"n\": \"${twice}\", \"h\": \"${headers.h}\", \"b\": "
    "\"${record.text.b}\", \"all\": \"${all}\", \"from\": \"record.p\"},"
    " {\"type\": \"b\", \"for\": \"i in record.lines\", \"x\": \"a ${i.sku} b\", \"need\": [\"x\"]}], \"*\": "
    "{\"type\": \"rest\"}},"
    " \"tests\": [{\"name\": \"t\", \"given\": {\"key\": \"k\", \"value\": {\"kind\": \"z\", \"user\": "
    "\"u\"}}, \"expect\": [{\"type\": \"rest\", \"customer\": \"u\"}]}]}";

static const char shop_record[] =
    "{\"kind\":\"a\",\"user\":\"u\",\"n\":1.5,\"p\":{\"a\":1,\"z\":[1,2]},\"text\":\"{\\\"b\\\":\\\"x\\\"}\","
    "\"lines\":[{\"sku\":\"s\",\"tags\":{\"k\":\"v\"}},{\"sku\":\"t\"},{}]}";

static enum relance_status compile_mapping(struct relance_mapping **mapping)
{
    const struct relance_source source = {.name = STR("m.jsonc"), .text = str_of(shop_mapping)};
    const struct relance_mapping_host host = {no_presets, NULL, no_zones, NULL};
    struct relance_report *report;
    struct relance_error error;
    *mapping = NULL;
    enum relance_status status = relance_mapping_compile(&source, &host, mapping, &report, &error);
    cr_assert_neq(status, RELANCE_INVALID, "%.*s", STR_ARG(relance_report_text(report)));
    relance_report_free(report);
    return status;
}

static enum relance_status map_record(struct relance_mapping *mapping, struct relance_mapped *mapped)
{
    const struct relance_header header = {STR("H"), STR("v")};
    const struct relance_foreign record = {.topic = STR("t"),
                                           .key = STR("k"),
                                           .value = str_of(shop_record),
                                           .headers = &header,
                                           .header_count = 1};
    return relance_mapping_map(mapping, &record, mapped);
}

static void assert_mapped(const struct relance_mapped *mapped)
{
    cr_assert_eq(mapped->kind, RELANCE_MAPPED);
    cr_assert_eq(mapped->count, 4u);
    cr_assert_eq(mapped->fields_invalid, 0u);
    str first = mapped->items[0].event,
        wanted = STR("{\"type\":\"a\",\"id\":\"k-1\",\"customer\":\"u\",\"n\":3,\"h\":\"v\",\"b\":\"x\","
                     "\"all\":[{\"sku\":\"s\",\"t\":{\"k\":\"v\"}},{\"sku\":\"t\"},{}],\"a\":1,\"z\":[1,2]}");
    cr_assert(str_equal(first, wanted), "%.*s", STR_ARG(first));
    cr_assert(str_equal(mapped->items[3].reason, STR("mapping")));
}

Test(memory, compiling_a_mapping_fails_cleanly_at_any_allocation)
{
    SKIP_SANITIZED();
    struct relance_mapping *mapping;
    bool whole = false;
    size_t n;
    for (int warm = 0; warm < 2; warm++) {
        cr_assert_eq(compile_mapping(&mapping), RELANCE_OK);
        relance_mapping_free(mapping);
    }
    for (n = 1; !whole; n++) {
        long before = live;
        fail_in = n;
        enum relance_status status = compile_mapping(&mapping);
        whole = fail_in > 0;
        fail_in = 0;
        cr_assert_eq(status, whole ? RELANCE_OK : RELANCE_NO_MEMORY, "allocation %zu: status %d", n,
                     (int)status);
        relance_mapping_free(mapping);
        cr_assert_eq(live, before, "allocation %zu: %ld blocks are left", n, live - before);
    }
    cr_expect_gt(n, 5u);
}

/* The first record of a new mapping needs all the memory there is to need. What the buffers of events need ends the
 * process where it is not there, as everywhere; so they are warm. */
Test(memory, a_mapping_says_so_at_any_allocation_and_maps_the_record_again)
{
    SKIP_SANITIZED();
    struct relance_mapped mapped;
    size_t n, missed = 0;
    bool whole = false;
    for (n = 1; !whole; n++) {
        struct relance_mapping *mapping;
        cr_assert_eq(compile_mapping(&mapping), RELANCE_OK);
        buffer_room(&mapping->mapper->out, 1 << 12);
        buffer_room(&mapping->mapper->splice, 1 << 12);
        buffer_room(&mapping->mapper->json, 1 << 12);
        fail_in = n;
        enum relance_status status = map_record(mapping, &mapped);
        whole = fail_in > 0;
        fail_in = 0;
        cr_assert(status == RELANCE_NO_MEMORY || whole, "allocation %zu: status %d", n, (int)status);
        missed += status == RELANCE_NO_MEMORY;
        cr_assert_eq(map_record(mapping, &mapped), RELANCE_OK);
        assert_mapped(&mapped);
        relance_mapping_free(mapping);
    }
    cr_expect_gt(missed, 0u);
}

Test(memory, a_warm_mapping_asks_for_none)
{
    SKIP_SANITIZED();
    struct relance_mapping *mapping;
    struct relance_mapped mapped;
    cr_assert_eq(compile_mapping(&mapping), RELANCE_OK);
    for (int warm = 0; warm < 3; warm++)
        cr_assert_eq(map_record(mapping, &mapped), RELANCE_OK);
    enum { FAR = 1 << 20 };
    fail_in = FAR;
    for (int i = 0; i < 100; i++)
        cr_assert_eq(map_record(mapping, &mapped), RELANCE_OK);
    cr_expect_eq(fail_in, FAR, "%zu allocations", FAR - fail_in);
    fail_in = 0;
    assert_mapped(&mapped);
    relance_mapping_free(mapping);
}

static void count_tests(void *context, const struct relance_test_result *result)
{
    *(size_t *)context += result->passed;
}

Test(memory, tests_of_a_mapping_say_so_at_any_allocation)
{
    SKIP_SANITIZED();
    struct relance_mapping *mapping;
    struct relance_error error;
    bool whole = false;
    for (size_t n = 1; !whole; n++) {
        size_t passed = 0;
        cr_assert_eq(compile_mapping(&mapping), RELANCE_OK);
        buffer_room(&mapping->mapper->out, 1 << 12);
        buffer_room(&mapping->mapper->splice, 1 << 12);
        fail_in = n;
        enum relance_status status = relance_mapping_test(mapping, (str){0}, count_tests, &passed, &error);
        whole = fail_in > 0;
        fail_in = 0;
        cr_assert_eq(status, whole ? RELANCE_OK : RELANCE_NO_MEMORY, "allocation %zu", n);
        cr_assert_eq(passed, whole, "allocation %zu", n);
        relance_mapping_free(mapping);
    }
}
