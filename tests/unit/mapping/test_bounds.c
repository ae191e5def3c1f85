/* What bounds a mapping, at the last that is within and the first that is beyond; and what is counted. */
#include "mapping/build.h"

#include "mapping_case.h"

TestSuite(bounds, .init = setup, .fini = teardown, .timeout = 120);

static void use(const char *text)
{
    str mistakes = compile(str_of(text));
    cr_assert(mapping, "%.*s", STR_ARG(mistakes));
}

static struct relance_mapped map(str value)
{
    struct relance_mapped mapped;
    const struct relance_foreign record = {.topic = STR("t"), .key = STR("u"), .value = value};
    cr_assert_eq(relance_mapping_map(mapping, &record, &mapped), RELANCE_OK);
    return mapped;
}

/* {"l":[1,1,…]} */
static str list_of(size_t count)
{
    struct buffer out;
    buffer_init(&out, &arena);
    buffer_put_str(&out, STR("{\"l\":["));
    for (size_t i = 0; i < count; i++)
        buffer_put_str(&out, i ? STR(",1") : STR("1"));
    buffer_put_str(&out, STR("]}"));
    return buffer_str(&out);
}

static str repeated(const char *before, char c, size_t count, const char *after)
{
    struct buffer out;
    buffer_init(&out, &arena);
    buffer_put_str(&out, str_of(before));
    for (size_t i = 0; i < count; i++)
        buffer_put_char(&out, c);
    buffer_put_str(&out, str_of(after));
    return buffer_str(&out);
}

Test(bounds, a_record_becomes_a_hundred_events_and_not_one_more)
{
    use("{\"record\": {\"l\": [\"int\"]}, \"events\": {\"*\": {\"type\": \"a\", \"customer\": \"${key}\", "
        "\"for\": \"i in "
        "record.l\"}}}");
    struct relance_mapped mapped = map(list_of(LIMIT_MAPPED_EVENTS));
    cr_assert_eq(mapped.kind, RELANCE_MAPPED);
    cr_assert_eq(mapped.count, (size_t)LIMIT_MAPPED_EVENTS);
    cr_expect(
        str_equal(mapped.items[99].event, STR("{\"type\":\"a\",\"id\":\"t/0/0/99\",\"customer\":\"u\"}")));
    mapped = map(list_of(LIMIT_MAPPED_EVENTS + 1));
    cr_assert_eq(mapped.kind, RELANCE_UNREADABLE);
    cr_assert_eq(mapped.count, 0u);
    cr_expect(str_equal(mapped.reason, STR("mapping")));
    cr_expect(str_equal(mapped.sentence, STR("the record becomes more than 100 events")));
}

Test(bounds, events_that_a_condition_left_out_do_not_count)
{
    use("{\"record\": {\"l\": [\"int\"]}, \"events\": {\"*\": {\"type\": \"a\", \"customer\": \"${key}\", "
        "\"for\": \"i in "
        "record.l\", \"if\": \"i > 1\"}}}");
    cr_expect_eq(map(list_of(1000)).kind, RELANCE_MAPPED);
}

/* Every step of the loops, and every evaluation, is one: two that share what there is. */
Test(bounds, a_record_has_its_steps_and_not_one_more)
{
    use("{\"record\": {\"n\": \"int\"}, \"events\": {\"*\": {\"type\": \"a\", \"customer\": \"u\","
        " \"x\": \"${lists.range(record.n).exists(x, x < 0)}\", \"y\": \"${lists.range(100000).exists(x, x < "
        "0)}\"}}}");
    int64_t within = 0,
            beyond = 166666; /* of the first alone: six steps an element, one of them for the range */
    while (beyond - within > 1) {
        int64_t n = (within + beyond) / 2;
        bool mapped = map(arena_format(&arena, "{\"n\":%lld}", (long long)n)).kind == RELANCE_MAPPED;
        *(mapped ? &within : &beyond) = n;
    }
    cr_expect_geq(within, 83320);
    cr_expect_leq(within, 83333, "the second's 500,000 steps are the record's, too: its range is a constant");
    struct relance_mapped mapped = map(arena_format(&arena, "{\"n\":%lld}", (long long)within));
    cr_assert_eq(mapped.count, 1u);
    cr_expect_eq(mapped.fields_invalid, 0u);
    mapped = map(arena_format(&arena, "{\"n\":%lld}", (long long)beyond));
    cr_assert_eq(mapped.kind, RELANCE_UNREADABLE);
    cr_expect(str_equal(mapped.reason, STR("mapping")));
    cr_expect(str_equal(mapped.sentence, STR("the record takes more than 1,000,000 steps")));
    cr_expect_eq(map(STR("{\"n\":1}")).kind, RELANCE_MAPPED, "the next record has its own");
}

Test(bounds, an_expression_has_64_kib_and_not_one_byte_more)
{
    const char *before = "{\"events\": {\"*\": {\"type\": \"a\", \"customer\": \"u\", \"x\": \"${'",
               *after = "'}\"}}}";
    str mistakes = compile(repeated(before, 'x', LIMIT_CEL_SOURCE_BYTES - 2, after));
    cr_expect(mapping, "%.*s", (int)(mistakes.size < 200 ? mistakes.size : 200), mistakes.data);
    mistakes = compile(repeated(before, 'x', LIMIT_CEL_SOURCE_BYTES - 1, after));
    cr_expect_null(mapping);
    cr_expect(memmem(mistakes.data, mistakes.size, "64 KiB", 6) ||
                  memmem(mistakes.data, mistakes.size, "65536", 5),
              "%.*s", (int)(mistakes.size < 200 ? mistakes.size : 200), mistakes.data);
}

static str with_names(size_t count)
{
    struct buffer out;
    buffer_init(&out, &arena);
    buffer_put_str(&out, STR("{\"let\": {"));
    for (size_t i = 0; i < count; i++)
        buffer_put_format(&out, "%s\"n%zu\": \"1\"", i ? ", " : "", i);
    buffer_put_str(&out, STR("}, \"events\": {\"*\": {\"type\": \"a\", \"n\": \"${n0}\"}}}"));
    return buffer_str(&out);
}

Test(bounds, let_has_ten_thousand_names_and_not_one_more)
{
    compile(with_names(LIMIT_MAPPING_NAMES));
    cr_expect(mapping);
    str mistakes = compile(with_names(LIMIT_MAPPING_NAMES + 1));
    cr_expect_null(mapping);
    cr_expect(memmem(mistakes.data, mistakes.size, "more than 10000 names", 21));
}

/* The text of an event, without what is around the constant; the record's own size has nothing to do with it. */
Test(bounds, an_event_has_a_mib_and_not_one_byte_more)
{
    const char *before = "{\"events\": {\"*\": [{\"type\": \"a\", \"customer\": \"u\", \"x\": \"",
               *after = "\"}, {\"type\": \"b\", \"customer\": \"u\"}]}}";
    size_t around = strlen("{\"type\":\"a\",\"id\":\"t/0/0\",\"customer\":\"u\",\"x\":\"\"}");
    str mistakes = compile(repeated(before, 'x', LIMIT_EVENT_BYTES - around, after));
    cr_assert(mapping, "%.*s", (int)(mistakes.size < 200 ? mistakes.size : 200), mistakes.data);
    cr_expect_eq(map(STR("{}")).items[0].event.size, (size_t)LIMIT_EVENT_BYTES);
    compile(repeated(before, 'x', LIMIT_EVENT_BYTES - around + 1, after));
    struct relance_mapped mapped = map(STR("{}"));
    cr_assert_eq(mapped.count, 2u);
    cr_expect(str_equal(mapped.items[0].reason, STR("size")));
    cr_expect(mapped.items[1].event.size > 0, "the other event goes on");
}

/* A constant of 50 KiB for each of 100,000 elements would be 5 GiB. */
Test(bounds, a_list_ends_where_its_event_is_too_large)
{
    const char *
        before = "{\"record\": {\"l\": [\"int\"]}, \"events\": {\"*\": {\"type\": \"a\", \"customer\": \"u\","
                 " \"x\": [{\"for\": \"i in record.l\", \"y\": \"",
       *after = "\"}]}}}";
    compile(repeated(before, 'x', 50 << 10, after));
    cr_assert(mapping);
    struct relance_mapped mapped = map(list_of(100000));
    cr_assert_eq(mapped.count, 1u);
    cr_expect(str_equal(mapped.items[0].reason, STR("size")));
    cr_expect_lt(mapping->mapper->out.capacity, (size_t)(8 << 20));
}

/* Twice two, forty times: 2^40 members, each absent. */
Test(bounds, templates_within_templates_end_with_the_steps)
{
    struct buffer out;
    buffer_init(&out, &arena);
    buffer_put_str(
        &out, STR("{\"record\": {\"n\": \"int\"}, \"let\": {\"t0\": [\"${record.n}\", \"${record.n}\"]"));
    for (int i = 1; i <= 40; i++)
        buffer_put_format(&out, ", \"t%d\": [\"${t%d}\", \"${t%d}\"]", i, i - 1, i - 1);
    buffer_put_str(&out,
                   STR("}, \"events\": {\"*\": {\"type\": \"a\", \"customer\": \"u\", \"x\": \"${t40}\"}}}"));
    compile(buffer_str(&out));
    cr_assert(mapping);
    struct relance_mapped mapped = map(STR("{}"));
    cr_expect(mapped.kind == RELANCE_UNREADABLE || str_equal(mapped.items[0].reason, STR("size")));
}

Test(bounds, what_is_passed_over_and_what_does_not_fit_is_counted)
{
    use("{\"record\": {\"e\": [{\"k\": \"string\", \"n\": \"double\"}]}, \"for\": \"e in record.e\", \"by\": "
        "\"e.k\","
        " \"each\": {\"customer\": \"u\"}, \"events\": {\"a\": {\"type\": \"a\", \"n\": \"${e.n}\", \"m\": "
        "\"${int(e.k)}\", \"o\": \"${e.n / 0.0}\"}}}");
    struct relance_mapped mapped =
        map(STR("{\"e\":[{\"k\":\"a\",\"n\":\"1,5\"},{\"k\":\"b\"},{},{\"k\":\"a\",\"n\":1}]}"));
    cr_expect_eq(mapped.kind, RELANCE_MAPPED);
    cr_expect_eq(mapped.count, 2u);
    cr_expect_eq(mapped.unmapped, 2u);
    cr_expect_eq(mapped.misfit_count, 1u);
    cr_expect(str_equal(mapped.misfits[0].field, STR("n")));
    cr_expect_eq(mapped.fields_invalid, 4u, "n, twice int('a'), and an infinity, which JSON cannot write");
    mapped = map(STR("{\"e\":[{\"k\":\"b\"}]}"));
    cr_expect_eq(mapped.kind, RELANCE_UNMAPPED);
    cr_expect(str_equal(mapped.row, STR("b")));
}

Test(bounds, headers_are_wanted_only_where_they_are_read)
{
    use("{\"events\": {\"*\": {\"type\": \"a\", \"customer\": \"${key}\"}}}");
    cr_expect_not(relance_mapping_reads_headers(mapping));
    use("{\"let\": {\"h\": \"headers\"}, \"events\": {\"*\": {\"type\": \"a\", \"customer\": "
        "\"${h.user}\"}}}");
    cr_expect(relance_mapping_reads_headers(mapping));
}

/* A sentence becomes a header of the dead letter, which has to fit into its topic. */
Test(bounds, a_sentence_tells_the_first_256_bytes_of_a_type_and_no_part_of_a_character)
{
    use("{\"record\": {\"t\": \"string\"}, \"events\": {\"*\": {\"type\": \"${record.t}\", \"customer\": "
        "\"u\","
        " \"n\": \"${record.t.size() / 0}\", \"need\": [\"n\"]}}}");
    struct relance_mapped mapped = map(repeated("{\"t\":\"", 'x', 100000, "\"}"));
    cr_assert_eq(mapped.count, 1u);
    cr_expect(str_equal(mapped.items[0].sentence, repeated("the event '", 'x', 256, "' has no 'n'")));
    mapped = map(repeated("{\"t\":\"", 'x', 255, "\xC3\xA9\"}"));
    cr_expect(str_equal(mapped.items[0].sentence, repeated("the event '", 'x', 255, "' has no 'n'")));
}

Test(bounds, who_asks_for_a_rows_group_ends_what_the_record_before_gave)
{
    struct relance_mapped mapped;
    struct relance_str group;
    const struct relance_foreign row = {.topic = STR("t"), .value = STR("g1,1")};
    use("{\"format\": \"csv\", \"csv\": {\"header\": [\"G\", \"N\"], \"group\": \"record.G\"},"
        " \"record\": {\"G\": \"string\", \"N\": \"int\"},"
        " \"events\": {\"*\": {\"type\": \"a\", \"customer\": \"${record.G}\"}}}");
    uint64_t before = mapping_serial(mapping);
    cr_assert_eq(relance_mapping_csv_group(mapping, &row, &mapped, &group), RELANCE_OK);
    cr_expect(str_equal(group, STR("g1")));
    cr_expect_neq(mapping_serial(mapping), before);
}

Test(bounds, a_key_that_is_given_however_often_is_a_mistake)
{
    struct buffer text;
    buffer_init(&text, &arena);
    buffer_put_char(&text, '{');
    for (size_t i = 0; i < 100; i++)
        buffer_put_str(&text, STR("\"record\": {\"u\": \"string\"}, "));
    buffer_put_str(&text, STR("\"events\": {\"*\": {\"type\": \"a\", \"customer\": \"u\"}}}"));
    str mistakes = compile(buffer_str(&text));
    cr_expect_null(mapping);
    cr_expect(memmem(mistakes.data, mistakes.size, "key 'record' is given twice", 27), "%.*s",
              STR_ARG(mistakes));
}

Test(bounds, seconds_since_1970_end_with_the_year_9999)
{
    use("{\"record\": {\"t\": {\"$time\": \"%s\"}}, \"events\": {\"*\": {\"type\": \"a\", \"customer\": "
        "\"u\","
        " \"at\": \"${record.t}\"}}}");
    struct relance_mapped mapped = map(STR("{\"t\":\"253402300799\"}"));
    cr_assert_eq(mapped.count, 1u);
    cr_expect(memmem(mapped.items[0].event.data, mapped.items[0].event.size, "9999-12-31T23:59:59", 19));
    cr_expect_eq(mapped.fields_invalid, 0u);
    const char *const beyond[] = {"{\"t\":\"253402300800\"}", "{\"t\":\"9999999999999\"}"};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        mapped = map(str_of(beyond[i]));
        cr_assert_eq(mapped.count, 1u);
        cr_expect_eq(mapped.fields_invalid, 1u, "%s", beyond[i]);
    }
}
