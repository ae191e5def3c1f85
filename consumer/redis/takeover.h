/* How often engines of one name have taken over from each other of late: relance:takeovers:GROUP:INSTANCE, a hash that is
 * gone a minute after the first. Two processes with one name that supervisors start again would do so for ever. */
#ifndef CONSUMER_REDIS_TAKEOVER_H
#define CONSUMER_REDIS_TAKEOVER_H

#include <stdint.h>

enum { TAKEOVER_WINDOW_S = 60 };

/* Another has taken over from this one: counts that, and returns how many there have been within the minute, 0 where Redis
 * does not say. */
int64_t takeover_note(const char *url, const char *group, const char *instance);

#endif
