/* The verifier: what code.h promises, proved from opcode.def before a program may run.
 *
 * One pass suffices: jumps go forward, except back to a NEXT that has been passed already, so whenever an
 * instruction is reached every way to it from above is known, and all of them must agree on the depth of the
 * stack and on what is under construction there. A NEXT pays at least as many steps as lie between it and any
 * jump back to it, and leaves behind all of them: the bound of steps bounds instructions.
 *
 * What is under construction (a list until its SEAL, a loop until its DONE) is touched by its own
 * instructions alone: nobody takes it, copies it or puts it into itself, so values are finite trees.
 *
 * An instruction that no way leads to is refused: the emitter makes none. */
#include "cel/code.h"

#include "base/limits.h"

#include <math.h>

enum operand { NONE, COUNT, CONSTANT, SLOT, STACK, SITE, TABLE, RECORD, REGEX, FIELD, JUMP, KEPT, BACK };

static const struct shape {
    uint8_t pops, pushes, a, b, c;
} shapes[OPCODE_COUNT] = {
#define OPCODE(name, text, pops, pushes, a, b, c) {pops, pushes, a, b, c},
#include "cel/opcode.def"
#undef OPCODE
};

/* A list, a map or a loop under construction: the values from `base` to before `top` are its own. */
struct open {
    const struct open *outer;
    int32_t base, top;
    uint16_t names; /* of a loop; 0: it is none */
};

/* What holds before an instruction. */
struct state {
    int32_t depth; /* of the stack; -1: not reached yet */
    const struct open *open;
};

struct verify {
    struct cel_program *program;
    struct arena *scratch;
    struct state *states;
    uint32_t slot_max, at;
    const char *why; /* NULL with a refusal: no memory */
};

static bool refuse(struct verify *v, const char *why)
{
    v->why = why;
    return false;
}

/* The target is reached in this state. */
static bool reach(struct verify *v, uint32_t target, struct state state)
{
    if (target >= v->program->code_count) return refuse(v, "a jump out of the program");
    if (target <= v->at) return refuse(v, "a jump backwards");
    struct state *known = &v->states[target];
    if (known->depth >= 0 && known->depth != state.depth) return refuse(v, "two depths at one place");
    if (known->depth >= 0 && known->open != state.open) return refuse(v, "a jump into or out of a loop");
    *known = state;
    return true;
}

/* Back to the NEXT of a loop, which pays for all that lies between. */
static bool reach_back(struct verify *v, uint32_t target, struct state state)
{
    if (target >= v->at || v->program->code[target].op != OP_NEXT) return refuse(v, "a jump backwards");
    const struct insn *next = &v->program->code[target];
    if (next->b < v->at - target) return refuse(v, "a round that costs too little");
    if (next->c <= v->at) return refuse(v, "a loop that ends inside itself");
    if (v->states[target].depth != state.depth) return refuse(v, "two depths at one place");
    return v->states[target].open == state.open || refuse(v, "a jump into or out of a loop");
}

static bool check_operand(struct verify *v, enum operand kind, uint32_t value, struct state before,
                          struct state after)
{
    const struct cel_program *p = v->program;
    switch (kind) {
    case CONSTANT: return value < p->constant_count || refuse(v, "no such constant");
    case SLOT: return value < v->slot_max || refuse(v, "no such slot");
    case STACK: return (int64_t)value < before.depth || refuse(v, "a place above the stack");
    case SITE: return value < p->site_count || refuse(v, "no such call");
    case TABLE: return value < p->table_count || refuse(v, "no such table");
    case RECORD: return value < p->record_count || refuse(v, "no such record");
    case REGEX: return value < p->regex_count || refuse(v, "no such pattern");
    case JUMP: return reach(v, value, after);
    case BACK: return reach_back(v, value, after);
    case KEPT: return reach(v, value, before);
    default: return true;
    }
}

/* Text operands: what the VM reads as a name or compares as a text must be one. */
static bool check_texts(struct verify *v, const struct insn *i, const struct shape *shape)
{
    const struct cel_value *constants = v->program->constants;
    bool named = i->op == OP_LOAD || i->op == OP_SELECT || i->op == OP_SELECT_OPTIONAL || i->op == OP_HAS ||
                 i->op == OP_FAIL || i->op == OP_LOCAL_FIELD || i->op == OP_FIELD || i->op == OP_HAS_FIELD ||
                 (i->op >= OP_IF_EQUAL_STRING && i->op <= OP_UNLESS_STARTS_WITH);
    if (!named) return true;
    uint32_t which = shape->a == CONSTANT ? i->a : shape->b == CONSTANT ? i->b : i->c;
    return constants[which].kind == CEL_STRING || refuse(v, "a name that is no text");
}

/* Pops and pushes that depend on the instruction; *after is the depth after it. */
static bool step_depth(struct verify *v, const struct insn *i, int32_t before, int32_t *after)
{
    const struct shape *shape = &shapes[i->op];
    int32_t pops = i->op == OP_CALL || i->op == OP_CONCAT ? i->n : shape->pops;
    if (pops > before) return refuse(v, "more values taken than there are");
    *after = before - pops + shape->pushes;
    if (i->op == OP_LOOP) *after += i->n;
    if (i->op == OP_DONE || i->op == OP_SLIDE) *after = (int32_t)i->a + 1;
    if ((i->op == OP_LOOP || i->op == OP_NEXT) && (i->n < 1 || i->n > 2))
        return refuse(v, "a loop of no names");
    if (i->op == OP_LOOP && i->b > LOOP_MAP_ENTRY) return refuse(v, "no such loop");
    if (*after > LIMIT_CEL_STACK) return refuse(v, "a stack too deep");
    return true;
}

static bool ends(const struct insn *i)
{
    return i->op == OP_RETURN || i->op == OP_RETURN_TRUE || i->op == OP_RETURN_FALSE || i->op == OP_JUMP ||
           (i->op >= OP_ALL && i->op <= OP_COLLECT_MAP);
}

/* Does something under construction own this place of the stack? A loop's names, its last places, are for all. */
static bool is_owned(const struct open *open, uint32_t place)
{
    for (; open; open = open->outer) {
        if ((int32_t)place >= open->base && (int32_t)place < open->top - open->names) return true;
    }
    return false;
}

static const struct open *open_new(struct verify *v, const struct open *outer, int32_t base, int32_t top,
                                   uint16_t names)
{
    struct open *open = ARENA_NEW(v->scratch, struct open);
    if (open) *open = (struct open){outer, base, top, names};
    return open;
}

/* What opens, continues or closes a construction; everything else stays above it. */
static bool step_open(struct verify *v, const struct insn *i, struct state before, struct state *after)
{
    const struct open *open = after->open = before.open;
    int32_t floor = open ? open->top : 0;
    bool in_loop = open && open->names, in_list = open && !open->names;
    switch (i->op) {
    case OP_LIST:
    case OP_MAP: after->open = open_new(v, open, before.depth, after->depth, 0); return after->open != NULL;
    case OP_APPEND:
    case OP_APPEND_OPTIONAL:
    case OP_PUT:
    case OP_PUT_OPTIONAL: return (in_list && after->depth == floor) || refuse(v, "nothing to put it into");
    case OP_SEAL:
        if (!in_list || before.depth != floor) return refuse(v, "nothing to seal");
        after->open = open->outer;
        return true;
    case OP_LOOP:
        after->open = open_new(v, open, before.depth - 1, after->depth, i->n);
        return before.depth > floor ? after->open != NULL : refuse(v, "a value that is not its own");
    case OP_NEXT:
        if (in_loop && open->names != i->n) return refuse(v, "a loop without its place");
        /* fall through */
    case OP_KEEP:
    case OP_ALL:
    case OP_EXISTS:
    case OP_ONE:
    case OP_COLLECT:
    case OP_COLLECT_ENTRY:
    case OP_COLLECT_MAP:
        return (in_loop && open->base == (int32_t)i->a && after->depth == floor) ||
               refuse(v, "a loop without its place");
    case OP_DONE:
        if (!in_loop || open->base != (int32_t)i->a || before.depth != floor)
            return refuse(v, "a loop without its place");
        after->open = open->outer;
        return true;
    case OP_SLIDE:
        return (before.depth > floor && (int32_t)i->a >= floor) || refuse(v, "a value that is not its own");
    case OP_LOCAL:
    case OP_LOCAL_FIELD: return !is_owned(open, i->a) || refuse(v, "a value that is not its own");
    default: return after->depth - shapes[i->op].pushes >= floor || refuse(v, "a value that is not its own");
    }
}

static bool check_insn(struct verify *v)
{
    const struct insn *i = &v->program->code[v->at];
    struct state before = v->states[v->at], after;
    if (before.depth < 0) return refuse(v, "an instruction that is never reached");
    if (i->op >= OPCODE_COUNT) return refuse(v, "no such instruction");
    const struct shape *shape = &shapes[i->op];
    if (!step_depth(v, i, before.depth, &after.depth) || !step_open(v, i, before, &after)) return false;
    bool operands = check_operand(v, shape->a, i->a, before, after) &&
                    check_operand(v, shape->b, i->b, before, after) &&
                    check_operand(v, shape->c, i->c, before, after);
    if (!operands || !check_texts(v, i, shape)) return false;
    bool test = i->op >= OP_TEST_FIRST && i->op <= OP_TEST_LAST;
    if (test && (!i->n || !reach(v, v->at + i->n, after))) return refuse(v, "a test without its way out");
    if ((uint32_t)after.depth > v->program->stack_depth) v->program->stack_depth = (uint32_t)after.depth;
    return ends(i) || reach(v, v->at + 1, after);
}

/* One value at a time, read or chosen? */
static bool only_follows(const struct cel_program *program)
{
    bool follows = program->stack_depth == 1;
    for (uint32_t i = 0; i < program->code_count; i++) {
        uint16_t op = program->code[i].op;
        follows &=
            op == OP_CONSTANT || op == OP_LOAD || op == OP_FIELD || op == OP_THERE_JUMP || op == OP_RETURN;
    }
    return follows;
}

bool program_verify(struct cel_program *program, struct arena *scratch, const char **why)
{
    struct verify v = {.program = program, .scratch = scratch};
    v.slot_max = program->slot_count ? program->slots[program->slot_count - 1] + 1 : 0;
    v.states = ARENA_ARRAY(scratch, struct state, program->code_count);
    *why = NULL;
    if (!v.states || !program->code_count) return false;
    for (uint32_t i = 1; i < program->code_count; i++)
        v.states[i].depth = -1;
    program->stack_depth = 0;
    for (v.at = 0; v.at < program->code_count; v.at++)
        if (!check_insn(&v)) {
            *why = v.why;
            return false;
        }
    program->follows = only_follows(program);
    return true;
}

/* ---- the disassembler */

static const char *const op_names[] = {
#define OPCODE(name, text, pops, pushes, a, b, c) text,
#include "cel/opcode.def"
#undef OPCODE
};

static void dump_constant(struct cel_value v, struct buffer *out)
{
    if (v.kind == CEL_STRING)
        buffer_put_json_string(out, cel_text(v));
    else if (v.kind == CEL_TYPE)
        buffer_put_str(out, cel_type_name(out->arena, v.as.type));
    else if (!cel_print_json(v, out))
        buffer_put_str(out, STR("?"));
    if (v.kind == CEL_UINT) buffer_put_char(out, 'u');
    if (v.kind == CEL_DOUBLE && fabs(v.as.d) < 1e15 && v.as.d == trunc(v.as.d))
        buffer_put_str(out, STR(".0"));
}

static void dump_operand(const struct cel_program *p, enum operand kind, uint32_t value, struct buffer *out)
{
    if (kind == NONE) return;
    buffer_put_char(out, ' ');
    switch (kind) {
    case CONSTANT: dump_constant(p->constants[value], out); break;
    case SLOT: buffer_put_format(out, "slot %u", value); break;
    case STACK: buffer_put_format(out, "[%u]", value); break;
    case SITE: buffer_put_format(out, "%.*s", STR_ARG(p->sites[value].name)); break;
    case TABLE: dump_constant(p->tables[value].list, out); break;
    case RECORD: buffer_put_format(out, "%.*s", STR_ARG(p->records[value].type->name)); break;
    case FIELD: buffer_put_format(out, "#%u", value); break;
    case REGEX: buffer_put_format(out, "pattern %u", value); break;
    case JUMP:
    case KEPT:
    case BACK: buffer_put_format(out, "-> %u", value); break;
    default: buffer_put_format(out, "%u", value); break;
    }
}

void cel_program_dump(const struct cel_program *program, struct buffer *out)
{
    for (uint32_t at = 0; at < program->code_count; at++) {
        const struct insn *i = &program->code[at];
        const struct shape *shape = &shapes[i->op];
        buffer_put_format(out, "%4u  %s", at, op_names[i->op]);
        if (i->op == OP_CALL || i->op == OP_CONCAT) buffer_put_format(out, " %u", i->n);
        dump_operand(program, shape->a, i->a, out);
        dump_operand(program, shape->b, i->b, out);
        dump_operand(program, shape->c, i->c, out);
        if (i->op >= OP_TEST_FIRST && i->op <= OP_TEST_LAST) buffer_put_format(out, " else %u", at + i->n);
        buffer_put_char(out, '\n');
    }
}
