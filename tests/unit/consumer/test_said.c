/* What has been said since a checkpoint: ids to be found again, the last number, how far it goes. */
#include "delivery/said.h"
#include "host/text.h"
#include <criterion/criterion.h>

static void add(struct said *said, unsigned id, uint64_t seq, uint64_t after)
{
    char text[33];
    snprintf(text, sizeof text, "%032x", id);
    said_add(said, &(struct said_action){text_of(text), seq, (int64_t)seq * 10, (int64_t)seq * 1000}, after);
}

static bool has(const struct said *said, unsigned id)
{
    char text[33];
    snprintf(text, sizeof text, "%032x", id);
    return said_has(said, text_of(text));
}

Test(said, knows_the_ids_of_later_numbers_and_the_bounds_of_all)
{
    struct said said;
    said_init(&said);
    for (unsigned i = 3000; i > 0; i--)
        add(&said, i * 7, i, 1000);
    said_sort(&said);
    cr_expect_eq(said.count, 2000u);
    cr_expect_eq(said.last_seq, 3000u);
    cr_expect_eq(said.offset, 30000);
    cr_expect_eq(said.newest_due_ms, 3000000);
    cr_expect(has(&said, 1001 * 7));
    cr_expect(has(&said, 3000 * 7));
    cr_expect_not(has(&said, 1000 * 7), "the checkpoint has that one");
    cr_expect_not(has(&said, 1001 * 7 + 1));
    said_free(&said);
    cr_expect_not(has(&said, 1001 * 7));
}

Test(said, an_id_that_is_none_is_left_out_and_its_number_counts)
{
    struct said said;
    static const char *const none[] = {"", "abc", "0123456789abcdef0123456789abcdeg",
                                       "0123456789ABCDEF0123456789ABCDEF"};
    said_init(&said);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        said_add(&said, &(struct said_action){text_of(none[i]), i + 1, -1, 0}, 0);
    cr_expect_eq(said.count, 0u);
    cr_expect_eq(said.last_seq, 4u);
    cr_expect_eq(said.offset, -1);
    said_free(&said);
}
