// The shim over RE2; see regex.h.
#include "cel/regex.h"

#include <cstdio>
#include <new>
#include <re2/re2.h>

struct regex {
    re2::RE2 re;
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
        return new regex{re2::RE2(re2::StringPiece(pattern, size), options())};
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}

extern "C" struct regex *regex_new(const char *pattern, size_t size, char *error, size_t error_size)
{
    auto made = make(pattern, size);
    if (made && made->re.ok()) return made;
    std::snprintf(error, error_size, "%s", made ? made->re.error().c_str() : "out of memory");
    delete made;
    return nullptr;
}

extern "C" bool regex_match(const struct regex *regex, const char *text, size_t size)
{
    return regex->re.Match(re2::StringPiece(text, size), 0, size, re2::RE2::UNANCHORED, nullptr, 0);
}

extern "C" void regex_free(struct regex *regex)
{
    delete regex;
}
