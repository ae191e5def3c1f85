/* What of a set has been reached: points, one flag each, and conditions, which may have been true and false, as may their
 * parts. Engines set flags; the sum goes through the set and says of each thing that has none what did not happen.
 *
 * What a rule consists of is counted, but not listed, where the rule was never started: one sentence is enough. */
#include "rule/run/coverage.h"

#include "base/buffer.h"
#include "cel/explain.h"
#include "rule/compile/compile.h"
#include "rule/tell/telling.h"

#include <stdlib.h>

struct relance_coverage *relance_coverage_new(const struct relance_ruleset *rules)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct relance_coverage *c = ARENA_NEW(&arena, struct relance_coverage);
    if (!c) return NULL;
    c->set = rules;
    c->reached = ARENA_ARRAY(&arena, bool, rules->point_count + 1);
    c->asked = ARENA_ARRAY(&arena, struct asked, rules->program_count + 1);
    c->scopes = ARENA_NEW(&arena, struct scopes);
    bool whole = c->reached && c->asked && c->scopes;
    c->arena = arena;
    if (c->scopes) scopes_init(c->scopes, rules, &c->arena, &c->arena);
    arena_init(&c->scratch, 0);
    if (whole) return c;
    relance_coverage_free(c);
    return NULL;
}

void relance_coverage_free(struct relance_coverage *c)
{
    if (!c) return;
    arena_free(&c->scratch);
    struct arena arena = c->arena; /* the coverage lives in its own arena */
    arena_free(&arena);
}

/* ---- conditions */

static struct cel_parts *parts_of(struct relance_coverage *c, const struct noted_program *condition)
{
    struct asked *asked = &c->asked[condition->number];
    if (asked->parts) return asked->parts;
    arena_reset(&c->scratch);
    const struct cel_env *env = scope_env_again(c->scopes, condition, &c->scratch);
    if (env) asked->parts = cel_parts_new(&c->arena, &c->scratch, env, condition->text);
    c->failed |= !asked->parts;
    return asked->parts;
}

void coverage_ask(struct relance_coverage *c, const struct noted_program *condition, bool value,
                  struct cel_frame *frame)
{
    struct cel_parts *parts = parts_of(c, condition);
    c->asked[condition->number].outcomes |= value ? CEL_WAS_TRUE : CEL_WAS_FALSE;
    if (parts) cel_parts_ask(parts, frame);
}

/* ---- the sum */

struct gap {
    const struct source *source;
    size_t begin;
    str sentence;
};

struct summing {
    struct relance_coverage *c;
    struct relance_coverage_sum *sum;
    struct arena *texts;
    struct gap *gaps;
    size_t cancel; /* the next one: they stand by rule, as rules do */
    bool silent;   /* of a rule that was never started: counted, not listed */
};

static void add_gap(struct summing *s, const struct source *source, size_t begin, str sentence)
{
    if (!sentence.size) s->c->failed = true;
    if (!s->silent) s->gaps[s->sum->gap_count++] = (struct gap){source, begin, sentence};
}

/* Counts a point; true when it was reached. */
static bool sum_point(struct summing *s, enum relance_covered kind, struct point point, str sentence)
{
    bool reached = s->c->reached[point.number];
    s->sum->totals[kind].all++;
    s->sum->totals[kind].reached += reached;
    if (!reached) add_gap(s, point.source, point.begin, sentence);
    return reached;
}

/* What something has never been; NULL: it has been both. */
static const char *lack(unsigned outcomes)
{
    switch (outcomes & (CEL_WAS_TRUE | CEL_WAS_FALSE)) {
    case CEL_WAS_TRUE: return "was never false";
    case CEL_WAS_FALSE: return "was never true";
    case 0: return outcomes ? "always failed" : "was never asked";
    default: return NULL;
    }
}

static void count_outcomes(struct summing *s, unsigned outcomes)
{
    struct relance_total *branches = &s->sum->totals[RELANCE_COVERED_BRANCHES];
    branches->all += 2;
    if (outcomes & CEL_WAS_TRUE) branches->reached++;
    if (outcomes & CEL_WAS_FALSE) branches->reached++;
}

/* "the `if` of rule 'cart' was never true: event.total >= 50.0 was never true", "in segment 'loyal': …". A single part
 * is the whole, and of what was never asked the parts need not be told. */
static str condition_sentence(struct summing *s, const struct asked *asked, str what)
{
    const struct cel_part *parts;
    size_t count = cel_parts_list(asked->parts, &parts), told = 0;
    const char *whole = lack(asked->outcomes);
    struct buffer out;
    buffer_init(&out, s->texts);
    buffer_put_format(&out, "%s%.*s%s%s", whole ? "" : "in ", STR_ARG(what), whole ? " " : "",
                      whole ? whole : "");
    for (size_t i = 0; i < count && count > 1; i++) {
        const char *never = lack(parts[i].outcomes);
        count_outcomes(s, parts[i].outcomes);
        if (!never || !asked->outcomes) continue;
        buffer_put_str(&out, told++ ? STR(", ") : STR(": "));
        cel_explain_text(parts[i].text, &out);
        buffer_put_format(&out, " %s", never);
    }
    s->c->failed |= out.failed;
    return whole || told ? buffer_str(&out) : (str){0};
}

/* `owner`: what the condition belongs to was reached; else it says enough that it was not. */
static void sum_condition(struct summing *s, const struct noted_program *condition, bool owner, str what)
{
    struct cel_value constant;
    if (!condition || cel_program_constant(condition->program, &constant)) return;
    const struct asked *asked = &s->c->asked[condition->number];
    count_outcomes(s, asked->outcomes);
    if (!parts_of(s->c, condition)) return;
    str sentence = condition_sentence(s, asked, what);
    if (sentence.size && (owner || asked->outcomes))
        add_gap(s, condition->source, condition->offset, sentence);
}

/* ---- what a set consists of */

static void sum_step(struct summing *s, const struct rule *rule, size_t number)
{
    const struct step *step = &rule->steps[number];
    str what = arena_format(s->texts, "step %zu of rule '%.*s'", number + 1, STR_ARG(rule->name));
    bool due = sum_point(s, RELANCE_COVERED_STEPS, step->point,
                         arena_format(s->texts, "%.*s never fell due", STR_ARG(what)));
    sum_condition(s, step->condition, due, arena_format(s->texts, "the `if` of %.*s", STR_ARG(what)));
}

static void sum_cancel(struct summing *s, const struct cancel *cancel)
{
    str name = s->c->set->rules[cancel->rule].name;
    struct buffer types;
    buffer_init(&types, s->texts);
    telling_put_types(&types, s->c->set, cancel->on);
    str on = buffer_str(&types);
    bool reached = sum_point(
        s, RELANCE_COVERED_CANCELS, cancel->point,
        arena_format(s->texts, "no run of rule '%.*s' was cancelled by %.*s", STR_ARG(name), STR_ARG(on)));
    sum_condition(
        s, cancel->condition, reached,
        arena_format(s->texts, "the `if` of the cancel by %.*s of rule '%.*s'", STR_ARG(on), STR_ARG(name)));
}

static void sum_goal(struct summing *s, const struct rule *rule)
{
    if (!rule->goal.on.count) return;
    str what = arena_format(s->texts, "the goal of rule '%.*s'", STR_ARG(rule->name));
    bool reached = sum_point(s, RELANCE_COVERED_BRANCHES, rule->goal.point,
                             arena_format(s->texts, "%.*s was never reached", STR_ARG(what)));
    sum_condition(s, rule->goal.condition, reached,
                  arena_format(s->texts, "the `if` of %.*s", STR_ARG(what)));
}

static void sum_rule(struct summing *s, const struct rule *rule)
{
    static const char *const again[] = {[AGAIN_IGNORE] = "ignored a trigger",
                                        [AGAIN_REARM] = "rearmed a run",
                                        [AGAIN_RESTART] = "restarted a run",
                                        [AGAIN_COLLECT] = "collected a trigger"};
    str name = rule->name;
    bool started = sum_point(s, RELANCE_COVERED_RULES, rule->point,
                             arena_format(s->texts, "rule '%.*s' was never started", STR_ARG(name)));
    sum_condition(s, rule->condition, started,
                  arena_format(s->texts, "the `if` of rule '%.*s'", STR_ARG(name)));
    s->silent = !started;
    if (rule->again_point.number)
        sum_point(
            s, RELANCE_COVERED_BRANCHES, rule->again_point,
            arena_format(s->texts, "`again` of rule '%.*s' never %s", STR_ARG(name), again[rule->again]));
    sum_condition(s, rule->while_true, true,
                  arena_format(s->texts, "the `while` of rule '%.*s'", STR_ARG(name)));
    for (size_t i = 0; i < rule->variant_count; i++)
        sum_point(s, RELANCE_COVERED_BRANCHES, rule->variants[i].point,
                  arena_format(s->texts, "no run of rule '%.*s' was of the variant '%.*s'", STR_ARG(name),
                               STR_ARG(rule->variants[i].name)));
    for (size_t i = 0; i < rule->step_count; i++)
        sum_step(s, rule, i);
    const struct relance_ruleset *set = s->c->set;
    for (; s->cancel < set->cancel_count && &set->rules[set->cancels[s->cancel].rule] == rule; s->cancel++)
        sum_cancel(s, &set->cancels[s->cancel]);
    sum_goal(s, rule);
    s->silent = false;
}

static void sum_limit(struct summing *s, const struct limit *limit)
{
    str what = arena_format(s->texts, "the limit '%.*s'", STR_ARG(limit->label));
    bool blocked = sum_point(s, RELANCE_COVERED_BRANCHES, limit->point,
                             arena_format(s->texts, "%.*s never %s a send", STR_ARG(what),
                                          limit->kind == HOLD_OUT ? "held" : "blocked"));
    sum_condition(s, limit->condition, blocked, arena_format(s->texts, "the `if` of %.*s", STR_ARG(what)));
}

static void sum_set(struct summing *s)
{
    const struct relance_ruleset *set = s->c->set;
    for (size_t i = 0; i < set->count_count; i++)
        sum_condition(s, set->counts[i].condition, true,
                      arena_format(s->texts, "the `if` of count '%.*s'", STR_ARG(set->counts[i].name)));
    for (size_t i = 0; i < set->list_count; i++)
        sum_condition(s, set->lists[i].condition, true,
                      arena_format(s->texts, "the `if` of list '%.*s'", STR_ARG(set->lists[i].name)));
    for (size_t i = 0; i < set->segment_count; i++)
        sum_condition(s, set->segments[i].condition, true,
                      arena_format(s->texts, "segment '%.*s'", STR_ARG(set->segments[i].name)));
    if (set->sales) sum_condition(s, set->sales->loyal, true, STR("`loyal` of 'sales'"));
    for (size_t i = 0; i < set->limit_count; i++)
        sum_limit(s, &set->limits[i]);
    for (size_t i = 0; i < set->rule_count; i++)
        sum_rule(s, &set->rules[i]);
}

/* ---- in the order of the files */

static int gap_order(const void *a, const void *b)
{
    const struct gap *x = a, *y = b;
    if (x->source->order != y->source->order) return x->source->order < y->source->order ? -1 : 1;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return str_compare(x->sentence, y->sentence);
}

static void place_gaps(const struct gap *gaps, size_t count, struct relance_gap *out)
{
    struct source_cursor place = {0};
    for (size_t i = 0; i < count; i++) {
        source_cursor_move(&place, gaps[i].source, gaps[i].begin);
        out[i] = (struct relance_gap){gaps[i].source->name, place.line.number, gaps[i].sentence};
    }
}

enum relance_status relance_coverage_sum(struct relance_coverage *c, struct relance_coverage_sum *sum,
                                         struct relance_error *error)
{
    size_t bound = (size_t)c->set->point_count + c->set->program_count + 1;
    struct relance_gap *placed = ARENA_ARRAY(&c->arena, struct relance_gap, bound);
    struct summing s = {
        .c = c, .sum = sum, .texts = &c->arena, .gaps = ARENA_ARRAY(&c->arena, struct gap, bound)};
    *sum = (struct relance_coverage_sum){.gaps = placed,
                                         .totals = {[RELANCE_COVERED_RULES] = {.name = STR("rules")},
                                                    [RELANCE_COVERED_STEPS] = {.name = STR("steps")},
                                                    [RELANCE_COVERED_CANCELS] = {.name = STR("cancels")},
                                                    [RELANCE_COVERED_BRANCHES] = {.name = STR("branches")}}};
    if (s.gaps && placed) {
        sum_set(&s);
        qsort(s.gaps, sum->gap_count, sizeof *s.gaps, gap_order);
        place_gaps(s.gaps, sum->gap_count, placed);
    }
    if (s.gaps && placed && !c->failed) return RELANCE_OK;
    return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory for what tests have reached");
}
