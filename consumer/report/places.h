/* In which partitions a customer stands: in that of the key, unless a producer has chosen another. */
#ifndef CONSUMER_REPORT_PLACES_H
#define CONSUMER_REPORT_PLACES_H

#include "host/option.h"
#include "redis/view.h"

struct places {
    int home;       /* the partition of the key */
    int partitions; /* of the input */
    int *items;
    size_t count;
};

/* Those whose checkpoint knows the state of that name, that of the key first. */
RELANCE_MUST enum relance_status places_in_redis(struct redis_view *view, struct relance_str key,
                                                 struct relance_str name, struct places *places,
                                                 struct relance_error *error);
/* Those that hold a record with that key, of the input from `from_ms` on (INT64_MIN: from the beginning). */
RELANCE_MUST enum relance_status places_in_topic(const struct options *options, struct relance_str key,
                                                 int64_t from_ms, struct places *places,
                                                 struct relance_error *error);
void places_free(struct places *places);

/* Says so on standard error where there is another than that of the key. `whom`: "customer" or "visitor". */
void places_tell(const struct places *places, const char *whom, struct relance_str key);

#endif
