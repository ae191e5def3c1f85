/* Any lines as events, to one rule set that uses every keyword. Two engines get them: one that holds
 * everything, and one that forgets everything after each line (or starts anew, after a line that begins with
 * a blank). They must decide alike, and what the second one saves it must be able to read.
 *
 * A line costs no more than a day and a half of the customers' dates: the stream begins in 2026, and the wall clock
 * goes a little ahead of the engine's, which believes no event beyond it. Else one line in the year 9999 would fire
 * eight thousand birthdays of each customer, and a unit would take a minute. */
#include "rig.h"
#include "shop_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES = 200, RUN_ON_DAYS = 400 }; /* far enough for a birthday */
#define DAY_MS   86400000LL
#define AHEAD_MS (DAY_MS * 3 / 2) /* less than what is stale in these rules */

static const char first[] =
    "{\"id\":\"0\",\"type\":\"view\",\"customer\":\"o\",\"time\":\"2026-03-02T00:00:00Z\",\"product\":\"p\"}";

static void feed_line(struct rig *rig, str line)
{
    relance_engine_set_wall(rig->engine, relance_engine_clock(rig->engine) + AHEAD_MS);
    rig_event(rig, line);
}

static void feed(struct rig *rig, str lines, bool forgetful)
{
    str line;
    rig_event(rig, str_of(first));
    for (int i = 0; i < LINES && suite_line(&lines, &line); i++) {
        if (line.size) feed_line(rig, line);
        if (!forgetful) continue;
        if (line.size && line.data[0] == ' ')
            rig_restart(rig);
        else
            rig_forget(rig);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena zones;
    static struct relance_ruleset *rules;
    if (!rules) rules = rig_rules(&zones, str_of(shop_rules));
    ensure(rules);
    str lines = {(const char *)data, size};
    struct rig plain, forgetful;
    rig_start(&plain, rules, 3600000);
    rig_start(&forgetful, rules, 3600000);
    feed(&plain, lines, false);
    feed(&forgetful, lines, true);
    int64_t end_ms = relance_engine_newest(plain.engine) + RUN_ON_DAYS * DAY_MS;
    rig_run_until(&plain, end_ms);
    rig_run_until(&forgetful, end_ms);
    ensure(str_equal(buffer_str(&plain.lines), buffer_str(&forgetful.lines)));
    rig_end(&plain);
    rig_end(&forgetful);
    return 0;
}
