/* Goes down through && || ! ?: to the parts that decided, and of each shows its operands: fields, attributes,
 * counts and other calls. Inside loops and bindings names have no value outside them, so those are shown whole. */
#include "cel/explaining.h"

enum { TEXT_MAX = 160 };

void cel_explain_text(str text, struct buffer *out)
{
    size_t size = text.size;
    if (size > TEXT_MAX)
        for (size = TEXT_MAX; size && ((unsigned char)text.data[size] & 0xC0) == 0x80;)
            size--;
    for (size_t i = 0; i < size; i++)
        buffer_put_char(out, (unsigned char)text.data[i] < 0x20 ? ' ' : text.data[i]);
    if (size < text.size) buffer_put_str(out, STR("..."));
}

void cel_explain_value(struct cel_value value, struct buffer *out)
{
    struct buffer json;
    buffer_init(&json, out->arena);
    bool printed = cel_print_json(value, &json) && !json.failed;
    cel_explain_text(printed ? buffer_str(&json) : STR("a value that JSON cannot show"), out);
}

static struct node *let_around(struct compile *c, const struct bound *bound, struct node *body)
{
    struct node *node = node_new(c, NODE_LET, body->span);
    node->local = bound->local;
    node->name = bound->local->name;
    node->type = body->type;
    node_add(c, node, bound->value);
    node_add(c, node, body);
    return node;
}

struct cel_value explaining_value(struct explaining *x, struct node *node)
{
    for (const struct bound *bound = x->bound; bound; bound = bound->outer)
        node = let_around(&x->c, bound, node);
    struct cel_program *program = x->c.failed ? NULL : compile_node(&x->c, node);
    return program ? cel_eval(program, x->frame) : cel_bool(false);
}

/* ---- operands */

static bool shown(struct explaining *x, str text)
{
    for (size_t i = 0; i < x->shown_count; i++)
        if (str_equal(x->shown[i], text)) return true;
    if (x->shown_count < SHOWN_MAX) x->shown[x->shown_count++] = text;
    return false;
}

static bool is_constant(const struct node *node)
{
    bool constant = node->kind == NODE_CONSTANT || node->kind == NODE_LIST || node->kind == NODE_MAP;
    for (size_t i = 0; i < node->count && constant && node->kind != NODE_CONSTANT; i++)
        constant = !node->children[i] || is_constant(node->children[i]);
    return constant;
}

/* Of a name that stands for an element, it is known which that is. */
static bool is_local(const struct node *node)
{
    return node->kind == NODE_NAME && node->place == PLACE_LOCAL;
}

static void explain_operand(struct explaining *x, struct node *node)
{
    if (!node || is_constant(node) || is_local(node) || shown(x, node_text(&x->c, node))) return;
    struct cel_value value = explaining_value(x, node);
    if (x->failing && value.kind == CEL_ERROR) return;
    buffer_put_str(x->out, x->operands++ ? STR(", ") : STR(" ("));
    cel_explain_text(node_text(&x->c, node), x->out);
    if (value.kind == CEL_ERROR) {
        buffer_put_format(x->out, " fails: %s", x->frame->error);
    } else {
        buffer_put_str(x->out, STR(" = "));
        cel_explain_value(value, x->out);
    }
    for (size_t i = 0; i < node->count && node->kind == NODE_CALL; i++)
        if (node->children[i]->kind != NODE_LOOP) explain_operand(x, node->children[i]);
}

/* What an operator or a function was given, and what that was made of; of a loop, what it ran over. */
static void explain_operands(struct explaining *x, struct node *node)
{
    size_t count = node->kind == NODE_CALL ? node->count : node->kind == NODE_LOOP ? 1 : 0;
    for (size_t i = 0; i < count; i++)
        explain_operand(x, node->children[i]);
}

/* ---- parts */

static void explain_part(struct explaining *x, struct node *node, struct cel_value value)
{
    if (node->kind == NODE_CONSTANT && x->parts) return; /* "and false is false" helps nobody */
    if (x->parts++) buffer_put_str(x->out, STR(", and "));
    cel_explain_text(node_text(&x->c, node), x->out);
    x->failing = value.kind == CEL_ERROR;
    if (x->failing)
        buffer_put_format(x->out, " fails: %s", x->frame->error);
    else
        buffer_put_str(x->out, value.kind != CEL_BOOL ? STR(" is no truth value")
                               : value.as.b           ? STR(" is true")
                                                      : STR(" is false"));
    x->operands = x->shown_count = 0;
    explain_operands(x, node);
    if (x->operands) buffer_put_str(x->out, STR(")"));
}

static bool is(struct cel_value value, bool wanted)
{
    return value.kind == CEL_BOOL && value.as.b == wanted;
}

void explaining_why(struct explaining *x, struct node *node, bool wanted)
{
    bool not = node->kind == NODE_CALL && node->count == 1 && str_equal(node->name, STR("!"));
    if (not ) {
        explaining_why(x, node->children[0], !wanted);
    } else if (node->kind == NODE_AND || node->kind == NODE_OR) {
        for (size_t i = 0; i < node->count; i++)
            if (!is(explaining_value(x, node->children[i]), wanted))
                explaining_why(x, node->children[i], wanted);
    } else if (node->kind == NODE_IF) {
        struct cel_value condition = explaining_value(x, node->children[0]);
        bool first = is(condition, true);
        explaining_why(x, node->children[0], !first);
        if (condition.kind == CEL_BOOL) explaining_why(x, node->children[first ? 1 : 2], wanted);
    } else {
        explain_part(x, node, explaining_value(x, node));
    }
}

bool cel_explain(struct arena *arena, const struct cel_env *env, str text, struct cel_frame *frame,
                 struct buffer *out)
{
    struct diagnostics diag;
    diag_init(&diag, arena);
    struct explaining x = {.c = {.keep = arena, .scratch = arena, .env = env, .text = text, .diag = &diag},
                           .frame = frame,
                           .out = out};
    struct node *root = compile_tree(&x.c);
    if (root) explaining_why(&x, root, true);
    return !x.c.failed && !diag.failed && !out->failed;
}
