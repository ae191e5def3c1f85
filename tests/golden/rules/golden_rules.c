/* Rule files with mistakes, and what is said about them, word for word.
 *
 *     golden_rules [--write] PATH…
 *
 * PATH is a rule file or a directory of them; PATH without its ending, and `.txt` behind it, holds what
 * compiling it has to say. --write makes these files anew: read the difference before keeping it. */
#include "zones.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FILES = 16 };

struct rule_files {
    struct relance_source sources[FILES];
    size_t count;
};

static struct arena arena; /* of one case */

static void add_file(struct rule_files *files, const char *path)
{
    const char *slash = strrchr(path, '/');
    str name = arena_format(&arena, "%s", slash ? slash + 1 : path), text = suite_file(&arena, path);
    suite_check(text.data && files->count < FILES, "%s: cannot be read, or is one of too many", path);
    if (text.data && files->count < FILES)
        files->sources[files->count++] = (struct relance_source){.name = name, .text = text};
}

/* The files of a directory in the order of their names; of anything else, itself. */
static struct rule_files read_files(const char *path)
{
    struct rule_files files = {0};
    struct stat about;
    struct dirent **entries = NULL;
    bool directory = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
    int count = directory ? scandir(path, &entries, NULL, alphasort) : 0;
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.')
            add_file(&files, arena_format(&arena, "%s/%s", path, entries[i]->d_name).data);
        free(entries[i]);
    }
    free(entries);
    if (!directory) add_file(&files, path);
    return files;
}

/* What compiling says. */
static str compiled(const struct rule_files *files)
{
    struct relance_ruleset *rules = NULL;
    struct relance_report *report = NULL;
    struct relance_error error = {0};
    enum relance_status status =
        relance_ruleset_compile(files->sources, files->count, zone_file, &arena, &rules, &report, &error);
    str said = report ? relance_report_text(report) : (str){0};
    said = arena_format(&arena, "%.*s%s\n", STR_ARG(said),
                        status == RELANCE_OK ? "the rule set is fine" : error.message);
    if (status == RELANCE_OK) relance_ruleset_free(rules);
    relance_report_free(report);
    return said;
}

/* PATH without its ending, and .txt behind it. */
static const char *golden_path(const char *path)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    int length = dot && (!slash || dot > slash) ? (int)(dot - path) : (int)strlen(path);
    return arena_format(&arena, "%.*s.txt", length, path).data;
}

static bool write_golden(const char *path, str said)
{
    FILE *file = fopen(path, "wb");
    return file && fwrite(said.data, 1, said.size, file) == said.size && fclose(file) == 0;
}

static void check(const char *path, bool write)
{
    struct rule_files files = read_files(path);
    str said = compiled(&files);
    if (write) {
        suite_check(write_golden(golden_path(path), said), "%s cannot be written", golden_path(path));
        return;
    }
    str wanted = suite_file(&arena, golden_path(path));
    suite_check(str_equal(said, wanted), "%s\nwanted:\n%.*s\ngot:\n%.*s", path, STR_ARG(wanted),
                STR_ARG(said));
}

int main(int count, char **arguments)
{
    bool write = count > 1 && strcmp(arguments[1], "--write") == 0;
    for (int i = 1 + write; i < count; i++) {
        arena_init(&arena, 0);
        check(arguments[i], write);
        arena_free(&arena);
    }
    return suite_end();
}
