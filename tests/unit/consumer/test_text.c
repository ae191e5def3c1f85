/* What people write on a command line is read whole or not at all. */
#include "host/text.h"
#include <criterion/criterion.h>
#include <criterion/redirect.h>

static int64_t instant(const char *text)
{
    int64_t ms = INT64_MIN;
    return text_instant(str_of(text), &ms) ? ms : INT64_MIN;
}

Test(text, reads_instants_with_fractions_and_zones)
{
    cr_expect_eq(instant("1970-01-01T00:00:00Z"), 0);
    cr_expect_eq(instant("2026-03-02T10:00:00.120Z"), 1772445600120);
    cr_expect_eq(instant("2026-03-02T12:00:00.1209+02:00"), 1772445600120);
    cr_expect_eq(instant("2000-02-29T00:00:00Z"), 951782400000);
    cr_expect_eq(instant("2026-03-02T23:59:60Z"), 1772496000000); /* as in events, where it can be one */
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
                                        "2026-03-02T10:00:60Z",
                                        "2026-03-02T10:00:00.Z",
                                        "2026-03-02T10:00:00Zx",
                                        "1900-02-29T00:00:00Z"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(instant(wrong[i]), INT64_MIN, "%s", wrong[i]);
}

Test(text, reads_sizes_and_stops_where_they_overflow)
{
    int64_t bytes = -1;
    cr_expect(text_size(STR("64MiB"), &bytes) && bytes == 64 << 20);
    cr_expect(text_size(STR("17"), &bytes) && bytes == 17);
    cr_expect_not(text_size(STR("64MB"), &bytes));
    cr_expect_not(text_size(STR("9999999999999GiB"), &bytes));
    cr_expect_not(text_size(STR("MiB"), &bytes));
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
    cr_expect(text_hex(STR("ffffffffffffffff"), &value) && value == UINT64_MAX);
    cr_expect(text_hex(STR("0"), &value) && value == 0);
    cr_expect_not(text_hex(STR("10000000000000000"), &value));
    cr_expect_not(text_hex(STR("FF"), &value));
    cr_expect_not(text_hex(STR(""), &value));
}
