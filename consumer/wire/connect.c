#include "wire/connect.h"

static size_t blanks_end(str json, size_t at)
{
    while (at < json.size && (json.data[at] == ' ' || (json.data[at] >= '\t' && json.data[at] <= '\r')))
        at++;
    return at;
}

/* Behind the quote that closes the string which begins at `at`. */
static size_t string_end(str json, size_t at)
{
    for (at++; at < json.size && json.data[at] != '"'; at++)
        at += json.data[at] == '\\';
    return at < json.size ? at + 1 : json.size;
}

/* The comma or bracket behind a member's value. */
static size_t value_end(str json, size_t at)
{
    for (size_t depth = 0; at < json.size;) {
        char c = json.data[at];
        if (c == '"') {
            at = string_end(json, at);
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}')) return at;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        at++;
    }
    return at;
}

/* A member that begins at *at; moves behind it. False: there is none. */
static bool take_member(str json, size_t *at, str *key, str *value)
{
    size_t begin = blanks_end(json, *at), end;
    if (begin == json.size || json.data[begin] != '"') return false;
    end = string_end(json, begin);
    *key = str_slice(json, begin, end);
    begin = blanks_end(json, end);
    if (begin == json.size || json.data[begin] != ':') return false;
    begin = blanks_end(json, begin + 1);
    end = value_end(json, begin);
    *value = str_trim(str_slice(json, begin, end));
    *at = end;
    return true;
}

static bool is_schema(str key, str value)
{
    return str_equal(key, STR("\"schema\"")) &&
           (str_equal(value, STR("null")) || str_starts_with(value, STR("{")));
}

str connect_payload(str json)
{
    str key, value, next_key, next;
    size_t at = blanks_end(json, 0);
    if (at == json.size || json.data[at++] != '{' || !take_member(json, &at, &key, &value)) return json;
    bool schema_first = is_schema(key, value);
    if (!schema_first && !str_equal(key, STR("\"payload\""))) return json;
    if (at == json.size || json.data[at++] != ',' || !take_member(json, &at, &next_key, &next)) return json;
    if (at == json.size || json.data[at] != '}' || blanks_end(json, at + 1) != json.size) return json;
    if (schema_first) return str_equal(next_key, STR("\"payload\"")) ? next : json;
    return is_schema(next_key, next) ? value : json;
}
