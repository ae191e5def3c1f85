/* Sums since a checkpoint: exact, told once, in order. */
#include "delivery/sums.h"
#include "base/str.h"
#include <criterion/criterion.h>
#include <stdio.h>

static char found[4096];

static void find(void *context, const struct relance_addition *sum)
{
    size_t size = strlen(found);
    (void)context;
    snprintf(found + size, sizeof found - size, "%d/%lld/%.*s=%lld ", (int)sum->table, (long long)sum->day,
             STR_ARG(sum->name), (long long)sum->number);
}

static void add(struct sums *sums, enum relance_sums table, int64_t day, const char *name, int64_t number)
{
    const struct relance_addition addition = {table, day, str_of(name), number};
    sums_add(sums, &addition);
}

static const char *told(const struct sums *sums)
{
    *found = '\0';
    sums_each(sums, find, NULL);
    return found;
}

Test(sums, each_table_and_day_has_its_own_told_in_order)
{
    struct sums sums = {0};
    cr_expect_str_eq(told(&sums), "");
    add(&sums, RELANCE_SUMS_COHORTS, 7, "a", 1); /* a day means nothing there */
    add(&sums, RELANCE_SUMS_COHORTS, 8, "a", 1);
    add(&sums, RELANCE_SUMS_DAY, 3, "b", 1);
    add(&sums, RELANCE_SUMS_DAY, -3, "a", 1);
    add(&sums, RELANCE_SUMS_DAY, 3, "a", 1);
    add(&sums, RELANCE_SUMS_ALL, 0, "a", 5);
    add(&sums, RELANCE_SUMS_ALL, 0, "gone", 5);
    add(&sums, RELANCE_SUMS_ALL, 0, "gone", -5);
    cr_expect_str_eq(told(&sums), "0/0/a=5 1/-3/a=1 1/3/a=1 1/3/b=1 2/0/a=2 ");
    sums_clear(&sums);
    cr_expect_str_eq(told(&sums), "");
    add(&sums, RELANCE_SUMS_DAY, 3, "b", 2);
    cr_expect_str_eq(told(&sums), "1/3/b=2 ");
    sums_free(&sums);
}

Test(sums, whole_numbers_stay_exact_and_stop_at_64_bits)
{
    struct sums sums = {0};
    add(&sums, RELANCE_SUMS_ALL, 0, "exact", (INT64_C(1) << 53) + 1);
    add(&sums, RELANCE_SUMS_ALL, 0, "exact", (INT64_C(1) << 53) + 2);
    add(&sums, RELANCE_SUMS_ALL, 0, "high", INT64_MAX);
    add(&sums, RELANCE_SUMS_ALL, 0, "high", 1);
    add(&sums, RELANCE_SUMS_ALL, 0, "low", INT64_MIN);
    add(&sums, RELANCE_SUMS_ALL, 0, "low", -1);
    cr_expect_str_eq(told(&sums), "0/0/exact=18014398509481987 0/0/high=9223372036854775807 "
                                  "0/0/low=-9223372036854775808 ");
    sums_free(&sums);
}

/* Days go by, and each has names of its own. */
Test(sums, what_is_told_does_not_pile_up)
{
    struct sums sums = {0};
    char name[32];
    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof name, "n%d", i);
        add(&sums, RELANCE_SUMS_DAY, i, name, 1);
        if (i % 100 == 99) sums_clear(&sums);
    }
    cr_expect_lt(sums.names.count, 20000);
    sums_free(&sums);
}
