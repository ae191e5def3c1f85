/* The machine room of the simulator: virtual time, processes that take turns, chance, and what goes wrong.
 *
 *     one history = one seed = one struct sim
 *
 * A process is a worker of the shell (consumer/delivery/worker.c, unchanged) on a stack of its own. It runs until it
 * waits in a port; then whoever's time is next runs. A transaction that it has begun goes on beside it, on a second
 * stack. Nothing here knows of threads or of the machine's clock, so that a seed gives the same history each time.
 *
 * A process that is killed does not get its memory taken away: from there on the world does not answer it.
 * Every port fails at once and does nothing, so it runs to its end within that instant and frees what it
 * holds; nobody outside can tell that from death, and the leak checker stays of use. */
#ifndef FAULT_SIM_H
#define FAULT_SIM_H

#include "host/option.h"
#include "sabotage.h"
#include "delivery/outbox.h"
#include "delivery/worker.h"
#include <relance/engine.h>
#include <ucontext.h>

enum {
    SIM_PARTITIONS_MAX = 3,
    SIM_SLOTS_MAX = 3,     /* names of instances */
    SIM_PROCESSES_MAX = 6, /* with those that are frozen while another has their name */
    SIM_NETWORK_US = 200,  /* a usual way there or back */
};
#define SIM_WALL_BEGIN_MS 1772445600000 /* 2026-03-02T10:00:00Z */

/* ---- chance: in so many of 65536 cases */
struct sim_rates {
    unsigned kill, freeze;             /* at each call of a port */
    unsigned lose_request, lose_reply; /* each way to Kafka or Redis and back */
    unsigned slow;                     /* takes up to seconds */
    unsigned late_marker;              /* a transaction's markers come late, each at its own time */
    unsigned late_links;               /* link records that are there have not come yet */
    /* us between two things that happen to the world, on average; 0: none */
    unsigned world;
};

/* What takes turns. */
struct fiber {
    bool running;
    ucontext_t context;
    void *stack;
    int64_t due_us;  /* what it waits for has come by then; */
    int64_t wake_us; /* it runs from then on: that, or later when it is frozen */
};

/* What a worker has begun and goes on without it. */
enum sim_beside { SIM_TRANSACTION, SIM_CHECKPOINT, SIM_BESIDES };

struct process {
    bool used, running;
    int slot;
    char instance[8];
    struct options options;
    struct reload rules; /* the rule files as it has read them */
    struct worker worker;
    struct standing standings[SIM_PARTITIONS_MAX];
    struct modelbook *models;
    struct fiber self, beside[SIM_BESIDES];
    void (*begun[SIM_BESIDES])(void *); /* what these run */
    void *begun_with[SIM_BESIDES];
    bool killed;               /* the world does not answer any more */
    bool ending;               /* has been told to, as by SIGTERM */
    atomic_int impatient;      /* and is not to finish what it is in the middle of */
    bool fenced;               /* Kafka has said that another has its name: its failing is right */
    bool spent;                /* its last transaction has failed */
    const struct outbox *sent; /* what that carried */
    int64_t silent_from_us;    /* frozen or dead since; RELANCE_NEVER: alive */
    int64_t skew_ms;           /* of its wall clock */
    char said[512];            /* its last error */
    char believed[SIM_PARTITIONS_MAX][3]
                 [40]; /* sabotage: stamp, begun and whole as it wrote or claimed them last */
};

enum sim_lines { SIM_LINES_NEVER, SIM_LINES_ALWAYS, SIM_LINES_CHANGING };

struct sim {
    uint64_t seed, random;
    bool told; /* print what happens */
    bool undisturbed;
    int partitions, slots;
    int64_t lateness_ms, forget_after_ms;
    int64_t state_bytes;  /* so few, in some histories, that customers have more than there is room for */
    bool visitors;        /* who become customers: identity.h */
    bool models;          /* a learner publishes versions: versions.h */
    enum sim_lines lines; /* who is told decisions: --decisions */
    size_t most;          /* records that a batch may have: in some worlds so few that it is full */
    size_t waits_most;    /* waits that one mark ends: in most worlds fewer than fall due at once */
    size_t save_changed;  /* changed customers that are saved at once: in most worlds few */
    bool overlaps;        /* a transaction goes on while more is decided */
    /* in few histories: most records stand in another partition than that of their key */
    bool refuses_misplaced;
    int64_t speed;  /* ms of the wall clock in one of the monotonic */
    bool true_wall; /* all wall clocks are right, and events come when they happen */
    struct sim_rates rates;
    int64_t cache_bytes; /* beyond which customers are given up after a checkpoint */
    int64_t now_us;
    int64_t input_end_us; /* when the last record has come */
    bool calm;            /* faults are over: come to rest */
    bool renewed;         /* all processes have been told to end, and are started again */
    int64_t renewed_us;   /* since when */
    int64_t leap_ms;      /* of all wall clocks, at the end: whatever waits is due */
    int64_t next_world_us;
    int64_t restart_us[SIM_SLOTS_MAX]; /* when a process of that name is to be started */
    int edition;                       /* of the rules, as they stand in the files now */
    bool edited;                       /* they have not always been that one */
    bool rebuild;                      /* processes may rebuild: Redis is emptied now and then */
    /* processes may recover approximately: their version changes now and then */
    bool approximate;
    int version; /* of what is installed now */
    struct process processes[SIM_PROCESSES_MAX], *running;
    struct fiber *fiber; /* of `running` */
    ucontext_t context;  /* of the scheduler */
    char failure[1024];  /* what was found; "" nothing */
    uint64_t steps;
};
extern struct sim sim;

/* ---- for the models */
/* At the door of each port: now and then the process is killed or frozen here. False: it is dead. */
bool sim_enter(void);
/* The running process waits; false: it is dead. */
bool sim_wait(int64_t us);
/* Something goes on beside the running process, one of each kind at a time; it waits for its end. In a history in
 * which nothing overlaps it runs here and now. */
void sim_begin_beside(enum sim_beside which, void (*run)(void *), void *context);
bool sim_is_beside(enum sim_beside which);
void sim_await_beside(enum sim_beside which);
int64_t sim_network_us(void); /* one way, now and then slow */
bool sim_chance(unsigned rate);
uint64_t sim_random(void);
int64_t sim_between(int64_t least, int64_t most); /* both included */
void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void sim_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool sim_is_dead(const struct process *process);
void sim_thaw(struct process *process);
void sim_kill(struct process *process);

/* Memory of a history: gone with it. */
void *sim_keep(size_t size);
struct relance_str sim_keep_text(struct relance_str text);

/* ---- for whoever runs histories */
/* Runs one to its rest and compares; false: sim.failure says what was found. */
bool sim_run(uint64_t seed, bool told);

#endif
