/* Values on their own: printing, time, zones. */
#include "base/buffer.h"
#include "cel_world.h"

#include <criterion/criterion.h>
#include <math.h>

static struct cel_world world;

static void begin(void)
{
    cel_world_begin(&world);
}

static void end(void)
{
    cel_world_end(&world);
}

TestSuite(cel_value, .init = begin, .fini = end);

static str double_text(double d)
{
    struct buffer out;
    buffer_init(&out, &world.arena);
    cel_print_double(d, &out);
    return buffer_str(&out);
}

Test(cel_value, prints_doubles_as_javascript_does)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e20, "100000000000000000000"},
        {123456789012345680000.0, "123456789012345680000"},
        {1e21, "1e+21"},
        {1.5e300, "1.5e+300"},
        {1e-6, "0.000001"},
        {1e-7, "1e-7"},
        {1.25e-7, "1.25e-7"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {9007199254740993.0, "9007199254740992"},
        {INFINITY, "Infinity"},
        {-INFINITY, "-Infinity"},
        {NAN, "NaN"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        str text = double_text(cases[i].value);
        cr_expect(str_equal(text, str_of(cases[i].text)), "%s: %.*s", cases[i].text, STR_ARG(text));
    }
}

Test(cel_value, reads_only_timestamps_of_rfc_3339)
{
    static const char *const wrong[] = {
        "",
        "2026-03-02",
        "2026-03-02T10:00:00",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T10:60:00Z",
        "2026-03-02 10:00:00Z",
        "2026-03-02T10:00:00+2:00",
        "2026-03-02T10:00:00.Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2026-03-02T10:00:00Zx",
    };
    struct cel_value v;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_expect_not(cel_parse_timestamp(str_of(wrong[i]), &v), "%s", wrong[i]);
    cr_expect(cel_parse_timestamp(STR("1969-12-31T23:59:59.999Z"), &v));
    cr_expect_eq(cel_timestamp_to_ms(v), -1);
    cr_expect(cel_parse_timestamp(STR("2016-12-31T23:59:60Z"), &v), "a leap second is the second after it");
    cr_expect_eq(cel_timestamp_to_ms(v), 1483228800000);
    cr_expect(cel_parse_timestamp(STR("2026-03-02T10:00:00.120+02:00"), &v));
    cr_expect_eq(cel_timestamp_to_ms(v), 1772438400120);
}

Test(cel_value, prints_instants_and_durations_with_three_six_or_nine_digits)
{
    struct buffer out;
    buffer_init(&out, &world.arena);
    cel_print_timestamp(cel_timestamp_ms(-1), &out);
    buffer_put_char(&out, ' ');
    cel_print_duration(cel_duration_ms(-1500), &out);
    buffer_put_char(&out, ' ');
    cel_print_duration(cel_duration_ms(90000), &out);
    cr_expect(str_equal(buffer_str(&out), STR("1969-12-31T23:59:59.999Z -1.500s 90s")), "%.*s",
              STR_ARG(buffer_str(&out)));
}

Test(cel_value, writes_json_with_what_is_absent_left_out)
{
    struct buffer out;
    buffer_init(&out, &world.arena);
    cr_expect(cel_print_json(world.slots[WORLD_ITEMS], &out));
    cr_expect(str_equal(
        buffer_str(&out),
        STR("[{\"product\":\"p1\",\"price\":10.5,\"qty\":2},{\"product\":\"p2\",\"price\":4,\"qty\":1}]")));
    cr_expect_not(cel_print_json(cel_double(NAN), &out));
}

static int64_t at(const char *text)
{
    struct cel_value v;
    cr_assert(cel_parse_timestamp(str_of(text), &v));
    return v.as.i;
}

static const struct zone *zone(const char *name)
{
    const struct zone *found = zone_find(world.zones, str_of(name));
    cr_assert(found, "no zone %s: is tzdata installed?", name);
    return found;
}

Test(cel_value, knows_the_offsets_of_zones_within_and_behind_their_tables)
{
    cr_expect_eq(zone_offset(zone("Europe/Paris"), at("2026-01-15T12:00:00Z")), 3600);
    cr_expect_eq(zone_offset(zone("Europe/Paris"), at("2026-03-29T00:59:59Z")), 3600);
    cr_expect_eq(zone_offset(zone("Europe/Paris"), at("2026-03-29T01:00:00Z")), 7200);
    cr_expect_eq(zone_offset(zone("Europe/Paris"), at("2500-07-01T12:00:00Z")), 7200);
    cr_expect_eq(zone_offset(zone("America/New_York"), at("2499-12-01T12:00:00Z")), -18000);
    cr_expect_eq(zone_offset(zone("Australia/Sydney"), at("2499-12-25T12:00:00Z")), 39600);
    cr_expect_eq(zone_offset(zone("Asia/Kathmandu"), at("2026-01-01T00:00:00Z")), 20700);
    cr_expect_eq(zone_offset(zone("Europe/Dublin"), at("2100-07-01T00:00:00Z")), 3600);
    cr_expect_eq(zone_offset(zone("Europe/Berlin"), at("1945-07-01T00:00:00Z")), 10800);
}

Test(cel_value, knows_the_offsets_of_a_year_whichever_was_asked_for_before)
{
    static const struct {
        const char *zone, *instant;
        int32_t offset;
    } asked[] = {
        {"Europe/Paris", "2499-12-31T22:59:59Z", 3600},
        {"Europe/Paris", "2499-12-31T23:00:00Z", 3600},
        {"Europe/Paris", "2500-07-01T12:00:00Z", 7200},
        {"Europe/Paris", "2499-07-01T12:00:00Z", 7200},
        {"Australia/Sydney", "2499-12-31T13:59:59Z", 39600},
        {"Australia/Sydney", "2499-12-31T14:00:00Z", 39600},
        {"Australia/Sydney", "2500-07-01T12:00:00Z", 36000},
        {"Europe/Paris", "2100-12-01T12:00:00Z", 3600},
    };
    enum { COUNT = sizeof asked / sizeof *asked };
    for (size_t step = 1; step < COUNT; step += 2)
        for (size_t i = 0, at_row = 0; i < COUNT; i++, at_row = (at_row + step) % COUNT)
            cr_expect_eq(zone_offset(zone(asked[at_row].zone), at(asked[at_row].instant)),
                         asked[at_row].offset, "%s at %s", asked[at_row].zone, asked[at_row].instant);
}

Test(cel_value, moves_a_skipped_time_forward_and_takes_the_first_of_two)
{
    const struct zone *paris = zone("Europe/Paris");
    cr_expect_eq(zone_instant(paris, at("2026-03-29T02:30:00Z")), at("2026-03-29T01:30:00Z"));
    cr_expect_eq(zone_instant(paris, at("2026-10-25T02:30:00Z")), at("2026-10-25T00:30:00Z"));
    cr_expect_eq(zone_instant(paris, at("2026-07-01T12:00:00Z")), at("2026-07-01T10:00:00Z"));
    cr_expect_eq(zone_instant(zone("Pacific/Apia"), at("2011-12-30T12:00:00Z")), at("2011-12-30T22:00:00Z"));
    cr_expect_eq(zone_instant(zone("America/New_York"), at("2026-11-01T01:30:00Z")),
                 at("2026-11-01T05:30:00Z"));
}

Test(cel_value, knows_no_zone_outside_its_directory)
{
    cr_expect_null(zone_find(world.zones, STR("../../etc/passwd")));
    cr_expect_null(zone_find(world.zones, STR("/etc/localtime")));
    cr_expect_null(zone_find(world.zones, STR("Mars/Olympus")));
    cr_expect_null(zone_find(world.zones, STR("")));
}
