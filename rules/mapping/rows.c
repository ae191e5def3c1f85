/* What rows give, as those see it who compare a mapping with rules. */
#include "mapping/build.h"
#include "mapping/mapping.h"

static bool visit_row(const struct row *row, struct arena *scratch, mapping_row_visit *visit, void *context)
{
    struct mapped_field *fields = ARENA_ARRAY(scratch, struct mapped_field, row->field_count + 1);
    struct mapped_row view = {.has_others = row->from, .fields = fields};
    if (!fields) return false;
    if (row->members[ROW_TYPE]) value_is_plain_text(row->members[ROW_TYPE], &view.type);
    for (size_t i = 0; i < row->field_count; i++) {
        const struct row_field *field = &row->fields[i];
        if (field->value)
            fields[view.field_count++] =
                (struct mapped_field){field->name, field->source, field->begin, field->end, field->value};
    }
    visit(context, &view);
    return true;
}

bool mapping_each_row(const struct relance_mapping *mapping, struct arena *scratch, mapping_row_visit *visit,
                      void *context)
{
    for (size_t i = 0; i < mapping->names.count; i++) {
        const struct rows *rows = &mapping->rows[i];
        for (size_t r = 0; r < rows->count && !rows->is_alias; r++)
            if (!visit_row(&rows->items[r], scratch, visit, context)) return false;
    }
    return true;
}

bool mapped_field_fits(const struct mapped_field *field, const struct cel_type *declared,
                       struct arena *scratch, str *path, const struct cel_type **found,
                       const struct cel_type **wanted)
{
    struct value_misfit misfit;
    if (value_fits(field->value, declared, scratch, &misfit)) return true;
    *path = misfit.path;
    *found = misfit.found;
    *wanted = misfit.wanted;
    return false;
}

void mapping_narrow(struct relance_mapping *mapping, mapping_wants *wants, void *context)
{
    for (size_t i = 0; i < mapping->names.count; i++) {
        for (size_t r = 0; r < mapping->rows[i].count && !mapping->rows[i].is_alias; r++) {
            struct row *row = &mapping->rows[i].items[r];
            str type;
            size_t kept = 0;
            if (!row->members[ROW_TYPE] || !value_is_plain_text(row->members[ROW_TYPE], &type)) continue;
            for (size_t f = 0; f < row->field_count; f++)
                if (row->fields[f].needed || wants(context, type, row->fields[f].name))
                    row->fields[kept++] = row->fields[f];
            row->field_count = kept;
        }
    }
}
