/* Where broken JSON breaks, beside what the reader of events says of the same text. */
#include "json/broken.h"

#include "base/arena.h"
#include "json/loader.h"

#include <criterion/criterion.h>

enum { DEPTH = 4 };

static const struct {
    str text;
    size_t at; /* BROKEN_NOWHERE: it is JSON */
} cases[] = {
    {STR("{\"a\": [1, \"b\\\"\\u00e9\", true, null, -1.5e3]} \n"), BROKEN_NOWHERE},
    {STR("17"), BROKEN_NOWHERE},
    {STR("\"ä\""), BROKEN_NOWHERE},
    {STR("[[[[]]]]"), BROKEN_NOWHERE},
    {STR("[[[[1]]]]"), BROKEN_NOWHERE},
    {STR(""), 0},
    {STR("  "), 2},
    {STR("nothing"), 0},
    {STR("<html>"), 0},
    {STR("{'a': 1}"), 1},
    {STR("{\"a\": tru}"), 6},
    {STR("{\"a\": 01}"), 6},
    {STR("{\"a\" 1}"), 5},
    {STR("{\"a\": 1 \"b\": 2}"), 8},
    {STR("{\"a\": 1,}"), 8},
    {STR("{\"a\": [1, 2}"), 11},
    {STR("{\"a\": 1} {}"), 9},
    {STR("{\"a\": 1}x"), 8},
    {STR("{\"a\": \"b\"c}"), 9},
    /* too early */
    {STR("{"), 1},
    {STR("{\"a\""), 4},
    {STR("{\"a\": \"b"), 8},
    {STR("{\"a\": \"b\\"), 9},
    {STR("{\"a\": \"b\\\""), 10},
    {STR("{\"a\": 1, "), 9},
    /* in strings */
    {STR("{\"a\": \"b\nc\"}"), 8},
    {STR("{\"a\": \"b\\x\"}"), 8},
    {STR("{\"a\": \"\\ud800\"}"), 7},
    {STR("{\"a\": \"b, \"c\": 1}"), 11},
    {STR("{\"a\0b\": 1}"), 3},
    {STR("{} \"open"), 8},
    /* characters that are none */
    {STR("{\"a\": \"\xff\"}"), 7},
    {STR("{} \xff"), 3},
    {STR("\xc0\xaf"), 0},
    {STR("{\"a\": x, \"b\": \"\xff\"}"), 6},
    {STR("\"a\"\xff"), 3},
    /* too deep */
    {STR("[[[[[]]]]]"), 4},
};

Test(broken, says_the_first_byte_that_does_not_belong_there)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(json_broken_at(cases[i].text, DEPTH), cases[i].at, "'%s': at %zu, not %zu",
                     cases[i].text.data, json_broken_at(cases[i].text, DEPTH), cases[i].at);
}

static bool is_read(struct json_loader *loader, str text)
{
    struct scan scan;
    if (json_load(loader, text) != JSON_INDEX_OK) return false;
    json_loader_begin(loader, &scan, DEPTH);
    scan_skip(&scan);
    return scan_finish(&scan) == SCAN_OK;
}

/* Every prefix of every text above, and each with one byte changed: what is read is broken nowhere, and the other way
 * round. */
Test(broken, agrees_with_the_reader_about_what_is_broken)
{
    static const char bytes[] = "\"\\{}[]:,x1 \n\x01\x80\xc3";
    struct arena arena;
    struct json_loader loader;
    arena_init(&arena, 0);
    cr_assert(json_loader_init(&loader, &arena));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t size = 0; size <= cases[i].text.size; size++)
            for (size_t b = 0; b < sizeof bytes; b++) {
                char copy[64];
                memcpy(copy, cases[i].text.data, cases[i].text.size);
                if (size) copy[size - 1] = bytes[b]; /* its NUL, too */
                str text = {copy, b % 2 ? size : cases[i].text.size};
                size_t at = json_broken_at(text, DEPTH);
                cr_assert_eq(at == BROKEN_NOWHERE, is_read(&loader, text), "'%.*s' at %zu", STR_ARG(text),
                             at);
                cr_assert(at == BROKEN_NOWHERE || at <= text.size);
            }
    json_loader_free(&loader);
    arena_free(&arena);
}
