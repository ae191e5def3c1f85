/* Attributes with a source, counts and rules: their expressions compiled, each in its scope. */
#include "rule/compile/rules.h"

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

void rule_note_program(struct rule_compiler *r, const struct cel_program *program)
{
    r->lists |= program_reads(program, r->c->set->slots.triggers);
}

int64_t compile_duration(struct compiler *c, const struct source *source, const struct json *node,
                         int64_t absent)
{
    int64_t ms = absent;
    if (!node || !duration_parse(node->text, &ms)) return absent;
    if (ms < 0) gather_error(c->diag, source, node, (str){0}, "this time cannot be negative");
    return ms < 0 ? 0 : ms;
}

static bool names_segment(str text)
{
    return str_starts_with(text, STR("enter ")) || str_starts_with(text, STR("leave "));
}

static bool compile_change(struct rule_compiler *r, const struct json *node, struct segment_change *out)
{
    struct relance_ruleset *set = r->c->set;
    enum { VERB = 6 }; /* "enter ", "leave " */
    str name = str_slice(node->text, VERB, node->text.size);
    *out = (struct segment_change){names_find(&set->names.segments, name), node->text.data[0] == 'e'};
    if (out->segment == NAME_NONE)
        gather_error(r->c->diag, r->source, node, section_hint(&r->c->files.segments, name, r->c->diag),
                     "segment '%.*s' is not declared in 'segments'", STR_ARG(name));
    else
        set->segments[out->segment].tracked = true;
    return out->segment != NAME_NONE;
}

static void compile_on_segments(struct rule_compiler *r, const struct json *on)
{
    const struct json *item = on->kind == JSON_ARRAY ? on->child : on;
    struct segment_change *changes =
        ARENA_ARRAY(r->c->keep, struct segment_change, on->kind == JSON_ARRAY ? on->count : 1);
    if (!changes) {
        r->c->diag->failed = true;
        return;
    }
    r->rule->kind = ON_SEGMENTS;
    r->rule->changes = changes;
    r->fires = true;
    for (; item; item = on->kind == JSON_ARRAY ? item->next : NULL)
        if (compile_change(r, item, &changes[r->rule->change_count]))
            r->rule->change_count++;
        else
            r->fires = false;
}

/* "enter SEGMENT", "leave SEGMENT", or a list of nothing else. */
static bool waits_for_segments(const struct json *on)
{
    if (on->kind == JSON_STRING) return names_segment(on->text);
    const struct json *item = on->kind == JSON_ARRAY ? on->child : NULL;
    bool any = item;
    for (; item; item = item->next)
        if (item->kind != JSON_STRING || !names_segment(item->text)) return false;
    return any;
}

/* "12-24" is a subtraction to CEL: a day is a text in it. */
static bool refuse_bare_day(struct rule_compiler *r, const struct json *node)
{
    struct calendar_day day;
    if (!calendar_day_parse(node->text, &day)) return false;
    gather_error(r->c->diag, r->source, node,
                 arena_format(r->c->scratch, "write \"'%.*s'\"", STR_ARG(node->text)),
                 "this is an expression, and a day in it stands in quotes");
    return true;
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
    r->fires = true;
    if (refuse_bare_day(r, yearly ? yearly : date)) return;
    r->rule->date =
        compile_text(c, env, r->source, yearly ? yearly : date, yearly ? &cel_types[CEL_TYPE_STRING] : NULL);
    if (date)
        compile_expect_kinds(c, r->source, date, r->rule->date,
                             1u << CEL_TYPE_TIMESTAMP | 1u << CEL_TYPE_STRING, false,
                             "a timestamp, or a text 'YYYY-MM-DD'");
}

static void compile_on(struct rule_compiler *r)
{
    const struct json *on = json_member(r->node, "on");
    if (!on) {
        gather_error_at_key(r->c->diag, r->source, r->node, (str){0},
                            "rule '%.*s' needs 'on': what triggers it", STR_ARG(r->rule->name));
        return;
    }
    if (waits_for_segments(on))
        compile_on_segments(r, on);
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
    {STR("ignore"), AGAIN_IGNORE},
    {STR("rearm"), AGAIN_REARM},
    {STR("restart"), AGAIN_RESTART},
    {STR("collect"), AGAIN_COLLECT},
};

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
    gather_error(r->c->diag, r->source, again, (str){0},
                 "'again' is \"ignore\", \"rearm\", \"restart\" or \"collect\"");
}

struct cel_env *rule_run_env(struct rule_compiler *r, struct type_list answers)
{
    struct scope_names names = {
        .flags = SCOPE_OF_RULE | SCOPE_TRIGGER | SCOPE_TRIGGERS | SCOPE_RUN | r->whatever,
        .triggers = r->rule->on,
        .answers = answers,
    };
    if (answers.count) names.flags |= SCOPE_ANSWER;
    return scope_env_of(r->c, names, "'while' and in steps");
}

bool rule_compile_filter(struct rule_compiler *r, const struct json *node, const struct filter_place *place,
                         struct event_filter *out)
{
    struct compiler *c = r->c;
    const struct json *on = node, *key = NULL, *condition = NULL;
    *out = (struct event_filter){0};
    if (node->kind == JSON_OBJECT) {
        keyword_check(r->source, node, place->place, place->what, c->diag);
        on = keyword_get(node, place->place, "on");
        key = keyword_get(node, place->place, "key");
        condition = keyword_get(node, place->place, "if");
        if (!json_member(node, "on"))
            gather_error(c->diag, r->source, node, (str){0}, "%s needs 'on': %s", place->what,
                         place->purpose);
    } else if (node->kind != JSON_STRING) {
        gather_error(c->diag, r->source, node, (str){0}, "%s", place->form);
        return false;
    }
    if (key && !json_member(r->node, "key"))
        gather_error(c->diag, r->source, key, STR("give the rule a 'key', or leave this one out"),
                     "this 'key' has nothing to be compared with: the rule has none");
    out->on = declare_read_types(c, r->source, on);
    unsigned whatever = scope_of(out->on) | r->whatever;
    const struct cel_env *key_env = scope_env(c, SCOPE_OF_RULE | SCOPE_EVENT | whatever, out->on, no_types,
                                              arena_format(c->place, "the 'key' of %s", place->what).data);
    out->key = compile_text(c, key_env, r->source, key, NULL);
    compile_expect_kinds(c, r->source, key, out->key, KINDS_KEY, true,
                         "a string, int, uint or bool, or a list of them");
    /* `trigger` and `run` are those of the run that it is asked about */
    const struct cel_env *env =
        scope_env(c, SCOPE_OF_RULE | SCOPE_EVENT | SCOPE_TRIGGER | SCOPE_TRIGGERS | SCOPE_RUN | whatever,
                  out->on, r->rule->on, arena_format(c->place, "the 'if' of %s", place->what).data);
    out->condition = compile_condition(c, env, r->source, condition);
    rule_note_program(r, program_of(out->condition));
    return !whatever;
}

static void compile_cancel(struct rule_compiler *r, const struct json *node)
{
    static const struct filter_place place = {
        PLACE_CANCEL, "'cancel'", "which events end the run",
        "'cancel' lists event types, or objects with 'on', 'key' and 'if'"};
    struct relance_ruleset *set = r->c->set;
    struct event_filter filter;
    struct point point = new_point(r->c, r->source, node->begin);
    if (!rule_compile_filter(r, node, &place, &filter)) return;
    set->cancels[set->cancel_count++] =
        (struct cancel){point, r->number, filter.on, filter.key, filter.condition};
}

bool rule_has_too_many(struct rule_compiler *r, const struct json *node, size_t most, const char *what)
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
    if (rule_has_too_many(r, node, LIMIT_RULE_CANCELS, "entries of 'cancel'")) return;
    for (const struct json *item = node->child; item; item = item->next)
        compile_cancel(r, item);
}

/* `cooldown`: a duration, or {"for": DURATION or "ever", "per": "customer" or "key"}. */
static void compile_cooldown(struct rule_compiler *r)
{
    struct compiler *c = r->c;
    const struct json *node = rule_get(r, "cooldown");
    if (!node) return;
    if (node->kind == JSON_STRING) {
        r->rule->cooldown_ms = compile_duration(c, r->source, node, 0);
        return;
    }
    keyword_check(r->source, node, PLACE_COOLDOWN, "'cooldown'", c->diag);
    const struct json *length = keyword_get(node, PLACE_COOLDOWN, "for"),
                      *per = keyword_get(node, PLACE_COOLDOWN, "per");
    if (!json_member(node, "for"))
        gather_error(c->diag, r->source, node, (str){0}, "'cooldown' needs 'for': how long, or \"ever\"");
    int64_t ms = 0;
    bool ever = length && str_equal(length->text, STR("ever"));
    if (length && !ever && !duration_parse(length->text, &ms))
        gather_error(c->diag, r->source, length, (str){0},
                     "'for' is a duration, such as \"30d\", or \"ever\"");
    r->rule->cooldown_ms = ever ? RULE_COOLDOWN_EVER : compile_duration(c, r->source, length, 0);
    r->rule->cooldown_per_key = per && str_equal(per->text, STR("key"));
    if (per && !r->rule->cooldown_per_key && !str_equal(per->text, STR("customer")))
        gather_error(c->diag, r->source, per, (str){0}, "'per' is \"customer\" or \"key\"");
    if (r->rule->cooldown_per_key && !json_member(r->node, "key"))
        gather_error(c->diag, r->source, per, STR("give the rule a 'key'"),
                     "there is one cooldown for each key, but the rule has no 'key'");
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
    rule->trigger_count = r->lists || rule->again == AGAIN_COLLECT ? LIMIT_TRIGGERS : 1;
    rule->counts_late = rule->trigger_count == 1 && rule->again != AGAIN_IGNORE;
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
    rule->lets = declare_rule_lets(c, d->source, d->value);
    if (rule->lets) c->scopes.lets = rule->lets;
    compile_on(&r);
    compile_again(&r);
    compile_cooldown(&r);
    const struct json *visitors = rule_get(&r, "visitors");
    rule->visitors = visitors && visitors->boolean;
    rule->stale_ms = compile_duration(c, d->source, rule_get(&r, "stale"), stale_ms);
    r.whatever = r.fires ? 0 : SCOPE_ANYTHING;
    const struct cel_env *env = scope_env(c, SCOPE_OF_RULE | SCOPE_EVENT | SCOPE_TRIGGER | r.whatever,
                                          rule->on, rule->on, "'if' and 'key'");
    const struct json *key = rule_get(&r, "key");
    rule->condition = compile_condition(c, env, d->source, rule_get(&r, "if"));
    rule->key = compile_text(c, env, d->source, key, NULL);
    compile_expect_kinds(c, d->source, key, rule->key, KINDS_KEY, true,
                         "a string, int, uint or bool, or a list of them");
    compile_cancels(&r);
    compile_steps(&r);
    rule->while_true = compile_condition(c, rule_run_env(&r, r.waited), d->source, rule_get(&r, "while"));
    rule_note_program(&r, program_of(rule->while_true));
    compile_goal(c, d->source, d->value, rule);
    compile_split(c, d->source, d->value, rule);
    compile_tags(c, rule_get(&r, "tags"), rule);
    if (r.fires) note_kept_fields(&r);
    if (rule->lets) check_unused_lets(c, rule->lets);
    c->scopes.lets = &c->set->lets;
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

static size_t await_bound(const struct section *rules)
{
    size_t bound = 1;
    for (size_t i = 0; i < rules->count; i++) {
        const struct json *steps = json_member(rules->items[i].value, "do");
        bound += steps && steps->kind == JSON_ARRAY ? steps->count : 0;
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
    set->awaits = ARENA_ARRAY(c->keep, struct awaited, await_bound(rules));
    if (!items || !spare || !set->rules || !set->cancels || !set->awaits ||
        !names_init(&set->names.rules, c->keep, rules->count)) {
        c->diag->failed = true;
        return;
    }
    for (size_t i = 0; i < rules->count; i++) {
        const struct json *priority = keyword_get(rules->items[i].value, PLACE_RULE, "priority");
        items[i] = (struct ranked){&rules->items[i], priority ? (int64_t)priority->number : 0};
    }
    items = rank(items, spare, rules->count);
    int64_t stale_ms = compile_duration(c, c->files.stale.source, c->files.stale.node, 86400000);
    set->rule_count = rules->count;
    for (size_t i = 0; i < rules->count; i++) {
        set->rules[i].name = items[i].declared->name;
        set->rules[i].priority = items[i].priority;
        names_add(&set->names.rules, set->rules[i].name);
    }
    for (size_t i = 0; i < rules->count; i++)
        compile_rule(c, items[i].declared, (uint32_t)i, stale_ms);
}
