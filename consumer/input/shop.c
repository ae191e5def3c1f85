/* A simulated shop. Every customer lives through stories, one after the other, with hours in between; a story
 * is a row of the table below: what happens, and how many minutes after the last thing it does. Customers
 * wait in a heap, ordered by their next act; each has random numbers of its own, so that one more customer
 * changes nobody else's life.
 *
 * The stories are chosen so that each of the shipped rules has something to do and something to leave alone. */
#include "input/shop_form.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STORY_ACTS_MAX = 6,
    MINUTE_MS = 60000,
};

/* ---- what there is to tell */

struct act {
    enum act_kind kind;
    uint16_t after_min, after_max; /* minutes after the act before */
};

/* clang-format off */
static const struct story {
    const char *name;
    uint32_t weight; /* of 100 */
    uint32_t act_count;
    struct act acts[STORY_ACTS_MAX];
} stories[] = {
    {"looks three times and leaves", 20, 3, {{LOOK, 0, 0}, {LOOK, 20, 120}, {LOOK, 60, 300}}},
    {"looks three times and buys", 8, 5, {{LOOK, 0, 0}, {LOOK, 5, 60}, {LOOK, 5, 60}, {ADD, 2, 90}, {BUY, 5, 40}}},
    {"leaves a cart", 20, 3, {{LOOK, 0, 0}, {ADD, 1, 10}, {LOOK_ELSEWHERE, 1, 20}}},
    {"leaves a full cart", 10, 4, {{LOOK, 0, 0}, {ADD, 1, 10}, {LOOK_ELSEWHERE, 1, 15}, {ADD, 1, 10}}},
    {"comes back for the cart after a mail", 10, 3, {{LOOK, 0, 0}, {ADD, 1, 10}, {BUY, 90, 1200}}},
    {"buys at once", 15, 5, {{LOOK, 0, 0}, {ADD, 1, 10}, {LOOK_ELSEWHERE, 1, 10}, {ADD, 1, 10}, {BUY, 2, 30}}},
    {"clicks on an offer and leaves", 6, 2, {{CLICK, 0, 0}, {LOOK_ELSEWHERE, 1, 5}}},
    {"clicks on an offer and buys", 4, 4, {{CLICK, 0, 0}, {LOOK, 1, 10}, {ADD, 1, 10}, {BUY, 5, 600}}},
    {"gives back what was bought", 3, 4, {{LOOK, 0, 0}, {ADD, 1, 10}, {BUY, 2, 20}, {REFUND, 2, 8}}},
    {"leaves a cart with one thing less", 2, 5, {{LOOK, 0, 0}, {ADD, 1, 10}, {LOOK_ELSEWHERE, 1, 15}, {ADD, 1, 10}, {REMOVE, 1, 20}}},
    {"leaves a cart that is empty again", 2, 3, {{LOOK, 0, 0}, {ADD, 1, 10}, {REMOVE, 2, 40}}},
};
/* clang-format on */
enum { STORY_COUNT = sizeof stories / sizeof *stories, STORY_WEIGHTS = 100 };

static const char *const names[] = {
    "anna",  "ben",    "chloe", "david",  "emma",   "felix", "greta", "hugo",  "ines",  "jonas",
    "karin", "luca",   "marie", "noah",   "olivia", "paul",  "quinn", "rosa",  "samir", "tara",
    "ulla",  "viktor", "wanda", "xavier", "yara",   "zoe",   "amir",  "bella", "carl",  "dora",
};
enum { NAME_COUNT = sizeof names / sizeof *names };

static const struct product products[] = {
    {"tent", "Tent", "camping", 18900, 0},
    {"sleeping-mat", "Sleeping mat", "camping", 3950, 1},
    {"headlamp", "Headlamp", "camping", 2990, 2},
    {"hiking-boots", "Hiking boots", "shoes", 14900, 3},
    {"trail-shoes", "Trail shoes", "shoes", 11900, 4},
    {"rain-jacket", "Rain jacket", "clothes", 9900, 5},
    {"wool-socks", "Wool socks", "clothes", 1450, 6},
    {"backpack", "Backpack", "camping", 8990, 7},
    {"gas-stove", "Gas stove", "kitchen", 4490, 8},
    {"enamel-mug", "Enamel mug", "kitchen", 990, 9},
    {"thermos-flask", "Thermos flask", "kitchen", 2790, 10},
    {"climbing-rope", "Climbing rope", "climbing", 12900, 11},
    {"chalk-bag", "Chalk bag", "climbing", 1990, 12},
    {"hammock", "Hammock", "camping", 5990, 13},
    {"compass", "Compass", "camping", 2490, 14},
    {"pocket-knife", "Pocket knife", "camping", 3490, 15},
};
enum { PRODUCT_COUNT = sizeof products / sizeof *products };

static const char *const offers[] = {"spring-sale", "free-shipping", "boots-week", "camping-set"};
enum { OFFER_COUNT = sizeof offers / sizeof *offers };

/* ---- who there is */

struct customer {
    int64_t next_ms;
    uint64_t random;
    const struct story *story; /* NULL: nothing told yet, the customer is about to say hello */
    uint32_t act;              /* the one at next_ms */
    uint32_t product;          /* what this story is about */
    uint32_t cart, order;      /* numbers; 0: none in this story */
    uint32_t items[SHOP_LINES_MAX];
    uint32_t item_count;
};

struct shop {
    struct customer *customers;
    uint32_t *heap; /* indexes of customers, the one with the earliest act first */
    uint32_t customer_count;
    uint64_t events, carts, orders; /* numbered through the whole shop */
    enum shop_form form;
    char name[64];
    char told[128];
    struct happening now;
    struct shop_text text;
};

/* ---- chance: splitmix64 */

static uint64_t chance_next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint32_t chance_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)((chance_next(state) >> 32) * bound >> 32);
}

static int64_t chance_minutes_ms(uint64_t *state, uint32_t min, uint32_t max)
{
    return ((int64_t)min + chance_below(state, max - min + 1)) * MINUTE_MS + chance_below(state, MINUTE_MS);
}

/* ---- the heap */

static bool heap_before(const struct shop *shop, uint32_t a, uint32_t b)
{
    const struct customer *x = &shop->customers[a], *y = &shop->customers[b];
    return x->next_ms != y->next_ms ? x->next_ms < y->next_ms : a < b;
}

/* The customer at `at` may have become later: down with it. */
static void heap_sink(struct shop *shop, uint32_t at)
{
    uint32_t moved = shop->heap[at];
    for (;;) {
        uint64_t child = 2 * (uint64_t)at + 1;
        if (child >= shop->customer_count) break;
        if (child + 1 < shop->customer_count && heap_before(shop, shop->heap[child + 1], shop->heap[child]))
            child++;
        if (!heap_before(shop, shop->heap[child], moved)) break;
        shop->heap[at] = shop->heap[child];
        at = (uint32_t)child;
    }
    shop->heap[at] = moved;
}

/* ---- opening and closing */

struct shop *shop_new(const struct shop_options *options)
{
    struct shop *shop = calloc(1, sizeof *shop);
    if (!shop) return NULL;
    shop->customer_count = options->customers;
    shop->form = options->form;
    shop->customers = calloc(options->customers, sizeof *shop->customers);
    shop->heap = calloc(options->customers, sizeof *shop->heap);
    if (!shop->customers || !shop->heap) {
        shop_free(shop);
        return NULL;
    }
    for (uint32_t i = 0; i < options->customers; i++) {
        struct customer *customer = &shop->customers[i];
        customer->random = options->seed * 0xD1342543DE82EF95u + i;
        int64_t wait_ms = i == 0 ? 0 : chance_minutes_ms(&customer->random, 0, 12 * 60);
        customer->next_ms = options->start_ms + wait_ms;
        shop->heap[i] = i;
    }
    for (uint32_t i = options->customers / 2; i-- > 0;)
        heap_sink(shop, i);
    return shop;
}

void shop_free(struct shop *shop)
{
    if (!shop) return;
    free(shop->customers);
    free(shop->heap);
    free(shop);
}

/* ---- what happens */

__attribute__((format(printf, 2, 3))) static void tell(struct shop *shop, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(shop->told, sizeof shop->told, format, arguments);
    va_end(arguments);
}

static void say_hello(struct shop *shop, struct customer *customer)
{
    shop->now.email_ok = chance_below(&customer->random, 100) < 85;
}

static void look(struct shop *shop, struct customer *customer)
{
    shop->now.about = &products[customer->product];
}

static void look_elsewhere(struct shop *shop, struct customer *customer)
{
    customer->product =
        (customer->product + 1 + chance_below(&customer->random, PRODUCT_COUNT - 1)) % PRODUCT_COUNT;
    look(shop, customer);
}

static void add(struct shop *shop, struct customer *customer)
{
    if (!customer->cart) customer->cart = (uint32_t)++shop->carts;
    if (customer->item_count < SHOP_LINES_MAX) customer->items[customer->item_count++] = customer->product;
    look(shop, customer);
    tell(shop, "puts %s into cart k-%u", shop->now.about->name, customer->cart);
}

/* What was put in last. */
static void take_out(struct shop *shop, struct customer *customer)
{
    shop->now.about = &products[customer->items[--customer->item_count]];
    tell(shop, "takes %s out of cart k-%u", shop->now.about->name, customer->cart);
}

static uint32_t cart_cents(const struct customer *customer)
{
    uint32_t cents = 0;
    for (uint32_t i = 0; i < customer->item_count; i++)
        cents += products[customer->items[i]].price_cents;
    return cents;
}

static void buy(struct shop *shop, struct customer *customer)
{
    customer->order = (uint32_t)++shop->orders;
    tell(shop, "buys cart k-%u: order o-%u, %u.%02u EUR", customer->cart, customer->order,
         cart_cents(customer) / 100, cart_cents(customer) % 100);
}

static void click(struct shop *shop, struct customer *customer)
{
    shop->now.offer = offers[chance_below(&customer->random, OFFER_COUNT)];
    tell(shop, "clicks on offer %s", shop->now.offer);
}

static void give_back(struct shop *shop, struct customer *customer)
{
    tell(shop, "gives back order o-%u", customer->order);
}

static void (*const act_do[])(struct shop *, struct customer *) = {
    [LOOK] = look,        [LOOK_ELSEWHERE] = look_elsewhere,
    [ADD] = add,          [REMOVE] = take_out,
    [BUY] = buy,          [CLICK] = click,
    [REFUND] = give_back, [HELLO] = say_hello,
};

/* The next act of a customer, in the form of the shop. */
static void act_out(struct shop *shop, struct customer *customer)
{
    struct happening *now = &shop->now;
    *now = (struct happening){
        .kind = customer->story ? customer->story->acts[customer->act].kind : HELLO,
        .number = ++shop->events,
        .time_ms = customer->next_ms,
        .customer = shop->name,
        .customer_number = shop->heap[0],
    };
    shop->told[0] = '\0';
    act_do[now->kind](shop, customer);
    now->cart = customer->cart;
    now->order = customer->order;
    now->cents = cart_cents(customer);
    for (uint32_t i = 0; i < customer->item_count; i++)
        now->cart_has[now->cart_count++] = &products[customer->items[i]];
    shop_form_put(shop->form, now, &shop->text);
}

/* ---- living */

static const struct story *story_draw(uint64_t *random)
{
    uint32_t ticket = chance_below(random, STORY_WEIGHTS);
    for (size_t i = 0; i < STORY_COUNT - 1; i++) {
        if (ticket < stories[i].weight) return &stories[i];
        ticket -= stories[i].weight;
    }
    return &stories[STORY_COUNT - 1];
}

/* A new story begins 2 to 20 hours later; a customer who has just said hello begins within minutes. */
static void customer_begin_story(struct customer *customer)
{
    bool hello = !customer->story;
    customer->next_ms += chance_minutes_ms(&customer->random, hello ? 1 : 120, hello ? 10 : 1200);
    customer->story = story_draw(&customer->random);
    customer->act = 0;
    customer->product = chance_below(&customer->random, PRODUCT_COUNT);
    customer->cart = customer->order = customer->item_count = 0;
}

static void customer_go_on(struct customer *customer)
{
    if (!customer->story || ++customer->act == customer->story->act_count) {
        customer_begin_story(customer);
        return;
    }
    const struct act *act = &customer->story->acts[customer->act];
    customer->next_ms += chance_minutes_ms(&customer->random, act->after_min, act->after_max);
}

/* anna, ben, … zoe, …; anna-2 where there are more customers than names. */
static void customer_name(uint32_t number, char *out, size_t size)
{
    const char *name = names[number % NAME_COUNT];
    uint32_t round = number / NAME_COUNT;
    if (round)
        snprintf(out, size, "%s-%u", name, round + 1);
    else
        snprintf(out, size, "%s", name);
}

/* False: the form has no word for what has happened. */
static bool shop_happen(struct shop *shop, struct shop_event *event)
{
    struct customer *customer = &shop->customers[shop->heap[0]];
    customer_name(shop->heap[0], shop->name, sizeof shop->name);
    act_out(shop, customer);
    *event = (struct shop_event){
        .time_ms = customer->next_ms,
        .customer = {shop->text.key, strlen(shop->text.key)},
        .json = {shop->text.json, shop->text.size},
        .headers = shop->text.headers,
        .header_count = shop->text.header_count,
        .told = {shop->told, strlen(shop->told)},
    };
    customer_go_on(customer);
    heap_sink(shop, 0);
    return event->json.size;
}

void shop_next(struct shop *shop, struct shop_event *event)
{
    while (!shop_happen(shop, event))
        ;
}
