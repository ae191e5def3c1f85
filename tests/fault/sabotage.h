/* Deliberate bugs (sabotage.def), one at a time. */
#ifndef FAULT_SABOTAGE_H
#define FAULT_SABOTAGE_H

#include <stdbool.h>

enum bug {
#define BUG(ENUM, name, prose) BUG_##ENUM,
#include "sabotage.def"
#undef BUG
    BUG_COUNT, /* none */
};

extern enum bug sabotage_active;

static inline bool sabotage(enum bug bug)
{
    return sabotage_active == bug;
}

const char *sabotage_name(enum bug bug);
const char *sabotage_prose(enum bug bug);

#endif
