/* Records that no row of a mapping is for, gathered over a file: of each name that they gave how many, and the first line. */
#ifndef CONSUMER_REPORT_PASSED_H
#define CONSUMER_REPORT_PASSED_H

#include <relance/mapping.h>

enum { PASSED_NAMES_MAX = 16, PASSED_NAME_SHOWN = 64 };

struct passed {
    uint64_t count; /* in all */
    struct passed_name {
        uint64_t count;
        int64_t line;                 /* of the first, from 1 */
        char name[PASSED_NAME_SHOWN]; /* empty: they gave none */
    } names[PASSED_NAMES_MAX];
    size_t name_count;
};

void passed_take(struct passed *passed, const struct relance_mapped *mapped, int64_t line);
/* On standard error, a line for each name. */
void passed_print(const struct passed *passed, const char *path);

#endif
