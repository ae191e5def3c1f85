/* shop_stream BROKERS|- TOPIC EVENTS CUSTOMERS SEED ANSWER
 *
 * ShopMix: three days of a shop's events, of which every one changes state, and the exact answer to the four rules of
 * shopmix.jsonc. ANSWER gets a line for each send: `customer rule key time_ms payload` (shop_answer.c).
 *
 * Customers come in sessions: they look at one to six products, at each several times, add some, buy some. 2 % of the
 * events carry a time up to 30 s back. Engines may differ in how they order what happens at the same moment, so nothing hangs
 * on it: no event of a customer lies within 90 s of an instant at which a wait of that customer could be over, which is
 * 4 h after each view of a product that was seen three times, 45 min after each add, 1 h after each visit behind
 * twenty visits and clicks (more instants than there are, so nothing here knows how the rules come out), and nobody
 * does anything around 08:00, when the quiet hours end. The last record of each partition, of a type that no rule
 * knows, moves its clock past everything; on the standard output it is one line. */
#include "shop.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BEGIN_MS     1774656000000LL /* 2026-03-28T00:00:00Z; summer time begins in Paris on the 29th */
#define DAYS         3
#define FLATNESS     1000.0
#define REST_MS      (EDGE_MS + 120000) /* around 08:00 */
#define PACE_MS      1000               /* between two events of a customer, at least */
#define INTERESTS    64                 /* products that a customer looks at */
#define ACTS_MAX     96
#define LOOKED_MAX   6
#define TRIES        200
#define QUANTITY_MAX 9

struct customer {
    int64_t latest_ms; /* where the stream was, not the time of the event */
    int64_t *dues_ms;
    size_t due_count;
    int visits;
    bool is_here;
    uint32_t carts;
    struct {
        uint8_t interest, quantity;
    } items[ITEMS_MAX];
    uint8_t item_count;
    uint8_t views[INTERESTS];
};

struct session {
    uint32_t customer;
    int count, next;
    struct {
        enum kind kind;
        int interest; /* of a view, an add */
    } acts[ACTS_MAX];
};

struct shop {
    struct crowd crowd;
    struct customer *customers;
    struct session *sessions;
    uint32_t session_count;
    double shift_ms; /* by which the stream has stood still so far */
    int day;         /* whose 08:00 comes next */
};

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ x >> 33;
}

static uint32_t product_of(uint32_t customer, int interest)
{
    return (uint32_t)(mix((uint64_t)customer * INTERESTS + (uint64_t)interest + 12345) % PRODUCTS);
}

/* ---- sessions */

static void plan(struct session *session, enum kind kind, int interest)
{
    if (session->count == ACTS_MAX) return;
    session->acts[session->count].kind = kind;
    session->acts[session->count++].interest = interest;
}

/* A few favourites, a long tail. */
static int draw_interest(void)
{
    double share = dice_unit();
    return (int)(INTERESTS * share * share * share);
}

static bool has(const int *list, int count, int value)
{
    for (int i = 0; i < count; i++)
        if (list[i] == value) return true;
    return false;
}

static int draw_interests(int looked[LOOKED_MAX])
{
    int wanted = 1, count = 0;
    while (wanted < LOOKED_MAX && dice_unit() < .5)
        wanted++;
    while (count < wanted) {
        int interest = draw_interest();
        if (!has(looked, count, interest)) looked[count++] = interest;
    }
    return count;
}

static void plan_looks(struct session *session, const int *looked, int now)
{
    int views = 1;
    while (views < 5 && dice_unit() < .42)
        views++;
    for (int i = 0; i < views; i++) {
        plan(session, VIEW, looked[now]);
        if (dice_unit() < .10) plan(session, CLICK, 0);
        if (now && dice_unit() < .12) plan(session, VIEW, looked[dice_of((uint32_t)now)]);
    }
}

static uint32_t draw_absent(const struct shop *shop)
{
    uint32_t number;
    do
        number = crowd_draw(&shop->crowd);
    while (shop->customers[number].is_here);
    return number;
}

static void plan_session(struct shop *shop, struct session *session)
{
    *session = (struct session){.customer = draw_absent(shop)};
    struct customer *customer = &shop->customers[session->customer];
    customer->is_here = true;
    if (customer->item_count && dice_unit() < .5) { /* a new cart, the old one is left behind */
        customer->item_count = 0;
        customer->carts++;
    }
    double share = dice_unit();
    if (share < .75) plan(session, share < .45 ? VISIT : CLICK, 0);
    int looked[LOOKED_MAX], count = draw_interests(looked);
    bool has_items = customer->item_count > 0;
    for (int i = 0; i < count; i++) {
        plan_looks(session, looked, i);
        if (dice_unit() >= .24) continue;
        plan(session, ADD, looked[i]);
        has_items = true;
        if (dice_unit() < .2) plan(session, ADD, looked[i]);
    }
    if (has_items && dice_unit() < .45) plan(session, PURCHASE, 0);
    if (dice_unit() < .05) plan(session, VISIT, 0);
}

/* ---- whose turn it is */

static void add_due(struct customer *customer, int64_t due_ms)
{
    customer->dues_ms = with_room(customer->dues_ms, customer->due_count, sizeof *customer->dues_ms);
    customer->dues_ms[customer->due_count++] = due_ms;
}

/* Lies an event too near to the end of a wait? Waits that are long over are forgotten. */
static bool is_near_due(struct customer *customer, int64_t now_ms, int64_t time_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < customer->due_count; i++)
        if (customer->dues_ms[i] + EDGE_MS + LATE_MS + SECOND_MS >= now_ms)
            customer->dues_ms[kept++] = customer->dues_ms[i];
    customer->due_count = kept;
    for (size_t i = 0; i < kept; i++)
        if (llabs(time_ms - customer->dues_ms[i]) <= EDGE_MS ||
            llabs(now_ms - customer->dues_ms[i]) <= EDGE_MS)
            return true;
    return false;
}

/* A session that may go on now; NULL: it is better to wait. */
static struct session *draw_session(struct shop *shop, int64_t now_ms, int64_t time_ms)
{
    for (int i = 0; i < TRIES; i++) {
        struct session *session = &shop->sessions[dice_of(shop->session_count)];
        struct customer *customer = &shop->customers[session->customer];
        if (now_ms - customer->latest_ms >= PACE_MS && !is_near_due(customer, now_ms, time_ms))
            return session;
    }
    return NULL;
}

/* ---- what becomes of a cart */

static void put_in(struct customer *customer, int interest, uint32_t quantity)
{
    int i = 0;
    while (i < customer->item_count && customer->items[i].interest != interest)
        i++;
    if (i < customer->item_count) {
        if (customer->items[i].quantity < QUANTITY_MAX) customer->items[i].quantity++;
        return;
    }
    if (customer->item_count == ITEMS_MAX)
        memmove(customer->items, customer->items + 1, --customer->item_count * sizeof *customer->items);
    customer->items[customer->item_count].interest = (uint8_t)interest;
    customer->items[customer->item_count++].quantity = (uint8_t)quantity;
}

static void tell_items(struct event *event, const struct customer *customer)
{
    event->cart = customer->carts;
    event->item_count = customer->item_count;
    for (int i = 0; i < customer->item_count; i++)
        event->items[i] = (struct item){product_of(event->customer, customer->items[i].interest),
                                        customer->items[i].quantity};
}

/* Two interests of a customer may be the same product: it is counted for both. */
static void see(struct customer *customer, uint32_t number, int interest, int64_t time_ms)
{
    uint32_t product = product_of(number, interest);
    for (int i = 0; i < INTERESTS; i++)
        if ((i == interest || product_of(number, i) == product) && customer->views[i] < UINT8_MAX)
            customer->views[i]++;
    if (customer->views[interest] >= 3) add_due(customer, time_ms + 4 * HOUR_MS);
}

static void happen(struct customer *customer, struct event *event, int interest)
{
    static const char *const channels[] = {"organic", "paid", "email", "social", "direct"};
    uint32_t draw = dice_of(40);
    event->offer = draw;
    event->channel = channels[draw % 5];
    switch (event->kind) {
    case VIEW:
        event->product = product_of(event->customer, interest);
        see(customer, event->customer, interest, event->time_ms);
        return;
    case CLICK: customer->visits++; return;
    case VISIT:
        if (++customer->visits >= 20) add_due(customer, event->time_ms + HOUR_MS);
        return;
    case ADD:
        put_in(customer, interest, 1 + draw % 3);
        add_due(customer, event->time_ms + 45 * MINUTE_MS);
        tell_items(event, customer);
        return;
    case PURCHASE:
        tell_items(event, customer);
        customer->item_count = 0;
        customer->carts++;
        return;
    }
}

/* ---- events as lines */

int64_t items_cents(const struct event *event)
{
    int64_t sum = 0;
    for (int i = 0; i < event->item_count; i++)
        sum += product_cents(event->items[i].product) * event->items[i].quantity;
    return sum;
}

static double euros(uint32_t product)
{
    return (double)product_cents(product) / 100;
}

static void add_items(struct line *line, const struct event *event)
{
    line_add(line, ",\"items\":[");
    for (int i = 0; i < event->item_count; i++) {
        uint32_t product = event->items[i].product;
        line_add(line, "%s{\"product\":\"p%05u\",\"name\":\"Product number %u\",\"price\":%.2f,\"qty\":%d}",
                 i ? "," : "", product, product, euros(product), event->items[i].quantity);
    }
    line_add(line, "],\"currency\":\"EUR\",\"device\":\"mobile\"}");
}

static void print_event(struct line *line, const struct event *event)
{
    static const char *const names[] = {"view", "click", "add_to_cart", "purchase", "visit"};
    uint32_t product = event->product;
    line_begin(line, event->number, names[event->kind], event->customer, event->time_ms);
    switch (event->kind) {
    case VIEW:
        line_add(line,
                 ",\"product\":\"p%05u\",\"name\":\"Product number %u\",\"category\":\"%s\",\"price\":%.2f,"
                 "\"currency\":\"EUR\",\"url\":\"https://shop.example/p/%05u\",\"device\":\"mobile\"}",
                 product, product, product_category(product), euros(product), product);
        return;
    case CLICK:
        line_add(line,
                 ",\"offer\":\"spring-%u\",\"campaign\":\"newsletter-12\",\"channel\":\"email\","
                 "\"url\":\"https://shop.example/o/%u\",\"device\":\"mobile\",\"agent\":\"Mozilla/5.0\"}",
                 event->offer, event->offer);
        return;
    case VISIT:
        line_add(line,
                 ",\"url\":\"https://shop.example/\",\"referrer\":\"https://search.example/"
                 "?q=tent\",\"channel\":\"%s\","
                 "\"device\":\"mobile\",\"agent\":\"Mozilla/5.0\"}",
                 event->channel);
        return;
    case ADD:
        line_add(line, ",\"cart\":\"k%u-%u\"", event->customer, event->cart);
        add_items(line, event);
        return;
    case PURCHASE:
        line_add(line, ",\"order\":\"o%lld\",\"cart\":\"k%u-%u\",\"total\":%.2f", (long long)event->number,
                 event->customer, event->cart, (double)items_cents(event) / 100);
        add_items(line, event);
        return;
    }
}

/* ---- the days */

void shop_zone_set(void)
{
    setenv("TZ", "Europe/Paris", 1);
    tzset();
}

int64_t shop_hour_ms(int day, int hour)
{
    struct tm local = {.tm_year = 126, .tm_mon = 2, .tm_mday = 28 + day, .tm_hour = hour, .tm_isdst = -1};
    return mktime(&local) * SECOND_MS;
}

/* Where the stream is; it stands still around 08:00. */
static int64_t now_of(struct shop *shop, double even_ms)
{
    int64_t now_ms = BEGIN_MS + (int64_t)(even_ms + shop->shift_ms);
    while (shop->day <= DAYS && now_ms >= shop_hour_ms(shop->day, 8) - EDGE_MS) {
        shop->shift_ms += REST_MS;
        shop->day++;
        now_ms = BEGIN_MS + (int64_t)(even_ms + shop->shift_ms);
    }
    return now_ms;
}

/* Gives where the stream is then. */
static int64_t make_event(struct shop *shop, struct stream *stream, struct answer *answer, int64_t number,
                          double even_ms)
{
    int64_t now_ms, time_ms;
    struct session *session;
    for (;;) {
        time_ms = now_ms = now_of(shop, even_ms);
        if (dice_unit() < .02) time_ms -= dice_of(LATE_MS);
        session = draw_session(shop, now_ms, time_ms);
        if (session) break;
        shop->shift_ms += SECOND_MS;
    }
    struct customer *customer = &shop->customers[session->customer];
    struct event event = {.number = number,
                          .kind = session->acts[session->next].kind,
                          .customer = session->customer,
                          .time_ms = time_ms};
    int interest = session->acts[session->next++].interest;
    if (event.kind == PURCHASE && !customer->item_count) event.kind = VISIT;
    customer->latest_ms = now_ms;
    happen(customer, &event, interest);
    struct line line;
    print_event(&line, &event);
    stream_write(stream, event.customer, time_ms, &line);
    answer_event(answer, &event);
    if (session->next == session->count) {
        customer->is_here = false;
        plan_session(shop, session);
    }
    return now_ms;
}

static void make_ends(struct stream *stream, int64_t time_ms)
{
    int partitions = stream_partitions(stream), first = partitions ? 0 : -1;
    for (int partition = first; partition < partitions; partition++) {
        struct line line;
        line_end(&line, partition < 0 ? 0 : partition, "end", time_ms);
        stream_write_end(stream, partition, time_ms, &line);
    }
}

/* As many sessions at once as there are events in 40 s. */
static uint32_t sessions_of(double step_ms, uint32_t customers)
{
    uint32_t count = (uint32_t)(40 * SECOND_MS / step_ms);
    if (count < 8) count = 8;
    if (count > customers / 4) count = customers / 4;
    return count ? count : 1;
}
static void shop_free(struct shop *shop)
{
    for (uint32_t i = 0; i < shop->crowd.count; i++)
        free(shop->customers[i].dues_ms);
    free(shop->customers);
    free(shop->sessions);
    crowd_free(&shop->crowd);
}

int main(int argc, char **argv)
{
    if (argc != 7) fail("shop_stream BROKERS|- TOPIC EVENTS CUSTOMERS SEED ANSWER");
    int64_t events = atoll(argv[3]), now_ms = BEGIN_MS;
    double step_ms = (double)DAYS * (DAY_MS - REST_MS) / (double)events;
    shop_zone_set();
    dice_seed((uint64_t)atoll(argv[5]));
    struct shop shop = {.crowd = crowd_of((uint32_t)atol(argv[4]), FLATNESS)};
    shop.customers = zeroes(shop.crowd.count, sizeof *shop.customers);
    shop.session_count = sessions_of(step_ms, shop.crowd.count);
    shop.sessions = zeroes(shop.session_count, sizeof *shop.sessions);
    struct stream *stream = stream_open(argv[1], argv[2]);
    struct answer *answer = answer_open(argv[6], shop.crowd.count);
    for (uint32_t i = 0; i < shop.session_count; i++)
        plan_session(&shop, &shop.sessions[i]);
    for (int64_t number = 0; number < events; number++)
        now_ms = make_event(&shop, stream, answer, number, (double)number * step_ms);
    int64_t end_ms = (now_ms + 3 * DAY_MS) / SECOND_MS * SECOND_MS;
    make_ends(stream, end_ms);
    answer_close(answer, end_ms);
    stream_close(stream);
    shop_free(&shop);
    return 0;
}
