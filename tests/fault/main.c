/* fault_sim: histories by their seeds.
 *
 *     fault_sim --seed N                        one, told step by step
 *     fault_sim --from N --count M [--seconds S]  many; the first finding is printed and ends it
 *     fault_sim --regressions                   the seeds that have found something once
 *     fault_sim --sabotage [NAME]               each deliberate bug (or one): how many seeds find it?
 *
 * Totals as tests/support/run.py reads them. */
#include "base/ensure.h"
#include "sim.h"
#include "workload.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAIN_SABOTAGE_SEEDS = 20000 };

/* Seeds that have found something once, and what it was. */
static const uint64_t main_regressions[] = {
#define SEED(number, prose) number,
#include "seeds.def"
#undef SEED
    0, /* the plainest of all */
};

static const struct main_bug {
    const char *name, *prose;
} main_bugs[] = {
#define BUG(ENUM, name, prose) {name, prose},
#include "sabotage.def"
#undef BUG
};

enum bug sabotage_active = BUG_COUNT;

static double main_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void main_report(void)
{
    printf("seed %llu: %s\n    repeat it: fault_sim --seed %llu%s%s\n", (unsigned long long)sim.seed,
           sim.failure, (unsigned long long)sim.seed, sabotage_active == BUG_COUNT ? "" : " --bug ",
           sabotage_active == BUG_COUNT ? "" : main_bugs[sabotage_active].name);
}

static int main_totals(uint64_t passed, uint64_t failed)
{
    printf("%llu passed, %llu failed\n", (unsigned long long)passed, (unsigned long long)failed);
    return failed ? 1 : 0;
}

static int main_many(uint64_t from, uint64_t count, double seconds)
{
    double begin = main_seconds();
    uint64_t done = 0;
    bool found = false;
    while (!found && done < count && main_seconds() - begin < seconds) {
        found = !sim_run(from + done, false);
        done += !found;
    }
    if (found) main_report();
    double took = main_seconds() - begin;
    printf("%llu histories from seed %llu on in %.1f s, %.0f a second\n", (unsigned long long)done,
           (unsigned long long)from, took, (double)done / took);
    return main_totals(done, found);
}

static int main_repeat(void)
{
    uint64_t passed = 0, failed = 0;
    for (size_t i = 0; i < sizeof main_regressions / sizeof *main_regressions; i++) {
        bool sound = sim_run(main_regressions[i], false);
        if (!sound) main_report();
        sound ? passed++ : failed++;
    }
    return main_totals(passed, failed);
}

/* A bug that no seed finds is a failure: of the simulator. */
static int main_sabotage(const char *name)
{
    uint64_t passed = 0, failed = 0;
    for (int bug = 0; bug < BUG_COUNT; bug++) {
        uint64_t seed = 1;
        if (name && strcmp(name, main_bugs[bug].name) != 0) continue;
        sabotage_active = (enum bug)bug;
        while (seed <= MAIN_SABOTAGE_SEEDS && sim_run(seed, false))
            seed++;
        bool found = seed <= MAIN_SABOTAGE_SEEDS;
        printf("%-10s %s\n           ", main_bugs[bug].name, main_bugs[bug].prose);
        if (found)
            printf("found by seed %llu: %s\n", (unsigned long long)seed, sim.failure);
        else
            printf("NOT FOUND by %d seeds\n", MAIN_SABOTAGE_SEEDS);
        fflush(stdout);
        found ? passed++ : failed++;
    }
    return main_totals(passed, failed);
}

static bool main_find_bug(const char *name)
{
    for (int bug = 0; bug < BUG_COUNT; bug++)
        if (strcmp(name, main_bugs[bug].name) == 0) return sabotage_active = (enum bug)bug, true;
    return false;
}

static int main_one(uint64_t seed)
{
    bool sound = sim_run(seed, true);
    if (!sound) main_report();
    return main_totals(sound, !sound);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"seed", required_argument, 0, 's'},  {"from", required_argument, 0, 'f'},
        {"count", required_argument, 0, 'c'}, {"seconds", required_argument, 0, 't'},
        {"regressions", no_argument, 0, 'r'}, {"sabotage", no_argument, 0, 'b'},
        {"bug", required_argument, 0, 'B'},   {0, 0, 0, 0}};
    uint64_t seed = 0, from = (uint64_t)time(NULL) << 20, count = UINT64_MAX;
    double seconds = 1e9;
    const char *bug = NULL;
    int mode = 0, letter;
    while ((letter = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        if (letter == 's') mode = 's', seed = strtoull(optarg, NULL, 10);
        if (letter == 'f') from = strtoull(optarg, NULL, 10);
        if (letter == 'c') count = strtoull(optarg, NULL, 10);
        if (letter == 't') seconds = strtod(optarg, NULL);
        if (letter == 'r' || letter == 'b') mode = letter;
        if (letter == 'B') bug = optarg;
        if (letter == '?') return 2;
    }
    if (optind < argc)
        return fprintf(stderr, "what is '%s'? One bug is --sabotage --bug NAME\n", argv[optind]), 2;
    if (bug && !main_find_bug(bug)) return fprintf(stderr, "no such bug: %s\n", bug), 2;
    workload_load();
    int status = mode == 's'   ? main_one(seed)
                 : mode == 'r' ? main_repeat()
                 : mode == 'b' ? main_sabotage(bug)
                               : main_many(from, count, seconds);
    workload_free();
    return status;
}
