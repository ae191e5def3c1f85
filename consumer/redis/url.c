#include "redis/url.h"
#include "host/text.h"
#include <ctype.h>
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

/* "host", "host:port", "[::1]:port" */
static bool url_parse_host(struct relance_str text, struct redis_host *out)
{
    struct relance_str port = {0};
    bool in_brackets = text.size && text.data[text.size - 1] == ']';
    struct relance_str host = in_brackets ? text : url_cut(text, ':', true, &port);
    if (host.size > 2 && host.data[0] == '[') host = (struct relance_str){host.data + 1, host.size - 2};
    out->port = REDIS_PORT;
    return host.size && url_keep(out->name, sizeof out->name, host) &&
           (!port.size || (text_count(port, &out->port) && out->port < 65536));
}

static bool url_parse_hosts(struct relance_str text, struct redis_url *out)
{
    for (struct relance_str rest = text, host; rest.data;) {
        host = url_cut(rest, ',', false, &rest);
        if (out->host_count == REDIS_HOSTS_MAX) return false;
        if (!url_parse_host(host, &out->hosts[out->host_count++])) return false;
    }
    return true;
}

static bool url_parse_tcp(struct relance_str text, struct redis_url *out)
{
    struct relance_str db, hosts, login = {0};
    struct relance_str server = url_cut(text, '/', true, &db);
    if (memrchr(server.data, '@', server.size)) {
        login = url_cut(server, '@', true, &hosts);
        server = hosts;
    }
    return server.data && url_parse_hosts(server, out) && url_parse_login(login, out) &&
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

/* Behind "NAME://"; data NULL: it does not begin so. */
static struct relance_str url_behind(const char *url, const char *scheme)
{
    size_t size = strlen(scheme);
    return strncmp(url, scheme, size) == 0 ? str_of(url + size) : (struct relance_str){0};
}

enum relance_status redis_url_parse(const char *url, struct redis_url *out, struct relance_error *error)
{
    struct relance_str tcp = url_behind(url, "redis://"), path = url_behind(url, "unix://");
    *out = (struct redis_url){0};
    if (url_behind(url, "rediss://").data)
        return relance_error_set(
            error, RELANCE_INVALID,
            "--redis: this version speaks no TLS to Redis (rediss://); let stunnel do it, "
            "with `client = yes` and `accept = 127.0.0.1:6379`, and say "
            "redis://127.0.0.1:6379, or use a unix socket on the same machine");
    if ((tcp.data && url_parse_tcp(tcp, out)) || (path.data && url_parse_unix(path, out))) return RELANCE_OK;
    return relance_error_set(error, RELANCE_INVALID,
                             "--redis: not of the form redis://[user:password@]host:port/db or "
                             "unix://[user:password@]/path; in user and password a sign such as @ / : %% is "
                             "written as %%40 %%2F %%3A %%25");
}
