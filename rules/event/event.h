/* Events: what a schema declares, and one JSON record read straight into the slots that expressions use.
 * Format: STATE.md §5.1. Coercion: LANGUAGE.md §1.2. */
#ifndef RULES_EVENT_EVENT_H
#define RULES_EVENT_EVENT_H

#include "cel/value.h"
#include <relance/misfit.h>

struct event_field {
    str name;
    const struct cel_type *type;
    uint32_t slot; /* CEL_NO_SLOT (cel.h): nobody reads it; it is checked but not stored */
};

struct event_type {
    str name;
    uint32_t number;    /* index in the schema */
    bool keep_null;     /* `identify`: a JSON null becomes CEL_NULL, not CEL_ABSENT */
    size_t field_count; /* at most 65,535 */
    const struct event_field *fields;
};

/* All event types of a rule set, for look-up by name. Built once, then only read. */
struct event_schema;
struct event_schema *event_schema_new(struct arena *arena, const struct event_type *types, size_t count);

/* Why a record is a dead letter; the name is the header `relance-reason` and the counter `dead.NAME`. */
#define EVENT_DEAD_TABLE(X)                                                                                  \
    X(JSON, "json", "The record is not a JSON object.")                                                      \
    X(UTF8, "utf8", "The record is not valid UTF-8.")                                                        \
    X(SIZE, "size", "The record is larger than 1 MiB.")                                                      \
    X(DEPTH, "depth", "The record nests deeper than 64.")                                                    \
    X(TYPE, "type", "The record has no `type`, or it is no text.")                                           \
    X(CUSTOMER, "customer",                                                                                  \
      "The record has neither `customer` nor `visitor`, or its `customer` is no text or number, empty or "   \
      "too long.")                                                                                           \
    X(ID, "id", "The `id` is no text or number, or longer than 256 bytes.")                                  \
    X(TIME, "time", "The `time` is neither RFC 3339 nor epoch milliseconds in the years 1 to 9999.")         \
    X(MAPPING, "mapping", "The mapping needs what the record does not have, or it becomes too many events.")

enum event_dead {
    EVENT_ALIVE = 0,
/* clang-format off */
#define EVENT_DEAD_ENUM(name, text, prose) EVENT_DEAD_##name,
    EVENT_DEAD_TABLE(EVENT_DEAD_ENUM)
#undef EVENT_DEAD_ENUM
    EVENT_NO_MEMORY, /* no dead letter: nothing is wrong with the record, and reading it again may work */
    /* clang-format on */
};
str event_dead_name(enum event_dead reason);

struct event {
    str id; /* empty: absent (the caller makes one up) */
    str type_name;
    str customer, visitor;         /* whose it is: one of them may be empty, not both */
    const struct event_type *type; /* NULL: undeclared */
    int64_t time_ms;               /* since 1970; meaningless unless has_time */
    bool has_time;
    uint32_t fields_invalid; /* values that could not be coerced */
    /* the first of them; their texts are the reader's */
    const struct relance_misfit *misfits;
    size_t misfit_count;
};

/* A reader owns its buffers and is reused: no allocation per event once warm. */
struct event_reader;
struct event_reader *event_reader_new(void); /* NULL without memory */
void event_reader_free(struct event_reader *reader);

/* Reads one record. Everything it hands out, the slots' strings and lists included, is valid until the next
 * event_read on this reader. Slots of the event's type are all written (CEL_ABSENT where absent); slots of
 * other types are not touched: event_clear() unsets what the last read has written.
 * A dead record leaves *event with what was known and the slots absent. Of equal keys the last one wins. */
enum event_dead event_read(struct event_reader *reader, const struct event_schema *schema, str json,
                           struct cel_value *slots, struct event *event);
/* Is it what libraries send as an anonymous id before they know one? */
bool event_names_nobody(str visitor);

/* A record that is a list of events: the text of each, within `json`. EVENT_DEAD_MAPPING: more than `most`. That each is an
 * object is seen here, whether it is an event, when it is read. */
enum event_dead event_split(struct event_reader *reader, str json, str *texts, size_t most, size_t *count);
/* Sets the slots that belong to `type` to CEL_ABSENT. */
void event_clear(const struct event_type *type, struct cel_value *slots);

/* Can a value of that type, written into an event, be what the declared type says? A text is no number here, and not true or
 * false: in events it is taken for one, since they come from elsewhere, but of what is computed it is a slip. */
bool event_may_take(const struct cel_type *declared, const struct cel_type *value);

/* Coerces one JSON text (as cJSON or a test has it) to a declared type; for attributes in tests of rules and
 * for the golden tests of coercion. False: it cannot be, or memory ran out: then *out is a CEL_ERROR. *out lives
 * in `arena`; JSON null gives CEL_NULL. */
bool event_coerce_json(struct arena *arena, str json, const struct cel_type *type, struct cel_value *out);
/* The same with a reader at hand, for many. */
bool event_coerce_json_by(struct event_reader *reader, struct arena *arena, str json,
                          const struct cel_type *type, struct cel_value *out);

#endif
