/* cart_stream BROKERS|- TOPIC EVENTS CUSTOMERS SEED ANSWER
 *
 * CartAbandon: a day of a shop's events, and the exact answer to one rule. Adding to a cart arms a wait of 45 minutes, or
 * arms it anew; a purchase ends it; a wait that is over gives one action. ANSWER gets a line for each action:
 * `customer cart due_ms`.
 *
 * 5 % of the events carry a time up to 30 s back. Engines may differ in how they order what happens at the same moment, so
 * nothing hangs on it: what a customer does with a cart lies 90 s at least from the end of the customer's wait and is in
 * the order of its times; an event that would not be so is a view. The last record of each partition moves its clock
 * past all waits; on the standard output there is none. */
#include "stream.h"

#include <stdbool.h>
#include <stdlib.h>

#define WAIT_MS  (45 * MINUTE_MS)
#define BEGIN_MS 1772409600000LL /* 2026-03-02T00:00:00Z */
#define FLATNESS 10.0

enum kind { VIEW, CLICK, ADD, PURCHASE, VISIT };

static const char *const kind_names[] = {"view", "click", "add_to_cart", "purchase", "visit"};

struct customer {
    int64_t due_ms;    /* 0: nothing waits */
    int64_t latest_ms; /* of what was done with a cart */
    uint32_t cart, carts;
};

static enum kind draw_kind(void)
{
    double share = dice_unit();
    return share < .60 ? VIEW : share < .85 ? CLICK : share < .95 ? ADD : share < .98 ? PURCHASE : VISIT;
}

static bool is_about_a_cart(enum kind kind)
{
    return kind == ADD || kind == PURCHASE;
}

/* Does any right engine make the same of it? */
static bool is_clear(const struct customer *customer, int64_t time_ms)
{
    if (time_ms <= customer->latest_ms) return false;
    return !customer->due_ms || llabs(time_ms - customer->due_ms) >= EDGE_MS;
}

static void act(FILE *answer, struct customer *customer, uint32_t number)
{
    fprintf(answer, "c%07u k%u-%u %lld\n", number, number, customer->cart, (long long)customer->due_ms);
    customer->due_ms = 0;
}

/* What an event does to a cart. */
static void shop(FILE *answer, struct customer *customer, uint32_t number, enum kind kind, int64_t time_ms)
{
    if (customer->due_ms && time_ms > customer->due_ms) act(answer, customer, number);
    if (kind == ADD && !customer->due_ms) customer->cart = ++customer->carts;
    customer->due_ms = kind == ADD ? time_ms + WAIT_MS : 0;
    customer->latest_ms = time_ms;
}

static void add_fields(struct line *line, enum kind kind, uint32_t number, uint32_t cart, int64_t event)
{
    uint32_t product = dice_of(PRODUCTS);
    double price = (double)product_cents(product) / 100;
    switch (kind) {
    case VIEW:
        line_add(line,
                 ",\"product\":\"p%05u\",\"name\":\"Product number %u\",\"category\":\"%s\",\"price\":%.2f,"
                 "\"currency\":\"EUR\",\"url\":\"https://shop.example/p/%05u\",\"device\":\"mobile\"}",
                 product, product, product_category(product), price, product);
        return;
    case CLICK:
        line_add(line,
                 ",\"offer\":\"spring-%u\",\"campaign\":\"newsletter-12\",\"channel\":\"email\","
                 "\"url\":\"https://shop.example/o/%u\",\"device\":\"mobile\",\"agent\":\"Mozilla/5.0\"}",
                 product % 40, product % 40);
        return;
    case ADD:
        line_add(line,
                 ",\"cart\":\"k%u-%u\",\"items\":[{\"product\":\"p%05u\",\"name\":\"Product number "
                 "%u\",\"price\":%.2f,"
                 "\"qty\":%u}],\"currency\":\"EUR\",\"device\":\"mobile\"}",
                 number, cart, product, product, price, 1 + product % 3);
        return;
    case PURCHASE:
        line_add(line,
                 ",\"order\":\"o%lld\",\"cart\":\"k%u-%u\",\"total\":%.2f,\"currency\":\"EUR\","
                 "\"items\":[{\"product\":\"p%05u\",\"price\":%.2f,\"qty\":1}]}",
                 (long long)event, number, cart, price, product, price);
        return;
    case VISIT:
        line_add(line, ",\"url\":\"https://shop.example/\",\"referrer\":\"https://search.example/?q=tent\","
                       "\"channel\":\"organic\",\"device\":\"mobile\",\"agent\":\"Mozilla/5.0\"}");
        return;
    }
}

static void make_event(struct stream *stream, FILE *answer, const struct crowd *crowd,
                       struct customer *customers, int64_t event, int64_t time_ms)
{
    uint32_t number = crowd_draw(crowd);
    struct customer *customer = &customers[number];
    if (dice_unit() < 0.05) time_ms -= dice_of(LATE_MS);
    enum kind kind = draw_kind();
    if (is_about_a_cart(kind) && !is_clear(customer, time_ms)) kind = VIEW;
    if (is_about_a_cart(kind)) shop(answer, customer, number, kind, time_ms);
    struct line line;
    line_begin(&line, event, kind_names[kind], number, time_ms);
    add_fields(&line, kind, number, customer->cart, event);
    stream_write(stream, number, time_ms, &line);
}

static void make_ends(struct stream *stream)
{
    for (int partition = 0; partition < stream_partitions(stream); partition++) {
        struct line line;
        int64_t time_ms = BEGIN_MS + DAY_MS + 2 * WAIT_MS;
        line_end(&line, partition, "visit", time_ms);
        stream_write_end(stream, partition, time_ms, &line);
    }
}

int main(int argc, char **argv)
{
    if (argc != 7) fail("cart_stream BROKERS|- TOPIC EVENTS CUSTOMERS SEED ANSWER");
    int64_t events = atoll(argv[3]);
    dice_seed((uint64_t)atoll(argv[5]));
    struct crowd crowd = crowd_of((uint32_t)atol(argv[4]), FLATNESS);
    struct customer *customers = zeroes(crowd.count, sizeof *customers);
    FILE *answer = fopen(argv[6], "w");
    if (!answer) fail("%s: cannot be written", argv[6]);
    struct stream *stream = stream_open(argv[1], argv[2]);
    double step_ms = (double)DAY_MS / (double)events;
    for (int64_t event = 0; event < events; event++)
        make_event(stream, answer, &crowd, customers, event, BEGIN_MS + (int64_t)((double)event * step_ms));
    make_ends(stream);
    for (uint32_t number = 0; number < crowd.count; number++)
        if (customers[number].due_ms) act(answer, &customers[number], number);
    if (fclose(answer)) fail("%s: cannot be written", argv[6]);
    stream_close(stream);
    free(customers);
    crowd_free(&crowd);
    return 0;
}
