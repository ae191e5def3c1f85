/* Any bytes as a record. Besides not crashing: what is alive is JSON for the other parser too, the one of
 * rule files, and all texts handed out are UTF-8 within the bounds; reading it again gives the same. */
#include "base/ensure.h"
#include "base/limits.h"
#include "cel/cel.h"
#include "event/event.h"
#include "json_check.h"

enum { FIELDS = 12 };

static struct arena arena;
static const struct event_schema *schema;

static void schema_begin(void)
{
    static struct event_field fields[FIELDS];
    static struct cel_field item_fields[2];
    static struct cel_record_type item;
    static struct event_type types[2];
    static const char *const names[FIELDS] = {"s",     "i",   "u",    "d", "b",    "at",
                                              "pause", "raw", "tags", "m", "best", "items"};
    arena_init(&arena, 0);
    item_fields[0] = (struct cel_field){STR("product"), &cel_types[CEL_TYPE_STRING]};
    item_fields[1] = (struct cel_field){STR("qty"), &cel_types[CEL_TYPE_INT]};
    item = (struct cel_record_type){STR("item"), 2, item_fields, NULL};
    const struct cel_type *string = &cel_types[CEL_TYPE_STRING], *record = cel_record_of(&arena, &item);
    const struct cel_type *const field_types[FIELDS] = {string,
                                                        &cel_types[CEL_TYPE_INT],
                                                        &cel_types[CEL_TYPE_UINT],
                                                        &cel_types[CEL_TYPE_DOUBLE],
                                                        &cel_types[CEL_TYPE_BOOL],
                                                        &cel_types[CEL_TYPE_TIMESTAMP],
                                                        &cel_types[CEL_TYPE_DURATION],
                                                        &cel_types[CEL_TYPE_BYTES],
                                                        cel_list_of(&arena, string),
                                                        cel_map_of(&arena, string, &cel_types[CEL_TYPE_INT]),
                                                        record,
                                                        cel_list_of(&arena, record)};
    for (uint32_t i = 0; i < FIELDS; i++)
        fields[i] = (struct event_field){str_of(names[i]), field_types[i], i};
    types[0] = (struct event_type){.name = STR("t"), .number = 0, .field_count = FIELDS, .fields = fields};
    types[1] = (struct event_type){
        .name = STR("identify"), .number = 1, .keep_null = true, .field_count = 2, .fields = fields};
    schema = event_schema_new(&arena, types, 2);
}

static void check_value(struct cel_value value)
{
    switch (value.kind) {
    case CEL_STRING: ensure(utf8_valid(cel_text(value))); break;
    case CEL_LIST:
        for (size_t i = 0; i < value.as.list->count; i++)
            check_value(value.as.list->items[i]);
        break;
    case CEL_MAP:
        for (size_t i = 0; i < value.as.map->count; i++) {
            check_value(value.as.map->entries[i].key);
            check_value(value.as.map->entries[i].value);
        }
        break;
    case CEL_RECORD:
        for (size_t i = 0; i < value.as.record->type->field_count; i++)
            check_value(value.as.record->fields[i]);
        break;
    case CEL_TIMESTAMP: ensure(value.as.i >= -62135596800 && value.as.i <= 253402300799); break;
    default: break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct event_reader *reader;
    if (!schema) schema_begin();
    if (!reader) reader = event_reader_new();
    str json = {(const char *)data, size};
    struct cel_value slots[FIELDS], again_slots[FIELDS];
    struct event event, again;
    enum event_dead dead = event_read(reader, schema, json, slots, &event);
    if (dead == EVENT_ALIVE) {
        ensure(utf8_valid(event.customer) && event.customer.size > 0 &&
               event.customer.size <= LIMIT_ID_BYTES);
        ensure(utf8_valid(event.id) && event.id.size <= LIMIT_ID_BYTES && utf8_valid(event.type_name));
        for (size_t i = 0; event.type && i < event.type->field_count; i++)
            check_value(slots[i]);
        fuzz_check_json(json);
    }
    ensure(event_read(reader, schema, json, again_slots, &again) == dead &&
           again.fields_invalid == event.fields_invalid);
    return 0;
}
