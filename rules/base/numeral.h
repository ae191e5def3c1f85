/* Numbers as people and shops write them, one mark for the decimals being known:
 *
 *     "€ 1.240,50"   "−600,00 kr"   "(12.50)"   "12.50-"   "Fr. 1'299.–"   "1,00,000.00"
 *
 *     [sign, currency]  digits [groups] [mark, digits] [exponent]  [currency, sign]
 *
 * Either all of the text is understood or nothing of it: what is left over ("2×300", "12,50" where the mark is
 * a point, "10–20", "12 pcs") is no number, never part of one. Thousands are separated by blanks, apostrophes
 * or the other mark, by the same everywhere; each group has three digits, or in the Indian way two and the last
 * one three. */
#ifndef RULES_BASE_NUMERAL_H
#define RULES_BASE_NUMERAL_H

#include "base/buffer.h"

/* Appends the number as JSON writes it, "-600.00"; false, and nothing appended, where `text` is none.
 * `mark`: ',' or '.'. */
bool numeral_read(str text, char mark, struct buffer *out);

#endif
