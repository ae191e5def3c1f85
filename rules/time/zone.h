/* Time zones by their IANA names, from TZif files that the host hands in: the core opens none. */
#ifndef RULES_TIME_ZONE_H
#define RULES_TIME_ZONE_H

#include "base/str.h"

struct zones;
struct zone;
/* Gives the bytes of the zone file `name`; false when there is none. The bytes need to live only until it is
 * called again. */
typedef bool zone_load_file(void *context, str name, str *bytes);
/* Zones are loaded at first use and kept, also the names that do not exist. Not for use by two threads. */
struct zones *zones_new(zone_load_file *load, void *context);
void zones_free(struct zones *zones);
const struct zone *zone_find(struct zones *zones, str name); /* NULL: no such zone */
/* Visits each zone that zone_offset or zone_instant has been asked of since the last call, UTC apart, with the hash of its
 * file. */
typedef void zone_visit(void *context, str name, uint64_t hash);
void zones_take_used(struct zones *zones, zone_visit *visit, void *context);
/* Seconds east of UTC in force at an instant (seconds since 1970). */
int32_t zone_offset(const struct zone *zone, int64_t seconds);
/* The instant (seconds since 1970) of a local time, given as if it were UTC. A time that a clock change skips
 * is moved forward by the gap, one that occurs twice means the first (LANGUAGE.md §2). */
int64_t zone_instant(const struct zone *zone, int64_t local_seconds);

#endif
