/* MessagePack, both ways. Writing uses msgpack-c's packer; reading is a cursor over bytes, since
 * msgpack-c's reader builds a tree in memory of its own.
 * Format: github.com/msgpack/msgpack/blob/master/spec.md. */
#ifndef RULES_STATE_PACK_H
#define RULES_STATE_PACK_H

#include "base/buffer.h"
#include "cel/value.h"

void pack_nil(struct buffer *out);
void pack_bool(struct buffer *out, bool b);
void pack_int(struct buffer *out, int64_t i); /* the shortest form */
void pack_uint(struct buffer *out, uint64_t u);
void pack_double(struct buffer *out, double d);
void pack_str(struct buffer *out, str s);
void pack_bin_head(struct buffer *out, size_t size); /* that many bytes follow, by whoever has them */
void pack_array(struct buffer *out, size_t count);
void pack_map(struct buffer *out, size_t count); /* of pairs */
/* A value by its declared type: timestamps and durations as ms, records as maps without their absent fields. */
/* A value shared by many others is written for each of them: a bounded buffer ends it. */
void pack_value(struct buffer *out, struct cel_value value);
void pack_raw(struct buffer *out, str packed);
/* Bytes that they take. */
size_t pack_int_size(int64_t i);
size_t pack_str_size(size_t size);
size_t pack_map_size(size_t count);

/* Within bytes (bin), where each is worth it: numbers with 7 bits a byte, the lowest first, and the bit 128 in all but the
 * last byte; one that may be negative as 2n, or -2n - 1 below 0. And hashes, the lowest byte first. */
enum { PACK_SEVEN_MAX = 10, PACK_HASH_SIZE = 8 };
void pack_seven(struct buffer *out, uint64_t number);
void pack_seven_signed(struct buffer *out, int64_t number);
void pack_hash(struct buffer *out, uint64_t hash);
/* The same to where there is room for PACK_SEVEN_MAX bytes; gives the place behind it. */
static inline unsigned char *seven_write(unsigned char *out, uint64_t number)
{
    for (; number >= 128; number >>= 7)
        *out++ = (unsigned char)(number | 128);
    *out++ = (unsigned char)number;
    return out;
}
static inline unsigned char *hash_write(unsigned char *out, uint64_t hash)
{
    const unsigned char bytes[PACK_HASH_SIZE] = {(unsigned char)hash,         (unsigned char)(hash >> 8),
                                                 (unsigned char)(hash >> 16), (unsigned char)(hash >> 24),
                                                 (unsigned char)(hash >> 32), (unsigned char)(hash >> 40),
                                                 (unsigned char)(hash >> 48), (unsigned char)(hash >> 56)};
    memcpy(out, bytes, sizeof bytes);
    return out + sizeof bytes;
}
static inline uint64_t seven_of(int64_t number)
{
    return number < 0 ? ~((uint64_t)number << 1) : (uint64_t)number << 1;
}
static inline int64_t seven_signed(uint64_t number)
{
    return number & 1 ? (int64_t) ~(number >> 1) : (int64_t)(number >> 1);
}

/* A cursor. Reading past the end or something of another kind sets `bad`, and gives zeros from then on. */
struct unpack {
    const unsigned char *at, *end;
    bool bad;
};

struct unpack unpack_of(str packed);
bool unpack_is_nil(struct unpack *in); /* consumes it if it is */
bool unpack_at_uint(
    const struct unpack *in); /* what comes next: an integer that is not negative, a map, an array */
bool unpack_at_int(const struct unpack *in);
bool unpack_at_map(const struct unpack *in);
bool unpack_at_array(const struct unpack *in);
bool unpack_bool(struct unpack *in);
int64_t unpack_int(struct unpack *in);
uint64_t unpack_uint(struct unpack *in);
double unpack_double(struct unpack *in); /* also from an integer */
str unpack_str(struct unpack *in);       /* str or bin; borrowed from the bytes */
size_t unpack_array(struct unpack *in);  /* count; no larger than the bytes that are left */
size_t unpack_map(struct unpack *in);    /* pairs; likewise */
str unpack_skip(struct unpack *in);      /* any one value, and its bytes */
uint64_t unpack_seven(struct unpack *in);
int64_t unpack_seven_signed(struct unpack *in);
uint64_t unpack_hash(struct unpack *in);
/* A value of a declared type; CEL_ABSENT where the bytes hold another. Lists and records are made in `arena`,
 * strings borrowed. Always consumes exactly one value. */
struct cel_value unpack_value(struct unpack *in, const struct cel_type *type, struct arena *arena);

/* One value as JSON, whatever it is; bytes as base64 are not told from text here and print as a string. */
void unpack_print(struct unpack *in, struct buffer *out);

#endif
