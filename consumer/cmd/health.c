/* relance health: does an engine, or `relance serve`, do its work? Status 0 or 1, and a sentence: for Docker's HEALTHCHECK, for
 * probes of Kubernetes that run a command, and for people. Where there is an address it asks there, else it looks in
 * Redis for the sign of life that this instance gives every second. */
#include "host/command.h"
#include "http/address.h"
#include "http/client.h"
#include "host/option.h"
#include "host/print.h"
#include "redis/view.h"
#include "host/text.h"

enum { HEALTH_MS = 3000 }; /* what asks for health has little patience of its own */

static int health_say(bool is_well, str sentence)
{
    if (is_well)
        print(stdout, "%.*s\n", STR_ARG(sentence));
    else
        print_mistake("%.*s", STR_ARG(sentence));
    return is_well ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

static int health_usage(const char *sentence)
{
    print_mistake("%s", sentence);
    return EXIT_STATUS_USAGE;
}

/* ---- over HTTP */
static int health_ask(const struct options *options)
{
    static const str readyz = STR("readyz");
    struct relance_error error;
    struct http_address address;
    struct http_client *client;
    char text[HTTP_ADDRESS_TEXT], url[HTTP_ADDRESS_TEXT + 8];
    long code;
    str body;
    if (http_address_read(options->listen, &address, &error) != RELANCE_OK)
        return health_usage(error.message);
    address = http_address_to_ask(&address);
    snprintf(url, sizeof url, "http://%s", http_address_text(&address, text));
    const struct http_client_options config = {
        .who = "the listener", .url = url, .timeout_ms = HEALTH_MS, .is_direct = true};
    if (http_client_open(&config, &client, &error) != RELANCE_OK)
        return health_say(false, str_of(error.message));
    bool answers = http_client_get(client, &readyz, 1, &code, &body, &error) == RELANCE_OK;
    int status = health_say(answers && code == 200, answers ? str_trim(body) : str_of(error.message));
    http_client_close(client);
    return status;
}

/* ---- in Redis */
struct health_signs {
    bool is_alive;
    int64_t partitions, live;
};

static void health_take(void *context, str instance, str field, str value)
{
    struct health_signs *signs = context;
    (void)instance;
    signs->is_alive = true;
    if (str_equal(field, STR("partitions"))) text_count(value, &signs->partitions);
    if (str_equal(field, STR("partitions_live"))) text_count(value, &signs->live);
}

static int health_look(const struct options *options)
{
    struct health_signs signs = {0};
    struct relance_error error;
    char instance[OPTION_INSTANCE_SIZE], sentence[OPTION_INSTANCE_SIZE + 128];
    if (!options->group || !options->input)
        return health_usage(
            "--listen says where to ask; without it, --group and --input are needed, and --redis");
    options_instance(options, instance);
    if (redis_view_instance(options->redis, options->group, options->input, instance, health_take, &signs,
                            &error) != RELANCE_OK)
        return error.status == RELANCE_INVALID ? health_usage(error.message)
                                               : health_say(false, str_of(error.message));
    if (signs.is_alive)
        snprintf(sentence, sizeof sentence,
                 "Instance %s is alive: of its %lld partitions %lld have caught up.", instance,
                 (long long)signs.partitions, (long long)signs.live);
    else
        snprintf(sentence, sizeof sentence, "Instance %s has given no sign of life for 5 s.", instance);
    return health_say(signs.is_alive, str_of(sentence));
}

int cmd_health(const struct options *options)
{
    return options->listen ? health_ask(options) : health_look(options);
}
