/* `lists`: what came last of a customer. */
#include "rule/compile/compile.h"

#include "base/limits.h"

enum { KEPT_WHEN_LEFT_OUT = 10 };

static uint32_t read_keep(struct compiler *c, const struct declared *d)
{
    const struct json *keep = keyword_get(d->value, PLACE_LIST, "keep");
    if (!keep) return KEPT_WHEN_LEFT_OUT;
    if (keep->number >= 1 && keep->number <= LIMIT_LIST_ENTRIES) return (uint32_t)keep->number;
    gather_error(c->diag, d->source, keep, (str){0}, "'keep' of a list is 1 to %u", LIMIT_LIST_ENTRIES);
    return KEPT_WHEN_LEFT_OUT;
}

void declare_lists(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    const struct section *lists = &c->files.lists;
    set->lists = ARENA_ARRAY(c->keep, struct list_rule, lists->count + 1);
    if (!set->lists || !names_init(&set->names.lists, c->keep, lists->count)) {
        c->diag->failed = true;
        return;
    }
    for (size_t i = 0; i < lists->count; i++) {
        const struct declared *d = &lists->items[i];
        struct list_rule *list = &set->lists[i];
        declare_check_name(c, d->source, d->value, "a list");
        declare_check_call(c, d);
        if (names_find(&set->names.counts, d->name) != NAME_NONE)
            gather_error_at_key(c->diag, d->source, d->value, STR("choose another name"),
                                "'%.*s' is already a count", STR_ARG(d->name));
        if (keyword_check(d->source, d->value, PLACE_LIST, "a list", c->diag) &&
            !(json_member(d->value, "on") && json_member(d->value, "by")))
            gather_error_at_key(c->diag, d->source, d->value, (str){0},
                                "list '%.*s' needs 'on' and 'by': of which events, and what is kept of them",
                                STR_ARG(d->name));
        const struct json *over = keyword_get(d->value, PLACE_LIST, "over");
        list->name = d->name;
        list->keep = read_keep(c, d);
        list->over_ms = compile_duration(c, d->source, over, 0);
        if (over && !list->over_ms)
            gather_error(c->diag, d->source, over, (str){0}, "'over' must be longer than 0");
        names_add(&set->names.lists, d->name);
    }
    set->list_count = lists->count;
}

void compile_lists(struct compiler *c)
{
    static const struct type_list no_types = {0};
    for (size_t i = 0; i < c->set->list_count; i++) {
        const struct declared *d = &c->files.lists.items[i];
        struct list_rule *list = &c->set->lists[i];
        const struct json *by = keyword_get(d->value, PLACE_LIST, "by");
        c->owner = (struct owner){"list", d->name};
        arena_reset(c->place);
        list->on = declare_read_types(c, d->source, keyword_get(d->value, PLACE_LIST, "on"));
        if (!list->on.count) continue;
        const struct cel_env *env = scope_env(c, SCOPE_EVENT, list->on, no_types, "a list");
        list->condition = compile_condition(c, env, d->source, keyword_get(d->value, PLACE_LIST, "if"));
        list->by = compile_text(c, env, d->source, by, NULL);
        compile_expect_kinds(c, d->source, by, list->by, KINDS_TEXT, true, "a string or a list of strings");
    }
}
