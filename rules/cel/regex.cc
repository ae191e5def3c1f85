// The shim over RE2; see regex.h.
#include "cel/regex.h"

#include "base/limits.h"

#include <cstdio>
#include <new>
#include <re2/re2.h>

struct regex {
    re2::RE2 re;
    size_t size;
};

static re2::RE2::Options options()
{
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    return options;
}

// Its constructor, too, throws where memory runs out, and C cannot catch that.
static struct regex *make(const char *pattern, size_t size)
{
    try {
        return new regex{re2::RE2(re2::StringPiece(pattern, size), options()), 0};
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}

extern "C" struct regex *regex_new(const char *pattern, size_t size, bool *large, char *error,
                                   size_t error_size)
{
    auto made = make(pattern, size);
    *large = made && (made->re.ok() ? made->re.ProgramSize() > LIMIT_CEL_REGEX_PROGRAM
                                    : made->re.error_code() == re2::RE2::ErrorPatternTooLarge);
    if (made && made->re.ok() && !*large) {
        made->size = static_cast<size_t>(made->re.ProgramSize());
        return made;
    }
    if (*large)
        std::snprintf(error, error_size, "it compiles to more than %d instructions", LIMIT_CEL_REGEX_PROGRAM);
    else
        std::snprintf(error, error_size, "%s", made ? made->re.error().c_str() : "out of memory");
    delete made;
    return nullptr;
}

extern "C" bool regex_match(const struct regex *regex, const char *text, size_t size)
{
    return regex->re.Match(re2::StringPiece(text, size), 0, size, re2::RE2::UNANCHORED, nullptr, 0);
}

extern "C" size_t regex_size(const struct regex *regex)
{
    return regex->size;
}

// What was measured: each byte a little, a class of Unicode (\p{…}) or one that ignores case about 90 us, x{n} n times
// a little more.
extern "C" size_t regex_cost(const char *pattern, size_t size)
{
    enum { BASE = 300, BYTE = 6, CLASS = 1000, REPEAT_MAX = 1000 };
    size_t cost = BASE + size * BYTE, flags = 0, number = 0;
    for (size_t i = 0; i < size; i++) {
        char c = pattern[i], next = i + 1 < size ? pattern[i + 1] : '\0';
        bool digit = c >= '0' && c <= '9';
        flags += c == '(' && next == '?';
        if (c == '\\' && (next == 'p' || next == 'P')) cost += CLASS;
        if (c == '[' && (flags || next == '^')) cost += flags ? CLASS : CLASS / 10;
        number = digit ? number * 10 + static_cast<size_t>(c - '0') : 0;
        if (number > REPEAT_MAX) number = REPEAT_MAX;
        if (digit) cost += number;
    }
    return cost;
}

extern "C" void regex_free(struct regex *regex)
{
    delete regex;
}
