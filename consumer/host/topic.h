/* What `relance help` prints beside the commands: the table is topic.def. */
#ifndef CONSUMER_HOST_TOPIC_H
#define CONSUMER_HOST_TOPIC_H

#include <stddef.h>

enum topic {
#define TOPIC(function, name, argument, prose) TOPIC_##function,
#include "topic.def"
#undef TOPIC
    TOPIC_COUNT,
};

struct topic_row {
    const char *name, *argument, *prose;
};
extern const struct topic_row topic_table[TOPIC_COUNT];

/* The topic of that name; TOPIC_COUNT when there is none. */
enum topic topic_find(const char *name);

#endif
