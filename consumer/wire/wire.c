#include "wire/wire.h"
#include "wire/avro.h"
#include "wire/connect.h"
#include "wire/proto.h"
#include "wire/registry.h"
#include "base/limits.h"
#include "host/clock.h"
#include "host/file.h"

#include <stdlib.h>

enum wire_format { WIRE_JSON, WIRE_AVRO, WIRE_PROTOBUF, WIRE_FORMATS };

static const struct {
    str name;
    str registry_type; /* as registries call it */
} formats[WIRE_FORMATS] = {
    [WIRE_JSON] = {{"json", 4}, {"JSON", 4}},
    [WIRE_AVRO] = {{"avro", 4}, {"AVRO", 4}},
    [WIRE_PROTOBUF] = {{"protobuf", 8}, {"PROTOBUF", 8}},
};

enum { FRAME_SIZE = 5, PATH_MAX_LENGTH = 32 };

/* A schema that has been compiled, or that cannot be. */
struct wire_schema {
    struct arena arena;
    const struct avro_type *avro;
    const struct proto_schema *proto;
    /* with schema files: the one that was named; NULL: none was */
    const struct proto_message *message;
    struct relance_error wrong; /* status RELANCE_OK: it is fine */
};

struct wire {
    enum wire_format format;
    struct http_client *http;    /* NULL: schema files, or none are needed */
    struct wire_schema *of_file; /* NULL: a registry */
    struct arena json, scratch;
    struct buffer text;
    /* By id, the oldest of them replaced first. */
    uint32_t ids[WIRE_SCHEMAS];
    struct wire_schema *schemas[WIRE_SCHEMAS];
    size_t schema_count, schema_next;
    /* Ids that the registry does not have: until when, by the monotonic clock. They stand apart, so that they displace
     * no schema. */
    struct wire_unknown {
        uint32_t id;
        int64_t until_us;
    } unknown[WIRE_UNKNOWN_IDS];
    size_t unknown_next;
};

/* ---- Schemas. */

static struct wire_schema *schema_new(void)
{
    struct wire_schema *schema = calloc(1, sizeof *schema);
    if (schema) arena_init(&schema->arena, 0);
    return schema;
}

static void schema_free(struct wire_schema *schema)
{
    if (!schema) return;
    arena_free(&schema->arena);
    free(schema);
}

static enum relance_status compile_avro(struct wire_schema *schema, const struct registry_file *files,
                                        size_t count, struct relance_error *error)
{
    str texts[REGISTRY_FILES_MAX];
    for (size_t i = 0; i < count; i++)
        texts[i] = files[i].text;
    return avro_compile(&schema->arena, texts, count, &schema->avro, error);
}

static enum relance_status compile_proto(struct wire_schema *schema, const struct registry_file *files,
                                         size_t count, struct relance_error *error)
{
    struct proto_file protos[REGISTRY_FILES_MAX];
    for (size_t i = 0; i < count; i++)
        protos[i] =
            (struct proto_file){files[i].name.size ? files[i].name : STR("schema.proto"), files[i].text};
    return proto_compile(&schema->arena, protos, count, &schema->proto, error);
}

static enum relance_status schema_compile(struct wire_schema *schema, enum wire_format format,
                                          const struct registry_file *files, size_t count,
                                          struct relance_error *error)
{
    return format == WIRE_AVRO ? compile_avro(schema, files, count, error)
                               : compile_proto(schema, files, count, error);
}

/* ---- Opening. */

static const struct proto_message *proto_first(const struct proto_schema *schema)
{
    return proto_at(schema, (uint32_t[]){0}, 1);
}

/* The name by which others import a file: its path from the folder of the last one. */
static str import_name(str path, str last)
{
    const char *slash = last.size ? memrchr(last.data, '/', last.size) : NULL;
    str folder = slash ? str_slice(last, 0, (size_t)(slash - last.data) + 1) : (str){0};
    return str_starts_with(path, folder) ? str_slice(path, folder.size, path.size) : path;
}

static enum relance_status files_compile(struct wire *wire, const struct wire_options *options, char **texts,
                                         struct relance_error *error)
{
    struct registry_file files[REGISTRY_FILES_MAX];
    size_t count = options->schema_file_count, size;
    str last = str_of(options->schema_files[count - 1]);
    for (size_t i = 0; i < count; i++) {
        enum relance_status status =
            file_read(options->schema_files[i], WIRE_FILE_BYTES_MAX, &texts[i], &size, error);
        if (status != RELANCE_OK) return status;
        files[i] =
            (struct registry_file){import_name(str_of(options->schema_files[i]), last), {texts[i], size}};
    }
    enum relance_status status = schema_compile(wire->of_file, wire->format, files, count, error);
    if (status != RELANCE_OK || wire->format != WIRE_PROTOBUF) return status;
    if (options->message)
        wire->of_file->message = proto_named(wire->of_file->proto, str_of(options->message));
    if (options->message ? wire->of_file->message : proto_first(wire->of_file->proto)) return RELANCE_OK;
    return relance_error_set(error, RELANCE_INVALID, "%.200s has no message %.100s", last.data,
                             options->message ? options->message : "at all");
}

static enum relance_status open_files(struct wire *wire, const struct wire_options *options,
                                      struct relance_error *error)
{
    char *texts[REGISTRY_FILES_MAX] = {0};
    if (options->schema_file_count > REGISTRY_FILES_MAX)
        return relance_error_set(error, RELANCE_INVALID, "more than %d schema files", REGISTRY_FILES_MAX);
    wire->of_file = schema_new();
    if (!wire->of_file) return relance_error_set(error, RELANCE_NO_MEMORY, "no memory for a schema");
    enum relance_status status = files_compile(wire, options, texts, error);
    for (size_t i = 0; i < options->schema_file_count; i++)
        free(texts[i]);
    return status;
}

static enum relance_status open_schemas(struct wire *wire, const struct wire_options *options,
                                        struct relance_error *error)
{
    struct http_client_options http = {.who = "the schema registry",
                                       .url = options->registry,
                                       .user = options->user,
                                       .password = options->password,
                                       .ca_file = options->ca_file};
    bool needs = wire->format != WIRE_JSON, files = options->schema_file_count > 0;
    if (!needs) return RELANCE_OK;
    if (files == (options->registry != NULL))
        return relance_error_set(error, RELANCE_INVALID,
                                 "the format %s needs a schema registry or a schema file%s", options->format,
                                 files ? ", not both" : "");
    return files ? open_files(wire, options, error) : http_client_open(&http, &wire->http, error);
}

enum relance_status wire_open(const struct wire_options *options, struct wire **out,
                              struct relance_error *error)
{
    struct wire *wire = calloc(1, sizeof *wire);
    if (!wire) return relance_error_set(error, RELANCE_NO_MEMORY, "no memory");
    arena_init(&wire->json, 0);
    arena_init(&wire->scratch, 0);
    while (wire->format < WIRE_FORMATS && !str_equal(formats[wire->format].name, str_of(options->format)))
        wire->format++;
    enum relance_status status =
        wire->format < WIRE_FORMATS
            ? open_schemas(wire, options, error)
            : relance_error_set(error, RELANCE_INVALID,
                                "there is no wire format '%.40s': json, avro, protobuf", options->format);
    if (status == RELANCE_OK)
        *out = wire;
    else
        wire_close(wire);
    return status;
}

void wire_close(struct wire *wire)
{
    if (!wire) return;
    for (size_t i = 0; i < wire->schema_count; i++)
        schema_free(wire->schemas[i]);
    schema_free(wire->of_file);
    http_client_close(wire->http);
    arena_free(&wire->json);
    arena_free(&wire->scratch);
    free(wire);
}

/* ---- Schemas by id. */

static enum wire_status dead(struct wire_decoded *out, const char *reason)
{
    out->reason = str_of(reason);
    return WIRE_DEAD;
}

static enum wire_status no_memory(struct relance_error *error)
{
    relance_error_set(error, RELANCE_NO_MEMORY, "no memory for a record");
    return WIRE_NO_MEMORY;
}

static bool is_unknown(const struct wire *wire, uint32_t id)
{
    int64_t now_us = clock_monotonic_us();
    for (size_t i = 0; i < WIRE_UNKNOWN_IDS; i++)
        if (wire->unknown[i].id == id && wire->unknown[i].until_us > now_us) return true;
    return false;
}

static void unknown_keep(struct wire *wire, uint32_t id)
{
    wire->unknown[wire->unknown_next] =
        (struct wire_unknown){id, clock_monotonic_us() + (int64_t)WIRE_UNKNOWN_MS * 1000};
    wire->unknown_next = (wire->unknown_next + 1) % WIRE_UNKNOWN_IDS;
}

static void schema_keep(struct wire *wire, uint32_t id, struct wire_schema *schema)
{
    size_t at = wire->schema_next;
    schema_free(wire->schemas[at]);
    wire->ids[at] = id;
    wire->schemas[at] = schema;
    if (wire->schema_count == at) wire->schema_count++;
    wire->schema_next = (at + 1) % WIRE_SCHEMAS;
}

/* Compiles what the registry has given. What is wrong with it is kept with it: it will not change. */
static enum relance_status schema_take(struct wire *wire, struct wire_schema *schema,
                                       const struct registry_schema *given, struct relance_error *error)
{
    if (!str_equal(given->type, formats[wire->format].registry_type))
        return relance_error_set(error, RELANCE_INVALID, "it is %.*s, and records are read as %s",
                                 STR_ARG(given->type), formats[wire->format].name.data);
    return schema_compile(schema, wire->format, given->files, given->count, error);
}

static enum wire_status schema_fetch(struct wire *wire, uint32_t id, struct wire_schema **out,
                                     struct wire_decoded *decoded, struct relance_error *error)
{
    struct registry_schema given;
    struct arena answers;
    arena_init(&answers, 0);
    struct wire_schema *schema = schema_new();
    enum registry_status asked =
        schema ? registry_fetch(wire->http, id, &answers, &given, error) : REGISTRY_NO_MEMORY;
    if (asked == REGISTRY_OK) schema_take(wire, schema, &given, &schema->wrong);
    arena_free(&answers);
    if (asked == REGISTRY_OK && schema->wrong.status != RELANCE_NO_MEMORY) {
        schema_keep(wire, id, schema);
        *out = schema;
        return WIRE_OK;
    }
    schema_free(schema);
    if (asked == REGISTRY_AWAY) return WIRE_AWAY;
    if (asked != REGISTRY_UNKNOWN) return no_memory(error);
    unknown_keep(wire, id);
    return dead(decoded, "schema");
}

static enum wire_status schema_find(struct wire *wire, uint32_t id, struct wire_schema **out,
                                    struct wire_decoded *decoded, struct relance_error *error)
{
    for (size_t i = 0; i < wire->schema_count; i++)
        if (wire->ids[i] == id) {
            *out = wire->schemas[i];
            return WIRE_OK;
        }
    if (!is_unknown(wire, id)) return schema_fetch(wire, id, out, decoded, error);
    relance_error_set(error, RELANCE_INVALID, "the schema registry has no schema %u", id);
    return dead(decoded, "schema");
}

/* ---- Records. */

static struct wire_run run_begin(struct wire *wire, str bytes)
{
    arena_reset(&wire->json);
    arena_reset(&wire->scratch);
    buffer_init_bounded(&wire->text, &wire->json, LIMIT_EVENT_BYTES);
    const unsigned char *at = (const unsigned char *)bytes.data;
    return (struct wire_run){.at = at, .end = at + bytes.size, .json = &wire->text};
}

static enum wire_status run_end(struct wire *wire, const struct wire_run *run, struct wire_decoded *out,
                                struct relance_error *error)
{
    static const char *const reasons[] = {"", "format", "depth", "size"};
    if (run->fault == WIRE_FAULT_MEMORY) return no_memory(error);
    out->json = buffer_str(&wire->text);
    if (!run->fault) return WIRE_OK;
    relance_error_set(error, RELANCE_INVALID, "this is no %s of its schema: %s",
                      formats[wire->format].name.data, run->what);
    return dead(out, reasons[run->fault]);
}

static void decode_avro(struct wire_run *run, const struct avro_type *type)
{
    if (avro_decode(run, type) && run->at < run->end)
        wire_fail(run, WIRE_FAULT_FORMAT, "there are bytes behind the value");
}

/* Which message it is: a count and as many numbers, each in the message before; the count 0 stands for the first. */
static const struct proto_message *take_message(struct wire_run *run, const struct proto_schema *schema)
{
    uint64_t coded;
    uint32_t path[PATH_MAX_LENGTH] = {0};
    if (!wire_take_varint(run, &coded)) return NULL;
    int64_t count = wire_zigzag(coded);
    bool fits = count >= 0 && count <= PATH_MAX_LENGTH;
    for (int64_t i = 0; i < count && fits; i++) {
        if (!wire_take_varint(run, &coded)) return NULL;
        int64_t index = wire_zigzag(coded);
        fits = index >= 0 && index <= UINT32_MAX;
        path[i] = (uint32_t)index;
    }
    const struct proto_message *message = fits ? proto_at(schema, path, count ? (size_t)count : 1) : NULL;
    if (!message) wire_fail(run, WIRE_FAULT_FORMAT, "the schema has no such message");
    return message;
}

static void decode_framed(struct wire *wire, struct wire_run *run, const struct wire_schema *schema)
{
    if (wire->format == WIRE_AVRO) {
        decode_avro(run, schema->avro);
        return;
    }
    const struct proto_message *message = take_message(run, schema->proto);
    if (message) proto_decode(run, &wire->scratch, schema->message ? schema->message : message);
}

static bool is_framed(str bytes)
{
    return bytes.size >= FRAME_SIZE && bytes.data[0] == 0;
}

static enum wire_status decode_by_file(struct wire *wire, str bytes, struct wire_decoded *out,
                                       struct relance_error *error)
{
    struct wire_run run;
    if (is_framed(bytes)) {
        run = run_begin(wire, str_slice(bytes, FRAME_SIZE, bytes.size));
        decode_framed(wire, &run, wire->of_file);
        if (!run.fault || wire->format == WIRE_PROTOBUF) return run_end(wire, &run, out, error);
    }
    const struct wire_schema *schema = wire->of_file;
    run = run_begin(wire, bytes);
    if (wire->format == WIRE_AVRO)
        decode_avro(&run, schema->avro);
    else
        proto_decode(&run, &wire->scratch, schema->message ? schema->message : proto_first(schema->proto));
    return run_end(wire, &run, out, error);
}

static enum wire_status decode_by_id(struct wire *wire, str bytes, struct wire_decoded *out,
                                     struct relance_error *error)
{
    const unsigned char *frame = (const unsigned char *)bytes.data;
    struct wire_schema *schema;
    if (!is_framed(bytes)) {
        relance_error_set(error, RELANCE_INVALID, "it does not begin with 0 and the id of a schema");
        return dead(out, "format");
    }
    uint32_t id = (uint32_t)frame[1] << 24 | (uint32_t)frame[2] << 16 | (uint32_t)frame[3] << 8 | frame[4];
    enum wire_status status = schema_find(wire, id, &schema, out, error);
    if (status != WIRE_OK) return status;
    if (schema->wrong.status != RELANCE_OK) {
        relance_error_set(error, RELANCE_INVALID, "schema %u cannot be used: %.400s", id,
                          schema->wrong.message);
        return dead(out, "schema");
    }
    struct wire_run run = run_begin(wire, str_slice(bytes, FRAME_SIZE, bytes.size));
    decode_framed(wire, &run, schema);
    return run_end(wire, &run, out, error);
}

/* A JSON text never begins with the byte 0. */
static enum wire_status decode_json(str bytes, struct wire_decoded *out)
{
    out->json = connect_payload(is_framed(bytes) ? str_slice(bytes, FRAME_SIZE, bytes.size) : bytes);
    return WIRE_OK;
}

enum wire_status wire_decode(struct wire *wire, str bytes, struct wire_decoded *out,
                             struct relance_error *error)
{
    size_t max = wire->format == WIRE_JSON ? WIRE_BYTES_MAX : LIMIT_EVENT_BYTES;
    *out = (struct wire_decoded){0};
    if (bytes.size > max) {
        relance_error_set(error, RELANCE_INVALID, "it is larger than %zu MiB", max >> 20);
        return dead(out, "size");
    }
    if (wire->format == WIRE_JSON) return decode_json(bytes, out);
    return wire->of_file ? decode_by_file(wire, bytes, out, error) : decode_by_id(wire, bytes, out, error);
}
