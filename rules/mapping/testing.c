/* Runs the tests of a mapping file: each is a record, and what it becomes is compared with what was expected, in order.
 *
 *     - expected {"type":"purchase","total":27.5}
 *     + came     {"type":"purchase","id":"m1","customer":"anna","total":27}
 *       total: 27.5 was expected, 27 came
 *       customer: nothing was expected, "anna" came */
#include "mapping/mapping.h"

#include "base/buffer.h"
#include "event/misfit.h"
#include "json/json.h"

#include <relance/mapping_test.h>

/* What came in one place: an event, or a dead letter. */
struct came {
    str text; /* an event as JSON; empty: a dead letter */
    const struct json *event;
    str reason, sentence;
};

struct testing {
    struct relance_mapping *mapping;
    const struct mapping_test *test;
    struct arena arena; /* of one test */
    struct buffer report;
    struct came *came;
    size_t came_count;
    bool failed, no_memory;
};

/* ---- members */

/* What an event is given where a mapping gives it nothing, and so need not be expected. */
static bool is_made_up(str name)
{
    return str_equal(name, STR("id")) || str_equal(name, STR("time"));
}

static bool json_equal(const struct json *a, const struct json *b);

/* Every member of one is a member of the other. */
static bool members_equal(const struct json *a, const struct json *b)
{
    if (a->count != b->count) return false;
    for (const struct json *member = a->child; member; member = member->next)
        if (!json_equal(member, json_member_of(b, member->key))) return false;
    return true;
}

static bool json_equal(const struct json *a, const struct json *b)
{
    if (!a || !b || a->kind != b->kind) return false;
    switch (a->kind) {
    case JSON_NULL: return true;
    case JSON_BOOL: return a->boolean == b->boolean;
    case JSON_NUMBER: return a->number == b->number;
    case JSON_STRING: return str_equal(a->text, b->text);
    case JSON_OBJECT: return members_equal(a, b);
    case JSON_ARRAY: break;
    }
    if (a->count != b->count) return false;
    for (a = a->child, b = b->child; a; a = a->next, b = b->next)
        if (!json_equal(a, b)) return false;
    return true;
}

static bool event_matches(const struct json *wanted, const struct json *came)
{
    if (!came) return false;
    for (const struct json *member = wanted->child; member; member = member->next)
        if (!json_equal(member, json_member_of(came, member->key))) return false;
    for (const struct json *member = came->child; member; member = member->next)
        if (!is_made_up(member->key) && !json_member_of(wanted, member->key)) return false;
    return true;
}

static bool matches(const struct expected_item *wanted, const struct came *came)
{
    if (wanted->event) return came->text.size && event_matches(wanted->event, came->event);
    return !came->text.size && (!wanted->reason.size || str_equal(wanted->reason, came->reason));
}

/* ---- which of them differ */

static void put_value(struct testing *t, const struct json *value)
{
    if (value)
        json_write(value, &t->report);
    else
        buffer_put_str(&t->report, STR("nothing"));
}

static void put_difference(struct testing *t, str path, const struct json *wanted, const struct json *came)
{
    buffer_put_format(&t->report, "      %.*s: ", STR_ARG(path));
    put_value(t, wanted);
    buffer_put_str(&t->report, STR(" was expected, "));
    put_value(t, came);
    buffer_put_str(&t->report, STR(" came\n"));
}

static void put_differences(struct testing *t, str path, const struct json *wanted, const struct json *came);

static void put_differing_members(struct testing *t, str path, const struct json *wanted,
                                  const struct json *came)
{
    const char *dot = path.size ? "." : "";
    for (const struct json *member = wanted->child; member; member = member->next)
        put_differences(t, arena_format(&t->arena, "%.*s%s%.*s", STR_ARG(path), dot, STR_ARG(member->key)),
                        member, json_member_of(came, member->key));
    for (const struct json *member = came->child; member; member = member->next)
        if (!json_member_of(wanted, member->key) && (path.size || !is_made_up(member->key)))
            put_difference(t, arena_format(&t->arena, "%.*s%s%.*s", STR_ARG(path), dot, STR_ARG(member->key)),
                           NULL, member);
}

/* The innermost that differ. */
static void put_differences(struct testing *t, str path, const struct json *wanted, const struct json *came)
{
    if (json_equal(wanted, came)) return;
    bool alike = came && wanted->kind == came->kind;
    if (alike && wanted->kind == JSON_OBJECT) return put_differing_members(t, path, wanted, came);
    if (!alike || wanted->kind != JSON_ARRAY || wanted->count != came->count)
        return put_difference(t, path, wanted, came);
    size_t at = 0;
    for (wanted = wanted->child, came = came->child; wanted; wanted = wanted->next, came = came->next)
        put_differences(t, arena_format(&t->arena, "%.*s[%zu]", STR_ARG(path), at++), wanted, came);
}

/* ---- line by line */

static void put_dead(struct testing *t, str reason, str sentence)
{
    buffer_put_str(&t->report, STR("a dead letter"));
    if (reason.size) buffer_put_format(&t->report, " '%.*s'", STR_ARG(reason));
    if (sentence.size) buffer_put_format(&t->report, ": %.*s", STR_ARG(sentence));
}

static void put_expected(struct testing *t, const struct expected_item *wanted)
{
    t->failed = true;
    buffer_put_str(&t->report, STR("    - expected "));
    if (wanted->event)
        json_write(wanted->event, &t->report);
    else
        put_dead(t, wanted->reason, (str){0});
    buffer_put_char(&t->report, '\n');
}

static void put_came(struct testing *t, const char *sign, const struct came *came)
{
    buffer_put_str(&t->report, str_of(sign));
    if (came->text.size)
        buffer_put_str(&t->report, came->text);
    else
        put_dead(t, came->reason, came->sentence);
    buffer_put_char(&t->report, '\n');
}

static void put_extra(struct testing *t, const struct came *came)
{
    t->failed = true;
    put_came(t, "    + came     ", came);
}

static bool comes_later(const struct testing *t, const struct expected_item *wanted, size_t at)
{
    while (at < t->came_count && !matches(wanted, &t->came[at]))
        at++;
    return at < t->came_count;
}

static bool is_expected_later(const struct testing *t, size_t at, const struct came *came)
{
    while (at < t->test->expect_count && !matches(&t->test->expect[at], came))
        at++;
    return at < t->test->expect_count;
}

/* What both have, what is missing, what is too much. Where they differ, one side goes ahead to where they meet again;
 * where they do not, the line is wrong on both. */
static void compare(struct testing *t)
{
    for (size_t i = 0, j = 0; i < t->test->expect_count || j < t->came_count;) {
        const struct expected_item *wanted = i < t->test->expect_count ? &t->test->expect[i] : NULL;
        const struct came *came = j < t->came_count ? &t->came[j] : NULL;
        bool same = wanted && came && matches(wanted, came);
        bool extra = came && !same && (!wanted || comes_later(t, wanted, j));
        bool missing = wanted && !same && !extra;
        bool wrong = missing && came && !is_expected_later(t, i, came);
        if (same) put_came(t, "    = ", came);
        if (missing) put_expected(t, wanted);
        if (extra || wrong) put_extra(t, came);
        if (wrong && wanted->event && came->event)
            put_differing_members(t, (str){0}, wanted->event, came->event);
        i += same || missing;
        j += same || extra || wrong;
    }
}

/* ---- what came */

static struct came item_came(struct testing *t, const struct relance_mapped_item *item)
{
    struct diagnostics diag;
    struct source *source = ARENA_NEW(&t->arena, struct source);
    if (!item->event.size) return (struct came){.reason = item->reason, .sentence = item->sentence};
    if (!source) {
        t->no_memory = true;
        return (struct came){0};
    }
    *source = (struct source){.text = item->event};
    diag_init(&diag, &t->arena);
    struct came came = {.text = item->event, .event = json_parse(&t->arena, source, &diag)};
    if (!came.event) t->no_memory = true; /* a mapping writes nothing but JSON */
    return came;
}

/* Why nothing is there, or less. */
static void put_remarks(struct testing *t, const struct relance_mapped *mapped)
{
    if (mapped->kind == RELANCE_UNMAPPED && mapped->row.size)
        buffer_put_format(&t->report, "      no row is for '%.*s'\n", STR_ARG(mapped->row));
    if (mapped->kind == RELANCE_UNMAPPED && !mapped->row.size)
        buffer_put_str(&t->report, STR("      'by' gave no text, so the record has no row\n"));
    for (size_t i = 0; i < mapped->misfit_count; i++) {
        buffer_put_str(&t->report, STR("      "));
        event_put_misfit(&t->report, &mapped->misfits[i]);
        buffer_put_char(&t->report, '\n');
    }
    if (mapped->fields_invalid > mapped->misfit_count)
        buffer_put_format(&t->report, "      %u expressions failed, and their members were left out\n",
                          mapped->fields_invalid - (uint32_t)mapped->misfit_count);
}

static void run_test(struct testing *t)
{
    struct relance_mapped mapped;
    t->no_memory |= relance_mapping_map(t->mapping, &t->test->given, &mapped) != RELANCE_OK;
    bool whole = mapped.kind == RELANCE_UNREADABLE;
    t->came = ARENA_ARRAY(&t->arena, struct came, mapped.count + 1);
    t->no_memory |= !t->came;
    if (t->no_memory) return;
    for (size_t i = 0; i < mapped.count; i++)
        t->came[i] = item_came(t, &mapped.items[i]);
    if (whole) t->came[0] = (struct came){.reason = mapped.reason, .sentence = mapped.sentence};
    t->came_count = whole ? 1 : mapped.count;
    compare(t);
    if (t->failed) put_remarks(t, &mapped);
    t->no_memory |= t->report.failed;
}

/* ---- the whole */

static bool is_wanted(const struct mapping_test *test, str filter)
{
    return !filter.size ||
           (test->name.size && memmem(test->name.data, test->name.size, filter.data, filter.size));
}

size_t relance_mapping_test_count(const struct relance_mapping *mapping, struct relance_str filter)
{
    size_t count = 0;
    for (size_t i = 0; i < mapping->tests.count; i++)
        count += is_wanted(&mapping->tests.items[i], filter);
    return count;
}

static enum relance_status no_memory(struct relance_error *error)
{
    return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory while testing a mapping");
}

/* Rows note from here on that they have been reached. */
static bool begin_noting(struct relance_mapping *mapping)
{
    if (!mapping->reached) mapping->reached = arena_alloc_zero(&mapping->arena, mapping->row_count + 1);
    return mapping->reached;
}

enum relance_status relance_mapping_test(struct relance_mapping *mapping, struct relance_str filter,
                                         relance_test_done *done, void *context, struct relance_error *error)
{
    struct testing t = {.mapping = mapping, .no_memory = !begin_noting(mapping)};
    struct source_cursor place = {0};
    arena_init(&t.arena, 0);
    for (size_t i = 0; i < mapping->tests.count && !t.no_memory; i++) {
        t.test = &mapping->tests.items[i];
        if (!is_wanted(t.test, filter)) continue;
        arena_reset(&t.arena);
        buffer_init(&t.report, &t.arena);
        t.failed = false;
        run_test(&t);
        source_cursor_move(&place, mapping->tests.source, t.test->begin);
        struct relance_test_result result = {.name = t.test->name,
                                             .file = mapping->tests.source->name,
                                             .line = place.line.number,
                                             .passed = !t.failed};
        if (t.failed) result.report = buffer_str(&t.report);
        if (!t.no_memory) done(context, &result);
    }
    arena_free(&t.arena);
    return t.no_memory ? no_memory(error) : RELANCE_OK;
}

/* ---- coverage */

/* "row 'Unsubscribed'", "event 2 of row 'Unsubscribed'": of the file itself alone. */
static void sum_rows(struct relance_mapping *mapping, const struct rows *rows, struct source_cursor *place,
                     struct relance_mapping_coverage *coverage, struct relance_gap *gaps)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->items[i];
        coverage->all++;
        coverage->reached += mapping->reached[row->number];
        if (mapping->reached[row->number]) continue;
        source_cursor_move(place, rows->source, row->begin);
        str sentence = rows->count == 1
                           ? arena_format(&mapping->arena, "no test reached row '%.*s'", STR_ARG(rows->name))
                           : arena_format(&mapping->arena, "no test reached event %zu of row '%.*s'", i + 1,
                                          STR_ARG(rows->name));
        gaps[coverage->gap_count++] = (struct relance_gap){rows->source->name, place->line.number, sentence};
    }
}

enum relance_status relance_mapping_covered(struct relance_mapping *mapping,
                                            struct relance_mapping_coverage *coverage,
                                            struct relance_error *error)
{
    struct relance_gap *gaps = ARENA_ARRAY(&mapping->arena, struct relance_gap, mapping->row_count + 1);
    struct source_cursor place = {0};
    *coverage = (struct relance_mapping_coverage){.gaps = gaps};
    if (!gaps || !begin_noting(mapping)) return no_memory(error);
    for (size_t i = 0; i < mapping->names.count; i++)
        if (mapping->rows[i].source == mapping->source && !mapping->rows[i].is_alias)
            sum_rows(mapping, &mapping->rows[i], &place, coverage, gaps);
    return RELANCE_OK;
}
