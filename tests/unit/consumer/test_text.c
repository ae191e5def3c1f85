/* What people write on a command line is read whole or not at all. */
#include "host/text.h"
#include <criterion/criterion.h>
#include <criterion/redirect.h>

static int64_t duration(const char *text)
{
    int64_t ms = -1;
    return text_duration(text_of(text), &ms) ? ms : -1;
}

Test(text, reads_durations_as_rule_files_write_them)
{
    cr_expect_eq(duration("45m"), 2700000);
    cr_expect_eq(duration("1h30m"), 5400000);
    cr_expect_eq(duration("2w"), 1209600000);
    cr_expect_eq(duration("250ms"), 250);
    cr_expect_eq(duration("1s250ms"), 1250);
    cr_expect_eq(duration("0"), 0);
    cr_expect_eq(duration("0s"), 0);
}

Test(text, refuses_what_is_nearly_a_duration)
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
                                        "99999999999999999999w",
                                        "9223372036854775807w"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(duration(wrong[i]), -1, "%s", wrong[i]);
}

static int64_t instant(const char *text)
{
    int64_t ms = INT64_MIN;
    return text_instant(text_of(text), &ms) ? ms : INT64_MIN;
}

Test(text, reads_instants_with_fractions_and_zones)
{
    cr_expect_eq(instant("1970-01-01T00:00:00Z"), 0);
    cr_expect_eq(instant("2026-03-02T10:00:00.120Z"), 1772445600120);
    cr_expect_eq(instant("2026-03-02T12:00:00.1209+02:00"), 1772445600120);
    cr_expect_eq(instant("2000-02-29T00:00:00Z"), 951782400000);
    cr_expect_eq(instant("1772445600120"), 1772445600120);
}

Test(text, refuses_days_that_no_calendar_has)
{
    static const char *const wrong[] = {"",
                                        "2026-02-29T00:00:00Z",
                                        "2026-13-01T00:00:00Z",
                                        "2026-03-02",
                                        "2026-03-02T10:00:00",
                                        "2026-03-02T24:00:00Z",
                                        "2026-03-02T10:00:00.Z",
                                        "2026-03-02T10:00:00Zx",
                                        "1900-02-29T00:00:00Z"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(instant(wrong[i]), INT64_MIN, "%s", wrong[i]);
}

Test(text, reads_sizes_and_stops_where_they_overflow)
{
    int64_t bytes = -1;
    cr_expect(text_size(TEXT("64MiB"), &bytes) && bytes == 64 << 20);
    cr_expect(text_size(TEXT("17"), &bytes) && bytes == 17);
    cr_expect_not(text_size(TEXT("64MB"), &bytes));
    cr_expect_not(text_size(TEXT("9999999999999GiB"), &bytes));
    cr_expect_not(text_size(TEXT("MiB"), &bytes));
}

Test(text, guesses_the_word_that_was_meant_but_not_a_stranger)
{
    const struct relance_str words[] = {TEXT("lateness"), TEXT("input"), TEXT("output")};
    cr_expect(text_equal(text_nearest(TEXT("latness"), words, 3), TEXT("lateness")));
    cr_expect(text_equal(text_nearest(TEXT("ouput"), words, 3), TEXT("output")));
    cr_expect_eq(text_nearest(TEXT("colour"), words, 3).size, 0);
    cr_expect_eq(text_nearest(TEXT(""), words, 3).size, 0);
}

Test(text, prints_every_integer)
{
    char out[TEXT_NUMBER_SIZE];
    cr_expect_eq(text_put_int(out, 0), 1);
    cr_expect_str_eq(out, "0");
    text_put_int(out, INT64_MIN);
    cr_expect_str_eq(out, "-9223372036854775808");
    text_put_int(out, INT64_MAX);
    cr_expect_str_eq(out, "9223372036854775807");
}

Test(text, reads_hashes_of_up_to_16_digits)
{
    uint64_t value = 0;
    cr_expect(text_hex(TEXT("ffffffffffffffff"), &value) && value == UINT64_MAX);
    cr_expect(text_hex(TEXT("0"), &value) && value == 0);
    cr_expect_not(text_hex(TEXT("10000000000000000"), &value));
    cr_expect_not(text_hex(TEXT("FF"), &value));
    cr_expect_not(text_hex(TEXT(""), &value));
}
