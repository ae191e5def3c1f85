/* The cycle of `relance intake`: foreign records in, native events out. */
#ifndef CONSUMER_INTAKE_INTAKE_H
#define CONSUMER_INTAKE_INTAKE_H

#include "intake/ledger.h"
#include "intake/plan.h"
#include "intake/relay.h"
#include "wire/wire.h"

/* Gets to hear about once a second how it goes, and what is in the way, NULL for nothing; in the thread of the cycle. */
typedef void intake_hear(void *context, const struct ledger *ledger, const char *trouble);

struct intake_config {
    const struct plan *plan;
    struct relay *relay;
    struct relance_mapping **mappings; /* by the plan's numbers */
    struct wire **wires;               /* likewise; NULL: the mapping reads the bytes themselves */
    intake_hear *hear;                 /* NULL: nobody does */
    void *context;                     /* its */
};

/* Are all topics there that are needed, and may they be read? RELANCE_REFUSED: one sentence. */
RELANCE_MUST enum relance_status intake_check(const struct intake_config *config,
                                              struct relance_error *error);

/* Runs until a stop is asked for: RELANCE_OK; or there is no going on. */
RELANCE_MUST enum relance_status intake_run(const struct intake_config *config, struct relance_error *error);

#endif
