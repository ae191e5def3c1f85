/* MessagePack, both ways: every form of the format, values by their declared types, and bytes that lie. */
#include "state/pack.h"

#include "base/limits.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static struct arena arena;
static struct buffer out;

static void setup(void)
{
    arena_init(&arena, 0);
    buffer_init(&out, &arena);
}

static void teardown(void)
{
    arena_free(&arena);
}

TestSuite(pack, .init = setup, .fini = teardown, .timeout = 60);

/* A cursor over a copy that ends where its memory ends: reading beyond is seen by the address sanitizer. */
static struct unpack exactly(str packed)
{
    char *copy = malloc(packed.size ? packed.size : 1);
    cr_assert_not_null(copy);
    if (packed.size) memcpy(copy, packed.data, packed.size);
    return unpack_of((str){copy, packed.size});
}

static void forget(struct unpack in, size_t size)
{
    free((char *)(uintptr_t)in.end - size);
}

/* ---- integers: the shortest form, and back */

static void integer(int64_t i, size_t size)
{
    buffer_init(&out, &arena);
    pack_int(&out, i);
    cr_expect_eq(out.size, size, "%lld takes %zu bytes", (long long)i, out.size);
    struct unpack in = unpack_of(buffer_str(&out));
    cr_expect_eq(unpack_int(&in), i);
    cr_expect(!in.bad && in.at == in.end);
}

Test(pack, integers_take_their_shortest_form_and_come_back)
{
    integer(0, 1), integer(127, 1), integer(-1, 1), integer(-32, 1);
    integer(128, 2), integer(255, 2), integer(-33, 2), integer(-128, 2);
    integer(256, 3), integer(65535, 3), integer(-129, 3), integer(-32768, 3);
    integer(65536, 5), integer(4294967295, 5), integer(-32769, 5), integer(-2147483648LL, 5);
    integer(4294967296, 9), integer(INT64_MAX, 9), integer(-2147483649LL, 9), integer(INT64_MIN, 9);
}

Test(pack, unsigned_integers_keep_all_64_bits)
{
    pack_uint(&out, UINT64_MAX);
    struct unpack in = unpack_of(buffer_str(&out));
    cr_expect_eq(unpack_uint(&in), UINT64_MAX);
    cr_expect(!in.bad && in.at == in.end);
}

/* ---- every first byte of the format */

static void prints(str packed, const char *json)
{
    struct buffer text;
    buffer_init(&text, &arena);
    struct unpack in = exactly(packed);
    unpack_print(&in, &text);
    if (json)
        cr_expect(!in.bad && in.at == in.end && str_equal(buffer_str(&text), str_of(json)),
                  "wanted %s, got %.*s", json, STR_ARG(buffer_str(&text)));
    else
        cr_expect(in.bad, "byte 0x%02X was read as %.*s", (unsigned char)packed.data[0],
                  STR_ARG(buffer_str(&text)));
    forget(in, packed.size);
}

Test(pack, every_form_of_the_format_is_read)
{
    prints(STR("\x00"), "0"), prints(STR("\x7f"), "127"), prints(STR("\xe0"), "-32"),
        prints(STR("\xff"), "-1");
    prints(STR("\x80"), "{}"), prints(STR("\x81\xa1k\x01"), "{\"k\":1}");
    prints(STR("\x90"), "[]"), prints(STR("\x92\x01\x02"), "[1,2]");
    prints(STR("\xa0"), "\"\""), prints(STR("\xa3"
                                            "abc"),
                                        "\"abc\"");
    prints(STR("\xc0"), "null"), prints(STR("\xc2"), "false"), prints(STR("\xc3"), "true");
    prints(STR("\xc4\x01x"), "\"x\""), prints(STR("\xc5\x00\x01x"), "\"x\""),
        prints(STR("\xc6\x00\x00\x00\x01x"), "\"x\"");
    prints(STR("\xca\x3f\xc0\x00\x00"), "1.5"), prints(STR("\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"), "1.5");
    prints(STR("\xcc\xff"), "255"), prints(STR("\xcd\xff\xff"), "65535"),
        prints(STR("\xce\xff\xff\xff\xff"), "4294967295");
    prints(STR("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615");
    prints(STR("\xd0\x80"), "-128"), prints(STR("\xd1\x80\x00"), "-32768"),
        prints(STR("\xd2\x80\x00\x00\x00"), "-2147483648");
    prints(STR("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), "-9223372036854775808");
    prints(STR("\xd9\x01x"), "\"x\""), prints(STR("\xda\x00\x01x"), "\"x\""),
        prints(STR("\xdb\x00\x00\x00\x01x"), "\"x\"");
    prints(STR("\xdc\x00\x01\x05"), "[5]"), prints(STR("\xdd\x00\x00\x00\x01\x05"), "[5]");
    prints(STR("\xde\x00\x01\xa1k\x05"), "{\"k\":5}"),
        prints(STR("\xdf\x00\x00\x00\x01\xa1k\x05"), "{\"k\":5}");
}

Test(pack, forms_that_states_never_have_are_refused)
{
    static const unsigned char refused[] = {0xC1, 0xC7, 0xC8, 0xC9, 0xD4,
                                            0xD5, 0xD6, 0xD7, 0xD8}; /* unused; extensions */
    for (size_t i = 0; i < sizeof refused; i++) {
        char bytes[32] = {(char)refused[i]};
        prints((str){bytes, sizeof bytes}, NULL);
    }
}

/* Each of the 256 first bytes, alone and with bytes of every kind behind it: skipping and printing agree on
 * where the value ends, and on whether there is one. */
Test(pack, skipping_and_printing_agree_about_every_first_byte)
{
    static const unsigned char behind[] = {0x00, 0x01, 0x90, 0xA1, 0xC0, 0xFF};
    for (unsigned first = 0; first < 256; first++)
        for (size_t i = 0; i < sizeof behind; i++)
            for (size_t size = 1; size <= 40; size += 13) {
                char bytes[40];
                memset(bytes, behind[i], sizeof bytes);
                bytes[0] = (char)first;
                struct unpack skipped = exactly((str){bytes, size}), printed = exactly((str){bytes, size});
                const unsigned char *begin_skipped = skipped.at, *begin_printed = printed.at;
                struct buffer text;
                buffer_init(&text, &arena);
                unpack_skip(&skipped);
                unpack_print(&printed, &text);
                cr_assert_eq(skipped.bad, printed.bad, "0x%02X 0x%02X", first, behind[i]);
                if (!skipped.bad)
                    cr_assert_eq(skipped.at - begin_skipped, printed.at - begin_printed, "0x%02X 0x%02X",
                                 first, behind[i]);
                forget(skipped, size), forget(printed, size);
            }
}

/* ---- reading what is not there */

Test(pack, a_cursor_that_went_wrong_gives_zeros_from_then_on)
{
    struct unpack in = unpack_of(STR("\x01\xa1x\x01\x02\x03\x04\x05\x06\x07"));
    cr_expect_eq(unpack_str(&in).size, 0u, "a number is no text");
    cr_expect(in.bad);
    const unsigned char *at = in.at;
    cr_expect_eq(unpack_int(&in), 0);
    cr_expect_eq(unpack_uint(&in), 0u);
    cr_expect_eq(unpack_double(&in), 0.0);
    cr_expect_eq(unpack_array(&in), 0u);
    cr_expect_eq(unpack_map(&in), 0u);
    cr_expect_eq(unpack_skip(&in).size, 0u);
    cr_expect(!unpack_bool(&in));
    cr_expect(!unpack_is_nil(&in));
    cr_expect_eq(in.at, at);
}

Test(pack, no_bytes_hold_nothing)
{
    struct unpack in = unpack_of((str){0});
    cr_expect(!unpack_is_nil(&in));
    cr_expect(!in.bad);
    unpack_skip(&in);
    cr_expect(in.bad);
}

Test(pack, a_nil_is_taken_only_where_it_stands)
{
    struct unpack in = unpack_of(STR("\xc0\x01"));
    cr_expect(unpack_is_nil(&in));
    cr_expect(!unpack_is_nil(&in));
    cr_expect_eq(unpack_int(&in), 1);
}

Test(pack, a_negative_number_is_no_unsigned_one)
{
    struct unpack in = unpack_of(STR("\xff"));
    unpack_uint(&in);
    cr_expect(in.bad);
}

Test(pack, a_count_larger_than_what_is_left_is_a_lie)
{
    static const str lies[] = {STR("\xdd\xff\xff\xff\xff\x01"), STR("\xdc\x00\x02\x01"), STR("\x91")};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct unpack in = unpack_of(lies[i]);
        cr_expect_eq(unpack_array(&in), 0u);
        cr_expect(in.bad);
    }
    struct unpack map = unpack_of(STR("\xdf\xff\xff\xff\xff\x01"));
    cr_expect_eq(unpack_map(&map), 0u);
    cr_expect(map.bad);
    struct unpack text = unpack_of(STR("\xdb\xff\xff\xff\xffx"));
    cr_expect_eq(unpack_str(&text).size, 0u);
    cr_expect(text.bad);
}

Test(pack, nesting_without_end_is_skipped_without_recursion_and_not_printed)
{
    size_t size = (size_t)1 << 20;
    char *deep = arena_alloc(&arena, size);
    memset(deep, 0x91, size);
    deep[size - 1] = 0x01;
    struct unpack in = unpack_of((str){deep, size});
    cr_expect_eq(unpack_skip(&in).size, size);
    in = unpack_of((str){deep, size});
    struct buffer text;
    buffer_init(&text, &arena);
    unpack_print(&in, &text);
    cr_expect(in.bad);
    in = unpack_of((str){deep + size - 1 - LIMIT_EVENT_DEPTH, LIMIT_EVENT_DEPTH + 1});
    unpack_print(&in, &text);
    cr_expect(!in.bad, "what an event may nest can be shown");
    in = unpack_of((str){deep + size - 2 - LIMIT_EVENT_DEPTH, LIMIT_EVENT_DEPTH + 2});
    unpack_print(&in, &text);
    cr_expect(in.bad, "one level more cannot");
}

/* ---- values by their declared types */

static struct cel_field item_fields[3];
static struct cel_record_type item = {.field_count = 3, .fields = item_fields};

static const struct cel_type *list_of(const struct cel_type *element)
{
    return cel_list_of(&arena, element);
}

static const struct cel_type *item_type(void)
{
    item_fields[0] = (struct cel_field){STR("product"), &cel_types[CEL_TYPE_STRING]};
    item_fields[1] = (struct cel_field){STR("price"), &cel_types[CEL_TYPE_DOUBLE]};
    item_fields[2] = (struct cel_field){STR("qty"), &cel_types[CEL_TYPE_INT]};
    item.name = STR("item");
    return cel_record_of(&arena, &item);
}

static struct cel_value list_value(size_t count, const struct cel_value *items)
{
    struct cel_list *list = arena_alloc(&arena, sizeof *list + count * sizeof *items);
    list->count = count;
    if (count) memcpy(list->items, items, count * sizeof *items);
    return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}

static struct cel_value map_value(size_t count, const struct cel_entry *entries)
{
    struct cel_map *map = cel_map_new(&arena, count);
    map->count = count;
    if (count) memcpy(map->entries, entries, count * sizeof *entries);
    return (struct cel_value){.kind = CEL_MAP, .as.map = map};
}

static struct cel_value item_value(struct cel_value product, struct cel_value price, struct cel_value qty)
{
    struct cel_record *record = arena_alloc(&arena, sizeof *record + 3 * sizeof *record->fields);
    record->type = &item;
    record->fields[0] = product, record->fields[1] = price, record->fields[2] = qty;
    return (struct cel_value){.kind = CEL_RECORD, .as.record = record};
}

static struct cel_value bytes_value(str bytes)
{
    struct cel_value value = cel_string(bytes);
    value.kind = CEL_BYTES;
    return value;
}

static const struct cel_value absent = {.kind = CEL_ABSENT};

static struct cel_value back(struct cel_value value, const struct cel_type *type)
{
    buffer_init(&out, &arena);
    pack_value(&out, value);
    struct unpack in = unpack_of(buffer_str(&out));
    struct cel_value read = unpack_value(&in, type, &arena);
    cr_expect(!in.bad && in.at == in.end);
    return read;
}

static void comes_back(struct cel_value value, enum cel_type_kind kind)
{
    struct cel_value read = back(value, &cel_types[kind]);
    cr_expect_eq(read.kind, value.kind);
    cr_expect(cel_equal(read, value), "a value of type %d", kind);
}

Test(pack, scalars_come_back_as_they_were)
{
    comes_back(cel_bool(true), CEL_TYPE_BOOL), comes_back(cel_bool(false), CEL_TYPE_BOOL);
    comes_back(cel_int(INT64_MIN), CEL_TYPE_INT), comes_back(cel_int(INT64_MAX), CEL_TYPE_INT);
    comes_back(cel_uint(UINT64_MAX), CEL_TYPE_UINT), comes_back(cel_uint(0), CEL_TYPE_UINT);
    comes_back(cel_double(-0.1), CEL_TYPE_DOUBLE), comes_back(cel_double(1e308), CEL_TYPE_DOUBLE);
    comes_back(cel_double(5e-324), CEL_TYPE_DOUBLE), comes_back(cel_double(INFINITY), CEL_TYPE_DOUBLE);
    comes_back(cel_string(STR("")), CEL_TYPE_STRING),
        comes_back(cel_string(STR("a\0\xC3\xA9")), CEL_TYPE_STRING);
    comes_back(bytes_value(STR("\xFF\0")), CEL_TYPE_BYTES);
    cr_expect(isnan(back(cel_double(NAN), &cel_types[CEL_TYPE_DOUBLE]).as.d));
    cr_expect(signbit(back(cel_double(-0.0), &cel_types[CEL_TYPE_DOUBLE]).as.d));
}

Test(pack, instants_and_durations_come_back_to_the_millisecond)
{
    static const int64_t times[] = {-62135596800000, -1, 0, 1, 1772445600120, 253402300799999};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        comes_back(cel_timestamp_ms(times[i]), CEL_TYPE_TIMESTAMP);
        comes_back(cel_duration_ms(times[i]), CEL_TYPE_DURATION);
    }
}

Test(pack, instants_beyond_the_years_and_durations_beyond_10000_years_are_absent)
{
    static const struct {
        int64_t ms;
        enum cel_type_kind kind;
        bool there;
    } cases[] = {
        {253402300799999, CEL_TYPE_TIMESTAMP, true}, {253402300800000, CEL_TYPE_TIMESTAMP, false},
        {-62135596800000, CEL_TYPE_TIMESTAMP, true}, {-62135596800001, CEL_TYPE_TIMESTAMP, false},
        {315576000000000, CEL_TYPE_DURATION, true},  {315576000000001, CEL_TYPE_DURATION, false},
        {-315576000000000, CEL_TYPE_DURATION, true}, {INT64_MIN, CEL_TYPE_DURATION, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(back(cel_int(cases[i].ms), &cel_types[cases[i].kind]).kind != CEL_ABSENT, cases[i].there,
                     "%lld", (long long)cases[i].ms);
}

Test(pack, lists_maps_and_records_come_back_whole)
{
    const struct cel_type *items = list_of(item_type());
    struct cel_value value =
        list_value(2, (struct cel_value[]){item_value(cel_string(STR("p1")), cel_double(40), absent),
                                           item_value(absent, absent, absent)});
    struct cel_value read = back(value, items);
    cr_assert_eq(read.kind, CEL_LIST);
    cr_assert_eq(read.as.list->count, 2u);
    const struct cel_record *first = read.as.list->items[0].as.record,
                            *second = read.as.list->items[1].as.record;
    cr_expect(str_equal(cel_text(first->fields[0]), STR("p1")));
    cr_expect_eq(first->fields[1].as.d, 40.0);
    cr_expect_eq(first->fields[2].kind, CEL_ABSENT, "what was absent stays absent");
    cr_expect_eq(second->fields[0].kind, CEL_ABSENT);
    const struct cel_type *map =
        cel_map_of(&arena, &cel_types[CEL_TYPE_STRING], list_of(&cel_types[CEL_TYPE_INT]));
    struct cel_entry entry = {cel_string(STR("sizes")),
                              list_value(2, (struct cel_value[]){cel_int(38), cel_int(-1)})};
    read = back(map_value(1, &entry), map);
    cr_assert_eq(read.kind, CEL_MAP);
    cr_expect(cel_equal(read, map_value(1, &entry)));
    cr_expect_eq(back(list_value(0, NULL), items).as.list->count, 0u);
    cr_expect_eq(back(map_value(0, NULL), map).as.map->count, 0u);
}

/* A field's type was changed in the rules: what is stored under the old one is absent, and reading goes on. */
Test(pack, a_value_of_another_type_is_absent_and_nothing_behind_it_is_lost)
{
    struct cel_value values[] = {
        cel_bool(true),        cel_int(-7),
        cel_double(1.5),       cel_string(STR("x")),
        bytes_value(STR("x")), list_value(1, (struct cel_value[]){cel_string(STR("x"))}),
        map_value(0, NULL)};
    const struct cel_type *types[] = {
        &cel_types[CEL_TYPE_BOOL],
        &cel_types[CEL_TYPE_UINT],
        &cel_types[CEL_TYPE_TIMESTAMP],
        &cel_types[CEL_TYPE_STRING],
        &cel_types[CEL_TYPE_BYTES],
        list_of(&cel_types[CEL_TYPE_STRING]),
        cel_map_of(&arena, &cel_types[CEL_TYPE_STRING], &cel_types[CEL_TYPE_INT])};
    static const bool fits[7][7] = {
        [0][0] = true, [1][2] = true, [3][3] = true, [4][4] = true, [5][5] = true, [6][6] = true};
    for (size_t v = 0; v < 7; v++)
        for (size_t t = 0; t < 7; t++) {
            buffer_init(&out, &arena);
            pack_value(&out, values[v]);
            pack_str(&out, STR("behind"));
            struct unpack in = unpack_of(buffer_str(&out));
            struct cel_value read = unpack_value(&in, types[t], &arena);
            cr_expect_eq(read.kind != CEL_ABSENT, fits[v][t], "value %zu as type %zu", v, t);
            cr_expect(str_equal(unpack_str(&in), STR("behind")), "value %zu as type %zu", v, t);
        }
}

Test(pack, a_list_with_one_bad_element_is_absent_a_record_with_one_bad_field_is_not)
{
    struct cel_value mixed = list_value(2, (struct cel_value[]){cel_int(1), cel_string(STR("x"))});
    cr_expect_eq(back(mixed, list_of(&cel_types[CEL_TYPE_INT])).kind, CEL_ABSENT);
    struct cel_value read = back(item_value(cel_int(1), cel_double(2), cel_int(3)), item_type());
    cr_assert_eq(read.kind, CEL_RECORD);
    cr_expect_eq(read.as.record->fields[0].kind, CEL_ABSENT);
    cr_expect_eq(read.as.record->fields[2].as.i, 3);
}

Test(pack, fields_that_are_no_longer_declared_are_passed_over)
{
    pack_map(&out, 2);
    pack_str(&out, STR("colour")), pack_array(&out, 2), pack_int(&out, 1), pack_nil(&out);
    pack_str(&out, STR("qty")), pack_int(&out, 3);
    struct unpack in = unpack_of(buffer_str(&out));
    struct cel_value read = unpack_value(&in, item_type(), &arena);
    cr_assert_eq(read.kind, CEL_RECORD);
    cr_expect_eq(read.as.record->fields[2].as.i, 3);
    cr_expect(!in.bad && in.at == in.end);
}

/* ---- truncated at every byte: never read beyond, never believed */

Test(pack, a_value_cut_off_anywhere_is_noticed)
{
    const struct cel_type *items = list_of(item_type());
    struct cel_value value = list_value(
        2,
        (struct cel_value[]){item_value(cel_string(STR("a longer name of a product, longer than 31 bytes")),
                                        cel_double(40), cel_int(70000)),
                             item_value(cel_string(STR("p2")), cel_double(12.5), cel_int(2))});
    pack_value(&out, value);
    for (size_t size = 0; size < out.size; size++) {
        struct unpack in = exactly((str){out.data, size});
        unpack_value(&in, items, &arena);
        cr_expect(in.bad, "%zu of %zu bytes", size, out.size);
        forget(in, size);
        in = exactly((str){out.data, size});
        cr_expect_eq(unpack_skip(&in).size, 0u);
        cr_expect(in.bad);
        forget(in, size);
    }
}

Test(pack, reading_without_memory_is_bad_not_wrong)
{
    const struct cel_type *items = list_of(item_type());
    pack_value(&out, list_value(1, (struct cel_value[]){
                                       item_value(cel_string(STR("p")), cel_double(1), cel_int(1))}));
    for (size_t room = 0; room < 256; room += 16) {
        struct arena small;
        arena_init(&small, room ? room : 1);
        struct unpack in = unpack_of(buffer_str(&out));
        struct cel_value read = unpack_value(&in, items, &small);
        cr_expect(in.bad ? read.kind == CEL_ABSENT || read.kind == CEL_LIST
                         : read.as.list->items[0].kind == CEL_RECORD);
        cr_expect(room < 192 || !in.bad);
        arena_free(&small);
    }
}
