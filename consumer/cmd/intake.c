/* relance intake: other pipelines' topics, mapped and joined into the one topic that an engine reads. What is wrong with
 * the configuration is said all at once, what is wrong with the world one thing at a time. */
#include "base/ensure.h"
#include "host/command.h"
#include "host/log.h"
#include "host/option.h"
#include "host/print.h"
#include "host/stop.h"
#include "host/text.h"
#include "intake/intake.h"
#include "report/load.h"
#include <stdlib.h>
#include <sys/random.h>

static unsigned intake_check_options(const struct options *options, struct plan *plan)
{
    const struct {
        const char *option, *value;
    } names[] = {{"group", options->group}, {"output", options->output}};
    unsigned mistakes = 0;
    struct relance_error error;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!text_is_name(names[i].value)) {
            print_mistake("--%s: '%s' is no name: " TEXT_NAME_FORM, names[i].option, names[i].value);
            mistakes++;
        }
    if (!options_kafka(options, "bootstrap.servers") && !options_kafka(options, "metadata.broker.list")) {
        print_mistake("--kafka.bootstrap.servers is needed: where Kafka is, HOST:PORT");
        mistakes++;
    }
    if (plan_read(plan, options->input, &options->mapping, options->output, &error) != RELANCE_OK) {
        print_mistake("%s", error.message);
        mistakes++;
    }
    return mistakes;
}

/* Each mapping once; all mistakes of all of them are printed. */
static bool intake_load(const struct plan *plan, struct relance_mapping **mappings)
{
    bool is_right = true;
    for (uint32_t i = 0; i < plan->mapping_count; i++) {
        mappings[i] = load_mapping(plan->mappings[i].value);
        is_right &= mappings[i] != NULL;
    }
    return is_right;
}

/* Transactions are settled under a name. No other process may have it, and who comes later need not know it: the
 * group's own number fences whoever is gone. */
static void intake_name(const struct options *options, char out[256])
{
    uint64_t number;
    ensure(getrandom(&number, sizeof number, 0) == sizeof number);
    snprintf(out, 256, "%s/intake-%016llx", options->group, (unsigned long long)number);
}

static int intake_work(const struct options *options, struct intake_config *config)
{
    char member[256];
    struct relance_error error;
    intake_name(options, member);
    enum relance_status status = relay_open(options, member, &config->relay, &error);
    if (status == RELANCE_OK) status = intake_check(config, &error);
    bool is_started = status == RELANCE_OK;
    if (is_started) status = intake_run(config, &error);
    if (status != RELANCE_OK)
        log_line(LOG_ERROR, is_started ? "Cannot go on:" : "Cannot start:", "why=\"%s\"", error.message);
    if (config->relay) relay_close(config->relay);
    int result = status == RELANCE_OK ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
    log_line(LOG_INFO, "Ended.", "status=%d", result);
    return result;
}

int cmd_intake(const struct options *options)
{
    struct plan plan;
    int status = EXIT_STATUS_USAGE;
    unsigned mistakes = intake_check_options(options, &plan);
    struct relance_mapping **mappings = calloc(plan.mapping_count + 1, sizeof(struct relance_mapping *));
    ensure(mappings);
    if (!mistakes && intake_load(&plan, mappings)) {
        stop_on_signals();
        status = intake_work(options, &(struct intake_config){.plan = &plan, .mappings = mappings});
    }
    for (uint32_t i = 0; i < plan.mapping_count; i++)
        relance_mapping_free(mappings[i]);
    free(mappings);
    plan_free(&plan);
    return status;
}
