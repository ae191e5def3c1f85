/* Any bytes as a record of the links topic, heard by the engines of two partitions that know a visitor and a customer, who
 * stand open to it or not. What they say of it is heard in turn, and that comes to an end. */
#include "rig.h"
#include "shop_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTITIONS = 2, ROUNDS = 16, SAID_MAX = 256 };
#define DAY_MS 86400000LL

static const char *const events[] = {
    "{\"id\":\"a\",\"type\":\"view\",\"visitor\":\"v\",\"time\":\"2026-03-02T10:00:00Z\",\"product\":\"p\"}",
    "{\"id\":\"b\",\"type\":\"cart\",\"visitor\":\"v\",\"time\":\"2026-03-02T10:01:00Z\",\"cart\":\"k\","
    "\"items\":[{\"product\":\"p\",\"price\":9,\"qty\":1}]}",
    "{\"id\":\"l\",\"type\":\"view\",\"customer\":\"c\",\"visitor\":\"v\",\"time\":\"2026-03-02T10:10:00Z\","
    "\"product\":\"q\"}",
};

static struct said {
    int32_t partition;
    str value;
} said[SAID_MAX];
static size_t said_count;
static struct arena texts; /* of `said` */

static void take_down(void *context, const struct relance_link_record *record)
{
    (void)context;
    ensure(record->partition >= 0 && record->value.size);
    if (said_count == SAID_MAX) return;
    said[said_count].partition = record->partition % PARTITIONS;
    ensure(arena_copy_str(&texts, record->value, &said[said_count++].value));
}

static bool nobody(void *context, struct relance_str customer, struct relance_str visitor)
{
    (void)context, (void)customer, (void)visitor;
    return false;
}

static void hear(struct rig *rig, str value)
{
    enum relance_progress progress;
    while ((progress = relance_engine_hear(rig->engine, value)) == RELANCE_NEEDS)
        rig_fetch(rig);
    ensure(progress == RELANCE_DONE);
}

/* Each record is heard by the engine that it is for, and what that says of it by the other. */
static void pass_on(struct rig *rigs)
{
    for (int round = 0; said_count; round++) {
        ensure(round < ROUNDS);
        struct said now[SAID_MAX];
        size_t count = said_count;
        memcpy(now, said, count * sizeof *now);
        said_count = 0;
        for (size_t i = 0; i < count; i++)
            hear(&rigs[now[i].partition], now[i].value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena zones;
    static struct relance_ruleset *rules;
    if (!rules) rules = rig_rules(&zones, str_of(shop_rules));
    ensure(rules);
    arena_init(&texts, 0);
    struct rig rigs[PARTITIONS];
    for (int32_t i = 0; i < PARTITIONS; i++)
        rig_start_as(&rigs[i], (struct relance_engine_options){.rules = rules,
                                                               .lives_here = nobody,
                                                               .say = take_down,
                                                               .partition = i,
                                                               .partitions = PARTITIONS});
    size_t known = size % (sizeof events / sizeof *events + 1); /* how much has happened before */
    for (size_t i = 0; i < known; i++)
        for (int p = 0; p < PARTITIONS; p++)
            rig_event(&rigs[p], str_of(events[i]));
    for (int p = 0; p < PARTITIONS; p++)
        hear(&rigs[p], (str){(const char *)data, size});
    pass_on(rigs);
    for (int p = 0; p < PARTITIONS; p++) {
        rig_forget(&rigs[p]);
        rig_event(&rigs[p], str_of(events[2]));
        rig_run_until(&rigs[p], relance_engine_clock(rigs[p].engine) + 40 * DAY_MS);
    }
    pass_on(rigs);
    for (int p = 0; p < PARTITIONS; p++)
        rig_end(&rigs[p]);
    arena_free(&texts);
    return 0;
}
