/* Telling: the words for what was decided and for what stood in the way. The story of a customer and the report of a
 * test that failed both take them from here; they differ in how they say when. */
#include "rule/tell/telling.h"

#include "base/duration.h"
#include "base/buffer.h"

#include <relance/engine.h>
#include <inttypes.h>

void telling_put_types(struct buffer *out, const struct relance_ruleset *set, struct type_list list)
{
    for (size_t i = 0; i < list.count; i++)
        buffer_put_format(out, "%s%.*s", i ? ", " : "", STR_ARG(set->types[list.types[i]].reader->name));
}

static void tell_time(struct buffer *out, const char *before, int64_t time_ms, int64_t from_ms)
{
    char time[24];
    buffer_put_str(out, str_of(before));
    if (from_ms != RELANCE_NEVER) {
        duration_put(out, time_ms - from_ms);
        return;
    }
    relance_time_print(time_ms, time);
    buffer_put(out, time, sizeof time);
}

/* What stands behind an outcome's own word. */
static void tell_details(struct buffer *out, const struct relance_decision *d, int64_t from_ms)
{
    switch (d->outcome) {
    case RELANCE_OUTCOME_SENT:
        buffer_put_format(out, " %.*s%s", STR_ARG(d->send), d->with.size ? " " : "");
        buffer_put_str(out, d->with);
        break;
    case RELANCE_OUTCOME_HELD:
        buffer_put_format(out, ", not sent: the customer is in '%.*s', which sends nothing and is measured",
                          STR_ARG(d->group.size ? d->group : d->variant));
        break;
    case RELANCE_OUTCOME_OVERTAKEN:
        buffer_put_format(out, " by %.*s", STR_ARG(d->by));
        tell_time(out, " at ", d->by_ms, from_ms);
        buffer_put_str(out, STR(", which cancels it"));
        break;
    case RELANCE_OUTCOME_COOLING:
        buffer_put_str(out, d->step ? STR(", not sent, and the run ends: ") : STR(", not started: "));
        if (d->until_ms == RELANCE_NEVER)
            buffer_put_str(out, STR("the cooldown lasts for ever"));
        else
            tell_time(out, "the cooldown lasts until ", d->until_ms, from_ms);
        break;
    case RELANCE_OUTCOME_FULL:
        buffer_put_str(out, STR(", not started: the customer has as many live runs as there may be"));
        break;
    case RELANCE_OUTCOME_CAPPED:
        buffer_put_format(out, ", not sent: the limit '%.*s' is full", STR_ARG(d->by));
        break;
    case RELANCE_OUTCOME_BLOCKED:
        buffer_put_format(out, ", not sent: the limit '%.*s' forbids it", STR_ARG(d->by));
        break;
    case RELANCE_OUTCOME_DEFERRED:
        tell_time(out, " until ", d->until_ms, from_ms);
        buffer_put_format(out, " by the limit '%.*s'", STR_ARG(d->by));
        break;
    case RELANCE_OUTCOME_STALE: tell_time(out, ", not sent: it was due ", d->due_ms, from_ms); break;
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

static void tell_decision(struct buffer *out, const struct relance_decision *d, int64_t from_ms)
{
    if (d->step) buffer_put_format(out, "step %" PRIu32 ": ", d->step);
    buffer_put_str(out, relance_outcome_text(d->outcome));
    tell_details(out, d, from_ms);
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

static void tell_note(struct buffer *out, const struct relance_note *note, int64_t from_ms)
{
    buffer_put_str(out, relance_note_sentence(note->kind));
    if (note->subject.size) buffer_put_format(out, " %.*s", STR_ARG(note->subject));
    if (note->reason.size) buffer_put_format(out, ": %.*s", STR_ARG(note->reason));
    if (note->kind == RELANCE_NOTE_ON_EVENT) buffer_put_str(out, STR(": none came"));
    if (note->kind == RELANCE_NOTE_ON_DATE && note->due_ms != RELANCE_NEVER)
        tell_time(out, ", next at ", note->due_ms, from_ms);
    if (!note->step) return;
    buffer_put_format(out, "; its step %" PRIu32, note->step);
    if (note->awaited.size) buffer_put_format(out, " waits for %.*s", STR_ARG(note->awaited));
    tell_time(out, note->awaited.size ? " until " : " falls due ", note->due_ms, from_ms);
}

void telling_put(struct buffer *out, const struct relance_decision *decision, const struct relance_note *note,
                 int64_t from_ms)
{
    if (decision) tell_decision(out, decision, from_ms);
    if (note) tell_note(out, note, from_ms);
}

enum { MISFIT_SHOWN_MAX = 60 /* bytes of a value */ };

void telling_put_misfit(struct buffer *out, const struct relance_misfit *misfit)
{
    size_t shown = misfit->value.size;
    if (shown > MISFIT_SHOWN_MAX)
        for (shown = MISFIT_SHOWN_MAX; shown && ((unsigned char)misfit->value.data[shown] & 0xC0) == 0x80;)
            shown--;
    buffer_put_format(out, "%.*s is no %.*s: %.*s%s", STR_ARG(misfit->field), STR_ARG(misfit->type),
                      (int)shown, misfit->value.data, shown < misfit->value.size ? "..." : "");
}

size_t relance_misfit_tell(const struct relance_misfit *misfit, char *out, size_t size)
{
    struct arena arena;
    struct buffer text;
    arena_init(&arena, 0);
    buffer_init(&text, &arena);
    telling_put_misfit(&text, misfit);
    size_t wanted = buffer_copy(&text, out, size);
    arena_free(&arena);
    return wanted;
}

size_t relance_tell(const struct relance_decision *decision, const struct relance_note *note, int64_t from_ms,
                    char *out, size_t size)
{
    struct arena arena;
    struct buffer text;
    arena_init(&arena, 0);
    buffer_init(&text, &arena);
    telling_put(&text, decision, note, from_ms);
    size_t wanted = buffer_copy(&text, out, size);
    arena_free(&arena);
    return wanted;
}
