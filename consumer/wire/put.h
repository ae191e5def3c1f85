/* What decoders of wire formats share: bytes to read from, JSON to write to, and a fault that sticks.
 *
 *     record's bytes  ──▶  struct wire_run  ──▶  JSON, at most LIMIT_EVENT_BYTES of it
 *
 * Everything that is read writes at least one byte or takes at least one, so the bound of the JSON bounds the time,
 * too: a record of ten bytes that claims a billion empty elements ends when the JSON is full. */
#ifndef CONSUMER_WIRE_PUT_H
#define CONSUMER_WIRE_PUT_H

#include "base/buffer.h"

enum wire_fault { WIRE_FAULT_NONE, WIRE_FAULT_FORMAT, WIRE_FAULT_DEPTH, WIRE_FAULT_SIZE, WIRE_FAULT_MEMORY };

struct wire_run {
    const unsigned char *at, *end; /* what is left of the record */
    struct buffer *json;
    unsigned depth; /* objects and arrays that are open */
    size_t steps;   /* work that neither takes nor writes bytes */
    enum wire_fault fault;
    const char *what; /* of a fault: "an array with …", static */
};

/* Notes a fault, unless there is one; nothing is left to be read. Always false. */
bool wire_fail(struct wire_run *run, enum wire_fault fault, const char *what);
/* False, with the fault, where the JSON has no room or no memory. */
bool wire_has_room(struct wire_run *run);

/* Enters an object or an array; one that stands deeper than LIMIT_EVENT_DEPTH is a fault. */
bool wire_enter(struct wire_run *run, char bracket);
void wire_leave(struct wire_run *run, char bracket);
/* A comma, but not before the first. */
void wire_put_comma(struct wire_run *run, bool *first);

/* A number of 7 bits a byte, the lowest first; false, with the fault, for more than 64 bits or a record that ends. */
bool wire_take_varint(struct wire_run *run, uint64_t *number);
/* The next `size` bytes, as they stand; NULL, with the fault, where the record ends before. */
const unsigned char *wire_take(struct wire_run *run, uint64_t size);

/* 0, -1, 1, -2 … stand for 0, 1, 2, 3 …, as both Avro and Protobuf have it. */
static inline int64_t wire_zigzag(uint64_t number)
{
    return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

uint64_t wire_little_endian(const unsigned char *bytes, size_t size); /* of at most 8 bytes */

void wire_put_int(struct wire_run *run, int64_t number);
void wire_put_uint(struct wire_run *run, uint64_t number);
/* The shortest digits that read back as the number; what JSON has no number for is "NaN", "Infinity", "-Infinity". */
void wire_put_double(struct wire_run *run, double number);
void wire_put_float(struct wire_run *run, float number);
void wire_put_base64(struct wire_run *run, str bytes);
/* A text that has to be UTF-8; else the fault. */
bool wire_put_text(struct wire_run *run, str text);
/* A whole number as two's complement, its highest byte first, divided by 10 to `scale`, as a JSON number with all its
 * digits. More than WIRE_DECIMAL_BYTES are a fault. */
enum { WIRE_DECIMAL_BYTES = 64, WIRE_DECIMAL_SCALE = 400 };
bool wire_put_decimal(struct wire_run *run, str bytes, unsigned scale);

#endif
