/* What the engine keeps in Redis (STATE.md), read for people: counters, live figures, customers. Never
 * writes, never watches; what it shows is one checkpoint of each partition, not one instant of all. */
#ifndef CONSUMER_REDIS_VIEW_H
#define CONSUMER_REDIS_VIEW_H

#include <relance/sums.h>
#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>

struct redis_view;

/* NULL: error says why; a group or topic that has no state yet is one of the reasons. */
struct redis_view *redis_view_open(const char *url, const char *group, const char *topic,
                                   struct relance_error *error);
/* For the engine, which knows how many partitions there are: of what has no state yet, too. */
struct redis_view *redis_view_of(const char *url, const char *group, const char *topic,
                                 struct relance_error *error);
void redis_view_close(struct redis_view *view);

/* For whoever starts servers and waits for them: does Redis answer; has an engine claimed all partitions? */
bool redis_view_ping(const char *url);
bool redis_view_claimed(const char *url, const char *group, const char *topic, int partitions);

int redis_view_partitions(const struct redis_view *view);
/* For the engine, which may not look through all keys: what the first partition's checkpoint says of the number. */
RELANCE_MUST enum relance_status redis_view_count(const char *url, const char *group, const char *topic,
                                                  int *partitions, struct relance_error *error);

/* Visits get texts that are valid during the visit. */
typedef void redis_view_counter(void *context, struct relance_str name, double value);
typedef void redis_view_live(void *context, struct relance_str instance, struct relance_str field,
                             struct relance_str value);
/* Every counter of every partition; the same name comes once for each partition that has it. */
RELANCE_MUST enum relance_status redis_view_counters(struct redis_view *view, redis_view_counter *visit,
                                                     void *context, struct relance_error *error);
/* Those of one. */
RELANCE_MUST enum relance_status redis_view_partition_counters(struct redis_view *view, int partition,
                                                               redis_view_counter *visit, void *context,
                                                               struct relance_error *error);
/* Sums and counters of a partition, one by one: what is whole exactly. Of DAY those of that day, which redis_view_days has
 * named. */
struct redis_view_sum {
    struct relance_str name;
    bool whole;
    int64_t number; /* where it is */
    double value;
};
typedef void redis_view_take_sum(void *context, const struct redis_view_sum *sum);
RELANCE_MUST enum relance_status redis_view_sums(struct redis_view *view, int partition,
                                                 enum relance_sums table, int64_t day,
                                                 redis_view_take_sum *visit, void *context,
                                                 struct relance_error *error);
typedef void redis_view_day(void *context, int64_t day);
RELANCE_MUST enum relance_status redis_view_days(struct redis_view *view, int partition,
                                                 redis_view_day *visit, void *context,
                                                 struct relance_error *error);
/* Every field of every live instance; REDIS_VIEW_ENTRY is what the list of instances says of it. */
#define REDIS_VIEW_ENTRY "instance"
RELANCE_MUST enum relance_status redis_view_lives(struct redis_view *view, redis_view_live *visit,
                                                  void *context, struct relance_error *error);

/* Every field of one instance, though there be no state yet. None: it is not alive. */
RELANCE_MUST enum relance_status redis_view_instance(const char *url, const char *group, const char *topic,
                                                     const char *instance, redis_view_live *visit,
                                                     void *context, struct relance_error *error);

/* A number of a partition's meta; *out stays where it is absent. */
RELANCE_MUST enum relance_status redis_view_number(struct redis_view *view, int partition, const char *field,
                                                   int64_t *out, struct relance_error *error);
/* A field of a partition's hash, to be freed; *text is NULL where it is absent. */
enum redis_view_hash { REDIS_VIEW_META, REDIS_VIEW_CUSTOMERS };
RELANCE_MUST enum relance_status redis_view_field(struct redis_view *view, int partition,
                                                  enum redis_view_hash hash, struct relance_str field,
                                                  char **text, size_t *size, struct relance_error *error);
/* Several fields at once, of any partition's hash: visited in their order, valid during the visit; data NULL: absent. */
typedef void redis_view_text(void *context, struct relance_str text);
RELANCE_MUST enum relance_status redis_view_fields(struct redis_view *view, int partition,
                                                   enum redis_view_hash hash,
                                                   const struct relance_str *fields, size_t count,
                                                   redis_view_text *visit, void *context,
                                                   struct relance_error *error);
/* One counter of a partition in each of so many minutes from `minute` on, which counts from 1970: in their order, as
 * above. What is older than 48 h is gone. */
RELANCE_MUST enum relance_status redis_view_minutes(struct redis_view *view, int partition,
                                                    struct relance_str counter, int64_t minute, size_t count,
                                                    redis_view_text *visit, void *context,
                                                    struct relance_error *error);

#endif
