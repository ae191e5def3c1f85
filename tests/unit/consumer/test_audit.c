/* An audit of numbers and ids: what is missing, what came twice, in whichever order it came. */
#include "report/audit.h"
#include "base/str.h"
#include <criterion/criterion.h>
#include <stdio.h>

static size_t shown;

static void count_shown(void *context, const struct audit_id *first, const struct audit_id *again)
{
    (void)context;
    cr_expect(memcmp(first->id, again->id, sizeof first->id) == 0);
    shown++;
}

static bool see(struct audit *audit, const char *source, uint64_t seq, unsigned id)
{
    char text[33];
    bool twice;
    snprintf(text, sizeof text, "%032x", id);
    audit_see(audit, str_of(source), 3, seq, str_of(text), (struct audit_place){0, (int64_t)audit->id_count},
              &twice);
    return twice;
}

Test(audit, finds_nothing_where_each_number_came_once_in_any_order)
{
    struct audit audit = {0};
    const uint64_t seqs[] = {2, 1, 3, 7, 5, 4, 6};
    for (unsigned i = 0; i < sizeof seqs / sizeof *seqs; i++)
        cr_expect_not(see(&audit, "/relance/a", seqs[i], i));
    cr_expect_eq(audit_missing(&audit, true), 0);
    cr_expect_eq(audit_twice(&audit), 0);
    cr_expect_eq(audit_ids_twice(&audit, count_shown, NULL), 0);
    audit_free(&audit);
}

Test(audit, tells_ranges_that_are_missing)
{
    struct audit audit = {0};
    const uint64_t seqs[] = {3, 4, 8, 10, 9, 6};
    for (unsigned i = 0; i < sizeof seqs / sizeof *seqs; i++)
        see(&audit, "/relance/a", seqs[i], i);
    const struct audit_origin *origin = &audit.origins[0];
    cr_assert_eq(origin->missing_count, 2);
    cr_expect_eq(origin->missing[0].first, 5);
    cr_expect_eq(origin->missing[0].last, 5);
    cr_expect_eq(origin->missing[1].first, 7);
    cr_expect_eq(origin->missing[1].last, 7);
    cr_expect_eq(audit_missing(&audit, false), 2);
    cr_expect_eq(audit_missing(&audit, true), 4, "1 and 2 too, where the topic has its beginning");
    audit_free(&audit);
}

Test(audit, tells_numbers_and_ids_that_came_twice)
{
    struct audit audit = {0};
    cr_expect_not(see(&audit, "/relance/a", 1, 1));
    cr_expect_not(see(&audit, "/relance/a", 2, 2));
    cr_expect(see(&audit, "/relance/a", 2, 2));
    cr_expect(see(&audit, "/relance/a", 1, 9));
    cr_expect_eq(audit_twice(&audit), 2);
    shown = 0;
    cr_expect_eq(audit_ids_twice(&audit, count_shown, NULL), 1);
    cr_expect_eq(shown, 1);
    audit_free(&audit);
}

Test(audit, keeps_groups_apart)
{
    struct audit audit = {0};
    cr_expect_not(see(&audit, "/relance/a", 1, 1));
    cr_expect_not(see(&audit, "/relance/b", 1, 1), "another group's number");
    cr_expect_eq(audit_ids_twice(&audit, count_shown, NULL), 0,
                 "the same rules in two groups give the same ids");
    audit_free(&audit);
}

Test(audit, counts_what_is_not_ours)
{
    struct audit audit = {0};
    bool twice;
    audit_see(&audit, (struct relance_str){0}, -1, 0, (struct relance_str){0}, (struct audit_place){0, 0},
              &twice);
    audit_see(&audit, STR("/x"), 0, 1, STR("short"), (struct audit_place){0, 1}, &twice);
    cr_expect_eq(audit.strangers, 2);
    cr_expect_eq(audit.id_count, 0);
    audit_free(&audit);
}
