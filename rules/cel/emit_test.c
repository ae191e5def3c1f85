/* Conditions as fused tests: `slot op constant`, has(slot), a bool slot, and &&, ||, ! over them.
 *
 * Each test is one instruction that jumps. Nothing is pushed, no error is made: where a slot is absent or of
 * another kind, the test leaves for the same condition in full, which follows; evaluating it again from its
 * beginning is harmless, since expressions have no effects. */
#include "cel/emit.h"

struct test {
    uint16_t op; /* the "if" form; OPCODE_COUNT: none */
    bool flip;   /* the condition is the opposite */
    uint32_t slot;
    const struct cel_value *constant;
};

/* Operators by the kind of the slot: the test to use, and whether it says the opposite. */
static const struct test_row {
    const char *name;
    uint16_t string_op, int_op, double_op;
    bool flip_int, flip; /* ints are in order, NaN is not: only ints may turn a < b into !(a >= b) */
} rows[] = {
    {"==", OP_IF_EQUAL_STRING, OP_IF_EQUAL_INT, OP_IF_EQUAL_DOUBLE, false, false},
    {"!=", OP_IF_EQUAL_STRING, OP_IF_EQUAL_INT, OP_IF_EQUAL_DOUBLE, true, true},
    {"<", OPCODE_COUNT, OP_IF_LESS_INT, OP_IF_LESS_DOUBLE, false, false},
    {">", OPCODE_COUNT, OP_IF_GREATER_INT, OP_IF_GREATER_DOUBLE, false, false},
    {"<=", OPCODE_COUNT, OP_IF_GREATER_INT, OP_IF_LESS_EQUAL_DOUBLE, true, false},
    {">=", OPCODE_COUNT, OP_IF_LESS_INT, OP_IF_GREATER_EQUAL_DOUBLE, true, false},
};

static bool is_slot(const struct node *node)
{
    bool value = node->test || !node->optional; /* not an optional made of it */
    return (node->kind == NODE_NAME || node->kind == NODE_SELECT) && node->place == PLACE_SLOT && value;
}

static struct test none(void)
{
    return (struct test){.op = OPCODE_COUNT};
}

/* 100 < x is x > 100. */
static str mirrored(str name)
{
    static const char *const pairs[][2] = {{"<", ">"}, {">", "<"}, {"<=", ">="}, {">=", "<="}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (str_equal(name, str_of(pairs[i][0]))) return str_of(pairs[i][1]);
    return name;
}

static struct test compare_test(const struct node *node)
{
    const struct node *slot = node->children[0], *constant = node->children[1];
    str name = node->name;
    if (!is_slot(slot)) {
        const struct node *swap = slot;
        slot = constant;
        constant = swap;
        name = mirrored(name);
    }
    if (!is_slot(slot) || slot->test || constant->kind != NODE_CONSTANT) return none();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct test_row *row = &rows[i];
        if (!str_equal(name, str_of(row->name))) continue;
        struct test test = {
            .op = OPCODE_COUNT, .flip = row->flip, .slot = slot->number, .constant = &constant->value};
        if (slot->type->kind == CEL_TYPE_STRING && constant->value.kind == CEL_STRING)
            test.op = row->string_op;
        if (slot->type->kind == CEL_TYPE_DOUBLE && constant->value.kind == CEL_DOUBLE)
            test.op = row->double_op;
        if (slot->type->kind == CEL_TYPE_INT && constant->value.kind == CEL_INT) {
            test.op = row->int_op;
            test.flip = row->flip_int;
        }
        return test;
    }
    return none();
}

static struct test call_test(const struct node *node)
{
    if (node->count != 2 || node->several) return none();
    const struct node *a = node->children[0], *b = node->children[1];
    if (node->overload->body == string_starts_with && is_slot(a) && !a->test &&
        a->type->kind == CEL_TYPE_STRING && b->kind == NODE_CONSTANT && b->value.kind == CEL_STRING)
        return (struct test){.op = OP_IF_STARTS_WITH, .slot = a->number, .constant = &b->value};
    return node->overload->style == FUNC_OPERATOR ? compare_test(node) : none();
}

static bool all_strings(struct cel_value list)
{
    for (size_t i = 0; i < list.as.list->count; i++)
        if (list.as.list->items[i].kind != CEL_STRING) return false;
    return true;
}

static struct test in_test(const struct node *node)
{
    const struct node *a = node->children[0], *b = node->children[1];
    if (!is_slot(a) || a->test || a->type->kind != CEL_TYPE_STRING || b->kind != NODE_CONSTANT ||
        b->value.kind != CEL_LIST)
        return none();
    if (!all_strings(b->value)) return none();
    return (struct test){.op = OP_IF_IN_TABLE, .slot = a->number, .constant = &b->value};
}

static struct test leaf_test(const struct node *node)
{
    if (is_slot(node) && node->test) return (struct test){.op = OP_IF_HAS, .slot = node->number};
    if (is_slot(node) && node->type->kind == CEL_TYPE_BOOL)
        return (struct test){.op = OP_IF_TRUE, .slot = node->number};
    if (node->kind != NODE_CALL) return none();
    return str_equal(node->name, STR("in")) && node->overload->style == FUNC_OPERATOR ? in_test(node)
                                                                                      : call_test(node);
}

static bool is_not(const struct node *node)
{
    return node->kind == NODE_CALL && node->overload->body == op_not;
}

static bool testable(const struct node *node)
{
    if (is_not(node)) return testable(node->children[0]);
    if (node->kind != NODE_AND && node->kind != NODE_OR) return leaf_test(node).op != OPCODE_COUNT;
    for (size_t i = 0; i < node->count; i++)
        if (!testable(node->children[i])) return false;
    return true;
}

static size_t node_count(const struct node *node)
{
    size_t count = 1;
    for (size_t i = 0; i < node->count; i++)
        count += node_count(node->children[i]);
    return count;
}

enum { TESTS_MAX = 4096 /* nodes of one condition: the way out is at most 65,535 instructions ahead */ };

bool test_possible(const struct emit *e, const struct node *node)
{
    return !e->plain && testable(node) && node_count(node) <= TESTS_MAX;
}

static void leaf_emit(struct emit *e, const struct node *node, bool sense, struct label *label)
{
    struct test test = leaf_test(node);
    uint32_t operand = 0;
    if (test.op == OP_IF_IN_TABLE)
        operand = emit_table(e, *test.constant);
    else if (test.constant)
        operand = emit_constant(e, *test.constant);
    uint16_t op = (uint16_t)(test.op + (sense == test.flip)); /* the "unless" form follows the "if" form */
    emit_jump(e, op, test.slot, operand, label);
}

void test_emit(struct emit *e, const struct node *node, bool sense, struct label *label)
{
    if (is_not(node)) return test_emit(e, node->children[0], !sense, label);
    if (node->kind != NODE_AND && node->kind != NODE_OR) return leaf_emit(e, node, sense, label);
    bool decisive = node->kind == NODE_OR; /* of one child for the whole */
    struct label decided = {NO_LABEL};
    for (size_t i = 0; i < node->count; i++) {
        bool last = i + 1 == node->count;
        if (sense == decisive || last)
            test_emit(e, node->children[i], sense, label);
        else
            test_emit(e, node->children[i], decisive, &decided);
    }
    emit_label(e, &decided);
}

void test_way_out(struct emit *e, uint32_t begin)
{
    uint32_t here = emit_here(e);
    for (uint32_t at = begin; at < here; at++) {
        struct insn *i = emit_at(e, at);
        if (i->op >= OP_TEST_FIRST && i->op <= OP_TEST_LAST) i->n = (uint16_t)(here - at);
    }
}

/* Tests fail without a word, and where one is false the rest is of no account. What is no test may call the host, or say why
 * it fails: what stands behind it is for evaluation alone. */
bool test_needs(struct emit *e, const struct node *node)
{
    if (node->kind == NODE_AND) {
        for (size_t i = 0; i < node->count; i++)
            if (!test_needs(e, node->children[i])) return false;
        return true;
    }
    if (!test_possible(e, node)) return false;
    if (is_not(node) || node->kind == NODE_OR) return true;
    struct test test = leaf_test(node);
    struct emit_need need = {.slot = test.slot, .table = NO_TABLE};
    if (test.op == OP_IF_IN_TABLE)
        need.table = emit_table(e, *test.constant);
    else if ((test.op == OP_IF_EQUAL_STRING || test.op == OP_IF_EQUAL_INT) && !test.flip)
        need.constant = emit_constant(e, *test.constant);
    else
        return true;
    emit_add(e, &e->needs, &need, sizeof need);
    return true;
}
