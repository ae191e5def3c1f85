/* Payloads and values of `set`: templates, filled in (LANGUAGE.md §3.4). */
#include "rule/run/explain.h"
#include "rule/run/runs.h"

#include "base/buffer.h"
#include "state/pack.h"

#include <math.h>

static bool render_splice(struct relance_engine *e, struct cel_value value, struct buffer *out)
{
    struct buffer plain, quoted;
    if (value.kind == CEL_OPTIONAL) {
        cel_fail(&e->frame, CEL_ERROR_CONVERSION,
                 "an optional cannot be put into a text: give it a value with orValue()");
        return false;
    }
    buffer_init(&plain, &e->scratch);
    buffer_init_bounded(&quoted, &e->scratch, LIMIT_ACTION_BYTES);
    if (value.kind == CEL_DOUBLE && !isfinite(value.as.d)) {
        cel_fail(&e->frame, CEL_ERROR_CONVERSION, "NaN and infinities cannot stand inside a text");
        return false;
    }
    if (!cel_print(value, &plain)) {
        cel_fail(&e->frame, CEL_ERROR_CONVERSION, "a list, a map or null cannot be put into a text");
        return false;
    }
    buffer_put_json_string(&quoted, buffer_str(&plain));
    if (plain.failed || (quoted.failed && !quoted.over)) e->failed = true;
    if (quoted.over) out->failed = out->over = true;
    if (quoted.size >= 2) buffer_put(out, quoted.data + 1, quoted.size - 2);
    return true;
}

/* A member or element that may be left out begins: behind others with a comma. */
static void begin_item(str text, struct buffer *out)
{
    char last = out->size && !out->failed ? out->data[out->size - 1] : '{';
    if (last != '{' && last != '[') buffer_put_char(out, ',');
    buffer_put_str(out, text);
}

/* `item`: where the member or element began that the piece belongs to, if it can be left out. */
static bool render_piece(struct relance_engine *e, const struct piece *piece, size_t *item,
                         struct buffer *out)
{
    if (piece->kind == PIECE_TEXT) {
        buffer_put_str(out, piece->text);
        return true;
    }
    if (piece->kind == PIECE_ITEM) {
        *item = out->size;
        begin_item(piece->text, out);
        return true;
    }
    struct cel_value value = engine_evaluate_quietly(e, piece->program);
    if (value.kind == CEL_ERROR) return false;
    if (piece->kind == PIECE_SPLICE) return render_splice(e, value, out);
    if (piece->kind == PIECE_OPTIONAL && value.kind == CEL_OPTIONAL) {
        if (!value.as.optional) out->size = *item;
        if (!value.as.optional) return true;
        value = *value.as.optional;
    }
    if (cel_print_json(value, out) || out->failed) return true;
    cel_fail(&e->frame, CEL_ERROR_CONVERSION,
             "JSON has no form for this value (NaN, an infinity, a type, an optional)");
    return false;
}

bool template_render(struct relance_engine *e, struct template template, str *out)
{
    struct buffer text;
    size_t item = 0;
    buffer_init_bounded(&text, &e->scratch, LIMIT_ACTION_BYTES);
    for (size_t i = 0; i < template.count && !text.failed; i++)
        if (!render_piece(e, &template.pieces[i], &item, &text)) return false;
    *out = buffer_str(&text);
    if (!text.failed) return true;
    if (!text.over) e->failed = true;
    cel_fail(&e->frame, CEL_ERROR_LIMIT, "the payload has more than %u bytes, the most that are sent",
             LIMIT_ACTION_BYTES);
    return false;
}

/* ---- `set` */

/* A duration as it is: the form that it has in JSON is for whoever reads an action, not the form of LANGUAGE.md §2. */
static bool set_duration(struct relance_engine *e, const struct set_attribute *set, struct cel_value *value)
{
    bool wanted = e->set->attributes[set->number].type->kind == CEL_TYPE_DURATION;
    if (!wanted || set->value.count != 1 || !set->value.pieces[0].program) return false;
    struct cel_value found = engine_evaluate_quietly(e, set->value.pieces[0].program);
    if (found.kind == CEL_OPTIONAL && found.as.optional) found = *found.as.optional;
    if (found.kind == CEL_DURATION) *value = cel_duration_ms(cel_timestamp_to_ms(found));
    return found.kind == CEL_DURATION;
}

static void report_unset(struct relance_engine *e, const struct set_attribute *set, const char *why)
{
    engine_report_error(e, why);
    explain_note(e, (struct relance_note){.kind = RELANCE_NOTE_SET,
                                          .key = bytes_str(e->run->key),
                                          .subject = e->set->attributes[set->number].name,
                                          .reason = str_of(why)});
}

static void set_value(struct relance_engine *e, const struct set_attribute *set, struct cel_value *value)
{
    str json;
    *value = (struct cel_value){.kind = CEL_ABSENT};
    if (set_duration(e, set, value)) return;
    if (!template_render(e, set->value, &json)) {
        report_unset(e, set, e->frame.error);
        return;
    }
    if (!json.size) return; /* an empty optional: the attribute stays as it was */
    if (event_coerce_json(&e->scratch, json, e->set->attributes[set->number].type, value)) return;
    if (value->kind == CEL_ERROR) e->failed = true; /* else the answer would depend on the machine */
    value->kind = CEL_ABSENT;
    report_unset(e, set, "the value does not have the attribute's type");
}

/* What has been set, as the line of LANGUAGE.md §6 has it: null where it has been removed. */
static void tell_set(const struct relance_ruleset *set, const struct set_attribute *attribute,
                     struct cel_value value, struct buffer *out)
{
    buffer_put_char(out, out->size ? ',' : '{');
    buffer_put_json_string(out, set->attributes[attribute->number].name);
    buffer_put_char(out, ':');
    cel_print_json(value, out);
}

str attributes_set(struct relance_engine *e, const struct step *step)
{
    struct buffer told;
    struct cel_value *values = or_fail(e, arena_alloc(&e->scratch, (step->set_count + 1) * sizeof *values));
    if (!values) return (str){0};
    buffer_init(&told, &e->scratch);
    for (size_t i = 0; i < step->set_count; i++)
        set_value(e, &step->sets[i], &values[i]);
    for (size_t i = 0; i < step->set_count; i++)
        if (values[i].kind != CEL_ABSENT && attribute_write(e, step->sets[i].number, values[i], e->now_ms))
            tell_set(e->set, &step->sets[i], values[i], &told);
    if (told.size) buffer_put_char(&told, '}');
    e->failed |= told.failed;
    return buffer_str(&told);
}
