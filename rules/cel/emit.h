/* The emitter from the inside: a program under construction. */
#ifndef RULES_CEL_EMIT_H
#define RULES_CEL_EMIT_H

#include "cel/code.h"

/* An array that grows in scratch memory. */
struct pool {
    void *items;
    uint32_t count, capacity;
};

/* A struct cel_need under construction: a table, or a constant alone. */
struct emit_need {
    uint32_t slot, table, constant; /* table NO_TABLE: the constant */
};
#define NO_TABLE UINT32_MAX

struct emit {
    struct compile *c;
    struct pool code, constants, sites, tables, records, regexes, needs;
    uint32_t depth; /* values on the stack at this point */
    bool plain;     /* emit a condition in full: the way out of its fused tests */
};

#define NO_LABEL UINT32_MAX

/* A place that is jumped to before it is known: the instructions that do, chained through their operands. */
struct label {
    uint32_t last; /* the newest of them, NO_LABEL: none */
};

uint32_t emit(struct emit *e, enum opcode op, uint32_t a, uint32_t b, uint32_t c);
struct insn *emit_at(struct emit *e, uint32_t at);
uint32_t emit_here(const struct emit *e);
void emit_jump(struct emit *e, enum opcode op, uint32_t a, uint32_t b, struct label *label); /* operand c */
void emit_label(struct emit *e, struct label *label);                                        /* it is here */
uint32_t emit_constant(struct emit *e, struct cel_value v);                                  /* interned */
uint32_t emit_text(struct emit *e, str s);
uint32_t emit_add(struct emit *e, struct pool *pool, const void *item, size_t size);
uint32_t emit_table(struct emit *e, struct cel_value list);

void emit_value(struct emit *e, struct node *node);

/* Conditions that are fused tests throughout (emit_test.c). */
bool test_possible(const struct emit *e, const struct node *node);
/* Jumps to `label` when the condition is `sense`, goes on otherwise. */
void test_emit(struct emit *e, const struct node *node, bool sense, struct label *label);
/* The tests emitted from `begin` on find their way out here. */
void test_way_out(struct emit *e, uint32_t begin);
/* Notes what a condition needs (cel_program_needs), into e->needs; false: what stands behind it is not asked first. */
bool test_needs(struct emit *e, const struct node *node);

#endif
