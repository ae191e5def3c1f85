/* Every bound of the core as a constant, LIMIT_NAME; limit.def is the table. */
#ifndef RULES_BASE_LIMITS_H
#define RULES_BASE_LIMITS_H

enum {
#define LIMIT(NAME, value, unit, prose) LIMIT_##NAME = (value),
#include "base/limit.def"
#undef LIMIT
};

#endif
