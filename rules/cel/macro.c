/* Macros: calls that are not calls. Each is a row of the table below and a function that builds what it
 * stands for (langdef.md "Macros"; the extensions bindings, optionals and two-variable comprehensions). */
#include "cel/ast.h"

struct macro {
    const char *space; /* "cel" of cel.bind; NULL: a method; "": a function */
    const char *name;
    size_t least, most; /* arguments, the target not counted */
    size_t names;       /* the first so many are plain names */
    struct node *(*expand)(struct compile *c, struct node *call, const struct macro *macro);
    enum loop_kind loop;
    const char *form; /* for messages and the manual; NULL: the row before has it */
    const char *prose;
};

struct local *local_new(struct compile *c, str name)
{
    struct local *local = ARENA_NEW(c->scratch, struct local);
    if (!local) {
        c->failed = true;
        return &c->nowhere;
    }
    local->name = name;
    return local;
}

struct node *node_name(struct compile *c, struct local *meaning, struct span span)
{
    struct node *node = node_new(c, NODE_NAME, span);
    node->name = meaning->name;
    node->local = meaning;
    return node;
}

static struct node *expand_has(struct compile *c, struct node *call, const struct macro *macro)
{
    (void)macro;
    struct node *whole = call->children[0], *field = whole;
    while (field->kind == NODE_SHORTHAND)
        field = field->children[0];
    if (field->kind == NODE_BROKEN) return field;
    if (field->kind != NODE_SELECT) {
        mistake(c, call->span, STR("write has(a.b)"), "has() asks for a field");
        return node_new(c, NODE_BROKEN, call->span);
    }
    field->test = true;
    whole->span = call->span;
    return whole;
}

/* list.loop(x, body), list.loop(i, x, body), and with a condition before the body. */
static struct node *expand_loop(struct compile *c, struct node *call, const struct macro *macro)
{
    struct node **argument = call->children + 1;
    size_t count = call->count - 1, names = macro->names;
    struct node *node = node_new(c, NODE_LOOP, call->span);
    node->name = call->name;
    node->name_span = call->name_span;
    node->loop = macro->loop;
    node->local = local_new(c, argument[0]->name);
    if (names == 2) node->local2 = local_new(c, argument[1]->name);
    if (names == 2 && str_equal(argument[0]->name, argument[1]->name))
        mistake(c, argument[1]->span, (str){0}, "the two names of '%s' must differ", macro->name);
    node_add(c, node, call->children[0]);
    node_add(c, node, count == names + 2 ? argument[names] : NULL);
    node_add(c, node, argument[count - 1]);
    return node;
}

/* list.filter(x, condition): the elements themselves. */
static struct node *expand_filter(struct compile *c, struct node *call, const struct macro *macro)
{
    struct node *node = expand_loop(c, call, macro);
    if (node->count != 3) return node;
    node->children[1] = node->children[2];
    node->children[2] = node_name(c, node->local, call->children[1]->span);
    return node;
}

static struct node *let_new(struct compile *c, struct local *local, struct span span, struct node *value,
                            struct node *body)
{
    struct node *node = node_new(c, NODE_LET, span);
    node->local = local;
    node->name = local->name;
    node_add(c, node, value);
    node_add(c, node, body);
    return node;
}

static struct node *expand_bind(struct compile *c, struct node *call, const struct macro *macro)
{
    (void)macro;
    return let_new(c, local_new(c, call->children[1]->name), call->span, call->children[2],
                   call->children[3]);
}

static struct node *space_call(struct compile *c, const char *space, const char *name, struct span span,
                               struct node *argument)
{
    struct node *target = node_new(c, NODE_NAME, span);
    target->name = str_of(space);
    return node_call(c, name, true, span, target, argument);
}

/* o.optMap(x, e): let o' = o in o'.hasValue() ? optional.of(let x = o'.value() in e) : optional.none().
 * optFlatMap leaves out the optional.of. */
static struct node *expand_opt_map(struct compile *c, struct node *call, const struct macro *macro)
{
    struct span span = call->span;
    struct local *held = local_new(c, STR("@held"));
    struct node *value = node_call(c, "value", true, span, node_name(c, held, span), NULL);
    struct node *body = let_new(c, local_new(c, call->children[1]->name), span, value, call->children[2]);
    if (strcmp(macro->name, "optMap") == 0) body = space_call(c, "optional", "of", span, body);
    struct node *choice = node_new(c, NODE_IF, span);
    node_add(c, choice, node_call(c, "hasValue", true, call->name_span, node_name(c, held, span), NULL));
    node_add(c, choice, body);
    node_add(c, choice, space_call(c, "optional", "none", span, NULL));
    return let_new(c, held, span, call->children[0], choice);
}

/* math.greatest(a, b, c…) is math.greatest([a, b, c…]); with one or two arguments it stays a call. */
static struct node *expand_extreme(struct compile *c, struct node *call, const struct macro *macro)
{
    if (call->count <= 3) return NULL;
    struct node *list = node_new(c, NODE_LIST, call->span);
    for (size_t i = 1; i < call->count; i++)
        node_add(c, list, call->children[i]);
    return node_call(c, macro->name, true, call->span, call->children[0], list);
}

/* coalesce(a, b, …): the checker and the emitter know it, for the others are looked at only where one is not there. */
static struct node *expand_coalesce(struct compile *c, struct node *call, const struct macro *macro)
{
    (void)macro;
    struct node *node = node_new(c, NODE_COALESCE, call->span);
    node->name_span = call->name_span;
    for (size_t i = 0; i < call->count; i++)
        node_add(c, node, call->children[i]);
    return node;
}

/* list.sortBy(x, key): let l = list in l.sortByKeys(l.map(x, key)). */
static struct node *expand_sort_by(struct compile *c, struct node *call, const struct macro *macro)
{
    struct span span = call->span;
    struct local *held = local_new(c, STR("@held"));
    struct node *list = call->children[0];
    call->children[0] = node_name(c, held, list->span);
    struct node *keys = expand_loop(c, call, macro);
    return let_new(c, held, span, list,
                   node_call(c, "@sortByKeys", true, span, node_name(c, held, list->span), keys));
}

static const struct macro macros[] = {
    {"", "has", 1, 1, 0, expand_has, 0, "has(a.b)", "True when the field is there, or the map has the key."},
    {"", "coalesce", 2, 1000, 0, expand_coalesce, 0, "coalesce(a, b)",
     "The first of two or more that is there; an optional counts as what it holds."},
    {NULL, "all", 2, 2, 1, expand_loop, LOOP_ALL, "list.all(x, condition) or list.all(i, x, condition)",
     "True when the condition holds for every element; of a map x is the key, or i the key and x the value."},
    {NULL, "all", 3, 3, 2, expand_loop, LOOP_ALL, NULL, NULL},
    {NULL, "exists", 2, 2, 1, expand_loop, LOOP_EXISTS,
     "list.exists(x, condition) or list.exists(i, x, condition)",
     "True when the condition holds for an element."},
    {NULL, "exists", 3, 3, 2, expand_loop, LOOP_EXISTS, NULL, NULL},
    {NULL, "exists_one", 2, 2, 1, expand_loop, LOOP_ONE,
     "list.exists_one(x, condition) or list.exists_one(i, x, condition)",
     "True when the condition holds for exactly one element."},
    {NULL, "exists_one", 3, 3, 2, expand_loop, LOOP_ONE, NULL, NULL},
    {NULL, "existsOne", 2, 2, 1, expand_loop, LOOP_ONE,
     "list.existsOne(x, condition) or list.existsOne(i, x, condition)", "The same, by its newer name."},
    {NULL, "existsOne", 3, 3, 2, expand_loop, LOOP_ONE, NULL, NULL},
    {NULL, "map", 2, 3, 1, expand_loop, LOOP_LIST, "list.map(x, value) or list.map(x, condition, value)",
     "A list of what the elements become; of those alone for which the condition holds."},
    {NULL, "filter", 2, 2, 1, expand_filter, LOOP_LIST, "list.filter(x, condition)",
     "The elements for which the condition holds."},
    {NULL, "transformList", 3, 4, 2, expand_loop, LOOP_LIST,
     "list.transformList(i, x, value) or list.transformList(i, x, condition, value)",
     "As map, with each element's place; of a map its keys and values."},
    {NULL, "transformMap", 3, 4, 2, expand_loop, LOOP_MAP,
     "map.transformMap(k, v, value) or map.transformMap(k, v, condition, value)",
     "A map with the same keys and other values."},
    {NULL, "transformMapEntry", 3, 4, 2, expand_loop, LOOP_MAP_ENTRY,
     "map.transformMapEntry(k, v, {key: value}) or map.transformMapEntry(k, v, condition, {key: value})",
     "A map of other keys and values; an error when two keys are the same."},
    {NULL, "optMap", 2, 2, 1, expand_opt_map, 0, "optional.optMap(x, value)",
     "An optional of what its value becomes; none when it holds none."},
    {NULL, "optFlatMap", 2, 2, 1, expand_opt_map, 0, "optional.optFlatMap(x, optional)",
     "The same where the result is an optional itself."},
    {NULL, "sortBy", 2, 2, 1, expand_sort_by, LOOP_LIST, "list.sortBy(x, key)",
     "The elements in ascending order of a key; equal ones stay in place."},
    {"cel", "bind", 3, 3, 1, expand_bind, 0, "cel.bind(name, value, expression)",
     "The expression, in which the name stands for the value, computed once."},
    {"math", "greatest", 3, 1000, 0, expand_extreme, 0, NULL, NULL},
    {"math", "least", 3, 1000, 0, expand_extreme, 0, NULL, NULL},
};

bool macro_row(size_t *at, const char **form, const char **prose)
{
    while (*at < sizeof macros / sizeof macros[0]) {
        const struct macro *macro = &macros[(*at)++];
        if (!macro->form) continue;
        *form = macro->form;
        *prose = macro->prose;
        return true;
    }
    return false;
}

str macro_method(size_t *at)
{
    while (*at < sizeof macros / sizeof macros[0]) {
        const struct macro *macro = &macros[(*at)++];
        if (!macro->space && macro->names) return str_of(macro->name);
    }
    return (str){0};
}

bool macro_is_named(str name)
{
    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++) {
        const char *space = macros[i].space;
        if (space && str_equal(name, str_of(*space ? space : macros[i].name))) return true;
    }
    return false;
}

static bool macro_fits(const struct macro *macro, const struct node *call)
{
    if (!str_equal(call->name, str_of(macro->name))) return false;
    if (!macro->space) return call->method;
    if (!*macro->space) return !call->method;
    return call->method && call->children[0]->kind == NODE_NAME &&
           str_equal(call->children[0]->name, str_of(macro->space));
}

static struct node *refuse(struct compile *c, struct node *call, const char *form)
{
    mistake(c, call->name_span, arena_format(c->scratch, "write %s", form), "'%.*s' is not used like this",
            STR_ARG(call->name));
    return node_new(c, NODE_BROKEN, call->span);
}

/* A name that stands for an expression cannot stand for an element, too; true: that is reported. */
static bool names_taken(struct compile *c, const struct macro *macro, const struct node *call)
{
    for (size_t i = 0; i < macro->names; i++) {
        const struct node *name = call->children[i + 1];
        if (name->kind != NODE_SHORTHAND || name->grouped) continue;
        mistake(c, name->span, STR("choose another name"),
                "'%.*s' stands for an expression: nothing else can have this name here", STR_ARG(name->name));
        return true;
    }
    return false;
}

static bool names_plain(const struct macro *macro, const struct node *call)
{
    for (size_t i = 0; i < macro->names; i++) {
        const struct node *name = call->children[i + 1];
        if (name->kind != NODE_NAME || name->grouped || name->name.data[0] == '.') return false;
    }
    return true;
}

struct node *macro_expand(struct compile *c, struct node *call)
{
    const char *form = NULL;
    if (c->failed || call->kind != NODE_CALL) return NULL;
    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++) {
        const struct macro *macro = &macros[i];
        if (!macro_fits(macro, call)) continue;
        if (macro->form) form = macro->form;
        size_t count = call->count - call->method;
        if (count < macro->least || count > macro->most) continue;
        if (names_taken(c, macro, call)) return node_new(c, NODE_BROKEN, call->span);
        if (!names_plain(macro, call)) return refuse(c, call, form);
        return macro->expand(c, call, macro);
    }
    return form ? refuse(c, call, form) : NULL;
}
