/* What a mapping makes of records, for the tests in Python:
 *
 *     map_tool MAPPING PRESETS <RECORDS >OUTCOMES
 *
 * MAPPING is a file, PRESETS the folder in which those lie that it extends. A record is a line
 * `{"key": …, "headers": {…}, "value": …}`; a value that is a text stands for its bytes, any other for its JSON, null for
 * a record without one. For each there is a line:
 *
 *     {"events": [ … ], "invalid": [ … ]}        native events, and {"dead": reason, "sentence": …} in the place of one;
 *                                                what did not fit
 *     {"unmapped": "what `by` gave"}
 *     {"dead": reason, "sentence": …}            the whole record
 *
 * Whatever goes wrong ends the program with a sentence and status 1. */
#include "base/buffer.h"
#include "base/ensure.h"
#include "json/json.h"
#include "zones.h"

#include <relance/mapping.h>
#include <stdarg.h>
#include <stdlib.h>

enum { HEADERS_MAX = 64, LINE_MAX_BYTES = 2 << 20 };

static _Noreturn __attribute__((format(printf, 1, 2))) void fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("map_tool: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    exit(1);
}

struct presets {
    struct arena arena;
    const char *folder;
};

static bool preset_file(void *context, struct relance_str name, struct relance_str *text)
{
    struct presets *presets = context;
    char path[512];
    int size = snprintf(path, sizeof path, "%s/%.*s.jsonc", presets->folder, STR_ARG(name));
    if (size < 0 || (size_t)size >= sizeof path) return false;
    *text = suite_file(&presets->arena, path);
    return text->size > 0;
}

static struct relance_mapping *compile(const char *path, struct presets *presets)
{
    const struct relance_source source = {.name = str_of(path), .text = suite_file(&presets->arena, path)};
    if (!source.text.size) fail("%s cannot be read", path);
    const struct relance_mapping_host host = {preset_file, presets, zone_file, &presets->arena};
    struct relance_mapping *mapping = NULL;
    struct relance_report *report = NULL;
    struct relance_error error;
    enum relance_status status = relance_mapping_compile(&source, &host, &mapping, &report, &error);
    if (report) fprintf(stderr, "%.*s", STR_ARG(relance_report_text(report)));
    relance_report_free(report);
    if (status != RELANCE_OK) fail("%s", error.message);
    return mapping;
}

/* ---- a record from its line */

/* The bytes that a member stands for. */
static str bytes_of(struct arena *arena, const struct json *node)
{
    if (!node || node->kind == JSON_NULL) return (str){0};
    if (node->kind == JSON_STRING) return node->text.data ? node->text : STR("");
    struct buffer text;
    buffer_init(&text, arena);
    json_write(node, &text);
    ensure(!text.failed);
    return buffer_str(&text);
}

static const struct json *parse(struct arena *arena, str line, size_t number)
{
    const struct source source = {.name = STR("-"), .text = line};
    struct diagnostics diag;
    diag_init(&diag, arena);
    const struct json *record = json_parse(arena, &source, &diag);
    if (!record || record->kind != JSON_OBJECT) fail("line %zu is no record", number);
    return record;
}

static size_t headers_of(struct arena *arena, const struct json *headers, struct relance_header *out)
{
    size_t count = 0;
    for (const struct json *h = headers ? headers->child : NULL; h; h = h->next) {
        if (count == HEADERS_MAX) fail("a record has more than %d headers", HEADERS_MAX);
        out[count++] = (struct relance_header){h->key, bytes_of(arena, h)};
    }
    return count;
}

/* ---- what became of it */

static void put_member(struct buffer *out, const char *name, str value)
{
    buffer_put_format(out, "\"%s\": ", name);
    buffer_put_json_string(out, value);
}

static void put_dead(struct buffer *out, str reason, str sentence)
{
    buffer_put_char(out, '{');
    put_member(out, "dead", reason);
    buffer_put_str(out, STR(", "));
    put_member(out, "sentence", sentence);
    buffer_put_char(out, '}');
}

static void put_misfit(struct buffer *out, const struct relance_misfit *misfit)
{
    char text[512];
    size_t size = relance_misfit_tell(misfit, text, sizeof text);
    buffer_put_json_string(out, (str){text, size < sizeof text ? size : sizeof text});
}

static void put_mapped(struct buffer *out, const struct relance_mapped *mapped)
{
    buffer_put_str(out, STR("{\"events\": ["));
    for (size_t i = 0; i < mapped->count; i++) {
        const struct relance_mapped_item *item = &mapped->items[i];
        if (i) buffer_put_str(out, STR(", "));
        if (item->event.size)
            buffer_put_str(out, item->event);
        else
            put_dead(out, item->reason, item->sentence);
    }
    buffer_put_str(out, STR("], \"invalid\": ["));
    for (size_t i = 0; i < mapped->misfit_count; i++) {
        if (i) buffer_put_str(out, STR(", "));
        put_misfit(out, &mapped->misfits[i]);
    }
    buffer_put_str(out, STR("]}"));
}

static void put_outcome(struct buffer *out, const struct relance_mapped *mapped)
{
    if (mapped->kind == RELANCE_MAPPED) {
        put_mapped(out, mapped);
    } else if (mapped->kind == RELANCE_UNMAPPED) {
        buffer_put_char(out, '{');
        put_member(out, "unmapped", mapped->row);
        buffer_put_char(out, '}');
    } else {
        put_dead(out, mapped->reason, mapped->sentence);
    }
    buffer_put_char(out, '\n');
}

static void map_line(struct relance_mapping *mapping, str line, size_t number)
{
    struct arena arena;
    arena_init(&arena, 0);
    const struct json *record = parse(&arena, line, number);
    struct relance_header headers[HEADERS_MAX];
    const struct relance_foreign foreign = {
        .topic = STR("-"),
        .offset = (int64_t)number,
        .key = bytes_of(&arena, json_member(record, "key")),
        .value = bytes_of(&arena, json_member(record, "value")),
        .headers = headers,
        .header_count = headers_of(&arena, json_member(record, "headers"), headers),
    };
    struct relance_mapped mapped;
    ensure(relance_mapping_map(mapping, &foreign, &mapped) == RELANCE_OK);
    struct buffer out;
    buffer_init(&out, &arena);
    put_outcome(&out, &mapped);
    ensure(!out.failed);
    fwrite(out.data, 1, out.size, stdout);
    arena_free(&arena);
}

int main(int argc, char **argv)
{
    if (argc != 3) fail("map_tool MAPPING PRESETS");
    struct presets presets = {.folder = argv[2]};
    arena_init(&presets.arena, 0);
    struct relance_mapping *mapping = compile(argv[1], &presets);
    static char line[LINE_MAX_BYTES];
    for (size_t number = 0; fgets(line, sizeof line, stdin); number++) {
        size_t size = strlen(line);
        if (size && line[size - 1] != '\n' && !feof(stdin)) fail("line %zu is too long", number);
        map_line(mapping, (str){line, size}, number);
    }
    relance_mapping_free(mapping);
    arena_free(&presets.arena);
    return 0;
}
