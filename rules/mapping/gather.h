/* From files to what a mapping says: a file, and the presets that it extends, united. Inside rules/mapping only. */
#ifndef RULES_MAPPING_GATHER_H
#define RULES_MAPPING_GATHER_H

#include "mapping/shape.h"

#include <relance/mapping.h>

/* What has a name; the last that was said of it. */
struct said {
    const struct source *source;
    const struct json *node; /* a member; NULL: nothing was said */
};
struct said_list {
    struct said *items; /* in the order in which their names were first said */
    size_t count, capacity;
};

struct gathered_mapping {
    struct said format, loop, by, csv, tests;
    struct said_list lets, each, events;
    struct shape_part *records; /* the preset's first */
    size_t record_count;
    const struct source *source; /* of the file itself */
    bool unread;  /* the file or a preset: what is in it is not known, so there is nothing to say */
    bool lacking; /* something of it could not be read: what is missing may have been there */
};

/* Reads the file and what it extends. What is wrong is in `diag`; what could be read is in *out all the same. */
void mapping_gather(struct arena *arena, const struct relance_source *file,
                    const struct relance_mapping_host *host, struct gathered_mapping *out,
                    struct diagnostics *diag);

enum mapping_place { PLACE_FILE, PLACE_CSV, PLACE_ROW, PLACE_TEST, PLACE_GIVEN };
bool mapping_is_keyword(enum mapping_place place, str name);
/* Is it an object whose members are all keywords of `place`? Else the mistakes are in `diag`; `what` it is: "a test". */
bool mapping_keys_check(struct arena *arena, enum mapping_place place, const char *what,
                        const struct source *source, const struct json *node, struct diagnostics *diag);

#endif
