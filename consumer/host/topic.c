#include "host/topic.h"
#include <string.h>

const struct topic_row topic_table[TOPIC_COUNT] = {
#define TOPIC(function, name, argument, prose) {name, argument, prose},
#include "topic.def"
#undef TOPIC
};

enum topic topic_find(const char *name)
{
    for (int i = 0; i < TOPIC_COUNT; i++)
        if (strcmp(topic_table[i].name, name) == 0) return (enum topic)i;
    return TOPIC_COUNT;
}
