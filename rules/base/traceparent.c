#include "base/traceparent.h"

#include <string.h>

static bool is_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_zero(str text, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (text.data[i] != '0') return false;
    return true;
}

bool traceparent_is_valid(str text)
{
    static const char form[] = "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
    if (text.size != TRACEPARENT_BYTES || memcmp(text.data, "ff", 2) == 0) return false;
    for (size_t i = 0; i < TRACEPARENT_BYTES; i++)
        if (form[i] == 'x' ? !is_digit(text.data[i]) : text.data[i] != '-') return false;
    return !is_zero(text, 3, 35) && !is_zero(text, 36, 52);
}
