/* Formats: bytes in, events out. Each case is a record and the events that it becomes, or why it becomes none. */

#include "allocations.h"
#include "base/report.h"
#include "mapping_case.h"

TestSuite(format, .init = setup, .fini = teardown, .timeout = 60);

static void use(const char *text)
{
    str mistakes = compile(str_of(text));
    cr_assert(mapping, "%.*s", STR_ARG(mistakes));
}

static struct relance_mapped map_record(str value, const struct relance_header *headers, size_t count)
{
    struct relance_mapped mapped;
    const struct relance_foreign record = {
        .topic = STR("t"), .value = value, .headers = headers, .header_count = count};
    cr_assert_eq(relance_mapping_map(mapping, &record, &mapped), RELANCE_OK);
    return mapped;
}

/* The events of a record, one a line; "REASON: SENTENCE" in the place of one, "-" for a record that no row is for. */
static const char *told(const struct relance_mapped *mapped)
{
    struct buffer out;
    buffer_init(&out, &arena);
    if (mapped->kind == RELANCE_UNMAPPED) return "-";
    if (mapped->kind == RELANCE_UNREADABLE)
        buffer_put_format(&out, "%.*s: %.*s", STR_ARG(mapped->reason), STR_ARG(mapped->sentence));
    for (size_t i = 0; i < mapped->count; i++) {
        const struct relance_mapped_item *item = &mapped->items[i];
        if (out.size) buffer_put_char(&out, '\n');
        if (item->event.size)
            buffer_put_str(&out, item->event);
        else
            buffer_put_format(&out, "%.*s: %.*s", STR_ARG(item->reason), STR_ARG(item->sentence));
    }
    buffer_put_char(&out, '\0');
    return out.data;
}

static void expect_bytes(str value, const struct relance_header *headers, size_t count, const char *events)
{
    struct relance_mapped mapped = map_record(value, headers, count);
    const char *found = told(&mapped);
    cr_expect_str_eq(found, events, "%.*s\n  gives    %s\n  expected %s", STR_ARG(value), found, events);
}

static void expect(const char *value, const char *events)
{
    expect_bytes(str_of(value), NULL, 0, events);
}

Test(format, refuses_a_name_that_none_has)
{
    str told = compile(
        str_of("{\"format\": \"from\", \"events\": {\"*\": {\"type\": \"x\", \"customer\": \"c\"}}}"));
    cr_expect(memmem(told.data, told.size, "there is no format 'from'", 25), "%.*s", STR_ARG(told));
    cr_expect(memmem(told.data, told.size, "did you mean 'form'?", 20), "%.*s", STR_ARG(told));
}

/* ---- query strings */

#define FORM(shape)                                                                                          \
    "{\"format\": \"form\", \"record\": {" shape                                                             \
    "}, \"each\": {\"type\": \"x\", \"customer\": \"c\", \"id\": \"i\"}, "                                   \
    "\"events\": {\"*\": {\"a\": \"${record.a}\", \"b\": \"${record.b}\"}}}"

Test(format, query_strings_are_decoded)
{
    use(FORM("\"a\": \"string\", \"b\": \"double\""));
    expect("a=x&b=4.5", "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\",\"a\":\"x\",\"b\":4.5}");
    expect("a=%C3%A9+%2B&c=1", "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\",\"a\":\"\xC3\xA9 +\"}");
    expect("?a=1=2", "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\",\"a\":\"1=2\"}");
    expect("https://shop.example/m.php?a=https://x.example/?y",
           "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\",\"a\":\"https://x.example/?y\"}");
    expect("a=100%&b=%4", "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\",\"a\":\"100%\"}");
    expect("a=%22%5C%00&&=5", "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\",\"a\":\"\\\"\\\\\\u0000\"}");
    expect("a\n", "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\",\"a\":\"\"}");
    expect("", "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\"}");
}

Test(format, of_a_name_that_comes_twice_the_last_value_counts_and_brackets_make_a_list)
{
    use(FORM("\"a\": \"string\", \"b\": [\"string\"]"));
    expect("a=1&a=2&b%5B%5D=x&b[]=y",
           "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\",\"a\":\"2\",\"b\":[\"x\",\"y\"]}");
}

Test(format, bytes_of_a_form_that_are_no_text_are_left_out_and_counted)
{
    use(FORM("\"a\": \"string\", \"b\": \"string\""));
    struct relance_mapped mapped = map_record(STR("a=%E9&b=ok"), NULL, 0);
    cr_expect_eq(mapped.fields_invalid, 1);
    cr_expect_str_eq(told(&mapped), "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\",\"b\":\"ok\"}");
}

Test(format, each_of_a_bulk_request_is_a_record)
{
    use(FORM("\"a\": \"string\", \"b\": \"string\""));
    expect("{\"token_auth\": \"t\", \"requests\": [\"?a=1 2\", {\"a\": \"3\"}]}",
           "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\",\"a\":\"1 2\"}\n"
           "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\",\"a\":\"3\"}");
    const char *dead = "format: the record is no query string, and no list `requests` of them in JSON";
    expect("{\"a\": 1}", dead);
    expect("{\"requests\": [\"a=1\"", dead);
    expect("{\"requests\": [\"a=1\"]} x", dead);
}

Test(format, a_text_within_json_may_be_a_query_string)
{
    use("{\"record\": {\"q\": {\"$form\": {\"a\": \"int\", \"b\": {\"$text\": [\"int\"]}}}}, \"events\": "
        "{\"*\": {\"type\": \"x\", "
        "\"id\": \"i\", \"customer\": \"c\", \"a\": \"${record.q.a}\", \"b\": \"${record.q.b}\"}}}");
    expect("{\"q\": \"?a=7&b=%5B1%2C2%5D\"}",
           "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\",\"a\":7,\"b\":[1,2]}");
    expect("{\"q\": 7}", "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\"}");
}

/* ---- CloudEvents */

static const char cloudevents[] =
    "{\"format\": \"cloudevents\", \"record\": {\"total\": \"double\"}, \"by\": \"ce.type\", \"each\": "
    "{\"id\": \"${ce.source + "
    "'/' + ce.id}\", \"customer\": \"${ce.subject}\", \"time\": \"${ce.time}\"}, \"events\": {\"order\": "
    "{\"type\": \"purchase\", "
    "\"total\": \"${data.total * 2.0}\", \"shop\": \"${ce.shop}\", \"of\": \"${ce.datacontenttype}\"}, "
    "\"*\": {\"type\": \"${ce.type}\", \"from\": \"data\"}}}";

#define BINARY(type, content)                                                                                \
    {STR("ce_specversion"), STR("1.0")}, {STR("ce_type"), STR(type)}, {STR("ce_source"), STR("/s")},         \
        {STR("ce_id"), STR("1")}, {STR("ce_subject"), STR("anna")},                                          \
    {                                                                                                        \
        STR("Content-Type"), STR(content)                                                                    \
    }

Test(format, cloudevents_in_binary_mode_have_their_attributes_in_headers)
{
    use(cloudevents);
    cr_expect(relance_mapping_reads_headers(mapping));
    const struct relance_header order[] = {BINARY("order", "application/json"), {STR("ce_shop"), STR("de")}};
    expect_bytes(STR("{\"total\": 4}"), order, 7,
                 "{\"type\":\"purchase\",\"id\":\"/s/"
                 "1\",\"customer\":\"anna\",\"total\":8,\"shop\":\"de\",\"of\":\"application/json\"}");
    const struct relance_header other[] = {BINARY("other", "application/vnd.shop+json; charset=utf-8")};
    expect_bytes(STR("{\"n\": [1]}"), other, 6,
                 "{\"type\":\"other\",\"id\":\"/s/1\",\"customer\":\"anna\",\"n\": [1]}");
    expect_bytes(STR("[{\"n\": 1}, {\"n\": 2}]"), other, 6,
                 "{\"type\":\"other\",\"id\":\"/s/1\",\"customer\":\"anna\"}");
    expect_bytes(STR("{\"n\""), other, 6, "json: the record is no JSON object");
    expect_bytes((str){0}, other, 6, "");
    const struct relance_header text[] = {BINARY("other", "text/plain")};
    expect_bytes(STR("{\"n\""), text, 6, "{\"type\":\"other\",\"id\":\"/s/1\",\"customer\":\"anna\"}");
}

Test(format, cloudevents_in_structured_mode_are_known_by_their_specversion)
{
    use(cloudevents);
    const struct relance_header type = {STR("content-type"),
                                        STR("application/cloudevents+json; charset=utf-8")};
    const char *event = "{\"data\": {\"total\": 4}, \"specversion\": \"1.0\", \"type\": \"order\", "
                        "\"source\": \"/s\", \"id\": 7, "
                        "\"subject\": \"anna\", \"time\": \"2026-03-02T10:00:00Z\", \"shop\": true, "
                        "\"datacontenttype\": null}";
    const char *mapped = "{\"type\":\"purchase\",\"id\":\"/s/"
                         "7\",\"customer\":\"anna\",\"time\":\"2026-03-02T10:00:00Z\",\"total\":8,"
                         "\"shop\":\"true\"}";
    expect_bytes(str_of(event), &type, 1, mapped);
    expect(event, mapped);
    expect("{\"type\": \"order\"}",
           "format: the record is no CloudEvent: neither its headers nor it itself say a specversion");
    expect("{\"specversion\": \"1.0\", ", "json: the record is no JSON object");
    expect("{\"specversion\": \"1.0\", \"type\": \"t\", \"source\": \"/s\", \"id\": \"1\", \"subject\": "
           "\"a\", \"data\": [1]}",
           "{\"type\":\"t\",\"id\":\"/s/1\",\"customer\":\"a\"}");
}

Test(format, a_batch_of_cloudevents_is_one_event_each)
{
    use(cloudevents);
    expect(
        "[{\"specversion\": \"1.0\", \"type\": \"t\", \"source\": \"/s\", \"id\": \"1\", \"subject\": \"a\", "
        "\"data\": {\"n\": 1}}, "
        "{\"specversion\": \"1.0\", \"type\": \"t\", \"source\": \"/s\", \"id\": \"2\", \"subject\": \"b\"}]",
        "{\"type\":\"t\",\"id\":\"/s/1\",\"customer\":\"a\",\"n\": 1}\n{\"type\":\"t\",\"id\":\"/s/"
        "2\",\"customer\":\"b\"}");
}

Test(format, data_in_base64_are_read_where_they_are_json)
{
    use(cloudevents);
    expect("{\"specversion\": \"1.0\", \"type\": \"order\", \"source\": \"/s\", \"id\": \"1\", \"subject\": "
           "\"a\", \"data_base64\": "
           "\"eyJ0b3RhbCI6IDR9\"}",
           "{\"type\":\"purchase\",\"id\":\"/s/1\",\"customer\":\"a\",\"total\":8}");
    expect("{\"specversion\": \"1.0\", \"type\": \"order\", \"source\": \"/s\", \"id\": \"1\", \"subject\": "
           "\"a\", \"data_base64\": \"AAEC\"}",
           "{\"type\":\"purchase\",\"id\":\"/s/1\",\"customer\":\"a\"}");
}

/* ---- Snowplow */

enum {
    ENRICHED_COLUMNS = 131,
    USER_ID = 12,
    CONTEXTS = 52,
    UNSTRUCT = 58,
    DERIVED = 122,
    DERIVED_TSTAMP = 124
};

static const char *enriched(size_t columns, const char *contexts, const char *derived, const char *unstruct)
{
    struct buffer out;
    buffer_init(&out, &arena);
    for (size_t i = 0; i < columns; i++) {
        if (i) buffer_put_char(&out, '\t');
        if (i == USER_ID) buffer_put_str(&out, STR("an\"na"));
        if (i == CONTEXTS) buffer_put_str(&out, str_of(contexts));
        if (i == UNSTRUCT) buffer_put_str(&out, str_of(unstruct));
        if (i == DERIVED) buffer_put_str(&out, str_of(derived));
        if (i == DERIVED_TSTAMP) buffer_put_str(&out, STR("2026-03-02 10:00:00.120"));
    }
    buffer_put_char(&out, '\0');
    return out.data;
}

#define ENTITY(name, data) "{\"schema\": \"iglu:com.acme/" name "/jsonschema/1-0-2\", \"data\": " data "}"

Test(format, enriched_events_are_the_json_of_the_analytics_sdks)
{
    use("{\"format\": \"snowplow-tsv\", \"record\": {\"user_id\": \"string\"}, \"events\": {\"*\": "
        "{\"type\": \"x\", \"id\": \"i\", "
        "\"customer\": \"${record.user_id}\", \"from\": \"record\"}}}");
    expect(enriched(ENRICHED_COLUMNS,
                    "{\"data\": [" ENTITY("LinkClick", "{\"n\": 1}") ", " ENTITY("ABTest", "{}") "]}",
                    "{\"schema\": \"iglu:x\", \"data\": [" ENTITY("link_click", "{\"n\": 2}") "]}",
                    "{\"data\": " ENTITY("userAction2Go", "[]") "}"),
           "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"an\\\"na\",\"user_id\":\"an\\\"na\","
           "\"unstruct_event_com_acme_user_action2_go_1\":[],\"derived_tstamp\":\"2026-03-02T10:00:00.120Z\","
           "\"contexts_com_acme_link_click_1\":[{\"n\": 1},{\"n\": 2}],\"contexts_com_acme_abtest_1\":[{}]}");
}

Test(format, json_in_columns_that_is_none_is_left_out_and_counted)
{
    use("{\"format\": \"snowplow-tsv\", \"record\": {\"user_id\": \"string\"}, \"events\": {\"*\": "
        "{\"type\": \"x\", \"id\": \"i\", "
        "\"customer\": \"${record.user_id}\"}}}");
    const char *broken[] = {"{\"data\": [",
                            "[]",
                            "{\"data\": {}}",
                            "{}",
                            "{\"data\": [7]}",
                            "{\"data\": []} \"",
                            "{\"data\": [{\"schema\": \"iglu:a/b\", \"data\": 1}]}",
                            "{\"data\": [{\"schema\": \"iglu:a/b/c/1\"}]}"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct relance_mapped mapped =
            map_record(str_of(enriched(ENRICHED_COLUMNS, broken[i], "", broken[i])), NULL, 0);
        cr_expect_eq(mapped.kind, RELANCE_MAPPED, "%s", broken[i]);
        cr_expect_eq(mapped.fields_invalid, 2, "%s: %u", broken[i], mapped.fields_invalid);
    }
}

Test(format, a_latitude_that_is_not_utf8_is_left_out_and_so_is_the_location)
{
    char line[ENRICHED_COLUMNS + 16], *at = line;
    use("{\"format\": \"snowplow-tsv\", \"record\": {\"user_id\": \"string\", \"geo_location\": \"string\"}, "
        "\"events\": "
        "{\"*\": {\"type\": \"x\", \"customer\": \"${record.user_id}\", \"place\": "
        "\"${record.geo_location}\"}}}");
    for (int column = 0; column < ENRICHED_COLUMNS; column++) {
        const char *text = column == 12 ? "u" : column == 22 ? "\xff" : column == 23 ? "1" : "";
        at = stpcpy(at, column ? "\t" : "");
        at = stpcpy(at, text);
    }
    struct relance_mapped mapped = map_record(str_of(line), NULL, 0);
    cr_expect_eq(mapped.kind, RELANCE_MAPPED, "%.*s", STR_ARG(mapped.sentence));
    cr_expect_eq(mapped.fields_invalid, 1u, "%u", mapped.fields_invalid);
}

Test(format, a_line_of_other_columns_is_no_enriched_event)
{
    use("{\"format\": \"snowplow-tsv\", \"record\": {\"user_id\": \"string\"}, \"events\": {\"*\": "
        "{\"type\": \"x\", "
        "\"customer\": \"${record.user_id}\"}}}");
    const char *dead = "format: the record does not have the 131 columns of an enriched event";
    expect(enriched(ENRICHED_COLUMNS - 1, "", "", ""), dead);
    expect(enriched(ENRICHED_COLUMNS + 1, "", "", ""), dead);
    expect("x", dead);
    expect("", dead);
}

/* ---- CSV */

#define CSV(settings)                                                                                        \
    "{\"format\": \"csv\", \"csv\": {" settings "}, \"record\": {\"Order\": \"string\", \"Sku\": "           \
    "\"string\"}, \"each\": {\"type\": \"x\", \"id\": \"i\", \"customer\": \"c\"}, \"events\": {\"*\": "     \
    "{\"order\": \"${record.Order}\", \"items\": [{\"for\": \"r in rows\", \"sku\": \"${r.Sku}\"}]}}}"
#define ORDER(order, items)                                                                                  \
    "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\",\"order\":\"" order "\",\"items\":[" items "]}"

Test(format, a_value_of_csv_begins_with_its_header)
{
    use(CSV(""));
    expect("\xEF\xBB\xBFOrder,Other, Sku \n7,x,a\n8,\"y\",\"b \"\"c\"\"\"\n",
           ORDER("7", "{\"sku\":\"a\"}") "\n" ORDER("8", "{\"sku\":\"b \\\"c\\\"\"}"));
    expect("Order,Sku\n7,\n", ORDER("7", "{}"));
    expect("Order,Sku,Sku\n7,a,b\n", ORDER("7", "{\"sku\":\"a\"}"));
    expect("Order,Sku\n", "");
    expect("Order,Sku\n7\n", "format: it has fewer cells than the header has columns");
    expect("Order,Sku\n7,a,b\n", "format: it has more cells than the header has columns");
    expect("Order,Sku\n7,\"a", "format: a quote is opened here and not closed");
    expect("Order,\"Sku", "format: a quote is opened here and not closed");
    expect("Order,Sku\n7,\xE9\n", "utf8: the record is not valid UTF-8");
}

Test(format, rows_of_one_group_that_follow_each_other_are_one_record)
{
    use(CSV("\"header\": [\"Order\", \"Sku\"], \"separator\": \";\", \"group\": \"record.Order\""));
    expect("7;a\n7;b\n8;c\n7;d\n", ORDER("7", "{\"sku\":\"a\"},{\"sku\":\"b\"}") "\n" ORDER(
                                       "8", "{\"sku\":\"c\"}") "\n" ORDER("7", "{\"sku\":\"d\"}"));
    const char *alone = "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\",\"items\":[{\"sku\":\"a\"}]}";
    struct relance_mapped mapped = map_record(STR(";a\n;a\n"), NULL, 0);
    cr_expect_eq(mapped.count, 2);
    cr_expect(str_equal(mapped.items[0].event, str_of(alone)), "%s", told(&mapped));
}

Test(format, the_group_of_a_row_is_told_to_whoever_reads_a_file)
{
    struct relance_csv csv;
    struct relance_error error;
    struct relance_mapped mapped;
    struct relance_str group;
    use(CSV("\"group\": \"record.Order + 'x'\""));
    cr_expect(relance_mapping_csv(mapping, &csv) && csv.separator == ',' && csv.header_wanted && csv.grouped);
    cr_expect_eq(relance_mapping_csv_header(mapping, STR("Order,Skuu"), &error), RELANCE_INVALID);
    cr_expect_str_eq(error.message, "there is no column 'Sku'; did you mean 'Skuu'?");
    cr_expect_eq(relance_mapping_csv_header(mapping, STR("\xEF\xBB\xBFOrder,Sku"), &error), RELANCE_OK);
    cr_expect(relance_mapping_csv(mapping, &csv) && !csv.header_wanted);
    const struct relance_foreign records[] = {
        {.value = STR("7,a")}, {.value = STR(",a")}, {.value = STR("7")}};
    static const char *const groups[] = {"7x", "", ""};
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(relance_mapping_csv_group(mapping, &records[i], &mapped, &group), RELANCE_OK);
        cr_expect(str_equal(group, str_of(groups[i])), "%zu: %.*s", i, STR_ARG(group));
        cr_expect_eq(mapped.kind, i == 2 ? RELANCE_UNREADABLE : RELANCE_MAPPED);
    }
    expect("7,a\n7,b", ORDER("7", "{\"sku\":\"a\"},{\"sku\":\"b\"}"));
}

Test(format, times_of_csv_that_are_texts_have_its_formats)
{
    use("{\"format\": \"csv\", \"csv\": {\"header\": [\"t\"], \"tz\": \"Europe/Berlin\"}, \"record\": "
        "{\"t\": \"string\"}, "
        "\"events\": {\"*\": {\"type\": \"x\", \"id\": \"i\", \"customer\": \"c\", \"time\": "
        "\"${record.t}\"}}}");
    static const char *const times[][2] = {{"2026-03-01 10:00", "2026-03-01T09:00:00Z"},
                                           {"2026/03/01", "2026-02-28T23:00:00Z"},
                                           {"20260301", "2026-02-28T23:00:00Z"},
                                           {"1772445600", "2026-03-02T10:00:00Z"},
                                           {"1772445600120", "2026-03-02T10:00:00.120Z"},
                                           {"2026-03-01 10:00:00.5 UTC", "2026-03-01T10:00:00.500Z"},
                                           {"2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"},
                                           {"2026-02-30", NULL},
                                           {"soon", NULL}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct relance_mapped mapped = map_record(str_of(times[i][0]), NULL, 0);
        str event = mapped.items[0].event;
        bool has = memmem(event.data, event.size, "time", 4);
        cr_expect_eq(has, times[i][1] != NULL, "%.*s", STR_ARG(event));
        if (times[i][1])
            cr_expect(memmem(event.data, event.size, times[i][1], strlen(times[i][1])), "%.*s",
                      STR_ARG(event));
    }
}

/* ---- shapes of texts */

#define TIMES(shape)                                                                                         \
    "{\"record\": {\"t\": " shape "}, \"events\": {\"*\": {\"type\": \"x\", \"id\": \"i\", \"customer\": "   \
    "\"c\", \"at\": \"${record.t}\"}}}"
#define AT(time) "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\",\"at\":" time "}"
#define NONE     "{\"type\":\"x\",\"id\":\"i\",\"customer\":\"c\"}"

Test(format, times_have_formats_and_a_zone)
{
    use(TIMES("{\"$time\": [\"%d.%m.%Y %H:%M\", \"%s\"], \"tz\": \"Europe/Berlin\"}"));
    expect("{\"t\": \"01.03.2026 10:00\"}", AT("\"2026-03-01T09:00:00Z\""));
    expect("{\"t\": \"01.07.2026 10:00+00:00\"}", AT("\"2026-07-01T10:00:00Z\""));
    expect("{\"t\": \"1772445600\"}", AT("\"2026-03-02T10:00:00Z\""));
    expect("{\"t\": 1772445600}", AT("\"2026-03-02T10:00:00Z\""));
    expect("{\"t\": \"31.02.2026 10:00\"}", NONE);
    expect("{\"t\": \"2026-03-01\"}", NONE);
    expect("{\"t\": null}", NONE);
    expect("{\"t\": {}}", NONE);
    cr_expect_gt(compile(str_of(TIMES("{\"$time\": \"at %s\"}"))).size, 0);
    cr_expect_gt(compile(str_of(TIMES("{\"$time\": \"%Y\", \"tz\": \"Europe/Berlinn\"}"))).size, 0);
    cr_expect_gt(compile(str_of(TIMES("{\"$time\": 7}"))).size, 0);
}

Test(format, numbers_have_a_mark_of_decimals)
{
    use(TIMES("{\"$number\": \",\"}"));
    expect("{\"t\": \"1.240,50 \xE2\x82\xAC\"}", AT("1240.5"));
    expect("{\"t\": 7.5}", AT("7.5"));
    expect("{\"t\": \"12.50\"}", NONE);
    expect("{\"t\": true}", NONE);
    cr_expect_gt(compile(str_of(TIMES("{\"$number\": \";\"}"))).size, 0);
}

/* ---- memory */

Test(format, nothing_is_allocated_once_warm)
{
    static const char *const mappings[] = {
        FORM("\"a\": \"string\", \"b\": [\"string\"]"), cloudevents,
        "{\"format\": \"snowplow-tsv\", \"record\": {\"user_id\": \"string\"}, \"events\": {\"*\": "
        "{\"type\": \"x\", \"customer\": \"${record.user_id}\", \"from\": \"record\"}}}",
        CSV("\"group\": \"record.Order\"")};
    const char *values[] = {"a=1&b[]=2&b[]=3",
                            "{\"specversion\": \"1.0\", \"type\": \"order\", \"source\": \"/s\", \"id\": "
                            "\"1\", \"subject\": \"a\", "
                            "\"data_base64\": \"eyJ0b3RhbCI6IDR9\"}",
                            enriched(ENRICHED_COLUMNS, "{\"data\": [" ENTITY("a", "{}") "]}", "",
                                     "{\"data\": " ENTITY("b", "1") "}"),
                            "Order,Sku\n7,\"a \"\"b\"\"\"\n7,c\n8,d"};
    allocations_watch();
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        use(mappings[i]);
        for (int n = 0; n < 3; n++)
            map_record(str_of(values[i]), NULL, 0);
        size_t before = allocations;
        for (int n = 0; n < 100; n++)
            map_record(str_of(values[i]), NULL, 0);
        cr_expect_eq(allocations, before, "%s", values[i]);
    }
}
