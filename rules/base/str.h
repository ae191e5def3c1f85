/* Strings are borrowed bytes with a length: no NUL at the end, NUL allowed inside. */
#ifndef RULES_BASE_STR_H
#define RULES_BASE_STR_H

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct relance_str str;

#define STR(literal) ((str){(literal), sizeof(literal) - 1})
/* For printf: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).size, (s).data

static inline str str_of(const char *text)
{
    return (str){text, text ? strlen(text) : 0};
}

static inline bool str_equal(str a, str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Order by bytes, the shorter first where one begins the other: the order of texts of LANGUAGE.md §4. */
static inline int str_compare(str a, str b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static inline str str_slice(str s, size_t begin, size_t end)
{
    return (str){begin ? s.data + begin : s.data, end - begin}; /* no bytes may have no place */
}

bool str_starts_with(str s, str prefix);
str str_trim(str s);      /* without blanks at both ends: those of ASCII */
str str_skip_mark(str s); /* without the byte order mark in front, where there is one */
/* Letters, digits and _, not beginning with a digit: what CEL can select, and call. */
bool str_is_identifier(str s);
uint64_t str_hash(str s); /* XXH3_64 */

/* Length of the valid UTF-8 sequence at s[at], 0 when it is not valid (RFC 3629: no surrogates, no overlong
 * forms, at most U+10FFFF). */
size_t utf8_length(str s, size_t at);
/* The same, and which code point it is. */
size_t utf8_decode(str s, size_t at, uint32_t *point);
bool utf8_valid(str s);
size_t utf8_count(str s);                        /* code points of a valid string */
size_t utf8_encode(uint32_t point, char out[4]); /* bytes written */

/* Two hex digits a byte, in small letters; no NUL. */
void hex_print(const unsigned char *bytes, size_t size, char *out);
/* A number in decimal, at most INT_PRINT_SIZE bytes, without a NUL; its size. */
enum { INT_PRINT_SIZE = 20 };
size_t uint_print(uint64_t number, char *out);
size_t int_print(int64_t number, char *out);

#endif
