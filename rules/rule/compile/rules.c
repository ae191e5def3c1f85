/* Attributes with a source, counts and rules: their expressions compiled, each in its scope. */
#include "rule/compile/compile.h"

#include "base/duration.h"
#include "base/limits.h"

static const struct type_list no_types = {0};

/* ---- attributes and counts: `event` and `customer` only */

static void compile_attribute(struct compiler *c, const struct declared *d, struct attribute_rule *out)
{
    if (d->value->kind != JSON_OBJECT) return;
    c->owner = (struct owner){"attribute", d->name};
    arena_reset(c->place);
    const struct json *on = keyword_get(d->value, PLACE_ATTRIBUTE, "on"),
                      *value = keyword_get(d->value, PLACE_ATTRIBUTE, "value");
    const struct json *keep = json_member(d->value, "keep");
    if (!json_member(d->value, "on") != !json_member(d->value, "value"))
        gather_error(c->diag, d->source, d->value, (str){0},
                     "an attribute with a source needs both 'on' and 'value'");
    if (keep && !json_member(d->value, "on"))
        gather_error(c->diag, d->source, keep, (str){0},
                     "'keep' says which event's value stays: it needs 'on' and 'value'");
    if (!on || !value) return;
    out->on = declare_read_types(c, d->source, on);
    if (out->on.count)
        out->value =
            compile_text(c, scope_env(c, SCOPE_EVENT, out->on, no_types, "the value of an attribute"),
                         d->source, value, out->type);
}

void compile_attributes(struct compiler *c)
{
    for (size_t i = 0; i < c->set->attribute_count; i++)
        compile_attribute(c, &c->files.customer.items[i], &c->set->attributes[i]);
}

static bool is_kind(const struct cel_type *type, unsigned kinds)
{
    return type->kind == CEL_TYPE_DYN || kinds & 1u << type->kind;
}

void compile_expect_kinds(struct compiler *c, const struct source *source, const struct json *node,
                          const struct cel_program *program, unsigned kinds, bool list, const char *wanted)
{
    if (!program) return;
    const struct cel_type *type = cel_program_type(program);
    if (is_kind(type, kinds) || (list && type->kind == CEL_TYPE_LIST && is_kind(type->params[0], kinds)))
        return;
    str noun = cel_type_noun(c->scratch, type);
    gather_error(c->diag, source, node, (str){0}, "this must be %s, but is %.*s", wanted, STR_ARG(noun));
}

static void compile_count(struct compiler *c, const struct declared *d, struct count_rule *out)
{
    const struct json *on = keyword_get(d->value, PLACE_COUNT, "on");
    c->owner = (struct owner){"count", d->name};
    if (d->value->kind == JSON_OBJECT && !json_member(d->value, "on"))
        gather_error_at_key(c->diag, d->source, d->value, (str){0},
                            "count '%.*s' needs 'on': which events it counts", STR_ARG(d->name));
    out->on = declare_read_types(c, d->source, on);
    if (!out->on.count) return;
    arena_reset(c->place);
    const struct cel_env *env = scope_env(c, SCOPE_EVENT, out->on, no_types, "a count");
    const struct json *by = keyword_get(d->value, PLACE_COUNT, "by"),
                      *sum = keyword_get(d->value, PLACE_COUNT, "sum");
    out->condition = compile_condition(c, env, d->source, keyword_get(d->value, PLACE_COUNT, "if"));
    out->by = compile_text(c, env, d->source, by, NULL);
    out->sum = compile_text(c, env, d->source, sum, NULL);
    compile_expect_kinds(c, d->source, by, out->by, KINDS_TEXT, true, "a string or a list of strings");
    compile_expect_kinds(c, d->source, sum, out->sum, KINDS_NUMBER, false, "a number");
}

void compile_counts(struct compiler *c)
{
    for (size_t i = 0; i < c->set->count_count; i++)
        compile_count(c, &c->files.counts.items[i], &c->set->counts[i]);
}

/* ---- rules */

struct rule_compiler {
    struct compiler *c;
    const struct source *source;
    const struct json *node;
    struct rule *rule;
    struct cel_env *step_env; /* `while`, `if`, `with` */
    uint32_t number;
    bool fires; /* its 'on' is sound */
    bool lists; /* a program that runs in a run reads `triggers` */
};

static void note_run_program(struct rule_compiler *r, const struct cel_program *program)
{
    const uint32_t *slots;
    size_t count = program ? cel_program_slots(program, &slots) : 0;
    for (size_t i = 0; i < count; i++)
        r->lists |= slots[i] == r->c->set->slots.triggers;
}

static const struct json *rule_get(const struct rule_compiler *r, const char *keyword)
{
    return keyword_get(r->node, PLACE_RULE, keyword);
}

int64_t compile_duration(struct compiler *c, const struct source *source, const struct json *node,
                         int64_t absent)
{
    int64_t ms = absent;
    if (!node || !duration_parse(node->text, &ms)) return absent;
    if (ms < 0) gather_error(c->diag, source, node, (str){0}, "this time cannot be negative");
    return ms < 0 ? 0 : ms;
}

static void compile_on_segment(struct rule_compiler *r, const struct json *on)
{
    struct relance_ruleset *set = r->c->set;
    str name = str_slice(on->text, 6, on->text.size); /* behind "enter " or "leave " */
    r->rule->kind = on->text.data[0] == 'e' ? ON_ENTER : ON_LEAVE;
    r->rule->segment = names_find(&set->names.segments, name);
    if (r->rule->segment == NAME_NONE)
        gather_error(r->c->diag, r->source, on, section_hint(&r->c->files.segments, name, r->c->diag),
                     "segment '%.*s' is not declared in 'segments'", STR_ARG(name));
    else
        set->segments[r->rule->segment].tracked = r->fires = true;
}

static void compile_on_date(struct rule_compiler *r, const struct json *on)
{
    struct compiler *c = r->c;
    bool sound = keyword_check(r->source, on, PLACE_ON, "'on'", c->diag);
    const struct json *yearly = keyword_get(on, PLACE_ON, "yearly"),
                      *date = keyword_get(on, PLACE_ON, "date");
    if (!yearly == !date && (sound || yearly))
        gather_error(c->diag, r->source, on, (str){0}, "'on' needs either 'yearly' or 'date'");
    if (!yearly == !date) return;
    const struct cel_env *env = scope_env(c, SCOPE_LAST, no_types, no_types, "a date");
    r->rule->kind = yearly ? ON_YEARLY : ON_DATE;
    r->rule->date = compile_text(c, env, r->source, yearly ? yearly : date,
                                 &cel_types[yearly ? CEL_TYPE_STRING : CEL_TYPE_TIMESTAMP]);
    r->fires = true;
}

static void compile_on(struct rule_compiler *r)
{
    const struct json *on = json_member(r->node, "on");
    if (!on) {
        gather_error_at_key(r->c->diag, r->source, r->node, (str){0},
                            "rule '%.*s' needs 'on': what triggers it", STR_ARG(r->rule->name));
        return;
    }
    bool segment = on->kind == JSON_STRING &&
                   (str_starts_with(on->text, STR("enter ")) || str_starts_with(on->text, STR("leave ")));
    if (segment)
        compile_on_segment(r, on);
    else if (on->kind == JSON_OBJECT)
        compile_on_date(r, on);
    else if (on->kind == JSON_STRING ||
             (on->kind == JSON_ARRAY && on->child && on->child->kind == JSON_STRING))
        r->fires = (r->rule->on = declare_read_types(r->c, r->source, on)).count > 0;
    else
        gather_error(r->c->diag, r->source, on,
                     STR("or \"enter SEGMENT\", \"leave SEGMENT\", {\"yearly\": CEL}, {\"date\": CEL}"),
                     "'on' must be an event type or a list of them");
}

static const struct {
    str name;
    enum again again;
} again_names[] = {
    {STR("ignore"), AGAIN_IGNORE}, {STR("rearm"), AGAIN_REARM}, {STR("restart"), AGAIN_RESTART}};

static void compile_again(struct rule_compiler *r)
{
    const struct json *again = rule_get(r, "again");
    if (!again) return;
    r->rule->again_point = new_point(r->c, r->source, again->key_begin);
    for (size_t i = 0; i < sizeof again_names / sizeof *again_names; i++) {
        if (!str_equal(again->text, again_names[i].name)) continue;
        r->rule->again = again_names[i].again;
        return;
    }
    gather_error(r->c->diag, r->source, again, (str){0}, "'again' is \"ignore\", \"rearm\" or \"restart\"");
}

/* Does an expression read nothing but `event` and `customer`? */
static bool reads_event_only(const struct compiler *c, const struct cel_program *program)
{
    const struct slot_map *s = &c->set->slots;
    const uint32_t *slots, *functions;
    size_t count = cel_program_slots(program, &slots);
    for (size_t i = 0; i < count; i++) {
        bool customer = slots[i] >= s->customer_id && slots[i] < s->event;
        bool event = slots[i] >= s->event && slots[i] < s->trigger;
        if (!customer && !event) return false;
    }
    count = cel_program_functions(program, &functions);
    for (size_t i = 0; i < count; i++)
        if (functions[i] < c->set->count_count) return false;
    return true;
}

static void compile_cancel(struct rule_compiler *r, const struct json *node)
{
    struct compiler *c = r->c;
    struct cancel cancel = {.point = new_point(c, r->source, node->begin), .rule = r->number};
    const struct json *on = node, *key = NULL, *condition = NULL;
    if (node->kind == JSON_OBJECT) {
        keyword_check(r->source, node, PLACE_CANCEL, "'cancel'", c->diag);
        on = keyword_get(node, PLACE_CANCEL, "on");
        key = keyword_get(node, PLACE_CANCEL, "key");
        condition = keyword_get(node, PLACE_CANCEL, "if");
        if (!json_member(node, "on"))
            gather_error(c->diag, r->source, node, (str){0}, "'cancel' needs 'on': which events end the run");
    } else if (node->kind != JSON_STRING) {
        gather_error(c->diag, r->source, node, (str){0},
                     "'cancel' lists event types, or objects with 'on', 'key' and 'if'");
        return;
    }
    if (key && !json_member(r->node, "key"))
        gather_error(c->diag, r->source, key, STR("give the rule a 'key', or leave this one out"),
                     "this 'key' has nothing to be compared with: the rule has none");
    cancel.on = declare_read_types(c, r->source, on);
    unsigned whatever = scope_of(cancel.on) | (r->fires ? 0 : SCOPE_ANYTHING);
    const struct cel_env *key_env =
        scope_env(c, SCOPE_OF_RULE | SCOPE_EVENT | whatever, cancel.on, no_types, "the 'key' of 'cancel'");
    cancel.key = compile_text(c, key_env, r->source, key, NULL);
    compile_expect_kinds(c, r->source, key, cancel.key, KINDS_KEY, true,
                         "a string, int, uint or bool, or a list of them");
    /* `trigger` and `run` are those of the run that it is asked about */
    const struct cel_env *env =
        scope_env(c, SCOPE_OF_RULE | SCOPE_EVENT | SCOPE_TRIGGER | SCOPE_TRIGGERS | SCOPE_RUN | whatever,
                  cancel.on, r->rule->on, "the 'if' of 'cancel'");
    cancel.condition = compile_condition(c, env, r->source, condition);
    note_run_program(r, program_of(cancel.condition));
    if (whatever) return;
    cancel.remembered = !cancel.condition || reads_event_only(c, cancel.condition->program);
    c->set->cancels[c->set->cancel_count++] = cancel;
}

/* Says so. */
static bool too_many(struct rule_compiler *r, const struct json *node, size_t most, const char *what)
{
    if (node->count <= most) return false;
    gather_error(r->c->diag, r->source, node, (str){0}, "a rule has at most %zu %s", most, what);
    return true;
}

static void compile_cancels(struct rule_compiler *r)
{
    const struct json *node = json_member(r->node, "cancel");
    if (!node) return;
    if (node->kind != JSON_ARRAY) {
        compile_cancel(r, node);
        return;
    }
    if (too_many(r, node, LIMIT_RULE_CANCELS, "entries of 'cancel'")) return;
    for (const struct json *item = node->child; item; item = item->next)
        compile_cancel(r, item);
}

static void note_template(struct rule_compiler *r, struct template template)
{
    for (size_t i = 0; i < template.count; i++)
        note_run_program(r, template.pieces[i].program);
}

/* `after` and `at`. */
static void compile_wait(struct rule_compiler *r, const struct json *node, struct step *out)
{
    static const int64_t day_ms = 86400000;
    struct compiler *c = r->c;
    const struct json *after = keyword_get(node, PLACE_STEP, "after"),
                      *at = keyword_get(node, PLACE_STEP, "at");
    int64_t after_ms = 0;
    bool may_be_early = r->rule->kind == ON_DATE && r->rule->step_count == 1; /* this is the first step */
    if (after && duration_parse(after->text, &after_ms) && after_ms < 0 && !may_be_early)
        gather_error(c->diag, r->source, after,
                     STR("only the first step of a rule on a date can come before it"),
                     "'after' cannot be negative here");
    out->at_minutes = at ? clock_parse(at->text) : -1;
    bool days = after && strcspn(after->text.data, "hms") >= after->text.size;
    if (at && after && !days)
        gather_error(c->diag, r->source, after, STR("with 'at', say \"2d\" or \"1w\""),
                     "next to 'at', 'after' counts calendar days: 'd' and 'w' only");
    out->after_ms = at ? 0 : after_ms;
    out->after_days = at ? after_ms / day_ms : 0;
    if (after_ms >= 0) return;
    r->rule->early = *out; /* the trigger falls due that much earlier, and the first step with it */
    r->rule->is_early = true;
    out->after_ms = out->after_days = 0;
    out->at_minutes = -1;
}

static void compile_step(struct rule_compiler *r, const struct json *node, struct step *out)
{
    struct compiler *c = r->c;
    keyword_check(r->source, node, PLACE_STEP, "a step", c->diag);
    if (node->kind != JSON_OBJECT) return;
    out->point = new_point(c, r->source, node->begin);
    const struct json *send = keyword_get(node, PLACE_STEP, "send"),
                      *with = keyword_get(node, PLACE_STEP, "with");
    compile_wait(r, node, out);
    out->condition = compile_condition(c, r->step_env, r->source, keyword_get(node, PLACE_STEP, "if"));
    note_run_program(r, program_of(out->condition));
    if (send && send->text.size == 0)
        gather_error(c->diag, r->source, send, (str){0},
                     "'send' needs the name of a channel, such as \"email\"");
    if (send) out->send = send->text;
    if (with && !send)
        gather_error(c->diag, r->source, with, (str){0},
                     "'with' is the payload of a 'send', which this step does not have");
    if (!json_member(node, "send") && !json_member(node, "set"))
        gather_error(c->diag, r->source, node, (str){0}, "this step does nothing: it needs 'send' or 'set'");
    if (with && send && r->step_env) out->with = compile_template(c, r->step_env, r->source, with);
    if (r->step_env) {
        cel_env_set_lenient(r->step_env,
                            STR("customer")); /* a value that fails leaves its attribute as it was */
        compile_sets(c, r->step_env, r->source, keyword_get(node, PLACE_STEP, "set"), out);
        cel_env_set_lenient(r->step_env, (str){0});
    }
    note_template(r, out->with);
    for (size_t i = 0; i < out->set_count; i++)
        note_template(r, out->sets[i].value);
}

static void compile_steps(struct rule_compiler *r)
{
    const struct json *steps = rule_get(r, "do");
    if (!json_member(r->node, "do") || (steps && !steps->child)) {
        gather_error_at_key(r->c->diag, r->source, r->node, (str){0},
                            "rule '%.*s' needs 'do': at least one step", STR_ARG(r->rule->name));
        return;
    }
    if (!steps || too_many(r, steps, LIMIT_STEPS, "steps")) return;
    struct step *out = ARENA_ARRAY(r->c->keep, struct step, steps->count);
    if (!out) {
        r->c->diag->failed = true;
        return;
    }
    r->rule->steps = out;
    for (const struct json *node = steps->child; node; node = node->next)
        compile_step(r, node, &out[r->rule->step_count++]);
}

/* Which fields of its triggers a run keeps: all that the set declares for them, whether anything reads them today
 * or not: after a change of rules, what a waiting run's steps then read is there. */
static void note_kept_fields(struct rule_compiler *r)
{
    const struct relance_ruleset *set = r->c->set;
    struct rule *rule = r->rule;
    const struct scope_block *block = scope_block(&r->c->scopes, rule->on);
    if (!block) {
        r->c->diag->failed = true;
        return;
    }
    rule->trigger_count = r->lists ? LIMIT_TRIGGERS : 1;
    rule->trigger_record = block->record;
    rule->trigger_slots = block->offsets;
    rule->keeps = block->fields;
    for (size_t i = 0; i < block->fields.count; i++)
        r->c->read[set->slots.event + ENVELOPE_COUNT + block->fields.types[i]] = true;
}

static void compile_rule(struct compiler *c, const struct declared *d, uint32_t number, int64_t stale_ms)
{
    struct rule *rule = &c->set->rules[number];
    struct rule_compiler r = {.c = c, .source = d->source, .node = d->value, .rule = rule, .number = number};
    rule->point = new_point(c, d->source, d->value->key_begin);
    c->owner = (struct owner){"rule", d->name};
    arena_reset(c->place);
    if (d->name.size == 0) gather_error_at_key(c->diag, d->source, d->value, (str){0}, "a rule needs a name");
    keyword_check(d->source, d->value, PLACE_RULE, "a rule", c->diag);
    if (d->value->kind != JSON_OBJECT) return;
    compile_on(&r);
    compile_again(&r);
    rule->cooldown_ms = compile_duration(c, d->source, rule_get(&r, "cooldown"), 0);
    rule->stale_ms = compile_duration(c, d->source, rule_get(&r, "stale"), stale_ms);
    unsigned whatever = r.fires ? 0 : SCOPE_ANYTHING;
    const struct cel_env *env = scope_env(c, SCOPE_OF_RULE | SCOPE_EVENT | SCOPE_TRIGGER | whatever, rule->on,
                                          rule->on, "'if' and 'key'");
    r.step_env = scope_env(c, SCOPE_OF_RULE | SCOPE_TRIGGER | SCOPE_TRIGGERS | SCOPE_RUN | whatever, no_types,
                           rule->on, "'while' and in steps");
    const struct json *key = rule_get(&r, "key");
    rule->condition = compile_condition(c, env, d->source, rule_get(&r, "if"));
    rule->key = compile_text(c, env, d->source, key, NULL);
    compile_expect_kinds(c, d->source, key, rule->key, KINDS_KEY, true,
                         "a string, int, uint or bool, or a list of them");
    rule->while_true = compile_condition(c, r.step_env, d->source, rule_get(&r, "while"));
    note_run_program(&r, program_of(rule->while_true));
    compile_cancels(&r);
    compile_steps(&r);
    compile_goal(c, d->source, d->value, rule);
    compile_split(c, d->source, rule_get(&r, "split"), rule);
    if (r.fires) note_kept_fields(&r);
}

/* Rules act by priority descending, then name: the order in which they are numbered. */
struct ranked {
    const struct declared *declared;
    int64_t priority;
};

static int rank_order(const struct ranked *a, const struct ranked *b)
{
    if (a->priority != b->priority) return a->priority > b->priority ? -1 : 1;
    return str_compare(a->declared->name, b->declared->name);
}

/* Merge sort, bottom up: `items` and `spare` change places at each width. */
static struct ranked *rank(struct ranked *items, struct ranked *spare, size_t count)
{
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle = begin + width < count ? begin + width : count,
                   end = middle + width < count ? middle + width : count;
            for (size_t a = begin, b = middle, out = begin; out < end; out++) {
                bool left = a < middle && (b == end || rank_order(&items[a], &items[b]) <= 0);
                spare[out] = left ? items[a++] : items[b++];
            }
        }
        struct ranked *swap = items;
        items = spare;
        spare = swap;
    }
    return items;
}

static size_t cancel_bound(const struct section *rules)
{
    size_t bound = 1;
    for (size_t i = 0; i < rules->count; i++) {
        const struct json *cancel = json_member(rules->items[i].value, "cancel");
        bound += !cancel ? 0 : cancel->kind == JSON_ARRAY ? cancel->count : 1;
    }
    return bound;
}

void compile_rules(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    const struct section *rules = &c->files.rules;
    struct ranked *items = ARENA_ARRAY(c->scratch, struct ranked, rules->count + 1),
                  *spare = ARENA_ARRAY(c->scratch, struct ranked, rules->count + 1);
    set->rules = ARENA_ARRAY(c->keep, struct rule, rules->count + 1);
    set->cancels = ARENA_ARRAY(c->keep, struct cancel, cancel_bound(rules));
    if (!items || !spare || !set->rules || !set->cancels ||
        !names_init(&set->names.rules, c->keep, rules->count)) {
        c->diag->failed = true;
        return;
    }
    for (size_t i = 0; i < rules->count; i++) {
        const struct json *priority = keyword_get(rules->items[i].value, PLACE_RULE, "priority");
        items[i] = (struct ranked){&rules->items[i], priority ? (int64_t)priority->number : 0};
    }
    items = rank(items, spare, rules->count);
    int64_t stale_ms =
        compile_duration(c, rules->count ? rules->items->source : NULL, c->files.stale, 86400000);
    set->rule_count = rules->count;
    for (size_t i = 0; i < rules->count; i++) {
        set->rules[i].name = items[i].declared->name;
        set->rules[i].priority = items[i].priority;
        names_add(&set->names.rules, set->rules[i].name);
    }
    for (size_t i = 0; i < rules->count; i++)
        compile_rule(c, items[i].declared, (uint32_t)i, stale_ms);
}
