/* The names of all keys in Redis. Those of a partition carry one hash tag, so that they live in one slot of a Redis
 * Cluster and change together:
 *
 *     relance:{GROUP:TOPIC:P}:meta  :customers  :timers  :metrics  :metrics:MINUTE  :cohorts  :sales  :sales:DAY
 *     relance:{GROUP:TOPIC}:also:AFFINITY
 *     relance:GROUP:TOPIC:totals  :instances
 *     relance:live:GROUP:INSTANCE
 *     relance:takeovers:GROUP:INSTANCE */
#ifndef CONSUMER_REDIS_KEYS_H
#define CONSUMER_REDIS_KEYS_H

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>

enum { REDIS_NAME_MAX = 250, REDIS_KEY_SIZE = 600 }; /* for any names that `redis_keys_fit` */

/* Are group and topic short enough to be parts of keys? */
bool redis_keys_fit(const char *group, const char *topic);

enum redis_key {
    REDIS_KEY_META,
    REDIS_KEY_CUSTOMERS,
    REDIS_KEY_TIMERS,
    REDIS_KEY_METRICS,
    REDIS_KEY_COHORTS,
    REDIS_KEY_SALES, /* which days have sums */
};
void redis_key(char out[REDIS_KEY_SIZE], const char *group, const char *topic, int32_t partition,
               enum redis_key key);
/* The counters of one minute, "2026-03-02T10:00". */
void redis_key_of_minute(char out[REDIS_KEY_SIZE], const char *metrics_key, const char *minute);

/* The sums of one day, "2026-03-02". */
void redis_key_of_day(char out[REDIS_KEY_SIZE], const char *sales_key, const char *day);

/* What goes with what, as one affinity says it (redis/also.c). */
enum { REDIS_KEY_ALSO_SIZE = REDIS_KEY_SIZE + 256 };
void redis_key_also(char out[REDIS_KEY_ALSO_SIZE], const char *group, const char *topic,
                    struct relance_str affinity);

void redis_key_totals(char out[REDIS_KEY_SIZE], const char *group, const char *topic);
void redis_key_instances(char out[REDIS_KEY_SIZE], const char *group, const char *topic);
void redis_key_live(char out[REDIS_KEY_SIZE], const char *group, const char *instance);
void redis_key_takeovers(char out[REDIS_KEY_SIZE], const char *group, const char *instance);

#endif
