/* The public suites, against the event reader: JSON, UTF-8, hostile strings, RFC 3339; and Kafka's
 * partitioner.
 *
 *     event_suites DIRECTORY
 *
 * Where a suite speaks of JSON values, the value becomes a field of an event, once one that is read and once
 * one that is not: an event must be an object, and what nobody reads must be valid too. Whole files are fed
 * as records as well; those must only be survived. Every failing case has its line. */
#include "base/buffer.h"
#include "base/murmur2.h"
#include "base/rfc3339.h"
#include "cel/cel.h"
#include "event/event.h"
#include "json/json.h"
#include "suite.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>

static struct arena arena; /* everything; the suites are small */
static const struct event_schema *schema;
static struct event_reader *reader;
static struct cel_value slots[2];
static struct event event;

static void reader_begin(void)
{
    static struct event_field fields[2];
    static struct event_type type;
    fields[0] = (struct event_field){STR("s"), &cel_types[CEL_TYPE_STRING], 0};
    fields[1] = (struct event_field){STR("at"), &cel_types[CEL_TYPE_TIMESTAMP], 1};
    type = (struct event_type){.name = STR("t"), .number = 0, .field_count = 2, .fields = fields};
    schema = event_schema_new(&arena, &type, 1);
    reader = event_reader_new();
}

static str joined(const char *before, str middle, const char *after)
{
    struct buffer out;
    buffer_init(&out, &arena);
    buffer_put_str(&out, str_of(before));
    buffer_put_str(&out, middle);
    buffer_put_str(&out, str_of(after));
    return buffer_str(&out);
}

static enum event_dead read_record(str json)
{
    return event_read(reader, schema, json, slots, &event);
}

/* ---- json-parsing: y_ is JSON, n_ is not, i_ may be either */

/* The same value where it is read and where it is not must fare alike. */
static enum event_dead read_as_value(str value)
{
    enum event_dead unread = read_record(joined("{\"type\":\"t\",\"customer\":\"c\",\"x\":", value, "}"));
    enum event_dead read = read_record(joined("{\"type\":\"t\",\"customer\":\"c\",\"s\":", value, "}"));
    enum event_dead early = read_record(joined("{\"x\":", value, ",\"type\":\"t\",\"customer\":\"c\"}"));
    suite_check(unread == read && read == early,
                "json-parsing: a value fares differently where it is read: %.*s",
                (int)(value.size < 60 ? value.size : 60), value.data);
    return unread;
}

/* Some files are no JSON only because they stand alone: as a field's value, what is behind them is the event. */
static bool only_alone(const char *name)
{
    return strcmp(name, "n_structure_no_data.json") == 0;
}

static void json_file(const char *directory, const char *name)
{
    const char *path = arena_format(&arena, "%s/%s", directory, name).data;
    str text = suite_file(&arena, path);
    enum event_dead whole = read_record(text), value = read_as_value(text);
    bool broken = value == EVENT_DEAD_JSON || value == EVENT_DEAD_UTF8 || value == EVENT_DEAD_DEPTH;
    bool good = strncmp(name, "y_", 2) == 0, bad = strncmp(name, "n_", 2) == 0;
    if (good) suite_check(value == EVENT_ALIVE, "json-parsing/%s: refused", name);
    if (bad) suite_check(broken || only_alone(name), "json-parsing/%s: accepted", name);
    bool whole_broken = whole != EVENT_ALIVE && whole != EVENT_DEAD_TYPE;
    if (bad) suite_check(whole_broken, "json-parsing/%s: accepted as a record", name);
    if (good && text.data[0] == '{')
        suite_check(whole == EVENT_DEAD_TYPE, "json-parsing/%s: no object?", name);
}

static void json_suite(const char *root, const char *folder)
{
    const char *directory = arena_format(&arena, "%s/json-parsing/%s", root, folder).data;
    struct dirent **names;
    int count = scandir(directory, &names, NULL, alphasort);
    suite_check(count > 2, "%s: no files", directory);
    for (int i = 0; i < count; i++) {
        if (names[i]->d_name[0] != '.') json_file(directory, names[i]->d_name);
        free(names[i]);
    }
    free(count > 0 ? names : NULL);
}

/* ---- utf8: lines `ID:valid:BYTES` and `ID:valid hex:HEX`, `ID:invalid hex:HEX:…` */

static str unhex(str hex)
{
    struct buffer out;
    buffer_init(&out, &arena);
    for (size_t at = 0; at + 1 < hex.size;) {
        unsigned byte;
        if (hex.data[at] == ' ') {
            at++;
        } else {
            sscanf((char[]){hex.data[at], hex.data[at + 1], '\0'}, "%2x", &byte);
            buffer_put_char(&out, (char)byte);
            at += 2;
        }
    }
    return buffer_str(&out);
}

static bool cut(str *text, char at, str *before)
{
    const char *end = text->size ? memchr(text->data, at, text->size) : NULL;
    size_t size = end ? (size_t)(end - text->data) : text->size;
    *before = str_slice(*text, 0, size);
    *text = str_slice(*text, size + (end != NULL), text->size);
    return end != NULL;
}

static void utf8_case(str id, bool valid, str bytes)
{
    suite_check(utf8_valid(bytes) == valid, "utf8/%.*s: utf8_valid() differs", STR_ARG(id));
    for (size_t i = 0; i < bytes.size; i++) /* JSON itself forbids these: the case is not about them */
        if ((unsigned char)bytes.data[i] < 0x20 || bytes.data[i] == '"' || bytes.data[i] == '\\') return;
    enum event_dead unread = read_record(joined("{\"type\":\"t\",\"customer\":\"c\",\"x\":\"", bytes, "\"}"));
    enum event_dead key = read_record(joined("{\"type\":\"t\",\"customer\":\"c\",\"", bytes, "\":1}"));
    enum event_dead read = read_record(joined("{\"type\":\"t\",\"customer\":\"c\",\"s\":\"", bytes, "\"}"));
    enum event_dead wanted = valid ? EVENT_ALIVE : EVENT_DEAD_UTF8;
    suite_check(unread == wanted && key == wanted && read == wanted, "utf8/%.*s: %s", STR_ARG(id),
                valid ? "refused" : "accepted");
    if (valid) suite_check(str_equal(cel_text(slots[0]), bytes), "utf8/%.*s: not read alike", STR_ARG(id));
}

static void utf8_suite(const char *root)
{
    const char *path = arena_format(&arena, "%s/utf8/utf8tests.txt", root).data;
    str text = suite_file(&arena, path), line, id, kind, bytes;
    suite_check(text.size > 0, "%s: cannot be read", path);
    while (suite_line(&text, &line)) {
        if (line.size == 0 || line.data[0] == '#') continue;
        cut(&line, ':', &id);
        cut(&line, ':', &kind);
        while (kind.size && kind.data[0] == ' ')
            kind = str_slice(kind, 1, kind.size);
        bool hex = kind.size > 4 && str_equal(str_slice(kind, kind.size - 4, kind.size), STR(" hex"));
        if (hex) cut(&line, ':', &bytes);
        utf8_case(id, str_starts_with(kind, STR("valid")), hex ? unhex(bytes) : line);
    }
}

/* ---- blns: every string through an event and back */

static void naughty(str text)
{
    struct buffer literal;
    buffer_init(&literal, &arena);
    buffer_put_json_string(&literal, text);
    str json = joined("{\"type\":\"t\",\"customer\":\"c\",\"s\":", buffer_str(&literal), "}");
    suite_check(read_record(json) == EVENT_ALIVE && str_equal(cel_text(slots[0]), text),
                "blns: %.*s as a field", STR_ARG(text));
    json = joined("{\"type\":\"t\",\"customer\":", buffer_str(&literal), "}");
    bool fits = text.size > 0 && text.size <= 256;
    bool alive = read_record(json) == EVENT_ALIVE;
    suite_check(alive == fits && (!fits || str_equal(event.customer, text)), "blns: %.*s as a customer",
                STR_ARG(text));
}

static void blns_suite(const char *root)
{
    const char *path = arena_format(&arena, "%s/blns/blns.json", root).data;
    struct source source = {.name = STR("blns.json"), .text = suite_file(&arena, path)};
    struct diagnostics diag;
    diag_init(&diag, &arena);
    const struct json *list = json_parse(&arena, &source, &diag);
    suite_check(list && list->count > 500 && diag.error_count == 0, "%s: cannot be read", path);
    for (const struct json *string = list ? list->child : NULL; string; string = string->next)
        naughty(string->text);
}

/* ---- formats: RFC 3339 date-times, as text to the parser, as `time` and as a field */

static void date_time(str text, bool valid)
{
    int64_t seconds;
    int32_t nanos;
    struct buffer literal;
    buffer_init(&literal, &arena);
    buffer_put_json_string(&literal, text);
    suite_check(rfc3339_parse(text, &seconds, &nanos) == valid, "date-time: %.*s", STR_ARG(text));
    enum event_dead dead =
        read_record(joined("{\"type\":\"t\",\"customer\":\"c\",\"time\":", buffer_str(&literal), "}"));
    suite_check(dead == (valid ? EVENT_ALIVE : EVENT_DEAD_TIME), "date-time: %.*s as `time`", STR_ARG(text));
    dead = read_record(joined("{\"type\":\"t\",\"customer\":\"c\",\"at\":", buffer_str(&literal), "}"));
    suite_check(dead == EVENT_ALIVE && (slots[1].kind == CEL_TIMESTAMP) == valid &&
                    event.fields_invalid == !valid,
                "date-time: %.*s as a field", STR_ARG(text));
}

static void formats_suite(const char *root)
{
    const char *path =
        arena_format(&arena, "%s/formats/tests/draft2020-12/optional/format/date-time.json", root).data;
    struct source source = {.name = STR("date-time.json"), .text = suite_file(&arena, path)};
    struct diagnostics diag;
    diag_init(&diag, &arena);
    const struct json *groups = json_parse(&arena, &source, &diag);
    suite_check(groups && groups->count > 0, "%s: cannot be read", path);
    for (const struct json *group = groups ? groups->child : NULL; group; group = group->next) {
        const struct json *tests = json_member(group, "tests");
        for (const struct json *test = tests ? tests->child : NULL; test; test = test->next) {
            const struct json *data = json_member(test, "data"), *valid = json_member(test, "valid");
            if (data->kind == JSON_STRING) date_time(data->text, valid->boolean);
        }
    }
}

/* ---- vectors: key, hash, … by tabs; the first line names the columns */

static void vectors_suite(const char *root)
{
    const char *path = arena_format(&arena, "%s/vectors/murmur2.tsv", root).data;
    str text = suite_file(&arena, path), line, key, hash;
    size_t count = 0;
    suite_line(&text, &line);
    while (suite_line(&text, &line)) {
        cut(&line, '\t', &key);
        cut(&line, '\t', &hash);
        uint32_t wanted = (uint32_t)strtoul(hash.data, NULL, 10);
        suite_check(murmur2(key) == wanted, "murmur2: '%.*s'", STR_ARG(key));
        count++;
    }
    suite_check(count == 17, "%s: %zu vectors", path, count);
}

int main(int argc, char **argv)
{
    const char *root = argc > 1 ? argv[1] : "../shared/suites";
    DIR *there = opendir(root);
    if (!there) {
        printf("skipped: %s is not there\n", root);
        return 77;
    }
    closedir(there);
    arena_init(&arena, 0);
    reader_begin();
    json_suite(root, "test_parsing");
    json_suite(root, "test_transform");
    utf8_suite(root);
    blns_suite(root);
    formats_suite(root);
    vectors_suite(root);
    event_reader_free(reader);
    arena_free(&arena);
    return suite_end();
}
