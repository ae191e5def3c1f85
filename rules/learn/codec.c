#include "learn/codec.h"

void codec_put_fixed(struct buffer *out, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        buffer_put_char(out, (char)(number >> (8 * i)));
}

void codec_put_number(struct buffer *out, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        buffer_put_char(out, (char)(number | 0x80));
    buffer_put_char(out, (char)number);
}

void codec_put_text(struct buffer *out, str text)
{
    codec_put_number(out, text.size);
    buffer_put_str(out, text);
}

uint64_t codec_fixed(struct codec *codec, size_t size)
{
    uint64_t number = 0;
    if (codec_left(codec) < size) codec->bad = true;
    for (size_t i = 0; i < size && codec->at < codec->end; i++)
        number |= (uint64_t)*codec->at++ << (8 * i);
    return codec->bad ? 0 : number;
}

uint64_t codec_number(struct codec *codec, uint64_t max)
{
    uint64_t number = 0;
    for (unsigned shift = 0; codec->at < codec->end && shift < 64; shift += 7) {
        unsigned char byte = *codec->at++;
        uint64_t bits = byte & 0x7f;
        if ((shift == 63 && bits > 1) || (shift && byte == 0))
            break; /* beyond 64 bits, or longer than it must be */
        number |= bits << shift;
        if (byte & 0x80) continue;
        if (number > max) break;
        return number;
    }
    codec->bad = true;
    return 0;
}

size_t codec_count(struct codec *codec, size_t least, size_t max)
{
    uint64_t count = codec_number(codec, max);
    if (count <= codec_left(codec) / least) return (size_t)count;
    codec->bad = true;
    return 0;
}

str codec_text(struct codec *codec)
{
    size_t size = codec_count(codec, 1, UINT32_MAX);
    str text = {(const char *)codec->at, size};
    codec->at += size;
    return text;
}
