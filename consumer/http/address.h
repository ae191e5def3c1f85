/* Where to listen, and where to ask: an IP address and a port.
 *
 *     127.0.0.1:8077    [::1]:8077    localhost:8077    0.0.0.0:8077    8077, which is 127.0.0.1:8077
 *
 * No other names: what a name means is somebody else's to change, and whether a listener is open to others must be
 * seen from what is written. */
#ifndef CONSUMER_HTTP_ADDRESS_H
#define CONSUMER_HTTP_ADDRESS_H

#include "base/str.h"

#include <netinet/in.h>

struct http_address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
    bool is_loopback; /* nobody but this machine gets there */
};

/* RELANCE_INVALID: it is no address; the sentence names the option. */
RELANCE_MUST enum relance_status http_address_read(const char *text, struct http_address *out,
                                                   struct relance_error *error);
socklen_t http_address_size(const struct http_address *address);

/* The address as it is written, with its port. */
#define HTTP_ADDRESS_TEXT (INET6_ADDRSTRLEN + 10)
const char *http_address_text(const struct http_address *address, char out[HTTP_ADDRESS_TEXT]);

/* Who asks a listener on this machine: 0.0.0.0 and [::], which are all addresses, by way of loopback. */
struct http_address http_address_to_ask(const struct http_address *address);

/* A name that means this machine to everybody: localhost, and what ends in .localhost; in any case, a point behind it is
 * allowed. */
bool http_is_loopback_name(str name);
/* An IP address: 127.0.0.1, or ::1 between brackets. */
bool http_is_ip(str name);

#endif
