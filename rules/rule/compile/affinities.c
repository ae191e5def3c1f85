/* `affinities`: what goes with what, learnt of all customers. What is declared is a recipe: from which events, and how they are
 * counted. It has a canonical text, in which neither layout nor the order of keys shows, and is known by its hash: a version
 * that was counted by another recipe is not asked. */
#include "rule/compile/compile.h"

#include "base/buffer.h"
#include "base/duration.h"
#include "base/limits.h"

#include <math.h>
#include <relance/affinity.h>
#include <relance/learn.h>
#include <xxhash.h>

#define DAY_MS INT64_C(86400000)
enum {
    WITHIN_DAYS_MAX = 30,
    HALF_LIFE_DAYS_MAX = 3650,
    WEIGHT_MAX = 1000,
    LEAST_MAX = RELANCE_LEARN_LEAST_MAX,
    LIFT_PARTS = 1000
};
enum { HALF_LIFE_DAYS = 60, LEAST = 3 };
enum { RECIPE_BYTES = 1 << 20 };

/* ---- names */

void declare_affinities(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    const struct section *affinities = &c->files.affinities;
    set->affinities = ARENA_ARRAY(c->keep, struct affinity_rule, affinities->count + 1);
    if (!set->affinities || !names_init(&set->affinity_names, c->keep, affinities->count)) {
        c->diag->failed = true;
        return;
    }
    for (size_t i = 0; i < affinities->count; i++) {
        const struct declared *d = &affinities->items[i];
        bool count = names_find(&set->names.counts, d->name) != NAME_NONE;
        declare_check_name(c, d->source, d->value, "an affinity");
        declare_check_call(c, d);
        if (count || names_find(&set->names.lists, d->name) != NAME_NONE)
            gather_error_at_key(c->diag, d->source, d->value, STR("choose another name"),
                                "'%.*s' is already a %s", STR_ARG(d->name), count ? "count" : "list");
        set->affinities[i].name = d->name;
        names_add(&set->affinity_names, d->name);
    }
    set->affinity_count = affinities->count;
}

/* ---- numbers and times */

/* A whole number from 1 on. */
static uint32_t read_whole(struct compiler *c, const struct source *source, const struct json *node,
                           uint32_t most, uint32_t absent)
{
    if (!node) return absent;
    if (node->number >= 1 && node->number <= most) return (uint32_t)node->number;
    gather_error(c->diag, source, node, (str){0}, "'%.*s' is a whole number from 1 to %u", STR_ARG(node->key),
                 most);
    return absent;
}

static int64_t read_time(struct compiler *c, const struct source *source, const struct json *node,
                         int64_t least_ms, int64_t days, int64_t absent_ms)
{
    int64_t ms = absent_ms;
    if (!node || !duration_parse(node->text, &ms)) return absent_ms;
    if (ms >= least_ms && ms <= days * DAY_MS) return ms;
    gather_error(c->diag, source, node, (str){0}, "'%.*s' is %s to %lldd", STR_ARG(node->key),
                 least_ms < DAY_MS ? "1s" : "1d", (long long)days);
    return absent_ms;
}

static uint32_t read_lift(struct compiler *c, const struct source *source, const struct json *node)
{
    if (!node) return 0;
    double parts = node->number * LIFT_PARTS, whole = round(parts);
    if (node->number >= 0 && node->number <= 1 && fabs(parts - whole) < 1e-6) return (uint32_t)whole;
    gather_error(c->diag, source, node, (str){0}, "'lift' is 0 to 1, with three digits at most, such as 0.3");
    return 0;
}

/* ---- `from` */

static void put_types(const struct relance_ruleset *set, struct type_list on, struct buffer *out)
{
    str before = {0};
    for (size_t n = 0; n < on.count; n++) { /* by name: numbers are those of this set */
        str next = {0};
        for (size_t i = 0; i < on.count; i++) {
            str name = set->types[on.types[i]].reader->name;
            bool later = !n || str_compare(name, before) > 0;
            if (later && (!next.size || str_compare(name, next) < 0)) next = name;
        }
        if (n) buffer_put_char(out, ',');
        buffer_put_json_string(out, next);
        before = next;
    }
}

static void put_expression(struct compiler *c, const struct cel_env *env, const char *key,
                           const struct json *node, struct buffer *out)
{
    struct buffer text;
    buffer_init_bounded(&text, c->scratch, RECIPE_BYTES);
    if (!cel_canonical(c->scratch, env, node->text, &text)) out->failed = true;
    buffer_put_format(out, ",\"%s\":", key);
    buffer_put_json_string(out, str_trim(buffer_str(&text)));
}

/* An event brings products together where it gives a list of them. */
static bool brings_several(const struct affinity_source *source)
{
    return source->by && cel_program_type(source->by)->kind == CEL_TYPE_LIST;
}

static void compile_source(struct compiler *c, const struct declared *d, const struct json *node,
                           struct affinity_source *out, struct buffer *text)
{
    static const struct type_list no_types = {0};
    const struct json *by = keyword_get(node, PLACE_FROM, "by"),
                      *condition = keyword_get(node, PLACE_FROM, "if");
    if (keyword_check(d->source, node, PLACE_FROM, "an entry of 'from'", c->diag) &&
        !(json_member(node, "on") && json_member(node, "by")))
        gather_error(c->diag, d->source, node, STR("{\"on\": EVENT, \"by\": CEL}"),
                     "an entry of 'from' needs 'on' and 'by': which events, and which products are in them");
    out->weight = read_whole(c, d->source, keyword_get(node, PLACE_FROM, "weight"), WEIGHT_MAX, 1);
    out->on = declare_list_types(c, d->source, keyword_get(node, PLACE_FROM, "on"));
    if (!out->on.count) return;
    for (size_t i = 0; i < out->on.count; i++)
        c->set->types[out->on.types[i]].learnt = true;
    const struct cel_env *env = scope_env(c, SCOPE_EVENT | SCOPE_BARE, out->on, no_types, "an affinity");
    out->condition = compile_condition(c, env, d->source, condition);
    out->by = compile_text(c, env, d->source, by, NULL);
    compile_expect_kinds(c, d->source, by, out->by, KINDS_TEXT, true, "a string or a list of strings");
    if (!out->by || (condition && !out->condition)) return;
    buffer_put_str(text, STR("{\"on\":["));
    put_types(c->set, out->on, text);
    buffer_put_char(text, ']');
    if (condition) put_expression(c, env, "if", condition, text);
    put_expression(c, env, "by", by, text);
    buffer_put_format(text, ",\"weight\":%u}", out->weight);
}

static void compile_from(struct compiler *c, const struct declared *d, struct affinity_rule *out,
                         struct buffer *text)
{
    const struct json *from = keyword_get(d->value, PLACE_AFFINITY, "from");
    size_t count = from ? from->count : 0;
    if (from && (!count || count > LIMIT_AFFINITY_SOURCES)) {
        gather_error(c->diag, d->source, from, (str){0}, "'from' has 1 to %u entries",
                     LIMIT_AFFINITY_SOURCES);
        return;
    }
    struct affinity_source *sources = ARENA_ARRAY(c->keep, struct affinity_source, count + 1);
    if (!sources) {
        c->diag->failed = true;
        return;
    }
    out->sources = sources;
    out->together = count > 0;
    for (const struct json *node = from ? from->child : NULL; node; node = node->next) {
        if (out->source_count) buffer_put_char(text, ',');
        compile_source(c, d, node, &sources[out->source_count], text);
        out->together &= brings_several(&sources[out->source_count++]);
    }
}

/* ---- the whole */

static void compile_affinity(struct compiler *c, const struct declared *d, struct affinity_rule *out)
{
    const struct json *within = keyword_get(d->value, PLACE_AFFINITY, "within");
    struct buffer text;
    buffer_init(&text, c->scratch);
    c->owner = (struct owner){"affinity", d->name};
    arena_reset(c->place);
    if (keyword_check(d->source, d->value, PLACE_AFFINITY, "an affinity", c->diag) &&
        !(json_member(d->value, "from") && json_member(d->value, "within")))
        gather_error_at_key(c->diag, d->source, d->value,
                            STR("\"from\": [{\"on\": EVENT, \"by\": CEL}], \"within\": \"1d\""),
                            "affinity '%.*s' needs 'from' and 'within'", STR_ARG(d->name));
    out->within_ms = read_time(c, d->source, within, 1000, WITHIN_DAYS_MAX, DAY_MS);
    out->half_life_ms = read_time(c, d->source, keyword_get(d->value, PLACE_AFFINITY, "half_life"), DAY_MS,
                                  HALF_LIFE_DAYS_MAX, HALF_LIFE_DAYS * DAY_MS);
    out->lift = read_lift(c, d->source, keyword_get(d->value, PLACE_AFFINITY, "lift"));
    out->least = read_whole(c, d->source, keyword_get(d->value, PLACE_AFFINITY, "least"), LEAST_MAX, LEAST);
    buffer_put_str(&text, STR("{\"from\":["));
    compile_from(c, d, out, &text);
    buffer_put_format(&text, "],\"within\":%lld,\"half_life\":%lld,\"lift\":%u,\"least\":%u}",
                      (long long)out->within_ms, (long long)out->half_life_ms, out->lift, out->least);
    if (text.failed || !arena_copy_str(c->keep, buffer_str(&text), &out->text)) c->diag->failed = true;
    out->recipe = XXH3_64bits(out->text.data, out->text.size);
}

void compile_affinities(struct compiler *c)
{
    for (size_t i = 0; i < c->set->affinity_count; i++)
        compile_affinity(c, &c->files.affinities.items[i], &c->set->affinities[i]);
}

/* ---- the seam: relance/affinity.h */

size_t relance_ruleset_affinity_count(const struct relance_ruleset *rules)
{
    return rules->affinity_count;
}

struct relance_affinity relance_ruleset_affinity(const struct relance_ruleset *rules, size_t at)
{
    const struct affinity_rule *rule = &rules->affinities[at];
    return (struct relance_affinity){.name = rule->name,
                                     .text = rule->text,
                                     .recipe = rule->recipe,
                                     .within_ms = rule->within_ms,
                                     .half_life_ms = rule->half_life_ms,
                                     .lift = rule->lift,
                                     .least = rule->least,
                                     .together = rule->together};
}

struct relance_str relance_ruleset_affinity_name(const struct relance_ruleset *rules, size_t at)
{
    return rules->affinities[at].name;
}

uint64_t relance_ruleset_affinity_recipe(const struct relance_ruleset *rules, size_t at)
{
    return rules->affinities[at].recipe;
}
