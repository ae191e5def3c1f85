/* Programs from the inside: instructions and what they refer to.
 *
 *     instruction   op   n    a        b        c          16 bytes
 *
 * The VM trusts a program only as far as the verifier has proved it: depth of the stack at every instruction,
 * every operand inside its array, jumps forward except to a NEXT (which counts steps). Kinds of values are
 * looked at by each instruction: a wrong one gives an error, never a wild pointer. */
#ifndef RULES_CEL_CODE_H
#define RULES_CEL_CODE_H

#include "base/buffer.h"
#include "cel/ast.h"
#include "cel/env.h"
#include "cel/func.h"
#include "cel/regex.h"
#include "cel/text.h"

enum opcode {
#define OPCODE(name, text, pops, pushes, a, b, c) OP_##name,
#include "cel/opcode.def"
#undef OPCODE
    OPCODE_COUNT,
};

/* The fused tests lie together; each "unless" follows its "if". */
enum { OP_TEST_FIRST = OP_IF_EQUAL_STRING, OP_TEST_LAST = OP_UNLESS_HAS };

struct insn {
    uint16_t op, n;
    uint32_t a, b, c;
};

/* What a call may turn out to be: the first whose parameters take the arguments' kinds. */
struct callee {
    func_body *body; /* NULL: the host's, by number */
    uint32_t number;
    uint32_t count;
    uint32_t kinds[PARAMETERS_MAX];
};

struct call_site {
    str name;
    size_t count;
    const struct callee *callees;
};

/* x in [constants]: where all are strings, open addressing over them; a power of two, at most half full. Others are
 * looked through, or found by an index where they are many. */
struct table_place {
    struct text_ends ends;
    str text; /* data NULL: free */
};
struct table {
    struct cel_value list;     /* the constants, for anything but strings */
    struct value_index *index; /* of the list; NULL: strings, or few */
    bool strings;              /* all elements are strings: then hashed */
    uint32_t mask;
    const struct table_place *places;
};

/* A record whose fields lie in slots, to be made into a value. */
struct whole_record {
    const struct cel_record_type *type;
    const uint32_t *slots;
    uint32_t presence; /* a bool that must be true, or CEL_NO_SLOT */
};

struct cel_program {
    const struct insn *code;
    const struct cel_value *constants;
    const struct call_site *sites;
    const struct table *tables;
    const struct whole_record *records;
    struct regex *const *regexes;
    uint32_t code_count, constant_count, site_count, table_count, record_count, regex_count;
    uint32_t slot_count, function_count, stack_depth;
    bool follows;                      /* fields, and does nothing else: cel_follow can run it */
    const uint32_t *slots, *functions; /* what it reads and calls, ascending */
    const struct cel_need *needs;
    size_t need_count;
    const struct cel_type *type;
    struct zones *zones;
};

/* Proves what is said above; sets stack_depth and follows. False: *why says what is wrong, or is NULL: no memory. */
bool program_verify(struct cel_program *program, struct arena *scratch, const char **why);

#endif
