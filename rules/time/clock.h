/* Times of day as rule files have them, "09:30" or "mon-fri 09:30" (LANGUAGE.md §2). */
#ifndef RULES_TIME_CLOCK_H
#define RULES_TIME_CLOCK_H

#include "time/weekdays.h"

struct time_of_day {
    int minutes;   /* since local midnight; -1: none */
    weekdays days; /* on one of these */
};

/* Minutes since midnight of "HH:MM"; -1: it is no time of day. */
int clock_parse(str text);

/* "[DAYS ]HH:MM"; false: it is not, and *out is as it was. */
bool time_of_day_parse(str text, struct time_of_day *out);

#endif
