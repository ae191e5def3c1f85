/* A story as JSON, an object a line: `kind` says what it tells (consumer/view/README.md). */
#include "report/story.h"
#include "base/str.h"
#include "host/print.h"

enum { LINES_LOCAL = 128, LINES_MISFIT = 256 };

static void lines_text(struct story *story, const char *name, struct relance_str text)
{
    if (!text.size) return;
    buffer_put_format(&story->line, ",\"%s\":", name);
    buffer_put_json_string(&story->line, text);
}

static void lines_begin(struct story *story, const char *kind)
{
    story->line.size = 0;
    buffer_put_format(&story->line, "{\"kind\":\"%s\"", kind);
}

static void lines_end(struct story *story)
{
    buffer_put_char(&story->line, '}');
    print_text(buffer_str(&story->line), story->out);
    fputc('\n', story->out);
}

static void lines_time(struct story *story, int64_t time_ms)
{
    char time[24], local[LINES_LOCAL];
    size_t size = relance_tell_local(story->engine, time_ms, local, sizeof local);
    relance_time_print(time_ms, time);
    lines_text(story, "time", (struct relance_str){time, sizeof time});
    lines_text(story, "local",
               str_trim((struct relance_str){local, size < sizeof local ? size : sizeof local}));
}

/* The event as the engine has it; what is none, as it came. */
static void lines_event(struct story *story)
{
    struct relance_str event = relance_engine_event(story->engine);
    if (!event.size) {
        if (story->record) lines_text(story, "record", str_trim(story->record->value));
        return;
    }
    buffer_put_str(&story->line, STR(",\"event\":"));
    buffer_put_str(&story->line, event);
}

void story_lines_begin(struct story *story, int32_t partition, int64_t offset)
{
    lines_begin(story, "partition");
    buffer_put_format(&story->line, ",\"partition\":%d,\"from_offset\":%lld", (int)partition,
                      (long long)offset);
    lines_end(story);
}

void story_lines_progress(struct story *story, double part, uint64_t records)
{
    lines_begin(story, "progress");
    if (part >= 0) buffer_put_format(&story->line, ",\"part\":%.3f", part);
    buffer_put_format(&story->line, ",\"events\":%llu", (unsigned long long)records);
    lines_end(story);
}

void story_lines_unknown(struct story *story, const char *affinity, const char *why)
{
    lines_begin(story, "unknown");
    lines_text(story, "affinity", str_of(affinity));
    lines_text(story, "words", str_of(why));
    lines_end(story);
}

void story_lines_decide(struct story *story, const struct relance_decision *decision)
{
    lines_begin(story, "decision");
    lines_text(story, "rule", decision->rule);
    lines_text(story, "key", decision->key);
    lines_text(story, "words", story_tell(story, decision, NULL));
    buffer_put_str(&story->line, STR(",\"decision\":"));
    size_t size = relance_decision_print(decision, NULL, 0);
    relance_decision_print(decision, buffer_room(&story->line, size), size);
    story->line.size += size;
    story_lines_learnt(story, decision);
    lines_end(story);
}

/* An event, or the end of a wait: what follows comes of it. */
static void lines_happening(struct story *story, const struct relance_note *note)
{
    bool is_wait = note->kind == RELANCE_NOTE_WAIT;
    lines_begin(story, is_wait ? "wait" : note->kind == RELANCE_NOTE_DUPLICATE ? "duplicate" : "event");
    lines_time(story, note->time_ms);
    if (!is_wait) {
        story->events++;
        lines_text(story, "type", note->subject);
        lines_text(story, "id", note->id);
        lines_event(story);
    }
    lines_end(story);
}

static void lines_say(struct story *story, const char *kind, const struct relance_note *note)
{
    lines_begin(story, kind);
    lines_text(story, "rule", note->rule);
    lines_text(story, "key", note->key);
    lines_text(story, "words", story_tell(story, NULL, note));
    lines_end(story);
}

void story_lines_note(struct story *story, const struct relance_note *note)
{
    bool is_happening = note->kind == RELANCE_NOTE_EVENT || note->kind == RELANCE_NOTE_DUPLICATE ||
                        note->kind == RELANCE_NOTE_WAIT;
    if (story->ending) {
        const char *kind = note->kind == RELANCE_NOTE_RUNNING ? "running" : "idle";
        if (story_is_idle(story, note)) lines_say(story, kind, note);
    } else if (is_happening) {
        story_tell_unknown(story);
        lines_happening(story, note);
    } else {
        if (note->rule.size) tally_at(&story->rules, note->rule)->count[0]++;
        lines_say(story, "note", note);
    }
}

static void lines_misfits(struct story *story, const struct relance_fate *fate)
{
    char words[LINES_MISFIT];
    for (size_t i = 0; i < fate->misfit_count; i++) {
        size_t size = relance_misfit_tell(&fate->misfits[i], words, sizeof words);
        buffer_put_str(&story->line, i ? STR(",") : STR(",\"left_out\":["));
        buffer_put_json_string(&story->line,
                               (struct relance_str){words, size < sizeof words ? size : sizeof words});
    }
    if (fate->misfit_count) buffer_put_char(&story->line, ']');
}

void story_lines_unseen(struct story *story, const struct relance_fate *fate, const char *why)
{
    bool is_dead = fate->kind == RELANCE_DEAD;
    lines_begin(story, is_dead ? "dead" : "unseen");
    lines_text(story, "type", fate->type);
    if (is_dead) lines_text(story, "reason", fate->reason);
    lines_text(story, "words", is_dead ? fate->sentence : str_of(why));
    lines_misfits(story, fate);
    lines_event(story);
    lines_end(story);
}

void story_lines_end(struct story *story)
{
    lines_begin(story, "end");
    buffer_put_format(&story->line, ",\"events\":%llu", (unsigned long long)story->events);
    lines_end(story);
}
