/* Marks: whatever is no record and yet decides (DELIVERY.md §1, STATE.md §5.4): the wall clock, a tick, a rule set,
 * the options that decide, what other partitions have told, versions of models. One JSON object each in the topic OUTPUT.marks, on the input's partition number:
 *
 *     {"n":17,"at":1812,"wall":1772445600120}
 *     {"n":18,"at":1812,"rules":[{"name":"cart.jsonc","text":"…"}]}
 *     {"n":19,"at":1812,"wall":1772445600120,"approximate":true}
 *     {"n":20,"at":1812,"links":44}
 *     {"n":22,"at":1813,"tick":1772445600120,"waits":8192}
 *     {"n":21,"at":1813,"zones":{"Europe/Paris":"29e8a1d37c0b4f52"}}
 *     {"n":22,"at":1900,"models":{"goes_with":"17:9f3c5a0b77d1e642"}}
 *
 * A mark takes effect before the first record at or after offset `at`, several at one offset in order of n. */
#ifndef CONSUMER_DELIVERY_MARK_H
#define CONSUMER_DELIVERY_MARK_H

#include "base/buffer.h"
#include <relance/engine.h>

struct mark {
    uint64_t n;
    int64_t at;
    int64_t wall; /* ms; RELANCE_NEVER: says nothing about it */
    int64_t tick; /* waits due before it end; RELANCE_NEVER: no tick */
    /* of a tick: only the first so many of them end, and what is left is another mark's; 0: all */
    uint64_t waits;
    int64_t
        links; /* link records below this offset of their topic have effect; RELANCE_NEVER: no more than before */
    char *rules;   /* a packed rule set (file.h); NULL: none */
    char *zones;   /* {NAME: hash of its file} of zones that what comes before has used; NULL: none */
    char *models;  /* {NAME: version} that decide from here on, null: none any more; NULL: as before */
    char *options; /* what decides besides rules, as text; NULL: says nothing about it */
    /* what comes before has not been recovered exactly, and cannot be decided again as it was */
    bool is_approximate;
};

void mark_print(const struct mark *mark, struct buffer *out);
RELANCE_MUST enum relance_status mark_parse(struct relance_str text, struct mark *out,
                                            struct relance_error *error);
void mark_free(struct mark *mark);

/* Marks in order of n. */
struct mark_list {
    struct mark *items;
    size_t count, capacity;
};
void mark_list_add(struct mark_list *list, struct mark mark); /* takes the mark's texts */
void mark_list_drop(struct mark_list *list, size_t count);    /* the first so many */
void mark_list_free(struct mark_list *list);

#endif
