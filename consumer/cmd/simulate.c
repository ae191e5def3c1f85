/* relance simulate: the events of a simulated shop (shop.h).
 *
 * With --input they go to that topic, each when its time has come by the wall clock (--clock, or --speed
 * times as fast from now on); without, they are printed at once, from a fixed day on, so that the same seed
 * gives the same file. --form makes them records of another pipeline. Either way the shop lives for --seconds × --speed of its own time. */
#include "host/clock.h"
#include "host/command.h"
#include "host/print.h"
#include "host/progress.h"
#include "kafka/feed.h"
#include "host/option.h"
#include "input/shop.h"
#include "host/stop.h"

#include <stdio.h>
#include <string.h>

#define SIMULATE_PRINTED_START_MS 1772438400000 /* Monday, 2026-03-02T08:00:00Z */
#define SIMULATE_NAP_US           20000         /* how soon an interrupt is noticed */

static struct shop *simulate_open(const struct options *options, int64_t start_ms)
{
    static const char *const forms[] = {
        [SHOP_NATIVE] = "native", [SHOP_SEGMENT] = "segment", [SHOP_SHOPIFY] = "shopify"};
    enum shop_form form = SHOP_NATIVE;
    while (strcmp(options->form, forms[form]) != 0)
        form++; /* the option takes no other word */
    struct shop_options shop = {
        .form = form,
        .seed = (uint64_t)options->seed,
        .customers = (uint32_t)options->customers,
        .start_ms = start_ms,
    };
    struct shop *opened = shop_new(&shop);
    if (!opened) print_mistake("out of memory");
    return opened;
}

/* The instant at which the shop closes; --seconds 0: never. */
static int64_t simulate_end(const struct options *options, double speed, int64_t start_ms)
{
    if (options->seconds == 0) return INT64_MAX;
    return start_ms + (int64_t)((double)options->seconds * 1000.0 * speed);
}

/* How much of the shop's time is over. */
static double simulate_part(int64_t time_ms, int64_t start_ms, int64_t end_ms)
{
    if (end_ms == INT64_MAX) return PROGRESS_UNKNOWN;
    return (double)(time_ms - start_ms) / (double)(end_ms - start_ms);
}

/* A line: the value, or where it has headers {"key", "headers", "value"}. */
static void simulate_print_event(const struct shop_event *event)
{
    print_status_wipe();
    if (event->header_count) print(stdout, "{\"key\":\"%.*s\",\"headers\":{", STR_ARG(event->customer));
    for (size_t i = 0; i < event->header_count; i++)
        print(stdout, "%s\"%.*s\":\"%.*s\"", i ? "," : "", STR_ARG(event->headers[i].name),
              STR_ARG(event->headers[i].value));
    if (event->header_count) print(stdout, "},\"value\":");
    print_text(event->json, stdout);
    print(stdout, "%s\n", event->header_count ? "}" : "");
}

static int simulate_print(const struct options *options)
{
    struct shop *shop = simulate_open(options, SIMULATE_PRINTED_START_MS);
    if (!shop) return EXIT_STATUS_FAILED;
    int64_t end_ms = simulate_end(options, options->speed, SIMULATE_PRINTED_START_MS);
    struct shop_event event;
    shop_next(shop, &event);
    struct progress progress;
    progress_begin(&progress, "events");
    for (; event.time_ms < end_ms && !print_failed() && !stop_requested(); shop_next(shop, &event)) {
        simulate_print_event(&event);
        if (progress_step(&progress))
            progress_show(&progress, simulate_part(event.time_ms, SIMULATE_PRINTED_START_MS, end_ms));
    }
    progress_end(&progress);
    shop_free(shop);
    return EXIT_STATUS_OK;
}

/* False: interrupted before `time_ms` came. */
static bool simulate_wait_for(int64_t time_ms)
{
    while (!stop_requested()) {
        int64_t ahead_us = (int64_t)((double)(time_ms - clock_wall_ms()) * 1000.0 / clock_speed());
        if (ahead_us <= 0) return true;
        clock_sleep_us(ahead_us < SIMULATE_NAP_US ? ahead_us : SIMULATE_NAP_US);
    }
    return false;
}

static enum relance_status simulate_feed(const struct options *options, struct shop *shop,
                                         struct kafka_feed *feed, int64_t start_ms, int64_t end_ms,
                                         struct relance_error *error)
{
    struct shop_event event;
    struct progress progress;
    progress_begin(&progress, "events");
    for (shop_next(shop, &event); event.time_ms < end_ms && simulate_wait_for(event.time_ms);
         shop_next(shop, &event)) {
        enum relance_status status = kafka_feed_put_record(feed, event.customer, event.json, event.headers,
                                                           event.header_count, event.time_ms, error);
        if (status != RELANCE_OK) return status;
        progress.count++;
        progress_show(&progress, simulate_part(event.time_ms, start_ms, end_ms));
    }
    progress_end(&progress);
    print_mistake("%llu events to topic '%s'", (unsigned long long)progress.count, options->input);
    return kafka_feed_flush(feed, 10000, error);
}

static int simulate_publish(const struct options *options)
{
    struct relance_error error;
    int64_t start_ms = clock_wall_ms();
    struct shop *shop = simulate_open(options, start_ms);
    if (!shop) return EXIT_STATUS_FAILED;
    enum relance_status status = RELANCE_IO;
    struct kafka_feed *feed = kafka_feed_open(options->kafka, options->kafka_count, options->input, &error);
    if (feed)
        status = simulate_feed(options, shop, feed, start_ms, simulate_end(options, clock_speed(), start_ms),
                               &error);
    kafka_feed_close(feed); /* before the reason is told: what the client still has to say comes first */
    shop_free(shop);
    if (status != RELANCE_OK) print_mistake("%s", error.message);
    return status == RELANCE_OK ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

static bool simulate_refuse(const char *sentence)
{
    print_mistake("%s", sentence);
    return false;
}

static bool simulate_check(const struct options *options)
{
    if (options->customers < 1 || options->customers > 10000000)
        return simulate_refuse("--customers: a shop has 1 to 10000000 customers");
    if (options->seconds > 1000000000)
        return simulate_refuse("--seconds: at most 1000000000; 0 goes on until interrupted");
    if (options->speed < 1.0 || options->speed > 1e6) return simulate_refuse("--speed: 1 to 1000000");
    if (options->input && !options_kafka(options, "bootstrap.servers"))
        return simulate_refuse("--kafka.bootstrap.servers is needed to reach the topic of --input");
    if (!clock_read_option(options->clock))
        return simulate_refuse("--clock: not of the form TIME*FACTOR, such as 2026-03-02T08:00:00Z*60");
    return true;
}

int cmd_simulate(const struct options *options)
{
    int status = EXIT_STATUS_USAGE;
    if (simulate_check(options)) {
        if (!options->clock) clock_speed_up(clock_wall_ms(), options->speed);
        stop_on_signals();
        status = options->input ? simulate_publish(options) : simulate_print(options);
    }
    return status;
}
