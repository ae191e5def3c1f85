/* The exact answer to shopmix.jsonc, a line for each send: `customer rule key time_ms payload` (`-`: an empty key).
 *
 * The four rules are written here by hand, from the manual of the language, and share no code with the engine: a run for a
 * rule and a key; counts in buckets of ten minutes; late events; cancels that are remembered against triggers that come
 * later and are older; cooldowns when a run starts and when its step is due; quiet hours; a cap.
 *
 * Customers do not touch each other. So there is one clock, and a customer's waits are looked at when its next event
 * comes, and at the end. */
#include "shop.h"

#include <stdlib.h>
#include <string.h>

#define BUCKET_MS   (10 * MINUTE_MS)
#define CANCELS_MAX 32
#define KEPT_MS     HOUR_MS /* so long a cancel is remembered at least */
#define QUIET_DAYS  40
#define NEVER_MS    (INT64_MIN / 2)
#define KEY_BYTES   40

enum rule { CART_ABANDONED, BROWSE_ABANDONED, FIRST_PURCHASE, REGULAR, RULES };

static const struct {
    const char *name;
    int priority;
    int64_t after_ms, cooldown_ms;
    bool is_limited; /* by quiet hours and the cap: of a priority below 90 */
} rules[RULES] = {
    [CART_ABANDONED] = {"cart_abandoned", 50, 45 * MINUTE_MS, DAY_MS, true},
    [BROWSE_ABANDONED] = {"browse_abandoned", 20, 4 * HOUR_MS, 7 * DAY_MS, true},
    [FIRST_PURCHASE] = {"first_purchase", 95, 0, 0, false},
    [REGULAR] = {"regular", 10, HOUR_MS, 30 * DAY_MS, true},
};

struct run {
    enum rule rule;
    int64_t key;          /* number of the product, the cart or the order */
    int64_t newest_ms;    /* trigger */
    int64_t due_ms;       /* after what has deferred it */
    int64_t first_due_ms; /* before */
    char *payload;
};

struct bucket {
    int64_t number;
    int count;
};

struct count {
    uint32_t product;
    struct bucket *buckets;
    size_t bucket_count;
};

struct cancel {
    int64_t time_ms;
    bool is_purchase;
    uint32_t cart;
    uint32_t products[ITEMS_MAX];
    int product_count;
};

struct customer {
    uint32_t number;
    struct run *runs;
    size_t run_count;
    struct count *views;
    size_t view_count;
    struct count visits;
    int orders;
    int64_t now_ms, newest_ms;
    int64_t sent_ms[RULES];
    int64_t *sends_ms; /* that the cap counts */
    size_t send_count;
    struct cancel *cancels; /* by time */
    size_t cancel_count;
    int64_t forgotten_ms[2]; /* adds, purchases: the newest cancel of which only the time is known any more */
};

struct answer {
    FILE *file;
    struct customer **customers;
    uint32_t customer_count;
    int64_t clock_ms;
    int64_t opening_ms[QUIET_DAYS], closing_ms[QUIET_DAYS]; /* 08:00, 21:00 of the day before */
};

/* ---- the customer */

static struct customer *customer_of(struct answer *answer, uint32_t number)
{
    struct customer **customer = &answer->customers[number];
    if (*customer) return *customer;
    *customer = zeroes(1, sizeof **customer);
    (*customer)->number = number;
    (*customer)->now_ms = (*customer)->newest_ms = NEVER_MS;
    (*customer)->forgotten_ms[0] = (*customer)->forgotten_ms[1] = NEVER_MS;
    for (int rule = 0; rule < RULES; rule++)
        (*customer)->sent_ms[rule] = NEVER_MS;
    return *customer;
}

/* ---- counts */

static void add_to(struct count *count, int64_t time_ms)
{
    int64_t number = time_ms / BUCKET_MS;
    for (size_t i = count->bucket_count; i-- > 0;)
        if (count->buckets[i].number == number) {
            count->buckets[i].count++;
            return;
        }
    count->buckets = with_room(count->buckets, count->bucket_count, sizeof *count->buckets);
    count->buckets[count->bucket_count++] = (struct bucket){number, 1};
}

static int counted(const struct count *count, int64_t now_ms, int64_t window_ms)
{
    int sum = 0;
    for (size_t i = 0; i < count->bucket_count; i++)
        if (count->buckets[i].number > (now_ms - window_ms) / BUCKET_MS &&
            count->buckets[i].number <= now_ms / BUCKET_MS)
            sum += count->buckets[i].count;
    return sum;
}

static struct count *views_of(struct customer *customer, uint32_t product)
{
    for (size_t i = 0; i < customer->view_count; i++)
        if (customer->views[i].product == product) return &customer->views[i];
    customer->views = with_room(customer->views, customer->view_count, sizeof *customer->views);
    customer->views[customer->view_count] = (struct count){.product = product};
    return &customer->views[customer->view_count++];
}

/* ---- runs */

static void key_print(char key[KEY_BYTES], uint32_t customer, enum rule rule, int64_t number)
{
    switch (rule) {
    case CART_ABANDONED: snprintf(key, KEY_BYTES, "k%u-%lld", customer, (long long)number); return;
    case BROWSE_ABANDONED: snprintf(key, KEY_BYTES, "p%05lld", (long long)number); return;
    case FIRST_PURCHASE: snprintf(key, KEY_BYTES, "o%lld", (long long)number); return;
    default: snprintf(key, KEY_BYTES, "-");
    }
}

static struct run *run_of(struct customer *customer, enum rule rule, int64_t key)
{
    for (size_t i = 0; i < customer->run_count; i++)
        if (customer->runs[i].rule == rule && customer->runs[i].key == key) return &customer->runs[i];
    return NULL;
}

static void end_run(struct customer *customer, struct run *run)
{
    free(run->payload);
    *run = customer->runs[--customer->run_count];
}

/* Of two that are due: by due, priority, due before any deferral, key. */
static bool is_before(uint32_t customer, const struct run *a, const struct run *b)
{
    if (a->due_ms != b->due_ms) return a->due_ms < b->due_ms;
    if (a->rule != b->rule) return rules[a->rule].priority > rules[b->rule].priority;
    if (a->first_due_ms != b->first_due_ms) return a->first_due_ms < b->first_due_ms;
    char keys[2][KEY_BYTES];
    key_print(keys[0], customer, a->rule, a->key);
    key_print(keys[1], customer, b->rule, b->key);
    return strcmp(keys[0], keys[1]) < 0;
}

static bool is_cooling(const struct customer *customer, enum rule rule)
{
    return rules[rule].cooldown_ms && customer->now_ms < customer->sent_ms[rule] + rules[rule].cooldown_ms;
}

/* When the quiet hours end that an instant lies in; 0: it lies in none. */
static int64_t quiet_end(const struct answer *answer, int64_t time_ms)
{
    for (int day = 0; day < QUIET_DAYS; day++)
        if (time_ms >= answer->closing_ms[day] && time_ms < answer->opening_ms[day])
            return answer->opening_ms[day];
    return 0;
}

/* At most one in 24 hours. */
static bool is_capped(const struct customer *customer)
{
    for (size_t i = 0; i < customer->send_count; i++)
        if (customer->sends_ms[i] > customer->now_ms - DAY_MS) return true;
    return false;
}

static void send(struct answer *answer, struct customer *customer, const struct run *run)
{
    if (rules[run->rule].is_limited) {
        customer->sends_ms = with_room(customer->sends_ms, customer->send_count, sizeof *customer->sends_ms);
        customer->sends_ms[customer->send_count++] = customer->now_ms;
    }
    if (customer->now_ms > customer->sent_ms[run->rule]) customer->sent_ms[run->rule] = customer->now_ms;
    char key[KEY_BYTES];
    key_print(key, customer->number, run->rule, run->key);
    fprintf(answer->file, "c%07u %s %s %lld %s\n", customer->number, rules[run->rule].name, key,
            (long long)customer->now_ms, run->payload);
}

/* The one step of a run is due. */
static void step(struct answer *answer, struct customer *customer, struct run *run)
{
    bool is_dropped = is_cooling(customer, run->rule);
    if (!is_dropped && rules[run->rule].is_limited) {
        int64_t end_ms = quiet_end(answer, customer->now_ms);
        if (end_ms) {
            run->due_ms = end_ms;
            return;
        }
        is_dropped = is_capped(customer);
    }
    if (!is_dropped) send(answer, customer, run);
    end_run(customer, run);
}

/* All that is due before the clock, in its order. */
static void end_waits(struct answer *answer, struct customer *customer)
{
    for (;;) {
        struct run *first = NULL;
        for (struct run *run = customer->runs; run < customer->runs + customer->run_count; run++)
            if (run->due_ms < answer->clock_ms && (!first || is_before(customer->number, run, first)))
                first = run;
        if (!first) return;
        if (first->due_ms > customer->now_ms) customer->now_ms = first->due_ms;
        step(answer, customer, first);
    }
}

/* ---- cancels */

static void cancel(struct customer *customer, const struct event *event, enum rule rule, int64_t key)
{
    struct run *run = run_of(customer, rule, key);
    if (run && run->newest_ms <= event->time_ms) end_run(customer, run);
}

static void cancel_all(struct customer *customer, const struct event *event)
{
    if (event->kind == PURCHASE) cancel(customer, event, CART_ABANDONED, event->cart);
    for (int i = 0; i < event->item_count; i++)
        cancel(customer, event, BROWSE_ABANDONED, event->items[i].product);
}

static bool has_product(const struct cancel *cancel, int64_t product)
{
    for (int i = 0; i < cancel->product_count; i++)
        if (cancel->products[i] == product) return true;
    return false;
}

/* Is there a cancel that is newer than a trigger of that time and has come before it? */
static bool is_overtaken(const struct customer *customer, enum rule rule, int64_t key, int64_t time_ms)
{
    if (rule != BROWSE_ABANDONED && rule != CART_ABANDONED) return false;
    if (time_ms <= customer->forgotten_ms[true]) return true;
    if (rule == BROWSE_ABANDONED && time_ms <= customer->forgotten_ms[false]) return true;
    for (const struct cancel *it = customer->cancels; it < customer->cancels + customer->cancel_count; it++) {
        if (it->time_ms <= time_ms) continue;
        if (rule == BROWSE_ABANDONED ? has_product(it, key) : it->is_purchase && it->cart == key) return true;
    }
    return false;
}

static void forget_cancels(struct customer *customer)
{
    while (customer->cancel_count) {
        const struct cancel *oldest = customer->cancels;
        if (customer->cancel_count <= CANCELS_MAX && customer->newest_ms - oldest->time_ms <= KEPT_MS) return;
        int64_t *forgotten_ms = &customer->forgotten_ms[oldest->is_purchase];
        if (oldest->time_ms > *forgotten_ms) *forgotten_ms = oldest->time_ms;
        memmove(customer->cancels, customer->cancels + 1,
                --customer->cancel_count * sizeof *customer->cancels);
    }
}

static void remember_cancel(struct customer *customer, const struct event *event)
{
    customer->cancels = with_room(customer->cancels, customer->cancel_count, sizeof *customer->cancels);
    size_t at = customer->cancel_count++;
    for (; at > 0 && customer->cancels[at - 1].time_ms > event->time_ms; at--)
        customer->cancels[at] = customer->cancels[at - 1];
    struct cancel *it = &customer->cancels[at];
    *it = (struct cancel){event->time_ms, event->kind == PURCHASE, event->cart,
                          .product_count = event->item_count};
    for (int i = 0; i < event->item_count; i++)
        it->products[i] = event->items[i].product;
}

/* ---- triggers */

static void items_print(char *text, size_t size, const struct event *event)
{
    size_t used = 0;
    for (int i = 0; i < event->item_count; i++) {
        const struct item *item = &event->items[i];
        used += (size_t)snprintf(text + used, size - used, "%sp%05u*%d@%.2f", i ? "," : "", item->product,
                                 item->quantity, (double)product_cents(item->product) / 100);
    }
    snprintf(text + used, size - used, " %.2f", (double)items_cents(event) / 100);
}

/* What the send says of the event that has triggered it. */
static char *payload_of(const struct event *event, enum rule rule)
{
    char text[1024];
    switch (rule) {
    case CART_ABANDONED: items_print(text, sizeof text, event); break;
    case BROWSE_ABANDONED:
        snprintf(text, sizeof text, "%s %.2f", product_category(event->product),
                 (double)product_cents(event->product) / 100);
        break;
    case FIRST_PURCHASE: snprintf(text, sizeof text, "%.2f", (double)items_cents(event) / 100); break;
    default: snprintf(text, sizeof text, "%s", event->channel);
    }
    char *payload = strdup(text);
    if (!payload) fail("no memory");
    return payload;
}

static void arm(struct answer *answer, struct customer *customer, struct run *run, const struct event *event)
{
    free(run->payload);
    run->payload = payload_of(event, run->rule);
    run->newest_ms = event->time_ms;
    run->due_ms = run->first_due_ms = event->time_ms + rules[run->rule].after_ms;
    if (run->due_ms <= event->time_ms || run->due_ms <= answer->clock_ms) step(answer, customer, run);
}

static void trigger(struct answer *answer, struct customer *customer, const struct event *event,
                    enum rule rule, int64_t key)
{
    struct run *run = run_of(customer, rule, key);
    if (run) {
        if (rule == CART_ABANDONED && event->time_ms >= run->newest_ms) arm(answer, customer, run, event);
        return;
    }
    if (is_overtaken(customer, rule, key, event->time_ms) || is_cooling(customer, rule)) return;
    customer->runs = with_room(customer->runs, customer->run_count, sizeof *customer->runs);
    run = &customer->runs[customer->run_count++];
    *run = (struct run){.rule = rule, .key = key};
    arm(answer, customer, run, event);
}

static void trigger_all(struct answer *answer, struct customer *customer, const struct event *event)
{
    switch (event->kind) {
    case VIEW:
        if (counted(views_of(customer, event->product), customer->now_ms, DAY_MS) >= 3)
            trigger(answer, customer, event, BROWSE_ABANDONED, event->product);
        return;
    case ADD: trigger(answer, customer, event, CART_ABANDONED, event->cart); return;
    case PURCHASE:
        if (customer->orders == 1) trigger(answer, customer, event, FIRST_PURCHASE, event->number);
        return;
    case VISIT:
        if (counted(&customer->visits, customer->now_ms, 2 * DAY_MS) >= 20)
            trigger(answer, customer, event, REGULAR, 0);
        return;
    case CLICK: return;
    }
}

/* ---- the stream */

struct answer *answer_open(const char *path, uint32_t customers)
{
    struct answer *answer = zeroes(1, sizeof *answer);
    answer->file = fopen(path, "w");
    if (!answer->file) fail("%s: cannot be written", path);
    answer->customers = zeroes(customers, sizeof *answer->customers);
    answer->customer_count = customers;
    answer->clock_ms = NEVER_MS;
    for (int day = 0; day < QUIET_DAYS; day++) {
        answer->closing_ms[day] = shop_hour_ms(day - 1, 21);
        answer->opening_ms[day] = shop_hour_ms(day, 8);
    }
    return answer;
}

static void move_clock(struct answer *answer, int64_t time_ms)
{
    if (time_ms - LATE_MS > answer->clock_ms) answer->clock_ms = time_ms - LATE_MS;
}

static int64_t latest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void answer_event(struct answer *answer, const struct event *event)
{
    struct customer *customer = customer_of(answer, event->customer);
    move_clock(answer, event->time_ms);
    end_waits(answer, customer);
    customer->now_ms = latest(customer->now_ms, latest(event->time_ms, answer->clock_ms));
    customer->newest_ms = latest(customer->newest_ms, event->time_ms);
    if (event->kind == VIEW) add_to(views_of(customer, event->product), event->time_ms);
    if (event->kind == CLICK || event->kind == VISIT) add_to(&customer->visits, event->time_ms);
    if (event->kind == PURCHASE) customer->orders++;
    cancel_all(customer, event);
    trigger_all(answer, customer, event);
    if (event->kind == ADD || event->kind == PURCHASE) remember_cancel(customer, event);
    forget_cancels(customer);
}

static void customer_free(struct customer *customer)
{
    for (size_t i = 0; i < customer->run_count; i++)
        free(customer->runs[i].payload);
    for (size_t i = 0; i < customer->view_count; i++)
        free(customer->views[i].buckets);
    free(customer->visits.buckets);
    free(customer->runs);
    free(customer->views);
    free(customer->sends_ms);
    free(customer->cancels);
    free(customer);
}

void answer_close(struct answer *answer, int64_t time_ms)
{
    move_clock(answer, time_ms);
    for (uint32_t number = 0; number < answer->customer_count; number++) {
        if (!answer->customers[number]) continue;
        end_waits(answer, answer->customers[number]);
        customer_free(answer->customers[number]);
    }
    if (fclose(answer->file)) fail("the answer cannot be written");
    free(answer->customers);
    free(answer);
}
