/* Bugs in what engines tell each other, and us: each stands at a call from one file to another (--wrap). */
#include "base/ensure.h"
#include "delivery/partition.h"
#include "rule/run/link.h"
#include "rule/run/runs.h"
#include "sim.h"
#include "state/pack.h"

/* ---- what is decided */
/* What is only counted shows nowhere but in lines. */
void __real_partition_decided(void *context, const struct relance_decision *decision);
void __wrap_partition_decided(void *context, const struct relance_decision *decision);
void __wrap_partition_decided(void *context, const struct relance_decision *decision)
{
    struct partition *partition = context;
    enum partition_state state = partition->state;
    if (sabotage(BUG_DECISIONS_AGAIN) && !relance_decision_is_output(decision))
        partition->state = PARTITION_LIVE;
    __real_partition_decided(context, decision);
    partition->state = state;
}

/* ---- waits, which come in parts */
struct bug_due {
    struct relance_str customer;
    int64_t due_ms;
};

struct bug_dues {
    struct bug_due *list;
    size_t count, capacity;
};

static void bug_keep_due(void *context, struct relance_str customer, int64_t due_ms)
{
    struct bug_dues *dues = context;
    if (dues->count == dues->capacity) {
        struct bug_due *old = dues->list;
        dues->capacity = dues->capacity ? 2 * dues->capacity : 16;
        dues->list = sim_keep(dues->capacity * sizeof *old);
        if (dues->count) memcpy(dues->list, old, dues->count * sizeof *old);
    }
    dues->list[dues->count++] = (struct bug_due){sim_keep_text(customer), due_ms};
}

/* In three worlds of four one to three, and whatever else waits for the first instant. */
static size_t bug_part(const struct bug_dues *dues, int64_t from_ms)
{
    size_t most = sim.seed / 64 % 4, count = 0;
    while (most && count < dues->count && (count < most || dues->list[count].due_ms == from_ms))
        count++;
    return most ? count : dues->count;
}

enum relance_status __real_store_read_dues(struct store *store, int64_t from_ms, int64_t *to_ms,
                                           store_due_visit *visit, void *context,
                                           struct relance_error *error);
enum relance_status __wrap_store_read_dues(struct store *store, int64_t from_ms, int64_t *to_ms,
                                           store_due_visit *visit, void *context,
                                           struct relance_error *error);
enum relance_status __wrap_store_read_dues(struct store *store, int64_t from_ms, int64_t *to_ms,
                                           store_due_visit *visit, void *context, struct relance_error *error)
{
    struct bug_dues dues = {0};
    enum relance_status status = __real_store_read_dues(store, from_ms, to_ms, bug_keep_due, &dues, error);
    if (status != RELANCE_OK) return status;
    size_t count = bug_part(&dues, from_ms);
    for (size_t i = 0; i < count; i++)
        visit(context, dues.list[i].customer, dues.list[i].due_ms);
    if (count == dues.count) return RELANCE_OK;
    *to_ms = dues.list[count].due_ms + sabotage(BUG_WAITS_CUT);
    return RELANCE_OK;
}

/* ---- what goes on beside */
void __real_partition_published(struct partition *partition, const struct frontier *frontier);
void __wrap_partition_published(struct partition *partition, const struct frontier *frontier);
void __wrap_partition_published(struct partition *partition, const struct frontier *frontier)
{
    struct frontier said = *frontier;
    if (sabotage(BUG_MEANWHILE) && !partition->place->outbox.count && !partition->saving.is_on)
        said.position = partition->decided;
    __real_partition_published(partition, &said);
}

void __real_partition_write_checkpoint(struct partition *partition);
void __wrap_partition_write_checkpoint(struct partition *partition);
void __wrap_partition_write_checkpoint(struct partition *partition)
{
    if (sabotage(BUG_SAVED_AT)) {
        partition->meta.offset = partition->decided.offset;
        partition->meta.marks = (int64_t)partition->decided.marks;
    }
    __real_partition_write_checkpoint(partition);
    if (sabotage(BUG_UNHEARD)) partition->saving.status = RELANCE_OK;
}

void __real_relance_engine_saved(struct relance_engine *engine);
void __wrap_relance_engine_saved(struct relance_engine *engine);
void __wrap_relance_engine_saved(struct relance_engine *engine)
{
    __real_relance_engine_saved(engine);
    if (sabotage(BUG_SAVED_ALL)) __real_relance_engine_saved(engine);
}

enum relance_status __real_relance_engine_unsaved(struct relance_engine *engine);
enum relance_status __wrap_relance_engine_unsaved(struct relance_engine *engine);
enum relance_status __wrap_relance_engine_unsaved(struct relance_engine *engine)
{
    if (!sabotage(BUG_UNSAVED)) return __real_relance_engine_unsaved(engine);
    __real_relance_engine_saved(engine);
    return RELANCE_OK;
}

void __real_outbox_clear(struct outbox *outbox);
void __wrap_outbox_clear(struct outbox *outbox);
void __wrap_outbox_clear(struct outbox *outbox)
{
    const struct process *process = sim.running;
    if (sabotage(BUG_KEPT) && process->spent && outbox != process->sent) return;
    __real_outbox_clear(outbox);
}

/* ---- what is heard */
/* The customer takes whatever comes, as if it had asked. */
static void bug_believe(struct relance_engine *e, struct unpack in, bool open)
{
    str visitor = unpack_str(&in), name = unpack_str(&in), ask = unpack_str(&in);
    enum relance_progress progress;
    struct customer *customer = engine_at_hand(e, name, &progress);
    struct pool *pool = &e->customers.pool;
    if (!customer || (customer->state && link_place(customer->state, visitor) != NAME_NONE)) return;
    if (!customer->state) ensure(customer->state = state_new(pool));
    struct link *link =
        vector_insert(pool, &customer->state->links, sizeof *link, customer->state->links.count);
    ensure(link);
    *link = (struct link){bytes_new(pool, visitor), bytes_new(pool, ask), e->clock_ms, open};
}

enum relance_progress __real_relance_engine_hear(struct relance_engine *e, struct relance_str value);
enum relance_progress __wrap_relance_engine_hear(struct relance_engine *e, struct relance_str value);
enum relance_progress __wrap_relance_engine_hear(struct relance_engine *e, struct relance_str value)
{
    struct unpack in = unpack_of(value);
    unpack_array(&in);
    str kind = unpack_str(&in);
    bool state = str_equal(kind, STR("state")), event = str_equal(kind, STR("event"));
    if (sabotage(BUG_LINKS_NO_DROP) && str_equal(kind, STR("drop"))) return RELANCE_DONE;
    if (sabotage(BUG_LINKS_UNCHECKED) && (state || event)) bug_believe(e, in, state);
    return __real_relance_engine_hear(e, value);
}

/* ---- the ask */
uint32_t __real_link_find_with(const struct state *state, str visitor, str ask);
uint32_t __wrap_link_find_with(const struct state *state, str visitor, str ask);
uint32_t __wrap_link_find_with(const struct state *state, str visitor, str ask)
{
    return sabotage(BUG_LINKS_NO_ASK) ? link_place(state, visitor)
                                      : __real_link_find_with(state, visitor, ask);
}

bool __real_link_knows(const struct customer *visitor, str customer, str ask);
bool __wrap_link_knows(const struct customer *visitor, str customer, str ask);
bool __wrap_link_knows(const struct customer *visitor, str customer, str ask)
{
    const struct known_as *known = link_known_as(visitor);
    if (sabotage(BUG_LINKS_NO_ASK)) return known && str_equal(bytes_str(known->customer), customer);
    return __real_link_knows(visitor, customer, ask);
}

/* ---- the stub */
void __real_elsewhere_forward(struct relance_engine *e);
void __wrap_elsewhere_forward(struct relance_engine *e);
void __wrap_elsewhere_forward(struct relance_engine *e)
{
    if (!sabotage(BUG_LINKS_NO_STUB)) {
        __real_elsewhere_forward(e);
        return;
    }
    happen_event(e, e->customer);
    engine_settle_customer(e, e->customer);
}

/* ---- what is remembered of cancels by type alone */
bool __real_overtaken_unasked(struct relance_engine *e, const struct state *memory, uint32_t rule,
                              int64_t time_ms, struct relance_decision *decision);
bool __wrap_overtaken_unasked(struct relance_engine *e, const struct state *memory, uint32_t rule,
                              int64_t time_ms, struct relance_decision *decision);
bool __wrap_overtaken_unasked(struct relance_engine *e, const struct state *memory, uint32_t rule,
                              int64_t time_ms, struct relance_decision *decision)
{
    return !sabotage(BUG_LINKS_NO_CUT) && __real_overtaken_unasked(e, memory, rule, time_ms, decision);
}
