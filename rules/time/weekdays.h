/* Days of the week as rule files name them (LANGUAGE.md §2): `mon` to `sun`, lists `sat,sun`, ranges `mon-fri`, also
 * over the week's end (`fri-mon`), and both mixed: `mon,wed-fri`. */
#ifndef RULES_TIME_WEEKDAYS_H
#define RULES_TIME_WEEKDAYS_H

#include "base/str.h"

#include <stdint.h>

/* A set of them: bit 0 is Monday. */
typedef uint8_t weekdays;

#define WEEKDAYS_ALL ((weekdays)0x7f)

/* 0: the text names none, or something else. */
weekdays weekdays_parse(str text);

/* Of a day, as days since 1970-01-01: 0 is Monday. */
unsigned weekday_of(int64_t day);

/* Is such a day one of them? */
bool weekdays_have(weekdays days, int64_t day);

#endif
