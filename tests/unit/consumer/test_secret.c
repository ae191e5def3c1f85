/* Secrets: in no message, in no log line, and not in the list of processes for longer than it takes to read them. */
#include "host/log.h"
#include "host/option.h"
#include "host/text.h"
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct options options;

static void assert_said(const char *text)
{
    fflush(stderr);
    cr_assert_stderr_eq_str(text);
}

static const char *write_config(const char *text, mode_t mode)
{
    static char path[32];
    strcpy(path, "/tmp/relance-secret-XXXXXX");
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    cr_assert_eq(fchmod(file, mode), 0);
    close(file);
    return path;
}

Test(secret, on_the_command_line_are_taken_overwritten_and_warned_of, .init = cr_redirect_stderr)
{
    char redis[] = "--redis=redis://u:hush:@hush@h:1/0", word[] = "--kafka.sasl.password",
         value[] = "hush-hush", key[] = "--kafka.ssl.key.password=hush", user[] = "--kafka.sasl.username=u",
         group[] = "--group=g", input[] = "--input=i", command[] = "top";
    char *argv[] = {command, redis, word, value, key, user, group, input, NULL};
    cr_assert(options_read(&options, COMMAND_TOP, 8, argv));
    cr_expect_str_eq(options.redis, "redis://u:hush:@hush@h:1/0");
    cr_expect_str_eq(options_kafka(&options, "sasl.password"), "hush-hush");
    cr_expect_str_eq(options_kafka(&options, "ssl.key.password"), "hush");
    cr_expect_str_eq(redis, "--redis=redis://u:**********@h:1/0");
    cr_expect_str_eq(value, "*********");
    cr_expect_str_eq(key, "--kafka.ssl.key.password=****");
    cr_expect_str_eq(user, "--kafka.sasl.username=u");
#define KEPT                                                                                                 \
    ": a secret on the command line is kept by shells, and was to be seen in the list of processes until "   \
    "now; give it in "
#define OR_FILE ", or in the file of --config\n"
    assert_said("relance top: warning: --redis" KEPT "RELANCE_REDIS" OR_FILE
                "relance top: warning: --kafka.sasl.password" KEPT "RELANCE_KAFKA_SASL_PASSWORD" OR_FILE
                "relance top: warning: --kafka.ssl.key.password" KEPT
                "RELANCE_KAFKA_SSL_KEY_PASSWORD" OR_FILE);
    options_free(&options);
}

Test(secret, from_the_environment_or_a_file_of_ones_own_need_no_word, .init = cr_redirect_stderr)
{
    char command[] = "metrics", group[] = "--group=g", input[] = "--input=i",
         *argv[] = {command, group, input, NULL};
    setenv("RELANCE_CONFIG", write_config("redis = unix://u:hush@/s\nkafka.ssl.key.password = hush\n", 0640),
           1);
    setenv("RELANCE_KAFKA_SASL_PASSWORD", "hush", 1);
    bool read = options_read(&options, COMMAND_METRICS, 3, argv);
    unlink(getenv("RELANCE_CONFIG"));
    cr_assert(read);
    assert_said("");
    options_free(&options);
}

Test(secret, in_a_file_that_everybody_may_read_are_warned_of, .init = cr_redirect_stderr)
{
    static const struct {
        const char *text;
        bool secret;
    } files[] = {{"redis = redis://u@h\nkafka.sasl.username = u\n", false},
                 {"redis = redis://u:hush@h\n", true},
                 {"kafka.ssl.keystore.password = hush\n", true}};
    char command[] = "version", expected[1024] = "", *argv[] = {command, NULL};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s", write_config(files[i].text, 0644));
        setenv("RELANCE_CONFIG", path, 1);
        cr_expect(options_read(&options, COMMAND_VERSION, 1, argv));
        options_free(&options);
        unlink(path);
        if (files[i].secret)
            snprintf(expected + strlen(expected), sizeof expected - strlen(expected),
                     "relance version: warning: --config: %s holds a secret, and everybody may read it; "
                     "chmod o-r %s\n",
                     path, path);
    }
    assert_said(expected);
}

Test(secret, in_slips_of_the_finger_are_not_shown, .init = cr_redirect_stderr)
{
    char command[] = "version", slip[] = "-kafka.sasl.password=hush", *argv[] = {command, slip, NULL};
    setenv("RELANCE_CONFIG", write_config("kafka.sasl.password: hush\n", 0600), 1);
    cr_expect_not(options_read(&options, COMMAND_VERSION, 2, argv));
    unlink(getenv("RELANCE_CONFIG"));
    char expected[512], shown[TEXT_SHOWN_SIZE];
    snprintf(expected, sizeof expected,
             "relance version: %s:1: no `name = value`: there is no = in it\n"
             "relance version: '-kafka.sasl.password…': unexpected argument\n",
             getenv("RELANCE_CONFIG"));
    assert_said(expected);
    cr_expect_str_eq(text_shown("redis://u:hush@h", shown), "redis…");
    cr_expect_str_eq(text_shown("rules/cart.jsonc", shown), "rules/cart.jsonc");
    char word[200];
    memset(word, 'x', sizeof word);
    word[sizeof word - 1] = '\0';
    cr_expect_lt(strlen(text_shown(word, shown)), TEXT_SHOWN_SIZE);
}

Test(secret, a_password_in_a_url_is_found_where_there_is_one)
{
    static const char *const urls[][2] = {{"redis://u:p@h:1/0", "p"},
                                          {"redis://:p@h", "p"},
                                          {"redis://u:p@q@h", "p@q"},
                                          {"unix://u:a:b@/s", "a:b"},
                                          {"redis://h:1/0", ""},
                                          {"redis://u@h:1", ""},
                                          {"unix:///a:b@c", ""},
                                          {"u:p@h", ""},
                                          {"redis://u:@h", ""},
                                          {"rediss://u:p@h:1", "p"},
                                          {"", ""}};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct relance_str found = text_url_password(str_of(urls[i][0]));
        cr_expect(str_equal(found, str_of(urls[i][1])), "%s: '%.*s'", urls[i][0], STR_ARG(found));
    }
}

Test(secret, that_was_read_is_in_no_log_line_whoever_wrote_it, .init = cr_redirect_stderr)
{
    log_hide(STR("hush-hush"));
    log_hide(STR("***")); /* too short */
    log_hide(STR("****"));
    log_line(LOG_ERROR, "A library says:", "says=\"password=hush-hush\x1b[31m, hush-hushhush\"");
    fflush(stderr);
    char line[256] = "";
    FILE *said = cr_get_redirected_stderr();
    cr_assert(fgets(line, sizeof line, said));
    cr_expect_str_eq(
        line + strlen("time=2026-03-02T10:00:00.120Z "),
        "level=error msg=\"A library says:\" says=\"password=*********\\u001b[31m, *********hush\"\n");
}

/* ---- what librdkafka itself blots out of its debug log, against our table */
static char blotted[64][64];
static size_t blotted_count;

static void see_line(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk, (void)level, (void)facility;
    const char *mark = strstr(text, " = [redacted]");
    const char *name = mark ? mark : text;
    while (name > text && name[-1] != ' ')
        name--;
    if (mark && blotted_count < 64)
        snprintf(blotted[blotted_count++], sizeof *blotted, "%.*s", (int)(mark - name), name);
}

/* Sets whatever of ssl.* and sasl.* takes any text, all at once, and lets the client print its configuration. */
static void let_librdkafka_print(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char name[64], rest[1024], reason[256];
    FILE *table = tmpfile();
    rd_kafka_conf_properties_show(table);
    rewind(table);
    while (fscanf(table, "%63s%1023[^\n]", name, rest) == 2)
        if ((strncmp(name, "sasl.", 5) == 0 || strncmp(name, "ssl.", 4) == 0) && !strstr(name, "mechanism") &&
            !strstr(name, "engine"))
            rd_kafka_conf_set(conf, name, "1", reason, sizeof reason);
    fclose(table);
    rd_kafka_conf_set(conf, "debug", "conf", reason, sizeof reason);
    rd_kafka_conf_set_log_cb(conf, see_line);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
    cr_assert(rk, "%s", reason);
    rd_kafka_destroy(rk);
}

Test(secret, whatever_librdkafka_calls_sensitive_is_one_here)
{
    static const char *const public[] = {"sasl.username", "ssl.key.location", "ssl.ca.pem",
                                         "ssl.certificate.pem"};
    let_librdkafka_print();
    cr_expect_geq(blotted_count, 3);
    for (size_t i = 0; i < blotted_count; i++) {
        bool known = options_kafka_secret(str_of(blotted[i]));
        for (size_t j = 0; j < sizeof public / sizeof *public; j++)
            known |= strcmp(blotted[i], public[j]) == 0;
        cr_expect(known, "%s is a secret and stands in no table", blotted[i]);
    }
}
