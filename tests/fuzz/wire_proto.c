/* Any text as a .proto file, any bytes as a value of its first message. */
#include "wire_check.h"
#include "wire/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena, scratch;
    struct buffer json;
    struct relance_error error;
    struct wire_run run = {.json = &json};
    const struct proto_schema *schema;
    struct proto_file file = {.name = STR("schema.proto")};
    if (!wire_split(data, size, &file.text, &run)) return 0;
    arena_init(&arena, 0);
    arena_init(&scratch, 0);
    buffer_init_bounded(&json, &arena, LIMIT_EVENT_BYTES);
    const struct proto_message *message = NULL;
    if (proto_compile(&arena, &file, 1, &schema, &error) == RELANCE_OK)
        message = proto_at(schema, (uint32_t[]){0}, 1);
    if (message) {
        ensure(proto_decode(&run, &scratch, message) == !run.fault);
        wire_check_run(&run);
    }
    arena_free(&scratch);
    arena_free(&arena);
    return 0;
}
