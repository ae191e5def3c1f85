/* What a worker has in hand, for the files that it is made of: worker.c is the cycle, flight.c the transaction and the
 * checkpoints that go on beside it, membership.c its place in the group, resting.c what it packs, telling.c its figures. */
#ifndef CONSUMER_DELIVERY_WORK_H
#define CONSUMER_DELIVERY_WORK_H

#include "delivery/worker.h"
#include "delivery/partition.h"
#include "delivery/wanted.h"

enum {
    /* Bytes of output, of one record, beyond which it has no lines of decisions; the least that failures leave. */
    WORK_LINES_MAX = 256 << 20,
    WORK_LINES_LEAST = 48 << 20,
    WORK_SLOW_US = 1000000, /* a partition that Redis was so slow for is the last one of this cycle */
};

/* The transaction that goes on while more is decided (DELIVERY.md §3.9). */
struct flight {
    bool is_open;
    struct outbox outbox;
    struct sink_frontier *frontiers; /* room for those of all partitions of the input */
    size_t frontier_count, action_count;
    uint64_t lines_left; /* lines that it lacks */
};

struct work {
    struct worker *worker;
    struct workplace place;
    struct rulebook book;
    struct flight flight;
    char member[512];
    struct partition **by_number; /* our partitions by number; NULL: not ours */
    struct partition **parked; /* by number: taken from us, and not yet given back or to others; NULL: none */
    struct partition **own;    /* our partitions, one after the other */
    size_t own_count;
    struct partition **saving; /* those of them whose checkpoints are being written */
    size_t saving_count;
    struct partition *gone; /* not ours any more, and perhaps still in use: freed between two cycles */
    struct wanted wanted;   /* scratch: customers to fetch */
    struct buffer names;    /* scratch: of visitors among them */
    size_t most;            /* records that a batch may have; halved by failures */
    bool assigned;          /* the group has told us what is ours, be it nothing */
    int64_t joined_us;      /* when it did so first */
    bool loaded;            /* the last batch was large */
    bool has_more;          /* much more was waiting behind it */
    bool ticking;           /* more waits are due than were ended */
    bool has_left;          /* partitions have been taken away, whose links are read all the same */
    size_t left_unsaved;    /* partitions that went without a last checkpoint, since we had some last */
    bool has_grown;         /* the input has more partitions than at the start */
    int64_t asked_us;       /* when the end of the input was last asked for */
    size_t asked;           /* for which partition of `own` that was */
    size_t turn;            /* which partition of `own` is claimed first */
    int64_t published_us;   /* when a transaction was last begun, or found committed */
    int64_t rested_us;      /* when a round of packing states began */
    size_t resting;         /* the partition of `own` that it is at */
    bool is_resting;        /* it has not come to its end */
    bool has_freed;         /* it has given back memory */
    bool was_loaded;        /* queues have been full since memory was last given back to the machine */
    int64_t whole_us;       /* when a cycle last came to its end */
    struct pulse_figures figures;
    uint64_t events_gone,
        fetched_gone; /* the part of the figures that comes from partitions no longer ours */
};

/* ---- publishing and saving (flight.c) */
/* Waits for the end of the transaction that is open, if one is. After a failure all that has been decided, what it carried and
 * what came after, is to be dropped. */
RELANCE_MUST enum relance_status work_settle(struct work *work, struct relance_error *error);
/* Waits for the end of the transaction that is open, if one is, and for all checkpoints that have been put together. */
RELANCE_MUST enum relance_status work_land(struct work *work, struct relance_error *error);
/* Waits until no checkpoint is being written; what has come of them is not looked at, since their partitions are dropped. */
void work_give_up_saving(struct work *work);
/* Looks whether the transaction has ended, and whether what is written has been. */
RELANCE_MUST enum relance_status work_look(struct work *work, struct relance_error *error);
/* Begins one transaction with all that there is to publish and the frontiers of all partitions that have moved. */
RELANCE_MUST enum relance_status work_publish(struct work *work, struct relance_error *error);
/* A transaction costs the same whatever it holds, so while more records are waiting than a batch may have, one speaks for
 * several batches. Not where transactions have failed of late: those are to be small. */
bool work_is_publish_due(const struct work *work);
/* Between two records, and between two partitions that tick: what one of these brings stands in one transaction. */
RELANCE_MUST enum relance_status work_publish_much(struct work *work, struct relance_error *error);
/* I1: the transaction speaks for all partitions, and is over. */
RELANCE_MUST enum relance_status work_publish_and_save(struct work *work, struct partition *partition,
                                                       struct relance_error *error);
/* Of our partitions, those of which something is published that no checkpoint has, or may have been: nobody else can go on
 * from there but an engine that decides alike. */
size_t work_count_unsaved(const struct work *work);
/* Have at least so many times the customers changed that are saved at once? */
bool work_has_changed(const struct work *work, const struct partition *partition, size_t times);
/* What is due, under load one partition after another; where a transaction is open, what is due waits for the next.
 * `all`: every dirty one, now. */
RELANCE_MUST enum relance_status work_save_due(struct work *work, bool all, struct relance_error *error);
/* A partition that catches up saves nothing, and need not. */
void work_note_whole(struct work *work);

/* ---- the cycle (worker.c) */
/* What has been decided and is not published is dropped. */
void work_clear(struct work *work);

/* ---- its place in the group (membership.c) */
/* Waits until the first worker of the process has joined, in the others. */
void work_join_behind_first(const struct work *work);
/* In the first: are the others still joining? Until then it claims nothing. */
bool work_awaits_others(const struct work *work);
/* What the group says, inside source_gather, or inside source_idle, where something may be half decided. `context` is the work. */
void work_assigned(void *context, const int32_t *partitions, size_t count);
void work_revoked(void *context, bool lost);
/* Partitions that others have by now, and those that may have been in use when they were taken away: between two cycles. */
void work_free_parked(struct work *work);
void work_free_gone(struct work *work);
/* Links of partitions that were taken away are read no more, now that nobody is in the middle of them. */
void work_stop_links(struct work *work);

/* ---- states at rest (resting.c) */
/* Goes on packing what nothing has happened to for a while. What that frees goes back to the machine, and what queues held,
 * once they are drained. */
void work_put_to_rest(struct work *work);

/* ---- figures (telling.c) */
/* Asks for the end of the input, of one partition a time, when it is time. */
void work_ask_end(struct work *work);
void work_tell(struct work *work);
/* Records in another partition than that of their key: now and then, or `now`. */
void work_tell_misplaced(struct work *work, bool now);

#endif
