/* Any bytes as rule files: a report or a rule set, never a crash. A NUL byte begins the next file. */
#include "rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES = 4 };

static const char *const names[FILES] = {"a.jsonc", "b.jsonc", "c.jsonc", "d.jsonc"};

static size_t cut(str text, struct relance_source sources[FILES])
{
    size_t count = 0, begin = 0;
    for (size_t i = 0; i <= text.size; i++) {
        if (i < text.size && (text.data[i] != '\0' || count == FILES - 1)) continue;
        sources[count] =
            (struct relance_source){.name = str_of(names[count]), .text = str_slice(text, begin, i)};
        count++;
        begin = i + 1;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct relance_source sources[FILES];
    struct relance_ruleset *rules = NULL;
    struct relance_report *report;
    struct relance_error error;
    struct arena arena;
    arena_init(&arena, 0);
    size_t count = cut((str){(const char *)data, size}, sources);
    enum relance_status status =
        relance_ruleset_compile(sources, count, zone_file, &arena, &rules, &report, &error);
    ensure(report);
    ensure((status == RELANCE_OK) == (relance_report_errors(report) == 0));
    ensure((status == RELANCE_OK) == (rules != NULL));
    ensure(relance_report_errors(report) == 0 || relance_report_text(report).size > 0);
    relance_report_free(report);
    relance_ruleset_free(rules);
    arena_free(&arena);
    return 0;
}
