/* A shop of few customers who do much: each history has its own, drawn before anything goes wrong, so that the
 * same seed undisturbed has the same.
 *
 * In half of the histories events come when they happen, in the order of their times. In the others there is
 * all that senders do: events late, from the future, twice, without id, of unknown types, broken, hidden by
 * open transactions, and control records whose offset is all there is of them. */
#include "workload.h"
#include "identity.h"
#include "base/ensure.h"
#include "host/file.h"
#include "host/print.h"
#include "base/str.h"
#include <relance/decision.h>
#include <stdarg.h>
#include <stdlib.h>

enum {
    WORKLOAD_RECORDS_MIN = 5,
    WORKLOAD_RECORDS_MAX = 60, /* a partition */
    WORKLOAD_CUSTOMERS_MAX = 6,
    WORKLOAD_LENGTH_MAX_US = 40000000,
};
static const char *const workload_files[] = {"calm.jsonc", "hasty.jsonc", "other.jsonc"};
enum { WORKLOAD_EDITIONS = sizeof workload_files / sizeof *workload_files };

static struct rulebook_set workload_sets[WORKLOAD_EDITIONS];
static struct input workload_inputs[SIM_PARTITIONS_MAX];

/* ---- the rules */
static void workload_load_set(const char *name, struct rulebook_set *set)
{
    char path[512];
    struct file_set files;
    struct relance_error error;
    struct relance_report *report = NULL;
    size_t size;
    snprintf(path, sizeof path, "%s/tests/fault/rules/%s", SOURCE_DIR, name);
    enum relance_status status =
        file_set_read(&(struct file_paths){.items = (char *[]){(char *)path}, .count = 1}, &files, &error);
    if (status == RELANCE_OK) status = file_set_pack(&files, &set->packed, &size, &error);
    if (status == RELANCE_OK) status = file_set_compile(&files, &set->rules, &report, &error);
    if (report) print_lines(relance_report_text(report), stderr);
    if (status != RELANCE_OK) fprintf(stderr, "%s\n", error.message);
    ensure(status == RELANCE_OK);
    memcpy(set->hash, files.hash, sizeof set->hash);
    relance_report_free(report);
    file_set_free(&files);
}

void workload_load(void)
{
    for (int i = 0; i < WORKLOAD_EDITIONS; i++)
        workload_load_set(workload_files[i], &workload_sets[i]);
}

void workload_free(void)
{
    for (int i = 0; i < WORKLOAD_EDITIONS; i++) {
        relance_ruleset_free(workload_sets[i].rules);
        free(workload_sets[i].packed);
    }
}

int workload_editions(void)
{
    return WORKLOAD_EDITIONS;
}

const char *workload_rules(int edition)
{
    return workload_sets[edition].packed;
}

bool workload_ignores_wall(void)
{
    return sim.edition == 0;
}

const struct rulebook_set *workload_set(struct relance_str packed)
{
    for (int i = 0; i < WORKLOAD_EDITIONS; i++)
        if (str_equal(packed, str_of(workload_sets[i].packed))) return &workload_sets[i];
    return NULL;
}

/* ---- the input */
static struct relance_str workload_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
static struct relance_str workload_print(const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    int size = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    ensure(size > 0 && (size_t)size < sizeof text);
    return sim_keep_text((struct relance_str){text, (size_t)size});
}

/* What belongs to the type of event. */
static struct relance_str workload_fields(void)
{
    int which = (int)sim_between(0, 10), cart = (int)sim_between(0, 2);
    if (which < 4)
        return workload_print("\"type\":\"view\",\"product\":\"p%d\",\"from\":\"f%d\"", cart,
                              (int)sim_between(0, 9));
    if (which < 7) return workload_print("\"type\":\"add\",\"cart\":\"k%d\"", cart);
    if (which < 10)
        return workload_print("\"type\":\"purchase\",\"cart\":\"k%d\",\"total\":%d.5", cart,
                              (int)sim_between(1, 99));
    if (!sim_between(0, 3)) return STR("\"type\":\"forget\"");
    return sim_between(0, 1)
               ? workload_print("\"type\":\"identify\",\"ok\":%s", sim_between(0, 1) ? "true" : "false")
               : workload_print("\"type\":\"nobody_knows_this\"");
}

static struct relance_str workload_event(struct relance_str customer, struct relance_str id, int64_t time_ms,
                                         struct relance_str fields)
{
    char time[24];
    relance_time_print(time_ms, time);
    return workload_print("{%.*s\"customer\":\"%.*s\",\"time\":\"%.24s\",%.*s}", STR_ARG(id),
                          STR_ARG(customer), time, STR_ARG(fields));
}

/* What senders make of it: late, early, without its time's truth. */
static int64_t workload_shift_ms(void)
{
    switch (sim_between(0, 19)) {
    case 0: return sim_between(-7200000, 0);
    case 1: return sim_between(0, 600000);
    case 2: return sim_between(900000, 90000000);
    case 3: return sim_between(-30000, 30000);
    default: return 0;
    }
}

static void workload_spoil(struct input *input, int64_t at)
{
    static const char *const broken[] = {"{", "[]", "{\"type\":\"view\"}", "{\"type\":1}", "\xff"};
    struct input_record *record = &input->records[at];
    switch (sim_between(0, 24)) {
    case 0: record->value = str_of(broken[sim_between(0, 4)]); break;
    case 1: record->value = (struct relance_str){0}; break;
    case 2: record->gap = true; break;
    case 3:
        if (at && !input->records[at - 1].gap)
            record->key = input->records[at - 1].key, record->value = input->records[at - 1].value;
        break;
    case 4: record->seen_us += sim_between(0, 3000000); break; /* hidden by an open transaction */
    case 5: record->key = (struct relance_str){0}; break;
    default: break;
    }
}

/* After the leap of the wall clock everybody comes once more: so that each state is touched under the rules that
 * are then in force, and is what it would be if it had been at hand all the time. Without a key, where those in the
 * wrong partition would be refused. */
static void workload_touch(int partition, struct input *input, int64_t from)
{
    int64_t time_ms = SIM_WALL_BEGIN_MS + WORKLOAD_TOUCH_MS;
    for (int64_t at = from; at < input->count; at++) {
        struct relance_str customer = workload_print("p%dc%d", partition, (int)(at - from) + 1);
        input->records[at] =
            (struct input_record){.key = sim.refuses_misplaced ? STR("") : customer,
                                  .value = workload_event(customer, STR("\"id\":\"last\","), time_ms,
                                                          STR("\"type\":\"purchase\",\"total\":1")),
                                  .timestamp_ms = time_ms,
                                  .seen_us = RELANCE_NEVER};
    }
}

static void workload_fill(int partition, int64_t length_us)
{
    struct input *input = &workload_inputs[partition];
    int64_t seen_us = 0, customers = sim_between(1, WORKLOAD_CUSTOMERS_MAX);
    int64_t count = sim_between(WORKLOAD_RECORDS_MIN, WORKLOAD_RECORDS_MAX);
    input->count = count + customers;
    input->records = sim_keep((size_t)input->count * sizeof *input->records);
    for (int64_t at = 0; at < count; at++) {
        seen_us += sim_between(0, 3) ? sim_between(0, 2 * length_us / count) : 0;
        int64_t time_ms = SIM_WALL_BEGIN_MS + seen_us * sim.speed / 1000;
        struct relance_str customer = workload_print("p%dc%d", partition, (int)sim_between(1, customers));
        bool named = sim_between(0, 9);
        struct relance_str id = named ? workload_print("\"id\":\"e%d-%d\",", partition, (int)at) : str_of("");
        int64_t shift_ms = sim.true_wall ? 0 : workload_shift_ms();
        input->records[at] = (struct input_record){
            .key = customer,
            .value = workload_event(customer, id, time_ms + shift_ms, workload_fields()),
            .timestamp_ms = time_ms,
            .seen_us = seen_us};
        if (!sim.true_wall) workload_spoil(input, at);
        if (input->records[at].seen_us > sim.input_end_us) sim.input_end_us = input->records[at].seen_us;
    }
    workload_touch(partition, input, count);
}

void workload_begin(void)
{
    sim.partitions = (int)sim_between(1, SIM_PARTITIONS_MAX);
    sim.true_wall = sim_between(0, 1);
    sim.edition = (int)sim_between(0, 3) % WORKLOAD_EDITIONS;
    sim.lateness_ms = sim_between(0, 2) ? 0 : sim_between(0, 600000);
    sim.forget_after_ms = sim_between(0, 2) ? 0 : sim_between(60000, 1200000);
    sim.state_bytes = sim.seed % 3 ? 0 : 300 + (int64_t)(sim.seed / 3 % 8) * 200; /* draws nothing */
    int64_t length_us = sim_between(1000000, WORKLOAD_LENGTH_MAX_US);
    sim.visitors = sim.seed / 24 % 2; /* draws nothing */
    sim.refuses_misplaced = !sim.visitors && sim.seed / 7 % 16 == 15;
    sim.models = sim.seed / 13 % 4 == 2; /* nor does this */
    static const int64_t speeds[] = {60, 600, 6000};
    sim.speed = sim.visitors ? speeds[sim.seed / 48 % 3] : 60;
    if (sim.visitors) {
        sim.true_wall = true;
        if (sim.partitions == 1 && sim.seed % 2) sim.partitions = SIM_PARTITIONS_MAX;
        identity_fill(workload_inputs, length_us);
        return;
    }
    for (int p = 0; p < sim.partitions; p++)
        workload_fill(p, length_us);
}

const struct input *workload_input(int partition)
{
    return &workload_inputs[partition];
}

/* Draws nothing. */
struct relance_str workload_traceparent(int partition, int64_t offset)
{
    if ((offset + partition) % 3 == 0) return (struct relance_str){0};
    return workload_print("00-%032x-%016x-01", (unsigned)offset + 1, (unsigned)partition + 1);
}

int64_t workload_stable_end(int partition)
{
    const struct input *input = &workload_inputs[partition];
    int64_t end = 0;
    while (end < input->count && (input->records[end].seen_us <= sim.now_us ||
                                  (sim.leap_ms && input->records[end].seen_us == RELANCE_NEVER)))
        end++;
    return end;
}
