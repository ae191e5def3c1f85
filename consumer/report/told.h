/* What an audit of decisions remembers: how far each partition of their topic has come in each partition of the input, and
 * the numbers of the actions whose lines it has. A few bytes for each of these, none for a line.
 *
 * A decision has a place: after so many marks, from records below an offset, as the n-th from there. Places of one partition
 * of the input ascend, and a customer's lines lie in one partition of the topic: so a line that comes again, in the same
 * partition of the topic, comes behind a line whose place is not before its own. */
#ifndef CONSUMER_REPORT_TOLD_H
#define CONSUMER_REPORT_TOLD_H

#include "report/audit.h"

struct told_place {
    int64_t mark, offset, index;
};

struct told_line {
    struct relance_str group;
    int64_t partition; /* of the input */
    struct told_place place;
    uint64_t seq; /* of its action; 0: it has none */
    int32_t in;   /* partition of the topic */
};

struct told {
    struct audit numbers; /* of the actions that have their line; its origins are those of all lines */
    struct told_reached {
        struct told_place *last; /* by partition of the topic; index -1: nothing came yet */
        size_t count;
    } * reached; /* by origin */
    size_t reached_count;
    uint64_t lines, again, strangers;
};

/* Notes a line; false: it comes again. One without a group or a place is a stranger's. */
bool told_see(struct told *told, const struct told_line *line);

enum told_lack {
    TOLD_NO_LINE,   /* an action without its line */
    TOLD_NO_ACTION, /* a line without its action */
    TOLD_EARLIER,   /* an action from before the first line: nobody published lines then */
    TOLD_LACKS,
};

struct told_lacking {
    enum told_lack lack;
    const char *source;
    int64_t partition;
    struct audit_range numbers;
};

/* Compares lines with actions, which were read before them: calls `show` for each range of numbers that lacks one of the two, and
 * adds up how many these are. `whole`: the topic of actions still has its beginning. */
typedef void told_show(void *context, const struct told_lacking *lacking);
void told_compare(const struct told *told, const struct audit *actions, bool whole, told_show *show,
                  void *context, uint64_t counts[TOLD_LACKS]);

void told_free(struct told *told);

#endif
