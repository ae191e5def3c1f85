/* The keywords of mappings, for help and the manual. */
#include "base/str.h"

#include <relance/mapping.h>

void relance_mapping_keyword_rows(relance_row_show *show, void *context)
{
    static const struct {
        const char *group, *name, *prose;
    } rows[] = {
#define FILE_GROUP                          "A mapping"
#define CSV_GROUP                           "CSV"
#define ROW_GROUP                           "A row"
#define TEST_GROUP                          "A test"
#define GIVEN_GROUP                         "What a test is given"
#define MAPPING_KEYWORD(place, name, prose) {place##_GROUP, name, prose},
#include "mapping/keyword.def"
#undef MAPPING_KEYWORD
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct relance_row row = {
            .group = str_of(rows[i].group), .name = str_of(rows[i].name), .prose = str_of(rows[i].prose)};
        show(context, &row);
    }
}
