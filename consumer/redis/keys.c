#include "redis/keys.h"
#include <stdio.h>
#include <string.h>

#define KEYS_LIVE "relance:live:"

bool redis_keys_fit(const char *group, const char *topic)
{
    return strlen(group) <= REDIS_NAME_MAX && strlen(topic) <= REDIS_NAME_MAX;
}

void redis_key(char out[REDIS_KEY_SIZE], const char *group, const char *topic, int32_t partition,
               enum redis_key key)
{
    static const char *const names[] = {[REDIS_KEY_META] = "meta",
                                        [REDIS_KEY_CUSTOMERS] = "customers",
                                        [REDIS_KEY_TIMERS] = "timers",
                                        [REDIS_KEY_METRICS] = "metrics"};
    snprintf(out, REDIS_KEY_SIZE, "relance:{%s:%s:%d}:%s", group, topic, partition, names[key]);
}

void redis_key_of_minute(char out[REDIS_KEY_SIZE], const char *metrics_key, const char *minute)
{
    snprintf(out, REDIS_KEY_SIZE, "%s:%s", metrics_key, minute);
}

void redis_key_live(char out[REDIS_KEY_SIZE], const char *instance)
{
    snprintf(out, REDIS_KEY_SIZE, KEYS_LIVE "%s", instance);
}

const char *redis_key_instance(const char *live_key)
{
    size_t size = strlen(KEYS_LIVE);
    return strncmp(live_key, KEYS_LIVE, size) == 0 ? live_key + size : live_key;
}
