/* The steps of a rule: when each is due, what it waits for, sends and sets (LANGUAGE.md §3.3). */
#include "rule/compile/rules.h"

#include "base/buffer.h"
#include "base/duration.h"
#include "base/limits.h"
#include "cel/placeholder.h"
#include "rule/compile/meant.h"

enum { DAY_MS = 86400000, YEARLY_DAYS_MAX = 364 };

/* ---- when */

static bool counts_days(const struct json *node)
{
    return strcspn(node->text.data, "hms") >= node->text.size;
}

/* Next to `at`, a time is a number of calendar days. */
static void refuse_hours(struct rule_compiler *r, const struct json *node, const char *keyword)
{
    if (!counts_days(node))
        gather_error(r->c->diag, r->source, node, STR("with 'at', say \"2d\" or \"1w\""),
                     "next to 'at', '%s' counts calendar days: 'd' and 'w' only", keyword);
}

static str time_cure(struct arena *arena, str text)
{
    struct time_of_day time;
    str meant = meant_times(arena, text);
    return time_of_day_parse(meant, &time) ? arena_format(arena, "write \"%.*s\"", STR_ARG(meant)) : (str){0};
}

static void compile_at(struct rule_compiler *r, const struct cel_env *env, const struct json *at,
                       struct timing *out)
{
    if (!at) return;
    if (placeholder_is_whole(at->text)) {
        out->at_text = compile_expression(r->c, env, r->source, at, &cel_types[CEL_TYPE_STRING]);
        rule_note_program(r, out->at_text);
        return;
    }
    if (!time_of_day_parse(at->text, &out->at))
        gather_error(r->c->diag, r->source, at, time_cure(r->c->scratch, at->text),
                     "'at' must be a time of day, such as \"09:30\" or \"mon-fri 09:30\"");
}

static void compile_after(struct rule_compiler *r, const struct cel_env *env, const struct json *after,
                          const struct json *at, struct timing *out)
{
    struct compiler *c = r->c;
    if (!after) return;
    if (placeholder_is_whole(after->text)) {
        if (at)
            gather_error(c->diag, r->source, after, (str){0},
                         "next to 'at', 'after' counts calendar days and cannot be an expression");
        out->after = compile_expression(c, env, r->source, after, &cel_types[CEL_TYPE_DURATION]);
        rule_note_program(r, out->after);
        return;
    }
    int64_t ms = 0;
    if (!duration_parse(after->text, &ms))
        gather_error(c->diag, r->source, after, meant_duration(c->scratch, after->text),
                     "'after' must be a duration, such as \"45m\", \"1h30m\" or \"7d\"");
    if (ms < 0)
        gather_error(c->diag, r->source, after,
                     arena_format(c->scratch, "in a rule on a date, \"before\": \"%.*s\" comes before it",
                                  STR_ARG(str_slice(after->text, 1, after->text.size))),
                     "'after' cannot be negative");
    if (ms < 0) return;
    if (at) refuse_hours(r, after, "after");
    out->ms = at ? 0 : ms;
    out->days = at ? ms / DAY_MS : 0;
}

static void compile_before(struct rule_compiler *r, const struct json *before, const struct json *after,
                           const struct json *at, struct timing *out)
{
    struct compiler *c = r->c;
    int64_t ms = compile_duration(c, r->source, before, 0);
    out->before = r->rule->has_before = true;
    if (r->fires && !rule_is_dated(r->rule))
        gather_error(
            c->diag, r->source, before, STR("use 'after'"),
            "there is no date that this step could come before: the rule is not on 'yearly' or 'date'");
    if (after) gather_error(c->diag, r->source, after, (str){0}, "a step has either 'after' or 'before'");
    if (at) refuse_hours(r, before, "before");
    if (at && (out->at_text || (out->at.minutes >= 0 && out->at.days != WEEKDAYS_ALL)))
        gather_error(c->diag, r->source, at, (str){0}, "next to 'before', 'at' is a time of day alone");
    if (r->rule->kind == ON_YEARLY && ms > (int64_t)YEARLY_DAYS_MAX * DAY_MS)
        gather_error(c->diag, r->source, before, (str){0},
                     "in a yearly rule, a step comes at most %dd before the day", YEARLY_DAYS_MAX);
    out->ms = at ? 0 : ms;
    out->days = at ? ms / DAY_MS : 0;
}

static void compile_timing(struct rule_compiler *r, const struct cel_env *env, const struct json *node,
                           struct timing *out)
{
    const struct json *after = keyword_get(node, PLACE_STEP, "after"),
                      *at = keyword_get(node, PLACE_STEP, "at"),
                      *before = keyword_get(node, PLACE_STEP, "before");
    out->at.minutes = -1;
    compile_at(r, env, at, out);
    if (before)
        compile_before(r, before, after, at, out);
    else
        compile_after(r, env, after, at, out);
}

/* ---- what it waits for */

/* The types of another wait, among those of all. */
static void add_waited(struct rule_compiler *r, struct type_list on)
{
    uint32_t *all = ARENA_ARRAY(r->c->keep, uint32_t, r->waited.count + on.count + 1); /* programs note it */
    size_t count = 0;
    if (!all) {
        r->c->diag->failed = true;
        return;
    }
    for (size_t a = 0, b = 0; a < r->waited.count || b < on.count;) {
        bool first = b == on.count || (a < r->waited.count && r->waited.types[a] <= on.types[b]);
        uint32_t type = first ? r->waited.types[a++] : on.types[b++];
        if (!count || all[count - 1] != type) all[count++] = type;
    }
    r->waited = (struct type_list){count, all};
}

/* Which fields of its answer a run keeps: as of its triggers, all that are declared. */
static void keep_answer(struct rule_compiler *r, struct awaited *awaited)
{
    const struct relance_ruleset *set = r->c->set;
    const struct scope_block *block = scope_block(&r->c->scopes, awaited->on);
    if (!block) {
        r->c->diag->failed = true;
        return;
    }
    awaited->keeps = block->fields;
    for (size_t i = 0; i < block->fields.count; i++)
        r->c->read[set->slots.event + ENVELOPE_COUNT + block->fields.types[i]] = true;
}

static str label_types(struct rule_compiler *r, struct type_list on)
{
    struct buffer out;
    buffer_init(&out, r->c->keep);
    for (size_t i = 0; i < on.count; i++) {
        if (i) buffer_put_str(&out, STR(" or "));
        buffer_put_str(&out, r->c->set->types[on.types[i]].reader->name);
    }
    r->c->diag->failed |= out.failed;
    return buffer_str(&out);
}

/* A step that waits does nothing else. */
static void refuse_beside_wait(struct rule_compiler *r, const struct json *node)
{
    static const char *const others[] = {"after", "at", "before", "if", "send", "with", "set"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const struct json *other = json_member(node, others[i]);
        if (other)
            gather_error_at_key(r->c->diag, r->source, other, STR("make it the next step"),
                                "a step with 'wait' does nothing else: it cannot have '%s'", others[i]);
    }
}

static void compile_await(struct rule_compiler *r, const struct json *node, const struct json *wait,
                          struct step *out)
{
    static const struct filter_place place = {
        PLACE_WAIT, "'wait'", "which events it waits for",
        "'wait' is an event type, or an object with 'on', 'key' and 'if'"};
    struct compiler *c = r->c;
    const struct json *within = keyword_get(node, PLACE_STEP, "within"),
                      *otherwise = keyword_get(node, PLACE_STEP, "else");
    struct event_filter filter;
    refuse_beside_wait(r, node);
    if (!json_member(node, "within"))
        gather_error(c->diag, r->source, node, (str){0},
                     "'wait' needs 'within': how long it waits, such as \"2d\"");
    bool ends = otherwise && str_equal(otherwise->text, STR("end"));
    if (otherwise && !ends && !str_equal(otherwise->text, STR("go on")))
        gather_error(c->diag, r->source, otherwise, (str){0}, "'else' is \"go on\" or \"end\"");
    if (!rule_compile_filter(r, wait, &place, &filter)) return;
    struct awaited *awaited = &c->set->awaits[c->set->await_count++];
    *awaited = (struct awaited){.point = out->point,
                                .rule = r->number,
                                .step = (uint32_t)(out - r->rule->steps),
                                .on = filter.on,
                                .key = filter.key,
                                .condition = filter.condition,
                                .within_ms = compile_duration(c, r->source, within, 0),
                                .ends = ends,
                                .label = label_types(r, filter.on)};
    keep_answer(r, awaited);
    out->awaited = awaited;
    r->answers = filter.on;
    add_waited(r, filter.on);
}

/* ---- what it does */

static void note_template(struct rule_compiler *r, struct template template)
{
    for (size_t i = 0; i < template.count; i++)
        rule_note_program(r, template.pieces[i].program);
}

static void refuse_without_wait(struct rule_compiler *r, const struct json *node)
{
    static const char *const of_wait[] = {"within", "else"};
    for (size_t i = 0; i < sizeof of_wait / sizeof *of_wait; i++) {
        const struct json *member = json_member(node, of_wait[i]);
        if (member)
            gather_error_at_key(r->c->diag, r->source, member, (str){0},
                                "'%s' belongs to 'wait', which this step does not have", of_wait[i]);
    }
    if (!json_member(node, "send") && !json_member(node, "set"))
        gather_error(r->c->diag, r->source, node, (str){0},
                     "this step does nothing: it needs 'send', 'set' or 'wait'");
}

static void compile_action(struct rule_compiler *r, const struct json *node, struct step *out)
{
    struct compiler *c = r->c;
    const struct json *send = keyword_get(node, PLACE_STEP, "send"),
                      *with = keyword_get(node, PLACE_STEP, "with");
    struct cel_env *env = rule_run_env(r, r->answers);
    refuse_without_wait(r, node);
    compile_timing(r, env, node, &out->timing);
    out->condition = compile_condition(c, env, r->source, keyword_get(node, PLACE_STEP, "if"));
    rule_note_program(r, program_of(out->condition));
    if (send && send->text.size == 0)
        gather_error(c->diag, r->source, send, (str){0},
                     "'send' needs the name of a channel, such as \"email\"");
    if (send) out->send = send->text;
    if (with && !send)
        gather_error(c->diag, r->source, with, (str){0},
                     "'with' is the payload of a 'send', which this step does not have");
    if (with && send && env) out->with = compile_template(c, env, r->source, with, NULL);
    if (env) {
        cel_env_set_lenient(env, STR("customer")); /* a value that fails leaves its attribute as it was */
        compile_sets(c, env, r->source, keyword_get(node, PLACE_STEP, "set"), out);
        cel_env_set_lenient(env, (str){0});
    }
    note_template(r, out->with);
    for (size_t i = 0; i < out->set_count; i++)
        note_template(r, out->sets[i].value);
}

static void compile_step(struct rule_compiler *r, const struct json *node, struct step *out)
{
    keyword_check(r->source, node, PLACE_STEP, "a step", r->c->diag);
    out->timing.at.minutes = -1;
    if (node->kind != JSON_OBJECT) return;
    out->point = new_point(r->c, r->source, node->begin);
    const struct json *wait = json_member(node, "wait");
    if (wait)
        compile_await(r, node, wait, out);
    else
        compile_action(r, node, out);
}

void compile_steps(struct rule_compiler *r)
{
    const struct json *steps = rule_get(r, "do");
    if (!json_member(r->node, "do") || (steps && !steps->child)) {
        gather_error_at_key(r->c->diag, r->source, r->node, (str){0},
                            "rule '%.*s' needs 'do': at least one step", STR_ARG(r->rule->name));
        return;
    }
    if (!steps || rule_has_too_many(r, steps, LIMIT_STEPS, "steps")) return;
    struct step *out = ARENA_ARRAY(r->c->keep, struct step, steps->count);
    if (!out) {
        r->c->diag->failed = true;
        return;
    }
    r->rule->steps = out;
    for (const struct json *node = steps->child; node; node = node->next)
        compile_step(r, node, &out[r->rule->step_count++]);
}
