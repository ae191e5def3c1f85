/* A report of what Redis has of a group and topic. */
#ifndef CONSUMER_REPORT_REPORT_READ_H
#define CONSUMER_REPORT_REPORT_READ_H

#include "redis/view.h"
#include "report/report.h"

/* Into a report that has been asked (report_ask), which is then to be ended. It takes a question to Redis for each partition
 * and each day that it has sums of. */
RELANCE_MUST enum relance_status report_read(struct report *report, struct redis_view *view,
                                             struct relance_error *error);

#endif
