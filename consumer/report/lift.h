/* What a variant brings over the holdout, with intervals that hold whenever one looks.
 *
 * Whoever looks at an experiment every day and stops when it is "significant" is wrong far more often than the level says:
 * the usual interval holds for one look that was fixed beforehand. These are an asymptotic confidence sequence (Waudby-Smith,
 * Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences", arXiv
 * 2103.06476, theorem 2.2): all of them, over all time, hold the truth together in 95 of 100 experiments, for which they are
 * about twice as wide. With n people whose outcomes have mean m and variance v, the mean lies within m ± h,
 *
 *     h(n, v, α) = √v · √( 2(nρ² + 1) / (n²ρ²) · ln( √(nρ² + 1) / α ) )
 *
 * where ρ says at which n they are narrowest: 1,000, and it is never tuned again, since that would be looking. The lift is
 * the difference of two means, within the sum of both half-widths. Several variants are compared with one holdout: each at
 * its share of the level, so that the whole is right as often.
 *
 * It needs nothing but the counters `people`, `won`, `value` and `value_squares` of counter.def. */
#ifndef CONSUMER_REPORT_LIFT_H
#define CONSUMER_REPORT_LIFT_H

#include <stdbool.h>
#include <stddef.h>

#define LIFT_HOLDOUT "holdout" /* the variant that all others are compared with */

/* What the counters say of a variant; money in ten-thousandths, squares in those squared. */
struct lift_people {
    double people, won, value, value_squares;
};

/* By how much more: the best guess, and between what it lies. */
struct lift_interval {
    double by, low, high;
    bool apart; /* 0 lies outside */
};

struct lift {
    struct lift_interval conversion; /* part of the people who reached the goal: 0.01 is a point */
    struct lift_interval value;      /* what the goals of one were worth, in whole units */
};

/* `compared`: how many variants are, with this holdout. False: there is nobody in one of the two. */
bool lift_over(const struct lift_people *variant, const struct lift_people *holdout, size_t compared,
               struct lift *out);
double lift_conversion(const struct lift_people *people); /* 0 of nobody */
double lift_value(const struct lift_people *people);      /* of one, in whole units; likewise */

/* h(n, v, α) as above. */
double lift_half_width(double n, double variance, double alpha);

/* "better by 0.8 to 2.1 points", "worse by 0.12 to 0.40 each", "not yet told apart". */
enum { LIFT_WORDS_SIZE = 80 };
const char *lift_conversion_words(const struct lift_interval *conversion, char out[LIFT_WORDS_SIZE]);
const char *lift_value_words(const struct lift_interval *value, char out[LIFT_WORDS_SIZE]);

#endif
