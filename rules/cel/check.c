/* The checker: every node gets its type, every name its place, every call its overload.
 *
 * It goes on after a mistake, with `dyn` in place of what it could not find out: `dyn` fits everywhere, so
 * one mistake is reported once. Calls are in check_call.c, type parameters in unify.c. */
#include "cel/check.h"

#include "base/buffer.h"
#include "base/limits.h"

#include <stdarg.h>
#include <stdio.h>

static const struct cel_type type_list = {.kind = CEL_TYPE_LIST}, type_map = {.kind = CEL_TYPE_MAP},
                             type_optional = {.kind = CEL_TYPE_OPTIONAL};

/* Types as values, by name. */
static const struct type_name {
    const char *name;
    const struct cel_type *type;
} type_names[] = {
    {"bool", TYPE(BOOL)},
    {"int", TYPE(INT)},
    {"uint", TYPE(UINT)},
    {"double", TYPE(DOUBLE)},
    {"string", TYPE(STRING)},
    {"bytes", TYPE(BYTES)},
    {"list", &type_list},
    {"map", &type_map},
    {"null_type", TYPE(NULL)},
    {"type", TYPE(TYPE)},
    {"optional_type", &type_optional},
    {"google.protobuf.Timestamp", TYPE(TIMESTAMP)},
    {"google.protobuf.Duration", TYPE(DURATION)},
};

/* In the place of a mistake: whatever evaluates it fails with the same words. */
static void make_broken(struct node *node, str text)
{
    node->type = TYPE(DYN);
    node->kind = NODE_BROKEN;
    node->name = text;
}

void check_mistake(struct check *k, struct node *node, struct span span, str hint, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    make_broken(node, arena_format(k->c->scratch, "%s", text));
    if (!k->c->env->unchecked) mistake(k->c, span, hint, "%s", text);
}

/* ---- names */

const void *check_in_container(struct check *k, str name, const void *(*find)(struct check *k, str name))
{
    if (name.size && name.data[0] == '.') return find(k, str_slice(name, 1, name.size));
    str container = k->c->env->container;
    while (container.size) {
        const void *found =
            find(k, arena_format(k->c->scratch, "%.*s.%.*s", STR_ARG(container), STR_ARG(name)));
        if (found) return found;
        while (container.size && container.data[container.size - 1] != '.')
            container.size--;
        if (container.size) container.size--;
    }
    return find(k, name);
}

/* What the host has to say of a name that is not declared, as a declaration. */
static const struct declaration *refused(struct check *k, str name)
{
    const struct cel_env *env = k->c->env;
    str text = {0};
    if (env->refuse && !env->refuse(env->context, k->c->scratch, name, &text)) k->c->failed = true;
    if (!text.size) return NULL;
    struct declaration *d = ARENA_NEW(k->c->scratch, struct declaration);
    if (d)
        *d = (struct declaration){.kind = DECLARED_REFUSED, .name = name, .text = text};
    else
        k->c->failed = true;
    return d;
}

const struct declaration *check_declared(struct check *k, str name)
{
    const struct declaration *d = env_find(k->c->env, name);
    return d ? d : refused(k, name);
}

static const void *find_declaration(struct check *k, str name)
{
    return check_declared(k, name);
}

static const struct declaration *lookup(struct check *k, str name)
{
    return check_in_container(k, name, find_declaration);
}

static struct local *find_local(const struct check *k, str name)
{
    for (struct local *local = k->scope; local; local = local->outer)
        if (str_equal(local->name, name)) return local;
    return NULL;
}

static bool set_constant_type(struct node *node, const struct cel_type *type, struct check *k)
{
    node->kind = NODE_CONSTANT;
    node->value = (struct cel_value){.kind = CEL_TYPE, .as.type = type};
    struct cel_type of = {.kind = CEL_TYPE_TYPE, .params = {type}};
    node->type = arena_copy(k->c->scratch, &of, sizeof of);
    if (!node->type) node->type = TYPE(TYPE);
    return true;
}

static const struct type_name *find_type(str name)
{
    for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++)
        if (str_equal(name, str_of(type_names[i].name))) return &type_names[i];
    return NULL;
}

bool check_is_type(str name)
{
    return find_type(name);
}

static bool resolve_type_name(struct check *k, struct node *node, str name)
{
    if (name.size && name.data[0] == '.') name = str_slice(name, 1, name.size);
    const struct type_name *found = find_type(name);
    return found && set_constant_type(node, found->type, k);
}

static void become_constant(struct node *node, struct cel_value value, const struct declaration *d)
{
    node->kind = NODE_CONSTANT;
    node->count = 0;
    node->value = value;
    node->type = d->type;
    if (d->named) *d->named = true;
}

static void resolve_declared(struct check *k, struct node *node, const struct declaration *d)
{
    if (d->kind == DECLARED_REFUSED)
        return check_mistake(k, node, node->span, (str){0}, "%.*s", STR_ARG(d->text));
    if (d->kind == DECLARED_CONSTANT) return become_constant(node, d->value, d);
    node->declared = d;
    node->type = d->type;
    node->place = d->kind == DECLARED_RECORD ? PLACE_RECORD : PLACE_SLOT;
    if (d->kind == DECLARED_VARIABLE) node->number = d->slots[0];
    node->name = d->name;
}

static bool resolve_name(struct check *k, struct node *node, str name)
{
    const struct declaration *d = lookup(k, name);
    if (d) {
        resolve_declared(k, node, d);
        return true;
    }
    return resolve_type_name(k, node, name);
}

static str nearest_name(struct check *k, str word)
{
    struct nearest nearest = nearest_to(word);
    if (diag_is_full(k->c->diag)) return (str){0};
    for (const struct local *local = k->scope; local; local = local->outer)
        nearest_offer(&nearest, local->name);
    for (const struct cel_env *env = k->c->env; env; env = env->outer)
        for (const struct declaration *d = env->declarations; d; d = d->next)
            nearest_offer(&nearest, d->name);
    for (const struct cel_shorthands *list = k->c->env->shorthands; list; list = list->outer)
        for (size_t i = 0; i < list->count; i++)
            nearest_offer(&nearest, list->items[i].name);
    return nearest_hint(&nearest, k->c->scratch);
}

static const struct cel_field *find_field(const struct cel_record_type *record, str name, uint32_t *number)
{
    if (record->index) {
        *number = names_find(record->index, name);
        return *number == NAME_NONE ? NULL : &record->fields[*number];
    }
    for (size_t i = 0; i < record->field_count; i++)
        if (str_equal(record->fields[i].name, name)) {
            *number = (uint32_t)i;
            return &record->fields[i];
        }
    return NULL;
}

/* "loyal" where there is segments.loyal: the record that has a field of that name. Of several the shortest, so event
 * before trigger; last.TYPE is not what is meant by a field alone. */
static const struct declaration *record_with(const struct check *k, str name)
{
    const struct declaration *found = NULL;
    uint32_t number;
    for (const struct cel_env *env = k->c->env; env; env = env->outer)
        for (const struct declaration *d = env->declarations; d; d = d->next) {
            bool plain = d->kind == DECLARED_RECORD && !memchr(d->name.data, '.', d->name.size);
            bool better = plain && (!found || d->name.size < found->name.size);
            if (better && find_field(d->type->record, name, &number)) found = d;
        }
    return found;
}

/* How a name is written that is known, but not by itself; empty: it is none. */
static str name_cure(struct check *k, str name)
{
    const struct overload *function = env_function(k->c->env, name, FUNC_GLOBAL);
    if (function)
        return arena_format(k->c->scratch, "write %.*s(%s)", STR_ARG(name), function->count ? "…" : "");
    str ours = check_other_name(name);
    if (str_equal(ours, STR("null"))) return STR("whether something is there, has(…) says");
    if (ours.size) return arena_format(k->c->scratch, "write %.*s", STR_ARG(ours));
    const struct declaration *record = diag_is_full(k->c->diag) ? NULL : record_with(k, name);
    return record ? arena_format(k->c->scratch, "write %.*s.%.*s", STR_ARG(record->name), STR_ARG(name))
                  : (str){0};
}

static void check_name(struct check *k, struct node *node)
{
    if (!node->local && node->name.data[0] != '.') node->local = find_local(k, node->name);
    if (node->local) {
        node->place = PLACE_LOCAL;
        node->type = node->local->type;
        return;
    }
    if (resolve_name(k, node, node->name)) return;
    str name = node->name, cure = name_cure(k, name);
    check_mistake(k, node, node->span, cure.size ? cure : nearest_name(k, name), "'%.*s' is not known here",
                  STR_ARG(name));
}

/* ---- selections */

enum { QUALIFIED_PARTS = 32 /* more dots has no name */ };

str check_qualified(struct check *k, const struct node *node)
{
    const struct node *parts[QUALIFIED_PARTS], *outermost = node;
    size_t count = 0, size = 0;
    for (; node->kind == NODE_SELECT; node = node->children[0]) {
        /* Brackets around has(a.b) stand around its answer, not around the name in it. */
        bool apart = node->quoted || (node->test ? node != outermost : node->grouped);
        if (node->optional || apart || count + 1 == QUALIFIED_PARTS) return (str){0};
        parts[count++] = node;
        size += node->name.size + 1;
    }
    if (node->kind != NODE_NAME || node->local || find_local(k, node->name)) return (str){0};
    if (!count) return node->name;
    char *text = arena_alloc(k->c->scratch, size + node->name.size), *at = text;
    if (!text) {
        k->c->failed = true;
        return (str){0};
    }
    memcpy(at, node->name.data, node->name.size);
    at += node->name.size;
    while (count-- > 0) {
        *at++ = '.';
        memcpy(at, parts[count]->name.data, parts[count]->name.size);
        at += parts[count]->name.size;
    }
    return (str){text, (size_t)(at - text)};
}

/* "known fields: key, variant, step, started" */
static str field_list(struct check *k, const struct cel_record_type *record)
{
    enum { LISTED = 8 };
    struct buffer text;
    buffer_init(&text, k->c->scratch);
    for (size_t i = 0; i < record->field_count && i < LISTED; i++)
        buffer_put_format(&text, "%s%.*s", i ? ", " : "known fields: ", STR_ARG(record->fields[i].name));
    if (record->field_count > LISTED) buffer_put_format(&text, " and %zu more", record->field_count - LISTED);
    k->c->failed |= text.failed;
    return buffer_str(&text);
}

/* `d`: what declares the record; NULL: nothing, it is a value. */
static void unknown_field(struct check *k, struct node *node, const struct cel_type *type,
                          const struct declaration *d)
{
    const struct cel_record_type *record = type->record;
    str owner = d ? d->text : type_noun(k, type), lenient = k->c->env->lenient;
    struct nearest nearest = nearest_to(node->name);
    for (size_t i = 0; i < record->field_count && !diag_is_full(k->c->diag); i++)
        nearest_offer(&nearest, record->fields[i].name);
    str text = arena_format(k->c->scratch, "%.*s has no field '%.*s'", STR_ARG(owner), STR_ARG(node->name));
    str hint = nearest.name.size ? nearest_hint(&nearest, k->c->scratch) : field_list(k, record);
    if (!d || !lenient.size || !str_equal(d->name, lenient))
        return check_mistake(k, node, node->name_span, hint, "%.*s", STR_ARG(text));
    caution(k->c, node->name_span, hint, "%.*s", STR_ARG(text));
    make_broken(node, text);
}

static void select_from_record(struct check *k, struct node *node, const struct cel_type *type)
{
    const struct node *operand = node->children[0];
    const struct declaration *d = operand->place == PLACE_RECORD ? operand->declared : NULL;
    const struct cel_record_type *record = type->record;
    uint32_t number;
    const struct cel_field *field = find_field(record, node->name, &number);
    if (!field) return unknown_field(k, node, type, d);
    node->place = d ? PLACE_SLOT : PLACE_FIELD;
    node->number = d ? d->slots[number] : number;
    node->type = field->type;
}

static const struct cel_type *optional_of_type(struct check *k, const struct cel_type *type)
{
    struct cel_type made = {.kind = CEL_TYPE_OPTIONAL, .params = {type}};
    const struct cel_type *copy = arena_copy(k->c->scratch, &made, sizeof made);
    if (!copy) k->c->failed = true;
    return copy ? copy : TYPE(DYN);
}

/* name.size, event.items.product: what was meant by a field of something that has none. */
static str no_field_cure(struct check *k, const struct node *node, const struct cel_type *type)
{
    str ours = check_other_name(node->name), name = ours.size ? ours : node->name;
    if (check_is_method(k->c, name)) return arena_format(k->c->scratch, "write .%.*s()", STR_ARG(name));
    str list = check_source(k, node->children[0]);
    if (type->kind != CEL_TYPE_LIST || !list.size) return (str){0};
    return arena_format(k->c->scratch, "write %.*s.exists(i, i.%.*s …), or %.*s[0].%.*s", STR_ARG(list),
                        STR_ARG(name), STR_ARG(list), STR_ARG(name));
}

/* The type of a field of `type`; sets the node's place for records. NULL: reported. */
static const struct cel_type *field_type(struct check *k, struct node *node, const struct cel_type *type)
{
    switch (type->kind) {
    case CEL_TYPE_PARAM:
    case CEL_TYPE_DYN: return TYPE(DYN);
    case CEL_TYPE_MAP:
        if (type_assignable(k, TYPE(STRING), type->params[0])) return type->params[1];
        break;
    case CEL_TYPE_RECORD:
        select_from_record(k, node, type);
        return node->kind == NODE_SELECT ? node->type : NULL;
    case CEL_TYPE_OPTIONAL: {
        const struct cel_type *inner = field_type(k, node, type_resolve(k, type->params[0], false));
        node->place = PLACE_NONE; /* through an optional: by name */
        return inner ? optional_of_type(k, inner) : NULL;
    }
    default: break;
    }
    str noun = type_noun(k, type);
    check_mistake(k, node, node->name_span, no_field_cure(k, node, type), "%.*s has no fields",
                  STR_ARG(noun));
    return NULL;
}

/* Offers what stands behind "front." in names; false: nowhere. */
static bool offer_parts(struct nearest *nearest, const struct declaration *d, str front)
{
    bool any = false;
    for (; d; d = d->next) {
        if (d->name.size <= front.size || !str_starts_with(d->name, front) || d->name.data[front.size] != '.')
            continue;
        any = true;
        nearest_offer(nearest, str_slice(d->name, front.size + 1, d->name.size));
    }
    return any;
}

/* "last.purchse" where there are names last.purchase, last.view …: `front` is "last". */
static bool unknown_part(struct check *k, struct node *node, str front)
{
    bool any = false;
    str name = node->name;
    struct nearest nearest = nearest_to(name);
    for (const struct cel_env *env = k->c->env; env && !(any && diag_is_full(k->c->diag)); env = env->outer)
        any |= offer_parts(&nearest, env->declarations, front);
    if (!any) return false;
    check_mistake(k, node, node->name_span, nearest_hint(&nearest, k->c->scratch), "'%.*s' has no '%.*s'",
                  STR_ARG(front), STR_ARG(name));
    return true;
}

static bool select_qualified(struct check *k, struct node *node)
{
    str name = check_qualified(k, node);
    if (!name.size) return false;
    str front = check_qualified(k, node->children[0]);
    if (node->test) {
        const struct declaration *d = lookup(k, name);
        if (d && d->kind == DECLARED_CONSTANT) {
            become_constant(node, cel_bool(true), d);
            node->type = TYPE(BOOL);
            return true;
        }
        if (d && d->kind != DECLARED_REFUSED) {
            bool asked = d->presence != CEL_NO_SLOT;
            node->place = asked ? PLACE_PRESENCE : PLACE_SLOT;
            node->number = asked ? d->presence : d->slots[0];
            node->type = TYPE(BOOL);
            return d->kind == DECLARED_VARIABLE || asked;
        }
    } else if (resolve_name(k, node, name)) {
        return true;
    }
    return !lookup(k, front) && unknown_part(k, node, front);
}

static void check_select(struct check *k, struct node *node)
{
    if (select_qualified(k, node)) return;
    node->place = PLACE_NONE;
    check_node(k, node->children[0]);
    check_field(k, node);
}

void check_field(struct check *k, struct node *node)
{
    const struct cel_type *type = type_resolve(k, node->children[0]->type, false);
    const struct cel_type *found = field_type(k, node, type);
    if (!found) return;
    node->type = found;
    if (node->optional && type->kind != CEL_TYPE_OPTIONAL) node->type = optional_of_type(k, found);
    if (node->optional && node->place == PLACE_FIELD) node->place = PLACE_NONE;
    if (node->test) node->type = TYPE(BOOL);
}

/* ---- literals */

static const struct cel_type *constant_type(struct cel_value v)
{
    static const struct cel_type *const types[] = {
        [CEL_NULL] = TYPE(NULL),   [CEL_BOOL] = TYPE(BOOL),     [CEL_INT] = TYPE(INT),
        [CEL_UINT] = TYPE(UINT),   [CEL_DOUBLE] = TYPE(DOUBLE), [CEL_STRING] = TYPE(STRING),
        [CEL_BYTES] = TYPE(BYTES),
    };
    return types[v.kind];
}

/* The type of an entry; of [?x] and {?k: x}, of what the optional x holds. */
static const struct cel_type *entry_type(struct check *k, struct node *node, bool optional)
{
    check_node(k, node);
    if (!optional) return node->type;
    const struct cel_type *held = type_fresh(k);
    if (type_assignable(k, node->type, optional_of_type(k, held))) return type_resolve(k, held, false);
    str noun = type_noun(k, node->type);
    check_mistake(k, node, node->span, STR("write optional.of(…)"),
                  "'?' is followed by an optional, not by %.*s", STR_ARG(noun));
    return TYPE(DYN);
}

static void check_list(struct check *k, struct node *node)
{
    const struct cel_type *element = NULL;
    for (size_t i = 0; i < node->count; i++) {
        const struct cel_type *type = entry_type(k, node->children[i], node->children[i]->marked);
        element = element ? type_join(k, element, type) : type;
    }
    node->type = cel_list_of(k->c->scratch, element ? element : type_fresh(k));
}

static void check_key(struct check *k, struct node *key)
{
    const struct cel_type *type = type_resolve(k, key->type, false);
    static const uint32_t kinds = 1u << CEL_TYPE_DYN | 1u << CEL_TYPE_BOOL | 1u << CEL_TYPE_INT |
                                  1u << CEL_TYPE_UINT | 1u << CEL_TYPE_STRING | 1u << CEL_TYPE_PARAM;
    if (kinds >> type->kind & 1 || k->c->env->unchecked) return;
    str noun = type_noun(k, type);
    check_mistake(k, key, key->span, (str){0},
                  "the key of a map must be a string, int, uint or bool, not %.*s", STR_ARG(noun));
}

static void check_map(struct check *k, struct node *node)
{
    const struct cel_type *key = NULL, *value = NULL;
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        check_node(k, node->children[i]);
        check_key(k, node->children[i]);
        const struct cel_type *type = entry_type(k, node->children[i + 1], node->children[i]->marked);
        key = key ? type_join(k, key, node->children[i]->type) : node->children[i]->type;
        value = value ? type_join(k, value, type) : type;
    }
    if (!key) {
        key = type_fresh(k);
        value = type_fresh(k);
    }
    node->type = cel_map_of(k->c->scratch, key, value);
}

/* ---- conditions, loops, bindings */

/* What is meant by a field where a condition is expected: that it is there, of a number that it is not 0. */
static str condition_cure(struct check *k, const struct node *node)
{
    const struct cel_type *type = type_resolve(k, node->type, true);
    str source = check_source(k, node);
    bool number = type->kind == CEL_TYPE_INT || type->kind == CEL_TYPE_UINT || type->kind == CEL_TYPE_DOUBLE;
    if (type->kind == CEL_TYPE_OPTIONAL) return optional_cure(k, node);
    if (node->kind != NODE_SELECT || !source.size) return (str){0};
    return number ? arena_format(k->c->scratch, "write %.*s > %s", STR_ARG(source), cel_type_zero(type))
                  : arena_format(k->c->scratch, "write has(%.*s)", STR_ARG(source));
}

static void want_bool(struct check *k, struct node *node, const char *where)
{
    if (node->kind == NODE_BROKEN || type_assignable(k, node->type, TYPE(BOOL)) || k->c->env->unchecked)
        return;
    str noun = type_noun(k, node->type);
    check_mistake(k, node, node->span, condition_cure(k, node), "%s must be true or false, but this is %.*s",
                  where, STR_ARG(noun));
}

static void check_logic(struct check *k, struct node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        check_node(k, node->children[i]);
        want_bool(k, node->children[i], node->kind == NODE_AND ? "an operand of '&&'" : "an operand of '||'");
    }
    node->type = TYPE(BOOL);
}

static void check_if(struct check *k, struct node *node)
{
    for (size_t i = 0; i < 3; i++)
        check_node(k, node->children[i]);
    want_bool(k, node->children[0], "the condition before '?'");
    const struct cel_type *yes = node->children[1]->type, *no = node->children[2]->type;
    bool same = type_assignable(k, no, yes);
    node->type = same ? type_join(k, yes, no) : TYPE(DYN);
    if (same || k->c->env->unchecked) return;
    str a = type_noun(k, yes), b = type_noun(k, no);
    check_mistake(k, node, node->children[2]->span, (str){0},
                  "this is %.*s, but the value before ':' is %.*s", STR_ARG(b), STR_ARG(a));
}

static const struct cel_type *held_type(struct check *k, const struct cel_type *type)
{
    const struct cel_type *known = type_resolve(k, type, false);
    return known->kind == CEL_TYPE_OPTIONAL ? known->params[0] : type;
}

static void check_coalesce(struct check *k, struct node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        struct node *child = node->children[i];
        check_node(k, child);
        const struct cel_type *type = held_type(k, child->type);
        bool same = i == 0 || type_assignable(k, type, node->type);
        if (!same && !k->c->env->unchecked && child->kind != NODE_BROKEN) {
            str a = type_noun(k, node->type), b = type_noun(k, type);
            check_mistake(k, node, child->span, (str){0}, "this is %.*s, but what stands before it is %.*s",
                          STR_ARG(b), STR_ARG(a));
        }
        node->type = i == 0 ? type : same ? type_join(k, node->type, type) : TYPE(DYN);
    }
}

/* The elements of [] are of any type, and nothing that a loop's body does with them decides which. */
static const struct cel_type *open_as_dyn(struct check *k, const struct cel_type *type)
{
    return type_resolve(k, type, false)->kind == CEL_TYPE_PARAM ? TYPE(DYN) : type;
}

/* What the names of a loop stand for: keys or places first, elements or values second. */
static void bind_loop(struct check *k, struct node *node)
{
    const struct cel_type *range = type_resolve(k, node->children[0]->type, false);
    const struct cel_type *first = TYPE(DYN), *second = TYPE(DYN);
    if (range->kind == CEL_TYPE_LIST) {
        first = node->local2 ? TYPE(INT) : range->params[0];
        second = range->params[0];
    } else if (range->kind == CEL_TYPE_MAP) {
        first = range->params[0];
        second = range->params[1];
    } else if (range->kind != CEL_TYPE_DYN && range->kind != CEL_TYPE_PARAM) {
        str noun = type_noun(k, range);
        struct node *target = node->children[0];
        check_mistake(k, target, target->span, (str){0},
                      "'%.*s' goes through a list or a map, but this is %.*s", STR_ARG(node->name),
                      STR_ARG(noun));
    }
    node->local->type = open_as_dyn(k, first);
    if (node->local2) node->local2->type = open_as_dyn(k, second);
}

static void check_loop_result(struct check *k, struct node *node)
{
    const struct cel_type *body = node->children[2]->type;
    node->type = TYPE(BOOL);
    if (node->loop == LOOP_LIST) node->type = cel_list_of(k->c->scratch, body);
    if (node->loop == LOOP_MAP) {
        bool list = type_resolve(k, node->children[0]->type, false)->kind == CEL_TYPE_LIST;
        node->type = cel_map_of(k->c->scratch, list ? TYPE(INT) : node->local->type, body);
    }
    if (node->loop == LOOP_MAP_ENTRY) {
        node->type = cel_map_of(k->c->scratch, type_fresh(k), type_fresh(k));
        if (node->type && !type_assignable(k, body, node->type))
            check_mistake(k, node->children[2], node->children[2]->span, STR("write {key: value}"),
                          "'transformMapEntry' wants a map of one entry here");
    }
    if (node->loop <= LOOP_ONE) want_bool(k, node->children[2], "this condition");
}

static void check_loop(struct check *k, struct node *node)
{
    check_node(k, node->children[0]);
    bind_loop(k, node);
    if (++k->loops > LIMIT_CEL_MACRO_DEPTH)
        check_mistake(k, node, node->name_span, (str){0}, "loops are nested more than %d deep",
                      LIMIT_CEL_MACRO_DEPTH);
    if (node->kind == NODE_LOOP) {
        struct local *outer = k->scope;
        node->local->outer = outer;
        k->scope = node->local;
        if (node->local2) {
            node->local2->outer = k->scope;
            k->scope = node->local2;
        }
        if (node->children[1]) {
            check_node(k, node->children[1]);
            want_bool(k, node->children[1], "this condition");
        }
        check_node(k, node->children[2]);
        k->scope = outer;
        check_loop_result(k, node);
    }
    k->loops--;
}

static void check_let(struct check *k, struct node *node)
{
    check_node(k, node->children[0]);
    node->local->type = node->children[0]->type;
    node->local->outer = k->scope;
    k->scope = node->local;
    check_node(k, node->children[1]);
    k->scope = node->local->outer;
    node->type = node->children[1]->type;
}

/* What the name stands for is checked by itself, without the names bound around it, and then stands there in its
 * brackets. To the text around it, it is the name. */
static void check_shorthand(struct check *k, struct node *node)
{
    struct local *scope = k->scope;
    struct span span = node->span;
    bool marked = node->marked;
    k->scope = NULL;
    check_node(k, node->children[0]);
    k->scope = scope;
    *node = *node->children[0];
    node->span = span;
    node->marked = marked;
    node->grouped = true;
}

void check_node(struct check *k, struct node *node)
{
    switch (node->kind) {
    case NODE_BROKEN: node->type = TYPE(DYN); break;
    case NODE_CONSTANT: node->type = constant_type(node->value); break;
    case NODE_NAME: check_name(k, node); break;
    case NODE_SELECT: check_select(k, node); break;
    case NODE_CALL: check_call(k, node); break;
    case NODE_LIST: check_list(k, node); break;
    case NODE_MAP: check_map(k, node); break;
    case NODE_AND:
    case NODE_OR: check_logic(k, node); break;
    case NODE_IF: check_if(k, node); break;
    case NODE_COALESCE: check_coalesce(k, node); break;
    case NODE_LOOP: check_loop(k, node); break;
    case NODE_LET: check_let(k, node); break;
    case NODE_SHORTHAND: check_shorthand(k, node); break;
    }
    if (node->type) return;
    node->type = TYPE(DYN); /* no memory for it */
    k->c->failed = true;
}

/* Types without parameters, everywhere: a later node may have told what an earlier one left open. */
static void finish_types(struct check *k, struct node *node)
{
    for (size_t i = 0; i < node->count; i++)
        if (node->children[i] && node->children[i]->type) finish_types(k, node->children[i]);
    node->type = type_resolve(k, node->type, true);
}

void check_expression(struct compile *c, struct node *root, const struct cel_type *wanted)
{
    struct check k = {.c = c};
    check_node(&k, root);
    if (c->failed) return;
    if (wanted && root->kind != NODE_BROKEN && !type_assignable(&k, root->type, wanted)) {
        str found = type_noun(&k, root->type), want = type_noun(&k, wanted);
        str cure = wanted->kind == CEL_TYPE_BOOL ? condition_cure(&k, root) : (str){0};
        mistake(c, root->span, cure, "%.*s is expected here, but this is %.*s", STR_ARG(want),
                STR_ARG(found));
    }
    finish_types(&k, root);
}
