/* The mathematics extension of cel-spec. */
#include "cel/func.h"

#include <math.h>

/* ---- greatest, least: of two, or of a list; the first where several are equal */

static struct cel_value extreme(struct cel_value a, struct cel_value b, int order)
{
    return cel_number_order(b, a) == order ? b : a;
}

struct cel_value math_greatest(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return extreme(a[0], a[1], 1);
}

struct cel_value math_least(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return extreme(a[0], a[1], -1);
}

static struct cel_value extreme_of(struct machine *m, const struct cel_list *list, int order,
                                   const char *name)
{
    if (list->count == 0) return cel_fail(m->frame, CEL_ERROR_ARGUMENT, "%s of an empty list", name);
    if (!list_touch(m, 2 * list->count)) return machine_out_of_steps(m);
    struct cel_value best = list->items[0];
    for (size_t i = 0; i < list->count; i++) {
        if (!cel_is_number(list->items[i])) return fail_overload(m, name);
        best = extreme(best, list->items[i], order);
    }
    return best;
}

struct cel_value math_greatest_of(struct machine *m, const struct cel_value *a)
{
    return extreme_of(m, a->as.list, 1, "math.greatest");
}

struct cel_value math_least_of(struct machine *m, const struct cel_value *a)
{
    return extreme_of(m, a->as.list, -1, "math.least");
}

/* ---- rounding and signs */

#define ON_DOUBLE(name, expression)                                                                          \
    struct cel_value name(struct machine *m, const struct cel_value *a)                                      \
    {                                                                                                        \
        (void)m;                                                                                             \
        double d = a->as.d;                                                                                  \
        return expression;                                                                                   \
    }

ON_DOUBLE(math_ceil, cel_double(ceil(d)))
ON_DOUBLE(math_floor, cel_double(floor(d)))
ON_DOUBLE(math_round, cel_double(round(d)))
ON_DOUBLE(math_trunc, cel_double(trunc(d)))
ON_DOUBLE(math_is_nan, cel_bool(isnan(d)))
ON_DOUBLE(math_is_inf, cel_bool(isinf(d)))
ON_DOUBLE(math_is_finite, cel_bool(isfinite(d)))

struct cel_value math_sqrt(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return cel_double(sqrt(a->kind == CEL_DOUBLE ? a->as.d
                           : a->kind == CEL_INT  ? (double)a->as.i
                                                 : (double)a->as.u));
}

struct cel_value math_abs(struct machine *m, const struct cel_value *a)
{
    if (a->kind == CEL_DOUBLE) return cel_double(fabs(a->as.d));
    if (a->kind == CEL_UINT || a->as.i >= 0) return *a;
    return a->as.i == INT64_MIN ? fail_overflow(m, "int") : cel_int(-a->as.i);
}

struct cel_value math_sign(struct machine *m, const struct cel_value *a)
{
    (void)m;
    if (a->kind == CEL_UINT) return cel_uint(a->as.u > 0);
    if (a->kind == CEL_INT) return cel_int((a->as.i > 0) - (a->as.i < 0));
    return isnan(a->as.d) ? *a : cel_double((a->as.d > 0) - (a->as.d < 0));
}

/* ---- bits: the same for ints and uints, which only differ in how they are read */

static struct cel_value with_bits(struct cel_value v, uint64_t bits)
{
    v.as.u = bits;
    return v;
}

struct cel_value math_bit_and(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return with_bits(*a, a[0].as.u & a[1].as.u);
}

struct cel_value math_bit_or(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return with_bits(*a, a[0].as.u | a[1].as.u);
}

struct cel_value math_bit_xor(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return with_bits(*a, a[0].as.u ^ a[1].as.u);
}

struct cel_value math_bit_not(struct machine *m, const struct cel_value *a)
{
    (void)m;
    return with_bits(*a, ~a->as.u);
}

static struct cel_value fail_shift(struct machine *m)
{
    return cel_fail(m->frame, CEL_ERROR_ARGUMENT, "bits cannot be moved a negative number of places");
}

struct cel_value math_shift_left(struct machine *m, const struct cel_value *a)
{
    if (a[1].as.i < 0) return fail_shift(m);
    return with_bits(*a, a[1].as.i > 63 ? 0 : a->as.u << a[1].as.i);
}

struct cel_value math_shift_right(struct machine *m, const struct cel_value *a)
{
    if (a[1].as.i < 0) return fail_shift(m);
    return with_bits(*a, a[1].as.i > 63 ? 0 : a->as.u >> a[1].as.i);
}
