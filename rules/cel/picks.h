/* What became of the elements of a list that a function of the host gave: which of them are in what an expression comes to, and
 * what has left out the others.
 *
 *     goes_with(run.key, 20).filter(p, bought(p) == 0).take(2)
 *     mat: bought(p) == 0 is false (bought(p) = 1); lamp, rope; cup: take(2)
 *
 * As explaining a condition (explain.h): the text is parsed and checked again and its parts are evaluated one by one. Where
 * the language does not look (the other branch of ?:), nothing is looked at here; nor is a call inside of a loop. */
#ifndef RULES_CEL_PICKS_H
#define RULES_CEL_PICKS_H

#include "cel/cel.h"

struct cel_pick {
    str why;       /* what has left the element out; empty: nothing has */
    bool by_value; /* it was a condition, of which `why` says the values; else a call, as it is written */
};

/* One call, in the order in which they are made. */
struct cel_picks {
    struct cel_picks *next;
    void *tag; /* what `tag` gave */
    const struct cel_list *list;
    struct cel_pick *picks; /* of each element of the list */
    /* what nothing has left out is in the result, or what that was made of is; else the list has only been asked about: how many
     * there are, whether one of them … */
    bool is_taken;
};

/* Called right behind each call of the function; what it returns comes back in the result. */
typedef void *cel_picks_tag(void *context);

struct cel_picking {
    const struct cel_env *env;
    str text;       /* which has been compiled there */
    uint32_t first; /* functions from this number on are meant */
    cel_picks_tag *tag;
    void *context;
};
/* All that *out says is in `arena`. False without memory. */
bool cel_picks_find(struct arena *arena, const struct cel_picking *picking, struct cel_frame *frame,
                    struct cel_picks **out);

#endif
