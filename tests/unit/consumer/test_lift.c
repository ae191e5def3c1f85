/* Lift: what is claimed is right whenever one looks. Simulated shops with fixed seeds. */
#include "report/lift.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>

enum { SHOPS = 2000, LOOKS = 50, CUSTOMERS = 10000 };

/* xorshift64*, from 0 to below 1 */
static double chance(uint64_t *seed)
{
    *seed ^= *seed >> 12, *seed ^= *seed << 25, *seed ^= *seed >> 27;
    return (double)((*seed * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

/* What who buys pays: mostly little, now and then much. */
static double basket(uint64_t *seed)
{
    return round(1e5 / sqrt(1e-4 + chance(seed)));
}

static void visit(struct lift_people *people, double conversion, uint64_t *seed)
{
    people->people++;
    if (chance(seed) >= conversion) return;
    double value = basket(seed);
    people->won++;
    people->value += value;
    people->value_squares += value * value;
}

struct shop {
    double conversion, holdout_conversion, holdout_share;
    int customers;
};

/* Was a difference claimed at some look, in conversion and in value; and what did the last look say? */
struct looked {
    bool conversion, value, usual;
    struct lift last;
};

/* What is usually done: two standard errors, at each look. */
static bool usual_claims(const struct lift_people *a, const struct lift_people *b)
{
    double p = lift_conversion(a), q = lift_conversion(b);
    return fabs(p - q) > 1.96 * sqrt(p * (1 - p) / a->people + q * (1 - q) / b->people);
}

static struct looked look(const struct shop *shop, uint64_t seed)
{
    struct lift_people variant = {0}, holdout = {0};
    struct looked looked = {0};
    for (int i = 1; i <= shop->customers; i++) {
        if (chance(&seed) < shop->holdout_share)
            visit(&holdout, shop->holdout_conversion, &seed);
        else
            visit(&variant, shop->conversion, &seed);
        if (i % (shop->customers / LOOKS) || !lift_over(&variant, &holdout, 1, &looked.last)) continue;
        looked.conversion |= looked.last.conversion.apart;
        looked.value |= looked.last.value.apart;
        looked.usual |= i > shop->customers / 5 && usual_claims(&variant, &holdout);
    }
    return looked;
}

/* How many of a hundred shops claim a difference at some look, the greater one of conversion and value. */
static double claims(const struct shop *shop, int shops)
{
    int conversion = 0, value = 0;
    for (int i = 0; i < shops; i++) {
        struct looked looked = look(shop, UINT64_C(0x9E3779B97F4A7C15) * (uint64_t)(i + 1));
        conversion += looked.conversion;
        value += looked.value;
    }
    return 100.0 * (conversion > value ? conversion : value) / shops;
}

Test(lift, of_2000_shops_that_send_nothing_at_most_two_in_a_hundred_claim_a_difference_at_some_time)
{
    cr_expect_leq(claims(&(struct shop){0.04, 0.04, 0.1, CUSTOMERS}, SHOPS), 2.0);
}

/* So that there is something to be right about. */
Test(lift, of_the_same_shops_every_tenth_would_claim_one_as_it_is_usually_done)
{
    int usual = 0;
    for (uint64_t seed = 1; seed <= 200; seed++)
        usual += look(&(struct shop){0.04, 0.04, 0.1, CUSTOMERS}, seed * UINT64_C(0x9E3779B97F4A7C15)).usual;
    cr_expect_geq(usual, 20, "%d", usual);
}

Test(lift, nor_do_small_ones_or_such_where_hardly_anybody_buys)
{
    cr_expect_leq(claims(&(struct shop){0.04, 0.04, 0.1, 500}, SHOPS), 2.0);
    cr_expect_leq(claims(&(struct shop){0.003, 0.003, 0.1, CUSTOMERS}, SHOPS), 2.0);
    cr_expect_leq(claims(&(struct shop){0.5, 0.5, 0.5, CUSTOMERS}, SHOPS), 2.0);
}

Test(lift, a_difference_that_is_there_is_found_in_the_end_and_on_its_side)
{
    const struct shop better = {0.06, 0.04, 0.1, 100000}, worse = {0.04, 0.06, 0.1, 100000};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct lift found = look(&better, seed).last, lost = look(&worse, seed).last;
        cr_expect(found.conversion.low > 0 && found.conversion.low < 0.02 && found.conversion.high > 0.02,
                  "%g to %g", found.conversion.low, found.conversion.high);
        cr_expect(lost.conversion.high < 0 && lost.conversion.low < -0.02 && lost.conversion.high > -0.02,
                  "%g to %g", lost.conversion.low, lost.conversion.high);
    }
}

/* 4 of 100, 9,000 against 1,000: plus or minus 2.75 points. */
Test(lift, is_as_wide_as_the_formula_says)
{
    double half = lift_half_width(9000, 0.0384, 0.025) + lift_half_width(1000, 0.0384, 0.025);
    cr_expect_float_eq(half, 0.0275, 0.00005, "%g", half);
    for (double rho2 = 0.5; rho2 < 2; rho2 += 0.05) { /* no other ρ is narrower at n = 1,000 */
        double x = 1000 * 0.00975 * rho2, other = sqrt(2 * (x + 1) / (1000 * x) * log(sqrt(x + 1) / 0.025));
        cr_expect_leq(lift_half_width(1000, 1, 0.025), other + 1e-7, "%g", rho2);
    }
}

Test(lift, several_variants_are_compared_more_carefully)
{
    const struct lift_people variant = {9000, 540, 0, 0}, holdout = {1000, 40, 0, 0};
    struct lift one, three;
    cr_assert(lift_over(&variant, &holdout, 1, &one) && lift_over(&variant, &holdout, 3, &three));
    cr_expect_float_eq(one.conversion.by, 0.02, 1e-9);
    cr_expect_lt(three.conversion.low, one.conversion.low);
    cr_expect_gt(three.conversion.high, one.conversion.high);
}

Test(lift, nobody_is_no_comparison_and_all_alike_are_not_apart)
{
    const struct lift_people nobody = {0}, some = {1, 1, 10000, 1e8}, lost = {500, 0, 0, 0};
    struct lift lift;
    cr_expect_not(lift_over(&nobody, &some, 1, &lift));
    cr_expect_not(lift_over(&some, &nobody, 1, &lift));
    cr_assert(lift_over(&lost, &lost, 1, &lift));
    cr_expect_not(lift.conversion.apart || lift.value.apart);
    cr_assert(lift_over(&some, &lost, 1, &lift));
    cr_expect_not(lift.conversion.apart, "one person says nothing");
    cr_expect_eq(lift_conversion(&nobody), 0);
    cr_expect_eq(lift_value(&some), 1);
}

static void says(double low, double high, const char *conversion, const char *value)
{
    char words[LIFT_WORDS_SIZE];
    const struct lift_interval interval = {(low + high) / 2, low, high, low > 0 || high < 0};
    cr_expect_str_eq(lift_conversion_words(&interval, words), conversion);
    cr_expect_str_eq(lift_value_words(&interval, words), value);
}

Test(lift, words_say_by_how_much_or_that_it_is_not_known)
{
    says(0.008, 0.021, "better by 0.8 to 2.1 points", "better by 0.01 to 0.02 each");
    says(-0.021, -0.008, "worse by 0.8 to 2.1 points", "worse by 0.01 to 0.02 each");
    says(-0.001, 0.5, "not yet told apart", "not yet told apart");
    says(0.0001, 0.02, "better by 0.01 to 2.00 points", "better by 0.0001 to 0.0200 each");
    says(1.5, 12.345, "better by 150.0 to 1234.5 points", "better by 1.50 to 12.35 each");
}
