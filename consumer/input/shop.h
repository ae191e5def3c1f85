/* A simulated shop: customers who look, fill carts, buy or do not, click on offers, give back. Native events
 * (STATE.md §5.1), or the same in the form of another pipeline, in the order of their time, without end.
 *
 * A pure function of its options: the same seed gives the same bytes. It reads no clock and sleeps for
 * nobody; whoever wants it live waits until an event's time has come. */
#ifndef CONSUMER_INPUT_SHOP_H
#define CONSUMER_INPUT_SHOP_H

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>

struct shop;

enum shop_form { SHOP_NATIVE, SHOP_SEGMENT, SHOP_SHOPIFY };

struct shop_options {
    enum shop_form form;
    uint64_t seed;
    uint32_t customers; /* at least 1 */
    int64_t start_ms;   /* the first customer comes now */
};

struct shop_event {
    int64_t time_ms;
    struct relance_str customer, json;    /* valid until the next call; the customer is the record's key */
    const struct relance_header *headers; /* of the record */
    size_t header_count;
    /* the same in words: "puts a tent into cart k-17"; empty: not worth it */
    struct relance_str told;
};

struct shop *shop_new(const struct shop_options *options); /* NULL: no memory */
void shop_next(struct shop *shop, struct shop_event *event);
void shop_free(struct shop *shop);

#endif
