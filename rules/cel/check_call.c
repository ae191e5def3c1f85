/* Calls and operators: which overload it is, and what to say when it is none. */
#include "cel/check.h"

#include "base/duration.h"

/* ---- candidates */

const struct overload *overload_after(const struct compile *c, const struct overload *o)
{
    return env_function_after(c->env, o);
}

bool check_is_method(const struct compile *c, str name)
{
    return env_function(c->env, name, FUNC_METHOD) != NULL;
}

static const void *find_global(struct check *k, str name)
{
    return env_function(k->c->env, name, FUNC_GLOBAL);
}

/* ---- choosing */

/* Do the arguments fit this overload? Then *result is its type; else nothing is bound. */
static bool overload_fits(struct check *k, const struct node *node, const struct overload *o,
                          const struct cel_type **result)
{
    if (o->count != node->count) return false;
    size_t mark = k->trail_count;
    uint32_t base = type_reserve(k, 2); /* A and B */
    for (size_t i = 0; i < o->count; i++)
        if (!type_assignable(k, node->children[i]->type, type_instance(k, o->parameters[i], base))) {
            type_undo(k, mark);
            k->count = base;
            return false;
        }
    *result = type_resolve(k, type_instance(k, o->result, base), false);
    return true;
}

static bool choose_overload(struct check *k, struct node *node, const struct overload *first)
{
    for (const struct overload *o = first; o; o = overload_after(k->c, o)) {
        const struct cel_type *result;
        if (!overload_fits(k, node, o, &result)) continue;
        if (!node->overload) {
            node->overload = o;
            node->type = result;
            continue;
        }
        node->several = true;
        if (!cel_type_equal(node->type, result)) node->type = TYPE(DYN);
    }
    return node->overload != NULL;
}

/* ---- what things are called elsewhere */

str check_other_name(str name)
{
    static const struct {
        str other, ours;
    } names[] = {
        {STR("len"), STR("size")},
        {STR("length"), STR("size")},
        {STR("toLowerCase"), STR("lowerAscii")},
        {STR("lower"), STR("lowerAscii")},
        {STR("toUpperCase"), STR("upperAscii")},
        {STR("upper"), STR("upperAscii")},
        {STR("includes"), STR("contains")},
        {STR("strip"), STR("trim")},
        {STR("str"), STR("string")},
        {STR("toString"), STR("string")},
        {STR("float"), STR("double")},
        {STR("parseInt"), STR("int")},
        {STR("parseFloat"), STR("double")},
        {STR("regex"), STR("matches")},
        {STR("days"), STR("duration")},
        {STR("hours"), STR("duration")},
        {STR("minutes"), STR("duration")},
        {STR("interval"), STR("duration")},
        {STR("date"), STR("timestamp")},
        {STR("datetime"), STR("timestamp")},
        {STR("True"), STR("true")},
        {STR("TRUE"), STR("true")},
        {STR("False"), STR("false")},
        {STR("FALSE"), STR("false")},
        {STR("None"), STR("null")},
        {STR("NULL"), STR("null")},
        {STR("nil"), STR("null")},
        {STR("undefined"), STR("null")},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_equal(name, names[i].other)) return names[i].ours;
    return (str){0};
}

/* ---- messages */

str check_source(struct check *k, const struct node *node)
{
    str text = span_text(k->c, node->span);
    return text.size <= 40 ? text : (str){0};
}

static bool is_numeric(const struct cel_type *type)
{
    return type->kind == CEL_TYPE_INT || type->kind == CEL_TYPE_UINT || type->kind == CEL_TYPE_DOUBLE;
}

/* How to write the int `node` where a `wanted` is needed. */
static str number_cure(struct check *k, const struct node *node, const struct cel_type *wanted)
{
    struct arena *arena = k->c->scratch;
    str text = check_source(k, node);
    if (!text.size) return (str){0};
    bool literal = node->kind == NODE_CONSTANT && node->value.kind == CEL_INT;
    if (literal && wanted->kind == CEL_TYPE_DOUBLE) return arena_format(arena, "write %.*s.0", STR_ARG(text));
    if (literal && wanted->kind == CEL_TYPE_UINT) return arena_format(arena, "write %.*su", STR_ARG(text));
    str type = cel_type_name(arena, wanted);
    return arena_format(arena, "write %.*s(%.*s)", STR_ARG(type), STR_ARG(text));
}

static bool is_time(const struct cel_type *type)
{
    return type->kind == CEL_TYPE_TIMESTAMP || type->kind == CEL_TYPE_DURATION;
}

/* customer.tz != null: whether something is there is asked by has(). */
static str null_cure(struct check *k, str sign, const struct node *node)
{
    str text = check_source(k, node);
    if (node->kind != NODE_SELECT || !text.size) return (str){0};
    return arena_format(k->c->scratch, "write %shas(%.*s)", sign.data[0] == '=' ? "!" : "", STR_ARG(text));
}

/* event.vip == 'true': a condition is true or false by itself. */
static str bool_cure(struct check *k, str sign, const struct node *condition, const struct node *text)
{
    str source = check_source(k, condition);
    if (text->kind != NODE_CONSTANT || !source.size) return (str){0};
    bool yes = str_equal(cel_text(text->value), STR("true"));
    if (!yes && !str_equal(cel_text(text->value), STR("false"))) return (str){0};
    bool plain = yes == (sign.data[0] == '='), several = memchr(source.data, ' ', source.size);
    return arena_format(k->c->scratch,
                        several && !plain ? "write !(%.*s)"
                        : plain           ? "write %.*s"
                                          : "write !%.*s",
                        STR_ARG(source));
}

/* event.tags == 'tent' */
static str in_cure(struct check *k, const struct node *element, const struct node *list)
{
    const struct cel_type *type = type_resolve(k, list->type, true);
    bool fits = type->params[0] && type_assignable(k, element->type, type->params[0]);
    str a = check_source(k, element), b = check_source(k, list);
    return fits && a.size && b.size
               ? arena_format(k->c->scratch, "write %.*s in %.*s", STR_ARG(a), STR_ARG(b))
               : (str){0};
}

/* How to ask whether something is there, true, or in a list. */
static str equality_cure(struct check *k, str sign, const struct node *a, const struct node *b)
{
    enum cel_type_kind ka = type_resolve(k, a->type, true)->kind, kb = type_resolve(k, b->type, true)->kind;
    if (kb == CEL_TYPE_NULL) return null_cure(k, sign, a);
    if (ka == CEL_TYPE_NULL) return null_cure(k, sign, b);
    if (ka == CEL_TYPE_BOOL && kb == CEL_TYPE_STRING) return bool_cure(k, sign, a, b);
    if (ka == CEL_TYPE_STRING && kb == CEL_TYPE_BOOL) return bool_cure(k, sign, b, a);
    if (ka == CEL_TYPE_LIST) return in_cure(k, b, a);
    if (kb == CEL_TYPE_LIST) return in_cure(k, a, b);
    return (str){0};
}

str optional_cure(struct check *k, const struct node *node)
{
    const struct cel_type *type = type_resolve(k, node->type, true);
    str source = check_source(k, node);
    if (type->kind != CEL_TYPE_OPTIONAL || !source.size) return (str){0};
    return arena_format(k->c->scratch, "write %.*s.orValue(%s)", STR_ARG(source),
                        cel_type_zero(type_resolve(k, type->params[0], true)));
}

str duration_cure(struct arena *arena, str text)
{
    int64_t ms;
    if (!duration_parse(text, &ms)) return (str){0};
    bool hours = ms % 3600000 == 0;
    return arena_format(arena, hours ? "write duration('%lldh')" : "write duration('%llds')",
                        (long long)(hours ? ms / 3600000 : ms / 1000));
}

static bool is_made_of(str text, const char *bytes)
{
    for (size_t i = 0; i < text.size; i++)
        if (!text.data[i] || !strchr(bytes, text.data[i])) return false;
    return text.size > 0;
}

/* A number or a time that stands in quotes: event.total > '10', event.time > '2026-03-02T10:00:00Z'. */
static str text_cure(struct check *k, const struct node *node, const struct cel_type *wanted)
{
    if (node->kind != NODE_CONSTANT || node->value.kind != CEL_STRING) return (str){0};
    str text = cel_text(node->value), source = check_source(k, node);
    if (wanted->kind == CEL_TYPE_DURATION) return duration_cure(k->c->scratch, text);
    if (wanted->kind == CEL_TYPE_TIMESTAMP && source.size && is_made_of(text, "0123456789-:.TZ+"))
        return arena_format(k->c->scratch, "write timestamp(%.*s)", STR_ARG(source));
    if (!is_numeric(wanted) || !is_made_of(text, "0123456789.-")) return (str){0};
    bool point = memchr(text.data, '.', text.size);
    return arena_format(k->c->scratch, "write %.*s%s", STR_ARG(text),
                        wanted->kind == CEL_TYPE_DOUBLE && !point ? ".0" : "");
}

static str operator_cure(struct check *k, const struct node *a, const struct cel_type *ta,
                         const struct node *b, const struct cel_type *tb)
{
    if (is_numeric(ta) && is_numeric(tb)) { /* literals give way, then ints and uints to doubles */
        bool a_literal = a->kind == NODE_CONSTANT && a->value.kind == CEL_INT;
        bool convert_b = !a_literal && (ta->kind == CEL_TYPE_DOUBLE || b->kind == NODE_CONSTANT ||
                                        tb->kind != CEL_TYPE_DOUBLE);
        return convert_b ? number_cure(k, b, ta) : number_cure(k, a, tb);
    }
    if ((is_time(ta) && is_numeric(tb)) || (is_numeric(ta) && is_time(tb)))
        return STR("write a time as duration('1h30m')");
    if (ta->kind == CEL_TYPE_OPTIONAL) return optional_cure(k, a);
    if (tb->kind == CEL_TYPE_OPTIONAL) return optional_cure(k, b);
    str text = tb->kind == CEL_TYPE_STRING ? text_cure(k, b, ta) : text_cure(k, a, tb);
    if (text.size) return text;
    bool text_a = ta->kind == CEL_TYPE_STRING, text_b = tb->kind == CEL_TYPE_STRING;
    bool plain_a = is_numeric(ta) || ta->kind == CEL_TYPE_BOOL,
         plain_b = is_numeric(tb) || tb->kind == CEL_TYPE_BOOL;
    if (text_a && plain_b && check_source(k, b).size)
        return arena_format(k->c->scratch, "write string(%.*s)", STR_ARG(check_source(k, b)));
    if (text_b && plain_a && check_source(k, a).size)
        return arena_format(k->c->scratch, "write string(%.*s)", STR_ARG(check_source(k, a)));
    return (str){0};
}

static bool is_comparison(str name)
{
    static const char *const names[] = {"==", "!=", "<", "<=", ">", ">="};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_equal(name, str_of(names[i]))) return true;
    return false;
}

/* 'tent' in event.product */
static str part_cure(struct check *k, const struct node *a, const struct cel_type *ta, const struct node *b,
                     const struct cel_type *tb)
{
    str part = check_source(k, a), text = check_source(k, b);
    bool texts = ta->kind == CEL_TYPE_STRING && tb->kind == CEL_TYPE_STRING && part.size && text.size;
    return texts ? arena_format(k->c->scratch, "write %.*s.contains(%.*s)", STR_ARG(text), STR_ARG(part))
                 : (str){0};
}

/* event['product'] */
static str field_cure(struct check *k, const struct node *record, const struct cel_type *type,
                      const struct node *name)
{
    str source = check_source(k, record);
    bool field =
        type->kind == CEL_TYPE_RECORD && name->kind == NODE_CONSTANT && name->value.kind == CEL_STRING;
    if (!field || !source.size) return (str){0};
    str text = cel_text(name->value);
    return arena_format(k->c->scratch, "write %.*s.%.*s", STR_ARG(source), STR_ARG(text));
}

static void refuse_operator(struct check *k, struct node *node)
{
    str name = node->name;
    const struct node *a = node->children[0], *b = node->count > 1 ? node->children[1] : NULL;
    const struct cel_type *ta = type_resolve(k, a->type, true),
                          *tb = b ? type_resolve(k, b->type, true) : NULL;
    str na = type_text(k, ta), nb = b ? type_text(k, tb) : (str){0};
    str noun_a = type_noun(k, ta), noun_b = b ? type_noun(k, tb) : (str){0};
    if (!b)
        return check_mistake(k, node, node->span, (str){0}, "'%.1s' does not take %.*s", name.data,
                             STR_ARG(noun_a));
    if (str_equal(name, STR("in")))
        return check_mistake(k, node, node->span, part_cure(k, a, ta, b, tb), "%.*s cannot be in %.*s",
                             STR_ARG(noun_a), STR_ARG(noun_b));
    if (name.data[0] == '[')
        return check_mistake(k, node, node->name_span, field_cure(k, a, ta, b),
                             "%.*s cannot be indexed by %.*s", STR_ARG(noun_a), STR_ARG(noun_b));
    bool equality = str_equal(name, STR("==")) || str_equal(name, STR("!="));
    str cure = equality ? equality_cure(k, name, a, b) : (str){0};
    if (!cure.size) cure = operator_cure(k, a, ta, b, tb);
    if (is_comparison(name) && cel_type_equal(ta, tb))
        return check_mistake(k, node, node->span, (str){0},
                             "%.*s cannot be ordered: only '==' and '!=' compare it", STR_ARG(noun_a));
    if (is_comparison(name))
        return check_mistake(k, node, node->span, cure, "%.*s cannot be compared with %.*s", STR_ARG(noun_a),
                             STR_ARG(noun_b));
    if (is_numeric(ta) && is_numeric(tb) && !cel_type_equal(ta, tb))
        return check_mistake(k, node, node->span, cure, "%.*s %.*s %.*s: CEL does not mix kinds of numbers",
                             STR_ARG(na), STR_ARG(name), STR_ARG(nb));
    check_mistake(k, node, node->span, cure, "there is no %.*s %.*s %.*s", STR_ARG(na), STR_ARG(name),
                  STR_ARG(nb));
}

enum { FORMS_MAX = 3 };

static str argument_types(struct check *k, const struct node *node)
{
    str text = {0};
    for (size_t i = node->method; i < node->count; i++) {
        str type = type_text(k, node->children[i]->type);
        text = arena_format(k->c->scratch, "%.*s%s%.*s", STR_ARG(text), i > (size_t)node->method ? ", " : "",
                            STR_ARG(type));
    }
    return text;
}

static str known_forms(struct check *k, const struct overload *first)
{
    str text = {0};
    size_t count = 0;
    for (const struct overload *o = first; o && count < FORMS_MAX; o = overload_after(k->c, o), count++) {
        str form = overload_form(k->c->scratch, o);
        text = arena_format(k->c->scratch, "%.*s%s%.*s", STR_ARG(text), count ? ", or " : "there is ",
                            STR_ARG(form));
    }
    return text;
}

/* No overload has this number of arguments; *only is that number where all have the same. */
static bool wrong_count(struct check *k, const struct node *node, const struct overload *first, size_t *only)
{
    *only = first->count;
    for (const struct overload *o = first; o; o = overload_after(k->c, o)) {
        if (o->count == node->count) return false;
        if (o->count != *only) *only = SIZE_MAX;
    }
    return true;
}

/* event.tags.contains('tent'): a list is asked with `in`, and one of records with exists(). */
static str contains_cure(struct check *k, const struct node *node)
{
    const struct cel_type *list = type_resolve(k, node->children[0]->type, true);
    bool contains = str_equal(node->name, STR("contains")) && list->kind == CEL_TYPE_LIST;
    if (!contains || node->count != 2) return (str){0};
    str target = check_source(k, node->children[0]), sought = check_source(k, node->children[1]);
    if (!target.size || !sought.size) return (str){0};
    if (type_resolve(k, list->params[0], true)->kind != CEL_TYPE_RECORD)
        return arena_format(k->c->scratch, "write %.*s in %.*s", STR_ARG(sought), STR_ARG(target));
    return arena_format(k->c->scratch, "write %.*s.exists(i, i.… == %.*s)", STR_ARG(target), STR_ARG(sought));
}

static void refuse_call(struct check *k, struct node *node, const struct overload *first)
{
    if (first->style == FUNC_OPERATOR) return refuse_operator(k, node);
    str name = node->name, forms = known_forms(k, first);
    size_t only, given = node->count - node->method;
    if (wrong_count(k, node, first, &only)) {
        if (only == SIZE_MAX)
            return check_mistake(k, node, node->span, forms, "'%.*s' does not take %zu argument%s",
                                 STR_ARG(name), given, given == 1 ? "" : "s");
        only -= node->method;
        return check_mistake(k, node, node->span, forms, "'%.*s' takes %zu argument%s, not %zu",
                             STR_ARG(name), only, only == 1 ? "" : "s", given);
    }
    str types = argument_types(k, node);
    if (node->method) {
        str target = type_text(k, node->children[0]->type), cure = contains_cure(k, node);
        return check_mistake(k, node, node->span, cure.size ? cure : forms, "there is no %.*s.%.*s(%.*s)",
                             STR_ARG(target), STR_ARG(name), STR_ARG(types));
    }
    check_mistake(k, node, node->span, forms, "there is no %.*s(%.*s)", STR_ARG(name), STR_ARG(types));
}

static str nearest_function(struct check *k, str word, enum func_style style)
{
    struct nearest nearest = nearest_to(word);
    if (diag_is_full(k->c->diag)) return (str){0};
    for (const struct overload *o = NULL; (o = env_function_any(k->c->env, o));)
        if (o->style == style && overload_name(o).data[0] != '@') nearest_offer(&nearest, overload_name(o));
    return nearest_hint(&nearest, k->c->scratch);
}

/* Is it a shorthand, which stands for an expression and is no function? */
static bool is_shorthand(const struct check *k, str name)
{
    const struct cel_shorthands *list = k->c->env->shorthands;
    while (list && names_find(&list->names, name) == NAME_NONE)
        list = list->outer;
    return list;
}

/* What was meant by a function that there is not; empty: nobody knows. */
static str function_cure(struct check *k, const struct node *node)
{
    struct arena *arena = k->c->scratch;
    str name = node->name, ours = check_other_name(name);
    const struct declaration *variable = node->method ? NULL : check_declared(k, name);
    if ((variable || (!node->method && is_shorthand(k, name))) && node->count == 0)
        return arena_format(arena, "write %.*s", STR_ARG(name));
    str meant = ours.size ? ours : name;
    bool global = env_function(k->c->env, meant, FUNC_GLOBAL), method = check_is_method(k->c, meant);
    if (!node->method && global) return arena_format(arena, "write %.*s(…)", STR_ARG(meant));
    if (node->method && method) return arena_format(arena, "write .%.*s(…)", STR_ARG(meant));
    if (global) return arena_format(arena, "write %.*s(…)", STR_ARG(meant));
    if (method) return arena_format(arena, "write x.%.*s(…)", STR_ARG(meant));
    return (str){0};
}

static void unknown_function(struct check *k, struct node *node)
{
    str name = node->name;
    enum func_style style = node->method ? FUNC_METHOD : FUNC_GLOBAL;
    const struct declaration *refused = node->method ? NULL : check_declared(k, name);
    if (refused && refused->kind == DECLARED_REFUSED)
        return check_mistake(k, node, node->span, (str){0}, "%.*s", STR_ARG(refused->text));
    str cure = function_cure(k, node), hint = cure.size ? cure : nearest_function(k, name, style);
    check_mistake(k, node, node->name_span, hint, "there is no function '%.*s'", STR_ARG(name));
}

/* x.exist(i, i > 1): a macro misspelt. Its names are unknown because of that, and not mistakes of their own. */
static bool misspelt_macro(struct check *k, struct node *node)
{
    if (node->count < 3 || node->children[1]->kind != NODE_NAME) return false;
    struct nearest nearest = nearest_to(node->name);
    str name;
    for (size_t at = 0; (name = macro_method(&at)).size;)
        nearest_offer(&nearest, name);
    str hint = nearest_hint(&nearest, k->c->scratch);
    if (!hint.size) return false;
    check_node(k, node->children[0]);
    check_mistake(k, node, node->name_span, hint, "there is no function '%.*s'", STR_ARG(node->name));
    return true;
}

/* ---- the call */

/* math.abs(x): what looks like a target is the function's namespace. */
static const struct overload *namespaced(struct check *k, struct node *node)
{
    str space = check_qualified(k, node->children[0]);
    if (!space.size) return NULL;
    str name = arena_format(k->c->scratch, "%.*s.%.*s", STR_ARG(space), STR_ARG(node->name));
    const struct overload *found = check_in_container(k, name, find_global);
    if (!found) return NULL;
    node->method = false;
    node->children++;
    node->count--;
    node->capacity--;
    node->name = overload_name(found);
    return found;
}

/* "nowhere.f(x)" is an unknown function rather than an unknown name. */
static bool unknown_in_space(struct check *k, struct node *node)
{
    const struct node *target = node->children[0];
    if (target->kind != NODE_NAME || check_declared(k, target->name) || !check_qualified(k, target).size)
        return false;
    if (!env_has_space(k->c->env, target->name)) return false;
    str name = arena_format(k->c->scratch, "%.*s.%.*s", STR_ARG(target->name), STR_ARG(node->name));
    check_mistake(k, node, span_join(target->span, node->name_span), nearest_function(k, name, FUNC_GLOBAL),
                  "there is no function '%.*s'", STR_ARG(name));
    return true;
}

static const struct overload *first_overload(struct check *k, struct node *node)
{
    if (node->method) {
        const struct overload *found = namespaced(k, node);
        return found ? found : env_function(k->c->env, node->name, FUNC_METHOD);
    }
    const struct overload *operator= env_function(k->c->env, node->name, FUNC_OPERATOR);
    return operator? operator: check_in_container(k, node->name, find_global);
}

static bool any_broken(const struct node *node)
{
    for (size_t i = 0; i < node->count; i++)
        if (node->children[i]->kind == NODE_BROKEN) return true;
    return false;
}

/* record['$set']: a field whose name cannot be written behind a dot. */
static bool names_field(struct check *k, struct node *node)
{
    const struct node *key = node->count == 2 ? node->children[1] : NULL;
    bool text = key && key->kind == NODE_CONSTANT && key->value.kind == CEL_STRING;
    if (!text || !str_equal(node->name, STR("[]"))) return false;
    if (type_resolve(k, node->children[0]->type, false)->kind != CEL_TYPE_RECORD) return false;
    if (str_is_identifier(cel_text(key->value))) return false;
    node->kind = NODE_SELECT;
    node->name = cel_text(key->value);
    node->count = 1;
    node->quoted = true;
    check_field(k, node);
    return true;
}

void check_call(struct check *k, struct node *node)
{
    const struct overload *first = first_overload(k, node);
    if (!first && node->method && (unknown_in_space(k, node) || misspelt_macro(k, node))) return;
    for (size_t i = 0; i < node->count; i++)
        check_node(k, node->children[i]);
    if (!first) return unknown_function(k, node);
    if (choose_overload(k, node, first)) {
        if (any_broken(node)) node->type = TYPE(DYN); /* what it gives is anybody's guess */
        return;
    }
    if (names_field(k, node)) return;
    size_t only;
    if (k->c->env->unchecked &&
        !wrong_count(k, node, first, &only)) { /* evaluation will say what does not fit */
        node->overload = first;
        node->several = true;
        node->type = TYPE(DYN);
        return;
    }
    if (any_broken(node) && !k->c->env->unchecked) {
        node->type = TYPE(DYN);
        node->kind = NODE_BROKEN;
        return;
    }
    refuse_call(k, node, first);
}
