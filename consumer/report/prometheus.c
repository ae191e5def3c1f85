/* Metrics as Prometheus reads them: counters of counter.def, exact and summed over partitions, and live figures of
 * figure.def, of an instance each. An instance's label is `engine`, since Prometheus gives `instance` to what it has
 * asked. Names that no row of this version explains are left out: nobody could say what they are. */
#include "host/print.h"
#include "host/text.h"
#include "report/figures.h"

#include <ctype.h>

struct prometheus {
    const struct figures *figures;
    const char *group, *topic;
    FILE *out;
};

/* NAME="VALUE", in lower case; nothing where there is no value. */
static void put_label(const struct prometheus *to, str name, const char *value)
{
    if (!value) return;
    fputc(',', to->out);
    for (size_t i = 0; i < name.size; i++)
        fputc(tolower((unsigned char)name.data[i]), to->out);
    fputs("=\"", to->out);
    print_label(str_of(value), to->out);
    fputc('"', to->out);
}

static void put_head(const struct prometheus *to, const char *metric, const char *prose, const char *type)
{
    print(to->out, "# HELP %s %s\n# TYPE %s %s\n", metric, prose, metric, type);
}

/* What every sample begins with. */
static void put_metric(const struct prometheus *to, const char *metric)
{
    print(to->out, "%s{group=\"", metric);
    print_label(str_of(to->group), to->out);
    fputc('"', to->out);
    put_label(to, STR("topic"), to->topic);
}

static void put_value(const struct prometheus *to, double value)
{
    print(to->out, "} %.15g\n", value);
}

/* ---- which versions run */

static void put_build(const struct prometheus *to)
{
    put_head(to, "relance_build_info", "Version of the program that tells this.", "gauge");
    put_metric(to, "relance_build_info");
    put_label(to, STR("version"), RELANCE_VERSION);
    put_value(to, 1);
}

static void put_versions(const struct prometheus *to)
{
    bool headed = false;
    for (size_t i = 0; i < to->figures->live_count; i++) {
        const struct figure_live *live = &to->figures->lives[i];
        if (strcmp(live->field, "version") != 0) continue;
        if (!headed) put_head(to, "relance_live_info", "Version of an engine that runs.", "gauge");
        headed = true;
        put_metric(to, "relance_live_info");
        put_label(to, STR("engine"), live->instance);
        put_label(to, STR("version"), live->value);
        put_value(to, 1);
    }
}

/* ---- counters */

static void put_counter(const struct prometheus *to, const struct metric_counter *counter, size_t row)
{
    char metric[METRIC_NAME_SIZE];
    bool headed = false;
    metric_counter_name(metric, counter);
    for (size_t i = 0; i < to->figures->count; i++) {
        const struct figure *figure = &to->figures->items[i];
        if (figure->row != row) continue;
        if (!headed) put_head(to, metric, counter->prose, "counter");
        headed = true;
        put_metric(to, metric);
        put_label(to, metric_first_label(counter), figure->first);
        put_label(to, STR("outcome"), figure->outcome);
        put_label(to, STR("variant"), figure->variant);
        put_value(to, figure->value);
    }
}

/* ---- live figures */

static void put_live(const struct prometheus *to, const struct metric_live *row)
{
    char metric[METRIC_NAME_SIZE];
    bool headed = false;
    double number;
    metric_live_name(metric, row);
    for (size_t i = 0; i < to->figures->live_count; i++) {
        const struct figure_live *live = &to->figures->lives[i];
        if (strcmp(live->field, row->name) != 0 || !text_number(str_of(live->value), &number)) continue;
        if (!headed) put_head(to, metric, row->prose, row->is_counter ? "counter" : "gauge");
        headed = true;
        put_metric(to, metric);
        put_label(to, STR("engine"), live->instance);
        put_value(to, number / metric_unit(row->name)->divisor);
    }
}

void figures_print_prometheus(const struct figures *figures, const char *group, const char *topic, FILE *out)
{
    const struct prometheus to = {figures, group, topic, out};
    const struct metric_counter *counter;
    put_build(&to);
    put_versions(&to);
    for (size_t row = 0; (counter = metric_counter(row)); row++)
        put_counter(&to, counter, row);
    for (const struct metric_live *live = metric_lives; live->name; live++)
        put_live(&to, live);
}
