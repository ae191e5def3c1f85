/* What has been published since a checkpoint: ids to be found again, the last number, how far it goes. */
#include "delivery/published.h"
#include "base/str.h"
#include <criterion/criterion.h>

static void add(struct published *said, unsigned id, uint64_t seq, uint64_t after)
{
    char text[33];
    snprintf(text, sizeof text, "%032x", id);
    published_add(said, &(struct published_action){str_of(text), seq, (int64_t)seq * 10, (int64_t)seq * 1000},
                  after);
}

static bool has(const struct published *said, unsigned id)
{
    char text[33];
    snprintf(text, sizeof text, "%032x", id);
    return published_has(said, str_of(text));
}

Test(published, knows_the_ids_of_later_numbers_and_the_bounds_of_all)
{
    struct published said;
    published_init(&said);
    for (unsigned i = 3000; i > 0; i--)
        add(&said, i * 7, i, 1000);
    published_sort(&said);
    cr_expect_eq(said.count, 2000u);
    cr_expect_eq(said.last_seq, 3000u);
    cr_expect_eq(said.offset, 30000);
    cr_expect_eq(said.newest_due_ms, 3000000);
    cr_expect(has(&said, 1001 * 7));
    cr_expect(has(&said, 3000 * 7));
    cr_expect_not(has(&said, 1000 * 7), "the checkpoint has that one");
    cr_expect_not(has(&said, 1001 * 7 + 1));
    published_free(&said);
    cr_expect_not(has(&said, 1001 * 7));
}

Test(published, an_id_that_is_none_is_left_out_and_its_number_counts)
{
    struct published said;
    static const char *const none[] = {"", "abc", "0123456789abcdef0123456789abcdeg",
                                       "0123456789ABCDEF0123456789ABCDEF"};
    published_init(&said);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        published_add(&said, &(struct published_action){str_of(none[i]), i + 1, -1, 0}, 0);
    cr_expect_eq(said.count, 0u);
    cr_expect_eq(said.last_seq, 4u);
    cr_expect_eq(said.offset, -1);
    published_free(&said);
}
