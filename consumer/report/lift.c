#include "report/lift.h"

#include <math.h>
#include <stdio.h>

#define LIFT_ALPHA 0.05 /* of all comparisons with one holdout together */
#define LIFT_PARTS 10000.0

/* ρ² for which h is least at n = 1,000 and α = 0.025, by the paper's (B.2): the x = nρ² with x = ln(x + 1) − 2 ln α. */
#define LIFT_RHO2 0.00975

/* Of few people the variance is hardly known, and of those none of whom has come to the goal it seems to be 0. As if there were
 * so many more whose outcomes vary as those of all: it is that of the arm itself when there are many. */
#define LIFT_SHARED 100.0

double lift_half_width(double n, double variance, double alpha)
{
    double x = n * LIFT_RHO2;
    return sqrt(variance * 2 * (x + 1) / (n * x) * log(sqrt(x + 1) / alpha));
}

/* Of one measure: how many, their sum, and the sum of their squares. */
struct arm {
    double n, sum, squares;
};

static double arm_mean(const struct arm *arm)
{
    return arm->n > 0 ? arm->sum / arm->n : 0;
}

static double arm_variance(const struct arm *arm)
{
    double mean = arm_mean(arm), variance = arm->squares / arm->n - mean * mean;
    return variance > 0 ? variance : 0;
}

static double variance_with(const struct arm *arm, double of_all)
{
    return (arm->n * arm_variance(arm) + LIFT_SHARED * of_all) / (arm->n + LIFT_SHARED);
}

static struct lift_interval difference(const struct arm *a, const struct arm *b, double alpha)
{
    const struct arm all = {a->n + b->n, a->sum + b->sum, a->squares + b->squares};
    double variance = arm_variance(&all), by = arm_mean(a) - arm_mean(b),
           half = lift_half_width(a->n, variance_with(a, variance), alpha / 2) +
                  lift_half_width(b->n, variance_with(b, variance), alpha / 2);
    return (struct lift_interval){by, by - half, by + half, by - half > 0 || by + half < 0};
}

static struct arm arm_conversion(const struct lift_people *people)
{
    return (struct arm){people->people, people->won, people->won};
}

static struct arm arm_value(const struct lift_people *people)
{
    return (struct arm){people->people, people->value / LIFT_PARTS,
                        people->value_squares / (LIFT_PARTS * LIFT_PARTS)};
}

bool lift_over(const struct lift_people *variant, const struct lift_people *holdout, size_t compared,
               struct lift *out)
{
    if (variant->people < 1 || holdout->people < 1) return false;
    const struct arm won = arm_conversion(variant), held_won = arm_conversion(holdout),
                     value = arm_value(variant), held_value = arm_value(holdout);
    double alpha = LIFT_ALPHA / (double)(compared ? compared : 1);
    *out = (struct lift){difference(&won, &held_won, alpha), difference(&value, &held_value, alpha)};
    return true;
}

double lift_conversion(const struct lift_people *people)
{
    const struct arm arm = arm_conversion(people);
    return arm_mean(&arm);
}

double lift_value(const struct lift_people *people)
{
    const struct arm arm = arm_value(people);
    return arm_mean(&arm);
}

/* ---- words */

/* With as many decimals as it takes for the smaller bound not to read as 0. */
static const char *interval_words(const struct lift_interval *interval, double scale, int decimals,
                                  const char *unit, char out[LIFT_WORDS_SIZE])
{
    enum { DECIMALS_MAX = 6 };
    bool better = interval->low > 0;
    double least = scale * (better ? interval->low : -interval->high),
           most = scale * (better ? interval->high : -interval->low);
    while (decimals < DECIMALS_MAX && least * pow(10, decimals) < 0.5)
        decimals++;
    if (!interval->apart)
        snprintf(out, LIFT_WORDS_SIZE, "not yet told apart");
    else
        snprintf(out, LIFT_WORDS_SIZE, "%s by %.*f to %.*f %s", better ? "better" : "worse", decimals, least,
                 decimals, most, unit);
    return out;
}

const char *lift_conversion_words(const struct lift_interval *conversion, char out[LIFT_WORDS_SIZE])
{
    return interval_words(conversion, 100, 1, "points", out);
}

const char *lift_value_words(const struct lift_interval *value, char out[LIFT_WORDS_SIZE])
{
    return interval_words(value, 1, 2, "each", out);
}
