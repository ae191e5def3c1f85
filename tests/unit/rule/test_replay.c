/* The cases of rules.md, each under an engine that forgets: whatever was given up and fetched again, and
 * however often the engine was started anew, the decisions are those of one that never forgot anything. */
#include "rig.h"

#include "base/duration.h"
#include "base/rfc3339.h"

#include <criterion/criterion.h>
#include <glob.h>

#define CASES SOURCE_DIR "/../shared/cases/"

struct replay_case {
    str rules, events;
    int64_t lateness_ms, wall_ms, until_ms, until_after_ms;
};

static int64_t instant(str text)
{
    int64_t seconds;
    int32_t nanos;
    return rfc3339_parse(text, &seconds, &nanos) ? seconds * 1000 + nanos / 1000000 : RELANCE_NEVER;
}

static void take_option(struct replay_case *c, str name, str value)
{
    if (str_equal(name, STR("--lateness"))) {
        cr_assert(duration_parse(value, &c->lateness_ms));
    } else if (str_equal(name, STR("--wall"))) {
        c->wall_ms = instant(value);
    } else if (str_equal(name, STR("--until"))) {
        if (!duration_parse(value, &c->until_after_ms)) c->until_ms = instant(value);
    } else {
        cr_assert_fail("option %.*s", STR_ARG(name));
    }
}

static str next_word(str *text)
{
    size_t begin = 0, end;
    while (begin < text->size && text->data[begin] <= ' ')
        begin++;
    for (end = begin; end < text->size && text->data[end] > ' ';)
        end++;
    str word = str_slice(*text, begin, end);
    *text = str_slice(*text, end, text->size);
    return word;
}

static struct replay_case read_case(struct arena *arena, const char *directory)
{
    struct replay_case c = {
        .wall_ms = RELANCE_NEVER, .until_ms = RELANCE_NEVER, .until_after_ms = RELANCE_NEVER};
    c.rules = suite_file(arena, arena_format(arena, "%s/rules.jsonc", directory).data);
    c.events = suite_file(arena, arena_format(arena, "%s/events.jsonl", directory).data);
    str words = suite_file(arena, arena_format(arena, "%s/args", directory).data), name;
    while ((name = next_word(&words)).size)
        take_option(&c, name, next_word(&words));
    return c;
}

/* Plain: never forgets. Forgetful: gives up everything between any two events, or starts anew, at random. */
enum manner { PLAIN, FORGETFUL, RESTARTED };

static void disturb(struct rig *rig, const struct replay_case *c, enum manner manner)
{
    if (manner == PLAIN) return;
    if (manner == FORGETFUL || rand() % 8) {
        rig_forget(rig);
        return;
    }
    rig_restart(rig);
    relance_engine_set_wall(rig->engine, c->wall_ms);
}

static str replay(struct rig *rig, const struct relance_ruleset *rules, const struct replay_case *c,
                  enum manner manner)
{
    str rest = c->events, line;
    rig_start(rig, rules, c->lateness_ms);
    relance_engine_set_wall(rig->engine, c->wall_ms);
    int64_t newest_ms = INT64_MIN;
    while (suite_line(&rest, &line)) {
        if (line.size) rig_event(rig, line);
        int64_t engine_newest_ms = relance_engine_newest(rig->engine);
        if (engine_newest_ms > newest_ms) newest_ms = engine_newest_ms;
        disturb(rig, c, manner);
    }
    int64_t until_ms = c->until_after_ms == RELANCE_NEVER ? c->until_ms : newest_ms + c->until_after_ms;
    if (until_ms != RELANCE_NEVER) rig_run_until(rig, until_ms);
    return buffer_str(&rig->lines);
}

/* The first line in which two replays differ, for the message. */
static str first_difference(str a, str b)
{
    str line_a, line_b;
    while (suite_line(&a, &line_a))
        if (!suite_line(&b, &line_b) || !str_equal(line_a, line_b)) return line_a;
    return b;
}

static void same_in_every_manner(const char *directory)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct replay_case c = read_case(&arena, directory);
    struct relance_ruleset *rules = rig_rules(&arena, c.rules);
    cr_assert_not_null(rules, "%s", directory);
    struct rig plain, other;
    str wanted = replay(&plain, rules, &c, PLAIN);
    cr_expect_eq(plain.needed, 0u, "a complete engine asks for nothing");
    for (enum manner manner = FORGETFUL; manner <= RESTARTED; manner++) {
        str lines = replay(&other, rules, &c, manner);
        cr_expect(str_equal(lines, wanted), "%s: decides otherwise when it forgets: %.*s", directory,
                  STR_ARG(first_difference(wanted, lines)));
        cr_expect_gt(other.needed, 0u);
        rig_end(&other);
    }
    rig_end(&plain);
    relance_ruleset_free(rules);
    arena_free(&arena);
}

static void every_case(const char *pattern)
{
    glob_t found;
    srand(3);
    if (glob(pattern, 0, NULL, &found) != 0)
        cr_skip_test("%s is absent: the shared cases are not at hand", pattern);
    for (size_t i = 0; i < found.gl_pathc; i++)
        same_in_every_manner(found.gl_pathv[i]);
    globfree(&found);
}

TestSuite(replay, .timeout = 300);

Test(replay, simple_cases_are_decided_alike_by_an_engine_that_forgets_everything_after_every_event)
{
    every_case(CASES "simple/0[01]?");
}

Test(replay, directed_cases_too)
{
    every_case(CASES "directed/*");
}

Test(replay, cases_with_every_keyword_too)
{
    every_case(CASES "full/0[01]?");
}
