/* What is written without a mistake and yet cannot work, or cannot be meant: warnings (`relance check`). */
#include "rule/compile/compile.h"

#include "base/buffer.h"

/* ---- declarations that nobody reads */

/* By host function: does some expression call it? */
static const bool *note_called(struct compiler *c)
{
    size_t all = first_affinity_function(c->set) + c->set->affinity_count * AFFINITY_FORMS;
    bool *called = ARENA_ARRAY(c->scratch, bool, all);
    const uint32_t *functions;
    if (!called) c->diag->failed = true;
    for (const struct noted_program *note = c->set->programs; called && note; note = note->next) {
        size_t count = cel_program_functions(note->program, &functions);
        for (size_t i = 0; i < count; i++)
            called[functions[i]] = true;
    }
    return called;
}

static void suspect_key(struct compiler *c, const struct declared *d, const char *what, const char *why)
{
    diag_add(c->diag, SEVERITY_WARNING, (struct origin){.source = d->source}, d->value->key_begin,
             d->value->key_end, (str){0}, "%s '%.*s' %s", what, STR_ARG(d->name), why);
}

static void suspect_declarations(struct compiler *c)
{
    const struct relance_ruleset *set = c->set;
    const bool *called = note_called(c);
    for (size_t i = 0; i < c->files.counts.count && called; i++) {
        const struct declared *d = &c->files.counts.items[i];
        uint32_t number = names_find(&set->names.counts, d->name);
        if (number != NAME_NONE && !called[number]) suspect_key(c, d, "count", "is never used");
    }
    for (size_t i = 0; i < set->list_count && called; i++)
        if (!called[first_list_function(set) + i])
            suspect_key(c, &c->files.lists.items[i], "list", "is never used");
    for (size_t i = 0; i < c->files.tables.count; i++)
        if (!c->scopes.tables_named[i]) suspect_key(c, &c->files.tables.items[i], "table", "is never read");
    for (size_t i = 0; i < c->files.customer.count; i++) {
        const struct declared *d = &c->files.customer.items[i];
        uint32_t number = names_find(&set->names.attributes, d->name);
        if (number == set->tz_attribute || number == NAME_NONE) continue;
        if (!c->read[set->slots.attributes + number]) suspect_key(c, d, "attribute", "is never read");
    }
}

static void suspect_lets(struct compiler *c, const struct cel_shorthands *lets, const struct declared *items)
{
    for (size_t i = 0; i < lets->count; i++)
        if (!lets->used[i]) suspect_key(c, &items[i], "name", "of 'let' is never used");
}

static void suspect_rule_lets(struct compiler *c, const struct declared *d, const struct rule *rule)
{
    const struct json *m = rule->lets ? json_member(d->value, "let")->child : NULL;
    for (size_t i = 0; m; m = m->next, i++)
        if (!rule->lets->used[i])
            suspect_key(c, &(struct declared){.source = d->source, .name = m->key, .value = m}, "name",
                        "of 'let' is never used");
}

/* ---- rules that cannot do anything */

static bool is_always(const struct noted_program *condition, bool value)
{
    struct cel_value constant;
    return condition && cel_program_constant(condition->program, &constant) && constant.kind == CEL_BOOL &&
           constant.as.b == value;
}

static void suspect_value(struct compiler *c, const struct declared *d, const struct json *node,
                          const char *what)
{
    diag_add(c->diag, SEVERITY_WARNING, (struct origin){.source = d->source}, node->begin, node->end,
             (str){0}, "%s", what);
}

/* None of the segments that it waits for: each is constant, and not one that customers enter at the start. */
static bool never_changes(const struct relance_ruleset *set, const struct rule *rule)
{
    struct cel_value constant;
    for (size_t i = 0; i < rule->change_count; i++) {
        const struct noted_program *condition = set->segments[rule->changes[i].segment].condition;
        if (!cel_program_constant(condition->program, &constant)) return false;
        if (rule->changes[i].enter && is_always(condition, true)) return false;
    }
    return true;
}

static void suspect_trigger(struct compiler *c, const struct declared *d, const struct rule *rule)
{
    const struct json *on = json_member(d->value, "on");
    struct cel_value constant;
    if (rule->change_count && never_changes(c->set, rule))
        suspect_value(c, d, on, "nothing can trigger this rule: the segment never changes");
    if (rule->date && cel_program_constant(rule->date, &constant) && !date_possible(rule, constant))
        suspect_value(c, d, on, "nothing can trigger this rule: there is no such day");
    if (is_always(rule->condition, false))
        suspect_value(c, d, json_member(d->value, "if"),
                      "nothing can trigger this rule: its 'if' is always false");
}

enum {
    COMPARED_MAX = 4000000 /* nodes of conditions, in a set: then nobody knows whether they contradict */
};

static bool contradict(struct compiler *c, const struct json *one, const struct json *other)
{
    bool contradicts = cel_contradicts(c->work, one->text, other->text, STR("event"), STR("trigger"),
                                       &c->to_compare, &c->diag->failed);
    arena_reset(c->work);
    return contradicts;
}

static void suspect_while(struct compiler *c, const struct declared *d, const struct rule *rule)
{
    const struct json *condition = json_member(d->value, "if"), *while_true = json_member(d->value, "while");
    if (!while_true) return;
    if (is_always(rule->while_true, false)) {
        suspect_value(c, d, while_true, "this rule can do nothing: its 'while' is always false");
    } else if (condition && rule->condition && rule->while_true && contradict(c, condition, while_true)) {
        suspect_value(
            c, d, while_true,
            "this contradicts 'if': unless something changes in between, the run ends and does nothing");
    }
}

static bool same_letters(str a, const char *b)
{
    size_t size = 0;
    for (; size < a.size && b[size]; size++)
        if ((a.data[size] | 0x20) != b[size]) return false;
    return size == a.size && !b[size];
}

/* A variant that looks like the one that sends nothing, and is sent to. */
static void suspect_variant(struct compiler *c, const struct declared *d, const struct json *m)
{
    static const char *const names[] = {"control",  "controls", "control group", "holdout",
                                        "hold-out", "holdouts", "none",          "nothing"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (same_letters(m->key, names[i]) && !str_equal(m->key, STR("holdout")))
            diag_add(c->diag, SEVERITY_WARNING, (struct origin){.source = d->source}, m->key_begin,
                     m->key_end, STR("the variant that is sent nothing is called 'holdout'"),
                     "variant '%.*s' is sent to like any other", STR_ARG(m->key));
}

/* Steps before a date: is `before` not smaller than in front? Of one day, times tell which is later. */
static const char *disorder(const struct timing *front, const struct timing *timing)
{
    enum { DAY_MS = 86400000 };
    int64_t of_front_ms = front->ms + front->days * DAY_MS, ms = timing->ms + timing->days * DAY_MS;
    if (ms > of_front_ms) return "this step is skipped: it comes earlier than the one before it";
    bool later = front->at.minutes >= 0 && timing->at.minutes > front->at.minutes;
    return ms == of_front_ms && !later ? "this step comes no later than the one before it" : NULL;
}

static void suspect_order(struct compiler *c, const struct declared *d, const struct rule *rule)
{
    const struct timing *front = NULL;
    const struct json *node = json_member(d->value, "do")->child;
    for (size_t i = 0; i < rule->step_count; i++, node = node->next) {
        const struct timing *timing = &rule->steps[i].timing;
        const char *what = front && timing->before ? disorder(front, timing) : NULL;
        if (what) suspect_value(c, d, json_member(node, "before"), what);
        if (timing->before) front = timing;
    }
}

static bool asks_affinity(const struct relance_ruleset *set, const struct cel_program *program)
{
    const uint32_t *functions;
    size_t count = program ? cel_program_functions(program, &functions) : 0;
    return count && functions[count - 1] >= first_affinity_function(set);
}

/* Is there nothing in the payload but what has been learnt, which may be nothing, and does no condition ask? */
static void suspect_unlearnt(struct compiler *c, const struct declared *d, const struct rule *rule,
                             const struct step *step, const struct json *node)
{
    size_t values = 0, learnt = 0;
    for (size_t i = 0; i < step->with.count; i++) {
        values += step->with.pieces[i].program != NULL;
        learnt += asks_affinity(c->set, step->with.pieces[i].program);
    }
    bool asked = asks_affinity(c->set, program_of(step->condition)) ||
                 asks_affinity(c->set, program_of(rule->condition)) ||
                 asks_affinity(c->set, program_of(rule->while_true));
    if (!learnt || learnt < values || asked) return;
    const struct json *with = json_member(node, "with");
    diag_add(c->diag, SEVERITY_WARNING, (struct origin){.source = d->source}, with->begin, with->end,
             STR("ask in 'if' whether there is anything, such as \"size(goes_with(run.key, 4)) > 0\""),
             "where nothing has been learnt, this is sent with an empty list");
}

static void suspect_steps(struct compiler *c, const struct declared *d, const struct rule *rule)
{
    bool sends = false;
    const struct json *node = json_member(d->value, "do")->child;
    for (size_t i = 0; i < rule->step_count; i++, node = node->next) {
        sends |= rule->steps[i].send.size > 0;
        suspect_payload(c, d, node);
        suspect_unlearnt(c, d, rule, &rule->steps[i], node);
        if (is_always(rule->steps[i].condition, false))
            suspect_value(c, d, json_member(node, "if"),
                          "this step is never performed: its 'if' is always false");
    }
    suspect_order(c, d, rule);
    const struct json *goal = json_member(d->value, "goal"), *split = json_member(d->value, "split");
    const struct json *cooldown = json_member(d->value, "cooldown");
    if (goal && !sends) suspect_value(c, d, goal, "this goal is never reached: the rule sends nothing");
    if (cooldown && !sends)
        suspect_value(c, d, cooldown, "this cooldown never begins: the rule sends nothing");
    const struct json *salt = json_member(d->value, "salt");
    if (salt && !split)
        suspect_value(c, d, salt, "this salt changes nothing: the rule has no 'split' to draw variants for");
    for (const struct json *m = split ? split->child : NULL; m; m = m->next) {
        suspect_variant(c, d, m);
        if (m->number == 0)
            diag_add(c->diag, SEVERITY_WARNING, (struct origin){.source = d->source}, m->key_begin,
                     m->key_end, (str){0}, "nobody gets variant '%.*s': its weight is 0", STR_ARG(m->key));
    }
}

/* ---- two rules that send the same */

static void suspect_send(struct compiler *c, struct names *seen, str *rules, const struct declared *d,
                         const struct json *step)
{
    const struct json *send = json_member(step, "send"), *with = json_member(step, "with");
    if (!send || !with) return; /* without a payload, the rule's name says what it is */
    struct buffer text;
    buffer_init(&text, c->scratch);
    buffer_put_str(&text, send->text);
    buffer_put_char(&text, '\0');
    json_write(with, &text);
    if (text.failed) {
        c->diag->failed = true;
        return;
    }
    uint32_t known = names_find(seen, buffer_str(&text));
    if (known == NAME_NONE) {
        known = names_add(seen, buffer_str(&text));
        rules[known] = d->name;
    } else if (!str_equal(rules[known], d->name)) {
        diag_add(c->diag, SEVERITY_WARNING, (struct origin){.source = d->source}, step->begin, step->end,
                 (str){0}, "rules '%.*s' and '%.*s' send the same", STR_ARG(rules[known]), STR_ARG(d->name));
    }
}

static void suspect_sends(struct compiler *c)
{
    size_t count = 0;
    for (size_t i = 0; i < c->set->rule_count; i++)
        count += c->set->rules[i].step_count;
    struct names seen;
    str *rules = ARENA_ARRAY(c->scratch, str, count + 1);
    if (!rules || !names_init(&seen, c->scratch, count)) {
        c->diag->failed = true;
        return;
    }
    for (size_t i = 0; i < c->files.rules.count; i++) {
        const struct declared *d = &c->files.rules.items[i];
        if (json_member(d->value, "let")) continue; /* what is written alike may stand for something else */
        for (const struct json *step = json_member(d->value, "do")->child; step; step = step->next)
            suspect_send(c, &seen, rules, d, step);
    }
}

/* ---- limits that limit nothing, or everything */

/* A gate, or a group that is held out, that nobody escapes. */
static void suspect_gate(struct compiler *c, const struct declared *d, const struct limit *limit)
{
    bool gate = limit->kind == GATE;
    const struct json *condition = json_member(d->value, "if"), *form;
    if (!gate && limit->kind != HOLD_OUT) return;
    if (condition && !is_always(limit->condition, true)) return;
    form = condition ? condition : json_member(d->value, gate ? "never" : "hold");
    diag_add(c->diag, SEVERITY_WARNING, (struct origin){.source = d->source}, form->begin, form->end,
             condition ? (str){0} : STR("say in 'if' which sends it is about"), "this %s every send%s: %s",
             gate ? "blocks" : "holds", limit->send.size ? " on its channel" : "",
             condition ? "its 'if' is always true" : "it has no 'if'");
}

static void suspect_limits(struct compiler *c)
{
    const struct relance_ruleset *set = c->set;
    for (size_t i = 0; i < set->limit_count; i++) {
        const struct declared *d = &c->files.limits.items[i];
        suspect_gate(c, d, &set->limits[i]);
        bool met = !set->limits[i].send.size;
        for (size_t r = 0; r < set->rule_count && !met; r++)
            for (size_t s = 0; s < set->rules[r].step_count && !met; s++)
                met = str_equal(set->rules[r].steps[s].send, set->limits[i].send);
        if (!met)
            suspect_value(c, d, json_member(d->value, "send"),
                          "this limit never applies: no step sends on that channel");
        if (is_always(set->limits[i].condition, false))
            suspect_value(c, d, json_member(d->value, "if"),
                          "this limit never applies: its 'if' is always false");
    }
}

void suspect_rules(struct compiler *c)
{
    c->to_compare = COMPARED_MAX;
    suspect_declarations(c);
    suspect_lets(c, &c->set->lets, c->files.lets.items);
    for (size_t i = 0; i < c->files.rules.count; i++) {
        const struct declared *d = &c->files.rules.items[i];
        const struct rule *rule = &c->set->rules[names_find(&c->set->names.rules, d->name)];
        suspect_rule_lets(c, d, rule);
        suspect_trigger(c, d, rule);
        suspect_while(c, d, rule);
        suspect_steps(c, d, rule);
    }
    suspect_sends(c);
    suspect_limits(c);
}
