/* Options from a file, the environment and the command line; every mistake in one go. */
#include "host/option.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <criterion/redirect.h>
#include <stdlib.h>
#include <unistd.h>

static struct options options;

static bool read_words(enum command command, int argc, const char **argv)
{
    return options_read(&options, command, argc, (char **)(uintptr_t)argv);
}
#define READ(command, ...)                                                                                   \
    read_words(command, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                       \
               (const char *[]){__VA_ARGS__, NULL})
#define RUN_NEEDS "--rules=r", "--input=i", "--output=o", "--group=g"

static const char *write_config(const char *text)
{
    static char path[] = "/tmp/relance-option-XXXXXX";
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    return path;
}

Test(option, takes_values_in_both_forms_and_defaults_for_the_rest)
{
    cr_assert(READ(COMMAND_RUN, "run", RUN_NEEDS, "--lateness", "1m30s", "--workers=3", "--create-topics"));
    cr_expect_eq(options.lateness, 90000);
    cr_expect_eq(options.workers, 3);
    cr_expect(options.create_topics);
    cr_expect_not(options.stop_at_end);
    cr_expect_eq(options.cache_bytes, 512 << 20);
    cr_expect_str_eq(options.redis, "redis://127.0.0.1:6379/0");
    options_free(&options);
}

Test(option, what_a_command_may_do_without_has_no_default_there)
{
    cr_assert(READ(COMMAND_LEARN, "learn", "--rules=r"));
    cr_expect_null(options.redis);
    options_free(&options);
    cr_assert(READ(COMMAND_LEARN, "learn", "--rules=r", "--redis=unix:///s"));
    cr_expect_str_eq(options.redis, "unix:///s");
    options_free(&options);
}

Test(option, the_command_line_wins_over_the_environment_and_that_over_the_file)
{
    const char *path =
        write_config("# a shop\nworkers = 2\nlateness = 5s\ngroup = from-file\nkafka.client.rack = a\n\n");
    setenv("RELANCE_CONFIG", path, 1);
    setenv("RELANCE_LATENESS", "6s", 1);
    setenv("RELANCE_WORKERS", "3", 1);
    setenv("RELANCE_KAFKA_BOOTSTRAP_SERVERS", "k:9092", 1);
    setenv("RELANCE_KAFKA_CLIENT_RACK", "b", 1);
    bool read = READ(COMMAND_RUN, "run", "--rules=r", "--input=i", "--output=o", "--workers=4",
                     "--kafka.client.rack", "c");
    unlink(path);
    cr_assert(read);
    cr_expect_str_eq(options.group, "from-file");
    cr_expect_eq(options.lateness, 6000);
    cr_expect_eq(options.workers, 4);
    cr_expect_str_eq(options_kafka(&options, "bootstrap.servers"), "k:9092");
    cr_expect_str_eq(options_kafka(&options, "client.rack"), "c");
    cr_expect_null(options_kafka(&options, "linger.ms"));
    options_free(&options);
}

static void expect_rules(const char *expected)
{
    char shown[FILE_PATHS_SHOWN];
    cr_expect_str_eq(file_paths_show(&options.rules, shown), expected);
    options_free(&options);
}

Test(option, paths_of_rules_add_up_on_the_command_line_and_stand_between_commas_elsewhere)
{
    const char *path = write_config("rules = c, d e\n");
    setenv("RELANCE_CONFIG", path, 1);
    bool read = READ(COMMAND_EXPLAIN, "explain", "anna");
    cr_assert(read);
    expect_rules("c, d e");
    setenv("RELANCE_RULES", "f,g", 1);
    cr_assert(READ(COMMAND_EXPLAIN, "explain", "anna"));
    expect_rules("f, g");
    cr_assert(READ(COMMAND_EXPLAIN, "explain", "anna", "--rules=a,b", "--rules", "c"));
    expect_rules("a,b, c");
    setenv("RELANCE_RULES", "f,,g", 1);
    cr_assert_not(READ(COMMAND_EXPLAIN, "explain", "anna"));
    unlink(path);
}

Test(option, says_all_mistakes_at_once_with_the_name_that_was_meant, .init = cr_redirect_stderr)
{
    cr_assert_not(READ(COMMAND_RUN, "run", "--latness=1s", "--workers=many",
                       "--kafka.enable.auto.commit=true", "--rules=r", "--input=i", "--output=o", "stray"));
    cr_expect_eq(options.status, EXIT_STATUS_USAGE);
    fflush(stderr);
    cr_assert_stderr_eq_str(
        "relance run: --latness: there is no such option; did you mean --lateness?\n"
        "relance run: --workers: 'many' is not a whole number, 0 or more\n"
        "relance run: --kafka.enable.auto.commit: not to be set: offsets are committed together with the "
        "actions, in one transaction\n"
        "relance run: 'stray': unexpected argument\n"
        "relance run: --group is needed: Consumer group; with the topic it names the state in Redis.\n");
}

Test(option, a_misspelt_variable_is_a_mistake_and_a_strangers_is_not, .init = cr_redirect_stderr)
{
    setenv("RELANCE_SERVICE_HOST", "10.0.0.1", 1); /* as Kubernetes sets for a service of that name */
    cr_assert(READ(COMMAND_RUN, "run", RUN_NEEDS));
    options_free(&options);
    setenv("RELANCE_LATENES", "1s", 1);
    cr_assert_not(READ(COMMAND_RUN, "run", RUN_NEEDS));
    fflush(stderr);
    cr_assert_stderr_eq_str(
        "relance run: RELANCE_LATENES: there is no such option; did you mean RELANCE_LATENESS?\n");
}

Test(option, a_file_is_shared_by_all_commands_but_its_mistakes_are_everybodys, .init = cr_redirect_stderr)
{
    const char *path = write_config("output = o\nspeed = 4\n");
    char config[64];
    snprintf(config, sizeof config, "--config=%s", path);
    cr_assert(READ(COMMAND_VERSION, "version", config));
    options_free(&options);
    FILE *file = fopen(path, "w");
    fputs("outptu = o\nno value here\nspeed = 1\nspeed = 2\n", file);
    fclose(file);
    bool read = READ(COMMAND_VERSION, "version", config);
    unlink(path);
    cr_assert_not(read);
    char expected[512];
    snprintf(expected, sizeof expected,
             "relance version: %s:1: outptu: there is no such option; did you mean 'output'?\n"
             "relance version: %s:2: no `name = value`: there is no = in it\n"
             "relance version: %s:4: speed: given twice in this file\n",
             path, path, path);
    fflush(stderr);
    cr_assert_stderr_eq_str(expected);
}

Test(option, an_option_of_another_command_is_refused_on_the_command_line, .init = cr_redirect_stderr)
{
    cr_assert_not(READ(COMMAND_CHECK, "check", "--workers=2", "rules.json"));
    fflush(stderr);
    cr_assert_stderr_eq_str("relance check: --workers: there is no such option of this command\n");
}

Test(option, two_dashes_end_the_options)
{
    cr_assert(READ(COMMAND_CHECK, "check", "--", "--odd-name.json"));
    cr_expect_eq(options.arg_count, 1);
    cr_expect_str_eq(options.args[0], "--odd-name.json");
    options_free(&options);
}
