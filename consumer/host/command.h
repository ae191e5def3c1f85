/* Commands: `relance NAME …`. The table is command.def; each row is a function in cmd/NAME.c:
 *
 *     int cmd_check(const struct options *options)
 *     {
 *         …options->args[0]…
 *         return EXIT_STATUS_OK;
 *     }
 *
 * main has read the options and frees them. A command returns the exit status of the process; where what it printed
 * could not be written, main makes that 1. */
#ifndef CONSUMER_HOST_COMMAND_H
#define CONSUMER_HOST_COMMAND_H

#include <stddef.h>

enum {
#define STATUS(ENUM, number, prose) EXIT_STATUS_##ENUM = number,
#include "status.def"
#undef STATUS
};

enum command {
#define COMMAND(ENUM, function, name, least, most, arguments, prose) COMMAND_##ENUM,
#include "command.def"
#undef COMMAND
    COMMAND_COUNT,
};

struct options;
#define COMMAND(ENUM, function, name, least, most, arguments, prose)                                         \
    int cmd_##function(const struct options *options);
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
