#include "state/stored.h"

#include "base/ensure.h"
#include "state/pack.h"

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
