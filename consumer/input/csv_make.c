/* The mapping, compiled against the header: names of columns become their numbers, and every mistake is a
 * sentence. */
#include "input/csv_map_internal.h"
#include "base/nearest.h"
#include "json/json.h"
#include "base/ensure.h"
#include "host/file.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdlib.h>

enum { MAPPING_MAX = 1 << 20 }; /* bytes of a mapping */

/* What is being compiled, and the sentence of the first mistake. */
struct making {
    struct csv_map *map;
    struct relance_error *error;
};

static bool wrong(struct making *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(struct making *m, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    m->error->status = RELANCE_INVALID;
    vsnprintf(m->error->message, sizeof m->error->message, format, arguments);
    va_end(arguments);
    return false;
}

/* The column of that name; -1, with the sentence, where there is none. */
static int find_column(struct making *m, struct relance_str name)
{
    struct csv_map *map = m->map;
    struct relance_str names[CSV_COLUMNS_MAX];
    for (size_t i = 0; i < map->column_count; i++) {
        names[i] = map->columns[i].name;
        if (str_equal(names[i], name)) return (int)i;
    }
    struct relance_str near = nearest_of(name, names, map->column_count);
    wrong(m, "there is no column '%.*s'%s%.*s%s", STR_ARG(name), near.size ? "; did you mean '" : "",
          STR_ARG(near), near.size ? "'?" : "");
    return -1;
}

static void add_piece(struct node *node, struct piece piece)
{
    node->pieces = realloc(node->pieces, (node->piece_count + 1) * sizeof *node->pieces);
    ensure(node->pieces);
    node->pieces[node->piece_count++] = piece;
}

/* "${Date} ${Time}": literal pieces and cells; $$ is a dollar sign. */
static bool make_pieces(struct making *m, struct node *node, const char *text)
{
    node->kind = NODE_TEXT;
    while (*text) {
        const char *dollar = strchr(text, '$');
        if (dollar != text) {
            size_t size = dollar ? (size_t)(dollar - text) : strlen(text);
            add_piece(node, (struct piece){LITERAL, {text, size}});
            text += size;
        } else if (text[1] == '{') {
            const char *end = strchr(text, '}');
            if (!end) return wrong(m, "'%s' has no end of its ${", text);
            int column = find_column(m, (struct relance_str){text + 2, (size_t)(end - text) - 2});
            if (column < 0) return false;
            add_piece(node, (struct piece){.column = column});
            text = end + 1;
        } else {
            add_piece(node, (struct piece){LITERAL, {text, 1}});
            text += text[1] == '$' ? 2 : 1;
        }
    }
    return true;
}

static bool make_node(struct making *m, struct node *node, const cJSON *json);

static bool make_children(struct making *m, struct node *node, const cJSON *json)
{
    size_t count = (size_t)cJSON_GetArraySize(json);
    node->kind = cJSON_IsArray(json) ? NODE_LIST : NODE_OBJECT;
    node->children = calloc(count + 1, sizeof *node->children);
    ensure(node->children);
    for (const cJSON *child = json->child; child; child = child->next)
        if (!make_node(m, &node->children[node->child_count++], child)) return false;
    return true;
}

static bool make_node(struct making *m, struct node *node, const cJSON *json)
{
    if (json->string) {
        buffer_put_json_string(&node->key, str_of(json->string));
        buffer_put(&node->key, ":", 1);
    }
    if (cJSON_IsString(json)) return make_pieces(m, node, json->valuestring);
    if (cJSON_IsObject(json) || cJSON_IsArray(json)) return make_children(m, node, json);
    char *text = cJSON_PrintUnformatted(json);
    ensure(text);
    buffer_put_str(&node->constant, str_of(text));
    cJSON_free(text);
    return true;
}

static bool make_event(struct making *m, const cJSON *json)
{
    static const struct relance_str required[] = {STR("\"type\":"), STR("\"customer\":"), STR("\"time\":")};
    struct node *event = &m->map->event;
    if (!cJSON_IsObject(json)) return wrong(m, "a mapping needs 'event': the event that a row becomes");
    if (!make_children(m, event, json)) return false;
    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        struct node *found = NULL;
        for (size_t c = 0; c < event->child_count; c++)
            if (str_equal(buffer_str(&event->children[c].key), required[i])) found = &event->children[c];
        if (!found) return wrong(m, "'event' needs %.*s", (int)required[i].size - 1, required[i].data);
        found->required = true;
        found->is_time = i == 2;
    }
    return true;
}

static bool make_formats(struct making *m, struct csv_time *time, const cJSON *json)
{
    const cJSON *first = cJSON_IsArray(json) ? json->child : json;
    for (const cJSON *format = first; format; format = cJSON_IsArray(json) ? format->next : NULL) {
        if (!cJSON_IsString(format) || time->format_count == CSV_TIME_FORMATS_MAX)
            return wrong(m, "'time' is a format such as \"%%d.%%m.%%Y %%H:%%M\", or a list of at most %d",
                         CSV_TIME_FORMATS_MAX);
        time->formats[time->format_count++] = format->valuestring;
    }
    return true;
}

/* The key of a mapping's object that nobody knows. */
static bool check_keys(struct making *m, const cJSON *object, const char *what,
                       const struct relance_str *names, size_t count)
{
    for (const cJSON *member = object->child; member; member = member->next) {
        struct relance_str name = str_of(member->string), near = nearest_of(name, names, count);
        bool known = false;
        for (size_t i = 0; i < count; i++)
            known |= str_equal(name, names[i]);
        if (!known && near.size)
            return wrong(m, "%s has no '%s'; did you mean '%.*s'?", what, member->string, STR_ARG(near));
        if (!known) return wrong(m, "%s has no '%s'", what, member->string);
    }
    return true;
}

static bool make_column(struct making *m, const cJSON *json)
{
    static const struct relance_str keys[] = {STR("time"), STR("number"), STR("values")};
    int number = find_column(m, str_of(json->string));
    if (number < 0 || !check_keys(m, json, "a column", keys, 3)) return false;
    struct column *column = &m->map->columns[number];
    const cJSON *time = cJSON_GetObjectItemCaseSensitive(json, "time");
    const cJSON *mark = cJSON_GetObjectItemCaseSensitive(json, "number");
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(json, "values");
    column->time = m->map->time;
    column->time.format_count = 0;
    column->is_time = time;
    column->values = values;
    if (time && !make_formats(m, &column->time, time)) return false;
    if (mark) column->mark = cJSON_IsString(mark) ? mark->valuestring[0] : '?';
    if (mark && ((column->mark != ',' && column->mark != '.') || mark->valuestring[1]))
        return wrong(m, "'number' of column '%s' is the mark of its decimals: \",\" or \".\"", json->string);
    for (const cJSON *value = values ? values->child : NULL; value; value = value->next)
        if (!cJSON_IsString(value) && !cJSON_IsNull(value))
            return wrong(m, "'values' of column '%s': '%s' becomes a text, or null for rows to be left out",
                         json->string, value->string);
    return true;
}

static bool make_columns(struct making *m, const cJSON *json)
{
    for (const cJSON *column = json ? json->child : NULL; column; column = column->next)
        if (!make_column(m, column)) return false;
    return true;
}

static bool make_time(struct making *m, const struct relance_ruleset *rules)
{
    struct csv_time *time = &m->map->time;
    const cJSON *zone = cJSON_GetObjectItemCaseSensitive(m->map->json, "tz");
    const cJSON *formats = cJSON_GetObjectItemCaseSensitive(m->map->json, "time");
    int64_t instant_ms;
    time->rules = rules;
    if (formats && !make_formats(m, time, formats)) return false;
    if (!zone) return true;
    time->zone = str_of(cJSON_GetStringValue(zone));
    if (relance_ruleset_local_instant(rules, time->zone, 0, &instant_ms)) return true;
    return wrong(m, "there is no zone '%.*s'", STR_ARG(time->zone));
}

/* ---- the header */

static void add_column(struct csv_map *map, struct relance_str name)
{
    map->columns[map->column_count++] = (struct column){.name = name};
}

/* The names of the columns: in the mapping, or in the first row, whose text is kept. */
static bool read_header(struct making *m)
{
    struct csv_map *map = m->map;
    const cJSON *names = cJSON_GetObjectItemCaseSensitive(map->json, "header");
    size_t count = (size_t)cJSON_GetArraySize(names);
    if (!names && !csv_next(&map->csv)) return wrong(m, "there is no header: the file is empty");
    if (!names) count = map->csv.count;
    if (!count || count > CSV_COLUMNS_MAX) return wrong(m, "'header' is the list of the columns' names");
    map->columns = calloc(count, sizeof *map->columns);
    ensure(map->columns);
    for (const cJSON *name = names ? names->child : NULL; name; name = name->next) {
        if (!cJSON_IsString(name)) return wrong(m, "'header' is the list of the columns' names");
        add_column(map, str_of(name->valuestring));
    }
    if (names) return true;
    if (map->csv.mistake) return wrong(m, "the header: %s", map->csv.mistake);
    buffer_put_str(&map->header, buffer_str(&map->csv.text));
    for (size_t i = 0; i < count; i++) {
        struct csv_cell cell = map->csv.cells[i];
        add_column(map, str_trim((struct relance_str){map->header.data + cell.begin, cell.size}));
    }
    return true;
}

static bool read_separator(struct making *m, char *separator)
{
    const cJSON *json = cJSON_GetObjectItemCaseSensitive(m->map->json, "separator");
    const char *text = json ? cJSON_GetStringValue(json) : ",";
    if (!text || !text[0] || (text[1] && strcmp(text, "blanks") != 0) || text[0] == '"')
        return wrong(m, "'separator' is one character such as \";\" or \"\\t\", or \"blanks\"");
    *separator = text[1] ? CSV_BLANKS : text[0];
    return true;
}

/* ---- JSON with comments and trailing commas, read as rule files are */

/* The same JSON as cJSON has it; NULL: said. */
static cJSON *parse_mapping(struct making *m, const struct source *source, struct arena *arena)
{
    struct diagnostics diag;
    struct buffer plain;
    size_t line, column;
    diag_init(&diag, arena);
    buffer_init(&plain, arena);
    const struct json *json = json_parse(arena, source, &diag);
    if (json && !diag.error_count) {
        json_write(json, &plain);
        return cJSON_ParseWithLength(plain.data, plain.size);
    }
    const struct diagnostic *first = diag.first;
    ensure(first);
    source_place(source, first->begin, &line, &column);
    wrong(m, "%.*s:%zu:%zu: %.*s", STR_ARG(source->name), line, column, STR_ARG(first->message));
    return NULL;
}

static bool read_mapping(struct making *m, const char *mapping)
{
    struct source source = {STR("the mapping"), str_of(mapping), 0};
    struct arena arena;
    char *text = NULL;
    if (mapping[strspn(mapping, " \t\r\n")] != '{') {
        source.name = str_of(mapping);
        if (file_read(mapping, MAPPING_MAX, &text, &source.text.size, m->error) != RELANCE_OK) return false;
        source.text.data = text;
    }
    arena_init(&arena, 0);
    m->map->json = parse_mapping(m, &source, &arena);
    arena_free(&arena);
    free(text);
    return m->map->json;
}

bool csv_make(struct csv_map *map, const char *mapping, struct lines *lines,
              const struct relance_ruleset *rules, struct relance_error *error)
{
    struct making making = {map, error}, *m = &making;
    static const struct relance_str keys[] = {STR("separator"), STR("header"), STR("time"), STR("tz"),
                                              STR("columns"),   STR("group"),  STR("event")};
    char separator = ',';
    if (!read_mapping(m, mapping)) return false;
    if (!cJSON_IsObject(map->json)) return wrong(m, "a mapping is a JSON object");
    if (!check_keys(m, map->json, "a mapping", keys, sizeof keys / sizeof *keys)) return false;
    if (!read_separator(m, &separator)) return false;
    csv_init(&map->csv, lines, separator);
    const cJSON *group = cJSON_GetObjectItemCaseSensitive(map->json, "group");
    map->grouped = group;
    if (group && !cJSON_IsString(group)) return wrong(m, "'group' is a text such as \"${Order}\"");
    return read_header(m) && make_time(m, rules) &&
           make_columns(m, cJSON_GetObjectItemCaseSensitive(map->json, "columns")) &&
           (!group || make_pieces(m, &map->group, group->valuestring)) &&
           make_event(m, cJSON_GetObjectItemCaseSensitive(map->json, "event"));
}
