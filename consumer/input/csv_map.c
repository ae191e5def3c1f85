/* Rows to events:
 *
 *     row ─ cells ─▶ skeleton  {"type":"purchase","order":"7",│"total":"9.5"}      first row of the group
 *                    lists                                    ╰ "items":[ {…},{…} ]  every row
 *
 * The skeleton is written once, at the first row, and remembers where each list belongs; the lists grow row
 * by row; at the end of the group both are put together. */
#include "input/csv_map_internal.h"
#include "host/print.h"
#include "base/ensure.h"
#include "base/numeral.h"
#include "base/str.h"

#include <relance/decision.h>
#include <stdlib.h>

/* ---- what is left out */

static void copy_value(char out[VALUE_MAX], struct relance_str value)
{
    bool cut = value.size >= VALUE_MAX;
    size_t size = cut ? VALUE_MAX - 4 : value.size;
    snprintf(out, VALUE_MAX, "%.*s%s", (int)size, value.size ? value.data : "", cut ? "..." : "");
}

static void leave_out(struct csv_map *map, bool row, struct relance_str what, const char *reason,
                      struct relance_str value)
{
    size_t i = 0;
    char name[VALUE_MAX];
    copy_value(name, what);
    while (i < map->left_out_count &&
           (map->left_out[i].reason != reason || strcmp(map->left_out[i].what, name) != 0))
        i++;
    if (i == LEFT_OUT_MAX) return;
    struct left_out *left = &map->left_out[i];
    if (i == map->left_out_count) {
        map->left_out_count++;
        *left = (struct left_out){.reason = reason, .line = map->csv.line, .row = row};
        memcpy(left->what, name, sizeof name);
        copy_value(left->value, value);
    }
    left->count++;
}

void csv_map_report(const struct csv_map *map, const char *path)
{
    for (size_t i = 0; i < map->left_out_count; i++) {
        const struct left_out *left = &map->left_out[i];
        bool one = left->count == 1, what = left->what[0], value = left->value[0];
        print_mistake("%s: %llu %s%s left out: %s%s%s%s%s%s (%sline %lld)", path,
                      (unsigned long long)left->count, left->row ? "row" : "cell", one ? "" : "s", left->what,
                      what ? " " : "", value ? "'" : "", left->value, value ? "' " : "", left->reason,
                      one ? "" : "first in ", (long long)left->line);
    }
}

/* ---- cells */

static const char *const is_no_time = "is no time of the form given";
static const char *const is_no_number[] = {"is no number with the decimal mark '.'",
                                           "is no number with the decimal mark ','"};
static const char *const is_missing = "is missing";

static bool convert_time(const struct csv_time *time, struct relance_str in, struct buffer *out)
{
    int64_t ms;
    if (!csv_time_read(time, in, &ms)) return false;
    out->size = 0;
    relance_time_print(ms, buffer_room(out, 24));
    out->size = 24;
    return true;
}

/* A cell as its column is declared, in map->cell; false: the row is not wanted (a value that becomes null). */
static bool read_cell(struct csv_map *map, size_t number)
{
    const struct column *column = &map->columns[number];
    struct relance_str in = csv_cell(&map->csv, number);
    struct buffer *out = &map->cell;
    out->size = 0;
    if (column->values) {
        buffer_put_str(out, in);
        buffer_put(out, "", 1);
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(column->values, out->data);
        if (cJSON_IsNull(value)) return false;
        if (value) in = str_of(value->valuestring);
        out->size = 0;
    }
    if (!in.size) return true;
    const char *wrong = NULL;
    if (column->mark && !numeral_read(in, column->mark, out)) wrong = is_no_number[column->mark == ','];
    if (column->is_time && !convert_time(&column->time, in, out)) wrong = is_no_time;
    if (wrong) {
        leave_out(map, false, column->name, wrong, in);
        out->size = 0;
    } else if (!column->mark && !column->is_time) {
        buffer_put_str(out, in);
    }
    return true;
}

/* ---- rows to JSON */

enum rendered { RENDERED, EMPTY, UNWANTED };

/* The text of a node's pieces in map->text. EMPTY: there are cells, and nothing is in them. */
static enum rendered render_text(struct csv_map *map, const struct node *node)
{
    bool any = false, cells = false;
    map->text.size = 0;
    for (size_t i = 0; i < node->piece_count; i++) {
        const struct piece *piece = &node->pieces[i];
        if (piece->column == LITERAL) {
            buffer_put_str(&map->text, piece->text);
            continue;
        }
        if (!read_cell(map, (size_t)piece->column)) return UNWANTED;
        cells = true;
        any |= map->cell.size > 0;
        buffer_put_str(&map->text, buffer_str(&map->cell));
    }
    return cells && !any ? EMPTY : RENDERED;
}

static enum rendered render(struct csv_map *map, struct node *node, bool in_list, struct buffer *out);

static enum rendered render_children(struct csv_map *map, struct node *node, bool in_list, struct buffer *out)
{
    bool first = true;
    for (size_t i = 0; i < node->child_count; i++) {
        size_t before = out->size;
        if (!first) buffer_put(out, ",", 1);
        enum rendered rendered = render(map, &node->children[i], in_list, out);
        if (rendered == UNWANTED) return UNWANTED;
        if (rendered == EMPTY) out->size = before;
        first &= rendered == EMPTY;
    }
    return first && node->child_count ? EMPTY : RENDERED;
}

/* The cell of a column of numbers and nothing else: a number in the event, too. So "2.0" is an int as well. */
static bool is_number(const struct csv_map *map, const struct node *node)
{
    const struct piece *first = node->pieces;
    return node->piece_count == 1 && first->column != LITERAL && map->columns[first->column].mark &&
           !node->required;
}

static enum rendered render_scalar(struct csv_map *map, const struct node *node, struct buffer *out)
{
    enum rendered rendered = render_text(map, node);
    struct relance_str text = buffer_str(&map->text);
    if (rendered == RENDERED && node->is_time) {
        if (!convert_time(&map->time, text, &map->cell)) {
            leave_out(map, true, STR("the time"), is_no_time, text);
            return UNWANTED;
        }
        text = buffer_str(&map->cell);
    }
    if (rendered == EMPTY && node->required) {
        struct relance_str name = {node->key.data + 1, node->key.size - 3};
        leave_out(map, true, name, is_missing, (struct relance_str){0});
        return UNWANTED;
    }
    if (rendered == RENDERED) {
        buffer_put_str(out, buffer_str(&node->key));
        if (is_number(map, node))
            buffer_put_str(out, text);
        else
            buffer_put_json_string(out, text);
    }
    return rendered;
}

static enum rendered render(struct csv_map *map, struct node *node, bool in_list, struct buffer *out)
{
    if (node->kind == NODE_TEXT) return render_scalar(map, node, out);
    buffer_put_str(out, buffer_str(&node->key));
    if (node->kind == NODE_CONSTANT) {
        buffer_put_str(out, buffer_str(&node->constant));
        return RENDERED;
    }
    bool list = node->kind == NODE_LIST;
    buffer_put(out, list ? "[" : "{", 1);
    if (list && !in_list) {
        node->at = out->size; /* its rows come here */
        node->shown = true;
        buffer_put(out, "]", 1);
        return RENDERED;
    }
    enum rendered rendered = render_children(map, node, in_list || list, out);
    buffer_put(out, list ? "]" : "}", 1);
    return rendered;
}

/* The row's elements behind those of the rows before. */
static bool gather_rows(struct csv_map *map, struct node *node)
{
    if (node->kind != NODE_LIST) {
        for (size_t i = 0; i < node->child_count; i++)
            if (!gather_rows(map, &node->children[i])) return false;
        return true;
    }
    size_t before = node->rows.size;
    if (before) buffer_put(&node->rows, ",", 1);
    enum rendered rendered = render_children(map, node, true, &node->rows);
    if (rendered != RENDERED) node->rows.size = before;
    return rendered != UNWANTED;
}

static void forget_rows(struct node *node)
{
    node->rows.size = 0;
    node->shown = false;
    for (size_t i = 0; i < node->child_count; i++)
        forget_rows(&node->children[i]);
}

/* The skeleton up to each list, then the list's rows; lists stand in the tree in the order of their places. */
static void put_lists(struct csv_map *map, const struct node *node, size_t *from)
{
    if (node->kind == NODE_LIST && node->shown) {
        buffer_put(&map->out, map->skeleton.data + *from, node->at - *from);
        buffer_put_str(&map->out, buffer_str(&node->rows));
        *from = node->at;
        return;
    }
    for (size_t i = 0; i < node->child_count && node->kind != NODE_LIST; i++)
        put_lists(map, &node->children[i], from);
}

/* ---- rows */

static bool row_is_sound(struct csv_map *map)
{
    static const char *const short_row = "it has fewer cells than the header has columns";
    static const char *const long_row = "it has more cells than the header has columns";
    const char *reason = map->csv.mistake;
    if (!reason && map->csv.count < map->column_count) reason = short_row;
    if (!reason && map->csv.count > map->column_count) reason = long_row;
    if (reason) leave_out(map, true, (struct relance_str){0}, reason, (struct relance_str){0});
    return !reason;
}

/* Does the row at hand belong to the group that is open? */
static bool row_belongs(struct csv_map *map)
{
    return map->grouped && render_text(map, &map->group) == RENDERED &&
           str_equal(buffer_str(&map->text), buffer_str(&map->group_text));
}

static void row_begin_group(struct csv_map *map)
{
    forget_rows(&map->event);
    map->skeleton.size = map->group_text.size = 0;
    if (render(map, &map->event, false, &map->skeleton) != RENDERED) return;
    map->open = true;
    map->line = map->csv.line;
    if (map->grouped && render_text(map, &map->group) == RENDERED)
        buffer_put_str(&map->group_text, buffer_str(&map->text));
}

bool csv_map_next(struct csv_map *map, struct relance_str *event, int64_t *line)
{
    map->open = false;
    while (map->waiting || (map->waiting = csv_next(&map->csv))) {
        bool sound = row_is_sound(map);
        if (sound && map->open && !row_belongs(map)) break;
        map->waiting = false;
        if (!sound) continue;
        if (!map->open) row_begin_group(map);
        if (map->open && !gather_rows(map, &map->event) && map->line == map->csv.line) map->open = false;
    }
    if (!map->open) return false;
    size_t from = 0;
    map->out.size = 0;
    put_lists(map, &map->event, &from);
    buffer_put(&map->out, map->skeleton.data + from, map->skeleton.size - from);
    *event = buffer_str(&map->out);
    *line = map->line;
    return true;
}

/* ---- life */

struct csv_map *csv_map_open(const char *mapping, struct lines *lines, const struct relance_ruleset *rules,
                             struct relance_error *error)
{
    struct csv_map *map = calloc(1, sizeof *map);
    ensure(map);
    if (csv_make(map, mapping, lines, rules, error)) return map;
    csv_map_free(map);
    return NULL;
}

static void node_free(struct node *node)
{
    for (size_t i = 0; i < node->child_count; i++)
        node_free(&node->children[i]);
    free(node->children);
    free(node->pieces);
    buffer_free(&node->key);
    buffer_free(&node->constant);
    buffer_free(&node->rows);
}

void csv_map_free(struct csv_map *map)
{
    if (!map) return;
    struct buffer *blobs[] = {&map->header, &map->group_text, &map->text,
                              &map->cell,   &map->skeleton,   &map->out};
    for (size_t i = 0; i < sizeof blobs / sizeof *blobs; i++)
        buffer_free(blobs[i]);
    node_free(&map->event);
    node_free(&map->group);
    csv_free(&map->csv);
    free(map->columns);
    cJSON_Delete(map->json);
    free(map);
}
