/* The log: one line for one thing, a sentence and its facts, to stderr.
 *
 *     2026-03-02T10:00:00.120Z info Claimed a partition. partition=3 offset=1812 behind=40
 *
 * Safe from any thread; lines never mix. */
#ifndef CONSUMER_HOST_LOG_H
#define CONSUMER_HOST_LOG_H

#include <relance/text.h>
#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

bool log_set_level(const char *name); /* debug, info, warning, error; false: no such level */

/* From now on stars stand where this would stand in a line. Secrets of fewer than 4 bytes would blot out half the log,
 * and are let be. Before any thread is started. */
void log_hide(struct relance_str secret);

/* `facts` is a printf form of `key=value` pairs. */
void log_line(enum log_level level, const char *sentence, const char *facts, ...)
    __attribute__((format(printf, 3, 4)));

#endif
