/* Text to tokens. */
#ifndef RULES_CEL_LEX_H
#define RULES_CEL_LEX_H

#include "cel/ast.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,    /* text */
    TOKEN_QUOTED,  /* `text`: a selector that is no name */
    TOKEN_INTEGER, /* value.as.u: its magnitude; `unsigned_suffix`; `huge`: does not fit */
    TOKEN_VALUE,   /* value: a double, string or bytes */
    TOKEN_SIGN,    /* text: an operator or bracket */
    TOKEN_BAD,     /* reported */
};

struct token {
    enum token_kind kind;
    struct span span;
    str text;
    struct cel_value value;
    bool unsigned_suffix, huge;
};

struct lexer {
    struct compile *c;
    uint32_t at, end; /* the text is read as far as that */
};

struct token lex_next(struct lexer *lexer);

#endif
