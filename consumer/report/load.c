#include "base/murmur2.h"
#include "report/load.h"
#include "host/mapping.h"
#include "host/print.h"
#include "report/mistakes.h"
#include "base/str.h"

#include <stdlib.h>

static struct relance_ruleset *load_set(const char *path, const struct file_set *set)
{
    struct relance_ruleset *rules = NULL;
    struct relance_report *report = NULL;
    struct relance_error error = {0};
    if (file_set_compile(set, &rules, &report, &error) != RELANCE_OK) {
        if (report) mistakes_print(report, stderr);
        print_mistake("%s: %s", path, error.message);
    }
    relance_report_free(report);
    return rules;
}

struct relance_ruleset *load_rules(const struct file_paths *paths)
{
    struct file_set set;
    struct relance_error error;
    char shown[FILE_PATHS_SHOWN];
    if (file_set_read(paths, &set, &error) != RELANCE_OK) {
        bool says_option = str_starts_with(str_of(error.message), STR("--mapping: "));
        print_mistake("%s%s", says_option ? "" : "--rules: ", error.message);
        return NULL;
    }
    struct relance_ruleset *rules = load_set(file_paths_show(paths, shown), &set);
    file_set_free(&set);
    return rules;
}

struct relance_ruleset *load_rules_alone(const struct file_paths *paths)
{
    struct file_paths alone = *paths;
    alone.mapping = NULL;
    return load_rules(&alone);
}

struct relance_mapping *load_mapping(const char *value)
{
    struct mapping_file file;
    struct relance_mapping *mapping = NULL;
    struct relance_report *report = NULL;
    struct relance_error error;
    if (mapping_file_read(value, &file, &error) != RELANCE_OK) {
        print_mistake("--mapping: %s", error.message);
        return NULL;
    }
    if (mapping_compile(&file.source, &mapping, &report, &error) != RELANCE_OK) {
        if (report) mistakes_print(report, stderr);
        print_mistake("--mapping: %.*s: %s", STR_ARG(file.source.name), error.message);
    }
    relance_report_free(report);
    mapping_file_free(&file);
    return mapping;
}

bool load_only_mapping(const struct file_paths *values, struct relance_mapping **mapping)
{
    *mapping = values->count ? load_mapping(values->items[0]) : NULL;
    return *mapping || !values->count;
}

enum relance_status load_live_set(struct redis_view *view, int partition, struct file_set *set,
                                  struct relance_error *error)
{
    char *text = NULL;
    size_t size = 0;
    enum relance_status status =
        redis_view_field(view, partition, REDIS_VIEW_META, STR("rules"), &text, &size, error);
    if (status == RELANCE_OK && !size) /* none, or none yet: the first mark brings them */
        status =
            relance_error_set(error, RELANCE_REFUSED, "Redis holds no rules here; --rules PATH gives them");
    if (status == RELANCE_OK) status = file_set_unpack((struct relance_str){text, size}, set, error);
    free(text);
    return status;
}

enum relance_status load_any_rules(struct redis_view *view, struct relance_ruleset **rules,
                                   struct relance_error *error)
{
    struct file_set set;
    struct relance_report *report = NULL;
    enum relance_status status = RELANCE_REFUSED;
    *rules = NULL;
    for (int p = 0; p < redis_view_partitions(view) && status == RELANCE_REFUSED; p++)
        status = load_live_set(view, p, &set, error);
    if (status == RELANCE_REFUSED) return RELANCE_OK;
    if (status != RELANCE_OK) return status;
    if (file_set_compile(&set, rules, &report, error) != RELANCE_OK) *rules = NULL;
    relance_report_free(report);
    file_set_free(&set);
    return RELANCE_OK;
}

struct relance_ruleset *load_live_rules(const struct options *options, struct relance_str key)
{
    struct file_set set;
    struct relance_error error;
    struct relance_ruleset *rules = NULL;
    struct redis_view *view = redis_view_open(options->redis, options->group, options->input, &error);
    int partition = view ? murmur2_partition(key, redis_view_partitions(view)) : 0;
    if (view && load_live_set(view, partition, &set, &error) == RELANCE_OK) {
        rules = load_set(options->group, &set);
        file_set_free(&set);
    } else {
        print_mistake("%s", error.message);
    }
    redis_view_close(view);
    return rules;
}
