/* relance test PATH...: runs the tests that stand in rule files (LANGUAGE.md §5), in virtual time, and those of mappings
 * (rules/README.md, "Mappings"), files or presets by their names, and prints the Test Anything Protocol, version 14 (testanything.org): a line a test, and under one that failed where it
 * stands and what it expected against what came. With --junit, the same as a file in JUnit's XML; with --coverage,
 * comments behind the tests that say what of the rules none of them reached. With --watch, again and again.
 *
 * Status 0: all tests passed; 1: some failed, or there is none; 2: the files cannot be read or do not check. */
#include "host/command.h"
#include "host/subject.h"
#include "host/option.h"
#include "host/print.h"
#include "host/progress.h"
#include "host/watch.h"
#include "report/mistakes.h"
#include "base/str.h"

#include <relance/mapping_test.h>
#include <relance/rule_test.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is tested: rules, mappings, or both. */
struct test_things {
    struct relance_ruleset *rules; /* NULL: none */
    struct relance_mapping **mappings;
    size_t mapping_count;
};

struct test_run {
    const char *path;
    const struct test_things *things;
    struct relance_str filter;         /* empty: all tests are wanted */
    FILE *junit;                       /* NULL: none is wanted */
    struct relance_coverage *coverage; /* of the rules; likewise */
    bool covers;                       /* it is wanted */
    struct relance_mapping *mapping;   /* of the rules, where its coverage is wanted; NULL: none */
    bool mapping_is_file;
    size_t state_bytes;
    size_t number, failed, count; /* so far; in all */
    bool in_mapping;
    struct progress progress;
};

/* ---- TAP */

/* "cart_abandoned: bought within the hour"; a '#' would begin a directive. */
static void test_print_name(const struct relance_test_result *result)
{
    print_escaped(result->rule, "#\\", stdout);
    if (result->rule.size) fputs(": ", stdout);
    print_escaped(result->name, "#\\", stdout);
}

/* The next line of a report, without its end; false where there is none. */
static bool test_report_line(struct relance_str *rest, struct relance_str *line)
{
    if (!rest->size) return false;
    const char *end = memchr(rest->data, '\n', rest->size);
    size_t size = end ? (size_t)(end - rest->data) : rest->size, taken = size + (end != NULL);
    *line = (struct relance_str){rest->data, size};
    *rest = (struct relance_str){rest->data + taken, rest->size - taken};
    return true;
}

/* What was expected and is missing, what came and was not expected. */
static enum paint test_paint(struct relance_str line)
{
    char sign = str_trim(line).size ? str_trim(line).data[0] : ' ';
    return sign == '-' ? PAINT_BAD : sign == '+' ? PAINT_DOUBTFUL : PAINT_NONE;
}

/* A report's lines as a literal block of YAML. */
static void test_print_report(const struct relance_test_result *result)
{
    struct relance_str rest = result->report, line;
    print(stdout, "  ---\n  at: %.*s:%zu\n  report: |\n", STR_ARG(result->file), result->line);
    while (test_report_line(&rest, &line)) {
        fputs("    ", stdout);
        print_painted(test_paint(line), line, stdout);
        fputc('\n', stdout);
    }
    puts("  ...");
}

/* ---- JUnit */

static void test_put_case(const struct test_run *run, const struct relance_test_result *result)
{
    FILE *out = run->junit;
    fputs("  <testcase classname=\"", out);
    print_xml(result->rule.size ? result->rule : str_of(run->in_mapping ? "(mapping)" : "(all rules)"), out);
    fputs("\" name=\"", out);
    print_xml(result->name, out);
    fputs("\" file=\"", out);
    print_xml(result->file, out);
    print(out, "\" line=\"%zu\"", result->line);
    if (result->passed) {
        fputs("/>\n", out);
        return;
    }
    fputs(">\n    <failure message=\"expected and actual differ\">", out);
    struct relance_str rest = result->report, line;
    while (test_report_line(&rest, &line)) {
        print_xml(line, out);
        fputc('\n', out);
    }
    fputs("</failure>\n  </testcase>\n", out);
}

static bool test_junit_open(struct test_run *run, const char *path, size_t count)
{
    run->junit = fopen(path, "w");
    if (!run->junit) {
        print_mistake("--junit: %s: %s", path, strerror(errno));
        return false;
    }
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"", run->junit);
    print_xml(str_of(run->path), run->junit);
    print(run->junit, "\" tests=\"%zu\">\n", count);
    return true;
}

static bool test_junit_close(struct test_run *run, const char *path)
{
    fputs("</testsuite>\n", run->junit);
    bool written = !ferror(run->junit);
    written &= fclose(run->junit) == 0;
    if (!written) print_mistake("--junit: %s: %s", path, strerror(errno));
    return written;
}

/* ---- coverage */

/* "#   cart.jsonc:12: step 2 of rule 'cart' never fell due" */
static void test_print_gap(const struct relance_gap *gap)
{
    print(stdout, "#   %.*s:%zu: %.*s\n", STR_ARG(gap->file), gap->line, STR_ARG(gap->sentence));
}

static bool test_print_coverage(struct relance_coverage *coverage)
{
    struct relance_coverage_sum sum;
    struct relance_error error;
    if (relance_coverage_sum(coverage, &sum, &error) != RELANCE_OK) {
        print_mistake("%s", error.message);
        return false;
    }
    fputs("# reached:", stdout);
    for (size_t i = 0; i < RELANCE_COVERED_COUNT; i++)
        print(stdout, "%s %.*s %zu of %zu", i ? "," : "", STR_ARG(sum.totals[i].name), sum.totals[i].reached,
              sum.totals[i].all);
    fputc('\n', stdout);
    if (sum.gap_count) puts("# not reached:");
    for (size_t i = 0; i < sum.gap_count; i++)
        test_print_gap(&sum.gaps[i]);
    return true;
}

static bool test_covered(struct relance_mapping *mapping, struct relance_mapping_coverage *coverage)
{
    struct relance_error error;
    if (relance_mapping_covered(mapping, coverage, &error) == RELANCE_OK) return true;
    print_mistake("%s", error.message);
    return false;
}

/* `with_gaps`: those that have not been reached are named. */
static bool test_print_rows(struct relance_mapping *mapping, bool with_gaps)
{
    struct relance_mapping_coverage coverage;
    if (!test_covered(mapping, &coverage)) return false;
    print(stdout, "# reached: rows %zu of %zu\n", coverage.reached, coverage.all);
    if (coverage.gap_count && with_gaps) puts("# not reached:");
    for (size_t i = 0; i < coverage.gap_count && with_gaps; i++)
        test_print_gap(&coverage.gaps[i]);
    return true;
}

static bool test_print_covered(struct test_run *run)
{
    bool printed = !run->coverage || test_print_coverage(run->coverage);
    /* a preset has rows for what a shop's rules never look at */
    if (run->mapping && printed) printed = test_print_rows(run->mapping, run->mapping_is_file);
    for (size_t i = 0; i < run->things->mapping_count && printed && run->covers; i++)
        printed = test_print_rows(run->things->mappings[i], true);
    return printed;
}

/* ---- the whole */

static void test_done(void *context, const struct relance_test_result *result)
{
    struct test_run *run = context;
    run->failed += !result->passed;
    print_status_wipe();
    print_painted(result->passed ? PAINT_GOOD : PAINT_BAD, result->passed ? STR("ok") : STR("not ok"),
                  stdout);
    print(stdout, " %zu - ", ++run->number);
    test_print_name(result);
    fputc('\n', stdout);
    if (!result->passed) test_print_report(result);
    if (run->junit) test_put_case(run, result);
    run->progress.count++;
    progress_show(&run->progress, (double)run->number / (double)run->count);
}

static void test_print_none(const struct test_run *run)
{
    if (run->filter.size)
        print_mistake("%s: no test has '%.*s' in its name, nor in its rule's", run->path,
                      STR_ARG(run->filter));
    else
        print_mistake("%s has no tests", run->path);
}

static size_t test_count(const struct test_run *run)
{
    const struct test_things *things = run->things;
    size_t count = things->rules ? relance_ruleset_test_count(things->rules, run->filter) : 0;
    for (size_t i = 0; i < things->mapping_count; i++)
        count += relance_mapping_test_count(things->mappings[i], run->filter);
    return count;
}

static enum relance_status test_each(struct test_run *run, struct relance_error *error)
{
    const struct test_things *things = run->things;
    const struct relance_test_options how = {.done = test_done,
                                             .context = run,
                                             .coverage = run->coverage,
                                             .state_bytes = run->state_bytes,
                                             .filter = run->filter};
    enum relance_status status = RELANCE_OK;
    if (things->rules) status = relance_ruleset_test(things->rules, &how, error);
    run->in_mapping = true;
    for (size_t i = 0; i < things->mapping_count && status == RELANCE_OK; i++)
        status = relance_mapping_test(things->mappings[i], run->filter, test_done, run, error);
    return status;
}

static int test_all(struct test_run *run, const char *junit)
{
    struct relance_error error;
    size_t count = run->count = test_count(run);
    if (junit && !test_junit_open(run, junit, count)) return EXIT_STATUS_USAGE;
    print(stdout, "TAP version 14\n1..%zu\n", count);
    progress_begin(&run->progress, "tests");
    enum relance_status status = test_each(run, &error);
    progress_end(&run->progress);
    if (status != RELANCE_OK) print(stdout, "Bail out! %s\n", error.message);
    if (junit && !test_junit_close(run, junit)) status = RELANCE_IO;
    print_paint(run->failed ? PAINT_BAD : PAINT_GOOD, stdout);
    print(stdout, "# %zu passed, %zu failed", run->number - run->failed, run->failed);
    print_paint(PAINT_NONE, stdout);
    fputc('\n', stdout);
    if (!test_print_covered(run)) status = RELANCE_NO_MEMORY;
    if (!count) test_print_none(run);
    return status == RELANCE_OK && count && !run->failed ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

static int test_run_things(const struct options *options, const char *path, const struct test_things *things)
{
    struct test_run run = {.path = path,
                           .things = things,
                           .filter = options->filter ? str_of(options->filter) : (struct relance_str){0},
                           .covers = options->coverage,
                           .state_bytes = (size_t)options->state_bytes};
    if (options->coverage && things->rules && !(run.coverage = relance_coverage_new(things->rules))) {
        print_mistake("out of memory");
        return EXIT_STATUS_FAILED;
    }
    struct relance_mapping_coverage none;
    if (run.coverage) run.mapping = relance_ruleset_mapping(things->rules);
    if (run.mapping && !test_covered(run.mapping, &none)) return EXIT_STATUS_FAILED;
    run.mapping_is_file = run.mapping && mapping_is_file(options_mapping(options));
    int status = test_all(&run, options->junit);
    relance_coverage_free(run.coverage);
    return status;
}

/* Says what compiling had to say where it failed. */
static bool test_compiled(enum relance_status status, struct relance_report *report, const char *path,
                          const struct relance_error *error)
{
    if (status != RELANCE_OK) {
        if (report) mistakes_print(report, stderr);
        print_mistake("%s: %s", path, error->message);
    }
    relance_report_free(report);
    return status == RELANCE_OK;
}

/* Compiles all, and says every mistake. */
static bool test_compile(const char *path, const struct subject *subject, struct test_things *things)
{
    struct relance_report *report = NULL;
    struct relance_error error;
    bool good = true;
    if (subject->rules.count) {
        enum relance_status status = file_set_compile(&subject->rules, &things->rules, &report, &error);
        good = test_compiled(status, report, path, &error);
    }
    for (size_t i = 0; i < subject->mapping_count; i++) {
        const struct relance_source *source = &subject->mappings[i];
        struct relance_mapping *mapping;
        enum relance_status status = mapping_compile(source, &mapping, &report, &error);
        if (status == RELANCE_OK) things->mappings[things->mapping_count++] = mapping;
        good &= test_compiled(status, report, source->name.data, &error);
    }
    return good;
}

static int test_once(const struct options *options)
{
    struct subject subject;
    struct relance_error error;
    const struct file_paths paths = {options->args, options->arg_count, options_mapping(options), true};
    char shown[FILE_PATHS_SHOWN];
    if (subject_read(&paths, &subject, &error) != RELANCE_OK) {
        print_mistake("%s", error.message);
        return EXIT_STATUS_USAGE;
    }
    struct test_things things = {.mappings = calloc(subject.mapping_count + 1, sizeof *things.mappings)};
    if (!things.mappings) abort(); /* a page, at the start */
    int status = EXIT_STATUS_USAGE;
    file_paths_show(&paths, shown);
    if (test_compile(shown, &subject, &things)) status = test_run_things(options, shown, &things);
    for (size_t i = 0; i < things.mapping_count; i++)
        relance_mapping_free(things.mappings[i]);
    free(things.mappings);
    relance_ruleset_free(things.rules);
    subject_free(&subject);
    return status;
}

int cmd_test(const struct options *options)
{
    return options->watch ? watch_run(test_once, options) : test_once(options);
}
