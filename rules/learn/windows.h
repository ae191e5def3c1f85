/* What each customer came to last: five products and when. */
#ifndef RULES_LEARN_WINDOWS_H
#define RULES_LEARN_WINDOWS_H

#include "base/pool.h"

enum { WINDOW_PRODUCTS = 5 };

struct window {
    uint64_t customer;                  /* a hash */
    uint32_t products[WINDOW_PRODUCTS]; /* the newest first */
    uint32_t times_s[WINDOW_PRODUCTS];
    uint32_t day;     /* the last one of which events came */
    uint16_t counted; /* products, on that day */
    uint16_t size;
};

struct windows {
    struct pool *pool;
    struct window *list;
    uint32_t *table; /* open addressing, place in the list + 1, 0: free; twice the capacity */
    size_t count, capacity;
};

void windows_init(struct windows *windows, struct pool *pool);
void windows_clear(struct windows *windows);
/* The customer's, a new one where it has none. Valid until the next call. */
struct window *windows_of(struct windows *windows, uint64_t customer);

/* As if nothing had come of the customer, so that no state has it. */
void windows_empty(struct windows *windows, uint64_t customer);

bool window_has(const struct window *window, uint32_t product);
/* To the front, wherever it stood; the one at the end falls out where there are more. */
void window_push(struct window *window, uint32_t product, uint32_t time_s);

#endif
