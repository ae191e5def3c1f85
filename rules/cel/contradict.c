/* Contradictions between two conditions, as far as they show in how they are written. */
#include "cel/ast.h"

struct contradiction {
    str rename, as; /* of names in the first condition */
    size_t *work;   /* nodes that may still be compared */
};

static bool same_name(const struct contradiction *c, str a, str b)
{
    return str_equal(str_equal(a, c->rename) ? c->as : a, b);
}

static bool same_constant(const struct cel_value *a, const struct cel_value *b)
{
    return a->kind == b->kind && cel_equal(*a, *b);
}

/* Are two trees written alike? Macros are gone from them; loops and lets are not looked into. */
static bool same(const struct contradiction *c, const struct node *a, const struct node *b)
{
    if (*c->work == 0) return false;
    --*c->work;
    if (a->kind != b->kind || a->count != b->count || a->test != b->test || a->optional != b->optional ||
        a->marked != b->marked)
        return false;
    switch (a->kind) {
    case NODE_BROKEN:
    case NODE_LOOP:
    case NODE_LET:
    case NODE_SHORTHAND: return false;
    case NODE_CONSTANT: return same_constant(&a->value, &b->value);
    case NODE_NAME: return same_name(c, a->name, b->name);
    case NODE_SELECT:
    case NODE_CALL:
        if (!str_equal(a->name, b->name) || a->method != b->method) return false;
        break;
    case NODE_LIST:
    case NODE_MAP:
    case NODE_AND:
    case NODE_OR:
    case NODE_COALESCE:
    case NODE_IF: break;
    }
    for (size_t i = 0; i < a->count; i++)
        if (!same(c, a->children[i], b->children[i])) return false;
    return true;
}

/* ---- comparisons */

enum { LESS = 1, EQUAL = 2, GREATER = 4 };

/* What a comparison allows between its sides; 0: it is none. */
static unsigned relation(const struct node *node)
{
    static const struct {
        str sign;
        unsigned allowed;
    } relations[] = {{STR("=="), EQUAL},  {STR("!="), LESS | GREATER}, {STR("<"), LESS},
                     {STR(">"), GREATER}, {STR("<="), LESS | EQUAL},   {STR(">="), GREATER | EQUAL}};
    if (node->kind != NODE_CALL || node->method || node->count != 2) return 0;
    for (size_t i = 0; i < sizeof relations / sizeof *relations; i++)
        if (str_equal(node->name, relations[i].sign)) return relations[i].allowed;
    return 0;
}

static int order(const struct cel_value *a, const struct cel_value *b)
{
    switch (a->kind) {
    case CEL_INT: return a->as.i < b->as.i ? -1 : a->as.i > b->as.i;
    case CEL_UINT: return a->as.u < b->as.u ? -1 : a->as.u > b->as.u;
    case CEL_DOUBLE: return a->as.d < b->as.d ? -1 : a->as.d > b->as.d;
    default: return str_compare(cel_text(*a), cel_text(*b));
    }
}

static bool has_order(const struct node *node)
{
    if (node->kind != NODE_CONSTANT) return false;
    uint8_t kind = node->value.kind;
    return kind == CEL_INT || kind == CEL_UINT || kind == CEL_DOUBLE || kind == CEL_STRING;
}

/* x OP a beside x OP b. */
static bool ranges_apart(const struct node *a, unsigned to_a, const struct node *b, unsigned to_b)
{
    if (!has_order(a) || !has_order(b) || a->value.kind != b->value.kind) return false;
    int ordered = order(&a->value, &b->value);
    if (ordered < 0) return !(to_a & GREATER) && !(to_b & LESS);
    if (ordered > 0) return !(to_a & LESS) && !(to_b & GREATER);
    return !(to_a & to_b);
}

static bool comparisons_contradict(const struct contradiction *c, const struct node *a, const struct node *b)
{
    unsigned allowed_a = relation(a), allowed_b = relation(b);
    if (!allowed_a || !allowed_b || !same(c, a->children[0], b->children[0])) return false;
    if (same(c, a->children[1], b->children[1])) return !(allowed_a & allowed_b);
    return ranges_apart(a->children[1], allowed_a, b->children[1], allowed_b);
}

/* ---- the whole */

static bool is_not(const struct node *node)
{
    return node->kind == NODE_CALL && node->count == 1 && str_equal(node->name, STR("!"));
}

static bool terms_contradict(const struct contradiction *c, const struct node *a, const struct node *b)
{
    if (*c->work == 0) return false;
    --*c->work;
    if (a->kind == NODE_AND) {
        for (size_t i = 0; i < a->count; i++)
            if (terms_contradict(c, a->children[i], b)) return true;
        return false;
    }
    if (b->kind == NODE_AND) {
        for (size_t i = 0; i < b->count; i++)
            if (terms_contradict(c, a, b->children[i])) return true;
        return false;
    }
    if (is_not(a) && same(c, a->children[0], b)) return true;
    if (is_not(b) && same(c, a, b->children[0])) return true;
    return comparisons_contradict(c, a, b);
}

static struct node *parse(struct arena *scratch, str text, bool *failed)
{
    struct diagnostics diag;
    diag_init(&diag, scratch);
    struct compile c = {.keep = scratch, .scratch = scratch, .text = text, .diag = &diag};
    struct node *root = parse_expression(&c);
    *failed |= c.failed || diag.failed;
    return *failed || diag.error_count ? NULL : root;
}

bool cel_contradicts(struct arena *scratch, str one, str other, str rename, str as, size_t *work,
                     bool *failed)
{
    const struct contradiction c = {rename, as, work};
    const struct node *a = parse(scratch, one, failed), *b = parse(scratch, other, failed);
    return a && b && terms_contradict(&c, a, b);
}
