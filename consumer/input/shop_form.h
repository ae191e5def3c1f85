/* What happens in the simulated shop, put into words of one of several forms. Inside shop.c only. */
#ifndef CONSUMER_INPUT_SHOP_FORM_H
#define CONSUMER_INPUT_SHOP_FORM_H

#include "input/shop.h"

enum {
    SHOP_LINES_MAX = 4,   /* products in a cart */
    SHOP_JSON_MAX = 2048, /* bytes of one event; the longest made here is below 900 */
    SHOP_HEADER_SIZE = 32,
};

struct product {
    const char *id, *name, *category;
    uint32_t price_cents;
    uint32_t number;
};

enum act_kind { LOOK, LOOK_ELSEWHERE, ADD, REMOVE, BUY, CLICK, REFUND, HELLO };

struct happening {
    enum act_kind kind;
    uint64_t number; /* through the whole shop */
    int64_t time_ms;
    const char *customer; /* a name in small letters */
    uint32_t customer_number, cart, order;
    bool email_ok;                                  /* HELLO */
    const char *offer;                              /* CLICK */
    const struct product *about;                    /* LOOK, ADD, REMOVE */
    const struct product *cart_has[SHOP_LINES_MAX]; /* after it happened */
    uint32_t cart_count;
    uint32_t cents; /* of all that is in the cart: BUY, REFUND */
};

struct shop_text {
    char key[64];
    char json[SHOP_JSON_MAX];
    size_t size; /* 0: the form has no word for it */
    char topic[SHOP_HEADER_SIZE], id[SHOP_HEADER_SIZE];
    struct relance_header headers[2];
    size_t header_count;
};

void shop_form_put(enum shop_form form, const struct happening *what, struct shop_text *out);

#endif
