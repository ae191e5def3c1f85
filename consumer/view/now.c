#include "view/now.h"
#include "base/buffer.h"
#include "base/ensure.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

/* ---- rules, of their counters taken apart */
enum now_part { NOW_DECIDED, NOW_VARIANTS, NOW_STEPS, NOW_CANCELLED, NOW_PARTS };
static const char *const now_parts[NOW_PARTS] = {"decided", "variants", "steps", "cancelled_by"};

struct now_count {
    const char *rule;
    enum now_part part;
    const char *of; /* which variant, which step; "": the part is not split further */
    const char *word;
    double value;
    bool is_share; /* a variant's, in what the rule has decided altogether */
};

/* Is it of a rule? */
static bool now_take_apart(const struct figure *figure, struct now_count *out)
{
    *out = (struct now_count){figure->first, NOW_DECIDED, "", figure->outcome, figure->value, false};
    switch (figure->row) {
    case METRIC_GOAL_VALUE: out->word = "goal_value"; /* fallthrough */
    case METRIC_RULE:
        if (figure->variant) out->part = NOW_VARIANTS, out->of = figure->variant;
        break;
    case METRIC_RULE_STEP: out->part = NOW_STEPS, out->of = figure->step; break;
    case METRIC_RULE_CANCELLED_BY: out->part = NOW_CANCELLED, out->word = figure->event; break;
    default: return false;
    }
    return true;
}

/* Of steps, the tenth is behind the ninth. */
static int now_order(const void *a, const void *b)
{
    const struct now_count *x = a, *y = b;
    int order = strcmp(x->rule, y->rule);
    if (!order) order = (int)x->part - (int)y->part;
    if (!order && x->part == NOW_STEPS) order = (int)strlen(x->of) - (int)strlen(y->of);
    if (!order) order = strcmp(x->of, y->of);
    return order ? order : strcmp(x->word, y->word);
}

static void now_put_member(struct buffer *to, const char *name, bool is_first)
{
    if (!is_first) buffer_put_char(to, ',');
    buffer_put_json_string(to, str_of(name));
    buffer_put_char(to, ':');
}

static bool now_same(const struct now_count *a, const struct now_count *b)
{
    return strcmp(a->rule, b->rule) == 0 && a->part == b->part && strcmp(a->of, b->of) == 0 &&
           strcmp(a->word, b->word) == 0;
}

/* Of all variants there is one counter, which is their sum, or none, and then it is that. *at is behind them. */
static double now_sum(const struct now_count **at, const struct now_count *end)
{
    const struct now_count *first = *at;
    double whole = 0, shares = 0;
    for (; *at < end && now_same(*at, first); (*at)++)
        *((*at)->is_share ? &shares : &whole) += (*at)->value;
    return whole != 0 ? whole : shares;
}

/* Those that belong to one variant, step or whole part: an object. Returns what is behind them. */
static const struct now_count *now_put_counts(struct buffer *to, const struct now_count *at,
                                              const struct now_count *end)
{
    const struct now_count *first = at;
    buffer_put_char(to, '{');
    while (at < end && strcmp(at->rule, first->rule) == 0 && at->part == first->part &&
           strcmp(at->of, first->of) == 0) {
        now_put_member(to, at->word, at == first);
        buffer_put_format(to, "%.15g", now_sum(&at, end));
    }
    buffer_put_char(to, '}');
    return at;
}

/* "variants":{"a":{…},"b":{…}}, or of what is not split further {…} alone. */
static const struct now_count *now_put_part(struct buffer *to, enum now_part part, const struct now_count *at,
                                            const struct now_count *end, const char *rule)
{
    const struct now_count *first = at;
    bool is_split = part == NOW_VARIANTS || part == NOW_STEPS;
    now_put_member(to, now_parts[part], false);
    if (is_split) buffer_put_char(to, '{');
    while (at < end && at->part == part && strcmp(at->rule, rule) == 0) {
        if (is_split) now_put_member(to, at->of, at == first);
        at = now_put_counts(to, at, end);
    }
    if (at == first && !is_split) buffer_put_str(to, STR("{}"));
    if (is_split) buffer_put_char(to, '}');
    return at;
}

static struct now_count *now_counts(const struct figures *figures, size_t *count)
{
    struct now_count *counts = calloc(2 * figures->count + 1, sizeof *counts);
    ensure(counts);
    *count = 0;
    for (size_t i = 0; i < figures->count; i++) {
        struct now_count *new = &counts[*count];
        if (!now_take_apart(&figures->items[i], new)) continue;
        (*count)++;
        if (new->part != NOW_VARIANTS) continue;
        counts[*count] = *new;
        counts[*count].part = NOW_DECIDED;
        counts[*count].of = "";
        counts[(*count)++].is_share = true;
    }
    if (*count) qsort(counts, *count, sizeof *counts, now_order);
    return counts;
}

static void now_put_rules(struct buffer *to, const struct figures *figures)
{
    size_t count;
    struct now_count *counts = now_counts(figures, &count);
    const struct now_count *at = counts, *end = counts + count;
    now_put_member(to, "rules", false);
    buffer_put_char(to, '[');
    while (at < end) {
        const char *rule = at->rule;
        buffer_put_str(to, at > counts ? STR(",{\"name\":") : STR("{\"name\":"));
        buffer_put_json_string(to, str_of(rule));
        for (enum now_part part = 0; part < NOW_PARTS; part++)
            at = now_put_part(to, part, at, end, rule);
        buffer_put_char(to, '}');
    }
    buffer_put_char(to, ']');
    free(counts);
}

/* ---- partitions, of which the checkpoints have more */
static void now_add_known(cJSON *object, const char *name, int64_t number)
{
    if (number != CHECKPOINT_NONE) cJSON_AddNumberToObject(object, name, (double)number);
}

static void now_add_checkpoints(cJSON *root, const struct checkpoints *checkpoints)
{
    cJSON *partition = cJSON_GetObjectItemCaseSensitive(root, "partitions")->child;
    for (size_t p = 0; p < checkpoints->count && partition; p++, partition = partition->next) {
        const struct checkpoint *checkpoint = &checkpoints->items[p];
        now_add_known(partition, "offset", checkpoint->offset);
        now_add_known(partition, "clock_ms", checkpoint->clock_ms);
        now_add_known(partition, "wall_ms", checkpoint->wall_ms);
        if (*checkpoint->ruleset) cJSON_AddStringToObject(partition, "ruleset", checkpoint->ruleset);
    }
}

/* ---- the whole */
static void now_put_fact(struct buffer *to, const char *name, bool is_so)
{
    buffer_put_format(to, ",\"%s\":%s", name, is_so ? "true" : "false");
}

static void now_put_text(struct buffer *to, const char *name, const char *text)
{
    if (!text) return;
    buffer_put_format(to, ",\"%s\":", name);
    buffer_put_json_string(to, str_of(text));
}

char *now_print(const struct now *now)
{
    struct buffer to = {0};
    cJSON *root = figures_json(now->figures, now->group, now->topic);
    now_add_checkpoints(root, now->checkpoints);
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    ensure(text);
    buffer_put(&to, text, strlen(text) - 1); /* without its last bracket: more comes */
    cJSON_free(text);
    now_put_text(&to, "version", RELANCE_VERSION);
    now_put_fact(&to, "ready", now->is_ready);
    now_put_text(&to, "why", now->why);
    now_put_text(&to, "trouble", now->trouble);
    now_put_fact(&to, "customers", now->has_customers);
    now_put_fact(&to, "stories", now->has_kafka && now->has_customers);
    now_put_fact(&to, "examples", now->has_output && now->has_customers);
    now_put_rules(&to, now->figures);
    buffer_put(&to, "}\n", 3); /* its NUL, too */
    return to.data;
}
