/* Avro's binary encoding as JSON (Avro 1.12, "Binary Encoding").
 *
 *     {"type": "record", "fields": [{"name": "sku", "type": "string"}, {"name": "qty", "type": ["null", "int"]}]}
 *
 *     06 61 2d 31  02 04      ──▶      {"sku":"a-1","qty":2}
 *     3  "a-1"     [1] 2
 *
 * The JSON is plain: no wrapper says which branch of a union was taken. `bytes` and `fixed` are base64; instants stay
 * the numbers they are (of a `timestamp-micros`, microseconds), `date` is `2026-03-02`, a `decimal` a number with all
 * its digits, a `uuid` its text, whichever type carries it. A logical type that is not known, or does not fit what it
 * stands on, is passed over, as the specification wants it.
 *
 * Why not a library: Debian's is avro-c, whose decoder allocates a value for each element before it has been read, takes
 * what a record claims for a size, and follows a recursive schema as deep as the record says. Here nothing is allocated
 * but the JSON, whose size is bounded; and a decoder is these few types. The writer's schema is the only one: nothing
 * is resolved against a reader's, since a mapping looks at what it finds. */
#ifndef CONSUMER_WIRE_AVRO_H
#define CONSUMER_WIRE_AVRO_H

#include "wire/put.h"

struct avro_type;

/* Compiles the last of `texts`; those before it are what it refers to, each behind what it refers to itself. *out lives
 * in the arena. RELANCE_INVALID, with the sentence, where it is no schema. */
RELANCE_MUST enum relance_status avro_compile(struct arena *arena, const str *texts, size_t count,
                                              const struct avro_type **out, struct relance_error *error);

/* Reads one value and writes it. False: run->fault. What is behind the value is left in run->at. */
bool avro_decode(struct wire_run *run, const struct avro_type *type);

#endif
