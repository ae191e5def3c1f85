#include "http/inside.h"
#include "base/ensure.h"
#include "host/clock.h"
#include "host/stop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { QUESTION_AHEAD = 256 << 10, QUESTION_BLOCK = 16 << 10, QUESTION_LOOK_US = 200000 };

struct http_question {
    struct http_questions *home;
    struct http_question *next;
    struct MHD_Connection *connection;
    enum http_page page;
    char *who;
    struct http_value values[HTTP_VALUES];
    size_t value_count;
    unsigned status;    /* 0: no answer yet */
    struct buffer said; /* of which `given` bytes have been given to the connection */
    size_t given;
    bool streams;
    bool rests;   /* the connection does, and is to be woken */
    bool is_over; /* whoever answers has done so */
    bool is_moot; /* the connection is done with it */
};

/* ---- the queue */
void http_questions_open(struct http_questions *questions)
{
    pthread_condattr_t monotonic;
    *questions = (struct http_questions){0};
    pthread_mutex_init(&questions->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&questions->moved, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static struct http_question *questions_take(struct http_questions *questions)
{
    struct http_question *question = questions->first;
    if (!question) return NULL;
    questions->first = question->next;
    if (!questions->first) questions->last = NULL;
    questions->waiting--;
    return question;
}

void http_questions_close(struct http_questions *questions)
{
    struct http_question *question;
    pthread_mutex_lock(&questions->lock);
    questions->is_closed = true;
    pthread_mutex_unlock(&questions->lock);
    do {
        pthread_mutex_lock(&questions->lock);
        question = questions_take(questions);
        pthread_mutex_unlock(&questions->lock);
        if (question) http_question_refuse(question, MHD_HTTP_SERVICE_UNAVAILABLE, "The server is ending.");
    } while (question);
}

void http_questions_free(struct http_questions *questions)
{
    pthread_cond_destroy(&questions->moved);
    pthread_mutex_destroy(&questions->lock);
}

static bool questions_wait(struct http_questions *questions, int64_t until_us)
{
    struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
    return pthread_cond_timedwait(&questions->moved, &questions->lock, &until) != ETIMEDOUT;
}

struct http_question *http_question_next(struct http_server *server, int64_t wait_us)
{
    struct http_questions *questions = http_server_questions(server);
    int64_t until_us = clock_monotonic_us() + wait_us;
    pthread_mutex_lock(&questions->lock);
    struct http_question *question = questions_take(questions);
    while (!question && questions_wait(questions, until_us))
        question = questions_take(questions);
    pthread_mutex_unlock(&questions->lock);
    return question;
}

/* ---- asking, in the server's thread */
static void question_free(struct http_question *question)
{
    for (size_t i = 0; i < question->value_count; i++) {
        free(question->values[i].name);
        free(question->values[i].text);
    }
    buffer_free(&question->said);
    free(question->who);
    free(question);
}

struct http_question *http_question_ask(struct http_questions *questions, struct MHD_Connection *connection,
                                        enum http_page page, const char *who, struct http_value *values,
                                        size_t count)
{
    struct http_question *question = calloc(1, sizeof *question);
    ensure(question && (question->who = strdup(who)));
    question->home = questions;
    question->connection = connection;
    question->page = page;
    question->value_count = count;
    question->rests = true;
    memcpy(question->values, values, count * sizeof *values);
    pthread_mutex_lock(&questions->lock);
    bool has_room = questions->waiting < HTTP_QUESTIONS && !questions->is_closed;
    if (has_room) {
        MHD_suspend_connection(connection); /* before anybody can wake it */
        *(questions->last ? &questions->last->next : &questions->first) = question;
        questions->last = question;
        questions->waiting++;
        pthread_cond_broadcast(&questions->moved);
    }
    pthread_mutex_unlock(&questions->lock);
    if (has_room) return question;
    question_free(question);
    return NULL;
}

/* The next piece, into the connection's own memory. Where there is none the connection rests. */
static ssize_t question_read(void *context, uint64_t position, char *out, size_t most)
{
    struct http_question *question = context;
    ssize_t size = 0;
    (void)position;
    pthread_mutex_lock(&question->home->lock);
    size_t left = question->said.size - question->given;
    if (left) {
        size = (ssize_t)(left < most ? left : most);
        memcpy(out, question->said.data + question->given, (size_t)size);
        question->given += (size_t)size;
        if (question->given == question->said.size) question->given = question->said.size = 0;
        pthread_cond_broadcast(&question->home->moved);
    } else if (question->is_over) {
        size = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        question->rests = true;
        MHD_suspend_connection(question->connection);
    }
    pthread_mutex_unlock(&question->home->lock);
    return size;
}

struct MHD_Response *http_question_response(struct http_question *question, unsigned *status)
{
    *status = question->status;
    struct MHD_Response *response =
        question->streams ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, QUESTION_BLOCK, question_read,
                                                              question, NULL)
                          : MHD_create_response_from_buffer(question->said.size, question->said.data,
                                                            MHD_RESPMEM_MUST_COPY);
    ensure(response);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            question->streams ? HTTP_LINES : HTTP_JSON);
    return response;
}

bool http_question_streams(const struct http_question *question)
{
    return question->streams;
}

void http_question_leave(struct http_question *question)
{
    struct http_questions *home = question->home;
    pthread_mutex_lock(&home->lock);
    question->is_moot = true;
    bool is_last = question->is_over;
    pthread_cond_broadcast(&home->moved);
    pthread_mutex_unlock(&home->lock);
    if (is_last) question_free(question);
}

/* ---- answering, in anybody's */
/* What has been given is needed no more. */
static void question_forget_given(struct http_question *question)
{
    struct buffer *said = &question->said;
    if (!question->given) return;
    said->size -= question->given;
    memmove(said->data, said->data + question->given, said->size);
    question->given = 0;
}

enum http_page http_question_page(const struct http_question *question)
{
    return question->page;
}

const char *http_question_nth(const struct http_question *question, const char *name, size_t nth)
{
    for (size_t i = 0; i < question->value_count; i++)
        if (strcmp(question->values[i].name, name) == 0 && nth-- == 0) return question->values[i].text;
    return NULL;
}

const char *http_question_value(const struct http_question *question, const char *name)
{
    return http_question_nth(question, name, 0);
}

const char *http_question_who(const struct http_question *question)
{
    return question->who;
}

/* Ends what was done under the lock: wakes the connection, which then goes on, or frees what nobody has any more. */
static void question_go_on(struct http_question *question)
{
    struct MHD_Connection *to_wake = question->rests && !question->is_moot ? question->connection : NULL;
    bool is_last = question->is_over && question->is_moot;
    question->rests = false;
    pthread_mutex_unlock(&question->home->lock);
    if (to_wake) MHD_resume_connection(to_wake); /* until now it could not go away */
    if (is_last) question_free(question);
}

void http_question_answer(struct http_question *question, unsigned status, str body)
{
    pthread_mutex_lock(&question->home->lock);
    question->status = status;
    buffer_put_str(&question->said, body);
    question->is_over = true;
    question_go_on(question);
}

void http_put_error(struct buffer *to, const char *sentence)
{
    buffer_put_str(to, STR("{\"error\":"));
    buffer_put_json_string(to, str_of(sentence));
    buffer_put_str(to, STR("}\n"));
}

void http_question_refuse(struct http_question *question, unsigned status, const char *sentence)
{
    struct buffer body = {0};
    http_put_error(&body, sentence);
    http_question_answer(question, status, buffer_str(&body));
    buffer_free(&body);
}

/* Does whoever listens lag behind what has been said? */
static bool question_is_slow(const struct http_question *question)
{
    return !question->is_moot && question->said.size - question->given > QUESTION_AHEAD;
}

bool http_question_say(struct http_question *question, str piece)
{
    int64_t now_us = clock_monotonic_us(), until_us = now_us + HTTP_STREAM_MS * 1000;
    pthread_mutex_lock(&question->home->lock);
    while (question_is_slow(question) && now_us < until_us && !stop_requested()) {
        questions_wait(question->home, now_us + QUESTION_LOOK_US);
        now_us = clock_monotonic_us();
    }
    bool is_heard = !question->is_moot && !question_is_slow(question);
    question->status = MHD_HTTP_OK;
    question->streams = true;
    question_forget_given(question);
    if (is_heard) buffer_put_str(&question->said, piece);
    question_go_on(question);
    return is_heard;
}

bool http_question_is_moot(struct http_question *question)
{
    pthread_mutex_lock(&question->home->lock);
    bool is_moot = question->is_moot;
    pthread_mutex_unlock(&question->home->lock);
    return is_moot;
}

void http_question_end(struct http_question *question)
{
    pthread_mutex_lock(&question->home->lock);
    question->streams = true;
    question->status = MHD_HTTP_OK;
    question->is_over = true;
    question_go_on(question);
}
