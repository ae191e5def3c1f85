/* Of many alike mishaps the first is told of, the others are counted. */
#include "host/sampler.h"
#include "base/str.h"
#include <criterion/criterion.h>

Test(sampler, tells_the_first_of_each_kind_and_counts_the_others)
{
    static struct sampler sampler;
    uint64_t more = 9;
    cr_expect(sampler_take(&sampler, STR("cart"), STR("no such field 'x'"), &more));
    cr_expect_eq(more, 0u);
    for (int i = 0; i < 1000; i++)
        cr_expect_not(sampler_take(&sampler, STR("cart"), STR("no such field 'x'"), &more));
    cr_expect(sampler_take(&sampler, STR("cart"), STR("division by zero"), &more), "another sentence");
    cr_expect(sampler_take(&sampler, STR("browse"), STR("no such field 'x'"), &more), "another rule");
    cr_expect(sampler_take(&sampler, STR(""), STR(""), &more), "none at all is a kind, too");
    for (size_t i = 0; i < SAMPLER_PLACES; i++)
        sampler.places[i].until_us = 0; /* a minute later */
    cr_expect(sampler_take(&sampler, STR("cart"), STR("no such field 'x'"), &more));
    cr_expect_eq(more, 1000u);
}
