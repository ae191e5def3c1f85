/* A line to a server that answers anything at all: whatever comes, whoever reads it gets what it asked for, or an error
 * with a sentence, in time. */
#include "redis/line.h"
#include "host/clock.h"
#include "base/str.h"
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[64], url[80];
static pid_t server;
static struct relance_error error;

/* Answers the first thing that comes with these bytes, so many at a time, a pause between, then is silent or closes. */
struct answering {
    const char *bytes;
    size_t size, piece;
    int64_t pause_us;
    bool closes, repeats;
};

static void answer(int client, const struct answering *how)
{
    char ignored[4096];
    size_t piece = how->piece ? how->piece : how->size;
    if (read(client, ignored, sizeof ignored) <= 0) _exit(0);
    do
        for (size_t at = 0; at < how->size; at += piece) {
            size_t size = how->size - at < piece ? how->size - at : piece;
            if (write(client, how->bytes + at, size) < 0) _exit(0);
            clock_sleep_us(how->pause_us);
        }
    while (how->repeats);
    if (how->closes) _exit(0);
    while (read(client, ignored, sizeof ignored) > 0)
        ;
    _exit(0);
}

static struct redis_line *connect_to(const struct answering *how)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct redis_line *line = NULL;
    snprintf(path, sizeof path, "/tmp/relance-line-%d", (int)getpid());
    snprintf(url, sizeof url, "unix://%s", path);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    unlink(path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(listener, 1), 0);
    server = fork();
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        answer(accept(listener, NULL, NULL), how);
    }
    close(listener);
    cr_assert_eq(redis_connect(url, NULL, &line, &error), RELANCE_OK, "%s", error.message);
    return line;
}

static void disconnect(struct redis_line *line)
{
    redis_close(line);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    unlink(path);
}

TestSuite(line, .timeout = 60);

/* ---- one reader for each kind of answer */
enum kind { WORD, COUNT, STRING, TEXTS, PAIRS, SCAN, EXEC };

static enum relance_status count_text(void *context, size_t index, struct relance_str text,
                                      struct relance_error *why)
{
    (void)index, (void)text, (void)why;
    ++*(int *)context;
    return RELANCE_OK;
}

static enum relance_status count_pair(void *context, struct relance_str name, struct relance_str value,
                                      struct relance_error *why)
{
    return count_text(context, name.size, value, why);
}

static enum relance_status read_as(enum kind kind, const struct redisReply *reply, int *visited)
{
    struct relance_str text;
    int64_t count;
    char cursor[REDIS_CURSOR_SIZE];
    const struct redisReply *found;
    bool done;
    switch (kind) {
    case WORD: return redis_read_word(reply, "SELECT", "OK", &error);
    case COUNT: return redis_read_count(reply, "HLEN", &count, &error);
    case STRING: return redis_read_text(reply, "HGET", &text, &error);
    case TEXTS: return redis_read_texts(reply, "HMGET", 2, count_text, visited, &error);
    case PAIRS: return redis_read_pairs(reply, "HGETALL", count_pair, visited, &error);
    case SCAN: return redis_read_scan(reply, "SCAN", cursor, &found, &error);
    case EXEC: return redis_read_exec(reply, 2, &done, &error);
    }
    return RELANCE_OK;
}

#define RIGHT   RELANCE_OK
#define REFUSED RELANCE_AGAIN
#define WRONG   RELANCE_IO
#define PART    RELANCE_INVALID
#define KINDS   7
static const struct {
    const char *answer;
    enum relance_status status[KINDS]; /* as word, count, text, texts, pairs, step of a scan, EXEC */
} kinds[] = {
    {"+OK\r\n", {RIGHT, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG}},
    {"+QUEUED\r\n", {WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG}},
    {":7\r\n", {WRONG, RIGHT, WRONG, WRONG, WRONG, WRONG, WRONG}},
    {":-7\r\n", {WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG}},
    {"$-1\r\n", {WRONG, WRONG, RIGHT, WRONG, WRONG, WRONG, RIGHT}},
    {"*-1\r\n", {WRONG, WRONG, RIGHT, WRONG, WRONG, WRONG, RIGHT}},
    {"$2\r\nOK\r\n", {WRONG, WRONG, RIGHT, WRONG, WRONG, WRONG, WRONG}},
    {"-OOM command not allowed\r\n", {REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED}},
    {"*0\r\n", {WRONG, WRONG, WRONG, WRONG, RIGHT, WRONG, WRONG}},
    {"*1\r\n$1\r\na\r\n", {WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG}},
    {"*2\r\n$1\r\na\r\n$-1\r\n", {WRONG, WRONG, WRONG, RIGHT, WRONG, WRONG, RIGHT}},
    {"*2\r\n$1\r\na\r\n$1\r\nb\r\n", {WRONG, WRONG, WRONG, RIGHT, RIGHT, WRONG, RIGHT}},
    {"*2\r\n:1\r\n:2\r\n", {WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, RIGHT}},
    {"*2\r\n:1\r\n-ERR wrong\r\n", {WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, PART}},
    {"*2\r\n$1\r\na\r\n*0\r\n", {WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, RIGHT}},
    {"*2\r\n$1\r\n0\r\n*0\r\n", {WRONG, WRONG, WRONG, WRONG, WRONG, RIGHT, RIGHT}},
    {"*2\r\n$20\r\n18446744073709551615\r\n*0\r\n", {WRONG, WRONG, WRONG, WRONG, WRONG, RIGHT, RIGHT}},
    {"*2\r\n$24\r\n184467440737095516151844\r\n*0\r\n", {WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, RIGHT}},
    {"*2\r\n$0\r\n\r\n*0\r\n", {WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, RIGHT}},
    {"*2\r\n:0\r\n*0\r\n", {WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, RIGHT}},
    {"*2\r\n$1\r\n0\r\n$1\r\na\r\n", {WRONG, WRONG, WRONG, RIGHT, RIGHT, WRONG, RIGHT}},
    {"*3\r\n:1\r\n:2\r\n:3\r\n", {WRONG, WRONG, WRONG, WRONG, WRONG, WRONG, WRONG}},
};

Test(line, an_answer_is_read_as_what_it_is_and_as_nothing_else)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct answering how = {.bytes = kinds[i].answer, .size = strlen(kinds[i].answer)};
        struct redis_line *line = connect_to(&how);
        struct redisReply *reply = NULL;
        cr_assert_eq(REDIS_DO(line, &reply, &error, STR("PING")), RELANCE_OK, "%s: %s", kinds[i].answer,
                     error.message);
        for (int kind = 0; kind < KINDS; kind++) {
            int visited = 0;
            error = (struct relance_error){0};
            enum relance_status status = read_as((enum kind)kind, reply, &visited);
            cr_expect_eq(status, kinds[i].status[kind], "%s as %d: %d, %s", kinds[i].answer, kind, status,
                         error.message);
            cr_expect(status == RELANCE_OK || (!visited && *error.message));
        }
        redis_answer_free(reply);
        disconnect(line);
    }
}

Test(line, an_answer_lasts_whatever_becomes_of_its_line_and_of_others)
{
    static const char two[] = "*2\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$1\r\nc\r\n$-1\r\n";
    const struct answering how = {.bytes = two, .size = sizeof two - 1};
    struct redis_line *line = connect_to(&how);
    struct redisReply *first = NULL, *second = NULL;
    struct redis_question question = {0};
    int visited = 0;
    REDIS_ASK(&question, STR("HMGET"));
    REDIS_ASK(&question, STR("HMGET"));
    cr_assert_eq(redis_send(line, &question, &error), RELANCE_OK);
    cr_assert_eq(redis_take(line, &question, &first, &error), RELANCE_OK, "%s", error.message);
    cr_assert_eq(redis_take(line, &question, &second, &error), RELANCE_OK, "%s", error.message);
    redis_question_free(&question);
    disconnect(line);
    cr_expect_eq(redis_read_texts(first, "HMGET", 2, count_text, &visited, &error), RELANCE_OK);
    redis_answer_free(first);
    cr_expect_eq(redis_read_texts(second, "HMGET", 2, count_text, &visited, &error), RELANCE_OK);
    redis_answer_free(second);
    cr_expect_eq(visited, 4);
}

Test(line, a_server_that_is_not_the_one_to_ask_makes_the_line_useless)
{
    static const struct {
        const char *said;
        bool is_elsewhere;
    } cases[] = {{"-READONLY You can't write against a read only replica.\r\n", true},
                 {"-LOADING Redis is loading\r\n", true},
                 {"-MASTERDOWN Link with MASTER is down\r\n", true},
                 {"-CLUSTERDOWN Hash slot not served\r\n", true},
                 {"-NOREPLICAS Not enough good replicas to write.\r\n", true},
                 {"-OOM command not allowed\r\n", false},
                 {"+OK\r\n", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct answering how = {.bytes = cases[i].said, .size = strlen(cases[i].said)};
        struct redis_line *line = connect_to(&how);
        struct redisReply *reply;
        cr_assert_eq(REDIS_DO(line, &reply, &error, STR("HSET")), RELANCE_OK, "%s", cases[i].said);
        cr_expect_eq(redis_must_reconnect(line), cases[i].is_elsewhere, "%s", cases[i].said);
        redis_answer_free(reply);
        disconnect(line);
    }
}

Test(line, what_redis_refuses_is_told_in_its_words_and_orders_no_terminal)
{
    const struct answering how = {.bytes = "-MOVED 7 \x1b[2J\r\n", .size = 15};
    struct redis_line *line = connect_to(&how);
    struct redisReply *reply = NULL;
    int64_t count;
    cr_assert_eq(REDIS_DO(line, &reply, &error, STR("HLEN")), RELANCE_OK);
    cr_expect_eq(redis_read_count(reply, "HLEN", &count, &error), RELANCE_AGAIN);
    cr_expect_str_eq(error.message, "Redis: HLEN: MOVED 7 ?[2J");
    redis_answer_free(reply);
    disconnect(line);
}

/* ---- what is no answer at all */
static void expect_failure(const struct answering *how, size_t bytes_max, const char *sentence,
                           int64_t within_ms)
{
    struct redis_line *line = connect_to(how);
    struct redisReply *reply = NULL;
    struct redis_question question = {.timeout_ms = 500, .bytes_max = bytes_max};
    int64_t began_us = clock_monotonic_us();
    error = (struct relance_error){0};
    REDIS_ASK(&question, STR("PING"));
    enum relance_status status = redis_send(line, &question, &error);
    if (status == RELANCE_OK) status = redis_take(line, &question, &reply, &error);
    cr_expect_eq(status, RELANCE_IO, "%s", how->bytes);
    cr_expect(strstr(error.message, sentence), "%s: %s", how->bytes, error.message);
    cr_expect_lt((clock_monotonic_us() - began_us) / 1000, within_ms);
    redis_question_free(&question);
    disconnect(line);
}

Test(line, garbage_ends_the_line_with_a_sentence)
{
    static const struct {
        const char *bytes, *sentence;
    } rows[] = {
        {"HTTP/1.1 400 Bad Request\r\n\r\n", "Protocol error"},
        {":abc\r\n", ""},
        {":99999999999999999999\r\n", ""},
        {"$abc\r\n", ""},
        {"$-7\r\n", ""},
        {"$9999999999999\r\nx", ""},
        {"$5\r\nab", "in time"},
        {"*-7\r\n", ""},
        {"*99999999999\r\n", ""},
        {"*2000000000\r\n", "too many elements"},
        {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "too many lists in lists"},
        {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "too many lists in lists"},
        {"*2\r\n*1000000\r\n", "in time"},
        {"\r\n\r\n", "Protocol error"},
        {"*2\r\n$1\r\na\r\n", "in time"},
        {"+OK", "in time"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct answering how = {.bytes = rows[i].bytes, .size = strlen(rows[i].bytes)};
        expect_failure(&how, 0, rows[i].sentence, 5000);
    }
}

Test(line, elements_are_counted_over_all_lists_of_an_answer)
{
    static char many[64 + 5000000];
    size_t size = (size_t)sprintf(many, "*2\r\n*1000000\r\n");
    for (int i = 0; i < 1000000; i++, size += 4)
        memcpy(many + size, ":1\r\n", 4);
    size += (size_t)sprintf(many + size, "*1000000\r\n");
    const struct answering how = {.bytes = many, .size = size};
    struct redis_line *line = connect_to(&how);
    struct redisReply *reply = NULL;
    cr_expect_eq(REDIS_DO(line, &reply, &error, STR("PING")), RELANCE_IO);
    cr_expect(strstr(error.message, "too many elements"), "%s", error.message);
    disconnect(line);
}

Test(line, a_server_that_closes_in_the_middle_is_gone)
{
    const struct answering how = {.bytes = "*2\r\n$1\r\na\r\n", .size = 11, .closes = true};
    expect_failure(&how, 0, "Server closed the connection", 5000);
}

Test(line, a_whole_answer_has_a_deadline_and_not_each_byte)
{
    const struct answering how = {
        .bytes = "$1000\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", .size = 40, .piece = 1, .pause_us = 100000};
    expect_failure(&how, 0, "no whole answer in time", 2500);
}

Test(line, bytes_without_end_are_bounded)
{
    static char many[1 << 20];
    memset(many, 'a', sizeof many);
    memcpy(many, "$500000000\r\n", 12);
    const struct answering how = {.bytes = many, .size = sizeof many, .repeats = true};
    expect_failure(&how, 8 << 20, "too many bytes", 5000);
}
