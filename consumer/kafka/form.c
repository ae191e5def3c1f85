#include "kafka/form.h"
#include "kafka/number.h"

enum { COMPACT_BITS = 7, COMPACT_MORE = 0x80 };

/* ---- requests */
void kafka_put(struct buffer *out, uint64_t number, size_t size)
{
    char bytes[sizeof number];
    kafka_set(bytes, number, size);
    buffer_put(out, bytes, size);
}

void kafka_put_text(struct buffer *out, const char *text)
{
    size_t size = strlen(text);
    kafka_put(out, size, 2);
    buffer_put(out, text, size);
}

void kafka_put_head(struct buffer *out, enum kafka_request request, int version, uint32_t number,
                    const char *client)
{
    kafka_put(out, request, 2);
    kafka_put(out, (uint64_t)version, 2);
    kafka_put(out, number, 4);
    kafka_put_text(out, client);
}

static void form_put_unsigned(struct buffer *out, size_t number)
{
    char bytes[KAFKA_UNSIGNED_MAX];
    buffer_put(out, bytes, (size_t)(kafka_set_unsigned(bytes, number) - bytes));
}

void kafka_put_compact_size(struct buffer *out, size_t size)
{
    form_put_unsigned(out, size + 1);
}

void kafka_put_compact(struct buffer *out, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    form_put_unsigned(out, text ? size + 1 : 0);
    buffer_put(out, text, size);
}

void kafka_put_no_tags(struct buffer *out)
{
    form_put_unsigned(out, 0);
}

/* ---- answers */
const unsigned char *kafka_read_bytes(struct kafka_answer *in, size_t size)
{
    static const unsigned char none[8];
    if (in->failed || size > (size_t)(in->bound - in->at)) {
        in->failed = true;
        return none;
    }
    in->at += size;
    return in->at - size;
}

int16_t kafka_read_int16(struct kafka_answer *in)
{
    return kafka_get_int16(kafka_read_bytes(in, 2));
}

int32_t kafka_read_int32(struct kafka_answer *in)
{
    return kafka_get_int32(kafka_read_bytes(in, 4));
}

int64_t kafka_read_int64(struct kafka_answer *in)
{
    return kafka_get_int64(kafka_read_bytes(in, 8));
}

str kafka_read_text(struct kafka_answer *in, int32_t size)
{
    const unsigned char *at = size > 0 ? kafka_read_bytes(in, (size_t)size) : in->at;
    return (str){(const char *)at, size > 0 && !in->failed ? (size_t)size : 0};
}

static size_t form_read_unsigned(struct kafka_answer *in)
{
    enum { SHIFT_MAX = 28 }; /* of 32 bits, as in the protocol */
    size_t number = 0;
    for (unsigned shift = 0; shift <= SHIFT_MAX && !in->failed; shift += COMPACT_BITS) {
        unsigned byte = *kafka_read_bytes(in, 1);
        number |= (size_t)(byte & (COMPACT_MORE - 1)) << shift;
        if (!(byte & COMPACT_MORE)) return number;
    }
    in->failed = true;
    return 0;
}

size_t kafka_read_compact_size(struct kafka_answer *in)
{
    size_t size = form_read_unsigned(in);
    return size ? size - 1 : 0;
}

void kafka_read_tags(struct kafka_answer *in)
{
    for (size_t count = form_read_unsigned(in); count && !in->failed; count--) {
        form_read_unsigned(in); /* which */
        kafka_read_bytes(in, form_read_unsigned(in));
    }
}
