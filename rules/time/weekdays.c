#include "time/weekdays.h"

enum { DAYS = 7, THURSDAY = 3 }; /* 1970-01-01 was one */

/* The number of the day that a text names, from Monday; DAYS: none. */
static unsigned day_of_name(str name)
{
    static const str names[DAYS] = {STR("mon"), STR("tue"), STR("wed"), STR("thu"),
                                    STR("fri"), STR("sat"), STR("sun")};
    unsigned day = 0;
    while (day < DAYS && !str_equal(names[day], name))
        day++;
    return day;
}

/* "wed", or "wed-fri". */
static weekdays parse_range(str text)
{
    enum { NAME = 3 };
    bool range = text.size == 2 * NAME + 1 && text.data[NAME] == '-';
    if (!range && text.size != NAME) return 0;
    unsigned first = day_of_name(str_slice(text, 0, NAME)),
             last = range ? day_of_name(str_slice(text, NAME + 1, text.size)) : first;
    if (first == DAYS || last == DAYS) return 0;
    weekdays days = (weekdays)(1u << first);
    for (unsigned day = first; day != last; days |= (weekdays)(1u << day))
        day = (day + 1) % DAYS;
    return days;
}

weekdays weekdays_parse(str text)
{
    weekdays days = 0;
    for (size_t begin = 0, end; begin <= text.size; begin = end + 1) {
        for (end = begin; end < text.size && text.data[end] != ',';)
            end++;
        weekdays range = parse_range(str_slice(text, begin, end));
        if (!range) return 0;
        days |= range;
    }
    return days;
}

unsigned weekday_of(int64_t day)
{
    return (unsigned)(((day + THURSDAY) % DAYS + DAYS) % DAYS);
}

bool weekdays_have(weekdays days, int64_t day)
{
    return days >> weekday_of(day) & 1;
}
