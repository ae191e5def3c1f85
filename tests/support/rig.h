/* An engine with the world around it, for tests: a rule set from text, a store of states as a checkpoint has
 * them, and the decisions as lines. It fetches what the engine needs, and can make it forget everything it
 * holds. */
#ifndef SUPPORT_RIG_H
#define SUPPORT_RIG_H

#include "base/buffer.h"
#include "base/ensure.h"
#include "base/names.h"
#include "base/rfc3339.h"
#include "zones.h"

#include <relance/engine.h>
#include <stdlib.h>

struct rig_state { /* what the store has of a customer */
    struct rig_state *next;
    str customer, state;
    int64_t due_ms;
};

struct rig {
    struct arena arena; /* rule sets' zones, the store, the lines */
    struct relance_engine_options options;
    struct relance_engine *engine;
    struct rig_state *store;
    struct buffer lines; /* one decision each */
    str topic;
    struct relance_fate fate; /* of the last record */
    int64_t offset;           /* of the next record */
    size_t needed;            /* states that the engine asked for */
    size_t output;            /* decisions that are published */
    bool actions;             /* the lines are the bodies of those */
    bool bodies;              /* the lines are as the topic of decisions has them */
    bool is_given;            /* states are handed in that the store has never had */
    struct names sum_names;   /* "ALL customers.1", "DAY 2026-03-02 sales.first.orders" */
    int64_t *sums;            /* by number of the name */
};

static inline str rig_copy(struct rig *rig, str s)
{
    str copy = {0};
    ensure(arena_copy_str(&rig->arena, s, &copy));
    return copy;
}

/* A rule set of several files, to be freed; NULL, with what is wrong on stderr, when it does not compile. */
static inline struct relance_ruleset *rig_rules_of(struct arena *arena, const struct relance_source *sources,
                                                   size_t count)
{
    struct relance_ruleset *rules = NULL;
    struct relance_report *report = NULL;
    struct relance_error error;
    enum relance_status status =
        relance_ruleset_compile(sources, count, zone_file, arena, &rules, &report, &error);
    if (status != RELANCE_OK && report) fprintf(stderr, "%.*s", STR_ARG(relance_report_text(report)));
    relance_report_free(report);
    return status == RELANCE_OK ? rules : NULL;
}

/* Of one. */
static inline struct relance_ruleset *rig_rules(struct arena *arena, str text)
{
    return rig_rules_of(arena, &(struct relance_source){.name = STR("rules.jsonc"), .text = text}, 1);
}

static inline size_t rig_print(const struct rig *rig, const struct relance_decision *decision, char *out,
                               size_t size)
{
    if (rig->actions) return relance_action_print(decision, STR("0123456789ab"), out, size);
    if (rig->bodies) return relance_decision_body_print(decision, out, size);
    return relance_decision_print(decision, out, size);
}

static inline void rig_decide(void *context, const struct relance_decision *decision)
{
    struct rig *rig = context;
    bool is_output = relance_decision_is_output(decision);
    rig->output += is_output;
    if (rig->actions && !is_output) return;
    size_t size = rig_print(rig, decision, NULL, 0);
    char *line = arena_alloc(&rig->arena, size);
    ensure(line);
    rig_print(rig, decision, line, size);
    buffer_put(&rig->lines, line, size);
    buffer_put_char(&rig->lines, '\n');
}

/* ---- sums */

static inline void rig_add(void *context, const struct relance_addition *addition)
{
    static const char *const tables[RELANCE_SUMS_COUNT] = {
        [RELANCE_SUMS_ALL] = "ALL ", [RELANCE_SUMS_DAY] = "DAY ", [RELANCE_SUMS_COHORTS] = "COHORTS "};
    enum { DAY_MS = 86400000, DATE_BYTES = 10 };
    struct rig *rig = context;
    struct buffer name;
    char time[RFC3339_MS_SIZE];
    ensure(addition->number);
    buffer_init(&name, &rig->arena);
    buffer_put_str(&name, str_of(tables[addition->table]));
    rfc3339_print_ms(addition->day * DAY_MS, time);
    if (addition->table == RELANCE_SUMS_DAY) buffer_put_format(&name, "%.*s ", DATE_BYTES, time);
    buffer_put_str(&name, addition->name);
    uint32_t known = rig->sum_names.count, number = names_add(&rig->sum_names, buffer_str(&name));
    ensure(number != NAME_NONE);
    if (number == known) {
        rig->sums = realloc(rig->sums, (known + 1) * sizeof *rig->sums);
        ensure(rig->sums);
        rig->sums[known] = 0;
    }
    rig->sums[number] += addition->number;
}

/* 0: nothing has been added under that name, or as much as was taken away. */
static inline int64_t rig_sum(const struct rig *rig, const char *name)
{
    uint32_t number = names_find(&rig->sum_names, str_of(name));
    return number == NAME_NONE ? 0 : rig->sums[number];
}

/* An engine that knows all customers; its lines go to the rig. */
static inline void rig_start_as(struct rig *rig, struct relance_engine_options options)
{
    *rig = (struct rig){.options = options, .topic = STR("shop")};
    arena_init(&rig->arena, 0);
    buffer_init(&rig->lines, &rig->arena);
    rig->options.decide = rig_decide;
    rig->options.add = rig_add;
    rig->options.context = rig;
    rig->options.complete = true;
    rig->engine = relance_engine_new(&rig->options);
    ensure(rig->engine);
}

static inline void rig_start(struct rig *rig, const struct relance_ruleset *rules, int64_t lateness_ms)
{
    rig_start_as(rig, (struct relance_engine_options){.rules = rules, .lateness_ms = lateness_ms});
}

static inline void rig_end(struct rig *rig)
{
    relance_engine_free(rig->engine);
    names_free(&rig->sum_names);
    free(rig->sums);
    arena_free(&rig->arena);
}

/* ---- the store */

static inline struct rig_state *rig_stored(const struct rig *rig, str customer)
{
    struct rig_state *state = rig->store;
    while (state && !str_equal(state->customer, customer))
        state = state->next;
    return state;
}

static inline void rig_store_change(void *context, const struct relance_change *change)
{
    struct rig *rig = context;
    struct rig_state *state = rig_stored(rig, change->customer);
    if (!state) {
        state = ARENA_NEW(&rig->arena, struct rig_state);
        ensure(state);
        *state = (struct rig_state){.next = rig->store,
                                    .customer = rig_copy(rig, change->customer),
                                    .due_ms = rig->is_given ? change->due_saved_ms : RELANCE_NEVER};
        rig->store = state;
    }
    ensure(state->due_ms == change->due_saved_ms);
    state->state = rig_copy(rig, change->state);
    state->due_ms = change->due_ms;
}

static inline void rig_checkpoint(struct rig *rig)
{
    ensure(relance_engine_changes(rig->engine, rig_store_change, rig) == RELANCE_OK);
    relance_engine_saved(rig->engine);
}

/* Gives the engine what it asked for. */
static inline void rig_fetch(struct rig *rig)
{
    struct relance_error error;
    str customer = relance_engine_needed(rig->engine);
    const struct rig_state *state = rig_stored(rig, customer);
    rig->needed++;
    ensure(relance_engine_put(rig->engine, customer, state ? state->state : (str){0}, &error) == RELANCE_OK);
}

/* A checkpoint, and everything given up that can be. */
static inline void rig_forget(struct rig *rig)
{
    rig_checkpoint(rig);
    relance_engine_evict(rig->engine, 0);
}

/* A checkpoint, and another engine that knows nothing but the clock and who waits for when. */
static inline void rig_restart(struct rig *rig)
{
    rig_checkpoint(rig);
    int64_t clock_ms = relance_engine_clock(rig->engine);
    rig->options.names = rig_copy(rig, relance_engine_names(rig->engine));
    relance_engine_free(rig->engine);
    rig->options.complete = false;
    rig->engine = relance_engine_new(&rig->options);
    ensure(rig->engine);
    relance_engine_set_clock(rig->engine, clock_ms);
    for (const struct rig_state *state = rig->store; state; state = state->next)
        if (state->due_ms != RELANCE_NEVER)
            ensure(relance_engine_put_due(rig->engine, state->customer, state->due_ms) == RELANCE_OK);
}

/* ---- what happens */

static inline struct relance_record rig_record(struct rig *rig, str value)
{
    return (struct relance_record){.topic = rig->topic,
                                   .partition = 0,
                                   .offset = rig->offset++,
                                   .value = value,
                                   .timestamp_ms = RELANCE_NEVER};
}

/* One event, from JSON. */
static inline const struct relance_fate *rig_event(struct rig *rig, str value)
{
    enum relance_progress progress;
    struct relance_record record = rig_record(rig, value);
    while ((progress = relance_engine_record(rig->engine, &record, &rig->fate)) == RELANCE_NEEDS)
        rig_fetch(rig);
    ensure(progress == RELANCE_DONE);
    return &rig->fate;
}

static inline void rig_tick(struct rig *rig, int64_t before_ms)
{
    enum relance_progress progress;
    uint64_t most = UINT64_MAX;
    while ((progress = relance_engine_tick(rig->engine, before_ms, &most)) == RELANCE_NEEDS)
        rig_fetch(rig);
    ensure(progress == RELANCE_DONE);
}

static inline void rig_run_until(struct rig *rig, int64_t until_ms)
{
    enum relance_progress progress;
    while ((progress = relance_engine_run_until(rig->engine, until_ms)) == RELANCE_NEEDS)
        rig_fetch(rig);
    ensure(progress == RELANCE_DONE);
}

#endif
