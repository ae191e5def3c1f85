/* Any bytes as a record, through one of the presets, or of a few mappings of formats and shapes that they do not use: native events as the reader of events reads them, dead letters with a
 * reason, or nothing; the same record gives the same a second time. The first byte says which preset. */
#include "base/ensure.h"
#include "event/event.h"
#include "zones.h"

#include <relance/mapping.h>
#include <dirent.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PRESETS_MAX = 32, EVENTS_MAX = 128 };

static struct arena kept;
static struct relance_mapping *presets[PRESETS_MAX];
static size_t preset_count;
static struct event_reader *reader;
static const struct event_schema *schema;

/* clang-format off */
#define EACH "\"each\": {\"type\": \"x\", \"customer\": \"c\"}, \"events\": {\"*\": "
static const char *const others[] = {
    "{\"format\": \"csv\", \"csv\": {\"separator\": \";\", \"tz\": \"Europe/Berlin\", \"group\": \"record.a\"}, "
    "\"record\": {\"a\": \"string\", \"b\": {\"$number\": \",\"}, \"t\": {\"$time\": [\"%d.%m.%Y %H:%M\", \"%s\"]}}, " EACH
    "{\"time\": \"${record.a}\", \"at\": \"${record.t}\", \"rows\": [{\"for\": \"r in rows\", \"b\": \"${r.b}\"}], \"from\": \"record\"}}}",
    "{\"format\": \"csv\", \"csv\": {\"separator\": \"blanks\", \"header\": [\"a\", \"b\"]}, \"record\": {\"a\": \"int\", \"b\": \"string\"}, "
    EACH "{\"a\": \"${record.a}\", \"b\": \"${record.b}\"}}}",
    "{\"format\": \"snowplow-tsv\", \"record\": {\"app_id\": \"string\", \"contexts_com_acme_a_1\": [{\"n\": \"int\"}]}, "
    EACH "{\"n\": \"${record.contexts_com_acme_a_1[0].n}\", \"from\": \"record\"}}}",
    "{\"format\": \"form\", \"record\": {\"a\": {\"$form\": {\"b\": [\"string\"], \"c\": {\"$text\": {\"$map\": \"string\"}}}}, \"l\": [\"string\"]}, "
    EACH "{\"b\": \"${record.a.b}\", \"c\": \"${record.a.c}\", \"l\": \"${record.l}\", \"from\": \"record\"}}}",
};
/* clang-format on */

static struct relance_mapping *compile(const char *name, str text)
{
    const struct relance_source source = {.name = str_of(name), .text = text};
    const struct relance_mapping_host host = {.zone_load = zone_file, .zone_context = &kept};
    struct relance_mapping *mapping = NULL;
    struct relance_report *report;
    struct relance_error error;
    ensure(relance_mapping_compile(&source, &host, &mapping, &report, &error) == RELANCE_OK);
    relance_report_free(report);
    return mapping;
}

static void begin(void)
{
    struct dirent **entries;
    int count = scandir(PRESETS_DIR, &entries, NULL, alphasort);
    arena_init(&kept, 0);
    for (int i = 0; i < count; i++) {
        if (strstr(entries[i]->d_name, ".jsonc") && preset_count < PRESETS_MAX)
            presets[preset_count++] = compile(
                entries[i]->d_name,
                suite_file(&kept, arena_format(&kept, "%s/%s", PRESETS_DIR, entries[i]->d_name).data));
        free(entries[i]);
    }
    free(entries);
    ensure(preset_count);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        presets[preset_count++] = compile("other", str_of(others[i]));
    static struct event_type none = {.name = STR("none")};
    schema = event_schema_new(&kept, &none, 1);
    reader = event_reader_new();
}

/* What a mapping gives is an event to whoever reads it: nothing of it may be a dead letter again. */
static void check_item(const struct relance_mapped_item *item)
{
    struct cel_value slots[1];
    struct event event;
    ensure((item->event.size > 0) != (item->reason.size > 0));
    if (!item->event.size) return;
    ensure(item->customer.size > 0);
    enum event_dead dead = event_read(reader, schema, item->event, slots, &event);
    ensure(dead == EVENT_ALIVE);
    ensure(item->is_visitor || str_equal(event.customer, item->customer));
}

static str copy(struct arena *arena, str text)
{
    str out;
    ensure(arena_copy_str(arena, text, &out));
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!preset_count) begin();
    if (!size) return 0;
    const struct relance_header headers[] = {{STR("x-shopify-topic"), STR("orders/create")},
                                             {STR("ce_type"), STR("com.shop.order")},
                                             {STR("ce_id"), STR("1")},
                                             {STR("ce_source"), STR("/shop")},
                                             {STR("ce_specversion"), STR("1.0")}};
    const struct relance_foreign record = {.topic = STR("t"),
                                           .key = STR("k"),
                                           .value = {(const char *)data + 1, size - 1},
                                           .headers = headers,
                                           .header_count =
                                               data[0] & 0x80 ? sizeof headers / sizeof *headers : 1};
    struct relance_mapping *mapping = presets[(data[0] & 0x7f) % preset_count];
    struct relance_mapped mapped;
    struct arena arena;
    str events[EVENTS_MAX];
    arena_init(&arena, 0);
    ensure(relance_mapping_map(mapping, &record, &mapped) == RELANCE_OK);
    ensure(mapped.count <= EVENTS_MAX);
    ensure((mapped.kind == RELANCE_UNREADABLE) == (mapped.reason.size > 0));
    size_t count = mapped.count;
    for (size_t i = 0; i < count; i++) {
        check_item(&mapped.items[i]);
        events[i] = copy(&arena, mapped.items[i].event);
    }
    ensure(relance_mapping_map(mapping, &record, &mapped) == RELANCE_OK);
    ensure(mapped.count == count);
    for (size_t i = 0; i < count; i++)
        ensure(str_equal(events[i], mapped.items[i].event));
    arena_free(&arena);
    return 0;
}
