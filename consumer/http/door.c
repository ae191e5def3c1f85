#include "http/door.h"
#include "http/address.h"
#include "host/text.h"

#include <ctype.h>
#include <strings.h>

enum door_guard { DOOR_NOTHING, DOOR_LOGIN, DOOR_TOKEN, DOOR_CUSTOMERS };
static const struct {
    str path;
    enum door_guard guard;
    enum http_source source;
} door_pages[] = {
#define HTTP_PAGE(NAME, path, guard, source) {STR(path), DOOR_##guard, HTTP_SOURCE_##source},
    HTTP_PAGES(HTTP_PAGE)
#undef HTTP_PAGE
};

enum http_source http_page_source(enum http_page page)
{
    return door_pages[page].source;
}

const char *http_page_path(enum http_page page)
{
    return door_pages[page].path.data;
}

static bool door_find(const struct http_door *door, str path, enum http_page *page)
{
    size_t count = door->has_view ? HTTP_PAGE_COUNT : HTTP_VIEW;
    for (size_t i = 0; i < count; i++) {
        if (!str_equal(path, door_pages[i].path)) continue;
        *page = (enum http_page)i;
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

static bool door_lets_bearer(const char *token, str authorization)
{
    static const str scheme = STR("Bearer ");
    if (authorization.size < scheme.size) return false;
    if (strncasecmp(authorization.data, scheme.data, scheme.size) != 0) return false;
    return door_same_token(token, str_trim(str_slice(authorization, scheme.size, authorization.size)));
}

/* `a=1; NAME=TOKEN; b=2`: the first of that name counts, as browsers send the nearest one first. */
static bool door_lets_cookie(const struct http_door *door, str cookies)
{
    str name = str_of(door->cookie);
    while (name.size && cookies.size) {
        const char *end = memchr(cookies.data, ';', cookies.size);
        size_t size = end ? (size_t)(end - cookies.data) : cookies.size;
        str one = str_trim(str_slice(cookies, 0, size));
        cookies = end ? str_slice(cookies, size + 1, cookies.size) : (str){0};
        if (!str_starts_with(one, name) || one.size == name.size || one.data[name.size] != '=') continue;
        return door_same_token(door->token, str_slice(one, name.size + 1, one.size));
    }
    return false;
}

static bool door_lets_token(const struct http_door *door, const struct http_request *request,
                            enum door_guard guard)
{
    if (!door->token) return true;
    if (guard == DOOR_LOGIN) return door_same_token(door->token, request->token);
    return door_lets_bearer(door->token, request->authorization) || door_lets_cookie(door, request->cookie);
}

enum http_verdict http_judge(const struct http_door *door, const struct http_request *request,
                             enum http_page *page)
{
    if (!str_equal(request->method, STR("GET")) && !str_equal(request->method, STR("HEAD")))
        return HTTP_NO_METHOD;
    if (request->is_doubtful) return HTTP_DOUBTFUL;
    bool is_there = door_find(door, request->path, page);
    enum door_guard guard = is_there ? door_pages[*page].guard : DOOR_TOKEN;
    if (guard == DOOR_NOTHING) return HTTP_LET_IN;
    if (!door_lets_host(door, request->host)) return HTTP_NO_HOST;
    if (!door_lets_token(door, request, guard)) return HTTP_NO_TOKEN;
    if (!is_there) return HTTP_NO_PAGE;
    return guard == DOOR_CUSTOMERS && door->no_customers ? HTTP_NO_CUSTOMERS : HTTP_LET_IN;
}

/* ---- what is asked */
static int door_hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_decode(str text, char *out, size_t *size)
{
    *size = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i] == '+' ? ' ' : text.data[i];
        if (c == '%') {
            int high = i + 2 < text.size ? door_hex(text.data[i + 1]) : -1;
            int low = high >= 0 ? door_hex(text.data[i + 2]) : -1;
            if (low < 0) return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (!c) return false;
        out[(*size)++] = c;
    }
    return utf8_valid((str){out, *size});
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
