/* Requests and answers of Kafka's protocol: numbers with the highest byte first, texts behind their sizes. For this room only.
 *
 * Source: kafka.apache.org/protocol. Of some requests the later versions are "flexible" (KIP-482): sizes are varints there, one more than
 * they say ("compact"), and behind each structure come tagged fields, of which we send none. */
#ifndef CONSUMER_KAFKA_FORM_H
#define CONSUMER_KAFKA_FORM_H

#include "base/buffer.h"

#include <stdint.h>

/* ---- requests */
enum kafka_request {
    KAFKA_PRODUCE = 0,
    KAFKA_FETCH = 1,
    KAFKA_FIND_COORDINATOR = 10,
    KAFKA_SASL_HANDSHAKE = 17,
    KAFKA_API_VERSIONS = 18,
    KAFKA_INIT_PRODUCER_ID = 22,
    KAFKA_ADD_PARTITIONS_TO_TXN = 24,
    KAFKA_ADD_OFFSETS_TO_TXN = 25,
    KAFKA_END_TXN = 26,
    KAFKA_TXN_OFFSET_COMMIT = 28,
    KAFKA_SASL_AUTHENTICATE = 36,
};

/* The lowest `size` bytes of a number. */
void kafka_put(struct buffer *out, uint64_t number, size_t size);
void kafka_put_text(struct buffer *out, const char *text);
/* What a request begins with. `number`: its answer bears it, too. */
void kafka_put_head(struct buffer *out, enum kafka_request request, int version, uint32_t number,
                    const char *client);

void kafka_put_compact_size(struct buffer *out, size_t size);
void kafka_put_compact(struct buffer *out, const char *text); /* NULL: none */
void kafka_put_no_tags(struct buffer *out);

/* ---- answers */
/* What is left of one. What it does not have is 0, and said at the end. */
struct kafka_answer {
    const unsigned char *at, *bound;
    bool failed;
};

const unsigned char *kafka_read_bytes(struct kafka_answer *in, size_t size);
int16_t kafka_read_int16(struct kafka_answer *in);
int32_t kafka_read_int32(struct kafka_answer *in);
int64_t kafka_read_int64(struct kafka_answer *in);
/* So many bytes, where the text lies; -1: none. */
str kafka_read_text(struct kafka_answer *in, int32_t size);
size_t kafka_read_compact_size(struct kafka_answer *in);
void kafka_read_tags(struct kafka_answer *in); /* over them */

#endif
