/* Tests of mapping files, read and checked when the mapping is compiled: a member that is misspelt would leave a test
 * that claims nothing. */
#include "mapping/tests.h"
#include "mapping/build.h"

#include "base/buffer.h"
#include "base/limits.h"

struct tests_reader {
    struct arena *keep;
    const struct source *source;
    struct diagnostics *diag;
};

static void refuse(struct tests_reader *r, const struct json *node, str hint, const char *what)
{
    diag_add(r->diag, SEVERITY_ERROR, (struct origin){.source = r->source}, node->begin, node->end, hint,
             "%s", what);
}

/* ---- the record */

/* The bytes that a node stands for: those of a text, else its JSON; data NULL: none. */
static str bytes_of(struct tests_reader *r, const struct json *node)
{
    struct buffer json;
    if (node->kind == JSON_NULL) return (str){0};
    if (node->kind == JSON_STRING) return node->text.data ? node->text : STR("");
    buffer_init(&json, r->keep);
    json_write(node, &json);
    r->diag->failed |= json.failed;
    return buffer_str(&json);
}

static str text_of(struct tests_reader *r, const struct json *node)
{
    if (node->kind != JSON_STRING && node->kind != JSON_NULL)
        refuse(r, node, (str){0}, "a text is expected here");
    return node->kind == JSON_STRING ? bytes_of(r, node) : (str){0};
}

static void read_headers(struct tests_reader *r, const struct json *node, struct relance_foreign *given)
{
    struct relance_header *headers = ARENA_ARRAY(r->keep, struct relance_header, node->count + 1);
    if (node->kind != JSON_OBJECT)
        return refuse(r, node, STR("such as {\"x-shopify-topic\": \"orders/create\"}"),
                      "'headers' is an object of texts");
    if (!headers) {
        r->diag->failed = true;
        return;
    }
    given->headers = headers;
    for (const struct json *header = node->child; header; header = header->next)
        headers[given->header_count++] = (struct relance_header){header->key, text_of(r, header)};
}

void mapping_record_read(struct arena *keep, const struct source *source, const struct json *node,
                         const char *what, struct relance_foreign *record, struct diagnostics *diag)
{
    struct tests_reader r = {keep, source, diag};
    record->topic = STR("test");
    if (!mapping_keys_check(keep, PLACE_GIVEN, what, source, node, diag)) return;
    for (const struct json *member = node->child; member; member = member->next) {
        if (str_equal(member->key, STR("key"))) record->key = text_of(&r, member);
        if (str_equal(member->key, STR("topic"))) record->topic = text_of(&r, member);
        if (str_equal(member->key, STR("value"))) record->value = bytes_of(&r, member);
        if (str_equal(member->key, STR("headers"))) read_headers(&r, member, record);
    }
}

/* ---- what is expected */

static bool is_dead(const struct json *node)
{
    bool text = node->kind == JSON_STRING && str_equal(node->text, STR("dead"));
    return text || (node->kind == JSON_OBJECT && node->count == 1 && json_member(node, "dead"));
}

static struct expected_item read_item(struct tests_reader *r, const struct json *node)
{
    const struct json *reason = json_member(node, "dead");
    if (is_dead(node)) {
        if (reason && reason->kind != JSON_STRING)
            refuse(r, reason, STR("such as \"mapping\""), "'dead' is the reason of a dead letter");
        return (struct expected_item){.reason =
                                          reason && reason->kind == JSON_STRING ? reason->text : (str){0}};
    }
    if (node->kind != JSON_OBJECT || !json_member(node, "type"))
        refuse(r, node, (str){0}, "what is expected is an event with its 'type', or \"dead\"");
    return (struct expected_item){.event = node};
}

static void read_expect(struct tests_reader *r, const struct json *node, struct mapping_test *test)
{
    if (node->kind != JSON_ARRAY && !is_dead(node))
        return refuse(r, node, STR("[] where the record becomes none"),
                      "'expect' is a list of events, or \"dead\"");
    bool list = node->kind == JSON_ARRAY;
    test->expect = ARENA_ARRAY(r->keep, struct expected_item, (list ? node->count : 1) + 1);
    if (!test->expect) {
        r->diag->failed = true;
        return;
    }
    const struct json *item = list ? node->child : node;
    for (; item; item = list ? item->next : NULL)
        test->expect[test->expect_count++] = read_item(r, item);
}

/* ---- the whole */

static void read_test(struct tests_reader *r, const struct json *node, struct mapping_test *test)
{
    *test = (struct mapping_test){.begin = node->begin};
    if (!mapping_keys_check(r->keep, PLACE_TEST, "a test", r->source, node, r->diag)) return;
    const struct json *name = json_member(node, "name"), *given = json_member(node, "given"),
                      *expect = json_member(node, "expect");
    if (!name || !given || !expect)
        return refuse(r, node, (str){0}, "a test has a 'name', 'given' and 'expect'");
    if (name->kind == JSON_NULL) refuse(r, name, (str){0}, "a text is expected here");
    test->name = text_of(r, name);
    mapping_record_read(r->keep, r->source, given, "'given'", &test->given, r->diag);
    read_expect(r, expect, test);
}

struct mapping_tests mapping_tests_read(struct arena *keep, struct said said, struct diagnostics *diag)
{
    struct tests_reader r = {keep, said.source, diag};
    struct mapping_tests tests = {.source = said.source};
    if (!said.node || said.node->kind == JSON_NULL) return tests;
    if (said.node->kind != JSON_ARRAY) {
        refuse(&r, said.node, (str){0}, "'tests' is a list");
        return tests;
    }
    tests.items = ARENA_ARRAY(keep, struct mapping_test, said.node->count + 1);
    if (!tests.items) diag->failed = true;
    for (const struct json *node = tests.items ? said.node->child : NULL; node; node = node->next)
        read_test(&r, node, &tests.items[tests.count++]);
    return tests;
}
