#include "host/beside.h"
#include "base/ensure.h"

static void *beside_run(void *argument)
{
    struct beside *beside = argument;
    beside->run(beside->context);
    atomic_store(&beside->is_done, true);
    return NULL;
}

void beside_begin(struct beside *beside, void (*run)(void *context), void *context)
{
    ensure(!beside->is_begun);
    beside->is_begun = true;
    beside->run = run;
    beside->context = context;
    atomic_store(&beside->is_done, false);
    beside->has_thread = pthread_create(&beside->thread, NULL, beside_run, beside) == 0;
    if (!beside->has_thread) beside_run(beside);
}

bool beside_is_done(const struct beside *beside)
{
    return atomic_load(&beside->is_done);
}

void beside_await(struct beside *beside)
{
    if (beside->has_thread) ensure(pthread_join(beside->thread, NULL) == 0);
    beside->is_begun = beside->has_thread = false;
}
