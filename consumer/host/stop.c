#include "host/stop.h"
#include "host/clock.h"

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

/* Read by every thread, written by handlers: lock-free, so it may be. */
static _Atomic int64_t stop_us;    /* when a stop was asked for, never 0; 0: it was not */
static atomic_int stop_impatient;  /* a stop was asked for so long ago that nobody waits any more */
static atomic_bool stop_has_alarm; /* signals are handled here, SIGALRM among them */

void stop_request(void)
{
    const struct itimerval patience = {.it_value.tv_usec = STOP_PATIENCE_MS * 1000};
    int64_t never = 0;
    if (!atomic_compare_exchange_strong(&stop_us, &never, clock_monotonic_us() | 1)) return;
    if (stop_has_alarm) setitimer(ITIMER_REAL, &patience, NULL);
}

static void stop_handle(int signal_number)
{
    stop_request();
    signal(signal_number, SIG_DFL);
}

static void stop_handle_alarm(int signal_number)
{
    (void)signal_number;
    stop_impatient = 1;
}

void stop_on_signals(void)
{
    struct sigaction action = {.sa_handler = stop_handle}; /* no SA_RESTART: what waits is to wake */
    struct sigaction alarm = {.sa_handler = stop_handle_alarm};
    sigemptyset(&action.sa_mask);
    sigemptyset(&alarm.sa_mask);
    sigaction(SIGALRM, &alarm, NULL);
    stop_has_alarm = true;
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

const atomic_int *stop_flag(void)
{
    return &stop_impatient;
}
