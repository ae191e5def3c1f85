/* One partition of the input, from claim to revoke (DELIVERY.md §3): its engine, its store, where it is,
 * and what it has still to publish. A partition belongs to one worker and its thread.
 *
 *     claim ──► BEHIND ──records and marks, silently, up to P──► LIVE ──► parked, in a rebalance; or dropped
 *                 ▲                                               │          │
 *                 ├────────── an abort, a foreign stamp ──────────┘          │
 *                 └────────── given back: with the engine, if it is still what Redis and Kafka have
 *
 * What functions here return:
 *     RELANCE_OK       go on
 *     RELANCE_AGAIN    the partition has to be claimed (again)
 *     any other        there is no going on: the process ends with error->message */
#ifndef CONSUMER_DELIVERY_PARTITION_H
#define CONSUMER_DELIVERY_PARTITION_H

#include "base/names.h"
#include "host/beside.h"
#include "delivery/counter.h"
#include "delivery/links.h"
#include "delivery/mark.h"
#include "delivery/misplaced.h"
#include "delivery/modelbook.h"
#include "delivery/outbox.h"
#include "delivery/rulebook.h"
#include "delivery/published.h"
#include "delivery/pulse.h"
#include "host/sampler.h"
#include "delivery/sink.h"
#include "delivery/source.h"
#include "delivery/standing.h"
#include "delivery/sums.h"
#include "delivery/store.h"

/* What all partitions of a worker share. */
struct workplace {
    const struct options *options;
    const char *member;   /* GROUP/INSTANCE/WORKER */
    const char *rules;    /* packed text of the rule files as they are now */
    const char *deciding; /* what decides besides rules, as text */
    const char *tzdata;   /* version of the time-zone data; NULL: not known */
    int input_partitions;
    int64_t from_ms;            /* --from TIME; or one of these */
    struct standing *standings; /* by partition */
    struct pulse *pulse;        /* of the worker */
    struct rulebook *book;
    struct modelbook *models; /* of the process; NULL: there are none */
    struct source *source;
    struct sink *sink;
    struct links *links;
    struct beside saver;      /* writes checkpoints while more is decided */
    int64_t told_us;          /* when link records were said last; 0: never */
    bool sink_spent;          /* a transaction failed: another sink, and all is claimed again */
    struct outbox outbox;     /* marks, dead letters, actions, link records, lines not yet in a transaction */
    size_t unpublished_count; /* of them, all but marks and lines: what asks for a transaction */
    size_t waits_most;        /* that one mark ends */
    size_t lines_room;        /* bytes of the outbox beyond which no line is put into it */
    uint64_t lines_left;      /* lines that were left out so since the last transaction */
    /* something is half decided: neither the outbox nor the engines are to be used */
    bool is_halfway;
    struct buffer body;     /* scratch */
    struct sampler sampler; /* what goes wrong in events and expressions, a part of it for the log */
    struct misplaced misplaced;
    bool refuses_misplaced; /* --misplaced refuse */
    int64_t ahead_us;       /* when waits may be read ahead again */
};
/* Waits a moment before trying again; false: the process is to end. */
bool partition_pause(int64_t us);
/* Likewise in the middle of something, while the group goes on hearing from us. RELANCE_AGAIN: the process is to end, or
 * the group has taken the partitions; then they are gone, but for those that are still in use, which go later. */
RELANCE_MUST enum relance_status partition_wait(struct workplace *place, int64_t us,
                                                struct relance_error *error);

#define FROM_EARLIEST (INT64_MIN)
#define FROM_LATEST   (INT64_MAX)
#define FROM_UNSET    (INT64_MAX - 1)

enum partition_state { PARTITION_UNCLAIMED, PARTITION_BEHIND, PARTITION_LIVE };

/* A version of a model that decides. */
struct adopted {
    char name[PARCEL_NAME_BYTES]; /* of the affinity */
    uint64_t number, chain;
    const struct modelbook_version *version; /* NULL: it is no longer kept */
};

/* What decides besides records, as the marks met so far have it (I4). */
struct in_force {
    int64_t wall_ms;                  /* RELANCE_NEVER: none yet */
    const struct rulebook_set *rules; /* NULL: those of the first mark to come */
    int64_t rules_mark;               /* number of the mark that brought the rules */
    struct buffer options;            /* as text; empty: those of the first mark to come */
    const char *rules_seen;           /* place->rules when they were last compared with these */
    struct adopted *adopted;          /* at most one of each affinity */
    size_t adopted_count;
    uint64_t models_seen; /* which edition of the book these were last compared with, plus 1 */
};

/* A recovery that is not exact (recover.c), while it lasts. */
struct recovery {
    bool is_approximate;
    bool is_rebuild; /* nothing was there: states are made from the earliest record */
    /* records or marks up to P are gone: nobody can say which waits they had dealt with */
    bool has_gaps;
    struct published published; /* since the checkpoint */
};

/* The last record processed: is the input still the topic that held it? */
struct last_record {
    int64_t offset;
    uint64_t hash;
    const struct source_record *record; /* of this batch, not hashed yet */
    bool is_expected;                   /* the first record to come is to be that one */
};

/* How the store answers, and when it is asked again. Instants are of the monotonic clock. */
struct store_pace {
    bool is_failing;       /* the store fails, and that has been logged */
    bool is_claim_failing; /* a claim fails, and that has been logged */
    int64_t saved_us;      /* when a checkpoint was last tried */
    int64_t whole_us;      /* when Redis last had all that was decided, or the partition came to us */
    bool was_saved;        /* unclaimed: when it was given up, Redis had all that is published */
    int64_t retry_us;      /* when a claim or a checkpoint may be tried again */
};

/* The end of the input. */
struct input_end {
    int64_t offset;      /* as last asked for */
    int64_t first;       /* when it was first claimed; -1: not yet */
    int64_t begin;       /* while unclaimed: where a claim would go on; -1: not known */
    int64_t asked_us;    /* when it was last asked for, for ticks */
    int64_t hidden_from; /* an open transaction hides the records from here on; -1: none does */
    int64_t hidden_us;   /* since when; RELANCE_NEVER: that has been logged */
};

/* A checkpoint that is put together, and not yet known to be in the store: what decides goes on meanwhile. */
struct saving {
    bool is_on;      /* there is one */
    bool is_writing; /* it is being written, or has been: what has come of it is not looked at yet */
    struct position at;
    struct counters counters; /* what it says has been counted */
    struct sums sums;
    /* what has come of writing it */
    enum relance_status status;
    struct relance_error error;
    int64_t took_us;
};

struct partition {
    int32_t number;
    enum partition_state state;
    struct workplace *place;
    struct standing *standing;
    struct relance_engine *engine;
    struct store *store;
    /* while unclaimed: the engine is what Redis has under this stamp; "": there is none */
    char parked_stamp[STAMP_SIZE];

    struct position decided;   /* what the engine has decided */
    struct frontier published; /* P: what is in Kafka */
    struct position saved;     /* O and M: what is in Redis. I1: it is within what is published */
    /* Q: link records below this offset of their topic have had effect; the marks decided say so */
    int64_t links_to;
    struct meta meta; /* of the checkpoint that was read, then of the one being written */

    struct in_force in_force;
    struct mark_list ahead; /* marks to be met before P */
    struct recovery recovery;

    /* These two outlive claims. */
    /* the last record of a checkpoint, where the input has turned out to be another topic, without it; offset -1: none */
    struct lacked_record {
        int64_t offset;
        uint64_t hash;
    } lacked;
    int64_t anew_from; /* where reading that topic began, until a checkpoint says so; -1: nowhere yet */

    int64_t reached;    /* what is decided just now follows from records below this offset */
    int64_t told;       /* so many decisions of this record or mark have become lines */
    bool sees_visitors; /* events of visitors have come: their states are fetched ahead, too */
    bool touched;       /* this batch has had records of it */
    /* the last record given has not been decided, since waits before it are left; partition_go_on does it */
    bool is_halted;
    bool is_misplaced; /* is the record at hand: counted once it has been dealt with */
    int64_t
        tick_ms; /* what was due before then when the reader was at the end is being ended; RELANCE_NEVER: nothing */
    struct last_record last;
    struct input_end input_end;

    struct store_pace pace;
    struct saving saving;
    struct counters counters; /* what has been counted since the checkpoint, or the one that is being saved */
    struct sums sums;         /* what has been added up since then */
    struct relance_forgot forgot;       /* how much of what the engine has forgotten is counted */
    struct relance_links links;         /* how much of what it has linked is */
    const struct source_record *record; /* that is being dealt with */
    /* records, and customers read from the store, since it was given to us */
    uint64_t events, fetched;
    /* "NAME HASH" of time zones used since the checkpoint; the first `zones_said` of them stand in marks */
    struct names zones;
    uint32_t zones_said;
    struct partition *next_gone; /* the next of those that are freed once nobody uses them */
};

struct partition *partition_new(struct workplace *place, int32_t number);
void partition_free(struct partition *partition);
/* Forgets all that a claim had brought; the partition is to be claimed. */
void partition_drop(struct partition *partition);
/* Forgets the engine and its rules alone. */
void partition_drop_engine(struct partition *partition);
/* Forgets that it is ours and keeps the engine, for the case that nobody else has been at work when it is claimed
 * again. False: it has more than its checkpoint, or nothing. */
bool partition_park(struct partition *partition);

/* ---- claim (claim.c) */
/* RELANCE_AGAIN: not now, partition->retry_us says when. */
RELANCE_MUST enum relance_status partition_claim(struct partition *partition, struct relance_error *error);

/* ---- what cannot be recovered exactly (recover.c) */
/* Something is missing, which the sentence says. Where the operator has accepted that, by an option, it is
 * logged and the recovery is not exact from here on; otherwise RELANCE_REFUSED, with the sentence and the cure. */
RELANCE_MUST __attribute__((format(printf, 5, 6))) enum relance_status
partition_lacks(struct partition *partition, bool accepted, const char *cure, struct relance_error *error,
                const char *format, ...);
RELANCE_MUST __attribute__((format(printf, 3, 4))) enum relance_status
partition_refuse(const struct partition *partition, struct relance_error *error, const char *format, ...);
/* Redis has nothing that fits: it is emptied, and all records are decided again. */
RELANCE_MUST enum relance_status partition_rebuild(struct partition *partition, struct relance_error *error);
/* The input is not the topic that P speaks of: goes on with the states that there are, at `start`; *p is set. */
RELANCE_MUST enum relance_status partition_begin_anew(struct partition *partition, int64_t start,
                                                      struct source_frontier *p, struct relance_error *error);
/* All marks of the partition that are still kept, since not all that are needed are. */
RELANCE_MUST enum relance_status partition_read_kept_marks(struct partition *partition,
                                                           struct relance_error *error);
/* Reads what has been published since the checkpoint. */
RELANCE_MUST enum relance_status partition_read_published(struct partition *partition,
                                                          struct relance_error *error);
/* At P: settles what has been published already, takes its numbers and leaves a mark. */
RELANCE_MUST enum relance_status partition_arrive_approximately(struct partition *partition,
                                                                struct relance_error *error);

/* ---- versions of models (adopt.c) */
/* Those that a mark names decide from here on. RELANCE_REFUSED: they are no longer kept. */
RELANCE_MUST enum relance_status
partition_apply_models(struct partition *partition, struct relance_str models, struct relance_error *error);
/* Those of the checkpoint, before there is an engine; what marks name is looked for, too. */
RELANCE_MUST enum relance_status partition_load_models(struct partition *partition,
                                                       struct relance_error *error);
/* The engine is given those in force. */
void partition_set_models(const struct partition *partition);
/* Other rules are in force: what they do not declare by the same recipe goes. */
void partition_keep_models(struct partition *partition);
void partition_drop_models(struct partition *partition);
/* What a mark is to say, since there are newer ones than those in force: NUL-terminated, or nothing. */
void partition_find_models(struct partition *partition, struct buffer *out);
/* Something has become available since it last looked. */
bool partition_has_new_models(const struct partition *partition);
/* Up to when the oldest of those in force was counted, ms; 0: there is none. */
int64_t partition_oldest_model(const struct partition *partition);
/* Those in force, as a mark names them; empty: none. */
void partition_print_models(const struct partition *partition, struct buffer *out);

/* ---- the cycle (partition.c) */
RELANCE_MUST enum relance_status partition_record(struct partition *partition,
                                                  const struct source_record *record,
                                                  struct relance_error *error);
/* Likewise, once more, while partition->is_halted: in between there is a place for a transaction and a checkpoint. */
RELANCE_MUST enum relance_status
partition_go_on(struct partition *partition, const struct source_record *record, struct relance_error *error);
/* Takes note of the last record decided. Before the batch is released, and before a checkpoint. */
void partition_note_last(struct partition *partition);
/* Before the batch is released. */
void partition_end_batch(struct partition *partition);
/* The reader is at `offset`, though no record stands right before it: the end of the input. */
RELANCE_MUST enum relance_status partition_reach(struct partition *partition, int64_t offset,
                                                 struct relance_error *error);
/* What has changed of the world since the last marks becomes a mark; `tick`: waits due before it end, `links`: link
 * records below it have effect; RELANCE_NEVER: says nothing about it. The partition is live. */
RELANCE_MUST enum relance_status partition_freshen(struct partition *partition, int64_t tick, int64_t links,
                                                   struct relance_error *error);
/* Lets waits end that are due before `before_ms`, the first so many; 0: all. */
RELANCE_MUST enum relance_status partition_apply_tick(struct partition *partition, int64_t before_ms,
                                                      uint64_t waits, struct relance_error *error);
/* Link records below an offset of their topic have effect, as a mark says. */
RELANCE_MUST enum relance_status partition_apply_links(struct partition *partition, int64_t before,
                                                       struct relance_error *error);
/* Where link records wait to be taken, a mark takes them. */
RELANCE_MUST enum relance_status partition_take_links(struct partition *partition,
                                                      struct relance_error *error);
/* An open transaction that has hidden records for too long is told of, once. */
void partition_tell_hidden(struct partition *partition);
/* Lets waits end that are due, when the reader is at the end: as many as one mark may end. While tick_ms says that some are
 * left, the next call goes on. */
RELANCE_MUST enum relance_status partition_tick(struct partition *partition, struct relance_error *error);
/* What a call of the engine has come to: RELANCE_OK where it is done, else why the partition is to be claimed again or the
 * process is to end. */
RELANCE_MUST enum relance_status partition_settle(struct partition *partition, enum relance_progress progress,
                                                  struct relance_error *error);
/* What bounds have made the engine forget is counted, and told of now and then. */
void partition_count_forgotten(struct partition *partition);
/* What visitors and customers have come to is counted. */
void partition_count_links(struct partition *partition);
/* Reads the state that the engine has asked for. */
RELANCE_MUST enum relance_status partition_fetch_needed(struct partition *partition,
                                                        struct relance_error *error);
/* Reads the states of customers that the engine does not hold. */
RELANCE_MUST enum relance_status partition_fetch(struct partition *partition,
                                                 const struct relance_str *customers, size_t count,
                                                 struct relance_error *error);

/* ---- waits of the checkpoint (waits.c) */
/* The next part of them, in the order of their times. RELANCE_AGAIN: the store is away, or somebody else's by now. */
RELANCE_MUST enum relance_status partition_ask_waits(struct partition *partition,
                                                     struct relance_error *error);
/* Likewise, and waits for a store that is away. */
RELANCE_MUST enum relance_status partition_read_waits(struct partition *partition,
                                                      struct relance_error *error);
/* Until it is known what is due next before then. */
RELANCE_MUST enum relance_status partition_find_next(struct partition *partition, int64_t before_ms,
                                                     struct relance_error *error);
/* Until all are known that are due before then. */
RELANCE_MUST enum relance_status partition_know_waits(struct partition *partition, int64_t before_ms,
                                                      struct relance_error *error);
/* A part that nobody needs yet, unless the store is away. */
RELANCE_MUST enum relance_status partition_read_ahead(struct partition *partition,
                                                      struct relance_error *error);

/* A store that is away is waited for: without what it has nothing can be decided. */
RELANCE_MUST enum relance_status partition_await_store(struct partition *partition,
                                                       struct relance_error *error);
/* Reads the states of the first so many of those that wait for something due before then, where they are not at hand: at
 * once, instead of one by one as a tick needs them. */
RELANCE_MUST enum relance_status partition_fetch_due(struct partition *partition, int64_t before_ms,
                                                     size_t most, struct relance_error *error);

/* Is what has been decided up to P what has been published? */
bool partition_is_as_published(const struct partition *partition);
/* Is there something that P does not account for yet? The P that does; and the note that one is in Kafka. */
bool partition_has_news(const struct partition *partition);
struct sink_frontier partition_frontier(const struct partition *partition);
void partition_published(struct partition *partition, const struct frontier *frontier);

/* Time zones that have been used since the checkpoint and stand in no mark yet get one. Before what they decided is
 * published. */
RELANCE_MUST enum relance_status partition_say_zones(struct partition *partition,
                                                     struct relance_error *error);
void partition_forget_zones(struct partition *partition);

/* ---- checkpoint (checkpoint.c) */
bool partition_is_dirty(const struct partition *partition);
/* Is all that is published in a checkpoint, O = P? False also where that is not known. */
bool partition_is_saved(const struct partition *partition);
/* Puts a checkpoint at what is decided together; what is decided from here on is a matter of the next one. */
RELANCE_MUST enum relance_status partition_begin_checkpoint(struct partition *partition,
                                                            struct relance_error *error);
/* Once a transaction with just that has committed: it may be written from here on. */
void partition_release_checkpoint(struct partition *partition);
/* Writes it, also in another thread: meanwhile the store is not the partition's (partition_take_store). */
void partition_write_checkpoint(struct partition *partition);
/* What has come of it. RELANCE_OK also when the store would not take it now: the state stands, and is offered again. */
RELANCE_MUST enum relance_status partition_end_checkpoint(struct partition *partition,
                                                          struct relance_error *error);
/* Whoever asks the store for anything waits until nothing is written there. */
void partition_take_store(struct partition *partition);
/* All of it at once, where what is decided is published; of one that has been put together, the rest. */
RELANCE_MUST enum relance_status partition_checkpoint(struct partition *partition,
                                                      struct relance_error *error);

/* ---- what is decided, put into the outbox (action.c) */
/* Asked by the engine before it links: do both live in this partition? */
bool partition_lives_here(void *partition, struct relance_str customer, struct relance_str visitor);
/* Asked by the engine where the record triggers something. */
struct relance_str partition_traceparent(void *partition);
void partition_decided(void *partition, const struct relance_decision *decision);
void partition_added(void *partition, const struct relance_addition *addition);
void partition_link_said(void *partition, const struct relance_link_record *link);
void partition_dead_letter(struct partition *partition, const struct source_record *record,
                           const struct relance_fate *fate);
void partition_put_mark(struct partition *partition, const struct mark *mark);

/* ---- what is decided, as a line (lines.c) */
/* With --decisions, of a partition that is live. */
void partition_tell_decision(struct partition *partition, const struct relance_decision *decision);

/* ---- how it stands, for whoever shows it (standing.c) */
void partition_stand(const struct partition *partition, int64_t now_us);

/* ---- what goes wrong, a part of it for the log (mishap.c) */
void partition_tell_error(struct partition *partition, const struct relance_decision *decision);
void partition_tell_failed(struct partition *partition, const struct relance_decision *decision);
void partition_tell_dead(struct partition *partition, const struct source_record *record,
                         const struct relance_fate *fate);
void partition_tell_miskeyed(struct partition *partition, const struct source_record *record,
                             const struct relance_fate *fate);
void partition_tell_invalid(struct partition *partition, const struct source_record *record,
                            const struct relance_fate *fate);
void partition_tell_forgotten(struct partition *partition, const struct relance_forgot *forgot,
                              enum relance_forgot_kind kind);
/* Nothing can be saved since then (of the monotonic clock), or claimed: said after ten seconds, and then once a minute. */
void workplace_tell_unsaved(struct workplace *place, int64_t since_us, const char *why);

#endif
