/* The rule files and events of the shared cases: every rule file is JSON with nothing to object to, and of
 * the lines of events those are dead that have no type or no customer, and no others.
 *
 *     event_cases DIRECTORY
 *
 * What the decisions are is another program's business (cases.py). Types are not declared here, so a record
 * dies of its envelope or its JSON, or not at all. */
#include "cel/cel.h"
#include "event/event.h"
#include "json/json.h"
#include "suite.h"

#include <dirent.h>
#include <stdlib.h>

static struct arena arena;
static const struct event_schema *schema;
static struct event_reader *reader;

static void rule_file(const char *directory)
{
    const char *path = arena_format(&arena, "%s/rules.jsonc", directory).data;
    struct source source = {.name = str_of(path), .text = suite_file(&arena, path)};
    struct diagnostics diag;
    diag_init(&diag, &arena);
    const struct json *root = json_parse(&arena, &source, &diag);
    suite_check(root && diag.error_count == 0, "%s: %zu mistakes", path, diag.error_count);
}

/* The lines are well-formed and small: what they have can be seen in their text. */
static bool complete(str line)
{
    return memmem(line.data, line.size, "\"type\":", 7) && memmem(line.data, line.size, "\"customer\":", 11);
}

static void events_file(const char *directory)
{
    struct event event;
    const char *path = arena_format(&arena, "%s/events.jsonl", directory).data;
    str text = suite_file(&arena, path), line;
    for (size_t number = 0; suite_line(&text, &line); number++) {
        if (line.size == 0) continue;
        enum event_dead dead = event_read(reader, schema, line, NULL, &event);
        suite_check((dead == EVENT_ALIVE) == complete(line), "%s: line %zu: %.*s: %.*s", path, number,
                    STR_ARG(event_dead_name(dead)), STR_ARG(line));
    }
}

static void folder(const char *root, const char *name)
{
    struct dirent **cases;
    const char *path = arena_format(&arena, "%s/%s", root, name).data;
    int count = scandir(path, &cases, NULL, alphasort);
    suite_check(count > 2, "%s: no cases", path);
    for (int i = 0; i < count; i++) {
        const char *directory = arena_format(&arena, "%s/%s", path, cases[i]->d_name).data;
        if (cases[i]->d_name[0] != '.') {
            rule_file(directory);
            events_file(directory);
        }
        free(cases[i]);
    }
    free(count > 0 ? cases : NULL);
}

int main(int argc, char **argv)
{
    const char *root = argc > 1 ? argv[1] : "../shared/cases";
    DIR *there = opendir(root);
    if (!there) {
        printf("skipped: %s is not there\n", root);
        return 77;
    }
    closedir(there);
    arena_init(&arena, 0);
    schema = event_schema_new(&arena, NULL, 0);
    reader = event_reader_new();
    static const char *const folders[] = {"simple", "full", "directed"};
    for (size_t i = 0; i < 3; i++)
        folder(root, folders[i]);
    event_reader_free(reader);
    arena_free(&arena);
    return suite_end();
}
