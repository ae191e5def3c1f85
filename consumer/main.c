/* relance: finds the command, reads its options and runs it; at the end it looks whether all that was printed has been
 * written. Everything else is in command.def and under cmd/. */
#include "base/nearest.h"
#include "host/command.h"
#include "host/option.h"
#include "host/print.h"
#include "host/text.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAIN_BUFFER_SIZE = 1 << 16 };

static int (*const main_functions[COMMAND_COUNT])(const struct options *options) = {
#define COMMAND(ENUM, function, name, least, most, arguments, prose) cmd_##function,
#include "command.def"
#undef COMMAND
};

static int main_unknown(const char *word)
{
    struct relance_str names[COMMAND_COUNT];
    for (int i = 0; i < COMMAND_COUNT; i++)
        names[i] = str_of(command_table[i].name);
    struct relance_str near = nearest_of(str_of(word), names, COMMAND_COUNT);
    char shown[TEXT_SHOWN_SIZE];
    text_shown(word, shown);
    if (near.size)
        print_mistake("there is no command '%s'; did you mean '%.*s'?", shown, STR_ARG(near));
    else
        print_mistake("there is no command '%s'; `relance help` lists them.", shown);
    return EXIT_STATUS_USAGE;
}

/* --help and --version, as everybody tries them, are the commands of that name. */
static const char *main_word(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return "help";
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) return "version";
    return word;
}

static int main_run(int argc, char **argv)
{
    enum command command = argc ? command_find(main_word(argv[0])) : COMMAND_HELP;
    struct options options;
    if (command == COMMAND_COUNT) return main_unknown(argv[0]);
    if (!options_read(&options, command, argc, argv)) return options.status;
    int status = main_functions[command](&options);
    options_free(&options);
    return argc ? status : EXIT_STATUS_USAGE;
}

/* A descriptor that is closed is taken by the next file opened, and what is printed would land there: so each of the
 * three is held, for reading only, where writing fails. */
static void main_hold_descriptors(void)
{
    for (int file = 0; file <= 2; file++)
        if (fcntl(file, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != file) abort();
}

int main(int argc, char **argv)
{
    main_hold_descriptors();
    static char out[MAIN_BUFFER_SIZE], errors[MAIN_BUFFER_SIZE];
    setvbuf(stdout, out, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, sizeof out);
    setvbuf(stderr, errors, _IOLBF,
            sizeof errors); /* a line is one write: those of several processes do not mix */
    int status = main_run(argc - 1, argv + 1);
    return print_end() || status != EXIT_STATUS_OK ? status : EXIT_STATUS_FAILED;
}
