#include "host/progress.h"
#include "host/clock.h"
#include "host/print.h"
#include "host/terminal.h"
#include <signal.h>
#include <unistd.h>

enum {
    PROGRESS_SILENT_US = 1000000, /* what is done by then needs no telling */
    PROGRESS_PAUSE_US = 200000,
};

static void progress_interrupt(int signal_number)
{
    static const char wipe[] = "\r\033[K";
    ssize_t written = write(STDERR_FILENO, wipe, sizeof wipe - 1);
    (void)written;
    raise(signal_number); /* it is what it was: the process ends by it */
}

/* Where nobody else has something to do at an interrupt. */
static void progress_listen(void)
{
    struct sigaction ours = {.sa_handler = progress_interrupt, .sa_flags = (int)SA_RESETHAND}, theirs;
    sigemptyset(&ours.sa_mask);
    if (sigaction(SIGINT, NULL, &theirs) == 0 && theirs.sa_handler == SIG_DFL) sigaction(SIGINT, &ours, NULL);
}

void progress_begin(struct progress *progress, const char *what)
{
    *progress =
        (struct progress){.what = what, .wanted = terminal_obeys(stderr), .begin_us = clock_monotonic_us()};
    if (progress->wanted) progress_listen();
}

/* 1234567 as 1,234,567. */
static const char *progress_number(uint64_t number, char out[32])
{
    char *at = out + 31;
    *at = '\0';
    for (int digits = 0; number || !digits; number /= 10, digits++) {
        if (digits && digits % 3 == 0) *--at = ',';
        *--at = (char)('0' + number % 10);
    }
    return at;
}

/* ", 62%, 1m20s left" */
static void progress_put_left(char *out, size_t size, double part, double seconds)
{
    double left = seconds / part * (1 - part);
    int s = left < 360000 ? (int)left + 1 : 360000;
    size_t used = (size_t)snprintf(out, size, ", %d%%, ", (int)(part * 100));
    if (s < 60)
        snprintf(out + used, size - used, "%ds left", s);
    else if (s < 3600)
        snprintf(out + used, size - used, "%dm%02ds left", s / 60, s % 60);
    else
        snprintf(out + used, size - used, "%dh%02dm left", s / 3600, s / 60 % 60);
}

static void progress_draw(const struct progress *progress, double part, double seconds)
{
    char count[32], rate[32], left[64] = "";
    if (part > 0 && part <= 1) progress_put_left(left, sizeof left, part, seconds);
    print_status("%s %s, %s a second%s", progress_number(progress->count, count), progress->what,
                 progress_number((uint64_t)((double)progress->count / seconds), rate), left);
}

void progress_show(struct progress *progress, double part)
{
    if (!progress->wanted) return;
    int64_t now_us = clock_monotonic_us(), since_us = now_us - progress->begin_us;
    if (since_us < PROGRESS_SILENT_US || now_us - progress->drawn_us < PROGRESS_PAUSE_US) return;
    progress->drawn_us = now_us;
    progress_draw(progress, part, (double)since_us / 1e6);
}

void progress_end(struct progress *progress)
{
    if (progress->wanted) print_status_wipe();
    progress->wanted = false;
}
