/* A text made ready for a walk (scan.h): copied, so that words may be read beyond its end and strings may point into it,
 * and its tokens found. Buffers are kept from text to text: no allocation once warm. */
#ifndef RULES_JSON_LOADER_H
#define RULES_JSON_LOADER_H

#include "base/arena.h"
#include "json/index.h"
#include "json/scan.h"

enum { JSON_PADDING = 8 }; /* bytes: a NUL behind the text, and room to read a word from its last byte */

struct json_loader {
    struct arena *keep; /* of the buffers, which only ever grow */
    struct json_index *index;
    char *text, *room; /* `capacity` + JSON_PADDING bytes each; room: for strings with escapes */
    size_t capacity;
    str loaded;
    const uint32_t *tokens;
    size_t count;
};

bool json_loader_init(struct json_loader *loader, struct arena *keep); /* false: no memory */
void json_loader_free(struct json_loader *loader);                     /* not what lies in the arena */

/* Copies `json` and finds its tokens, all valid until the next load. A text of no bytes is broken. */
enum json_index_status json_load(struct json_loader *loader, str json);
/* Puts a walk at the first token of what is loaded. */
void json_loader_begin(const struct json_loader *loader, struct scan *scan, unsigned depth_max);

#endif
