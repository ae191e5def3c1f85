/* A real Redis of a test's own, on a socket in a directory of its own. */
#ifndef UNIT_SERVER_H
#define UNIT_SERVER_H

#include <hiredis/hiredis.h>
#include <sys/types.h>

extern char server_directory[64], server_url[112];
extern pid_t server_pid;
extern redisContext *server_link; /* a second connection, to look and to meddle */

/* For a suite's .init and .fini. */
void server_begin(void);
void server_end(void);
/* In between: ends it by that signal, and starts it again on what it has kept. */
void server_stop(int how);
void server_start(void);

/* What redis-cli would show of the answer: a text, a number, "(nil)". */
void server_expect(const char *expected, const char *command);

#endif
