/* Days of the week. Zones and the calendar are tested through what uses them: tests/golden. */
#include "time/weekdays.h"

#include <criterion/criterion.h>

Test(weekdays, lists_ranges_and_both_also_over_the_weeks_end)
{
    enum { MON = 1, TUE = 2, WED = 4, THU = 8, FRI = 16, SAT = 32, SUN = 64 };
    static const struct {
        const char *text;
        weekdays days;
    } rows[] = {
        {"mon", MON},
        {"sun", SUN},
        {"sat,sun", SAT | SUN},
        {"mon-fri", MON | TUE | WED | THU | FRI},
        {"fri-mon", FRI | SAT | SUN | MON},
        {"mon,wed-fri", MON | WED | THU | FRI},
        {"sun-sun", SUN},
        {"tue-mon", WEEKDAYS_ALL},
        {"", 0},
        {"mon,", 0},
        {",mon", 0},
        {"mon, tue", 0},
        {"Mon", 0},
        {"monday", 0},
        {"mon-", 0},
        {"mon-fri-sun", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(weekdays_parse(str_of(rows[i].text)), rows[i].days, "%s", rows[i].text);
}

Test(weekdays, days_before_1970_have_one_too)
{
    cr_expect(weekdays_have(weekdays_parse(STR("thu")), 0));
    cr_expect(weekdays_have(weekdays_parse(STR("wed")), -1));
    cr_expect(weekdays_have(weekdays_parse(STR("thu")), -7));
    cr_expect_not(weekdays_have(weekdays_parse(STR("mon-wed,fri-sun")), -7));
}
