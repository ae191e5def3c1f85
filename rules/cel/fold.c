/* What is constant is computed once, here: calls of built-in functions on constants, literals of constants,
 * conditions that are decided. An evaluation error is not a mistake: the node stays as it is and fails when
 * it is evaluated, if it is. A text that can never be a timestamp or a duration earns a warning.
 *
 * An expression is given what an evaluation of it may cost, and all that are compiled together a budget besides.
 * When either is spent, constants stay as they are written: the expression means the same. */
#include "cel/ast.h"

#include "base/limits.h"
#include "cel/check.h"
#include "cel/env.h"

struct fold {
    struct compile *c;
    struct cel_frame frame;
    struct machine machine;
    struct cel_budget own;     /* of this expression: as much as an evaluation has */
    struct cel_budget *shared; /* of all */
    size_t given, used;        /* steps handed out, and how full `scratch` was, at the last beginning */
};

static size_t lesser(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void spend(struct fold *f, size_t steps, size_t bytes)
{
    struct cel_budget *budgets[] = {&f->own, f->shared};
    for (size_t i = 0; i < 2; i++) {
        budgets[i]->steps -= lesser(budgets[i]->steps, steps);
        budgets[i]->bytes -= lesser(budgets[i]->bytes, bytes);
    }
}

static bool constant(const struct node *node)
{
    return node->kind == NODE_CONSTANT;
}

static bool constant_children(const struct node *node)
{
    for (size_t i = 0; i < node->count; i++)
        if (!constant(node->children[i])) return false;
    return true;
}

static void become(struct node *node, struct cel_value value)
{
    node->kind = NODE_CONSTANT;
    node->value = value;
    node->count = 0;
}

static void warn(struct fold *f, const struct node *node)
{
    func_body *body = node->overload->body;
    bool literal = body == timestamp_from_text || body == duration_from_text;
    if (!literal) return;
    bool duration = body == duration_from_text;
    str text = cel_text(node->children[0]->value);
    bool days = memchr(text.data, 'd', text.size) || memchr(text.data, 'w', text.size);
    str hint = duration && days ? duration_cure(f->c->scratch, text) : (str){0};
    if (!hint.size) hint = duration ? STR("such as 90s, 1h30m or 1.5h") : STR("such as 2026-03-02T10:00:00Z");
    caution(f->c, node->children[0]->span, hint, "this is not a %s", duration ? "duration" : "timestamp");
}

/* A zone that is written down and that there is not: whatever the instant, asking for its hour fails. */
static void check_zone(struct fold *f, const struct node *node)
{
    struct zones *zones = f->c->env->zones;
    const struct overload *o = node->overload;
    bool zoned = o->style == FUNC_METHOD && o->count == 2 && o->parameters[0]->kind == CEL_TYPE_TIMESTAMP &&
                 o->parameters[1]->kind == CEL_TYPE_STRING;
    if (!zoned || !zones || f->c->env->unchecked || !constant(node->children[1])) return;
    const struct cel_value *zone = &node->children[1]->value;
    if (zone->kind != CEL_STRING || time_zone_is(zones, cel_text(*zone))) return;
    void (*say)(struct compile *, struct span, str, const char *, ...) =
        f->c->env->zones_known ? mistake : caution;
    say(f->c, node->children[1]->span,
        STR("use an IANA name, such as 'Europe/Paris', or an offset, '+02:00'"),
        "there is no time zone '%.*s'", STR_ARG(cel_text(*zone)));
}

static bool takes(const struct overload *o, const struct cel_value *arguments)
{
    for (size_t i = 0; i < o->count; i++)
        if (!(type_kinds(o->parameters[i]) >> arguments[i].kind & 1)) return false;
    return true;
}

/* Hands out what both budgets have; false: nothing. */
static bool begin(struct fold *f)
{
    size_t steps = lesser(f->own.steps, f->shared->steps);
    f->machine =
        (struct machine){.frame = &f->frame,
                         .zones = f->c->env->zones,
                         .rest = (int64_t)(steps * STEP_UNITS),
                         .used_max = f->frame.scratch->used + lesser(f->own.bytes, f->shared->bytes)};
    f->given = steps;
    f->used = f->frame.scratch->used;
    return steps > 0;
}

/* Has both pay for what was done since: a step at least. */
static void finish(struct fold *f)
{
    int64_t units = machine_ended(&f->machine) ? 0 : f->machine.rest + f->machine.units;
    size_t left = (size_t)units / STEP_UNITS;
    spend(f, left < f->given ? f->given - left : 1, f->frame.scratch->used - f->used);
}

static void fold_call(struct fold *f, struct node *node)
{
    const struct overload *o = node->overload;
    check_zone(f, node);
    if (!o->body || node->several || !constant_children(node) || node->count > PARAMETERS_MAX) return;
    struct cel_value arguments[PARAMETERS_MAX];
    for (size_t i = 0; i < node->count; i++)
        arguments[i] = node->children[i]->value;
    if ((o->style != FUNC_OPERATOR && !takes(o, arguments)) || !begin(f)) return;
    struct cel_value v = func_run(&f->machine, o->body, arguments);
    finish(f);
    if (v.kind == CEL_ERROR && v.code == CEL_ERROR_MEMORY) f->c->failed = true;
    if (v.kind == CEL_ERROR && v.code != CEL_ERROR_LIMIT) return warn(f, node);
    if (v.kind == CEL_ERROR) return;
    become(node, v);
}

static bool affords(const struct fold *f, size_t bytes)
{
    return bytes <= lesser(f->own.bytes, f->shared->bytes);
}

static void fold_list(struct fold *f, struct node *node)
{
    if (!constant_children(node)) return;
    for (size_t i = 0; i < node->count; i++)
        if (node->children[i]->marked) return;
    size_t size = sizeof(struct cel_list) + node->count * sizeof(struct cel_value);
    if (!affords(f, size)) return;
    spend(f, 0, size);
    struct cel_list *list = arena_alloc(f->c->scratch, size);
    f->c->failed |= !list;
    if (!list) return;
    list->count = node->count;
    for (size_t i = 0; i < node->count; i++)
        list->items[i] = node->children[i]->value;
    become(node, list_value(list));
}

static bool fill_map(struct fold *f, struct node *node, struct cel_map *map)
{
    size_t count = node->count / 2;
    for (size_t i = 0; i < count; i++) {
        struct node *key = node->children[2 * i];
        if (key->marked || !key_kind(key->value.kind)) return false; /* an error, later */
        struct cel_entry entry = {key->value, node->children[2 * i + 1]->value};
        enum map_added added = map_add(&f->machine, f->c->scratch, map, count, entry);
        f->c->failed |= added == MAP_NO_MEMORY;
        if (added != MAP_ADDED || machine_ended(&f->machine)) return false; /* likewise */
    }
    return true;
}

static void fold_map(struct fold *f, struct node *node)
{
    if (!constant_children(node)) return;
    size_t count = node->count / 2;
    if (!affords(f, count * sizeof(struct cel_entry)) || !begin(f)) return;
    struct cel_map *map = cel_map_new(f->c->scratch, count);
    f->c->failed |= !map;
    bool whole = map && fill_map(f, node, map);
    finish(f);
    if (whole) become(node, (struct cel_value){.kind = CEL_MAP, .as.map = map});
}

/* One child that decides is the whole; children that cannot decide go, if the rest are known to be bools. */
static void fold_logic(struct node *node)
{
    bool decisive = node->kind == NODE_OR, bools = true;
    size_t kept = 0;
    for (size_t i = 0; i < node->count; i++) {
        const struct node *child = node->children[i];
        bool known = constant(child) && child->value.kind == CEL_BOOL;
        if (known && child->value.as.b == decisive) return become(node, cel_bool(decisive));
        bools &= child->type->kind == CEL_TYPE_BOOL;
    }
    if (!bools) return;
    for (size_t i = 0; i < node->count; i++)
        if (!constant(node->children[i])) node->children[kept++] = node->children[i];
    node->count = kept;
    if (kept == 0) return become(node, cel_bool(!decisive));
    if (kept == 1) {
        struct node *only = node->children[0];
        *node = *only;
    }
}

static void fold_if(struct node *node)
{
    const struct node *condition = node->children[0];
    if (!constant(condition) || condition->value.kind != CEL_BOOL) return;
    const struct cel_type *type = node->type;
    *node = *node->children[condition->value.as.b ? 1 : 2];
    node->type = type;
}

static void fold(struct fold *f, struct node *node)
{
    if (f->c->failed) return;
    bool marked = node->marked;
    for (size_t i = 0; i < node->count; i++)
        if (node->children[i]) fold(f, node->children[i]);
    switch (node->kind) {
    case NODE_CALL: fold_call(f, node); break;
    case NODE_LIST: fold_list(f, node); break;
    case NODE_MAP: fold_map(f, node); break;
    case NODE_AND:
    case NODE_OR: fold_logic(node); break;
    case NODE_IF: fold_if(node); break;
    default: break;
    }
    node->marked = marked;
}

void fold_expression(struct compile *c, struct node *root)
{
    struct cel_budget alone = {LIMIT_FOLDING_STEPS, LIMIT_FOLDING_BYTES, 0};
    struct fold f = {.c = c,
                     .frame = {.scratch = c->scratch},
                     .own = {LIMIT_CEL_STEPS, LIMIT_CEL_ARENA_BYTES, 0},
                     .shared = c->env->budget ? c->env->budget : &alone};
    fold(&f, root);
}
