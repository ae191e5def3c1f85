#include "event/schema.h"

#include "base/ensure.h"
#include "cel/cel.h"

static const str envelope_names[ENVELOPE_COUNT] = {
    [ENVELOPE_ID] = {"id", 2},           [ENVELOPE_TYPE] = {"type", 4}, [ENVELOPE_CUSTOMER] = {"customer", 8},
    [ENVELOPE_VISITOR] = {"visitor", 7}, [ENVELOPE_TIME] = {"time", 4},
};

static bool members_init(struct key_table *members, struct arena *arena, const struct event_field *fields,
                         size_t count)
{
    if (!key_table_init(members, arena, ENVELOPE_COUNT + count)) return false;
    for (uint32_t i = 0; i < ENVELOPE_COUNT; i++)
        key_table_add(members, envelope_names[i], i);
    for (uint32_t i = 0; i < count; i++)
        key_table_add(members, fields[i].name, ENVELOPE_COUNT + i);
    return true;
}

struct event_schema *event_schema_new(struct arena *arena, const struct event_type *types, size_t count)
{
    struct event_schema *schema = ARENA_NEW(arena, struct event_schema);
    if (!schema) return NULL;
    schema->types = types;
    schema->members = ARENA_ARRAY(arena, struct key_table, count);
    if (!schema->members || !key_table_init(&schema->type_names, arena, count)) return NULL;
    if (!members_init(&schema->envelope, arena, NULL, 0)) return NULL;
    for (uint32_t i = 0; i < count; i++) {
        ensure(types[i].number == i);
        key_table_add(&schema->type_names, types[i].name, i);
        if (!members_init(&schema->members[i], arena, types[i].fields, types[i].field_count)) return NULL;
    }
    return schema;
}

void event_clear(const struct event_type *type, struct cel_value *slots)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (type->fields[i].slot != CEL_NO_SLOT)
            slots[type->fields[i].slot] = (struct cel_value){.kind = CEL_ABSENT};
}

str event_dead_name(enum event_dead reason)
{
    static const str names[] = {
        [EVENT_ALIVE] = {"alive", 5},
#define EVENT_DEAD_NAME(name, text, prose) [EVENT_DEAD_##name] = {text, sizeof text - 1},
        EVENT_DEAD_TABLE(EVENT_DEAD_NAME)
#undef EVENT_DEAD_NAME
            [EVENT_NO_MEMORY] = {"no_memory", 9},
    };
    ensure((size_t)reason < sizeof names / sizeof names[0]);
    return names[reason];
}
