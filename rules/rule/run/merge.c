/* Each part of a state has its rule, and its function here. What moves is taken out of the visitor's state; what loses
 * against the customer's stays there, and goes with it.
 *
 * Merging with nothing changes nothing. Two visitors who have nothing in common give the same in either order, but for
 * what bounds forget and for what happened at the same instant. */
#include "rule/run/merge.h"

#include "rule/run/bound.h"
#include "rule/run/runs.h"
#include "rule/run/sales.h"

#include <stdlib.h>

/* Moves an item to a place in the customer's part; without memory it stays. */
static void move_item(struct relance_engine *e, enum state_part part, uint32_t at, void *item)
{
    struct state *to = e->customer->state;
    size_t width = state_item_width(part);
    void *place = or_fail(e, vector_insert(&e->customers.pool, state_items(to, part), width, at));
    if (!place) return;
    memcpy(place, item, width);
    memset(item, 0, width);
}

/* ---- what is known */

static void merge_attributes(struct relance_engine *e, struct state *from)
{
    const struct vector *known = &e->customer->state->attributes;
    uint32_t at = 0;
    VECTOR_EACH (from->attributes, struct attribute, given) {
        while (at < known->count && VECTOR_AT(*known, struct attribute, at)->number < given->number)
            at++;
        struct attribute *own = at < known->count ? VECTOR_AT(*known, struct attribute, at) : NULL;
        if (!own || own->number != given->number) {
            move_item(e, STATE_ATTRIBUTES, at, given);
            continue;
        }
        bool first = e->set->attributes[given->number].keep_first;
        bool wins = first ? given->time_ms < own->time_ms : given->time_ms > own->time_ms;
        struct attribute loser = wins ? *own : *given;
        if (wins) *own = *given;
        *given = loser;
    }
}

static void merge_lasts(struct relance_engine *e, struct state *from)
{
    const struct vector *known = &e->customer->state->lasts;
    uint32_t at = 0;
    VECTOR_EACH (from->lasts, struct last_event, given) {
        while (at < known->count && VECTOR_AT(*known, struct last_event, at)->type < given->type)
            at++;
        struct last_event *own = at < known->count ? VECTOR_AT(*known, struct last_event, at) : NULL;
        if (!own || own->type != given->type) {
            move_item(e, STATE_LASTS, at, given);
        } else if (given->time_ms > own->time_ms) {
            struct last_event loser = *own;
            *own = *given;
            *given = loser;
        }
    }
}

/* ---- counts */

static void merge_bucket(const struct count_rule *rule, struct bucket *own, const struct bucket *given)
{
    if (rule->kind != COUNT_EVENTS)
        own->number = count_take(rule->kind, false, own->number, given->number);
    else
        own->n = own->n + given->n < STATE_COUNT_MAX ? own->n + given->n : STATE_COUNT_MAX;
}

static void merge_buckets(struct relance_engine *e, const struct count_rule *rule, struct count_value *own,
                          const struct count_value *given)
{
    uint32_t at = 0;
    VECTOR_EACH (given->buckets, struct bucket, bucket) {
        while (at < own->buckets.count && VECTOR_AT(own->buckets, struct bucket, at)->index < bucket->index)
            at++;
        bool same =
            at < own->buckets.count && VECTOR_AT(own->buckets, struct bucket, at)->index == bucket->index;
        struct bucket *place =
            same ? VECTOR_AT(own->buckets, struct bucket, at)
                 : or_fail(e, vector_insert(&e->customers.pool, &own->buckets, sizeof *place, at));
        if (same)
            merge_bucket(rule, place, bucket);
        else if (place)
            *place = *bucket;
    }
}

/* The one bucket of a count that keeps the newest number: its index is the time. */
static void merge_newest(struct count_value *own, struct count_value *given)
{
    const struct bucket *newest = own->buckets.items, *other = given->buckets.items;
    if (!given->buckets.count || (own->buckets.count && newest->index >= other->index)) return;
    struct vector loser = own->buckets;
    own->buckets = given->buckets;
    given->buckets = loser;
}

/* In the order of the last update, of which there are seconds. */
static int update_order(const void *a, const void *b)
{
    const struct count_value *x = a, *y = b;
    if (x->updated_s != y->updated_s) return x->updated_s < y->updated_s ? -1 : 1;
    return str_compare(bytes_str(x->by), bytes_str(y->by));
}

static void merge_value(struct relance_engine *e, const struct count_rule *rule, struct range range,
                        struct count_value *given)
{
    struct vector *counts = &e->customer->state->counts;
    for (uint32_t at = range.begin; at < range.end; at++) {
        struct count_value *own = VECTOR_AT(*counts, struct count_value, at);
        if (own->by_tag != given->by_tag || !str_equal(bytes_str(own->by), bytes_str(given->by))) continue;
        if (given->updated_s > own->updated_s) own->updated_s = given->updated_s;
        if (rule->kind == COUNT_LAST)
            merge_newest(own, given);
        else
            merge_buckets(e, rule, own, given);
        return;
    }
    move_item(e, STATE_COUNTS, range.end, given);
}

/* Of too many values of `by` those updated longest ago go. */
static void settle_values(struct relance_engine *e, struct range range)
{
    struct state *state = e->customer->state;
    qsort(VECTOR_AT(state->counts, struct count_value, range.begin), range.end - range.begin,
          sizeof(struct count_value), update_order);
    for (; range.end - range.begin > LIMIT_COUNT_KEYS; range.end--) {
        state_item_remove(&e->customers.pool, state, STATE_COUNTS, range.begin);
        bound_count(e, RELANCE_FORGOT_COUNT_VALUES, 1);
    }
}

static void merge_counts(struct relance_engine *e, struct state *from)
{
    for (uint32_t i = 0; i < from->counts.count;) {
        uint32_t number = VECTOR_AT(from->counts, struct count_value, i)->count;
        const struct count_rule *rule = &e->set->counts[number];
        const struct range own = count_values(e->customer->state, number);
        while (i < from->counts.count && VECTOR_AT(from->counts, struct count_value, i)->count == number)
            merge_value(e, rule, (struct range){own.begin, count_values(e->customer->state, number).end},
                        VECTOR_AT(from->counts, struct count_value, i++));
        if (rule->keyed) settle_values(e, count_values(e->customer->state, number));
    }
}

/* ---- lists: as if what came to both had come to one */

static void merge_lists(struct relance_engine *e, const struct state *from)
{
    VECTOR_EACH (from->lists, struct list_entry, given)
        list_put(e, given->list, bytes_str(given->text), given->time_ms);
    for (uint32_t i = 0; i < e->set->list_count; i++)
        list_trim(e, i);
}

/* ---- dates */

/* What fired for either has fired. When the next falls due is computed anew where a value is another one now. */
static void merge_dates(struct relance_engine *e, struct state *from)
{
    const struct vector *known = &e->customer->state->dates;
    uint32_t at = 0;
    VECTOR_EACH (from->dates, struct date_wait, given) {
        while (at < known->count && VECTOR_AT(*known, struct date_wait, at)->rule < given->rule)
            at++;
        struct date_wait *own = at < known->count ? VECTOR_AT(*known, struct date_wait, at) : NULL;
        if (!own || own->rule != given->rule)
            move_item(e, STATE_DATES, at, given);
        else if (given->fired_ms > own->fired_ms)
            own->fired_ms = given->fired_ms;
    }
    dates_update(e);
}

/* ---- runs */

/* Has a cancel that one of the two remembers come at or after what triggered the run of the other? */
static bool is_cancelled_by(struct relance_engine *e, const struct state *memory, struct run *run,
                            struct relance_decision *decision)
{
    return overtaken_unasked(e, memory, run->rule, run->trigger_ms, decision) ||
           overtaken(e, memory, run, run->trigger_ms - 1, decision);
}

static void cancel_own_runs(struct relance_engine *e, const struct state *from)
{
    struct state *state = e->customer->state;
    for (uint32_t place = 0; place < state->runs.count;) {
        struct run *run = VECTOR_AT(state->runs, struct run, place);
        struct relance_decision decision = {.outcome = RELANCE_OUTCOME_CANCELLED, .key = bytes_str(run->key)};
        scope_enter_rule(e, &e->set->rules[run->rule], run);
        if (!is_cancelled_by(e, from, run, &decision)) {
            place++;
            continue;
        }
        engine_decide(e, &decision);
        run_remove(e, run);
    }
}

/* Before or behind another run's: in the order of time, the customer's behind the visitor's of the same time. */
static bool stands_behind(int64_t time_ms, int64_t other_ms, bool is_customers)
{
    return is_customers ? time_ms >= other_ms : time_ms > other_ms;
}

/* Where a trigger of the run that goes belongs: not before `least`, behind the one that joined before it. Triggers of a date
 * have the date for their time, not when they fell due: all of one run stand before all of the other. */
static uint32_t trigger_place(const struct relance_engine *e, const struct run *stays, const struct run *goes,
                              const struct kept_event *trigger, uint32_t least, bool is_customers)
{
    uint32_t at = stays->triggers.count;
    if (rule_is_dated(e->rule))
        return stands_behind(goes->trigger_ms, stays->trigger_ms, is_customers) ? at : least;
    int64_t time_ms = kept_event_time(trigger);
    while (at > least &&
           !stands_behind(time_ms, kept_event_time(*VECTOR_AT(stays->triggers, struct kept_event *, at - 1)),
                          is_customers))
        at--;
    return at;
}

/* The triggers of the run that goes join those of the one that stays, each at its place. */
static void join_triggers(struct relance_engine *e, struct run *stays, const struct run *goes,
                          bool is_customers)
{
    struct pool *pool = &e->customers.pool;
    uint32_t least = 0;
    VECTOR_EACH (goes->triggers, struct kept_event *, trigger) {
        uint32_t at = trigger_place(e, stays, goes, *trigger, least, is_customers);
        struct kept_event **place = or_fail(e, vector_insert(pool, &stays->triggers, sizeof *place, at));
        if (place) *place = kept_event_share(*trigger);
        least = at + 1;
    }
    while (stays->triggers.count > e->rule->trigger_count) {
        kept_event_release(pool, *VECTOR_AT(stays->triggers, struct kept_event *, 0));
        vector_remove(&stays->triggers, sizeof(struct kept_event *), 0);
    }
}

static void join_time(struct relance_engine *e, struct run *stays, int64_t time_ms)
{
    uint32_t at = stays->earlier.count;
    while (at && *VECTOR_AT(stays->earlier, int64_t, at - 1) > time_ms)
        at--;
    int64_t *place = or_fail(e, vector_insert(&e->customers.pool, &stays->earlier, sizeof *place, at));
    if (place) *place = time_ms;
    if (stays->earlier.count >= LIMIT_TRIGGERS) vector_remove(&stays->earlier, sizeof *place, 0);
}

/* Of a rule that keeps the newest trigger alone, the times of the others. */
static void join_times(struct relance_engine *e, struct run *stays, const struct run *goes)
{
    VECTOR_EACH (goes->earlier, int64_t, time_ms)
        join_time(e, stays, *time_ms);
    join_time(e, stays, stays->trigger_ms < goes->trigger_ms ? stays->trigger_ms : goes->trigger_ms);
}

/* Does the visitor's run stay, where both have one? As if both triggers had come to one customer, in order of time. */
static bool visitor_stays(const struct relance_engine *e, const struct run *own, const struct run *given)
{
    bool newer_stays = e->rule->again == AGAIN_REARM || e->rule->again == AGAIN_RESTART;
    return newer_stays ? given->trigger_ms > own->trigger_ms : given->started_ms < own->started_ms;
}

static void join_runs(struct relance_engine *e, struct run *own, struct run *given)
{
    static const enum relance_outcome outcomes[] = {[AGAIN_REARM] = RELANCE_OUTCOME_REARMED,
                                                    [AGAIN_RESTART] = RELANCE_OUTCOME_RESTARTED,
                                                    [AGAIN_COLLECT] = RELANCE_OUTCOME_COLLECTED};
    bool visitors_stays = visitor_stays(e, own, given);
    if (visitors_stays) {
        struct run goes = *own;
        *own = *given;
        *given = goes;
    }
    if (e->rule->again == AGAIN_IGNORE) return;
    if (e->rule->counts_late) join_times(e, own, given);
    join_triggers(e, own, given, visitors_stays);
    if (stands_behind(given->trigger_ms, own->trigger_ms, visitors_stays)) {
        own->trigger_ms = given->trigger_ms;
        own->day = given->day;
        struct bytes *older = own->traceparent;
        own->traceparent = given->traceparent;
        given->traceparent = older;
    }
    run_decide(e, outcomes[e->rule->again], bytes_str(own->key));
}

static void decide_lost(struct relance_engine *e, struct relance_decision decision,
                        enum relance_outcome outcome)
{
    decision.outcome = outcome;
    engine_decide(e, &decision);
}

/* One of the visitor's runs. Its wait begins anew at the link, when all else has been merged: until then it is parked. */
static void take_run(struct relance_engine *e, struct run *given)
{
    struct state *state = e->customer->state;
    const struct rule *rule = &e->set->rules[given->rule];
    struct relance_decision decision = {.key = bytes_str(given->key)};
    scope_enter_rule(e, rule, given);
    bool gone = given->step >= rule->step_count;
    bool cancelled = !gone && is_cancelled_by(e, state, given, &decision);
    scope_enter_rule(e, rule, NULL);
    if (!gone && rule->steps[given->step].awaited) given->due_ms = given->first_due_ms = RELANCE_NEVER;
    struct run *own = run_find(state, given->rule, decision.key);
    if (gone)
        decide_lost(e, decision, RELANCE_OUTCOME_DROPPED);
    else if (cancelled)
        decide_lost(e, decision, RELANCE_OUTCOME_OVERTAKEN);
    else if (own)
        join_runs(e, own, given);
    else if (state->runs.count >= LIMIT_RUNS)
        decide_lost(e, decision, RELANCE_OUTCOME_FULL);
    else
        move_item(e, STATE_RUNS, run_place(state, given->rule, decision.key), given);
}

static int trigger_order(const void *a, const void *b)
{
    const struct run *x = *(struct run *const *)a, *y = *(struct run *const *)b;
    if (x->trigger_ms != y->trigger_ms) return x->trigger_ms < y->trigger_ms ? -1 : 1;
    return x < y ? -1 : x > y; /* where they stand: by rule and key */
}

/* The oldest first: where there is no room for all, the newest start nothing. */
static void merge_runs(struct relance_engine *e, str visitor, struct state *from)
{
    uint32_t count = from->runs.count;
    struct run **runs = or_fail(e, arena_alloc(&e->scratch, (count + 1) * sizeof *runs));
    if (!runs) return;
    for (uint32_t i = 0; i < count; i++)
        runs[i] = VECTOR_AT(from->runs, struct run, i);
    qsort(runs, count, sizeof *runs, trigger_order);
    for (uint32_t i = 0; i < count; i++) {
        if (runs[i]->action_step && !runs[i]->sent_to)
            runs[i]->sent_to = or_fail(e, bytes_new(&e->customers.pool, visitor));
        take_run(e, runs[i]);
    }
}

static struct run *first_parked(const struct state *state)
{
    VECTOR_EACH (state->runs, struct run, run)
        if (run_is_parked(run)) return run;
    return NULL;
}

/* A customer's run is never parked: those that are have just come. */
static void arm_runs(struct relance_engine *e, int64_t horizon_ms)
{
    for (struct run *run;
         (run = first_parked(e->customer->state)) && !e->failed && !cel_frame_stopped(&e->frame);) {
        scope_enter_rule(e, &e->set->rules[run->rule], run);
        step_perform_due(e, step_arm(e, run, run->step, e->now_ms), horizon_ms);
    }
    scope_enter_rule(e, NULL, NULL); /* none of them performs any more */
}

/* ---- cancels */

static void merge_overtakers(struct relance_engine *e, struct state *from)
{
    const struct vector *own = &e->customer->state->overtakers;
    uint32_t at = 0;
    VECTOR_EACH (from->overtakers, struct overtaker, given) {
        while (at < own->count && VECTOR_AT(*own, struct overtaker, at)->time_ms < given->time_ms)
            at++;
        move_item(e, STATE_OVERTAKERS, at++, given);
    }
    VECTOR_EACH (from->past_overtakers, struct past_overtaker, past)
        overtakers_note_past(e, past->type, past->time_ms);
    overtakers_trim(e);
}

/* ---- sends */

/* From the last one on: each goes before those of the same time. */
static void merge_cooldowns(struct relance_engine *e, struct state *from)
{
    for (uint32_t i = from->cooldowns.count; i-- > 0;)
        cooldown_take(e, VECTOR_AT(from->cooldowns, struct cooldown, i));
}

static void merge_sends(struct relance_engine *e, struct state *from)
{
    const struct vector *own = &e->customer->state->sends;
    VECTOR_EACH (from->sends, struct counted_send, given) {
        uint32_t limit = given->limit, at = own->count;
        while (at && (VECTOR_AT(*own, struct counted_send, at - 1)->limit > limit ||
                      (VECTOR_AT(*own, struct counted_send, at - 1)->limit == limit &&
                       VECTOR_AT(*own, struct counted_send, at - 1)->time_ms > given->time_ms)))
            at--;
        move_item(e, STATE_SENDS, at, given);
        limits_trim(e, limit);
    }
}

/* From the last one on, as cooldowns. */
static void merge_goals(struct relance_engine *e, struct state *from)
{
    struct state *state = e->customer->state;
    for (uint32_t i = from->goals.count; i-- > 0;) {
        struct goal_window *given = VECTOR_AT(from->goals, struct goal_window, i);
        uint32_t at = 0, same = NAME_NONE;
        VECTOR_EACH (state->goals, struct goal_window, own) {
            if (own->rule == given->rule && str_equal(bytes_str(own->key), bytes_str(given->key)))
                same = (uint32_t)(own - (struct goal_window *)state->goals.items);
            at += own->opened_ms < given->opened_ms;
        }
        if (same != NAME_NONE &&
            VECTOR_AT(state->goals, struct goal_window, same)->opened_ms >= given->opened_ms)
            continue;
        move_item(e, STATE_GOALS, at, given);
        if (same != NAME_NONE) state_item_remove(&e->customers.pool, state, STATE_GOALS, same);
    }
    while (state->goals.count > LIMIT_GOALS) {
        state_item_remove(&e->customers.pool, state, STATE_GOALS, 0);
        bound_count(e, RELANCE_FORGOT_GOAL_WINDOWS, 1);
    }
}

/* Less is it that goes: an order that does not depend on whose came first. */
static int measured_order(const struct measured *a, const struct measured *b)
{
    if (a->value != b->value) return a->value < b->value ? -1 : 1;
    if (a->won != b->won) return a->won ? 1 : -1;
    return str_compare(bytes_str(b->variant), bytes_str(a->variant));
}

/* Where a rule has reached both, both have been counted as one each, and stay so. */
static void merge_measured(struct relance_engine *e, struct state *from)
{
    const struct vector *own = &e->customer->state->measured;
    uint32_t at = 0;
    VECTOR_EACH (from->measured, struct measured, given) {
        while (at < own->count && VECTOR_AT(*own, struct measured, at)->rule < given->rule)
            at++;
        struct measured *known = at < own->count ? VECTOR_AT(*own, struct measured, at) : NULL;
        if (!known || known->rule != given->rule) {
            move_item(e, STATE_MEASURED, at, given);
        } else if (measured_order(known, given) < 0) {
            struct measured less = *known;
            *known = *given;
            *given = less;
        }
    }
}

/* ---- ids */

static bool seen_is_behind(const struct seen *seen, const struct seen *given)
{
    uint32_t type = seen_type(seen), given_type = seen_type(given);
    return type != given_type ? type > given_type : seen_at_ms(seen) > seen_at_ms(given);
}

static void merge_seen(struct relance_engine *e, struct state *from)
{
    const struct vector *own = &e->customer->state->seen;
    VECTOR_EACH (from->seen, struct seen, given) {
        uint32_t type = seen_type(given), at = own->count;
        while (at && seen_is_behind(VECTOR_AT(*own, struct seen, at - 1), given))
            at--;
        move_item(e, STATE_SEEN, at, given);
        ids_trim(e, type);
    }
}

/* ---- the rest */

/* What rules were last told of a segment: where the customer's have not been told anything, the visitor's were. */
static void merge_segments(struct relance_engine *e, struct state *from)
{
    const struct vector *own = &e->customer->state->segments;
    uint32_t at = 0;
    VECTOR_EACH (from->segments, struct segment_value, given) {
        while (at < own->count && VECTOR_AT(*own, struct segment_value, at)->number < given->number)
            at++;
        if (at == own->count || VECTOR_AT(*own, struct segment_value, at)->number != given->number)
            move_item(e, STATE_SEGMENTS, at, given);
    }
}

static void merge_dropped(struct relance_engine *e, struct state *from)
{
    VECTOR_EACH (from->dropped, struct dropped_run, given)
        move_item(e, STATE_DROPPED, e->customer->state->dropped.count, given);
    runs_drop(e);
}

static void merge_forgotten(struct relance_engine *e, struct state *from)
{
    VECTOR_EACH (from->forgotten, struct forgotten, given)
        bound_take_count(e, given->kind, given->count);
}

static void merge_times(struct relance_engine *e, const struct state *from)
{
    struct state *state = e->customer->state;
    e->segments_silent = true;
    state->now_ms = e->now_ms;
    if (from->newest_ms > state->newest_ms) state->newest_ms = from->newest_ms;
}

void merge_state(struct relance_engine *e, str visitor, struct state *from, int64_t horizon_ms)
{
    struct state *state = e->customer->state;
    state->found = (struct state_found){0};
    merge_times(e, from);
    merge_forgotten(e, from);
    merge_dropped(e, from);
    state->found.runs = false; /* others come */
    merge_attributes(e, from);
    merge_lasts(e, from);
    merge_counts(e, from);
    merge_lists(e, from);
    sales_merge(e, from);
    scope_forget(e);
    merge_dates(e, from);
    cancel_own_runs(e, from);
    merge_runs(e, visitor, from);
    merge_overtakers(e, from);
    merge_cooldowns(e, from);
    merge_sends(e, from);
    merge_goals(e, from);
    merge_measured(e, from);
    merge_seen(e, from);
    merge_segments(e, from);
    state_waits_changed(state);
    arm_runs(e, horizon_ms);
    segments_start_event(e); /* for which what was left over has waited */
    segments_update(e, false, horizon_ms);
    segments_settle(e, horizon_ms);
}
