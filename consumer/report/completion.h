/* What shells need to complete a command line of ours, made from the tables of commands, options and topics. */
#ifndef CONSUMER_REPORT_COMPLETION_H
#define CONSUMER_REPORT_COMPLETION_H

#include <stdbool.h>
#include <stdio.h>

/* False: for no such shell; bash, zsh and fish there are. */
bool completion_print(const char *shell, FILE *out);

#endif
