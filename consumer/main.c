/* relance: finds the command and runs it. Everything else is in command.def and under cmd/. */
#include "host/command.h"
#include "host/text.h"
#include <stdio.h>
#include <string.h>

static int (*const main_functions[COMMAND_COUNT])(int argc, char **argv) = {
#define COMMAND(ENUM, function, name, least, most, arguments, prose) cmd_##function,
#include "command.def"
#undef COMMAND
};

static int main_unknown(const char *word)
{
    struct relance_str names[COMMAND_COUNT];
    for (int i = 0; i < COMMAND_COUNT; i++)
        names[i] = text_of(command_table[i].name);
    struct relance_str near = text_nearest(text_of(word), names, COMMAND_COUNT);
    char shown[TEXT_SHOWN_SIZE];
    text_shown(word, shown);
    if (near.size)
        fprintf(stderr, "relance: there is no command '%s'; did you mean '%.*s'?\n", shown, TEXT_ARG(near));
    else
        fprintf(stderr, "relance: there is no command '%s'; `relance help` lists them.\n", shown);
    return EXIT_STATUS_USAGE;
}

/* --help and --version, as everybody tries them, are the commands of that name. */
static const char *main_word(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return "help";
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) return "version";
    return word;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        char *help[] = {(char[]){"help"}, NULL};
        cmd_help(1, help);
        return EXIT_STATUS_USAGE;
    }
    enum command command = command_find(main_word(argv[1]));
    if (command == COMMAND_COUNT) return main_unknown(argv[1]);
    return main_functions[command](argc - 1, argv + 1);
}
