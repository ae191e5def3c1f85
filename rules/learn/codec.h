/* Canonical bytes of what is learnt: numbers and texts one behind another, each in the one form it has.
 *
 *     fixed    u8, u16, u64: little-endian, so many bytes
 *     number   7 bits a byte, the low ones first, the highest bit where more follow (LEB128); never longer than it must be
 *     text     number of its bytes, and they
 *
 * A reader goes on past what is wrong, giving zeros, and says at the end that it was: `bad`. */
#ifndef RULES_LEARN_CODEC_H
#define RULES_LEARN_CODEC_H

#include "base/buffer.h"

struct codec {
    const unsigned char *at, *end;
    bool bad;
};

static inline struct codec codec_open(str bytes)
{
    const unsigned char *data = (const unsigned char *)bytes.data;
    return (struct codec){data, bytes.size ? data + bytes.size : data, false};
}

void codec_put_fixed(struct buffer *out, uint64_t number, size_t size);
void codec_put_number(struct buffer *out, uint64_t number);
void codec_put_text(struct buffer *out, str text);

uint64_t codec_fixed(struct codec *codec, size_t size);
/* At most `max`; a larger one is bad. */
uint64_t codec_number(struct codec *codec, uint64_t max);
/* A count of things of at least `least` (> 0) bytes each: bad where they cannot all be there. */
size_t codec_count(struct codec *codec, size_t least, size_t max);
str codec_text(struct codec *codec);

static inline size_t codec_left(const struct codec *codec)
{
    return (size_t)(codec->end - codec->at);
}

#endif
