/* Versions on the topic OUTPUT.models (STATE.md §5.8): a head, then the bytes in pieces, all of it in one transaction.
 *
 *     head     header relance-kind; the value one JSON object
 *     piece 0  header relance-piece: 0; the first PARCEL_PIECE_BYTES bytes
 *     piece 1  …
 *
 * The key of each is the name of the affinity. One producer writes them, one transaction after the other, and readers see
 * committed records alone: so what belongs together stands together. What begins without its head, since the topic has cut
 * it off, is passed over.
 *
 * The head says for people, and for those who look for one, what the bytes say themselves (relance/model.h); only the name
 * stands nowhere else. */
#ifndef CONSUMER_DELIVERY_PARCEL_H
#define CONSUMER_DELIVERY_PARCEL_H

#include "base/buffer.h"
#include <relance/model.h>

enum { PARCEL_PIECE_BYTES = 512 << 10, PARCEL_NAME_BYTES = 256, PARCEL_BYTES_MAX = 1 << 30 };

/* state: what the learner goes on from. full: all lists. delta: those that have changed since the version before. */
enum parcel_kind { PARCEL_STATE, PARCEL_FULL, PARCEL_DELTA, PARCEL_KINDS };

struct parcel_head {
    char name[PARCEL_NAME_BYTES]; /* of the affinity, NUL-terminated */
    enum parcel_kind kind;
    uint64_t number, recipe, chain, base; /* as relance_model_head has them */
    int64_t at_ms;
    size_t bytes; /* that the pieces have together */
    /* to be written: by partition of the input, records below it are counted; NULL: nothing is said of that. What is read
     * has none here: parcel_offsets */
    const int64_t *offsets;
    size_t partitions;
};

size_t parcel_pieces(const struct parcel_head *head); /* how many there are */
void parcel_head_print(const struct parcel_head *head, struct buffer *out);
RELANCE_MUST enum relance_status parcel_head_parse(struct relance_str text, struct parcel_head *out,
                                                   struct relance_error *error);
/* The offsets of a head's text, of an input with so many partitions. False: it has none, as older ones have not, or others. */
bool parcel_offsets(struct relance_str text, size_t partitions, int64_t *out);
const char *parcel_kind_name(enum parcel_kind kind); /* "state", "full", "delta" */

/* "17:9f3c5a…": number and chain, as a mark has them. */
enum { PARCEL_TEXT_SIZE = 20 + 1 + 16 + 1 };
void parcel_print(uint64_t number, uint64_t chain, char out[PARCEL_TEXT_SIZE]);
bool parcel_parse(struct relance_str text, uint64_t *number, uint64_t *chain);

/* A record of the topic. */
struct parcel_record {
    struct relance_str value;
    int64_t offset; /* -1: there is none */
    int32_t piece;  /* its number; -1: a head */
};

/* Puts versions together again. {0} has seen nothing. */
struct parcel_joiner {
    bool skips_states; /* they are large, and not for engines */
    struct parcel_head head;
    struct buffer text; /* of the head */
    struct buffer bytes;
    size_t next; /* piece to come; beyond the last: none is awaited */
};
/* Takes the next record. True: with it a version is whole: head and bytes are valid until the next call. */
bool parcel_join(struct parcel_joiner *joiner, const struct parcel_record *record);
void parcel_joiner_free(struct parcel_joiner *joiner);

#endif
