#include "base/duration.h"

/* Each unit may follow only those above it. */
static const struct unit {
    char name;
    int64_t ms;
} units[] = {{'w', 604800000}, {'d', 86400000}, {'h', 3600000}, {'m', 60000}, {'s', 1000}};
enum { UNITS = sizeof units / sizeof units[0] };

/* The number at text[*at], kept below an overflow; false where there is no digit. */
static bool read_number(str text, size_t *at, int64_t *number)
{
    size_t begin = *at;
    *number = 0;
    for (; *at < text.size && (unsigned char)(text.data[*at] - '0') <= 9; ++*at)
        if (*number <= DURATION_MS_MAX) *number = *number * 10 + (text.data[*at] - '0');
    return *at > begin;
}

bool duration_parse(str text, int64_t *ms)
{
    size_t at = text.size > 0 && text.data[0] == '-', unit = 0;
    bool negative = at > 0;
    int64_t sum = 0, number;
    do {
        if (!read_number(text, &at, &number) || at == text.size) return false;
        while (unit < UNITS && units[unit].name != text.data[at])
            unit++;
        if (unit == UNITS || number > (DURATION_MS_MAX - sum) / units[unit].ms) return false;
        sum += number * units[unit].ms;
        unit++;
        at++;
    } while (at < text.size);
    *ms = negative ? -sum : sum;
    return true;
}

void duration_put(struct buffer *out, int64_t ms)
{
    uint64_t left = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
    if (!left) buffer_put_str(out, STR("0m"));
    if (ms < 0) buffer_put_char(out, '-');
    for (size_t i = 1; i < UNITS; i++) {
        uint64_t unit = (uint64_t)units[i].ms;
        if (left >= unit) buffer_put_format(out, "%llu%c", (unsigned long long)(left / unit), units[i].name);
        left %= unit;
    }
    if (left) buffer_put_format(out, "+%llums", (unsigned long long)left);
}
