/* `totals`, counts over all customers; and events that tell what became of a send, which are counted likewise. */
#include "rule/compile/compile.h"

static const struct type_list no_types = {0};

static void compile_total(struct compiler *c, const struct declared *d, struct total_rule *out)
{
    enum { SCOPE = SCOPE_EVENT | SCOPE_LAST | SCOPE_NOW | SCOPE_COUNTS | SCOPE_SEGMENTS };
    const struct json *by = keyword_get(d->value, PLACE_TOTAL, "by"),
                      *sum = keyword_get(d->value, PLACE_TOTAL, "sum");
    c->owner = (struct owner){"total", d->name};
    out->name = d->name;
    if (!str_is_identifier(d->name))
        gather_error_at_key(c->diag, d->source, d->value, (str){0},
                            "a total must be named with letters, digits and _");
    if (keyword_check(d->source, d->value, PLACE_TOTAL, "a total", c->diag) && !json_member(d->value, "on"))
        gather_error_at_key(c->diag, d->source, d->value, (str){0},
                            "total '%.*s' needs 'on': which events it counts", STR_ARG(d->name));
    out->on = declare_read_types(c, d->source, keyword_get(d->value, PLACE_TOTAL, "on"));
    if (!out->on.count) return;
    arena_reset(c->place);
    const struct cel_env *env = scope_env(c, SCOPE | scope_of(out->on), out->on, no_types, "a total");
    out->condition = compile_condition(c, env, d->source, keyword_get(d->value, PLACE_TOTAL, "if"));
    out->by = compile_text(c, env, d->source, by, NULL);
    out->sum = compile_text(c, env, d->source, sum, NULL);
    compile_expect_kinds(c, d->source, by, out->by, KINDS_TEXT, true, "a string or a list of strings");
    compile_expect_kinds(c, d->source, sum, out->sum, KINDS_NUMBER, false, "a number");
}

void compile_totals(struct compiler *c)
{
    const struct section *totals = &c->files.totals;
    c->set->totals = ARENA_ARRAY(c->keep, struct total_rule, totals->count + 1);
    if (!c->set->totals) {
        c->diag->failed = true;
        return;
    }
    for (size_t i = 0; i < totals->count; i++)
        compile_total(c, &totals->items[i], &c->set->totals[i]);
    c->set->total_count = totals->count;
}

/* ---- feedback */

/* By the last word of its name: email_open, email_opened, push_click, unsubscribe. */
static enum feedback feedback_of(str name)
{
    static const struct {
        str text, word;
    } rows[] = {{{0}, {0}},
#define FEEDBACK_ROW(NAME, text, word) {STR(text), STR(word)},
                RELANCE_FEEDBACK_TABLE(FEEDBACK_ROW)
#undef FEEDBACK_ROW
    };
    size_t begin = name.size;
    while (begin && name.data[begin - 1] != '_')
        begin--;
    str last = str_slice(name, begin, name.size);
    enum feedback feedback = FEEDBACKS;
    while (--feedback != FEEDBACK_NONE)
        if (str_equal(last, rows[feedback].text) || str_equal(last, rows[feedback].word)) break;
    return feedback;
}

/* The slot of a field of that name and type; 0: the type has none. */
static uint32_t field_slot(const struct relance_ruleset *set, const struct typed_event *type, str name,
                           enum cel_type_kind kind)
{
    for (size_t i = ENVELOPE_COUNT; i < type->record->field_count; i++) {
        const struct cel_field *field = &type->record->fields[i];
        if (str_equal(field->name, name) && field->type->kind == kind)
            return set->slots.event + ENVELOPE_COUNT + type->fields[i - ENVELOPE_COUNT];
    }
    return 0;
}

void compile_feedback(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    for (size_t i = 0; i < set->type_count; i++) {
        struct typed_event *type = &set->types[i];
        enum feedback feedback = feedback_of(type->reader->name);
        uint32_t rule = field_slot(set, type, STR("rule"), CEL_TYPE_STRING),
                 step = field_slot(set, type, STR("step"), CEL_TYPE_INT);
        if (!feedback || !rule || !step) continue;
        type->feedback = feedback;
        type->feedback_rule = rule;
        type->feedback_step = step;
        type->named = c->read[rule] = c->read[step] = true;
    }
}
