/* An expression in one form, whatever its layout: its tokens, one blank between them, texts in double quotes. What it
 * names is put in: a shorthand as its text in brackets, and behind a constant its value. So two texts that come out alike mean the
 * same, in whatever sets they stand. */
#include "base/buffer.h"
#include "cel/env.h"
#include "cel/lex.h"

struct canon {
    struct arena *scratch;
    const struct cel_env *env;
    struct buffer *out;
    struct diagnostics diag;
};

/* Which shorthands a text may use: those of the list before a number, and all of the lists around it. */
struct known {
    const struct cel_shorthands *list;
    size_t before;
};

static void put_text(struct canon *k, struct known known, str text);

/* *known becomes what its own text may use. */
static const struct cel_shorthand *find_shorthand(struct known *known, str name)
{
    while (known->list) {
        uint32_t number = names_find(&known->list->names, name);
        if (number != NAME_NONE && number < known->before) {
            known->before = number;
            return &known->list->items[number];
        }
        known->list = known->list->outer;
        known->before = known->list ? known->list->count : 0;
    }
    return NULL;
}

/* `path`: with what stands before it, as "tables.offer" of "offer". */
static void put_name(struct canon *k, struct known known, str path, str name)
{
    const struct declaration *constant = env_find(k->env, path);
    const struct cel_shorthand *shorthand = path.size == name.size ? find_shorthand(&known, name) : NULL;
    if (shorthand) {
        buffer_put_str(k->out, STR("( "));
        put_text(k, known, shorthand->text);
        buffer_put_str(k->out, STR(") "));
        return;
    }
    buffer_put_format(k->out, "%.*s ", STR_ARG(name));
    if (!constant || constant->kind != DECLARED_CONSTANT) return;
    cel_print_json(constant->value, k->out);
    buffer_put_char(k->out, ' ');
}

static void put_token(struct canon *k, const struct compile *c, const struct token *token)
{
    if (token->kind == TOKEN_VALUE && token->value.kind == CEL_STRING)
        buffer_put_json_string(k->out, cel_text(token->value));
    else
        buffer_put_str(k->out, span_text(c, token->span));
    buffer_put_char(k->out, ' ');
}

static void put_text(struct canon *k, struct known known, str text)
{
    struct compile c = {
        .keep = k->scratch, .scratch = k->scratch, .env = k->env, .text = text, .diag = &k->diag};
    struct lexer lexer = {.c = &c, .end = (uint32_t)text.size};
    str path = {0};
    bool dotted = false;
    for (struct token token = lex_next(&lexer); token.kind != TOKEN_END && !k->out->failed;
         token = lex_next(&lexer)) {
        bool dot = token.kind == TOKEN_SIGN && str_equal(token.text, STR("."));
        if (token.kind == TOKEN_NAME) {
            path = dotted && path.size
                       ? arena_format(k->scratch, "%.*s.%.*s", STR_ARG(path), STR_ARG(token.text))
                       : token.text;
            put_name(k, known, dotted && path.size == token.text.size ? (str){0} : path, token.text);
        } else {
            put_token(k, &c, &token);
            if (!dot) path = (str){0};
        }
        dotted = dot;
    }
}

bool cel_canonical(struct arena *scratch, const struct cel_env *env, str text, struct buffer *out)
{
    struct canon k = {.scratch = scratch, .env = env, .out = out};
    diag_init(&k.diag, scratch);
    const struct cel_shorthands *list = env->shorthands;
    put_text(&k, (struct known){list, list ? list->count : 0}, text);
    return !out->failed && !k.diag.failed;
}
