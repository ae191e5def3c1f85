/* Compiled rule sets of one thread, by their packed text: the one of the files, and those that marks and
 * checkpoints bring. Sets are kept until rulebook_keep: engines borrow them. */
#ifndef CONSUMER_DELIVERY_RULEBOOK_H
#define CONSUMER_DELIVERY_RULEBOOK_H

#include <relance/ruleset.h>

struct rulebook_set {
    char hash[13];
    char *packed; /* NUL-terminated */
    struct relance_ruleset *rules;
};

struct rulebook {
    struct rulebook_set **sets;
    size_t count;
};

/* The set of that text; compiled when it is met first. RELANCE_REFUSED: it does not compile (any more). */
RELANCE_MUST enum relance_status rulebook_get(struct rulebook *book, struct relance_str packed,
                                              const struct rulebook_set **out, struct relance_error *error);
/* Forgets all sets but the one of that text: nobody runs them. */
void rulebook_keep(struct rulebook *book, struct relance_str packed);
void rulebook_free(struct rulebook *book);

#endif
