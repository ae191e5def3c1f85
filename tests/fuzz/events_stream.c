/* Any lines as events, to one rule set that uses every keyword. Two engines get them: one that holds
 * everything, and one that forgets everything after each line (or starts anew, after a line that begins with
 * a blank). They must decide alike, and what the second one saves it must be able to read. */
#include "rig.h"
#include "shop_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES = 200, RUN_ON_DAYS = 400 }; /* far enough for a birthday */

static void feed(struct rig *rig, str lines, bool forgetful)
{
    str line;
    for (int i = 0; i < LINES && suite_line(&lines, &line); i++) {
        if (line.size) rig_event(rig, line);
        if (!forgetful) continue;
        if (line.size && line.data[0] == ' ')
            rig_restart(rig);
        else
            rig_forget(rig);
    }
}

static void run_on(struct rig *rig, int64_t newest_ms)
{
    if (newest_ms != INT64_MIN) rig_run_until(rig, newest_ms + RUN_ON_DAYS * 86400000LL);
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
    int64_t newest_ms = relance_engine_newest(plain.engine);
    run_on(&plain, newest_ms);
    run_on(&forgetful, newest_ms);
    ensure(str_equal(buffer_str(&plain.lines), buffer_str(&forgetful.lines)));
    rig_end(&plain);
    rig_end(&forgetful);
    return 0;
}
