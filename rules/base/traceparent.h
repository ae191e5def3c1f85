/* The trace context of W3C, as records have it in their header `traceparent`:
 *
 *     00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *     version, trace, span, flags
 */
#ifndef RULES_BASE_TRACEPARENT_H
#define RULES_BASE_TRACEPARENT_H

#include "base/str.h"

enum { TRACEPARENT_BYTES = 55 };

/* Lower-case digits only, version ff, a trace and a span of zeros are none; of later versions, only what has this form. */
bool traceparent_is_valid(str text);

#endif
