/* Text to program: the stages in order, and what a program answers about itself. */
#include "cel/code.h"

#include "base/ensure.h"
#include "base/limits.h"

static bool text_acceptable(struct compile *c)
{
    if (c->text.size > LIMIT_CEL_SOURCE_BYTES) {
        mistake(c, (struct span){0, 1}, (str){0}, "the expression is %zu bytes long; at most %u are taken",
                c->text.size, LIMIT_CEL_SOURCE_BYTES);
        return false;
    }
    for (size_t at = 0, length; at < c->text.size; at += length) {
        length = utf8_length(c->text, at);
        if (length) continue;
        mistake(c, (struct span){(uint32_t)at, (uint32_t)at + 1}, (str){0},
                "byte 0x%02X is not valid UTF-8 here", (unsigned char)c->text.data[at]);
        return false;
    }
    return true;
}

static struct cel_program *compile(struct compile *c, const struct cel_type *wanted)
{
    size_t errors = c->diag->error_count;
    if (!text_acceptable(c)) return NULL;
    struct node *root = parse_expression(c);
    if (c->failed) return NULL;
    bool parsed = c->diag->error_count == errors;
    if (parsed || !c->env->unchecked) check_expression(c, root, parsed ? wanted : NULL);
    if (c->failed || c->diag->error_count != errors) return NULL;
    reads_note(c, root);
    fold_expression(c, root);
    struct cel_program *program = c->failed ? NULL : emit_program(c, root);
    c->failed |= !program;
    if (c->failed || c->diag->error_count != errors) return NULL;
    const char *why;
    bool verified = program_verify(program, c->scratch, &why);
    if (!verified && why && strcmp(why, "a stack too deep") == 0) {
        mistake(c, (struct span){0, (uint32_t)c->text.size}, (str){0},
                "the expression holds too many values at once");
        return NULL;
    }
    ensure(verified || !why); /* the emitter's own code is sound, or there was no memory to prove it */
    c->failed = !verified;
    return verified ? program : NULL;
}

struct cel_program *cel_compile(struct arena *keep, struct arena *scratch, const struct cel_env *env,
                                str text, struct origin origin, const struct cel_type *wanted,
                                struct diagnostics *diag)
{
    struct compile c = {
        .keep = keep, .scratch = scratch, .env = env, .text = text, .origin = origin, .diag = diag};
    struct cel_program *program = compile(&c, wanted);
    if (c.failed) diag->failed = true;
    return program;
}

struct node *compile_tree(struct compile *c)
{
    struct node *root = parse_expression(c);
    if (!c->failed) check_expression(c, root, NULL);
    return c->failed || c->diag->error_count ? NULL : root;
}

struct cel_program *compile_node(struct compile *c, struct node *node)
{
    const char *why;
    reads_note(c, node);
    struct cel_program *program = emit_program(c, node);
    if (program && program_verify(program, c->scratch, &why)) return program;
    c->failed = true;
    return NULL;
}

str node_text(const struct compile *c, const struct node *node)
{
    str text = span_text(c, node->span);
    bool brackets = node->grouped && text.size >= 2 && text.data[0] == '(' && text.data[text.size - 1] == ')';
    return brackets ? str_slice(text, 1, text.size - 1) : text;
}

const struct cel_type *cel_program_type(const struct cel_program *program)
{
    return program->type;
}

size_t cel_program_slots(const struct cel_program *program, const uint32_t **slots)
{
    *slots = program->slots;
    return program->slot_count;
}

size_t cel_program_needs(const struct cel_program *program, const struct cel_need **needs)
{
    *needs = program->needs;
    return program->need_count;
}

size_t cel_program_functions(const struct cel_program *program, const uint32_t **functions)
{
    *functions = program->functions;
    return program->function_count;
}

bool cel_program_constant(const struct cel_program *program, struct cel_value *value)
{
    if (program->code[0].op != OP_CONSTANT || program->code[1].op != OP_RETURN) return false;
    *value = program->constants[program->code[0].a];
    return true;
}
