#include "load.h"
#include "file.h"
#include "text.h"

static struct relance_ruleset *load_set(const char *command, const char *path, const struct file_set *set)
{
    struct relance_ruleset *rules = NULL;
    struct relance_report *report = NULL;
    struct relance_error error = {0};
    if (file_set_compile(set, &rules, &report, &error) != RELANCE_OK) {
        if (report) text_print(relance_report_text(report), stderr);
        fprintf(stderr, "%s: %s: %s\n", command, path, error.message);
    }
    relance_report_free(report);
    return rules;
}

struct relance_ruleset *load_rules(const char *command, const char *path)
{
    struct file_set set;
    struct relance_error error;
    if (file_set_read(path, &set, &error) != RELANCE_OK) {
        fprintf(stderr, "%s: --rules: %s\n", command, error.message);
        return NULL;
    }
    struct relance_ruleset *rules = load_set(command, path, &set);
    file_set_free(&set);
    return rules;
}
