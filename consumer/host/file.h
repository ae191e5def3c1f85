/* Files for the core, which opens none: rule files, time zones. */
#ifndef CONSUMER_HOST_FILE_H
#define CONSUMER_HOST_FILE_H

#include <relance/ruleset.h>

enum {
    FILE_OPTIONS_MAX = 1 << 20, /* bytes of a configuration file */
    FILE_RULES_MAX = 8 << 20,   /* bytes of a rule set, all files together: it travels in marks */
    FILE_RULE_COUNT_MAX = 1000, /* files of a rule set */
    FILE_EXTENDS_MAX = 6,       /* behind them: a mapping, and presets that extend each other */
    FILE_DEPTH_MAX = 32,        /* folders within each other */
    FILE_PATHS_SHOWN = 512,     /* bytes of several paths in a message */
    FILE_ZONE_MAX = 32 << 10,   /* bytes of a zone file; the largest has 4 KiB */
    FILE_ZONE_NAME_MAX = 64,    /* bytes */
};

/* The whole file, to be freed by the caller; a NUL stands behind it. Larger than `limit`: refused. */
RELANCE_MUST enum relance_status file_read(const char *path, size_t limit, char **text, size_t *size,
                                           struct relance_error *error);

/* Files and folders, as they are given, and the mapping through which records are read: NULL, a preset or a file. */
struct file_paths {
    char **items;
    size_t count;
    const char *mapping;
    /* mappings among the paths stay in the set, for those who look at them alone: `check` and `test` */
    bool all;
};
/* "a, b", cut where there is no room for all, for messages. Returns `out`. */
const char *file_paths_show(const struct file_paths *paths, char out[FILE_PATHS_SHOWN]);

/* A file of a rule set. Its `name` travels with the set and is hashed, so it does not depend on where the set lies:
 * it has no more of the way to the file than what leads there from the folder that was given. */
struct file_source {
    struct relance_str name, text;
    struct relance_str path; /* as given, for messages; empty: the set has travelled */
    enum relance_source_kind kind;
};

/* A rule set's files as read: of each path the file itself, or the *.json and *.jsonc of the folder and of the folders
 * in it; names that begin with a point, and links to folders, are passed over. All together in the order of their
 * paths' bytes, each file once. Mappings in a folder are passed over, and one that is named is refused. Behind the rules
 * stand the mapping of `paths`, and the presets that it extends. */
struct file_set {
    struct file_source *sources;
    size_t count;
    char hash[13]; /* 12 hex digits of SHA-256 over names and texts, as actions carry it */
    bool strict;   /* compiled with all warnings that there are */
};
RELANCE_MUST enum relance_status file_set_read(const struct file_paths *paths, struct file_set *out,
                                               struct relance_error *error);
void file_set_free(struct file_set *set);

/* A set as one text, a JSON array of {"name", "text"}, with "kind" where that is no rule file, and back: how rules travel in marks and in Redis. The
 * text is to be freed. Only for sets that have been compiled: others need not be text at all. */
RELANCE_MUST enum relance_status file_set_pack(const struct file_set *set, char **text, size_t *size,
                                               struct relance_error *error);
RELANCE_MUST enum relance_status file_set_unpack(struct relance_str text, struct file_set *out,
                                                 struct relance_error *error);

/* Compiles a set with the system's time zones (/usr/share/zoneinfo). *rules and *report as
 * relance_ruleset_compile has them. */
RELANCE_MUST enum relance_status file_set_compile(const struct file_set *set, struct relance_ruleset **rules,
                                                  struct relance_report **report,
                                                  struct relance_error *error);

/* A relance_zone_load, for any thread, without a context. Zones are in TZDIR, or where Debian has them, and are read once:
 * the bytes live as long as the process. Names that would lead out of the directory are no zones. */
const char *file_zone_folder(void);
bool file_zone_load(void *context, struct relance_str name, struct relance_str *bytes);

#endif
