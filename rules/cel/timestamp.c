/* Timestamps and durations: made within their ranges, read from texts. */
#include "cel/timestamp.h"

#include "base/rfc3339.h"
#include "cel/cel.h"

bool timestamp_make(int64_t seconds, int64_t nanos, struct cel_value *out)
{
    if (nanos < 0) {
        nanos += 1000000000;
        seconds--;
    } else if (nanos >= 1000000000) {
        nanos -= 1000000000;
        seconds++;
    }
    if (seconds < RFC3339_MS_MIN / 1000 || seconds > RFC3339_MS_MAX / 1000) return false;
    *out = (struct cel_value){.kind = CEL_TIMESTAMP, .nanos = (int32_t)nanos, .as.i = seconds};
    return true;
}

bool duration_make(int64_t seconds, int64_t nanos, struct cel_value *out)
{
    int64_t total;
    if (__builtin_mul_overflow(seconds, 1000000000, &total) || __builtin_add_overflow(total, nanos, &total))
        return false;
    *out = (struct cel_value){
        .kind = CEL_DURATION, .nanos = (int32_t)(total % 1000000000), .as.i = total / 1000000000};
    return true;
}

bool cel_parse_timestamp(str text, struct cel_value *out)
{
    int64_t seconds;
    int32_t nanos;
    if (!rfc3339_parse(text, &seconds, &nanos)) return false;
    *out = (struct cel_value){.kind = CEL_TIMESTAMP, .nanos = nanos, .as.i = seconds};
    return true;
}

/* ---- durations */

static const struct unit {
    const char *name;
    int64_t nanos;
} units[] = {
    {"ns", 1},       {"us", 1000},         {"\xC2\xB5s", 1000}, {"\xCE\xBCs", 1000},
    {"ms", 1000000}, {"h", 3600000000000}, {"m", 60000000000},  {"s", 1000000000},
};

static const struct unit *unit_at(str text, size_t at)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (str_starts_with(str_slice(text, at, text.size), str_of(units[i].name))) return &units[i];
    return NULL;
}

static bool read_char(str text, size_t *at, char want)
{
    if (*at >= text.size || text.data[*at] != want) return false;
    ++*at;
    return true;
}

/* One "1.5h": adds it to *total, of nanoseconds. What is beyond a nanosecond is cut off. */
static bool read_term(str text, size_t *at, uint64_t *total)
{
    uint64_t whole = 0, fraction = 0, scale = 1;
    size_t digits = 0;
    for (; *at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9'; ++*at, digits++)
        if (__builtin_mul_overflow(whole, 10u, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(text.data[*at] - '0'), &whole))
            return false;
    if (read_char(text, at, '.'))
        for (; *at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9'; ++*at, digits++)
            if (scale <= 1000000000000000) {
                fraction = fraction * 10 + (uint64_t)(text.data[*at] - '0');
                scale *= 10;
            }
    const struct unit *unit = digits ? unit_at(text, *at) : NULL;
    if (!unit || __builtin_mul_overflow(whole, (uint64_t)unit->nanos, &whole)) return false;
    *at += strlen(unit->name);
    uint64_t part = (uint64_t)((unsigned __int128)fraction * (uint64_t)unit->nanos / scale);
    return !__builtin_add_overflow(whole, part, &whole) && !__builtin_add_overflow(*total, whole, total);
}

bool cel_duration_parse(str text, struct cel_value *out)
{
    size_t at = 0;
    bool negative = read_char(text, &at, '-');
    if (!negative) read_char(text, &at, '+');
    uint64_t total = 0;
    if (at == text.size) return false;
    if (str_equal(str_slice(text, at, text.size), STR("0"))) return duration_make(0, 0, out);
    while (at < text.size)
        if (!read_term(text, &at, &total)) return false;
    if (total > (uint64_t)INT64_MAX + negative) return false;
    return duration_make(0, negative ? (int64_t)(0 - total) : (int64_t)total, out);
}
