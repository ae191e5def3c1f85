/* What people write on a command line, read strictly; and words that may hold secrets. */
#ifndef CONSUMER_HOST_TEXT_H
#define CONSUMER_HOST_TEXT_H

#include "base/str.h"

/* Each reads the whole text or says no and leaves *out alone. */
bool text_count(str text, int64_t *out);  /* 0, 17, 250000 */
bool text_int(str text, int64_t *out);    /* the same, and -17; all that an int64_t can be */
bool text_number(str text, double *out);  /* 1.5 */
bool text_hex(str text, uint64_t *out);   /* 1 to 16 hex digits, small letters */
bool text_size(str text, int64_t *bytes); /* 65536, 512KiB, 64MiB, 2GiB */
bool text_instant(str text, int64_t *ms); /* RFC 3339 (base/rfc3339.h), or ms since 1970 */
bool text_day(str text, int64_t *day);    /* 2026-03-02, as days since 1970 */

/* May it be the name of a group, an instance or a topic? */
bool text_is_name(const char *name);
#define TEXT_NAME_FORM "1 to 200 signs of ASCII without blanks, slashes and braces"

/* The password in SCHEME://USER:PASSWORD@…; empty where there is none. */
str text_url_password(str url);

/* What may be shown of a word that nobody understands: a password may stand behind its = or :, as in a slip such as
 * -kafka.sasl.password=…, so what comes behind is cut off. */
#define TEXT_SHOWN_SIZE 80
const char *text_shown(const char *word, char out[TEXT_SHOWN_SIZE]);

/* Decimal form of a number, NUL-terminated. */
#define TEXT_NUMBER_SIZE 24
size_t text_put_int(char out[TEXT_NUMBER_SIZE], int64_t number); /* its length */

/* A day since 1970 of the years 1 to 9999 as text_day reads it, NUL-terminated. */
enum { TEXT_DAY_SIZE = sizeof "2026-03-02" };
void text_put_day(char out[TEXT_DAY_SIZE], int64_t day);

/* With a NUL behind it, to be freed; never NULL. */
char *text_copy(str text);

#endif
