/* relance help [COMMAND | TOPIC]: prints the tables that the program itself is made of. */
#include "host/command.h"
#include "host/option.h"
#include "host/text.h"
#include <relance/decision.h>
#include <relance/listing.h>
#include <string.h>

static void help_commands(void)
{
    puts("Relance: shop events in, relaunch actions out.\n\nrelance COMMAND [OPTIONS]\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-16s %s\n", command_table[i].name, command_table[i].prose);
    puts("\n`relance help COMMAND` explains one; `relance help options`, `keywords`, `functions`, `limits`, "
         "`counters` and `outcomes` print tables.");
}

static int help_options(void)
{
    options_print(stdout, COMMAND_COUNT);
    return EXIT_STATUS_OK;
}

static int help_counters(void)
{
#define COUNTER(ENUM, name, prose)        printf("  %-24s %s\n", name, prose);
#define COUNTER_FAMILY(ENUM, form, prose) COUNTER(ENUM, form, prose)
#include "counter.def"
#undef COUNTER
#undef COUNTER_FAMILY
    return EXIT_STATUS_OK;
}

static int help_outcomes(void)
{
    for (int i = 0; i < RELANCE_OUTCOME_COUNT; i++) {
        struct relance_str text = relance_outcome_text((enum relance_outcome)i);
        struct relance_str prose = relance_outcome_prose((enum relance_outcome)i);
        printf("  %-12.*s %.*s\n", TEXT_ARG(text), TEXT_ARG(prose));
    }
    return EXIT_STATUS_OK;
}

static int help_kafka(void)
{
    puts("kafka.NAME passes through to librdkafka, except for what delivery depends on:");
#define KAFKA_RESERVED(name, why) printf("  %-30s %s\n", name, why);
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
    int width; /* of the names */
    char group[64], prose[256];
};

static void help_row(void *context, const struct relance_row *row)
{
    struct help_table *table = context;
    if (!text_equal(row->group, text_of(table->group))) {
        printf("%s%.*s\n", *table->group ? "\n" : "", TEXT_ARG(row->group));
        snprintf(table->group, sizeof table->group, "%.*s", TEXT_ARG(row->group));
        *table->prose = '\0';
    }
    if (text_equal(row->prose, text_of(table->prose))) {
        printf("  %.*s\n", TEXT_ARG(row->name));
        return;
    }
    printf("  %-*.*s  %.*s\n", table->width, TEXT_ARG(row->name), TEXT_ARG(row->prose));
    snprintf(table->prose, sizeof table->prose, "%.*s", TEXT_ARG(row->prose));
}

static int help_functions(void)
{
    struct relance_error error;
    struct help_table table = {.width = 48};
    if (relance_function_rows(help_row, &table, &error) == RELANCE_OK) return EXIT_STATUS_OK;
    fprintf(stderr, "relance help: %s\n", error.message);
    return EXIT_STATUS_FAILED;
}

static int help_keywords(void)
{
    struct help_table table = {.width = 10};
    relance_keyword_rows(help_row, &table);
    return EXIT_STATUS_OK;
}

static int help_limits(void)
{
    struct help_table table = {.width = 9};
    relance_limit_rows(help_row, &table);
    return EXIT_STATUS_OK;
}

static const struct help_topic {
    const char *name;
    int (*print)(void); /* the exit status */
} help_topics[] = {{"options", help_options},  {"counters", help_counters},   {"outcomes", help_outcomes},
                   {"kafka", help_kafka},      {"functions", help_functions}, {"limits", help_limits},
                   {"keywords", help_keywords}};

int cmd_help(int argc, char **argv)
{
    struct options options;
    if (!options_read(&options, COMMAND_HELP, argc, argv)) return options.status;
    const char *word = options.arg_count ? options.args[0] : NULL;
    enum command command = word ? command_find(word) : COMMAND_COUNT;
    int status = EXIT_STATUS_OK;
    size_t topic = 0, topics = sizeof help_topics / sizeof *help_topics;
    while (word && topic < topics && strcmp(help_topics[topic].name, word) != 0)
        topic++;
    if (!word) {
        help_commands();
    } else if (command != COMMAND_COUNT) {
        options_print(stdout, command);
    } else if (topic < topics) {
        status = help_topics[topic].print();
    } else {
        char shown[TEXT_SHOWN_SIZE];
        fprintf(stderr, "relance help: nothing is known about '%s'\n", text_shown(word, shown));
        status = EXIT_STATUS_USAGE;
    }
    options_free(&options);
    return status;
}
