/* Limits over all rules: quiet hours and caps, compiled. */
#include "rule/compile/compile.h"

#include "base/buffer.h"
#include "base/duration.h"

static const struct type_list no_types = {0};

static bool parse_quiet(str text, struct limit *out)
{
    if (text.size != 11 || text.data[5] != '-') return false;
    out->quiet_from = clock_parse(str_slice(text, 0, 5));
    out->quiet_until = clock_parse(str_slice(text, 6, 11));
    return out->quiet_from >= 0 && out->quiet_until >= 0;
}

static const struct {
    str name;
    enum limit_period period;
} periods[] = {{STR("day"), PERIOD_DAY}, {STR("week"), PERIOD_WEEK}, {STR("month"), PERIOD_MONTH}};

enum { MAX_SENDS = 1000000000 }; /* sends are kept while they count: nobody gets so many */

/* "N per D". */
static bool parse_max(str text, struct limit *out)
{
    size_t at = 0;
    uint64_t n = 0;
    for (; at < text.size && text.data[at] >= '0' && text.data[at] <= '9' && n <= MAX_SENDS; at++)
        n = n * 10 + (uint64_t)(text.data[at] - '0');
    str rest = str_slice(text, at, text.size), per = STR(" per ");
    if (n < 1 || n > MAX_SENDS || !str_starts_with(rest, per)) return false;
    str window = str_slice(rest, per.size, rest.size);
    out->max = (uint32_t)n;
    out->max_text = text;
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++)
        if (str_equal(window, periods[i].name)) {
            out->period = periods[i].period;
            return true;
        }
    return duration_parse(window, &out->window_ms) && out->window_ms > 0;
}

/* "3/week", "3 a week", "3x per weeks": how it is written. */
static str max_cure(struct arena *arena, str text)
{
    struct limit limit;
    size_t digits = 0, begin = text.size;
    while (digits < text.size && (unsigned char)(text.data[digits] - '0') <= 9)
        digits++;
    while (begin > digits && (unsigned char)((text.data[begin - 1] | 0x20) - 'a') < 26)
        begin--; /* the last word, with what counts it */
    while (begin > digits && (unsigned char)(text.data[begin - 1] - '0') <= 9)
        begin--;
    str window = str_slice(text, begin, text.size);
    for (size_t plural = 0; plural < 2 && window.size > plural; plural++) {
        str cure = arena_format(arena, "%.*s per %.*s", (int)digits, text.data, (int)(window.size - plural),
                                window.data);
        if (parse_max(cure, &limit)) return arena_format(arena, "write \"%.*s\"", STR_ARG(cure));
    }
    return (str){0};
}

/* The name that a limit's sends are kept under: its own text, numbered when two are alike. */
static bool name_limit(struct compiler *c, const struct json *node, struct limit *limit)
{
    struct buffer text;
    buffer_init(&text, c->keep);
    json_write(node, &text);
    limit->name = buffer_str(&text);
    for (size_t n = 2; limit->name.size && names_find(&c->set->names.limits, limit->name) != NAME_NONE; n++)
        limit->name = arena_format(c->keep, "%.*s#%zu", STR_ARG(buffer_str(&text)), n);
    if (!limit->name.size || text.failed) return false;
    names_add(&c->set->names.limits, limit->name);
    return true;
}

static void compile_limit(struct compiler *c, const struct declared *d, struct limit *out)
{
    arena_reset(c->place);
    const struct json *node = d->value;
    *out = (struct limit){.point = new_point(c, d->source, node->begin), .quiet_from = -1};
    if (!name_limit(c, node, out)) c->diag->failed = true;
    bool sound = keyword_check(d->source, node, PLACE_LIMIT, "a limit", c->diag);
    if (node->kind != JSON_OBJECT) return;
    const struct json *quiet = keyword_get(node, PLACE_LIMIT, "quiet"),
                      *max = keyword_get(node, PLACE_LIMIT, "max");
    const struct json *send = keyword_get(node, PLACE_LIMIT, "send"),
                      *full = keyword_get(node, PLACE_LIMIT, "else");
    if (!quiet == !max && (sound || quiet))
        gather_error(c->diag, d->source, node, (str){0}, "a limit needs either 'quiet' or 'max'");
    bool parsed = quiet && parse_quiet(quiet->text, out);
    if (parsed && out->quiet_from == out->quiet_until)
        gather_error(c->diag, d->source, quiet, (str){0},
                     "these hours never end: nothing would ever be sent");
    if (quiet && !parsed)
        gather_error(c->diag, d->source, quiet, (str){0},
                     "'quiet' is two times of day, such as \"21:00-08:00\"");
    if (max && !parse_max(max->text, out))
        gather_error(c->diag, d->source, max, max_cure(c->scratch, max->text),
                     "'max' is \"N per D\", such as \"1 per 24h\" or \"4 per week\"");
    if (full && !max && sound)
        gather_error(c->diag, d->source, full, (str){0}, "'else' belongs to 'max': quiet hours always defer");
    out->defer = full && str_equal(full->text, STR("defer"));
    if (full && !out->defer && !str_equal(full->text, STR("drop")))
        gather_error(c->diag, d->source, full, (str){0}, "'else' is \"drop\" or \"defer\"");
    if (send) out->send = send->text;
    out->label = arena_format(c->keep, "%s %.*s%s%.*s", quiet ? "quiet" : "max",
                              STR_ARG(quiet ? quiet->text
                                      : max ? max->text
                                            : out->send),
                              send ? " of " : "", STR_ARG(out->send));
    if (!out->label.size) c->diag->failed = true;
    const struct json *condition = keyword_get(node, PLACE_LIMIT, "if");
    c->owner = (struct owner){"limit", out->label};
    const struct cel_env *env =
        condition ? scope_env(c, SCOPE_OF_RULE | SCOPE_RUN, no_types, no_types, "the 'if' of a limit") : NULL;
    out->condition = compile_condition(c, env, d->source, condition);
}

void compile_limits(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    const struct section *limits = &c->files.limits;
    set->limits = ARENA_ARRAY(c->keep, struct limit, limits->count + 1);
    if (!set->limits || !names_init(&set->names.limits, c->keep, limits->count)) {
        c->diag->failed = true;
        return;
    }
    set->limit_count = limits->count;
    for (size_t i = 0; i < limits->count; i++)
        compile_limit(c, &limits->items[i], &set->limits[i]);
}
