#include "view/now.h"
#include "base/buffer.h"
#include "base/ensure.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

/* ---- rules, of the counters whose form begins with `rule.` */
static bool now_is_of_rule(const struct figure *figure)
{
    const struct metric_counter *row = figure->first ? metric_counter(figure->row) : NULL;
    return row && str_starts_with(str_of(row->form), STR("rule."));
}

/* By rule; of one, what is of no variant first. */
static int now_order(const void *a, const void *b)
{
    const struct figure *x = *(const struct figure *const *)a, *y = *(const struct figure *const *)b;
    int order = strcmp(x->first, y->first);
    if (!order && !x->variant != !y->variant) return x->variant ? 1 : -1;
    if (!order && x->variant) order = strcmp(x->variant, y->variant);
    return order ? order : strcmp(x->name, y->name);
}

/* The outcome, or the last word of the form: "goal_value". */
static const char *now_word(const struct figure *figure)
{
    return figure->outcome ? figure->outcome : strrchr(metric_counter(figure->row)->form, '.') + 1;
}

static bool now_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Those of one rule and variant, from `at` on, as an object; *at is behind them. */
static void now_put_counts(struct buffer *to, const struct figure **figures, size_t count, size_t *at)
{
    const struct figure *first = figures[*at];
    char mark = '{';
    for (; *at < count; (*at)++) {
        const struct figure *figure = figures[*at];
        if (!now_same(figure->first, first->first) || !now_same(figure->variant, first->variant)) break;
        buffer_put_char(to, mark);
        buffer_put_json_string(to, str_of(now_word(figure)));
        buffer_put_format(to, ":%.15g", figure->value);
        mark = ',';
    }
    buffer_put_char(to, '}');
}

static void now_put_rule(struct buffer *to, const struct figure **figures, size_t count, size_t *at)
{
    const char *rule = figures[*at]->first;
    buffer_put_str(to, STR("{\"name\":"));
    buffer_put_json_string(to, str_of(rule));
    buffer_put_str(to, STR(",\"decided\":"));
    if (figures[*at]->variant)
        buffer_put_str(to, STR("{}"));
    else
        now_put_counts(to, figures, count, at);
    buffer_put_str(to, STR(",\"variants\":{"));
    for (bool more = false; *at < count && now_same(figures[*at]->first, rule); more = true) {
        if (more) buffer_put_char(to, ',');
        buffer_put_json_string(to, str_of(figures[*at]->variant));
        buffer_put_char(to, ':');
        now_put_counts(to, figures, count, at);
    }
    buffer_put_str(to, STR("}}"));
}

static void now_put_rules(struct buffer *to, const struct figures *figures)
{
    const struct figure **rows = calloc(figures->count + 1, sizeof(const struct figure *));
    size_t count = 0, at = 0;
    ensure(rows);
    for (size_t i = 0; i < figures->count; i++)
        if (now_is_of_rule(&figures->items[i])) rows[count++] = &figures->items[i];
    if (count) qsort(rows, count, sizeof *rows, now_order);
    buffer_put_str(to, STR(",\"rules\":["));
    while (at < count) {
        if (at) buffer_put_char(to, ',');
        now_put_rule(to, rows, count, &at);
    }
    buffer_put_char(to, ']');
    free(rows);
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
