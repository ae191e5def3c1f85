/* relance check PATH...: reads a rule set, and mappings, and says everything that is wrong with them, in one run. The report goes
 * to standard output: it is what was asked for. With --dump, the program of every expression of a set without
 * mistakes comes before. With --json the report is a JSON object, for editors and build servers:
 *
 *     {"rules": 4, "mappings": 0, "mistakes": 0, "warnings": 1,
 *      "diagnostics": [{"file": "cart.jsonc", "line": 7, "column": 5, "end_column": 11,
 *                       "severity": "warning", "message": "…", "hint": "…"}]}
 *
 * With --watch it does so again whenever the files change.
 *
 * Status 0: no mistakes; 1: some, or with --strict a warning; 2: the files cannot be read. */
#include "host/command.h"
#include "host/subject.h"
#include "host/option.h"
#include "report/mistakes.h"
#include "host/print.h"
#include "host/watch.h"
#include "base/str.h"

#include <relance/listing.h>
#include <cjson/cJSON.h>
#include <stdio.h>

/* What has been found, of all. */
struct check {
    const struct options *options;
    size_t rules, mappings, mistakes, warnings;
    cJSON *diagnostics; /* NULL: they are printed for people */
    bool failed;        /* otherwise than by mistakes */
};

static void check_count(enum paint paint, size_t count, const char *noun)
{
    char text[64];
    snprintf(text, sizeof text, "%zu %s%s", count, noun, count == 1 ? "" : "s");
    print_painted(paint, str_of(text), stdout);
}

/* "4 rules, no mistakes" */
static void check_print_summary(size_t count, const char *noun, const struct relance_report *report)
{
    if (count) {
        check_count(PAINT_NONE, count, noun);
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

static bool check_print_json(const struct check *check)
{
    cJSON *document = cJSON_CreateObject();
    cJSON_AddNumberToObject(document, "rules", (double)check->rules);
    cJSON_AddNumberToObject(document, "mappings", (double)check->mappings);
    cJSON_AddNumberToObject(document, "mistakes", (double)check->mistakes);
    cJSON_AddNumberToObject(document, "warnings", (double)check->warnings);
    cJSON_AddItemReferenceToObject(document, "diagnostics", check->diagnostics);
    char *text = cJSON_Print(document);
    if (text) print_lines(str_of(text), stdout);
    fputc('\n', stdout);
    cJSON_Delete(document);
    cJSON_free(text);
    return text;
}

/* ---- the whole */

/* Tells what compiling had to say of `path`, in which there are so many things. */
static void check_tell(struct check *check, const char *path, size_t count, const char *noun,
                       const struct relance_report *report)
{
    check->mistakes += relance_report_errors(report);
    check->warnings += relance_report_warnings(report);
    if (check->diagnostics) {
        relance_report_each(report, check_add_diagnostic, check->diagnostics);
        return;
    }
    mistakes_print(report, stdout);
    print(stdout, "%s: ", path);
    check_print_summary(count, noun, report);
}

/* Was there anything to be told? Else nothing is known, but why. */
static bool check_answered(struct check *check, enum relance_status status,
                           const struct relance_report *report, const struct relance_error *error)
{
    if (report && (status == RELANCE_OK || status == RELANCE_INVALID)) return true;
    print_mistake("%s", error->message);
    check->failed = true;
    return false;
}

static void check_rules(struct check *check, const char *path, const struct file_set *set)
{
    struct relance_ruleset *rules = NULL;
    struct relance_report *report = NULL;
    struct relance_error error = {0};
    enum relance_status status = file_set_compile(set, &rules, &report, &error);
    if (check_answered(check, status, report, &error)) {
        if (rules && check->options->dump)
            status = relance_ruleset_programs(rules, check_print_program, NULL, &error);
        if (status == RELANCE_NO_MEMORY) print_mistake("%s", error.message), check->failed = true;
        size_t count = rules ? relance_ruleset_rule_count(rules) : 0;
        check->rules += count;
        check_tell(check, path, count, "rule", report);
    }
    relance_report_free(report);
    relance_ruleset_free(rules);
}

static void check_mapping(struct check *check, const struct relance_source *source)
{
    struct relance_mapping *mapping = NULL;
    struct relance_report *report = NULL;
    struct relance_error error = {0};
    enum relance_status status = mapping_compile(source, &mapping, &report, &error);
    if (check_answered(check, status, report, &error)) {
        check->mappings++;
        check_tell(check, source->name.data, mapping ? relance_mapping_row_count(mapping) : 0, "row", report);
    }
    relance_report_free(report);
    relance_mapping_free(mapping);
}

static int check_subject(const struct options *options, const char *path, const struct subject *subject)
{
    struct check check = {.options = options, .diagnostics = options->json ? cJSON_CreateArray() : NULL};
    if (subject->rules.count) check_rules(&check, path, &subject->rules);
    for (size_t i = 0; i < subject->mapping_count; i++)
        check_mapping(&check, &subject->mappings[i]);
    if (check.diagnostics && !check.failed) check.failed = !check_print_json(&check);
    cJSON_Delete(check.diagnostics);
    if (check.failed) return EXIT_STATUS_USAGE;
    return check.mistakes || (options->strict && check.warnings) ? EXIT_STATUS_FAILED : EXIT_STATUS_OK;
}

static int check_once(const struct options *options)
{
    struct subject subject;
    struct relance_error error;
    const struct file_paths paths = {options->args, options->arg_count, options_mapping(options), true};
    char shown[FILE_PATHS_SHOWN];
    if (subject_read(&paths, &subject, &error) != RELANCE_OK) {
        print_mistake("%s", error.message);
        return EXIT_STATUS_USAGE;
    }
    subject.rules.strict = options->strict;
    int status = check_subject(
        options, file_paths_show(subject.rule_paths.count ? &subject.rule_paths : &paths, shown), &subject);
    subject_free(&subject);
    return status;
}

int cmd_check(const struct options *options)
{
    return options->watch ? watch_run(check_once, options) : check_once(options);
}
