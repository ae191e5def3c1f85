/* The log: one line for one thing, a sentence and its facts, to stderr. As text in logfmt, or as JSON, an object a line:
 *
 *     time=2026-03-02T10:00:00.120Z level=info msg="Claimed a partition." partition=3 offset=1812 behind=40
 *     {"time":"2026-03-02T10:00:00.120Z","level":"info","msg":"Claimed a partition.","partition":3,"offset":1812,"behind":40}
 *
 * Both escape alike, as JSON does: whatever stands in a value, a line is one line, and what a reader of that form makes
 * of it is the value; of broken UTF-8, U+FFFD. A line has LOG_LINE_MAX bytes at most, so that a pipe takes it whole: where
 * there is no room a value ends in `…`, and the facts behind it are left out.
 *
 * Safe from any thread; lines never mix. */
#ifndef CONSUMER_HOST_LOG_H
#define CONSUMER_HOST_LOG_H

#include <relance/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_LINE_MAX = 4096 }; /* bytes, its end included; no more than PIPE_BUF of Linux */

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Before any thread is started. False: no such word. */
bool log_set_level(const char *name);  /* debug, info, warning, error */
bool log_set_format(const char *name); /* text, json */

/* From now on stars stand where this would stand in a line. Secrets of fewer than 4 bytes would blot out half the log,
 * and are let be. Before any thread is started. */
void log_hide(struct relance_str secret);

/* `facts` is a printf form of `key=value` pairs with one blank between, as in `partition=%d why="%s"`. Of conversions
 * there are %d %i %u %x %f %g %s and %.*s, with lengths. What they give may hold anything; quotes in the form are needed
 * where blanks of the form itself belong to a value. Keys are not `time`, `level` or `msg`. */
void log_line(enum log_level level, const char *sentence, const char *facts, ...)
    __attribute__((format(printf, 3, 4)));

/* A line whose facts are a list that is only known when the program runs. */
struct log_count {
    struct relance_str key;
    int64_t number;
};
void log_counts(enum log_level level, const char *sentence, const struct log_count *counts, size_t count);

#endif
