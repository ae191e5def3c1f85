/* Any bytes as a mapping: a report or a mapping, never a crash; and what compiles maps a record, in bounded time. Behind a NUL
 * stands the record. */
#include "base/ensure.h"
#include "zones.h"

#include <relance/mapping_test.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char record_text[] = "{\"a\":\"x\",\"b\":1.5,\"c\":[{\"d\":\"1\",\"e\":2},{\"d\":null}],\"f\":{"
                                  "\"g\":\"{\\\"h\\\":1}\"},\"i\":true}";

/* Extends itself, without an end. */
static bool preset(void *context, struct relance_str name, struct relance_str *text)
{
    *text = *(struct relance_str *)context;
    return name.size == 1;
}

static void ignore(void *context, const struct relance_test_result *result)
{
    (void)context, (void)result;
}

static void use(struct relance_mapping *mapping, str value)
{
    const struct relance_header header = {STR("X"), STR("y")};
    const struct relance_foreign record = {
        .topic = STR("t"), .key = STR("k"), .value = value, .headers = &header, .header_count = 1};
    struct relance_mapped mapped;
    struct relance_mapping_coverage coverage;
    struct relance_error error;
    ensure(relance_mapping_map(mapping, &record, &mapped) == RELANCE_OK);
    ensure(relance_mapping_test(mapping, (str){0}, ignore, NULL, &error) == RELANCE_OK);
    ensure(relance_mapping_covered(mapping, &coverage, &error) == RELANCE_OK);
    ensure(coverage.reached + coverage.gap_count == coverage.all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *nul = size ? memchr(text, '\0', size) : NULL;
    size_t end = nul ? (size_t)(nul - text) : size;
    struct relance_source source = {.name = STR("m.jsonc"), .text = {text, end}};
    struct arena arena;
    arena_init(&arena, 0);
    const struct relance_mapping_host host = {preset, &source.text, zone_file, &arena};
    struct relance_mapping *mapping = NULL;
    struct relance_report *report;
    struct relance_error error;
    enum relance_status status = relance_mapping_compile(&source, &host, &mapping, &report, &error);
    ensure(report);
    ensure((status == RELANCE_OK) == (relance_report_errors(report) == 0));
    ensure((status == RELANCE_OK) == (mapping != NULL));
    ensure(status == RELANCE_OK || relance_report_text(report).size > 0);
    if (mapping) use(mapping, nul ? (str){nul + 1, size - end - 1} : STR(record_text));
    relance_report_free(report);
    relance_mapping_free(mapping);
    arena_free(&arena);
    return 0;
}
