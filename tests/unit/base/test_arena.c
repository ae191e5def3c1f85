/* The arena: what it hands out, what it takes back, and what it does when there is no more. */
#include "base/arena.h"

#include <criterion/criterion.h>

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 0);
}

static void teardown(void)
{
    arena_free(&arena);
}

TestSuite(arena, .init = setup, .fini = teardown, .timeout = 30);

Test(arena, asks_for_nothing_before_it_is_used)
{
    cr_expect_eq(arena.growths, 0u);
    arena_reset(&arena);
    arena_rewind(&arena, arena_mark(&arena));
    cr_expect_eq(arena.growths, 0u);
}

Test(arena, aligns_every_allocation_to_sixteen_and_overlaps_none)
{
    enum { COUNT = 600 };
    unsigned char *blocks[COUNT];
    for (size_t size = 0; size < COUNT; size++) {
        blocks[size] = arena_alloc(&arena, size);
        cr_assert_not_null(blocks[size]);
        cr_expect_eq((uintptr_t)blocks[size] % 16, 0u);
        memset(blocks[size], (int)size, size);
    }
    for (size_t size = 0; size < COUNT; size++)
        for (size_t at = 0; at < size; at++)
            cr_assert_eq(blocks[size][at], (unsigned char)size);
}

Test(arena, holds_more_than_its_largest_chunk)
{
    size_t size = (size_t)5 << 20;
    char *big = arena_alloc_zero(&arena, size), *small = arena_alloc(&arena, 16);
    cr_assert_not_null(big);
    cr_assert_not_null(small);
    cr_expect_eq(big[0] + big[size - 1], 0);
    cr_expect(small < big || small >= big + size);
}

Test(arena, is_warm_after_the_first_round)
{
    size_t growths = 0;
    for (int round = 0; round < 5; round++) {
        arena_reset(&arena);
        for (size_t size = 1; size < 3000; size += 7)
            cr_assert_not_null(arena_alloc(&arena, size));
        if (round == 0) growths = arena.growths;
        cr_expect_eq(arena.growths, growths, "round %d asked the system", round);
    }
}

Test(arena, clears_what_it_is_asked_to_clear_also_in_used_room)
{
    memset(arena_alloc(&arena, 4000), 0xFF, 4000);
    arena_reset(&arena);
    const unsigned char *p = arena_alloc_zero(&arena, 4000);
    for (size_t i = 0; i < 4000; i++)
        cr_assert_eq(p[i], 0);
}

Test(arena, gives_up_to_its_limit_and_not_one_unit_more)
{
    arena.limit = 1024;
    cr_expect_not_null(arena_alloc(&arena, 1008));
    cr_expect_not_null(arena_alloc(&arena, 16));
    cr_expect_null(arena_alloc(&arena, 1));
    arena_reset(&arena);
    cr_expect_not_null(arena_alloc(&arena, 1024), "the limit is on what is out, not on what was");
    cr_expect_null(arena_alloc(&arena, 1));
}

Test(arena, refuses_sizes_that_no_machine_has)
{
    cr_expect_null(arena_grow(&arena, SIZE_MAX / 2));
    cr_expect_not_null(arena_alloc(&arena, 16));
}

Test(arena, stays_usable_after_the_growth_that_failed)
{
    arena.fail_in = 2;
    cr_expect_not_null(arena_alloc(&arena, 4000));
    cr_expect_null(arena_alloc(&arena, 100000), "the second growth fails");
    cr_expect_not_null(arena_alloc(&arena, 100000), "once");
    cr_expect_eq(arena.fail_in, 0u);
}

Test(arena, goes_back_to_a_mark)
{
    char *kept = arena_alloc(&arena, 100);
    memset(kept, 'k', 100);
    struct arena_mark mark = arena_mark(&arena);
    size_t used = arena.used;
    void *first = arena_alloc(&arena, 50);
    for (int i = 0; i < 100; i++)
        memset(arena_alloc(&arena, 5000), 'x', 5000);
    arena_rewind(&arena, mark);
    cr_expect_eq(arena.used, used);
    cr_expect_eq(arena_alloc(&arena, 50), first);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(kept[i], 'k');
}

Test(arena, goes_back_to_before_its_first_chunk)
{
    struct arena_mark mark = arena_mark(&arena);
    void *first = arena_alloc(&arena, 64);
    arena_rewind(&arena, mark);
    cr_expect_eq(arena.used, 0u);
    cr_expect_eq(arena_alloc(&arena, 64), first);
}

Test(arena, copies_end_with_a_NUL_and_may_hold_some)
{
    str copy;
    cr_assert(arena_copy_str(&arena, STR("a\0b"), &copy));
    cr_expect_eq(copy.size, 3u);
    cr_expect_eq(memcmp(copy.data, "a\0b", 4), 0);
    cr_assert(arena_copy_str(&arena, (str){0}, &copy));
    cr_expect_eq(copy.size, 0u);
    cr_expect_eq(copy.data[0], '\0');
}

Test(arena, formats_or_gives_an_empty_string)
{
    cr_expect(str_equal(arena_format(&arena, "%d of %s", 3, "four"), STR("3 of four")));
    arena.limit = arena.used;
    str none = arena_format(&arena, "%d", 1);
    cr_expect_eq(none.size, 0u);
}

/* ---- what is kept */

/* Any use there may be: up to so many bytes in all, in pieces of any size, sometimes gone back over. */
static size_t use_somehow(uint64_t *random, size_t bytes)
{
    size_t largest = 0;
    while (arena.used < bytes) {
        struct arena_mark mark = arena_mark(&arena);
        size_t left = bytes - arena.used, size = 1 + *random % (left < 64 ? 64 : left);
        bool small = (*random >> 32) % 4 != 0;
        cr_assert_not_null(arena_alloc(&arena, small ? size % 4000 : size));
        if (arena.used > largest) largest = arena.used;
        if ((*random >> 40) % 8 == 0) arena_rewind(&arena, mark);
        *random = *random * 6364136223846793005u + 1442695040888963407u;
    }
    return largest;
}

Test(arena, keeps_at_most_four_times_the_largest_single_use_whatever_came_before)
{
    uint64_t random = 20261130;
    for (int round = 0; round < 40; round++) {
        size_t largest = 0;
        for (int use = 0; use < 40; use++) {
            size_t used = use_somehow(&random, (random >> 20) % ((size_t)1 << (random >> 50) % 23));
            if (used > largest) largest = used;
            arena_reset(&arena);
            size_t most = 4 * largest > 4096 ? 4 * largest : 4096;
            cr_assert_leq(arena.kept, most, "%zu bytes kept, the largest of %d uses took %zu", arena.kept,
                          use, largest);
        }
        arena_free(&arena);
        cr_assert_eq(arena.kept, 0u);
    }
}

Test(arena, keeps_one_of_many_that_each_grow_a_little)
{
    for (size_t size = 300000; size < 420000; size += 400) {
        arena_reset(&arena);
        cr_assert_not_null(arena_alloc(&arena, 100));
        cr_assert_not_null(arena_alloc(&arena, size));
        cr_assert_leq(arena.kept, 4 * size);
    }
    cr_expect_leq(arena.growths, 8u, "%zu times the system was asked", arena.growths);
}

Test(arena, forgets_one_large_use_after_many_small_ones)
{
    cr_assert_not_null(arena_alloc(&arena, (size_t)64 << 20));
    for (int use = 0; use < 200; use++) {
        arena_reset(&arena);
        cr_assert_not_null(arena_alloc(&arena, 1000));
    }
    cr_expect_leq(arena.kept, 4096u);
}

Test(arena, asks_for_nothing_between_a_small_and_a_large_use_that_take_turns)
{
    size_t growths = 0;
    for (int round = 0; round < 500; round++) {
        arena_reset(&arena);
        cr_assert_not_null(arena_alloc(&arena, 40));
        cr_assert_not_null(arena_alloc(&arena, round % 2 ? 100 : 3000000));
        if (round == 150) growths = arena.growths;
    }
    cr_expect_eq(arena.growths, growths);
}
