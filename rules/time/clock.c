#include "time/clock.h"

int clock_parse(str text)
{
    if (text.size != 5 || text.data[2] != ':') return -1;
    for (size_t i = 0; i < 5; i++)
        if (i != 2 && (text.data[i] < '0' || text.data[i] > '9')) return -1;
    int hours = (text.data[0] - '0') * 10 + text.data[1] - '0',
        minutes = (text.data[3] - '0') * 10 + text.data[4] - '0';
    return hours < 24 && minutes < 60 ? hours * 60 + minutes : -1;
}

bool time_of_day_parse(str text, struct time_of_day *out)
{
    size_t blank = 0;
    while (blank < text.size && text.data[blank] != ' ')
        blank++;
    bool on_days = blank < text.size;
    struct time_of_day found = {
        .minutes = clock_parse(on_days ? str_slice(text, blank + 1, text.size) : text),
        .days = on_days ? weekdays_parse(str_slice(text, 0, blank)) : WEEKDAYS_ALL,
    };
    if (found.minutes < 0 || !found.days) return false;
    *out = found;
    return true;
}
