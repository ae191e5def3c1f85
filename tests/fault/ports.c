/* The small ports: clocks, the log, the wish to end, random numbers, compiled rules. */
#include "host/beside.h"
#include "host/clock.h"
#include "base/ensure.h"
#include "host/log.h"
#include "delivery/mark.h"
#include "sim.h"
#include "host/stop.h"
#include "base/str.h"
#include "delivery/wall.h"
#include "workload.h"
#include <relance/decision.h>
#include <stdarg.h>

/* ---- clocks: the monotonic one stands still while a process computes, and jumps while it waits */
int64_t clock_monotonic_us(void)
{
    return sim.now_us;
}

int64_t clock_wall_ms(void)
{
    return SIM_WALL_BEGIN_MS + sim.now_us * sim.speed / 1000 + sim.leap_ms +
           (sim.running ? sim.running->skew_ms : 0);
}

int64_t wall_now_ms(void)
{
    return clock_wall_ms();
}

void clock_sleep_us(int64_t us)
{
    if (sim_enter()) sim_wait(us);
}

double clock_speed(void)
{
    return (double)sim.speed;
}

/* ---- ending */
bool stop_requested(void)
{
    return sim.running->killed || sim.running->ending;
}

/* An evaluation hears it in the middle of a record: in some processes, others come to its end. */
const atomic_int *stop_flag(void)
{
    return &sim.running->impatient;
}

void stop_request(void)
{
    sim.running->ending = true;
}

/* ---- the log */
void log_line(enum log_level level, const char *sentence, const char *facts, ...)
{
    struct process *process = sim.running;
    if (process->killed || (level < LOG_ERROR && !sim.told)) return;
    char line[sizeof process->said];
    va_list list;
    va_start(list, facts);
    vsnprintf(line, sizeof line, facts, list);
    va_end(list);
    sim_tell("%s %s", sentence, line);
    if (level == LOG_ERROR) memcpy(process->said, line, sizeof line);
}

/* ---- three of the bugs: what a mark says, and what is in force instead */
void __real_mark_print(const struct mark *mark, struct buffer *out);
void __wrap_mark_print(const struct mark *mark, struct buffer *out);
void __wrap_mark_print(const struct mark *mark, struct buffer *out)
{
    struct mark said = *mark;
    if (sabotage(BUG_TICK_UNMARKED)) said.tick = RELANCE_NEVER;
    if (sabotage(BUG_TICK_WHOLE)) said.waits = 0;
    __real_mark_print(&said, out);
}

enum relance_progress __real_relance_engine_record(struct relance_engine *engine,
                                                   const struct relance_record *record,
                                                   struct relance_fate *fate);
enum relance_progress __wrap_relance_engine_record(struct relance_engine *engine,
                                                   const struct relance_record *record,
                                                   struct relance_fate *fate);
enum relance_progress __wrap_relance_engine_record(struct relance_engine *engine,
                                                   const struct relance_record *record,
                                                   struct relance_fate *fate)
{
    if (sabotage(BUG_WALL_NOW) && sim.running) relance_engine_set_wall(engine, clock_wall_ms());
    return __real_relance_engine_record(engine, record, fate);
}

/* ---- random numbers: stamps and store ids (--wrap=getrandom) */
ssize_t __wrap_getrandom(void *data, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *data, size_t size, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)data)[i] = (unsigned char)sim_random();
    return (ssize_t)size;
}

/* ---- rules: compiled once for all histories, since sets are never changed */
enum relance_status rulebook_get(struct rulebook *book, struct relance_str packed,
                                 const struct rulebook_set **out, struct relance_error *error)
{
    (void)book;
    if (sabotage(BUG_RULES_HASH)) packed = str_of(reload_packed(sim.running->worker.plan.rules));
    *out = workload_set(packed);
    return *out ? RELANCE_OK
                : relance_error_set(error, RELANCE_REFUSED, "a rule set that nobody has written");
}

void rulebook_keep(struct rulebook *book, struct relance_str packed)
{
    (void)book, (void)packed;
}

void rulebook_free(struct rulebook *book)
{
    (void)book;
}

/* ---- what a worker lets go on beside it, but for its transactions */
void beside_begin(struct beside *beside, void (*run)(void *context), void *context)
{
    (void)beside;
    sim_begin_beside(SIM_CHECKPOINT, run, context);
}

bool beside_is_done(const struct beside *beside)
{
    (void)beside;
    return !sim_is_beside(SIM_CHECKPOINT);
}

void beside_await(struct beside *beside)
{
    (void)beside;
    sim_await_beside(SIM_CHECKPOINT);
}
