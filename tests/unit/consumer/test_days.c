/* Learning from a file, day by day, and the versions that are kept of it. */
#include "base/str.h"
#include "host/file.h"
#include "learn/days.h"
#include "learn/saved.h"
#include <criterion/criterion.h>
#include <relance/ruleset.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char rules_text[] =
    "{\"events\": {\"view\": {\"product\": \"string\"}},"
    " \"affinities\": {"
    "  \"a\": {\"from\": [{\"on\": \"view\", \"by\": \"event.product\"}], \"within\": \"1d\", \"least\": 1},"
    "  \"b\": {\"from\": [{\"on\": \"view\", \"by\": \"event.product\"}], \"within\": \"2d\", \"least\": 1}},"
    " \"rules\": {\"r\": {\"on\": \"view\", \"do\": [{\"send\": \"x\"}]}}}";

static struct relance_error error;

static struct relance_ruleset *compiled(const char *text)
{
    struct relance_ruleset *rules = NULL;
    struct relance_report *report = NULL;
    const struct relance_source source = {.name = STR("t.json"), .text = str_of(text)};
    cr_assert_eq(relance_ruleset_compile(&source, 1, file_zone_load, NULL, &rules, &report, &error),
                 RELANCE_OK, "%s", error.message);
    relance_report_free(report);
    return rules;
}

/* What it told, as a text: "a1@2 " is version 1 of a, of day 2. */
struct told {
    char text[512];
    size_t size, given;
    FILE *file; /* into which the versions go */
    struct relance_ruleset *rules;
};

static void told_version(void *context, size_t affinity, const struct relance_model *model,
                         struct relance_str bytes)
{
    struct told *told = context;
    const struct relance_model_head *head = relance_model_about(model);
    told->size += (size_t)snprintf(told->text + told->size, sizeof told->text - told->size, "%c%d@%d ",
                                   (char)('a' + affinity), (int)head->number, (int)(head->at_ms / DAYS_MS));
    if (told->file) saved_put(told->file, relance_ruleset_affinity_name(told->rules, affinity), model, bytes);
}

static void told_give(void *context, const struct relance_given *given)
{
    struct told *told = context;
    (void)given;
    told->given++;
}

static void view(struct days *days, const char *customer, const char *product, const char *time)
{
    char line[256];
    size_t size = (size_t)snprintf(
        line, sizeof line, "{\"type\":\"view\",\"customer\":\"%s\",\"product\":\"%s\",\"time\":\"%s\"}",
        customer, product, time);
    const struct relance_record record = {.value = {line, size}, .timestamp_ms = RELANCE_NEVER};
    cr_assert(days_record(days, &record));
}

Test(days, rules_without_affinities_have_none)
{
    struct relance_ruleset *rules = compiled(
        "{\"events\": {\"e\": {}}, \"rules\": {\"r\": {\"on\": \"e\", \"do\": [{\"send\": \"x\"}]}}}");
    cr_expect_null(days_open(rules, RELANCE_NEVER, &(struct days_listener){0}));
    days_close(NULL);
    relance_ruleset_free(rules);
}

Test(days, a_version_is_made_where_a_day_begins_and_holds_what_was_before)
{
    struct told told = {.rules = compiled(rules_text)};
    const struct days_listener listener = {.context = &told, .version = told_version, .give = told_give};
    struct days *days = days_open(told.rules, RELANCE_NEVER, &listener);
    struct relance_partner out[1];
    cr_assert_eq(days_count(days), 2u);
    cr_expect_eq(days_end_ms(days), RELANCE_NEVER);
    days_end(days, false); /* of nothing */
    cr_expect_str_eq(told.text, "");
    view(days, "anna", "tent", "1970-01-02T10:00:00Z");
    view(days, "anna", "mat", "1970-01-02T23:59:59.999Z");
    cr_expect_str_eq(told.text, "");
    cr_expect_null(days_model(days, 0));
    view(days, "anna", "lamp", "1970-01-03T00:00:00Z");
    cr_expect_str_eq(told.text, "a1@2 b1@2 ");
    cr_expect_eq(relance_model_partners(days_model(days, 0), STR("tent"), 1, out), 1u,
                 "the lamp is not in it");
    view(days, "eva", "lamp", "1970-01-02T00:00:00Z"); /* late: no day begins again */
    view(days, "eva", "tent", "1970-01-08T00:00:00Z");
    cr_expect_str_eq(told.text, "a1@2 b1@2 a2@7 b2@7 ");
    cr_expect_eq(days_end_ms(days), 8 * (int64_t)DAYS_MS);
    days_end(days, true);
    cr_expect_str_eq(told.text, "a1@2 b1@2 a2@7 b2@7 a3@8 b3@8 ");
    cr_expect_eq(told.given, 10u);
    cr_expect_eq(days_events(days, 1), 5u);
    days_close(days);
    relance_ruleset_free(told.rules);
}

/* Makes a file of one version each, of what comes of these products. */
static void save(const char *path, const char *const *products, size_t count)
{
    struct told told = {.rules = compiled(rules_text)};
    const struct days_listener listener = {.context = &told, .version = told_version};
    struct days *days = days_open(told.rules, RELANCE_NEVER, &listener);
    for (size_t i = 0; i < count; i++)
        view(days, "anna", products[i], "1970-01-02T10:00:00Z");
    cr_assert(told.file = fopen(path, "wb"));
    days_end(days, true);
    cr_assert_eq(fclose(told.file), 0);
    days_close(days);
    relance_ruleset_free(told.rules);
}

Test(saved, versions_are_found_by_name_and_recipe)
{
    char path[] = "/tmp/relance-saved-XXXXXX";
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    close(file);
    save(path, (const char *const[]){"tent", "mat"}, 2);
    struct relance_ruleset *rules = compiled(rules_text);
    struct saved *saved;
    struct relance_partner out[1];
    cr_assert_eq(saved_open(path, &saved, &error), RELANCE_OK, "%s", error.message);
    uint64_t a = relance_ruleset_affinity_recipe(rules, 0), b = relance_ruleset_affinity_recipe(rules, 1);
    cr_assert(saved_find(saved, STR("a"), a) && saved_find(saved, STR("b"), b));
    cr_expect_null(saved_find(saved, STR("a"), b));
    cr_expect_null(saved_find(saved, STR("c"), a));
    cr_assert_eq(relance_model_partners(saved_find(saved, STR("a"), a), STR("tent"), 1, out), 1u);
    cr_expect(str_equal(out[0].product, STR("mat")));
    saved_close(saved);
    saved_close(NULL);
    relance_ruleset_free(rules);
    unlink(path);
}

/* Cut off anywhere but between two versions. */
Test(saved, a_file_that_was_cut_off_is_refused, .timeout = 60)
{
    char path[] = "/tmp/relance-saved-XXXXXX", bytes[4096];
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    close(file);
    save(path, (const char *const[]){"tent", "mat"}, 2);
    FILE *stream = fopen(path, "rb");
    size_t size = fread(bytes, 1, sizeof bytes, stream), whole = 0;
    fclose(stream);
    cr_assert(size && size < sizeof bytes);
    for (size_t cut = 1; cut < size; cut++) {
        struct saved *saved;
        cr_assert_eq(truncate(path, (off_t)(size - cut)), 0);
        if (saved_open(path, &saved, &error) != RELANCE_OK) continue;
        saved_close(saved);
        whole++;
    }
    cr_expect_eq(whole, 1u, "between the two versions: %zu", whole);
    unlink(path);
}
