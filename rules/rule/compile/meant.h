#ifndef RULE_COMPILE_MEANT_H
#define RULE_COMPILE_MEANT_H

/* What was meant by times, days and durations that are written as elsewhere: cures for messages. */
#include "base/arena.h"
#include "base/str.h"

/* "Monday 9:00" as "mon 09:00", "sat, sun" as "sat,sun", "9pm - 8am" as "21:00-08:00". Whoever asks for it looks whether
 * that is what could stand there. */
str meant_times(struct arena *arena, str text);

/* `write "3d"` for "3 days", `write "1h30m"` for "1 hour 30 min"; empty where it is no such text. */
str meant_duration(struct arena *arena, str text);

#endif
