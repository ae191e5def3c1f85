/* relance intake: other pipelines' topics, mapped and joined into the one topic that an engine reads. What is wrong with
 * the configuration is said all at once, what is wrong with the world one thing at a time. */
#include "base/ensure.h"
#include "host/command.h"
#include "http/server.h"
#include "host/log.h"
#include "host/option.h"
#include "host/print.h"
#include "host/stop.h"
#include "host/supervisor.h"
#include "host/text.h"
#include "intake/intake.h"
#include "report/load.h"
#include <stdlib.h>
#include <sys/random.h>

/* A schema that is for a topic needs a mapping that is for it. */
static unsigned intake_check_schemas(const struct options *options, const struct plan *plan)
{
    unsigned mistakes = 0;
    for (size_t i = 0; i < options->schema.count; i++) {
        struct relance_str topic;
        plan_split(options->schema.items[i], &topic);
        uint32_t k = 0;
        while (topic.size && k < plan->mapping_count && !str_equal(topic, plan->mappings[k].topic))
            k++;
        if (!topic.size || k < plan->mapping_count) continue;
        print_mistake("--schema: there is no --mapping %.*s=…, to which it would belong", STR_ARG(topic));
        mistakes++;
    }
    return mistakes;
}

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
    return mistakes + intake_check_schemas(options, plan);
}

/* The files of --schema that belong to a mapping: those with its topic, else those without one. */
static size_t intake_schemas(const struct options *options, struct relance_str topic, const char **out)
{
    size_t count = 0;
    for (size_t i = 0; i < options->schema.count; i++) {
        struct relance_str of;
        const char *file = plan_split(options->schema.items[i], &of);
        if (str_equal(of, topic)) out[count++] = file;
    }
    return count || !topic.size ? count : intake_schemas(options, (struct relance_str){0}, out);
}

/* Formats that the mapping itself reads have no wire. */
static enum relance_status intake_open_wire(const struct options *options, struct relance_str topic,
                                            const struct relance_mapping *mapping, struct wire **out,
                                            struct relance_error *error)
{
    struct relance_str format = relance_mapping_format(mapping);
    bool is_json = str_equal(format, STR("json"));
    bool is_avro = str_equal(format, STR("avro")), is_protobuf = str_equal(format, STR("protobuf"));
    if (!is_json && !is_avro && !is_protobuf) return RELANCE_OK;
    const char **files = calloc(options->schema.count + 1, sizeof *files);
    ensure(files);
    struct wire_options wire = {.format = is_json ? "json" : is_avro ? "avro" : "protobuf"};
    if (!is_json) {
        wire.schema_files = files;
        wire.schema_file_count = intake_schemas(options, topic, files);
        wire.registry = wire.schema_file_count ? NULL : options->registry;
        wire.ca_file = options->registry_ca;
        wire.message = is_protobuf && wire.schema_file_count ? options->schema_message : NULL;
    }
    enum relance_status status =
        is_json || wire.registry || wire.schema_file_count
            ? wire_open(&wire, out, error)
            : relance_error_set(error, RELANCE_INVALID,
                                "format %s takes a schema: --registry or --schema says where it is",
                                wire.format);
    free(files);
    return status;
}

/* Each mapping once; all mistakes of all of them are printed. */
static bool intake_load(const struct options *options, const struct intake_config *config)
{
    bool is_right = true;
    for (uint32_t i = 0; i < config->plan->mapping_count; i++) {
        const struct plan_mapping *row = &config->plan->mappings[i];
        struct relance_error error;
        config->mappings[i] = load_mapping(row->value);
        is_right &= config->mappings[i] != NULL;
        if (!config->mappings[i] || intake_open_wire(options, row->topic, config->mappings[i],
                                                     &config->wires[i], &error) == RELANCE_OK)
            continue;
        print_mistake("--mapping: %s: %s", row->value, error.message);
        is_right = false;
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

/* ---- over HTTP */
struct intake_window {
    const struct options *options;
    struct http_address address;
    struct http_door door;
    struct http_server *server; /* NULL: nobody can ask */
};

static void intake_show(void *context, const struct ledger *ledger, const char *trouble)
{
    const struct intake_window *window = context;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ensure(out);
    ledger_print(ledger, window->options->group, out);
    ensure(fclose(out) == 0);
    http_server_publish(window->server, (struct relance_str){text, size}, !trouble,
                        trouble ? trouble : "It reads, maps and writes.");
    http_server_look(window->server);
    free(text);
}

static bool intake_listen(struct intake_window *window, struct intake_config *config)
{
    struct relance_error error;
    if (!window->options->listen) return true;
    enum relance_status status = http_address_read(window->options->listen, &window->address, &error);
    window->door = (struct http_door){.any_host = !window->address.is_loopback};
    if (status == RELANCE_OK)
        status = http_server_open(&window->address, &window->door, &window->server, &error);
    if (status != RELANCE_OK) return print_mistake("%s", error.message), false;
    http_server_excuse(window->server, "intake is starting");
    config->hear = intake_show;
    config->context = window;
    return true;
}

static int intake_work(const struct options *options, struct intake_config *config)
{
    char member[256];
    struct relance_error error;
    intake_name(options, member);
    enum relance_status status = relay_open(options, member, &config->relay, &error);
    if (status == RELANCE_OK) status = intake_check(config, &error);
    bool is_started = status == RELANCE_OK;
    if (is_started) {
        supervisor_tell("READY=1");
        status = intake_run(config, &error);
        supervisor_tell("STOPPING=1");
    }
    if (config->relay) relay_close(config->relay);
    if (status == RELANCE_AGAIN && stop_requested())
        status = RELANCE_OK; /* told to end before Kafka answered: that is no failure */
    int result = status == RELANCE_OK        ? EXIT_STATUS_OK
                 : status == RELANCE_INVALID ? EXIT_STATUS_USAGE
                                             : EXIT_STATUS_FAILED;
    if (status == RELANCE_OK)
        log_line(LOG_INFO, "Ended.", "status=%d", result);
    else
        log_line(LOG_ERROR, is_started ? "Cannot go on:" : "Cannot start:", "status=%d why=\"%s\"", result,
                 error.message);
    return result;
}

int cmd_intake(const struct options *options)
{
    struct plan plan;
    int status = EXIT_STATUS_USAGE;
    unsigned mistakes = intake_check_options(options, &plan);
    struct intake_config config = {.plan = &plan};
    ensure(config.mappings = calloc(plan.mapping_count + 1, sizeof(struct relance_mapping *)));
    ensure(config.wires = calloc(plan.mapping_count + 1, sizeof(struct wire *)));
    struct intake_window window = {.options = options};
    if (!mistakes && intake_load(options, &config) && intake_listen(&window, &config)) {
        stop_on_signals();
        status = intake_work(options, &config);
    }
    for (uint32_t i = 0; i < plan.mapping_count; i++) {
        relance_mapping_free(config.mappings[i]);
        if (config.wires[i]) wire_close(config.wires[i]);
    }
    http_server_close(window.server);
    free(config.mappings);
    free(config.wires);
    plan_free(&plan);
    return status;
}
