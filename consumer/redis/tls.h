/* TLS on a connected socket: bytes in, bytes out, and never a wait. Whoever calls waits, under a deadline of its own.
 *
 * The certificate has to be signed by somebody trusted, to be in its time and to be for the name that was asked for,
 * before anything but the handshake is sent. Files are read anew for each connection, so a certificate that was renewed
 * is taken without a restart. */
#ifndef CONSUMER_REDIS_TLS_H
#define CONSUMER_REDIS_TLS_H

#include "redis/url.h"
#include <sys/types.h>

struct redis_tls;

/* What a call comes to that moves no bytes: it is to be done again once the socket can give, or take, some; the other end
 * has gone without a word; or the connection has failed, and the error says why. */
enum { REDIS_WANTS_IN = -1, REDIS_WANTS_OUT = -2, REDIS_GONE = -3, REDIS_FAILED = -4 };

/* Sets up what begins with the first call below; the socket stays the caller's. `host`: the name that was connected to.
 * RELANCE_INVALID: a file cannot be used; RELANCE_IO: the name is none. *out, where it is set, is to be closed. */
RELANCE_MUST enum relance_status redis_tls_open(int fd, const struct redis_trust *trust, const char *host,
                                                struct redis_tls **out, struct relance_error *error);
void redis_tls_close(struct redis_tls *tls); /* NULL: nothing to do */

/* 0: done, and whoever is at the other end is who it has to be. */
RELANCE_MUST ssize_t redis_tls_shake(struct redis_tls *tls, struct relance_error *error);
/* How many bytes went or came, at least 1. */
RELANCE_MUST ssize_t redis_tls_send(struct redis_tls *tls, const char *data, size_t size,
                                    struct relance_error *error);
RELANCE_MUST ssize_t redis_tls_receive(struct redis_tls *tls, char *data, size_t size,
                                       struct relance_error *error);

#endif
