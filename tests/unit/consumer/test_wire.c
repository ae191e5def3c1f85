/* Wire formats where memory ends, and at their bounds; tests/golden/wire has what they give. */
#include "base/limits.h"
#include "wire/avro.h"
#include "wire/connect.h"
#include "wire/proto.h"
#include "wire/wire.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct relance_error error;

#define AVRO_TEXT                                                                                            \
    "{\"type\": \"record\", \"name\": \"R\", \"fields\": [{\"name\": \"a\", \"type\": [\"null\", \"R\"]}, "  \
    "{\"name\": \"b\", \"type\": {\"type\": \"array\", \"items\": {\"type\": \"enum\", \"name\": \"E\", "    \
    "\"symbols\": [\"X\", \"Y\"]}}}]}"
#define PROTO_TEXT                                                                                           \
    "syntax = \"proto3\"; enum E { X = 0; } message M { M m = 1; map<string, M> c = 2; E e = 3; }"

static const str avro_text = {AVRO_TEXT, sizeof AVRO_TEXT - 1};
static const struct proto_file proto_text = {{"m.proto", 7}, {PROTO_TEXT, sizeof PROTO_TEXT - 1}};

/* What one attempt comes to in an arena of so many bytes. */
typedef enum relance_status attempt(struct arena *arena);

static enum relance_status compile_avro(struct arena *arena)
{
    const struct avro_type *type;
    return avro_compile(arena, &avro_text, 1, &type, &error);
}

static enum relance_status compile_proto(struct arena *arena)
{
    const struct proto_schema *schema;
    return proto_compile(arena, &proto_text, 1, &schema, &error);
}

static enum relance_status status_of(const struct wire_run *run, bool done)
{
    cr_assert_eq(done, !run->fault);
    if (done) return RELANCE_OK;
    return run->fault == WIRE_FAULT_MEMORY ? RELANCE_NO_MEMORY : RELANCE_INVALID;
}

/* Both messages and their JSON in the bounded arena; the schema in another. */
static enum relance_status decode_proto(struct arena *arena)
{
    static const unsigned char bytes[] = {0x0a, 0x02, 0x18, 0x00, 0x0a, 0x05, 0x12, 0x03, 0x0a, 0x01, 0x6b};
    static struct arena schemas;
    static const struct proto_schema *schema;
    if (!schema) arena_init(&schemas, 0);
    if (!schema) cr_assert_eq(proto_compile(&schemas, &proto_text, 1, &schema, &error), RELANCE_OK);
    struct buffer json;
    struct wire_run run = {.at = bytes, .end = bytes + sizeof bytes, .json = &json};
    buffer_init(&json, arena);
    bool done = proto_decode(&run, arena, proto_at(schema, (uint32_t[]){0}, 1));
    if (done)
        cr_assert(str_equal(
            buffer_str(&json),
            STR("{\"m\":{\"c\":{\"k\":{\"c\":{},\"e\":\"X\"}},\"e\":\"X\"},\"c\":{},\"e\":\"X\"}")));
    return status_of(&run, done);
}

static enum relance_status decode_avro(struct arena *arena)
{
    static const unsigned char bytes[] = {0x02, 0x00, 0x04, 0x02, 0x00, 0x00, 0x00};
    static struct arena schemas;
    static const struct avro_type *type;
    if (!type) arena_init(&schemas, 0);
    if (!type) cr_assert_eq(avro_compile(&schemas, &avro_text, 1, &type, &error), RELANCE_OK);
    struct buffer json;
    struct wire_run run = {.at = bytes, .end = bytes + sizeof bytes, .json = &json};
    buffer_init(&json, arena);
    bool done = avro_decode(&run, type);
    if (done)
        cr_assert(str_equal(buffer_str(&json), STR("{\"a\":{\"a\":null,\"b\":[\"Y\",\"X\"]},\"b\":[]}")));
    return status_of(&run, done);
}

/* From an arena of nothing to one that is large enough: in each but the last memory runs out, and nothing else. */
static void assert_survives(attempt *tried)
{
    size_t refused = 0;
    for (size_t limit = 16;; limit += 16) {
        struct arena arena;
        arena_init(&arena, limit);
        enum relance_status status = tried(&arena);
        arena_free(&arena);
        if (status == RELANCE_OK) break;
        cr_assert_eq(status, RELANCE_NO_MEMORY);
        refused++;
    }
    cr_assert_gt(refused, 5);
}

Test(wire, compiling_a_schema_runs_out_of_memory_anywhere_and_says_so)
{
    assert_survives(compile_avro);
    assert_survives(compile_proto);
}

Test(wire, decoding_a_value_runs_out_of_memory_anywhere_and_says_so)
{
    assert_survives(decode_avro);
    assert_survives(decode_proto);
}

static struct wire *wire_of(const char *format, const char *schema)
{
    char path[] = "/tmp/relance-wire-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    fputs(schema, file);
    fclose(file);
    struct wire *wire = NULL;
    const char *paths[] = {path};
    struct wire_options options = {.format = format, .schema_files = paths, .schema_file_count = 1};
    enum relance_status status = wire_open(&options, &wire, &error);
    remove(path);
    cr_assert_eq(status, RELANCE_OK, "%s", error.message);
    return wire;
}

/* A value that becomes a text of `size` bytes, quotes included: its size as a varint, then letters. */
static str text_value(size_t size, bool zigzag)
{
    static char bytes[(1 << 20) + 16];
    size_t count = 0, letters = size - 2, rest = zigzag ? 2 * letters : letters;
    for (; rest > 127; rest >>= 7)
        bytes[count++] = (char)(rest | 0x80);
    bytes[count++] = (char)rest;
    memset(bytes + count, 'a', letters);
    return (str){bytes, count + letters};
}

Test(wire, json_may_be_as_large_as_an_event_and_no_larger)
{
    struct wire *wire = wire_of("avro", "[\"null\", \"string\", {\"type\": \"array\", \"items\": \"null\"}]");
    struct wire_decoded decoded;
    /* `[null,null,…]` is 5 bytes an element and one more: 209,715 of them are one byte less than the bound. */
    cr_assert_eq(LIMIT_EVENT_BYTES, 5 * 209715 + 1);
    cr_assert_eq(wire_decode(wire, STR("\x04\xe6\xcc\x19\x00"), &decoded, &error), WIRE_OK);
    cr_assert_eq(decoded.json.size, LIMIT_EVENT_BYTES);
    cr_assert_eq(wire_decode(wire, STR("\x04\xe8\xcc\x19\x00"), &decoded, &error), WIRE_DEAD);
    cr_assert(str_equal(decoded.reason, STR("size")));
    wire_close(wire);
}

Test(wire, a_value_may_be_as_large_as_an_event_and_no_larger)
{
    struct wire *wire = wire_of("avro", "\"string\"");
    struct wire_decoded decoded;
    str value = text_value(LIMIT_EVENT_BYTES - 1, true); /* 3 bytes of size and 2 fewer for the quotes */
    cr_assert_eq(value.size, LIMIT_EVENT_BYTES);
    cr_assert_eq(wire_decode(wire, value, &decoded, &error), WIRE_OK);
    value = text_value(LIMIT_EVENT_BYTES, true);
    cr_assert_eq(value.size, LIMIT_EVENT_BYTES + 1);
    cr_assert_eq(wire_decode(wire, value, &decoded, &error), WIRE_DEAD);
    cr_assert(str_equal(decoded.reason, STR("size")));
    cr_assert_eq(wire_decode(wire, STR("\x02z"), &decoded, &error), WIRE_OK);
    cr_assert(str_equal(decoded.json, STR("\"z\"")));
    wire_close(wire);
}

/* Half a million messages of two bytes, each with a thousand fields that are absent: time is bounded, too. */
Test(wire, messages_that_write_little_and_have_many_fields_end)
{
    char *schema = malloc(64 << 10), *value = calloc(1, LIMIT_EVENT_BYTES);
    size_t size = (size_t)sprintf(schema, "syntax = \"proto3\"; message M { repeated M m = 1000; ");
    for (int i = 1; i < 1000; i++)
        size += (size_t)sprintf(schema + size, "optional bool f%d = %d; ", i, i);
    strcpy(schema + size, "}");
    for (size_t i = 0; i + 3 <= LIMIT_EVENT_BYTES; i += 3)
        memcpy(value + i, "\xc2\x3e", 3);
    struct wire *wire = wire_of("protobuf", schema);
    struct wire_decoded decoded;
    cr_assert_eq(wire_decode(wire, (str){value, LIMIT_EVENT_BYTES - LIMIT_EVENT_BYTES % 3}, &decoded, &error),
                 WIRE_DEAD);
    cr_assert(str_equal(decoded.reason, STR("size")), "%s", error.message);
    wire_close(wire);
    free(schema);
    free(value);
}

Test(wire, json_is_handed_out_where_it_stands)
{
    struct wire *wire;
    struct wire_options options = {.format = "json"};
    struct wire_decoded decoded;
    cr_assert_eq(wire_open(&options, &wire, &error), RELANCE_OK);
    str value = STR("\0\0\0\0\7{\"a\":1}");
    cr_assert_eq(wire_decode(wire, value, &decoded, &error), WIRE_OK);
    cr_assert_eq(decoded.json.data, value.data + 5);
    cr_assert_eq(wire_decode(wire, (str){value.data, (size_t)WIRE_BYTES_MAX + 1}, &decoded, &error),
                 WIRE_DEAD);
    wire_close(wire);
}

/* Every beginning of an envelope, in memory of its own size: nobody reads beyond it. */
Test(wire, an_envelope_may_end_anywhere)
{
    str whole = STR(" { \"schema\" : {\"a\": [\"\\\"}\"]} , \"payload\" : [1] } ");
    for (size_t size = 0; size <= whole.size; size++) {
        char *bytes = malloc(size ? size : 1);
        memcpy(bytes, whole.data, size);
        str given = {bytes, size}, payload = connect_payload(given);
        bool taken = size + 1 >= whole.size; /* the blank behind it is not needed */
        cr_assert(str_equal(payload, taken ? STR("[1]") : given), "%zu", size);
        free(bytes);
    }
}
