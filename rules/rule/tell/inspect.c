/* One customer's state as JSON, for people: names instead of numbers, instants as text, counts as they stand,
 * and for each live run which step it waits for and when that falls due. */
#include "rule/run/sales.h"

#include "base/buffer.h"
#include "base/rfc3339.h"
#include "state/pack.h"

#include <relance/forgot.h>

struct inspection {
    const struct relance_ruleset *set;
    const struct state *state;
    struct buffer out;
};

static void put_key(struct inspection *i, const char *key, bool first)
{
    if (!first) buffer_put_char(&i->out, ',');
    buffer_put_json_string(&i->out, str_of(key));
    buffer_put_char(&i->out, ':');
}

static void put_name(struct inspection *i, str name, bool first)
{
    if (!first) buffer_put_char(&i->out, ',');
    buffer_put_json_string(&i->out, name);
    buffer_put_char(&i->out, ':');
}

static void put_time(struct inspection *i, int64_t ms)
{
    char text[RFC3339_MS_SIZE];
    if (ms < RFC3339_MS_MIN || ms > RFC3339_MS_MAX) {
        buffer_put_str(&i->out, STR("null"));
        return;
    }
    rfc3339_print_ms(ms, text);
    buffer_put_json_string(&i->out, (str){text, sizeof text});
}

static void put_packed(struct inspection *i, str packed)
{
    struct unpack in = unpack_of(packed);
    if (packed.size)
        unpack_print(&in, &i->out);
    else
        buffer_put_str(&i->out, STR("null"));
}

static void put_attributes(struct inspection *i)
{
    bool first = true;
    buffer_put_char(&i->out, '{');
    VECTOR_EACH (i->state->attributes, struct attribute, attribute) {
        put_name(i, i->set->attributes[attribute->number].name, first);
        put_packed(i, bytes_str(attribute->packed));
        first = false;
    }
    buffer_put_char(&i->out, '}');
}

static void put_lasts(struct inspection *i)
{
    bool first = true;
    buffer_put_char(&i->out, '{');
    VECTOR_EACH (i->state->lasts, struct last_event, last) {
        put_name(i, i->set->types[last->type].reader->name, first);
        put_packed(i, bytes_str(last->packed));
        first = false;
    }
    buffer_put_char(&i->out, '}');
}

static void put_counts(struct inspection *i)
{
    const struct count_value *before = NULL;
    buffer_put_char(&i->out, '{');
    VECTOR_EACH (i->state->counts, struct count_value, value) {
        const struct count_rule *rule = &i->set->counts[value->count];
        bool next = !before || before->count != value->count;
        if (next && before && before->by) buffer_put_char(&i->out, '}');
        if (next) put_name(i, rule->name, !before);
        if (value->by) {
            if (next) buffer_put_char(&i->out, '{');
            put_name(i, bytes_str(value->by), next);
        }
        cel_print_json(count_total(rule, value, i->state->now_ms), &i->out);
        before = value;
    }
    if (before && before->by) buffer_put_char(&i->out, '}');
    buffer_put_char(&i->out, '}');
}

static void put_lists(struct inspection *i)
{
    bool first = true;
    buffer_put_char(&i->out, '{');
    for (uint32_t number = 0; number < i->set->list_count; number++) {
        str texts[LIMIT_LIST_ENTRIES];
        uint32_t count = list_texts_at(i->set, i->state, number, i->state->now_ms, texts);
        if (!count) continue;
        put_name(i, i->set->lists[number].name, first);
        first = false;
        for (uint32_t at = 0; at < count; at++) {
            buffer_put_char(&i->out, at ? ',' : '[');
            buffer_put_json_string(&i->out, texts[at]);
        }
        buffer_put_char(&i->out, ']');
    }
    buffer_put_char(&i->out, '}');
}

/* What the run waits to do, or what it waits for. */
static void put_step(struct inspection *i, const struct step *step)
{
    if (step->send.size) put_key(i, "send", false), buffer_put_json_string(&i->out, step->send);
    if (step->awaited) put_key(i, "wait", false), buffer_put_json_string(&i->out, step->awaited->label);
}

static void put_run(struct inspection *i, const struct run *run)
{
    const struct rule *rule = &i->set->rules[run->rule];
    put_key(i, "rule", true), buffer_put_json_string(&i->out, rule->name);
    if (run->key->size) put_key(i, "key", false), buffer_put_json_string(&i->out, bytes_str(run->key));
    if (run->variant) put_key(i, "variant", false), buffer_put_json_string(&i->out, bytes_str(run->variant));
    put_key(i, "step", false), buffer_put_format(&i->out, "%u", run->step + 1);
    put_key(i, "of", false), buffer_put_format(&i->out, "%zu", rule->step_count);
    if (run->step < rule->step_count) put_step(i, &rule->steps[run->step]);
    if (run_is_parked(run))
        put_key(i, "parked", false), buffer_put_str(&i->out, STR("true"));
    else
        put_key(i, "due", false), put_time(i, run->due_ms);
    put_key(i, "sent", false), buffer_put_format(&i->out, "%u", run->sent);
    if (run->answer) put_key(i, "answer", false), put_packed(i, bytes_str(run->answer));
    put_key(i, "started", false), put_time(i, run->started_ms);
    put_key(i, "trigger", false);
    put_packed(i, kept_event_str(*run_newest_trigger(run)));
    if (run->traceparent)
        put_key(i, "traceparent", false), buffer_put_json_string(&i->out, bytes_str(run->traceparent));
}

static void put_runs(struct inspection *i)
{
    bool first = true;
    buffer_put_char(&i->out, '[');
    VECTOR_EACH (i->state->runs, struct run, run) {
        buffer_put_str(&i->out, first ? STR("{") : STR(",{"));
        put_run(i, run);
        buffer_put_char(&i->out, '}');
        first = false;
    }
    buffer_put_char(&i->out, ']');
}

static void put_cooldowns(struct inspection *i)
{
    bool first = true;
    buffer_put_char(&i->out, '[');
    VECTOR_EACH (i->state->cooldowns, struct cooldown, cooldown) {
        const struct rule *rule = &i->set->rules[cooldown->rule];
        buffer_put_str(&i->out, first ? STR("{") : STR(",{"));
        put_key(i, "rule", true), buffer_put_json_string(&i->out, rule->name);
        if (cooldown->key)
            put_key(i, "key", false), buffer_put_json_string(&i->out, bytes_str(cooldown->key));
        put_key(i, "sent", false), put_time(i, cooldown->sent_ms);
        if (rule->cooldown_ms != RULE_COOLDOWN_EVER)
            put_key(i, "until", false), put_time(i, cooldown->sent_ms + rule->cooldown_ms);
        buffer_put_char(&i->out, '}');
        first = false;
    }
    buffer_put_char(&i->out, ']');
}

/* What rules with a goal have reached the customer, and what came of it. */
static void put_measured(struct inspection *i)
{
    enum { PARTS = 10000 };
    bool first = true;
    buffer_put_char(&i->out, '[');
    VECTOR_EACH (i->state->measured, struct measured, measured) {
        buffer_put_str(&i->out, first ? STR("{") : STR(",{"));
        put_key(i, "rule", true);
        buffer_put_json_string(&i->out, i->set->rules[measured->rule].name);
        if (measured->variant)
            put_key(i, "variant", false), buffer_put_json_string(&i->out, bytes_str(measured->variant));
        put_key(i, "goal", false);
        buffer_put_str(&i->out, measured->won ? STR("true") : STR("false"));
        if (measured->won)
            put_key(i, "value", false), buffer_put_format(&i->out, "%.15g", (double)measured->value / PARTS);
        buffer_put_char(&i->out, '}');
        first = false;
    }
    buffer_put_char(&i->out, ']');
}

static void put_segments(struct inspection *i)
{
    bool first = true;
    buffer_put_char(&i->out, '{');
    VECTOR_EACH (i->state->segments, struct segment_value, segment) {
        put_name(i, i->set->segments[segment->number].name, first);
        buffer_put_str(&i->out, segment->value ? STR("true") : STR("false"));
        first = false;
    }
    buffer_put_char(&i->out, '}');
}

/* ---- orders */

static void put_money(struct inspection *i, int64_t parts)
{
    enum { PARTS = 10000 };
    cel_print_json(cel_double((double)parts / PARTS), &i->out);
}

static void put_order(struct inspection *i, const struct sales_ledger *ledger, uint32_t at)
{
    const struct order *order = order_at(ledger, at);
    struct refunded refunded = refunded_of(ledger, order, NULL, NULL);
    char currency[CURRENCY_TEXT_SIZE];
    put_key(i, "number", true), buffer_put_format(&i->out, "%lld", (long long)order_place(ledger, at));
    put_key(i, "time", false), put_time(i, order->time_ms);
    put_key(i, "total", false), put_money(i, order->total);
    put_key(i, "currency", false);
    buffer_put_json_string(&i->out, currency_text(order->currency, currency));
    if (refunded.amount) put_key(i, "refunded", false), put_money(i, refunded.amount);
    if (order->loyal) put_key(i, "loyal", false), buffer_put_str(&i->out, STR("true"));
}

/* Keys are kept as hashes: an order is known by its number and time. */
static void put_sales(struct inspection *i, const struct sales_ledger *ledger)
{
    buffer_put_char(&i->out, '{');
    put_key(i, "channel", true);
    buffer_put_json_string(&i->out, ledger->channel ? bytes_str(ledger->channel) : STR("unknown"));
    put_key(i, "orders_ever", false), buffer_put_format(&i->out, "%lld", (long long)orders_ever(ledger));
    put_key(i, "refunds_waiting", false), buffer_put_format(&i->out, "%u", refunds_waiting(ledger));
    put_key(i, "orders", false), buffer_put_char(&i->out, '[');
    for (uint32_t at = 0; at < ledger->orders.count; at++) {
        buffer_put_str(&i->out, at ? STR(",{") : STR("{"));
        put_order(i, ledger, at);
        buffer_put_char(&i->out, '}');
    }
    buffer_put_str(&i->out, STR("]}"));
}

/* What bounds have made the engine forget of the customer. */
static void put_forgotten(struct inspection *i)
{
    bool first = true;
    buffer_put_char(&i->out, '{');
    VECTOR_EACH (i->state->forgotten, struct forgotten, forgotten) {
        put_name(i, relance_forgot_name(forgotten->kind), first);
        buffer_put_format(&i->out, "%lld", (long long)forgotten->count);
        first = false;
    }
    buffer_put_char(&i->out, '}');
}

/* As whom a visitor is known. */
static void put_known(struct inspection *i, const struct known_as *known)
{
    put_key(i, known->customer ? "known_as" : "shared", false);
    if (known->customer)
        buffer_put_json_string(&i->out, bytes_str(known->customer));
    else
        buffer_put_str(&i->out, STR("true"));
}

/* Which visitors the customer is known to be. */
static void put_links(struct inspection *i)
{
    bool first = true;
    buffer_put_char(&i->out, '[');
    VECTOR_EACH (i->state->links, struct link, link) {
        buffer_put_str(&i->out, first ? STR("{") : STR(",{"));
        put_key(i, "visitor", true), buffer_put_json_string(&i->out, bytes_str(link->visitor));
        put_key(i, "linked_by", false), buffer_put_json_string(&i->out, bytes_str(link->ask));
        put_key(i, "newest_event", false), put_time(i, link->used_ms);
        buffer_put_char(&i->out, '}');
        first = false;
    }
    buffer_put_char(&i->out, ']');
}

static void put_state(struct inspection *i, str customer, size_t bytes)
{
    buffer_put_char(&i->out, '{');
    bool visitor = customer.size && customer.data[0] == RELANCE_VISITOR_MARK;
    put_key(i, visitor ? "visitor" : "customer", true);
    buffer_put_json_string(&i->out, str_slice(customer, visitor, customer.size));
    if (i->state->known.count) put_known(i, i->state->known.items);
    if (i->state->links.count) put_key(i, "visitors", false), put_links(i);
    put_key(i, "now", false), put_time(i, i->state->now_ms);
    put_key(i, "newest_event", false), put_time(i, i->state->newest_ms);
    put_key(i, "attributes", false), put_attributes(i);
    put_key(i, "counts", false), put_counts(i);
    if (i->set->list_count) put_key(i, "lists", false), put_lists(i);
    put_key(i, "last", false), put_lasts(i);
    put_key(i, "runs", false), put_runs(i);
    put_key(i, "cooldowns", false), put_cooldowns(i);
    put_key(i, "measured", false), put_measured(i);
    put_key(i, "segments", false), put_segments(i);
    if (i->state->sales.count) put_key(i, "sales", false), put_sales(i, i->state->sales.items);
    put_key(i, "recent_events", false), buffer_put_format(&i->out, "%u", i->state->seen.count);
    put_key(i, "bytes", false), buffer_put_format(&i->out, "%zu", bytes);
    put_key(i, "forgotten", false), put_forgotten(i);
    buffer_put_char(&i->out, '}');
}

size_t relance_state_print(const struct relance_ruleset *rules, struct relance_str customer,
                           struct relance_str packed, char *out, size_t size)
{
    struct pool pool;
    struct arena arena;
    pool_init(&pool);
    arena_init(&arena, 0);
    struct inspection i = {.set = rules, .state = state_load(&pool, &rules->names, NULL, packed)};
    buffer_init(&i.out, &arena);
    if (i.state) put_state(&i, customer, packed.size);
    size_t wanted = buffer_copy(&i.out, out, size);
    arena_free(&arena);
    pool_free_all(&pool);
    return wanted;
}
