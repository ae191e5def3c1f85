/* A tree of the operators over programs of what they join; going down it follows the language: what && || and ?: do not
 * need is not asked, an error is carried on as long as nothing decides. */
#include "cel/parts.h"

#include "cel/code.h"

struct branch {          /* a node of the tree */
    enum node_kind kind; /* NODE_AND, NODE_OR, NODE_IF; NODE_CALL: !; NODE_CONSTANT: a part */
    struct branch *children;
    size_t count;
    size_t part; /* its number */
    const struct cel_program *program;
};

struct cel_parts {
    struct branch root;
    struct cel_part *list; /* count + 1: behind them stands one for constants, which nobody counts */
    size_t count, capacity;
};

/* ---- making */

static bool is_operator(const struct node *node)
{
    bool not = node->kind == NODE_CALL && node->count == 1 && str_equal(node->name, STR("!"));
    return not || node->kind == NODE_AND || node->kind == NODE_OR || node->kind == NODE_IF;
}

static size_t parts_below(const struct node *node)
{
    if (!is_operator(node)) return node->kind != NODE_CONSTANT;
    size_t count = 0;
    for (size_t i = 0; i < node->count; i++)
        count += parts_below(node->children[i]);
    return count;
}

static void make_branch(struct compile *c, struct cel_parts *parts, struct node *node, struct branch *out);

static void make_part(struct compile *c, struct cel_parts *parts, struct node *node, struct branch *out)
{
    *out = (struct branch){.kind = NODE_CONSTANT, .part = parts->capacity, .program = compile_node(c, node)};
    if (node->kind == NODE_CONSTANT) return;
    out->part = parts->count++;
    if (!arena_copy_str(c->keep, node_text(c, node), &parts->list[out->part].text)) c->failed = true;
}

static void make_operator(struct compile *c, struct cel_parts *parts, struct node *node, struct branch *out)
{
    *out = (struct branch){.kind = node->kind, .children = ARENA_ARRAY(c->keep, struct branch, node->count)};
    c->failed |= !out->children;
    for (; out->count < node->count && !c->failed; out->count++)
        make_branch(c, parts, node->children[out->count], &out->children[out->count]);
}

static void make_branch(struct compile *c, struct cel_parts *parts, struct node *node, struct branch *out)
{
    if (is_operator(node))
        make_operator(c, parts, node, out);
    else
        make_part(c, parts, node, out);
}

struct cel_parts *cel_parts_new(struct arena *keep, struct arena *scratch, const struct cel_env *env,
                                str text)
{
    struct diagnostics diag;
    diag_init(&diag, scratch);
    struct compile c = {.keep = keep, .scratch = scratch, .env = env, .text = text, .diag = &diag};
    struct cel_parts *parts = ARENA_NEW(keep, struct cel_parts);
    struct node *root = compile_tree(&c);
    if (!parts || !root) return NULL;
    parts->capacity = parts_below(root);
    parts->list = ARENA_ARRAY(keep, struct cel_part, parts->capacity + 1);
    if (!parts->list) return NULL;
    make_branch(&c, parts, root, &parts->root);
    return c.failed ? NULL : parts;
}

/* ---- asking */

static enum cel_outcome ask(struct cel_parts *parts, const struct branch *branch, struct cel_frame *frame);

static enum cel_outcome ask_part(struct cel_parts *parts, const struct branch *branch,
                                 struct cel_frame *frame)
{
    struct cel_value value = cel_eval(branch->program, frame);
    enum cel_outcome outcome = value.kind != CEL_BOOL ? CEL_HAS_FAILED
                               : value.as.b           ? CEL_WAS_TRUE
                                                      : CEL_WAS_FALSE;
    parts->list[branch->part].outcomes |= outcome;
    return outcome;
}

static enum cel_outcome opposite(enum cel_outcome outcome)
{
    if (outcome == CEL_HAS_FAILED) return outcome;
    return outcome == CEL_WAS_TRUE ? CEL_WAS_FALSE : CEL_WAS_TRUE;
}

/* Up to the first that decides. */
static enum cel_outcome ask_all(struct cel_parts *parts, const struct branch *branch, struct cel_frame *frame,
                                enum cel_outcome decisive)
{
    enum cel_outcome sum = opposite(decisive);
    for (size_t i = 0; i < branch->count; i++) {
        enum cel_outcome outcome = ask(parts, &branch->children[i], frame);
        if (outcome == decisive) return decisive;
        if (outcome == CEL_HAS_FAILED) sum = CEL_HAS_FAILED;
    }
    return sum;
}

static enum cel_outcome ask(struct cel_parts *parts, const struct branch *branch, struct cel_frame *frame)
{
    enum cel_outcome first;
    switch (branch->kind) {
    case NODE_AND: return ask_all(parts, branch, frame, CEL_WAS_FALSE);
    case NODE_OR: return ask_all(parts, branch, frame, CEL_WAS_TRUE);
    case NODE_CALL: return opposite(ask(parts, branch->children, frame));
    case NODE_IF:
        first = ask(parts, branch->children, frame);
        if (first == CEL_HAS_FAILED) return first;
        return ask(parts, &branch->children[first == CEL_WAS_TRUE ? 1 : 2], frame);
    default: return ask_part(parts, branch, frame);
    }
}

enum cel_outcome cel_parts_ask(struct cel_parts *parts, struct cel_frame *frame)
{
    return ask(parts, &parts->root, frame);
}

size_t cel_parts_list(const struct cel_parts *parts, const struct cel_part **list)
{
    *list = parts->list;
    return parts->count;
}
