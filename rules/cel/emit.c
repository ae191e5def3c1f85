/* Tree to program.
 *
 * Every node leaves exactly one value on the stack. Constants are interned; what a condition can do without
 * the stack is left to emit_test.c. */
#include "cel/emit.h"

#include "base/ensure.h"
#include "base/limits.h"

/* ---- the program under construction */

static struct insn nowhere; /* stands in for an instruction without memory; never run */

uint32_t emit_add(struct emit *e, struct pool *pool, const void *item, size_t size)
{
    if (pool->count == pool->capacity) {
        uint32_t capacity = pool->capacity ? pool->capacity * 2 : 16;
        void *items = arena_alloc(e->c->scratch, capacity * size);
        if (!items) {
            e->c->failed = true;
            return 0;
        }
        if (pool->count) memcpy(items, pool->items, pool->count * size);
        pool->items = items;
        pool->capacity = capacity;
    }
    memcpy((char *)pool->items + pool->count * size, item, size);
    return pool->count++;
}

uint32_t emit(struct emit *e, enum opcode op, uint32_t a, uint32_t b, uint32_t c)
{
    struct insn insn = {.op = (uint16_t)op, .a = a, .b = b, .c = c};
    return emit_add(e, &e->code, &insn, sizeof insn);
}

struct insn *emit_at(struct emit *e, uint32_t at)
{
    return at < e->code.count ? (struct insn *)e->code.items + at : &nowhere;
}

uint32_t emit_here(const struct emit *e)
{
    return e->code.count;
}

void emit_jump(struct emit *e, enum opcode op, uint32_t a, uint32_t b, struct label *label)
{
    uint32_t at = emit(e, op, a, b, label->last);
    label->last = at;
}

void emit_label(struct emit *e, struct label *label)
{
    for (uint32_t at = label->last; at != NO_LABEL && !e->c->failed;) {
        struct insn *i = emit_at(e, at);
        at = i->c;
        i->c = emit_here(e);
    }
    label->last = NO_LABEL;
}

/* Equal in every bit that can be seen: 1 is not 1u, 0.0 is not -0.0. */
static bool same_constant(struct cel_value a, struct cel_value b)
{
    if (a.kind != b.kind) return false;
    switch (a.kind) {
    case CEL_STRING:
    case CEL_BYTES: return str_equal(cel_text(a), cel_text(b));
    case CEL_NULL: return true;
    case CEL_BOOL: return a.as.b == b.as.b;
    case CEL_DURATION:
    case CEL_TIMESTAMP: return a.as.i == b.as.i && a.nanos == b.nanos;
    default: return a.as.u == b.as.u; /* numbers by their bits, the rest by identity */
    }
}

uint32_t emit_constant(struct emit *e, struct cel_value v)
{
    const struct cel_value *constants = e->constants.items;
    enum { LOOK_BACK = 64 };
    uint32_t first = e->constants.count > LOOK_BACK ? e->constants.count - LOOK_BACK : 0;
    for (uint32_t i = first; i < e->constants.count; i++)
        if (same_constant(constants[i], v)) return i;
    return emit_add(e, &e->constants, &v, sizeof v);
}

uint32_t emit_text(struct emit *e, str s)
{
    return emit_constant(e, cel_string(s));
}

/* A list that stands in the expression is as long as that at most. One that is kept elsewhere may be in the tables of
 * any number of programs: then all of them together pay for it. */
static bool emit_affords_table(struct emit *e, struct cel_value list)
{
    struct cel_budget *budget = e->c->env->budget;
    size_t bytes = list.as.list->count * 4 * sizeof(struct table_place);
    if (list.spare != CEL_KEPT || !budget) return true;
    if (bytes > budget->bytes) return false;
    budget->bytes -= bytes;
    return true;
}

uint32_t emit_table(struct emit *e, struct cel_value list)
{
    for (uint32_t i = 0; i < e->tables.count; i++)
        if (((struct table *)e->tables.items)[i].list.as.list == list.as.list) return i;
    struct table table = {.list = list};
    return emit_add(e, &e->tables, &table, sizeof table);
}

static void emit_push(struct emit *e, enum opcode op, uint32_t a, uint32_t b, uint32_t c)
{
    emit(e, op, a, b, c);
    e->depth++;
}

/* ---- names and selections */

static void emit_fail(struct emit *e, str message)
{
    emit_push(e, OP_FAIL, emit_text(e, message.size ? message : STR("a mistake in the expression")),
              CEL_ERROR_NO_OVERLOAD, 0);
}

static str last_part(str name)
{
    size_t at = name.size;
    while (at && name.data[at - 1] != '.')
        at--;
    return str_slice(name, at, name.size);
}

static void emit_slot(struct emit *e, const struct node *node)
{
    if (node->test)
        emit_push(e, OP_HAS_SLOT, node->number, 0, 0);
    else if (node->optional)
        emit_push(e, OP_LOAD_OPTIONAL, node->number, 0, 0);
    else
        emit_push(e, OP_LOAD, node->number, emit_text(e, last_part(node->name)), 0);
}

static void emit_record(struct emit *e, const struct node *node)
{
    const struct declaration *d = node->declared;
    struct whole_record whole = {.type = d->type->record, .slots = d->slots, .presence = d->presence};
    emit_push(e, OP_RECORD, emit_add(e, &e->records, &whole, sizeof whole), 0, 0);
}

static void emit_select(struct emit *e, struct node *node)
{
    struct node *operand = node->children[0];
    uint32_t name = emit_text(e, node->name);
    bool field = node->place == PLACE_FIELD;
    if (field && !node->test && operand->kind == NODE_NAME && operand->place == PLACE_LOCAL)
        return emit_push(e, OP_LOCAL_FIELD, operand->local->depth, node->number, name);
    emit_value(e, operand);
    if (field)
        emit(e, node->test ? OP_HAS_FIELD : OP_FIELD, 0, node->number, name);
    else
        emit(e, node->test ? OP_HAS : node->optional ? OP_SELECT_OPTIONAL : OP_SELECT, name, 0, 0);
}

static void emit_name(struct emit *e, struct node *node)
{
    switch (node->place) {
    case PLACE_SLOT: emit_slot(e, node); break;
    case PLACE_LOCAL: emit_push(e, OP_LOCAL, node->local->depth, 0, 0); break;
    case PLACE_RECORD: emit_record(e, node); break;
    case PLACE_PRESENCE: emit_push(e, OP_PRESENT, node->number, 0, 0); break;
    default: emit_select(e, node); break;
    }
}

/* ---- logic */

/* A condition made of tests: true or false, in full where a test finds something unexpected. */
static void emit_tested(struct emit *e, struct node *node)
{
    uint32_t begin = emit_here(e);
    struct label no = {NO_LABEL}, end = {NO_LABEL};
    test_emit(e, node, false, &no);
    emit(e, OP_CONSTANT, emit_constant(e, cel_bool(true)), 0, 0);
    emit_jump(e, OP_JUMP, 0, 0, &end);
    emit_label(e, &no);
    emit(e, OP_CONSTANT, emit_constant(e, cel_bool(false)), 0, 0);
    emit_jump(e, OP_JUMP, 0, 0, &end);
    test_way_out(e, begin);
    e->plain = true;
    emit_value(e, node);
    e->plain = false;
    emit_label(e, &end);
}

static void emit_logic(struct emit *e, struct node *node)
{
    bool all = node->kind == NODE_AND;
    struct label end = {NO_LABEL};
    emit_value(e, node->children[0]);
    for (size_t i = 1; i < node->count; i++) {
        emit_jump(e, all ? OP_AND_JUMP : OP_OR_JUMP, 0, 0, &end);
        emit_value(e, node->children[i]);
        emit(e, all ? OP_AND : OP_OR, 0, 0, 0);
        e->depth--;
    }
    emit_label(e, &end);
}

static void emit_if(struct emit *e, struct node *node)
{
    struct node *condition = node->children[0];
    struct label no = {NO_LABEL}, yes = {NO_LABEL}, end = {NO_LABEL};
    if (test_possible(e, condition)) {
        uint32_t begin = emit_here(e);
        test_emit(e, condition, false, &no);
        emit_jump(e, OP_JUMP, 0, 0, &yes);
        test_way_out(e, begin);
        e->plain = true;
        emit_value(e, condition);
        e->plain = false;
    } else {
        emit_value(e, condition);
    }
    uint32_t branch = emit_here(e);
    emit_jump(e, OP_BRANCH, 0, 0, &end);
    e->depth--;
    emit_label(e, &yes);
    emit_value(e, node->children[1]);
    emit_jump(e, OP_JUMP, 0, 0, &end);
    e->depth--;
    emit_at(e, branch)->b = emit_here(e);
    emit_label(e, &no);
    emit_value(e, node->children[2]);
    emit_label(e, &end);
}

/* ---- calls */

static const struct operator_row {
    func_body *body;
    enum opcode op;
} operators[] = {
    {op_add, OP_ADD},
    {op_subtract, OP_SUBTRACT},
    {op_multiply, OP_MULTIPLY},
    {op_divide, OP_DIVIDE},
    {op_modulo, OP_MODULO},
    {op_equal, OP_EQUAL},
    {op_unequal, OP_UNEQUAL},
    {op_less, OP_LESS},
    {op_less_equal, OP_LESS_EQUAL},
    {op_greater, OP_GREATER},
    {op_greater_equal, OP_GREATER_EQUAL},
    {op_in, OP_IN},
    {op_index, OP_INDEX},
    {op_index_optional, OP_INDEX_OPTIONAL},
    {op_not, OP_NOT},
    {op_negate, OP_NEGATE},
};

static void emit_concat(struct emit *e, uint32_t count)
{
    if (count < 2) return;
    emit_at(e, emit(e, OP_CONCAT, 0, 0, 0))->n = (uint16_t)count;
    e->depth -= count - 1;
}

static bool is_text_sum(const struct node *node)
{
    return node->kind == NODE_CALL && node->overload->body == op_add && !node->several &&
           node->overload->result->kind == CEL_TYPE_STRING;
}

enum { CONCAT_MAX = 16 /* texts on the stack at once */ };

/* a + b + c of texts: joined once, at the end. Returns how many values it left on the stack. */
static uint32_t emit_texts(struct emit *e, struct node *node)
{
    if (!is_text_sum(node)) {
        emit_value(e, node);
        return 1;
    }
    uint32_t count = emit_texts(e, node->children[0]);
    emit_value(e, node->children[1]);
    if (++count < CONCAT_MAX) return count;
    emit_concat(e, count);
    return 1;
}

static void emit_operator(struct emit *e, struct node *node)
{
    if (is_text_sum(node)) return emit_concat(e, emit_texts(e, node));
    struct node *last = node->children[node->count - 1];
    bool table = node->overload->body == op_in && last->kind == NODE_CONSTANT &&
                 last->value.kind == CEL_LIST && emit_affords_table(e, last->value);
    emit_value(e, node->children[0]);
    if (table) {
        emit(e, OP_IN_TABLE, emit_table(e, last->value), 0, 0);
        return;
    }
    if (node->count == 2) emit_value(e, last);
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (operators[i].body == node->overload->body) emit(e, operators[i].op, 0, 0, 0);
    e->depth -= (uint32_t)node->count - 1;
}

static struct callee callee_of(const struct overload *o)
{
    struct callee callee = {.body = o->body, .number = o->number, .count = (uint32_t)o->count};
    for (size_t i = 0; i < o->count; i++)
        callee.kinds[i] = type_kinds(o->parameters[i]);
    return callee;
}

static uint32_t emit_site(struct emit *e, const struct node *node)
{
    struct pool callees = {0};
    const struct overload *o = node->overload;
    do {
        struct callee callee = callee_of(o);
        emit_add(e, &callees, &callee, sizeof callee);
        o = node->several ? overload_after(e->c, o) : NULL;
    } while (o);
    struct call_site site = {.name = overload_name(node->overload), .count = callees.count};
    site.callees = arena_copy(e->c->keep, callees.items, callees.count * sizeof(struct callee));
    if (!site.callees || !arena_copy_str(e->c->keep, site.name, &site.name)) e->c->failed = true;
    return emit_add(e, &e->sites, &site, sizeof site);
}

/* A literal pattern is compiled now. One that is too large is refused; one that is none fails when it is evaluated,
 * like any other. */
static bool emit_match(struct emit *e, struct node *node)
{
    struct node *pattern = node->children[1];
    if (pattern->kind != NODE_CONSTANT || pattern->value.kind != CEL_STRING) return false;
    char error[128] = "";
    bool large;
    struct cel_budget *budget = e->c->env->budget;
    if (budget && !budget->patterns) {
        mistake(e->c, pattern->span, (str){0},
                "all patterns of a rule set together have at most %u instructions", LIMIT_PATTERNS);
        return false;
    }
    struct regex *regex = regex_new(pattern->value.as.s, pattern->value.size, &large, error, sizeof error);
    size_t instructions = large ? LIMIT_CEL_REGEX_PROGRAM : regex ? regex_size(regex) : 0;
    if (budget) budget->patterns -= instructions < budget->patterns ? instructions : budget->patterns;
    if (large)
        mistake(e->c, pattern->span, STR("shorter repetitions make it smaller"),
                "this pattern is too large: %s", error);
    if (large) return false;
    if (!regex) {
        caution(e->c, pattern->span, (str){0}, "this is not a valid RE2 pattern: %s", error);
        return false;
    }
    if (!arena_defer(e->c->keep, (void (*)(void *))regex_free, regex)) {
        regex_free(regex);
        e->c->failed = true;
        return false;
    }
    emit_value(e, node->children[0]);
    emit(e, OP_MATCH, emit_add(e, &e->regexes, &regex, sizeof regex), 0, 0);
    return true;
}

/* o.or(p), o.orValue(x): the other side only where it is needed. */
static bool emit_otherwise(struct emit *e, struct node *node)
{
    if (node->overload->body != optional_or && node->overload->body != optional_or_value) return false;
    struct label end = {NO_LABEL};
    emit_value(e, node->children[0]);
    emit_jump(e, OP_VALUE_JUMP, node->overload->body == optional_or_value, 0, &end);
    emit_value(e, node->children[1]);
    emit_at(e, emit(e, OP_CALL, emit_site(e, node), 0, 0))->n = 2;
    e->depth--;
    emit_label(e, &end);
    return true;
}

/* What a function of the host takes only as it is written down. */
static void check_written(struct emit *e, const struct node *node)
{
    const struct overload *o = node->overload;
    if (o->body || !o->take || !node->count) return;
    const struct node *argument = node->children[0];
    bool written = argument->kind == NODE_CONSTANT && argument->value.kind == CEL_STRING;
    if (!written || !o->take(o->take_context, cel_text(argument->value)))
        mistake(e->c, argument->span, (str){0}, "%.*s() takes %s", STR_ARG(overload_name(o)), o->wanted);
}

static void emit_call(struct emit *e, struct node *node)
{
    check_written(e, node);
    if (node->overload->style == FUNC_OPERATOR) return emit_operator(e, node);
    if (node->overload->body == string_matches && emit_match(e, node)) return;
    if (emit_otherwise(e, node)) return;
    for (size_t i = 0; i < node->count; i++)
        emit_value(e, node->children[i]);
    emit_at(e, emit(e, OP_CALL, emit_site(e, node), 0, 0))->n = (uint16_t)node->count;
    e->depth = e->depth - (uint32_t)node->count + 1;
}

/* ---- lists, maps, loops */

static void emit_list(struct emit *e, struct node *node)
{
    emit_push(e, OP_LIST, (uint32_t)node->count, 0, 0);
    for (size_t i = 0; i < node->count; i++) {
        emit_value(e, node->children[i]);
        emit(e, node->children[i]->marked ? OP_APPEND_OPTIONAL : OP_APPEND, 0, 0, 0);
        e->depth--;
    }
    emit(e, OP_SEAL, 0, 0, 0);
}

static void emit_map(struct emit *e, struct node *node)
{
    emit_push(e, OP_MAP, (uint32_t)(node->count / 2), 0, 0);
    for (size_t i = 0; i < node->count; i += 2) {
        emit_value(e, node->children[i]);
        emit_value(e, node->children[i + 1]);
        emit(e, node->children[i]->marked ? OP_PUT_OPTIONAL : OP_PUT, 0, 0, 0);
        e->depth -= 2;
    }
    emit(e, OP_SEAL, 0, 0, 0);
}

static void emit_loop(struct emit *e, struct node *node)
{
    static const enum opcode collectors[] = {
        [LOOP_ALL] = OP_ALL,      [LOOP_EXISTS] = OP_EXISTS,     [LOOP_ONE] = OP_ONE,
        [LOOP_LIST] = OP_COLLECT, [LOOP_MAP] = OP_COLLECT_ENTRY, [LOOP_MAP_ENTRY] = OP_COLLECT_MAP,
    };
    struct label failed = {NO_LABEL}, done = {NO_LABEL};
    uint32_t base = e->depth, names = node->local2 ? 2 : 1;
    emit_value(e, node->children[0]);
    uint32_t loop = emit_here(e);
    emit_jump(e, OP_LOOP, 0, node->loop, &failed);
    emit_at(e, loop)->n = (uint16_t)names;
    e->depth = base + 3 + names;
    node->local->depth = base + 3;
    if (node->local2) node->local2->depth = base + 4;
    uint32_t next = emit_here(e);
    emit_jump(e, OP_NEXT, base, 0, &done);
    emit_at(e, next)->n = (uint16_t)names;
    if (node->children[1]) {
        emit_value(e, node->children[1]);
        emit_jump(e, OP_KEEP, base, next, &done);
        e->depth--;
    }
    emit_value(e, node->children[2]);
    emit_jump(e, collectors[node->loop], base, next, &done);
    emit_at(e, next)->b = emit_here(e) - next; /* what a round costs */
    emit_label(e, &done);
    emit(e, OP_DONE, base, node->loop, 0);
    emit_label(e, &failed);
    e->depth = base + 1;
}

/* An optional at the end that is empty leaves nothing to take. */
static void emit_coalesce(struct emit *e, struct node *node)
{
    uint32_t base = e->depth;
    struct label there = {NO_LABEL};
    for (size_t i = 0; i < node->count; i++) {
        const struct node *child = node->children[i];
        bool last = i + 1 == node->count, may_be_empty = child->type->kind == CEL_TYPE_OPTIONAL;
        emit_value(e, node->children[i]);
        if (last && !may_be_empty) break;
        emit_jump(e, OP_THERE_JUMP, 0, 0, &there);
        e->depth = base;
        if (last)
            emit_push(e, OP_FAIL, emit_text(e, STR("coalesce: none of them is there")), CEL_ERROR_NO_FIELD,
                      0);
    }
    emit_label(e, &there);
    e->depth = base + 1;
}

static void emit_let(struct emit *e, struct node *node)
{
    uint32_t base = e->depth;
    emit_value(e, node->children[0]);
    node->local->depth = base;
    emit_value(e, node->children[1]);
    emit(e, OP_SLIDE, base, 0, 0);
    e->depth = base + 1;
}

void emit_value(struct emit *e, struct node *node)
{
    if (e->c->failed) return;
    if (test_possible(e, node)) {
        uint32_t depth = e->depth;
        emit_tested(e, node);
        e->depth = depth + 1;
        return;
    }
    switch (node->kind) {
    case NODE_SHORTHAND: /* none is left: the checker has put in what it stands for */
    case NODE_BROKEN: emit_fail(e, node->name); break;
    case NODE_CONSTANT: emit_push(e, OP_CONSTANT, emit_constant(e, node->value), 0, 0); break;
    case NODE_NAME:
    case NODE_SELECT: emit_name(e, node); break;
    case NODE_CALL: emit_call(e, node); break;
    case NODE_LIST: emit_list(e, node); break;
    case NODE_MAP: emit_map(e, node); break;
    case NODE_AND:
    case NODE_OR: emit_logic(e, node); break;
    case NODE_COALESCE: emit_coalesce(e, node); break;
    case NODE_IF: emit_if(e, node); break;
    case NODE_LOOP: emit_loop(e, node); break;
    case NODE_LET: emit_let(e, node); break;
    }
}

/* ---- from pools to the program that stays */

/* A whole expression of tests returns at once. */
static void emit_root(struct emit *e, struct node *root)
{
    if (!test_possible(e, root)) {
        emit_value(e, root);
        emit(e, OP_RETURN, 0, 0, 0);
        return;
    }
    uint32_t begin = emit_here(e);
    struct label no = {NO_LABEL};
    test_emit(e, root, false, &no);
    emit(e, OP_RETURN_TRUE, 0, 0, 0);
    emit_label(e, &no);
    emit(e, OP_RETURN_FALSE, 0, 0, 0);
    test_way_out(e, begin);
    e->plain = true;
    emit_value(e, root);
    emit(e, OP_RETURN, 0, 0, 0);
}

static void *kept(struct emit *e, const struct pool *pool, size_t size)
{
    void *copy = arena_copy(e->c->keep, pool->items, pool->count * size);
    if (!copy) e->c->failed = true;
    return copy;
}

static uint32_t *keep_numbers(struct emit *e, const struct numbers *numbers)
{
    uint32_t *copy = arena_copy(e->c->keep, numbers->items, numbers->count * sizeof *copy);
    if (!copy) e->c->failed = true;
    return copy;
}

static void keep_constants(struct emit *e, struct cel_value *constants, uint32_t count)
{
    for (uint32_t i = 0; i < count && !e->c->failed; i++)
        if (!cel_value_copy(e->c->keep, &constants[i])) e->c->failed = true;
}

static bool table_hash(struct emit *e, struct table *table)
{
    const struct cel_list *list = table->list.as.list;
    uint32_t size = 4;
    while (size < list->count * 2)
        size *= 2;
    struct table_place *places = ARENA_ARRAY(e->c->keep, struct table_place, size);
    if (!places) return false;
    table->mask = size - 1;
    table->places = places;
    for (size_t i = 0; i < list->count; i++) {
        str s = cel_text(list->items[i]);
        struct text_ends ends = text_ends(s);
        uint32_t at = text_hash(ends, s.size) & table->mask;
        while (places[at].text.data)
            at = (at + 1) & table->mask;
        places[at] = (struct table_place){ends, s};
    }
    return true;
}

/* Equal constants need no second place. */
static bool table_index(struct emit *e, struct table *table)
{
    const struct cel_list *list = table->list.as.list;
    struct machine m = {.rest = INT64_MAX};
    table->index = value_index_new(e->c->keep, list->count);
    for (size_t i = 0; table->index && i < list->count; i++) {
        uint32_t *place = value_index_place(&m, table->index, list->items, 1, list->items[i]);
        if (!*place) *place = (uint32_t)i + 1;
    }
    return table->index;
}

static void keep_tables(struct emit *e, struct table *tables, uint32_t count)
{
    for (uint32_t i = 0; i < count && !e->c->failed; i++) {
        struct table *table = &tables[i];
        if (!cel_value_copy(e->c->keep, &table->list)) e->c->failed = true;
        if (e->c->failed) return;
        const struct cel_list *list = table->list.as.list;
        table->strings = list->count > 0;
        for (size_t k = 0; k < list->count; k++)
            table->strings &= list->items[k].kind == CEL_STRING;
        if (table->strings && !table_hash(e, table)) e->c->failed = true;
        if (!table->strings && list->count > INDEX_FROM && !table_index(e, table)) e->c->failed = true;
    }
}

static void keep_records(struct emit *e, struct whole_record *records, uint32_t count)
{
    for (uint32_t i = 0; i < count && !e->c->failed; i++) {
        records[i].slots =
            arena_copy(e->c->keep, records[i].slots, records[i].type->field_count * sizeof(uint32_t));
        if (!records[i].slots) e->c->failed = true;
    }
}

/* The values are those of the program's constants and tables. */
static const struct cel_need *keep_needs(struct emit *e, const struct cel_program *p)
{
    struct cel_need *needs = ARENA_ARRAY(e->c->keep, struct cel_need, p->need_count);
    if (!needs) e->c->failed = true;
    for (size_t i = 0; needs && i < p->need_count; i++) {
        struct emit_need need = ((const struct emit_need *)e->needs.items)[i];
        needs[i] = (struct cel_need){need.slot, &p->constants[need.constant], 1};
        if (need.table == NO_TABLE) continue;
        const struct cel_list *list = p->tables[need.table].list.as.list;
        needs[i].values = list->items;
        needs[i].count = list->count;
    }
    return needs;
}

struct cel_program *emit_program(struct compile *c, struct node *root)
{
    struct emit e = {.c = c};
    emit_root(&e, root);
    e.plain = false;
    test_needs(&e, root);
    struct cel_program *p = c->failed ? NULL : ARENA_NEW(c->keep, struct cel_program);
    if (!p) return NULL;
    struct cel_value *constants = kept(&e, &e.constants, sizeof *constants);
    struct table *tables = kept(&e, &e.tables, sizeof *tables);
    struct whole_record *records = kept(&e, &e.records, sizeof *records);
    *p = (struct cel_program){
        .code = kept(&e, &e.code, sizeof(struct insn)),
        .code_count = e.code.count,
        .constants = constants,
        .constant_count = e.constants.count,
        .sites = kept(&e, &e.sites, sizeof(struct call_site)),
        .site_count = e.sites.count,
        .tables = tables,
        .table_count = e.tables.count,
        .records = records,
        .record_count = e.records.count,
        .regexes = kept(&e, &e.regexes, sizeof(struct regex *)),
        .regex_count = e.regexes.count,
        .slots = keep_numbers(&e, &c->reads.slots),
        .slot_count = c->reads.slots.count,
        .functions = keep_numbers(&e, &c->reads.functions),
        .function_count = c->reads.functions.count,
        .need_count = e.needs.count,
        .type = cel_type_copy(c->keep, root->type),
        .zones = c->env->zones,
    };
    if (c->failed || !p->type) return NULL;
    keep_constants(&e, constants, p->constant_count);
    keep_tables(&e, tables, p->table_count);
    keep_records(&e, records, p->record_count);
    if (p->need_count) p->needs = keep_needs(&e, p);
    return c->failed ? NULL : p;
}
