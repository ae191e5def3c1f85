/* The scheduler: whoever's time is next runs until it waits. Between turns, things happen to the world. See
 * sim.h. */
#include "sim.h"
#include "base/ensure.h"
#include "judge.h"
#include "kafka.h"
#include "delivery/partition.h"
#include "redis.h"
#include "versions.h"
#include "workload.h"
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    SIM_STACK_SIZE = 512 << 10,
    SIM_CHUNK_SIZE = 1 << 20,
    SIM_STEPS_MAX = 400000,      /* turns of one history: more means that it does not come to rest */
    SIM_LOOK_US = 100000,        /* between looks whether all is at rest */
    SIM_REST_US = 2500000,       /* nothing has moved for so long: it is */
    SIM_PATIENCE_US = 180000000, /* and by then it has to be, after the last fault */
    SIM_VERSIONS = 2,            /* of the engine; both decide alike */
};

/* Not among the others: an enum with one value that is no int has none that is, for gcc from 13 on. */
static const int64_t SIM_LEAP_MS = 90 * 86400 * 1000LL;

struct sim sim;

/* ---- chance */
static uint64_t sim_mix(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15; /* splitmix64 */
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

uint64_t sim_random(void)
{
    return sim_mix(&sim.random);
}

int64_t sim_between(int64_t least, int64_t most)
{
    return least + (int64_t)(sim_random() % (uint64_t)(most - least + 1));
}

bool sim_chance(unsigned rate)
{
    return rate && !sim.calm && (sim_random() & 0xffff) < rate;
}

int64_t sim_network_us(void)
{
    if (!sim_chance(sim.rates.slow)) return sim_between(SIM_NETWORK_US / 2, 2 * SIM_NETWORK_US);
    return sim_between(0, 9) ? sim_between(1000, 800000) : sim_between(1000000, 14000000);
}

/* ---- memory of a history: chunks that are used again */
static struct sim_chunk {
    struct sim_chunk *next;
    size_t used, size;
    _Alignas(16) char data[];
} * sim_chunks, *sim_chunk; /* the first, and the one in use: those behind it are empty */

static struct sim_chunk *sim_new_chunk(size_t size)
{
    struct sim_chunk *chunk;
    size_t room = size > SIM_CHUNK_SIZE ? size : SIM_CHUNK_SIZE;
    ensure(chunk = malloc(sizeof *chunk + room));
    *chunk = (struct sim_chunk){.size = room};
    return chunk;
}

void *sim_keep(size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (!sim_chunk) sim_chunk = sim_chunks = sim_new_chunk(size);
    while (sim_chunk->size - sim_chunk->used < size) {
        if (!sim_chunk->next) sim_chunk->next = sim_new_chunk(size);
        sim_chunk = sim_chunk->next;
        sim_chunk->used = 0;
    }
    void *room = sim_chunk->data + sim_chunk->used;
    sim_chunk->used += size;
    return memset(room, 0, size);
}

static void sim_forget(void)
{
    sim_chunk = sim_chunks;
    if (sim_chunk) sim_chunk->used = 0;
}

struct relance_str sim_keep_text(struct relance_str text)
{
    if (!text.data) return text;
    char *copy = sim_keep(text.size + 1);
    memcpy(copy, text.data, text.size);
    return (struct relance_str){copy, text.size};
}

/* ---- telling */
void sim_tell(const char *format, ...)
{
    if (!sim.told) return;
    va_list list;
    va_start(list, format);
    printf("%10.6f %-3s ", (double)sim.now_us / 1e6, sim.running ? sim.running->instance : "");
    vprintf(format, list);
    putchar('\n');
    va_end(list);
}

void sim_fail(const char *format, ...)
{
    va_list list;
    if (*sim.failure) return; /* the first finding is the one to understand */
    va_start(list, format);
    vsnprintf(sim.failure, sizeof sim.failure, format, list);
    va_end(list);
    sim_tell("FOUND: %s", sim.failure);
}

/* ---- processes */
bool sim_is_dead(const struct process *process)
{
    return process->killed || !process->running;
}

/* Of those of a process the one whose time is next. */
static struct fiber *sim_fiber(struct process *process)
{
    struct fiber *next = &process->self;
    for (int which = 0; which < SIM_BESIDES; which++) {
        struct fiber *beside = &process->beside[which];
        if (beside->running && (!next->running || beside->wake_us < next->wake_us)) next = beside;
    }
    return next;
}

static void sim_switch(struct process *process)
{
    sim.running = process;
    sim.fiber = sim_fiber(process);
    swapcontext(&sim.context, &sim.fiber->context);
    sim.running = NULL;
    sim.fiber = NULL;
}

/* Until its time has come. */
static void sim_yield(void)
{
    swapcontext(&sim.fiber->context, &sim.context);
}

bool sim_wait(int64_t us)
{
    struct process *process = sim.running;
    if (process->killed) return false;
    sim.fiber->wake_us = sim.fiber->due_us = sim.now_us + us;
    sim_yield();
    return !process->killed;
}

static void sim_start_fiber(struct fiber *fiber, void (*run)(void))
{
    if (!fiber->stack) {
        fiber->stack = mmap(NULL, SIM_STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ensure(fiber->stack != MAP_FAILED);
    }
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = SIM_STACK_SIZE;
    makecontext(&fiber->context, run, 0);
    fiber->running = true;
    fiber->wake_us = fiber->due_us = sim.now_us;
}

/* Whoever waits for its end goes on. */
static void sim_beside_main(void)
{
    struct process *process = sim.running;
    int which = (int)(sim.fiber - process->beside);
    process->begun[which](process->begun_with[which]);
    process->beside[which].running = false;
    if (process->self.due_us == RELANCE_NEVER) process->self.wake_us = process->self.due_us = sim.now_us;
    setcontext(&sim.context);
}

void sim_begin_beside(enum sim_beside which, void (*run)(void *), void *context)
{
    struct process *process = sim.running;
    ensure(!process->beside[which].running);
    if (!sim.overlaps) {
        run(context);
        return;
    }
    process->begun[which] = run;
    process->begun_with[which] = context;
    sim_start_fiber(&process->beside[which], sim_beside_main);
}

bool sim_is_beside(enum sim_beside which)
{
    return sim.running->beside[which].running;
}

/* Of one that is dead it comes to its end within this instant, too. */
void sim_await_beside(enum sim_beside which)
{
    struct process *process = sim.running;
    while (process->beside[which].running) {
        if (process->killed) process->beside[which].wake_us = sim.now_us;
        process->self.wake_us = process->self.due_us = RELANCE_NEVER;
        sim_yield();
    }
}

static void sim_freeze_fiber(struct fiber *fiber, int64_t until_us)
{
    if (fiber->running && fiber->wake_us < until_us) fiber->wake_us = until_us;
}

static void sim_freeze(struct process *process)
{
    int64_t us = sim_between(0, 2) ? sim_between(1000, 2000000) : sim_between(2000000, 20000000);
    sim_tell("%s is frozen for %.3f s", process->instance, (double)us / 1e6);
    process->silent_from_us = sim.now_us;
    sim_freeze_fiber(&process->self, sim.now_us + us);
    for (int which = 0; which < SIM_BESIDES; which++)
        sim_freeze_fiber(&process->beside[which], sim.now_us + us);
}

/* Whoever wakes up late does so into a world that has gone on. */
void sim_thaw(struct process *process)
{
    if (process->silent_from_us == RELANCE_NEVER) return;
    kafka_settle();
    process->silent_from_us = RELANCE_NEVER;
}

/* It runs to its end at once: nothing of the world answers it, so that nobody sees it do so. */
void sim_kill(struct process *process)
{
    if (process->killed) return;
    process->killed = true;
    if (process->silent_from_us == RELANCE_NEVER) process->silent_from_us = sim.now_us;
    sim_tell("%s is killed", process->instance);
    if (sim.running == process) {
        process->self.wake_us = sim.now_us;
        for (int which = 0; which < SIM_BESIDES; which++)
            process->beside[which].wake_us = sim.now_us;
        return;
    }
    while (process->running)
        sim_switch(process);
}

bool sim_enter(void)
{
    struct process *process = sim.running;
    if (process->killed) return false;
    if (sim_chance(sim.rates.kill)) {
        sim_kill(process);
        return false;
    }
    if (!sim_chance(sim.rates.freeze)) return true;
    sim.fiber->wake_us = sim.fiber->due_us = sim.now_us;
    sim_freeze(process);
    sim_yield();
    return !process->killed;
}

static void sim_process_main(void)
{
    struct process *process = sim.running;
    worker_run(&process->worker);
    pulse_free(&process->worker.pulse);
    modelbook_close(process->models);
    if (!process->killed && atomic_load(&process->worker.end) >= WORKER_ENDED_FAILED && !process->fenced)
        sim_fail("%s gave up: %s", process->instance, process->said);
    if (!process->killed) sim_tell("%s has ended", process->instance);
    for (int which = 0; which < SIM_BESIDES; which++)
        ensure(!process->beside[which].running);
    process->running = process->self.running = false;
    if (process->silent_from_us == RELANCE_NEVER) process->silent_from_us = sim.now_us;
    setcontext(&sim.context);
}

static struct process *sim_free_place(void)
{
    for (size_t i = 0; i < SIM_PROCESSES_MAX; i++)
        if (!sim.processes[i].running) return &sim.processes[i];
    return NULL;
}

static const char *sim_decisions(void)
{
    bool some = sim.lines == SIM_LINES_CHANGING && sim_between(0, 1);
    return some || sim.lines == SIM_LINES_ALWAYS ? "d" : NULL;
}

/* All but its stacks. */
static void sim_clear_process(struct process *process)
{
    struct process bare = {.self.stack = process->self.stack};
    for (int which = 0; which < SIM_BESIDES; which++)
        bare.beside[which].stack = process->beside[which].stack;
    *process = bare;
}

static void sim_start(int slot)
{
    static const char *const versions[SIM_VERSIONS] = {"version 1", "version 2"};
    struct process *process = sim_free_place();
    if (!process) return;
    sim_clear_process(process);
    process->used = process->running = true;
    process->slot = slot;
    snprintf(process->instance, sizeof process->instance, "i%d", slot);
    process->options = (struct options){.group = "g",
                                        .input = "t",
                                        .output = "o",
                                        .decisions = sim_decisions(),
                                        .redis = "redis://model",
                                        .lateness = sim.lateness_ms,
                                        .forget_after = sim.forget_after_ms,
                                        .state_bytes = sim.state_bytes,
                                        .workers = 1,
                                        .cache_bytes = sim.cache_bytes,
                                        .rebuild = sim.rebuild,
                                        .approximate = sim.approximate};
    atomic_store(&process->rules.packed, workload_rules(sim.edition));
    process->models = sim.models ? modelbook_open(&process->options) : NULL;
    process->worker.plan = (struct worker_plan){.options = &process->options,
                                                .instance = process->instance,
                                                .rules = &process->rules,
                                                .deciding = versions[sim.version],
                                                .input_partitions = sim.partitions,
                                                .from_ms = FROM_EARLIEST,
                                                .refuses_misplaced = sim.refuses_misplaced,
                                                .most = sim.most,
                                                .waits_most = sim.waits_most,
                                                .save_changed = sim.save_changed,
                                                .changed_most = 4 * sim.save_changed,
                                                .standings = process->standings,
                                                .models = process->models};
    process->silent_from_us = RELANCE_NEVER;
    process->skew_ms = sim.true_wall ? 0 : sim_between(-20000, 20000);
    pulse_init(&process->worker.pulse);
    sim_start_fiber(&process->self, sim_process_main);
    sim_tell("%s starts with rules %d", process->instance, sim.edition);
}

static void sim_end(struct process *process)
{
    process->ending = true;
    process->impatient = sim_between(0, 1) == 0;
}

/* ---- what happens to the world */
static struct process *sim_someone(void)
{
    struct process *process = &sim.processes[sim_between(0, SIM_PROCESSES_MAX - 1)];
    return process->running ? process : NULL;
}

static void world_kill(void)
{
    struct process *process = sim_someone();
    if (process) sim_kill(process);
}

static void world_freeze(void)
{
    struct process *process = sim_someone();
    if (process && process->silent_from_us == RELANCE_NEVER) sim_freeze(process);
}

static void world_end(void)
{
    struct process *process = sim_someone();
    if (process) sim_end(process);
}

/* Two with one name: somebody has started a second one by mistake. */
static void world_twin(void)
{
    sim_start((int)sim_between(0, sim.slots - 1));
}

/* Some processes see it at once, others at their next start. */
static void world_edit(void)
{
    sim.edition = (int)sim_between(0, workload_editions() - 1);
    sim.edited = true;
    sim_tell("the rules are now %d", sim.edition);
    for (size_t i = 0; i < SIM_PROCESSES_MAX; i++)
        if (sim.processes[i].running && sim_between(0, 2))
            atomic_store(&sim.processes[i].rules.packed, workload_rules(sim.edition));
}

static void world_jump(void)
{
    struct process *process = sim_someone();
    if (!process || sim.true_wall) return;
    process->skew_ms += sim_between(0, 1) ? sim_between(-60000, 60000) : sim_between(-3600000, 3600000);
    sim_tell("the clock of %s is now wrong by %lld ms", process->instance, (long long)process->skew_ms);
}

static void world_redis_down(void)
{
    redis_set_down(sim_between(1000, 3000000));
}

static void world_redis_full(void)
{
    redis_set_full(sim_between(1000, 4000000));
}

static void world_redis_restart(void)
{
    redis_restart(sim_between(0, 1) || sim.rebuild, false);
    if (sim_between(0, 1)) redis_set_down(sim_between(1000, 1000000));
}

static void world_redis_restore(void)
{
    redis_restart(true, true);
}

static void world_redis_move(void)
{
    redis_move((int)sim_between(0, sim.partitions - 1));
}

/* A server has some of the partitions. */
static void world_redis_fail_over(void)
{
    uint64_t all = (UINT64_C(1) << sim.partitions) - 1, its = sim_random() % all + 1;
    for (int p = 0; p < sim.partitions; p++)
        if (its >> p & 1) redis_fail_over(p);
}

static void world_redis_forget(void)
{
    if (sim.rebuild) redis_forget();
}

/* Whatever is started from now on is of another version, which decides as the one before did. */
static void world_upgrade(void)
{
    if (sim.approximate) sim.version = (int)sim_between(0, SIM_VERSIONS - 1);
}

static void world_kafka_down(void)
{
    kafka_set_down(sim_between(1000, 3000000));
}

static void sim_world(void)
{
    static void (*const happenings[])(void) = {
        world_kill,
        world_kill,
        world_freeze,
        world_freeze,
        world_end,
        world_twin,
        world_edit,
        world_jump,
        world_redis_down,
        world_redis_full,
        world_kafka_down,
        world_freeze,
        world_redis_down,
        world_redis_full,
        world_redis_restart,
        world_redis_restart,
        world_redis_restore,
        world_redis_forget,
        world_upgrade,
        world_redis_move,
        world_redis_move,
        world_redis_fail_over,
        world_redis_fail_over,
    };
    if (sim.rebuild && sim_between(0, redis_is_torn() ? 3 : 1))
        world_redis_restart();
    else
        happenings[sim_random() % (sizeof happenings / sizeof *happenings)]();
    sim.next_world_us = sim.now_us + sim_between(1000, 2 * sim.rates.world);
}

/* ---- a history */
static void sim_pick_rates(void)
{
    static const unsigned often[] = {0, 16, 64, 256, 1024};
#define PICK() often[sim_between(0, sizeof often / sizeof *often - 1)]
    sim.rates = (struct sim_rates){.kill = PICK() / 4,
                                   .freeze = PICK() / 8,
                                   .lose_request = PICK(),
                                   .lose_reply = PICK(),
                                   .slow = PICK(),
                                   .late_marker = 16 * PICK(),
                                   .world = sim_between(0, 3) ? (unsigned)sim_between(100000, 4000000) : 0};
#undef PICK
    static const int64_t caches[] = {0, 3000, 1 << 30};
    sim.cache_bytes = caches[sim_between(0, 2)];
}

static void sim_begin(uint64_t seed, bool told, bool undisturbed)
{
    static const enum sim_lines lines[] = {SIM_LINES_NEVER, SIM_LINES_NEVER, SIM_LINES_ALWAYS,
                                           SIM_LINES_CHANGING};
    struct process processes[SIM_PROCESSES_MAX];
    for (size_t i = 0; i < SIM_PROCESSES_MAX; i++)
        sim_clear_process(&sim.processes[i]);
    memcpy(processes, sim.processes, sizeof processes);
    sim_forget();
    sim = (struct sim){.seed = seed, .random = seed, .told = told, .undisturbed = undisturbed};
    memcpy(sim.processes, processes, sizeof processes);
    workload_begin(); /* draws first: the same workload, disturbed or not */
    sim.slots = (int)sim_between(1, SIM_SLOTS_MAX);
    sim.rebuild = !sim_between(0, 3);
    sim.approximate = !sim_between(0, 3);
    sim.lines = lines[seed / 45 % 4]; /* not drawn: older seeds keep their histories */
    sim_pick_rates();
    static const unsigned late[] = {0, 40000, 63000};
    if (sim.visitors) sim.rates.late_links = late[sim.seed / 96 % 3];
    sim.most = sim.seed % 4 == 3 ? 2 : SOURCE_BATCH_MAX;
    sim.overlaps = sim.seed / 4 % 4 != 0;
    static const size_t waits[] = {WORKER_WAITS_MAX, 1, 2, 5};
    sim.waits_most = waits[sim.seed / 16 % 4];
    static const size_t changed[] = {WORKER_SAVE_CHANGED, 1, 4, 16};
    sim.save_changed = changed[sim.seed / 1024 % 4];
    if (undisturbed) sim.rates = (struct sim_rates){0}, sim.slots = 1;
    sim.next_world_us = sim.rates.world ? sim_between(1000, 2 * sim.rates.world) : RELANCE_NEVER;
    for (int slot = 0; slot < SIM_SLOTS_MAX; slot++)
        sim.restart_us[slot] = slot < sim.slots ? sim_between(0, slot ? 8000000 : 0) : RELANCE_NEVER;
    kafka_begin();
    redis_begin();
    versions_begin();
}

static void sim_calm_fiber(struct fiber *fiber)
{
    if (fiber->running) fiber->wake_us = fiber->due_us > sim.now_us ? fiber->due_us : sim.now_us;
}

/* No more faults: who is frozen wakes up, who is dead is started. */
static void sim_calm_down(void)
{
    sim_tell("from here on nothing goes wrong any more");
    sim.calm = true;
    sim.next_world_us = RELANCE_NEVER;
    redis_set_down(0);
    redis_set_full(0);
    redis_calm_down();
    kafka_set_down(0);
    for (size_t i = 0; i < SIM_PROCESSES_MAX; i++) {
        struct process *process = &sim.processes[i];
        if (!process->running || process->silent_from_us == RELANCE_NEVER) continue;
        sim_calm_fiber(&process->self);
        for (int which = 0; which < SIM_BESIDES; which++)
            sim_calm_fiber(&process->beside[which]);
    }
}

/* Dead ones are started again after a while, each under its name. */
static void sim_supervise(void)
{
    for (int slot = 0; slot < sim.slots; slot++) {
        bool running = false;
        for (size_t i = 0; i < SIM_PROCESSES_MAX; i++)
            running |= sim.processes[i].running && sim.processes[i].slot == slot;
        if (running) sim.restart_us[slot] = RELANCE_NEVER;
        if (running) continue;
        if (sim.restart_us[slot] == RELANCE_NEVER)
            sim.restart_us[slot] =
                sim.now_us + (sim_between(0, 2) ? sim_between(1000, 500000) : sim_between(500000, 5000000));
        if (sim.restart_us[slot] > sim.now_us) continue;
        sim.restart_us[slot] = RELANCE_NEVER;
        sim_start(slot);
    }
}

static struct process *sim_next(int64_t *at)
{
    struct process *next = NULL;
    *at = sim.next_world_us;
    for (size_t i = 0; i < SIM_PROCESSES_MAX; i++) {
        struct process *process = &sim.processes[i];
        if (process->running && sim_fiber(process)->wake_us < *at)
            next = process, *at = sim_fiber(process)->wake_us;
    }
    return next;
}

static void sim_turn(void)
{
    int64_t at;
    struct process *next = sim_next(&at);
    for (int slot = 0; slot < sim.slots; slot++)
        if (sim.restart_us[slot] < at) next = NULL, at = sim.restart_us[slot];
    if (at > sim.now_us) sim.now_us = at == RELANCE_NEVER ? sim.now_us + SIM_LOOK_US : at;
    if (next) {
        sim_thaw(next);
        sim_switch(next);
    } else if (sim.next_world_us <= sim.now_us) {
        sim_world();
    }
    sim_supervise();
}

/* All are told to end and are started again: a Redis that went back in time is found out only by whoever needs
 * it. */
static void sim_renew(void)
{
    sim_tell("all are to end, and are started again");
    sim.renewed = true;
    sim.renewed_us = sim.now_us;
    for (size_t i = 0; i < SIM_PROCESSES_MAX; i++)
        sim_end(&sim.processes[i]);
}

static bool sim_is_renewed(void)
{
    for (size_t i = 0; i < SIM_PROCESSES_MAX; i++)
        if (sim.processes[i].running && sim.processes[i].ending) return false;
    return judge_rules_are_in_force();
}

/* The end has stages; each is to come to rest. In the last one the wall clock leaps: all that waits is due. */
static bool sim_next_stage(void)
{
    if (!sim.renewed) return sim_renew(), true;
    if (sim.leap_ms) return false;
    sim_tell("the wall clock leaps");
    sim.leap_ms = SIM_LEAP_MS;
    return true;
}

static bool sim_is_over(int64_t *look_us, int64_t *moved_us, uint64_t *moved)
{
    if (!sim.calm || sim.now_us < *look_us) return false;
    *look_us = sim.now_us + SIM_LOOK_US;
    uint64_t now = kafka_commits() + redis_writes();
    bool waiting = !judge_all_is_said() || (sim.renewed && (!judge_all_is_saved() || !sim_is_renewed()));
    if (now != *moved || waiting) *moved = now, *moved_us = sim.now_us;
    if (sim.now_us - *moved_us < SIM_REST_US) return false;
    *moved_us = sim.now_us;
    return !sim_next_stage();
}

static void sim_live(void)
{
    int64_t look_us = 0, moved_us = 0, end_us = sim.input_end_us + sim_between(0, 5000000);
    uint64_t moved = 0;
    while (!*sim.failure) {
        if (!sim.calm && sim.now_us >= end_us) sim_calm_down();
        if (sim_is_over(&look_us, &moved_us, &moved)) break;
        sim_turn();
        if (++sim.steps > SIM_STEPS_MAX || sim.now_us > end_us + SIM_PATIENCE_US)
            sim_fail("it does not come to rest");
    }
    if (!*sim.failure) judge_history();
    for (size_t i = 0; i < SIM_PROCESSES_MAX; i++)
        if (sim.processes[i].running) sim_kill(&sim.processes[i]);
    versions_end();
}

/* Rules that do not look at the wall clock, under true clocks: then faults, ticks and the number of processes
 * make no difference to what is published. */
static void sim_compare_undisturbed(void)
{
    uint64_t disturbed = judge_digest();
    sim_begin(sim.seed, sim.told, true);
    sim_live();
    if (!*sim.failure && judge_digest() != disturbed)
        sim_fail("the actions are not those of the undisturbed run");
}

bool sim_run(uint64_t seed, bool told)
{
    sim_begin(seed, told, false);
    sim_live();
    if (!*sim.failure && sim.true_wall && !sim.visitors && !sim.models && !sim.edited &&
        workload_ignores_wall())
        sim_compare_undisturbed();
    return !*sim.failure;
}
