/* The event reader: what is alive, what is dead and why, and that it keeps its promises about memory. What
 * coercion makes of single values is in tests/golden/event. */
#include "event/event.h"

#include "allocations.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "cel/cel.h"

#include <criterion/criterion.h>

enum { PRODUCT, PRICE, QTY, ITEMS, LABELS, NAME, SLOTS };

static struct arena arena;
static const struct event_schema *schema;
static struct event_reader *reader;
static struct cel_value slots[SLOTS];
static struct event event;

static struct event_field view_fields[6], identify_fields[1];
static struct cel_field item_fields[2];
static struct cel_record_type item;
static struct event_type types[3];

static void setup(void)
{
    arena_init(&arena, 0);
    item_fields[0] = (struct cel_field){STR("product"), &cel_types[CEL_TYPE_STRING]};
    item_fields[1] = (struct cel_field){STR("qty"), &cel_types[CEL_TYPE_INT]};
    item = (struct cel_record_type){STR("item"), 2, item_fields, NULL};
    const struct cel_type *items = cel_list_of(&arena, cel_record_of(&arena, &item));
    const struct cel_type *labels = cel_map_of(&arena, &cel_types[CEL_TYPE_STRING], &cel_types[CEL_TYPE_INT]);
    view_fields[0] = (struct event_field){STR("product"), &cel_types[CEL_TYPE_STRING], PRODUCT};
    view_fields[1] = (struct event_field){STR("price"), &cel_types[CEL_TYPE_DOUBLE], PRICE};
    view_fields[2] = (struct event_field){STR("qty"), &cel_types[CEL_TYPE_INT], QTY};
    view_fields[3] = (struct event_field){STR("items"), items, ITEMS};
    view_fields[4] = (struct event_field){STR("labels"), labels, LABELS};
    view_fields[5] = (struct event_field){STR("unread"), &cel_types[CEL_TYPE_INT], CEL_NO_SLOT};
    identify_fields[0] = (struct event_field){STR("name"), &cel_types[CEL_TYPE_STRING], NAME};
    types[0] = (struct event_type){.name = STR("view"), .number = 0, .field_count = 6, .fields = view_fields};
    types[1] = (struct event_type){
        .name = STR("identify"), .number = 1, .keep_null = true, .field_count = 1, .fields = identify_fields};
    types[2] = (struct event_type){.name = STR("a_type_with_a_very_long_name"), .number = 2};
    schema = event_schema_new(&arena, types, 3);
    reader = event_reader_new();
    cr_assert(schema && reader);
}

static void teardown(void)
{
    event_reader_free(reader);
    arena_free(&arena);
}

TestSuite(reader, .init = setup, .fini = teardown, .timeout = 60);

/* Reads from a copy that is gone before anything is looked at, with all slots poisoned before. */
static enum event_dead read_event(str json)
{
    char *copy = malloc(json.size ? json.size : 1);
    if (json.size) memcpy(copy, json.data, json.size);
    for (int i = 0; i < SLOTS; i++)
        slots[i] = (struct cel_value){.kind = CEL_UNSET};
    enum event_dead dead = event_read(reader, schema, (str){copy, json.size}, slots, &event);
    memset(copy, '?', json.size);
    free(copy);
    return dead;
}

static void expect_dead(str json, enum event_dead reason)
{
    str wanted = event_dead_name(reason), got = event_dead_name(read_event(json));
    cr_expect(str_equal(wanted, got), "%.*s: wanted %.*s, got %.*s", (int)(json.size < 200 ? json.size : 200),
              json.data, STR_ARG(wanted), STR_ARG(got));
}

static void expect_text(struct cel_value value, str text)
{
    cr_assert_eq(value.kind, CEL_STRING);
    cr_expect(str_equal(cel_text(value), text), "%.*s", STR_ARG(cel_text(value)));
}

Test(reader, reads_the_envelope_and_the_fields_of_the_type)
{
    expect_dead(STR("{\"id\": \"e-81\", \"type\": \"view\", \"customer\": \"c-17\", \"time\": "
                    "\"2026-03-02T10:00:00.120Z\","
                    " \"product\": \"p1\", \"price\": 40, \"qty\": 2, \"unknown\": [1, {\"a\": null}],"
                    " \"items\": [{\"product\": \"p2\", \"qty\": 3}]}"),
                EVENT_ALIVE);
    cr_expect(str_equal(event.id, STR("e-81")) && str_equal(event.customer, STR("c-17")));
    cr_expect(event.type == &types[0] && str_equal(event.type_name, STR("view")));
    cr_expect(event.has_time && event.time_ms == 1772445600120);
    expect_text(slots[PRODUCT], STR("p1"));
    cr_expect(slots[PRICE].kind == CEL_DOUBLE && slots[PRICE].as.d == 40.0);
    cr_expect(slots[QTY].kind == CEL_INT && slots[QTY].as.i == 2);
    cr_assert_eq(slots[ITEMS].kind, CEL_LIST);
    cr_assert_eq(slots[ITEMS].as.list->count, 1);
    expect_text(slots[ITEMS].as.list->items[0].as.record->fields[0], STR("p2"));
    cr_expect_eq(slots[LABELS].kind, CEL_ABSENT);
    cr_expect_eq(slots[NAME].kind, CEL_UNSET, "a slot of another type is not touched");
    cr_expect_eq(event.fields_invalid, 0);
}

Test(reader, type_and_customer_are_all_that_is_required)
{
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\"}"), EVENT_ALIVE);
    cr_expect(event.id.size == 0 && !event.has_time);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"id\":null,\"time\":null}"), EVENT_ALIVE);
    cr_expect(event.id.size == 0 && !event.has_time);
}

Test(reader, a_number_as_customer_or_id_is_taken_by_its_text)
{
    expect_dead(STR("{\"type\":\"view\",\"customer\":1.50,\"id\":123456789012345678901234567890}"),
                EVENT_ALIVE);
    cr_expect(str_equal(event.customer, STR("1.50")));
    cr_expect(str_equal(event.id, STR("123456789012345678901234567890")));
}

Test(reader, an_undeclared_type_is_alive_without_fields)
{
    expect_dead(STR("{\"type\":\"sneeze\",\"customer\":\"c\",\"product\":\"p\"}"), EVENT_ALIVE);
    cr_expect(!event.type && str_equal(event.type_name, STR("sneeze")));
    expect_dead(STR("{\"product\":\"p\",\"type\":\"sneeze\",\"customer\":\"c\"}"), EVENT_ALIVE);
    cr_expect_eq(slots[PRODUCT].kind, CEL_UNSET);
    expect_dead(STR("{\"type\":\"a_type_with_a_very_long_name\",\"customer\":\"c\"}"), EVENT_ALIVE);
    cr_expect(event.type == &types[2]);
    expect_dead(STR("{\"type\":\"a_type_with_a_veRy_long_name\",\"customer\":\"c\"}"), EVENT_ALIVE);
    cr_expect_null(event.type, "names that differ in the middle only differ");
}

Test(reader, the_type_may_come_last)
{
    expect_dead(STR("{\"items\":[{\"product\":\"\\u0061\",\"qty\":\"x\"}],\"product\":\"p\\n1\",\"customer\":"
                    "\"c\\t\","
                    "\"type\":\"vi\\u0065w\"}"),
                EVENT_ALIVE);
    cr_expect(event.type == &types[0] && str_equal(event.customer, STR("c\t")));
    expect_text(slots[PRODUCT], STR("p\n1"));
    expect_text(slots[ITEMS].as.list->items[0].as.record->fields[0], STR("a"));
    cr_expect_eq(event.fields_invalid, 1, "counted once, though it is walked twice");
}

Test(reader, of_equal_keys_the_last_one_wins)
{
    expect_dead(
        STR("{\"type\":\"identify\",\"name\":\"n\",\"type\":\"view\",\"customer\":\"a\",\"customer\":\"b\","
            "\"qty\":1,\"qty\":2,\"product\":\"p\",\"product\":null,\"time\":true,\"time\":5,\"price\":1,"
            "\"price\":[]}"),
        EVENT_ALIVE);
    cr_expect(event.type == &types[0] && str_equal(event.customer, STR("b")) && event.time_ms == 5000);
    cr_expect(slots[QTY].as.i == 2 && slots[PRODUCT].kind == CEL_ABSENT && slots[PRICE].kind == CEL_ABSENT);
    cr_expect_eq(slots[NAME].kind, CEL_ABSENT, "what the first type has written is taken back");
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"labels\":{\"a\":1,\"b\":2,\"a\":3}}"),
                EVENT_ALIVE);
    cr_assert_eq(slots[LABELS].as.map->count, 2);
    cr_expect(slots[LABELS].as.map->entries[0].value.as.i == 3 &&
              slots[LABELS].as.map->entries[1].value.as.i == 2);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"type\":7}"), EVENT_DEAD_TYPE);
}

Test(reader, a_bad_value_is_absent_and_counted_also_where_nobody_reads_it)
{
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"qty\":\"many\",\"unread\":true,\"items\":[{"
                    "\"qty\":{}},{}],"
                    "\"labels\":{\"a\":1,\"b\":[]},\"price\":1e999}"),
                EVENT_ALIVE);
    cr_expect_eq(event.fields_invalid, 5);
    cr_assert_eq(event.misfit_count, 5);
    static const struct relance_misfit misfits[] = {
        {STR("qty"), STR("\"many\""), STR("int")},
        {STR("unread"), STR("true"), STR("int")},
        {STR("qty"), STR("{}"), STR("int")},
        {STR("labels"), STR("{\"a\":1,\"b\":[]}"), STR("map(string, int)")},
        {STR("price"), STR("1e999"), STR("double")},
    };
    for (size_t i = 0; i < event.misfit_count; i++)
        cr_expect(str_equal(event.misfits[i].field, misfits[i].field) &&
                      str_equal(event.misfits[i].value, misfits[i].value) &&
                      str_equal(event.misfits[i].type, misfits[i].type),
                  "%zu: '%.*s' '%.*s' '%.*s'", i, STR_ARG(event.misfits[i].field),
                  STR_ARG(event.misfits[i].value), STR_ARG(event.misfits[i].type));
    cr_expect(slots[QTY].kind == CEL_ABSENT && slots[LABELS].kind == CEL_ABSENT &&
              slots[PRICE].kind == CEL_ABSENT);
    cr_expect(slots[ITEMS].kind == CEL_LIST && slots[ITEMS].as.list->count == 2);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"qty\":null,\"items\":[{\"qty\":null}]}"),
                EVENT_ALIVE);
    cr_expect(event.fields_invalid == 0 && event.misfit_count == 0, "null is no mistake");
}

Test(reader, null_is_kept_where_the_type_says_so)
{
    expect_dead(STR("{\"type\":\"identify\",\"customer\":\"c\",\"name\":null}"), EVENT_ALIVE);
    cr_expect_eq(slots[NAME].kind, CEL_NULL);
    expect_dead(STR("{\"type\":\"identify\",\"customer\":\"c\",\"name\":[]}"), EVENT_ALIVE);
    cr_expect_eq(slots[NAME].kind, CEL_ABSENT);
    cr_expect_eq(event.fields_invalid, 1);
    expect_dead(STR("{\"type\":\"identify\",\"customer\":\"c\"}"), EVENT_ALIVE);
    cr_expect_eq(slots[NAME].kind, CEL_ABSENT);
}

Test(reader, passes_over_a_byte_order_mark_in_front_and_nowhere_else)
{
    expect_dead(STR("\xEF\xBB\xBF{\"type\":\"view\",\"customer\":\"c\"}"), EVENT_ALIVE);
    cr_expect(str_equal(event.customer, STR("c")));
    expect_dead(STR("\xEF\xBB\xBF"), EVENT_DEAD_JSON);
    expect_dead(STR("\xEF\xBB\xBF\xEF\xBB\xBF{\"type\":\"view\",\"customer\":\"c\"}"), EVENT_DEAD_JSON);
    expect_dead(STR("{\"type\":\"view\",\xEF\xBB\xBF\"customer\":\"c\"}"), EVENT_DEAD_JSON);
}

Test(reader, says_why_a_record_is_dead)
{
    expect_dead(STR(""), EVENT_DEAD_JSON);
    expect_dead(STR("  "), EVENT_DEAD_JSON);
    expect_dead(STR("[]"), EVENT_DEAD_JSON);
    expect_dead(STR("\"view\""), EVENT_DEAD_JSON);
    expect_dead(STR("null"), EVENT_DEAD_JSON);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\"} {}"), EVENT_DEAD_JSON);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\"}\0"), EVENT_DEAD_JSON);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"x\":1\0}"), EVENT_DEAD_JSON);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\""), EVENT_DEAD_JSON);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"x\":\"\xFF\"}"), EVENT_DEAD_UTF8);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"\xED\xA0\x80\":1}"), EVENT_DEAD_UTF8);
    expect_dead(STR("{}"), EVENT_DEAD_TYPE);
    expect_dead(STR("{\"customer\":\"c\"}"), EVENT_DEAD_TYPE);
    expect_dead(STR("{\"type\":null,\"customer\":\"c\"}"), EVENT_DEAD_TYPE);
    expect_dead(STR("{\"type\":1,\"customer\":\"c\"}"), EVENT_DEAD_TYPE);
    expect_dead(STR("{\"type\":\"view\"}"), EVENT_DEAD_CUSTOMER);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"\"}"), EVENT_DEAD_CUSTOMER);
    expect_dead(STR("{\"type\":\"view\",\"customer\":null}"), EVENT_DEAD_CUSTOMER);
    expect_dead(STR("{\"type\":\"view\",\"customer\":true}"), EVENT_DEAD_CUSTOMER);
    expect_dead(STR("{\"type\":\"view\",\"customer\":[\"c\"]}"), EVENT_DEAD_CUSTOMER);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"id\":{}}"), EVENT_DEAD_ID);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"id\":false}"), EVENT_DEAD_ID);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"time\":\"yesterday\"}"), EVENT_DEAD_TIME);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"time\":\"1772445600120\"}"), EVENT_DEAD_TIME);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"time\":253402300800000}"), EVENT_DEAD_TIME);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"time\":253402300799999}"), EVENT_ALIVE);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"time\":-62135596800001}"), EVENT_DEAD_TIME);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"time\":-62135596800000}"), EVENT_ALIVE);
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"time\":{}}"), EVENT_DEAD_TIME);
}

Test(reader, a_record_that_is_no_json_is_that_whatever_else_is_wrong)
{
    expect_dead(STR("{\"time\":\"x\",\"customer\":\"\",\"x\":01}"), EVENT_DEAD_JSON);
}

Test(reader, the_slots_of_a_dead_record_are_absent)
{
    expect_dead(STR("{\"type\":\"view\",\"customer\":\"c\",\"product\":\"p\",\"x\":tru}"), EVENT_DEAD_JSON);
    cr_expect(slots[PRODUCT].kind == CEL_ABSENT && str_equal(event.customer, STR("c")));
    expect_dead(STR("{\"type\":\"view\",\"product\":\"p\"}"), EVENT_DEAD_CUSTOMER);
    cr_expect_eq(slots[PRODUCT].kind, CEL_ABSENT);
}

static str text_of(char *room, const char *before, size_t count, char c, const char *after)
{
    size_t size = strlen(before);
    memcpy(room, before, size);
    memset(room + size, c, count);
    memcpy(room + size + count, after, strlen(after));
    return (str){room, size + count + strlen(after)};
}

Test(reader, an_id_or_customer_has_256_bytes_and_not_one_more)
{
    char room[1024];
    expect_dead(text_of(room, "{\"type\":\"view\",\"customer\":\"", LIMIT_ID_BYTES, 'c', "\"}"), EVENT_ALIVE);
    expect_dead(text_of(room, "{\"type\":\"view\",\"customer\":\"", LIMIT_ID_BYTES + 1, 'c', "\"}"),
                EVENT_DEAD_CUSTOMER);
    expect_dead(text_of(room, "{\"type\":\"view\",\"customer\":", LIMIT_ID_BYTES + 1, '1', "}"),
                EVENT_DEAD_CUSTOMER);
    expect_dead(text_of(room, "{\"type\":\"view\",\"customer\":1,\"id\":\"", LIMIT_ID_BYTES, 'i', "\"}"),
                EVENT_ALIVE);
    expect_dead(text_of(room, "{\"type\":\"view\",\"customer\":1,\"id\":\"", LIMIT_ID_BYTES + 1, 'i', "\"}"),
                EVENT_DEAD_ID);
}

Test(reader, a_visitor_of_more_than_256_bytes_is_none)
{
    char room[1024];
    expect_dead(text_of(room, "{\"type\":\"view\",\"visitor\":\"", LIMIT_ID_BYTES, 'v', "\"}"), EVENT_ALIVE);
    expect_dead(text_of(room, "{\"type\":\"view\",\"visitor\":\"", LIMIT_ID_BYTES + 1, 'v', "\"}"),
                EVENT_DEAD_CUSTOMER);
    expect_dead(
        text_of(room, "{\"type\":\"view\",\"customer\":1,\"visitor\":\"", LIMIT_ID_BYTES + 1, 'v', "\"}"),
        EVENT_ALIVE);
}

/* An event with a field that nests `depth` deep, the event itself included. */
static str nested(const char *field, size_t depth)
{
    struct buffer out;
    buffer_init(&out, &arena);
    buffer_put_format(&out, "{\"type\":\"view\",\"customer\":\"c\",\"%s\":", field);
    for (size_t i = 1; i < depth; i++)
        buffer_put_str(&out, i % 2 ? STR("[") : STR("{\"a\":"));
    buffer_put_str(&out, STR("1"));
    for (size_t i = depth - 1; i > 0; i--)
        buffer_put_char(&out, i % 2 ? ']' : '}');
    buffer_put_char(&out, '}');
    return buffer_str(&out);
}

Test(reader, nests_64_deep_and_not_one_more)
{
    static const char *const fields[] = {"x", "product", "items", "labels", "unread"};
    for (size_t i = 0; i < 5; i++) {
        expect_dead(nested(fields[i], LIMIT_EVENT_DEPTH), EVENT_ALIVE);
        expect_dead(nested(fields[i], LIMIT_EVENT_DEPTH + 1), EVENT_DEAD_DEPTH);
        expect_dead(nested(fields[i], 100000), EVENT_DEAD_DEPTH);
    }
}

Test(reader, a_record_has_1_MiB_and_not_a_byte_more)
{
    const char *before = "{\"type\":\"view\",\"customer\":\"c\",\"product\":\"", *after = "\"}";
    size_t filling = LIMIT_EVENT_BYTES - strlen(before) - strlen(after);
    char *room = malloc(LIMIT_EVENT_BYTES + 1);
    expect_dead(text_of(room, before, filling, 'x', after), EVENT_ALIVE);
    cr_expect_eq(slots[PRODUCT].size, filling);
    expect_dead(text_of(room, before, filling + 1, 'x', after), EVENT_DEAD_SIZE);
    free(room);
}

Test(reader, a_megabyte_of_escapes_elements_or_keys_is_read)
{
    struct buffer out;
    buffer_init(&out, &arena);
    buffer_put_str(&out, STR("{\"type\":\"view\",\"customer\":\"c\",\"product\":\""));
    for (int i = 0; i < 50000; i++)
        buffer_put_str(&out, STR("\\u00e9"));
    buffer_put_str(&out, STR("\",\"labels\":{"));
    for (int i = 0; i < 20000; i++)
        buffer_put_format(&out, "\"k%d\":%d,", i, i);
    buffer_put_str(&out, STR("\"k7\":-7},\"items\":[{}"));
    for (int i = 0; i < 50000; i++)
        buffer_put_str(&out, STR(",{}"));
    buffer_put_str(&out, STR("]}"));
    expect_dead(buffer_str(&out), EVENT_ALIVE);
    cr_expect_eq(slots[PRODUCT].size, 100000);
    cr_expect_eq(slots[LABELS].as.map->count, 20000);
    cr_expect_eq(slots[LABELS].as.map->entries[7].value.as.i, -7);
    cr_expect_eq(slots[ITEMS].as.list->count, 50001);
}

Test(reader, every_prefix_of_a_record_is_dead_and_no_crash)
{
    str whole = STR("{\"id\":\"\\u00e9\\ud834\\udd1e\",\"type\":\"view\",\"customer\":\"c\",\"time\":\"2026-"
                    "03-02T10:00:00Z\","
                    "\"product\":\"p\\\\\\\"\",\"price\":-1.5e-3,\"qty\":\"12\",\"items\":[{\"qty\":1},{}],"
                    "\"labels\":{\"a\":0},\"x\":[true,false,null,{}]}");
    expect_dead(whole, EVENT_ALIVE);
    cr_expect_eq(event.fields_invalid, 0);
    for (size_t size = 0; size < whole.size; size++)
        expect_dead(str_slice(whole, 0, size), EVENT_DEAD_JSON);
}

Test(reader, every_single_broken_byte_leaves_the_reader_usable)
{
    const char whole[] =
        "{\"id\":\"\\u00e9\",\"type\":\"view\",\"customer\":\"c\",\"time\":1.0e3,\"items\":[{\"qty\":1},{}]}";
    char broken[sizeof whole];
    for (size_t at = 0; at < sizeof whole - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            memcpy(broken, whole, sizeof whole);
            broken[at] = (char)byte;
            read_event((str){broken, sizeof whole - 1});
        }
        expect_dead((str){whole, sizeof whole - 1}, EVENT_ALIVE);
        cr_expect_eq(event.time_ms, 1000000);
    }
}

Test(reader, asks_the_heap_for_nothing_once_warm)
{
    str json = STR(
        "{\"id\":\"e\\n\",\"type\":\"view\",\"customer\":\"c\",\"time\":\"2026-03-02T10:00:00Z\",\"product\":"
        "\"p\","
        "\"price\":0.1e-30,\"labels\":{\"a\":1,\"b\":2},\"items\":[{\"product\":\"q\",\"qty\":3},{},{},{}]}");
    for (int i = 0; i < 3; i++)
        cr_assert_eq(event_read(reader, schema, json, slots, &event), EVENT_ALIVE);
    allocations_watch();
    size_t before = allocations;
    for (int i = 0; i < 1000; i++)
        event_read(reader, schema, json, slots, &event);
    size_t asked = allocations - before;
    event_reader_free(event_reader_new());
    cr_expect_gt(allocations, before, "the counter counts");
    cr_expect_eq(asked, 0);
}

Test(reader, coerces_a_single_json_text_that_outlives_its_source)
{
    struct cel_value value;
    char text[] = "\"a\\u0000b\"";
    cr_assert(event_coerce_json(&arena, (str){text, sizeof text - 1}, &cel_types[CEL_TYPE_STRING], &value));
    memset(text, '?', sizeof text);
    expect_text(value, STR("a\0b"));
    cr_expect(event_coerce_json(&arena, STR(" 12 "), &cel_types[CEL_TYPE_INT], &value) && value.as.i == 12);
    cr_expect(event_coerce_json(&arena, STR("null"), &cel_types[CEL_TYPE_INT], &value) &&
              value.kind == CEL_NULL);
    cr_expect_not(event_coerce_json(&arena, STR("1 2"), &cel_types[CEL_TYPE_INT], &value));
    cr_expect_not(event_coerce_json(&arena, STR(""), &cel_types[CEL_TYPE_INT], &value));
    cr_expect_not(event_coerce_json(&arena, STR("true"), &cel_types[CEL_TYPE_INT], &value));
}
