/* Text and status: the two things that every page of this seam speaks of. */
#ifndef RELANCE_TEXT_H
#define RELANCE_TEXT_H

#include <stddef.h>

/* Bytes, borrowed: valid as long as whoever handed them out says. UTF-8 where it is text; may hold NUL;
 * not NUL-terminated. */
struct relance_str {
    const char *data;
    size_t size;
};

/* Of a record of Kafka. */
struct relance_header {
    struct relance_str name, value;
};

enum relance_status {
    RELANCE_OK = 0,
    RELANCE_INVALID,   /* what the user gave is wrong: a rule set, an option, a blob */
    RELANCE_NO_MEMORY, /* an arena is at its bound or the machine's memory is gone */
    RELANCE_REFUSED,   /* the world is not as it must be: another store, a lost offset */
    RELANCE_IO,        /* a file, Redis or Kafka failed; trying again may help */
    RELANCE_AGAIN,     /* nothing wrong, but not now */
    RELANCE_REPLACED,  /* another process has taken our place */
};

/* The sentence is written where the error arises; each level above may put one "while …: " in front. */
struct relance_error {
    enum relance_status status;
    char message[512];
};

#define RELANCE_MUST __attribute__((warn_unused_result))

/* Sets the sentence and returns the status, so that `return relance_error_set(…)` reads as what it is. */
enum relance_status relance_error_set(struct relance_error *error, enum relance_status status,
                                      const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
