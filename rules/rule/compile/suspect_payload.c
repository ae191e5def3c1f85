/* Payloads that compile and are hardly meant: what mail tools would fill in and we do not, and, for those who ask
 * (check --strict), what may be absent, since a payload that cannot be filled in is not sent. */
#include "rule/compile/compile.h"

#include "base/buffer.h"

struct payload {
    struct compiler *c;
    const struct declared *rule;
    const struct json *step;
    bool strict; /* what may be absent, too */
};

static size_t find_text(str text, size_t from, str sought)
{
    while (from + sought.size <= text.size && !str_starts_with(str_slice(text, from, text.size), sought))
        from++;
    return from + sought.size <= text.size ? from : text.size;
}

/* "run.key": a variable and what is below it. */
static bool is_path(str text)
{
    size_t first = find_text(text, 0, STR("."));
    if (!scope_is_variable(str_slice(text, 0, first))) return false;
    for (size_t i = 0; i < text.size; i++)
        if (!memchr("._", text.data[i], 2) && (unsigned char)(text.data[i] - '0') > 9 &&
            (unsigned char)((text.data[i] | 0x20) - 'a') > 25)
            return false;
    return true;
}

static void warn(const struct payload *p, const struct json *node, size_t begin, size_t end, str hint,
                 const char *message)
{
    diag_add(p->c->diag, SEVERITY_WARNING, json_origin(p->rule->source, node), begin, end, hint, "%s",
             message);
}

/* "{{ run.key }}": every mail tool writes so; `${{` is a map of CEL. */
static void suspect_braces(const struct payload *p, const struct json *node)
{
    str text = node->text;
    for (size_t at = 0; (at = find_text(text, at, STR("{{"))) < text.size; at += 2) {
        size_t end = find_text(text, at, STR("}}"));
        if (end == text.size) return;
        if (at && text.data[at - 1] == '$') continue;
        str inner = str_trim(str_slice(text, at + 2, end));
        warn(p, node, at, end + 2,
             is_path(inner) ? arena_format(p->c->scratch, "write ${%.*s}", STR_ARG(inner))
                            : STR("an expression is written ${…}"),
             "this is taken as it stands");
        at = end;
    }
}

/* ---- what may be absent */

/* Does something that has to be true before the step, or the date of the rule, speak of it? */
static bool is_asked_for(const struct payload *p, str name)
{
    const struct json *on = json_member(p->rule->value, "on");
    const struct json *asked[] = {json_member(p->rule->value, "if"), json_member(p->rule->value, "while"),
                                  json_member(p->step, "if"), on ? on->child : NULL};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if (asked[i] && asked[i]->kind == JSON_STRING &&
            find_text(asked[i]->text, 0, name) < asked[i]->text.size)
            return true;
    return false;
}

/* "${customer.first_name}" */
static void suspect_absent(const struct payload *p, const struct json *node)
{
    static const str front = STR("${customer.");
    const struct relance_ruleset *set = p->c->set;
    str text = node->text;
    for (size_t at = 0; (at = find_text(text, at, front)) < text.size; at += front.size) {
        str name = str_slice(text, at + front.size, find_text(text, at, STR("}")));
        uint32_t number = names_find(&set->names.attributes, name);
        str whole = str_slice(text, at + 2, at + front.size + name.size);
        if (number == NAME_NONE || number == set->tz_attribute || is_asked_for(p, whole)) continue;
        warn(p, node, at + 2, at + front.size + name.size,
             arena_format(p->c->scratch, "write ${customer.?%.*s.orValue(%s)}", STR_ARG(name),
                          cel_type_zero(set->attributes[number].type)),
             "a customer who does not have this attribute is sent nothing");
    }
}

/* ---- the whole */

static void suspect_texts(const struct payload *p, const struct json *node)
{
    if (node->kind == JSON_STRING) {
        suspect_braces(p, node);
        if (p->strict) suspect_absent(p, node);
    }
    for (const struct json *child = node->child; child; child = child->next)
        suspect_texts(p, child);
}

void suspect_payload(struct compiler *c, const struct declared *rule, const struct json *step)
{
    const struct json *with = json_member(step, "with"), *set = json_member(step, "set");
    struct payload sent = {c, rule, step, c->strict}, written = {c, rule, step, false};
    if (with) suspect_texts(&sent, with);
    if (set)
        suspect_texts(&written, set); /* one that fails leaves its attribute alone: that is often meant */
}
