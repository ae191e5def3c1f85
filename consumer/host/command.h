/* Commands: `relance NAME …`. The table is command.def; each row is a function in cmd/NAME.c:
 *
 *     int cmd_check(int argc, char **argv)      argv[0] is the command's name
 *     {
 *         struct options options;
 *         if (!options_read(&options, COMMAND_CHECK, argc, argv)) return options.status;
 *         …options.args[0]…
 *         options_free(&options);
 *         return EXIT_STATUS_OK;
 *     }
 *
 * A command returns the exit status of the process. */
#ifndef CONSUMER_HOST_COMMAND_H
#define CONSUMER_HOST_COMMAND_H

#include <stddef.h>

enum {
    EXIT_STATUS_OK = 0,
    EXIT_STATUS_FAILED = 1, /* what was asked for could not be done, or found mistakes */
    EXIT_STATUS_USAGE = 2,  /* the call or the configuration is wrong: nothing was done */
};

enum command {
#define COMMAND(ENUM, function, name, least, most, arguments, prose) COMMAND_##ENUM,
#include "command.def"
#undef COMMAND
    COMMAND_COUNT,
};

#define COMMAND(ENUM, function, name, least, most, arguments, prose) int cmd_##function(int argc, char **argv);
#include "command.def"
#undef COMMAND

struct command_row {
    const char *name;
    size_t least, most; /* arguments beside options */
    const char *arguments, *prose;
};
extern const struct command_row command_table[COMMAND_COUNT];

/* The command of that name; COMMAND_COUNT when there is none. */
enum command command_find(const char *name);

#endif
