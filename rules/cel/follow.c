/* Programs that follow fields and do nothing else: `a.b.c`, `coalesce(a.b, c, 'x')`. They look at one value at a time, where it
 * lies, so they need neither a stack nor a machine, which cost more than following a few fields. */
#include "cel/code.h"

static inline bool is_missing(const struct cel_value *v)
{
    return v->kind <= CEL_ABSENT || (v->kind == CEL_ERROR && cel_is_missing(*v));
}

/* Begins again when the slot is filled: so cel_follow itself calls nobody, and has nothing to save. */
static __attribute__((noinline)) bool follow_resolved(const struct cel_program *program,
                                                      struct cel_frame *frame, uint32_t slot,
                                                      struct cel_value *value)
{
    frame->resolve(frame, slot);
    return cel_follow(program, frame, value);
}

/* What a program comes to, as a step of its frame's. False: to an error, which cel_eval puts into words. */
static inline bool conclude(struct cel_frame *frame, const struct cel_value *v, struct cel_value *value)
{
    bool missing = is_missing(v);
    if (v->kind == CEL_ERROR && !missing) return false;
    if (frame->steps_left) --*frame->steps_left;
    *value = missing ? (struct cel_value){.kind = CEL_ABSENT} : *v;
    return true;
}

bool cel_follow(const struct cel_program *program, struct cel_frame *frame, struct cel_value *value)
{
    const struct cel_value *v = NULL; /* the first instruction gives one */
    if (!program->follows) return false;
    for (const struct insn *at = program->code;; at++) {
        switch (at->op) {
        case OP_CONSTANT: v = &program->constants[at->a]; break;
        case OP_LOAD:
            v = &frame->slots[at->a];
            if (v->kind == CEL_UNSET && frame->resolve) return follow_resolved(program, frame, at->a, value);
            break;
        case OP_FIELD:
            if (v->kind == CEL_RECORD && at->b < v->as.record->type->field_count)
                v = &v->as.record->fields[at->b];
            else if (!is_missing(v))
                return false;
            break;
        case OP_THERE_JUMP:
            if (v->kind == CEL_OPTIONAL) return false;
            if (!is_missing(v)) at = program->code + at->c - 1;
            break;
        default: return conclude(frame, v, value);
        }
    }
}
