#include "http/address.h"
#include "host/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

enum { ADDRESS_PORT_MAX = 65535, ADDRESS_LOOPBACK_NET = 127 };

/* As text that ends in a NUL; false: it is too long for an address, or has one inside. */
static bool address_keep(str text, char out[INET6_ADDRSTRLEN])
{
    if (!text.size || text.size >= INET6_ADDRSTRLEN || memchr(text.data, '\0', text.size)) return false;
    memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return true;
}

static bool address_is_bracketed(str text)
{
    return text.size > 2 && text.data[0] == '[' && text.data[text.size - 1] == ']';
}

static bool address_read_v4(str host, struct in_addr *out)
{
    char text[INET6_ADDRSTRLEN];
    return address_keep(host, text) && inet_pton(AF_INET, text, out) == 1;
}

static bool address_read_v6(str host, struct in6_addr *out)
{
    char text[INET6_ADDRSTRLEN];
    return address_is_bracketed(host) && address_keep(str_slice(host, 1, host.size - 1), text) &&
           inet_pton(AF_INET6, text, out) == 1;
}

bool http_is_ip(str name)
{
    struct in_addr v4;
    struct in6_addr v6;
    return address_read_v4(name, &v4) || address_read_v6(name, &v6);
}

bool http_is_loopback_name(str name)
{
    static const str localhost = STR("localhost");
    if (name.size && name.data[name.size - 1] == '.') name.size--;
    if (name.size < localhost.size) return false;
    size_t before = name.size - localhost.size;
    if (strncasecmp(name.data + before, localhost.data, localhost.size) != 0) return false;
    return before == 0 || (before > 1 && name.data[before - 1] == '.');
}

static bool address_read_host(str host, in_port_t port, struct http_address *out)
{
    struct in_addr v4 = {htonl(INADDR_LOOPBACK)};
    struct in6_addr v6;
    if (!host.size || http_is_loopback_name(host) || address_read_v4(host, &v4)) {
        out->socket.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port, .sin_addr = v4};
        out->is_loopback = ntohl(v4.s_addr) >> 24 == ADDRESS_LOOPBACK_NET;
        return true;
    }
    if (!address_read_v6(host, &v6)) return false;
    out->socket.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port, .sin6_addr = v6};
    out->is_loopback =
        IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == ADDRESS_LOOPBACK_NET);
    return true;
}

enum relance_status http_address_read(const char *text, struct http_address *out, struct relance_error *error)
{
    const char *colon = strrchr(text, ':');
    str host = colon ? (str){text, (size_t)(colon - text)} : (str){0};
    int64_t port;
    *out = (struct http_address){0};
    bool is_right = text_count(str_of(colon ? colon + 1 : text), &port) && port >= 1 &&
                    port <= ADDRESS_PORT_MAX && (!colon || host.size) &&
                    address_read_host(host, htons((in_port_t)port), out);
    if (is_right) return RELANCE_OK;
    return relance_error_set(error, RELANCE_INVALID,
                             "--listen: '%.100s' is none of PORT, ADDRESS:PORT such as 127.0.0.1:8077, or "
                             "[ADDRESS]:PORT such as [::1]:8077",
                             text);
}

socklen_t http_address_size(const struct http_address *address)
{
    return address->socket.any.sa_family == AF_INET ? sizeof address->socket.v4 : sizeof address->socket.v6;
}

const char *http_address_text(const struct http_address *address, char out[HTTP_ADDRESS_TEXT])
{
    char host[INET6_ADDRSTRLEN];
    bool is_v4 = address->socket.any.sa_family == AF_INET;
    if (is_v4)
        inet_ntop(AF_INET, &address->socket.v4.sin_addr, host, sizeof host);
    else
        inet_ntop(AF_INET6, &address->socket.v6.sin6_addr, host, sizeof host);
    snprintf(out, HTTP_ADDRESS_TEXT, is_v4 ? "%s:%u" : "[%s]:%u", host,
             ntohs(is_v4 ? address->socket.v4.sin_port : address->socket.v6.sin6_port));
    return out;
}

struct http_address http_address_to_ask(const struct http_address *address)
{
    struct http_address asked = *address;
    bool is_v4 = address->socket.any.sa_family == AF_INET;
    if (is_v4 && address->socket.v4.sin_addr.s_addr == htonl(INADDR_ANY))
        asked.socket.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!is_v4 && IN6_IS_ADDR_UNSPECIFIED(&address->socket.v6.sin6_addr))
        asked.socket.v6.sin6_addr = in6addr_loopback;
    return asked;
}
