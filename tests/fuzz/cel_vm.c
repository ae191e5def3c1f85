/* libFuzzer: programs of real expressions with instructions changed at random. The verifier refuses most;
 * what it passes must run without a wild pointer and come to an end. */
#include "base/limits.h"
#include "cel/code.h"
#include "cel_world.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* clang-format off */
static const char *const texts[] = {
    "(event.product == 'p1' || name in ['a', 'b']) && (event.qty >= 100 || score == 1)",
    "event.items.map(i, i.price * double(i.qty)).sum() >= 50.0 ? event.tags : ['x', name + 'y']",
    "{'a': [1, 2], ?'b': optional.none()}.transformMap(k, v, size(v)).a + counts['p1']",
    "event.items.exists(i, has(i.note) && i.note.matches('^a+$')) || any.foo == last.purchase.total",
    "event.tags.filter(t, t.startsWith('n')).join(',').replace('e', string(event.total)).size() > lazy",
    "[1, 2, 3].exists_one(x, x > 2) && {'a': 1}.transformMapEntry(k, v, {v: k})[?1].orValue('z') == name",
    "cel.bind(x, views(event.product), x * x / 7 - x % 3) < event.time.getHours('Asia/Tokyo') || !event.vip",
    "'%s %d'.format([event, 5]) + string([3, 1].sort()[0]) + type(event.items[0]) == name",
};
/* clang-format on */

enum { PROGRAMS = sizeof texts / sizeof texts[0], INSN_MAX = 256 };

static struct cel_world world;
static struct cel_program *programs[PROGRAMS];

static void begin(void)
{
    cel_world_begin(&world);
    cel_env_set_unchecked(world.env);
    for (size_t i = 0; i < PROGRAMS; i++) {
        struct diagnostics diag;
        programs[i] = cel_world_compile(&world, str_of(texts[i]), &diag);
        if (!programs[i] || programs[i]->code_count > INSN_MAX) abort();
    }
}

/* Five bytes a change: which instruction, which of its parts, the new value. */
static void change(struct insn *code, uint32_t count, const uint8_t *data)
{
    struct insn *i = &code[data[0] % count];
    uint32_t value = (uint32_t)data[2] | (uint32_t)data[3] << 8;
    switch (data[1] % 6) {
    case 0: i->op = (uint16_t)(value % (OPCODE_COUNT + 1)); break;
    case 1: i->n = (uint16_t)value; break;
    case 2: i->a = value % 64; break;
    case 3: i->b = value % 64; break;
    case 4: i->c = value % (count + 1); break;
    case 5: *i = code[value % count]; break;
    }
}

/* The VM's stack begins with whatever lies there. Here these are values of one kind that point nowhere, so that a
 * place that is read before it is written shows every time. */
__attribute__((noinline)) static void litter(uint8_t kind)
{
    struct cel_value room[2 * LIMIT_CEL_STACK];
    for (size_t i = 0; i < sizeof room / sizeof room[0]; i++)
        room[i] = (struct cel_value){.kind = kind, .spare = 1, .size = 1 << 20, .as.u = 0x7f7f7f7f7f7f7f7f};
    __asm__ volatile("" : : "r"(room) : "memory"); /* it is nobody's, and written all the same */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!world.env) begin();
    if (size < 5) return 0;
    struct cel_program program = *programs[data[0] % PROGRAMS];
    struct insn code[INSN_MAX];
    memcpy(code, program.code, program.code_count * sizeof code[0]);
    program.code = code;
    for (size_t at = 1; at + 4 <= size; at += 4)
        change(code, program.code_count, data + at);
    struct arena scratch;
    arena_init(&scratch, 0);
    const char *why;
    if (program_verify(&program, &scratch, &why)) {
        world.slots[WORLD_LAZY] = (struct cel_value){.kind = CEL_UNSET};
        litter(data[0] / PROGRAMS % (CEL_OPTIONAL + 1));
        struct cel_value v = cel_eval(&program, &world.frame);
        struct buffer out;
        buffer_init(&out, &world.scratch);
        cel_print_json(v, &out);
        cel_program_dump(&program, &out);
        arena_reset(&world.scratch);
    }
    arena_free(&scratch);
    return 0;
}
