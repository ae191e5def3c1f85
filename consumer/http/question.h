/* What a request asks of somebody who has to look it up. The server's thread waits for nobody: the connection rests, and
 * goes on when there is an answer.
 *
 *     the server's thread    question: queued; the connection rests
 *     whoever answers        http_question_next, then http_question_answer; or pieces, and then an end
 *     the server's thread    the connection goes on, and gives what is there
 *
 * A question is answered exactly once. HTTP_QUESTIONS wait at most; beyond that a request gets 503. */
#ifndef CONSUMER_HTTP_QUESTION_H
#define CONSUMER_HTTP_QUESTION_H

#include "http/server.h"

enum { HTTP_QUESTIONS = 16, HTTP_VALUE_MAX = 1024 /* bytes of a value, decoded */ };

struct http_question;

/* The next one, for which it waits at most this long; NULL: there is none. */
struct http_question *http_question_next(struct http_server *server, int64_t wait_us);
enum http_page http_question_page(const struct http_question *question);
/* A value of the query, decoded, UTF-8, with a NUL behind it; NULL: it has none of that name. */
const char *http_question_value(const struct http_question *question, const char *name);
/* Of `name`, which alone may be there several times, the nth from 0. */
const char *http_question_nth(const struct http_question *question, const char *name, size_t nth);
/* The address that it came from. */
const char *http_question_who(const struct http_question *question);

/* The whole answer, which is copied; JSON. The question is gone with it. */
void http_question_answer(struct http_question *question, unsigned status, str body);
/* The answer {"error": SENTENCE}. */
void http_question_refuse(struct http_question *question, unsigned status, const char *sentence);

/* Or an answer in pieces, with status 200, for HTTP_STREAM_MS at most. Waits for whoever does not keep up. False: nobody
 * listens any more, or a stop was asked for. */
enum { HTTP_STREAM_MS = 40000 };
bool http_question_say(struct http_question *question, str piece);
/* Has whoever asked gone? */
bool http_question_is_moot(struct http_question *question);
/* No more pieces will come; the question is gone with it. */
void http_question_end(struct http_question *question);

#endif
