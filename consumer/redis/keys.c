#include "redis/keys.h"
#include "base/str.h"
#include <stdio.h>
#include <string.h>

bool redis_keys_fit(const char *group, const char *topic)
{
    return strlen(group) <= REDIS_NAME_MAX && strlen(topic) <= REDIS_NAME_MAX;
}

void redis_key(char out[REDIS_KEY_SIZE], const char *group, const char *topic, int32_t partition,
               enum redis_key key)
{
    static const char *const names[] = {
        [REDIS_KEY_META] = "meta",       [REDIS_KEY_CUSTOMERS] = "customers", [REDIS_KEY_TIMERS] = "timers",
        [REDIS_KEY_METRICS] = "metrics", [REDIS_KEY_COHORTS] = "cohorts",     [REDIS_KEY_SALES] = "sales"};
    snprintf(out, REDIS_KEY_SIZE, "relance:{%s:%s:%d}:%s", group, topic, partition, names[key]);
}

void redis_key_of_minute(char out[REDIS_KEY_SIZE], const char *metrics_key, const char *minute)
{
    snprintf(out, REDIS_KEY_SIZE, "%s:%s", metrics_key, minute);
}

void redis_key_of_day(char out[REDIS_KEY_SIZE], const char *sales_key, const char *day)
{
    snprintf(out, REDIS_KEY_SIZE, "%s:%s", sales_key, day);
}

void redis_key_also(char out[REDIS_KEY_ALSO_SIZE], const char *group, const char *topic,
                    struct relance_str affinity)
{
    snprintf(out, REDIS_KEY_ALSO_SIZE, "relance:{%s:%s}:also:%.*s", group, topic, STR_ARG(affinity));
}

void redis_key_totals(char out[REDIS_KEY_SIZE], const char *group, const char *topic)
{
    snprintf(out, REDIS_KEY_SIZE, "relance:%s:%s:totals", group, topic);
}

void redis_key_instances(char out[REDIS_KEY_SIZE], const char *group, const char *topic)
{
    snprintf(out, REDIS_KEY_SIZE, "relance:%s:%s:instances", group, topic);
}

void redis_key_takeovers(char out[REDIS_KEY_SIZE], const char *group, const char *instance)
{
    snprintf(out, REDIS_KEY_SIZE, "relance:takeovers:%s:%s", group, instance);
}

void redis_key_live(char out[REDIS_KEY_SIZE], const char *group, const char *instance)
{
    snprintf(out, REDIS_KEY_SIZE, "relance:live:%s:%s", group, instance);
}
