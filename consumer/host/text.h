/* Borrowed bytes (relance/text.h) for the shell: comparing them, and reading from them what people write:
 * durations, instants, sizes, numbers. */
#ifndef CONSUMER_HOST_TEXT_H
#define CONSUMER_HOST_TEXT_H

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define TEXT(literal) ((struct relance_str){(literal), sizeof(literal) - 1})
#define TEXT_ARG(text) (int)(text).size, (text).data /* for %.*s */

static inline struct relance_str text_of(const char *s)
{
    return (struct relance_str){s, s ? strlen(s) : 0};
}

static inline bool text_equal(struct relance_str a, struct relance_str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* By their bytes: < 0, 0 or > 0. */
static inline int text_compare(struct relance_str a, struct relance_str b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size ? memcmp(a.data, b.data, size) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

bool text_starts_with(struct relance_str text, struct relance_str start);
struct relance_str text_trim(struct relance_str text); /* without blanks at both ends */

/* The candidate nearest to `word` by edit distance; empty when more than a third of its letters differ. */
struct relance_str text_nearest(struct relance_str word, const struct relance_str *candidates, size_t count);

/* Each reads the whole text or says no and leaves *out alone. */
bool text_count(struct relance_str text, int64_t *out);         /* 0, 17, 250000 */
bool text_number(struct relance_str text, double *out);         /* 1.5 */
bool text_size(struct relance_str text, int64_t *bytes);        /* 65536, 512KiB, 64MiB, 2GiB */
bool text_duration(struct relance_str text, int64_t *ms);       /* LANGUAGE.md §2: 45m, 1h30m, 7d; also 0 and 250ms */
bool text_instant(struct relance_str text, int64_t *ms);        /* RFC 3339, or ms since 1970 */

/* The password in SCHEME://USER:PASSWORD@…; empty where there is none. */
struct relance_str text_url_password(struct relance_str url);

/* What may be shown of a word that nobody understands: a password may stand behind its = or :, as in a slip such as
 * -kafka.sasl.password=…, so what comes behind is cut off. */
#define TEXT_SHOWN_SIZE 80
const char *text_shown(const char *word, char out[TEXT_SHOWN_SIZE]);

bool text_hex(struct relance_str text, uint64_t *out);           /* 1 to 16 hex digits, small letters */

/* Decimal form of a number, NUL-terminated. */
#define TEXT_NUMBER_SIZE 24
size_t text_put_int(char out[TEXT_NUMBER_SIZE], int64_t number); /* its length */

#endif
