#include "state/stored.h"

#include "base/ensure.h"
#include "state/pack.h"
#include "state/state.h"

enum { STORED_NAMED = 3 }; /* id, type, time */

/* A name, packed as pack_str does. */
static void take_name(struct unpack *in, str packed)
{
    bool there = (size_t)(in->end - in->at) >= packed.size && memcmp(in->at, packed.data, packed.size) == 0;
    if (there)
        in->at += packed.size;
    else
        in->bad = true;
}

bool stored_event_read(str packed, struct stored_event *event)
{
    struct unpack in = unpack_of(packed);
    size_t members = unpack_map(&in);
    take_name(&in, STR("\xa2id")), event->id = unpack_str(&in);
    take_name(&in, STR("\xa4type")), event->type = unpack_str(&in);
    take_name(&in, STR("\xa4time")), event->time_ms = unpack_int(&in);
    if (members < STORED_NAMED || in.bad) return false;
    event->fields = members - STORED_NAMED;
    event->rest = (str){(const char *)in.at, (size_t)(in.end - in.at)};
    return true;
}

size_t stored_event_size(const struct stored_event *event)
{
    return pack_map_size(STORED_NAMED + event->fields) + sizeof "id" + pack_str_size(event->id.size) +
           sizeof "type" + pack_str_size(event->type.size) + sizeof "time" + pack_int_size(event->time_ms) +
           event->rest.size;
}

void stored_event_write(const struct stored_event *event, char *out, size_t size)
{
    struct buffer place = {.data = out, .capacity = size, .max = size};
    pack_map(&place, STORED_NAMED + event->fields);
    pack_str(&place, STR("id")), pack_str(&place, event->id);
    pack_str(&place, STR("type")), pack_str(&place, event->type);
    pack_str(&place, STR("time")), pack_int(&place, event->time_ms);
    pack_raw(&place, event->rest);
    ensure(place.size == size);
}

/* ---- names of fields as words */

enum { STORED_DEPTH = 128 }; /* what has been parsed is not as deep */

struct renaming {
    struct unpack in;
    struct buffer *out;
    const struct state_words *words;
    void (*name)(struct renaming *renaming);
};

static void name_to_word(struct renaming *r)
{
    str name = unpack_str(&r->in);
    uint32_t word = state_word(r->words, name);
    if (word == NAME_NONE)
        pack_str(r->out, name);
    else
        pack_uint(r->out, word);
}

static void word_to_name(struct renaming *r)
{
    if (!unpack_at_uint(&r->in)) {
        pack_str(r->out, unpack_str(&r->in));
        return;
    }
    uint64_t word = unpack_uint(&r->in);
    if (r->words && word < r->words->count)
        pack_str(r->out, r->words->list[word]);
    else
        r->in.bad = true;
}

/* Numbers up to 127, texts of up to 31 bytes and floats, as nearly all are; false: it is none of these. */
static bool copy_small(struct renaming *r)
{
    struct unpack *in = &r->in;
    unsigned char head = in->at < in->end ? *in->at : 0xC1;
    size_t size = head <= 0x7F ? 1 : (head & 0xE0) == 0xA0 ? 1 + (size_t)(head & 0x1F) : head == 0xCB ? 9 : 0;
    if (!size || size > (size_t)(in->end - in->at)) return false;
    buffer_put(r->out, in->at, size);
    in->at += size;
    return true;
}

static void rename_value(struct renaming *r, size_t depth)
{
    if (copy_small(r)) return;
    bool map = unpack_at_map(&r->in);
    if (!map && !unpack_at_array(&r->in)) {
        pack_raw(r->out, unpack_skip(&r->in));
        return;
    }
    if (depth == STORED_DEPTH) r->in.bad = true;
    size_t count = map ? unpack_map(&r->in) : unpack_array(&r->in);
    if (map)
        pack_map(r->out, count);
    else
        pack_array(r->out, count);
    for (; count > 0 && !r->in.bad; count--) {
        if (map) r->name(r);
        rename_value(r, depth + 1);
    }
}

static void rename_fields(struct renaming *r, size_t fields)
{
    for (; fields > 0 && !r->in.bad; fields--) {
        r->name(r);
        rename_value(r, 0);
    }
}

void stored_fields_to_words(struct unpack *in, size_t fields, const struct state_words *words,
                            struct buffer *out)
{
    struct renaming r = {*in, out, words, name_to_word};
    rename_fields(&r, fields);
    *in = r.in;
}

void stored_fields_from_words(struct unpack *in, size_t fields, const struct state_words *words,
                              struct buffer *out)
{
    struct renaming r = {*in, out, words, word_to_name};
    rename_fields(&r, fields);
    *in = r.in;
}
