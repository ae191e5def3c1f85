/* Do values fit the types that are declared for them? Of JSON that stands in a rule file: what a test is given, what a step
 * sets. A constant fits if it would be taken from an event. Something that is computed has a type of its own, and fits where
 * a value of that type can: a number's text is a string, but a text is taken for a number, or for true or false, only in
 * events, which come from elsewhere: here it is a slip. */
#include "rule/compile/compile.h"

#include "base/buffer.h"
#include "base/nearest.h"

struct fit {
    struct compiler *c;
    const struct source *source;
    const struct typed_text *typed;
};

static void fit_value(struct fit *f, const struct json *node, const struct cel_type *type, bool element);

/* ---- what is computed */

static void fit_typed(struct fit *f, const struct typed_text *typed, const struct cel_type *type)
{
    if (event_may_take(type, typed->type)) return;
    str found = cel_type_noun(f->c->scratch, typed->type), wanted = cel_type_noun(f->c->scratch, type);
    gather_error(f->c->diag, f->source, typed->node, (str){0}, "this must be %.*s, but is %.*s",
                 STR_ARG(wanted), STR_ARG(found));
}

static const struct typed_text *typed_at(const struct fit *f, const struct json *node)
{
    const struct typed_text *typed = f->typed;
    while (typed && typed->node != node)
        typed = typed->next;
    return typed;
}

/* ---- constants */

static void refuse(struct fit *f, const struct json *node, const struct cel_type *type)
{
    str noun = cel_type_noun(f->c->scratch, type);
    gather_error(f->c->diag, f->source, node, (str){0}, "this is not %.*s", STR_ARG(noun));
}

static void fit_record(struct fit *f, const struct json *node, const struct cel_record_type *record)
{
    for (const struct json *m = node->child; m; m = m->next) {
        struct nearest nearest = nearest_to(m->key);
        size_t i = 0;
        while (i < record->field_count && !str_equal(record->fields[i].name, m->key))
            nearest_offer(&nearest, record->fields[i++].name);
        if (i < record->field_count)
            fit_value(f, m, record->fields[i].type, false);
        else
            gather_error_at_key(f->c->diag, f->source, m, nearest_hint(&nearest, f->c->scratch),
                                "record '%.*s' has no field '%.*s'", STR_ARG(record->name), STR_ARG(m->key));
    }
}

/* Also without memory, which is said elsewhere. */
static bool fits_scalar(struct fit *f, const struct json *node, const struct cel_type *type)
{
    struct cel_value value = {0};
    struct buffer text;
    buffer_init(&text, f->c->work);
    json_write(node, &text);
    bool fine = !text.failed && event_coerce_json(f->c->work, buffer_str(&text), type, &value);
    bool failed = text.failed || (!fine && value.kind == CEL_ERROR);
    f->c->diag->failed |= failed;
    arena_reset(f->c->work);
    return fine || failed;
}

/* `element`: of a list or map, where null is nothing that could be left out. */
static void fit_value(struct fit *f, const struct json *node, const struct cel_type *type, bool element)
{
    const struct typed_text *typed = typed_at(f, node);
    if (typed) return fit_typed(f, typed, type);
    if (type->kind == CEL_TYPE_DYN) return;
    if (node->kind == JSON_NULL && !element) return;
    bool list = type->kind == CEL_TYPE_LIST, map = type->kind == CEL_TYPE_MAP;
    if (list || map || type->kind == CEL_TYPE_RECORD) {
        if (node->kind != (list ? JSON_ARRAY : JSON_OBJECT)) return refuse(f, node, type);
        if (type->kind == CEL_TYPE_RECORD) return fit_record(f, node, type->record);
        for (const struct json *item = node->child; item; item = item->next)
            fit_value(f, item, type->params[map], true);
    } else if (node->kind == JSON_NULL || !fits_scalar(f, node, type)) {
        refuse(f, node, type);
    }
}

void check_fit(struct compiler *c, const struct source *source, const struct json *node,
               const struct cel_type *type, const struct typed_text *typed)
{
    fit_value(&(struct fit){c, source, typed}, node, type, false);
}
