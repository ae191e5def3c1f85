/* The cases of LANGUAGE.md, each under an engine that forgets: whatever was given up and fetched again, and
 * however often the engine was started anew, the decisions are those of one that never forgot anything. */
#include "replay.h"

#include <criterion/criterion.h>
#include <glob.h>

#define CASES SOURCE_DIR "/../shared/cases/revised/"

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

/* `rules.jsonc` is a file, or a folder with files and folders of them. */
static struct relance_ruleset *read_rules(struct arena *arena, const char *directory)
{
    enum { DEEP = 3, FILES = 16 };
    struct relance_source sources[FILES];
    size_t count = 0;
    const char *below = "";
    for (int depth = 0; depth < DEEP; depth++, below = depth == 1 ? "/*" : "/*/*") {
        glob_t found;
        str pattern = arena_format(arena, "%s/rules.json*%s", directory, below);
        if (glob(pattern.data, GLOB_MARK, NULL, &found) != 0) continue;
        for (size_t i = 0; i < found.gl_pathc; i++) {
            str name = str_of(arena_format(arena, "%s", found.gl_pathv[i]).data);
            if (name.data[name.size - 1] == '/') continue;
            cr_assert_lt(count, FILES);
            sources[count++] = (struct relance_source){.name = name, .text = suite_file(arena, name.data)};
        }
        globfree(&found);
    }
    return rig_rules_of(arena, sources, count);
}

static struct replay read_case(struct arena *arena, const char *directory)
{
    struct replay c = REPLAY_NONE;
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

/* How often a state was asked for. */
static uint64_t same_in_every_manner(const char *directory)
{
    uint64_t needed = 0;
    struct arena arena;
    arena_init(&arena, 0);
    struct replay c = read_case(&arena, directory);
    struct relance_ruleset *rules = read_rules(&arena, directory);
    cr_assert_not_null(rules, "%s", directory);
    struct rig plain, other;
    str wanted = replay(&plain, rules, &c, PLAIN);
    cr_expect_eq(plain.needed, 0u, "a complete engine asks for nothing");
    for (enum manner manner = FORGETFUL; manner <= RESTARTED; manner++) {
        str lines = replay(&other, rules, &c, manner);
        cr_expect(str_equal(lines, wanted), "%s: decides otherwise when it forgets: %.*s", directory,
                  STR_ARG(first_difference(wanted, lines)));
        needed += other.needed;
        rig_end(&other);
    }
    rig_end(&plain);
    relance_ruleset_free(rules);
    arena_free(&arena);
    return needed;
}

static void every_case(const char *pattern)
{
    glob_t found;
    uint64_t needed = 0;
    srand(3);
    if (glob(pattern, 0, NULL, &found) != 0)
        cr_skip_test("%s is absent: the shared cases are not at hand", pattern);
    for (size_t i = 0; i < found.gl_pathc; i++)
        needed += same_in_every_manner(found.gl_pathv[i]);
    cr_expect_gt(needed, 0u);
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
