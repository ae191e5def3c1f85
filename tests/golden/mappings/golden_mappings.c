/* Mapping files: those with mistakes and what is said about them, word for word; and those whose own tests say what the
 * language does.
 *
 *     golden_mappings [--write] PRESETS FILE…
 *
 * PRESETS is the folder of what they extend. Beside a FILE of a folder `mistakes` lies a `.txt`, what compiling it has to
 * say; any other compiles, and all its tests pass. --write makes the texts anew: read the difference before keeping it. */
#include "zones.h"

#include <relance/mapping_test.h>
#include <stdlib.h>

struct golden {
    struct arena arena; /* of one file */
    const char *presets;
};

static bool preset_file(void *context, struct relance_str name, struct relance_str *text)
{
    struct golden *golden = context;
    *text = suite_file(&golden->arena,
                       arena_format(&golden->arena, "%s/%.*s.jsonc", golden->presets, STR_ARG(name)).data);
    return text->data;
}

static void test_done(void *context, const struct relance_test_result *result)
{
    (void)context;
    suite_check(result->passed, "%.*s:%zu: %.*s\n%.*s", STR_ARG(result->file), result->line,
                STR_ARG(result->name), STR_ARG(result->report));
}

static void test_mapping(const char *path, struct relance_mapping *mapping)
{
    struct relance_error error;
    size_t count = relance_mapping_test_count(mapping, (str){0});
    enum relance_status status = relance_mapping_test(mapping, (str){0}, test_done, NULL, &error);
    suite_check(count && status == RELANCE_OK, "%s: has no tests, or they cannot be run", path);
}

/* What compiling says; empty: nothing, and *mapping is one. */
static str compiled(struct golden *golden, const char *path, struct relance_mapping **mapping)
{
    const char *slash = strrchr(path, '/');
    const struct relance_source source = {.name = str_of(slash ? slash + 1 : path),
                                          .text = suite_file(&golden->arena, path)};
    const struct relance_mapping_host host = {preset_file, golden, zone_file, &golden->arena};
    struct relance_report *report;
    struct relance_error error = {0};
    enum relance_status status = relance_mapping_compile(&source, &host, mapping, &report, &error);
    str said = report ? relance_report_text(report) : (str){0};
    said = arena_format(&golden->arena, "%.*s%s%s", STR_ARG(said), error.message,
                        status == RELANCE_OK ? "" : "\n");
    suite_check((status == RELANCE_OK) == relance_mapping_is(source.text) || status != RELANCE_OK,
                "%s: compiles, and is taken for a rule file", path);
    relance_report_free(report);
    return said;
}

static bool write_golden(const char *path, str said)
{
    FILE *file = fopen(path, "wb");
    return file && fwrite(said.data, 1, said.size, file) == said.size && fclose(file) == 0;
}

/* A file with mistakes: what is said of them. */
static void check_mistakes(struct golden *golden, const char *path, str said, bool write)
{
    int stem = (int)(strrchr(path, '.') - path);
    const char *text_path = arena_format(&golden->arena, "%.*s.txt", stem, path).data;
    if (write) {
        suite_check(write_golden(text_path, said), "%s cannot be written", text_path);
        return;
    }
    str wanted = suite_file(&golden->arena, text_path);
    suite_check(str_equal(said, wanted), "%s\nwanted:\n%.*s\ngot:\n%.*s", path, STR_ARG(wanted),
                STR_ARG(said));
}

static void check(struct golden *golden, const char *path, bool write)
{
    struct relance_mapping *mapping = NULL;
    bool mistakes = strstr(path, "/mistakes/");
    str said = compiled(golden, path, &mapping);
    suite_check(mistakes == !mapping, "%s: %s\n%.*s", path, mistakes ? "has no mistake" : "has mistakes",
                STR_ARG(said));
    if (mistakes && !mapping) check_mistakes(golden, path, said, write);
    if (mapping) test_mapping(path, mapping);
    relance_mapping_free(mapping);
}

int main(int count, char **arguments)
{
    bool write = count > 1 && strcmp(arguments[1], "--write") == 0;
    if (count < 2 + write) return 2;
    for (int i = 2 + write; i < count; i++) {
        struct golden golden = {.presets = arguments[1 + write]};
        arena_init(&golden.arena, 0);
        check(&golden, arguments[i], write);
        arena_free(&golden.arena);
    }
    return suite_end();
}
