/* Any request to the door of the server, and any text as an address. A line of input each: method, path, Host,
 * Authorization, what --host gives, what --listen gives.
 *
 * Whoever gets the metrics of a door with a token has it, and came under an address, or a name of this machine, or one that
 * was given, which is looked for here in another way. An address that is read is written so that it is read as the same. */
#include "base/ensure.h"
#include "http/address.h"
#include "http/door.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define TOKEN "0123456789abcdef"
enum { LINES = 6, HOST_SIZE = 512 };

static str next_line(str *rest)
{
    const char *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
    size_t size = end ? (size_t)(end - rest->data) : rest->size;
    str line = str_slice(*rest, 0, size);
    *rest = str_slice(*rest, end ? size + 1 : size, rest->size);
    return line;
}

/* Host without its port, as text; brackets are cut off. */
static bool is_allowed(str host, const char *names)
{
    char text[HOST_SIZE];
    unsigned char address[sizeof(struct in6_addr)];
    ensure(host.size < sizeof text && !memchr(host.data, '\0', host.size));
    snprintf(text, sizeof text, "%.*s", STR_ARG(host));
    char *bracket = strchr(text, ']');
    if (*text == '[' && bracket) {
        *bracket = '\0';
        return inet_pton(AF_INET6, text + 1, address) == 1;
    }
    text[strcspn(text, ":")] = '\0';
    if (inet_pton(AF_INET, text, address) == 1) return true;
    for (char *c = text; *c; c++)
        if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 'a' - 'A');
    size_t size = strlen(text), point = size && text[size - 1] == '.', end = strlen("localhost");
    return (size - point >= end && strncmp(text + size - point - end, "localhost", end) == 0) ||
           strcasestr(names, text);
}

static bool has_token(str authorization)
{
    str token = STR(TOKEN), given = str_trim(authorization);
    return given.size > token.size && strncasecmp(given.data, "bearer ", strlen("bearer ")) == 0 &&
           str_equal(str_slice(given, given.size - token.size, given.size), token);
}

static void check_door(const struct http_request *request, const char *names)
{
    const struct http_door guarded = {.token = TOKEN, .names = names}, named = {.names = names};
    enum http_page page = HTTP_HEALTHZ;
    enum http_verdict verdict = http_judge(&guarded, request, &page);
    ensure(verdict != HTTP_DOUBTFUL);
    if (verdict != HTTP_LET_IN || page != HTTP_METRICS) return;
    ensure(str_equal(request->path, STR("/metrics")));
    ensure(has_token(request->authorization) && is_allowed(request->host, names));
    ensure(http_judge(&named, request, &page) == HTTP_LET_IN);
}

static void check_address(const char *text)
{
    struct http_address address, again;
    struct relance_error error;
    char shown[HTTP_ADDRESS_TEXT];
    if (http_address_read(text, &address, &error) != RELANCE_OK) return;
    http_address_text(&address, shown);
    ensure(http_address_read(shown, &again, &error) == RELANCE_OK);
    ensure(memcmp(&again, &address, sizeof again) == 0);
}

/* To be freed. */
static char *text_of(str line)
{
    char *text = malloc(line.size + 1);
    ensure(text);
    if (line.size) memcpy(text, line.data, line.size);
    text[line.size] = '\0';
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str rest = {(const char *)data, size}, lines[LINES];
    for (size_t i = 0; i < LINES; i++) {
        lines[i] = next_line(&rest);
        if (lines[i].size >= HOST_SIZE || (lines[i].size && memchr(lines[i].data, '\0', lines[i].size)))
            return 0;
    }
    char *names = text_of(lines[4]), *address = text_of(lines[5]);
    const struct http_request request = {
        .method = lines[0], .path = lines[1], .host = lines[2], .authorization = lines[3]};
    if (http_are_names(lines[4])) check_door(&request, names);
    check_address(address);
    free(names);
    free(address);
    return 0;
}
