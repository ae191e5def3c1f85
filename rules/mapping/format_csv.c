/* CSV: each row of a value is a record whose members are named by the columns.
 *
 *     Order;Total          the header: of the mapping, or of the file that a host reads, else of each value
 *     7;"1.240,50"   ─▶    {"Order": "7", "Total": "1.240,50"}
 *
 * Cells are texts; an empty one is absent. Of two columns of one name the first counts. Columns that nobody reads are not
 * even written. */
#include "mapping/mapping.h"

bool csv_columns_read(struct csv_columns *columns, const struct shape *shape, const str *names, size_t count,
                      struct arena *arena)
{
    columns->keys = ARENA_ARRAY(arena, str, count);
    columns->count = count;
    for (size_t i = 0; i < count && columns->keys; i++) {
        bool wanted = shape_reads(shape, names[i]);
        for (size_t before = 0; before < i && wanted; before++)
            wanted = !str_equal(names[before], names[i]);
        if (!wanted) continue;
        struct buffer key;
        buffer_init(&key, arena);
        buffer_put_json_string(&key, names[i]);
        buffer_put_char(&key, ':');
        columns->keys[i] = buffer_str(&key);
        if (key.failed) return false;
    }
    return columns->keys;
}

static bool take_header(struct format_run *run, struct csv_row *row, struct csv_columns *columns)
{
    for (size_t i = 0; i < row->count; i++)
        row->cells[i] = str_trim(row->cells[i]);
    run->no_memory |= !csv_columns_read(columns, run->shape, row->cells, row->count, run->values);
    run->sentence = row->mistake;
    return !row->mistake && !run->no_memory;
}

static bool put_row(struct format_run *run, const struct csv_row *row, const struct csv_columns *columns)
{
    bool any = false;
    run->sentence = row->mistake;
    if (!row->mistake && row->count < columns->count)
        run->sentence = "it has fewer cells than the header has columns";
    if (!row->mistake && row->count > columns->count)
        run->sentence = "it has more cells than the header has columns";
    if (run->sentence) return false;
    buffer_put_char(run->out, run->out->size ? ',' : '[');
    buffer_put_char(run->out, '{');
    for (size_t i = 0; i < row->count; i++) {
        if (!row->cells[i].size || !columns->keys[i].size) continue;
        if (any) buffer_put_char(run->out, ',');
        any = true;
        buffer_put_str(run->out, columns->keys[i]);
        buffer_put_json_string(run->out, row->cells[i]);
    }
    buffer_put_char(run->out, '}');
    return true;
}

static bool open_csv(struct format_run *run, str value, str *json)
{
    struct csv_columns columns = run->csv->columns;
    struct csv_row *row = arena_alloc(run->values, sizeof *row);
    char *room = arena_alloc(run->values, value.size + 1);
    run->no_memory |= !row || !room;
    if (run->no_memory) return false;
    while (csv_row_take(row, &value, run->csv->separator, &room))
        if (!(columns.keys ? put_row(run, row, &columns) : take_header(run, row, &columns))) return false;
    buffer_put_str(run->out, run->out->size ? STR("]") : STR("[]"));
    *json = buffer_str(run->out);
    return true;
}

const struct format format_csv = {.name = STR("csv"), .open = open_csv};
