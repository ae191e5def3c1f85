/* `let`, of a set and of a rule: names that stand for expressions. What a name stands for has no event, no trigger and no
 * run of its own: it is compiled where it is used, with what is known there. One that nothing uses is looked at all
 * the same, as if it stood where everything is known and events may be anything; nothing comes of it. */
#include "rule/compile/compile.h"

#include "base/limits.h"

static const struct type_list no_types = {0};

static void refuse_taken(struct compiler *c, const struct declared *d, const struct cel_shorthands *outer)
{
    bool taken = scope_is_variable(d->name) || cel_is_taken(d->name) || str_equal(d->name, STR("bucket")) ||
                 (c->set->sales && scope_is_of_sales(d->name)) ||
                 names_find(&c->set->names.counts, d->name) != NAME_NONE ||
                 names_find(&c->set->names.lists, d->name) != NAME_NONE ||
                 names_find(&c->set->affinity_names, d->name) != NAME_NONE;
    bool of_set = outer && names_find(&outer->names, d->name) != NAME_NONE;
    if (taken || of_set)
        gather_error_at_key(c->diag, d->source, d->value, STR("choose another name"),
                            taken ? "'%.*s' already means something in expressions"
                                  : "'%.*s' is already a name of the set's 'let'",
                            STR_ARG(d->name));
}

/* After a mistake it stands for something that fits everywhere. */
static struct cel_shorthand make_let(struct compiler *c, const struct declared *d,
                                     const struct cel_shorthands *outer)
{
    struct cel_shorthand let = {.name = d->name, .text = STR("dyn(0)")};
    declare_check_name(c, d->source, d->value, "a name of 'let'");
    refuse_taken(c, d, outer);
    if (d->value->kind != JSON_STRING) {
        gather_error(c->diag, d->source, d->value, (str){0},
                     "a name of 'let' stands for an expression in a string, such as \"event.total > 50.0\"");
        return let;
    }
    let.text = d->value->text;
    let.origin = json_origin(d->source, d->value);
    return let;
}

static bool make_lets(struct compiler *c, const struct declared *items, size_t count,
                      const struct cel_shorthands *outer, struct cel_shorthands *out)
{
    struct cel_shorthand *lets = ARENA_ARRAY(c->keep, struct cel_shorthand, count + 1);
    *out = (struct cel_shorthands){
        .outer = outer, .items = lets, .used = ARENA_ARRAY(c->scratch, bool, count + 1)};
    if (!lets || !out->used || !names_init(&out->names, c->keep, count)) return false;
    for (; out->count < count; out->count++) {
        lets[out->count] = make_let(c, &items[out->count], outer);
        names_add(&out->names, items[out->count].name);
    }
    return true;
}

void declare_lets(struct compiler *c)
{
    const struct section *lets = &c->files.lets;
    if (!make_lets(c, lets->items, lets->count, NULL, &c->set->lets)) c->diag->failed = true;
    c->scopes.lets = &c->set->lets;
}

struct cel_shorthands *declare_rule_lets(struct compiler *c, const struct source *source,
                                         const struct json *rule_node)
{
    const struct json *node = keyword_get(rule_node, PLACE_RULE, "let");
    if (!node) return NULL;
    if (node->count > LIMIT_LETS) {
        gather_error(c->diag, source, node, (str){0}, "a rule has at most %u names of 'let'", LIMIT_LETS);
        return NULL;
    }
    struct cel_shorthands *lets = ARENA_NEW(c->keep, struct cel_shorthands);
    struct declared *items = ARENA_ARRAY(c->place, struct declared, node->count + 1);
    size_t count = 0;
    for (const struct json *m = items ? node->child : NULL; m; m = m->next)
        items[count++] = (struct declared){.source = source, .name = m->key, .value = m};
    if (lets && items && make_lets(c, items, count, &c->set->lets, lets)) return lets;
    c->diag->failed = true;
    return NULL;
}

void check_unused_lets(struct compiler *c, const struct cel_shorthands *lets)
{
    struct cel_shorthands before = *lets;
    const struct cel_shorthands *around = c->scopes.lets;
    c->scopes.lets = &before;
    before.used = NULL;
    const struct cel_env *env = scope_env(c,
                                          SCOPE_OF_RULE | SCOPE_EVENT | SCOPE_TRIGGER | SCOPE_TRIGGERS |
                                              SCOPE_RUN | SCOPE_ANSWER | SCOPE_ANYTHING,
                                          no_types, no_types, "'let'");
    for (size_t i = 0; env && i < lets->count; i++) {
        const struct cel_shorthand *let = &lets->items[i];
        before.count = i;
        if (!lets->used[i] && let->origin.source)
            cel_compile(c->work, c->work, env, let->text, let->origin, NULL, c->diag);
        arena_reset(c->work);
    }
    c->scopes.lets = around;
}
