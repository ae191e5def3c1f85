/* What reading an event costs: ns an event, all in, on the lines of a file of native events.
 *
 *     event_bench LINES [ROUNDS]
 *
 * CPU time, so that a busy machine disturbs less. The schema is the CartAbandon workload's. Each round reads
 * every line; the median round counts. Heap allocations are counted over the last round. */
#include "allocations.h"
#include "cel/cel.h"
#include "event/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS_MAX = 101, SLOTS = 32 };

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static str *read_lines(const char *path, size_t *count)
{
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    str *lines = NULL;
    size_t capacity = 0, room = 0;
    char *line = NULL;
    ssize_t size;
    *count = 0;
    while ((size = getline(&line, &room, file)) > 0) {
        if (*count == capacity)
            lines = realloc(lines, (capacity = capacity ? capacity * 2 : 1024) * sizeof *lines);
        lines[(*count)++] = (str){line, (size_t)size - (line[size - 1] == '\n')};
        line = NULL;
        room = 0;
    }
    free(line);
    fclose(file);
    return lines;
}

static struct event_schema *cart_schema(struct arena *arena)
{
    static struct event_field fields[4];
    static struct cel_field item_fields[4];
    static struct event_type types[5];
    static const char *const names[] = {"view", "add_to_cart", "purchase", "click", "visit"};
    item_fields[0] = (struct cel_field){STR("product"), &cel_types[CEL_TYPE_STRING]};
    item_fields[1] = (struct cel_field){STR("name"), &cel_types[CEL_TYPE_STRING]};
    item_fields[2] = (struct cel_field){STR("price"), &cel_types[CEL_TYPE_DOUBLE]};
    item_fields[3] = (struct cel_field){STR("qty"), &cel_types[CEL_TYPE_INT]};
    static struct cel_record_type item = {.field_count = 4, .fields = item_fields};
    item.name = STR("item");
    fields[0] = (struct event_field){STR("cart"), &cel_types[CEL_TYPE_STRING], 0};
    fields[1] = (struct event_field){STR("items"), cel_list_of(arena, cel_record_of(arena, &item)), 1};
    fields[2] = (struct event_field){STR("product"), &cel_types[CEL_TYPE_STRING], 2};
    fields[3] = (struct event_field){STR("price"), &cel_types[CEL_TYPE_DOUBLE], 3};
    for (uint32_t i = 0; i < 5; i++)
        types[i] =
            (struct event_type){.name = str_of(names[i]), .number = i, .field_count = 4, .fields = fields};
    return event_schema_new(arena, types, 5);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: event_bench LINES [ROUNDS]\n");
        return 2;
    }
    size_t count = 0, bytes = 0, dead = 0, before = 0;
    str *lines = read_lines(argv[1], &count);
    if (!lines || !count) {
        fprintf(stderr, "event_bench: no lines in %s\n", argv[1]);
        return 2;
    }
    int rounds = argc > 2 ? atoi(argv[2]) : 11;
    if (rounds < 1 || rounds > ROUNDS_MAX) rounds = ROUNDS_MAX;
    struct arena arena;
    arena_init(&arena, 0);
    const struct event_schema *schema = cart_schema(&arena);
    struct event_reader *reader = event_reader_new();
    allocations_watch();
    double ns[ROUNDS_MAX];
    for (int round = 0; round < rounds; round++) {
        struct cel_value slots[SLOTS];
        struct event event;
        bytes = dead = 0;
        before = allocations;
        double begin = cpu_ns();
        for (size_t i = 0; i < count; i++) {
            dead += event_read(reader, schema, lines[i], slots, &event) != EVENT_ALIVE;
            bytes += lines[i].size;
        }
        ns[round] = (cpu_ns() - begin) / (double)count;
    }
    size_t asked = allocations - before;
    qsort(ns, (size_t)rounds, sizeof ns[0], by_value);
    printf("%zu events of %zu bytes, %zu dead: %.0f ns an event (median of %d rounds, best %.0f), %zu "
           "allocations\n",
           count, bytes / count, dead, ns[rounds / 2], rounds, ns[0], asked);
    event_reader_free(reader);
    arena_free(&arena);
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)lines[i].data);
    free(lines);
    return dead != 0;
}
