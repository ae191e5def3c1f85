/* What people write on a command line, read strictly: the whole text or nothing. */
#include "host/text.h"
#include "base/ensure.h"
#include "base/floor.h"
#include "base/rfc3339.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words that may hold secrets */
str text_url_password(str url)
{
    const char *scheme = url.size ? memmem(url.data, url.size, "://", 3) : NULL;
    const char *at = url.size ? memrchr(url.data, '@', url.size) : NULL;
    if (!scheme || !at || at < scheme + 3 || scheme[3] == '/') return (str){0};
    const char *colon = memchr(scheme + 3, ':', (size_t)(at - scheme - 3));
    return colon ? (str){colon + 1, (size_t)(at - colon - 1)} : (str){0};
}

const char *text_shown(const char *word, char out[TEXT_SHOWN_SIZE])
{
    size_t size = strcspn(word, "=:"), most = TEXT_SHOWN_SIZE - sizeof "…";
    if (size > most) size = most;
    snprintf(out, TEXT_SHOWN_SIZE, "%.*s%s", (int)size, word, word[size] ? "…" : "");
    return out;
}

/* ---- numbers */
static bool text_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes leading digits off `text`; false when there are none or they do not fit. */
static bool text_take_digits(str *text, int64_t *out)
{
    int64_t value = 0;
    size_t i = 0;
    for (; i < text->size && text_digit(text->data[i]); i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text->data[i] - '0', &value))
            return false;
    if (!i) return false;
    text->data += i, text->size -= i;
    *out = value;
    return true;
}

bool text_count(str text, int64_t *out)
{
    int64_t value;
    if (!text_take_digits(&text, &value) || text.size) return false;
    *out = value;
    return true;
}

bool text_int(str text, int64_t *out)
{
    char copy[TEXT_NUMBER_SIZE], *end;
    if (!text.size || text.size >= sizeof copy || (!text_digit(text.data[0]) && text.data[0] != '-'))
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    errno = 0;
    long long value = strtoll(copy, &end, 10);
    if (*end || end == copy || errno) return false;
    *out = value;
    return true;
}

bool text_number(str text, double *out)
{
    char copy[64];
    if (!text.size || text.size >= sizeof copy || (!text_digit(text.data[0]) && text.data[0] != '-'))
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    char *end;
    double value = strtod(copy, &end);
    if (*end || !isfinite(value)) return false;
    *out = value;
    return true;
}

bool text_hex(str text, uint64_t *out)
{
    uint64_t value = 0;
    if (!text.size || text.size > 16) return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!text_digit(c) && (c < 'a' || c > 'f')) return false;
        value = value << 4 | (uint64_t)(text_digit(c) ? c - '0' : c - 'a' + 10);
    }
    *out = value;
    return true;
}

bool text_size(str text, int64_t *bytes)
{
    static const struct {
        str unit;
        int64_t bytes;
    } units[] = {{STR(""), 1}, {STR("KiB"), 1 << 10}, {STR("MiB"), 1 << 20}, {STR("GiB"), 1 << 30}};
    int64_t value;
    if (!text_take_digits(&text, &value)) return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (str_equal(text, units[i].unit)) return !__builtin_mul_overflow(value, units[i].bytes, bytes);
    return false;
}

bool text_instant(str text, int64_t *ms)
{
    int64_t seconds;
    int32_t nanos;
    if (text_count(text, ms)) return true;
    if (!rfc3339_parse(text, &seconds, &nanos)) return false;
    *ms = seconds * 1000 + nanos / 1000000;
    return true;
}

bool text_day(str text, int64_t *day)
{
    int64_t seconds;
    int32_t nanos;
    char instant[] = "0000-00-00T00:00:00Z";
    if (text.size != TEXT_DAY_SIZE - 1) return false;
    memcpy(instant, text.data, text.size);
    if (!rfc3339_parse(STR(instant), &seconds, &nanos)) return false;
    *day = floor_div(seconds, 86400);
    return true;
}

void text_put_day(char out[TEXT_DAY_SIZE], int64_t day)
{
    char instant[RFC3339_SECONDS_SIZE];
    rfc3339_print_seconds(day * 86400, instant);
    snprintf(out, TEXT_DAY_SIZE, "%.*s", TEXT_DAY_SIZE - 1, instant);
}

size_t text_put_int(char out[TEXT_NUMBER_SIZE], int64_t number)
{
    size_t size = int_print(number, out);
    out[size] = '\0';
    return size;
}

/* Names become parts of topic names, Redis keys and transactional ids. A brace would end the hash tag of the keys
 * early, and the keys of a partition would lie in different slots of a Redis Cluster; a slash would let two members
 * have one transactional id. */
bool text_is_name(const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < size; i++)
        if (name[i] <= ' ' || name[i] > '~' || strchr("{}/", name[i])) return false;
    return size > 0 && size <= 200;
}

char *text_copy(str text)
{
    char *copy = malloc(text.size + 1);
    ensure(copy);
    if (text.size) memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}
