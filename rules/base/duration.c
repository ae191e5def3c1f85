#include "base/duration.h"

/* Each unit may follow only those above it. */
static const struct unit {
    str name;
    int64_t ms;
} units[] = {{STR("w"), 604800000}, {STR("d"), 86400000}, {STR("h"), 3600000},
             {STR("m"), 60000},     {STR("s"), 1000},     {STR("ms"), 1}};
enum { UNITS = 5, UNITS_FINE = 6 };

/* The number at text[*at], kept below an overflow; false where there is no digit. */
static bool read_number(str text, size_t *at, int64_t *number)
{
    size_t begin = *at;
    *number = 0;
    for (; *at < text.size && (unsigned char)(text.data[*at] - '0') <= 9; ++*at)
        if (*number <= DURATION_MS_MAX) *number = *number * 10 + (text.data[*at] - '0');
    return *at > begin;
}

/* The letters at text[*at]: all up to the next digit. */
static str read_unit(str text, size_t *at)
{
    size_t begin = *at;
    while (*at < text.size && (unsigned char)(text.data[*at] - '0') > 9)
        ++*at;
    return str_slice(text, begin, *at);
}

/* From text[at] on, with the first so many units. */
static bool read_duration(str text, size_t at, size_t unit_count, int64_t *ms)
{
    size_t unit = 0;
    int64_t sum = 0, number;
    do {
        if (!read_number(text, &at, &number)) return false;
        str name = read_unit(text, &at);
        while (unit < unit_count && !str_equal(units[unit].name, name))
            unit++;
        if (unit == unit_count || number > (DURATION_MS_MAX - sum) / units[unit].ms) return false;
        sum += number * units[unit].ms;
        unit++;
    } while (at < text.size);
    *ms = sum;
    return true;
}

bool duration_parse(str text, int64_t *ms)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    if (!read_duration(text, negative, UNITS, ms)) return false;
    if (negative) *ms = -*ms;
    return true;
}

bool duration_parse_fine(str text, int64_t *ms)
{
    return str_equal(text, STR("0")) ? (*ms = 0, true) : read_duration(text, 0, UNITS_FINE, ms);
}

void duration_put(struct buffer *out, int64_t ms)
{
    uint64_t left = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
    if (!left) buffer_put_str(out, STR("0m"));
    if (ms < 0) buffer_put_char(out, '-');
    for (size_t i = 1; i < UNITS; i++) {
        uint64_t unit = (uint64_t)units[i].ms;
        if (left >= unit)
            buffer_put_format(out, "%llu%.*s", (unsigned long long)(left / unit), STR_ARG(units[i].name));
        left %= unit;
    }
    if (left) buffer_put_format(out, "+%llums", (unsigned long long)left);
}
