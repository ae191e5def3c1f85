/* The report of a rule set, for people: on a terminal with what the eye looks for in colour, elsewhere as it is. */
#ifndef CONSUMER_REPORT_MISTAKES_H
#define CONSUMER_REPORT_MISTAKES_H

#include <relance/ruleset.h>
#include <stdio.h>

void mistakes_print(const struct relance_report *report, FILE *out);

#endif
