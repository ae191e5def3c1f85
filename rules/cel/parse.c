/* Tokens to tree: a Pratt parser (langdef.md "Syntax"); macros are expanded on the way.
 *
 * After a syntax mistake the parser stays silent until the bracket that it is in closes, and goes on there:
 * one mistake is reported once, and mistakes elsewhere are found in the same run. */
#include "cel/env.h"
#include "cel/lex.h"

#include "base/limits.h"

#include <stdarg.h>
#include <stdio.h>

struct parser {
    struct compile *c;
    struct lexer lexer;
    struct token token; /* the next one, not yet taken */
    uint32_t end;       /* of the last token taken */
    uint32_t depth;
    bool panic;
    const struct cel_shorthands *known; /* may be used here: the first so many, and those around them */
    size_t known_count;
    const struct span
        *stands_for; /* the name in the text as given of which this is a part; NULL: this is that text */
};

enum power {
    POWER_NONE,
    POWER_IF,
    POWER_OR,
    POWER_AND,
    POWER_COMPARE,
    POWER_ADD,
    POWER_MULTIPLY,
    POWER_UNARY
};

static const struct infix {
    const char *sign;
    enum power power;
} infixes[] = {
    {"||", POWER_OR},      {"&&", POWER_AND},     {"==", POWER_COMPARE}, {"!=", POWER_COMPARE},
    {"<", POWER_COMPARE},  {"<=", POWER_COMPARE}, {">", POWER_COMPARE},  {">=", POWER_COMPARE},
    {"in", POWER_COMPARE}, {"+", POWER_ADD},      {"-", POWER_ADD},      {"*", POWER_MULTIPLY},
    {"/", POWER_MULTIPLY}, {"%", POWER_MULTIPLY},
};

static struct node *parse(struct parser *p, enum power power);

/* ---- nodes */

struct span span_join(struct span a, struct span b)
{
    return (struct span){a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}

str span_text(const struct compile *c, struct span span)
{
    return str_slice(c->text, span.begin, span.end);
}

struct node *node_new(struct compile *c, enum node_kind kind, struct span span)
{
    struct node *node = ARENA_NEW(c->scratch, struct node);
    if (!node) {
        c->failed = true;
        node = &c->broken;
        *node = (struct node){.kind = NODE_BROKEN};
        return node;
    }
    node->kind = kind;
    node->span = node->name_span = span;
    node->height = 1;
    return node;
}

void node_add(struct compile *c, struct node *node, struct node *child)
{
    if (node == &c->broken) return;
    if (node->count == node->capacity) {
        size_t capacity = node->capacity ? node->capacity * 2 : 2;
        struct node **children = ARENA_ARRAY(c->scratch, struct node *, capacity);
        if (!children) {
            c->failed = true;
            return;
        }
        if (node->count) memcpy(children, node->children, node->count * sizeof children[0]);
        node->children = children;
        node->capacity = capacity;
    }
    node->children[node->count++] = child;
    if (child && child->height >= node->height) node->height = child->height + 1;
    if (child && node->height > LIMIT_CEL_CHAIN) {
        mistake(c, node->span, STR("split it in two"), "this chain has more than %d links", LIMIT_CEL_CHAIN);
        node->height = 1;
        node->kind = NODE_BROKEN;
    }
}

struct node *node_call(struct compile *c, const char *name, bool method, struct span span, struct node *a,
                       struct node *b)
{
    struct node *node = node_new(c, NODE_CALL, span);
    node->name = str_of(name);
    node->method = method;
    if (a) node_add(c, node, a);
    if (b) node_add(c, node, b);
    return node;
}

/* ---- texts that are put in */

/* Where the text as given ends. */
static uint32_t put_in_begins(const struct compile *c)
{
    return c->put_in_count ? c->put_ins[0].span.begin - 1 : (uint32_t)c->text.size;
}

const struct put_in *put_in_at(const struct compile *c, uint32_t at)
{
    size_t i = c->put_in_count;
    while (i > 0 && c->put_ins[i - 1].span.begin > at)
        i--;
    return i ? &c->put_ins[i - 1] : NULL;
}

/* The first time the text moves to where there is room for as much as there may be: later ones are put behind it
 * without moving what points to it. */
static bool make_room(struct compile *c)
{
    if (!c->put_in_count) {
        char *room = arena_alloc(c->scratch, LIMIT_CEL_SOURCE_BYTES);
        if (!room) return false;
        if (c->text.size) memcpy(room, c->text.data, c->text.size);
        c->text.data = room;
    }
    if (c->put_in_count < c->put_in_capacity) return true;
    size_t capacity = c->put_in_capacity ? c->put_in_capacity * 2 : 8;
    struct put_in *grown = ARENA_ARRAY(c->scratch, struct put_in, capacity);
    if (!grown) return false;
    if (c->put_in_count) memcpy(grown, c->put_ins, c->put_in_count * sizeof *grown);
    c->put_ins = grown;
    c->put_in_capacity = capacity;
    return true;
}

bool put_in(struct compile *c, struct span at, const struct cel_shorthand *shorthand, struct span *span)
{
    size_t begin = c->text.size, size = begin + shorthand->text.size + 2;
    if (size > LIMIT_CEL_SOURCE_BYTES) {
        if (!c->overlong)
            mistake(c, at, (str){0},
                    "with all that its names stand for, the expression has more than %u bytes",
                    LIMIT_CEL_SOURCE_BYTES);
        c->overlong = true;
        return false;
    }
    if (!make_room(c)) {
        c->failed = true;
        return false;
    }
    char *room = (char *)c->text.data;
    room[begin] = '(';
    if (shorthand->text.size) memcpy(room + begin + 1, shorthand->text.data, shorthand->text.size);
    room[size - 1] = ')';
    c->text.size = size;
    *span = (struct span){(uint32_t)begin + 1, (uint32_t)size - 1};
    c->put_ins[c->put_in_count++] = (struct put_in){*span, shorthand->origin};
    return true;
}

/* ---- mistakes */

static void report(struct compile *c, enum severity severity, struct span span, str hint, const char *format,
                   va_list list)
{
    char text[512] = ""; /* of one that is only counted, nothing */
    if (!diag_is_full(c->diag)) vsnprintf(text, sizeof text, format, list);
    const struct put_in *part = put_in_at(c, span.begin);
    struct span within = part ? part->span : (struct span){0, put_in_begins(c)};
    if (span.end > within.end) span.end = within.end;
    diag_add(c->diag, severity, part ? part->origin : c->origin, span.begin - within.begin,
             span.end - within.begin, hint, "%s", text);
}

void mistake(struct compile *c, struct span span, str hint, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    report(c, SEVERITY_ERROR, span, hint, format, list);
    va_end(list);
    c->mistakes++;
}

void caution(struct compile *c, struct span span, str hint, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    report(c, SEVERITY_WARNING, span, hint, format, list);
    va_end(list);
}

/* ---- tokens */

static bool is_sign(const struct parser *p, const char *sign)
{
    return p->token.kind == TOKEN_SIGN && str_equal(p->token.text, str_of(sign));
}

static struct token take(struct parser *p)
{
    struct token token = p->token;
    p->end = token.span.end;
    p->token = lex_next(&p->lexer);
    for (; p->token.kind == TOKEN_BAD; p->token = lex_next(&p->lexer))
        p->panic = true; /* it has been reported */
    return token;
}

static bool accept(struct parser *p, const char *sign)
{
    if (!is_sign(p, sign)) return false;
    take(p);
    return true;
}

static struct node *broken_at(struct parser *p, struct span span)
{
    return node_new(p->c, NODE_BROKEN, span);
}

static void unexpected(struct parser *p, const char *wanted)
{
    if (p->panic) return;
    p->panic = true;
    static const struct {
        const char *word, *hint;
    } words[] = {{"and", "write '&&'"},
                 {"or", "write '||'"},
                 {"not", "write '!'"},
                 {"AND", "write '&&'"},
                 {"OR", "write '||'"},
                 {"is", "write '=='"},
                 {"like", "write x.contains('…') or x.matches('…')"},
                 {"LIKE", "write x.contains('…') or x.matches('…')"},
                 {"contains", "write x.contains('…')"},
                 {"IN", "write 'in'"}};
    str hint = {0};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (p->token.kind == TOKEN_NAME && str_equal(p->token.text, str_of(words[i].word)))
            hint = str_of(words[i].hint);
    struct span span = p->token.span;
    if (is_sign(p, ">") && p->end == span.begin && p->end && p->c->text.data[p->end - 1] == '<')
        hint = STR("write '!='"); /* <> */
    if (p->token.kind == TOKEN_END)
        mistake(p->c, (struct span){p->end, p->end + (p->end < p->lexer.end)}, hint,
                "the expression ends where %s is expected", wanted);
    else
        mistake(p->c, span, hint, "%s is expected here, not '%.*s'", wanted, STR_ARG(span_text(p->c, span)));
}

static int bracket_turn(const struct token *token)
{
    if (token->kind != TOKEN_SIGN || token->text.size != 1) return 0;
    return strchr("([{", token->text.data[0]) ? 1 : strchr(")]}", token->text.data[0]) ? -1 : 0;
}

/* Takes the closing bracket of `open`; after a mistake, whatever comes before it too. */
static void close_bracket(struct parser *p, struct token open, const char *sign)
{
    if (!is_sign(p, sign)) {
        if (p->token.kind == TOKEN_END && !p->panic) {
            p->panic = true;
            mistake(p->c, open.span, (str){0}, "this '%.*s' is never closed", STR_ARG(open.text));
        } else if (bracket_turn(&p->token) < 0 && !p->panic) {
            p->panic = true;
            mistake(p->c, p->token.span, (str){0},
                    "'%s' is expected here to close the '%.*s' before it, not '%.*s'", sign,
                    STR_ARG(open.text), STR_ARG(p->token.text));
        } else {
            unexpected(p, *sign == ')' ? "',' or ')'" : *sign == ']' ? "',' or ']'" : "',' or '}'");
        }
        for (int depth = 0; p->token.kind != TOKEN_END; take(p)) {
            int turn = bracket_turn(&p->token);
            if (depth == 0 && turn < 0) break;
            depth += turn;
        }
    }
    if (is_sign(p, sign)) p->panic = false;
    if (bracket_turn(&p->token) < 0) take(p);
}

/* ---- what stands at the beginning of a value */

static struct node *parse_integer(struct parser *p, struct token token, uint32_t begin, bool negative)
{
    struct span span = {begin, token.span.end};
    struct node *node = node_new(p->c, NODE_CONSTANT, span);
    uint64_t u = token.value.as.u;
    if (token.unsigned_suffix && !token.huge) {
        node->value = cel_uint(u);
    } else if (token.unsigned_suffix) {
        mistake(p->c, span, (str){0}, "this number is too large for a uint");
    } else if (token.huge || u > (uint64_t)INT64_MAX + negative) {
        bool fits = !token.huge && !negative;
        mistake(p->c, span, fits ? STR("a uint, written with u, could hold it") : (str){0},
                "this number is too %s for an int", negative ? "small" : "large");
    } else {
        node->value = cel_int(negative ? (int64_t)(0 - u) : (int64_t)u);
    }
    if (node->value.kind == CEL_UNSET) node->kind = NODE_BROKEN;
    return node;
}

static struct node *parse_value(struct parser *p)
{
    struct token token = take(p);
    struct node *node = node_new(p->c, NODE_CONSTANT, token.span);
    node->value = token.value;
    return node;
}

/* Reserved by langdef.md: no names of variables; after a dot they are names like any other. */
bool parse_is_reserved(str name)
{
    static const char *const words[] = {"as",        "break",  "const",  "continue", "else",  "for",
                                        "function",  "if",     "import", "let",      "loop",  "package",
                                        "namespace", "return", "var",    "void",     "while", "in"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_equal(name, str_of(words[i]))) return true;
    return false;
}

static void parse_arguments(struct parser *p, struct node *call, struct token open)
{
    while (!is_sign(p, ")") && p->token.kind != TOKEN_END) {
        node_add(p->c, call, parse(p, POWER_NONE));
        if (!accept(p, ",")) break;
    }
    close_bracket(p, open, ")");
    call->span.end = p->end;
}

static struct node *finish_call(struct parser *p, struct node *call)
{
    struct node *expanded = macro_expand(p->c, call);
    return expanded ? expanded : call;
}

static struct node *parse_all(struct parser *p);

/* The list in which it is a shorthand, and its number there; NULL: none. */
static const struct cel_shorthands *find_shorthand(const struct parser *p, str name, uint32_t *number)
{
    const struct cel_shorthands *list = p->known;
    while (list && (*number = names_find(&list->names, name)) == NAME_NONE)
        list = list->outer;
    return list;
}

/* What the name stands for, if it is a shorthand; NULL when it is none. */
static struct node *parse_shorthand(struct parser *p, struct token name)
{
    uint32_t number;
    const struct cel_shorthands *list = find_shorthand(p, name.text, &number);
    if (!list) return NULL;
    if (list == p->known && number >= p->known_count) {
        mistake(p->c, name.span, (str){0},
                number == p->known_count
                    ? "'%.*s' cannot stand for itself"
                    : "'%.*s' comes later: only what is declared before can be used here",
                STR_ARG(name.text));
        return broken_at(p, name.span);
    }
    if (list->used) list->used[number] = true;
    struct span span;
    const struct span *place = p->stands_for ? p->stands_for : &name.span;
    if (!put_in(p->c, *place, &list->items[number], &span)) return broken_at(p, name.span);
    struct parser inside = {.c = p->c,
                            .lexer = {.c = p->c, .at = span.begin, .end = span.end},
                            .end = span.begin,
                            .depth = p->depth,
                            .known = list,
                            .known_count = number,
                            .stands_for = place};
    struct node *node = node_new(p->c, NODE_SHORTHAND, name.span);
    node->name = name.text;
    node_add(p->c, node, parse_all(&inside));
    return node;
}

static struct node *parse_name(struct parser *p, bool absolute, uint32_t begin)
{
    struct token token = take(p);
    struct span span = {begin, token.span.end};
    static const struct {
        const char *word;
        struct cel_value value;
    } words[] = {{"true", {.kind = CEL_BOOL, .as.b = true}},
                 {"false", {.kind = CEL_BOOL}},
                 {"null", {.kind = CEL_NULL}}};
    for (size_t i = 0; i < sizeof words / sizeof words[0] && !absolute; i++)
        if (str_equal(token.text, str_of(words[i].word))) {
            struct node *constant = node_new(p->c, NODE_CONSTANT, span);
            constant->value = words[i].value;
            return constant;
        }
    if (parse_is_reserved(token.text)) {
        if (!p->panic)
            mistake(p->c, token.span, (str){0}, "'%.*s' is a reserved word of CEL and cannot be a name",
                    STR_ARG(token.text));
        p->panic = true;
        return broken_at(p, span);
    }
    struct node *node = absolute || is_sign(p, "(") ? NULL : parse_shorthand(p, token);
    if (node) return node;
    node = node_new(p->c, NODE_NAME, span);
    node->name = absolute ? span_text(p->c, span) : token.text;
    if (absolute && span.end - span.begin != token.text.size + 1) /* ". name" */
        node->name = arena_format(p->c->scratch, ".%.*s", STR_ARG(token.text));
    if (!is_sign(p, "(")) return node;
    node->kind = NODE_CALL;
    node->name_span = token.span;
    struct token open = take(p);
    parse_arguments(p, node, open);
    return finish_call(p, node);
}

static struct node *parse_list(struct parser *p)
{
    struct token open = take(p);
    struct node *list = node_new(p->c, NODE_LIST, open.span);
    while (!is_sign(p, "]") && p->token.kind != TOKEN_END) {
        bool marked = accept(p, "?");
        struct node *item = parse(p, POWER_NONE);
        item->marked = marked;
        node_add(p->c, list, item);
        if (!accept(p, ",")) break;
    }
    close_bracket(p, open, "]");
    list->span.end = p->end;
    return list;
}

static struct node *parse_map(struct parser *p)
{
    struct token open = take(p);
    struct node *map = node_new(p->c, NODE_MAP, open.span);
    while (!is_sign(p, "}") && p->token.kind != TOKEN_END) {
        bool marked = accept(p, "?");
        struct node *key = parse(p, POWER_NONE);
        key->marked = marked;
        if (!accept(p, ":")) {
            unexpected(p, "':' and the value of this key");
            break;
        }
        node_add(p->c, map, key);
        node_add(p->c, map, parse(p, POWER_NONE));
        if (!accept(p, ",")) break;
    }
    close_bracket(p, open, "}");
    map->span.end = p->end;
    if (map->count % 2) map->kind = NODE_BROKEN; /* out of memory between key and value */
    return map;
}

static struct node *parse_group(struct parser *p)
{
    struct token open = take(p);
    struct node *inner = parse(p, POWER_NONE);
    close_bracket(p, open, ")");
    inner->grouped = true;
    inner->span = (struct span){open.span.begin, p->end};
    return inner;
}

static struct node *parse_primary(struct parser *p)
{
    uint32_t begin = p->token.span.begin;
    switch (p->token.kind) {
    case TOKEN_INTEGER: return parse_integer(p, take(p), begin, false);
    case TOKEN_VALUE: return parse_value(p);
    case TOKEN_NAME: return parse_name(p, false, begin);
    default: break;
    }
    if (is_sign(p, "(")) return parse_group(p);
    if (is_sign(p, "[")) return parse_list(p);
    if (is_sign(p, "{")) return parse_map(p);
    if (accept(p, ".")) {
        if (p->token.kind == TOKEN_NAME) return parse_name(p, true, begin);
        unexpected(p, "a name");
        return broken_at(p, p->token.span);
    }
    unexpected(p, "a value");
    return broken_at(p, p->token.span);
}

/* ---- what may follow a value */

static struct node *parse_selector(struct parser *p, struct node *operand)
{
    bool optional = accept(p, "?");
    if (p->token.kind != TOKEN_NAME && p->token.kind != TOKEN_QUOTED) {
        unexpected(p, "the name of a field or function");
        return operand;
    }
    struct token name = take(p);
    struct span span = span_join(operand->span, name.span);
    bool call = is_sign(p, "(") && name.kind == TOKEN_NAME && !optional;
    struct node *node = node_new(p->c, call ? NODE_CALL : NODE_SELECT, span);
    node->name = name.text;
    node->name_span = name.span;
    node->optional = optional;
    node->method = call;
    node->quoted = name.kind == TOKEN_QUOTED;
    node_add(p->c, node, operand);
    if (!call) return node;
    struct token open = take(p);
    parse_arguments(p, node, open);
    return finish_call(p, node);
}

static struct node *parse_index(struct parser *p, struct node *operand)
{
    struct token open = take(p);
    bool optional = accept(p, "?");
    struct node *index = parse(p, POWER_NONE);
    close_bracket(p, open, "]");
    struct span span = {operand->span.begin, p->end};
    struct node *node = node_call(p->c, optional ? "[?]" : "[]", false, span, operand, index);
    node->name_span = (struct span){open.span.begin, p->end};
    return node;
}

static struct node *parse_postfix(struct parser *p, struct node *operand)
{
    while (!p->panic && !p->c->failed) {
        if (is_sign(p, "[")) {
            operand = parse_index(p, operand);
        } else if (accept(p, ".")) {
            operand = parse_selector(p, operand);
        } else {
            break;
        }
    }
    return operand;
}

/* "-" before digits belongs to the number: else the least int could not be written. */
static struct node *parse_negative(struct parser *p, struct token sign)
{
    if (p->token.kind == TOKEN_INTEGER && !p->token.unsigned_suffix)
        return parse_postfix(p, parse_integer(p, take(p), sign.span.begin, true));
    if (p->token.kind == TOKEN_VALUE && p->token.value.kind == CEL_DOUBLE) {
        struct node *node = parse_value(p);
        node->value.as.d = -node->value.as.d;
        node->span.begin = sign.span.begin;
        return parse_postfix(p, node);
    }
    struct node *operand = parse(p, POWER_UNARY);
    struct node *node = node_call(p->c, "-_", false, span_join(sign.span, operand->span), operand, NULL);
    node->name_span = sign.span;
    return node;
}

static struct node *parse_unary(struct parser *p)
{
    if (is_sign(p, "-")) return parse_negative(p, take(p));
    if (is_sign(p, "!")) {
        struct token sign = take(p);
        struct node *operand = parse(p, POWER_UNARY);
        struct node *node = node_call(p->c, "!", false, span_join(sign.span, operand->span), operand, NULL);
        node->name_span = sign.span;
        return node;
    }
    return parse_postfix(p, parse_primary(p));
}

/* ---- operators between values */

static const struct infix *next_infix(const struct parser *p)
{
    if (p->token.kind != TOKEN_SIGN && p->token.kind != TOKEN_NAME) return NULL;
    for (size_t i = 0; i < sizeof infixes / sizeof infixes[0]; i++)
        if (str_equal(p->token.text, str_of(infixes[i].sign))) return &infixes[i];
    return NULL;
}

/* a && b && c is one node with three children. */
static struct node *join_logic(struct parser *p, enum node_kind kind, struct token sign, struct node *left,
                               struct node *right)
{
    struct span span = span_join(left->span, right->span);
    if (left->kind == kind && !left->grouped) {
        left->span = span;
        node_add(p->c, left, right);
        return left;
    }
    struct node *node = node_new(p->c, kind, span);
    node->name = sign.text;
    node->name_span = sign.span;
    node_add(p->c, node, left);
    node_add(p->c, node, right);
    return node;
}

static struct node *parse_infix(struct parser *p, struct node *left, const struct infix *infix)
{
    struct token sign = take(p);
    struct node *right = parse(p, infix->power);
    if (infix->power == POWER_OR) return join_logic(p, NODE_OR, sign, left, right);
    if (infix->power == POWER_AND) return join_logic(p, NODE_AND, sign, left, right);
    struct node *node = node_call(p->c, infix->sign, false, span_join(left->span, right->span), left, right);
    node->name_span = sign.span;
    return node;
}

static struct node *parse_conditional(struct parser *p, struct node *condition)
{
    struct token sign = take(p);
    struct node *yes = parse(p, POWER_IF);
    if (!accept(p, ":")) {
        unexpected(p, "':' and the other value of '?'");
        return broken_at(p, condition->span);
    }
    struct node *no = parse(p, POWER_NONE);
    struct node *node = node_new(p->c, NODE_IF, span_join(condition->span, no->span));
    node->name_span = sign.span;
    node_add(p->c, node, condition);
    node_add(p->c, node, yes);
    node_add(p->c, node, no);
    return node;
}

static struct node *parse_operators(struct parser *p, enum power power)
{
    struct node *left = parse_unary(p);
    while (!p->panic && !p->c->failed) {
        const struct infix *infix = next_infix(p);
        if (infix && infix->power > power) {
            left = parse_infix(p, left, infix);
        } else if (power < POWER_IF && is_sign(p, "?")) {
            left = parse_conditional(p, left);
        } else {
            break;
        }
    }
    return left;
}

/* Everything that binds tighter than `power`. Each nesting of brackets comes through here once. */
static struct node *parse(struct parser *p, enum power power)
{
    if (p->depth >= LIMIT_CEL_DEPTH) {
        if (!p->panic)
            mistake(p->c, p->token.span, (str){0}, "the expression is nested more than %d deep",
                    LIMIT_CEL_DEPTH);
        p->panic = true;
        return broken_at(p, p->token.span);
    }
    p->depth++;
    struct node *node = parse_operators(p, power);
    p->depth--;
    return node;
}

/* From the beginning of its text to the end. */
static struct node *parse_all(struct parser *p)
{
    uint32_t begin = p->end;
    take(p);
    p->end = begin;
    struct node *root = parse(p, POWER_NONE);
    if (p->token.kind == TOKEN_END || p->panic || p->c->failed) return root;
    if (bracket_turn(&p->token) < 0)
        mistake(p->c, p->token.span, (str){0}, "this '%.*s' closes nothing", STR_ARG(p->token.text));
    else
        unexpected(p, "an operator or the end");
    return root;
}

struct node *parse_expression(struct compile *c)
{
    const struct cel_shorthands *known = c->env ? c->env->shorthands : NULL;
    struct parser p = {.c = c,
                       .lexer = {.c = c, .end = (uint32_t)c->text.size},
                       .known = known,
                       .known_count = known ? known->count : 0};
    return parse_all(&p);
}
