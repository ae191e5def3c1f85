/* Any text as an Avro schema, any bytes as a value of it. */
#include "wire_check.h"
#include "wire/avro.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buffer json;
    struct relance_error error;
    struct wire_run run = {.json = &json};
    const struct avro_type *type;
    str schema;
    if (!wire_split(data, size, &schema, &run)) return 0;
    arena_init(&arena, 0);
    buffer_init_bounded(&json, &arena, LIMIT_EVENT_BYTES);
    if (avro_compile(&arena, &schema, 1, &type, &error) == RELANCE_OK) {
        ensure(avro_decode(&run, type) == !run.fault);
        wire_check_run(&run);
    }
    arena_free(&arena);
    return 0;
}
