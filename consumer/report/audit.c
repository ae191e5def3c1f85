#include "report/audit.h"
#include "base/ensure.h"
#include "host/text.h"
#include "base/str.h"

#include <stdlib.h>

/* ---- numbers */

const struct audit_origin *audit_find(const struct audit *audit, struct relance_str source, int64_t partition)
{
    for (size_t i = 0; i < audit->origin_count; i++) {
        const struct audit_origin *origin = &audit->origins[(audit->origin_last + i) % audit->origin_count];
        if (origin->partition == partition && str_equal(str_of(origin->source), source)) return origin;
    }
    return NULL;
}

size_t audit_origin(struct audit *audit, struct relance_str source, int64_t partition)
{
    const struct audit_origin *known = audit_find(audit, source, partition);
    if (known) return audit->origin_last = (size_t)(known - audit->origins);
    audit->origins = realloc(audit->origins, (audit->origin_count + 1) * sizeof *audit->origins);
    ensure(audit->origins);
    audit->origins[audit->origin_count] =
        (struct audit_origin){.source = text_copy(source), .partition = partition};
    return audit->origin_last = audit->origin_count++;
}

static void audit_insert_range(struct audit_origin *origin, size_t at, struct audit_range range)
{
    if (range.first > range.last) return;
    origin->missing = realloc(origin->missing, (origin->missing_count + 1) * sizeof *origin->missing);
    ensure(origin->missing);
    memmove(origin->missing + at + 1, origin->missing + at,
            (origin->missing_count - at) * sizeof *origin->missing);
    origin->missing[at] = range;
    origin->missing_count++;
}

/* One that was missed comes after all; false: it was not missed. */
static bool audit_find_missing(struct audit_origin *origin, uint64_t seq)
{
    for (size_t i = 0; i < origin->missing_count; i++) {
        struct audit_range range = origin->missing[i];
        if (seq < range.first || seq > range.last) continue;
        memmove(origin->missing + i, origin->missing + i + 1,
                (origin->missing_count - i - 1) * sizeof *origin->missing);
        origin->missing_count--;
        audit_insert_range(origin, i, (struct audit_range){seq + 1, range.last});
        audit_insert_range(origin, i, (struct audit_range){range.first, seq - 1});
        return true;
    }
    return false;
}

/* Returns whether the number is new. */
static bool audit_number(struct audit_origin *origin, uint64_t seq)
{
    origin->count++;
    if (!origin->next) origin->first = origin->next = seq;
    if (seq >= origin->next) {
        audit_insert_range(origin, origin->missing_count, (struct audit_range){origin->next, seq - 1});
        origin->next = seq + 1;
        return true;
    }
    if (seq < origin->first) {
        audit_insert_range(origin, 0, (struct audit_range){seq + 1, origin->first - 1});
        origin->first = seq;
        return true;
    }
    bool missed = audit_find_missing(origin, seq);
    origin->twice += !missed;
    return missed;
}

uint64_t audit_missing(const struct audit *audit, bool whole)
{
    uint64_t missing = 0;
    for (const struct audit_origin *o = audit->origins; o < audit->origins + audit->origin_count; o++) {
        if (whole) missing += o->first - 1;
        for (size_t i = 0; i < o->missing_count; i++)
            missing += o->missing[i].last - o->missing[i].first + 1;
    }
    return missing;
}

uint64_t audit_twice(const struct audit *audit)
{
    uint64_t twice = 0;
    for (size_t i = 0; i < audit->origin_count; i++)
        twice += audit->origins[i].twice;
    return twice;
}

/* ---- ids */

static void audit_note_id(struct audit *audit, struct relance_str id, size_t origin, struct audit_place place)
{
    if (audit->id_count == audit->id_capacity) {
        audit->id_capacity = audit->id_capacity ? audit->id_capacity * 2 : 1024;
        audit->ids = realloc(audit->ids, audit->id_capacity * sizeof *audit->ids);
        ensure(audit->ids);
    }
    struct audit_id *note = &audit->ids[audit->id_count++];
    *note = (struct audit_id){.origin = (uint32_t)origin, .place = place};
    memcpy(note->id, id.data, sizeof note->id);
}

struct audit_origin *audit_see_number(struct audit *audit, struct relance_str source, int64_t partition,
                                      uint64_t seq, bool *twice)
{
    *twice = false;
    if (!seq) return NULL;
    size_t at = audit_origin(audit, source, partition);
    struct audit_origin *origin = &audit->origins[at];
    *twice = !audit_number(origin, seq);
    return origin;
}

void audit_see(struct audit *audit, struct relance_str source, int64_t partition, uint64_t seq,
               struct relance_str id, struct audit_place place, bool *twice)
{
    bool is_whole = id.size == sizeof audit->ids->id;
    const struct audit_origin *origin = audit_see_number(audit, source, partition, is_whole ? seq : 0, twice);
    if (origin)
        audit_note_id(audit, id, (size_t)(origin - audit->origins), place);
    else
        audit->strangers++;
}

/* By group, id, and place. The origins of one group have the same source. */
static int audit_order(const void *a, const void *b, void *context)
{
    const struct audit *audit = context;
    const struct audit_id *x = a, *y = b;
    int order = memcmp(x->id, y->id, sizeof x->id);
    if (!order) order = strcmp(audit->origins[x->origin].source, audit->origins[y->origin].source);
    if (!order) order = (x->place.partition > y->place.partition) - (x->place.partition < y->place.partition);
    return order ? order : (x->place.offset > y->place.offset) - (x->place.offset < y->place.offset);
}

size_t audit_ids_twice(struct audit *audit, audit_show *show, void *context)
{
    size_t twice = 0;
    if (audit->id_count) qsort_r(audit->ids, audit->id_count, sizeof *audit->ids, audit_order, audit);
    for (size_t i = 1; i < audit->id_count; i++) {
        const struct audit_id *before = &audit->ids[i - 1], *id = &audit->ids[i];
        if (memcmp(before->id, id->id, sizeof id->id) != 0) continue;
        if (strcmp(audit->origins[before->origin].source, audit->origins[id->origin].source) != 0) continue;
        show(context, before, id);
        twice++;
    }
    return twice;
}

void audit_free(struct audit *audit)
{
    for (size_t i = 0; i < audit->origin_count; i++) {
        free(audit->origins[i].source);
        free(audit->origins[i].missing);
    }
    free(audit->origins);
    free(audit->ids);
}
