#include "report/story.h"
#include "host/print.h"
#include "base/str.h"

#include <inttypes.h>

enum {
    RECORD_SHOWN_MAX = 400, /* bytes of an event as it came */
    MISFIT_WORDS_MAX = 256,
    LOCAL_SIZE = 128, /* bytes of a local time with its zone */
};

/* ---- lines */

/* What comes from events: ids, keys, values. */
static void story_put(const struct story *story, const char *before, struct relance_str text)
{
    if (!text.size) return;
    print(story->out, "%s%.*s", before, STR_ARG(text));
}

/* "  line 51 of events.jsonl" */
static void story_place(const struct story *story)
{
    if (!story->path) return;
    print(story->out, "  line %lld of %s", (long long)story->record->offset + 1,
          strcmp(story->path, "-") == 0 ? "standard input" : story->path);
}

/* Of an event that has no id of its own: "-/0/50". */
static bool story_id_is_place(const struct story *story, struct relance_str id)
{
    char place[64];
    if (!story->record) return false;
    snprintf(place, sizeof place, "%.*s/%d/%lld", STR_ARG(story->record->topic),
             (int)story->record->partition, (long long)story->record->offset);
    return str_equal(id, str_of(place));
}

static void story_head(const struct story *story, int64_t time_ms, struct relance_str what,
                       struct relance_str id)
{
    char time[24], local[LOCAL_SIZE];
    size_t size = relance_tell_local(story->engine, time_ms, local, sizeof local);
    relance_time_print(time_ms, time);
    print_paint(PAINT_STRONG, story->out);
    print(story->out, "%.24s%.*s", time, (int)(size < sizeof local ? size : sizeof local), local);
    story_put(story, "  ", what);
    story_put(story, "  ", id);
    if (story_id_is_place(story, id)) story_place(story);
    print_paint(PAINT_NONE, story->out);
    fputc('\n', story->out);
}

/* "  cart_abandoned k-9: " */
static void story_name(const struct story *story, struct relance_str rule, struct relance_str key)
{
    story_put(story, "  ", rule);
    story_put(story, " ", key);
    fputs(": ", story->out);
}

static void story_rule(struct story *story, struct relance_str rule, struct relance_str key)
{
    tally_at(&story->rules, rule)->count[0]++;
    story_name(story, rule, key);
}

/* In the core's words. */
struct relance_str story_tell(struct story *story, const struct relance_decision *decision,
                              const struct relance_note *note)
{
    size_t size = relance_tell(story->engine, decision, note, NULL, 0);
    char *words = buffer_room(&story->words, size);
    relance_tell(story->engine, decision, note, words, size);
    return (struct relance_str){words, size};
}

/* The rest of the line. */
static void story_words(struct story *story, const struct relance_decision *decision,
                        const struct relance_note *note)
{
    print_text(story_tell(story, decision, note), story->out);
    fputc('\n', story->out);
}

/* The event; where there is none, the record. */
static void story_data(const struct story *story)
{
    struct relance_str event = relance_engine_event(story->engine);
    struct relance_str value = str_trim(event.size ? event : story->record->value);
    size_t size = value.size;
    if (size > RECORD_SHOWN_MAX)
        for (size = RECORD_SHOWN_MAX; size && ((unsigned char)value.data[size] & 0xC0) == 0x80;)
            size--;
    print_paint(PAINT_FAINT, story->out);
    story_put(story, "  ", (struct relance_str){value.data, size});
    print(story->out, "%s", size < value.size ? "..." : "");
    print_paint(PAINT_NONE, story->out);
    fputc('\n', story->out);
}

static bool story_is_about(const struct story *story, struct relance_str customer, bool is_visitor)
{
    return is_visitor == story->is_visitor && str_equal(customer, story->customer);
}

/* ---- decisions */

static void story_decide(void *context, const struct relance_decision *decision)
{
    struct story *story = context;
    if (!story_is_about(story, decision->customer, decision->is_visitor)) return;
    print_status_wipe();
    if (story->is_lines) {
        tally_at(&story->rules, decision->rule)->count[0]++;
        story_lines_decide(story, decision);
        return;
    }
    story_rule(story, decision->rule, decision->key);
    story_words(story, decision, NULL);
    story_learnt(story, decision);
}

/* ---- notes */

static void story_happening(struct story *story, const struct relance_note *note)
{
    struct relance_str sentence = relance_note_sentence(note->kind);
    struct relance_str what = note->kind == RELANCE_NOTE_WAIT ? sentence : note->subject;
    story_tell_unknown(story);
    story_head(story, note->time_ms, what, note->id);
    if (note->kind == RELANCE_NOTE_WAIT) return;
    story->events++;
    story_data(story);
    if (note->kind == RELANCE_NOTE_DUPLICATE) print(story->out, "  %.*s\n", STR_ARG(sentence));
}

static void story_section(struct story *story, bool running)
{
    story->section = 1 + running;
    fputc('\n', story->out);
    print_painted(PAINT_STRONG, running ? STR("live runs") : STR("rules that have done nothing"), story->out);
    fputc('\n', story->out);
}

/* At the end: a live run, or a rule of which nothing was told. */
bool story_is_idle(struct story *story, const struct relance_note *note)
{
    return note->kind == RELANCE_NOTE_RUNNING || !tally_at(&story->rules, note->rule)->count[0];
}

static void story_standing(struct story *story, const struct relance_note *note)
{
    bool running = note->kind == RELANCE_NOTE_RUNNING;
    if (!story_is_idle(story, note)) return;
    if (story->section != 1 + running) story_section(story, running);
    story_name(story, note->rule, note->key);
    story_words(story, NULL, note);
}

static void story_note(void *context, const struct relance_note *note)
{
    struct story *story = context;
    print_status_wipe();
    if (story->is_lines) {
        story_lines_note(story, note);
        return;
    }
    if (story->ending) {
        story_standing(story, note);
        return;
    }
    switch (note->kind) {
    case RELANCE_NOTE_EVENT:
    case RELANCE_NOTE_DUPLICATE:
    case RELANCE_NOTE_WAIT: story_happening(story, note); return;
    case RELANCE_NOTE_LINKED:
    case RELANCE_NOTE_SHARED: story_name(story, STR("visitor"), note->key); break;
    case RELANCE_NOTE_MISFIT:
    case RELANCE_NOTE_ENTERED:
    case RELANCE_NOTE_LEFT: fputs("  ", story->out); break;
    default: story_rule(story, note->rule, note->key); break;
    }
    story_words(story, NULL, note);
}

/* ---- the whole */

void story_listen(struct story *story, struct relance_engine_options *options)
{
    options->decide = story_decide;
    options->explain = story_note;
    options->context = options->explain_context = story;
    options->explained = story->customer;
    if (!story->is_visitor) return;
    options->explained.size = relance_visitor_name(story->customer, story->name);
    options->explained.data = story->name;
}

static void story_misfit(struct story *story, const struct relance_misfit *misfit)
{
    char words[MISFIT_WORDS_MAX];
    size_t size = relance_misfit_tell(misfit, words, sizeof words);
    print(story->out, "  left out: %.*s\n", (int)(size < sizeof words ? size : sizeof words), words);
}

/* An event that no rule looks at, or a dead letter: the engine tells nothing of them. */
static void story_unseen(struct story *story, const struct relance_fate *fate)
{
    const char *why =
        fate->declared ? "no rule looks at events of this type" : "this type of event is not declared";
    print_status_wipe();
    story->events++;
    if (story->is_lines) {
        story_lines_unseen(story, fate, why);
        return;
    }
    print(story->out, "%-24s", "-");
    story_put(story, "  ", fate->type);
    story_place(story);
    fputc('\n', story->out);
    story_data(story);
    for (size_t i = 0; i < fate->misfit_count; i++)
        story_misfit(story, &fate->misfits[i]);
    if (fate->kind == RELANCE_DEAD)
        print(story->out, "  a dead letter: %.*s%s%.*s\n", STR_ARG(fate->reason),
              fate->sentence.size ? ": " : "", STR_ARG(fate->sentence));
    else
        print(story->out, "  %s\n", why);
}

enum relance_progress story_record(struct story *story, struct relance_engine *engine,
                                   const struct relance_record *record, struct relance_fate *fate)
{
    story->record = record;
    story->engine = engine;
    enum relance_progress progress = relance_engine_record(engine, record, fate);
    bool unseen = fate->kind == RELANCE_DEAD || (fate->kind == RELANCE_IGNORED && !fate->linked);
    if (progress == RELANCE_DONE && unseen && story_is_about(story, fate->customer, fate->is_visitor))
        story_unseen(story, fate);
    story->record = NULL; /* it is the caller's; waits may follow */
    return progress;
}

void story_end(struct story *story, struct relance_engine *engine)
{
    story->ending = true;
    story->engine = engine;
    if (!story->events && !story->is_lines) {
        story_put(story, story->is_visitor ? "no event of visitor " : "no event of customer ",
                  story->customer);
        fputc('\n', story->out);
    }
    relance_engine_explain(engine);
    if (story->is_lines) story_lines_end(story);
}

void story_begin(struct story *story, const char *topic, int32_t partition, int64_t offset)
{
    if (story->is_lines)
        story_lines_begin(story, partition, offset);
    else
        print(story->out,
              "topic %s, partition %" PRId32 ", from offset %" PRId64
              "; nothing is known of what came before\n\n",
              topic, partition, offset);
}

void story_free(struct story *story)
{
    buffer_free(&story->words);
    buffer_free(&story->line);
    tally_free(&story->rules);
    story_free_unknown(story);
}
