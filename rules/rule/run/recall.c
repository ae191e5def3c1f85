/* Recalling: after a recovery that was not exact (DELIVERY.md §5) runs may wait for steps that have
 * been published already. Such a step is performed as any other is, with all that follows from it, and its
 * decision says that it is no news. */
#include "rule/run/runs.h"

#include "base/buffer.h"

#include <xxhash.h>

/* XXH3_128, canonical form, over rule NUL customer NUL key NUL origin NUL step. */
str action_id(struct relance_engine *e, str customer, const struct run *run, uint32_t step, char out[32])
{
    struct buffer text;
    char number[INT_PRINT_SIZE];
    buffer_init(&text, &e->scratch);
    str parts[] = {e->set->rules[run->rule].name, customer, bytes_str(run->key), bytes_str(run->origin)};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buffer_put_str(&text, parts[i]);
        buffer_put_char(&text, '\0');
    }
    buffer_put(&text, number, uint_print((uint64_t)step + 1, number));
    if (text.failed) e->failed = true;
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(text.data, text.size));
    hex_print(canonical.digest, sizeof canonical.digest, out);
    return (str){out, 32};
}

/* The last of its steps to come that has been published, and with it those before. True: there is one. */
static bool recall_run(struct relance_engine *e, struct run *run, relance_was_said *was_said, void *context)
{
    char id[32];
    uint32_t said = run->said;
    for (uint32_t step = run->step; step < e->set->rules[run->rule].step_count; step++)
        if (was_said(context, action_id(e, customer_id(e->customer), run, step, id))) said = step + 1;
    bool changed = said != run->said;
    run->said = said;
    return changed;
}

enum relance_status relance_engine_recall(struct relance_engine *e, relance_was_said *was_said, void *context)
{
    for (size_t i = 0; i < e->customers.slot_count && !e->failed; i++) {
        struct customer *customer = e->customers.slots[i].customer;
        bool changed = false;
        if (!customer || !rest_wake(e, customer) || !customer->state) continue;
        arena_reset(&e->scratch);
        e->customer = customer;
        VECTOR_EACH (customer->state->runs, struct run, run)
            changed |= recall_run(e, run, was_said, context);
        if (changed && !customers_mark_changed(&e->customers, customer)) e->failed = true;
    }
    e->customer = NULL;
    return e->failed ? RELANCE_NO_MEMORY : RELANCE_OK;
}
