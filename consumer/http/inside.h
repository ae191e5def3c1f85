/* What server.c and question.c know of each other. */
#ifndef CONSUMER_HTTP_INSIDE_H
#define CONSUMER_HTTP_INSIDE_H

#include "base/buffer.h"
#include "http/question.h"

#include <microhttpd.h>
#include <pthread.h>

struct http_questions {
    pthread_mutex_t lock; /* of all that follows, and of every question */
    pthread_cond_t moved; /* one has come, has been read on, or is moot */
    struct http_question *first, *last;
    unsigned waiting;
    bool is_closed;
};
void http_questions_open(struct http_questions *questions);
/* Those that nobody has taken are refused. */
void http_questions_close(struct http_questions *questions);
void http_questions_free(struct http_questions *questions);

/* {"error": SENTENCE} */
void http_put_error(struct buffer *to, const char *sentence);

struct http_questions *http_server_questions(struct http_server *server);

/* A request becomes a question, and its connection rests. NULL: there are too many. `values` is the query, decoded. */
struct http_value {
    char *name, *text;
};
enum { HTTP_VALUES = 12 };
struct http_question *http_question_ask(struct http_questions *questions, struct MHD_Connection *connection,
                                        enum http_page page, const char *who, struct http_value *values,
                                        size_t count);
/* The connection goes on: what it gives. */
struct MHD_Response *http_question_response(struct http_question *question, unsigned *status);
bool http_question_streams(const struct http_question *question);
/* The connection is done with it. */
void http_question_leave(struct http_question *question);

#endif
