/* Values that do not fit the declared type of their field, gathered over a file: of each kind (event type, field) how many,
 * and the first as it stood there. Told at the end, since a rule that reads such a field fails silently otherwise. */
#ifndef CONSUMER_REPORT_MISFITS_H
#define CONSUMER_REPORT_MISFITS_H

#include <relance/engine.h>
#include <relance/mapping.h>

enum { MISFIT_KINDS_MAX = 64, MISFIT_WORDS_MAX = 256 };

struct misfits {
    uint64_t count; /* in all */
    struct misfit_kind {
        uint64_t hash, count;
        int64_t line;                 /* of the first, from 1 */
        char words[MISFIT_WORDS_MAX]; /* purchase.total is no double: "12,50" */
    } kinds[MISFIT_KINDS_MAX];
    size_t kind_count;
};

/* What did not fit in the event of that line. */
void misfits_take(struct misfits *misfits, const struct relance_fate *fate, int64_t line);
/* What did not fit in a record that a mapping has read. */
void misfits_take_mapped(struct misfits *misfits, const struct relance_mapped *mapped, int64_t line);
/* On standard error, a line for each kind. */
void misfits_print(const struct misfits *misfits, const char *path);

#endif
