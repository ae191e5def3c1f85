/* Limits over all rules: quiet hours, caps, gates and groups that are held out, compiled. */
#include "rule/compile/compile.h"

#include "time/clock.h"

#include "base/buffer.h"
#include "base/duration.h"
#include "rule/compile/meant.h"

static const struct type_list no_types = {0};

/* ---- quiet: "[DAYS ]21:00-08:00", "DAYS", "holidays" */

enum { DAY_MINUTES = 1440 };

/* "21:00-08:00"; 24:00 is the end of a day. */
static bool parse_hours(str text, struct limit *out)
{
    if (text.size != 11 || text.data[5] != '-') return false;
    str until = str_slice(text, 6, 11);
    out->quiet_from = clock_parse(str_slice(text, 0, 5));
    out->quiet_until = str_equal(until, STR("24:00")) ? DAY_MINUTES : clock_parse(until);
    return out->quiet_from >= 0 && out->quiet_until >= 0;
}

static bool parse_quiet(str text, struct limit *out)
{
    size_t space = 0;
    while (space < text.size && text.data[space] != ' ')
        space++;
    out->quiet_until = DAY_MINUTES;
    out->quiet_days = WEEKDAYS_ALL;
    if (str_equal(text, STR("holidays"))) {
        out->kind = QUIET_HOLIDAYS;
        return true;
    }
    if (space == text.size && parse_hours(text, out)) return true;
    out->quiet_from = 0, out->quiet_until = DAY_MINUTES;
    out->quiet_days = weekdays_parse(str_slice(text, 0, space));
    return out->quiet_days && (space == text.size || parse_hours(str_slice(text, space + 1, text.size), out));
}

static str quiet_cure(struct arena *arena, str text)
{
    struct limit limit;
    str meant = meant_times(arena, text);
    return parse_quiet(meant, &limit) ? arena_format(arena, "write \"%.*s\"", STR_ARG(meant)) : (str){0};
}

static bool is_without_end(const struct limit *limit, bool conditional)
{
    bool whole_days = limit->quiet_from == 0 && limit->quiet_until == DAY_MINUTES;
    return whole_days && !conditional && limit->kind == QUIET_HOURS && limit->quiet_days == WEEKDAYS_ALL;
}

static void compile_quiet(struct compiler *c, const struct declared *d, const struct json *node,
                          struct limit *out)
{
    out->kind = QUIET_HOURS;
    if (!parse_quiet(node->text, out))
        gather_error(c->diag, d->source, node, quiet_cure(c->scratch, node->text),
                     "'quiet' is hours, days or both: \"21:00-08:00\", \"sat,sun\", \"fri 18:00-24:00\", or "
                     "\"holidays\"");
    else if (out->quiet_from == out->quiet_until)
        gather_error(c->diag, d->source, node, STR("a whole day is \"00:00-24:00\""),
                     "these hours end at the time at which they begin");
    else if (is_without_end(out, json_member(d->value, "if")))
        gather_error(c->diag, d->source, node, (str){0}, "these hours never end: nothing would ever be sent");
    else if (out->kind == QUIET_HOLIDAYS && !c->files.holidays.node)
        gather_error(c->diag, d->source, node, STR("say which days these are: \"holidays\": [\"12-25\", …]"),
                     "the set has no 'holidays'");
}

/* ---- max: "N per D" */

static const struct {
    str name;
    enum limit_period period;
} periods[] = {{STR("day"), PERIOD_DAY}, {STR("week"), PERIOD_WEEK}, {STR("month"), PERIOD_MONTH}};

enum { MAX_SENDS = 1000000000 }; /* sends are kept while they count: nobody gets so many */

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

static void compile_max(struct compiler *c, const struct declared *d, const struct json *node,
                        struct limit *out)
{
    out->kind = CAP;
    if (!parse_max(node->text, out))
        gather_error(c->diag, d->source, node, max_cure(c->scratch, node->text),
                     "'max' is \"N per D\", such as \"1 per 24h\" or \"4 per week\"");
}

/* ---- never and hold */

static void compile_never(struct compiler *c, const struct declared *d, const struct json *node,
                          struct limit *out)
{
    out->kind = GATE;
    if (!node->text.size)
        gather_error(c->diag, d->source, node, (str){0},
                     "'never' says why such a send is not sent, in a few words");
}

static void compile_hold(struct compiler *c, const struct declared *d, const struct json *node,
                         struct limit *out)
{
    out->kind = HOLD_OUT;
    if (!node->text.size)
        gather_error(c->diag, d->source, node, (str){0},
                     "'hold' is the name of a group, such as \"control\"");
}

/* ---- a limit */

/* What it limits by: one of these. */
static const struct limit_form {
    const char *keyword;
    const char *prefix; /* of the label; NULL: the text says it all */
    void (*compile)(struct compiler *c, const struct declared *d, const struct json *node, struct limit *out);
} limit_forms[] = {
    {"quiet", "quiet ", compile_quiet},
    {"max", "max ", compile_max},
    {"never", NULL, compile_never},
    {"hold", "hold ", compile_hold},
};

enum { LIMIT_FORMS = sizeof limit_forms / sizeof *limit_forms };

/* What a limit's sends are kept under: its own text, numbered when two are alike. */
static bool keep_limit(struct compiler *c, const struct json *node, struct limit *limit)
{
    struct buffer text;
    buffer_init(&text, c->keep);
    json_write(node, &text);
    limit->kept = buffer_str(&text);
    for (size_t n = 2; limit->kept.size && names_find(&c->set->names.limits, limit->kept) != NAME_NONE; n++)
        limit->kept = arena_format(c->keep, "%.*s#%zu", STR_ARG(buffer_str(&text)), n);
    if (!limit->kept.size || text.failed) return false;
    names_add(&c->set->names.limits, limit->kept);
    return true;
}

static void compile_form(struct compiler *c, const struct declared *d, bool sound, struct limit *out)
{
    const struct limit_form *form = NULL;
    size_t forms = 0;
    for (size_t i = 0; i < LIMIT_FORMS; i++) {
        if (!json_member(d->value, limit_forms[i].keyword)) continue;
        form = &limit_forms[i];
        forms++;
    }
    if (forms == 0 && sound)
        gather_error(c->diag, d->source, d->value, (str){0},
                     "a limit needs one of 'quiet', 'max', 'never' and 'hold'");
    if (forms > 1)
        gather_error(c->diag, d->source, d->value, STR("make each a limit of its own"),
                     "a limit has only one of 'quiet', 'max', 'never' and 'hold'");
    const struct json *node = forms == 1 ? keyword_get(d->value, PLACE_LIMIT, form->keyword) : NULL;
    if (!node) return;
    out->name = out->text = out->label = node->text;
    form->compile(c, d, node, out);
    if (!form->prefix) return;
    out->label = arena_format(c->keep, "%s%.*s%s%.*s", form->prefix, STR_ARG(out->text),
                              out->send.size ? " of " : "", STR_ARG(out->send));
    if (!out->label.data) c->diag->failed = true;
}

static void compile_name(struct compiler *c, const struct declared *d, struct limit *out)
{
    const struct json *name = keyword_get(d->value, PLACE_LIMIT, "name");
    if (!name) return;
    if (!name->text.size)
        gather_error(c->diag, d->source, name, (str){0}, "a limit's 'name' cannot be empty");
    out->name = out->label = name->text;
}

static void compile_else(struct compiler *c, const struct declared *d, bool sound, struct limit *out)
{
    const struct json *full = keyword_get(d->value, PLACE_LIMIT, "else");
    if (!full) return;
    if (sound && !json_member(d->value, "max"))
        gather_error(c->diag, d->source, full, (str){0}, "'else' belongs to 'max': no other limit has it");
    out->defer = str_equal(full->text, STR("defer"));
    if (!out->defer && !str_equal(full->text, STR("drop")))
        gather_error(c->diag, d->source, full, (str){0}, "'else' is \"drop\" or \"defer\"");
}

static void compile_limit(struct compiler *c, const struct declared *d, struct limit *out)
{
    arena_reset(c->place);
    const struct json *node = d->value;
    *out = (struct limit){.point = new_point(c, d->source, node->begin)};
    if (!keep_limit(c, node, out)) c->diag->failed = true;
    bool sound = keyword_check(d->source, node, PLACE_LIMIT, "a limit", c->diag);
    if (node->kind != JSON_OBJECT) return;
    const struct json *send = keyword_get(node, PLACE_LIMIT, "send"),
                      *condition = keyword_get(node, PLACE_LIMIT, "if");
    if (send) out->send = send->text;
    compile_form(c, d, sound, out);
    compile_name(c, d, out);
    compile_else(c, d, sound, out);
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
