/* The two ends of a link between a visitor and a customer, for link.c and elsewhere.c. */
#ifndef RULES_RULE_RUN_LINK_H
#define RULES_RULE_RUN_LINK_H

#include "rule/run/engine_internal.h"

struct customer *link_visitor(struct relance_engine *e, str visitor, enum relance_progress *progress);

/* ---- the customer's end */

/* Where a customer's link to the visitor stands; NAME_NONE: there is none. `state` may be NULL. */
uint32_t link_place(const struct state *state, str visitor);
/* The same of the link that has that ask. */
uint32_t link_find_with(const struct state *state, str visitor, str ask);
/* The visitor of the customer in scope has been heard of: its link stands last. */
void link_use(struct relance_engine *e, uint32_t at, int64_t time_ms);
void link_drop(struct relance_engine *e, struct customer *customer, uint32_t at);

/* ---- the visitor's end */

/* As whom the visitor is known; NULL: as nobody. */
const struct known_as *link_known_as(const struct customer *visitor);
/* Is the visitor known as that customer, with that ask? */
bool link_knows(const struct customer *visitor, str customer, str ask);
bool link_is_shared(const struct state *state);
void link_end_known(struct relance_engine *e, struct customer *visitor);
/* Is the customer one of those whom the visitor has been, or the next, of whom there are not too many yet? */
bool link_note_customer(struct relance_engine *e, struct state *visitor, str customer);
/* One device of too many people: it keeps what it has, and is nobody's. */
void link_become_shared(struct relance_engine *e, struct state *visitor);
/* What stays of a visitor: whose it is now, and who it has been. */
struct state *link_make_stub(struct relance_engine *e, const struct vector *linked_to, int64_t newest_ms,
                             struct known_as known);

#endif
