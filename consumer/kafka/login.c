#include "kafka/login.h"
#include "base/ensure.h"
#include "kafka/scram.h"

#include <stdlib.h>

enum { LOGIN_VERSION = 1, LOGIN_SAID_MAX = 200 };

enum login_step { LOGIN_MECHANISM, LOGIN_FIRST, LOGIN_PROOF };

struct kafka_login {
    const struct kafka_access *access;
    enum login_step step;
    uint32_t asked; /* number of the last request */
    struct kafka_scram scram;
    struct buffer token; /* what the broker is to get next */
    int64_t lasts_ms;
};

struct kafka_login *kafka_login_open(const struct kafka_access *access)
{
    if (access->mechanism == KAFKA_NO_LOGIN) return NULL;
    struct kafka_login *login = calloc(1, sizeof *login);
    ensure(login);
    login->access = access;
    return login;
}

void kafka_login_close(struct kafka_login *login)
{
    if (!login) return;
    buffer_free(&login->token);
    kafka_scram_end(&login->scram);
    free(login);
}

/* ---- what is sent */
static void login_put_plain(const struct kafka_access *access, struct buffer *out)
{
    buffer_put_char(out, '\0'); /* on nobody else's behalf */
    buffer_put_str(out, str_of(access->user));
    buffer_put_char(out, '\0');
    buffer_put_str(out, str_of(access->password));
}

static void login_begin(struct kafka_login *login)
{
    const struct kafka_access *access = login->access;
    if (access->mechanism == KAFKA_PLAIN)
        login_put_plain(access, &login->token);
    else
        kafka_scram_begin(&login->scram,
                          access->mechanism == KAFKA_SCRAM_256 ? KAFKA_SCRAM_SHA_256 : KAFKA_SCRAM_SHA_512,
                          access->user, NULL, &login->token);
}

void kafka_login_put(struct kafka_login *login, struct buffer *out)
{
    bool is_first = login->step == LOGIN_MECHANISM;
    kafka_put_head(out, is_first ? KAFKA_SASL_HANDSHAKE : KAFKA_SASL_AUTHENTICATE, LOGIN_VERSION,
                   ++login->asked, "");
    if (is_first) {
        kafka_put_text(out, kafka_mechanism_name(login->access->mechanism));
        return;
    }
    kafka_put(out, login->token.size, 4);
    buffer_put_str(out, buffer_str(&login->token));
    login->token.size = 0;
}

/* ---- what comes back */
static enum relance_status login_is_none(struct relance_error *error)
{
    return relance_error_set(error, RELANCE_REFUSED, "that is no answer to a login");
}

static enum relance_status login_refused(str why, struct relance_error *error)
{
    if (why.size > LOGIN_SAID_MAX) why.size = LOGIN_SAID_MAX;
    return relance_error_set(error, RELANCE_REFUSED, "it refuses the login: %.*s", STR_ARG(why));
}

static enum relance_status login_take_mechanism(struct kafka_login *login, struct kafka_answer *in,
                                                struct relance_error *error)
{
    int16_t code = kafka_read_int16(in);
    if (in->failed) return login_is_none(error);
    if (code)
        return relance_error_set(error, RELANCE_REFUSED, "it takes no login by %s: %s",
                                 kafka_mechanism_name(login->access->mechanism),
                                 rd_kafka_err2str((rd_kafka_resp_err_t)code));
    login->step = LOGIN_FIRST;
    login_begin(login);
    return RELANCE_AGAIN;
}

static enum relance_status login_take_token(struct kafka_login *login, str token, struct relance_error *error)
{
    if (login->access->mechanism == KAFKA_PLAIN) return RELANCE_OK;
    if (login->step == LOGIN_PROOF) return kafka_scram_check(&login->scram, token, error);
    enum relance_status status =
        kafka_scram_prove(&login->scram, token, login->access->password, &login->token, error);
    login->step = LOGIN_PROOF;
    return status == RELANCE_OK ? RELANCE_AGAIN : status;
}

static enum relance_status login_take_authenticate(struct kafka_login *login, struct kafka_answer *in,
                                                   struct relance_error *error)
{
    int16_t code = kafka_read_int16(in);
    str why = kafka_read_text(in, kafka_read_int16(in)), token = kafka_read_text(in, kafka_read_int32(in));
    login->lasts_ms = kafka_read_int64(in);
    if (in->failed) return login_is_none(error);
    if (!why.size) why = str_of(rd_kafka_err2str((rd_kafka_resp_err_t)code));
    return code ? login_refused(why, error) : login_take_token(login, token, error);
}

enum relance_status kafka_login_take(struct kafka_login *login, struct kafka_answer *in,
                                     struct relance_error *error)
{
    if ((uint32_t)kafka_read_int32(in) != login->asked) return login_is_none(error);
    return login->step == LOGIN_MECHANISM ? login_take_mechanism(login, in, error)
                                          : login_take_authenticate(login, in, error);
}

int64_t kafka_login_lasts_ms(const struct kafka_login *login)
{
    return login->lasts_ms;
}
