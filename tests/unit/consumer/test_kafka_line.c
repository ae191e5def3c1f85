/* A line to a broker that this test is: whatever comes, and in whatever pieces, it gets to where it should, or fails with a sentence. */
#include "kafka/line.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 5000 };

static struct kafka_access access_by = {.user = "anna", .password = "pw"};
static struct kafka_line line;
static struct kafka_chunk *spare;
static struct relance_error error;
static int listener, broker = -1; /* our end of the connection */

static void end(void)
{
    kafka_line_close(&line);
    kafka_chunk_free(spare);
    if (broker >= 0) close(broker);
    close(listener);
}

TestSuite(kafka_line, .fini = end, .timeout = 60);

static bool go(void)
{
    return kafka_line_go_on(&line, &spare, &error);
}

static void await(short events)
{
    struct pollfd ready = {.fd = line.fd, .events = events};
    cr_assert_eq(poll(&ready, 1, WAIT_MS), 1);
}

/* Up to where the line has connected, and gone on from there as far as it can. */
static void connect_by(enum kafka_mechanism mechanism)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    access_by.mechanism = mechanism;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, size), 0);
    cr_assert_eq(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&address, &size);
    kafka_line_init(&line, &access_by, "127.0.0.1", ntohs(address.sin_port), WAIT_MS);
    cr_assert(go());
    cr_assert_eq(line.state, KAFKA_LINE_CONNECTING);
    broker = accept(listener, NULL, NULL);
    await(kafka_line_events(&line));
    cr_assert(go());
}

/* What has come is that, behind its size. */
static void hear(const char *bytes, size_t size)
{
    char found[256];
    cr_assert_eq(recv(broker, found, size + 4, MSG_WAITALL), (ssize_t)size + 4);
    cr_expect(memcmp(found + 4, bytes, size) == 0);
}
#define HEAR(bytes) hear(bytes, sizeof(bytes) - 1)

/* Byte by byte; before the last nothing changes. */
static void say(const char *bytes, size_t size)
{
    enum kafka_line_state state = line.state;
    for (size_t i = 0; i < size; i++) {
        cr_expect_eq(line.state, state, "after %zu bytes", i);
        cr_expect_eq(kafka_line_events(&line), POLLIN);
        cr_assert_eq(write(broker, bytes + i, 1), 1);
        await(POLLIN);
        cr_assert(go(), "%s", error.message);
    }
}
#define SAY(bytes) say(bytes, sizeof(bytes) - 1)

static void come_in(void)
{
    connect_by(KAFKA_PLAIN);
    HEAR("\0\x11\0\1\0\0\0\1\0\0\0\5PLAIN");
    SAY("\0\0\0\12\0\0\0\1\0\0\0\0\0\0");
    HEAR("\0\x24\0\1\0\0\0\2\0\0\0\0\0\x8\0anna\0pw");
    SAY("\0\0\0\24\0\0\0\2\0\0\xff\xff\0\0\0\0\0\0\0\0\0\0\x0e\x10");
    cr_assert_eq(line.state, KAFKA_LINE_FREE);
}

static void ask(void)
{
    buffer_put_str(kafka_line_begin(&line), STR("question"));
    kafka_line_ask(&line);
    cr_assert(go());
    HEAR("question");
}

static void answer(void)
{
    SAY("\0\0\0\6answer");
    cr_assert_eq(line.state, KAFKA_LINE_ANSWERED);
    struct kafka_chunk *chunk = kafka_line_answer(&line);
    cr_expect_eq(chunk->size, 6);
    cr_expect(memcmp(chunk->bytes, "answer", 6) == 0);
    kafka_chunk_give(&spare, chunk);
}

Test(kafka_line, logs_in_and_asks_byte_by_byte)
{
    come_in();
    ask();
    answer();
    cr_expect_eq(line.state, KAFKA_LINE_FREE);
    ask();
    answer();
}

Test(kafka_line, a_login_that_is_about_to_end_is_used_no_more)
{
    come_in();
    ask();
    line.logged_in_until_us = 0;
    answer();
    cr_expect_eq(line.state, KAFKA_LINE_DOWN);
    cr_expect_eq(kafka_line_until(&line), 0); /* opened anew at once */
}

Test(kafka_line, an_idle_one_whose_login_ends_is_opened_anew)
{
    come_in();
    kafka_line_freshen(&line);
    cr_expect_eq(line.state, KAFKA_LINE_FREE);
    line.logged_in_until_us = 0;
    kafka_line_freshen(&line);
    cr_expect_eq(line.state, KAFKA_LINE_DOWN);
}

Test(kafka_line, an_idle_one_that_the_broker_has_closed_is_opened_anew)
{
    come_in();
    close(broker);
    broker = -1;
    await(POLLIN);
    kafka_line_freshen(&line);
    cr_expect_eq(line.state, KAFKA_LINE_DOWN);
}

static void expect_failure(const char *why, bool is_refused)
{
    await(POLLIN);
    cr_expect_not(go());
    cr_expect_str_eq(error.message, why);
    cr_expect_eq(line.is_refused, is_refused);
    cr_expect_eq(line.state, KAFKA_LINE_DOWN);
    cr_expect_eq(line.failures, 1);
}

Test(kafka_line, a_broker_that_closes_while_we_log_in)
{
    connect_by(KAFKA_SCRAM_512);
    HEAR("\0\x11\0\1\0\0\0\1\0\0\0\15SCRAM-SHA-512");
    close(broker);
    broker = -1;
    expect_failure("closed by the broker while we log in", true);
}

Test(kafka_line, an_answer_to_a_login_is_not_larger_than_such_are)
{
    connect_by(KAFKA_PLAIN);
    cr_assert_eq(write(broker, "\0\1\0\1", 4), 4);
    expect_failure("that is no Kafka broker", true);
}

Test(kafka_line, a_login_that_is_refused)
{
    connect_by(KAFKA_PLAIN);
    cr_assert_eq(write(broker, "\0\0\0\12\0\0\0\1\0\x22\0\0\0\0", 14), 14);
    expect_failure("it takes no login by PLAIN: Broker: Request not valid in current SASL state", true);
}

Test(kafka_line, nobody_is_refused_where_there_is_no_login)
{
    connect_by(KAFKA_NO_LOGIN);
    cr_assert_eq(line.state, KAFKA_LINE_FREE);
    ask();
    close(broker);
    broker = -1;
    expect_failure("closed by the broker", false);
}

Test(kafka_line, a_request_that_no_socket_takes_at_once_is_sent_in_turns)
{
    enum { SIZE = 32 << 20 };
    static char some[1 << 16];
    connect_by(KAFKA_NO_LOGIN);
    char *at = buffer_room(kafka_line_begin(&line), SIZE);
    memset(at, 'x', SIZE);
    line.request.size += SIZE;
    kafka_line_ask(&line);
    cr_assert(go());
    cr_expect_eq(kafka_line_events(&line), POLLOUT);
    for (size_t left = SIZE + 4; left;) {
        ssize_t size = recv(broker, some, sizeof some, MSG_DONTWAIT);
        if (size > 0) left -= (size_t)size;
        cr_assert(go());
    }
    answer();
}
