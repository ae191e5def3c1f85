/* A compiled Avro schema: made by avro_schema.c, walked by avro_decode.c. */
#ifndef CONSUMER_WIRE_AVRO_TYPE_H
#define CONSUMER_WIRE_AVRO_TYPE_H

#include "wire/avro.h"

enum avro_kind {
    AVRO_NULL,
    AVRO_BOOLEAN,
    AVRO_INT,
    AVRO_LONG,
    AVRO_FLOAT,
    AVRO_DOUBLE,
    AVRO_BYTES,
    AVRO_STRING,
    AVRO_RECORD,
    AVRO_ENUM,
    AVRO_ARRAY,
    AVRO_MAP,
    AVRO_UNION,
    AVRO_FIXED,
    AVRO_KINDS,
};

enum avro_logical { AVRO_PLAIN, AVRO_DECIMAL, AVRO_DATE, AVRO_UUID };

struct avro_field {
    str key; /* as JSON has it, with its colon */
    const struct avro_type *type;
};

struct avro_type {
    enum avro_kind kind;
    enum avro_logical logical;
    unsigned scale;                 /* of a decimal */
    size_t size;                    /* bytes of a fixed */
    size_t count;                   /* fields, symbols or branches */
    struct avro_field *fields;      /* of a record */
    str *symbols;                   /* of an enum, as JSON has them */
    const struct avro_type **types; /* branches of a union; of an array or a map the one of its elements */
};

#endif
