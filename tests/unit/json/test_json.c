/* Rule files as JSON: what is read, where it stands, and how a mistake is told. */
#include "json/json.h"

#include "base/buffer.h"
#include "base/limits.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct arena arena;
static struct diagnostics diag;
static struct source source;

static void setup(void)
{
    arena_init(&arena, 0);
    diag_init(&diag, &arena);
}

static void teardown(void)
{
    arena_free(&arena);
}

TestSuite(json, .init = setup, .fini = teardown, .timeout = 60);

static const struct json *parse(str text)
{
    source = (struct source){.name = STR("f.jsonc"), .text = text};
    return json_parse(&arena, &source, &diag);
}

static const char *printed(void)
{
    struct buffer out;
    buffer_init(&out, &arena);
    diag_sort(&diag);
    diag_print(&diag, &out);
    buffer_put_char(&out, '\0');
    return out.data;
}

/* The first line of what is printed, which says where and what. */
static void refuses(str text, const char *sentence)
{
    teardown();
    setup();
    parse(text);
    cr_assert_gt(diag.error_count, 0u, "accepted: %.*s", (int)(text.size < 80 ? text.size : 80), text.data);
    const char *all = printed();
    cr_expect(strncmp(all, sentence, strlen(sentence)) == 0, "for %.*s\nwanted %s\ngot    %s", STR_ARG(text),
              sentence, all);
}

static str written(const struct json *node)
{
    struct buffer out;
    buffer_init(&out, &arena);
    json_write(node, &out);
    return buffer_str(&out);
}

Test(json, comments_and_trailing_commas_are_blanks)
{
    const struct json *root =
        parse(STR("\xEF\xBB\xBF// first\n{\"a\": [1, 2.50, /* two */ ], // end\n \"b\": {\"c\": "
                  "\"//no /* comment\",}, \"d\": [true, false, null,\n],}\n/* last */"));
    cr_assert(root, "%s", printed());
    cr_expect(str_equal(written(root),
                        STR("{\"a\":[1,2.50],\"b\":{\"c\":\"//no /* comment\"},\"d\":[true,false,null]}")));
}

Test(json, every_node_knows_its_bytes)
{
    str text = STR("{ \"key\" : [ 12 , \"t\\u00e9xt\" ] , \"o\": {} }");
    const struct json *root = parse(text);
    const struct json *list = json_member(root, "key"), *number = list->child, *string = number->next;
    cr_expect(str_equal(str_slice(text, root->begin, root->end), text));
    cr_expect(str_equal(str_slice(text, list->key_begin, list->key_end), STR("\"key\"")));
    cr_expect(str_equal(str_slice(text, list->begin, list->end), STR("[ 12 , \"t\\u00e9xt\" ]")));
    cr_expect(str_equal(str_slice(text, number->begin, number->end), STR("12")));
    cr_expect(str_equal(str_slice(text, string->begin, string->end), STR("\"t\\u00e9xt\"")));
    cr_expect(str_equal(string->text, STR("t\xC3\xA9xt")));
    cr_expect_eq(root->count, 2);
    cr_expect_eq(json_member(root, "o")->count, 0);
    cr_expect_null(json_member(root, "absent"));
    cr_expect_null(json_member(list, "key"), "a list has no members");
    cr_expect_null(json_member(NULL, "key"));
}

Test(json, strings_are_decoded_whole_also_behind_a_nul)
{
    const struct json *root =
        parse(STR("[\"a\\u0000b\", \"\\ud834\\udd1e\", \"\\u20ac\\n\\\"\", {\"k\\u0000\": 1}]"));
    cr_assert(root, "%s", printed());
    cr_expect(str_equal(root->child->text, STR("a\0b")));
    cr_expect(str_equal(root->child->next->text, STR("\xF0\x9D\x84\x9E")));
    cr_expect(str_equal(root->child->next->next->text, STR("\xE2\x82\xAC\n\"")));
    cr_expect(str_equal(root->child->next->next->next->child->key, STR("k\0")));
}

Test(json, places_inside_a_string_lead_back_through_its_escapes)
{
    const struct json *root = parse(STR("{\"if\": \"a == \\\"x\\\" \\u0026& wrong\"}"));
    const struct json *expression = json_member(root, "if");
    cr_assert(str_equal(expression->text, STR("a == \"x\" && wrong")));
    diag_add(&diag, SEVERITY_ERROR, json_origin(&source, expression), 12, 17, STR("right?"),
             "undefined name");
    cr_expect_str_eq(printed(), "f.jsonc:1:28: error: undefined name\n"
                                "    1 | {\"if\": \"a == \\\"x\\\" \\u0026& wrong\"}\n"
                                "      |                            ^^^^^ right?\n");
}

Test(json, a_key_given_twice_is_told_with_both_places)
{
    refuses(STR("{\"a\": 1,\n \"b\": {\"x\": 1, \"x\": 2},\n \"a\": 3}"),
            "f.jsonc:2:16: error: key 'x' is given twice\n"
            "    2 |  \"b\": {\"x\": 1, \"x\": 2},\n"
            "      |                ^^^ the first one is at 2:8\n"
            "f.jsonc:3:2: error: key 'a' is given twice\n"
            "    3 |  \"a\": 3}\n"
            "      |  ^^^ the first one is at 1:2\n");
}

Test(json, mistakes_are_told_where_they_are)
{
    refuses(STR(""), "f.jsonc:1:1: error: the file is empty\n");
    refuses(STR("// only this\n"), "f.jsonc:2:1: error: the file is empty\n");
    refuses(STR("{\"a\": 1} x"), "f.jsonc:1:10: error: the file goes on after the end of its JSON\n");
    refuses(STR("{\"a\": 1}}"), "f.jsonc:1:9: error: the file goes on after the end of its JSON\n");
    refuses(STR("{\"a\": 1"), "f.jsonc:1:1: error: this '{' is never closed\n");
    refuses(STR("{\"a\": [1, {\"b]\": 2}"), "f.jsonc:1:7: error: this '[' is never closed\n");
    refuses(STR("{\n  \"a\": {\n    \"b\": 1\n,\n  \"c\": {\n  }\n}\n"),
            "f.jsonc:2:8: error: this '{' is never closed\n");
    refuses(STR("{\"a\": 1\n \"b\": 2}"), "f.jsonc:2:2: error: '\"' is not expected here\n");
    refuses(STR("{'a': 1}"), "f.jsonc:1:2: error: ''' is not expected here\n");
    refuses(STR("{a: 1}"), "f.jsonc:1:2: error: 'a' is not expected here\n");
    refuses(STR("{\"a\" 1}"), "f.jsonc:1:6: error: '1' is not expected here\n");
    refuses(STR("{\"a\": truth}"), "f.jsonc:1:7: error: 'truth' is not expected here\n");
    refuses(STR("{\"a\": }"), "f.jsonc:1:7: error: '}' is not expected here\n");
    refuses(STR("[1,,]"), "f.jsonc:1:4: error: ',' is not expected here\n");
    refuses(STR("[,]"), "f.jsonc:1:2: error: ',' is not expected here\n");
    refuses(STR("{,}"), "f.jsonc:1:2: error: ',' is not expected here\n");
    refuses(STR("{\"a\",}"), "f.jsonc:1:6: error: '}' is not expected here\n");
    refuses(STR("{} /* open"), "f.jsonc:1:4: error: this comment is never closed\n");
    refuses(STR("{} /*/"), "f.jsonc:1:4: error: this comment is never closed\n");
    refuses(STR("[\"open]"), "f.jsonc:1:2: error: this string is never closed\n");
    refuses(STR("[\"open\n\"]"), "f.jsonc:1:7: error: this string is not closed\n");
    refuses(STR("[\"a\tb\"]"), "f.jsonc:1:4: error: a control character (U+0009) inside a string\n");
    refuses(STR("[1,\0 2]"), "f.jsonc:1:4: error: a NUL byte; is this a text file?\n");
    refuses(STR("[\"\0\"]"), "f.jsonc:1:3: error: a NUL byte; is this a text file?\n");
    refuses(STR("[1,\f2]"), "f.jsonc:1:4: error: a control character (U+000C)\n");
    refuses(STR("[\"\xC3\"]"), "f.jsonc:1:3: error: byte 0xC3 is not valid UTF-8 here\n");
    refuses(STR("[\"\xED\xA0\x80\"]"), "f.jsonc:1:3: error: byte 0xED is not valid UTF-8 here\n");
    refuses(STR("[01]"), "f.jsonc:1:2: error: '01' is not expected here\n");
    refuses(STR("[1.]"), "f.jsonc:1:2: error: '1.' is not expected here\n");
    refuses(STR("[-]"), "f.jsonc:1:2: error: '-' is not expected here\n");
    refuses(STR("[\"\\x\"]"), "f.jsonc:1:3: error: '\\' is not expected here\n");
    refuses(STR("[\\\"a\"]"), "f.jsonc:1:2: error: a backslash has no business outside of a string\n");
    refuses(STR("[\"\\uqqqq\"]"), "f.jsonc:1:3: error: '\\' is not expected here\n");
    refuses(STR("[\"\\ud800\"]"), "f.jsonc:1:3: error: '\\' is not expected here\n");
}

Test(json, a_number_has_63_characters_and_not_one_more)
{
    char text[80] = "[";
    memset(text + 1, '1', 64);
    text[64] = ']';
    cr_expect(parse((str){text, 65}), "%s", printed());
    memcpy(text + 64, "1]", 2);
    refuses((str){text, 66}, "f.jsonc:1:2: error: a number has at most 63 characters\n");
}

/* `count` opening brackets and as many closing ones. */
static str nested(size_t count)
{
    char *text = arena_alloc(&arena, 2 * count);
    memset(text, '[', count);
    memset(text + count, ']', count);
    return (str){text, 2 * count};
}

Test(json, nests_64_deep_and_no_deeper)
{
    cr_expect(parse(nested(LIMIT_RULE_JSON_DEPTH)));
    cr_expect_null(parse(nested(LIMIT_RULE_JSON_DEPTH + 1)));
    cr_expect_eq(diag.error_count, 1, "told once, where the first bracket too many is");
    cr_expect(strstr(printed(), "f.jsonc:1:65: error: brackets nest deeper than 64 here\n"));
    cr_expect_null(parse(nested(1000000)));
}

Test(json, reads_8_MiB_and_not_a_byte_more)
{
    size_t size = LIMIT_RULE_SET_BYTES;
    char *text = malloc(size + 1);
    memset(text, ' ', size + 1);
    memcpy(text, "[1]", 3);
    cr_expect(parse((str){text, size}));
    cr_expect_null(parse((str){text, size + 1}));
    cr_expect(strstr(printed(),
                     "f.jsonc:1:1: error: the file has 8388609 bytes; all rule files together may have"));
    free(text);
}

Test(json, an_object_of_a_hundred_thousand_keys_is_no_trouble)
{
    struct buffer out;
    buffer_init(&out, &arena);
    buffer_put_char(&out, '{');
    for (int i = 0; i < 100000; i++)
        buffer_put_format(&out, "\"k%d\":%d,", i, i);
    buffer_put_str(&out, STR("\"k7\":0}"));
    cr_assert(parse(buffer_str(&out)));
    cr_expect_eq(diag.error_count, 1);
}

Test(json, running_out_of_memory_is_said_and_leaves_the_arena_usable)
{
    str text = STR("{\"a\": [1, 2, {\"b\": \"text\"}], \"c\": {\"d\": null, \"d\": 2}}");
    size_t n = 0;
    for (bool failed = true; failed; n++) {
        struct arena small, own;
        arena_init(&small, n * 64 + 1);
        arena_init(&own, 0);
        struct diagnostics said;
        diag_init(&said, &own);
        source = (struct source){.name = STR("f"), .text = text};
        const struct json *root = json_parse(&small, &source, &said);
        failed = said.failed;
        cr_expect(!failed || !root);
        cr_expect(failed || said.error_count == 1);
        arena_free(&small);
        arena_free(&own);
        cr_assert_lt(n, 1000u);
    }
    cr_expect_gt(n, 5u);
}

static str file_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return (str){0};
    struct buffer out;
    char block[4096];
    size_t size;
    buffer_init(&out, &arena);
    while ((size = fread(block, 1, sizeof block, file)) > 0)
        buffer_put(&out, block, size);
    fclose(file);
    return buffer_str(&out);
}

Test(json, every_prefix_of_a_rule_file_is_a_told_mistake_and_no_crash)
{
    str whole = file_text(SOURCE_DIR "/rules/scenarios/cart_abandoned.jsonc");
    cr_assert_gt(whole.size, 100u);
    cr_assert(parse(whole), "%s", printed());
    while (whole.size > 0 && whole.data[whole.size - 1] != '}')
        whole.size--;
    for (size_t size = 0; size < whole.size; size++) {
        teardown();
        setup();
        whole = file_text(SOURCE_DIR "/rules/scenarios/cart_abandoned.jsonc");
        cr_expect(!parse(str_slice(whole, 0, size)) && diag.error_count > 0, "%zu bytes", size);
        while (whole.size > 0 && whole.data[whole.size - 1] != '}')
            whole.size--;
    }
}
