/* What an audit of actions remembers: for each origin (a group and a partition of its input) which numbers
 * came, and every id. The numbers of an origin are 1, 2, 3 … without a gap, each once; an id stands for one
 * step of one run and comes once. */
#ifndef CONSUMER_REPORT_AUDIT_H
#define CONSUMER_REPORT_AUDIT_H

#include <relance/text.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit_range {
    uint64_t first, last;
};

struct audit_origin {
    char *source; /* "/relance/GROUP" */
    int64_t partition;
    uint64_t first, next; /* the least number seen first, and the one behind the greatest */
    uint64_t count, twice;
    struct audit_range *missing; /* ascending */
    size_t missing_count;
};

/* Where a record lies. */
struct audit_place {
    int32_t partition;
    int64_t offset;
};

struct audit_id {
    char id[32];
    uint32_t origin;
    struct audit_place place;
};

struct audit {
    struct audit_origin *origins;
    size_t origin_count, origin_last;
    struct audit_id *ids; /* 56 bytes an action */
    size_t id_count, id_capacity;
    uint64_t strangers; /* records without our headers */
};

/* NULL: nothing has come from there. */
const struct audit_origin *audit_find(const struct audit *audit, struct relance_str source,
                                      int64_t partition);
/* Which of `origins` that is; from now on it is there, if without a number yet (`next` 0). */
size_t audit_origin(struct audit *audit, struct relance_str source, int64_t partition);
/* Notes a number alone; NULL: it is none. It was seen before: *twice. */
struct audit_origin *audit_see_number(struct audit *audit, struct relance_str source, int64_t partition,
                                      uint64_t seq, bool *twice);
/* Notes an action; its number was seen before: *twice. An id that is not 32 bytes long is that of a stranger. */
void audit_see(struct audit *audit, struct relance_str source, int64_t partition, uint64_t seq,
               struct relance_str id, struct audit_place place, bool *twice);

/* Ids that came more than once, after all have been seen: calls `show` for each pair of neighbours. */
typedef void audit_show(void *context, const struct audit_id *first, const struct audit_id *again);
size_t audit_ids_twice(struct audit *audit, audit_show *show, void *context);

/* How many numbers are missing in all, and how many came twice. Numbers before the first that was seen are
 * missing where `whole`: the topic still has its beginning. */
uint64_t audit_missing(const struct audit *audit, bool whole);
uint64_t audit_twice(const struct audit *audit);

void audit_free(struct audit *audit);

#endif
