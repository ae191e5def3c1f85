#include "delivery/wanted.h"
#include "base/str.h"
#include <criterion/criterion.h>
#include <stdio.h>

enum { CUSTOMERS = 3000 };
static char names[CUSTOMERS][8];

static struct relance_str name(int i)
{
    snprintf(names[i], sizeof names[i], "c-%d", i);
    return str_of(names[i]);
}

Test(wanted, has_each_customer_once_in_the_order_in_which_they_came)
{
    struct wanted wanted = {0};
    for (int round = 0; round < 3; round++) {
        wanted_clear(&wanted);
        for (int again = 0; again < 3; again++)
            for (int i = round; i < CUSTOMERS; i++)
                wanted_add(&wanted, name(i));
        cr_assert_eq(wanted.count, (size_t)(CUSTOMERS - round));
        for (size_t i = 0; i < wanted.count; i++)
            cr_assert(str_equal(wanted.customers[i], name((int)i + round)));
    }
    wanted_free(&wanted);
}

Test(wanted, is_empty_once_cleared)
{
    struct wanted wanted = {0};
    wanted_add(&wanted, STR("a"));
    wanted_add(&wanted, STR(""));
    wanted_clear(&wanted);
    cr_expect_eq(wanted.count, 0);
    wanted_add(&wanted, STR(""));
    wanted_add(&wanted, STR("a"));
    wanted_add(&wanted, STR(""));
    cr_expect_eq(wanted.count, 2);
    cr_expect(str_equal(wanted.customers[1], STR("a")));
    wanted_free(&wanted);
}
