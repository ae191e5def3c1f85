/* Records that hold several events, or none: lists of native events, and what a mapping makes of one. */
#include "base/limits.h"
#include "rig.h"

#include <criterion/criterion.h>

static const char shop[] = "{'events': {'buy': {'n': 'int'}},"
                           " 'rules': {'r': {'on': 'buy', 'again': 'restart', 'do': [{'send': 'mail',"
                           " 'with': {'id': '${trigger.id}', 'n': '${trigger.n}'}}]}}}";
static const char map[] =
    "{'record': {'user': 'string', 'skip': 'bool', 'at': 'timestamp', 'lines': [{'n': 'int'}]},"
    " 'each': {'customer': '${record.user}', 'time': '${record.at}'},"
    " 'events': {'*': {'for': 'i in record.lines', 'if': '!(has(record.skip) && record.skip)',"
    " 'need': ['n'], 'type': 'buy', 'n': '${i.n}'}}}";

static struct arena arena;
static struct rig rig;
static struct relance_ruleset *rules;

static str json(const char *text)
{
    str copy;
    cr_assert(arena_copy_str(&arena, str_of(text), &copy));
    for (size_t i = 0; i < copy.size; i++)
        if (copy.data[i] == '\'') ((char *)copy.data)[i] = '"';
    return copy;
}

static void begin(const char *mapping)
{
    arena_init(&arena, 0);
    str map_text = mapping ? json(mapping) : (str){0};
    struct relance_source sources[2] = {{.name = STR("rules.jsonc"), .text = json(shop)}};
    sources[1] = (struct relance_source){STR("map.jsonc"), map_text, RELANCE_MAPPING};
    rules = rig_rules_of(&arena, sources, mapping ? 2 : 1);
    cr_assert_not_null(rules);
    rig_start(&rig, rules, 0);
}

static void end(void)
{
    rig_end(&rig);
    relance_ruleset_free(rules);
    arena_free(&arena);
}

/* All that a record holds: "buy 0, dead 1 json, …", with the number of each, and what its kind is. */
static str deal(struct rig *of, str value)
{
    struct relance_record record = rig_record(of, value);
    struct buffer told;
    buffer_init(&told, &arena);
    do {
        enum relance_progress progress;
        while ((progress = relance_engine_record(of->engine, &record, &of->fate)) == RELANCE_NEEDS)
            rig_fetch(of);
        cr_assert_eq(progress, RELANCE_DONE);
        const struct relance_fate *fate = &of->fate;
        static const char *const kinds[RELANCE_FATES] = {"event", "duplicate", "ignored", "dead", "nothing"};
        buffer_put_format(&told, "%s%s %zu", told.size ? ", " : "", kinds[fate->kind], fate->number);
        if (fate->kind == RELANCE_DEAD) buffer_put_format(&told, " %.*s", STR_ARG(fate->reason));
    } while (of->fate.more);
    return buffer_str(&told);
}

#define DEALS(value, expected)                                                                               \
    do {                                                                                                     \
        str told = deal(&rig, json(value));                                                                  \
        cr_expect(str_equal(told, STR(expected)), "%.*s", STR_ARG(told));                                    \
    } while (0)

static size_t count_of(str text, const char *part)
{
    size_t count = 0, size = strlen(part);
    for (size_t i = 0; i + size <= text.size; i++)
        count += memcmp(text.data + i, part, size) == 0;
    return count;
}

Test(unfold, a_list_is_its_events_and_what_is_none_is_a_dead_letter_alone)
{
    begin(NULL);
    DEALS("[{'type':'buy','customer':'a','time':1000,'n':1},{},{'type':'buy','customer':'a','time':2000,'n':"
          "1}]",
          "event 0, dead 1 type, event 2");
    DEALS("[{'type':'buy','customer':'a','time':1000,'n':1},7]", "dead 0 json");
    DEALS(" \t[{'type':'buy','customer':'b','time':3000,'n':1}]", "event 0");
    DEALS("[]", "nothing 0");
    DEALS("[{'type':'buy','customer':'a','time':1000},", "dead 0 json");
    DEALS("{'type':'buy','customer':'a','time':4000}", "event 0");
    str lines = buffer_str(&rig.lines);
    cr_expect_eq(count_of(lines, "\"id\":\"shop/0/0\""), 1);
    cr_expect_eq(count_of(lines, "\"id\":\"shop/0/0/2\""), 1);
    cr_expect_eq(count_of(lines, "\"id\":\"shop/0/2\""), 1);
    end();
}

Test(unfold, the_event_that_is_shown_is_that_of_the_last_record)
{
    begin(NULL);
    str plain = json("{'type':'buy','customer':'a','time':4000,'n':1}");
    deal(&rig, json("[{'type':'buy','customer':'a','time':1000,'n':1}]"));
    deal(&rig, plain);
    cr_expect(str_equal(relance_engine_event(rig.engine), plain));
    deal(&rig, json("[{},7]"));
    cr_expect_not(str_equal(relance_engine_event(rig.engine), plain));
    end();
}

Test(unfold, a_list_has_so_many_events_and_one_more_is_a_dead_letter)
{
    begin(NULL);
    for (size_t count = LIMIT_MAPPED_EVENTS; count <= LIMIT_MAPPED_EVENTS + 1; count++) {
        struct buffer list;
        buffer_init(&list, &arena);
        for (size_t i = 0; i < count; i++)
            buffer_put_format(&list, "%c{\"type\":\"buy\",\"customer\":\"a\",\"time\":1000}", i ? ',' : '[');
        buffer_put_char(&list, ']');
        str told = deal(&rig, buffer_str(&list));
        if (count == LIMIT_MAPPED_EVENTS)
            cr_expect_eq(count_of(told, "event"), LIMIT_MAPPED_EVENTS);
        else
            cr_expect(str_equal(told, STR("dead 0 mapping")), "%.*s", STR_ARG(told));
    }
    end();
}

Test(unfold, a_mapped_record_goes_on_where_it_stopped_for_a_state)
{
    begin(map);
    rig_restart(&rig); /* it knows nobody: each record stops at first */
    DEALS("{'user':'a','at':1000,'lines':[{'n':1},{},{'n':3}]}", "event 0, dead 1 mapping, event 2");
    rig_forget(&rig);
    DEALS("{'user':'b','at':2000,'lines':[{'n':4},{'n':5}]}", "event 0, event 1");
    DEALS("{'user':'b','at':3000,'skip':true,'lines':[{'n':4}]}", "nothing 0");
    DEALS("{'user':'b','at':3000,'lines':[{}]}", "dead 0 mapping");
    str lines = buffer_str(&rig.lines);
    cr_expect_eq(count_of(lines, "\"outcome\":\"sent\""), 4);
    cr_expect_eq(count_of(lines, "\"id\":\"shop/0/0/2\",\"n\":3"), 1);
    cr_expect_eq(count_of(lines, "\"id\":\"shop/0/1/1\",\"n\":5"), 1);
    end();
}

Test(unfold, engines_of_one_set_may_deal_with_their_records_in_turn)
{
    begin(map);
    struct rig other;
    rig_start(&other, rules, 0);
    struct relance_record one = rig_record(&rig, json("{'user':'a','at':1000,'lines':[{'n':1},{'n':2}]}"));
    struct relance_record two = rig_record(&other, json("{'user':'b','at':1000,'lines':[{'n':7},{'n':8}]}"));
    for (int event = 0; event < 2; event++) {
        cr_assert_eq(relance_engine_record(rig.engine, &one, &rig.fate), RELANCE_DONE);
        cr_assert_eq(relance_engine_record(other.engine, &two, &other.fate), RELANCE_DONE);
        cr_expect_eq(rig.fate.more, event == 0);
        cr_expect_eq(other.fate.more, event == 0);
    }
    cr_expect_eq(count_of(buffer_str(&rig.lines), "\"n\":1}") + count_of(buffer_str(&rig.lines), "\"n\":2}"),
                 2);
    cr_expect_eq(
        count_of(buffer_str(&other.lines), "\"n\":7}") + count_of(buffer_str(&other.lines), "\"n\":8}"), 2);
    rig_end(&other);
    end();
}

Test(unfold, a_record_that_says_that_it_is_native_is_no_matter_of_the_mapping)
{
    static const struct relance_header header = {STR("relance-native"), STR("1")};
    begin(map);
    const char *text = "{'type': 'buy', 'customer': 'anna', 'id': 'e', 'time': 1772445600000, 'n': 7}";
    DEALS(text, "nothing 0"); /* to the mapping it has no lines */
    struct relance_record record = rig_record(&rig, json(text));
    record.headers = &header;
    record.header_count = 1;
    while (relance_engine_record(rig.engine, &record, &rig.fate) == RELANCE_NEEDS)
        rig_fetch(&rig);
    cr_expect_eq(rig.fate.kind, RELANCE_EVENT);
    cr_expect_eq(rig.fate.more, false);
    end();
}
