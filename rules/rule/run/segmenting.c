/* Segments: what they are now, when that changes, and the rules that wait for it (LANGUAGE.md §4.10).
 *
 * Expressions read a segment as it is at the moment. What a customer's state keeps is the value that rules on
 * entering and leaving were last told of. */
#include "rule/run/coverage.h"
#include "rule/run/explain.h"
#include "rule/run/sales.h"

enum { SEGMENT_ROUNDS = 8 };

struct cel_value segment_value_now(struct relance_engine *e, uint32_t number)
{
    return cel_bool(condition_holds(e, e->set->segments[number].condition));
}

static struct segment_value *segment_place(struct relance_engine *e, uint32_t number, bool *is_new)
{
    struct vector *segments = &e->customer->state->segments;
    uint32_t at = 0;
    while (at < segments->count && VECTOR_AT(*segments, struct segment_value, at)->number < number)
        at++;
    *is_new = at == segments->count || VECTOR_AT(*segments, struct segment_value, at)->number != number;
    if (!*is_new) return VECTOR_AT(*segments, struct segment_value, at);
    struct segment_value *place = or_fail(e, vector_insert(&e->customers.pool, segments, sizeof *place, at));
    if (place) *place = (struct segment_value){.number = number};
    return place;
}

static void trigger_segment(struct relance_engine *e, uint32_t rule, const struct segment_change *change,
                            int64_t horizon_ms)
{
    str type = arena_format(&e->scratch, "%s %.*s", change->enter ? "enter" : "leave",
                            STR_ARG(e->set->segments[change->segment].name));
    e->trigger =
        (struct trigger){.type = type, .time_ms = e->now_ms, .shown_ms = e->now_ms, .day = STATE_NO_TIME};
    trigger_rule(e, rule, horizon_ms);
}

/* Several segments of a rule that change at once trigger it in the order of its list. */
static void trigger_changed(struct relance_engine *e, const struct type_list *rules, const bool *changed,
                            bool entered, int64_t horizon_ms)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &e->set->rules[rules->types[i]];
        for (size_t n = 0; n < rule->change_count; n++)
            if (rule->changes[n].enter == entered && changed[rule->changes[n].segment])
                trigger_segment(e, rules->types[i], &rule->changes[n], horizon_ms);
    }
}

/* ---- while nothing changes that they depend on, they are not asked */

/* A segment that nothing has been found wrong with depends on attributes, events of `last`, counts and orders, whose changes are
 * told (state_fact_changed), on instants, of which segments_ms is the next, and on the steps that it takes, which would be
 * too many some day. */
static bool segments_stand(const struct relance_engine *e)
{
    const struct state *state = e->customer->state;
    const struct state_found *found = &state->found;
    return found->segments && e->now_ms < found->segments_ms && !covering(e) &&
           (!e->set->tracked.count || found->counts_cost == count_cost(state));
}

/* Is there anything that begins to count with time? No engine makes it, but a state can have been made elsewhere. */
static bool waits_to_count(const struct relance_ruleset *set, const struct state *state)
{
    for (size_t i = 0; i < set->tracked.count; i++) {
        const struct count_rule *rule = &set->counts[set->tracked.types[i]];
        struct range range = count_values(state, set->tracked.types[i]);
        for (uint32_t at = range.begin; at < range.end && rule->over_ms; at++) {
            const struct vector *buckets = &VECTOR_AT(state->counts, struct count_value, at)->buckets;
            if (!buckets->count) continue;
            int64_t newest = VECTOR_AT(*buckets, struct bucket, buckets->count - 1)->index;
            if (count_bucket(rule, newest) > floor_div(state->now_ms, rule->bucket_ms)) return true;
        }
    }
    return set->window_count && sales_wait_to_count(state);
}

/* All have been asked, and are what they were. */
static void note_segments(struct relance_engine *e)
{
    struct state *state = e->customer->state;
    int64_t next_ms = segments_next_due(e->set, state);
    state->found.segments = !waits_to_count(e->set, state);
    state->found.segments_ms = next_ms;
    state->found.counts_cost = count_cost(state);
}

/* ---- asking them */

bool segments_update(struct relance_engine *e, bool waiting, int64_t horizon_ms)
{
    const struct relance_ruleset *set = e->set;
    uint64_t errors = e->errors;
    bool any = false, all = true;
    if (!set->entering.count && !set->leaving.count) return false;
    if (segments_stand(e)) {
        scope_enter_rule(e, NULL, NULL);
        scope_forget(e);
        return false;
    }
    bool *entered = or_fail(e, arena_alloc_zero(&e->scratch, 2 * set->segment_count + 1));
    if (!entered) return false;
    bool *left = entered + set->segment_count;
    scope_enter_rule(e, NULL, NULL);
    scope_forget(e);
    e->customer->state->found.segments = false;
    for (uint32_t i = 0; i < set->segment_count; i++) {
        bool is_new;
        struct segment_value *segment = set->segments[i].tracked ? segment_place(e, i, &is_new) : NULL;
        if (segment && waiting && segment->left_over) all = false;
        if (!segment || (waiting && segment->left_over)) continue;
        bool value = segment_value_now(e, i).as.b, silent = is_new && e->segments_silent;
        if (value == segment->value) continue;
        segment->value = value;
        if (silent) continue;
        (value ? entered : left)[i] = true;
        explain_note(e, (struct relance_note){.kind = value ? RELANCE_NOTE_ENTERED : RELANCE_NOTE_LEFT,
                                              .subject = set->segments[i].name});
        any = true;
    }
    if (!any && all && e->errors == errors && !e->failed) note_segments(e);
    if (!any) return false;
    trigger_changed(e, &set->leaving, left, false, horizon_ms);
    trigger_changed(e, &set->entering, entered, true, horizon_ms);
    return true;
}

/* What is still to be told after the last round waits for the customer's next event, unless it goes back before. */
static void leave_over(struct relance_engine *e, bool rounds_are_over)
{
    VECTOR_EACH (e->customer->state->segments, struct segment_value, segment) {
        if (!rounds_are_over && !segment->left_over) continue;
        scope_enter_rule(e, NULL, NULL);
        scope_forget(e);
        segment->left_over = segment_value_now(e, segment->number).as.b != segment->value;
    }
}

void segments_settle(struct relance_engine *e, int64_t horizon_ms)
{
    bool more = true;
    for (int round = 0; round < SEGMENT_ROUNDS && more; round++)
        more = segments_update(e, true, horizon_ms);
    leave_over(e, more);
}

void segments_start_event(struct relance_engine *e)
{
    VECTOR_EACH (e->customer->state->segments, struct segment_value, segment)
        segment->left_over = false;
}

/* When the next bucket of a value leaves its window, of which they stand in that order. */
static int64_t next_leaving(const struct count_rule *rule, const struct count_value *value, int64_t now_ms)
{
    if (!rule->over_ms) return RELANCE_NEVER;
    VECTOR_EACH (value->buckets, struct bucket, bucket) {
        int64_t leaves_ms = count_bucket(rule, bucket->index) * rule->bucket_ms + rule->over_ms;
        if (leaves_ms > now_ms) return leaves_ms;
    }
    return RELANCE_NEVER;
}

/* The next instant at which a bucket leaves the window of a count that a tracked segment reads: bucket i of
 * width b leaves at i b + w. Likewise an order that of a window of orders. */
int64_t segments_next_due(const struct relance_ruleset *set, const struct state *state)
{
    int64_t due_ms = RELANCE_NEVER;
    if (!set->entering.count && !set->leaving.count) return due_ms;
    if (state->found.segments && state->now_ms < state->found.segments_ms) return state->found.segments_ms;
    for (size_t i = 0; i < set->tracked.count; i++) {
        const struct count_rule *rule = &set->counts[set->tracked.types[i]];
        struct range range = count_values(state, set->tracked.types[i]);
        for (uint32_t at = range.begin; at < range.end; at++) {
            int64_t leaves_ms =
                next_leaving(rule, VECTOR_AT(state->counts, struct count_value, at), state->now_ms);
            if (leaves_ms < due_ms) due_ms = leaves_ms;
        }
    }
    int64_t leaves_ms = set->window_count ? sales_next_leaving(set, state) : RELANCE_NEVER;
    return leaves_ms < due_ms ? leaves_ms : due_ms;
}
