/* What `check` and `test` are about: rule files, which are one set, and mappings, which each stand alone. A folder may hold
 * both: which a file is, its text says (relance_mapping_is). */
#ifndef CONSUMER_HOST_SUBJECT_H
#define CONSUMER_HOST_SUBJECT_H

#include "host/file.h"
#include "host/mapping.h"

struct subject {
    struct file_set files;           /* all that was read, the rules before the mappings */
    struct file_set rules;           /* the part of `files` that is a rule set; borrowed */
    struct file_paths rule_paths;    /* as given, but for mappings */
    struct relance_source *mappings; /* presets that were named, then those of `files` */
    size_t mapping_count;
};

/* Reads files, folders, and presets: a path that is not there, and has neither a slash nor a point, is a preset's name. On
 * RELANCE_OK *out is to be freed; else error->message is one sentence. */
RELANCE_MUST enum relance_status subject_read(const struct file_paths *paths, struct subject *out,
                                              struct relance_error *error);
void subject_free(struct subject *subject);

#endif
