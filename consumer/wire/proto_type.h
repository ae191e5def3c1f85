/* A compiled Protobuf schema: made by proto_schema.cc, walked by proto_decode.c. */
#ifndef CONSUMER_WIRE_PROTO_TYPE_H
#define CONSUMER_WIRE_PROTO_TYPE_H

#include "wire/proto.h"

enum proto_kind {
    PROTO_DOUBLE,
    PROTO_FLOAT,
    PROTO_INT32,
    PROTO_INT64,
    PROTO_UINT32,
    PROTO_UINT64,
    PROTO_SINT32,
    PROTO_SINT64,
    PROTO_FIXED32,
    PROTO_FIXED64,
    PROTO_SFIXED32,
    PROTO_SFIXED64,
    PROTO_BOOL,
    PROTO_ENUM,
    PROTO_STRING,
    PROTO_BYTES,
    PROTO_MESSAGE,
    PROTO_KINDS,
};

/* Messages that are written in another way than field by field. */
enum proto_form {
    PROTO_FIELDS,
    PROTO_FIRST,  /* what stands in the first field: wrappers, Struct, ListValue */
    PROTO_NEWEST, /* what stands in the field that came last: Value */
    PROTO_TIMESTAMP,
    PROTO_DURATION,
    PROTO_DECIMAL,
};

struct proto_symbol {
    int32_t number;
    str name; /* as JSON has it */
};

/* The names of an enum, by number. */
struct proto_enum {
    size_t count;
    struct proto_symbol *symbols;
    int32_t first; /* the number that an absent field has */
};

struct proto_field {
    uint32_t number;
    enum proto_kind kind;
    bool repeated, map;
    bool always; /* stands in the JSON also where the record has none */
    str key;     /* as JSON has it, with its colon */
    const struct proto_message *message;
    const struct proto_enum *names;
};

struct proto_message {
    str name; /* `shop.Order` */
    enum proto_form form;
    size_t count, nested_count;
    struct proto_field *fields;          /* in the order of the file */
    uint32_t *by_number;                 /* places in `fields`, ascending by number */
    const struct proto_message **nested; /* those declared in it, entries of maps aside: as Java counts */
};

struct proto_schema {
    size_t count, all_count;
    const struct proto_message **messages; /* of the file, at its top */
    const struct proto_message **all;      /* those, those in them, and all that their fields are of */
};

#endif
