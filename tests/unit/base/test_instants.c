/* Instants, durations, and the hash that Kafka's partitioner takes. What is read and what is refused is
 * mostly in tests/golden/event; here is what golden lines cannot say. */
#include "base/duration.h"
#include "base/murmur2.h"
#include "base/rfc3339.h"

#include <criterion/criterion.h>

Test(instants, every_day_of_the_years_1_to_9999_goes_to_its_date_and_back)
{
    int64_t year, next_year = 1;
    unsigned month, day, next_month = 1, next_day = 1;
    static const unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int64_t days = RFC3339_MS_MIN / 86400000; days <= RFC3339_MS_MAX / 86400000; days++) {
        rfc3339_date(days, &year, &month, &day);
        cr_assert(year == next_year && month == next_month && day == next_day, "day %ld", (long)days);
        cr_assert_eq(rfc3339_days(year, month, day), days);
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        next_day = day == lengths[month - 1] + (month == 2 && leap ? 1u : 0u) ? 1 : day + 1;
        if (next_day == 1) next_month = month == 12 ? 1 : month + 1;
        if (next_day == 1 && next_month == 1) next_year++;
    }
}

Test(instants, what_is_printed_is_read_again)
{
    static const int64_t instants[] = {RFC3339_MS_MIN, -1, 0, 1, 951782400123, 1772445600120, RFC3339_MS_MAX};
    for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++) {
        char text[RFC3339_MS_SIZE];
        int64_t seconds;
        int32_t nanos;
        rfc3339_print_ms(instants[i], text);
        cr_assert(rfc3339_parse((str){text, sizeof text}, &seconds, &nanos));
        cr_expect_eq(seconds * 1000 + nanos / 1000000, instants[i]);
    }
}

Test(instants, nanoseconds_are_kept_and_what_is_beyond_is_cut_off)
{
    int64_t seconds;
    int32_t nanos;
    cr_assert(rfc3339_parse(STR("1970-01-01T00:00:01.1234567899Z"), &seconds, &nanos));
    cr_expect(seconds == 1 && nanos == 123456789);
    cr_assert(rfc3339_parse(STR("1969-12-31T23:59:59.5Z"), &seconds, &nanos));
    cr_expect(seconds == -1 && nanos == 500000000);
}

Test(instants, nothing_is_written_when_nothing_is_read)
{
    int64_t seconds = 7, ms = 7;
    int32_t nanos = 7;
    static const char *const wrong[] = {"",
                                        "2026",
                                        "2026-03-02T10:00:00",
                                        "2026-03-02T10:00:00+1:00",
                                        "2026-03-02T10:00:00Z ",
                                        "2026-13-02T10:00:00Z"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_expect_not(rfc3339_parse(str_of(wrong[i]), &seconds, &nanos), "%s", wrong[i]);
    cr_expect_not(duration_parse(STR("1h1h"), &ms));
    cr_expect_not(duration_parse(STR("250ms"), &ms));
    cr_expect(seconds == 7 && nanos == 7 && ms == 7);
}

Test(instants, a_duration_reaches_10000_years_and_not_a_second_more)
{
    int64_t ms;
    cr_expect(duration_parse(STR("315576000000s"), &ms) && ms == DURATION_MS_MAX);
    cr_expect(duration_parse(STR("-315576000000s"), &ms) && ms == -DURATION_MS_MAX);
    cr_expect_not(duration_parse(STR("315576000001s"), &ms));
    cr_expect_not(duration_parse(STR("521786w"), &ms));
}

Test(instants, murmur2_is_that_of_kafkas_java_client)
{
    cr_expect_eq((int32_t)murmur2(STR("21")), -973932308);
    cr_expect_eq((int32_t)murmur2(STR("foobar")), -790332482);
    cr_expect_eq((int32_t)murmur2(STR("abc")), 479470107);
    cr_expect_eq(murmur2((str){0}), 275646681);
}

/* What duration_parse reads is printed as it was, in days at most. */
Test(instants, durations_are_printed_as_people_write_them)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{0, "0m"},
                {60000, "1m"},
                {5400000, "1h30m"},
                {14 * INT64_C(86400000), "14d"},
                {-90061000, "-1d1h1m1s"},
                {1005, "1s+5ms"},
                {5, "+5ms"},
                {INT64_MIN, "-106751991167d7h12m55s+808ms"}};
    struct arena arena;
    arena_init(&arena, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer text;
        int64_t ms;
        buffer_init(&text, &arena);
        duration_put(&text, rows[i].ms);
        cr_expect(str_equal(buffer_str(&text), str_of(rows[i].text)), "%.*s", STR_ARG(buffer_str(&text)));
        bool whole = rows[i].ms % 1000 == 0;
        cr_expect_eq(duration_parse(buffer_str(&text), &ms), whole);
        cr_expect(!whole || ms == rows[i].ms);
    }
    arena_free(&arena);
}

static int64_t fine(const char *text)
{
    int64_t ms = -1;
    return duration_parse_fine(str_of(text), &ms) ? ms : -1;
}

Test(instants, options_have_durations_of_milliseconds_and_of_none)
{
    cr_expect_eq(fine("45m"), 2700000);
    cr_expect_eq(fine("1h30m"), 5400000);
    cr_expect_eq(fine("2w"), 1209600000);
    cr_expect_eq(fine("250ms"), 250);
    cr_expect_eq(fine("1s250ms"), 1250);
    cr_expect_eq(fine("0"), 0);
    cr_expect_eq(fine("0s"), 0);
}

Test(instants, options_refuse_what_is_nearly_a_duration)
{
    static const char *const wrong[] = {"",
                                        "45",
                                        "m",
                                        "30m1h",
                                        "1m1m",
                                        "-1m",
                                        "1.5h",
                                        "1h ",
                                        " 1h",
                                        "1y",
                                        "5ms1s",
                                        "99999999999999999999w",
                                        "9223372036854775807w"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(fine(wrong[i]), -1, "%s", wrong[i]);
}
