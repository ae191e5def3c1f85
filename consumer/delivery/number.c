#include "delivery/number.h"

#define NUMBER_MAX 9007199254740991.0

bool number_read(const cJSON *item, int64_t *out)
{
    if (!cJSON_IsNumber(item) || item->valuedouble > NUMBER_MAX || item->valuedouble < -NUMBER_MAX)
        return false;
    *out = (int64_t)item->valuedouble;
    return (double)*out == item->valuedouble;
}
