/* Redis commands as bytes (RESP2), formatted into our own buffer: an EXEC of thousands of states is one
 * write, and costs a third of what hiredis's formatting does. */
#ifndef CONSUMER_REDIS_RESP_H
#define CONSUMER_REDIS_RESP_H

#include "base/buffer.h"

void resp_begin(struct buffer *out,
                size_t words); /* a command of so many words, the verb included, follows */
void resp_word(struct buffer *out, struct relance_str word);
void resp_int(struct buffer *out, int64_t number);
void resp_command(struct buffer *out, size_t count, const struct relance_str *words); /* all at once */

/* A command with many words, cut into several of at most RESP_MANY words each: Redis has a limit, and one
 * that is too long holds it too long. The verb and the key stand in front of each. */
enum { RESP_MANY = 2000 };
struct resp_many {
    struct buffer *out;
    struct relance_str verb, key;
    struct buffer words; /* those not in `out` yet */
    size_t count;        /* of them */
};
/* Adds words that must not be parted; two at most. */
void resp_many_add(struct resp_many *many, struct relance_str first, struct relance_str second);
void resp_many_add_one(struct resp_many *many, struct relance_str word);
size_t resp_many_flush(struct resp_many *many); /* 1 when a command was written, else 0 */
void resp_many_clear(struct resp_many *many);   /* forgets the words that are in no command yet */

#endif
