/* Versions in a file: what `learn --save` keeps, and `replay --models` decides by. Of each a head as on OUTPUT.models (STATE.md
 * §5.8), a line of JSON, and behind it the bytes:
 *
 *     {"affinity":"goes_with","kind":"full","n":17,…,"bytes":81234}⏎ 81234 bytes, the next head … */
#ifndef CONSUMER_LEARN_SAVED_H
#define CONSUMER_LEARN_SAVED_H

#include <relance/model.h>
#include <stdio.h>

/* `bytes` are those of a full version. What cannot be written shows in the stream's error. */
void saved_put(FILE *file, struct relance_str affinity, const struct relance_model *model,
               struct relance_str bytes);

struct saved;

/* RELANCE_IO: it cannot be read; RELANCE_INVALID: it is no such file, or broken. */
RELANCE_MUST enum relance_status saved_open(const char *path, struct saved **out,
                                            struct relance_error *error);
void saved_close(struct saved *saved); /* NULL: nothing to do */
/* The version of that affinity that was counted by that recipe; NULL: there is none. Valid until it is closed. */
const struct relance_model *saved_find(const struct saved *saved, struct relance_str affinity,
                                       uint64_t recipe);

#endif
