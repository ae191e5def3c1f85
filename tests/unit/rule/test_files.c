/* Rule files by size and number: the bounds, at N and at N + 1, and what never may crash. What is said about
 * single mistakes is in tests/golden/rules. */
#include "rig.h"

#include "base/limits.h"

#include <criterion/criterion.h>

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

TestSuite(files, .init = setup, .fini = teardown, .timeout = 120);

static const char tiny[] =
    "{\"events\":{\"view\":{}},\"rules\":{\"r\":{\"on\":\"view\",\"do\":[{\"send\":\"email\"}]}}}";

static enum relance_status compile(const struct relance_source *sources, size_t count)
{
    struct relance_error error = {0};
    relance_report_free(report);
    relance_ruleset_free(rules);
    rules = NULL;
    enum relance_status status =
        relance_ruleset_compile(sources, count, zone_file, &arena, &rules, &report, &error);
    cr_assert_not_null(report);
    cr_expect_eq(status == RELANCE_OK, rules != NULL);
    cr_expect_eq(status == RELANCE_OK, error.message[0] == '\0', "%s", error.message);
    return status;
}

static enum relance_status compile_text(str text)
{
    return compile(&(struct relance_source){.name = STR("rules.jsonc"), .text = text}, 1);
}

static void says(const char *part)
{
    str text = relance_report_text(report);
    cr_expect(text.size && memmem(text.data, text.size, part, strlen(part)), "%s is not in\n%.*s", part,
              (int)(text.size < 500 ? text.size : 500), text.data);
}

/* The tiny rule set and blanks behind it. */
static str padded(size_t size)
{
    char *text = arena_alloc(&arena, size);
    cr_assert_not_null(text);
    memset(text, ' ', size);
    memcpy(text, tiny, sizeof tiny - 1);
    return (str){text, size};
}

Test(files, of_the_largest_size_are_read_and_a_byte_more_is_not)
{
    cr_expect_eq(compile_text(padded(LIMIT_RULE_SET_BYTES)), RELANCE_OK);
    cr_expect_eq(relance_ruleset_rule_count(rules), 1u);
    cr_expect_eq(compile_text(padded(LIMIT_RULE_SET_BYTES + 1)), RELANCE_INVALID);
    says("rules.jsonc:1:1: error: ");
    says("the file has 8388609 bytes; all rule files together may have 8388608");
}

Test(files, of_ten_megabytes_are_refused_at_once_whatever_they_hold)
{
    static const char fillings[] = {' ', '{', '[', '"', '/', '\0', '\xFF', '\n', '1'};
    for (size_t i = 0; i < sizeof fillings; i++) {
        str text = padded((size_t)10 << 20);
        memset((char *)(uintptr_t)text.data, fillings[i], text.size);
        cr_expect_eq(compile_text(text), RELANCE_INVALID);
        cr_expect_eq(relance_report_errors(report), 1u);
        cr_expect_lt(relance_report_text(report).size, 1000u);
    }
}

/* Sizes that are allowed, filled with what could make a reader slow or deep. */
Test(files, full_of_one_byte_are_refused_in_time)
{
    static const char fillings[] = {'{', '[', '"', '/', '\0', '\xFF', '\n', '1', ',', '\\'};
    for (size_t i = 0; i < sizeof fillings; i++) {
        str text = padded((size_t)1 << 20);
        memset((char *)(uintptr_t)text.data, fillings[i], text.size);
        cr_expect_eq(compile_text(text), RELANCE_INVALID, "%c", fillings[i]);
    }
}

Test(files, together_may_be_as_large_as_one_and_not_a_byte_larger)
{
    struct relance_source sources[2] = {{.name = STR("a.jsonc"), .text = padded(LIMIT_RULE_SET_BYTES / 2)},
                                        {.name = STR("b.jsonc"), .text = STR("{}")}};
    char *blanks = arena_alloc(&arena, LIMIT_RULE_SET_BYTES);
    memset(blanks, ' ', LIMIT_RULE_SET_BYTES);
    memcpy(blanks, "{}", 2);
    sources[1].text = (str){blanks, LIMIT_RULE_SET_BYTES / 2};
    cr_expect_eq(compile(sources, 2), RELANCE_OK);
    sources[1].text.size++;
    cr_expect_eq(compile(sources, 2), RELANCE_INVALID);
    says("b.jsonc:1:1: error: with this file the rule set has 8388609 bytes; all rule files together may "
         "have 8388608");
}

Test(files, none_at_all_are_told)
{
    cr_expect_eq(compile(NULL, 0), RELANCE_INVALID);
    says("there is no rule file");
}

static void put_rules(struct buffer *text, size_t count)
{
    buffer_put_str(text, STR("{\"events\":{\"view\":{\"product\":\"string\"}},\"rules\":{"));
    for (size_t i = 0; i < count; i++)
        buffer_put_format(text,
                          "%s\"r%zu\":{\"on\":\"view\",\"priority\":%zu,\"if\":\"event.product == "
                          "'p%zu'\",\"do\":[{\"send\":\"email\"}]}",
                          i ? "," : "", i, i % 7, i);
    buffer_put_str(text, STR("}}"));
}

Test(files, of_a_thousand_rules_compile)
{
    struct buffer text;
    buffer_init(&text, &arena);
    put_rules(&text, 1000);
    cr_expect_eq(compile_text(buffer_str(&text)), RELANCE_OK);
    cr_expect_eq(relance_ruleset_rule_count(rules), 1000u);
}

Test(files, of_a_thousand_mistakes_tell_each_of_them)
{
    struct buffer text;
    buffer_init(&text, &arena);
    buffer_put_str(&text, STR("{\"events\":{\"view\":{}},\"rules\":{\n"));
    for (size_t i = 0; i < 1000; i++)
        buffer_put_format(&text, "%s\"r%zu\":{\"on\":\"veiw\",\"do\":[{\"send\":\"email\"}]}\n", i ? "," : "",
                          i);
    buffer_put_str(&text, STR("}}"));
    cr_expect_eq(compile_text(buffer_str(&text)), RELANCE_INVALID);
    cr_expect_eq(relance_report_errors(report), 1000u);
    says("rules.jsonc:1001:15: error: event type 'veiw' is not declared in 'events'");
}

/* Names and texts are copied: the caller's bytes may go before the rule set does. */
Test(files, may_be_gone_once_they_are_compiled)
{
    char name[] = "rules.jsonc", text[sizeof tiny];
    memcpy(text, tiny, sizeof tiny);
    cr_assert_eq(
        compile(&(struct relance_source){.name = {name, sizeof name - 1}, .text = {text, sizeof text - 1}},
                1),
        RELANCE_OK);
    memset(text, 'x', sizeof text);
    memset(name, 'x', sizeof name);
    struct rig rig;
    rig_start(&rig, rules, 0);
    rig_event(&rig, STR("{\"type\":\"view\",\"customer\":\"c\",\"time\":\"2026-03-02T10:00:00Z\"}"));
    cr_expect_not_null(memmem(rig.lines.data, rig.lines.size, "\"rule\":\"r\"", 10));
    rig_end(&rig);
}
