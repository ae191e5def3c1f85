#include "redis/tls.h"
#include "base/ensure.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct redis_tls {
    SSL *ssl;
    BIO_METHOD *socket;
    int fd;
    char name[REDIS_HOST_SIZE]; /* that the certificate has to have */
    char distrust[300];         /* what is wrong with the certificate; "": nothing */
};

static enum relance_status tls_unusable(struct relance_error *error, const char *setting, const char *file)
{
    const char *why = ERR_reason_error_string(ERR_peek_error());
    if (access(file, R_OK) != 0) why = strerror(errno);
    return relance_error_set(error, RELANCE_INVALID, "--redis: %s=%s cannot be used: %s", setting, file,
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
    const struct redis_tls *tls = BIO_get_data(bio);
    return tls_moved(bio, send(tls->fd, data, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT), tls_retry_write);
}

static int tls_socket_read(BIO *bio, char *data, int size)
{
    const struct redis_tls *tls = BIO_get_data(bio);
    return tls_moved(bio, recv(tls->fd, data, (size_t)size, MSG_DONTWAIT), tls_retry_read);
}

static long tls_socket_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static BIO *tls_socket(struct redis_tls *tls)
{
    tls->socket = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "relance");
    ensure(tls->socket && BIO_meth_set_write(tls->socket, tls_socket_write) &&
           BIO_meth_set_read(tls->socket, tls_socket_read) &&
           BIO_meth_set_ctrl(tls->socket, tls_socket_control));
    BIO *bio = BIO_new(tls->socket);
    ensure(bio);
    BIO_set_data(bio, tls);
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
        if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
        const char *shown = (const char *)ASN1_STRING_get0_data(text);
        int length = ASN1_STRING_length(text);
        if (name->type == GEN_IPADD) {
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

static void tls_distrust(struct redis_tls *tls, X509 *certificate, int why)
{
    char *out = tls->distrust, fact[160];
    size_t size = sizeof tls->distrust;
    switch (why) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        tls_put_names(certificate, fact, sizeof fact);
        snprintf(out, size, "its certificate is for %s and not for %.100s; if that is right, say ?name=HOST",
                 fact, tls->name);
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
        snprintf(out, size,
                 "its certificate is signed by nobody who is trusted here; "
                 "?ca=FILE names the file of its authority");
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
static bool tls_expect_name(struct redis_tls *tls)
{
    unsigned char address[sizeof(struct in6_addr)];
    X509_VERIFY_PARAM *expected = SSL_get0_param(tls->ssl);
    if (inet_pton(AF_INET, tls->name, address) == 1 || inet_pton(AF_INET6, tls->name, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(expected, tls->name);
    X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return *tls->name && X509_VERIFY_PARAM_set1_host(expected, tls->name, 0) &&
           SSL_set_tlsext_host_name(tls->ssl, tls->name);
}

/* ---- setting up */
/* A key that asks for a password is refused: there is nobody to ask. */
static int tls_no_password(char *out, int size, int for_writing, void *context)
{
    (void)out, (void)size, (void)for_writing, (void)context;
    return -1;
}

static enum relance_status tls_read_files(SSL_CTX *settings, const struct redis_trust *trust,
                                          struct relance_error *error)
{
    const char *key = *trust->key ? trust->key : trust->cert;
    SSL_CTX_set_default_passwd_cb(settings, tls_no_password);
    if (!*trust->ca)
        SSL_CTX_set_default_verify_paths(settings);
    else if (SSL_CTX_load_verify_file(settings, trust->ca) != 1)
        return tls_unusable(error, "ca", trust->ca);
    if (!*trust->cert) return RELANCE_OK;
    if (SSL_CTX_use_certificate_chain_file(settings, trust->cert) != 1)
        return tls_unusable(error, "cert", trust->cert);
    if (SSL_CTX_use_PrivateKey_file(settings, key, SSL_FILETYPE_PEM) != 1)
        return tls_unusable(error, *trust->key ? "key" : "cert", key);
    return RELANCE_OK;
}

static SSL_CTX *tls_settings(const struct redis_trust *trust)
{
    SSL_CTX *settings = SSL_CTX_new(TLS_client_method());
    ensure(settings && SSL_CTX_set_min_proto_version(settings, TLS1_2_VERSION));
    SSL_CTX_set_mode(settings, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (!trust->is_blind) SSL_CTX_set_verify(settings, SSL_VERIFY_PEER, tls_judge);
    return settings;
}

static struct redis_tls *tls_begin(int fd, SSL_CTX *settings, const char *name)
{
    struct redis_tls *tls = calloc(1, sizeof *tls);
    ensure(tls);
    tls->fd = fd;
    tls->ssl = SSL_new(settings);
    ensure(tls->ssl);
    snprintf(tls->name, sizeof tls->name, "%s", name);
    SSL_set_app_data(tls->ssl, tls);
    BIO *bio = tls_socket(tls);
    SSL_set_bio(tls->ssl, bio, bio);
    return tls;
}

enum relance_status redis_tls_open(int fd, const struct redis_trust *trust, const char *host,
                                   struct redis_tls **out, struct relance_error *error)
{
    ERR_clear_error();
    SSL_CTX *settings = tls_settings(trust);
    enum relance_status status = tls_read_files(settings, trust, error);
    if (status == RELANCE_OK) {
        *out = tls_begin(fd, settings, *trust->name ? trust->name : host);
        if (!tls_expect_name(*out))
            status = relance_error_set(error, RELANCE_IO, "TLS: '%s' is no name of a host", (*out)->name);
    }
    SSL_CTX_free(settings);
    return status;
}

void redis_tls_close(struct redis_tls *tls)
{
    if (!tls) return;
    SSL_free(tls->ssl);
    BIO_meth_free(tls->socket);
    free(tls);
}

/* ---- bytes */
static const struct {
    int reason;
    const char *sentence;
} tls_reasons[] = {
    {SSL_R_WRONG_VERSION_NUMBER, "no TLS is spoken there; redis:// and sentinel:// speak none"},
    {SSL_R_PACKET_LENGTH_TOO_LONG, "no TLS is spoken there; redis:// and sentinel:// speak none"},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
     "it asks for a certificate of ours: ?cert=FILE&key=FILE names one"},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
     "it refuses the handshake; if it asks for a certificate of ours, ?cert=FILE&key=FILE names one"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "it does not trust who signed our certificate (cert=FILE)"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "our certificate (cert=FILE) has expired"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "it does not accept our certificate (cert=FILE)"},
};

static const char *tls_reason(const struct redis_tls *tls)
{
    unsigned long why = ERR_peek_error();
    if (*tls->distrust) return tls->distrust;
    for (size_t i = 0; i < sizeof tls_reasons / sizeof *tls_reasons; i++)
        if (ERR_GET_LIB(why) == ERR_LIB_SSL && ERR_GET_REASON(why) == tls_reasons[i].reason)
            return tls_reasons[i].sentence;
    const char *reason = ERR_reason_error_string(why);
    return reason ? reason : "it has failed";
}

static ssize_t tls_stopped(const struct redis_tls *tls, int result, struct relance_error *error)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ: return REDIS_WANTS_IN;
    case SSL_ERROR_WANT_WRITE: return REDIS_WANTS_OUT;
    case SSL_ERROR_SSL: break;
    default: return REDIS_GONE;
    }
    relance_error_set(error, RELANCE_IO, "TLS: %s", tls_reason(tls));
    return REDIS_FAILED;
}

ssize_t redis_tls_shake(struct redis_tls *tls, struct relance_error *error)
{
    ERR_clear_error();
    int done = SSL_connect(tls->ssl);
    return done == 1 ? 0 : tls_stopped(tls, done, error);
}

ssize_t redis_tls_send(struct redis_tls *tls, const char *data, size_t size, struct relance_error *error)
{
    size_t sent;
    ERR_clear_error();
    int done = SSL_write_ex(tls->ssl, data, size, &sent);
    return done ? (ssize_t)sent : tls_stopped(tls, done, error);
}

ssize_t redis_tls_receive(struct redis_tls *tls, char *data, size_t size, struct relance_error *error)
{
    size_t received;
    ERR_clear_error();
    int done = SSL_read_ex(tls->ssl, data, size, &received);
    return done ? (ssize_t)received : tls_stopped(tls, done, error);
}
