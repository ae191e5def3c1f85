#include "host/stop.h"
#include "host/clock.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

/* When a stop was asked for, in us and never 0; 0: it was not. Read by every thread, written by a handler: lock-free,
 * so it may be. */
static _Atomic int64_t stop_us;

void stop_request(void)
{
    int64_t never = 0;
    atomic_compare_exchange_strong(&stop_us, &never, clock_monotonic_us() | 1);
}

static void stop_handle(int signal_number)
{
    stop_request();
    signal(signal_number, SIG_DFL);
}

void stop_on_signals(void)
{
    struct sigaction action = {.sa_handler = stop_handle}; /* no SA_RESTART: what waits is to wake */
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool stop_requested(void)
{
    return stop_us != 0;
}

int64_t stop_requested_us(void)
{
    int64_t us = stop_us;
    return us ? us : -1;
}
