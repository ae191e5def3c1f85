/* relance help [COMMAND | TOPIC]: prints the tables that the program itself is made of. */
#include "host/command.h"
#include "host/option.h"
#include "host/print.h"
#include "host/text.h"
#include "report/figures.h"
#include <relance/decision.h>
#include <relance/forgot.h>
#include <relance/listing.h>
#include <string.h>

static int help_commands(void)
{
    puts("Relance: shop events in, relaunch actions out.\n\nrelance COMMAND [OPTIONS]\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        print(stdout, "  %-16s %s\n", command_table[i].name, command_table[i].prose);
    puts("\n`relance help COMMAND` explains one; `relance help options`, `keywords`, `functions`, `limits`, "
         "`counters`, `figures` and `outcomes` print tables.");
    return EXIT_STATUS_OK;
}

static int help_options(void)
{
    options_print(stdout, COMMAND_COUNT);
    return EXIT_STATUS_OK;
}

static int help_counters(void)
{
#define COUNTER(ENUM, name, prose)        print(stdout, "  %-24s %s\n", name, prose);
#define COUNTER_FAMILY(ENUM, form, prose) COUNTER(ENUM, form, prose)
#include "counter.def"
#undef COUNTER
#undef COUNTER_FAMILY
    return EXIT_STATUS_OK;
}

static int help_figures(void)
{
    for (const struct figure_live_row *row = figures_live_rows; row->name; row++)
        print(stdout, "  %-24s %s\n", row->name, row->prose);
    return EXIT_STATUS_OK;
}

static int help_outcomes(void)
{
    for (int i = 0; i < RELANCE_OUTCOME_COUNT; i++) {
        struct relance_str text = relance_outcome_text((enum relance_outcome)i);
        struct relance_str prose = relance_outcome_prose((enum relance_outcome)i);
        print(stdout, "  %-12.*s %.*s\n", STR_ARG(text), STR_ARG(prose));
    }
    return EXIT_STATUS_OK;
}

static int help_kafka(void)
{
    puts("kafka.NAME passes through to librdkafka, except for what delivery depends on:");
#define KAFKA_RESERVED(name, why) print(stdout, "  %-30s %s\n", name, why);
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
    if (!str_equal(row->group, str_of(table->group))) {
        if (*table->group) fputc('\n', stdout);
        print(stdout, "%.*s\n", STR_ARG(row->group));
        snprintf(table->group, sizeof table->group, "%.*s", STR_ARG(row->group));
        *table->prose = '\0';
    }
    if (str_equal(row->prose, str_of(table->prose)))
        print(stdout, "  %.*s\n", STR_ARG(row->name));
    else
        print(stdout, "  %-*.*s  %.*s\n", table->width, STR_ARG(row->name), STR_ARG(row->prose));
    snprintf(table->prose, sizeof table->prose, "%.*s", STR_ARG(row->prose));
    if (row->example.size) print(stdout, "      %.*s is %.*s\n", STR_ARG(row->example), STR_ARG(row->value));
}

static int help_functions(void)
{
    struct relance_error error;
    struct help_table table = {.width = 48};
    if (relance_function_rows(help_row, &table, &error) == RELANCE_OK) return EXIT_STATUS_OK;
    print_mistake("%s", error.message);
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
} help_topics[] = {{"options", help_options},   {"counters", help_counters}, {"figures", help_figures},
                   {"outcomes", help_outcomes}, {"kafka", help_kafka},       {"functions", help_functions},
                   {"limits", help_limits},     {"keywords", help_keywords}};

int cmd_help(const struct options *options)
{
    const char *word = options->arg_count ? options->args[0] : NULL;
    enum command command = word ? command_find(word) : COMMAND_COUNT;
    char shown[TEXT_SHOWN_SIZE];
    if (!word) return help_commands();
    if (command != COMMAND_COUNT) return options_print(stdout, command), EXIT_STATUS_OK;
    for (size_t i = 0; i < sizeof help_topics / sizeof *help_topics; i++)
        if (strcmp(help_topics[i].name, word) == 0) return help_topics[i].print();
    print_mistake("nothing is known about '%s'", text_shown(word, shown));
    return EXIT_STATUS_USAGE;
}
