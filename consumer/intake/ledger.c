#include "intake/ledger.h"
#include <stdio.h>

static const char *const ledger_names[INTAKE_COUNTER_COUNT] = {
#define INTAKE_COUNTER(ENUM, name, prose) name,
#define INTAKE_COUNTER_FAMILY(ENUM, form, prose)
#include "intake.def"
#undef INTAKE_COUNTER
#undef INTAKE_COUNTER_FAMILY
};

void ledger_add(struct ledger *ledger, enum intake_counter counter, int64_t number)
{
    ledger->fresh.plain[counter] += number;
}

void ledger_add_dead(struct ledger *ledger, struct relance_str reason)
{
    uint32_t number = names_find(&ledger->reasons, reason);
    if (number == NAME_NONE && ledger->reasons.count == LEDGER_REASONS_MAX) number = LEDGER_REASONS_MAX - 1;
    if (number == NAME_NONE) number = names_add(&ledger->reasons, reason);
    ledger->fresh.dead[number]++;
}

void ledger_keep(struct ledger *ledger)
{
    for (size_t i = 0; i < INTAKE_COUNTER_COUNT; i++)
        ledger->kept.plain[i] += ledger->fresh.plain[i];
    for (size_t i = 0; i < LEDGER_REASONS_MAX; i++)
        ledger->kept.dead[i] += ledger->fresh.dead[i];
    ledger_drop(ledger);
}

void ledger_drop(struct ledger *ledger)
{
    ledger->fresh = (struct ledger_numbers){0};
}

const char *ledger_show(const struct ledger *ledger, char out[LEDGER_TEXT_SIZE])
{
    size_t size = 0;
    for (size_t i = 0; i < INTAKE_COUNTER_COUNT && size < LEDGER_TEXT_SIZE; i++)
        size += (size_t)snprintf(out + size, LEDGER_TEXT_SIZE - size, "%s%s=%lld", size ? " " : "",
                                 ledger_names[i], (long long)ledger->kept.plain[i]);
    for (uint32_t i = 0; i < ledger->reasons.count && size < LEDGER_TEXT_SIZE; i++)
        if (ledger->kept.dead[i])
            size += (size_t)snprintf(out + size, LEDGER_TEXT_SIZE - size, " dead.%.*s=%lld",
                                     STR_ARG(ledger->reasons.list[i]), (long long)ledger->kept.dead[i]);
    return out;
}

void ledger_free(struct ledger *ledger)
{
    names_free(&ledger->reasons);
}
