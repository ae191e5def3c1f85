/* Affinities as they are counted from the input, from a state on: by the learner that runs, and by who counts again. */
#ifndef CONSUMER_LEARN_COUNTING_H
#define CONSUMER_LEARN_COUNTING_H

#include "delivery/parcel.h"
#include "host/option.h"
#include "learn/shelf.h"
#include "learn/stream.h"
#include <relance/affinity.h>
#include <relance/learn.h>
#include <relance/ruleset.h>

enum {
    COUNTING_WAIT_MS = 200,
    COUNTING_AHEAD_MS = 86400000, /* an event later than that is from the future, by its producer's clock */
};

/* One affinity, as it is learnt. */
struct course {
    struct relance_affinity about;
    struct relance_learn *learn;
    struct relance_model *model; /* the version published last; NULL: none yet */
    struct relance_model *shown; /* that Redis had last; NULL: not known */
    int64_t *offsets;            /* records below these are in the state that it went on from */
    int64_t *until;              /* records from these on do not count; NULL: all do */
    bool has_state, is_new;      /* on the topic; events have come since the last version */
};

struct live {
    const struct options *options;
    struct relance_engine *engine;
    struct course *courses;
    size_t count;
    int partitions;
    int64_t *offsets; /* records below these have been counted */
    bool reads_headers;
    struct shelf *shelf;
    struct stream *stream;
    const struct relance_record *record; /* that is being dealt with */
    /* of the events, but for those from the future, beside which all that there is would weigh nothing for years */
    int64_t newest_ms;
    int64_t wall_ms;                /* when records were last waited for */
    int64_t at_ms;                  /* of the last version or state */
    int64_t versions_us, states_us; /* when they were last written */
    size_t state_bytes;             /* that counts took behind the last state */
    int64_t shown_us;               /* when Redis was last asked whether it has the lists */
    bool redis_is_away;             /* that was said */
};

/* A course for each affinity; live->partitions is known. */
void counting_open(struct live *live, const struct relance_ruleset *rules);
/* All that it has, shelf and stream included. */
void counting_close(struct live *live);

/* Whose it is: of that name and recipe; NULL: of none. */
struct course *counting_course(const struct live *live, const struct parcel_head *head);
/* A state's bytes on its topic: offsets, by partition, and behind them what the core has made. False: of fewer partitions. */
bool counting_unframe(const struct live *live, struct relance_str bytes, int64_t *offsets,
                      struct relance_str *state);
/* A later state takes the place of an earlier one; the full version beside it is the one that deltas begin at. */
enum relance_status counting_take(struct live *live, struct course *course,
                                  const struct parcel_joiner *joiner, struct relance_error *error);
/* Counts what has come, waiting COUNTING_WAIT_MS for it. */
enum relance_status counting_read(struct live *live, struct relance_error *error);

#endif
