/* Any bytes as a customer's saved state: read as a state or refused. What is read can be shown, lived with,
 * saved and read again; where there is little room, in it. The same bytes are a visitor's, too, who becomes the customer. */
#include "rig.h"
#include "shop_rules.h"

#include "rule/set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const events[] = {
    "{\"id\":\"a\",\"type\":\"view\",\"customer\":\"c\",\"time\":\"2026-03-02T10:00:00Z\",\"product\":\"p\"}",
    "{\"id\":\"b\",\"type\":\"cart\",\"customer\":\"c\",\"time\":\"2026-03-02T10:01:00Z\",\"cart\":\"k\","
    "\"items\":[{\"product\":\"p\",\"price\":9,\"qty\":1}]}",
    "{\"id\":\"c\",\"type\":\"identify\",\"customer\":\"c\",\"time\":\"2026-03-02T10:02:00Z\",\"birthday\":"
    "\"2000-03-03\",\"renewal\":\"2026-03-09T00:00:00Z\"}",
    "{\"id\":\"l\",\"type\":\"view\",\"customer\":\"c\",\"visitor\":\"v\",\"time\":\"2026-03-02T10:10:00Z\","
    "\"product\":\"q\"}",
    "{\"id\":\"d\",\"type\":\"buy\",\"customer\":\"c\",\"time\":\"2026-03-02T10:30:00Z\",\"cart\":\"k\","
    "\"total\":60.5,\"m\":{\"x\":1}}",
};

static void show(const struct relance_ruleset *rules, str state)
{
    size_t size = relance_state_print(rules, STR("c"), state, NULL, 0);
    char *text = malloc(size + 1);
    ensure(text && relance_state_print(rules, STR("c"), state, text, size) == size);
    free(text);
}

/* In full, as it is bounded; and what is saved of it comes back the same. */
static size_t measure(const struct relance_ruleset *rules, str packed)
{
    struct pool pool;
    struct arena arena;
    struct buffer again;
    pool_init(&pool);
    arena_init(&arena, 0);
    buffer_init(&again, &arena);
    struct state *state = state_load(&pool, &rules->names, NULL, packed);
    ensure(state);
    state_save(state, &rules->names, &again);
    ensure(str_equal(buffer_str(&again), packed));
    size_t size = state_size(state, &rules->names);
    arena_free(&arena);
    pool_free_all(&pool);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena zones;
    static struct relance_ruleset *rules;
    if (!rules) rules = rig_rules(&zones, str_of(shop_rules));
    ensure(rules);
    struct rig rig;
    struct relance_error error;
    str state = {(const char *)data, size};
    size_t room = size % 2 ? 700 : 0;
    rig_start_as(&rig, (struct relance_engine_options){.rules = rules, .state_bytes = room});
    rig_restart(&rig);
    rig.is_given = true;
    show(rules, state);
    if (relance_engine_put(rig.engine, STR("c"), state, &error) == RELANCE_OK &&
        relance_engine_put(rig.engine, STR("\xffv"), state, &error) == RELANCE_OK) {
        for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
            rig_event(&rig, str_of(events[i]));
            rig_forget(&rig);
            const struct rig_state *stored = rig_stored(&rig, STR("c"));
            if (!stored) continue; /* the event's id was in the state: nothing has changed */
            size_t whole = measure(rules, stored->state);
            ensure(!room || whole <= room);
            show(rules, stored->state);
        }
        rig_run_until(&rig, relance_engine_clock(rig.engine) + 40 * 86400000LL);
    }
    rig_end(&rig);
    return 0;
}
