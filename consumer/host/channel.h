/* Bytes over a connected socket, in TLS or as they are, and never a wait. Whoever calls waits, under a deadline of its own.
 *
 * In TLS the certificate has to be signed by somebody trusted, to be in its time and to be for the name that was asked for,
 * before anything but the handshake is sent. Files are read anew for each connection, so a certificate that was renewed
 * is taken without a restart. TLS 1.2 at least is spoken. */
#ifndef CONSUMER_HOST_CHANNEL_H
#define CONSUMER_HOST_CHANNEL_H

#include <relance/text.h>
#include <stdbool.h>
#include <sys/types.h>

enum {
    CHANNEL_NAME_SIZE = 256,
    CHANNEL_FILE_SIZE = 512,
};

/* How settings are called where they are made, for what errors say. */
struct channel_words {
    const char *ca, *cert, *key; /* each as it stands before its '=' */
    const char *authority;       /* what names an authority's file */
    /* What sentences end with: */
    const char *own;        /* what names our own certificate */
    const char *other_name; /* what to do if it is for another name; "": nothing */
    const char *plain;      /* what speaks no TLS */
};

/* Whom to trust, and who we are. Files are PEM; "": not given. */
struct channel_trust {
    char ca[CHANNEL_FILE_SIZE];                           /* "": whom the machine trusts */
    char cert[CHANNEL_FILE_SIZE], key[CHANNEL_FILE_SIZE]; /* the key may stand in the certificate's file */
    char name[CHANNEL_NAME_SIZE];      /* that the certificate has to have; "": the host's */
    bool is_blind;                     /* any certificate will do */
    const struct channel_words *words; /* static */
};

struct channel;

/* What a call comes to that moves no bytes: it is to be done again once the socket can give, or take, some; the other end
 * has gone without a word; or the connection has failed, and the error says why. */
enum { CHANNEL_WANTS_IN = -1, CHANNEL_WANTS_OUT = -2, CHANNEL_GONE = -3, CHANNEL_FAILED = -4 };

/* Sets up what begins with the first call below; the socket, which is connected, stays the caller's. `trust`: NULL where bytes go as they
 * are. `host`: the name that was connected to. RELANCE_INVALID: a file cannot be used; RELANCE_IO: the name is none. *out, where it is
 * set, is to be closed. */
RELANCE_MUST enum relance_status channel_open(int fd, const struct channel_trust *trust, const char *host,
                                              struct channel **out, struct relance_error *error);
void channel_close(struct channel *channel); /* NULL: nothing to do */

/* 0: done, and whoever is at the other end is who it has to be. */
RELANCE_MUST ssize_t channel_shake(struct channel *channel, struct relance_error *error);
/* How many bytes went or came, at least 1. */
RELANCE_MUST ssize_t channel_send(struct channel *channel, const void *data, size_t size,
                                  struct relance_error *error);
RELANCE_MUST ssize_t channel_receive(struct channel *channel, void *data, size_t size,
                                     struct relance_error *error);
/* Has nothing come, and is the other end still there? */
bool channel_is_silent(struct channel *channel);

/* What poll() is to wait for before a call is done again. */
short channel_events(ssize_t wants);

#endif
