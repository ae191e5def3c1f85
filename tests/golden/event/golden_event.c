/* Golden tests of reading events: every *.txt file given is a list of lines `WHAT => RESULT`.
 *
 *     int 40.0 => 40                      a type and a JSON text: the value that it is coerced to, or `-`
 *     {"type": "t", …} => t customer=c …  a record: what the reader hands out, or `dead REASON`
 *
 * The schema of the records stands in schema_new(). Lines that begin with # are comments. */
#include "base/buffer.h"
#include "base/rfc3339.h"
#include "cel/cel.h"
#include "event/event.h"
#include "suite.h"

#include <inttypes.h>
#include <stdlib.h>

static struct arena arena; /* what lives as long as the program */

/* ---- types by their text */

static struct cel_record_type item;

static const struct cel_type *parse_type(str text)
{
    static const struct {
        const char *name;
        enum cel_type_kind kind;
    } scalars[] = {{"string", CEL_TYPE_STRING},     {"int", CEL_TYPE_INT},
                   {"uint", CEL_TYPE_UINT},         {"double", CEL_TYPE_DOUBLE},
                   {"bool", CEL_TYPE_BOOL},         {"timestamp", CEL_TYPE_TIMESTAMP},
                   {"duration", CEL_TYPE_DURATION}, {"bytes", CEL_TYPE_BYTES}};
    static const str list = {"list(", 5}, map = {"map(string,", 11};
    for (size_t i = 0; i < sizeof scalars / sizeof scalars[0]; i++)
        if (str_equal(text, str_of(scalars[i].name))) return &cel_types[scalars[i].kind];
    if (str_starts_with(text, list))
        return cel_list_of(&arena, parse_type(str_slice(text, list.size, text.size - 1)));
    if (str_starts_with(text, map))
        return cel_map_of(&arena, &cel_types[CEL_TYPE_STRING],
                          parse_type(str_slice(text, map.size, text.size - 1)));
    if (str_equal(text, STR("item"))) return cel_record_of(&arena, &item);
    printf("no such type: %.*s\n", STR_ARG(text));
    exit(2);
}

/* ---- values as text */

static void show(struct cel_value value, struct buffer *out);

static void show_list(const struct cel_list *list, struct buffer *out)
{
    for (size_t i = 0; i < list->count; i++) {
        if (i) buffer_put_str(out, STR(", "));
        show(list->items[i], out);
    }
}

static void show_map(const struct cel_map *map, struct buffer *out)
{
    for (size_t i = 0; i < map->count; i++) {
        if (i) buffer_put_str(out, STR(", "));
        show(map->entries[i].key, out);
        buffer_put_str(out, STR(": "));
        show(map->entries[i].value, out);
    }
}

static void show_record(const struct cel_record *record, struct buffer *out)
{
    for (size_t i = 0; i < record->type->field_count; i++) {
        if (i) buffer_put_char(out, ' ');
        buffer_put_str(out, record->type->fields[i].name);
        buffer_put_char(out, '=');
        show(record->fields[i], out);
    }
}

static void show_instant(struct cel_value value, struct buffer *out)
{
    char text[RFC3339_MS_SIZE];
    rfc3339_print_ms(cel_timestamp_to_ms(value), text);
    buffer_put(out, text, sizeof text);
}

static void show_bytes(str bytes, struct buffer *out)
{
    for (size_t i = 0; i < bytes.size; i++)
        buffer_put_format(out, "%02x", (unsigned char)bytes.data[i]);
}

static void show(struct cel_value value, struct buffer *out)
{
    switch ((enum cel_kind)value.kind) {
    case CEL_ABSENT: buffer_put_char(out, '-'); break;
    case CEL_NULL: buffer_put_str(out, STR("null")); break;
    case CEL_BOOL: buffer_put_str(out, value.as.b ? STR("true") : STR("false")); break;
    case CEL_INT: buffer_put_format(out, "%" PRId64, value.as.i); break;
    case CEL_UINT: buffer_put_format(out, "%" PRIu64 "u", value.as.u); break;
    case CEL_DOUBLE: buffer_put_format(out, "%.17g", value.as.d); break;
    case CEL_STRING: buffer_put_json_string(out, cel_text(value)); break;
    case CEL_BYTES:
        buffer_put_char(out, 'x');
        show_bytes(cel_text(value), out);
        break;
    case CEL_DURATION:
        buffer_put_format(out, "%" PRId64 "ms", value.as.i * 1000 + value.nanos / 1000000);
        break;
    case CEL_TIMESTAMP: show_instant(value, out); break;
    case CEL_LIST:
        buffer_put_char(out, '[');
        show_list(value.as.list, out);
        buffer_put_char(out, ']');
        break;
    case CEL_MAP:
        buffer_put_char(out, '{');
        show_map(value.as.map, out);
        buffer_put_char(out, '}');
        break;
    case CEL_RECORD:
        buffer_put_char(out, '(');
        show_record(value.as.record, out);
        buffer_put_char(out, ')');
        break;
    default: buffer_put_format(out, "kind %d", value.kind); break;
    }
}

/* ---- the two kinds of line */

enum { SLOTS = 16 };

static const struct event_schema *schema_new(void)
{
    static const char *const fields_of_t[][2] = {
        {"s", "string"},          {"i", "int"},     {"u", "uint"},
        {"d", "double"},          {"b", "bool"},    {"at", "timestamp"},
        {"pause", "duration"},    {"raw", "bytes"}, {"tags", "list(string)"},
        {"m", "map(string,int)"}, {"best", "item"}, {"items", "list(item)"}};
    enum { FIELDS = sizeof fields_of_t / sizeof fields_of_t[0] };
    static struct event_field fields[FIELDS], identify[1];
    static struct event_type types[2];
    for (uint32_t i = 0; i < FIELDS; i++)
        fields[i] = (struct event_field){str_of(fields_of_t[i][0]), parse_type(str_of(fields_of_t[i][1])), i};
    identify[0] = (struct event_field){STR("name"), &cel_types[CEL_TYPE_STRING], FIELDS};
    types[0] = (struct event_type){.name = STR("t"), .number = 0, .field_count = FIELDS, .fields = fields};
    types[1] = (struct event_type){
        .name = STR("identify"), .number = 1, .keep_null = true, .field_count = 1, .fields = identify};
    return event_schema_new(&arena, types, 2);
}

static void show_event(const struct event *event, const struct cel_value *slots, struct buffer *out)
{
    buffer_put_str(out, event->type_name.size ? event->type_name : STR("\"\""));
    buffer_put_str(out, STR(" customer="));
    buffer_put_json_string(out, event->customer);
    if (event->visitor.size) {
        buffer_put_str(out, STR(" visitor="));
        buffer_put_json_string(out, event->visitor);
    }
    if (event->id.size) {
        buffer_put_str(out, STR(" id="));
        buffer_put_json_string(out, event->id);
    }
    if (event->has_time) {
        buffer_put_str(out, STR(" time="));
        show_instant(cel_timestamp_ms(event->time_ms), out);
    }
    if (event->fields_invalid) buffer_put_format(out, " invalid=%u", event->fields_invalid);
    for (size_t i = 0; event->type && i < event->type->field_count; i++) {
        const struct event_field *field = &event->type->fields[i];
        if (slots[field->slot].kind == CEL_ABSENT) continue;
        buffer_put_format(out, " %.*s=", STR_ARG(field->name));
        show(slots[field->slot], out);
    }
}

static void read_record(const struct event_schema *schema, struct event_reader *reader, str json,
                        struct buffer *out)
{
    struct cel_value slots[SLOTS];
    struct event event;
    enum event_dead dead = event_read(reader, schema, json, slots, &event);
    if (dead == EVENT_ALIVE)
        show_event(&event, slots, out);
    else
        buffer_put_format(out, "dead %.*s", STR_ARG(event_dead_name(dead)));
}

/* `int 40.0`: of blanks between type and JSON there may be many. */
static void coerce_value(struct arena *scratch, str what, struct buffer *out)
{
    struct cel_value value;
    const char *blank = memchr(what.data, ' ', what.size);
    size_t size = blank ? (size_t)(blank - what.data) : what.size;
    const struct cel_type *type = parse_type(str_slice(what, 0, size));
    bool coerced = event_coerce_json(scratch, str_slice(what, size, what.size), type, &value);
    if (!coerced) value = (struct cel_value){.kind = CEL_ABSENT};
    show(value, out);
}

static str trim(str s)
{
    while (s.size > 0 && s.data[0] == ' ')
        s = str_slice(s, 1, s.size);
    while (s.size > 0 && s.data[s.size - 1] == ' ')
        s.size--;
    return s;
}

/* Splits at the last ` => `. */
static bool split(str line, str *what, str *result)
{
    for (size_t at = line.size; at-- > 0;) {
        if (!str_starts_with(str_slice(line, at, line.size), STR(" => "))) continue;
        *what = trim(str_slice(line, 0, at));
        *result = trim(str_slice(line, at + 4, line.size));
        return true;
    }
    return false;
}

static void run_file(const struct event_schema *schema, struct event_reader *reader, const char *path)
{
    str text = suite_file(&arena, path), line, what, wanted;
    size_t number = 0;
    suite_check(text.data != NULL, "%s: cannot be read", path);
    struct arena scratch;
    arena_init(&scratch, 0);
    while (suite_line(&text, &line)) {
        struct buffer got;
        number++;
        if (line.size == 0 || line.data[0] == '#') continue;
        arena_reset(&scratch);
        buffer_init(&got, &scratch);
        if (!split(line, &what, &wanted)) {
            suite_check(false, "%s:%zu: no ` => `", path, number);
            continue;
        }
        if (what.data[0] == '{')
            read_record(schema, reader, what, &got);
        else
            coerce_value(&scratch, what, &got);
        suite_check(str_equal(buffer_str(&got), wanted), "%s:%zu: %.*s\n  wanted %.*s\n  got    %.*s", path,
                    number, STR_ARG(what), STR_ARG(wanted), STR_ARG(buffer_str(&got)));
    }
    arena_free(&scratch);
}

int main(int argc, char **argv)
{
    arena_init(&arena, 0);
    static struct cel_field fields[3];
    fields[0] = (struct cel_field){STR("product"), &cel_types[CEL_TYPE_STRING]};
    fields[1] = (struct cel_field){STR("price"), &cel_types[CEL_TYPE_DOUBLE]};
    fields[2] = (struct cel_field){STR("qty"), &cel_types[CEL_TYPE_INT]};
    item = (struct cel_record_type){STR("item"), 3, fields, NULL};
    const struct event_schema *schema = schema_new();
    struct event_reader *reader = event_reader_new();
    for (int i = 1; i < argc; i++)
        run_file(schema, reader, argv[i]);
    event_reader_free(reader);
    arena_free(&arena);
    return suite_end();
}
