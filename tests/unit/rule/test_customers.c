/* Who waits, in the order of what is due, whatever moves: against a list that is looked through. */
#include "rule/run/customers.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { PEOPLE = 300, TIMES = 40, STEPS = 20000 };

static struct customers customers;
static int64_t dues[PEOPLE]; /* of the model */
static uint32_t seed;

static void setup(void)
{
    customers_init(&customers);
    seed = 7;
    for (int i = 0; i < PEOPLE; i++)
        dues[i] = RELANCE_NEVER;
}

static void teardown(void)
{
    customers_free(&customers);
}

TestSuite(customers, .init = setup, .fini = teardown, .timeout = 60);

static uint32_t draw(uint32_t bound)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % bound;
}

static struct customer *person(int i)
{
    char id[8];
    int size = snprintf(id, sizeof id, "c%03d", i);
    struct customer *customer = customers_add(&customers, (str){id, (size_t)size});
    cr_assert_not_null(customer);
    return customer;
}

static void wait_until(int i, int64_t due_ms)
{
    cr_assert(customers_set_due(&customers, person(i), due_ms));
    dues[i] = due_ms;
}

/* The numbers of people are in the order of their ids. -1: nobody. */
static int first(void)
{
    int found = -1;
    for (int i = 0; i < PEOPLE; i++)
        if (dues[i] != RELANCE_NEVER && (found < 0 || dues[i] < dues[found])) found = i;
    return found;
}

static size_t due_before(int64_t before_ms)
{
    size_t count = 0;
    for (int i = 0; i < PEOPLE; i++)
        count += dues[i] < before_ms;
    return count;
}

static void expect_first(void)
{
    int expected = first();
    const struct customer *next = customers_next(&customers);
    if (expected < 0)
        cr_assert_null(next);
    else
        cr_assert_eq(next, person(expected));
    cr_assert_eq(customers.wait_count, due_before(RELANCE_NEVER));
}

static void note(void *context, const struct customer *customer)
{
    bool *seen = context;
    int i = atoi(customer->id + 1);
    cr_expect_eq(customer->due_ms, dues[i]);
    seen[i] = true;
}

static void expect_all_before(int64_t before_ms)
{
    bool seen[PEOPLE] = {0};
    cr_assert(customers_first_due(&customers, before_ms, SIZE_MAX, note, seen));
    for (int i = 0; i < PEOPLE; i++)
        cr_assert_eq(seen[i], dues[i] < before_ms);
    size_t count = due_before(before_ms);
    if (count) cr_assert(customers_due_exceed(&customers, before_ms, count - 1));
    cr_assert_not(customers_due_exceed(&customers, before_ms, count), "each counts once");
}

Test(customers, the_first_wait_is_the_earliest_whatever_moves)
{
    for (int step = 0; step < STEPS; step++) {
        int i = (int)draw(PEOPLE);
        wait_until(i, draw(3) ? (int64_t)draw(TIMES) : RELANCE_NEVER);
        expect_first();
        if (step % 100 == 0) expect_all_before((int64_t)draw(TIMES + 1));
    }
    for (int i; (i = first()) >= 0;) {
        wait_until(i, RELANCE_NEVER);
        expect_first();
    }
    cr_expect_eq(customers.front.count + customers.later.count, 0u);
}

Test(customers, waits_that_end_before_their_time_leave_a_bounded_heap)
{
    for (int step = 0; step < STEPS; step++) {
        wait_until(step % PEOPLE, 1000 + step);
        if (step >= PEOPLE / 2) wait_until((step - PEOPLE / 2) % PEOPLE, RELANCE_NEVER);
        expect_first();
    }
    cr_expect_leq(customers.later.size, (size_t)32768);
}

static void wait_late(int i)
{
    wait_until(i, 1000 + i);
    wait_until(i, 2000 + i);
    cr_expect_eq(person(i)->entries, 1u, "it stays where it is");
}

Test(customers, a_wait_that_moves_on_sinks_when_it_comes_to_the_top)
{
    for (int i = 0; i < PEOPLE; i++)
        wait_late(i);
    expect_all_before(1900);
    expect_all_before(2100);
    for (int i = 0; i < PEOPLE; i++) {
        expect_first();
        wait_until(first(), RELANCE_NEVER);
    }
    cr_expect_null(customers_next(&customers));
}

/* Nobody is at hand: who waits for nothing more is known for the sake of an entry alone. */
Test(customers, a_stub_goes_with_its_last_entry)
{
    wait_until(0, 10);
    wait_until(1, 20);
    wait_until(1, RELANCE_NEVER);
    cr_expect_eq(customers.count, 2u);
    wait_until(1, 15);
    wait_until(1, RELANCE_NEVER);
    wait_until(0, RELANCE_NEVER);
    cr_expect_eq(customers.count, 0u);
    cr_expect_eq(customers.front.count + customers.later.count, 0u);
}

Test(customers, what_keeps_stubs_is_swept_when_memory_is_short)
{
    for (int i = 0; i < PEOPLE; i++)
        wait_until(i, 1000 + i);
    for (int i = 1; i < PEOPLE; i++)
        wait_until(i, RELANCE_NEVER);
    cr_expect_eq(customers.count, (size_t)PEOPLE);
    cr_assert(customers_evict(&customers, 0));
    cr_expect_eq(customers.count, 1u);
    expect_first();
}

Test(customers, four_siblings_stand_in_one_line)
{
    for (int i = 0; i < PEOPLE; i++) {
        wait_until(i, i);
        cr_assert_eq((uintptr_t)&customers.later.items[1] % 64, 0u);
    }
}

/* Those that have been the first one stay in front, no others. */
Test(customers, few_stand_in_front)
{
    for (int i = 0; i < 20000; i++) {
        char id[12];
        int size = snprintf(id, sizeof id, "d%d", i);
        struct customer *customer = customers_add(&customers, (str){id, (size_t)size});
        cr_assert(customers_set_due(&customers, customer, (int64_t)draw(1 << 20)));
    }
    cr_expect_lt(customers.front.count, 100u);
    while (customers.front.count) {
        cr_assert(customers_set_due(&customers, customers.front.items[0].customer, RELANCE_NEVER));
        cr_assert_lt(customers.front.count, 100u);
    }
}
