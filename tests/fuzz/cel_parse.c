/* libFuzzer: any bytes through lexer, parser, checker, folding, emitter and verifier, and what compiles is
 * evaluated. Nothing may crash, leak or run on; what does not compile must say why. */
#include "base/ensure.h"
#include "cel_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cel_world world;
    if (!world.env) cel_world_begin(&world);
    struct arena arena;
    arena_init(&arena, 64u << 20);
    struct diagnostics diag;
    diag_init(&diag, &arena);
    str text = {(const char *)data, size};
    struct source source = {.name = STR("fuzz"), .text = text};
    struct cel_program *program =
        cel_compile(&arena, &arena, world.env, text, (struct origin){.source = &source}, NULL, &diag);
    ensure(program || diag.error_count || diag.failed);
    if (program) {
        world.slots[WORLD_LAZY] = (struct cel_value){.kind = CEL_UNSET};
        cel_eval(program, &world.frame);
        arena_reset(&world.scratch);
    }
    arena_free(&arena);
    return 0;
}
