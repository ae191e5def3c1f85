/* relance check PATH...: reads a rule set and says everything that is wrong with it, in one run. The report goes
 * to standard output: it is what was asked for. With --dump, the program of every expression of a set without
 * mistakes comes before. With --json the report is a JSON object, for editors and build servers:
 *
 *     {"rules": 4, "mistakes": 0, "warnings": 1,
 *      "diagnostics": [{"file": "cart.jsonc", "line": 7, "column": 5, "end_column": 11,
 *                       "severity": "warning", "message": "…", "hint": "…"}]}
 *
 * With --watch it does so again whenever the files change.
 *
 * Status 0: no mistakes; 1: some, or with --strict a warning; 2: the files cannot be read. */
#include "host/command.h"
#include "host/file.h"
#include "host/option.h"
#include "report/mistakes.h"
#include "host/print.h"
#include "host/watch.h"
#include "base/str.h"

#include <relance/listing.h>
#include <cjson/cJSON.h>
#include <stdio.h>

static void check_count(enum paint paint, size_t count, const char *noun)
{
    char text[64];
    snprintf(text, sizeof text, "%zu %s%s", count, noun, count == 1 ? "" : "s");
    print_painted(paint, str_of(text), stdout);
}

/* "cart.jsonc: 4 rules, no mistakes" */
static void check_print_summary(const struct file_paths *paths, const struct relance_ruleset *rules,
                                const struct relance_report *report)
{
    char shown[FILE_PATHS_SHOWN];
    print(stdout, "%s: ", file_paths_show(paths, shown));
    if (rules) {
        check_count(PAINT_NONE, relance_ruleset_rule_count(rules), "rule");
        fputs(", ", stdout);
    }
    if (relance_report_errors(report))
        check_count(PAINT_BAD, relance_report_errors(report), "mistake");
    else
        print_painted(PAINT_GOOD, STR("no mistakes"), stdout);
    if (relance_report_warnings(report)) {
        fputs(", ", stdout);
        check_count(PAINT_DOUBTFUL, relance_report_warnings(report), "warning");
    }
    fputc('\n', stdout);
}

/* cart.jsonc:31:15: "event.cart"
 *    0  load slot 7 "cart"
 *    1  return                     */
static void check_print_program(void *context, const struct relance_program *program)
{
    (void)context;
    print(stdout, "%.*s:%zu:%zu: %.*s\n", STR_ARG(program->file), program->line, program->column,
          STR_ARG(program->text));
    print_lines(program->code, stdout);
    fputc('\n', stdout);
}

/* ---- as JSON */

static void check_add_diagnostic(void *context, const struct relance_diagnostic *diagnostic)
{
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "file", diagnostic->file.data);
    cJSON_AddNumberToObject(item, "line", (double)diagnostic->line);
    cJSON_AddNumberToObject(item, "column", (double)diagnostic->column);
    cJSON_AddNumberToObject(item, "end_column", (double)diagnostic->end_column);
    cJSON_AddStringToObject(item, "severity", diagnostic->is_warning ? "warning" : "error");
    cJSON_AddStringToObject(item, "message", diagnostic->message.data);
    if (diagnostic->hint.size) cJSON_AddStringToObject(item, "hint", diagnostic->hint.data);
    cJSON_AddItemToArray(context, item);
}

static bool check_print_json(const struct relance_ruleset *rules, const struct relance_report *report)
{
    cJSON *document = cJSON_CreateObject();
    cJSON_AddNumberToObject(document, "rules", rules ? (double)relance_ruleset_rule_count(rules) : 0);
    cJSON_AddNumberToObject(document, "mistakes", (double)relance_report_errors(report));
    cJSON_AddNumberToObject(document, "warnings", (double)relance_report_warnings(report));
    relance_report_each(report, check_add_diagnostic, cJSON_AddArrayToObject(document, "diagnostics"));
    char *text = cJSON_Print(document);
    if (text) print_lines(str_of(text), stdout);
    fputc('\n', stdout);
    cJSON_Delete(document);
    cJSON_free(text);
    return text;
}

/* ---- the whole */

static int check_set(const struct options *options, const struct file_paths *paths,
                     const struct file_set *set)
{
    struct relance_ruleset *rules = NULL;
    struct relance_report *report = NULL;
    struct relance_error error = {0};
    enum relance_status status = file_set_compile(set, &rules, &report, &error);
    if (!report || (status != RELANCE_OK && status != RELANCE_INVALID)) {
        print_mistake("%s", error.message);
        relance_report_free(report);
        return EXIT_STATUS_USAGE;
    }
    if (rules && options->dump) status = relance_ruleset_programs(rules, check_print_program, NULL, &error);
    if (status == RELANCE_NO_MEMORY) print_mistake("%s", error.message);
    bool passed = status == RELANCE_OK && !(options->strict && relance_report_warnings(report));
    if (options->json) {
        passed &= check_print_json(rules, report);
    } else {
        mistakes_print(report, stdout);
        check_print_summary(paths, rules, report);
    }
    relance_report_free(report);
    relance_ruleset_free(rules);
    return passed ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

static int check_once(const struct options *options)
{
    struct file_set set;
    struct relance_error error;
    const struct file_paths paths = {options->args, options->arg_count};
    if (file_set_read(&paths, &set, &error) != RELANCE_OK) {
        print_mistake("%s", error.message);
        return EXIT_STATUS_USAGE;
    }
    set.strict = options->strict;
    int status = check_set(options, &paths, &set);
    file_set_free(&set);
    return status;
}

int cmd_check(const struct options *options)
{
    return options->watch ? watch_run(check_once, options) : check_once(options);
}
