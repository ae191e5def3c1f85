/* Options: one table (option.def) read from four places. The command line wins over the environment, that
 * over the file (--config), that over the default. `kafka.NAME` passes through to librdkafka from each of them:
 * `--kafka.bootstrap.servers=…`, RELANCE_KAFKA_BOOTSTRAP_SERVERS, `kafka.bootstrap.servers = …`.
 *
 * Secrets (the password in a URL, and what kafka.def says of librdkafka's) are in no message. On the command line
 * they are overwritten as soon as they are read, with a warning; a file that holds one and that everybody may read
 * gets a warning, too.
 *
 * Mistakes do not stop the reading: they are collected and printed together, each with where it stands and,
 * where one is near, the name that was meant. */
#ifndef CONSUMER_HOST_OPTION_H
#define CONSUMER_HOST_OPTION_H

#include "host/command.h"
#include "host/file.h"
#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef const char *option_text;

#define OPTION_TYPE_TEXT       option_text       /* NULL where absent */
#define OPTION_TYPE_URL        option_text       /* NULL where absent; may hold a password */
#define OPTION_TYPE_CHOICE     option_text       /* one of the words of its form */
#define OPTION_TYPE_PATHS      struct file_paths /* given as often as there are; elsewhere between commas */
#define OPTION_TYPE_COUNT      int64_t           /* >= 0 */
#define OPTION_TYPE_NUMBER     double            /* > 0 */
#define OPTION_TYPE_SIZE       int64_t           /* bytes */
#define OPTION_TYPE_STATE_SIZE int64_t           /* bytes, as many as a customer's state may be given */
#define OPTION_TYPE_DURATION   int64_t           /* ms */
#define OPTION_TYPE_FLAG       bool              /* --name, or with =true or =false */

/* One `kafka.` setting, without that prefix. */
struct option_kafka {
    const char *name, *value;
};

struct options {
#define OPTION(field, TYPE, fallback, form, takers, needers, prose) OPTION_TYPE_##TYPE field;
#include "option.def"
#undef OPTION
    struct option_kafka *kafka;
    size_t kafka_count;
    char **args; /* what is not an option */
    size_t arg_count;
    int status; /* of the process, when options_read says no */
    struct option_text_list {
        char **items;
        size_t count;
    } owned;
};

/* False: the command is to end with `options->status`; mistakes, or the help asked for, have been printed and
 * nothing needs to be freed. */
bool options_read(struct options *options, enum command command, int argc, char **argv);
void options_free(struct options *options);
/* The mapping of a rule set; NULL: none. */
const char *options_mapping(const struct options *options);

/* The name of this process in its group: --instance, or the host's. */
enum { OPTION_INSTANCE_SIZE = 256 };
void options_instance(const struct options *options, char out[OPTION_INSTANCE_SIZE]);

/* The value of a `kafka.` setting; NULL where it is not set. */
const char *options_kafka(const struct options *options, const char *name);

/* Is the value of that `kafka.` setting a secret? */
bool options_kafka_secret(struct relance_str name);

/* A row of the table as it is shown. */
struct option_shown {
    char name[64];                       /* as on the command line, without its dashes: "cache-bytes" */
    const char *form, *prose, *fallback; /* fallback NULL: none that needs telling */
    bool is_flag, is_choice;             /* no value; one of the words of its form, "a|b" */
    bool is_common, is_needed;           /* every command takes it; this one cannot do without */
};
typedef void option_show(void *context, const struct option_shown *option);
/* Those that a command takes, or all (COMMAND_COUNT): first those that not every command takes. */
void options_each(enum command command, option_show *show, void *context);

/* The table for people. */
void options_print(FILE *out, enum command command);

#endif
