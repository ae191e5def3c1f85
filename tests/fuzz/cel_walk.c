/* Written from langdef.md, rule by rule, as directly as C allows; speed is no concern here. */
#include "cel_walk.h"

#include "cel/ast.h"
#include "cel/env.h"

#include <math.h>
#include <stdio.h>

struct walk_name {
    struct walk_name *outer;
    str name;
    struct cel_value value;
};

static struct cel_value walk(struct walk *w, const struct node *node);

static struct cel_value error(void)
{
    return (struct cel_value){.kind = CEL_ERROR};
}

/* What was asked for is not there. */
static struct cel_value missing(void)
{
    return (struct cel_value){.kind = CEL_ERROR, .code = CEL_ERROR_NO_FIELD};
}

static bool is_error(struct cel_value v)
{
    return v.kind == CEL_ERROR;
}

static bool is_bool(struct cel_value v, bool b)
{
    return v.kind == CEL_BOOL && v.as.b == b;
}

static bool named(const struct node *node, const char *name)
{
    return str_equal(node->name, str_of(name));
}

/* ---- equality ("Equality and Ordering") */

static bool equal(struct cel_value a, struct cel_value b)
{
    if (a.kind != b.kind) return false;
    switch (a.kind) {
    case CEL_BOOL: return a.as.b == b.as.b;
    case CEL_INT: return a.as.i == b.as.i;
    case CEL_DOUBLE: return a.as.d == b.as.d;
    case CEL_STRING: return a.size == b.size && (a.size == 0 || memcmp(a.as.s, b.as.s, a.size) == 0);
    case CEL_LIST:
        if (a.as.list->count != b.as.list->count) return false;
        for (size_t i = 0; i < a.as.list->count; i++)
            if (!equal(a.as.list->items[i], b.as.list->items[i])) return false;
        return true;
    default: return false;
    }
}

bool walk_same(struct cel_value a, struct cel_value b)
{
    if (is_error(a) || is_error(b)) return is_error(a) && is_error(b);
    if (a.kind == CEL_DOUBLE && b.kind == CEL_DOUBLE && isnan(a.as.d)) return isnan(b.as.d);
    return equal(a, b);
}

/* -1, 0, 1; 2 where there is no order */
static int order(struct cel_value a, struct cel_value b)
{
    if (a.kind != b.kind) return 2;
    if (a.kind == CEL_INT) return a.as.i < b.as.i ? -1 : a.as.i > b.as.i;
    if (a.kind == CEL_DOUBLE) return a.as.d < b.as.d ? -1 : a.as.d > b.as.d ? 1 : a.as.d == b.as.d ? 0 : 3;
    if (a.kind == CEL_BOOL) return (int)a.as.b - (int)b.as.b;
    if (a.kind != CEL_STRING) return 2;
    for (size_t i = 0; i < a.size && i < b.size; i++)
        if (a.as.s[i] != b.as.s[i]) return (unsigned char)a.as.s[i] < (unsigned char)b.as.s[i] ? -1 : 1;
    return a.size < b.size ? -1 : a.size > b.size;
}

static struct cel_value compare(const struct node *node, struct cel_value a, struct cel_value b)
{
    if (named(node, "==")) return cel_bool(equal(a, b));
    if (named(node, "!=")) return cel_bool(!equal(a, b));
    int o = order(a, b);
    if (o == 2) return error();
    if (o == 3) return cel_bool(false); /* a NaN */
    if (named(node, "<")) return cel_bool(o < 0);
    if (named(node, "<=")) return cel_bool(o <= 0);
    if (named(node, ">")) return cel_bool(o > 0);
    return cel_bool(o >= 0);
}

/* ---- arithmetic ("Overflow": an error, never a wrapped result) */

static struct cel_value int_or_error(__int128 exact)
{
    return exact < INT64_MIN || exact > INT64_MAX ? error() : cel_int((int64_t)exact);
}

static struct cel_value add(struct walk *w, struct cel_value a, struct cel_value b)
{
    if (a.kind != b.kind) return error();
    if (a.kind == CEL_INT) return int_or_error((__int128)a.as.i + b.as.i);
    if (a.kind == CEL_DOUBLE) return cel_double(a.as.d + b.as.d);
    if (a.kind == CEL_STRING) {
        char *text = arena_alloc(w->arena, (size_t)a.size + b.size + 1);
        for (size_t i = 0; i < a.size; i++)
            text[i] = a.as.s[i];
        for (size_t i = 0; i < b.size; i++)
            text[a.size + i] = b.as.s[i];
        return cel_string((str){text, (size_t)a.size + b.size});
    }
    if (a.kind != CEL_LIST) return error();
    size_t count = a.as.list->count + b.as.list->count;
    struct cel_list *list = arena_alloc(w->arena, sizeof *list + count * sizeof list->items[0]);
    list->count = 0;
    for (size_t i = 0; i < a.as.list->count; i++)
        list->items[list->count++] = a.as.list->items[i];
    for (size_t i = 0; i < b.as.list->count; i++)
        list->items[list->count++] = b.as.list->items[i];
    return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}

static struct cel_value arithmetic(struct walk *w, const struct node *node, struct cel_value a,
                                   struct cel_value b)
{
    if (named(node, "+")) return add(w, a, b);
    if (a.kind != b.kind) return error();
    if (a.kind == CEL_DOUBLE) {
        if (named(node, "-")) return cel_double(a.as.d - b.as.d);
        if (named(node, "*")) return cel_double(a.as.d * b.as.d);
        if (named(node, "/")) return cel_double(a.as.d / b.as.d);
    }
    if (a.kind != CEL_INT) return error();
    if (named(node, "-")) return int_or_error((__int128)a.as.i - b.as.i);
    if (named(node, "*")) return int_or_error((__int128)a.as.i * b.as.i);
    if (b.as.i == 0) return error();
    if (named(node, "/")) return int_or_error((__int128)a.as.i / b.as.i);
    if (a.as.i == INT64_MIN && b.as.i == -1) return error();
    return cel_int(a.as.i % b.as.i);
}

/* ---- functions */

static int64_t points(struct cel_value text, size_t bytes)
{
    int64_t count = 0;
    for (size_t i = 0; i < bytes; i++)
        count += ((unsigned char)text.as.s[i] & 0xC0) != 0x80;
    return count;
}

static int64_t find(struct cel_value text, struct cel_value part)
{
    for (size_t at = 0; at + part.size <= text.size; at++)
        if (part.size == 0 || memcmp(text.as.s + at, part.as.s, part.size) == 0) return (int64_t)at;
    return -1;
}

static struct cel_value substring(struct cel_value text, struct cel_value from)
{
    if (from.as.i < 0 || from.as.i > points(text, text.size)) return error();
    size_t at = 0;
    while (points(text, at) < from.as.i || (at < text.size && ((unsigned char)text.as.s[at] & 0xC0) == 0x80))
        at++;
    return cel_string((str){text.as.s + at, text.size - at});
}

static struct cel_value text_value(struct walk *w, struct cel_value v)
{
    char *text = arena_alloc(w->arena, 32);
    if (v.kind == CEL_BOOL) return cel_string(str_of(v.as.b ? "true" : "false"));
    snprintf(text, 32, "%lld", (long long)v.as.i);
    return cel_string(str_of(text));
}

static struct cel_value upper(struct walk *w, struct cel_value v)
{
    char *text = arena_alloc(w->arena, v.size + 1);
    for (size_t i = 0; i < v.size; i++)
        text[i] = v.as.s[i] >= 'a' && v.as.s[i] <= 'z' ? (char)(v.as.s[i] - 32) : v.as.s[i];
    return cel_string((str){text, v.size});
}

static struct cel_value sum(struct walk *w, struct cel_value list)
{
    struct cel_value total = cel_int(0);
    for (size_t i = 0; i < list.as.list->count && !is_error(total); i++)
        total = add(w, total, list.as.list->items[i]);
    return total;
}

static struct cel_value take(struct walk *w, struct cel_value list, struct cel_value count)
{
    if (count.as.i < 0) return error();
    struct cel_list *first =
        arena_alloc(w->arena, sizeof *first + list.as.list->count * sizeof *first->items);
    first->count = 0;
    for (size_t i = 0; i < list.as.list->count && (int64_t)i < count.as.i; i++)
        first->items[first->count++] = list.as.list->items[i];
    return (struct cel_value){.kind = CEL_LIST, .as.list = first};
}

static struct cel_value element(struct cel_value container, struct cel_value key)
{
    if (container.kind == CEL_LIST) {
        bool inside = key.as.i >= 0 && (uint64_t)key.as.i < container.as.list->count;
        return inside ? container.as.list->items[key.as.i] : missing();
    }
    for (size_t i = 0; i < container.as.map->count; i++)
        if (equal(container.as.map->entries[i].key, key)) return container.as.map->entries[i].value;
    return missing();
}

static bool member(struct cel_value v, struct cel_value list)
{
    for (size_t i = 0; i < list.as.list->count; i++)
        if (equal(list.as.list->items[i], v)) return true;
    return false;
}

static struct cel_value call(struct walk *w, const struct node *node, const struct cel_value *a)
{
    if (named(node, "!")) return a->kind == CEL_BOOL ? cel_bool(!a->as.b) : error();
    if (named(node, "-_"))
        return a->kind == CEL_DOUBLE ? cel_double(-a->as.d) : int_or_error(-(__int128)a->as.i);
    if (named(node, "size"))
        return cel_int(a->kind == CEL_LIST ? (int64_t)a->as.list->count : points(*a, a->size));
    if (named(node, "[]")) return element(a[0], a[1]);
    if (named(node, "in")) return cel_bool(member(a[0], a[1]));
    if (named(node, "sum")) return sum(w, *a);
    if (named(node, "take")) return take(w, a[0], a[1]);
    if (named(node, "startsWith"))
        return cel_bool(
            a[1].size <= a[0].size &&
            find((struct cel_value){.kind = CEL_STRING, .size = a[1].size, .as.s = a[0].as.s}, a[1]) == 0);
    if (named(node, "contains")) return cel_bool(find(a[0], a[1]) >= 0);
    if (named(node, "indexOf"))
        return cel_int(find(a[0], a[1]) < 0 ? -1 : points(a[0], (size_t)find(a[0], a[1])));
    if (named(node, "substring")) return substring(a[0], a[1]);
    if (named(node, "upperAscii")) return upper(w, *a);
    if (named(node, "string")) return text_value(w, *a);
    if (named(node, "double")) return cel_double((double)a->as.i);
    if (named(node, "int"))
        return a->as.d > -0x1p63 && a->as.d < 0x1p63 ? cel_int((int64_t)a->as.d) : error();
    static const char *const arithmetics = "+-*/%";
    if (node->name.size == 1 && strchr(arithmetics, node->name.data[0]))
        return arithmetic(w, node, a[0], a[1]);
    return compare(node, a[0], a[1]);
}

/* ---- names */

static struct cel_value variable(struct walk *w, str name, bool test)
{
    for (size_t i = 0; i < w->count; i++)
        if (str_equal(w->names(w->context, i), name)) {
            bool there = w->values[i].kind != CEL_ABSENT;
            if (test) return cel_bool(there);
            return there ? w->values[i] : missing();
        }
    return error();
}

static struct cel_value name(struct walk *w, const struct node *node)
{
    for (struct walk_name *bound = w->scope; bound; bound = bound->outer)
        if (str_equal(bound->name, node->name)) return bound->value;
    return variable(w, node->name, false);
}

static struct cel_value selection(struct walk *w, const struct node *node)
{
    str front = node->children[0]->name;
    return variable(w, arena_format(w->arena, "%.*s.%.*s", STR_ARG(front), STR_ARG(node->name)), node->test);
}

/* ---- logic ("Logical Operators"): an operand that decides wins over an error on the other side */

static struct cel_value logic(struct walk *w, const struct node *node, bool decisive)
{
    struct cel_value result = cel_bool(!decisive);
    for (size_t i = 0; i < node->count; i++) {
        struct cel_value v = walk(w, node->children[i]);
        if (is_bool(v, decisive)) return v;
        if (v.kind != CEL_BOOL && !is_error(result)) result = v;
    }
    return result;
}

/* ---- loops ("Macros") */

static struct cel_value quantifier(struct walk *w, const struct node *node, const struct cel_list *list,
                                   bool decisive)
{
    struct cel_value result = cel_bool(!decisive);
    for (size_t i = 0; i < list->count; i++) {
        w->scope->value = list->items[i];
        struct cel_value v = walk(w, node->children[2]);
        if (is_bool(v, decisive)) return v;
        if (v.kind != CEL_BOOL && !is_error(result)) result = v;
    }
    return result;
}

static struct cel_value exactly_one(struct walk *w, const struct node *node, const struct cel_list *list)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        w->scope->value = list->items[i];
        struct cel_value v = walk(w, node->children[2]);
        if (v.kind != CEL_BOOL) return v;
        count += v.as.b;
    }
    return cel_bool(count == 1);
}

static struct cel_value collected(struct walk *w, const struct node *node, const struct cel_list *from)
{
    struct cel_list *list = arena_alloc(w->arena, sizeof *list + from->count * sizeof list->items[0]);
    list->count = 0;
    for (size_t i = 0; i < from->count; i++) {
        w->scope->value = from->items[i];
        struct cel_value keep = node->children[1] ? walk(w, node->children[1]) : cel_bool(true);
        if (keep.kind != CEL_BOOL) return keep;
        if (!keep.as.b) continue;
        struct cel_value v = walk(w, node->children[2]);
        if (is_error(v)) return v;
        list->items[list->count++] = v;
    }
    return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}

static struct cel_value loop(struct walk *w, const struct node *node)
{
    struct cel_value range = walk(w, node->children[0]);
    if (range.kind != CEL_LIST) return range;
    struct walk_name bound = {w->scope, node->local->name, {0}};
    w->scope = &bound;
    struct cel_value result;
    switch (node->loop) {
    case LOOP_ALL: result = quantifier(w, node, range.as.list, false); break;
    case LOOP_EXISTS: result = quantifier(w, node, range.as.list, true); break;
    case LOOP_ONE: result = exactly_one(w, node, range.as.list); break;
    default: result = collected(w, node, range.as.list); break;
    }
    w->scope = bound.outer;
    return result;
}

static struct cel_value let(struct walk *w, const struct node *node)
{
    struct walk_name bound = {w->scope, node->local->name, walk(w, node->children[0])};
    w->scope = &bound;
    struct cel_value v = walk(w, node->children[1]);
    w->scope = bound.outer;
    return v;
}

/* ---- the rest */

static struct cel_value list(struct walk *w, const struct node *node)
{
    struct cel_list *made = arena_alloc(w->arena, sizeof *made + node->count * sizeof made->items[0]);
    made->count = node->count;
    for (size_t i = 0; i < node->count; i++)
        if (is_error(made->items[i] = walk(w, node->children[i]))) return made->items[i];
    return (struct cel_value){.kind = CEL_LIST, .as.list = made};
}

static struct cel_value map(struct walk *w, const struct node *node)
{
    struct cel_map *made = cel_map_new(w->arena, node->count);
    made->count = 0;
    for (size_t i = 0; i < node->count; i += 2) {
        struct cel_value key = walk(w, node->children[i]), value = walk(w, node->children[i + 1]);
        if (is_error(key) || is_error(value)) return is_error(key) ? key : value;
        for (size_t k = 0; k < made->count; k++)
            if (equal(made->entries[k].key, key)) return error();
        made->entries[made->count++] = (struct cel_entry){key, value};
    }
    return (struct cel_value){.kind = CEL_MAP, .as.map = made};
}

/* The first that is there; whatever is wrong otherwise than by not being there is wrong. */
static struct cel_value coalesce(struct walk *w, const struct node *node)
{
    struct cel_value v = missing();
    for (size_t i = 0; i < node->count && cel_is_missing(v); i++)
        v = walk(w, node->children[i]);
    return v;
}

static struct cel_value walk(struct walk *w, const struct node *node)
{
    switch (node->kind) {
    case NODE_CONSTANT: return node->value;
    case NODE_NAME: return name(w, node);
    case NODE_SELECT: return selection(w, node);
    case NODE_LIST: return list(w, node);
    case NODE_MAP: return map(w, node);
    case NODE_AND: return logic(w, node, false);
    case NODE_OR: return logic(w, node, true);
    case NODE_LOOP: return loop(w, node);
    case NODE_LET: return let(w, node);
    case NODE_COALESCE: return coalesce(w, node);
    case NODE_IF: {
        struct cel_value condition = walk(w, node->children[0]);
        return condition.kind == CEL_BOOL ? walk(w, node->children[condition.as.b ? 1 : 2]) : condition;
    }
    case NODE_CALL: {
        struct cel_value arguments[4];
        for (size_t i = 0; i < node->count && i < 4; i++)
            if (is_error(arguments[i] = walk(w, node->children[i]))) return arguments[i];
        return call(w, node, arguments);
    }
    default: return error();
    }
}

struct cel_value walk_text(struct walk *w, str text)
{
    struct diagnostics diag;
    diag_init(&diag, w->arena);
    struct cel_env env = {.arena = w->arena};
    struct compile c = {.keep = w->arena, .scratch = w->arena, .env = &env, .text = text, .diag = &diag};
    return walk(w, parse_expression(&c));
}
