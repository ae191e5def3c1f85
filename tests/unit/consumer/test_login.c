/* A login at a broker, step by step: what is sent is what the protocol says, and whatever a broker says instead of an answer is found out. */
#include "kafka/login.h"

#include <criterion/criterion.h>

static struct kafka_access access_by = {.user = "anna", .password = "pw"};
static struct kafka_login *login;
static struct buffer out;
static struct relance_error error;

static void begin_by(enum kafka_mechanism mechanism)
{
    access_by.mechanism = mechanism;
    kafka_login_close(login);
    login = kafka_login_open(&access_by);
}

static void end(void)
{
    kafka_login_close(login);
    buffer_free(&out);
}

TestSuite(login, .fini = end);

static void expect_put(const char *bytes, size_t size)
{
    out.size = 0;
    kafka_login_put(login, &out);
    cr_assert_eq(out.size, size);
    cr_expect(memcmp(out.data, bytes, size) == 0);
}
#define EXPECT_PUT(bytes) expect_put(bytes, sizeof(bytes) - 1)

static enum relance_status take(const char *bytes, size_t size)
{
    struct kafka_answer in = {(const unsigned char *)bytes, (const unsigned char *)bytes + size, false};
    return kafka_login_take(login, &in, &error);
}
#define TAKE(bytes) take(bytes, sizeof(bytes) - 1)

static const char taken[] = "\0\0\0\1" /* number */
                            "\0\0"     /* no error */
                            "\0\0\0\1\0\5PLAIN";

/* Up to where the broker has what it takes to let us in. */
static void say_password(void)
{
    begin_by(KAFKA_PLAIN);
    EXPECT_PUT("\0\x11\0\1\0\0\0\1\0\0\0\5PLAIN");
    cr_assert_eq(TAKE(taken), RELANCE_AGAIN);
    EXPECT_PUT("\0\x24\0\1\0\0\0\2\0\0\0\0\0\x8\0anna\0pw");
}

Test(login, by_password)
{
    say_password();
    cr_expect_eq(TAKE("\0\0\0\2\0\0\xff\xff\0\0\0\0\0\0\0\0\0\0\x0e\x10"), RELANCE_OK);
    cr_expect_eq(kafka_login_lasts_ms(login), 3600);
}

Test(login, a_mechanism_that_a_broker_does_not_have)
{
    begin_by(KAFKA_SCRAM_512);
    EXPECT_PUT("\0\x11\0\1\0\0\0\1\0\0\0\15SCRAM-SHA-512");
    cr_expect_eq(TAKE("\0\0\0\1\0\x21\0\0\0\1\0\5PLAIN"), RELANCE_REFUSED);
    cr_expect_str_eq(error.message, "it takes no login by SCRAM-SHA-512: Broker: Unsupported SASL mechanism");
}

Test(login, a_wrong_password)
{
    say_password();
    cr_expect_eq(TAKE("\0\0\0\2\0\x3a\0\2no\0\0\0\0\0\0\0\0\0\0\0\0"), RELANCE_REFUSED);
    cr_expect_str_eq(error.message, "it refuses the login: no");
}

Test(login, an_answer_that_is_cut_off_or_none_of_ours_is_refused)
{
    static const char whole[] = "\0\0\0\2\0\0\xff\xff\0\0\0\2ab\0\0\0\0\0\0\0\0";
    for (size_t size = 0; size < sizeof whole - 1; size++) {
        begin_by(KAFKA_SCRAM_256);
        kafka_login_put(login, &out);
        if (size < 6) cr_expect_eq(take(taken, size), RELANCE_REFUSED, "%zu bytes", size);
        cr_assert_eq(TAKE(taken), RELANCE_AGAIN);
        kafka_login_put(login, &out);
        cr_expect_eq(take(whole, size), RELANCE_REFUSED, "%zu bytes", size);
    }
    begin_by(KAFKA_PLAIN);
    kafka_login_put(login, &out);
    cr_expect_eq(TAKE("\0\0\0\7\0\0"), RELANCE_REFUSED);
}

Test(login, none_where_nobody_asks)
{
    begin_by(KAFKA_NO_LOGIN);
    cr_expect_null(login);
}
