/* What evaluating costs: nanoseconds and heap allocations for each expression, the median of several runs.
 *
 *     cel_bench [RUNS]
 *
 * One line an expression, tab-separated: nanoseconds, allocations, the expression. The peers in cel_peers/
 * print the same lines for the same expressions. */
#include "base/buffer.h"
#include "cel/cel.h"
#include "zones.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ---- allocations, counted where the C library makes them */

extern void *__libc_malloc(size_t size);
static size_t allocations;

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

/* ---- the world of the expressions */

enum slot { ORIGIN, COUNTRY, VALUE, ADULTS, URL, PRODUCT, ITEMS, TIME, NAME, TOTAL, SLOTS };

static const struct {
    const char *name;
    enum cel_type_kind kind;
} variables[] = {
    [ORIGIN] = {"origin", CEL_TYPE_STRING}, [COUNTRY] = {"country", CEL_TYPE_STRING},
    [VALUE] = {"value", CEL_TYPE_INT},      [ADULTS] = {"adults", CEL_TYPE_INT},
    [URL] = {"url", CEL_TYPE_STRING},       [PRODUCT] = {"product", CEL_TYPE_STRING},
    [TIME] = {"time", CEL_TYPE_TIMESTAMP},  [NAME] = {"name", CEL_TYPE_STRING},
    [TOTAL] = {"total", CEL_TYPE_DOUBLE},
};

static const char *const expressions[] = {
    "value >= 100",
    "(origin == 'MOW' || country == 'RU') && (value >= 100 || adults == 1)",
    "url.startsWith('https://shop.example/')",
    "product in ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7', 'p8', 'p9', 'p10']",
    "url.matches('^https://[a-z.]+/cart/[0-9]+$')",
    "items.map(i, i.price * double(i.qty)).sum() >= 50.0",
    "views(product) >= 3",
    "'Dear ' + name + ', ' + string(value) + ' things for ' + string(total)",
    "time.getHours('Europe/Paris') >= 9",
};

static struct cel_value views(struct cel_frame *frame, uint32_t function, const struct cel_value *arguments)
{
    (void)frame;
    (void)function;
    return cel_int(arguments[0].size);
}

static const struct cel_field item_fields[] = {{{"price", 5}, &cel_types[CEL_TYPE_DOUBLE]},
                                               {{"qty", 3}, &cel_types[CEL_TYPE_INT]}};
static const struct cel_record_type item_type = {{"item", 4}, 2, item_fields, NULL};

static struct cel_value make_items(struct arena *arena)
{
    enum { COUNT = 5 };
    struct cel_list *list = arena_alloc(arena, sizeof *list + COUNT * sizeof list->items[0]);
    list->count = COUNT;
    for (size_t i = 0; i < COUNT; i++) {
        struct cel_record *item = arena_alloc(arena, sizeof *item + 2 * sizeof item->fields[0]);
        item->type = &item_type;
        item->fields[0] = cel_double(9.99 + (double)i);
        item->fields[1] = cel_int((int64_t)i % 2 + 1);
        list->items[i] = (struct cel_value){.kind = CEL_RECORD, .as.record = item};
    }
    return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}

static struct cel_env *make_env(struct arena *arena, struct zones *zones)
{
    struct cel_env *env = cel_env_new(arena, zones);
    for (uint32_t i = 0; i < SLOTS; i++)
        if (i != ITEMS)
            cel_env_add_variable(env, str_of(variables[i].name), &cel_types[variables[i].kind], i);
    cel_env_add_variable(env, STR("items"), cel_list_of(arena, cel_record_of(arena, &item_type)), ITEMS);
    const struct cel_type *text = &cel_types[CEL_TYPE_STRING];
    cel_env_add_function(env, STR("views"), &text, 1, &cel_types[CEL_TYPE_INT], 0);
    return env;
}

static void fill_slots(struct arena *arena, struct cel_value slots[SLOTS])
{
    slots[ORIGIN] = cel_string(STR("LED"));
    slots[COUNTRY] = cel_string(STR("RU"));
    slots[VALUE] = cel_int(99);
    slots[ADULTS] = cel_int(1);
    slots[URL] = cel_string(STR("https://shop.example/cart/123456"));
    slots[PRODUCT] = cel_string(STR("p10"));
    slots[ITEMS] = make_items(arena);
    slots[NAME] = cel_string(STR("Ada"));
    slots[TOTAL] = cel_double(129.95);
    cel_parse_timestamp(STR("2026-07-02T10:00:00Z"), &slots[TIME]);
}

/* ---- timing */

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_once(const struct cel_program *program, struct cel_frame *frame, size_t rounds)
{
    double begin = now_ns();
    for (size_t i = 0; i < rounds; i++) {
        struct cel_value v = cel_eval(program, frame);
        __asm__ volatile("" : : "r"(v.as.u) : "memory");
        arena_reset(frame->scratch);
    }
    return (now_ns() - begin) / (double)rounds;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { RUNS_MAX = 101, RUN_NS = 20000000 };

static void bench(const char *text, const struct cel_program *program, struct cel_frame *frame, size_t runs)
{
    struct cel_value v = cel_eval(program, frame);
    if (v.kind == CEL_ERROR) printf("%s fails: %s\n", text, frame->error);
    size_t rounds = (size_t)((double)RUN_NS / time_once(program, frame, 10000));
    double times[RUNS_MAX];
    size_t before = allocations;
    for (size_t i = 0; i < runs; i++)
        times[i] = time_once(program, frame, rounds);
    double each = (double)(allocations - before) / (double)(rounds * runs);
    qsort(times, runs, sizeof times[0], by_size);
    printf("%.1f\t%.3f\t%s\n", times[runs / 2], each, text);
}

int main(int argc, char **argv)
{
    size_t runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 11;
    if (runs < 1 || runs > RUNS_MAX) runs = RUNS_MAX;
    struct arena arena, scratch;
    arena_init(&arena, 0);
    arena_init(&scratch, 0);
    struct zones *zones = zones_new(zone_file, &arena);
    struct cel_env *env = make_env(&arena, zones);
    struct cel_value slots[SLOTS];
    fill_slots(&arena, slots);
    for (size_t i = 0; i < sizeof expressions / sizeof expressions[0]; i++) {
        struct diagnostics diag;
        diag_init(&diag, &arena);
        struct cel_program *program =
            cel_compile(&arena, &arena, env, str_of(expressions[i]), (struct origin){0}, NULL, &diag);
        struct cel_frame frame = {.slots = slots, .scratch = &scratch, .call = views};
        if (program)
            bench(expressions[i], program, &frame, runs);
        else
            printf("%s does not compile: %.*s\n", expressions[i], STR_ARG(diag.first->message));
    }
    zones_free(zones);
    arena_free(&scratch);
    arena_free(&arena);
    return 0;
}
