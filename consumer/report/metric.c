#include "report/metric.h"

#include <ctype.h>
#include <relance/decision.h>
#include <relance/forgot.h>
#include <relance/sums.h>
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

static const char *const feedbacks[] = {
#define METRIC_FEEDBACK(NAME, text, word) text,
    RELANCE_FEEDBACK_TABLE(METRIC_FEEDBACK)
#undef METRIC_FEEDBACK
};
enum { FEEDBACKS = sizeof feedbacks / sizeof *feedbacks };

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

double metric_counter_divisor(size_t row)
{
    const double parts = 10000;
    return row == METRIC_VALUE || row == METRIC_TOTAL_SUM ? parts
           : row == METRIC_VALUE_SQUARES                  ? parts * parts
                                                          : 1;
}

const char *metric_outcome(size_t at)
{
    return at < OUTCOMES ? outcomes[at] : NULL;
}

const char *metric_feedback(size_t at)
{
    return at < FEEDBACKS ? feedbacks[at] : NULL;
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

static bool is_feedback(str word)
{
    for (size_t i = 0; i < FEEDBACKS; i++)
        if (str_equal(word, str_of(feedbacks[i]))) return true;
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

static bool is_number(str word)
{
    for (size_t i = 0; i < word.size; i++)
        if (!isdigit((unsigned char)word.data[i])) return false;
    return word.size;
}

/* Does a word of the form allow this one? */
static bool word_fits(struct metric_parts *parts, str wanted, str word)
{
    if (str_equal(wanted, STR("OUTCOME"))) return is_outcome(parts->outcome = word);
    if (str_equal(wanted, STR("FEEDBACK"))) return is_feedback(parts->feedback = word);
    if (str_equal(wanted, STR("N"))) return is_number(parts->step = word);
    return str_equal(wanted, word);
}

/* The type of an event may hold dots, too: "cart.v2.cancelled_by.shop.order" by "NAME.cancelled_by". */
static bool match_event(struct metric_parts *parts, str form, str rest)
{
    char around[METRIC_NAME_SIZE];
    str name, word;
    if (!split_last(form, &name, &word)) return false;
    int size = snprintf(around, sizeof around, ".%.*s.", STR_ARG(word));
    const char *at = memmem(rest.data, rest.size, around, (size_t)size);
    if (!at) return false;
    parts->first = (str){rest.data, (size_t)(at - rest.data)};
    parts->event = (str){at + size, rest.size - parts->first.size - (size_t)size};
    return true;
}

/* A total's name has no dot, what it is counted by may; it may also be counted by nothing. */
static bool match_by(struct metric_parts *parts, str rest)
{
    if (!split_first(rest, &parts->first, &parts->by)) parts->first = rest;
    return true;
}

/* "cart.v2.step.1.sent" by "NAME.step.N.OUTCOME": from the end, since the name may hold dots. */
static bool match_words(struct metric_parts *parts, str form, str rest)
{
    str wanted, word;
    while (split_last(form, &form, &wanted)) {
        if (str_equal(wanted, STR("EVENT"))) return match_event(parts, form, rest);
        if (str_equal(wanted, STR("BY"))) return match_by(parts, rest);
        if (!split_last(rest, &rest, &word) || !word_fits(parts, wanted, word)) return false;
    }
    parts->first = rest;
    return true;
}

/* Of "rule.NAME.WHAT" there is one for each variant, whose name stands behind it. */
static bool form_has_variants(str form)
{
    str rule, name, what;
    return split_first(form, &rule, &name) && str_equal(rule, STR("rule")) &&
           split_first(name, &name, &what) && !memchr(what.data, '.', what.size);
}

static bool match_family(struct metric_parts *out, str form, str name)
{
    struct metric_parts parts = {.row = METRIC_NO_ROW};
    str form_head, form_rest, head, rest;
    if (!split_first(form, &form_head, &form_rest) || !split_first(name, &head, &rest)) return false;
    if (!str_equal(form_head, head)) return false;
    bool fits = match_words(&parts, form_rest, rest);
    if (!fits && form_has_variants(form)) {
        parts = (struct metric_parts){.row = METRIC_NO_ROW};
        fits = split_last(rest, &rest, &parts.variant) && match_words(&parts, form_rest, rest);
    }
    if (fits) *out = parts;
    return fits;
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
 * relance_rule_goal_value_total, "rule.NAME.step.N.OUTCOME" relance_rule_step_by_outcome_total: words, and what the last
 * placeholder splits them by. */
void metric_counter_name(char out[METRIC_NAME_SIZE], const struct metric_counter *counter)
{
    str rest = str_of(counter->form), word;
    int size = snprintf(out, METRIC_NAME_SIZE, "relance");
    for (bool more = true; more;) {
        more = split_first(rest, &word, &rest);
        if (!more) word = rest;
        if (word_is_placeholder(word) && (more || str_equal(word, STR("BY")))) continue;
        bool says_by = size > 3 && strcmp(out + size - 3, "_by") == 0;
        size += snprintf(out + size, METRIC_NAME_SIZE - (size_t)size, "%s%.*s",
                         word_is_placeholder(word) && !says_by ? "_by_" : "_", STR_ARG(word));
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
    if (str_starts_with(head, STR("totals"))) return STR("total");
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
