/* relance inspect CUSTOMER: what the last checkpoint knows of a customer, as JSON, with live runs and when
 * each falls due: once for each partition that knows the customer. There is one, unless a producer has chosen another than
 * that of the key, which is said. The names of rules and counts come from the rule set: the one that runs, as Redis has it, unless
 * --rules gives another. */
#include "host/command.h"
#include "host/file.h"
#include "host/print.h"
#include "report/load.h"
#include "report/places.h"
#include "host/option.h"
#include "redis/view.h"
#include "base/str.h"
#include <relance/engine.h>

#include <stdio.h>
#include <stdlib.h>

struct inspect {
    const struct options *options;
    struct relance_str customer;
    char name[RELANCE_VISITOR_NAME_BYTES];
    struct redis_view *view;
    int partition; /* whose state is being shown */
    char *state;
    size_t state_size;
};

static const char *inspect_whom(const struct inspect *inspect)
{
    return inspect->options->visitor ? "visitor" : "customer";
}

/* The name of the state. */
static struct relance_str inspect_name(struct inspect *inspect)
{
    if (!inspect->options->visitor) return inspect->customer;
    return (struct relance_str){inspect->name, relance_visitor_name(inspect->customer, inspect->name)};
}

static enum relance_status inspect_read_rules(struct inspect *inspect, struct file_set *set,
                                              struct relance_error *error)
{
    if (inspect->options->rules.count) return file_set_read(&inspect->options->rules, set, error);
    return load_live_set(inspect->view, inspect->partition, set, error);
}

/* ---- printing: the core's JSON, which has no blanks, indented for people; every value stays as it is
 * written */

static void put_line(int depth)
{
    print(stdout, "\n%*s", 2 * depth, "");
}

/* A string's bytes, from its first quote to its last; returns how many there are. */
static size_t put_string(struct relance_str json, size_t at)
{
    size_t end = at + 1;
    while (end < json.size && json.data[end] != '"')
        end += json.data[end] == '\\' ? 2 : 1;
    end = end < json.size ? end + 1 : json.size;
    print_text((struct relance_str){json.data + at, end - at}, stdout);
    return end - at;
}

static void put_indented(struct relance_str json)
{
    int depth = 0;
    for (size_t at = 0; at < json.size; at++) {
        char c = json.data[at], next = at + 1 < json.size ? json.data[at + 1] : '\0';
        bool opens = c == '{' || c == '[', closes = c == '}' || c == ']',
             empty = opens && (next == '}' || next == ']');
        if (c == '"') {
            at += put_string(json, at) - 1;
            continue;
        }
        if (closes) put_line(--depth);
        fputc(c, stdout);
        if (empty)
            fputc(json.data[++at], stdout);
        else if (opens)
            put_line(++depth);
        if (c == ',') put_line(depth);
        if (c == ':') fputc(' ', stdout);
    }
    fputc('\n', stdout);
}

static enum relance_status inspect_print(struct inspect *inspect, const struct relance_ruleset *rules,
                                         struct relance_error *error)
{
    struct relance_str state = {inspect->state, inspect->state_size};
    size_t size = relance_state_print(rules, inspect_name(inspect), state, NULL, 0);
    char *text = malloc(size + 1);
    if (!size || !text) {
        free(text);
        return relance_error_set(error, RELANCE_INVALID,
                                 "the state of %s '%.*s' cannot be read by this version",
                                 inspect_whom(inspect), STR_ARG(inspect->customer));
    }
    relance_state_print(rules, inspect_name(inspect), state, text, size);
    put_indented((struct relance_str){text, size});
    free(text);
    return RELANCE_OK;
}

static enum relance_status inspect_compile(struct inspect *inspect, const struct file_set *set,
                                           struct relance_error *error)
{
    struct relance_ruleset *rules = NULL;
    struct relance_report *report = NULL;
    enum relance_status status = file_set_compile(set, &rules, &report, error);
    if (status == RELANCE_OK) {
        status = inspect_print(inspect, rules, error);
        relance_ruleset_free(rules);
    }
    relance_report_free(report);
    return status;
}

static enum relance_status inspect_show(struct inspect *inspect, struct relance_error *error)
{
    struct file_set set;
    enum relance_status status = inspect_read_rules(inspect, &set, error);
    if (status != RELANCE_OK) return status;
    status = inspect_compile(inspect, &set, error);
    file_set_free(&set);
    return status;
}

static enum relance_status inspect_partition(struct inspect *inspect, int partition,
                                             struct relance_error *error)
{
    inspect->partition = partition;
    enum relance_status status =
        redis_view_field(inspect->view, partition, REDIS_VIEW_CUSTOMERS, inspect_name(inspect),
                         &inspect->state, &inspect->state_size, error);
    if (status == RELANCE_OK && inspect->state) status = inspect_show(inspect, error);
    free(inspect->state);
    return status;
}

static enum relance_status inspect_customer(struct inspect *inspect, struct relance_error *error)
{
    struct places places;
    enum relance_status status =
        places_in_redis(inspect->view, inspect->customer, inspect_name(inspect), &places, error);
    if (status == RELANCE_OK && !places.count)
        status = relance_error_set(error, RELANCE_REFUSED, "nothing is known of %s '%.*s'",
                                   inspect_whom(inspect), STR_ARG(inspect->customer));
    for (size_t i = 0; i < places.count && status == RELANCE_OK; i++)
        status = inspect_partition(inspect, places.items[i], error);
    if (status == RELANCE_OK) places_tell(&places, inspect_whom(inspect), inspect->customer);
    places_free(&places);
    return status;
}

int cmd_inspect(const struct options *options)
{
    struct relance_error error;
    struct inspect inspect = {.options = options, .customer = str_of(options->args[0])};
    inspect.view = redis_view_open(options->redis, options->group, options->input, &error);
    bool ok = inspect.view && inspect_customer(&inspect, &error) == RELANCE_OK;
    if (!ok) print_mistake("%s", error.message);
    redis_view_close(inspect.view);
    return ok ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}
