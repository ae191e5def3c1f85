/* Payloads: JSON in which `${CEL}` is filled in (LANGUAGE.md §3.4), compiled to a list of pieces that are
 * written one after the other: text as it stands, values, and values spliced into strings. */
#include "rule/compile/compile.h"

#include "base/buffer.h"
#include "base/limits.h"
#include "cel/placeholder.h"

struct template_writer {
    struct compiler *c;
    const struct cel_env *env;
    const struct source *source;
    struct buffer text; /* JSON since the last program */
    struct origin
        here; /* of byte `here_at` of the string that is being read: it moves along with its programs */
    size_t here_at;
    struct piece *pieces;
    size_t count, capacity;
    struct typed_text **typed; /* NULL: nobody asks */
};

static void put_piece(struct template_writer *w, struct piece piece)
{
    if (w->count == w->capacity) {
        size_t capacity = w->capacity ? w->capacity * 2 : 8;
        struct piece *pieces = ARENA_ARRAY(w->c->place, struct piece, capacity);
        if (!pieces) {
            w->c->diag->failed = true;
            return;
        }
        if (w->count) memcpy(pieces, w->pieces, w->count * sizeof *pieces);
        w->pieces = pieces;
        w->capacity = capacity;
    }
    w->pieces[w->count++] = piece;
}

static void flush_text(struct template_writer *w)
{
    if (w->text.size == 0) return;
    struct piece piece = {.kind = PIECE_TEXT};
    if (w->text.failed || !arena_copy_str(w->c->keep, buffer_str(&w->text), &piece.text))
        w->c->diag->failed = true;
    put_piece(w, piece);
    w->text.size = 0;
}

/* The key that has been written, if any, is that of a member that may be left out. */
static void put_item(struct template_writer *w)
{
    struct piece piece = {.kind = PIECE_ITEM};
    if (w->text.failed || !arena_copy_str(w->c->keep, buffer_str(&w->text), &piece.text))
        w->c->diag->failed = true;
    put_piece(w, piece);
    w->text.size = 0;
}

static void note_type(struct template_writer *w, const struct json *node, const struct cel_type *type)
{
    struct typed_text *typed = w->typed ? ARENA_NEW(w->c->place, struct typed_text) : NULL;
    if (w->typed && !typed) w->c->diag->failed = true;
    if (!typed) return;
    *typed = (struct typed_text){*w->typed, node, type};
    *w->typed = typed;
}

static const struct cel_program *compile_piece(struct template_writer *w, const struct json *node,
                                               size_t begin, size_t end)
{
    w->here = origin_at(w->here, begin - w->here_at);
    w->here_at = begin;
    return compile_part(w->c, w->env, str_slice(node->text, begin, end), w->here, NULL);
}

static bool splices(const struct cel_type *type)
{
    switch (type->kind) {
    case CEL_TYPE_LIST:
    case CEL_TYPE_MAP:
    case CEL_TYPE_RECORD:
    case CEL_TYPE_NULL:
    case CEL_TYPE_TYPE:
    case CEL_TYPE_OPTIONAL: return false;
    default: return true;
    }
}

static void put_splice(struct template_writer *w, const struct json *node, size_t begin, size_t end)
{
    const struct cel_program *program = compile_piece(w, node, begin, end);
    if (!program) return;
    const struct cel_type *type = cel_program_type(program);
    if (!splices(type)) {
        str noun = cel_type_noun(w->c->scratch, type),
            cure = STR("make it the whole string, \"${…}\", to keep its type");
        if (type->kind == CEL_TYPE_OPTIONAL)
            cure = arena_format(w->c->scratch, "say what stands there without a value: .orValue(%s)",
                                cel_type_zero(type->params[0]));
        diag_add(w->c->diag, SEVERITY_WARNING, json_origin(w->source, node), begin, end, cure,
                 "%.*s cannot be put into a text: this always fails", STR_ARG(noun));
    }
    flush_text(w);
    put_piece(w, (struct piece){.kind = PIECE_SPLICE, .program = program});
}

static void put_escaped(struct template_writer *w, str text)
{
    struct buffer quoted;
    buffer_init(&quoted, w->c->place);
    buffer_put_json_string(&quoted, text);
    if (quoted.size >= 2) buffer_put(&w->text, quoted.data + 1, quoted.size - 2);
}

/* Refuses a `${` that does not end; true when `end` is a proper end. */
static bool ends(struct template_writer *w, const struct json *node, size_t begin, size_t end)
{
    if (end < node->text.size) return true;
    diag_add(w->c->diag, SEVERITY_ERROR, json_origin(w->source, node), begin, begin + 2,
             STR("a dollar sign alone is written $$"), "this '${' has no '}'");
    return false;
}

const struct cel_program *compile_expression(struct compiler *c, const struct cel_env *env,
                                             const struct source *source, const struct json *node,
                                             const struct cel_type *wanted)
{
    str inner = str_slice(node->text, 2, node->text.size - 1);
    return env ? compile_part(c, env, inner, origin_at(json_origin(source, node), 2), wanted) : NULL;
}

static bool may_be_optional(const struct cel_program *program)
{
    enum cel_type_kind kind = cel_program_type(program)->kind;
    return kind == CEL_TYPE_OPTIONAL || kind == CEL_TYPE_DYN;
}

static void put_string(struct template_writer *w, const struct json *node)
{
    str text = node->text;
    w->here = json_origin(w->source, node);
    w->here_at = 0;
    if (placeholder_is_whole(text)) {
        const struct cel_program *program = compile_piece(w, node, 2, text.size - 1);
        flush_text(w);
        note_type(w, node, program ? cel_program_type(program) : &cel_types[CEL_TYPE_DYN]);
        if (program)
            put_piece(w, (struct piece){.kind = may_be_optional(program) ? PIECE_OPTIONAL : PIECE_VALUE,
                                        .program = program});
        return;
    }
    if (text.size && memchr(text.data, '$', text.size)) note_type(w, node, &cel_types[CEL_TYPE_STRING]);
    buffer_put_char(&w->text, '"');
    size_t plain = 0, at = 0;
    while (at < text.size) {
        str rest = str_slice(text, at, text.size);
        bool dollars = str_starts_with(rest, STR("$$")), opens = str_starts_with(rest, STR("${"));
        if (!dollars && !opens) {
            at++;
            continue;
        }
        put_escaped(w, str_slice(text, plain, at + (dollars ? 1 : 0)));
        size_t end = dollars ? at + 1 : placeholder_end(text, at + 2);
        if (opens && !ends(w, node, at, end)) return;
        if (opens) put_splice(w, node, at + 2, end);
        plain = at = end + 1;
    }
    put_escaped(w, str_slice(text, plain, text.size));
    buffer_put_char(&w->text, '"');
}

static void put_node(struct template_writer *w, const struct json *node);

/* Which members are there is known when it is filled in, where one of them is an expression and may be empty. */
static bool may_leave_out(const struct json *container)
{
    const struct json *child = container->child;
    while (child && !(child->kind == JSON_STRING && placeholder_is_whole(child->text)))
        child = child->next;
    return child;
}

static void put_container(struct template_writer *w, const struct json *node)
{
    bool object = node->kind == JSON_OBJECT, items = may_leave_out(node);
    buffer_put_char(&w->text, object ? '{' : '[');
    for (const struct json *child = node->child; child; child = child->next) {
        if (items) flush_text(w);
        if (!items && child != node->child) buffer_put_char(&w->text, ',');
        if (object) {
            buffer_put_json_string(&w->text, child->key);
            buffer_put_char(&w->text, ':');
        }
        if (items) put_item(w);
        put_node(w, child);
    }
    buffer_put_char(&w->text, object ? '}' : ']');
}

static void put_node(struct template_writer *w, const struct json *node)
{
    switch (node->kind) {
    case JSON_NULL: buffer_put_str(&w->text, STR("null")); break;
    case JSON_BOOL: buffer_put_str(&w->text, node->boolean ? STR("true") : STR("false")); break;
    case JSON_NUMBER: buffer_put_str(&w->text, node->text); break;
    case JSON_STRING: put_string(w, node); break;
    case JSON_ARRAY:
    case JSON_OBJECT: put_container(w, node); break;
    }
}

struct template compile_template(struct compiler *c, const struct cel_env *env, const struct source *source,
                                 const struct json *node, struct typed_text **typed)
{
    struct template_writer w = {.c = c, .env = env, .source = source, .typed = typed};
    buffer_init(&w.text, c->place);
    put_node(&w, node);
    flush_text(&w);
    const struct piece *pieces = arena_copy(c->keep, w.pieces, w.count * sizeof *pieces);
    if (!pieces) c->diag->failed = true;
    return (struct template){pieces, pieces ? w.count : 0};
}
