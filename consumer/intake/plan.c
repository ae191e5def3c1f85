#include "intake/plan.h"
#include "base/ensure.h"
#include <stdio.h>
#include <stdlib.h>

enum { PLAN_TOPIC_MAX = 249 }; /* signs of a topic's name, as Kafka has it */

/* ---- reading */
static bool plan_is_topic(struct relance_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                    c == '_' || c == '-';
        if (!fits) return false;
    }
    return name.size > 0 && name.size <= PLAN_TOPIC_MAX;
}

static enum relance_status plan_read_pattern(struct plan *plan, const char *input,
                                             struct relance_error *error)
{
    char reason[128];
    int code = regcomp(&plan->pattern, input, REG_EXTENDED | REG_NOSUB);
    plan->is_pattern = code == 0;
    if (!code) return RELANCE_OK;
    regerror(code, &plan->pattern, reason, sizeof reason);
    return relance_error_set(error, RELANCE_INVALID, "--input: '%s' is no pattern: %s", input, reason);
}

static enum relance_status plan_read_topics(struct plan *plan, const char *input, struct relance_error *error)
{
    struct relance_str rest = str_of(input);
    for (bool more = true; more;) {
        const char *comma = memchr(rest.data, ',', rest.size);
        struct relance_str topic = {rest.data, comma ? (size_t)(comma - rest.data) : rest.size};
        more = comma;
        if (more) rest = str_slice(rest, topic.size + 1, rest.size);
        topic = str_trim(topic);
        if (!plan_is_topic(topic))
            return relance_error_set(error, RELANCE_INVALID,
                                     "--input: '%.*s' is no name of a topic; a pattern begins with ^",
                                     STR_ARG(topic));
        names_add(&plan->topics, topic);
    }
    return RELANCE_OK;
}

/* What stands before the first = is a topic where it could be the name of one: a path has a slash there. */
const char *plan_split(const char *text, struct relance_str *topic)
{
    const char *equals = strchr(text, '=');
    *topic = (struct relance_str){text, equals ? (size_t)(equals - text) : 0};
    if (plan_is_topic(*topic)) return equals + 1;
    *topic = (struct relance_str){0};
    return text;
}

static void plan_read_mapping(struct plan *plan, const char *text)
{
    struct plan_mapping *mapping = &plan->mappings[plan->mapping_count++];
    mapping->value = plan_split(text, &mapping->topic);
}

static bool plan_names(const struct plan *plan, struct relance_str topic)
{
    if (!plan->is_pattern) return names_find(&plan->topics, topic) != NAME_NONE;
    char name[PLAN_TOPIC_MAX + 1];
    snprintf(name, sizeof name, "%.*s", STR_ARG(topic));
    return regexec(&plan->pattern, name, 0, NULL, 0) == 0;
}

static enum relance_status plan_check(const struct plan *plan, struct relance_error *error)
{
    for (uint32_t i = 0; i < plan->mapping_count; i++) {
        struct relance_str topic = plan->mappings[i].topic;
        if (!*plan->mappings[i].value)
            return relance_error_set(error, RELANCE_INVALID, "--mapping: %.*s= names no preset and no file",
                                     STR_ARG(topic));
        if (topic.size && !plan_names(plan, topic))
            return relance_error_set(error, RELANCE_INVALID, "--mapping: --input does not have a topic %.*s",
                                     STR_ARG(topic));
        for (uint32_t k = 0; k < i; k++)
            if (str_equal(topic, plan->mappings[k].topic))
                return relance_error_set(
                    error, RELANCE_INVALID,
                    "--mapping: %s and %s are for the same topics; TOPIC=%s says for which",
                    plan->mappings[k].value, plan->mappings[i].value, plan->mappings[i].value);
    }
    for (uint32_t i = 0; i < plan->topics.count; i++)
        if (plan_mapping_of(plan, plan->topics.list[i]) == PLAN_NO_MAPPING)
            return relance_error_set(
                error, RELANCE_INVALID,
                "--mapping: topic %.*s has none; --mapping %.*s=PRESET or FILE gives it one",
                STR_ARG(plan->topics.list[i]), STR_ARG(plan->topics.list[i]));
    return RELANCE_OK;
}

enum relance_status plan_read(struct plan *plan, const char *input, const struct file_paths *mappings,
                              const char *output, struct relance_error *error)
{
    *plan = (struct plan){.output = output};
    enum relance_status status =
        *input == '^' ? plan_read_pattern(plan, input, error) : plan_read_topics(plan, input, error);
    if (status != RELANCE_OK) return status;
    ensure(plan->mappings = calloc(mappings->count + 1, sizeof *plan->mappings));
    for (size_t i = 0; i < mappings->count; i++)
        plan_read_mapping(plan, mappings->items[i]);
    return plan_check(plan, error);
}

void plan_free(struct plan *plan)
{
    if (plan->is_pattern) regfree(&plan->pattern);
    names_free(&plan->topics);
    free(plan->mappings);
}

/* ---- asking */
uint32_t plan_mapping_of(const struct plan *plan, struct relance_str topic)
{
    uint32_t found = PLAN_NO_MAPPING;
    for (uint32_t i = 0; i < plan->mapping_count; i++) {
        if (str_equal(plan->mappings[i].topic, topic)) return i;
        if (!plan->mappings[i].topic.size) found = i;
    }
    return found;
}

static bool plan_has(const struct names *all, struct relance_str base, const char *suffix)
{
    char name[PLAN_TOPIC_MAX + 8];
    int size = snprintf(name, sizeof name, "%.*s%s", STR_ARG(base), suffix);
    return names_find(all, (struct relance_str){name, (size_t)size}) != NAME_NONE;
}

static bool plan_ends_with(struct relance_str topic, struct relance_str suffix)
{
    return topic.size > suffix.size &&
           str_equal(str_slice(topic, topic.size - suffix.size, topic.size), suffix);
}

/* The topic that one belongs to by its name: X of X.dead, X.marks, X.links and X.decisions, else itself. */
static struct relance_str plan_base(struct relance_str topic)
{
    static const struct relance_str suffixes[] = {STR(".dead"), STR(".marks"), STR(".links"), STR(".models"),
                                                  STR(".decisions")};
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (plan_ends_with(topic, suffixes[i])) return str_slice(topic, 0, topic.size - suffixes[i].size);
    return topic;
}

bool plan_is_engines(const struct names *all, struct relance_str topic, char why[PLAN_WHY_SIZE])
{
    struct relance_str base = plan_base(topic);
    if (!plan_has(all, base, ".marks")) return false;
    snprintf(why, PLAN_WHY_SIZE, "topic %.*s is an engine's: there is %.*s.marks, too", STR_ARG(topic),
             STR_ARG(base));
    return true;
}

bool plan_refuses(const struct plan *plan, const struct names *all, struct relance_str topic,
                  char why[PLAN_WHY_SIZE])
{
    if (!str_equal(plan_base(topic), str_of(plan->output))) return plan_is_engines(all, topic, why);
    snprintf(why, PLAN_WHY_SIZE, "topic %.*s is of the output, and cannot be read into it", STR_ARG(topic));
    return true;
}

bool plan_takes(const struct plan *plan, const struct names *all, struct relance_str topic)
{
    char why[PLAN_WHY_SIZE];
    bool is_internal = str_starts_with(topic, STR("__"));
    bool is_dead = plan_ends_with(topic, STR(".dead")) && plan_has(all, plan_base(topic), "");
    return plan_names(plan, topic) && !is_internal && !is_dead && !plan_refuses(plan, all, topic, why);
}
