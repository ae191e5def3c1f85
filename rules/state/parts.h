/* The parts of a state as a table (part.def), for what is done with every part: saving, loading, measuring,
 * giving back. */
#ifndef RULES_STATE_PARTS_H
#define RULES_STATE_PARTS_H

#include "base/buffer.h"
#include "state/state.h"

enum state_form { STATE_FORM_MAP, STATE_FORM_LIST, STATE_FORM_PAIRS, STATE_FORM_GROUPS };

struct state_loading;
struct state_saving;

struct state_part_row {
    char letter;
    size_t vector; /* offset in struct state */
    size_t item_size;
    enum state_form form;
    void (*save)(const void *item, struct state_saving *saving);
    void (*load)(struct state_loading *loading);
    void (*release)(struct pool *pool, void *item); /* NULL: it owns nothing */
};

extern const str state_forgot_letters[];
extern const struct state_part_row state_parts[STATE_PARTS];

/* save.c and load.c: one item of each part. */
#define STATE_PART(ENUM, vector, letter, item, FORM, release)                                                \
    void save_##item(const void *item, struct state_saving *saving);                                         \
    void load_##item(struct state_loading *loading);
#include "state/part.def"
#undef STATE_PART

/* sales.c: the ledger of orders. What cannot have been packed sets in->bad; false: no memory. What has been read is the
 * ledger's in either case. */
struct unpack;
void sales_pack(const struct sales_ledger *ledger, struct buffer *out);
bool sales_unpack(struct unpack *in, struct pool *pool, struct sales_ledger *ledger);

static inline const struct vector *state_items_of(const struct state *state, enum state_part part)
{
    return (const struct vector *)((const char *)state + state_parts[part].vector);
}

/* 1 had neither `f` nor `x`, nor the time of an update with the values of `by`. 2 had the newest send of a rule under
 * `s`, what remembered events cancel under `o`, with a run nothing but the steps published, and did not know of which
 * type the event of an id was. 3 has every instant, name and id in full, 4 every name. */
enum { STATE_FORMAT_OLDEST = 1, STATE_FORMAT_WHOLE = 3, STATE_FORMAT_NAMED = 4, STATE_FORMAT = 5 };

/* What has stood before may be named by its number, from 0: events, rules, limits, the first of each that stand in the
 * state. More are not looked through. Where a number may be a word, too, it stands there as -1 - n. */
enum { STATE_TOLD = 16 };

/* The letters of what a run has beside what every run has. */
enum {
    STATE_RUN_FIRST_DUE = 'd',
    STATE_RUN_BASE = 'b',
    STATE_RUN_DAY = 'y',
    STATE_RUN_LATE = 'l',
    STATE_RUN_SENT = 'n',
    STATE_RUN_ACTION = 'a',
    STATE_RUN_OUTCOME = 'o',
    STATE_RUN_SAID = 's',
    STATE_RUN_ANSWER = 'w',
    STATE_RUN_EARLIER = 't',
    STATE_RUN_TRACEPARENT = 'p',
    STATE_RUN_SENT_TO = 'i',
    STATE_RUN_STEP =
        'k', /* from here on those of format 4 and 5 alone, in which these are not mostly as they are */
    STATE_RUN_STARTED = 'c',
    STATE_RUN_TRIGGER = 'm',
    STATE_RUN_ORIGIN = 'g',
    STATE_RUN_VARIANT = 'v',
    STATE_RUN_MEMBERS = 8,       /* numbers of format 3 */
    STATE_RUN_MEMBERS_MORE = 11, /* and of formats 4 and 5 */
};

/* The width of a count's buckets in ms, by its form; 1: none, for life, or with COUNT_LAST the very time. */
int64_t state_form_width(uint8_t form);
/* The bucket that an instant lies in, from which those of the count are told; for life 0. */
int64_t state_form_base(uint8_t form, int64_t now_ms);
/* The instant that lies in it: of a value of `by`, when it was updated, as far as that is known. */
static inline int64_t state_value_base_ms(int64_t now_ms, uint32_t updated_s)
{
    return updated_s ? (int64_t)updated_s * 1000 : now_ms;
}

#define STATE_SHARED 'x' /* the letter of events that several runs keep: no part, since they are the runs' */

#endif
