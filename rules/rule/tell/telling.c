/* Telling: the words for what was decided and for what stood in the way. The story of a customer and the report of a
 * test that failed both take them from here; they differ in how they say when. */
#include "rule/tell/telling.h"

#include "base/duration.h"
#include "base/buffer.h"
#include "base/rfc3339.h"
#include "rule/run/engine_internal.h"

#include <relance/engine.h>
#include <inttypes.h>

enum { DAY_S = 86400 };

void telling_put_types(struct buffer *out, const struct relance_ruleset *set, struct type_list list)
{
    for (size_t i = 0; i < list.count; i++)
        buffer_put_format(out, "%s%.*s", i ? ", " : "", STR_ARG(set->types[list.types[i]].reader->name));
}

static void put_day(struct buffer *out, int64_t days)
{
    int64_t year;
    unsigned month, day;
    rfc3339_date(days, &year, &month, &day);
    buffer_put_format(out, "%04" PRId64 "-%02u-%02u ", year, month, day);
}

/* " (11:00 Europe/Berlin)", with the day where that is another than in UTC. */
void telling_put_local(struct buffer *out, const struct telling_clock *clock, int64_t time_ms)
{
    if (!clock->zone || str_equal(clock->zone_name, STR("UTC"))) return;
    int64_t seconds = floor_div(time_ms, 1000), local = seconds + zone_offset(clock->zone, seconds);
    int64_t day = floor_div(local, DAY_S), minutes = (local - day * DAY_S) / 60;
    buffer_put_str(out, STR(" ("));
    if (day != floor_div(seconds, DAY_S)) put_day(out, day);
    buffer_put_format(out, "%02d:%02d %.*s)", (int)(minutes / 60), (int)(minutes % 60),
                      STR_ARG(clock->zone_name));
}

static void tell_time(struct buffer *out, const char *before, int64_t time_ms,
                      const struct telling_clock *clock)
{
    char time[24];
    buffer_put_str(out, str_of(before));
    if (clock->from_ms != RELANCE_NEVER) {
        duration_put(out, time_ms - clock->from_ms);
        return;
    }
    relance_time_print(time_ms, time);
    buffer_put(out, time, sizeof time);
    telling_put_local(out, clock, time_ms);
}

/* What stands behind an outcome's own word. */
static void tell_details(struct buffer *out, const struct relance_decision *d,
                         const struct telling_clock *clock)
{
    switch (d->outcome) {
    case RELANCE_OUTCOME_SENT:
        buffer_put_format(out, " %.*s%s", STR_ARG(d->send), d->with.size ? " " : "");
        buffer_put_str(out, d->with);
        break;
    case RELANCE_OUTCOME_HELD:
        buffer_put_format(out, ", not sent: the customer is in '%.*s', which is measured and sent nothing",
                          STR_ARG(d->group.size ? d->group : d->variant));
        break;
    case RELANCE_OUTCOME_OVERTAKEN:
        buffer_put_format(out, " by %.*s", STR_ARG(d->by));
        tell_time(out, " at ", d->by_ms, clock);
        buffer_put_str(out, STR(", which cancels it"));
        break;
    case RELANCE_OUTCOME_COOLING:
        buffer_put_str(out, d->step ? STR(", not sent, and the run ends: ") : STR(", not started: "));
        if (d->until_ms == RELANCE_NEVER)
            buffer_put_str(out, STR("the cooldown lasts forever"));
        else
            tell_time(out, "the cooldown lasts until ", d->until_ms, clock);
        break;
    case RELANCE_OUTCOME_FULL:
        buffer_put_str(out, STR(", not started: the customer has the maximum number of live runs"));
        break;
    case RELANCE_OUTCOME_CAPPED:
        buffer_put_format(out, ", not sent: the limit '%.*s' has been reached", STR_ARG(d->by));
        break;
    case RELANCE_OUTCOME_BLOCKED:
        buffer_put_format(out, ", not sent: the limit '%.*s' forbids it", STR_ARG(d->by));
        break;
    case RELANCE_OUTCOME_DEFERRED:
        tell_time(out, " until ", d->until_ms, clock);
        buffer_put_format(out, " by the limit '%.*s'", STR_ARG(d->by));
        break;
    case RELANCE_OUTCOME_STALE: tell_time(out, ", not sent: it was due ", d->due_ms, clock); break;
    case RELANCE_OUTCOME_SET: buffer_put_format(out, " %.*s", STR_ARG(d->set)); break;
    case RELANCE_OUTCOME_COLLECTED: buffer_put_str(out, STR(", and its wait goes on")); break;
    case RELANCE_OUTCOME_FAILED:
        buffer_put_str(out, d->send.size ? STR(", not sent: ") : STR(", and the run ends: "));
        buffer_put_str(out, d->why);
        break;
    case RELANCE_OUTCOME_ANSWERED:
    case RELANCE_OUTCOME_CANCELLED: buffer_put_format(out, " by %.*s", STR_ARG(d->by)); break;
    case RELANCE_OUTCOME_DROPPED:
        buffer_put_str(out, d->why.size ? STR(": the customer's state has no room for the run")
                                        : STR(": the rule or the step is gone"));
        break;
    case RELANCE_OUTCOME_GOAL:
        buffer_put_str(out, STR(" reached, worth "));
        cel_print_double(d->value, out);
        break;
    default: break;
    }
}

static void tell_decision(struct buffer *out, const struct relance_decision *d,
                          const struct telling_clock *clock)
{
    if (d->step) buffer_put_format(out, "step %" PRIu32 ": ", d->step);
    buffer_put_str(out, relance_outcome_text(d->outcome));
    tell_details(out, d, clock);
    if (d->reason.size) buffer_put_format(out, ": %.*s", STR_ARG(d->reason));
}

struct relance_str relance_note_sentence(enum relance_note_kind kind)
{
    static const str sentences[] = {
#define NOTE(name, sentence) STR(sentence),
        RELANCE_NOTE_TABLE(NOTE)
#undef NOTE
    };
    return sentences[kind];
}

static void tell_note(struct buffer *out, const struct relance_note *note, const struct telling_clock *clock)
{
    buffer_put_str(out, relance_note_sentence(note->kind));
    if (note->subject.size) buffer_put_format(out, " %.*s", STR_ARG(note->subject));
    const char *before = note->kind == RELANCE_NOTE_LINKED ? ", brought: " : ": ";
    if (note->reason.size) buffer_put_format(out, "%s%.*s", before, STR_ARG(note->reason));
    if (note->kind == RELANCE_NOTE_ON_EVENT) buffer_put_str(out, STR(": none came"));
    if (note->kind == RELANCE_NOTE_ON_DATE && note->due_ms != RELANCE_NEVER)
        tell_time(out, ", next at ", note->due_ms, clock);
    if (!note->step) return;
    buffer_put_format(out, "; its step %" PRIu32, note->step);
    if (note->due_ms == RELANCE_NEVER) {
        buffer_put_str(out, STR(" is parked until the visitor is known"));
        return;
    }
    if (note->awaited.size) buffer_put_format(out, " waits for %.*s", STR_ARG(note->awaited));
    tell_time(out, note->awaited.size ? " until " : " falls due ", note->due_ms, clock);
}

void telling_put(struct buffer *out, const struct relance_decision *decision, const struct relance_note *note,
                 const struct telling_clock *clock)
{
    if (decision) tell_decision(out, decision, clock);
    if (note) tell_note(out, note, clock);
}

/* The zone of the customer whom the engine tells of; else that of the set. */
static struct telling_clock clock_of(struct relance_engine *e)
{
    bool known = e->customer && e->customer->state;
    struct telling_clock clock = {.from_ms = RELANCE_NEVER,
                                  .zone_name = known ? customer_zone_name(e) : e->set->tz};
    clock.zone = zone_find(e->set->zones, clock.zone_name);
    return clock;
}

size_t relance_tell(struct relance_engine *engine, const struct relance_decision *decision,
                    const struct relance_note *note, char *out, size_t size)
{
    struct arena arena;
    struct buffer text;
    struct telling_clock clock = clock_of(engine);
    arena_init(&arena, 0);
    buffer_init(&text, &arena);
    telling_put(&text, decision, note, &clock);
    size_t wanted = buffer_copy(&text, out, size);
    arena_free(&arena);
    return wanted;
}

size_t relance_tell_local(struct relance_engine *engine, int64_t time_ms, char *out, size_t size)
{
    struct arena arena;
    struct buffer text;
    struct telling_clock clock = clock_of(engine);
    arena_init(&arena, 0);
    buffer_init(&text, &arena);
    telling_put_local(&text, &clock, time_ms);
    size_t wanted = buffer_copy(&text, out, size);
    arena_free(&arena);
    return wanted;
}
