/* relance version */
#include "host/command.h"
#include "host/option.h"
#include "host/print.h"

int cmd_version(const struct options *options)
{
    (void)options;
    print(stdout, "relance %s\n", RELANCE_VERSION);
    return EXIT_STATUS_OK;
}
