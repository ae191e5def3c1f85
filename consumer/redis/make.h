/* How hiredis's reader makes answers of what has come: each in memory of its own that goes at once, and within bounds. For
 * files of this room only. */
#ifndef CONSUMER_REDIS_MAKE_H
#define CONSUMER_REDIS_MAKE_H

#include <stddef.h>

struct redis_maker {
    size_t elements_left; /* that the lists of the next answer may have */
    const char *crossed;  /* the bound that made the reader give up; NULL: none */
};

struct redisReader;
/* From here on; the maker lives as long as the reader. What is made is freed by redis_answer_free (redis/answer.h), whether
 * the reader is still there or not. */
void redis_make_by(struct redisReader *reader, struct redis_maker *maker);

#endif
