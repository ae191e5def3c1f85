/* Names and numbers. */
#include "base/names.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 0);
}

static void teardown(void)
{
    arena_free(&arena);
}

TestSuite(names, .init = setup, .fini = teardown, .timeout = 30);

Test(names, are_numbered_in_the_order_they_came)
{
    struct names names;
    cr_assert(names_init(&names, &arena, 3));
    cr_expect_eq(names_add(&names, STR("view")), 0u);
    cr_expect_eq(names_add(&names, STR("purchase")), 1u);
    cr_expect_eq(names_add(&names, STR("view")), 0u, "known already");
    cr_expect_eq(names_add(&names, STR("")), 2u, "the empty name is one too");
    cr_expect_eq(names.longest, 8u);
    cr_expect_eq(names_find(&names, STR("purchase")), 1u);
    cr_expect_eq(names_find(&names, STR("")), 2u);
    cr_expect_eq(names_find(&names, STR("purchases")), NAME_NONE);
    cr_expect(str_equal(names.list[1], STR("purchase")));
    cr_expect_eq(names.count, 3u);
}

Test(names, of_nobody_are_found_nowhere)
{
    struct names names;
    cr_assert(names_init(&names, &arena, 0));
    cr_expect_eq(names_find(&names, STR("view")), NAME_NONE);
    cr_expect_eq(names_find(&names, STR("")), NAME_NONE);
    cr_expect_eq(names_find_hash(&names, 0), NAME_NONE);
}

/* Full to the last place that was asked for: every name is found, and none that is not there. */
Test(names, find_each_of_thousands)
{
    enum { COUNT = 5000 };
    struct names names;
    char texts[COUNT][8];
    cr_assert(names_init(&names, &arena, COUNT));
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf(texts[i], sizeof texts[i], "n%u", (unsigned)i);
        cr_assert_eq(names_add(&names, str_of(texts[i])), i);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        cr_assert_eq(names_find(&names, str_of(texts[i])), i);
        cr_assert_eq(names_find_hash(&names, str_hash(str_of(texts[i]))), i);
    }
    cr_expect_eq(names_find(&names, STR("n5000")), NAME_NONE);
    cr_expect_eq(names_find_hash(&names, str_hash(STR("n5000"))), NAME_NONE);
    cr_expect_eq(names_add(&names, STR("n4999")), 4999u, "a known name needs no room");
}

Test(names, without_memory_there_are_none)
{
    struct names names;
    arena.limit = 64;
    cr_expect(!names_init(&names, &arena, 100));
}

Test(names, of_their_own_memory_grow_and_are_copied)
{
    struct names names = {0};
    char text[8];
    cr_expect_eq(names_find(&names, STR("n0")), NAME_NONE);
    for (uint32_t i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "n%u", (unsigned)i);
        cr_assert_eq(names_add(&names, str_of(text)), i);
        cr_assert_eq(names_add(&names, str_of(text)), i);
    }
    for (uint32_t i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "n%u", (unsigned)i);
        cr_assert_eq(names_find(&names, str_of(text)), i);
        cr_assert_str_eq(names.list[i].data, text);
    }
    cr_expect_eq(names_find(&names, STR("n5000")), NAME_NONE);
    names_free(&names);
    cr_expect_eq(names.count, 0);
}
