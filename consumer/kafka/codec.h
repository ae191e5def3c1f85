/* What record batches are packed by, over the libraries that Kafka's own clients use. For this room only.
 *
 *     1 gzip     zlib
 *     2 snappy   as Java's snappy-java has it: a head, then blocks behind their sizes; or one block, as other clients have it
 *     3 lz4      a frame
 *     4 zstd     a frame
 *
 * Source: kafka.apache.org/documentation/#recordbatch, "attributes". */
#ifndef CONSUMER_KAFKA_CODEC_H
#define CONSUMER_KAFKA_CODEC_H

#include "base/buffer.h"
#include "kafka/chunk.h"

enum { KAFKA_CODECS = 5 }; /* 0: not packed */

struct kafka_unpacker; /* keeps what a codec needs from one batch to the next */

/* `spare` stays the caller's. */
struct kafka_unpacker *kafka_unpacker_new(struct kafka_chunk **spare);
void kafka_unpacker_free(struct kafka_unpacker *unpacker);

/* That of this name ("none", "lz4"); KAFKA_CODECS: there is none. */
int kafka_codec_of(const char *name);

/* Puts `bytes`, packed, behind what is in `out`. Of snappy as one block. `level`: the codec's own, -1: its default. */
void kafka_pack(int codec, int level, str bytes, struct buffer *out);

/* NULL: that is no packed text of this codec, or one of more than 256 MiB. Else the caller's. */
struct kafka_chunk *kafka_unpack(struct kafka_unpacker *unpacker, int codec, str bytes);

#endif
