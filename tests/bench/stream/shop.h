/* The events of ShopMix as numbers, for what writes them and for what knows the answer. */
#ifndef BENCH_SHOP_H
#define BENCH_SHOP_H

#include "stream.h"

#include <stdbool.h>

#define ITEMS_MAX 8 /* in a cart */

enum kind { VIEW, CLICK, ADD, PURCHASE, VISIT };

struct item {
    uint32_t product;
    int quantity;
};

struct event {
    int64_t number;
    enum kind kind;
    uint32_t customer;
    int64_t time_ms;
    uint32_t product;    /* of a view */
    uint32_t offer;      /* of a click */
    const char *channel; /* of a visit */
    uint32_t cart;       /* of an add, a purchase: which of the customer's */
    struct item items[ITEMS_MAX];
    int item_count;
};

/* Sets the zone of the process to the shop's, Europe/Paris. */
void shop_zone_set(void);

/* An hour of the clock in the shop's zone, so many days from the 28th of March 2026 on. */
int64_t shop_hour_ms(int day, int hour);

int64_t items_cents(const struct event *event);

/* ---- shop_answer.c: what the rules of shopmix.jsonc make of it, written by hand from the language's manual */

struct answer;

struct answer *answer_open(const char *path, uint32_t customers);

/* Events have to come in the order of the stream. */
void answer_event(struct answer *answer, const struct event *event);

/* The last event, which moves the clock past all waits. */
void answer_close(struct answer *answer, int64_t time_ms);

#endif
