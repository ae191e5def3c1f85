/* What has to be true when all has come to rest, and what shows it:
 *
 *     each event has been decided once            ids that states have seen
 *     nothing that was to be forgotten is back    likewise
 *     a link has its stub, a stub its link        both have the same ask
 *     no link is open                             all that was asked has been answered
 *     who is known keeps nothing                  stubs have seen no ids
 *     no mail for a cart that the customer had bought before it was due
 *
 * Where bounds, ages or other rules make states forget, only a part of that is asked. */
#include "identity.h"
#include "base/ensure.h"
#include "base/murmur2.h"
#include "rule/run/engine_internal.h"
#include <stdarg.h>
#include <stdlib.h>

enum { IDENTITY_EVENTS_MAX = 200, IDENTITY_NAMES_MAX = 12, IDENTITY_STATES_MAX = 64 };

enum act { VIEW, ADD, BUY, FORGET };

struct deed {
    char id[16];
    const char *customer, *visitor; /* "": none */
    enum act act;
    int cart, partition;
    int64_t offset, time_ms;
    bool decided; /* the judge has come by */
    bool touches; /* in the end, when all has been asked */
    int seen;     /* so often, in all states */
};

struct held {
    struct relance_str name; /* as the engine has it */
    const struct state *state;
};

static struct {
    struct deed deeds[IDENTITY_EVENTS_MAX];
    int count;
    char people[IDENTITY_NAMES_MAX][16], devices[IDENTITY_NAMES_MAX][16];
    bool forgets;
    struct held held[IDENTITY_STATES_MAX];
    int held_count;
} identity;

/* ---- what they do */
static const char *identity_draw(char (*names)[16], int64_t count)
{
    return names[sim_between(0, count - 1)];
}

static struct relance_str identity_print(const struct deed *deed)
{
    static const char *const types[] = {"view", "add", "purchase", "forget"};
    char text[400], time[24];
    size_t size = 0;
    relance_time_print(deed->time_ms, time);
    size += (size_t)snprintf(text, sizeof text, "{\"id\":\"%s\",\"type\":\"%s\",\"time\":\"%.24s\"", deed->id,
                             types[deed->act], time);
    if (*deed->customer)
        size += (size_t)snprintf(text + size, sizeof text - size, ",\"customer\":\"%s\"", deed->customer);
    if (*deed->visitor)
        size += (size_t)snprintf(text + size, sizeof text - size, ",\"visitor\":\"%s\"", deed->visitor);
    size += (size_t)snprintf(text + size, sizeof text - size,
                             ",\"product\":\"p%d\",\"from\":\"f\",\"cart\":\"k%d\",\"total\":3.5}",
                             deed->cart, deed->cart);
    ensure(size < sizeof text);
    return sim_keep_text((struct relance_str){text, size});
}

static void identity_put(struct input *inputs, struct deed *deed, int64_t seen_us)
{
    const char *key = *deed->customer ? deed->customer : deed->visitor;
    struct relance_str name = {key, strlen(key)};
    deed->partition = (int)((murmur2(name) & INT32_MAX) % (uint32_t)sim.partitions);
    struct input *input = &inputs[deed->partition];
    deed->offset = input->count++;
    input->records[deed->offset] = (struct input_record){
        .key = name, .value = identity_print(deed), .timestamp_ms = deed->time_ms, .seen_us = seen_us};
}

static struct deed *identity_new(int64_t time_ms)
{
    struct deed *deed = &identity.deeds[identity.count];
    ensure(identity.count < IDENTITY_EVENTS_MAX);
    *deed = (struct deed){.customer = "", .visitor = "", .time_ms = time_ms};
    snprintf(deed->id, sizeof deed->id, "e%d", identity.count++);
    return deed;
}

/* How often what happens, of a hundred. */
struct habits {
    int64_t login, logout, forget;
    int64_t named;       /* events of somebody who is logged in that name the device */
    int64_t views, adds; /* of all; the rest buys */
    int64_t adds_alone;  /* of those of nobody */
    int64_t people, devices, carts;
};
static const struct habits identity_habits[] = {
    {15, 10, 3, 70, 25, 45, 45, 3, 3, 3},
    {15, 10, 3, 70, 10, 20, 45, 10, 3, 3},
    /* Two who take a device from each other, and are forgotten now and then. */
    {50, 5, 15, 90, 60, 20, 20, 2, 1, 3},
    /* Who fills carts when nobody is logged in, and buys them in another session. */
    {20, 15, 0, 15, 0, 10, 90, 1, 3, 2},
};

/* Of a device somebody is logged in, or nobody; not each event of somebody who is names the device. */
static void identity_do(struct deed *deed, const struct habits *habits, const char *device, const char *owner)
{
    int64_t which = sim_between(0, 99), adds = owner ? habits->adds : habits->adds_alone;
    deed->act = which < habits->views ? VIEW : which < habits->views + adds ? ADD : BUY;
    deed->cart = (int)sim_between(0, habits->carts - 1);
    if (owner) deed->customer = owner;
    if (!owner || sim_between(0, 99) < habits->named) deed->visitor = device;
}

static void identity_name(char (*names)[16], const char *form, int count)
{
    for (int i = 0; i < count; i++)
        snprintf(names[i], sizeof names[i], form, i, (int)sim_between(0, 99));
}

/* When the wall clock has leapt, everybody comes once more. */
static void identity_touch(struct input *inputs, char (*names)[16], int count, bool visitors)
{
    for (int i = 0; i < count; i++) {
        struct deed *deed = identity_new(SIM_WALL_BEGIN_MS + WORKLOAD_TOUCH_MS);
        deed->act = VIEW;
        deed->touches = true;
        *(visitors ? &deed->visitor : &deed->customer) = names[i];
        identity_put(inputs, deed, RELANCE_NEVER);
    }
}

static struct deed *identity_draw_deed(const struct habits *habits, int devices, int people,
                                       const char **owners, int64_t time_ms)
{
    struct deed *deed = identity_new(time_ms);
    int64_t device = sim_between(0, devices - 1), x = sim_between(0, 99);
    if (x < habits->login) owners[device] = identity_draw(identity.people, people);
    if (x >= 100 - habits->logout) owners[device] = NULL;
    if (sim_between(0, 99) >= habits->forget) {
        identity_do(deed, habits, identity.devices[device], owners[device]);
        return deed;
    }
    deed->act = FORGET;
    deed->customer = identity_draw(identity.people, people);
    identity.forgets = true;
    return deed;
}

void identity_fill(struct input *inputs, int64_t length_us)
{
    const struct habits *habits =
        &identity_habits[sim_between(0, (int64_t)(sizeof identity_habits / sizeof *identity_habits) - 1)];
    int people = (int)sim_between(1, habits->people), devices = (int)sim_between(1, habits->devices);
    int64_t count = sim_between(5, sim_between(0, 2) ? 60 : 150), seen_us = 0;
    /* Partitions that are read from behind, each at its own pace, lag behind each other. */
    int64_t burst_us = sim_between(0, 1) ? sim_between(1000000, 20000000) : 0;
    const char *owners[IDENTITY_NAMES_MAX] = {0};
    identity.count = 0;
    identity.forgets = false;
    identity_name(identity.people, "u%d-%d", people);
    identity_name(identity.devices, "a%d-%d", devices);
    for (int p = 0; p < sim.partitions; p++)
        inputs[p] = (struct input){sim_keep(IDENTITY_EVENTS_MAX * sizeof(struct input_record)), 0};
    for (int64_t i = 0; i < count; i++) {
        seen_us += sim_between(0, 3) ? sim_between(0, 2 * length_us / count) : 0;
        int64_t comes_us = burst_us ? (seen_us / burst_us + 1) * burst_us : seen_us;
        struct deed *deed = identity_draw_deed(habits, devices, people, owners,
                                               SIM_WALL_BEGIN_MS + seen_us * sim.speed / 1000);
        identity_put(inputs, deed, comes_us);
        if (comes_us > sim.input_end_us) sim.input_end_us = comes_us;
    }
    identity_touch(inputs, identity.people, people, false);
    identity_touch(inputs, identity.devices, devices, true);
}

/* ---- what the judge sees */
/* Nothing but a forgetting makes a state forget. */
static bool identity_is_plain(void)
{
    return !sim.forget_after_ms && !sim.state_bytes;
}

void identity_begin(void)
{
    identity.held_count = 0;
    for (int i = 0; i < identity.count; i++)
        identity.deeds[i].decided = false, identity.deeds[i].seen = 0;
}

void identity_record(int partition, int64_t offset)
{
    for (int i = 0; i < identity.count; i++) {
        struct deed *deed = &identity.deeds[i];
        if (deed->partition == partition && deed->offset == offset) deed->decided = true;
    }
}

static bool identity_same(const char *text, struct relance_str other)
{
    return str_equal((struct relance_str){text, strlen(text)}, other);
}

/* A purchase of the customer's own, of that cart, behind the trigger, that had been decided; and not forgotten since. */
static const struct deed *identity_bought(int partition, const struct relance_decision *decision)
{
    const struct deed *bought = NULL;
    for (int i = 0; i < identity.count; i++) {
        const struct deed *deed = &identity.deeds[i];
        char cart[16];
        if (deed->partition != partition || !deed->decided ||
            !identity_same(deed->customer, decision->customer))
            continue;
        snprintf(cart, sizeof cart, "k%d", deed->cart);
        if (deed->act == FORGET) bought = NULL;
        bool between = deed->time_ms > decision->trigger_time_ms && deed->time_ms <= decision->due_ms;
        if (deed->act == BUY && identity_same(cart, decision->key) && between) bought = deed;
    }
    return bought;
}

void identity_decided(int partition, const struct relance_decision *decision)
{
    bool sends = decision->outcome == RELANCE_OUTCOME_SENT || decision->outcome == RELANCE_OUTCOME_HELD;
    if (!sim.visitors || !sends || decision->is_visitor || !identity_same("cart", decision->rule) ||
        sim.edited || !identity_is_plain())
        return;
    const struct deed *bought = identity_bought(partition, decision);
    if (bought && sim.told)
        for (int i = 0; i < identity.count; i++) {
            const struct deed *d = &identity.deeds[i];
            sim_tell("DEED %s p%d@%ld %s c=%s v=%s k%d t=%ld %s", d->id, d->partition, (long)d->offset,
                     (const char *[]){"view", "add", "buy", "forget"}[d->act], d->customer, d->visitor,
                     d->cart, (long)(d->time_ms - SIM_WALL_BEGIN_MS), d->decided ? "decided" : "");
        }
    if (bought && sim.told)
        sim_tell("DECISION %.*s key %.*s time %ld due %ld trigger %.*s %ld step %u", STR_ARG(decision->rule),
                 STR_ARG(decision->key), (long)(decision->time_ms - SIM_WALL_BEGIN_MS),
                 (long)(decision->due_ms - SIM_WALL_BEGIN_MS), STR_ARG(decision->trigger_id),
                 (long)(decision->trigger_time_ms - SIM_WALL_BEGIN_MS), decision->step);
    if (bought)
        sim_fail("partition %d: %.*s is reminded of cart %.*s, bought with %s", partition,
                 STR_ARG(decision->customer), STR_ARG(decision->key), bought->id);
}

static const struct vector *identity_copy(const struct vector *items, size_t width)
{
    struct vector *copy = sim_keep(sizeof *copy);
    *copy = *items;
    copy->items = sim_keep(items->count * width + 1);
    if (items->count) memcpy(copy->items, items->items, items->count * width);
    return copy;
}

static const struct bytes *identity_copy_bytes(const struct bytes *bytes)
{
    if (!bytes) return NULL;
    struct bytes *copy = sim_keep(sizeof *copy + bytes->size + 1);
    memcpy(copy, bytes, sizeof *copy + bytes->size);
    return copy;
}

static struct vector identity_copy_counts(const struct vector *counts)
{
    struct vector copy = *identity_copy(counts, sizeof(struct count_value));
    VECTOR_EACH (copy, struct count_value, value) {
        value->by = (struct bytes *)(uintptr_t)identity_copy_bytes(value->by);
        value->buckets = *identity_copy(&value->buckets, sizeof(struct bucket));
    }
    return copy;
}

static const struct state *identity_copy_state(const struct state *state)
{
    struct state *copy = sim_keep(sizeof *copy);
    copy->seen = *identity_copy(&state->seen, sizeof(struct seen));
    copy->counts = identity_copy_counts(&state->counts);
    copy->links = *identity_copy(&state->links, sizeof(struct link));
    copy->known = *identity_copy(&state->known, sizeof(struct known_as));
    VECTOR_EACH (copy->links, struct link, link) {
        link->visitor = (struct bytes *)(uintptr_t)identity_copy_bytes(link->visitor);
        link->ask = (struct bytes *)(uintptr_t)identity_copy_bytes(link->ask);
    }
    VECTOR_EACH (copy->known, struct known_as, known) {
        known->customer = (struct bytes *)(uintptr_t)identity_copy_bytes(known->customer);
        known->ask = (struct bytes *)(uintptr_t)identity_copy_bytes(known->ask);
    }
    return copy;
}

void identity_collect(struct relance_engine *engine)
{
    for (size_t i = 0; sim.visitors && i < engine->customers.slot_count; i++) {
        const struct customer *customer = engine->customers.slots[i].customer;
        if (!customer || !customer->state) continue;
        ensure(identity.held_count < IDENTITY_STATES_MAX);
        identity.held[identity.held_count++] =
            (struct held){sim_keep_text(customer_id(customer)), identity_copy_state(customer->state)};
    }
}

/* ---- what has to be true */
static bool identity_is_visitor(const struct held *held)
{
    return held->name.data[0] == RELANCE_VISITOR_MARK;
}

/* Of the bare id. */
static const struct held *identity_find(bool visitor, struct relance_str id)
{
    for (int i = 0; i < identity.held_count; i++) {
        const struct held *held = &identity.held[i];
        struct relance_str name = held->name;
        if (identity_is_visitor(held)) name.data++, name.size--;
        if (identity_is_visitor(held) == visitor && str_equal(name, id)) return held;
    }
    return NULL;
}

static const struct known_as *identity_known(const struct held *visitor)
{
    return visitor && visitor->state->known.count ? visitor->state->known.items : NULL;
}

static void identity_judge_link(const struct held *customer, const struct link *link)
{
    const struct known_as *known = identity_known(identity_find(true, bytes_str(link->visitor)));
    struct relance_str visitor = bytes_str(link->visitor);
    bool shared = known && !known->customer;
    if (link->open)
        sim_fail("%.*s: the link to %.*s stays open", STR_ARG(customer->name), STR_ARG(visitor));
    else if (!shared && (!known || !str_equal(bytes_str(known->customer), customer->name) ||
                         !str_equal(bytes_str(known->ask), bytes_str(link->ask))))
        sim_fail("%.*s has a link to %.*s, who is not known as %.*s", STR_ARG(customer->name),
                 STR_ARG(visitor), STR_ARG(customer->name));
}

static void identity_judge_stub(const struct held *visitor)
{
    const struct known_as *known = identity_known(visitor);
    struct relance_str id = {visitor->name.data + 1, visitor->name.size - 1};
    if (!known || !known->customer) return;
    const struct held *customer = identity_find(false, bytes_str(known->customer));
    bool linked = false;
    if (customer)
        VECTOR_EACH (customer->state->links, struct link, link)
            linked |= str_equal(bytes_str(link->visitor), id) &&
                      str_equal(bytes_str(link->ask), bytes_str(known->ask));
    if (!linked)
        sim_fail("%.*s is known as %.*s, who does not know it", STR_ARG(id),
                 STR_ARG(bytes_str(known->customer)));
    if (visitor->state->seen.count || visitor->state->counts.count)
        sim_fail("%.*s is known, and keeps what it does", STR_ARG(id));
}

/* By the count `deeds`: no other has a value that is an event's id. */
static void identity_count_seen(const struct held *held)
{
    VECTOR_EACH (held->state->counts, struct count_value, value)
        for (int i = 0; value->buckets.count && i < identity.count; i++)
            if (identity_same(identity.deeds[i].id, bytes_str(value->by)))
                identity.deeds[i].seen += (int)VECTOR_AT(value->buckets, struct bucket, 0)->n;
}

static bool identity_is_forgotten(const struct deed *deed)
{
    for (const struct deed *later = deed + 1; later < identity.deeds + identity.count; later++)
        if (later->act == FORGET && *deed->customer && strcmp(later->customer, deed->customer) == 0)
            return true;
    return false;
}

_Static_assert((int)IDENTITY_EVENTS_MAX <= (int)LIMIT_COUNT_KEYS, "a state has room for all of them");

static void identity_judge_deed(const struct deed *deed)
{
    if (deed->seen > 1) sim_fail("event %s has been decided %d times", deed->id, deed->seen);
    if (deed->seen && identity_is_forgotten(deed))
        sim_fail("event %s is back, though it was forgotten", deed->id);
    bool kept = deed->act != FORGET && !deed->touches && !identity.forgets && !sim.edited;
    if (kept && !deed->seen) sim_fail("event %s has not been decided", deed->id);
}

void identity_judge(void)
{
    if (!sim.visitors || !identity_is_plain()) return;
    for (int i = 0; i < identity.held_count && !*sim.failure; i++) {
        const struct held *held = &identity.held[i];
        identity_count_seen(held);
        if (identity_is_visitor(held)) identity_judge_stub(held);
        VECTOR_EACH (held->state->links, struct link, link)
            identity_judge_link(held, link);
    }
    for (int i = 0; i < identity.count && !*sim.failure; i++)
        identity_judge_deed(&identity.deeds[i]);
}
