#include "http/client.h"
#include "base/buffer.h"
#include "host/stop.h"

#include <curl/curl.h>
#include <stdlib.h>

struct http_client {
    const char *who;
    CURL *curl;
    CURLU *base;
    char *shown; /* of libcurl */
    struct arena arena;
    struct buffer body, path;
    char trouble[CURL_ERROR_SIZE];
};

/* Fewer bytes than there are end the transfer. */
static size_t body_take(char *bytes, size_t size, size_t count, void *context)
{
    struct http_client *http = context;
    buffer_put(&http->body, bytes, size * count);
    return http->body.failed ? 0 : size * count;
}

static int stop_wanted(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)context, (void)a, (void)b, (void)c, (void)d;
    return stop_requested();
}

/* The part of a URL, decoded; empty where it has none. */
static void url_part(const struct http_client *http, CURLUPart part, CURLoption option, const char *given)
{
    char *text = NULL;
    if (!given && curl_url_get(http->base, part, &text, CURLU_URLDECODE) == CURLUE_OK) given = text;
    if (given) curl_easy_setopt(http->curl, option, given);
    curl_free(text);
}

static enum relance_status http_client_begin(struct http_client *http,
                                             const struct http_client_options *options,
                                             struct relance_error *error)
{
    char *scheme = NULL;
    CURLUcode code = curl_url_set(http->base, CURLUPART_URL, options->url, 0);
    if (!code) code = curl_url_get(http->base, CURLUPART_SCHEME, &scheme, 0);
    bool known = !code && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    curl_free(scheme);
    if (!known)
        return relance_error_set(error, RELANCE_INVALID, "the URL of %s is none of http:// or https://",
                                 options->who);
    url_part(http, CURLUPART_USER, CURLOPT_USERNAME, options->user);
    url_part(http, CURLUPART_PASSWORD, CURLOPT_PASSWORD, options->password);
    curl_url_set(http->base, CURLUPART_USER, NULL, 0);
    curl_url_set(http->base, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(http->base, CURLUPART_QUERY, NULL, 0);
    curl_url_set(http->base, CURLUPART_FRAGMENT, NULL, 0);
    if (curl_url_get(http->base, CURLUPART_URL, &http->shown, 0) != CURLUE_OK)
        return relance_error_set(error, RELANCE_NO_MEMORY, "no memory");
    if (options->ca_file) curl_easy_setopt(http->curl, CURLOPT_CAINFO, options->ca_file);
    curl_easy_setopt(http->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(http->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(http->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS,
                     (long)(options->timeout_ms ? options->timeout_ms : HTTP_CLIENT_MS));
    if (options->is_direct) curl_easy_setopt(http->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, http->trouble);
    curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, body_take);
    curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(http->curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(http->curl, CURLOPT_XFERINFOFUNCTION, stop_wanted);
    curl_easy_setopt(http->curl, CURLOPT_USERAGENT, "relance/" RELANCE_VERSION);
    return RELANCE_OK;
}

enum relance_status http_client_open(const struct http_client_options *options, struct http_client **out,
                                     struct relance_error *error)
{
    struct http_client *http = calloc(1, sizeof *http);
    if (!http) return relance_error_set(error, RELANCE_NO_MEMORY, "no memory");
    http->who = options->who;
    arena_init(&http->arena, 0);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    http->curl = curl_easy_init();
    http->base = curl_url();
    enum relance_status status = RELANCE_NO_MEMORY;
    if (http->curl && http->base)
        status = http_client_begin(http, options, error);
    else
        relance_error_set(error, status, "no memory");
    if (status == RELANCE_OK)
        *out = http;
    else
        http_client_close(http);
    return status;
}

void http_client_close(struct http_client *http)
{
    if (!http) return;
    curl_easy_cleanup(http->curl);
    curl_url_cleanup(http->base);
    curl_free(http->shown);
    arena_free(&http->arena);
    free(http);
}

const char *http_client_url(const struct http_client *http)
{
    return http->shown;
}

static void put_escaped(struct http_client *http, str piece)
{
    static const char digits[] = "0123456789ABCDEF";
    buffer_put_char(&http->path, '/');
    for (size_t i = 0; i < piece.size; i++) {
        unsigned char c = (unsigned char)piece.data[i];
        bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-_~", c);
        if (plain && c)
            buffer_put_char(&http->path, (char)c);
        else
            buffer_put(&http->path, (char[]){'%', digits[c >> 4], digits[c & 15]}, 3);
    }
}

/* The whole URL of a path. A point is escaped, too, and stays: `..` is no way up. */
static bool http_client_aim(struct http_client *http, const str *pieces, size_t count)
{
    str base = str_of(http->shown);
    while (base.size && base.data[base.size - 1] == '/')
        base.size--;
    buffer_init(&http->path, &http->arena);
    buffer_put_str(&http->path, base);
    for (size_t i = 0; i < count; i++)
        put_escaped(http, pieces[i]);
    buffer_put_char(&http->path, '\0');
    return !http->path.failed && curl_easy_setopt(http->curl, CURLOPT_URL, http->path.data) == CURLE_OK;
}

enum relance_status http_client_get(struct http_client *http, const str *pieces, size_t count, long *code,
                                    str *body, struct relance_error *error)
{
    arena_reset(&http->arena);
    buffer_init_bounded(&http->body, &http->arena, HTTP_CLIENT_BYTES_MAX);
    if (!http_client_aim(http, pieces, count))
        return relance_error_set(error, RELANCE_NO_MEMORY, "no memory");
    http->trouble[0] = '\0';
    CURLcode result = curl_easy_perform(http->curl);
    const char *why = http->body.over    ? "its answer is larger than 4 MiB"
                      : http->trouble[0] ? http->trouble
                                         : curl_easy_strerror(result);
    if (result != CURLE_OK)
        return relance_error_set(error, RELANCE_IO, "%s at %.200s: %s", http->who, http->shown, why);
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, code);
    *body = buffer_str(&http->body);
    return RELANCE_OK;
}
