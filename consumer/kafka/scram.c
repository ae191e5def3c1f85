#include "kafka/scram.h"
#include "base/ensure.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    SCRAM_NONCE_RANDOM = 16, /* bytes */
    SCRAM_TEXT_MAX = 1024,   /* bytes in base64, of a salt or a signature */
    SCRAM_TURNS_MIN = 4096,  /* RFC 7677; as Kafka's own client asks */
    SCRAM_TURNS_MAX = 65536, /* some 30 ms of a core; brokers go to 16,384 */
    SCRAM_TOLD_MAX = 4096,   /* bytes of a message */
};

static const char scram_header[] = "n,,"; /* no channel binding, nobody else's name */

/* What a password becomes. */
struct scram_key {
    unsigned char bytes[KAFKA_SCRAM_DIGEST_MAX];
};

static const EVP_MD *scram_digest(const struct kafka_scram *scram)
{
    return scram->hash == KAFKA_SCRAM_SHA_256 ? EVP_sha256() : EVP_sha512();
}

static size_t scram_size(const struct kafka_scram *scram)
{
    return (size_t)EVP_MD_get_size(scram_digest(scram));
}

static struct scram_key scram_hmac(const struct kafka_scram *scram, const struct scram_key *key, str text)
{
    struct scram_key out;
    unsigned size;
    ensure(HMAC(scram_digest(scram), key->bytes, (int)scram_size(scram), (const unsigned char *)text.data,
                text.size, out.bytes, &size));
    return out;
}

/* ---- base64 */
static void scram_put_base64(struct buffer *out, const void *data, size_t size)
{
    char *at = buffer_room(out, (size + 2) / 3 * 4 + 1);
    out->size += (size_t)EVP_EncodeBlock((unsigned char *)at, data, (int)size);
}

/* How many bytes it is; 0: it is none, or too long. */
static size_t scram_read_base64(str text, unsigned char out[SCRAM_TEXT_MAX])
{
    if (!text.size || text.size > SCRAM_TEXT_MAX || text.size % 4) return 0;
    int size = EVP_DecodeBlock(out, (const unsigned char *)text.data, (int)text.size);
    if (size < 0) return 0;
    for (size_t i = text.size; text.data[i - 1] == '=' && text.size - i < 2; i--)
        size--; /* what filled it up counts as zeros there */
    return (size_t)size;
}

/* ---- messages */
/* Takes `name=VALUE` off the front, up to a comma or the end. Without: no value. */
static str scram_take(str *rest, char name)
{
    if (rest->size < 2 || rest->data[0] != name || rest->data[1] != '=') return (str){NULL, 0};
    const char *comma = memchr(rest->data, ',', rest->size);
    size_t end = comma ? (size_t)(comma - rest->data) : rest->size;
    str value = str_slice(*rest, 2, end);
    *rest = str_slice(*rest, comma ? end + 1 : end, rest->size);
    return value;
}

static void scram_put_name(struct buffer *out, const char *user)
{
    for (const char *c = user; *c; c++) {
        if (*c == ',')
            buffer_put_str(out, STR("=2C"));
        else if (*c == '=')
            buffer_put_str(out, STR("=3D"));
        else
            buffer_put_char(out, *c);
    }
}

void kafka_scram_begin(struct kafka_scram *scram, enum kafka_scram_hash hash, const char *user,
                       const char *nonce, struct buffer *out)
{
    unsigned char random[SCRAM_NONCE_RANDOM];
    *scram = (struct kafka_scram){.hash = hash};
    if (nonce) {
        snprintf(scram->nonce, sizeof scram->nonce, "%s", nonce);
    } else {
        ensure(getrandom(random, sizeof random, 0) == sizeof random);
        hex_print(random, sizeof random, scram->nonce);
    }
    buffer_put_str(&scram->bare, STR("n="));
    scram_put_name(&scram->bare, user);
    buffer_put_format(&scram->bare, ",r=%s", scram->nonce);
    buffer_put_str(out, str_of(scram_header));
    buffer_put_str(out, buffer_str(&scram->bare));
}

void kafka_scram_end(struct kafka_scram *scram)
{
    buffer_free(&scram->bare);
}

/* The rest of the last message, which the server can only take if `salted` is made of the password that it knows. */
static void scram_put_proof(struct kafka_scram *scram, const struct scram_key *salted, str told,
                            struct buffer *final)
{
    struct buffer all = {0}; /* that both have said */
    struct scram_key stored, client = scram_hmac(scram, salted, STR("Client Key")),
                             server = scram_hmac(scram, salted, STR("Server Key"));
    size_t size = scram_size(scram);
    buffer_put_str(&all, buffer_str(&scram->bare));
    buffer_put_char(&all, ',');
    buffer_put_str(&all, told);
    buffer_put_char(&all, ',');
    buffer_put_str(&all, buffer_str(final));
    ensure(EVP_Digest(client.bytes, size, stored.bytes, NULL, scram_digest(scram), NULL));
    struct scram_key signature = scram_hmac(scram, &stored, buffer_str(&all));
    for (size_t i = 0; i < size; i++)
        client.bytes[i] ^= signature.bytes[i];
    struct scram_key expected = scram_hmac(scram, &server, buffer_str(&all));
    memcpy(scram->signature, expected.bytes, size);
    buffer_put_str(final, STR(",p="));
    scram_put_base64(final, client.bytes, size);
    buffer_free(&all);
}

enum relance_status kafka_scram_prove(struct kafka_scram *scram, str told, const char *password,
                                      struct buffer *out, struct relance_error *error)
{
    unsigned char salt[SCRAM_TEXT_MAX];
    str rest = told, nonce = scram_take(&rest, 'r');
    size_t salt_size = scram_read_base64(scram_take(&rest, 's'), salt);
    int64_t turns = 0;
    for (str digits = scram_take(&rest, 'i'); digits.size && turns <= SCRAM_TURNS_MAX;
         digits = str_slice(digits, 1, digits.size))
        turns = *digits.data >= '0' && *digits.data <= '9' ? 10 * turns + (*digits.data - '0') : INT64_MAX;
    if (told.size > SCRAM_TOLD_MAX || nonce.size <= strlen(scram->nonce) ||
        !str_starts_with(nonce, str_of(scram->nonce)) || !salt_size)
        return relance_error_set(error, RELANCE_INVALID,
                                 "SCRAM: the broker's answer is none to our question");
    if (turns < SCRAM_TURNS_MIN || turns > SCRAM_TURNS_MAX)
        return relance_error_set(error, RELANCE_INVALID,
                                 "SCRAM: the broker asks for fewer than %d iterations, or for more than %d",
                                 SCRAM_TURNS_MIN, SCRAM_TURNS_MAX);
    struct scram_key salted;
    ensure(PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, (int)salt_size, (int)turns,
                             scram_digest(scram), (int)scram_size(scram), salted.bytes));
    struct buffer final = {0};
    buffer_put_str(&final, STR("c="));
    scram_put_base64(&final, scram_header, sizeof scram_header - 1);
    buffer_put_str(&final, STR(",r="));
    buffer_put_str(&final, nonce);
    scram_put_proof(scram, &salted, told, &final);
    buffer_put_str(out, buffer_str(&final));
    buffer_free(&final);
    return RELANCE_OK;
}

enum relance_status kafka_scram_check(const struct kafka_scram *scram, str told, struct relance_error *error)
{
    unsigned char shown[SCRAM_TEXT_MAX];
    str rest = told, why = scram_take(&rest, 'e');
    if (why.size)
        return relance_error_set(error, RELANCE_REFUSED, "SCRAM: %.*s",
                                 STR_ARG(str_slice(why, 0, why.size < 100 ? why.size : 100)));
    size_t size = scram_read_base64(scram_take(&rest, 'v'), shown);
    if (size == scram_size(scram) && CRYPTO_memcmp(shown, scram->signature, size) == 0) return RELANCE_OK;
    return relance_error_set(error, RELANCE_REFUSED,
                             "SCRAM: the broker has not shown that it knows the password");
}
