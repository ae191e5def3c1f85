#include "report/metric.h"

#include <ctype.h>
#include <relance/decision.h>
#include <relance/forgot.h>
#include <stdio.h>

static const struct metric_counter counters[] = {
#define COUNTER(ENUM, name, prose)        {name, prose, false},
#define COUNTER_FAMILY(ENUM, form, prose) {form, prose, true},
#include "counter.def"
#undef COUNTER
#undef COUNTER_FAMILY
};
enum { COUNTER_ROWS = sizeof counters / sizeof *counters };

static const char *const outcomes[] = {
#define METRIC_OUTCOME(name, text, prose) text,
    RELANCE_OUTCOME_TABLE(METRIC_OUTCOME)
#undef METRIC_OUTCOME
};
enum { OUTCOMES = sizeof outcomes / sizeof *outcomes };

const struct metric_live metric_lives[] = {
#define COUNTER                              true
#define GAUGE                                false
#define FIGURE_SUM(field, kind, name, prose) {name, prose, kind},
#define FIGURE_TIMES(field, name, prose)                                                                     \
    {name "_p50_ms", prose ", the median.", GAUGE}, {name "_p99_ms", prose ", 99 of 100.", GAUGE},
#define FIGURE_KEPT(field)
#define FIGURE_MADE(field, kind, name, prose) {name, prose, kind},
#include "figure.def"
#undef COUNTER
#undef GAUGE
    {NULL, NULL, false},
};

/* The first that fits is it; the last one always does. */
static const struct metric_unit units[] = {
    {"_per_s", "_per_second", 1},
    {"_ms", "_seconds", 1000},
    {"_s", "_seconds", 1},
    {"_percent", "_ratio", 100},
    {"_since", "_since_timestamp_seconds", 1},
    {"", "", 1},
};

const struct metric_counter *metric_counter(size_t row)
{
    return row < COUNTER_ROWS ? &counters[row] : NULL;
}

const char *metric_outcome(size_t at)
{
    return at < OUTCOMES ? outcomes[at] : NULL;
}

/* ---- taking apart */

static bool word_is_placeholder(str word)
{
    return word.size && isupper((unsigned char)word.data[0]);
}

static bool is_outcome(str word)
{
    for (size_t i = 0; i < OUTCOMES; i++)
        if (str_equal(word, str_of(outcomes[i]))) return true;
    return false;
}

static bool split_at(str text, const char *dot, str *head, str *tail)
{
    if (!dot) return false;
    *head = (str){text.data, (size_t)(dot - text.data)};
    *tail = (str){dot + 1, text.size - head->size - 1};
    return true;
}

/* "one.two.three" is "one.two" and "three". */
static bool split_last(str text, str *head, str *tail)
{
    return split_at(text, memrchr(text.data, '.', text.size), head, tail);
}

/* "one.two.three" is "one" and "two.three". */
static bool split_first(str text, str *head, str *tail)
{
    return split_at(text, memchr(text.data, '.', text.size), head, tail);
}

/* Does the last word of a rule's form ("OUTCOME", "goal_value") allow this word? */
static bool last_word_fits(str wanted, str word)
{
    return word_is_placeholder(wanted) ? is_outcome(word) : str_equal(wanted, word);
}

/* "cart.v2.sent.a" by "NAME.OUTCOME": from the end, since names of rules may hold dots. */
static bool match_rule(struct metric_parts *parts, str wanted, str rest)
{
    str head, tail, variant = {0};
    if (!split_last(rest, &head, &tail)) return false;
    if (!last_word_fits(wanted, tail)) {
        variant = tail;
        if (!split_last(head, &head, &tail) || !last_word_fits(wanted, tail)) return false;
    }
    parts->first = head;
    if (word_is_placeholder(wanted)) parts->outcome = tail;
    parts->variant = variant;
    return true;
}

static bool match_family(struct metric_parts *parts, str form, str name)
{
    str form_head, form_rest, head, rest, ignored, wanted;
    if (!split_first(form, &form_head, &form_rest) || !split_first(name, &head, &rest)) return false;
    if (!str_equal(form_head, head)) return false;
    if (split_last(form_rest, &ignored, &wanted)) return match_rule(parts, wanted, rest);
    parts->first = rest;
    return true;
}

struct metric_parts metric_take_apart(str name)
{
    struct metric_parts parts = {.row = METRIC_NO_ROW};
    for (size_t i = 0; i < COUNTER_ROWS && parts.row == METRIC_NO_ROW; i++) {
        str form = str_of(counters[i].form);
        if (counters[i].is_family ? match_family(&parts, form, name) : str_equal(form, name)) parts.row = i;
    }
    return parts;
}

/* ---- as Prometheus has them */

/* "events" is relance_events_total, "events.TYPE" relance_events_by_type_total, "rule.NAME.goal_value"
 * relance_rule_goal_value_total: words, and what the last placeholder splits them by. */
void metric_counter_name(char out[METRIC_NAME_SIZE], const struct metric_counter *counter)
{
    str rest = str_of(counter->form), word;
    int size = snprintf(out, METRIC_NAME_SIZE, "relance");
    for (bool more = true; more;) {
        more = split_first(rest, &word, &rest);
        if (!more) word = rest;
        if (word_is_placeholder(word) && more) continue;
        size += snprintf(out + size, METRIC_NAME_SIZE - (size_t)size, "%s%.*s",
                         word_is_placeholder(word) ? "_by_" : "_", STR_ARG(word));
    }
    snprintf(out + size, METRIC_NAME_SIZE - (size_t)size, "_total");
    for (char *letter = out; *letter; letter++)
        *letter = (char)tolower((unsigned char)*letter);
}

/* The form's first placeholder; for NAME the word before it says whose. */
str metric_first_label(const struct metric_counter *counter)
{
    str head, rest, ignored, form = str_of(counter->form);
    if (!split_first(form, &head, &rest)) return form;
    return split_first(rest, &ignored, &ignored) ? head : rest;
}

const struct metric_unit *metric_unit(const char *name)
{
    const struct metric_unit *unit = units;
    size_t size = strlen(name);
    while (strlen(unit->ours) > size || strcmp(name + size - strlen(unit->ours), unit->ours) != 0)
        unit++;
    return unit;
}

void metric_live_name(char out[METRIC_NAME_SIZE], const struct metric_live *live)
{
    const struct metric_unit *unit = metric_unit(live->name);
    snprintf(out, METRIC_NAME_SIZE, "relance_live_%.*s%s%s", (int)(strlen(live->name) - strlen(unit->ours)),
             live->name, unit->theirs, live->is_counter ? "_total" : "");
}
