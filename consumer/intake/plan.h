/* Which topics intake reads, and by which mapping each.
 *
 * Never read is what Relance itself writes: the output and what belongs to it (OUTPUT.dead, .marks, .links, .models, .decisions), and
 * the topics of an engine, which are known by their marks: X beside X.marks. A pattern passes these over, and the topics
 * that begin with two underscores, and X.dead beside X; a topic that is named is refused. */
#ifndef CONSUMER_INTAKE_PLAN_H
#define CONSUMER_INTAKE_PLAN_H

#include "base/names.h"
#include "host/file.h"
#include <regex.h>

enum { PLAN_WHY_SIZE = 512, PLAN_NO_MAPPING = UINT32_MAX };

struct plan {
    const char *output;
    struct names topics; /* those that are named; empty: the pattern says which */
    regex_t pattern;
    bool is_pattern;
    struct plan_mapping {
        struct relance_str topic; /* empty: for all that have none of their own */
        const char *value;        /* a preset or a file, borrowed from the options */
    } * mappings;
    uint32_t mapping_count;
};

/* From --input ("a,b" or "^shop\..*"), --mapping ("TOPIC=VALUE" or "VALUE") and --output. RELANCE_INVALID: one sentence;
 * also when a named topic has no mapping, or a mapping's topic is none of those named. Free it in any case. */
RELANCE_MUST enum relance_status plan_read(struct plan *plan, const char *input,
                                           const struct file_paths *mappings, const char *output,
                                           struct relance_error *error);
void plan_free(struct plan *plan);

/* "TOPIC=VALUE" or "VALUE": the topic, empty where there is none, and the value. */
const char *plan_split(const char *text, struct relance_str *topic);

/* The number of the mapping of a topic; PLAN_NO_MAPPING: it has none. */
uint32_t plan_mapping_of(const struct plan *plan, struct relance_str topic);
/* Is a topic one of an engine's? Then `why` says how that is known. `all`: the topics that there are. */
bool plan_is_engines(const struct names *all, struct relance_str topic, char why[PLAN_WHY_SIZE]);
/* May a topic not be read, and why? */
bool plan_refuses(const struct plan *plan, const struct names *all, struct relance_str topic,
                  char why[PLAN_WHY_SIZE]);
/* Of a pattern: whether it takes a topic. */
bool plan_takes(const struct plan *plan, const struct names *all, struct relance_str topic);

#endif
