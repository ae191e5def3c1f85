/* relance top: the metrics, again every --interval, until q or an interrupt. On a terminal each frame
 * replaces the one before; elsewhere frames follow one another. A frame is made in memory and written at
 * once, so that nothing flickers. */
#include "host/clock.h"
#include "host/command.h"
#include "host/print.h"
#include "report/figures.h"
#include "host/option.h"
#include "host/stop.h"
#include "base/str.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

struct top {
    const struct options *options;
    struct redis_view *view;
    struct figures now, before;
    int64_t read_us, before_us; /* when they were read, monotonic */
    bool on_terminal, reads_keys;
    struct termios terminal; /* as it was */
};

/* ---- the terminal */

static void top_begin(struct top *top)
{
    top->on_terminal = isatty(STDOUT_FILENO);
    top->reads_keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &top->terminal) == 0;
    if (top->reads_keys) {
        struct termios keys = top->terminal;
        keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        tcsetattr(STDIN_FILENO, TCSANOW, &keys);
    }
    if (top->on_terminal) fputs("\033[?1049h\033[?25l", stdout); /* a page of its own, no cursor */
}

static void top_end(struct top *top)
{
    if (top->on_terminal) fputs("\033[?25h\033[?1049l", stdout);
    print_flush();
    if (top->reads_keys) tcsetattr(STDIN_FILENO, TCSANOW, &top->terminal);
}

/* Waits for the next frame; false: it is time to go. */
static bool top_wait(const struct top *top)
{
    struct pollfd keys = {.fd = STDIN_FILENO, .events = POLLIN};
    int64_t until_us = top->read_us + top->options->interval * 1000;
    while (!stop_requested()) {
        int64_t left_us = until_us - clock_monotonic_us();
        if (left_us <= 0) return true;
        if (poll(&keys, top->reads_keys ? 1 : 0, (int)(left_us / 1000) + 1) <= 0) continue;
        char key;
        if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q') return false;
    }
    return false;
}

/* ---- frames */

static void top_print(const struct top *top, FILE *out)
{
    double seconds = (double)(top->read_us - top->before_us) / 1e6;
    bool first = top->before_us == 0;
    print(out, "group %s, topic %s%s\n\n", top->options->group, top->options->input,
          top->reads_keys ? "   (q ends)" : "");
    figures_print_table(&top->now, first ? NULL : &top->before, seconds, out);
    if (!top->on_terminal) fputc('\n', out);
}

/* On a terminal every line wipes what the last frame left behind it, and the end what it left below. */
static void top_show(const struct top *top, const char *frame)
{
    if (!top->on_terminal) {
        print_lines(str_of(frame), stdout);
        print_flush();
        return;
    }
    fputs("\033[H", stdout);
    for (const char *line = frame; *line;) {
        size_t size = strcspn(line, "\n");
        print_text((struct relance_str){line, size}, stdout);
        fputs("\033[K\n", stdout);
        line += size + (line[size] == '\n');
    }
    fputs("\033[J", stdout);
    print_flush();
}

static enum relance_status top_frame(struct top *top, struct relance_error *error)
{
    figures_free(&top->before);
    top->before = top->now;
    top->before_us = top->read_us;
    top->now = (struct figures){0};
    top->read_us = clock_monotonic_us();
    enum relance_status status = figures_read(top->view, &top->now, error);
    if (status != RELANCE_OK) return status;

    char *frame = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&frame, &size);
    if (!out) return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory");
    top_print(top, out);
    if (fclose(out) == 0) top_show(top, frame);
    free(frame);
    return RELANCE_OK;
}

int cmd_top(const struct options *options)
{
    struct relance_error error;
    struct top top = {.options = options};
    top.view = redis_view_open(options->redis, options->group, options->input, &error);
    if (!top.view) {
        print_mistake("%s", error.message);
        return EXIT_STATUS_FAILED;
    }
    stop_on_signals();
    top_begin(&top);
    enum relance_status status = RELANCE_OK;
    do
        status = top_frame(&top, &error);
    while (status == RELANCE_OK && !print_failed() && top_wait(&top));
    top_end(&top);
    if (status != RELANCE_OK) print_mistake("%s", error.message);
    figures_free(&top.now);
    figures_free(&top.before);
    redis_view_close(top.view);
    return status == RELANCE_OK ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}
