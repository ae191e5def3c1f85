#include "host/stop.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_int stop_flag; /* read by every thread, written by a handler: lock-free, so it may be */

static void stop_handle(int signal_number)
{
    stop_flag = 1;
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
    return stop_flag != 0;
}

void stop_request(void)
{
    stop_flag = 1;
}
