/* Environments: an outermost one that is looked up by hash, made once for many places, and inside it, for each
 * place, the few names that only this place has. Evaluation never comes here. */
#include "cel/env.h"

#include "base/ensure.h"

static const struct cel_env *outermost(const struct cel_env *env)
{
    while (env->outer)
        env = env->outer;
    return env;
}

/* ---- functions */

static bool named_grow(struct functions *functions, struct arena *arena, uint32_t before)
{
    if (functions->names.capacity == before) return true;
    struct named_function *named = ARENA_ARRAY(arena, struct named_function, functions->names.capacity);
    if (named && before) memcpy(named, functions->named, before * sizeof *named);
    functions->named = named;
    return named;
}

/* What is known under the name in that style, made where it is new; NULL without memory. */
static struct named_function *function_named(struct cel_env *env, str name, enum func_style style)
{
    struct functions *functions = &env->functions[style];
    uint32_t before = functions->names.capacity, number;
    if (!names_put(&functions->names, env->arena, name, &number)) return NULL;
    return named_grow(functions, env->arena, before) ? &functions->named[number] : NULL;
}

/* "a" and "a.b" of a.b.f. */
static bool add_spaces(struct cel_env *env, str name)
{
    uint32_t number;
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] == '.' && !names_put(&env->spaces, env->arena, str_slice(name, 0, i), &number))
            return false;
    return true;
}

static bool add_rows(struct cel_env *env)
{
    uint32_t *next = ARENA_ARRAY(env->arena, uint32_t, func_row_count);
    for (uint32_t i = (uint32_t)func_row_count; next && i-- > 0;) {
        struct named_function *named = function_named(env, str_of(func_rows[i].name), func_rows[i].style);
        if (!named || !add_spaces(env, str_of(func_rows[i].name))) return false;
        next[i] = named->row ? (uint32_t)(named->row - func_rows) : 0;
        named->row = &func_rows[i];
    }
    env->row_next = next;
    return next;
}

bool cel_env_add_function(struct cel_env *env, str name, const struct cel_type *const *parameters,
                          size_t count, const struct cel_type *result, uint32_t number)
{
    ensure(!env->outer);
    struct overload *o = count <= PARAMETERS_MAX ? ARENA_NEW(env->arena, struct overload) : NULL;
    if (!o || !arena_copy_str(env->arena, name, &o->host_name)) return false;
    o->style = FUNC_GLOBAL;
    o->result = result;
    o->parameters = arena_copy(env->arena, parameters, count * sizeof parameters[0]);
    o->count = count;
    o->number = number;
    struct named_function *named = function_named(env, o->host_name, o->style);
    if (!named || !o->parameters || !add_spaces(env, o->host_name)) return false;
    o->next = named->host;
    named->host = o;
    o->before = env->hosts;
    env->hosts = o;
    return true;
}

void cel_env_set_written(struct cel_env *env, cel_env_take *take, void *context, const char *wanted)
{
    env->hosts->take = take;
    env->hosts->take_context = context;
    env->hosts->wanted = wanted;
}

static const struct named_function *find_named(const struct cel_env *env, str name, enum func_style style)
{
    const struct functions *functions = &outermost(env)->functions[style];
    uint32_t number = names_find(&functions->names, name);
    return number == NAME_NONE ? NULL : &functions->named[number];
}

const struct overload *env_function(const struct cel_env *env, str name, enum func_style style)
{
    const struct named_function *named = find_named(env, name, style);
    return !named ? NULL : named->host ? named->host : named->row;
}

const struct overload *env_function_after(const struct cel_env *env, const struct overload *o)
{
    if (!o->body) return o->next ? o->next : find_named(env, overload_name(o), o->style)->row;
    uint32_t next = outermost(env)->row_next[o - func_rows];
    return next ? &func_rows[next] : NULL;
}

const struct overload *env_function_any(const struct cel_env *env, const struct overload *before)
{
    const struct overload *hosts = outermost(env)->hosts;
    if (!before) return hosts ? hosts : func_rows;
    if (!before->body) return before->before ? before->before : func_rows;
    return before + 1 < func_rows + func_row_count ? before + 1 : NULL;
}

bool env_has_space(const struct cel_env *env, str space)
{
    return names_find(&outermost(env)->spaces, space) != NAME_NONE;
}

/* ---- making */

struct cel_env *cel_env_new(struct arena *arena, struct zones *zones)
{
    enum { ROOM = 64 /* functions of a style, to begin with */ };
    struct cel_env *env = ARENA_NEW(arena, struct cel_env);
    if (!env) return NULL;
    env->arena = arena;
    env->zones = zones;
    bool fine = names_init(&env->names, arena, 8) && names_init(&env->spaces, arena, 8);
    env->by_name = ARENA_ARRAY(arena, struct declaration *, env->names.capacity);
    for (size_t i = 0; i <= FUNC_METHOD && fine; i++) {
        struct functions *functions = &env->functions[i];
        functions->named = ARENA_ARRAY(arena, struct named_function, ROOM);
        fine = functions->named && names_init(&functions->names, arena, ROOM);
    }
    return fine && env->by_name && add_rows(env) ? env : NULL;
}

struct cel_env *cel_env_inside(struct arena *arena, const struct cel_env *outer)
{
    struct cel_env *env = ARENA_NEW(arena, struct cel_env);
    if (!env) return NULL;
    env->arena = arena;
    env->zones = outer->zones;
    env->outer = outer;
    env->container = outer->container;
    env->unchecked = outer->unchecked;
    env->zones_known = outer->zones_known;
    env->budget = outer->budget;
    env->shorthands = outer->shorthands;
    return env;
}

void cel_env_set_container(struct cel_env *env, str container)
{
    env->container = container;
}

void cel_env_set_unchecked(struct cel_env *env)
{
    env->unchecked = true;
}

void cel_env_set_zones_known(struct cel_env *env)
{
    env->zones_known = true;
}

void cel_env_set_lenient(struct cel_env *env, str record)
{
    env->lenient = record;
}

void cel_env_set_shorthands(struct cel_env *env, const struct cel_shorthands *shorthands)
{
    env->shorthands = shorthands;
}

void cel_env_set_refuse(struct cel_env *env, cel_env_refuse *refuse, void *context)
{
    env->refuse = refuse;
    env->context = context;
}

void *cel_env_context(const struct cel_env *env)
{
    return env->context;
}

void cel_env_set_budget(struct cel_env *env, struct cel_budget *budget)
{
    env->budget = budget;
}

/* ---- names */

static struct declaration *declare(struct cel_env *env, enum declaration_kind kind, str name)
{
    struct declaration *d = ARENA_NEW(env->arena, struct declaration);
    if (!d || !arena_copy_str(env->arena, name, &d->name)) return NULL;
    d->kind = kind;
    d->presence = CEL_NO_SLOT;
    return d;
}

/* Among those of an outermost environment by hash. */
static bool index_declaration(struct cel_env *env, struct declaration *d)
{
    uint32_t before = env->names.capacity, number;
    if (!names_put(&env->names, env->arena, d->name, &number)) return false;
    if (env->names.capacity != before) {
        struct declaration **grown = ARENA_ARRAY(env->arena, struct declaration *, env->names.capacity);
        if (!grown) return false;
        memcpy(grown, env->by_name, before * sizeof *grown);
        env->by_name = grown;
    }
    env->by_name[number] = d;
    return true;
}

/* The newest declaration of a name comes first, and so is the one that counts. */
static bool declared(struct cel_env *env, struct declaration *d)
{
    d->next = env->declarations;
    env->declarations = d;
    return env->outer || index_declaration(env, d);
}

bool cel_env_add_variable(struct cel_env *env, str name, const struct cel_type *type, uint32_t slot)
{
    struct declaration *d = declare(env, DECLARED_VARIABLE, name);
    if (!d) return false;
    d->type = type;
    d->slot = slot;
    d->slots = &d->slot;
    return declared(env, d);
}

bool cel_env_add_record(struct cel_env *env, str name, str kind_text, const struct cel_record_type *type,
                        const uint32_t *slots, uint32_t presence)
{
    struct declaration *d = declare(env, DECLARED_RECORD, name);
    if (!d || !arena_copy_str(env->arena, kind_text, &d->text)) return false;
    d->type = cel_record_of(env->arena, type);
    d->slots = slots;
    d->presence = presence;
    return d->type && declared(env, d);
}

bool cel_env_add_constant(struct cel_env *env, str name, const struct cel_type *type, struct cel_value value,
                          bool *named)
{
    ensure(value.spare == CEL_KEPT);
    struct declaration *d = declare(env, DECLARED_CONSTANT, name);
    if (!d) return false;
    d->type = type;
    d->value = value;
    d->named = named;
    return declared(env, d);
}

const struct declaration *env_find(const struct cel_env *env, str name)
{
    for (; env->outer; env = env->outer)
        for (const struct declaration *d = env->declarations; d; d = d->next)
            if (str_equal(d->name, name)) return d;
    uint32_t number = names_find(&env->names, name);
    return number == NAME_NONE ? NULL : env->by_name[number];
}
