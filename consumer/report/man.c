#include "report/man.h"
#include "base/str.h"
#include "host/option.h"
#include "host/print.h"
#include "host/topic.h"
#include <ctype.h>
#include <stdlib.h>

/* ---- texts */

/* So that a byte is no order to roff; what stands in backquotes is bold. */
static void man_put_byte(char c, bool *bold, FILE *out)
{
    switch (c) {
    case '\\': fputs("\\e", out); return;
    case '-': print(out, "%s", *bold ? "\\-" : "-"); return;
    case '"': fputs("\\(dq", out); return;
    case '`':
        *bold = !*bold;
        print(out, "\\f%c", *bold ? 'B' : 'R');
        return;
    default: print(out, "%c", c);
    }
}

/* Lines of prose: each sentence begins one. */
static void man_put_prose(const char *text, FILE *out)
{
    bool bold = false, begins = true;
    for (; *text; text++) {
        bool ended =
            !bold && text[0] == ' ' && !begins && strchr(".?!", text[-1]) && isupper((unsigned char)text[1]);
        if (begins && strchr(".'", *text)) fputs("\\&", out);
        if (ended)
            fputs("\n", out);
        else
            man_put_byte(*text, &bold, out);
        begins = ended;
    }
    fputs("\n", out);
}

/* An argument of a macro, blanks and all. */
static void man_put_argument(const char *text, FILE *out)
{
    bool bold = true; /* it is typed: a minus is one */
    fputs(" \"\\&", out);
    for (; *text; text++)
        man_put_byte(*text, &bold, out);
    fputs("\"", out);
}

/* ---- parts */

static void man_head(const char *command, const char *prose, FILE *out)
{
    char title[64];
    size_t size = (size_t)snprintf(title, sizeof title, "RELANCE%s%s", *command ? "-" : "", command);
    for (size_t i = 0; i < size && i < sizeof title; i++)
        title[i] = (char)toupper((unsigned char)title[i]);
    print(out, ".Dd %s\n.Dt %s 1\n.Os Relance %s\n.Sh NAME\n.Nm relance%s%s\n.Nd ", RELANCE_DATE, title,
          RELANCE_VERSION, *command ? "-" : "", command);
    bool bold = false;
    for (; *prose && (prose[1] || *prose != '.'); prose++) /* without the full stop */
        man_put_byte(*prose, &bold, out);
    fputs("\n", out);
}

static void man_option(void *context, const struct option_shown *option)
{
    FILE *out = context;
    print(out, ".It Fl \\-%s", option->name);
    if (!option->is_flag) {
        fputs(" Ar", out);
        man_put_argument(option->form, out);
    }
    fputs("\n", out);
    man_put_prose(option->prose, out);
    if (option->is_needed) fputs("Needed.\n", out);
    if (option->fallback) print(out, "Default: %s.\n", option->fallback);
}

static void man_options(enum command command, FILE *out)
{
    fputs(".Sh OPTIONS\n.Bl -tag -width Ds\n", out);
    options_each(command, man_option, out);
    fputs(".It Fl \\-kafka.NAME Ar VALUE\n"
          "Passed to librdkafka, such as\n.Fl \\-kafka.bootstrap.servers Ns = Ns Ar HOST:PORT .\n"
          ".El\n",
          out);
}

static int man_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void man_foot(enum command command, FILE *out)
{
    fputs(".Sh ENVIRONMENT\n.Bl -tag -width Ds\n"
          ".It Ev RELANCE_NAME\n"
          "The option\n.Fl \\-name ,\nin capitals and with underscores.\n"
          "The command line goes before the environment, that before the file of\n.Fl \\-config .\n"
          ".It Ev RELANCE_KAFKA_NAME\n"
          "The property of librdkafka, with a point for each underscore.\n"
          ".It Ev NO_COLOR\n"
          "Where it is set, nothing is coloured.\n"
          ".El\n"
          ".Sh EXIT STATUS\n.Bl -tag -width Ds\n",
          out);
#define STATUS(ENUM, number, prose)                                                                          \
    fputs(".It " #number "\n", out);                                                                         \
    man_put_prose(prose, out);
#include "status.def"
#undef STATUS
    fputs(".El\n.Sh SEE ALSO\n", out);
    if (command != COMMAND_COUNT) {
        fputs(".Xr relance 1\n", out);
        return;
    }
    const char *names[COMMAND_COUNT];
    for (int i = 0; i < COMMAND_COUNT; i++)
        names[i] = command_table[i].name;
    qsort(names, COMMAND_COUNT, sizeof *names, man_order);
    for (int i = 0; i < COMMAND_COUNT; i++)
        print(out, ".Xr relance-%s 1%s\n", names[i], i + 1 < COMMAND_COUNT ? " ," : "");
}

/* ---- pages */

static void man_command(enum command command, FILE *out)
{
    const struct command_row *row = &command_table[command];
    man_head(row->name, row->prose, out);
    print(out, ".Sh SYNOPSIS\n.Nm relance Cm %s\n.Op Ar OPTIONS\n", row->name);
    if (*row->arguments) fputs(".Ar", out), man_put_argument(row->arguments, out), fputs("\n", out);
    fputs(".Sh DESCRIPTION\n", out);
    man_put_prose(row->prose, out);
    man_options(command, out);
    man_foot(command, out);
}

/* An entry of a list: a command or a topic, with what may follow it. */
static void man_item(const char *name, const char *argument, const char *prose, FILE *out)
{
    print(out, ".It Cm %s", name);
    if (*argument) fputs(" Ar", out), man_put_argument(argument, out);
    fputs("\n", out);
    man_put_prose(prose, out);
}

static void man_topics(FILE *out)
{
    fputs(".Sh TABLES AND PAGES\n"
          "What\n.Nm Cm help Ar TOPIC\nprints.\n.Bl -tag -width Ds\n",
          out);
    for (int i = 0; i < TOPIC_COUNT; i++)
        man_item(topic_table[i].name, topic_table[i].argument, topic_table[i].prose, out);
    fputs(".El\n", out);
}

static void man_all(FILE *out)
{
    man_head("", "shop events in, relaunch actions out", out);
    fputs(".Sh SYNOPSIS\n.Nm\n.Ar COMMAND\n.Op Ar OPTIONS\n.Op Ar ARGUMENT\n"
          ".Sh DESCRIPTION\n"
          "Rules say when a customer's behaviour makes something happen.\n"
          "The engine reads events of a shop from Kafka, keeps what it knows of each customer, and publishes "
          "actions.\n"
          "The commands:\n.Bl -tag -width Ds\n",
          out);
    for (int i = 0; i < COMMAND_COUNT; i++)
        man_item(command_table[i].name, command_table[i].arguments, command_table[i].prose, out);
    fputs(".El\n", out);
    man_topics(out);
    man_foot(COMMAND_COUNT, out);
}

void man_print(enum command command, FILE *out)
{
    if (command == COMMAND_COUNT)
        man_all(out);
    else
        man_command(command, out);
}
