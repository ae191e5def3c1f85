/* A state carried to another partition, whose marks are numbered otherwise. */
#include "rule/run/since.h"

#include "base/buffer.h"
#include "rule/set.h"

#include <relance/engine.h>

size_t relance_state_carry(const struct relance_ruleset *rules, struct relance_str since,
                           struct relance_str packed, int64_t mark, char *out, size_t size)
{
    struct pool pool;
    struct arena arena;
    struct state_since known = {0};
    struct buffer carried;
    pool_init(&pool);
    arena_init(&arena, 0);
    buffer_init(&carried, &arena);
    bool made = since_make(rules, since, 0, &arena, &known);
    struct state *state = made ? state_load(&pool, &rules->names, &known, packed) : NULL;
    if (state) {
        state->mark = mark;
        state_save(state, &rules->names, &carried);
    }
    size_t wanted = carried.failed ? 0 : carried.size;
    if (wanted && size) memcpy(out, carried.data, wanted < size ? wanted : size);
    arena_free(&arena);
    pool_free_all(&pool);
    return wanted;
}
