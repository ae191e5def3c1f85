/* What people write on a command line, read strictly: the whole text or nothing. */
#include "host/text.h"
#include <math.h>
#include <stdlib.h>

bool text_starts_with(struct relance_str text, struct relance_str start)
{
    return text.size >= start.size && memcmp(text.data, start.data, start.size) == 0;
}

static bool text_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct relance_str text_trim(struct relance_str text)
{
    while (text.size && text_blank(text.data[0]))
        text.data++, text.size--;
    while (text.size && text_blank(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* ---- words that may hold secrets */
struct relance_str text_url_password(struct relance_str url)
{
    const char *scheme = url.size ? memmem(url.data, url.size, "://", 3) : NULL;
    const char *at = url.size ? memrchr(url.data, '@', url.size) : NULL;
    if (!scheme || !at || at < scheme + 3 || scheme[3] == '/') return (struct relance_str){0};
    const char *colon = memchr(scheme + 3, ':', (size_t)(at - scheme - 3));
    return colon ? (struct relance_str){colon + 1, (size_t)(at - colon - 1)} : (struct relance_str){0};
}

const char *text_shown(const char *word, char out[TEXT_SHOWN_SIZE])
{
    size_t size = strcspn(word, "=:"), most = TEXT_SHOWN_SIZE - sizeof "…";
    if (size > most) size = most;
    snprintf(out, TEXT_SHOWN_SIZE, "%.*s%s", (int)size, word, word[size] ? "…" : "");
    return out;
}

/* ---- nearest word */
enum { TEXT_NEAREST_MAX = 64 }; /* longer words are nobody's slip of the finger */

static size_t text_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t text_distance(struct relance_str a, struct relance_str b)
{
    size_t row[TEXT_NEAREST_MAX + 1];
    for (size_t j = 0; j <= b.size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            size_t change = diagonal + (a.data[i - 1] != b.data[j - 1]);
            diagonal = row[j];
            row[j] = text_min(change, text_min(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.size];
}

struct relance_str text_nearest(struct relance_str word, const struct relance_str *candidates, size_t count)
{
    struct relance_str best = {0};
    size_t best_distance = word.size / 3 + 1;
    if (word.size > TEXT_NEAREST_MAX) return best;
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].size > TEXT_NEAREST_MAX) continue;
        size_t distance = text_distance(word, candidates[i]);
        if (distance < best_distance) best_distance = distance, best = candidates[i];
    }
    return best;
}

/* ---- numbers */
static bool text_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes leading digits off `text`; false when there are none or they do not fit. */
static bool text_take_digits(struct relance_str *text, int64_t *out)
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

bool text_count(struct relance_str text, int64_t *out)
{
    int64_t value;
    if (!text_take_digits(&text, &value) || text.size) return false;
    *out = value;
    return true;
}

bool text_number(struct relance_str text, double *out)
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

bool text_hex(struct relance_str text, uint64_t *out)
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

static bool text_unit(struct relance_str text, struct relance_str unit)
{
    return text_starts_with(text, unit);
}

bool text_size(struct relance_str text, int64_t *bytes)
{
    static const struct {
        struct relance_str unit;
        int64_t bytes;
    } units[] = {{TEXT(""), 1}, {TEXT("KiB"), 1 << 10}, {TEXT("MiB"), 1 << 20}, {TEXT("GiB"), 1 << 30}};
    int64_t value;
    if (!text_take_digits(&text, &value)) return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (text_equal(text, units[i].unit)) return !__builtin_mul_overflow(value, units[i].bytes, bytes);
    return false;
}

/* Whole numbers with units, each at most once, descending. `ms` is ours, for options shorter than a second;
 * it comes before `m` in the table since it begins like it. */
bool text_duration(struct relance_str text, int64_t *ms)
{
    static const struct {
        struct relance_str unit;
        int64_t ms;
    } units[] = {{TEXT("w"), 604800000}, {TEXT("d"), 86400000}, {TEXT("h"), 3600000},
                 {TEXT("ms"), 1},        {TEXT("m"), 60000},    {TEXT("s"), 1000}};
    if (text_equal(text, TEXT("0"))) return *ms = 0, true;
    int64_t sum = 0, last_unit = INT64_MAX;
    do {
        int64_t value;
        size_t i = 0, count = sizeof units / sizeof *units;
        if (!text_take_digits(&text, &value)) return false;
        while (i < count && !text_unit(text, units[i].unit))
            i++;
        if (i == count || units[i].ms >= last_unit) return false;
        last_unit = units[i].ms;
        text.data += units[i].unit.size, text.size -= units[i].unit.size;
        if (__builtin_mul_overflow(value, last_unit, &value) || __builtin_add_overflow(sum, value, &sum))
            return false;
    } while (text.size);
    *ms = sum;
    return true;
}

/* ---- instants */
/* Days from 1970-01-01 of a date in the proleptic Gregorian calendar; years begin in March here, so that the
 * leap day is the last of its year. */
static int64_t text_days(int64_t year, int64_t month, int64_t day)
{
    if (month <= 2) year--, month += 12;
    int64_t era = year / 400, of_era = year % 400;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * (month - 3) + 2) / 5 + day - 1 -
           719468;
}

static bool text_take_field(struct relance_str *text, size_t digits, int64_t low, int64_t high, int64_t *out)
{
    if (text->size < digits) return false;
    struct relance_str field = {text->data, digits};
    if (!text_count(field, out) || *out < low || *out > high) return false;
    text->data += digits, text->size -= digits;
    return true;
}

static bool text_take_char(struct relance_str *text, const char *any)
{
    if (!text->size || !strchr(any, text->data[0]) || !text->data[0]) return false;
    text->data++, text->size--;
    return true;
}

/* ".120" as ms; finer digits are dropped. */
static bool text_take_fraction(struct relance_str *text, int64_t *ms)
{
    *ms = 0;
    if (!text_take_char(text, ".")) return true;
    int64_t scale = 100;
    size_t i = 0;
    for (; i < text->size && text_digit(text->data[i]); i++, scale /= 10)
        *ms += (text->data[i] - '0') * scale;
    text->data += i, text->size -= i;
    return i > 0;
}

static bool text_take_zone(struct relance_str *text, int64_t *offset_ms)
{
    *offset_ms = 0;
    if (text_take_char(text, "Zz")) return true;
    int64_t sign = text->size && text->data[0] == '-' ? -1 : 1, hours, minutes;
    if (!text_take_char(text, "+-") || !text_take_field(text, 2, 0, 23, &hours) ||
        !text_take_char(text, ":") || !text_take_field(text, 2, 0, 59, &minutes))
        return false;
    *offset_ms = sign * (hours * 60 + minutes) * 60000;
    return true;
}

static int64_t text_month_days(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

bool text_instant(struct relance_str text, int64_t *ms)
{
    if (text_count(text, ms)) return true;
    int64_t year, month, day, hour, minute, second, fraction, offset;
    bool ok = text_take_field(&text, 4, 1, 9999, &year) && text_take_char(&text, "-") &&
              text_take_field(&text, 2, 1, 12, &month) && text_take_char(&text, "-") &&
              text_take_field(&text, 2, 1, text_month_days(year, month), &day) &&
              text_take_char(&text, "Tt ") && text_take_field(&text, 2, 0, 23, &hour) &&
              text_take_char(&text, ":") && text_take_field(&text, 2, 0, 59, &minute) &&
              text_take_char(&text, ":") && text_take_field(&text, 2, 0, 59, &second) &&
              text_take_fraction(&text, &fraction) && text_take_zone(&text, &offset) && !text.size;
    if (!ok) return false;
    *ms =
        ((text_days(year, month, day) * 24 + hour) * 60 + minute) * 60000 + second * 1000 + fraction - offset;
    return true;
}

size_t text_put_int(char out[TEXT_NUMBER_SIZE], int64_t number)
{
    char reversed[TEXT_NUMBER_SIZE];
    size_t size = 0, length = 0;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do
        reversed[size++] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0) out[length++] = '-';
    while (size)
        out[length++] = reversed[--size];
    out[length] = '\0';
    return length;
}
