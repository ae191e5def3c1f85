/* The pool: blocks that come and go singly, and the vectors that are made of them. */
#include "base/pool.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct pool pool;

static void setup(void)
{
    pool_init(&pool);
}

static void teardown(void)
{
    pool_free_all(&pool);
}

TestSuite(pool, .init = setup, .fini = teardown, .timeout = 30);

Test(pool, gives_a_block_again_to_whoever_wants_its_size_next)
{
    for (size_t size = 0; size < 5000; size += 13) {
        void *block = pool_alloc(&pool, size);
        cr_assert_not_null(block);
        pool_release(&pool, block, size);
        cr_expect_eq(pool_alloc(&pool, size), block);
    }
}

Test(pool, counts_what_is_out_by_class_and_comes_back_to_nothing)
{
    static const struct {
        size_t size, class_bytes;
    } sizes[] = {
        {0, 8},       {1, 8},       {8, 8},       {9, 16},          {1024, 1024},
        {1025, 2048}, {2048, 2048}, {2049, 4096}, {100000, 131072},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *block = pool_alloc(&pool, sizes[i].size);
        cr_expect_eq(pool.used, sizes[i].class_bytes, "%zu bytes take %zu", sizes[i].size, pool.used);
        pool_release(&pool, block, sizes[i].size);
        cr_expect_eq(pool.used, 0u);
    }
    pool_release(&pool, NULL, 100);
    cr_expect_eq(pool.used, 0u);
}

Test(pool, blocks_are_aligned_and_apart)
{
    enum { BLOCKS = 300 };
    unsigned char *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = pool_alloc(&pool, i * 7);
        cr_assert_eq((uintptr_t)blocks[i] % 8, 0u);
        memset(blocks[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        for (size_t at = 0; at < i * 7; at++)
            cr_assert_eq(blocks[i][at], (unsigned char)i);
}

/* The table of customers and the heap of waits are such blocks: a million of them must fit. */
Test(pool, gives_blocks_of_many_megabytes)
{
    for (size_t size = (size_t)1 << 20; size <= (size_t)256 << 20; size *= 2) {
        char *block = pool_alloc(&pool, size);
        cr_assert_not_null(block, "no block of %zu bytes", size);
        block[0] = block[size - 1] = 'x';
        pool_release(&pool, block, size);
        cr_expect_null(pool.large, "one of %zu bytes stays behind", size);
    }
    cr_expect_eq(pool.used + pool.spare, 0u);
}

Test(pool, gives_a_large_block_to_whoever_wants_that_size_next)
{
    for (size_t size = (size_t)8 << 10; size <= (size_t)128 << 10; size *= 2) {
        char *block = pool_alloc(&pool, size);
        pool_release(&pool, block, size);
        cr_expect_eq(pool.spare, size);
        cr_expect_eq(pool_alloc(&pool, size), block);
        pool_release(&pool, block, size);
        pool_free_all(&pool);
    }
}

Test(pool, says_no_to_sizes_that_no_machine_has_and_goes_on)
{
    cr_expect_null(pool_alloc(&pool, SIZE_MAX));
    cr_expect_null(pool_alloc(&pool, SIZE_MAX / 2 + 2));
    cr_expect_eq(pool.used, 0u);
    cr_expect_not_null(pool_alloc(&pool, 16));
}

Test(pool, random_use_never_mixes_up_two_blocks)
{
    enum { BLOCKS = 200, ROUNDS = 20000 };
    struct {
        unsigned char *at;
        size_t size;
    } blocks[BLOCKS] = {0};
    srand(7);
    for (int round = 0; round < ROUNDS; round++) {
        size_t i = (size_t)rand() % BLOCKS;
        if (blocks[i].at) {
            for (size_t at = 0; at < blocks[i].size; at++)
                cr_assert_eq(blocks[i].at[at], (unsigned char)i);
            pool_release(&pool, blocks[i].at, blocks[i].size);
            blocks[i].at = NULL;
            continue;
        }
        blocks[i].size = (size_t)rand() % 3000;
        blocks[i].at = pool_alloc(&pool, blocks[i].size);
        cr_assert_not_null(blocks[i].at);
        memset(blocks[i].at, (int)i, blocks[i].size);
    }
}

Test(pool, bytes_own_what_they_were_made_of)
{
    char text[] = "cart";
    struct bytes *bytes = bytes_new(&pool, str_of(text));
    text[0] = 'p';
    cr_expect(str_equal(bytes_str(bytes), STR("cart")));
    cr_expect(str_equal(bytes_str(NULL), STR("")));
    bytes_release(&pool, bytes);
    bytes_release(&pool, NULL);
    cr_expect_eq(pool.used, 0u);
    struct bytes *empty = bytes_new(&pool, (str){0});
    cr_expect_eq(bytes_str(empty).size, 0u);
}

static void insert(struct vector *vector, size_t at, int value)
{
    int *place = vector_insert(&pool, vector, sizeof value, at);
    cr_assert_not_null(place);
    *place = value;
}

static void holds(const struct vector *vector, const int *values, size_t count)
{
    cr_assert_eq(vector->count, count);
    cr_expect_arr_eq(vector->items, values, count * sizeof *values);
}

Test(pool, a_vector_takes_and_gives_at_any_place)
{
    struct vector vector = {0};
    VECTOR_EACH (vector, int, item)
        cr_assert_fail("an empty vector has no items, not %d", *item);
    insert(&vector, 0, 2);
    insert(&vector, 0, 1);
    insert(&vector, 2, 4);
    insert(&vector, 2, 3);
    insert(&vector, 4, 5);
    holds(&vector, (int[]){1, 2, 3, 4, 5}, 5);
    vector_remove(&vector, sizeof(int), 4);
    vector_remove(&vector, sizeof(int), 0);
    vector_remove(&vector, sizeof(int), 1);
    holds(&vector, (int[]){2, 4}, 2);
    vector_release(&pool, &vector, sizeof(int));
    cr_expect_eq(pool.used, 0u);
    cr_expect_eq(vector.count + vector.capacity, 0u);
}

Test(pool, a_vector_gives_back_what_it_has_too_much)
{
    struct vector vector = {0};
    for (int i = 0; i < 1000; i++)
        insert(&vector, vector.count, i);
    vector.count = 3;
    vector_fit(&pool, &vector, sizeof(int));
    holds(&vector, (int[]){0, 1, 2}, 3);
    cr_expect_eq(vector.capacity, 3u);
    insert(&vector, 3, 3);
    holds(&vector, (int[]){0, 1, 2, 3}, 4);
    vector.count = 0;
    vector_fit(&pool, &vector, sizeof(int));
    cr_expect_eq(pool.used, 0u);
}

Test(pool, a_vector_grows_to_thousands_and_gives_all_of_it_back)
{
    struct vector vector = {0};
    for (int i = 0; i < 5000; i++)
        insert(&vector, vector.count, i);
    for (int i = 0; i < 5000; i++)
        cr_assert_eq(*VECTOR_AT(vector, int, i), i);
    vector_release(&pool, &vector, sizeof(int));
    cr_expect_eq(pool.used, 0u);
}

Test(pool, keeps_no_more_large_blocks_for_later_than_are_in_use_but_for_the_latest)
{
    enum { BLOCKS = 40, MEGABYTE = 1 << 20 };
    size_t latest = 0;
    void *blocks[BLOCKS] = {0};
    size_t sizes[BLOCKS];
    uint64_t random = 7;
    for (int turn = 0; turn < 4000; turn++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t i = (random >> 33) % BLOCKS;
        if (blocks[i]) {
            pool_release(&pool, blocks[i], sizes[i]);
            if (sizes[i] > 4096) latest = sizes[i];
            blocks[i] = NULL;
        } else {
            sizes[i] = (size_t)1 << (random >> 45) % 23;
            blocks[i] = pool_alloc(&pool, sizes[i]);
            cr_assert_not_null(blocks[i]);
            memset(blocks[i], 1, sizes[i]);
        }
        cr_assert_leq(pool.spare, pool.used + 2 * MEGABYTE + 2 * latest, "turn %d", turn);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        if (blocks[i]) pool_release(&pool, blocks[i], sizes[i]);
    cr_expect_eq(pool.used, 0u);
    cr_expect_leq(pool.spare, (size_t)10 << 20, "one of the largest, and a few MiB");
}

Test(pool, gives_back_what_a_value_that_grew_has_needed_on_its_way)
{
    void *block = pool_alloc(&pool, 1000);
    size_t before = 1000;
    for (size_t size = 2000; size < (size_t)8 << 20; size += 30000) {
        void *larger = pool_alloc(&pool, size);
        pool_release(&pool, block, before);
        block = larger;
        before = size;
    }
    pool_release(&pool, block, before);
    cr_expect_leq(pool.spare, (size_t)9 << 20, "the latest, and a MiB");
}
