#include "report/told.h"
#include "base/ensure.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD_SOURCE_SIZE = 256 };

/* ---- places */
/* Of an origin, where the partition of the topic has come to. */
static struct told_place *told_last(struct told *told, size_t origin, int32_t in)
{
    size_t wanted = (size_t)in + 1;
    if (origin >= told->reached_count) {
        told->reached = realloc(told->reached, (origin + 1) * sizeof *told->reached);
        ensure(told->reached);
        while (told->reached_count <= origin)
            told->reached[told->reached_count++] = (struct told_reached){0};
    }
    struct told_reached *reached = &told->reached[origin];
    if (wanted > reached->count) {
        reached->last = realloc(reached->last, wanted * sizeof *reached->last);
        ensure(reached->last);
        while (reached->count < wanted)
            reached->last[reached->count++] = (struct told_place){.index = -1};
    }
    return &reached->last[in];
}

/* Marks first: their numbers ascend for ever, where the offsets of an input that is made anew begin again. */
static bool told_is_before(const struct told_place *a, const struct told_place *b)
{
    if (a->mark != b->mark) return a->mark < b->mark;
    return a->offset != b->offset ? a->offset < b->offset : a->index < b->index;
}

bool told_see(struct told *told, const struct told_line *line)
{
    char source[TOLD_SOURCE_SIZE];
    bool twice;
    if (!line->group.size || line->partition < 0 || line->place.index < 0) {
        told->strangers++;
        return true;
    }
    int size = snprintf(source, sizeof source, "/relance/%.*s", STR_ARG(line->group));
    struct relance_str text = {source, (size_t)size < sizeof source ? (size_t)size : sizeof source - 1};
    struct told_place *last = told_last(told, audit_origin(&told->numbers, text, line->partition), line->in);
    bool is_new = last->index < 0 || told_is_before(last, &line->place);
    told->lines++;
    told->again += !is_new;
    if (!is_new) return false;
    *last = line->place;
    (void)audit_see_number(&told->numbers, text, line->partition, line->seq, &twice);
    return true;
}

/* ---- against actions */
struct told_comparing {
    const struct audit_origin *origin; /* of lines */
    told_show *show;
    void *context;
    uint64_t *counts;
};

static void told_lacks(const struct told_comparing *comparing, enum told_lack lack,
                       struct audit_range numbers)
{
    const struct told_lacking lacking = {lack, comparing->origin->source, comparing->origin->partition,
                                         numbers};
    if (numbers.first > numbers.last) return;
    comparing->counts[lack] += numbers.last - numbers.first + 1;
    comparing->show(comparing->context, &lacking);
}

/* Of `numbers`, those that are not among the missing ones of `other`, too: what neither has, somebody else tells of. */
static void told_lacks_but(const struct told_comparing *comparing, enum told_lack lack,
                           struct audit_range numbers, const struct audit_origin *other)
{
    for (size_t i = 0; i < other->missing_count && numbers.first <= numbers.last; i++) {
        struct audit_range hole = other->missing[i];
        if (hole.last < numbers.first || hole.first > numbers.last) continue;
        told_lacks(comparing, lack, (struct audit_range){numbers.first, hole.first - 1});
        numbers.first = hole.last + 1;
    }
    told_lacks(comparing, lack, numbers);
}

static struct audit_range told_within(struct audit_range range, uint64_t first, uint64_t last)
{
    return (struct audit_range){range.first > first ? range.first : first,
                                range.last < last ? range.last : last};
}

static void told_compare_origin(const struct told_comparing *comparing, const struct audit_origin *actions,
                                bool whole)
{
    const struct audit_origin *lines = comparing->origin;
    uint64_t first = actions->first > lines->first ? actions->first : lines->first, last = actions->next - 1;
    uint64_t begin = whole ? lines->first : first;
    if (actions->first < lines->first)
        told_lacks_but(
            comparing, TOLD_EARLIER,
            (struct audit_range){actions->first, lines->first - 1 < last ? lines->first - 1 : last}, actions);
    for (size_t i = 0; i < lines->missing_count; i++)
        told_lacks_but(comparing, TOLD_NO_LINE, told_within(lines->missing[i], first, last), actions);
    told_lacks_but(comparing, TOLD_NO_LINE, told_within((struct audit_range){lines->next, last}, first, last),
                   actions);
    if (whole)
        told_lacks_but(comparing, TOLD_NO_ACTION,
                       told_within((struct audit_range){begin, actions->first - 1}, begin, lines->next - 1),
                       lines);
    for (size_t i = 0; i < actions->missing_count; i++)
        told_lacks_but(comparing, TOLD_NO_ACTION, told_within(actions->missing[i], begin, lines->next - 1),
                       lines);
}

void told_compare(const struct told *told, const struct audit *actions, bool whole, told_show *show,
                  void *context, uint64_t counts[TOLD_LACKS])
{
    memset(counts, 0, TOLD_LACKS * sizeof *counts);
    for (size_t i = 0; i < told->numbers.origin_count; i++) {
        const struct told_comparing comparing = {&told->numbers.origins[i], show, context, counts};
        if (!comparing.origin->next) continue; /* its lines are of no actions */
        const struct audit_origin *of_actions =
            audit_find(actions, str_of(comparing.origin->source), comparing.origin->partition);
        if (of_actions)
            told_compare_origin(&comparing, of_actions, whole);
        else if (whole)
            told_lacks_but(&comparing, TOLD_NO_ACTION,
                           (struct audit_range){comparing.origin->first, comparing.origin->next - 1},
                           comparing.origin);
    }
}

void told_free(struct told *told)
{
    for (size_t i = 0; i < told->reached_count; i++)
        free(told->reached[i].last);
    free(told->reached);
    audit_free(&told->numbers);
}
