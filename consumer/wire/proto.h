/* Protobuf's binary encoding as JSON.
 *
 *     message Item { string sku = 1; optional int32 qty = 2; double price = 3; }
 *
 *     0a 03 61 2d 31  10 02      ──▶      {"sku":"a-1","qty":2,"price":0}
 *     1: "a-1"        2: 2
 *
 * The names are those of the .proto file. Fields that cannot say that they are absent (proto3's without `optional`,
 * lists, maps) always stand in the JSON; of the others those that are there. Numbers of 64 bits are numbers, not texts
 * as in Protobuf's own JSON, since events keep all digits; `bytes` are base64; an enum is its name, or its number where
 * it has none. Of the well-known types Timestamp is RFC 3339, Duration `1.500s`, wrappers, Struct, Value and ListValue
 * what they hold, and confluent.type.Decimal a number with all its digits. Unknown fields, groups and extensions are
 * passed over.
 *
 * libprotobuf reads the .proto files, behind proto_schema.cc, and nothing else of it is used. Its own way to JSON makes
 * an object for each message before it writes, with room for every field: a record of 1 MiB that has half a million
 * empty messages of a hundred fields takes gigabytes. Here a record is walked in place; what is remembered is where
 * the fields of the messages that are open stand. */
#ifndef CONSUMER_WIRE_PROTO_H
#define CONSUMER_WIRE_PROTO_H

#include "wire/put.h"

struct proto_message;
struct proto_schema;

/* A .proto file, by the name by which others import it. */
struct proto_file {
    str name, text;
};

#ifdef __cplusplus
extern "C" {
#endif

/* Compiles the last of `files`; those before it are what it imports, in an order in which each stands behind what it
 * imports itself. Google's own files and Confluent's need not be among them. *out lives in the arena.
 * RELANCE_INVALID, with the sentence, where it is no schema. */
RELANCE_MUST enum relance_status proto_compile(struct arena *arena, const struct proto_file *files,
                                               size_t count, const struct proto_schema **out,
                                               struct relance_error *error);

#ifdef __cplusplus
}
#endif

/* The message at a path: the third of the file, in it the first, is {2, 0}. NULL: there is none. */
const struct proto_message *proto_at(const struct proto_schema *schema, const uint32_t *path, size_t length);
/* By its name, `shop.Order` or `Order`; NULL: there is none. */
const struct proto_message *proto_named(const struct proto_schema *schema, str name);

/* Reads a message up to the end of the record and writes it. `scratch` is room, given back. False: run->fault. */
bool proto_decode(struct wire_run *run, struct arena *scratch, const struct proto_message *message);

#endif
