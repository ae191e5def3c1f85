/* Why an action was sent, in words: a line of the demonstration from the body of an action (STATE.md §5.2).
 *
 *     left cart k-17 with Tent 1 h ago, no purchase
 *
 * The shipped rules have sentences of their own; any other rule is told by its trigger. */
#ifndef CONSUMER_REPORT_REASON_H
#define CONSUMER_REPORT_REASON_H

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct reason {
    int64_t due_ms;
    char customer[64], rule[64], kind[32]; /* kind: the channel */
    int step;
    char why[256];
};

bool reason_read(struct relance_str action, struct reason *out); /* false: not the body of an action */

#endif
