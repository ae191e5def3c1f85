/* Query strings and bodies of type application/x-www-form-urlencoded:
 *
 *     [anything?] name=value&name=value          +  is a blank, %C3%A9 is a byte each
 *
 * Of a name that comes several times the last value counts, as in the forms of most servers; `name[]` is the list of all
 * of its values, under `name`. A broken escape stands for itself. Whose bytes are not UTF-8 is left out.
 *
 * A value that begins with `{` is the body of a bulk request, {"requests": ["?a=1", "?a=2"]}: each text in the list is a
 * record of its own, and so is each object. */
#include "mapping/format.h"

#include "base/limits.h"
#include "base/names.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A value of a list, and the one behind it in the same list. */
struct form_value {
    str text;
    uint32_t next; /* number + 1; 0: none */
};

struct form {
    struct buffer *out;
    struct arena *arena;
    char *room; /* for what is decoded: no text gets longer */
    bool any;   /* something has been written */
    uint32_t garbled;
    struct names lists;
    struct form_value *values;
    uint32_t value_count, *first, *last; /* of each list: numbers + 1 */
};

/* A text without its escapes. */
static str decode(struct form *form, str text)
{
    char *out = form->room;
    for (size_t i = 0; i < text.size; i++) {
        bool escape = text.data[i] == '%' && i + 2 < text.size;
        int high = escape ? hex_digit(text.data[i + 1]) : -1, low = escape ? hex_digit(text.data[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            *form->room++ = (char)(high << 4 | low);
            i += 2;
        } else {
            *form->room++ = text.data[i] == '+' ? ' ' : text.data[i];
        }
    }
    return (str){out, (size_t)(form->room - out)};
}

static void put_name(struct form *form, str name)
{
    if (form->any) buffer_put_char(form->out, ',');
    form->any = true;
    buffer_put_json_string(form->out, name);
    buffer_put_char(form->out, ':');
}

/* Lists are written at the end. `room` for as many as the text can have. */
static bool add_to_list(struct form *form, str name, str value, size_t room)
{
    if (!form->values) {
        form->values = arena_alloc(form->arena, room * sizeof *form->values);
        form->first = arena_alloc(form->arena, 2 * room * sizeof *form->first);
        if (!form->values || !form->first || !names_init(&form->lists, form->arena, room)) return false;
        form->last = form->first + room;
    }
    uint32_t known = form->lists.count, list = names_add(&form->lists, name), number = ++form->value_count;
    form->values[number - 1] = (struct form_value){value, 0};
    if (list == known)
        form->first[list] = number;
    else
        form->values[form->last[list] - 1].next = number;
    form->last[list] = number;
    return true;
}

static void put_lists(struct form *form)
{
    for (uint32_t list = 0; list < form->lists.count; list++) {
        put_name(form, form->lists.list[list]);
        buffer_put_char(form->out, '[');
        for (uint32_t at = form->first[list]; at; at = form->values[at - 1].next) {
            if (at != form->first[list]) buffer_put_char(form->out, ',');
            buffer_put_json_string(form->out, form->values[at - 1].text);
        }
        buffer_put_char(form->out, ']');
    }
}

static bool take_pair(struct form *form, str pair, size_t room)
{
    const char *equals = pair.size ? memchr(pair.data, '=', pair.size) : NULL;
    size_t at = equals ? (size_t)(equals - pair.data) : pair.size;
    str name = decode(form, str_slice(pair, 0, at));
    str value = decode(form, str_slice(pair, equals ? at + 1 : at, pair.size));
    if (!name.size) return true;
    if (!utf8_valid(name) || !utf8_valid(value)) {
        form->garbled++;
        return true;
    }
    bool list = name.size > 2 && str_equal(str_slice(name, name.size - 2, name.size), STR("[]"));
    if (list) return add_to_list(form, str_slice(name, 0, name.size - 2), value, room);
    put_name(form, name);
    buffer_put_json_string(form->out, value);
    return true;
}

/* What stands behind the question mark of an address; a text without one is a query string itself. */
static str query_of(str text)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '?') return str_slice(text, i + 1, text.size);
        if (c == '&' || c == '=') break;
    }
    return text;
}

bool form_put_json(str text, struct buffer *out, struct arena *arena, uint32_t *garbled)
{
    str query = query_of(str_trim(text));
    struct form form = {.out = out, .arena = arena, .room = arena_alloc(arena, query.size + 1)};
    size_t pairs = 1;
    bool room = form.room;
    for (size_t i = 0; i < query.size; i++)
        pairs += query.data[i] == '&';
    buffer_put_char(out, '{');
    for (size_t at = 0, end; room && at < query.size; at = end + 1) {
        const char *next = memchr(query.data + at, '&', query.size - at);
        end = next ? (size_t)(next - query.data) : query.size;
        room = take_pair(&form, str_slice(query, at, end), pairs);
    }
    put_lists(&form);
    buffer_put_char(out, '}');
    *garbled += form.garbled;
    return room && !out->failed;
}

/* ---- bulk requests */

static bool put_request(struct format_run *run, struct scan *scan)
{
    const uint32_t *from = scan->next;
    struct scan_value v = scan_value(scan);
    if (run->out->size > 1) buffer_put_char(run->out, ',');
    if (v.kind == SCAN_STRING) return form_put_json(v.text, run->out, run->values, &run->garbled);
    bool object = v.kind == SCAN_OBJECT && scan->fault == SCAN_OK;
    buffer_put_str(run->out, object ? scan_since(scan, from) : STR("{}"));
    run->garbled += !object;
    return true;
}

static bool open_bulk(struct format_run *run, str value, str *json)
{
    struct scan scan;
    bool found = false, room = true;
    enum json_index_status status = json_load(run->texts, value);
    run->no_memory = status == JSON_INDEX_NO_MEMORY;
    run->sentence = "the record is no query string, and no list `requests` of them in JSON";
    if (status != JSON_INDEX_OK) return false;
    json_loader_begin(run->texts, &scan, LIMIT_EVENT_DEPTH);
    for (bool more = scan_open(&scan); more; more = scan_more(&scan, '}')) {
        bool requests = str_equal(scan_key(&scan), STR("requests")) && scan_peek(&scan) == '[';
        if (!requests || found) {
            scan_skip(&scan);
            continue;
        }
        found = true;
        buffer_put_char(run->out, '[');
        for (bool each = scan_open(&scan); each; each = scan_more(&scan, ']'))
            room = room && put_request(run, &scan);
        buffer_put_char(run->out, ']');
    }
    run->no_memory |= !room;
    *json = buffer_str(run->out);
    return scan_finish(&scan) == SCAN_OK && found && room;
}

static bool open_form(struct format_run *run, str value, str *json)
{
    if (str_starts_with(str_trim(value), STR("{"))) return open_bulk(run, value, json);
    run->no_memory = !form_put_json(value, run->out, run->values, &run->garbled);
    *json = buffer_str(run->out);
    return !run->no_memory;
}

const struct format format_form = {.name = STR("form"), .open = open_form};
