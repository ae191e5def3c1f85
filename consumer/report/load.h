/* Rules for a command that needs nothing else of them: read, compiled, and every mistake printed. */
#ifndef CONSUMER_REPORT_LOAD_H
#define CONSUMER_REPORT_LOAD_H

#include "host/file.h"
#include "host/option.h"
#include "redis/view.h"
#include <relance/mapping.h>

/* The set at `paths`, freed by relance_ruleset_free; NULL: what is wrong has been printed. */
struct relance_ruleset *load_rules(const struct file_paths *paths);

/* The mapping that a value means (host/mapping.h), freed by relance_mapping_free; NULL: what is wrong has been printed. */
struct relance_mapping *load_mapping(const char *value);
/* As load_rules, without the mapping of --mapping: for commands that map a file's records themselves. */
struct relance_ruleset *load_rules_alone(const struct file_paths *paths);
/* The mapping of --mapping, or NULL where none is given. False: what is wrong has been printed. */
bool load_only_mapping(const struct file_paths *values, struct relance_mapping **mapping);

/* The rules in force in a partition, as Redis has them. */
RELANCE_MUST enum relance_status load_live_set(struct redis_view *view, int partition, struct file_set *set,
                                               struct relance_error *error);
/* Those of the first partition that has some, compiled; *rules is NULL where none has, or where this version cannot read
 * them. For what is told of all partitions, and not decided by. */
RELANCE_MUST enum relance_status load_any_rules(struct redis_view *view, struct relance_ruleset **rules,
                                                struct relance_error *error);
/* The same, compiled, as load_rules has it: those of the partition of a key. */
struct relance_ruleset *load_live_rules(const struct options *options, struct relance_str key);

#endif
