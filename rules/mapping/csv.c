#include "mapping/csv.h"

#include "base/nearest.h"

static void refuse(struct said csv, const struct json *node, struct diagnostics *diag, const char *what)
{
    diag_add(diag, SEVERITY_ERROR, (struct origin){.source = csv.source}, node->begin, node->end, (str){0},
             "%s", what);
}

static void read_separator(struct relance_mapping *mapping, struct said csv, struct diagnostics *diag)
{
    const struct json *node = json_member(csv.node, "separator");
    mapping->csv.separator = ',';
    if (!node) return;
    str text = node->kind == JSON_STRING ? node->text : (str){0};
    if (str_equal(text, STR("blanks")))
        mapping->csv.separator = CSV_BLANKS;
    else if (text.size == 1 && !strchr("\"\r\n ", text.data[0]))
        mapping->csv.separator = text.data[0];
    else
        refuse(csv, node, diag, "'separator' is one character such as \";\" or \"\\t\", or \"blanks\"");
}

const struct zone *csv_compile(struct relance_mapping *mapping, struct said csv, struct arena *scratch,
                               struct diagnostics *diag)
{
    static const struct json nothing = {.kind = JSON_OBJECT};
    bool of_csv = mapping->format == &format_csv;
    if (csv.node && !of_csv) refuse(csv, csv.node, diag, "'csv' is for mappings of the format \"csv\"");
    if (!of_csv) return NULL;
    if (csv.node) mapping_keys_check(scratch, PLACE_CSV, "'csv'", csv.source, csv.node, diag);
    if (!csv.node || csv.node->kind != JSON_OBJECT) csv.node = &nothing;
    struct time_formats *times = ARENA_NEW(&mapping->arena, struct time_formats);
    const struct json *tz = json_member(csv.node, "tz"), *formats = json_member(csv.node, "time");
    read_separator(mapping, csv, diag);
    diag->failed |= !times;
    if (!times) return NULL;
    mapping->times = times;
    if (tz) times->zone = shape_zone(mapping->zones, csv.source, tz, diag);
    if (formats) shape_formats(&mapping->arena, csv.source, formats, times, diag);
    return times->zone;
}

/* The column that a shape reads and the header does not have. */
static str missing_column(const struct relance_mapping *mapping, const str *names, size_t count,
                          struct nearest *nearest)
{
    str missing = shape_missing(mapping->shape, names, count);
    *nearest = nearest_to(missing);
    for (size_t i = 0; i < count && missing.size; i++)
        nearest_offer(nearest, names[i]);
    return missing;
}

void csv_compile_header(struct relance_mapping *mapping, struct said csv, struct arena *scratch,
                        struct diagnostics *diag)
{
    const struct json *header = csv.node ? json_member(csv.node, "header") : NULL;
    if (!header || mapping->format != &format_csv) return;
    bool texts = header->kind == JSON_ARRAY && header->count > 0 && header->count <= CSV_COLUMNS_MAX;
    str *names = ARENA_ARRAY(scratch, str, texts ? header->count : 1);
    size_t count = 0;
    for (const struct json *name = texts && names ? header->child : NULL; name; name = name->next) {
        texts &= name->kind == JSON_STRING;
        names[count++] = name->text;
    }
    if (!texts) return refuse(csv, header, diag, "'header' is the list of the columns' names, at most 1000");
    struct nearest nearest;
    str missing = missing_column(mapping, names, count, &nearest);
    if (missing.size)
        diag_add(diag, SEVERITY_ERROR, (struct origin){.source = csv.source}, header->begin, header->end,
                 nearest_hint(&nearest, scratch), "there is no column '%.*s'", STR_ARG(missing));
    if (!names || !csv_columns_read(&mapping->csv.columns, mapping->shape, names, count, &mapping->arena))
        diag->failed = true;
}

bool relance_mapping_csv(const struct relance_mapping *mapping, struct relance_csv *csv)
{
    *csv = (struct relance_csv){.separator = mapping->csv.separator,
                                .header_wanted = !mapping->csv.columns.keys,
                                .grouped = mapping->group};
    return mapping->format == &format_csv;
}

/* Where no name is near, another separator or another file may be meant: the first column shows it. */
static enum relance_status refuse_missing(str missing, const struct nearest *nearest,
                                          const struct csv_row *header, struct relance_error *error)
{
    enum { SHOWN_MAX = 80 };
    if (nearest->name.size)
        return relance_error_set(error, RELANCE_INVALID, "there is no column '%.*s'; did you mean '%.*s'?",
                                 STR_ARG(missing), STR_ARG(nearest->name));
    str first = header->cells[0];
    return relance_error_set(
        error, RELANCE_INVALID,
        "there is no column '%.*s' among the header's %zu, of which the first is '%.*s'%s", STR_ARG(missing),
        header->count, STR_ARG(str_slice(first, 0, first.size < SHOWN_MAX ? first.size : SHOWN_MAX)),
        first.size > SHOWN_MAX ? " …" : "");
}

enum relance_status relance_mapping_csv_header(struct relance_mapping *mapping, struct relance_str row,
                                               struct relance_error *error)
{
    struct csv_row *cells = ARENA_NEW(&mapping->arena, struct csv_row);
    char *room = arena_alloc(&mapping->arena, row.size + 1);
    struct nearest nearest;
    str text;
    row = str_skip_mark(row);
    if (!cells || !room || !arena_copy_str(&mapping->arena, row, &text))
        return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory for the header");
    if (!csv_row_take(cells, &text, mapping->csv.separator, &room))
        return relance_error_set(error, RELANCE_INVALID, "there is no header: the file is empty");
    if (cells->mistake) return relance_error_set(error, RELANCE_INVALID, "the header: %s", cells->mistake);
    for (size_t i = 0; i < cells->count; i++)
        cells->cells[i] = str_trim(cells->cells[i]);
    str missing = missing_column(mapping, cells->cells, cells->count, &nearest);
    if (missing.size) return refuse_missing(missing, &nearest, cells, error);
    if (csv_columns_read(&mapping->csv.columns, mapping->shape, cells->cells, cells->count, &mapping->arena))
        return RELANCE_OK;
    return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory for the header");
}
