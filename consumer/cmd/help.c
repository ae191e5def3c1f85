/* relance help [COMMAND | TOPIC [ARGUMENT]]: prints the tables that the program itself is made of, and what is made of
 * them: manual pages, completion for shells. Each topic of topic.def is a function here. */
#include "host/command.h"
#include "host/option.h"
#include "host/preset.h"
#include "host/print.h"
#include "host/text.h"
#include "host/topic.h"
#include "report/completion.h"
#include "report/figures.h"
#include "report/man.h"
#include <relance/decision.h>
#include <relance/sales.h>
#include <relance/forgot.h>
#include <relance/listing.h>
#include <relance/mapping.h>
#include <string.h>

enum { HELP_NAME_WIDTH = 17 };

static void help_line(int width, const char *left, const char *sentence)
{
    print_row(stdout, (size_t)width, str_of(left), str_of(sentence));
}

static int help_commands(void)
{
    puts("Relance: shop events in, relaunch actions out.\n\nrelance COMMAND [OPTIONS]\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        help_line(HELP_NAME_WIDTH, command_table[i].name, command_table[i].prose);
    puts("\n`relance help COMMAND` explains one, and `relance help TOPIC` prints:\n");
    for (size_t i = 0; i < TOPIC_COUNT; i++)
        help_line(HELP_NAME_WIDTH, topic_table[i].name, topic_table[i].prose);
    return EXIT_STATUS_OK;
}

/* ---- topics: each is given the argument behind its name, or NULL, and returns the exit status */

static int help_options(const char *argument)
{
    (void)argument;
    options_print(stdout, COMMAND_COUNT);
    return EXIT_STATUS_OK;
}

static int help_counters(const char *argument)
{
    (void)argument;
#define COUNTER(ENUM, name, prose)        help_line(24, name, prose);
#define COUNTER_FAMILY(ENUM, form, prose) COUNTER(ENUM, form, prose)
#include "counter.def"
#undef COUNTER
#undef COUNTER_FAMILY
    return EXIT_STATUS_OK;
}

static int help_sums(const char *argument)
{
    (void)argument;
#define HELP_SUM(NAME, tables, name, is_money, prose) help_line(28, name, prose);
    RELANCE_SALES_TABLE(HELP_SUM)
#undef HELP_SUM
    return EXIT_STATUS_OK;
}

static int help_clients(const char *argument)
{
    (void)argument;
#define CLIENT(name, prose) help_line(28, name, prose);
#include "client.def"
    return EXIT_STATUS_OK;
}

static int help_intake_counters(const char *argument)
{
    (void)argument;
#define INTAKE_COUNTER(ENUM, name, prose)        help_line(24, name, prose);
#define INTAKE_COUNTER_FAMILY(ENUM, form, prose) INTAKE_COUNTER(ENUM, form, prose)
#include "intake.def"
#undef INTAKE_COUNTER
#undef INTAKE_COUNTER_FAMILY
    return EXIT_STATUS_OK;
}

static int help_figures(const char *argument)
{
    (void)argument;
    for (const struct metric_live *row = metric_lives; row->name; row++)
        help_line(24, row->name, row->prose);
    return EXIT_STATUS_OK;
}

static int help_outcomes(const char *argument)
{
    (void)argument;
    for (int i = 0; i < RELANCE_OUTCOME_COUNT; i++) {
        struct relance_str text = relance_outcome_text((enum relance_outcome)i);
        struct relance_str prose = relance_outcome_prose((enum relance_outcome)i);
        print_row(stdout, 12, text, prose);
    }
    return EXIT_STATUS_OK;
}

static int help_statuses(const char *argument)
{
    (void)argument;
#define STATUS(ENUM, number, prose) help_line(1, #number, prose);
#include "status.def"
#undef STATUS
    return EXIT_STATUS_OK;
}

static int help_kafka(const char *argument)
{
    (void)argument;
    puts("kafka.NAME passes through to librdkafka, except for what delivery depends on:");
#define KAFKA_RESERVED(name, why) help_line(30, name, why);
#define KAFKA_SECRET(name)
#include "kafka.def"
#undef KAFKA_RESERVED
#undef KAFKA_SECRET
    puts("\nSecrets, for the environment or the file of --config; on the command line others can see them:");
#define KAFKA_RESERVED(name, why)
#define KAFKA_SECRET(name) puts("  " name);
#include "kafka.def"
#undef KAFKA_RESERVED
#undef KAFKA_SECRET
    return EXIT_STATUS_OK;
}

/* Rows of a table: groups with a heading, and a sentence that many forms share said once. */
struct help_table {
    size_t width; /* of the names */
    char group[64], prose[256];
};

static void help_row(void *context, const struct relance_row *row)
{
    struct help_table *table = context;
    if (!str_equal(row->group, str_of(table->group))) {
        if (*table->group) fputc('\n', stdout);
        print_painted(PAINT_STRONG, row->group, stdout);
        fputc('\n', stdout);
        snprintf(table->group, sizeof table->group, "%.*s", STR_ARG(row->group));
        *table->prose = '\0';
    }
    if (str_equal(row->prose, str_of(table->prose)))
        print(stdout, "  %.*s\n", STR_ARG(row->name));
    else
        print_row(stdout, table->width + 1, row->name, row->prose);
    snprintf(table->prose, sizeof table->prose, "%.*s", STR_ARG(row->prose));
    if (row->example.size) print(stdout, "      %.*s is %.*s\n", STR_ARG(row->example), STR_ARG(row->value));
}

static int help_functions(const char *argument)
{
    (void)argument;
    struct relance_error error;
    struct help_table table = {.width = 48};
    if (relance_function_rows(help_row, &table, &error) == RELANCE_OK) return EXIT_STATUS_OK;
    print_mistake("%s", error.message);
    return EXIT_STATUS_FAILED;
}

static int help_keywords(const char *argument)
{
    (void)argument;
    struct help_table table = {.width = 10};
    relance_keyword_rows(help_row, &table);
    return EXIT_STATUS_OK;
}

static int help_mapping_keywords(const char *argument)
{
    (void)argument;
    struct help_table table = {.width = 10};
    relance_mapping_keyword_rows(help_row, &table);
    return EXIT_STATUS_OK;
}

static int help_limits(const char *argument)
{
    (void)argument;
    struct help_table table = {.width = 9};
    relance_limit_rows(help_row, &table);
    return EXIT_STATUS_OK;
}

static int help_presets(const char *argument)
{
    (void)argument;
    for (const struct preset *preset = preset_table; preset->name; preset++) {
        char prose[512];
        size_t size = preset_prose(preset, prose, sizeof prose);
        print_row(stdout, 12, str_of(preset->name),
                  (str){prose, size < sizeof prose ? size : sizeof prose - 1});
    }
    return EXIT_STATUS_OK;
}

static int help_preset(const char *argument)
{
    struct relance_str name = str_of(argument ? argument : ""), text;
    char shown[TEXT_SHOWN_SIZE];
    if (preset_find(name, &text)) return print_lines(text, stdout), EXIT_STATUS_OK;
    if (argument)
        print_mistake("there is no preset '%s'; `relance help presets` lists them",
                      text_shown(argument, shown));
    else
        print_mistake("preset: which? `relance help presets` lists them");
    return EXIT_STATUS_USAGE;
}

/* rules.schema.json, mapping.schema.json: made when the program is */
extern const struct relance_str help_schema_text, help_mapping_schema_text;

static int help_schema(const char *argument)
{
    bool mapping = argument && strcmp(argument, "mapping") == 0;
    if (argument && !mapping && strcmp(argument, "rules") != 0) {
        print_mistake("schema: of what? %s", topic_table[TOPIC_schema].argument);
        return EXIT_STATUS_USAGE;
    }
    print_lines(mapping ? help_mapping_schema_text : help_schema_text, stdout);
    return EXIT_STATUS_OK;
}

static int help_man(const char *argument)
{
    enum command command = argument ? command_find(argument) : COMMAND_COUNT;
    char shown[TEXT_SHOWN_SIZE];
    if (argument && command == COMMAND_COUNT) {
        print_mistake("there is no command '%s'; `relance help` lists them", text_shown(argument, shown));
        return EXIT_STATUS_USAGE;
    }
    man_print(command, stdout);
    return EXIT_STATUS_OK;
}

static int help_completion(const char *argument)
{
    if (argument && completion_print(argument, stdout)) return EXIT_STATUS_OK;
    print_mistake("completion: for which shell? %s", topic_table[TOPIC_completion].argument);
    return EXIT_STATUS_USAGE;
}

static int help_topic(enum topic topic, const char *argument)
{
    static int (*const functions[TOPIC_COUNT])(const char *argument) = {
#define TOPIC(function, name, argument, prose) help_##function,
#include "topic.def"
#undef TOPIC
    };
    return functions[topic](argument);
}

/* ---- the whole */

int cmd_help(const struct options *options)
{
    const char *word = options->arg_count ? options->args[0] : NULL;
    const char *argument = options->arg_count > 1 ? options->args[1] : NULL;
    enum command command = word ? command_find(word) : COMMAND_COUNT;
    enum topic topic = word ? topic_find(word) : TOPIC_COUNT;
    char shown[TEXT_SHOWN_SIZE];
    if (!word) return help_commands();
    if (argument && (topic == TOPIC_COUNT || !*topic_table[topic].argument))
        return print_mistake("'%s': unexpected argument", text_shown(argument, shown)), EXIT_STATUS_USAGE;
    if (command != COMMAND_COUNT) return options_print(stdout, command), EXIT_STATUS_OK;
    if (topic != TOPIC_COUNT) return help_topic(topic, argument);
    print_mistake("nothing is known about '%s'; `relance help` lists what there is", text_shown(word, shown));
    return EXIT_STATUS_USAGE;
}
