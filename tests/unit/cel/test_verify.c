/* The verifier refuses what the VM could not run safely. */
#include "base/limits.h"
#include "cel/code.h"
#include "cel_world.h"

#include <criterion/criterion.h>

static const struct cel_value constants[] = {{.kind = CEL_STRING, .size = 1, .as.s = "a"},
                                             {.kind = CEL_INT, .as.i = 1}};
static const uint32_t slots[] = {0, 3};

/* NULL when the code is sound, else why not. */
static const char *verdict(const struct insn *code, uint32_t count)
{
    struct arena scratch;
    arena_init(&scratch, 0);
    struct cel_program program = {.code = code,
                                  .code_count = count,
                                  .constants = constants,
                                  .constant_count = 2,
                                  .slots = slots,
                                  .slot_count = 2};
    const char *why = NULL;
    bool sound = program_verify(&program, &scratch, &why);
    arena_free(&scratch);
    cr_assert_eq(sound, why == NULL);
    return why;
}

#define REFUSES(why, ...)                                                                                    \
    do {                                                                                                     \
        const struct insn code[] = {__VA_ARGS__};                                                            \
        const char *got = verdict(code, sizeof code / sizeof code[0]);                                       \
        cr_expect(got &&strcmp(got, why) == 0, "%s: got %s", why, got ? got : "no complaint");               \
    } while (0)

Test(cel_verify, passes_sound_code)
{
    const struct insn code[] = {
        {.op = OP_LOAD, .a = 3}, {.op = OP_CONSTANT, .a = 1}, {.op = OP_ADD}, {.op = OP_RETURN}};
    cr_expect_null(verdict(code, 4));
}

Test(cel_verify, refuses_operands_out_of_their_arrays)
{
    REFUSES("no such constant", {.op = OP_CONSTANT, .a = 2}, {.op = OP_RETURN});
    REFUSES("no such slot", {.op = OP_LOAD, .a = 4}, {.op = OP_RETURN});
    REFUSES("no such call", {.op = OP_CALL}, {.op = OP_RETURN});
    REFUSES("no such pattern", {.op = OP_CONSTANT}, {.op = OP_MATCH}, {.op = OP_RETURN});
    REFUSES("no such table", {.op = OP_CONSTANT}, {.op = OP_IN_TABLE}, {.op = OP_RETURN});
    REFUSES("no such record", {.op = OP_RECORD}, {.op = OP_RETURN});
    REFUSES("a name that is no text", {.op = OP_LOAD, .b = 1}, {.op = OP_RETURN});
    REFUSES("no such instruction", {.op = OPCODE_COUNT});
}

Test(cel_verify, refuses_a_stack_that_does_not_add_up)
{
    REFUSES("more values taken than there are", {.op = OP_RETURN});
    REFUSES("more values taken than there are", {.op = OP_CONSTANT}, {.op = OP_ADD}, {.op = OP_RETURN});
    REFUSES("a place above the stack", {.op = OP_LOCAL}, {.op = OP_RETURN});
    REFUSES("two depths at one place", {.op = OP_CONSTANT}, {.op = OP_AND_JUMP, .c = 3}, {.op = OP_CONSTANT},
            {.op = OP_RETURN});
}

/* What only looks at the top needs one, and one of its own. */
Test(cel_verify, refuses_to_look_at_a_top_that_is_not_there)
{
    static const uint16_t lookers[] = {OP_AND_JUMP, OP_OR_JUMP, OP_VALUE_JUMP, OP_NOT, OP_FIELD, OP_HAS};
    for (size_t i = 0; i < sizeof lookers / sizeof lookers[0]; i++) {
        REFUSES("more values taken than there are", {.op = lookers[i], .c = 1}, {.op = OP_RETURN_TRUE});
        REFUSES("a value that is not its own", {.op = OP_LIST}, {.op = lookers[i], .c = 2}, {.op = OP_SEAL},
                {.op = OP_RETURN});
    }
}

/* n texts on the stack, then joined into one. */
static struct cel_program *joining(struct arena *arena, uint32_t n)
{
    struct insn *code = ARENA_ARRAY(arena, struct insn, n + 2);
    for (uint32_t i = 0; i < n; i++)
        code[i].op = OP_CONSTANT;
    code[n] = (struct insn){.op = OP_CONCAT, .n = (uint16_t)n};
    code[n + 1].op = OP_RETURN;
    struct cel_program *program = ARENA_NEW(arena, struct cel_program);
    *program =
        (struct cel_program){.code = code, .code_count = n + 2, .constants = constants, .constant_count = 2};
    return program;
}

Test(cel_verify, passes_a_stack_of_its_bound_and_not_one_value_more)
{
    struct arena arena;
    arena_init(&arena, 0);
    const char *why;
    struct cel_program *program = joining(&arena, LIMIT_CEL_STACK);
    cr_assert(program_verify(program, &arena, &why), "%s", why);
    struct cel_frame frame = {.scratch = &arena};
    cr_expect_eq(cel_eval(program, &frame).size, LIMIT_CEL_STACK);
    cr_expect_not(program_verify(joining(&arena, LIMIT_CEL_STACK + 1), &arena, &why));
    cr_expect_str_eq(why, "a stack too deep");
    arena_free(&arena);
}

Test(cel_verify, refuses_jumps_out_and_back)
{
    REFUSES("a jump out of the program", {.op = OP_JUMP, .c = 9});
    REFUSES("a jump out of the program", {.op = OP_CONSTANT});
    REFUSES("a jump backwards", {.op = OP_JUMP, .c = 0});
    REFUSES("a loop that ends inside itself", {.op = OP_CONSTANT}, {.op = OP_LOOP, .n = 1, .c = 5},
            {.op = OP_NEXT, .n = 1, .b = 9, .c = 3}, {.op = OP_LOCAL, .a = 3}, {.op = OP_ALL, .b = 2, .c = 5},
            {.op = OP_RETURN});
    REFUSES("a jump backwards", {.op = OP_CONSTANT}, {.op = OP_LOOP, .n = 1, .c = 4},
            {.op = OP_NEXT, .n = 1, .b = 9, .c = 2}, {.op = OP_DONE}, {.op = OP_RETURN});
    REFUSES("an instruction that is never reached", {.op = OP_RETURN_TRUE}, {.op = OP_RETURN_FALSE});
    REFUSES("a test without its way out", {.op = OP_IF_TRUE, .c = 1}, {.op = OP_RETURN_TRUE});
}

Test(cel_verify, refuses_loops_without_their_place_or_cost)
{
    REFUSES("a loop without its place", {.op = OP_CONSTANT}, {.op = OP_NEXT, .n = 1, .b = 1, .c = 2},
            {.op = OP_RETURN});
    REFUSES("a round that costs too little", {.op = OP_CONSTANT}, {.op = OP_LOOP, .n = 1, .c = 6},
            {.op = OP_NEXT, .n = 1, .b = 1, .c = 5}, {.op = OP_LOCAL, .a = 3}, {.op = OP_ALL, .b = 2, .c = 5},
            {.op = OP_DONE}, {.op = OP_RETURN});
}

/* A list that could be put into itself would have no end. */
Test(cel_verify, refuses_to_touch_what_is_under_construction)
{
    const char *const foreign = "a value that is not its own";
    REFUSES(foreign, {.op = OP_LIST, .a = 1}, {.op = OP_LOCAL, .a = 0}, {.op = OP_APPEND}, {.op = OP_SEAL},
            {.op = OP_RETURN});
    REFUSES(foreign, {.op = OP_LIST, .a = 1}, {.op = OP_CONSTANT}, {.op = OP_ADD}, {.op = OP_RETURN});
    REFUSES(foreign, {.op = OP_LIST, .a = 1}, {.op = OP_RETURN});
    REFUSES(foreign, {.op = OP_CONSTANT}, {.op = OP_LIST, .a = 1}, {.op = OP_SLIDE, .a = 0},
            {.op = OP_RETURN});
    REFUSES(foreign, {.op = OP_CONSTANT}, {.op = OP_LOOP, .n = 1, .b = LOOP_LIST, .c = 6},
            {.op = OP_NEXT, .n = 1, .b = 9, .c = 5}, {.op = OP_LOCAL, .a = 2},
            {.op = OP_COLLECT, .b = 2, .c = 5}, {.op = OP_DONE}, {.op = OP_RETURN});
}

Test(cel_verify, refuses_parts_without_a_whole)
{
    REFUSES("nothing to put it into", {.op = OP_CONSTANT}, {.op = OP_CONSTANT}, {.op = OP_APPEND},
            {.op = OP_RETURN});
    REFUSES("nothing to put it into", {.op = OP_MAP, .a = 1}, {.op = OP_CONSTANT}, {.op = OP_CONSTANT},
            {.op = OP_CONSTANT}, {.op = OP_PUT}, {.op = OP_RETURN});
    REFUSES("nothing to seal", {.op = OP_CONSTANT}, {.op = OP_SEAL}, {.op = OP_RETURN});
    REFUSES("a jump into or out of a loop", {.op = OP_CONSTANT}, {.op = OP_AND_JUMP, .c = 4}, {.op = OP_LIST},
            {.op = OP_JUMP, .c = 5}, {.op = OP_CONSTANT}, {.op = OP_RETURN});
}

Test(cel_verify, passes_all_that_the_emitter_makes)
{
    struct cel_world world;
    cel_world_begin(&world);
    static const char *const texts[] = {"event.items.exists(i, i.qty > 1) ? 'a' : 'b'",
                                        "has(event.coupon) && event.qty in [1, 2]"};
    for (size_t i = 0; i < 2; i++) {
        struct diagnostics diag;
        cr_expect(cel_world_compile(&world, str_of(texts[i]), &diag)); /* it verifies, or stops the process */
    }
    cel_world_end(&world);
}
