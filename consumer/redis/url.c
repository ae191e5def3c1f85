#include "redis/url.h"
#include "host/text.h"
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>

static bool url_keep(char *out, size_t size, struct relance_str text)
{
    if (text.size >= size) return false;
    if (text.size) memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return true;
}

/* What stands before the first (or last) `mark`; *rest is what stands behind. All of it without a mark. */
static struct relance_str url_cut(struct relance_str text, char mark, bool last, struct relance_str *rest)
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
static bool url_decode(char *text)
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
static bool url_parse_login(struct relance_str login, struct redis_url *out)
{
    struct relance_str password, user = url_cut(login, ':', false, &password);
    return url_keep(out->user, sizeof out->user, user) &&
           url_keep(out->password, sizeof out->password, password) && url_decode(out->user) &&
           url_decode(out->password);
}

/* "host", "host:port", "[::1]", "[::1]:port" */
static bool url_parse_host(struct relance_str text, int64_t usual_port, struct redis_host *out)
{
    struct relance_str name, port = {0}, behind = {0};
    if (text.size && text.data[0] == '[') {
        name = url_cut(str_slice(text, 1, text.size), ']', false, &behind);
        if (!behind.data || url_cut(behind, ':', false, &port).size) return false;
    } else {
        name = url_cut(text, ':', false, &port);
    }
    out->port = usual_port;
    return name.size && url_keep(out->name, sizeof out->name, name) &&
           (!port.size || (text_count(port, &out->port) && out->port > 0 && out->port < 65536));
}

/* ---- what TLS needs to know, behind the question mark */
static const struct {
    const char *name;
    size_t offset, size;
} url_settings[] = {
#define SETTING(field)                                                                                       \
    {                                                                                                        \
#field, offsetof(struct channel_trust, field), sizeof((struct channel_trust *)0)->field              \
    }
    SETTING(ca),
    SETTING(cert),
    SETTING(key),
    SETTING(name),
#undef SETTING
};

static bool url_parse_setting(struct relance_str setting, struct channel_trust *out)
{
    struct relance_str value, name = url_cut(setting, '=', false, &value);
    if (str_equal(setting, STR("verify=no"))) return out->is_blind = true;
    for (size_t i = 0; i < sizeof url_settings / sizeof *url_settings; i++) {
        char *at = (char *)out + url_settings[i].offset;
        if (!str_equal(name, str_of(url_settings[i].name))) continue;
        return value.size && url_keep(at, url_settings[i].size, value) && url_decode(at);
    }
    return false;
}

static bool url_parse_settings(struct relance_str settings, struct redis_url *out)
{
    if (!settings.data) return true;
    while (settings.size) {
        struct relance_str rest, setting = url_cut(settings, '&', false, &rest);
        if (!url_parse_setting(setting, &out->trust)) return false;
        settings = rest;
    }
    return out->is_tls && (!*out->trust.key || *out->trust.cert);
}

/* ---- the forms */
static bool url_parse_hosts(struct relance_str text, int64_t usual_port, struct redis_url *out)
{
    for (struct relance_str rest = text, host; rest.data;) {
        host = url_cut(rest, ',', false, &rest);
        if (out->host_count == REDIS_HOSTS_MAX) return false;
        if (!url_parse_host(host, usual_port, &out->hosts[out->host_count++])) return false;
    }
    return true;
}

/* "hosts/db", and "hosts/NAME/db" where they are sentinels */
static bool url_parse_tcp(struct relance_str text, struct redis_url *out, bool sentinels)
{
    struct relance_str hosts, name, db, settings, login = {0};
    if (memrchr(text.data, '@', text.size)) {
        login = url_cut(text, '@', true, &hosts);
        text = hosts;
    }
    text = url_cut(text, '?', false, &settings);
    hosts = url_cut(text, '/', false, &db);
    if (sentinels) name = url_cut(db, '/', false, &db);
    return url_parse_login(login, out) && url_parse_settings(settings, out) &&
           url_parse_hosts(hosts, sentinels ? REDIS_SENTINEL_PORT : REDIS_PORT, out) &&
           (!sentinels || (name.size && url_keep(out->master, sizeof out->master, name))) &&
           (!db.size || text_count(db, &out->db));
}

/* "/path", "user:password@/path" */
static bool url_parse_unix(struct relance_str text, struct redis_url *out)
{
    struct relance_str login = {0};
    const char *at = text.size && text.data[0] != '/' ? memmem(text.data, text.size, "@/", 2) : NULL;
    if (at) {
        login = (struct relance_str){text.data, (size_t)(at - text.data)};
        text = (struct relance_str){at + 1, text.size - login.size - 1};
    }
    return text.size && text.data[0] == '/' && url_keep(out->path, sizeof out->path, text) &&
           url_parse_login(login, out);
}

static bool url_parse(const char *url, struct redis_url *out)
{
    struct relance_str behind, scheme = str_of(url);
    const char *at = strstr(url, "://");
    if (!at) return false;
    scheme.size = (size_t)(at - url);
    behind = str_of(at + 3);
    if (str_equal(scheme, STR("unix"))) return url_parse_unix(behind, out);
    bool is_server = str_equal(scheme, STR("redis")), is_name = str_equal(scheme, STR("sentinel"));
    out->is_tls = str_equal(scheme, STR("rediss")) || str_equal(scheme, STR("sentinels"));
    if (!is_server && !is_name && !out->is_tls) return false;
    return url_parse_tcp(behind, out, scheme.data[0] == 's');
}

enum relance_status redis_url_parse(const char *text, struct redis_url *out, struct relance_error *error)
{
    static const struct channel_words words = {
        .ca = "--redis: ca",
        .cert = "--redis: cert",
        .key = "--redis: key",
        .authority = "?ca=FILE",
        .own = "?cert=FILE&key=FILE names one",
        .other_name = "; if that is right, say ?name=HOST",
        .plain = "redis:// and sentinel:// speak none",
    };
    *out = (struct redis_url){.trust.words = &words};
    if (url_parse(text, out)) return RELANCE_OK;
    return relance_error_set(error, RELANCE_INVALID,
                             "--redis: not of the form redis[s]://[user:password@]host:port,host:port/db, "
                             "sentinel[s]://[user:password@]host:port,host:port/NAME/db or "
                             "unix://[user:password@]/path; with an s, "
                             "TLS may be told ?ca=FILE&cert=FILE&key=FILE&name=HOST&verify=no; in user and "
                             "password a sign such as "
                             "@ / : %% is written as %%40 %%2F %%3A %%25");
}
