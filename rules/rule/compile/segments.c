/* Segments: conditions on a customer, compiled; and which rules wait for them to be entered or left. */
#include "rule/compile/compile.h"

static const struct type_list no_types = {0};

void declare_segments(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    const struct section *segments = &c->files.segments;
    set->segments = ARENA_ARRAY(c->keep, struct segment_rule, segments->count + 1);
    if (!set->segments || !names_init(&set->names.segments, c->keep, segments->count)) {
        c->diag->failed = true;
        return;
    }
    for (size_t i = 0; i < segments->count; i++) {
        set->segments[i].name = segments->items[i].name;
        declare_check_name(c, segments->items[i].source, segments->items[i].value, "a segment");
        names_add(&set->names.segments, segments->items[i].name);
        if (segments->items[i].value->kind != JSON_STRING)
            gather_error(c->diag, segments->items[i].source, segments->items[i].value, (str){0},
                         "a segment is a condition in a string, such as \"orders() >= 3\"");
    }
    set->segment_count = segments->count;
}

/* Goes through what a segment reads: marks the counts of all of it, and finds a segment that reads itself. */
enum visit { UNVISITED, VISITING, VISITED };

struct segment_walk {
    struct compiler *c;
    enum visit *visits;
};

static void inherit_counts(struct segment_rule *segment, const struct segment_rule *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        segment->counts[i] |= from->counts[i];
}

/* What the other does so long after an order, this one may do, too. */
static void inherit_windows(struct compiler *c, struct segment_rule *segment, const struct segment_rule *from)
{
    size_t count = segment->window_count + from->window_count;
    if (!from->window_count) return;
    int64_t *windows = ARENA_ARRAY(c->keep, int64_t, count);
    if (!windows) {
        c->diag->failed = true;
        return;
    }
    if (segment->window_count) memcpy(windows, segment->windows, segment->window_count * sizeof *windows);
    memcpy(windows + segment->window_count, from->windows, from->window_count * sizeof *windows);
    segment->windows = windows;
    segment->window_count = count;
}

static void walk_segment(struct segment_walk *w, uint32_t number)
{
    struct compiler *c = w->c;
    struct segment_rule *segment = &c->set->segments[number];
    const struct declared *d = &c->files.segments.items[number];
    const uint32_t *items;
    if (!segment->condition) return;
    w->visits[number] = VISITING;
    size_t count = cel_program_functions(segment->condition->program, &items);
    for (size_t i = 0; i < count; i++)
        if (items[i] < c->set->count_count) segment->counts[items[i]] = true;
    count = cel_program_slots(segment->condition->program, &items);
    for (size_t i = 0; i < count; i++) {
        uint32_t other = items[i] - c->set->slots.segments;
        if (items[i] < c->set->slots.segments || other >= c->set->segment_count) continue;
        if (w->visits[other] == VISITING)
            gather_error(c->diag, d->source, d->value, (str){0},
                         "segment '%.*s' depends on itself, through '%.*s'", STR_ARG(d->name),
                         STR_ARG(c->set->segments[other].name));
        if (w->visits[other] == UNVISITED) walk_segment(w, other);
        inherit_counts(segment, &c->set->segments[other], c->set->count_count);
        inherit_windows(c, segment, &c->set->segments[other]);
    }
    w->visits[number] = VISITED;
}

void compile_segments(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    struct segment_walk walk = {c, ARENA_ARRAY(c->scratch, enum visit, set->segment_count + 1)};
    const struct cel_env *env = set->segment_count ? scope_env(c, SCOPE_LAST | SCOPE_COUNTS | SCOPE_SEGMENTS,
                                                               no_types, no_types, "a segment")
                                                   : NULL;
    for (size_t i = 0; i < set->segment_count; i++) {
        const struct declared *d = &c->files.segments.items[i];
        set->segments[i].counts = ARENA_ARRAY(c->keep, bool, set->count_count + 1);
        if (!walk.visits || !set->segments[i].counts) {
            c->diag->failed = true;
            return;
        }
        c->owner = (struct owner){"segment", d->name};
        c->scopes.window_count = 0;
        if (d->value->kind == JSON_STRING)
            set->segments[i].condition = compile_condition(c, env, d->source, d->value);
        set->segments[i].window_count = c->scopes.window_count;
        set->segments[i].windows =
            arena_copy(c->keep, c->scopes.windows, c->scopes.window_count * sizeof *c->scopes.windows);
        if (!set->segments[i].windows) c->diag->failed = true;
    }
    for (uint32_t i = 0; i < set->segment_count; i++)
        if (walk.visits[i] == UNVISITED) walk_segment(&walk, i);
}
