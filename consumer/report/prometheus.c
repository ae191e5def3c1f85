/* Metrics as Prometheus reads them: counters of counter.def, exact and summed over partitions, live figures of
 * figure.def, of an instance each, and how each partition stands. An instance's label is `engine`, since Prometheus
 * gives `instance` to what it has asked. Names that no row of this version explains are left out: nobody could say what
 * they are. */
#include "base/ensure.h"
#include "host/print.h"
#include "host/text.h"
#include "report/report_rules.h"

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
        put_label(to, STR("step"), figure->step);
        put_label(to, STR("outcome"), figure->outcome);
        put_label(to, STR("event"), figure->event);
        put_label(to, STR("feedback"), figure->feedback);
        put_label(to, STR("by"), figure->by);
        put_label(to, STR("variant"), figure->variant);
        put_value(to, figure->value / metric_counter_divisor(row));
    }
}

/* ---- sums of sales, which a late order or a refund can lower */

/* "sales.CLASS.gross.CUR" is relance_sales_gross. */
static void sum_name(char out[METRIC_NAME_SIZE], const char *form)
{
    int size = snprintf(out, METRIC_NAME_SIZE, "relance");
    for (const char *word = form; *word; word += strcspn(word, ".")) {
        word += *word == '.';
        if (isupper((unsigned char)*word)) continue;
        size += snprintf(out + size, METRIC_NAME_SIZE - (size_t)size, "_%.*s", (int)strcspn(word, "."), word);
    }
}

static void put_sum_labels(const struct prometheus *to, const struct sales_name *sum)
{
    for (int i = 0; i < SALES_WORDS; i++) {
        if (!sum->words[i].size) continue;
        print(to->out, ",%s=\"", sales_word_labels[i]);
        print_label(sum->words[i], to->out);
        fputc('"', to->out);
    }
}

static void put_sum(const struct prometheus *to, enum relance_sales row)
{
    enum { UNIT = 10000 };
    char metric[METRIC_NAME_SIZE];
    bool headed = false;
    sum_name(metric, sales_forms[row].name);
    for (size_t i = 0; i < to->figures->count; i++) {
        const struct figure *figure = &to->figures->items[i];
        if (!figure->sum || figure->sum->sum != row) continue;
        if (!headed) put_head(to, metric, sales_forms[row].prose, "gauge");
        headed = true;
        put_metric(to, metric);
        put_sum_labels(to, figure->sum);
        put_value(to, figure->value / (sales_forms[row].is_money ? UNIT : 1));
    }
}

/* ---- lift */

struct prometheus_lifts {
    const struct prometheus *to;
    const char *metric; /* headed last */
};

static void put_lift(void *context, const struct report_gauge *gauge)
{
    struct prometheus_lifts *lifts = context;
    const struct prometheus *to = lifts->to;
    if (lifts->metric != gauge->metric) put_head(to, gauge->metric, gauge->prose, "gauge");
    lifts->metric = gauge->metric;
    put_metric(to, gauge->metric);
    put_label(to, STR("rule"), gauge->rule);
    put_label(to, STR("variant"), gauge->variant);
    put_value(to, gauge->value);
}

static void put_lifts(const struct prometheus *to)
{
    struct prometheus_lifts lifts = {to, NULL};
    struct report_rules rules = {0};
    report_rules_take(&rules, to->figures);
    report_each_lift(&rules, put_lift, &lifts);
    report_rules_free(&rules);
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

/* ---- the group and its partitions */

static void put_gauge(const struct prometheus *to, const char *metric, const char *prose, double value)
{
    put_head(to, metric, prose, "gauge");
    put_metric(to, metric);
    put_value(to, value);
}

static void put_group(const struct prometheus *to)
{
    size_t instances = 0, partitions = to->figures->partition_count;
    for (size_t i = 0; i < to->figures->live_count; i++)
        instances += strcmp(to->figures->lives[i].field, "version") == 0;
    put_gauge(to, "relance_instances", "Engines of the group that run.", (double)instances);
    put_gauge(to, "relance_partitions_expected", "Partitions of the input.", (double)partitions);
    put_gauge(to, "relance_partitions_owned", "Partitions of the input that an engine has, live or not.",
              (double)(partitions - figures_count_partitions(to->figures, FIGURES_NOBODY)));
    put_gauge(to, "relance_partitions_live",
              "Partitions of the input that have caught up with what had been published.",
              (double)figures_count_partitions(to->figures, FIGURES_LIVE));
}

static double partition_lag(const struct figure_partition *partition)
{
    return partition->lag;
}

static double partition_behind(const struct figure_partition *partition)
{
    return partition->behind;
}

static double partition_clock_behind(const struct figure_partition *partition)
{
    return partition->clock_behind_s;
}

static double partition_checkpoint_age(const struct figure_partition *partition)
{
    return partition->checkpoint_age_s;
}

static double partition_owned(const struct figure_partition *partition)
{
    return partition->owner ? 1 : 0;
}

static double partition_live(const struct figure_partition *partition)
{
    return strcmp(partition->state, FIGURES_LIVE) == 0 ? 1 : 0;
}

static const struct {
    const char *metric, *prose;
    double (*value)(const struct figure_partition *partition); /* below 0: not known */
} partition_rows[] = {
    {"relance_partition_owned", "1 where an engine has the partition, live or not; else 0.", partition_owned},
    {"relance_partition_live", "1 where the partition has caught up with what had been published; else 0.",
     partition_live},
    {"relance_partition_lag",
     "Records of the partition from where it has been decided, or will be, to its end, as last asked for.",
     partition_lag},
    {"relance_partition_behind",
     "Records of the partition that had been published already and are decided again.", partition_behind},
    {"relance_partition_clock_behind_seconds", "From the partition's clock to the wall clock.",
     partition_clock_behind},
    {"relance_partition_checkpoint_age_seconds",
     "How long the oldest change of the partition has waited for a checkpoint; 0 where all is saved.",
     partition_checkpoint_age},
};

/* An engine by itself says nothing of partitions that it does not have: others may have them. */
static void put_partitions(const struct prometheus *to, size_t row)
{
    char number[TEXT_NUMBER_SIZE];
    bool headed = false;
    for (size_t i = 0; i < to->figures->partition_count; i++) {
        const struct figure_partition *partition = &to->figures->partitions[i];
        double value = partition_rows[row].value(partition);
        if (value < 0 || (!partition->owner && !to->figures->is_whole)) continue;
        if (!headed) put_head(to, partition_rows[row].metric, partition_rows[row].prose, "gauge");
        headed = true;
        text_put_int(number, (int64_t)i);
        put_metric(to, partition_rows[row].metric);
        put_label(to, STR("partition"), number);
        put_value(to, value);
    }
}

void figures_print_prometheus(const struct figures *figures, const char *group, const char *topic, FILE *out)
{
    const struct prometheus to = {figures, group, topic, out};
    const struct metric_counter *counter;
    put_build(&to);
    put_versions(&to);
    if (figures->is_whole) put_group(&to);
    for (size_t row = 0; row < sizeof partition_rows / sizeof *partition_rows; row++)
        put_partitions(&to, row);
    for (size_t row = 0; (counter = metric_counter(row)); row++)
        put_counter(&to, counter, row);
    for (int row = 0; row < RELANCE_SALES_COUNT; row++)
        put_sum(&to, (enum relance_sales)row);
    if (figures->is_whole) put_lifts(&to); /* an engine has counted no more than since it began */
    for (const struct metric_live *live = metric_lives; live->name; live++)
        put_live(&to, live);
}

char *figures_prometheus(const struct figures *figures, const char *group, const char *topic, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    ensure(out);
    figures_print_prometheus(figures, group, topic, out);
    ensure(fclose(out) == 0);
    return text;
}
