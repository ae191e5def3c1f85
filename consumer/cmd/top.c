/* relance top: the metrics, again every --interval, until q or an interrupt. On a terminal each frame
 * replaces the one before, and what does not fit is scrolled to; elsewhere frames follow one another. A frame is made in
 * memory and written at once, so that nothing flickers. */
#include "host/clock.h"
#include "host/command.h"
#include "host/print.h"
#include "report/figures.h"
#include "host/option.h"
#include "host/stop.h"
#include "host/terminal.h"
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
    bool by_sent;            /* how rules are sorted */
    bool is_well;            /* what the summary says */
    char *summary, *body; /* the frame: a line, and lines of which as many are shown as there is room for */
    size_t first;         /* line of the body that is shown first */
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
    /* a page of its own, no cursor, lines that are cut where the screen ends */
    if (top->on_terminal) fputs("\033[?1049h\033[?25l\033[?7l", stdout);
}

static void top_end(struct top *top)
{
    if (top->on_terminal) fputs("\033[?7h\033[?25h\033[?1049l", stdout);
    print_flush();
    if (top->reads_keys) tcsetattr(STDIN_FILENO, TCSANOW, &top->terminal);
}

/* ---- the frame on the screen: two lines that stay, and a window of the others */
enum { TOP_FIXED = 2 };

static size_t top_lines(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

/* Lines of the body that the screen has room for. */
static size_t top_room(void)
{
    size_t rows = terminal_rows(stdout);
    return rows > TOP_FIXED + 1 ? rows - TOP_FIXED : 1;
}

static void top_clamp(struct top *top)
{
    size_t lines = top_lines(top->body), room = top_room();
    size_t most = lines > room ? lines - room : 0;
    if (top->first > most) top->first = most;
}

/* Every line wipes what the last frame left behind it. */
static void top_line(enum paint paint, const char *line, size_t size, bool is_last)
{
    print_painted(paint, (struct relance_str){line, size}, stdout);
    print_control(is_last ? "\033[K" : "\033[K\n", stdout);
}

/* A head of a table stands behind an empty line. */
static void top_window(const struct top *top)
{
    const char *line = top->body;
    size_t room = top_room();
    bool is_head = false;
    for (size_t n = 0; *line && n < top->first + room; n++) {
        size_t size = strcspn(line, "\n");
        if (n >= top->first)
            top_line(is_head ? PAINT_STRONG : PAINT_NONE, line, size, n + 1 == top->first + room);
        is_head = size == 0;
        line += size + (line[size] == '\n');
    }
}

static void top_show(struct top *top)
{
    char head[512];
    if (!top->on_terminal) {
        print(stdout, "group %s, topic %s\n", top->options->group, top->options->input);
        print_lines(str_of(top->summary), stdout);
        fputc('\n', stdout);
        print_lines(str_of(top->body), stdout);
        fputc('\n', stdout);
        print_flush();
        return;
    }
    top_clamp(top);
    print_control("\033[H", stdout);
    int size = snprintf(head, sizeof head, "group %s, topic %s%s", top->options->group, top->options->input,
                        top->reads_keys ? "   (q ends, j k PgUp PgDn scroll, s sorts rules)" : "");
    top_line(PAINT_FAINT, head, (size_t)size < sizeof head ? (size_t)size : sizeof head - 1, false);
    top_line(top->is_well ? PAINT_GOOD : PAINT_BAD, top->summary, strlen(top->summary), false);
    top_window(top);
    print_control("\033[J", stdout);
    print_flush();
}

/* Of the figures as they are; false: no memory. */
static bool top_compose(struct top *top)
{
    size_t size;
    double seconds = (double)(top->read_us - top->before_us) / 1e6;
    free(top->summary);
    free(top->body);
    top->summary = top->body = NULL;
    FILE *out = open_memstream(&top->summary, &size);
    if (!out) return false;
    top->is_well = figures_print_summary(&top->now, out);
    if (fclose(out) != 0 || !(out = open_memstream(&top->body, &size))) return false;
    figures_print_top(&top->now, top->before_us ? &top->before : NULL, seconds, top->by_sent, out);
    return fclose(out) == 0;
}

/* ---- keys */
enum top_key { TOP_OTHER, TOP_END, TOP_SORT };

/* Moves by so many lines; where that is below the first, to the first. */
static void top_move(struct top *top, long by)
{
    top->first = by < 0 && (size_t)-by > top->first ? 0 : top->first + (size_t)by;
}

/* A key, as a terminal says it: a sign, or a sequence behind ESC. */
static enum top_key top_key(struct top *top, struct relance_str key)
{
    static const struct {
        const char *keys[4];
        int lines, pages; /* to move by */
    } moves[] = {
        {{"j", "\033[B", "\033OB", NULL}, 1, 0},       {{"k", "\033[A", "\033OA", NULL}, -1, 0},
        {{" ", "\033[6~", "f", NULL}, 0, 1},           {{"b", "\033[5~", NULL}, 0, -1},
        {{"g", "\033[H", "\033[1~", NULL}, 0, -10000}, {{"G", "\033[F", "\033[4~", NULL}, 0, 10000},
    };
    if (*key.data == 'q' || *key.data == 'Q') return TOP_END;
    if (*key.data == 's') return TOP_SORT;
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
        for (size_t k = 0; k < 4 && moves[i].keys[k]; k++)
            if (str_equal(key, str_of(moves[i].keys[k])))
                top_move(top, moves[i].lines + moves[i].pages * (long)top_room());
    return TOP_OTHER;
}

/* Of what has been read the first key: a sequence ends with its second letter, or with ~. */
static struct relance_str top_next_key(const char *keys)
{
    size_t size = 1;
    if (*keys == '\033' && (keys[1] == '[' || keys[1] == 'O')) {
        size += 1 + strspn(keys + 2, "0123456789;");
        size += keys[size] != '\0';
    }
    return (struct relance_str){keys, size};
}

/* Does what has been pressed; false: it is time to go. */
static bool top_press(struct top *top, const char *keys)
{
    for (struct relance_str key; *keys; keys += key.size) {
        key = top_next_key(keys);
        enum top_key pressed = top_key(top, key);
        if (pressed == TOP_END) return false;
        if (pressed == TOP_SORT) top->by_sent = !top->by_sent;
        if (pressed == TOP_SORT && !top_compose(top)) return false;
        top_clamp(top);
    }
    top_show(top);
    return true;
}

/* Waits for the next frame; false: it is time to go. */
static bool top_wait(struct top *top)
{
    struct pollfd polled = {.fd = STDIN_FILENO, .events = POLLIN};
    int64_t until_us = top->read_us + top->options->interval * 1000;
    while (!stop_requested()) {
        char keys[64];
        int64_t left_us = until_us - clock_monotonic_us();
        if (left_us <= 0) return true;
        if (poll(&polled, top->reads_keys ? 1 : 0, (int)(left_us / 1000) + 1) <= 0) continue;
        ssize_t size = read(STDIN_FILENO, keys, sizeof keys - 1);
        if (size <= 0) return false;
        keys[size] = '\0';
        if (!top_press(top, keys)) return false;
    }
    return false;
}

/* ---- frames */
static enum relance_status top_frame(struct top *top, struct relance_error *error)
{
    figures_free(&top->before);
    top->before = top->now;
    top->before_us = top->read_us;
    top->now = (struct figures){0};
    top->read_us = clock_monotonic_us();
    enum relance_status status = figures_read(top->view, &top->now, error);
    if (status != RELANCE_OK) return status;
    if (!top_compose(top)) return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory");
    top_show(top);
    return RELANCE_OK;
}

int cmd_top(const struct options *options)
{
    struct relance_error error;
    struct top top = {.options = options};
    stop_on_signals(); /* before a Redis that does not answer is waited for */
    top.view = redis_view_open(options->redis, options->group, options->input, &error);
    if (!top.view) {
        print_mistake("%s", error.message);
        return EXIT_STATUS_FAILED;
    }
    top_begin(&top);
    enum relance_status status = RELANCE_OK;
    do
        status = top_frame(&top, &error);
    while (status == RELANCE_OK && !print_failed() && top_wait(&top));
    top_end(&top);
    if (status != RELANCE_OK) print_mistake("%s", error.message);
    figures_free(&top.now);
    figures_free(&top.before);
    free(top.summary);
    free(top.body);
    redis_view_close(top.view);
    return status == RELANCE_OK ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}
