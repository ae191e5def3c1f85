#include "http/door.h"
#include "http/address.h"
#include "host/text.h"

#include <ctype.h>
#include <strings.h>

static const struct {
    str path;
    enum http_page page;
} door_pages[] = {
    {STR("/metrics"), HTTP_METRICS}, {STR("/healthz"), HTTP_HEALTHZ}, {STR("/readyz"), HTTP_READYZ}};

static bool door_find(str path, enum http_page *page)
{
    for (size_t i = 0; i < sizeof door_pages / sizeof *door_pages; i++) {
        if (!str_equal(path, door_pages[i].path)) continue;
        *page = door_pages[i].page;
        return true;
    }
    return false;
}

static bool door_same_name(str a, str b)
{
    return a.size == b.size && a.size && strncasecmp(a.data, b.data, a.size) == 0;
}

/* What stands before the next comma; *rest is what stands behind. */
static str door_next_name(str *rest)
{
    const char *comma = memchr(rest->data, ',', rest->size);
    size_t size = comma ? (size_t)(comma - rest->data) : rest->size;
    str name = str_trim(str_slice(*rest, 0, size));
    *rest = comma ? str_slice(*rest, size + 1, rest->size) : (str){0};
    return name;
}

static bool door_knows(const struct http_door *door, str name)
{
    str rest = str_of(door->names);
    while (rest.size)
        if (door_same_name(door_next_name(&rest), name)) return true;
    return false;
}

/* The name of NAME, NAME:PORT or [ADDRESS]:PORT; false: it is of another form. */
static bool door_split_host(str host, str *name)
{
    bool in_brackets = host.size && host.data[0] == '[';
    const char *end = host.size ? memchr(host.data, in_brackets ? ']' : ':', host.size) : NULL;
    size_t size = end ? (size_t)(end - host.data) + in_brackets : host.size;
    str rest = str_slice(host, size, host.size);
    int64_t port;
    *name = str_slice(host, 0, size);
    if (in_brackets && !end) return false;
    return !rest.size ||
           (rest.data[0] == ':' && text_count(str_slice(rest, 1, rest.size), &port) && port <= UINT16_MAX);
}

static bool door_lets_host(const struct http_door *door, str host)
{
    str name;
    if (door->any_host) return true;
    if (!door_split_host(host, &name) || !name.size) return false;
    return http_is_ip(name) || http_is_loopback_name(name) || door_knows(door, name);
}

/* Takes as long for every text of the same length. */
static bool door_same_token(const char *token, str given)
{
    size_t size = strlen(token);
    volatile unsigned different = size != given.size;
    for (size_t i = 0; i < given.size; i++)
        different |= (unsigned)(unsigned char)given.data[i] ^ (unsigned char)token[i % size];
    return !different;
}

static bool door_lets_token(const struct http_door *door, str authorization)
{
    static const str scheme = STR("Bearer ");
    if (!door->token) return true;
    if (authorization.size < scheme.size) return false;
    if (strncasecmp(authorization.data, scheme.data, scheme.size) != 0) return false;
    return door_same_token(door->token, str_trim(str_slice(authorization, scheme.size, authorization.size)));
}

enum http_verdict http_judge(const struct http_door *door, const struct http_request *request,
                             enum http_page *page)
{
    if (!str_equal(request->method, STR("GET")) && !str_equal(request->method, STR("HEAD")))
        return HTTP_NO_METHOD;
    if (request->is_doubtful) return HTTP_DOUBTFUL;
    bool is_there = door_find(request->path, page);
    if (is_there && *page != HTTP_METRICS) return HTTP_LET_IN;
    if (!door_lets_host(door, request->host)) return HTTP_NO_HOST;
    if (!door_lets_token(door, request->authorization)) return HTTP_NO_TOKEN;
    return is_there ? HTTP_LET_IN : HTTP_NO_PAGE;
}

/* ---- what is configured */
bool http_is_token(str text)
{
    if (text.size < HTTP_TOKEN_MIN || text.size > HTTP_TOKEN_MAX) return false;
    for (size_t i = 0; i < text.size; i++)
        if (!text.data[i] || (!isalnum((unsigned char)text.data[i]) && !strchr("-._~+/=", text.data[i])))
            return false;
    return true;
}

static bool door_is_name(str name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!name.data[i] || (!isalnum((unsigned char)name.data[i]) && !strchr("-._", name.data[i])))
            return false;
    return name.size > 0;
}

bool http_are_names(str text)
{
    if (!text.size || text.data[text.size - 1] == ',') return false;
    while (text.size)
        if (!door_is_name(door_next_name(&text))) return false;
    return true;
}
