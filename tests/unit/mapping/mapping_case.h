/* The mapping that a test compiles and runs, one at a time, and the arena of what is told. */
#ifndef UNIT_MAPPING_CASE_H
#define UNIT_MAPPING_CASE_H

#include "mapping/mapping.h"
#include "zones.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct relance_mapping *mapping;

static void setup(void)
{
    arena_init(&arena, 0);
}

static void teardown(void)
{
    relance_mapping_free(mapping);
    mapping = NULL;
    arena_free(&arena);
}

/* The mistakes of a mapping; empty: there are none. */
static str compile(str text)
{
    const struct relance_source source = {.name = STR("m.jsonc"), .text = text};
    const struct relance_mapping_host host = {.zone_load = zone_file, .zone_context = &arena};
    struct relance_report *report;
    struct relance_error error;
    str told = {0};
    relance_mapping_free(mapping);
    mapping = NULL;
    enum relance_status status = relance_mapping_compile(&source, &host, &mapping, &report, &error);
    cr_assert_neq(status, RELANCE_NO_MEMORY);
    cr_assert_eq(status == RELANCE_OK, mapping != NULL);
    cr_assert(arena_copy_str(&arena, relance_report_text(report), &told));
    relance_report_free(report);
    return told;
}

#endif
