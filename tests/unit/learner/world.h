/* The servers of a learner, in memory: the input, its reader, the topic of versions, Redis, and a clock that moves on when the
 * input has been read to its end. A learner can be killed at each of its calls: from then on nothing reaches a server, and
 * what stood in an open transaction is gone. */
#ifndef TESTS_UNIT_LEARNER_WORLD_H
#define TESTS_UNIT_LEARNER_WORLD_H

#include "base/buffer.h"
#include "delivery/parcel.h"
#include <relance/ruleset.h>

enum {
    WORLD_PARTITIONS = 3,
    WORLD_RECORDS = 256,
    WORLD_VERSIONS = 128,
    WORLD_RESTS = 8,
    WORLD_HOUR_US = 1000000000
};

#define WORLD_WALL_MS INT64_C(1800000000000)

struct world_record {
    char text[160];
    int64_t time_ms;
    int phase; /* from which on it is there */
};

struct world_version {
    struct buffer head, bytes;
};

struct world {
    struct world_record input[WORLD_PARTITIONS][WORLD_RECORDS];
    int input_count[WORLD_PARTITIONS];
    int phase, phases; /* of the input: how much of it is there */
    unsigned seed;     /* by which partitions come interleaved */
    struct world_version topic[WORLD_VERSIONS];
    int committed, open;
    int calls, killed_at; /* 0: never */
    bool stopping;
    int64_t now_us;
    int rests;                   /* hours behind the last record */
    int redis_goes, redis_comes; /* Redis is away between those of them */
    uint64_t redis_number;       /* of the version that it has */
};
extern struct world world;

/* An event at the end of a partition, from that phase on; without a product the customer is to be forgotten. */
void world_happen(int partition, int phase, const char *customer, const char *product, int64_t time_ms);
/* The topic is empty, the input as it is. */
void world_reset(void);
/* Another process: it reads in an order of its own, and is killed at that call. */
void world_restart(unsigned seed, int killed_at);
/* The head of a version on the topic. */
struct parcel_head world_head(int at);
struct relance_ruleset *world_rules(void);

#endif
