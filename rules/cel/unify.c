/* Types with parameters: what fits where, and what the parameters then are.
 *
 * `dyn` fits everywhere and everything fits it. Where a parameter meets two types that fit each other, the
 * more general is kept, so that the order of elements or arguments does not matter. */
#include "cel/check.h"

uint32_t type_reserve(struct check *k, uint32_t count)
{
    if (k->count + count > k->capacity) {
        uint32_t capacity = k->capacity ? k->capacity * 2 : 64;
        while (capacity < k->count + count)
            capacity *= 2;
        const struct cel_type **bindings = ARENA_ARRAY(k->c->scratch, const struct cel_type *, capacity);
        if (!bindings) {
            k->c->failed = true;
            return 0;
        }
        if (k->count) memcpy(bindings, k->bindings, k->count * sizeof bindings[0]);
        k->bindings = bindings;
        k->capacity = capacity;
    }
    k->count += count;
    return k->count - count;
}

static const struct cel_type *type_make(struct check *k, struct cel_type type)
{
    const struct cel_type *made = arena_copy(k->c->scratch, &type, sizeof type);
    if (made) return made;
    k->c->failed = true;
    return TYPE(DYN);
}

const struct cel_type *type_fresh(struct check *k)
{
    uint32_t number = type_reserve(k, 1);
    return type_make(k, (struct cel_type){.kind = CEL_TYPE_PARAM, .param = number});
}

/* The type with its parts replaced by `part`; the type itself when none changes. */
static const struct cel_type *type_rebuilt(struct check *k, const struct cel_type *type,
                                           const struct cel_type *(*part)(struct check *,
                                                                          const struct cel_type *, uint32_t),
                                           uint32_t argument)
{
    if (!type->params[0]) return type;
    struct cel_type copy = *type;
    copy.params[0] = part(k, type->params[0], argument);
    if (type->params[1]) copy.params[1] = part(k, type->params[1], argument);
    bool same = copy.params[0] == type->params[0] && copy.params[1] == type->params[1];
    return same ? type : type_make(k, copy);
}

const struct cel_type *type_instance(struct check *k, const struct cel_type *type, uint32_t base)
{
    if (type->kind == CEL_TYPE_PARAM)
        return type_make(k, (struct cel_type){.kind = CEL_TYPE_PARAM, .param = base + type->param});
    return type_rebuilt(k, type, type_instance, base);
}

/* Is the work that one expression may make with its types done? Then whatever else it holds is not looked at. */
static bool exhausted(struct check *k)
{
    enum {
        WORK_MAX = 5000000 /* parts of types visited; nested maps of nested maps double with each level */
    };
    if (k->work == WORK_MAX)
        mistake(k->c, (struct span){0, (uint32_t)k->c->text.size}, STR("split it in two"),
                "the types in this expression are too large");
    return k->work++ >= WORK_MAX;
}

static const struct cel_type *bound(const struct check *k, const struct cel_type *type)
{
    return type->kind == CEL_TYPE_PARAM && type->param < k->count ? k->bindings[type->param] : NULL;
}

static const struct cel_type *resolve_part(struct check *k, const struct cel_type *type, uint32_t final)
{
    const struct cel_type *binding = bound(k, type);
    if (exhausted(k)) return TYPE(DYN);
    if (binding) return resolve_part(k, binding, final);
    if (type->kind == CEL_TYPE_PARAM) return final ? TYPE(DYN) : type;
    return type_rebuilt(k, type, resolve_part, final);
}

const struct cel_type *type_resolve(struct check *k, const struct cel_type *type, bool final)
{
    return resolve_part(k, type, final);
}

str type_text(struct check *k, const struct cel_type *type)
{
    return cel_type_name(k->c->scratch, type_resolve(k, type, true));
}

/* "uint" begins like "you". */
str type_noun(struct check *k, const struct cel_type *type)
{
    return cel_type_noun(k->c->scratch, type_resolve(k, type, true));
}

static bool occurs(struct check *k, uint32_t param, const struct cel_type *type)
{
    if (exhausted(k)) return false;
    if (type->kind == CEL_TYPE_PARAM && type->param == param) return true;
    const struct cel_type *binding = bound(k, type);
    if (binding) return occurs(k, param, binding);
    for (size_t i = 0; i < 2; i++)
        if (type->params[i] && occurs(k, param, type->params[i])) return true;
    return false;
}

/* Is `a` as general as `b`, or more? */
static bool as_general(struct check *k, const struct cel_type *a, const struct cel_type *b)
{
    if (exhausted(k)) return true;
    if (a->kind == CEL_TYPE_DYN || a->kind == CEL_TYPE_PARAM) return true;
    if (b->kind == CEL_TYPE_DYN || b->kind == CEL_TYPE_PARAM) return false;
    if (b->kind == CEL_TYPE_NULL) return true; /* null fits what may be null */
    if (a->kind != b->kind) return false;
    for (size_t i = 0; i < 2; i++)
        if (a->params[i] && b->params[i] && !as_general(k, a->params[i], b->params[i])) return false;
    return true;
}

/* What may be null, as in langdef.md: messages, durations, timestamps, and abstract types such as optional. */
static bool nullable(const struct cel_type *type)
{
    return type->kind == CEL_TYPE_RECORD || type->kind == CEL_TYPE_DURATION ||
           type->kind == CEL_TYPE_TIMESTAMP || type->kind == CEL_TYPE_OPTIONAL || type->kind == CEL_TYPE_NULL;
}

static bool fits(struct check *k, const struct cel_type *from, const struct cel_type *to);

/* Binds a parameter; type_undo can take it back. */
static void bind_to(struct check *k, uint32_t param, const struct cel_type *type)
{
    if (k->trail_count == k->trail_capacity) {
        size_t capacity = k->trail_capacity ? k->trail_capacity * 2 : 64;
        struct trail *trail = ARENA_ARRAY(k->c->scratch, struct trail, capacity);
        if (!trail) {
            k->c->failed = true;
            return;
        }
        if (k->trail_count) memcpy(trail, k->trail, k->trail_count * sizeof trail[0]);
        k->trail = trail;
        k->trail_capacity = capacity;
    }
    k->trail[k->trail_count++] = (struct trail){param, k->bindings[param]};
    k->bindings[param] = type;
}

void type_undo(struct check *k, size_t mark)
{
    while (k->trail_count > mark) {
        struct trail last = k->trail[--k->trail_count];
        k->bindings[last.param] = last.before;
    }
}

enum binding { BINDING_REFUSED, BINDING_AGREED, BINDING_NEW };

static enum binding bind_param(struct check *k, const struct cel_type *param, const struct cel_type *type)
{
    if (type->kind == CEL_TYPE_PARAM && type->param == param->param) return BINDING_AGREED;
    const struct cel_type *before = bound(k, param);
    if (before) {
        if (!fits(k, type, before)) return BINDING_REFUSED;
        const struct cel_type *general = as_general(k, type, before) ? type : before;
        if (!occurs(k, param->param, general)) bind_to(k, param->param, general);
        return BINDING_AGREED;
    }
    if (occurs(k, param->param, type)) return BINDING_REFUSED;
    bool newer = type->kind == CEL_TYPE_PARAM && type->param > param->param && !bound(k, type);
    if (newer) /* the newer to the older: [[], [], …] makes no chain of them */
        bind_to(k, type->param, param);
    else
        bind_to(k, param->param, type);
    return BINDING_NEW;
}

static bool parts_fit(struct check *k, const struct cel_type *from, const struct cel_type *to)
{
    for (size_t i = 0; i < 2; i++)
        if (from->params[i] && to->params[i] && !fits(k, from->params[i], to->params[i])) return false;
    return true;
}

static bool fits(struct check *k, const struct cel_type *from, const struct cel_type *to)
{
    if (from == to || k->c->failed || exhausted(k)) return true;
    if (to->kind == CEL_TYPE_PARAM) {
        enum binding result = bind_param(k, to, from);
        if (result != BINDING_REFUSED || bound(k, to)) return result != BINDING_REFUSED;
    }
    if (from->kind == CEL_TYPE_PARAM) return bind_param(k, from, to) != BINDING_REFUSED;
    if (from->kind == CEL_TYPE_DYN || to->kind == CEL_TYPE_DYN) return true;
    if (from->kind == CEL_TYPE_NULL) return nullable(to);
    if (to->kind == CEL_TYPE_NULL) return nullable(from);
    if (from->kind != to->kind) return false;
    if (from->kind == CEL_TYPE_RECORD) return cel_type_equal(from, to);
    return from->kind == CEL_TYPE_TYPE || parts_fit(k, from, to);
}

bool type_assignable(struct check *k, const struct cel_type *from, const struct cel_type *to)
{
    size_t mark = k->trail_count;
    if (fits(k, from, to)) return true;
    type_undo(k, mark);
    return false;
}

const struct cel_type *type_join(struct check *k, const struct cel_type *a, const struct cel_type *b)
{
    if (!type_assignable(k, b, a)) return TYPE(DYN);
    const struct cel_type *ra = type_resolve(k, a, false), *rb = type_resolve(k, b, false);
    return as_general(k, ra, rb) ? ra : rb;
}
