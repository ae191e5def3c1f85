/* Reads one record: copy, index (simdjson), one walk over the tokens, values straight into slots.
 *
 *     record -> text (padded copy) -> tokens -> walk -> envelope into *event, fields into slots
 *
 * The copy is what strings point into; it is also what makes a record whose memory ends with it readable in
 * whole words. Strings with escapes are decoded into a second room of the same size.
 *
 * The walk knows what a member means only once it knows the type. `type` comes first or second nearly always;
 * where a field comes before it, or a second `type` after it, the record is walked once more with the type
 * that the first walk has found. Of equal keys the last one wins, in the envelope too.
 *
 * Invariant: a record that is alive has been walked to its end, every token of it, so it is JSON. */
#include "event/coerce.h"
#include "event/schema.h"
#include "cel/cel.h"
#include "json/loader.h"

#include "base/ensure.h"
#include "base/limits.h"
#include "base/rfc3339.h"

enum { VALUES_KEPT = 4 << 20 }; /* bytes of values for which a reader stays warm */

struct event_reader {
    struct arena keep;   /* this very struct, buffers, the stack: only ever grows */
    struct arena values; /* of the present event */
    struct json_loader loader;
    struct cel_value *stack;
    size_t stack_capacity;
    struct relance_misfit misfits[RELANCE_MISFITS_MAX]; /* of the present event */
};

struct event_reader *event_reader_new(void)
{
    struct arena keep;
    arena_init(&keep, 0);
    struct event_reader *reader = ARENA_NEW(&keep, struct event_reader);
    if (!reader) return NULL;
    reader->keep = keep;
    arena_init(&reader->values, 0);
    if (json_loader_init(&reader->loader, &reader->keep)) return reader;
    event_reader_free(reader);
    return NULL;
}

void event_reader_free(struct event_reader *reader)
{
    if (!reader) return;
    json_loader_free(&reader->loader);
    arena_free(&reader->values);
    struct arena keep = reader->keep; /* frees `reader` itself */
    arena_free(&keep);
}

enum finding { MISSING, FOUND, WRONG };

/* One reading of one record. */
struct reading {
    struct coercion c;
    const struct event_schema *schema;
    struct cel_value *slots;
    struct event *event;
    const struct event_type *applied; /* the type under which members are read; NULL: none, or undeclared */
    const struct key_table *members;  /* what a key means under it */
    enum finding found[ENVELOPE_COUNT];
    bool type_fixed; /* the second walk: `type` is known and read no more */
    bool again;      /* something was read under another type than the record's */
};

/* A text, or a number as its text, of at most LIMIT_ID_BYTES. */
static enum finding read_identity(struct coercion *c, str *out)
{
    struct scan_value v = scan_value(&c->scan);
    *out = (str){0};
    if (v.kind == SCAN_NULL) return MISSING;
    if ((v.kind != SCAN_STRING && v.kind != SCAN_NUMBER) || v.text.size > LIMIT_ID_BYTES) return WRONG;
    *out = v.text;
    return FOUND;
}

static enum finding read_id(struct reading *r)
{
    return read_identity(&r->c, &r->event->id);
}

static enum finding read_customer(struct reading *r)
{
    enum finding found = read_identity(&r->c, &r->event->customer);
    return found == FOUND && r->event->customer.size == 0 ? WRONG : found;
}

/* What trackers send who do not know the visitor: a word, or nothing but zeros and dashes. */
bool event_names_nobody(str visitor)
{
    static const str words[] = {STR("null"), STR("undefined"), STR("anonymous"), STR("-1")};
    size_t blank = 0;
    while (blank < visitor.size && (visitor.data[blank] == '0' || visitor.data[blank] == '-'))
        blank++;
    bool nobody = blank == visitor.size; /* the empty one, too */
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        nobody |= str_equal(visitor, words[i]);
    return nobody;
}

/* What is no visitor is none: a visitor is made by a tracker, and the event is right without. */
static enum finding read_visitor(struct reading *r)
{
    enum finding found = read_identity(&r->c, &r->event->visitor);
    if (found == FOUND && !event_names_nobody(r->event->visitor)) return FOUND;
    r->event->visitor = (str){0};
    return MISSING;
}

/* A number of a size below this, in an event's `time`, is seconds: as milliseconds it would lie within three years of
 * 1970, as seconds it reaches the year 5138. */
#define SECONDS_BELOW 100000000000

/* Seconds as milliseconds, rounded down; false: the number is too large to be seconds. */
static bool as_seconds(const struct json_number *number, int64_t *ms)
{
    struct json_number thousandfold = *number;
    int64_t floor;
    thousandfold.exponent += 3;
    if (!json_number_floor(&thousandfold, &floor)) return false;
    if (floor <= -SECONDS_BELOW * 1000 || floor >= SECONDS_BELOW * 1000) return false;
    *ms = floor;
    return true;
}

static enum finding read_time(struct reading *r)
{
    struct scan_value v = scan_value(&r->c.scan);
    r->event->has_time = false;
    if (v.kind == SCAN_NULL) return MISSING;
    int64_t ms;
    if (v.kind == SCAN_NUMBER && as_seconds(&r->c.scan.number, &ms))
        r->event->has_time = ms >= RFC3339_MS_MIN && ms <= RFC3339_MS_MAX;
    else
        r->event->has_time = coerce_instant(&r->c, &v, &ms);
    r->event->time_ms = r->event->has_time ? ms : 0;
    return r->event->has_time ? FOUND : WRONG;
}

/* All but the scan, which each walk begins for itself. */
static void reading_begin(struct reading *r, struct event_reader *reader, const struct event_schema *schema,
                          struct cel_value *slots, struct event *event)
{
    r->c.values = &reader->values;
    r->c.keep = &reader->keep;
    r->c.stack = reader->stack;
    r->c.stack_count = 0;
    r->c.stack_capacity = reader->stack_capacity;
    r->c.no_memory = false;
    r->c.invalid = 0;
    r->c.misfits = reader->misfits;
    r->schema = schema;
    r->slots = slots;
    r->event = event;
    for (int i = 0; i < ENVELOPE_COUNT; i++)
        r->found[i] = MISSING;
    r->type_fixed = r->again = false;
}

/* From here on, members are those of `type`. */
static void apply_type(struct reading *r, const struct event_type *type)
{
    r->applied = type;
    r->members = schema_members(r->schema, type);
    if (type) event_clear(type, r->slots);
}

static enum finding read_type(struct reading *r)
{
    struct scan_value v = scan_value(&r->c.scan);
    r->event->type_name = v.kind == SCAN_STRING ? v.text : (str){0};
    if (r->type_fixed) return r->found[ENVELOPE_TYPE];
    bool first = r->found[ENVELOPE_TYPE] == MISSING;
    r->event->type = v.kind == SCAN_STRING ? schema_find(r->schema, v.text) : NULL;
    r->again |= !first;
    if (first) apply_type(r, r->event->type);
    return v.kind == SCAN_STRING ? FOUND : v.kind == SCAN_NULL ? MISSING : WRONG;
}

static void read_field(struct reading *r, const struct event_field *field)
{
    struct cel_value value = coerce_field(&r->c, field->name, field->type);
    if (value.kind == CEL_NULL && !r->applied->keep_null) value.kind = CEL_ABSENT;
    if (field->slot != CEL_NO_SLOT) r->slots[field->slot] = value;
}

typedef enum finding envelope_read(struct reading *r);

static envelope_read *const envelope_reads[ENVELOPE_COUNT] = {
    [ENVELOPE_ID] = read_id,           [ENVELOPE_TYPE] = read_type, [ENVELOPE_CUSTOMER] = read_customer,
    [ENVELOPE_VISITOR] = read_visitor, [ENVELOPE_TIME] = read_time,
};

static void read_member(struct reading *r)
{
    uint32_t number = key_find(r->members, scan_key(&r->c.scan));
    if (number < ENVELOPE_COUNT) {
        r->found[number] = envelope_reads[number](r);
    } else if (number != KEY_NONE) {
        read_field(r, &r->applied->fields[number - ENVELOPE_COUNT]);
    } else {
        r->again |= r->found[ENVELOPE_TYPE] == MISSING;
        scan_skip(&r->c.scan);
    }
}

static void walk(struct reading *r)
{
    if (scan_peek(&r->c.scan) == '{') /* otherwise something is left: no object */
        for (bool more = scan_open(&r->c.scan); more; more = scan_more(&r->c.scan, '}'))
            read_member(r);
    scan_finish(&r->c.scan);
}

/* Does it belong to a visitor who is nobody's yet? */
static bool is_a_visitors(const struct reading *r)
{
    return r->found[ENVELOPE_CUSTOMER] == MISSING && r->found[ENVELOPE_VISITOR] == FOUND;
}

/* What is wrong with a record that has been walked, the worst first. */
static enum event_dead verdict(const struct reading *r)
{
    if (r->c.no_memory) return EVENT_NO_MEMORY;
    if (r->c.scan.fault == SCAN_TOO_DEEP) return EVENT_DEAD_DEPTH;
    if (r->c.scan.fault != SCAN_OK) return EVENT_DEAD_JSON;
    if (r->found[ENVELOPE_TYPE] != FOUND) return EVENT_DEAD_TYPE;
    if (r->found[ENVELOPE_CUSTOMER] != FOUND && !is_a_visitors(r)) return EVENT_DEAD_CUSTOMER;
    if (r->found[ENVELOPE_ID] == WRONG) return EVENT_DEAD_ID;
    if (r->found[ENVELOPE_TIME] == WRONG) return EVENT_DEAD_TIME;
    return EVENT_ALIVE;
}

/* Walks the tokens; twice where the first walk has found the type too late. */
static enum event_dead read_tokens(struct event_reader *reader, struct reading *r)
{
    json_loader_begin(&reader->loader, &r->c.scan, LIMIT_EVENT_DEPTH);
    apply_type(r, NULL);
    walk(r);
    enum event_dead dead = verdict(r);
    if (dead == EVENT_ALIVE && r->again) {
        if (r->applied) event_clear(r->applied, r->slots);
        apply_type(r, r->event->type);
        r->type_fixed = true;
        r->c.invalid = 0;
        json_loader_begin(&reader->loader, &r->c.scan, LIMIT_EVENT_DEPTH);
        walk(r);
        dead = verdict(r);
    }
    if (dead != EVENT_ALIVE && r->applied) event_clear(r->applied, r->slots);
    return dead;
}

static enum event_dead load_record(struct event_reader *reader, str json)
{
    if (json.size > LIMIT_EVENT_BYTES) return EVENT_DEAD_SIZE;
    switch (json_load(&reader->loader, json)) {
    case JSON_INDEX_OK: return EVENT_ALIVE;
    case JSON_INDEX_BROKEN: return EVENT_DEAD_JSON;
    case JSON_INDEX_NOT_UTF8: return EVENT_DEAD_UTF8;
    case JSON_INDEX_NO_MEMORY: break;
    }
    return EVENT_NO_MEMORY;
}

/* The last event goes. A giant's memory goes with it: few bytes can make large records of many fields. */
static void reader_forget(struct event_reader *reader)
{
    if (reader->values.used > VALUES_KEPT)
        arena_free(&reader->values);
    else
        arena_reset(&reader->values);
}

enum event_dead event_read(struct event_reader *reader, const struct event_schema *schema, str json,
                           struct cel_value *slots, struct event *event)
{
    *event = (struct event){0};
    reader_forget(reader);
    enum event_dead dead = load_record(reader, str_skip_mark(json));
    if (dead != EVENT_ALIVE) return dead;
    struct reading r;
    reading_begin(&r, reader, schema, slots, event);
    dead = read_tokens(reader, &r);
    event->fields_invalid = r.c.invalid;
    event->misfits = reader->misfits;
    event->misfit_count = r.c.invalid < RELANCE_MISFITS_MAX ? r.c.invalid : RELANCE_MISFITS_MAX;
    reader->stack = r.c.stack;
    reader->stack_capacity = r.c.stack_capacity;
    return dead;
}

enum event_dead event_split(struct event_reader *reader, str json, str *texts, size_t most, size_t *count)
{
    struct scan scan;
    *count = 0;
    json = str_skip_mark(json);
    enum event_dead dead = load_record(reader, json);
    if (dead != EVENT_ALIVE) return dead;
    json_loader_begin(&reader->loader, &scan, LIMIT_EVENT_DEPTH);
    bool too_many = false;
    for (bool more = scan_open(&scan); more; more = scan_more(&scan, ']')) {
        const uint32_t *from = scan.next;
        if (scan_peek(&scan) != '{') scan_fail(&scan, SCAN_BROKEN, *from);
        scan_skip(&scan);
        if (scan.fault != SCAN_OK) break;
        str text = scan_since(&scan, from);
        if (*count < most)
            texts[(*count)++] = (str){json.data + (text.data - reader->loader.text), text.size};
        else
            too_many = true;
    }
    if (scan_finish(&scan) == SCAN_OK && !too_many) return EVENT_ALIVE;
    *count = 0;
    if (scan.fault == SCAN_OK) return EVENT_DEAD_MAPPING;
    return scan.fault == SCAN_TOO_DEEP ? EVENT_DEAD_DEPTH : EVENT_DEAD_JSON;
}

static bool coerce_text(struct event_reader *reader, struct arena *arena, str json,
                        const struct cel_type *type, struct cel_value *out)
{
    /* Strings point into the text, and outlive the reader: it is copied to the arena, with its room. */
    char *room = arena_alloc(arena, json.size);
    char *copy = arena_alloc(arena, json.size + JSON_PADDING);
    if (!room || !copy) return false;
    enum event_dead dead = load_record(reader, json);
    if (dead == EVENT_NO_MEMORY) return false;
    if (dead != EVENT_ALIVE) {
        out->kind = CEL_ABSENT;
        return false;
    }
    memcpy(copy, reader->loader.text, json.size + JSON_PADDING);
    struct coercion c = {.values = arena, .keep = arena};
    scan_begin(&c.scan, (str){copy, json.size}, reader->loader.tokens, reader->loader.count, room,
               LIMIT_EVENT_DEPTH);
    struct cel_value value = coerce(&c, type);
    if (c.no_memory) return false;
    *out = value;
    return scan_finish(&c.scan) == SCAN_OK && value.kind != CEL_ABSENT;
}

bool event_coerce_json_by(struct event_reader *reader, struct arena *arena, str json,
                          const struct cel_type *type, struct cel_value *out)
{
    *out = (struct cel_value){.kind = CEL_ERROR, .code = CEL_ERROR_MEMORY};
    return reader && coerce_text(reader, arena, json, type, out);
}

bool event_coerce_json(struct arena *arena, str json, const struct cel_type *type, struct cel_value *out)
{
    struct event_reader *reader = event_reader_new();
    bool coerced = event_coerce_json_by(reader, arena, json, type, out);
    event_reader_free(reader);
    return coerced;
}
