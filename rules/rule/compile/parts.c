/* The parts of a rule that stand by themselves: what counts as success, variants, tags, what a step sets. */
#include "rule/compile/compile.h"

#include "base/duration.h"
#include "base/limits.h"

static const struct type_list no_types = {0};

void compile_goal(struct compiler *c, const struct source *source, const struct json *rule_node,
                  struct rule *rule)
{
    const struct json *node = keyword_get(rule_node, PLACE_RULE, "goal");
    bool sound = node && keyword_check(source, node, PLACE_GOAL, "'goal'", c->diag);
    if (!node || node->kind != JSON_OBJECT) return;
    const struct json *on = keyword_get(node, PLACE_GOAL, "on"),
                      *within = keyword_get(node, PLACE_GOAL, "within");
    const struct json *key = keyword_get(node, PLACE_GOAL, "key"),
                      *value = keyword_get(node, PLACE_GOAL, "value");
    if (!on && sound)
        gather_error(c->diag, source, node, (str){0}, "'goal' needs 'on': which events are a success");
    if (!within && sound)
        gather_error(c->diag, source, node, (str){0},
                     "'goal' needs 'within': how long after a send it counts, such as \"5d\"");
    if (key && !json_member(rule_node, "key"))
        gather_error(c->diag, source, key, STR("give the rule a 'key', or leave this one out"),
                     "this 'key' has nothing to be compared with: the rule has none");
    rule->goal.point = new_point(c, source, node->key_begin);
    rule->goal.within_ms = compile_duration(c, source, within, 0);
    rule->goal.on = declare_read_types(c, source, on);
    const unsigned flags = SCOPE_OF_RULE | SCOPE_EVENT | scope_of(rule->goal.on);
    const struct cel_env *of_key = scope_env(c, flags, rule->goal.on, no_types, "the 'key' of a goal"),
                         *env = scope_env(c, flags | SCOPE_RUN | SCOPE_WINDOW, rule->goal.on, no_types,
                                          "'goal'");
    rule->goal.condition = compile_condition(c, env, source, keyword_get(node, PLACE_GOAL, "if"));
    rule->goal.key = compile_text(c, of_key, source, key, NULL);
    rule->goal.value = compile_text(c, env, source, value, NULL);
    compile_expect_kinds(c, source, key, rule->goal.key, KINDS_KEY, true,
                         "a string, int, uint or bool, or a list of them");
    compile_expect_kinds(c, source, value, rule->goal.value, KINDS_NUMBER, false, "a number");
}

void compile_split(struct compiler *c, const struct source *source, const struct json *rule_node,
                   struct rule *rule)
{
    const struct json *node = keyword_get(rule_node, PLACE_RULE, "split"),
                      *salt = keyword_get(rule_node, PLACE_RULE, "salt");
    rule->salt = salt ? salt->text : rule->name;
    if (!node) return;
    if (node->count > LIMIT_VARIANTS) {
        gather_error(c->diag, source, node, (str){0}, "'split' has at most %u variants", LIMIT_VARIANTS);
        return;
    }
    struct variant *variants = ARENA_ARRAY(c->keep, struct variant, node->count + 1);
    if (!variants) {
        c->diag->failed = true;
        return;
    }
    for (const struct json *m = node->child; m; m = m->next) {
        bool whole = m->kind == JSON_NUMBER && m->number >= 0 && m->number <= 1e9 &&
                     m->number == (double)(int64_t)m->number;
        if (!whole) gather_error(c->diag, source, m, (str){0}, "a weight is a whole number, 0 or more");
        if (m->key.size == 0) gather_error_at_key(c->diag, source, m, (str){0}, "a variant needs a name");
        rule->weight_sum += whole ? (uint64_t)m->number : 0;
        variants[rule->variant_count++] = (struct variant){.point = new_point(c, source, m->key_begin),
                                                           .name = m->key,
                                                           .weight_until = rule->weight_sum,
                                                           .holdout = str_equal(m->key, STR("holdout"))};
    }
    rule->variants = variants;
    if (rule->weight_sum == 0)
        gather_error(c->diag, source, node, (str){0}, "the weights of 'split' must add up to more than 0");
}

void compile_tags(struct compiler *c, const struct json *node, struct rule *rule)
{
    size_t count = node ? node->count : 0;
    struct cel_list *tags = arena_alloc(c->keep, sizeof *tags + count * sizeof *tags->items);
    if (!tags) {
        c->diag->failed = true;
        return;
    }
    tags->count = 0;
    for (const struct json *tag = node ? node->child : NULL; tag; tag = tag->next)
        tags->items[tags->count++] = cel_string(tag->text);
    rule->tags = tags;
}

static void compile_set(struct compiler *c, const struct cel_env *env, const struct source *source,
                        const struct json *member, struct step *step, struct set_attribute *out)
{
    uint32_t number = names_find(&c->set->names.attributes, member->key);
    if (number == NAME_NONE) {
        gather_error_at_key(c->diag, source, member, section_hint(&c->files.customer, member->key, c->diag),
                            "attribute '%.*s' is not declared in 'customer'", STR_ARG(member->key));
        return;
    }
    const struct declared *d = &c->files.customer.items[number];
    if (gather_has_source(d)) {
        gather_error_at_key(c->diag, source, member, (str){0},
                            "attribute '%.*s' has a source: a step cannot set it", STR_ARG(member->key));
        return;
    }
    struct typed_text *typed = NULL;
    out[step->set_count++] = (struct set_attribute){number, compile_template(c, env, source, member, &typed)};
    check_fit(c, source, member, c->set->attributes[number].type, typed);
}

void compile_sets(struct compiler *c, const struct cel_env *env, const struct source *source,
                  const struct json *node, struct step *step)
{
    if (!node) return;
    struct set_attribute *sets = ARENA_ARRAY(c->keep, struct set_attribute, node->count + 1);
    if (!sets) {
        c->diag->failed = true;
        return;
    }
    step->sets = sets;
    for (const struct json *m = node->child; m; m = m->next)
        compile_set(c, env, source, m, step, sets);
}
