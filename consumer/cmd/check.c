/* relance check PATH: reads a rule set and says everything that is wrong with it, in one run. The report goes
 * to standard output: it is what was asked for. With --dump, the program of every expression of a set without
 * mistakes comes before. Status 0: no mistakes; 1: some; 2: the files cannot be read.
 */
#include "command.h"
#include "file.h"
#include "option.h"
#include "text.h"

#include <relance/listing.h>
#include <stdio.h>

static void check_count(size_t count, const char *noun)
{
    printf("%zu %s%s", count, noun, count == 1 ? "" : "s");
}

/* "cart.jsonc: 4 rules, no mistakes" */
static void check_print_summary(const char *path, const struct relance_ruleset *rules,
                                const struct relance_report *report)
{
    printf("%s: ", path);
    if (rules) {
        check_count(relance_ruleset_rule_count(rules), "rule");
        fputs(", ", stdout);
    }
    if (relance_report_errors(report))
        check_count(relance_report_errors(report), "mistake");
    else
        fputs("no mistakes", stdout);
    if (relance_report_warnings(report)) {
        fputs(", ", stdout);
        check_count(relance_report_warnings(report), "warning");
    }
    putchar('\n');
}

/* cart.jsonc:31:15: "event.cart"
 *    0  load slot 7 "cart"
 *    1  return                     */
static void check_print_program(void *context, const struct relance_program *program)
{
    (void)context;
    printf("%.*s:%zu:%zu: %.*s\n", TEXT_ARG(program->file), program->line, program->column,
           TEXT_ARG(program->text));
    text_print(program->code, stdout);
    putchar('\n');
}

static int check_set(const char *path, const struct file_set *set, bool dump)
{
    struct relance_ruleset *rules = NULL;
    struct relance_report *report = NULL;
    struct relance_error error = {0};
    enum relance_status status = file_set_compile(set, &rules, &report, &error);
    if (!report || (status != RELANCE_OK && status != RELANCE_INVALID)) {
        fprintf(stderr, "relance check: %s\n", error.message);
        relance_report_free(report);
        return EXIT_STATUS_USAGE;
    }
    if (rules && dump) status = relance_ruleset_programs(rules, check_print_program, NULL, &error);
    if (status == RELANCE_NO_MEMORY) fprintf(stderr, "relance check: %s\n", error.message);
    text_print(relance_report_text(report), stdout);
    check_print_summary(path, rules, report);
    relance_report_free(report);
    relance_ruleset_free(rules);
    return status == RELANCE_OK ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

static int check_path(const struct options *options)
{
    struct file_set set;
    struct relance_error error;
    if (file_set_read(options->args[0], &set, &error) != RELANCE_OK) {
        fprintf(stderr, "relance check: %s\n", error.message);
        return EXIT_STATUS_USAGE;
    }
    int status = check_set(options->args[0], &set, options->dump);
    file_set_free(&set);
    return status;
}

int cmd_check(int argc, char **argv)
{
    struct options options;
    if (!options_read(&options, COMMAND_CHECK, argc, argv)) return options.status;
    int status = check_path(&options);
    options_free(&options);
    return status;
}
