/* The name that a misspelt word was meant for: candidates are offered one by one, the nearest is kept.
 *
 *     struct nearest nearest = nearest_to(word);
 *     for (…) nearest_offer(&nearest, candidate);
 *     hint = nearest_hint(&nearest, arena); */
#ifndef RULES_BASE_NEAREST_H
#define RULES_BASE_NEAREST_H

#include "base/arena.h"
#include "base/str.h"

struct nearest {
    str word, name;  /* name empty: none is near (more than a third of the letters differ) */
    size_t distance; /* of `name`; what a candidate has to be below */
    size_t work;     /* done so far: behind a few thousand candidates no others are looked at */
};

struct nearest nearest_to(str word);
/* Of equally near ones the first stays. Words of more than 64 bytes have no neighbours. */
void nearest_offer(struct nearest *nearest, str candidate);
/* The nearest of `names`; empty where none is near. */
str nearest_of(str word, const str *names, size_t count);
/* "did you mean 'cart'?", or nothing. */
str nearest_hint(const struct nearest *nearest, struct arena *arena);

#endif
