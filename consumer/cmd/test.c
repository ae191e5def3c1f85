/* relance test PATH: runs the tests that stand in rule files (LANGUAGE.md §5), in virtual time, and prints the
 * Test Anything Protocol, version 14 (testanything.org): a line a test, and under one that failed where it
 * stands and what it expected against what came. With --junit, the same as a file in JUnit's XML; with --coverage,
 * comments behind the tests that say what of the rules none of them reached.
 *
 * Status 0: all tests passed; 1: some failed, or there is none; 2: the files cannot be read or do not check. */
#include "host/command.h"
#include "host/file.h"
#include "host/option.h"
#include "host/text.h"

#include <relance/rule_test.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct test_run {
    const char *path;
    FILE *junit;                       /* NULL: none is wanted */
    struct relance_coverage *coverage; /* likewise */
    size_t number, failed;
};

/* ---- TAP */

/* In one line; what is in `escaped` gets a backslash. */
static void test_put(struct relance_str text, const char *escaped)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] && strchr(escaped, text.data[i])) putchar('\\');
        putchar(text.data[i] == '\n' ? ' ' : text.data[i]);
    }
}

/* "cart_abandoned: bought within the hour"; a '#' would begin a directive. */
static void test_print_name(const struct relance_test_result *result)
{
    test_put(result->rule, "#\\");
    if (result->rule.size) fputs(": ", stdout);
    test_put(result->name, "#\\");
}

/* A report's lines as a literal block of YAML. */
static void test_print_report(const struct relance_test_result *result)
{
    printf("  ---\n  at: %.*s:%zu\n  report: |\n", TEXT_ARG(result->file), result->line);
    struct relance_str rest = result->report;
    while (rest.size) {
        const char *end = memchr(rest.data, '\n', rest.size);
        size_t size = end ? (size_t)(end - rest.data) + 1 : rest.size;
        printf("    %.*s", (int)size, rest.data);
        rest = (struct relance_str){rest.data + size, rest.size - size};
    }
    puts("  ...");
}

/* ---- JUnit */

static void test_put_xml(FILE *out, struct relance_str text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        switch (c) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        case '"': fputs("&quot;", out); break;
        default: putc(c < 0x20 && c != '\n' && c != '\t' ? '?' : c, out); /* XML 1.0 has no others */
        }
    }
}

static void test_put_case(FILE *out, const struct relance_test_result *result)
{
    fputs("  <testcase classname=\"", out);
    test_put_xml(out, result->rule.size ? result->rule : TEXT("(all rules)"));
    fputs("\" name=\"", out);
    test_put_xml(out, result->name);
    fputs("\" file=\"", out);
    test_put_xml(out, result->file);
    fprintf(out, "\" line=\"%zu\"", result->line);
    if (result->passed) {
        fputs("/>\n", out);
        return;
    }
    fputs(">\n    <failure message=\"expected and actual differ\">", out);
    test_put_xml(out, result->report);
    fputs("</failure>\n  </testcase>\n", out);
}

static bool test_junit_open(struct test_run *run, const char *path, size_t count)
{
    run->junit = fopen(path, "w");
    if (!run->junit) {
        fprintf(stderr, "relance test: --junit: %s: %s\n", path, strerror(errno));
        return false;
    }
    fprintf(run->junit, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"");
    test_put_xml(run->junit, text_of(run->path));
    fprintf(run->junit, "\" tests=\"%zu\">\n", count);
    return true;
}

static bool test_junit_close(struct test_run *run, const char *path)
{
    fputs("</testsuite>\n", run->junit);
    bool written = !ferror(run->junit);
    written &= fclose(run->junit) == 0;
    if (!written) fprintf(stderr, "relance test: --junit: %s: %s\n", path, strerror(errno));
    return written;
}

/* ---- coverage */

/* "#   cart.jsonc:12: step 2 of rule 'cart' never fell due" */
static void test_print_gap(const struct relance_gap *gap)
{
    printf("#   %.*s:%zu: ", TEXT_ARG(gap->file), gap->line);
    test_put(gap->sentence, "");
    putchar('\n');
}

static bool test_print_coverage(struct relance_coverage *coverage)
{
    struct relance_coverage_sum sum;
    struct relance_error error;
    if (relance_coverage_sum(coverage, &sum, &error) != RELANCE_OK) {
        fprintf(stderr, "relance test: %s\n", error.message);
        return false;
    }
    fputs("# reached:", stdout);
    for (size_t i = 0; i < RELANCE_COVERED_COUNT; i++)
        printf("%s %.*s %zu of %zu", i ? "," : "", TEXT_ARG(sum.totals[i].name), sum.totals[i].reached,
               sum.totals[i].all);
    puts(sum.gap_count ? "\n# not reached:" : "");
    for (size_t i = 0; i < sum.gap_count; i++)
        test_print_gap(&sum.gaps[i]);
    return true;
}

/* ---- the whole */

static void test_done(void *context, const struct relance_test_result *result)
{
    struct test_run *run = context;
    run->failed += !result->passed;
    printf("%s %zu - ", result->passed ? "ok" : "not ok", ++run->number);
    test_print_name(result);
    putchar('\n');
    if (!result->passed) test_print_report(result);
    if (run->junit) test_put_case(run->junit, result);
}

static int test_all(struct test_run *run, const char *junit, const struct relance_ruleset *rules)
{
    struct relance_error error;
    size_t count = relance_ruleset_test_count(rules);
    if (junit && !test_junit_open(run, junit, count)) return EXIT_STATUS_USAGE;
    printf("TAP version 14\n1..%zu\n", count);
    enum relance_status status = relance_ruleset_test(rules, test_done, run, run->coverage, &error);
    if (status != RELANCE_OK) printf("Bail out! %s\n", error.message);
    if (junit && !test_junit_close(run, junit)) status = RELANCE_IO;
    printf("# %zu passed, %zu failed\n", run->number - run->failed, run->failed);
    if (run->coverage && !test_print_coverage(run->coverage)) status = RELANCE_NO_MEMORY;
    if (!count) fprintf(stderr, "relance test: %s has no tests\n", run->path);
    return status == RELANCE_OK && count && !run->failed ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

static int test_set(const struct options *options, const struct relance_ruleset *rules)
{
    struct test_run run = {.path = options->args[0]};
    if (options->coverage && !(run.coverage = relance_coverage_new(rules))) {
        fputs("relance test: out of memory\n", stderr);
        return EXIT_STATUS_FAILED;
    }
    int status = test_all(&run, options->junit, rules);
    relance_coverage_free(run.coverage);
    return status;
}

static int test_path(const struct options *options)
{
    struct file_set set;
    struct relance_ruleset *rules = NULL;
    struct relance_report *report = NULL;
    struct relance_error error;
    if (file_set_read(options->args[0], &set, &error) != RELANCE_OK) {
        fprintf(stderr, "relance test: %s\n", error.message);
        return EXIT_STATUS_USAGE;
    }
    int status = EXIT_STATUS_USAGE;
    if (file_set_compile(&set, &rules, &report, &error) == RELANCE_OK) {
        status = test_set(options, rules);
    } else {
        if (report) text_print(relance_report_text(report), stderr);
        fprintf(stderr, "relance test: %s: %s\n", options->args[0], error.message);
    }
    relance_report_free(report);
    relance_ruleset_free(rules);
    file_set_free(&set);
    return status;
}

int cmd_test(int argc, char **argv)
{
    struct options options;
    if (!options_read(&options, COMMAND_TEST, argc, argv)) return options.status;
    int status = test_path(&options);
    options_free(&options);
    return status;
}
