#include "host/clock.h"
#include "host/text.h"

#include <string.h>
#include <time.h>

static struct {
    int64_t origin_ms;
    double speed;
} clock_rule = {0, 1.0};

void clock_speed_up(int64_t origin_ms, double speed)
{
    clock_rule.origin_ms = origin_ms;
    clock_rule.speed = speed;
}

bool clock_read_option(const char *option)
{
    if (!option) return true;
    struct relance_str text = str_of(option);
    const char *star = memchr(text.data, '*', text.size);
    if (!star) return false;
    struct relance_str origin = {text.data, (size_t)(star - text.data)};
    struct relance_str speed = {star + 1, text.size - origin.size - 1};
    int64_t origin_ms;
    double factor;
    if (!text_instant(origin, &origin_ms) || !text_number(speed, &factor) || factor < 1.0 || factor > 1e6)
        return false;
    clock_speed_up(origin_ms, factor);
    return true;
}

static int64_t clock_ns(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_wall_ms(void)
{
    int64_t now_ns = clock_ns(CLOCK_REALTIME);
    if (clock_rule.speed == 1.0) return now_ns / 1000000;
    double since_ms = (double)now_ns / 1e6 - (double)clock_rule.origin_ms;
    return clock_rule.origin_ms + (int64_t)(since_ms * clock_rule.speed);
}

double clock_speed(void)
{
    return clock_rule.speed;
}

int64_t clock_monotonic_us(void)
{
    return clock_ns(CLOCK_MONOTONIC) / 1000;
}

void clock_sleep_us(int64_t us)
{
    if (us <= 0) return;
    struct timespec pause = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&pause, NULL); /* a signal ends the pause early: whoever waits asks what happened */
}
