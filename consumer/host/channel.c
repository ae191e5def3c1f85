#include "host/channel.h"
#include "base/ensure.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct channel {
    int fd;
    SSL *ssl; /* NULL: bytes go as they are; then nothing below is set */
    BIO_METHOD *socket;
    const struct channel_words *words;
    char name[CHANNEL_NAME_SIZE]; /* that the certificate has to have */
    char distrust[300];           /* what is wrong with the certificate; "": nothing */
};

static enum relance_status tls_unusable(struct relance_error *error, const char *setting, const char *file)
{
    const char *why = ERR_reason_error_string(ERR_peek_error());
    if (access(file, R_OK) != 0) why = strerror(errno);
    return relance_error_set(error, RELANCE_INVALID, "%s=%s cannot be used: %s", setting, file,
                             why ? why : "it is no PEM file");
}

/* ---- the socket, as OpenSSL is to see it: its own way of writing would raise SIGPIPE */
static int tls_moved(BIO *bio, ssize_t size, void (*retry)(BIO *))
{
    BIO_clear_retry_flags(bio);
    if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) retry(bio);
    return (int)size;
}

static void tls_retry_write(BIO *bio)
{
    BIO_set_retry_write(bio);
}

static void tls_retry_read(BIO *bio)
{
    BIO_set_retry_read(bio);
}

static int tls_socket_write(BIO *bio, const char *data, int size)
{
    const struct channel *channel = BIO_get_data(bio);
    return tls_moved(bio, send(channel->fd, data, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT),
                     tls_retry_write);
}

static int tls_socket_read(BIO *bio, char *data, int size)
{
    const struct channel *channel = BIO_get_data(bio);
    return tls_moved(bio, recv(channel->fd, data, (size_t)size, MSG_DONTWAIT), tls_retry_read);
}

static long tls_socket_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO *tls_socket(struct channel *channel)
{
    channel->socket = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "relance");
    ensure(channel->socket && BIO_meth_set_write(channel->socket, tls_socket_write) &&
           BIO_meth_set_read(channel->socket, tls_socket_read) &&
           BIO_meth_set_ctrl(channel->socket, tls_socket_control));
    BIO *bio = BIO_new(channel->socket);
    ensure(bio);
    BIO_set_data(bio, channel);
    BIO_set_init(bio, 1);
    return bio;
}

/* ---- whom to trust, and why somebody is not */
/* The names of a certificate, in plain signs. */
static void tls_put_names(X509 *certificate, char *out, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    size_t at = 0;
    *out = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && at < size; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const ASN1_STRING *text = name->d.ia5;
        char address[INET6_ADDRSTRLEN];
        const char *shown = (const char *)ASN1_STRING_get0_data(text);
        int length = ASN1_STRING_length(text);
        bool is_address = name->type == GEN_IPADD && (length == 4 || length == 16);
        if (name->type != GEN_DNS && !is_address) continue;
        if (is_address) {
            shown = inet_ntop(length == 4 ? AF_INET : AF_INET6, shown, address, sizeof address);
            length = (int)strlen(shown);
        }
        at += (size_t)snprintf(out + at, size - at, "%s%.*s", at ? ", " : "", length, shown);
    }
    for (char *c = out; *c; c++)
        if (!isprint((unsigned char)*c)) *c = '?';
    if (!*out) snprintf(out, size, "no name");
    GENERAL_NAMES_free(names);
}

static void tls_put_time(const ASN1_TIME *time, char *out, size_t size)
{
    struct tm parts = {0};
    ASN1_TIME_to_tm(time, &parts);
    snprintf(out, size, "%04d-%02d-%02d %02d:%02d UTC", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
             parts.tm_hour, parts.tm_min);
}

static void tls_distrust(struct channel *channel, X509 *certificate, int why)
{
    char *out = channel->distrust, fact[160];
    size_t size = sizeof channel->distrust;
    switch (why) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        tls_put_names(certificate, fact, sizeof fact);
        snprintf(out, size, "its certificate is for %s and not for %.100s%s", fact, channel->name,
                 channel->words->other_name);
        return;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        tls_put_time(X509_get0_notAfter(certificate), fact, sizeof fact);
        snprintf(out, size, "its certificate has expired at %s", fact);
        return;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        tls_put_time(X509_get0_notBefore(certificate), fact, sizeof fact);
        snprintf(out, size, "its certificate is valid from %s on only", fact);
        return;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        snprintf(
            out, size,
            "its certificate is signed by nobody who is trusted here; %s names the file of its authority",
            channel->words->authority);
        return;
    default: snprintf(out, size, "its certificate: %s", X509_verify_cert_error_string(why));
    }
}

static int tls_judge(int is_trusted, X509_STORE_CTX *look)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(look, SSL_get_ex_data_X509_STORE_CTX_idx());
    if (!is_trusted)
        tls_distrust(SSL_get_app_data(ssl), X509_STORE_CTX_get_current_cert(look),
                     X509_STORE_CTX_get_error(look));
    return is_trusted;
}

/* An address has to stand in the certificate as one, and is not told the server, which looks for names. False: no name at
 * all, which others may have told us. */
static bool tls_expect_name(struct channel *channel)
{
    unsigned char address[sizeof(struct in6_addr)];
    X509_VERIFY_PARAM *expected = SSL_get0_param(channel->ssl);
    if (inet_pton(AF_INET, channel->name, address) == 1 || inet_pton(AF_INET6, channel->name, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(expected, channel->name);
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return *channel->name && X509_VERIFY_PARAM_set1_host(expected, channel->name, 0) &&
           SSL_set_tlsext_host_name(channel->ssl, channel->name);
}

/* ---- setting up */
/* A key that asks for a password is refused: there is nobody to ask. */
static int tls_no_password(char *out, int size, int for_writing, void *context)
{
    (void)out, (void)size, (void)for_writing, (void)context;
    return -1;
}

static enum relance_status tls_read_files(SSL_CTX *settings, const struct channel_trust *trust,
                                          struct relance_error *error)
{
    const char *key = *trust->key ? trust->key : trust->cert;
    SSL_CTX_set_default_passwd_cb(settings, tls_no_password);
    if (!*trust->ca)
        SSL_CTX_set_default_verify_paths(settings);
    else if (SSL_CTX_load_verify_file(settings, trust->ca) != 1)
        return tls_unusable(error, trust->words->ca, trust->ca);
    if (!*trust->cert) return RELANCE_OK;
    if (SSL_CTX_use_certificate_chain_file(settings, trust->cert) != 1)
        return tls_unusable(error, trust->words->cert, trust->cert);
    if (SSL_CTX_use_PrivateKey_file(settings, key, SSL_FILETYPE_PEM) != 1)
        return tls_unusable(error, *trust->key ? trust->words->key : trust->words->cert, key);
    return RELANCE_OK;
}

static SSL_CTX *tls_settings(const struct channel_trust *trust)
{
    SSL_CTX *settings = SSL_CTX_new(TLS_client_method());
    ensure(settings && SSL_CTX_set_min_proto_version(settings, TLS1_2_VERSION));
    SSL_CTX_set_mode(settings, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (!trust->is_blind) SSL_CTX_set_verify(settings, SSL_VERIFY_PEER, tls_judge);
    return settings;
}

static void tls_begin(struct channel *channel, SSL_CTX *settings, const struct channel_words *words,
                      const char *name)
{
    channel->words = words;
    channel->ssl = SSL_new(settings);
    ensure(channel->ssl);
    snprintf(channel->name, sizeof channel->name, "%s", name);
    SSL_set_app_data(channel->ssl, channel);
    BIO *bio = tls_socket(channel);
    SSL_set_bio(channel->ssl, bio, bio);
}

static enum relance_status tls_open(struct channel *channel, const struct channel_trust *trust,
                                    const char *host, struct relance_error *error)
{
    ERR_clear_error();
    SSL_CTX *settings = tls_settings(trust);
    enum relance_status status = tls_read_files(settings, trust, error);
    if (status == RELANCE_OK) {
        tls_begin(channel, settings, trust->words, *trust->name ? trust->name : host);
        if (!tls_expect_name(channel))
            status =
                relance_error_set(error, RELANCE_IO, "TLS: '%s' is not the name of a host", channel->name);
    }
    SSL_CTX_free(settings);
    return status;
}

/* ---- bytes in TLS */
/* A sentence, and what it ends with; NULL: there is none of ours. */
static const char *tls_reason(const struct channel *channel, unsigned long why, const char **end)
{
    const struct channel_words *words = channel->words;
    *end = words->cert;
    if (ERR_GET_LIB(why) != ERR_LIB_SSL) return NULL;
    switch (ERR_GET_REASON(why)) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG: *end = words->plain; return "no TLS is spoken there; ";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        *end = words->own;
        return "it asks for a certificate of ours: ";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        *end = words->own;
        return "it refuses the handshake; if it asks for a certificate of ours, ";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA: return "it does not trust who signed our certificate, ";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED: return "our certificate has expired, ";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN: return "it does not accept our certificate, ";
    default: return NULL;
    }
}

static void tls_say(const struct channel *channel, struct relance_error *error)
{
    unsigned long why = ERR_peek_error();
    const char *end, *sentence = tls_reason(channel, why, &end), *reason = ERR_reason_error_string(why);
    if (*channel->distrust)
        relance_error_set(error, RELANCE_IO, "TLS: %s", channel->distrust);
    else if (sentence)
        relance_error_set(error, RELANCE_IO, "TLS: %s%s", sentence, end);
    else
        relance_error_set(error, RELANCE_IO, "TLS: %s", reason ? reason : "it has failed");
}

static ssize_t tls_stopped(const struct channel *channel, int result, struct relance_error *error)
{
    switch (SSL_get_error(channel->ssl, result)) {
    case SSL_ERROR_WANT_READ: return CHANNEL_WANTS_IN;
    case SSL_ERROR_WANT_WRITE: return CHANNEL_WANTS_OUT;
    case SSL_ERROR_SSL: break;
    default: return CHANNEL_GONE;
    }
    tls_say(channel, error);
    return CHANNEL_FAILED;
}

static ssize_t tls_send(struct channel *channel, const void *data, size_t size, struct relance_error *error)
{
    size_t sent;
    ERR_clear_error();
    int done = SSL_write_ex(channel->ssl, data, size, &sent);
    return done ? (ssize_t)sent : tls_stopped(channel, done, error);
}

static ssize_t tls_receive(struct channel *channel, void *data, size_t size, struct relance_error *error)
{
    size_t received;
    ERR_clear_error();
    int done = SSL_read_ex(channel->ssl, data, size, &received);
    return done ? (ssize_t)received : tls_stopped(channel, done, error);
}

/* ---- bytes, and a socket's own words for what has become of them */
static ssize_t plain_moved(ssize_t size, ssize_t wants, struct relance_error *error)
{
    if (size > 0) return size;
    if (size == 0 || errno == ECONNRESET || errno == EPIPE) return CHANNEL_GONE;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return wants;
    relance_error_set(error, RELANCE_IO, "%s", strerror(errno));
    return CHANNEL_FAILED;
}

enum relance_status channel_open(int fd, const struct channel_trust *trust, const char *host,
                                 struct channel **out, struct relance_error *error)
{
    struct channel *channel = *out = calloc(1, sizeof *channel);
    ensure(channel);
    channel->fd = fd;
    return trust ? tls_open(channel, trust, host, error) : RELANCE_OK;
}

void channel_close(struct channel *channel)
{
    if (!channel) return;
    SSL_free(channel->ssl);
    BIO_meth_free(channel->socket);
    free(channel);
}

ssize_t channel_shake(struct channel *channel, struct relance_error *error)
{
    if (!channel->ssl) return 0;
    ERR_clear_error();
    int done = SSL_connect(channel->ssl);
    return done == 1 ? 0 : tls_stopped(channel, done, error);
}

ssize_t channel_send(struct channel *channel, const void *data, size_t size, struct relance_error *error)
{
    if (channel->ssl) return tls_send(channel, data, size, error);
    return plain_moved(send(channel->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT), CHANNEL_WANTS_OUT, error);
}

ssize_t channel_receive(struct channel *channel, void *data, size_t size, struct relance_error *error)
{
    if (channel->ssl) return tls_receive(channel, data, size, error);
    return plain_moved(recv(channel->fd, data, size, MSG_DONTWAIT), CHANNEL_WANTS_IN, error);
}

/* In TLS what has come may be no bytes of anybody's, but a ticket for the next handshake. */
bool channel_is_silent(struct channel *channel)
{
    struct relance_error unsaid;
    char byte;
    return channel_receive(channel, &byte, 1, &unsaid) == CHANNEL_WANTS_IN;
}

short channel_events(ssize_t wants)
{
    return wants == CHANNEL_WANTS_IN ? POLLIN : POLLOUT;
}
