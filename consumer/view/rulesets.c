#include "view/rulesets.h"
#include "base/buffer.h"
#include "base/ensure.h"
#include "host/file.h"

#include <stdio.h>
#include <stdlib.h>

static void ruleset_free(struct ruleset *ruleset)
{
    free(ruleset->text);
    relance_ruleset_free(ruleset->rules);
}

/* What this version cannot compile is shown all the same. */
static struct relance_ruleset *ruleset_compile(struct relance_str text)
{
    struct file_set set;
    struct relance_error error;
    struct relance_report *report = NULL;
    struct relance_ruleset *rules = NULL;
    if (file_set_unpack(text, &set, &error) != RELANCE_OK) return NULL;
    if (file_set_compile(&set, &rules, &report, &error) != RELANCE_OK) rules = NULL;
    relance_report_free(report);
    file_set_free(&set);
    return rules;
}

static enum relance_status rulesets_add(struct rulesets *rulesets, const char *hash, int partition,
                                        struct redis_view *view, struct relance_error *error)
{
    struct ruleset ruleset = {.is_in_force = true};
    size_t size;
    snprintf(ruleset.hash, sizeof ruleset.hash, "%s", hash);
    enum relance_status status =
        redis_view_field(view, partition, REDIS_VIEW_META, STR("rules"), &ruleset.text, &size, error);
    if (status != RELANCE_OK || !ruleset.text) return status; /* it has gone meanwhile: next time */
    ruleset.rules = ruleset_compile((struct relance_str){ruleset.text, size});
    rulesets->items = realloc(rulesets->items, (rulesets->count + 1) * sizeof *rulesets->items);
    ensure(rulesets->items);
    rulesets->items[rulesets->count++] = ruleset;
    return RELANCE_OK;
}

static void rulesets_forget(struct rulesets *rulesets)
{
    size_t kept = 0;
    for (size_t i = 0; i < rulesets->count; i++)
        if (rulesets->items[i].is_in_force)
            rulesets->items[kept++] = rulesets->items[i];
        else
            ruleset_free(&rulesets->items[i]);
    rulesets->count = kept;
}

static struct ruleset *rulesets_at(const struct rulesets *rulesets, const char *hash)
{
    for (size_t i = 0; i < rulesets->count; i++)
        if (strcmp(rulesets->items[i].hash, hash) == 0) return &rulesets->items[i];
    return NULL;
}

const struct ruleset *rulesets_find(const struct rulesets *rulesets, const char *hash)
{
    return rulesets_at(rulesets, hash);
}

enum relance_status rulesets_read(struct rulesets *rulesets, const struct checkpoints *checkpoints,
                                  struct redis_view *view, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    for (size_t i = 0; i < rulesets->count; i++)
        rulesets->items[i].is_in_force = false;
    for (size_t p = 0; p < checkpoints->count && status == RELANCE_OK; p++) {
        const char *hash = checkpoints->items[p].ruleset;
        struct ruleset *ruleset = rulesets_at(rulesets, hash);
        if (ruleset)
            ruleset->is_in_force = true;
        else if (*hash)
            status = rulesets_add(rulesets, hash, (int)p, view, error);
    }
    rulesets_forget(rulesets);
    return status;
}

void rulesets_free(struct rulesets *rulesets)
{
    for (size_t i = 0; i < rulesets->count; i++)
        ruleset_free(&rulesets->items[i]);
    free(rulesets->items);
    *rulesets = (struct rulesets){0};
}

/* ---- showing */
static void rulesets_put_partitions(struct buffer *to, const struct checkpoints *checkpoints,
                                    const char *hash)
{
    bool more = false;
    buffer_put_str(to, STR(",\"partitions\":["));
    for (size_t p = 0; p < checkpoints->count; p++) {
        if (strcmp(checkpoints->items[p].ruleset, hash) != 0) continue;
        buffer_put_format(to, "%s%zu", more ? "," : "", p);
        more = true;
    }
    buffer_put_char(to, ']');
}

static void rulesets_put_names(struct buffer *to, const struct relance_ruleset *rules)
{
    if (!rules) return;
    buffer_put_str(to, STR(",\"rules\":["));
    for (size_t i = 0; i < relance_ruleset_rule_count(rules); i++) {
        if (i) buffer_put_char(to, ',');
        buffer_put_json_string(to, relance_ruleset_rule_name(rules, i));
    }
    buffer_put_char(to, ']');
}

/* Who has what, without the texts. */
static bool rulesets_have_changed(struct rulesets *rulesets, const struct checkpoints *checkpoints)
{
    struct buffer told = {0};
    for (size_t p = 0; p < checkpoints->count; p++)
        buffer_put_format(&told, "%s ", checkpoints->items[p].ruleset);
    for (size_t i = 0; i < rulesets->count; i++)
        buffer_put_format(&told, "%s ", rulesets->items[i].hash);
    uint64_t hash = str_hash(buffer_str(&told)) | 1; /* never that of what has not been told yet */
    buffer_free(&told);
    bool has_changed = hash != rulesets->told;
    rulesets->told = hash;
    return has_changed;
}

char *rulesets_print(struct rulesets *rulesets, const struct checkpoints *checkpoints)
{
    struct buffer to = {0};
    if (!rulesets_have_changed(rulesets, checkpoints)) return NULL;
    buffer_put_str(&to, STR("{\"sets\":["));
    for (size_t i = 0; i < rulesets->count; i++) {
        const struct ruleset *ruleset = &rulesets->items[i];
        buffer_put_str(&to, i ? STR(",{\"ruleset\":") : STR("{\"ruleset\":"));
        buffer_put_json_string(&to, str_of(ruleset->hash));
        rulesets_put_partitions(&to, checkpoints, ruleset->hash);
        rulesets_put_names(&to, ruleset->rules);
        buffer_put_format(&to, ",\"files\":%s}", ruleset->text);
    }
    buffer_put(&to, "]}\n", 4); /* its NUL, too */
    return to.data;
}
