#include "kafka/access.h"
#include "base/str.h"
#include "kafka/conf.h"

#include <sys/stat.h>

/* Settings that ask for more than is done here, and what they are where they ask for nothing. One that a version of librdkafka does not
 * know asks for nothing. */
static const struct {
    const char *name, *usual;
} access_tls_settings[] = {
    {"enable.ssl.certificate.verification", "true"},
    {"ssl.endpoint.identification.algorithm", "https"},
    {"ssl.ca.pem", ""},
    {"ssl.certificate.pem", ""},
    {"ssl.cipher.suites", ""},
    {"ssl.crl.location", ""},
    {"ssl.curves.list", ""},
    {"ssl.engine.location", ""},
    {"ssl.key.password", ""},
    {"ssl.key.pem", ""},
    {"ssl.keystore.location", ""},
    {"ssl.providers", ""},
    {"ssl.sigalgs.list", ""},
};

static const char *const mechanism_names[KAFKA_MECHANISMS] = {
    [KAFKA_PLAIN] = "PLAIN",
    [KAFKA_SCRAM_256] = "SCRAM-SHA-256",
    [KAFKA_SCRAM_512] = "SCRAM-SHA-512",
};

static const struct channel_words access_words = {
    .ca = "kafka.ssl.ca.location",
    .cert = "kafka.ssl.certificate.location",
    .key = "kafka.ssl.key.location",
    .authority = "kafka.ssl.ca.location=FILE",
    .own = "kafka.ssl.certificate.location=FILE and kafka.ssl.key.location=FILE name one",
    .other_name = "",
    .plain = "kafka.security.protocol=plaintext and sasl_plaintext speak none",
};

const char *kafka_mechanism_name(enum kafka_mechanism mechanism)
{
    return mechanism_names[mechanism];
}

/* False: it has more bytes than there is room for. What is not set, or not known, is "". */
static bool access_text(rd_kafka_t *rk, const char *name, char *out, size_t size)
{
    size_t needed = size;
    *out = '\0';
    if (rd_kafka_conf_get(rd_kafka_conf(rk), name, NULL, &needed) != RD_KAFKA_CONF_OK) return true;
    if (needed > size) return false;
    kafka_conf_text(rk, name, out, size);
    return true;
}

static bool access_is_usual(rd_kafka_t *rk, const char *name, const char *usual)
{
    char text[64];
    return access_text(rk, name, text, sizeof text) && (!*text || strcmp(text, usual) == 0);
}

static bool access_is_file(const char *path)
{
    struct stat found;
    return !*path || (stat(path, &found) == 0 && S_ISREG(found.st_mode));
}

static bool access_read_tls(rd_kafka_t *rk, struct channel_trust *out)
{
    for (size_t i = 0; i < sizeof access_tls_settings / sizeof *access_tls_settings; i++)
        if (!access_is_usual(rk, access_tls_settings[i].name, access_tls_settings[i].usual)) return false;
    out->words = &access_words;
    return access_text(rk, "ssl.ca.location", out->ca, sizeof out->ca) &&
           access_text(rk, "ssl.certificate.location", out->cert, sizeof out->cert) &&
           access_text(rk, "ssl.key.location", out->key, sizeof out->key) && access_is_file(out->ca) &&
           !*out->cert == !*out->key;
}

static bool access_read_login(rd_kafka_t *rk, struct kafka_access *out)
{
    char name[64];
    if (!access_text(rk, "sasl.mechanism", name, sizeof name)) return false;
    for (int i = KAFKA_NO_LOGIN + 1; i < KAFKA_MECHANISMS && !out->mechanism; i++)
        if (strcmp(mechanism_names[i], name) == 0) out->mechanism = (enum kafka_mechanism)i;
    return out->mechanism && access_text(rk, "sasl.username", out->user, sizeof out->user) &&
           access_text(rk, "sasl.password", out->password, sizeof out->password);
}

bool kafka_access_read(rd_kafka_t *rk, struct kafka_access *out)
{
    char protocol[32];
    *out = (struct kafka_access){0};
    kafka_conf_text(rk, "security.protocol", protocol, sizeof protocol);
    out->is_tls = strcmp(protocol, "ssl") == 0 || strcmp(protocol, "sasl_ssl") == 0;
    bool has_login = strncmp(protocol, "sasl_", 5) == 0;
    return kafka_conf_says(rk, "broker.address.family", "any") &&
           (!out->is_tls || access_read_tls(rk, &out->trust)) && (!has_login || access_read_login(rk, out));
}
