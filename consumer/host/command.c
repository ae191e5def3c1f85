/* The table of commands, without their functions: main.c has those, so that a test can link the shell's parts
 * without every command. */
#include "host/command.h"
#include "host/file.h"
#include <string.h>

const struct command_row command_table[COMMAND_COUNT] = {
#define COMMAND(ENUM, function, name, least, most, arguments, prose) {name, least, most, arguments, prose},
#include "command.def"
#undef COMMAND
};

enum command command_find(const char *name)
{
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(command_table[i].name, name) == 0) return (enum command)i;
    return COMMAND_COUNT;
}
