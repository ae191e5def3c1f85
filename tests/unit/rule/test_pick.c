/* Rules, counts and totals found by what their conditions need, instead of asked one by one: what is decided is the same.
 * An engine whose coverage is measured asks all of them. */
#include "rig.h"

#include <criterion/criterion.h>

#define START 1772445600000LL /* 2026-03-02T10:00:00Z */

/* A condition out of these; %d are numbers of products, of which there are few. */
static const char *const conditions[] = {
    "event.product == 'p%d'",
    "event.product == 'p%d' && event.price >= 5.0",
    "event.price < 5.0 && 'p%d' == event.product",
    "event.product in ['p%d', 'p%d', 'p%d']",
    "event.product in ['p%d', 'p1', 'p1']",
    "event.n == %d",
    "event.n == %d && event.product == 'p%d'",
    "event.product == 'p%d' || event.n == %d",
    "!(event.product == 'p%d')",
    "event.product != 'p%d'",
    "(event.price > 2.0 && event.shop == 's%d') && has(event.n)",
    "views() > 2 && event.product == 'p%d'",
    "event.product == 'p%d' && views() / (event.n - 1) > 0",
    "event.product == 'p%d' && event.product == 'p%d'",
    "event.price >= %d.0",
};

static struct arena arena;
static uint32_t seed;

static uint32_t below(uint32_t bound)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % bound;
}

static void put_condition(struct buffer *out, bool counts)
{
    const char *text = conditions[below(sizeof conditions / sizeof *conditions)];
    bool calls = strstr(text, "views()");
    for (; calls && counts; calls = strstr(text, "views()")) /* a count reads no count */
        text = conditions[below(sizeof conditions / sizeof *conditions)];
    for (; *text; text++)
        if (text[0] == '%' && text[1] == 'd')
            buffer_put_format(out, "%u", below(4)), text++;
        else
            buffer_put_char(out, *text);
}

static void put_section(struct buffer *out, const char *name, const char *rest, int count, bool counts)
{
    buffer_put_format(out, ", \"%s\": {", name);
    for (int i = 0; i < count; i++) {
        buffer_put_format(out, "%s\"%c%d\": {\"on\": %s, \"if\": \"", i ? ", " : "", name[0], i,
                          i % 3 ? "\"view\"" : "[\"view\", \"buy\"]");
        put_condition(out, counts);
        buffer_put_format(out, "\"%s}", rest);
    }
    buffer_put_str(out, STR("}"));
}

static struct relance_ruleset *random_rules(void)
{
    struct buffer text;
    buffer_init(&text, &arena);
    buffer_put_str(&text, STR("{\"events\": {"
                              "\"view\": {\"product\": \"string\", \"price\": \"double\", \"n\": \"int\", "
                              "\"shop\": \"string\"},"
                              "\"buy\": {\"product\": \"string\", \"price\": \"double\", \"n\": \"int\", "
                              "\"shop\": \"string\"}},"
                              "\"segments\": {\"odd\": \"views() / (views() - 3) > 0\"}"));
    put_section(&text, "counts", "", 9, true);
    text.size--; /* one more, which all others may read */
    buffer_put_str(&text, STR(", \"views\": {\"on\": \"view\"}}"));
    put_section(&text, "totals", "", 9, true);
    put_section(&text, "rules", ", \"again\": \"rearm\", \"do\": [{\"after\": \"1m\", \"send\": \"x\"}]", 40,
                false);
    text.size--;
    buffer_put_str(&text, STR(", \"zz\": {\"on\": \"enter odd\", \"do\": [{\"send\": \"x\"}]}}}"));
    struct relance_ruleset *rules = rig_rules(&arena, buffer_str(&text));
    cr_assert_not_null(rules, "%.*s", STR_ARG(buffer_str(&text)));
    return rules;
}

static str random_event(int64_t number)
{
    static const char *const products[] = {"'p0'", "'p1'", "'p2'", "'p3'", "7", "null", "''"};
    struct buffer text;
    buffer_init(&text, &arena);
    buffer_put_format(&text, "{'type':'%s','customer':'c','time':%lld", below(4) ? "view" : "buy",
                      (long long)(START + number * 10000));
    if (below(5)) buffer_put_format(&text, ",'product':%s", products[below(7)]);
    if (below(5)) buffer_put_format(&text, ",'price':%u", below(8));
    if (below(3))
        buffer_put_format(&text, ",'n':%s", below(6) ? (const char *[]){"0", "1", "2"}[below(3)] : "1.5");
    if (below(3)) buffer_put_format(&text, ",'shop':'s%u'", below(4));
    buffer_put_str(&text, STR("}"));
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\'') text.data[i] = '"';
    return buffer_str(&text);
}

static void expect_same_sums(const struct rig *a, const struct rig *b)
{
    cr_expect_eq(a->sum_names.count, b->sum_names.count);
    for (uint32_t i = 0; i < a->sum_names.count; i++)
        cr_expect_eq(a->sums[i], rig_sum(b, a->sum_names.list[i].data), "%s", a->sum_names.list[i].data);
}

static void expect_same_decisions(void)
{
    struct relance_ruleset *rules = random_rules();
    struct relance_coverage *coverage = relance_coverage_new(rules);
    struct rig picks, asks;
    rig_start_as(&picks, (struct relance_engine_options){.rules = rules, .errors = true});
    rig_start_as(&asks,
                 (struct relance_engine_options){.rules = rules, .errors = true, .coverage = coverage});
    for (int64_t i = 0; i < 60; i++) {
        str event = random_event(i);
        rig_event(&picks, event);
        rig_event(&asks, event);
    }
    cr_expect(picks.lines.size > 1000);
    cr_expect(str_equal(buffer_str(&picks.lines), buffer_str(&asks.lines)), "seed %u", seed);
    expect_same_sums(&picks, &asks);
    rig_checkpoint(&picks);
    rig_checkpoint(&asks);
    cr_expect(str_equal(picks.store->state, asks.store->state));
    rig_end(&picks);
    rig_end(&asks);
    relance_coverage_free(coverage);
    relance_ruleset_free(rules);
}

Test(pick, decides_what_asking_every_condition_decides)
{
    arena_init(&arena, 0);
    for (uint32_t i = 0; i < 40; i++) {
        seed = i;
        expect_same_decisions();
        arena_reset(&arena);
    }
    arena_free(&arena);
}
