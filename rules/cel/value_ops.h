/* What the parts of the engine share about values, beyond value.h. */
#ifndef RULES_CEL_VALUE_OPS_H
#define RULES_CEL_VALUE_OPS_H

#include "cel/value.h"

#define CEL_UNORDERED 2

bool cel_is_number(struct cel_value v);
/* -1, 0, 1, or CEL_UNORDERED: a NaN, or kinds that have no order. */
int cel_number_order(struct cel_value a, struct cel_value b);
int cel_order(struct cel_value a, struct cel_value b);
bool cel_record_type_equal(const struct cel_record_type *a, const struct cel_record_type *b);

/* Deep copies; false or NULL without memory. What is shared stays shared; records are shared, not copied. */
bool cel_value_copy(struct arena *arena, struct cel_value *v);
const struct cel_type *cel_type_copy(struct arena *arena, const struct cel_type *type);

#endif
