/* Cooldowns: when a rule has sent last, to a customer or of a key (LANGUAGE.md §4.5). */
#include "rule/run/runs.h"

bool cooldown_holds(const struct relance_engine *e, uint32_t rule, str key, int64_t *until_ms)
{
    int64_t length_ms = e->rule->cooldown_ms, sent_ms = STATE_NO_TIME;
    VECTOR_EACH (e->customer->state->cooldowns, struct cooldown, cooldown) {
        if (!length_ms || cooldown->rule != rule) continue;
        bool other =
            e->rule->cooldown_per_key && !(cooldown->key && str_equal(bytes_str(cooldown->key), key));
        if (!other && cooldown->sent_ms > sent_ms) sent_ms = cooldown->sent_ms;
    }
    if (sent_ms == STATE_NO_TIME) return false;
    *until_ms = length_ms == RULE_COOLDOWN_EVER ? RELANCE_NEVER : sent_ms + length_ms;
    return e->now_ms < *until_ms;
}

/* The oldest of those that have a key goes, when there are more than are kept. */
static void drop_oldest(struct relance_engine *e)
{
    struct vector *cooldowns = &e->customer->state->cooldowns;
    const struct cooldown *oldest = NULL;
    uint32_t keyed = 0;
    VECTOR_EACH (*cooldowns, struct cooldown, cooldown) {
        if (!cooldown->key) continue;
        keyed++;
        if (!oldest || cooldown->sent_ms < oldest->sent_ms) oldest = cooldown;
    }
    if (keyed <= LIMIT_COOLDOWNS) return;
    uint32_t place = (uint32_t)(oldest - (struct cooldown *)cooldowns->items);
    state_item_remove(&e->customers.pool, e->customer->state, STATE_COOLDOWNS, place);
}

static bool is_same(const struct cooldown *cooldown, uint32_t rule, const struct bytes *key)
{
    if (cooldown->rule != rule || !cooldown->key != !key) return false;
    return !key || str_equal(bytes_str(cooldown->key), bytes_str(key));
}

static bool is_older(const struct cooldown *own, const struct cooldown *given)
{
    return own->rule != given->rule ? own->rule < given->rule : own->sent_ms < given->sent_ms;
}

/* Behind the older sends of its rule, before those of the same time; of the same key the later one stays. */
void cooldown_take(struct relance_engine *e, struct cooldown *given)
{
    struct pool *pool = &e->customers.pool;
    struct state *state = e->customer->state;
    uint32_t at = 0;
    for (uint32_t i = 0; i < state->cooldowns.count; i++) {
        struct cooldown *own = VECTOR_AT(state->cooldowns, struct cooldown, i);
        if (!is_same(own, given->rule, given->key)) continue;
        if (own->sent_ms >= given->sent_ms) return;
        state_item_remove(pool, state, STATE_COOLDOWNS, i);
        break;
    }
    while (at < state->cooldowns.count && is_older(VECTOR_AT(state->cooldowns, struct cooldown, at), given))
        at++;
    struct cooldown *place = or_fail(e, vector_insert(pool, &state->cooldowns, sizeof *place, at));
    if (!place) return;
    *place = *given;
    *given = (struct cooldown){0};
    drop_oldest(e);
}

void cooldown_note(struct relance_engine *e, const struct run *run)
{
    struct pool *pool = &e->customers.pool;
    struct vector *cooldowns = &e->customer->state->cooldowns;
    const struct bytes *key = e->rule->cooldown_per_key ? run->key : NULL;
    uint32_t at = 0;
    if (!e->rule->cooldown_ms) return;
    while (at < cooldowns->count && VECTOR_AT(*cooldowns, struct cooldown, at)->rule <= run->rule)
        if (is_same(VECTOR_AT(*cooldowns, struct cooldown, at), run->rule, key))
            state_item_remove(pool, e->customer->state, STATE_COOLDOWNS, at);
        else
            at++;
    struct cooldown *cooldown = or_fail(e, vector_insert(pool, cooldowns, sizeof *cooldown, at));
    if (!cooldown) return;
    *cooldown =
        (struct cooldown){run->rule, e->now_ms, key ? or_fail(e, bytes_new(pool, bytes_str(key))) : NULL};
    drop_oldest(e);
}
