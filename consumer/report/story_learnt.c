/* Of a story: what a send has asked of what has been learnt, and what became of the answer.
 *
 *     goes_with version 17 of 2026-03-02T14:00:00.000Z (15:00 Europe/Berlin), asked about tent
 *       taken: lamp 12, rope 3.1
 *       not mat 31: bought(p) == 0 is false (bought(p) = 1)
 *       not cup 2.2, pan 2: left out by take(2)
 *
 * Products that the same has left out stand together. */
#include "report/story.h"
#include "base/ensure.h"
#include "base/str.h"
#include "host/print.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LEARNT_LOCAL = 128, LEARNT_NAMED = 10, LEARNT_ASKED = 10 };
#define LEARNT_LEAST 1e-5 /* of a weight that is told as a number */

/* ---- versions that are not known */
struct story_unknown {
    char *affinity, *why;
    bool is_told;
};

static struct story_unknown *unknown_find(const struct story *story, struct relance_str affinity)
{
    for (size_t i = 0; i < story->unknown_count; i++)
        if (str_equal(str_of(story->unknown[i].affinity), affinity)) return &story->unknown[i];
    return NULL;
}

static void unknown_drop(struct story *story, struct story_unknown *unknown)
{
    free(unknown->affinity);
    free(unknown->why);
    *unknown = story->unknown[--story->unknown_count];
}

void story_unknown(struct story *story, struct relance_str affinity, const char *why)
{
    struct story_unknown *unknown = unknown_find(story, affinity);
    if (unknown) unknown_drop(story, unknown);
    if (!why) return;
    story->unknown = realloc(story->unknown, (story->unknown_count + 1) * sizeof *story->unknown);
    ensure(story->unknown);
    unknown = &story->unknown[story->unknown_count++];
    *unknown = (struct story_unknown){strndup(affinity.data, affinity.size), strdup(why), false};
    ensure(unknown->affinity && unknown->why);
}

void story_tell_unknown(struct story *story)
{
    for (size_t i = 0; i < story->unknown_count; i++) {
        struct story_unknown *unknown = &story->unknown[i];
        if (unknown->is_told) continue;
        unknown->is_told = true;
        if (story->is_lines)
            story_lines_unknown(story, unknown->affinity, unknown->why);
        else
            print(story->out, "what %s answers from here on is not known, and is told as nothing: %s\n",
                  unknown->affinity, unknown->why);
    }
}

void story_free_unknown(struct story *story)
{
    while (story->unknown_count)
        unknown_drop(story, story->unknown);
    free(story->unknown);
}

/* ---- for people */
static void learnt_product(const struct story *story, const struct relance_listed *one, size_t before)
{
    print(story->out, "%s%.*s", before ? ", " : "", STR_ARG(one->product));
    if (one->weight >= LEARNT_LEAST)
        print(story->out, " %.3g", 100 * one->weight);
    else if (one->weight > 0)
        print(story->out, " under 0.001");
}

static bool learnt_is_alike(const struct relance_listed *a, const struct relance_listed *b)
{
    return a->is_taken == b->is_taken && str_equal(a->why, b->why);
}

/* One and all behind it that are alike; nothing where it stands with one before it. */
static void learnt_group(const struct story *story, const struct relance_learnt *learnt, size_t first)
{
    const struct relance_listed *one = &learnt->listed[first];
    size_t count = 0;
    for (size_t i = 0; i < first; i++)
        if (learnt_is_alike(&learnt->listed[i], one)) return;
    print(story->out, "%s",
          one->is_taken   ? "      taken: "
          : one->why.size ? "      not "
                          : "      listed: ");
    for (size_t i = first; i < learnt->listed_count; i++) {
        if (!learnt_is_alike(&learnt->listed[i], one)) continue;
        if (count++ < LEARNT_NAMED) learnt_product(story, &learnt->listed[i], count - 1);
    }
    if (count > LEARNT_NAMED) print(story->out, " and %zu more", count - LEARNT_NAMED);
    if (one->why.size) print(story->out, ": %.*s", STR_ARG(one->why));
    fputc('\n', story->out);
}

static void learnt_version(const struct story *story, const struct relance_learnt *learnt)
{
    char time[24], local[LEARNT_LOCAL];
    if (!learnt->version) {
        bool is_known = !unknown_find(story, learnt->affinity);
        print(story->out, is_known ? ": no version was in force, it gave nothing"
                                   : ": what it gave is not known, as is told above");
        return;
    }
    size_t size = relance_tell_local(story->engine, learnt->version->at_ms, local, sizeof local);
    relance_time_print(learnt->version->at_ms, time);
    print(story->out, " version %" PRIu64 " of %.24s%.*s", learnt->version->number, time,
          (int)(size < sizeof local ? size : sizeof local), local);
}

static void learnt_asked(const struct story *story, const struct relance_learnt *learnt)
{
    if (!learnt->asked) fputs(", the most popular", story->out);
    for (size_t i = 0; i < learnt->asked_count && i < LEARNT_ASKED; i++)
        print(story->out, "%s%.*s", i ? ", " : ", asked about ", STR_ARG(learnt->asked[i]));
    if (learnt->asked && !learnt->asked_count) fputs(", asked about nothing", story->out);
    if (learnt->asked_count > LEARNT_ASKED)
        print(story->out, " and %zu more", learnt->asked_count - LEARNT_ASKED);
    fputc('\n', story->out);
}

void story_learnt(const struct story *story, const struct relance_decision *decision)
{
    for (size_t i = 0; i < decision->learnt_count; i++) {
        const struct relance_learnt *learnt = &decision->learnt[i];
        print(story->out, "    %.*s", STR_ARG(learnt->affinity));
        learnt_version(story, learnt);
        learnt_asked(story, learnt);
        if (learnt->version && !learnt->listed_count) fputs("      it lists nothing\n", story->out);
        for (size_t j = 0; j < learnt->listed_count; j++)
            if (learnt->listed[j].is_taken) learnt_group(story, learnt, j);
        for (size_t j = 0; j < learnt->listed_count; j++)
            if (!learnt->listed[j].is_taken) learnt_group(story, learnt, j);
    }
}

/* ---- for programs */
static void lines_listed(struct buffer *line, const struct relance_listed *one)
{
    buffer_put_str(line, STR("{\"product\":"));
    buffer_put_json_string(line, one->product);
    if (one->weight > 0) buffer_put_format(line, ",\"weight\":%.3g", one->weight);
    if (one->is_taken) buffer_put_str(line, STR(",\"taken\":true"));
    if (one->why.size) buffer_put_str(line, STR(",\"why\":")), buffer_put_json_string(line, one->why);
    buffer_put_char(line, '}');
}

static void lines_asked(struct story *story, const struct relance_learnt *learnt)
{
    char time[24];
    struct buffer *line = &story->line;
    buffer_put_str(line, STR("{\"affinity\":"));
    buffer_put_json_string(line, learnt->affinity);
    if (learnt->version) {
        relance_time_print(learnt->version->at_ms, time);
        buffer_put_format(line, ",\"version\":%" PRIu64 ",\"chain\":\"%016" PRIx64 "\",\"at\":\"%.24s\"",
                          learnt->version->number, learnt->version->chain, time);
    }
    if (unknown_find(story, learnt->affinity)) buffer_put_str(line, STR(",\"unknown\":true"));
    if (learnt->asked) buffer_put_str(line, STR(",\"asked\":["));
    for (size_t i = 0; i < learnt->asked_count; i++) {
        if (i) buffer_put_char(line, ',');
        buffer_put_json_string(line, learnt->asked[i]);
    }
    buffer_put_format(line, "%s,\"most\":%" PRId64 ",\"listed\":[", learnt->asked ? "]" : "", learnt->most);
    for (size_t i = 0; i < learnt->listed_count; i++) {
        if (i) buffer_put_char(line, ',');
        lines_listed(line, &learnt->listed[i]);
    }
    buffer_put_str(line, STR("]}"));
}

void story_lines_learnt(struct story *story, const struct relance_decision *decision)
{
    for (size_t i = 0; i < decision->learnt_count; i++) {
        buffer_put_str(&story->line, i ? STR(",") : STR(",\"learnt\":["));
        lines_asked(story, &decision->learnt[i]);
    }
    if (decision->learnt_count) buffer_put_char(&story->line, ']');
}
