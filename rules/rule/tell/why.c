/* Why a send or a goal that a test expects is missing.
 *
 * The test is played again up to that instant, in an engine that explains: a test that passes pays nothing for it. What
 * stood in the way of the rule last is told, in the words of telling.c; where nothing did, the run that is live then,
 * or what the rule waits for. */
#include "rule/tell/testing.h"

#include "base/duration.h"
#include "rule/tell/telling.h"

struct why {
    struct testing *t;
    const struct expected *wanted;
    str rule;             /* empty: any that could */
    str obstacle;         /* the last; empty: none */
    int64_t own_ms;       /* when, where it is a step's that sends what is wanted; else RELANCE_NEVER */
    bool moved;           /* it is that the run began to wait again, or went on */
    str running, waiting; /* as things stand at the end */
};

/* Could it be the rule's? */
static bool concerns(const struct why *w, const struct rule *rule)
{
    if (w->rule.size && !str_equal(w->rule, rule->name)) return false;
    if (!w->wanted->send.size) return rule->goal.on.count > 0;
    for (size_t i = 0; i < rule->step_count; i++)
        if (str_equal(rule->steps[i].send, w->wanted->send)) return true;
    return false;
}

static bool concerns_named(const struct why *w, str name)
{
    uint32_t number = names_find(&w->t->set->names.rules, name);
    return number != NAME_NONE && concerns(w, &w->t->set->rules[number]);
}

/* "at 1h cart k1: ended: customer.email_ok is false" */
static str say(struct why *w, const struct relance_decision *decision, const struct relance_note *note)
{
    struct buffer out;
    const struct telling_clock clock = {.from_ms = w->t->test->from_ms};
    str rule = decision ? decision->rule : note->rule, key = decision ? decision->key : note->key;
    buffer_init(&out, &w->t->arena);
    buffer_put_str(&out, STR("at "));
    duration_put(&out, (decision ? decision->time_ms : note->time_ms) - clock.from_ms);
    buffer_put_format(&out, " %.*s%s%.*s: ", STR_ARG(rule), key.size ? " " : "", STR_ARG(key));
    telling_put(&out, decision, note, &clock);
    w->t->no_memory |= out.failed;
    return buffer_str(&out);
}

static void meet(struct why *w, const struct relance_decision *decision, const struct relance_note *note)
{
    w->obstacle = say(w, decision, note);
    w->own_ms = RELANCE_NEVER;
    w->moved = decision && (decision->outcome == RELANCE_OUTCOME_REARMED ||
                            decision->outcome == RELANCE_OUTCOME_RESTARTED ||
                            decision->outcome == RELANCE_OUTCOME_COLLECTED);
}

/* ---- what the engine tells */

static void why_decide(void *context, const struct relance_decision *d)
{
    struct why *w = context;
    if (!w->wanted->send.size || !concerns_named(w, d->rule)) return;
    bool own = d->step && str_equal(d->send, w->wanted->send);
    if (!own && w->own_ms == d->time_ms) return; /* what later steps did at that instant is not why */
    switch (d->outcome) {
    case RELANCE_OUTCOME_STARTED:
    case RELANCE_OUTCOME_SENT:
    case RELANCE_OUTCOME_HELD:
        w->obstacle = (str){0};
        w->own_ms = RELANCE_NEVER;
        break;
    case RELANCE_OUTCOME_SET:
    case RELANCE_OUTCOME_ANSWERED:
    case RELANCE_OUTCOME_GOAL: break;
    case RELANCE_OUTCOME_FINISHED:
        if (!w->obstacle.size) meet(w, d, NULL);
        break;
    default:
        meet(w, d, NULL);
        if (own) w->own_ms = d->time_ms;
    }
}

static void why_note(void *context, const struct relance_note *note)
{
    struct why *w = context;
    bool goal = !w->wanted->send.size;
    if (!concerns_named(w, note->rule)) return;
    switch (note->kind) {
    case RELANCE_NOTE_IF:
    case RELANCE_NOTE_KEY:
    case RELANCE_NOTE_NO_KEY:
    case RELANCE_NOTE_LIVE:
    case RELANCE_NOTE_OLDER:
    case RELANCE_NOTE_ANSWER_KEY:
    case RELANCE_NOTE_ANSWER_IF:
    case RELANCE_NOTE_ANSWER_OLDER:
    case RELANCE_NOTE_ANSWER_NEWER:
        if (!goal) meet(w, NULL, note);
        break;
    case RELANCE_NOTE_GOAL_KEY:
    case RELANCE_NOTE_GOAL_IF:
        if (goal) meet(w, NULL, note);
        break;
    case RELANCE_NOTE_ON_EVENT:
    case RELANCE_NOTE_ON_ENTER:
    case RELANCE_NOTE_ON_LEAVE:
    case RELANCE_NOTE_ON_DATE:
        if (!goal && w->rule.size) w->waiting = say(w, NULL, note);
        break;
    case RELANCE_NOTE_RUNNING:
        if (!goal && !w->running.size) w->running = say(w, NULL, note);
        break;
    default: break;
    }
}

/* ---- the whole */

static str nothing_told(const struct why *w)
{
    bool any = false;
    for (size_t i = 0; i < w->t->set->rule_count && !any; i++)
        any = concerns(w, &w->t->set->rules[i]);
    if (!w->wanted->send.size)
        return any ? STR("no event reached an open window of this goal then") : STR("there is no such goal");
    return any ? STR("nothing triggered a rule that sends this") : STR("no step sends this");
}

void why_missing(struct testing *t, const struct expected *wanted, str rule)
{
    struct why w = {.t = t, .wanted = wanted, .rule = rule, .own_ms = RELANCE_NEVER};
    struct relance_engine_options options = {.decide = why_decide,
                                             .context = &w,
                                             .explain = why_note,
                                             .explain_context = &w,
                                             .explained = t->test->customer};
    struct relance_engine *e = testing_play(t, options, wanted->after_ms);
    if (!e) return;
    relance_engine_explain(e);
    t->no_memory |= relance_engine_error(e).size > 0;
    relance_engine_free(e);
    bool live = w.running.size && (!w.obstacle.size || w.moved);
    str first = w.obstacle.size ? w.obstacle : live ? w.running : w.waiting;
    if (!first.size) first = nothing_told(&w);
    buffer_put_format(&t->report, "      why: %.*s\n", STR_ARG(first));
    if (live && w.obstacle.size) buffer_put_format(&t->report, "           %.*s\n", STR_ARG(w.running));
}
