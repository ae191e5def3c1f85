#include "input/rows.h"

#include "base/csv.h"
#include "base/ensure.h"
#include "base/limits.h"
#include "host/print.h"

#include <inttypes.h>
#include <stdlib.h>

/* A row, in the lines' own memory, or in `room` where it goes on over several of them; false: there is none. */
static bool read_row(struct rows *rows, struct buffer *room, struct relance_str *row, int64_t *line)
{
    struct relance_str more;
    do
        if (!lines_next(rows->lines, row)) return false;
    while (!str_trim(*row).size);
    *line = rows->lines->number;
    bool open = csv_line_opens(*row, rows->csv.separator, false);
    if (!open) return true;
    room->size = 0;
    buffer_put_str(room, *row);
    while (open && room->size < LINES_MAX && lines_next(rows->lines, &more)) {
        buffer_put_char(room, '\n');
        buffer_put_str(room, more);
        open = csv_line_opens(more, rows->csv.separator, true);
    }
    *row = buffer_str(room);
    return true;
}

enum relance_status rows_open(struct rows *rows, struct lines *lines, struct relance_mapping *mapping,
                              rows_bad *bad, void *context, struct relance_error *error)
{
    *rows =
        (struct rows){.lines = lines, .mapping = mapping, .bad = bad, .context = context, .ahead_line = -1};
    struct relance_str header;
    int64_t line;
    relance_mapping_csv(mapping, &rows->csv);
    if (!rows->csv.header_wanted) return RELANCE_OK;
    if (!read_row(rows, &rows->value, &header, &line)) header = (struct relance_str){0};
    return relance_mapping_csv_header(mapping, header, error);
}

/* ---- groups */

static void seen_put(struct rows *rows, uint64_t hash)
{
    size_t at = hash & (rows->seen_capacity - 1);
    while (rows->seen[at])
        at = (at + 1) & (rows->seen_capacity - 1);
    rows->seen[at] = hash;
}

static bool seen_has(const struct rows *rows, uint64_t hash)
{
    if (!rows->seen) return false;
    size_t at = hash & (rows->seen_capacity - 1);
    while (rows->seen[at] && rows->seen[at] != hash)
        at = (at + 1) & (rows->seen_capacity - 1);
    return rows->seen[at];
}

static void seen_grow(struct rows *rows)
{
    uint64_t *old = rows->seen;
    size_t count = rows->seen_capacity;
    rows->seen_capacity = count ? 2 * count : 1024;
    rows->seen = calloc(rows->seen_capacity, sizeof *rows->seen);
    ensure(rows->seen);
    for (size_t i = 0; i < count; i++)
        if (old[i]) seen_put(rows, old[i]);
    free(old);
}

/* A group begins, in that line. */
static void note_group(struct rows *rows, int64_t line)
{
    struct relance_str group = buffer_str(&rows->group);
    if (!group.size) return;
    uint64_t hash = str_hash(group) | 1;
    if (!seen_has(rows, hash)) {
        if (rows->seen_count == ROWS_GROUPS_MAX) return;
        if (2 * rows->seen_count >= rows->seen_capacity) seen_grow(rows);
        seen_put(rows, hash);
        rows->seen_count++;
        return;
    }
    if (rows->again++) return;
    bool cut = group.size >= ROWS_VALUE_SHOWN;
    rows->again_line = line;
    snprintf(rows->again_group, sizeof rows->again_group, "%.*s%s",
             (int)(cut ? ROWS_VALUE_SHOWN - 4 : group.size), group.data, cut ? "..." : "");
}

void rows_report(const struct rows *rows, const char *path)
{
    if (rows->again)
        print_mistake("%s: %" PRIu64 " group%s again behind others, and %s of %s own: '%s' (%sline %" PRId64
                      ")",
                      path, rows->again, rows->again == 1 ? " comes" : "s come",
                      rows->again == 1 ? "is a record" : "are records", rows->again == 1 ? "its" : "their",
                      rows->again_group, rows->again == 1 ? "" : "first in ", rows->again_line + 1);
}

/* The group of a row; false: the row cannot be read. */
static bool group_of(struct rows *rows, struct relance_str row, struct buffer *group,
                     struct relance_mapped *mapped)
{
    const struct relance_foreign record = {.topic = STR("-"), .value = row};
    struct relance_str text;
    ensure(relance_mapping_csv_group(rows->mapping, &record, mapped, &text) == RELANCE_OK);
    group->size = 0;
    buffer_put_str(group, text);
    return mapped->kind != RELANCE_UNREADABLE;
}

/* The next row that can be read is ahead. */
static bool look_ahead(struct rows *rows)
{
    struct relance_mapped mapped;
    while (rows->ahead_line < 0) {
        struct relance_str row;
        int64_t line;
        if (!read_row(rows, &rows->ahead, &row, &line)) return false;
        if (row.data != rows->ahead.data) {
            rows->ahead.size = 0;
            buffer_put_str(&rows->ahead, row);
        }
        if (group_of(rows, row, &rows->ahead_group, &mapped))
            rows->ahead_line = line;
        else
            rows->bad(rows->context, &mapped, line);
    }
    return true;
}

static void swap(struct buffer *a, struct buffer *b)
{
    struct buffer c = *a;
    *a = *b;
    *b = c;
}

static bool next_group(struct rows *rows, int64_t *line)
{
    if (!look_ahead(rows)) return false;
    swap(&rows->value, &rows->ahead);
    swap(&rows->group, &rows->ahead_group);
    *line = rows->ahead_line;
    rows->ahead_line = -1;
    note_group(rows, *line);
    while (rows->group.size && look_ahead(rows) &&
           str_equal(buffer_str(&rows->group), buffer_str(&rows->ahead_group))) {
        rows->ahead_line = -1;
        if (rows->value.size > LIMIT_EVENT_BYTES) continue; /* too large already */
        buffer_put_char(&rows->value, '\n');
        buffer_put_str(&rows->value, buffer_str(&rows->ahead));
    }
    return true;
}

bool rows_next(struct rows *rows, struct relance_str *value, int64_t *line)
{
    if (!rows->csv.grouped) return read_row(rows, &rows->value, value, line);
    if (!next_group(rows, line)) return false;
    *value = buffer_str(&rows->value);
    return true;
}

void rows_free(struct rows *rows)
{
    struct buffer *buffers[] = {&rows->value, &rows->ahead, &rows->group, &rows->ahead_group};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        buffer_free(buffers[i]);
    free(rows->seen);
}
