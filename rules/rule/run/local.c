/* The customer's local time: days, times of day, and the instants that they mean (LANGUAGE.md §2). */
#include "mapping/build.h"
#include "rule/run/engine_internal.h"

enum { MINUTE_S = 60, DAY_S = 86400 };

int64_t local_day(const struct zone *zone, int64_t ms)
{
    int64_t seconds = floor_div(ms, 1000);
    return floor_div(seconds + zone_offset(zone, seconds), DAY_S);
}

int64_t local_instant(const struct zone *zone, int64_t day, int minutes)
{
    return zone_instant(zone, day * DAY_S + minutes * MINUTE_S) * 1000;
}

int64_t local_at(const struct zone *zone, int64_t base_ms, int64_t after_days, struct time_of_day at,
                 bool at_base)
{
    int64_t today = local_day(zone, base_ms);
    bool next = after_days == 0; /* which may be yesterday's, moved over midnight by a clock change */
    for (int64_t day = next ? today - 1 : today + after_days;; day++) {
        if (!weekdays_have(at.days, day)) continue;
        int64_t ms = local_instant(zone, day, at.minutes);
        bool passed = at_base ? ms < base_ms : ms <= base_ms;
        if (!next || !passed) return ms;
    }
}

const struct zone *set_zone(const struct relance_engine *e)
{
    return e->options.excerpt ? e->options.excerpt->zone : e->set->zone;
}

str customer_zone_name(struct relance_engine *e)
{
    str absent = e->options.excerpt ? e->options.excerpt->tz : e->set->tz;
    if (e->set->tz_attribute == NAME_NONE) return absent;
    struct cel_value tz = attribute_value(e, e->set->tz_attribute);
    bool known = tz.kind == CEL_STRING && zone_find(e->set->zones, cel_text(tz));
    return known ? cel_text(tz) : absent;
}

const struct zone *customer_zone(struct relance_engine *e)
{
    if (e->set->tz_attribute != NAME_NONE) return zone_find(e->set->zones, customer_zone_name(e));
    return set_zone(e);
}

bool relance_ruleset_local_instant(const struct relance_ruleset *rules, struct relance_str zone,
                                   int64_t local_ms, int64_t *instant_ms)
{
    const struct zone *found = zone_find(rules->zones, zone);
    int64_t ms = (local_ms % 1000 + 1000) % 1000;
    if (found) *instant_ms = zone_instant(found, (local_ms - ms) / 1000) * 1000 + ms;
    return found;
}

bool relance_ruleset_has_sales(const struct relance_ruleset *rules)
{
    return rules->sales;
}

struct relance_str relance_ruleset_zone(const struct relance_ruleset *rules)
{
    return rules->tz;
}

int64_t relance_ruleset_day(const struct relance_ruleset *rules, int64_t instant_ms)
{
    return local_day(rules->zone, instant_ms);
}

void relance_ruleset_take_zones(const struct relance_ruleset *rules, relance_zone_visit *visit, void *context)
{
    zones_take_used(rules->zones, visit, context);
    if (rules->mapping) mapping_take_zones(rules->mapping, visit, context);
}

uint64_t relance_zone_hash(str file)
{
    return str_hash(file);
}
