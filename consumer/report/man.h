/* Manual pages in mdoc(7), made from the tables of commands, options and topics. */
#ifndef CONSUMER_REPORT_MAN_H
#define CONSUMER_REPORT_MAN_H

#include "host/command.h"
#include <stdio.h>

/* relance-COMMAND(1), or relance(1) of all (COMMAND_COUNT). */
void man_print(enum command command, FILE *out);

#endif
