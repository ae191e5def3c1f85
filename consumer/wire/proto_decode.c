#include "wire/proto_type.h"
#include "base/limits.h"
#include "base/rfc3339.h"
#include "cel/cel.h"

/* How a value is framed: the three lowest bits of what stands before it. */
enum { FRAME_VARINT = 0, FRAME_64 = 1, FRAME_SIZED = 2, FRAME_GROUP = 3, FRAME_GROUP_END = 4, FRAME_32 = 5 };

/* Slots of fields that a record may make us look at, over all its messages. */
enum { PROTO_STEPS = 10000000 };

static const unsigned frames[PROTO_KINDS] = {
    [PROTO_DOUBLE] = FRAME_64,     [PROTO_FIXED64] = FRAME_64,
    [PROTO_SFIXED64] = FRAME_64,   [PROTO_FLOAT] = FRAME_32,
    [PROTO_FIXED32] = FRAME_32,    [PROTO_SFIXED32] = FRAME_32,
    [PROTO_STRING] = FRAME_SIZED,  [PROTO_BYTES] = FRAME_SIZED,
    [PROTO_MESSAGE] = FRAME_SIZED, /* others: varints */
};

/* A value where it stands in the record. */
struct proto_value {
    unsigned frame;
    uint64_t number;
    str bytes; /* of FRAME_SIZED */
};

struct proto_seen {
    struct proto_seen *next; /* of the same field */
    struct proto_value value;
};

/* A message that is being written. */
struct proto_open {
    const struct proto_message *message;
    struct arena *scratch;
    struct proto_slot {
        struct proto_seen *first, *last;
    } * slots; /* one a field */
    const struct proto_field *newest;
};

static bool put_message(struct wire_run *run, struct arena *scratch, const struct proto_message *message,
                        str bytes);

/* ---- Gathering: where the fields of a message are. */

static bool take_fixed(struct wire_run *run, size_t size, uint64_t *number)
{
    const unsigned char *bytes = wire_take(run, size);
    if (bytes) *number = wire_little_endian(bytes, size);
    return bytes != NULL;
}

static bool take_sized(struct wire_run *run, str *out)
{
    uint64_t size;
    if (!wire_take_varint(run, &size)) return false;
    const unsigned char *bytes = wire_take(run, size);
    *out = (str){(const char *)bytes, bytes ? (size_t)size : 0};
    return bytes != NULL;
}

/* A value of any frame but a group. */
static bool take_value(struct wire_run *run, unsigned frame, struct proto_value *value)
{
    *value = (struct proto_value){.frame = frame};
    switch (frame) {
    case FRAME_VARINT: return wire_take_varint(run, &value->number);
    case FRAME_64: return take_fixed(run, 8, &value->number);
    case FRAME_32: return take_fixed(run, 4, &value->number);
    case FRAME_SIZED: return take_sized(run, &value->bytes);
    default: return wire_fail(run, WIRE_FAULT_FORMAT, "a field of a kind that does not exist");
    }
}

static bool take_tag(struct wire_run *run, uint32_t *number, unsigned *frame)
{
    uint64_t tag;
    if (!wire_take_varint(run, &tag)) return false;
    *number = (uint32_t)(tag >> 3);
    *frame = tag & 7;
    return (tag <= UINT32_MAX && *number > 0) ||
           wire_fail(run, WIRE_FAULT_FORMAT, "a field of a number that does not exist");
}

/* Passes over all that belongs to a group, whose beginning has been read. */
static bool skip_group(struct wire_run *run, uint32_t group, unsigned depth)
{
    uint32_t number;
    unsigned frame;
    struct proto_value ignored;
    if (depth == LIMIT_EVENT_DEPTH) return wire_fail(run, WIRE_FAULT_DEPTH, "groups nested too deep");
    while (take_tag(run, &number, &frame)) {
        if (frame == FRAME_GROUP_END)
            return number == group || wire_fail(run, WIRE_FAULT_FORMAT, "a group that ends as another");
        bool passed =
            frame == FRAME_GROUP ? skip_group(run, number, depth + 1) : take_value(run, frame, &ignored);
        if (!passed) return false;
    }
    return false;
}

/* The field of that number; NULL: the schema has none. */
static const struct proto_field *field_find(const struct proto_message *message, uint32_t number)
{
    size_t low = 0, high = message->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct proto_field *field = &message->fields[message->by_number[middle]];
        if (field->number == number) return field;
        if (field->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Lists of numbers may be packed, all of them in one value. A value in another frame is not the field's. */
static bool frame_fits(const struct proto_field *field, unsigned frame)
{
    return frame == frames[field->kind] || (field->repeated && frame == FRAME_SIZED);
}

static bool keep(struct wire_run *run, struct proto_open *open, const struct proto_field *field,
                 const struct proto_value *value)
{
    struct proto_slot *slot = &open->slots[field - open->message->fields];
    struct proto_seen *seen = ARENA_NEW(open->scratch, struct proto_seen);
    if (!seen) return wire_fail(run, WIRE_FAULT_MEMORY, "no memory");
    seen->value = *value;
    if (slot->last)
        slot->last->next = seen;
    else
        slot->first = seen;
    slot->last = seen;
    open->newest = field;
    return true;
}

static bool gather_field(struct wire_run *run, struct proto_open *open)
{
    uint32_t number;
    unsigned frame;
    struct proto_value value;
    if (!take_tag(run, &number, &frame)) return false;
    if (frame == FRAME_GROUP) return skip_group(run, number, 0);
    if (!take_value(run, frame, &value)) return false;
    const struct proto_field *field = field_find(open->message, number);
    return !field || !frame_fits(field, frame) || keep(run, open, field, &value);
}

/* Notes where the fields of the message `bytes` are. */
static bool gather(struct wire_run *run, struct proto_open *open, str bytes)
{
    const unsigned char *at = run->at, *end = run->end;
    run->steps += open->message->count + 1;
    if (run->steps > PROTO_STEPS) return wire_fail(run, WIRE_FAULT_SIZE, "more messages than can be read");
    open->slots = ARENA_ARRAY(open->scratch, struct proto_slot, open->message->count + 1);
    if (!open->slots) return wire_fail(run, WIRE_FAULT_MEMORY, "no memory");
    run->at =
        (const unsigned char *)(bytes.size ? bytes.data : ""); /* of a message that is not there, nothing */
    run->end = run->at + bytes.size;
    while (run->at < run->end)
        if (!gather_field(run, open)) return false;
    run->at = at;
    run->end = end;
    return true;
}

/* ---- Writing. */

static void put_symbol(struct wire_run *run, const struct proto_enum *names, int32_t number)
{
    for (size_t low = 0, high = names->count; low < high;) {
        size_t middle = (low + high) / 2;
        const struct proto_symbol *symbol = &names->symbols[middle];
        if (symbol->number == number) {
            buffer_put_str(run->json, symbol->name);
            return;
        }
        if (symbol->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    wire_put_int(run, number);
}

static void put_float(struct wire_run *run, uint32_t bits)
{
    float number;
    memcpy(&number, &bits, sizeof number);
    wire_put_float(run, number);
}

static void put_double(struct wire_run *run, uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    wire_put_double(run, number);
}

static void put_number(struct wire_run *run, const struct proto_field *field, uint64_t number)
{
    switch (field->kind) {
    case PROTO_DOUBLE: put_double(run, number); break;
    case PROTO_FLOAT: put_float(run, (uint32_t)number); break;
    case PROTO_INT32:
    case PROTO_SFIXED32: wire_put_int(run, (int32_t)number); break;
    case PROTO_INT64:
    case PROTO_SFIXED64: wire_put_int(run, (int64_t)number); break;
    case PROTO_UINT32:
    case PROTO_FIXED32: wire_put_uint(run, (uint32_t)number); break;
    case PROTO_SINT32: wire_put_int(run, (int32_t)wire_zigzag((uint32_t)number)); break;
    case PROTO_SINT64: wire_put_int(run, wire_zigzag(number)); break;
    case PROTO_BOOL: buffer_put_str(run->json, number ? STR("true") : STR("false")); break;
    case PROTO_ENUM: put_symbol(run, field->names, (int32_t)number); break;
    default: wire_put_uint(run, number); break;
    }
}

static bool put_value(struct wire_run *run, struct arena *scratch, const struct proto_field *field,
                      const struct proto_value *value)
{
    switch (field->kind) {
    case PROTO_STRING: return wire_put_text(run, value->bytes);
    case PROTO_BYTES: wire_put_base64(run, value->bytes); break;
    case PROTO_MESSAGE: return put_message(run, scratch, field->message, value->bytes);
    default: put_number(run, field, value->number); break;
    }
    return wire_has_room(run);
}

/* A message that comes in several pieces is what they give together: by definition, their bytes in a row. */
static bool join(struct wire_run *run, struct arena *scratch, const struct proto_seen *first, str *out)
{
    struct buffer pieces;
    buffer_init(&pieces, scratch);
    for (const struct proto_seen *seen = first; seen; seen = seen->next)
        buffer_put_str(&pieces, seen->value.bytes);
    *out = buffer_str(&pieces);
    return !pieces.failed || wire_fail(run, WIRE_FAULT_MEMORY, "no memory");
}

/* A field that is no list: of several values the last, of none what stands for that. */
static bool put_single(struct wire_run *run, const struct proto_open *open, const struct proto_field *field)
{
    const struct proto_slot *slot = &open->slots[field - open->message->fields];
    struct proto_value value = {.number = field->names ? (uint64_t)field->names->first : 0};
    if (slot->last) value = slot->last->value;
    bool pieces = field->kind == PROTO_MESSAGE && slot->first != slot->last;
    if (pieces && !join(run, open->scratch, slot->first, &value.bytes)) return false;
    return put_value(run, open->scratch, field, &value);
}

/* One value of a list, or as many as are packed in it. */
static bool put_elements(struct wire_run *run, const struct proto_open *open, const struct proto_field *field,
                         const struct proto_value *value, bool *first)
{
    unsigned frame = frames[field->kind];
    if (value->frame == frame) {
        wire_put_comma(run, first);
        return put_value(run, open->scratch, field, value);
    }
    struct wire_run packed = *run;
    struct proto_value one;
    packed.at = (const unsigned char *)value->bytes.data;
    packed.end = packed.at + value->bytes.size;
    while (packed.at < packed.end) {
        wire_put_comma(&packed, first);
        if (!take_value(&packed, frame, &one) || !put_value(&packed, open->scratch, field, &one))
            return wire_fail(run, packed.fault, packed.what);
    }
    return true;
}

static bool put_list(struct wire_run *run, const struct proto_open *open, const struct proto_field *field)
{
    bool first = true;
    if (!wire_enter(run, '[')) return false;
    for (const struct proto_seen *seen = open->slots[field - open->message->fields].first; seen;
         seen = seen->next)
        if (!put_elements(run, open, field, &seen->value, &first)) return false;
    wire_leave(run, ']');
    return true;
}

/* An entry of a map is a message: 1 is its key, 2 its value. A key that is a number is a text in JSON. */
static bool put_entry(struct wire_run *run, struct arena *scratch, const struct proto_message *entry,
                      str bytes)
{
    struct proto_open open = {.message = entry, .scratch = scratch};
    const struct proto_field *key = field_find(entry, 1), *value = field_find(entry, 2);
    bool quoted = key->kind != PROTO_STRING;
    if (!gather(run, &open, bytes)) return false;
    if (quoted) buffer_put_char(run->json, '"');
    if (!put_single(run, &open, key)) return false;
    buffer_put_str(run->json, quoted ? STR("\":") : STR(":"));
    return put_single(run, &open, value);
}

static bool put_map(struct wire_run *run, const struct proto_open *open, const struct proto_field *field)
{
    bool first = true;
    if (!wire_enter(run, '{')) return false;
    for (const struct proto_seen *seen = open->slots[field - open->message->fields].first; seen;
         seen = seen->next) {
        struct arena_mark mark = arena_mark(open->scratch);
        wire_put_comma(run, &first);
        if (!put_entry(run, open->scratch, field->message, seen->value.bytes)) return false;
        arena_rewind(open->scratch, mark);
    }
    wire_leave(run, '}');
    return true;
}

static bool put_field(struct wire_run *run, const struct proto_open *open, const struct proto_field *field)
{
    if (field->map) return put_map(run, open, field);
    return field->repeated ? put_list(run, open, field) : put_single(run, open, field);
}

static bool put_fields(struct wire_run *run, const struct proto_open *open)
{
    bool first = true;
    if (!wire_enter(run, '{')) return false;
    for (size_t i = 0; i < open->message->count; i++) {
        const struct proto_field *field = &open->message->fields[i];
        if (!field->always && !open->slots[i].first) continue;
        wire_put_comma(run, &first);
        buffer_put_str(run->json, field->key);
        if (!put_field(run, open, field)) return false;
    }
    wire_leave(run, '}');
    return wire_has_room(run);
}

/* The newest value of the field of that number; zero where there is none. */
static struct proto_value value_of(const struct proto_open *open, uint32_t number)
{
    const struct proto_field *field = field_find(open->message, number);
    const struct proto_seen *last = field ? open->slots[field - open->message->fields].last : NULL;
    return last ? last->value : (struct proto_value){0};
}

static bool put_timestamp(struct wire_run *run, const struct proto_open *open)
{
    int64_t seconds = (int64_t)value_of(open, 1).number;
    int32_t nanos = (int32_t)value_of(open, 2).number;
    if (seconds < RFC3339_MS_MIN / 1000 || seconds > RFC3339_MS_MAX / 1000 || nanos < 0 || nanos > 999999999)
        return wire_fail(run, WIRE_FAULT_FORMAT, "a timestamp that is not of the years 1 to 9999");
    buffer_put_char(run->json, '"');
    cel_print_timestamp((struct cel_value){.kind = CEL_TIMESTAMP, .as.i = seconds, .nanos = nanos},
                        run->json);
    buffer_put_char(run->json, '"');
    return true;
}

static bool put_duration(struct wire_run *run, const struct proto_open *open)
{
    int64_t seconds = (int64_t)value_of(open, 1).number;
    int32_t nanos = (int32_t)value_of(open, 2).number;
    bool one_sign = (seconds >= 0 || nanos <= 0) && (seconds <= 0 || nanos >= 0);
    if (!one_sign || nanos < -999999999 || nanos > 999999999)
        return wire_fail(run, WIRE_FAULT_FORMAT, "a duration whose parts do not belong together");
    buffer_put_char(run->json, '"');
    cel_print_duration((struct cel_value){.kind = CEL_DURATION, .as.i = seconds, .nanos = nanos}, run->json);
    buffer_put_char(run->json, '"');
    return true;
}

static bool put_decimal(struct wire_run *run, const struct proto_open *open)
{
    return wire_put_decimal(run, value_of(open, 1).bytes, (unsigned)value_of(open, 3).number);
}

static bool put_null(struct wire_run *run)
{
    buffer_put_str(run->json, STR("null"));
    return true;
}

static bool put_form(struct wire_run *run, const struct proto_open *open)
{
    switch (open->message->form) {
    case PROTO_FIRST: return put_field(run, open, &open->message->fields[0]);
    case PROTO_NEWEST: return open->newest ? put_field(run, open, open->newest) : put_null(run);
    case PROTO_TIMESTAMP: return put_timestamp(run, open);
    case PROTO_DURATION: return put_duration(run, open);
    case PROTO_DECIMAL: return put_decimal(run, open);
    default: return put_fields(run, open);
    }
}

/* What a message needs of the scratch is given back when it has been written; how deep messages nest is bounded by the
 * brackets that they write. */
static bool put_message(struct wire_run *run, struct arena *scratch, const struct proto_message *message,
                        str bytes)
{
    struct proto_open open = {.message = message, .scratch = scratch};
    struct arena_mark mark = arena_mark(scratch);
    if (!gather(run, &open, bytes) || !put_form(run, &open)) return false;
    arena_rewind(scratch, mark);
    return wire_has_room(run);
}

bool proto_decode(struct wire_run *run, struct arena *scratch, const struct proto_message *message)
{
    str bytes = {(const char *)run->at, (size_t)(run->end - run->at)};
    run->at = run->end;
    return put_message(run, scratch, message, bytes);
}

/* ---- Finding messages. */

const struct proto_message *proto_at(const struct proto_schema *schema, const uint32_t *path, size_t length)
{
    const struct proto_message *const *messages = schema->messages, *found = NULL;
    size_t count = schema->count;
    for (size_t i = 0; i < length; i++) {
        if (path[i] >= count) return NULL;
        found = messages[path[i]];
        messages = found->nested;
        count = found->nested_count;
    }
    return found;
}

const struct proto_message *proto_named(const struct proto_schema *schema, str name)
{
    for (size_t i = 0; i < schema->all_count; i++) {
        str full = schema->all[i]->name;
        bool begins =
            full.size == name.size || (full.size > name.size && full.data[full.size - name.size - 1] == '.');
        if (begins && str_equal(str_slice(full, full.size - name.size, full.size), name))
            return schema->all[i];
    }
    return NULL;
}
