/* Decisions on their way out: completed with what is common, and printed. */
#include "base/rfc3339.h"
#include "rule/run/engine_internal.h"

#include "base/buffer.h"

#include <inttypes.h>
#include <stdio.h>

void engine_decide(struct relance_engine *e, const struct relance_decision *decision)
{
    if (e->frame.stopped) return; /* half-decided: whoever comes next decides it again */
    struct relance_decision whole = *decision;
    whole.time_ms = e->now_ms;
    whole.customer = e->customer ? customer_bare_id(e->customer) : (str){0};
    whole.is_visitor = e->customer && customer_is_visitor(e->customer);
    if (!whole.rule.data && e->rule) whole.rule = e->rule->name;
    whole.reason = e->reason;
    e->reason = (str){0};
    e->options.decide(e->options.context, &whole);
}

struct relance_str relance_outcome_text(enum relance_outcome outcome)
{
    static const str texts[] = {
#define OUTCOME(name, text, prose) STR(text),
        RELANCE_OUTCOME_TABLE(OUTCOME)
#undef OUTCOME
    };
    return texts[outcome];
}

struct relance_str relance_outcome_prose(enum relance_outcome outcome)
{
    static const str texts[] = {
#define OUTCOME(name, text, prose) STR(prose),
        RELANCE_OUTCOME_TABLE(OUTCOME)
#undef OUTCOME
    };
    return texts[outcome];
}

bool relance_decision_is_output(const struct relance_decision *decision)
{
    return !decision->said &&
           (decision->outcome == RELANCE_OUTCOME_SENT || decision->outcome == RELANCE_OUTCOME_HELD ||
            decision->outcome == RELANCE_OUTCOME_GOAL);
}

/* A wait may end after the last year that can be written, though nothing happens there any more. */
void relance_time_print(int64_t ms, char out[24])
{
    rfc3339_print_ms(ms < RFC3339_MS_MIN ? RFC3339_MS_MIN : ms > RFC3339_MS_MAX ? RFC3339_MS_MAX : ms, out);
}

enum { PLACE_MAX = 512 /* bytes of a place that is shown */ };

/* ---- printing into a caller's room, as snprintf does: what does not fit is counted, not written */

struct room {
    char *out;
    size_t size, wanted;
};

static void room_put(struct room *room, str s)
{
    if (room->wanted < room->size) {
        size_t left = room->size - room->wanted;
        memcpy(room->out + room->wanted, s.data, s.size < left ? s.size : left);
    }
    room->wanted += s.size;
}

static void room_put_int(struct room *room, int64_t i)
{
    char text[INT_PRINT_SIZE];
    room_put(room, (str){text, int_print(i, text)});
}

static void room_put_time(struct room *room, int64_t ms)
{
    char text[26] = "\"";
    relance_time_print(ms, text + 1);
    text[25] = '"';
    room_put(room, (str){text, 26});
}

static void room_put_string(struct room *room, str s)
{
    char code[6];
    room_put(room, STR("\""));
    size_t plain = 0;
    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (json_is_plain(c)) continue;
        room_put(room, str_slice(s, plain, i));
        room_put(room, (str){code, json_escape(c, code)});
        plain = i + 1;
    }
    room_put(room, str_slice(s, plain, s.size));
    room_put(room, STR("\""));
}

static void room_put_member(struct room *room, const char *key, str value)
{
    if (!value.size) return;
    room_put(room, str_of(key));
    room_put_string(room, value);
}

static void room_put_double(struct room *room, double d)
{
    struct arena arena;
    struct buffer text;
    arena_init(&arena, 0);
    buffer_init(&text, &arena);
    cel_print_double(d, &text);
    room_put(room, buffer_str(&text));
    arena_free(&arena);
}

static void room_put_place(struct room *room, const struct noted_program *noted)
{
    size_t line, column;
    char text[48];
    source_place(noted->source, noted->offset, &line, &column);
    int size = snprintf(text, sizeof text, ":%zu:%zu", line, column);
    room_put(room, noted->source->name);
    room_put(room, (str){text, (size_t)size});
}

size_t relance_decision_place(const struct relance_decision *d, char *out, size_t size)
{
    struct room room = {out, size, 0};
    if (d->program && d->program->source) room_put_place(&room, d->program);
    return room.wanted;
}

/* Whose expression failed, and where it stands. */
static void room_put_failing(struct room *room, const struct relance_decision *d)
{
    char place[PLACE_MAX];
    size_t size = relance_decision_place(d, place, sizeof place);
    room_put_member(room, ",\"in\":", d->in);
    room_put_member(room, ",\"place\":", (str){place, size < sizeof place ? size : sizeof place});
}

static const char *whose(const struct relance_decision *d)
{
    return d->is_visitor ? ",\"visitor\":" : ",\"customer\":";
}

/* A line but for its end. */
static void room_put_decision(struct room *room, const struct relance_decision *d)
{
    room_put(room, STR("{\"time\":"));
    room_put_time(room, d->time_ms);
    room_put_member(room, whose(d), d->customer);
    room_put_member(room, ",\"rule\":", d->rule);
    room_put_member(room, ",\"key\":", d->key);
    room_put_member(room, ",\"outcome\":", relance_outcome_text(d->outcome));
    if (d->step) room_put(room, STR(",\"step\":")), room_put_int(room, d->step);
    room_put_member(room, ",\"id\":", d->id);
    room_put_member(room, ",\"send\":", d->send);
    room_put_member(room, ",\"variant\":", d->variant);
    room_put_member(room, ",\"group\":", d->group);
    if (d->with.size) room_put(room, STR(",\"with\":")), room_put(room, d->with);
    if (d->models.size) room_put(room, STR(",\"models\":")), room_put(room, d->models);
    if (d->outcome == RELANCE_OUTCOME_DEFERRED)
        room_put(room, STR(",\"until\":")), room_put_time(room, d->until_ms);
    room_put_member(room, ",\"why\":", d->why);
    if (d->set.size) room_put(room, STR(",\"set\":")), room_put(room, d->set);
    room_put_failing(room, d);
    if (d->outcome == RELANCE_OUTCOME_GOAL)
        room_put(room, STR(",\"value\":")), room_put_double(room, d->value);
}

size_t relance_decision_print(const struct relance_decision *d, char *out, size_t size)
{
    struct room room = {out, size, 0};
    room_put_decision(&room, d);
    room_put(&room, STR("}"));
    return room.wanted;
}

size_t relance_decision_body_print(const struct relance_decision *d, char *out, size_t size)
{
    struct room room = {out, size, 0};
    room_put_decision(&room, d);
    room_put_member(&room, ",\"by\":", d->by);
    room_put(&room, STR("}"));
    return room.wanted;
}

static void room_put_trigger(struct room *room, const struct relance_decision *d)
{
    room_put(room, STR(",\"trigger\":{\"id\":"));
    room_put_string(room, d->trigger_id);
    room_put(room, STR(",\"type\":"));
    room_put_string(room, d->trigger_type);
    room_put(room, STR(",\"time\":"));
    room_put_time(room, d->trigger_time_ms);
    room_put(room, STR("}"));
}

size_t relance_action_print(const struct relance_decision *d, struct relance_str ruleset, char *out,
                            size_t size)
{
    struct room room = {out, size, 0};
    str action = d->outcome == RELANCE_OUTCOME_GOAL ? STR("goal") : d->send;
    room_put(&room, STR("{\"action\":"));
    room_put_string(&room, action);
    room_put_member(&room, ",\"rule\":", d->rule);
    room_put_member(&room, ",\"ruleset\":", ruleset);
    room_put_member(&room, whose(d), d->customer);
    room_put_member(&room, ",\"key\":", d->key);
    if (d->step) room_put(&room, STR(",\"step\":")), room_put_int(&room, d->step);
    room_put_member(&room, ",\"variant\":", d->variant);
    room_put_member(&room, ",\"group\":", d->group);
    room_put(&room, STR(",\"priority\":"));
    room_put_int(&room, d->priority);
    room_put(&room, STR(",\"due\":"));
    room_put_time(&room, d->due_ms);
    if (d->with.size) room_put(&room, STR(",\"with\":")), room_put(&room, d->with);
    if (d->models.size) room_put(&room, STR(",\"models\":")), room_put(&room, d->models);
    if (d->outcome == RELANCE_OUTCOME_GOAL)
        room_put(&room, STR(",\"value\":")), room_put_double(&room, d->value);
    if (d->trigger_type.size) room_put_trigger(&room, d);
    room_put(&room, STR("}"));
    return room.wanted;
}
