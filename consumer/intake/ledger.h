/* What intake has done since its start (intake.def). Of a transaction that fails nothing is counted: what it is for is
 * read, and counted, again. */
#ifndef CONSUMER_INTAKE_LEDGER_H
#define CONSUMER_INTAKE_LEDGER_H

#include "base/names.h"

#include <stdio.h>

enum intake_counter {
#define INTAKE_COUNTER(ENUM, name, prose) INTAKE_##ENUM,
#define INTAKE_COUNTER_FAMILY(ENUM, form, prose)
#include "intake.def"
#undef INTAKE_COUNTER
#undef INTAKE_COUNTER_FAMILY
    INTAKE_COUNTER_COUNT,
};

enum { LEDGER_REASONS_MAX = 32 }; /* reasons of dead letters; further ones are not told apart */

struct ledger_numbers {
    int64_t plain[INTAKE_COUNTER_COUNT], dead[LEDGER_REASONS_MAX];
};

struct ledger {
    struct ledger_numbers kept, fresh; /* committed; since the last commit */
    struct names reasons;
};

void ledger_add(struct ledger *ledger, enum intake_counter counter, int64_t number);
void ledger_add_dead(struct ledger *ledger, struct relance_str reason);
void ledger_keep(struct ledger *ledger); /* what is fresh has been committed */
void ledger_drop(struct ledger *ledger); /* what is fresh has not, and will not be */
/* A line of the log, records=12 events=9 … dead.mapping=1: every plain counter, and the reasons that there were. */
void ledger_log(const struct ledger *ledger, const char *sentence);
/* The same as Prometheus reads it: relance_intake_records_total{group="…"} 12, and so on. */
void ledger_print(const struct ledger *ledger, const char *group, FILE *out);
void ledger_free(struct ledger *ledger);

#endif
