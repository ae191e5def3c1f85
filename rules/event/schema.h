/* What the reader knows of a rule set's event types: inside rules/event only. */
#ifndef RULES_EVENT_SCHEMA_H
#define RULES_EVENT_SCHEMA_H

#include "event/event.h"
#include "event/keys.h"

/* The members that every event has, by number; a type's own fields follow them. */
enum envelope {
    ENVELOPE_ID,
    ENVELOPE_TYPE,
    ENVELOPE_CUSTOMER,
    ENVELOPE_VISITOR,
    ENVELOPE_TIME,
    ENVELOPE_COUNT
};

struct event_schema {
    const struct event_type *types;
    struct key_table type_names;
    /* of each type: the envelope and its fields, field i as ENVELOPE_COUNT + i */
    struct key_table *members;
    struct key_table envelope; /* while the type is not known */
};

/* The members of an event of this type; the envelope alone for NULL. */
static inline const struct key_table *schema_members(const struct event_schema *schema,
                                                     const struct event_type *type)
{
    return type ? &schema->members[type->number] : &schema->envelope;
}

/* The type of that name, NULL where none is declared. The name stands in the reader's text, which 8 bytes may be read from
 * whatever its size. */
static inline const struct event_type *schema_find(const struct event_schema *schema, str name)
{
    uint32_t number = key_find(&schema->type_names, name);
    return number == KEY_NONE ? NULL : &schema->types[number];
}

#endif
