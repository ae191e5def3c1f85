/* The mapping that the value of an option, or an argument, means: one that begins with a
 * brace is a mapping itself; with a slash or a point in it it is a file, else a preset. */
#ifndef CONSUMER_HOST_MAPPING_H
#define CONSUMER_HOST_MAPPING_H

#include <relance/mapping.h>

enum { MAPPING_FILE_MAX = 1 << 20 }; /* bytes of a mapping file */

struct mapping_file {
    struct relance_source source; /* its name is the value, of a mapping itself "the mapping" */
    char *text;                   /* of a file; else NULL */
};

bool mapping_is_file(const char *value);
/* `value` has to live as long as *out, which is freed by the caller. Else error->message is one sentence. */
RELANCE_MUST enum relance_status mapping_file_read(const char *value, struct mapping_file *out,
                                                   struct relance_error *error);
void mapping_file_free(struct mapping_file *file);

/* Compiles a text with the presets that ship and the system's time zones. *out and *report as relance_mapping_compile has
 * them. */
RELANCE_MUST enum relance_status mapping_compile(const struct relance_source *source,
                                                 struct relance_mapping **out, struct relance_report **report,
                                                 struct relance_error *error);

#endif
