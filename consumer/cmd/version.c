/* relance version */
#include "host/command.h"
#include "host/option.h"

int cmd_version(int argc, char **argv)
{
    struct options options;
    if (!options_read(&options, COMMAND_VERSION, argc, argv)) return options.status;
    printf("relance %s\n", RELANCE_VERSION);
    options_free(&options);
    return EXIT_STATUS_OK;
}
