/* The cases of LANGUAGE.md, each under an engine that forgets: whatever was given up and fetched again, and
 * however often the engine was started anew, the decisions are those of one that never forgot anything. */
#include "replay.h"

#include <criterion/criterion.h>
#include <glob.h>

#define CASES SOURCE_DIR "/../shared/cases/"

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

static struct replay read_case(struct arena *arena, const char *directory)
{
    struct replay c = REPLAY_NONE;
    c.rules = suite_file(arena, arena_format(arena, "%s/rules.jsonc", directory).data);
    c.events = suite_file(arena, arena_format(arena, "%s/events.jsonl", directory).data);
    str words = suite_file(arena, arena_format(arena, "%s/args", directory).data), name;
    while ((name = next_word(&words)).size)
        cr_assert(replay_option(&c, name, next_word(&words)), "%s: %.*s", directory, STR_ARG(name));
    return c;
}

/* Plain: never forgets. Forgetful: gives up everything between any two events, or starts anew, at random. */
enum manner { PLAIN, FORGETFUL, RESTARTED };

static void disturb(void *context, struct rig *rig, bool record)
{
    const enum manner *manner = context;
    (void)record;
    if (*manner == PLAIN) return;
    if (*manner == FORGETFUL || rand() % 8)
        rig_forget(rig);
    else
        rig_restart(rig);
}

static str replay(struct rig *rig, const struct relance_ruleset *rules, const struct replay *c,
                  enum manner manner)
{
    replay_run(rig, rules, c, disturb, &manner);
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
    struct replay c = read_case(&arena, directory);
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
