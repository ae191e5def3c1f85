/* The seam of relance/listing.h: tables for people, and programs taken apart. */
#include "rule/compile/keyword.h"
#include "rule/set.h"

#include "base/buffer.h"
#include "base/limits.h"

#include <relance/listing.h>
#include <stdio.h>
#include <stdlib.h>

struct row_target {
    relance_row_show *show;
    void *context;
};

static void show_function(void *context, const struct cel_row *row)
{
    const struct row_target *target = context;
    target->show(target->context,
                 &(struct relance_row){row->group, row->form, row->prose, row->example, row->value});
}

static void show_row(const struct row_target *target, str group, str name, str prose)
{
    target->show(target->context, &(struct relance_row){.group = group, .name = name, .prose = prose});
}

/* ---- functions: the language's own, and those that rules add */

static const struct {
    str form, prose;
} rule_functions[] = {
    {STR("COUNT() -> int"), STR("A count declared without `by`; with `sum` a double.")},
    {STR("COUNT(string) -> int"),
     STR("A count declared with `by`, for one of its values; with `sum` a double.")},
    {STR("LIST() -> list(string)"), STR("One of `lists`: what came last, the newest first.")},
    {STR("AFFINITY(string, int) -> list(string)"),
     STR("One of `affinities`: what goes with a product, the best first, so many at most, 50 at most.")},
    {STR("AFFINITY(list(string), int) -> list(string)"),
     STR("What goes with several; none of them is in it. Those that views brought weigh less one by one, "
         "those of orders alike.")},
    {STR("AFFINITY(int) -> list(string)"), STR("The most popular ones.")},
#define HOST(ENUM, name, first, second, result, of, form, prose) {STR(form), STR(prose)},
#include "rule/host.def"
#undef HOST
};

enum relance_status relance_function_rows(relance_row_show *show, void *context, struct relance_error *error)
{
    struct row_target target = {show, context};
    if (!cel_function_rows(show_function, &target))
        return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < sizeof rule_functions / sizeof *rule_functions; i++)
        show_function(&target, &(struct cel_row){.group = STR("Of rules"),
                                                 .form = rule_functions[i].form,
                                                 .prose = rule_functions[i].prose});
    return RELANCE_OK;
}

/* ---- keywords */

void relance_keyword_rows(relance_row_show *show, void *context)
{
    static const str groups[] = {
        [PLACE_SET] = STR("A file"),
        [PLACE_ATTRIBUTE] = STR("An attribute with a source"),
        [PLACE_COUNT] = STR("A count"),
        [PLACE_LIST] = STR("A list"),
        [PLACE_AFFINITY] = STR("An affinity"),
        [PLACE_FROM] = STR("'from' of an affinity"),
        [PLACE_SALES] = STR("'sales'"),
        [PLACE_ORDER] = STR("'order' of 'sales'"),
        [PLACE_REFUND] = STR("'refund' of 'sales'"),
        [PLACE_TOTAL] = STR("A total"),
        [PLACE_RULE] = STR("A rule"),
        [PLACE_CANCEL] = STR("What cancels"),
        [PLACE_STEP] = STR("A step"),
        [PLACE_LIMIT] = STR("A limit"),
        [PLACE_GOAL] = STR("A goal"),
        [PLACE_ON] = STR("A date in 'on'"),
        [PLACE_TEST] = STR("A test"),
        [PLACE_EXPECT] = STR("What a test expects"),
    };
    struct row_target target = {show, context};
    for (size_t i = 0; i < keyword_count; i++)
        show_row(&target, groups[keywords[i].place], keywords[i].name, keywords[i].prose);
}

/* ---- limits */

static const struct limit_row {
    const char *group;
    int64_t value;
    const char *unit, *prose;
} limit_rows[] = {
#define LIMIT_GROUP(text)               {.group = text},
#define LIMIT(NAME, number, UNIT, text) {.value = (number), .unit = #UNIT, .prose = text},
#include "base/limit.def"
#undef LIMIT
};

/* "8 MiB", "24 h", "256" */
static str limit_text(const struct limit_row *row, char *out, size_t size)
{
    static const struct {
        const char *unit, *name;
        int64_t worth;
    } scales[] = {{"BYTES", " MiB", 1 << 20}, {"BYTES", " KiB", 1 << 10}, {"BYTES", " bytes", 1},
                  {"MS", " h", 3600000},      {"MS", " ms", 1},           {"COUNT", "", 1}};
    size_t i = 0;
    while (strcmp(row->unit, scales[i].unit) != 0 || row->value % scales[i].worth != 0)
        i++;
    int length = snprintf(out, size, "%lld%s", (long long)(row->value / scales[i].worth), scales[i].name);
    return (str){out, (size_t)length};
}

void relance_limit_rows(relance_row_show *show, void *context)
{
    struct row_target target = {show, context};
    str group = {0};
    for (size_t i = 0; i < sizeof limit_rows / sizeof *limit_rows; i++) {
        const struct limit_row *row = &limit_rows[i];
        char room[32];
        if (row->group)
            group = str_of(row->group);
        else
            show_row(&target, group, limit_text(row, room, sizeof room), str_of(row->prose));
    }
}

/* ---- programs */

static int place_order(const void *a, const void *b)
{
    const struct noted_program *x = *(const struct noted_program *const *)a,
                               *y = *(const struct noted_program *const *)b;
    if (x->source->order != y->source->order) return x->source->order < y->source->order ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static const struct noted_program **programs_sorted(const struct relance_ruleset *rules, struct arena *arena)
{
    const struct noted_program **all =
        ARENA_ARRAY(arena, const struct noted_program *, rules->program_count + 1);
    if (!all) return NULL;
    const struct noted_program *note = rules->programs;
    for (size_t i = 0; note; note = note->next)
        all[i++] = note;
    qsort(all, rules->program_count, sizeof *all, place_order);
    return all;
}

/* False: no memory. */
static bool show_program(const struct noted_program *note, struct source_cursor *place,
                         relance_program_show *show, void *context)
{
    struct arena arena;
    struct buffer text, code;
    arena_init(&arena, 0);
    buffer_init(&text, &arena);
    buffer_init(&code, &arena);
    buffer_put_json_string(&text, note->text);
    cel_program_dump(note->program, &code);
    source_cursor_move(place, note->source, note->offset);
    struct relance_program program = {note->source->name, buffer_str(&text), buffer_str(&code),
                                      place->line.number, place->column + 1};
    bool fine = !text.failed && !code.failed;
    if (fine) show(context, &program);
    arena_free(&arena);
    return fine;
}

enum relance_status relance_ruleset_programs(const struct relance_ruleset *rules, relance_program_show *show,
                                             void *context, struct relance_error *error)
{
    struct arena arena;
    arena_init(&arena, 0);
    const struct noted_program **all = programs_sorted(rules, &arena);
    bool fine = all != NULL;
    struct source_cursor place = {0};
    for (size_t i = 0; fine && i < rules->program_count; i++)
        fine = show_program(all[i], &place, show, context);
    arena_free(&arena);
    return fine ? RELANCE_OK : relance_error_set(error, RELANCE_NO_MEMORY, "out of memory");
}
