/* A function beside its caller. */
#include "host/beside.h"
#include "host/clock.h"
#include <criterion/criterion.h>

/* It goes on until it is told that it may end, so that its caller can only have gone on meanwhile. */
struct errand {
    atomic_bool may_end;
    int done; /* read by the caller without a lock, once it is over */
};

static void errand_run(void *context)
{
    struct errand *errand = context;
    while (!atomic_load(&errand->may_end))
        clock_sleep_us(1000);
    errand->done++;
}

Test(beside, a_function_goes_on_beside_its_caller_one_after_another)
{
    struct beside beside = {0};
    struct errand errand = {0};
    beside_await(&beside); /* nothing runs */
    for (int times = 1; times <= 3; times++) {
        atomic_store(&errand.may_end, false);
        beside_begin(&beside, errand_run, &errand);
        cr_assert(!beside_is_done(&beside));
        atomic_store(&errand.may_end, true);
        beside_await(&beside);
        cr_assert(beside_is_done(&beside));
        cr_assert_eq(errand.done, times);
    }
}
