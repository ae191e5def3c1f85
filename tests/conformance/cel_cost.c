/* What a million steps cost at most, row by row of func.def: cel_cost [NAME]
 *
 * Each function is called as a loop of an expression calls it, until its evaluation has no steps left, with inputs as
 * large and as unfortunate as an event of 1 MiB can bring, in every combination; then expressions for what is no
 * function. Prints the worst CPU seconds of each, those above the bar marked, and fails where one takes more than a
 * second: then it touches input for which it does not pay; or leaves more memory behind than it may make. */
#include "base/limits.h"
#include "cel/func.h"
#include "zones.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#define BAR_SECONDS 0.1
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__ || !defined __OPTIMIZE__
#define MAX_SECONDS 20.0 /* a build that looks at every access */
#else
#define MAX_SECONDS 1.0
#endif
#define MAX_BYTES (4 * (size_t)LIMIT_CEL_ARENA_BYTES) /* a text that grows past its bound doubles once more */

static struct arena arena, scratch;
static struct zones *zones;

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- inputs */

enum { MEGABYTE = 1 << 20, VALUES_MAX = 32 };

struct values {
    size_t count;
    struct cel_value list[VALUES_MAX];
};

static void add(struct values *values, struct cel_value v)
{
    values->list[values->count++] = v;
}

/* `piece` over and over, up to `size` bytes, then `end`. */
static struct cel_value text(const char *piece, size_t size, const char *end)
{
    size_t length = strlen(piece), tail = strlen(end), count = length ? size / length : 0;
    char *made = arena_alloc(&arena, count * length + tail + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(made + i * length, piece, length);
    memcpy(made + count * length, end, tail);
    return cel_string((str){made, count * length + tail});
}

static struct cel_value of_kind(struct cel_value v, uint8_t kind)
{
    v.kind = kind;
    return v;
}

static struct cel_list *list_of(size_t count)
{
    struct cel_list *list = arena_alloc(&arena, sizeof *list + count * sizeof list->items[0]);
    list->count = count;
    return list;
}

static struct cel_value repeated(struct cel_value v, size_t count)
{
    struct cel_list *list = list_of(count);
    for (size_t i = 0; i < count; i++)
        list->items[i] = v;
    return list_value(list);
}

static struct cel_value numbers(uint8_t kind, size_t count)
{
    struct cel_list *list = list_of(count);
    for (size_t i = 0; i < count; i++) {
        uint64_t n = i * 2654435761u % 1000003;
        list->items[i] = kind == CEL_DOUBLE ? cel_double((double)n + 0.5) : cel_int((int64_t)n);
        list->items[i].kind = kind;
    }
    return list_value(list);
}

/* [[v, v], [v, v]] … so many levels deep: 2 to the `levels` leaves in a few bytes. */
static struct cel_value doubled(struct cel_value v, size_t levels)
{
    while (levels-- > 0)
        v = repeated(v, 2);
    return v;
}

static struct cel_value nested(size_t levels)
{
    struct cel_value v = cel_int(1);
    while (levels-- > 0)
        v = repeated(v, 1);
    return v;
}

static struct cel_value each_in_a_list(struct cel_value list)
{
    struct cel_list *made = list_of(list.as.list->count);
    for (size_t i = 0; i < made->count; i++)
        made->items[i] = repeated(list.as.list->items[i], 1);
    return list_value(made);
}

/* Between 2^62 and 2^63, 1,024 ints stand for one double: they have one hash. */
static struct cel_value one_hash(size_t i)
{
    return cel_int((1LL << 62) + (int64_t)i);
}

static struct cel_value long_key(size_t i)
{
    struct cel_value key = text("k", 50000, "");
    memcpy((char *)key.as.s + 49000, &i, sizeof i);
    return key;
}

static struct cel_value number_key(size_t i)
{
    return cel_int((int64_t)i * 7);
}

static struct cel_value map_of(size_t count, struct cel_value (*key)(size_t i))
{
    struct cel_map *map = cel_map_new(&arena, count);
    for (size_t i = 0; i < count; i++)
        map->entries[map->count++] = (struct cel_entry){key(i), cel_int(1)};
    cel_map_finish(&arena, map);
    return (struct cel_value){.kind = CEL_MAP, .as.map = map};
}

static struct cel_value holding(struct cel_value v)
{
    return (struct cel_value){.kind = CEL_OPTIONAL, .as.optional = arena_copy(&arena, &v, sizeof v)};
}

static struct values texts, lists, maps, ints, uints, doubles, any;

/* The worst first: where there are several parameters, only those are combined. */
static void make_texts(void)
{
    static const char *const short_ones[] = {
        "Europe/Paris",     "Nowhere/Town",      "%.1000f %.1000e %s %s", "2026-03-02T10:00:00.123456789Z",
        "[a-q][^u-z]{13}x", "aaaaaaaaaaaaaaaab",
    };
    add(&texts, text("a", MEGABYTE, ""));
    add(&texts, text("ab", 255, "c"));
    add(&texts, text("a", MEGABYTE - 1, "b"));
    add(&texts, text("", 0, ""));
    add(&texts, text("", 0, "(a?){300}(.a?){300}b$"));
    add(&texts, text("", 0, "\\pL{1000}"));
    add(&texts, text("\xC3\xA9", MEGABYTE, ""));
    add(&texts, text("a", 300000, "b"));
    add(&texts, text("\\pL|", 40000, "a"));
    add(&texts, text("\xE3\x80\x80", MEGABYTE / 2, ""));
    add(&texts, text("a", 1, ""));
    add(&texts, text("\xFF", MEGABYTE, ""));
    add(&texts, text("0", MEGABYTE, "1"));
    add(&texts, text("1h", MEGABYTE, ""));
    add(&texts, text("%s", 200000, ""));
    add(&texts, text("\"\n", MEGABYTE, ""));
    for (size_t i = 0; i < sizeof short_ones / sizeof short_ones[0]; i++)
        add(&texts, cel_string(str_of(short_ones[i])));
}

static void make_containers(void)
{
    add(&lists, numbers(CEL_INT, 200000));
    add(&lists, repeated(text("a", 1000, ""), 1000));
    add(&lists, doubled(cel_double(NAN), 60));
    add(&lists, repeated(map_of(16, long_key), 2000));
    add(&lists, each_in_a_list(numbers(CEL_INT, 20000)));
    add(&lists, repeated(text("a", MEGABYTE, ""), 200));
    add(&lists, repeated(cel_string(STR("a")), 100000));
    add(&lists, numbers(CEL_DOUBLE, 50000));
    add(&lists, doubled(cel_int(0), 60));
    add(&lists, nested(LIMIT_CEL_VALUE_DEPTH - 1));
    struct cel_list *alike = list_of(20000);
    for (size_t i = 0; i < alike->count; i++)
        alike->items[i] = one_hash(i);
    add(&lists, list_value(alike));
    add(&maps, map_of(100000, number_key));
    add(&maps, map_of(16, long_key));
    add(&maps, map_of(20, long_key));
    add(&maps, map_of(4000, one_hash));
}

static void make_values(void)
{
    static const double odd[] = {0, 1.5, 1e308, 5e-324, 1e-300, 123456789.123456789};
    static const int64_t whole[] = {200000, 0, -1, 5, 1LL << 40, (1LL << 62) + 3};
    make_texts();
    make_containers();
    for (size_t i = 0; i < 6; i++) {
        add(&doubles, cel_double(odd[i]));
        add(&ints, cel_int(whole[i]));
        add(&uints, cel_uint((uint64_t)whole[i]));
    }
    add(&doubles, cel_double(NAN));
    add(&any, text("a", MEGABYTE, ""));
    add(&any, text("a", MEGABYTE, "")); /* equal, elsewhere */
    add(&any, maps.list[0]);
    add(&any, maps.list[3]);
    add(&any, doubled(cel_int(0), 60));
    add(&any, doubled(cel_int(0), 60));
    for (size_t i = 0; i < lists.count; i++)
        add(&any, lists.list[i]);
    add(&any, one_hash(0));
    add(&any, cel_double(1.5));
    add(&any, holding(doubled(cel_int(0), 60)));
}

/* The values to try for a parameter. */
static struct values of_type(const struct cel_type *type)
{
    struct values made = {0};
    switch (type->kind) {
    case CEL_TYPE_STRING: return texts;
    case CEL_TYPE_BYTES:
        for (size_t i = 0; i < texts.count; i++)
            add(&made, of_kind(texts.list[i], CEL_BYTES));
        return made;
    case CEL_TYPE_INT: return ints;
    case CEL_TYPE_UINT: return uints;
    case CEL_TYPE_DOUBLE: return doubles;
    case CEL_TYPE_MAP: return maps;
    case CEL_TYPE_BOOL: add(&made, cel_bool(true)); return made;
    case CEL_TYPE_TIMESTAMP:
        add(&made, cel_timestamp_ms(1772445600120));
        add(&made, cel_timestamp_ms(-62135596800000));
        return made;
    case CEL_TYPE_DURATION: add(&made, cel_duration_ms(123456789)); return made;
    case CEL_TYPE_LIST:
        if (type->params[0]->kind == CEL_TYPE_OPTIONAL) {
            add(&made, repeated(holding(cel_int(1)), 100000));
        } else if (type->params[0]->kind == CEL_TYPE_UINT) {
            add(&made, numbers(CEL_UINT, 50000));
        } else {
            return lists;
        }
        return made;
    case CEL_TYPE_OPTIONAL: {
        struct values held = of_type(type->params[0]);
        add(&made, optional_none());
        for (size_t i = 0; i < held.count && i < VALUES_MAX - 1; i++)
            add(&made, holding(held.list[i]));
        return made;
    }
    default: return any;
    }
}

/* ---- a row */

struct worst {
    double seconds;
    size_t used, rounds, inputs[PARAMETERS_MAX];
};

/* What a loop does whose body is the call: it pays for its instructions, and goes on after errors. */
static size_t loop(const struct overload *row, const struct cel_value *arguments, size_t *used)
{
    struct cel_frame frame = {.scratch = &scratch};
    struct machine m = {
        .frame = &frame, .zones = zones, .rest = MACHINE_UNITS, .used_max = LIMIT_CEL_ARENA_BYTES};
    enum { NEXT_CALL_EXISTS = 3 };
    size_t rounds = 0;
    for (; machine_spend(&m, row->count + NEXT_CALL_EXISTS); rounds++)
        (void)func_run(&m, row->body, arguments);
    *used = scratch.used;
    arena_reset(&scratch);
    return rounds;
}

static struct worst worst_of(const struct overload *row)
{
    struct values values[PARAMETERS_MAX];
    size_t at[PARAMETERS_MAX] = {0}, combinations = 1;
    struct worst worst = {0};
    size_t most = row->count == 1 ? VALUES_MAX : row->count == 2 ? 7 : 4;
    for (size_t i = 0; i < row->count; i++) {
        values[i] = of_type(row->parameters[i]);
        if (values[i].count > most) values[i].count = most;
        combinations *= values[i].count;
    }
    for (size_t n = 0; n < combinations; n++) {
        struct cel_value arguments[PARAMETERS_MAX];
        size_t left = n;
        for (size_t i = 0; i < row->count; left /= values[i].count, i++)
            arguments[i] = values[i].list[at[i] = left % values[i].count];
        double begin = cpu_seconds();
        size_t used, rounds = loop(row, arguments, &used);
        double seconds = cpu_seconds() - begin;
        if (used > worst.used) worst.used = used;
        if (seconds <= worst.seconds) continue;
        worst.seconds = seconds;
        worst.rounds = rounds;
        memcpy(worst.inputs, at, sizeof at);
    }
    return worst;
}

struct sums {
    size_t passed, failed, above;
    double worst;
};

static void tell(struct sums *sums, double seconds, size_t used, str what)
{
    bool failed = seconds > MAX_SECONDS || used > MAX_BYTES;
    const char *mark = failed ? "FAILED" : seconds > BAR_SECONDS ? "above" : "";
    printf("%.3f s  %5zu kB  %-6s  %.*s", seconds, used >> 10, mark, STR_ARG(what));
    sums->failed += failed;
    sums->passed += !failed;
    sums->above += seconds > BAR_SECONDS;
    if (seconds > sums->worst) sums->worst = seconds;
}

static void rows(struct sums *sums, const char *only)
{
    for (size_t i = 0; i < func_row_count; i++) {
        const struct overload *row = &func_rows[i];
        str form = overload_form(&arena, row);
        if (only && !strstr(form.data, only)) continue;
        struct worst worst = worst_of(row);
        tell(sums, worst.seconds, worst.used, form);
        printf("  (%zu rounds of inputs", worst.rounds);
        for (size_t k = 0; k < row->count; k++)
            printf(" %zu", worst.inputs[k]);
        printf(")\n");
        fflush(stdout);
    }
}

/* ---- what is no function */

enum slot { TEXT, OTHER, ACCENTS, MANY, DOUBLED, ALIKE, FEW, HASHES, ANY, TAGS, SLOTS };

static const char *const expressions[] = {
    "many.exists(i, text == other)",
    "many.exists(i, text == other || text != other && i < 0)",
    "many.exists(i, text.startsWith(other))",
    "many.exists(i, text in [other, other + 'x'])",
    "many.exists(i, any in many)",
    "many.exists(i, i in many)",
    "many.exists(i, doubled == alike)",
    "many.exists(i, [doubled, i] == [alike, i])",
    "many.exists(i, '%s'.format([doubled]) == '')",
    "many.exists(i, '%s'.format([many]) == '')",
    "many.exists(i, '%s'.format([hashes]) == '')",
    "many.exists(i, '%.1000f%.1000e'.format([1.5e300, 2.5e-300]) == '')",
    "many.exists(i, '%x'.format([text]) == '')",
    "many.map(i, text + other).size()",
    "many.map(i, [doubled, doubled]).distinct().size()",
    "many.map(i, string(i) + 'x').distinct().size()",
    "many.map(i, double(i)).distinct().size()",
    "many.map(i, {'a': i}).distinct().size()",
    "hashes.transformMap(k, v, k).size()",
    "many.transformMapEntry(i, k, {string(k): i}).size()",
    "many.transformMapEntry(i, k, {uint(i) * 1024u + 4611686018427387904u: 1}).size()",
    "many.exists(i, hashes.exists(k, hashes[k] == 2))",
    "many.exists(i, few[text] == 1)",
    "many.exists(i, has(few.absent) && few.absent == 1)",
    "many.exists(i, few[?text].hasValue())",
    "many.exists(i, any.nothing == 1)",
    "many.exists(i, any[text] == 1)",
    "many.exists(i, text.matches('(a?){300}(.a?){300}b$'))",
    "many.exists(i, text.matches('[a-q][^u-z]{13}x'))",
    "tags.exists(t, text.matches(t))",
    "tags.exists(t, t.matches(t))",
    ("tags.exists(t, int(t) == 1 || double(t) == 1.0 || timestamp(t) == timestamp(0) || duration(t) == "
     "duration('1s'))"),
    "many.exists(i, timestamp(i).getHours(string(i)) == 99)",
    "many.exists(i, timestamp(i).getHours('Europe/Paris') == 99)",
    "many.exists(i, string(timestamp(i)) == string(double(i) + 0.1))",
    "many.exists(i, base64.decode(base64.encode(bytes(text))) == b'')",
    "many.exists(i, accents.substring(1000, 400000).reverse().trim().lowerAscii() == '')",
    "many.exists(i, accents.charAt(500000) == 'x' || accents.size() == 3)",
    "many.exists(i, text.split('').join(text) == '')",
    "many.exists(i, text.replace('a', '') == 'x')",
    "many.exists(i, text.lastIndexOf(other) == 5 || text.indexOf(other) == 5 || text.contains(other))",
    "many.exists(i, many.sort() == many || many.reverse() == many || many.slice(0, 100000) == many)",
    "many.exists(i, alike.flatten(60).size() == 3)",
    "many.exists(i, many.exists(j, many.exists(k, i + j + k < 0)))",
    "many.exists(i, optional.of(doubled) == optional.of(alike))",
    "many.exists(i, type(doubled) == type(i) || type(many) == type(i))",
    "many.map(i, many.map(j, optional.of(j))).size() > 1",
    "many.exists(i, strings.quote(text) == text)",
    "cel.bind(a, text, cel.bind(b, a + a, many.exists(i, a < b && b < a)))",
};

static struct cel_env *make_env(void)
{
    struct cel_env *env = cel_env_new(&arena, zones);
    const struct cel_type *string = &cel_types[CEL_TYPE_STRING], *number = &cel_types[CEL_TYPE_INT],
                          *dyn = &cel_types[CEL_TYPE_DYN];
    cel_env_add_variable(env, STR("text"), string, TEXT);
    cel_env_add_variable(env, STR("other"), string, OTHER);
    cel_env_add_variable(env, STR("accents"), string, ACCENTS);
    cel_env_add_variable(env, STR("many"), cel_list_of(&arena, number), MANY);
    cel_env_add_variable(env, STR("doubled"), cel_list_of(&arena, dyn), DOUBLED);
    cel_env_add_variable(env, STR("alike"), cel_list_of(&arena, dyn), ALIKE);
    cel_env_add_variable(env, STR("few"), cel_map_of(&arena, string, number), FEW);
    cel_env_add_variable(env, STR("hashes"), cel_map_of(&arena, number, number), HASHES);
    cel_env_add_variable(env, STR("any"), dyn, ANY);
    cel_env_add_variable(env, STR("tags"), cel_list_of(&arena, string), TAGS);
    return env;
}

static void fill_slots(struct cel_value slots[SLOTS])
{
    struct cel_list *tags = list_of(texts.count * 40);
    for (size_t i = 0; i < tags->count; i++)
        tags->items[i] = texts.list[i % texts.count];
    slots[TEXT] = text("a", 450000, "");
    slots[OTHER] = text("a", 449999, "b");
    slots[ACCENTS] = text("\xC3\xA9", MEGABYTE, "");
    slots[MANY] = numbers(CEL_INT, 200000);
    slots[DOUBLED] = doubled(cel_int(0), 60);
    slots[ALIKE] = doubled(cel_int(0), 60);
    slots[FEW] = map_of(16, long_key);
    slots[HASHES] = map_of(4000, one_hash);
    slots[ANY] = maps.list[0];
    slots[TAGS] = list_value(tags);
}

static void whole_expressions(struct sums *sums, const char *only)
{
    struct cel_value slots[SLOTS];
    struct cel_env *env = make_env();
    fill_slots(slots);
    for (size_t i = 0; i < sizeof expressions / sizeof expressions[0]; i++) {
        if (only && !strstr(expressions[i], only)) continue;
        struct diagnostics diag;
        diag_init(&diag, &arena);
        const struct cel_program *program =
            cel_compile(&arena, &arena, env, str_of(expressions[i]), (struct origin){0}, NULL, &diag);
        if (!program) {
            printf("FAILED  %s: %.*s\n", expressions[i], STR_ARG(diag.first->message));
            sums->failed++;
            continue;
        }
        struct cel_frame frame = {.slots = slots, .scratch = &scratch};
        double begin = cpu_seconds();
        struct cel_value v = cel_eval(program, &frame);
        double seconds = cpu_seconds() - begin;
        tell(sums, seconds, scratch.used, str_of(expressions[i]));
        printf("  (%s)\n", v.kind == CEL_ERROR ? frame.error : "a value");
        fflush(stdout);
        arena_reset(&scratch);
    }
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : NULL;
    struct sums sums = {0};
    arena_init(&arena, 0);
    arena_init(&scratch, 0);
    zones = zones_new(zone_file, &arena);
    make_values();
    rows(&sums, only);
    whole_expressions(&sums, only);
    printf("the worst %.3f s; %zu above the bar of %.1f s\n%zu passed, %zu failed\n", sums.worst, sums.above,
           BAR_SECONDS, sums.passed, sums.failed);
    zones_free(zones);
    arena_free(&scratch);
    arena_free(&arena);
    return sums.failed > 0;
}
