#include "state/pack.h"

#include "base/duration.h"
#include "base/limits.h"
#include "base/rfc3339.h"
#include "cel/cel.h"

#include <msgpack/pack.h>

static int pack_append(void *out, const char *data, size_t size)
{
    buffer_put(out, data, size);
    return 0;
}

/* msgpack-c's encoder, writing to our buffer: made in place, so that the compiler sees through it. */
#define PACKER(out) (&(msgpack_packer){(out), pack_append})

void pack_nil(struct buffer *out)
{
    msgpack_pack_nil(PACKER(out));
}

void pack_bool(struct buffer *out, bool b)
{
    b ? msgpack_pack_true(PACKER(out)) : msgpack_pack_false(PACKER(out));
}

void pack_int(struct buffer *out, int64_t i)
{
    if (i >= 0 && i <= 0x7F) /* most are as small */
        buffer_put_char(out, (char)i);
    else
        msgpack_pack_int64(PACKER(out), i);
}

void pack_uint(struct buffer *out, uint64_t u)
{
    if (u <= 0x7F) /* most are as small */
        buffer_put_char(out, (char)u);
    else
        msgpack_pack_uint64(PACKER(out), u);
}

void pack_double(struct buffer *out, double d)
{
    msgpack_pack_double(PACKER(out), d);
}

void pack_str(struct buffer *out, str s)
{
    if (s.size <= 0x1F)
        buffer_put_char(out, (char)(0xA0 | s.size));
    else
        msgpack_pack_str(PACKER(out), s.size);
    buffer_put_str(out, s);
}

void pack_bin_head(struct buffer *out, size_t size)
{
    msgpack_pack_bin(PACKER(out), size);
}

void pack_array(struct buffer *out, size_t count)
{
    if (count <= 0x0F)
        buffer_put_char(out, (char)(0x90 | count));
    else
        msgpack_pack_array(PACKER(out), count);
}

void pack_map(struct buffer *out, size_t count)
{
    if (count <= 0x0F)
        buffer_put_char(out, (char)(0x80 | count));
    else
        msgpack_pack_map(PACKER(out), count);
}

void pack_raw(struct buffer *out, str packed)
{
    buffer_put_str(out, packed);
}

size_t pack_int_size(int64_t i)
{
    if (i >= 0) return i < 1 << 7 ? 1 : i < 1 << 8 ? 2 : i < 1 << 16 ? 3 : i <= UINT32_MAX ? 5 : 9;
    return i >= -(1 << 5) ? 1 : i >= INT8_MIN ? 2 : i >= INT16_MIN ? 3 : i >= INT32_MIN ? 5 : 9;
}

size_t pack_str_size(size_t size)
{
    return size + (size < 1 << 5 ? 1 : size < 1 << 8 ? 2 : size < 1 << 16 ? 3 : 5);
}

size_t pack_map_size(size_t count)
{
    return count < 1 << 4 ? 1 : count < 1 << 16 ? 3 : 5;
}

void pack_seven(struct buffer *out, uint64_t number)
{
    for (; number >= 128; number >>= 7)
        buffer_put_char(out, (char)(number | 128));
    buffer_put_char(out, (char)number);
}

void pack_seven_signed(struct buffer *out, int64_t number)
{
    pack_seven(out, seven_of(number));
}

void pack_hash(struct buffer *out, uint64_t hash)
{
    unsigned char bytes[PACK_HASH_SIZE];
    hash_write(bytes, hash);
    buffer_put(out, bytes, sizeof bytes);
}

static void pack_record(struct buffer *out, const struct cel_record *record)
{
    size_t present = 0;
    for (size_t i = 0; i < record->type->field_count; i++)
        present += record->fields[i].kind != CEL_ABSENT;
    pack_map(out, present);
    for (size_t i = 0; i < record->type->field_count && !out->failed; i++) {
        if (record->fields[i].kind == CEL_ABSENT) continue;
        pack_str(out, record->type->fields[i].name);
        pack_value(out, record->fields[i]);
    }
}

static void pack_entries(struct buffer *out, const struct cel_map *map)
{
    pack_map(out, map->count);
    for (size_t i = 0; i < map->count && !out->failed; i++) {
        pack_value(out, map->entries[i].key);
        pack_value(out, map->entries[i].value);
    }
}

static void pack_items(struct buffer *out, const struct cel_list *list)
{
    pack_array(out, list->count);
    for (size_t i = 0; i < list->count && !out->failed; i++)
        pack_value(out, list->items[i]);
}

void pack_value(struct buffer *out, struct cel_value value)
{
    switch (value.kind) {
    case CEL_BOOL: pack_bool(out, value.as.b); break;
    case CEL_INT: pack_int(out, value.as.i); break;
    case CEL_UINT: pack_uint(out, value.as.u); break;
    case CEL_DOUBLE: pack_double(out, value.as.d); break;
    case CEL_STRING: pack_str(out, cel_text(value)); break;
    case CEL_BYTES:
        pack_bin_head(out, value.size);
        buffer_put_str(out, cel_text(value));
        break;
    case CEL_TIMESTAMP: /* fields keep whole milliseconds, so this is exact */
    case CEL_DURATION: pack_int(out, cel_timestamp_to_ms(value)); break;
    case CEL_LIST: pack_items(out, value.as.list); break;
    case CEL_MAP: pack_entries(out, value.as.map); break;
    case CEL_RECORD: pack_record(out, value.as.record); break;
    default: pack_nil(out); /* kinds that no declared type has */
    }
}

/* ---- reading */

struct unpack unpack_of(str packed)
{
    const unsigned char *at = (const unsigned char *)packed.data;
    return (struct unpack){at, at ? at + packed.size : at, false};
}

static const unsigned char *unpack_take(struct unpack *in, size_t size)
{
    if (in->bad || size > (size_t)(in->end - in->at)) {
        in->bad = true;
        return NULL;
    }
    const unsigned char *p = in->at;
    in->at += size;
    return p;
}

static uint64_t unpack_big_endian(struct unpack *in, size_t size)
{
    const unsigned char *p = unpack_take(in, size);
    uint64_t u = 0;
    for (size_t i = 0; p && i < size; i++)
        u = u << 8 | p[i];
    return u;
}

/* What a first byte announces: a kind, and either a value in the byte itself or a size to read. */
enum pack_kind {
    PACK_NIL,
    PACK_BOOL,
    PACK_UINT,
    PACK_INT,
    PACK_FLOAT,
    PACK_STR,
    PACK_BIN,
    PACK_ARRAY,
    PACK_MAP,
    PACK_BAD
};

struct pack_head {
    enum pack_kind kind;
    uint64_t bits; /* the integer, the float's bits, the bool, or the count or size of what follows */
    size_t width;  /* bytes of the number */
};

static struct pack_head head_sized(struct unpack *in, enum pack_kind kind, size_t width)
{
    return (struct pack_head){kind, unpack_big_endian(in, width), width};
}

static int64_t sign_extend(uint64_t bits, size_t width)
{
    unsigned shift = 64 - 8 * (unsigned)width;
    return (int64_t)(bits << shift) >> shift;
}

static struct pack_head unpack_head(struct unpack *in)
{
    const unsigned char *p = unpack_take(in, 1);
    if (!p) return (struct pack_head){PACK_BAD, 0, 0};
    unsigned char b = *p;
    if (b <= 0x7F) return (struct pack_head){PACK_UINT, b, 1};
    if (b <= 0x8F) return (struct pack_head){PACK_MAP, b & 0x0F, 0};
    if (b <= 0x9F) return (struct pack_head){PACK_ARRAY, b & 0x0F, 0};
    if (b <= 0xBF) return (struct pack_head){PACK_STR, b & 0x1F, 0};
    if (b >= 0xE0) return (struct pack_head){PACK_INT, b, 1};
    switch (b) {
    case 0xC0: return (struct pack_head){PACK_NIL, 0, 0};
    case 0xC2:
    case 0xC3: return (struct pack_head){PACK_BOOL, b & 1, 0};
    case 0xC4:
    case 0xC5:
    case 0xC6: return head_sized(in, PACK_BIN, (size_t)1 << (b - 0xC4));
    case 0xCA:
    case 0xCB: return head_sized(in, PACK_FLOAT, b == 0xCA ? 4 : 8);
    case 0xCC:
    case 0xCD:
    case 0xCE:
    case 0xCF: return head_sized(in, PACK_UINT, (size_t)1 << (b - 0xCC));
    case 0xD0:
    case 0xD1:
    case 0xD2:
    case 0xD3: return head_sized(in, PACK_INT, (size_t)1 << (b - 0xD0));
    case 0xD9:
    case 0xDA:
    case 0xDB: return head_sized(in, PACK_STR, (size_t)1 << (b - 0xD9));
    case 0xDC:
    case 0xDD: return head_sized(in, PACK_ARRAY, b == 0xDC ? 2 : 4);
    case 0xDE:
    case 0xDF: return head_sized(in, PACK_MAP, b == 0xDE ? 2 : 4);
    default: in->bad = true; return (struct pack_head){PACK_BAD, 0, 0};
    }
}

bool unpack_is_nil(struct unpack *in)
{
    if (in->bad || in->at == in->end || *in->at != 0xC0) return false;
    in->at++;
    return true;
}

bool unpack_at_uint(const struct unpack *in)
{
    return in->at < in->end && (*in->at <= 0x7F || (*in->at >= 0xCC && *in->at <= 0xCF));
}

bool unpack_at_int(const struct unpack *in)
{
    return unpack_at_uint(in) ||
           (in->at < in->end && (*in->at >= 0xE0 || (*in->at >= 0xD0 && *in->at <= 0xD3)));
}

bool unpack_at_map(const struct unpack *in)
{
    return in->at < in->end && ((*in->at & 0xF0) == 0x80 || *in->at == 0xDE || *in->at == 0xDF);
}

bool unpack_at_array(const struct unpack *in)
{
    return in->at < in->end && ((*in->at & 0xF0) == 0x90 || *in->at == 0xDC || *in->at == 0xDD);
}

static struct pack_head unpack_expect(struct unpack *in, enum pack_kind a, enum pack_kind b)
{
    struct pack_head head = unpack_head(in);
    if (head.kind != a && head.kind != b) in->bad = true;
    return in->bad ? (struct pack_head){PACK_BAD, 0, 0} : head;
}

bool unpack_bool(struct unpack *in)
{
    return unpack_expect(in, PACK_BOOL, PACK_BOOL).bits != 0;
}

static int64_t head_int(struct pack_head head)
{
    return head.kind == PACK_INT ? sign_extend(head.bits, head.width) : (int64_t)head.bits;
}

int64_t unpack_int(struct unpack *in)
{
    if (!in->bad && in->at < in->end && *in->at <= 0x7F) return *in->at++; /* most are as small */
    return head_int(unpack_expect(in, PACK_INT, PACK_UINT));
}

uint64_t unpack_uint(struct unpack *in)
{
    if (!in->bad && in->at < in->end && *in->at <= 0x7F) return *in->at++;
    return unpack_expect(in, PACK_UINT, PACK_UINT).bits;
}

static double head_double(struct pack_head head)
{
    double d = 0;
    float f;
    uint32_t bits = (uint32_t)head.bits;
    if (head.kind != PACK_FLOAT) return head.kind == PACK_UINT ? (double)head.bits : (double)head_int(head);
    if (head.width == 8)
        memcpy(&d, &head.bits, sizeof d);
    else
        d = (memcpy(&f, &bits, sizeof f), (double)f);
    return d;
}

double unpack_double(struct unpack *in)
{
    struct pack_head head = unpack_head(in);
    if (head.kind != PACK_FLOAT && head.kind != PACK_INT && head.kind != PACK_UINT) in->bad = true;
    return in->bad ? 0 : head_double(head);
}

static str unpack_body(struct unpack *in, struct pack_head head)
{
    const unsigned char *p = unpack_take(in, head.bits);
    return p ? (str){(const char *)p, head.bits} : (str){0};
}

str unpack_str(struct unpack *in)
{
    if (!in->bad && in->at < in->end && (*in->at & 0xE0) == 0xA0 && (*in->at & 0x1F) < in->end - in->at) {
        const unsigned char *p = in->at + 1;
        in->at = p + (*in->at & 0x1F);
        return (str){(const char *)p, (size_t)(in->at - p)};
    }
    return unpack_body(in, unpack_expect(in, PACK_STR, PACK_BIN));
}

static size_t unpack_count(struct unpack *in, enum pack_kind kind)
{
    unsigned char small = kind == PACK_MAP ? 0x80 : 0x90;
    if (!in->bad && in->at < in->end && (*in->at & 0xF0) == small && (*in->at & 0x0F) < in->end - in->at)
        return *in->at++ & 0x0F;
    struct pack_head head = unpack_expect(in, kind, kind);
    if (head.bits > (size_t)(in->end - in->at)) in->bad = true;
    return in->bad ? 0 : head.bits;
}

size_t unpack_array(struct unpack *in)
{
    return unpack_count(in, PACK_ARRAY);
}

size_t unpack_map(struct unpack *in)
{
    return unpack_count(in, PACK_MAP);
}

/* Passes over one value whose head has been read. Iterative: `left` counts the values still to pass. */
static void unpack_pass(struct unpack *in, struct pack_head head)
{
    for (uint64_t left = 1; left > 0 && !in->bad; left--) {
        if (head.kind == PACK_STR || head.kind == PACK_BIN) unpack_take(in, head.bits);
        if (head.kind == PACK_ARRAY) left += head.bits;
        if (head.kind == PACK_MAP) left += head.bits * 2;
        if (left > 1) head = unpack_head(in);
    }
}

str unpack_skip(struct unpack *in)
{
    const unsigned char *begin = in->at;
    unpack_pass(in, unpack_head(in));
    return in->bad ? (str){0} : (str){(const char *)begin, (size_t)(in->at - begin)};
}

uint64_t unpack_seven(struct unpack *in)
{
    uint64_t number = 0;
    for (int shift = 0; shift < 64 && in->at < in->end; shift += 7) {
        uint64_t byte = *in->at++;
        number |= (byte & 127) << shift;
        if (byte < 128) return number;
    }
    in->bad = true;
    return 0;
}

int64_t unpack_seven_signed(struct unpack *in)
{
    return seven_signed(unpack_seven(in));
}

uint64_t unpack_hash(struct unpack *in)
{
    const unsigned char *p = unpack_take(in, PACK_HASH_SIZE);
    if (!p) return 0;
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static const struct cel_value absent = {.kind = CEL_ABSENT};

static struct cel_value unpack_items(struct unpack *in, size_t count, const struct cel_type *element,
                                     struct arena *arena)
{
    struct cel_list *list = NULL;
    if (count <= (size_t)(in->end - in->at))
        list = arena_alloc(arena, sizeof *list + count * sizeof *list->items);
    if (!list) {
        in->bad = true;
        return absent;
    }
    list->count = count;
    bool whole = true;
    for (size_t i = 0; i < count; i++) {
        list->items[i] = unpack_value(in, element, arena);
        whole &= list->items[i].kind != CEL_ABSENT;
    }
    return whole ? (struct cel_value){.kind = CEL_LIST, .as.list = list} : absent;
}

static struct cel_value unpack_entries(struct unpack *in, size_t count, const struct cel_type *type,
                                       struct arena *arena)
{
    struct cel_map *map = NULL;
    if (count <= (size_t)(in->end - in->at)) map = cel_map_new(arena, count);
    if (!map) {
        in->bad = true;
        return absent;
    }
    map->count = count;
    bool whole = true;
    for (size_t i = 0; i < count; i++) {
        map->entries[i].key = unpack_value(in, type->params[0], arena);
        map->entries[i].value = unpack_value(in, type->params[1], arena);
        whole &= map->entries[i].key.kind != CEL_ABSENT && map->entries[i].value.kind != CEL_ABSENT;
    }
    in->bad |= whole && !cel_map_finish(arena, map);
    return whole ? (struct cel_value){.kind = CEL_MAP, .as.map = map} : absent;
}

static struct cel_value unpack_fields(struct unpack *in, size_t count, const struct cel_record_type *type,
                                      struct arena *arena)
{
    struct cel_record *record =
        arena_alloc(arena, sizeof *record + type->field_count * sizeof *record->fields);
    if (!record) {
        in->bad = true;
        return absent;
    }
    record->type = type;
    for (size_t i = 0; i < type->field_count; i++)
        record->fields[i] = absent;
    for (size_t n = 0; n < count && !in->bad; n++) {
        str name = unpack_str(in);
        size_t i = 0;
        while (i < type->field_count && !str_equal(type->fields[i].name, name))
            i++;
        if (i < type->field_count)
            record->fields[i] = unpack_value(in, type->fields[i].type, arena);
        else
            unpack_skip(in);
    }
    return (struct cel_value){.kind = CEL_RECORD, .as.record = record};
}

static struct cel_value unpack_scalar(struct unpack *in, struct pack_head head, const struct cel_type *type)
{
    bool integer = head.kind == PACK_INT || head.kind == PACK_UINT;
    switch (type->kind) {
    case CEL_TYPE_BOOL:
        if (head.kind == PACK_BOOL) return cel_bool(head.bits != 0);
        break;
    case CEL_TYPE_INT:
        if (integer) return cel_int(head_int(head));
        break;
    case CEL_TYPE_UINT:
        if (head.kind == PACK_UINT) return cel_uint(head.bits);
        break;
    case CEL_TYPE_DOUBLE:
        if (integer || head.kind == PACK_FLOAT) return cel_double(head_double(head));
        break;
    case CEL_TYPE_TIMESTAMP:
        if (integer && head_int(head) >= RFC3339_MS_MIN && head_int(head) <= RFC3339_MS_MAX)
            return cel_timestamp_ms(head_int(head));
        break;
    case CEL_TYPE_DURATION:
        if (integer && head_int(head) >= -DURATION_MS_MAX && head_int(head) <= DURATION_MS_MAX)
            return cel_duration_ms(head_int(head));
        break;
    case CEL_TYPE_STRING:
        if (head.kind == PACK_STR) return cel_string(unpack_body(in, head));
        break;
    case CEL_TYPE_BYTES:
        if (head.kind == PACK_BIN) {
            struct cel_value value = cel_string(unpack_body(in, head));
            value.kind = CEL_BYTES;
            return value;
        }
        break;
    default: break;
    }
    unpack_pass(in, head);
    return absent;
}

struct cel_value unpack_value(struct unpack *in, const struct cel_type *type, struct arena *arena)
{
    struct pack_head head = unpack_head(in);
    if (in->bad) return absent;
    if (type->kind == CEL_TYPE_LIST && head.kind == PACK_ARRAY)
        return unpack_items(in, head.bits, type->params[0], arena);
    if (type->kind == CEL_TYPE_MAP && head.kind == PACK_MAP)
        return unpack_entries(in, head.bits, type, arena);
    if (type->kind == CEL_TYPE_RECORD && head.kind == PACK_MAP)
        return unpack_fields(in, head.bits, type->record, arena);
    return unpack_scalar(in, head, type);
}

/* ---- printing, for people */

static void print_head(struct unpack *in, struct pack_head head, struct buffer *out, unsigned depth);

static void print_children(struct unpack *in, struct pack_head head, struct buffer *out, unsigned depth)
{
    bool map = head.kind == PACK_MAP;
    if (depth == LIMIT_EVENT_DEPTH) in->bad = true; /* no event nests so deep: these bytes are no state */
    buffer_put_char(out, map ? '{' : '[');
    for (uint64_t i = 0; i < head.bits && !in->bad; i++) {
        if (i) buffer_put_char(out, ',');
        print_head(in, unpack_head(in), out, depth + 1);
        if (!map) continue;
        buffer_put_char(out, ':');
        print_head(in, unpack_head(in), out, depth + 1);
    }
    buffer_put_char(out, map ? '}' : ']');
}

static void print_head(struct unpack *in, struct pack_head head, struct buffer *out, unsigned depth)
{
    switch (head.kind) {
    case PACK_NIL: buffer_put_str(out, STR("null")); break;
    case PACK_BOOL: buffer_put_str(out, head.bits ? STR("true") : STR("false")); break;
    case PACK_UINT: buffer_put_format(out, "%llu", (unsigned long long)head.bits); break;
    case PACK_INT: buffer_put_format(out, "%lld", (long long)head_int(head)); break;
    case PACK_FLOAT: cel_print_json(cel_double(head_double(head)), out); break;
    case PACK_STR:
    case PACK_BIN: buffer_put_json_string(out, unpack_body(in, head)); break;
    case PACK_ARRAY:
    case PACK_MAP: print_children(in, head, out, depth); break;
    case PACK_BAD: in->bad = true; break;
    }
}

void unpack_print(struct unpack *in, struct buffer *out)
{
    print_head(in, unpack_head(in), out, 0);
}
