/* Environments: lists of names, looked through when compiling; evaluation never comes here. */
#include "cel/env.h"

struct cel_env *cel_env_new(struct arena *arena, struct zones *zones)
{
    struct cel_env *env = ARENA_NEW(arena, struct cel_env);
    if (!env) return NULL;
    env->arena = arena;
    env->zones = zones;
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

void cel_env_set_lenient(struct cel_env *env, str record)
{
    env->lenient = record;
}

/* The newest declaration of a name comes first, and so is the one that counts. */
static struct declaration *declare(struct cel_env *env, enum declaration_kind kind, str name)
{
    struct declaration *d = ARENA_NEW(env->arena, struct declaration);
    if (!d || !arena_copy_str(env->arena, name, &d->name)) return NULL;
    d->kind = kind;
    d->presence = CEL_NO_SLOT;
    return d;
}

static bool declared(struct cel_env *env, struct declaration *d)
{
    d->next = env->declarations;
    env->declarations = d;
    return true;
}

bool cel_env_add_variable(struct cel_env *env, str name, const struct cel_type *type, uint32_t slot)
{
    struct declaration *d = declare(env, DECLARED_VARIABLE, name);
    if (!d) return false;
    d->type = type;
    d->slots = arena_copy(env->arena, &slot, sizeof slot);
    return d->slots && declared(env, d);
}

bool cel_env_add_record(struct cel_env *env, str name, str kind_text, const struct cel_record_type *type,
                        const uint32_t *slots, uint32_t presence)
{
    struct declaration *d = declare(env, DECLARED_RECORD, name);
    if (!d || !arena_copy_str(env->arena, kind_text, &d->text)) return false;
    d->type = cel_record_of(env->arena, type);
    d->slots = arena_copy(env->arena, slots, type->field_count * sizeof slots[0]);
    d->presence = presence;
    return d->type && d->slots && declared(env, d);
}

bool cel_env_add_refused(struct cel_env *env, str name, str message)
{
    struct declaration *d = declare(env, DECLARED_REFUSED, name);
    return d && arena_copy_str(env->arena, message, &d->text) && declared(env, d);
}

bool cel_env_add_function(struct cel_env *env, str name, const struct cel_type *const *parameters,
                          size_t count, const struct cel_type *result, uint32_t number)
{
    struct overload *o = count <= PARAMETERS_MAX ? ARENA_NEW(env->arena, struct overload) : NULL;
    if (!o || !arena_copy_str(env->arena, name, &o->host_name)) return false;
    o->style = FUNC_GLOBAL;
    o->result = result;
    o->parameters = arena_copy(env->arena, parameters, count * sizeof parameters[0]);
    o->count = count;
    o->number = number;
    o->next = env->functions;
    env->functions = o;
    return o->parameters != NULL;
}

const struct declaration *env_find(const struct cel_env *env, str name)
{
    for (const struct declaration *d = env->declarations; d; d = d->next)
        if (str_equal(d->name, name)) return d;
    return NULL;
}
