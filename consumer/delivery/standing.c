#include "delivery/standing.h"
#include "host/clock.h"

#include <relance/text.h>

static void note(_Atomic int64_t *since_us, bool holds)
{
    if (!holds)
        atomic_store(since_us, 0);
    else if (!atomic_load(since_us))
        atomic_store(since_us, clock_monotonic_us());
}

void standing_leave(struct standing *standing)
{
    atomic_store(&standing->state, STANDING_ELSEWHERE);
    note(&standing->unsaved_us, false);
    for (int way = 0; way < STANDING_STORE_WAYS; way++)
        note(&standing->store_fails_us[way], false);
}

void standing_store(struct standing *standing, enum standing_store way, bool answers)
{
    note(&standing->store_fails_us[way], !answers);
}

int64_t standing_store_fails(const struct standing *standing)
{
    int64_t reads = atomic_load(&standing->store_fails_us[STANDING_READS]),
            writes = atomic_load(&standing->store_fails_us[STANDING_WRITES]);
    return !reads || (writes && writes < reads) ? writes : reads;
}

void contact_ask(struct contact *contact)
{
    note(&contact->asked_us, true);
}

void contact_end(struct contact *contact)
{
    note(&contact->asked_us, false);
}

void contact_answer(struct contact *contact, bool answers)
{
    if (answers || !atomic_load(&contact->fails_us))
        atomic_store(&contact->fails_us, answers ? 0 : atomic_load(&contact->asked_us));
    contact_end(contact);
}

int64_t contact_away(const struct contact *contact, int64_t now_us)
{
    int64_t fails = atomic_load(&contact->fails_us), asked = atomic_load(&contact->asked_us);
    if (fails) return fails;
    return asked && now_us - asked > CONTACT_PATIENCE_US ? asked : 0;
}
