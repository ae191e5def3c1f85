#include "kafka/codec.h"
#include "base/ensure.h"
#include "kafka/number.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

enum {
    UNPACK_TIMES = 4,       /* how much larger a text is expected to be */
    UNPACK_MAX = 1 << 28,   /* bytes */
    SNAPPY_HEAD = 16,       /* of snappy-java: its name and two versions */
    GZIP_WINDOW = 15 + 32,  /* zlib: any window, and the head of gzip or zlib */
    GZIP_WRITTEN = 15 + 16, /* zlib: the largest window, and the head of gzip */
    GZIP_HEAD = 32,         /* bytes more than zlib's own */
};

int kafka_codec_of(const char *name)
{
    static const char *const names[KAFKA_CODECS] = {"none", "gzip", "snappy", "lz4", "zstd"};
    int codec = 0;
    while (codec < KAFKA_CODECS && strcmp(names[codec], name) != 0)
        codec++;
    return codec;
}

struct kafka_unpacker {
    struct kafka_chunk **spare;
    LZ4F_dctx *lz4;
    ZSTD_DCtx *zstd;
};

/* What is read and what is written. */
struct unpacking {
    const unsigned char *at, *bound;
    struct kafka_chunk *out; /* size: what is written */
};

struct kafka_unpacker *kafka_unpacker_new(struct kafka_chunk **spare)
{
    struct kafka_unpacker *unpacker = calloc(1, sizeof *unpacker);
    ensure(unpacker);
    unpacker->spare = spare;
    return unpacker;
}

void kafka_unpacker_free(struct kafka_unpacker *unpacker)
{
    if (!unpacker) return;
    LZ4F_freeDecompressionContext(unpacker->lz4);
    ZSTD_freeDCtx(unpacker->zstd);
    free(unpacker);
}

/* At least so many free bytes behind what is written; false: that would be too much. */
static bool unpack_room(struct unpacking *unpacking, size_t size)
{
    struct kafka_chunk *out = unpacking->out;
    if (out->size >= UNPACK_MAX || size > UNPACK_MAX - out->size) return false;
    if (out->capacity - out->size < size) unpacking->out = kafka_chunk_grow(out, out->size + size);
    return true;
}

static unsigned char *unpack_end(const struct unpacking *unpacking, size_t *room)
{
    *room = unpacking->out->capacity - unpacking->out->size;
    return unpacking->out->bytes + unpacking->out->size;
}

/* ---- gzip */
static bool unpack_gzip(struct unpacking *in)
{
    z_stream stream = {.next_in = (unsigned char *)in->at, .avail_in = (uInt)(in->bound - in->at)};
    if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK) return false;
    int code = Z_OK;
    while (code == Z_OK && unpack_room(in, 1)) {
        size_t room;
        stream.next_out = unpack_end(in, &room);
        stream.avail_out = (uInt)room;
        code = inflate(&stream, Z_NO_FLUSH);
        in->out->size += room - stream.avail_out;
    }
    inflateEnd(&stream);
    return code == Z_STREAM_END;
}

/* ---- snappy */
static bool unpack_snappy_block(struct unpacking *in, size_t size)
{
    size_t unpacked;
    const char *block = (const char *)in->at;
    if (size > (size_t)(in->bound - in->at) ||
        snappy_uncompressed_length(block, size, &unpacked) != SNAPPY_OK || !unpack_room(in, unpacked))
        return false;
    if (snappy_uncompress(block, size, (char *)in->out->bytes + in->out->size, &unpacked) != SNAPPY_OK)
        return false;
    in->out->size += unpacked;
    in->at += size;
    return true;
}

static bool unpack_snappy(struct unpacking *in)
{
    static const unsigned char name[] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
    size_t size = (size_t)(in->bound - in->at);
    if (size < SNAPPY_HEAD || memcmp(in->at, name, sizeof name) != 0) return unpack_snappy_block(in, size);
    in->at += SNAPPY_HEAD;
    while (in->at < in->bound) {
        if (in->bound - in->at < 4) return false;
        uint32_t block = (uint32_t)kafka_get_int32(in->at);
        in->at += 4;
        if (!unpack_snappy_block(in, block)) return false;
    }
    return true;
}

/* ---- lz4 */
static bool unpack_lz4(struct kafka_unpacker *unpacker, struct unpacking *in)
{
    if (!unpacker->lz4 && LZ4F_isError(LZ4F_createDecompressionContext(&unpacker->lz4, LZ4F_VERSION)))
        return false;
    size_t hint = 1;
    while (hint && !LZ4F_isError(hint)) {
        size_t room, size = (size_t)(in->bound - in->at);
        if (!unpack_room(in, 1)) break;
        unsigned char *out = unpack_end(in, &room);
        hint = LZ4F_decompress(unpacker->lz4, out, &room, in->at, &size, NULL);
        if (LZ4F_isError(hint)) break;
        in->at += size;
        in->out->size += room;
        if (hint && !size && !room) break; /* it is cut off */
    }
    LZ4F_resetDecompressionContext(unpacker->lz4);
    return hint == 0;
}

/* ---- zstd */
static bool unpack_zstd(struct kafka_unpacker *unpacker, struct unpacking *in)
{
    if (!unpacker->zstd) unpacker->zstd = ZSTD_createDCtx();
    if (!unpacker->zstd) return false;
    ZSTD_DCtx_reset(unpacker->zstd, ZSTD_reset_session_only);
    ZSTD_inBuffer packed = {in->at, (size_t)(in->bound - in->at), 0};
    size_t hint = 1;
    while (hint && !ZSTD_isError(hint) && unpack_room(in, 1)) {
        ZSTD_outBuffer out = {in->out->bytes, in->out->capacity, in->out->size};
        size_t before = packed.pos;
        hint = ZSTD_decompressStream(unpacker->zstd, &out, &packed);
        bool is_stuck = packed.pos == before && out.pos == in->out->size;
        in->out->size = out.pos;
        if (hint && is_stuck) break; /* it is cut off */
    }
    return hint == 0;
}

/* ---- any of them */
static bool unpack_as(struct kafka_unpacker *unpacker, int codec, struct unpacking *unpacking)
{
    switch (codec) {
    case 1: return unpack_gzip(unpacking);
    case 2: return unpack_snappy(unpacking);
    case 3: return unpack_lz4(unpacker, unpacking);
    case 4: return unpack_zstd(unpacker, unpacking);
    default: return false;
    }
}

struct kafka_chunk *kafka_unpack(struct kafka_unpacker *unpacker, int codec, str bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.data;
    size_t expected = bytes.size < UNPACK_MAX / UNPACK_TIMES ? bytes.size * UNPACK_TIMES : UNPACK_MAX;
    struct unpacking unpacking = {at, at + bytes.size, kafka_chunk_take(unpacker->spare, expected)};
    unpacking.out->size = 0;
    if (unpack_as(unpacker, codec, &unpacking)) return unpacking.out;
    kafka_chunk_give(unpacker->spare, unpacking.out);
    return NULL;
}

/* ---- packing. There is room for the largest that a codec makes of so many bytes, so none of them can fail. */
static size_t pack_gzip(int level, str bytes, char *out, size_t room)
{
    enum { MEMORY = 8 };
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)bytes.data,
                       .avail_in = (uInt)bytes.size,
                       .next_out = (unsigned char *)out,
                       .avail_out = (uInt)room};
    ensure(deflateInit2(&stream, level, Z_DEFLATED, GZIP_WRITTEN, MEMORY, Z_DEFAULT_STRATEGY) == Z_OK);
    ensure(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    deflateEnd(&stream);
    return room - stream.avail_out;
}

static size_t pack_snappy(str bytes, char *out, size_t room)
{
    ensure(snappy_compress(bytes.data, bytes.size, out, &room) == SNAPPY_OK);
    return room;
}

/* Java's client reads blocks that do not need the ones before. */
static size_t pack_lz4(int level, str bytes, char *out, size_t room)
{
    const LZ4F_preferences_t how = {.frameInfo.blockMode = LZ4F_blockIndependent,
                                    .compressionLevel = level < 0 ? 0 : level};
    size_t size = LZ4F_compressFrame(out, room, bytes.data, bytes.size, &how);
    ensure(!LZ4F_isError(size));
    return size;
}

static size_t pack_zstd(int level, str bytes, char *out, size_t room)
{
    size_t size = ZSTD_compress(out, room, bytes.data, bytes.size, level < 0 ? ZSTD_CLEVEL_DEFAULT : level);
    ensure(!ZSTD_isError(size));
    return size;
}

static size_t pack_bound(int codec, size_t size)
{
    const LZ4F_preferences_t how = {.frameInfo.blockMode = LZ4F_blockIndependent};
    switch (codec) {
    case 1: return compressBound(size) + GZIP_HEAD;
    case 2: return snappy_max_compressed_length(size);
    case 3: return LZ4F_compressFrameBound(size, &how);
    case 4: return ZSTD_compressBound(size);
    default: return size;
    }
}

void kafka_pack(int codec, int level, str bytes, struct buffer *out)
{
    size_t room = pack_bound(codec, bytes.size);
    char *end = buffer_room(out, room);
    switch (codec) {
    case 1: out->size += pack_gzip(level, bytes, end, room); break;
    case 2: out->size += pack_snappy(bytes, end, room); break;
    case 3: out->size += pack_lz4(level, bytes, end, room); break;
    case 4: out->size += pack_zstd(level, bytes, end, room); break;
    default: buffer_put_str(out, bytes); break;
    }
}
