/* Values and types of expressions. A value is 16 bytes and borrows what it points to: from the rule set's
 * arena (constants), from the event, or from the evaluation's scratch arena.
 * Source of the semantics: google/cel-spec langdef.md. */
#ifndef RULES_CEL_VALUE_H
#define RULES_CEL_VALUE_H

#include "base/arena.h"
#include "base/names.h"

enum cel_kind {
    CEL_UNSET = 0, /* slots only: not looked up yet; reading it asks the host */
    CEL_ABSENT,    /* slots and record fields only: not there; reading it is an error, has() is false */
    CEL_ERROR,     /* number.code says which; the frame holds the sentence */
    CEL_NULL,
    CEL_BOOL,
    CEL_INT,
    CEL_UINT,
    CEL_DOUBLE,
    CEL_STRING,
    CEL_BYTES,
    CEL_DURATION,  /* as.i seconds, nanos in [-999999999, 999999999], of the sign of the seconds */
    CEL_TIMESTAMP, /* as.i seconds since 1970, nanos in [0, 999999999] */
    CEL_LIST,
    CEL_MAP,
    CEL_RECORD,
    CEL_TYPE,
    CEL_OPTIONAL,
};

/* In `spare`: what the value points to outlives every program that it may become a constant of, so that nobody makes
 * a copy. */
#define CEL_KEPT 2

struct cel_value {
    uint8_t kind;
    uint8_t code;   /* CEL_ERROR: enum cel_error_code */
    uint16_t spare; /* CEL_KEPT; of lists and maps in the making the VM's own mark */
    union {
        uint32_t size; /* strings and bytes: bytes */
        int32_t nanos; /* durations and timestamps */
    };
    union {
        bool b;
        int64_t i; /* int; seconds */
        uint64_t u;
        double d;
        const char *s;
        const struct cel_list *list;
        const struct cel_map *map;
        const struct cel_record *record;
        const struct cel_type *type;
        const struct cel_value *optional; /* NULL: optional.none() */
    } as;
};

struct cel_list {
    size_t count;
    struct cel_value items[];
};

struct cel_map { /* entries in order of insertion; keys are bool, int, uint or string */
    size_t count;
    struct value_index *index; /* of the keys; NULL: they are few (charge.h) */
    struct cel_entry {
        struct cel_value key, value;
    } entries[];
};

/* A record: values of a named type with declared fields, by number; absent ones are CEL_ABSENT. */
struct cel_record {
    const struct cel_record_type *type;
    struct cel_value fields[];
};

struct cel_field {
    str name;
    const struct cel_type *type;
};

struct cel_record_type {
    str name;
    size_t field_count;
    const struct cel_field *fields;
    const struct names *index; /* the fields' names by number, where there are many; NULL: few */
};

enum cel_type_kind {
    CEL_TYPE_DYN,
    CEL_TYPE_NULL,
    CEL_TYPE_BOOL,
    CEL_TYPE_INT,
    CEL_TYPE_UINT,
    CEL_TYPE_DOUBLE,
    CEL_TYPE_STRING,
    CEL_TYPE_BYTES,
    CEL_TYPE_DURATION,
    CEL_TYPE_TIMESTAMP,
    CEL_TYPE_TYPE,
    CEL_TYPE_LIST,
    CEL_TYPE_MAP,
    CEL_TYPE_RECORD,
    CEL_TYPE_OPTIONAL,
    CEL_TYPE_PARAM, /* a type parameter: inside the checker only */
};

struct cel_type {
    enum cel_type_kind kind;
    const struct cel_type *params[2];     /* list(E): E; map(K, V): K, V; optional(E): E; type(T): T */
    const struct cel_record_type *record; /* CEL_TYPE_RECORD */
    uint32_t param;                       /* CEL_TYPE_PARAM: its number */
};

/* The types without parameters, by kind; static and shared. */
extern const struct cel_type cel_types[CEL_TYPE_TYPE + 1];
const struct cel_type *cel_list_of(struct arena *arena, const struct cel_type *element);
const struct cel_type *cel_map_of(struct arena *arena, const struct cel_type *key,
                                  const struct cel_type *value);
const struct cel_type *cel_record_of(struct arena *arena, const struct cel_record_type *record);

/* Gives a record of many fields its index; false without memory. */
bool cel_record_index(struct arena *arena, struct cel_record_type *record);

bool cel_type_equal(const struct cel_type *a, const struct cel_type *b);
str cel_type_name(struct arena *arena, const struct cel_type *type); /* "list(string)", for messages */
str cel_type_noun(struct arena *arena,
                  const struct cel_type *type);         /* "a list(string)", "an 'item'", "null" */
const char *cel_type_zero(const struct cel_type *type); /* what is written for nothing: "0.0", "''"; or "…" */

static inline struct cel_value cel_bool(bool b)
{
    return (struct cel_value){.kind = CEL_BOOL, .as.b = b};
}
static inline struct cel_value cel_int(int64_t i)
{
    return (struct cel_value){.kind = CEL_INT, .as.i = i};
}
static inline struct cel_value cel_uint(uint64_t u)
{
    return (struct cel_value){.kind = CEL_UINT, .as.u = u};
}
static inline struct cel_value cel_double(double d)
{
    return (struct cel_value){.kind = CEL_DOUBLE, .as.d = d};
}
static inline struct cel_value cel_string(str s)
{
    return (struct cel_value){.kind = CEL_STRING, .size = (uint32_t)s.size, .as.s = s.data};
}
static inline str cel_text(struct cel_value v) /* of a string or bytes */
{
    return (str){v.as.s, v.size};
}
/* From whole milliseconds, as LANGUAGE.md §2 keeps instants. */
struct cel_value cel_timestamp_ms(int64_t ms);
struct cel_value cel_duration_ms(int64_t ms);
int64_t cel_timestamp_to_ms(struct cel_value timestamp); /* rounded down */

/* Maps for those who do not evaluate: room for so many entries, and what is to be done when they are there. NULL,
 * false: no memory. */
struct cel_map *cel_map_new(struct arena *arena, size_t capacity);
bool cel_map_finish(struct arena *arena, struct cel_map *map);

/* Equality as CEL's `==` on two values without error (numbers across types by value, NaN unequal to all). */
bool cel_equal(struct cel_value a, struct cel_value b);

#endif
