/* What a field of a declared type takes, by the type of what is computed for it. */
#include "event/event.h"

#define KIND(name) (1u << CEL_TYPE_##name)

/* By kind of a scalar: the kinds of what it may be taken for. */
static const unsigned taken_for[] = {
    [CEL_TYPE_BOOL] = KIND(BOOL),
    [CEL_TYPE_INT] = KIND(INT) | KIND(UINT) | KIND(DOUBLE) | KIND(STRING) | KIND(TIMESTAMP),
    [CEL_TYPE_UINT] = KIND(INT) | KIND(UINT) | KIND(DOUBLE) | KIND(STRING) | KIND(TIMESTAMP),
    [CEL_TYPE_DOUBLE] = KIND(INT) | KIND(UINT) | KIND(DOUBLE) | KIND(STRING) | KIND(TIMESTAMP),
    [CEL_TYPE_STRING] = KIND(STRING) | KIND(TIMESTAMP) | KIND(DURATION) | KIND(BYTES),
    [CEL_TYPE_BYTES] = KIND(BYTES) | KIND(STRING),
    [CEL_TYPE_TIMESTAMP] = KIND(TIMESTAMP) | KIND(STRING),
    [CEL_TYPE_DURATION] = KIND(DURATION) | KIND(STRING),
};

bool event_may_take(const struct cel_type *declared, const struct cel_type *value)
{
    if (declared->kind == CEL_TYPE_DYN) return true; /* a mistake, which has been reported */
    switch (value->kind) {
    case CEL_TYPE_DYN:
    case CEL_TYPE_NULL: return true;
    case CEL_TYPE_OPTIONAL: return event_may_take(declared, value->params[0]);
    case CEL_TYPE_LIST:
        return declared->kind == CEL_TYPE_LIST && event_may_take(declared->params[0], value->params[0]);
    case CEL_TYPE_MAP:
        return declared->kind == CEL_TYPE_RECORD ||
               (declared->kind == CEL_TYPE_MAP && event_may_take(declared->params[1], value->params[1]));
    case CEL_TYPE_RECORD: return declared->kind == CEL_TYPE_RECORD || declared->kind == CEL_TYPE_MAP;
    case CEL_TYPE_TYPE:
    case CEL_TYPE_PARAM: return false;
    default: return taken_for[value->kind] >> declared->kind & 1;
    }
}
