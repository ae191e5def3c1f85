#include "redis/connect.h"
#include "host/text.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

struct redis_address {
    char host[256], user[128], password[256], path[108];
    int64_t port, db;
};

static bool redis_keep(char *out, size_t size, struct relance_str text)
{
    if (text.size >= size) return false;
    if (text.size) memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return true;
}

/* What stands before the first (or last) `mark`; *rest is what stands behind. All of it without a mark. */
static struct relance_str redis_cut(struct relance_str text, char mark, bool last, struct relance_str *rest)
{
    const char *at = !text.size ? NULL
                     : last     ? memrchr(text.data, mark, text.size)
                                : memchr(text.data, mark, text.size);
    *rest = (struct relance_str){0};
    if (!at) return text;
    size_t size = (size_t)(at - text.data);
    *rest = (struct relance_str){at + 1, text.size - size - 1};
    return (struct relance_str){text.data, size};
}

/* %40 is an @: a password may hold what has a meaning in a URL. A % that begins no such pair is refused: it would
 * be another password than the one that was meant. */
static bool redis_decode(char *text)
{
    char *out = text;
    for (const char *c = text; *c; c++) {
        char byte = *c;
        if (*c == '%') {
            if (!isxdigit((unsigned char)c[1]) || !isxdigit((unsigned char)c[2])) return false;
            byte = (char)strtoul((char[]){c[1], c[2], '\0'}, NULL, 16);
            c += 2;
        }
        if (!byte) return false;
        *out++ = byte;
    }
    *out = '\0';
    return true;
}

/* "user:password", ":password" */
static bool redis_parse_login(struct relance_str login, struct redis_address *out)
{
    struct relance_str password, user = redis_cut(login, ':', false, &password);
    return redis_keep(out->user, sizeof out->user, user) &&
           redis_keep(out->password, sizeof out->password, password) && redis_decode(out->user) &&
           redis_decode(out->password);
}

static bool redis_parse_tcp(struct relance_str text, struct redis_address *out)
{
    struct relance_str db, port, host, login = {0};
    struct relance_str server = redis_cut(text, '/', true, &db);
    if (memrchr(server.data, '@', server.size)) {
        login = redis_cut(server, '@', true, &host);
        server = host;
    }
    bool in_brackets = server.size && server.data[server.size - 1] == ']';
    host = in_brackets ? server : redis_cut(server, ':', true, &port);
    if (in_brackets) port = (struct relance_str){0};
    if (host.size > 2 && host.data[0] == '[') host = (struct relance_str){host.data + 1, host.size - 2};
    out->port = REDIS_PORT;
    return host.size && redis_keep(out->host, sizeof out->host, host) && redis_parse_login(login, out) &&
           (!port.size || (text_count(port, &out->port) && out->port < 65536)) &&
           (!db.size || text_count(db, &out->db));
}

/* "/path", "user:password@/path" */
static bool redis_parse_unix(struct relance_str text, struct redis_address *out)
{
    struct relance_str login = {0};
    const char *at = text.size && text.data[0] != '/' ? memmem(text.data, text.size, "@/", 2) : NULL;
    if (at) {
        login = (struct relance_str){text.data, (size_t)(at - text.data)};
        text = (struct relance_str){at + 1, text.size - login.size - 1};
    }
    return text.size && text.data[0] == '/' && redis_keep(out->path, sizeof out->path, text) &&
           redis_parse_login(login, out);
}

/* Behind "NAME://"; data NULL: it does not begin so. */
static struct relance_str redis_behind(const char *url, const char *scheme)
{
    size_t size = strlen(scheme);
    return strncmp(url, scheme, size) == 0 ? text_of(url + size) : (struct relance_str){0};
}

static enum relance_status redis_parse(const char *url, struct redis_address *out,
                                       struct relance_error *error)
{
    struct relance_str tcp = redis_behind(url, "redis://"), path = redis_behind(url, "unix://");
    *out = (struct redis_address){0};
    if (redis_behind(url, "rediss://").data)
        return relance_error_set(
            error, RELANCE_INVALID,
            "--redis: this version speaks no TLS to Redis (rediss://); let stunnel do it, "
            "with `client = yes` and `accept = 127.0.0.1:6379`, and say "
            "redis://127.0.0.1:6379, or use a unix socket on the same machine");
    if ((tcp.data && redis_parse_tcp(tcp, out)) || (path.data && redis_parse_unix(path, out)))
        return RELANCE_OK;
    return relance_error_set(error, RELANCE_INVALID,
                             "--redis: not of the form redis://[user:password@]host:port/db or "
                             "unix://[user:password@]/path; in user and password a sign such as @ / : %% is "
                             "written as %%40 %%2F %%3A %%25");
}

enum relance_status redis_check_url(const char *url, struct relance_error *error)
{
    struct redis_address address;
    return redis_parse(url, &address, error);
}

/* Runs a command whose answer only has to be no error. */
static enum relance_status redis_say(redisContext *redis, int count, const char **words,
                                     struct relance_error *error)
{
    redisReply *reply = redisCommandArgv(redis, count, words, NULL);
    enum relance_status status = RELANCE_OK;
    if (!reply)
        status = relance_error_set(error, RELANCE_IO, "Redis: %s", redis->errstr);
    else if (reply->type == REDIS_REPLY_ERROR)
        status = relance_error_set(error, RELANCE_IO, "Redis: %s: %s", words[0], reply->str);
    freeReplyObject(reply);
    return status;
}

static enum relance_status redis_greet(redisContext *redis, const struct redis_address *address,
                                       struct relance_error *error)
{
    char db[TEXT_NUMBER_SIZE];
    const char *named[] = {"AUTH", address->user, address->password}, *plain[] = {"AUTH", address->password};
    const char *select[] = {"SELECT", db};
    enum relance_status status = RELANCE_OK;
    if (*address->user)
        status = redis_say(redis, 3, named, error);
    else if (*address->password)
        status = redis_say(redis, 2, plain, error);
    text_put_int(db, address->db);
    if (status == RELANCE_OK && address->db) status = redis_say(redis, 2, select, error);
    return status;
}

enum relance_status redis_connect(const char *url, redisContext **out, struct relance_error *error)
{
    struct redis_address address;
    struct timeval limit = {REDIS_TIMEOUT_MS / 1000, REDIS_TIMEOUT_MS % 1000 * 1000};
    enum relance_status status = redis_parse(url, &address, error);
    if (status != RELANCE_OK) return status;
    redisContext *redis = *address.path ? redisConnectUnixWithTimeout(address.path, limit)
                                        : redisConnectWithTimeout(address.host, (int)address.port, limit);
    if (!redis) return relance_error_set(error, RELANCE_NO_MEMORY, "no memory for a connection to Redis");
    const char *where = *address.path ? address.path : address.host;
    if (redis->err) {
        status = relance_error_set(error, RELANCE_IO, "Redis at %s: %s", where, redis->errstr);
    } else {
        redisSetTimeout(redis, limit);
        status = redis_greet(redis, &address, error);
    }
    if (status != RELANCE_OK) {
        redisFree(redis);
        return status;
    }
    *out = redis;
    return RELANCE_OK;
}
