/* What a record holds: one native event, nearly always; a list of them; or what a mapping makes of it. The shell calls
 * relance_engine_record once for each, and again for one whose customer's state was not at hand, so what has been found is
 * kept from call to call, as long as nobody else has used the mapping. */
#include "rule/run/engine_internal.h"

#include "base/limits.h"
#include "mapping/build.h"

static bool fail(struct relance_engine *e)
{
    e->failed = true;
    return false;
}

static bool map(struct relance_engine *e, const struct relance_record *record)
{
    struct unfolded *u = &e->unfolded;
    struct relance_mapping *mapping = e->set->mapping;
    if (u->serial == mapping_serial(mapping) && u->at > 0) return true;
    const struct relance_foreign foreign = {.topic = record->topic,
                                            .partition = record->partition,
                                            .offset = record->offset,
                                            .key = record->key,
                                            .value = record->value,
                                            .headers = record->headers,
                                            .header_count = record->header_count};
    if (relance_mapping_map(mapping, &foreign, &u->mapped) != RELANCE_OK) return fail(e);
    u->serial = mapping_serial(mapping);
    return true;
}

/* Is it a list, rather than an object? */
static bool is_list(str value)
{
    bool object = value.size && value.data[0] == '{'; /* nearly always */
    return !object && str_starts_with(str_trim(str_skip_mark(value)), STR("["));
}

/* A list of native events: a text for each, which stands in the record. Found once, however many there are. */
static bool split(struct relance_engine *e, const struct relance_record *record)
{
    struct unfolded *u = &e->unfolded;
    if (u->at > 0) return true;
    if (!u->items && !(u->items = ARENA_ARRAY(&e->arena, struct relance_mapped_item, LIMIT_MAPPED_EVENTS)))
        return fail(e);
    u->mapped = (struct relance_mapped){.kind = RELANCE_MAPPED, .items = u->items};
    str texts[LIMIT_MAPPED_EVENTS];
    enum event_dead dead =
        event_split(e->reader, record->value, texts, LIMIT_MAPPED_EVENTS, &u->mapped.count);
    if (dead == EVENT_NO_MEMORY) return fail(e);
    if (dead)
        u->mapped = (struct relance_mapped){.kind = RELANCE_UNREADABLE, .reason = event_dead_name(dead)};
    for (size_t i = 0; i < u->mapped.count; i++)
        u->items[i] = (struct relance_mapped_item){.event = texts[i], .number = i};
    return true;
}

/* What Relance itself writes into a topic that holds another pipeline's records. */
static bool says_native(const struct relance_record *record)
{
    for (size_t i = 0; i < record->header_count; i++)
        if (str_equal(record->headers[i].name, STR(RELANCE_NATIVE_HEADER))) return true;
    return false;
}

static void tell_whole(const struct relance_mapped *mapped, struct relance_fate *fate)
{
    bool dead = mapped->kind == RELANCE_UNREADABLE;
    *fate = (struct relance_fate){.kind = dead ? RELANCE_DEAD : RELANCE_NOTHING,
                                  .reason = mapped->reason,
                                  .sentence = mapped->sentence,
                                  .unmapped = mapped->unmapped,
                                  .fields_invalid = mapped->fields_invalid,
                                  .misfits = mapped->misfits,
                                  .misfit_count = mapped->misfit_count};
}

static void tell_dead(const struct relance_mapped_item *item, struct relance_fate *fate)
{
    *fate = (struct relance_fate){.kind = RELANCE_DEAD,
                                  .reason = item->reason,
                                  .sentence = item->sentence,
                                  .number = item->number,
                                  .customer = item->customer,
                                  .is_visitor = item->is_visitor};
}

bool unfold_next(struct relance_engine *e, const struct relance_record *record, struct relance_fate *fate)
{
    struct unfolded *u = &e->unfolded;
    u->present = record->value;
    bool mapped = e->set->mapping && !u->is_native && !says_native(record);
    if (!mapped && !is_list(record->value)) return true;
    if (!(mapped ? map(e, record) : split(e, record))) return false;
    if (u->mapped.count == 0) {
        tell_whole(&u->mapped, fate);
        return false;
    }
    const struct relance_mapped_item *item = &u->mapped.items[u->at];
    u->present = item->event;
    if (item->event.size) return true;
    tell_dead(item, fate);
    unfold_advance(e, fate);
    return false;
}

str relance_engine_event(const struct relance_engine *engine)
{
    return engine->unfolded.present;
}

/* What did not fit is said with the last event. */
void unfold_advance(struct relance_engine *e, struct relance_fate *fate)
{
    struct unfolded *u = &e->unfolded;
    if (u->mapped.count == 0) return;
    fate->number = u->mapped.items[u->at].number;
    if (++u->at < u->mapped.count) {
        fate->more = true;
        return;
    }
    fate->unmapped = u->mapped.unmapped;
    fate->fields_invalid += u->mapped.fields_invalid;
    if (!fate->misfit_count) {
        fate->misfits = u->mapped.misfits;
        fate->misfit_count = u->mapped.misfit_count;
    }
    u->at = 0;
    u->mapped.count = 0;
}
