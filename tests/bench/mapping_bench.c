/* What a mapping costs: ns a record, all in, of an order of two items in Segment's form with its context through the preset
 * that ships, beside what reading a native event of as many bytes costs, whose context is passed over.
 *
 *     mapping_bench [ROUNDS]
 *
 * CPU time, so that a busy machine disturbs less. The two take turns, round by round, and the median round counts. Heap
 * allocations are counted over the last round of each. */
#include "allocations.h"
#include "event/event.h"
#include "zones.h"

#include <relance/mapping.h>
#include <stdio.h>
#include <time.h>

enum { ROUNDS_MAX = 101, RECORDS = 20000, SLOTS = 8 };

#define CONTEXT                                                                                              \
    "\"context\":{\"library\":{\"name\":\"analytics.js\",\"version\":\"next-1.70.0\"},\"locale\":\"en-US\"," \
    "\"userAgent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "                \
    "Chrome/126.0.0.0 Safari/537.36\",\"page\":{\"path\":\"/checkout/done\",\"referrer\":"                   \
    "\"https://shop.example/checkout\",\"search\":\"?utm_source=news\",\"title\":\"Thank you\",\"url\":"     \
    "\"https://shop.example/checkout/done?utm_source=news\"},\"campaign\":{\"name\":\"Spring\",\"source\":"  \
    "\"news\",\"medium\":\"email\"},\"timezone\":\"Europe/Berlin\",\"ip\":\"192.0.2.7\",\"screen\":"         \
    "{\"width\":1920,\"height\":1080,\"density\":1.5},\"os\":{\"name\":\"Linux\",\"version\":\"\"},"         \
    "\"userAgentData\":{\"brands\":[{\"brand\":\"Chromium\",\"version\":\"126\"},{\"brand\":\"Not A\","      \
    "\"version\":\"8\"}],\"mobile\":false,\"platform\":\"Linux\"}},\"integrations\":{\"All\":true}"

static const char foreign[] =
    "{\"type\":\"track\",\"event\":\"Order "
    "Completed\",\"messageId\":\"ajs-next-1719-0a1b2c3d\",\"timestamp\":"
    "\"2026-03-02T10:00:00.123Z\",\"receivedAt\":\"2026-03-02T10:00:01.000Z\",\"userId\":\"4711\","
    "\"anonymousId\":\"5f0c4b52-9d1c-4d0e-8e1d-6f4c39a1d2aa\",\"properties\":{\"order_id\":\"o-50314b8e\","
    "\"total\":65.5,\"revenue\":60,\"shipping\":5.5,\"currency\":\"EUR\",\"coupon\":\"SPRING\",\"products\":["
    "{\"product_id\":\"tent\",\"sku\":\"G-32\",\"name\":\"Tent for two\",\"price\":40,\"quantity\":1,"
    "\"category\":\"Outdoor\"},{\"product_id\":\"mat\",\"sku\":\"G-33\",\"name\":\"Mat\",\"price\":10,"
    "\"quantity\":2,\"category\":\"Outdoor\"}]}," CONTEXT "}";

/* As many bytes: what Segment's names take more stands in `rest`. */
static const char native[] =
    "{\"type\":\"purchase\",\"id\":\"ajs-next-1719-0a1b2c3d\",\"customer\":\"4711\",\"time\":"
    "\"2026-03-02T10:00:00.123Z\",\"order\":\"o-50314b8e\",\"cart\":\"cart\",\"total\":65.5,\"currency\":"
    "\"EUR\",\"coupon\":\"SPRING\",\"items\":[{\"product\":\"tent\",\"name\":\"Tent for two\",\"price\":40,"
    "\"qty\":1},{\"product\":\"mat\",\"name\":\"Mat\",\"price\":10,\"qty\":2}]," CONTEXT ",\"rest\":\"";

struct bench {
    struct arena arena;
    struct relance_mapping *mapping;
    struct event_reader *reader;
    const struct event_schema *schema;
    str foreign, native;
    double map_ns[ROUNDS_MAX], read_ns[ROUNDS_MAX];
    size_t map_asked, read_asked; /* allocations of the last round */
};

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct event_schema *purchase_schema(struct arena *arena)
{
    static struct event_field fields[6];
    static struct cel_field items[4];
    static struct event_type type;
    const struct cel_type *text = &cel_types[CEL_TYPE_STRING], *number = &cel_types[CEL_TYPE_DOUBLE];
    items[0] = (struct cel_field){STR("product"), text};
    items[1] = (struct cel_field){STR("name"), text};
    items[2] = (struct cel_field){STR("price"), number};
    items[3] = (struct cel_field){STR("qty"), &cel_types[CEL_TYPE_INT]};
    static struct cel_record_type item = {.field_count = 4, .fields = items};
    item.name = STR("item");
    fields[0] = (struct event_field){STR("order"), text, 0};
    fields[1] = (struct event_field){STR("cart"), text, 1};
    fields[2] = (struct event_field){STR("total"), number, 2};
    fields[3] = (struct event_field){STR("currency"), text, 3};
    fields[4] = (struct event_field){STR("coupon"), text, 4};
    fields[5] = (struct event_field){STR("items"), cel_list_of(arena, cel_record_of(arena, &item)), 5};
    type = (struct event_type){.name = STR("purchase"), .field_count = 6, .fields = fields};
    return event_schema_new(arena, &type, 1);
}

static bool no_preset(void *context, struct relance_str name, struct relance_str *text)
{
    (void)context, (void)name, (void)text;
    return false;
}

static struct relance_mapping *compile(struct arena *arena)
{
    const struct relance_source source = {
        .name = STR("segment"), .text = suite_file(arena, SOURCE_DIR "/rules/presets/segment.jsonc")};
    const struct relance_mapping_host host = {no_preset, NULL, zone_file, arena};
    struct relance_mapping *mapping = NULL;
    struct relance_report *report;
    struct relance_error error = {0};
    if (relance_mapping_compile(&source, &host, &mapping, &report, &error) != RELANCE_OK)
        fprintf(stderr, "mapping_bench: %s\n", error.message);
    relance_report_free(report);
    return mapping;
}

/* Each returns how many records became no event. */
static size_t map_all(struct bench *b, double *ns)
{
    const struct relance_foreign record = {.topic = STR("segment"), .value = b->foreign};
    struct relance_mapped mapped;
    size_t lost = 0;
    double begin = cpu_ns();
    for (int i = 0; i < RECORDS; i++) {
        bool done = relance_mapping_map(b->mapping, &record, &mapped) == RELANCE_OK;
        lost += !done || mapped.count != 1 || !mapped.items[0].event.size || mapped.fields_invalid;
    }
    *ns = (cpu_ns() - begin) / RECORDS;
    return lost;
}

static size_t read_all(struct bench *b, double *ns)
{
    struct cel_value slots[SLOTS];
    struct event event;
    size_t lost = 0;
    double begin = cpu_ns();
    for (int i = 0; i < RECORDS; i++)
        lost +=
            event_read(b->reader, b->schema, b->native, slots, &event) != EVENT_ALIVE || event.fields_invalid;
    *ns = (cpu_ns() - begin) / RECORDS;
    return lost;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static size_t run(struct bench *b, int rounds)
{
    size_t lost = 0;
    for (int round = 0; round < rounds; round++) {
        size_t before = allocations;
        lost += map_all(b, &b->map_ns[round]);
        b->map_asked = allocations - before;
        before = allocations;
        lost += read_all(b, &b->read_ns[round]);
        b->read_asked = allocations - before;
    }
    qsort(b->map_ns, (size_t)rounds, sizeof b->map_ns[0], by_value);
    qsort(b->read_ns, (size_t)rounds, sizeof b->read_ns[0], by_value);
    return lost;
}

/* The native event with its last member, filled to the size of the foreign one. */
static str filled(struct arena *arena)
{
    size_t size = sizeof foreign - 1, begun = sizeof native - 1;
    char *text = arena_alloc(arena, size + 1);
    if (begun + 2 > size) return (str){0};
    memset(text, 'x', size);
    memcpy(text, native, begun);
    memcpy(text + size - 2, "\"}", 2);
    return (str){text, size};
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 21;
    if (rounds < 1 || rounds > ROUNDS_MAX) rounds = ROUNDS_MAX;
    static struct bench b;
    arena_init(&b.arena, 0);
    b.mapping = compile(&b.arena);
    b.reader = event_reader_new();
    b.schema = purchase_schema(&b.arena);
    b.foreign = (str){foreign, sizeof foreign - 1};
    b.native = filled(&b.arena);
    if (!b.mapping || !b.reader || !b.schema || !b.native.size) return 2;
    allocations_watch();
    size_t lost = run(&b, rounds);
    double map = b.map_ns[rounds / 2], read = b.read_ns[rounds / 2];
    printf("an order of two items, %zu bytes, %zu lost\n", b.foreign.size, lost);
    printf("through segment's preset: %.0f ns (median of %d rounds, best %.0f), %zu allocations\n", map,
           rounds, b.map_ns[0], b.map_asked);
    printf("as a native event:        %.0f ns (best %.0f), %zu allocations\n", read, b.read_ns[0],
           b.read_asked);
    printf("the mapping:              %.0f ns more\n", map - read);
    relance_mapping_free(b.mapping);
    event_reader_free(b.reader);
    arena_free(&b.arena);
    return lost != 0;
}
