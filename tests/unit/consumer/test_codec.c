/* The written forms: frontier, marks, meta, RESP, outbox. What is written is read back alike; what is not
 * ours is not read at all. */
#include "delivery/frontier.h"
#include "delivery/mark.h"
#include "delivery/meta.h"
#include "delivery/outbox.h"
#include "redis/resp.h"
#include "base/str.h"
#include <criterion/criterion.h>
#include <stdio.h>

Test(frontier, is_read_as_it_was_written)
{
    struct frontier written = {.position = {4, 17, 251, 0x9f86d081884c7d65}}, read;
    char text[FRONTIER_TEXT_SIZE];
    frontier_make_store(written.store);
    size_t size = frontier_print(&written, text);
    cr_assert_lt(size, 128);
    cr_assert(frontier_parse(4, (struct relance_str){text, size}, &read));
    cr_expect_str_eq(read.store, written.store);
    cr_expect(position_is_same(read.position, written.position));
    cr_expect(read.position.seq == 251 && read.position.chain == written.position.chain);
    cr_expect_not(frontier_is_first(&read));
}

#define UUID "0b7e8a52-5b0c-4d2e-9c8f-0123456789ab"

Test(frontier, that_somebody_else_wrote_is_not_ours)
{
    static const char *const wrong[] = {"",
                                        "1",
                                        "2;" UUID ";1;1;0",
                                        "1;" UUID ";1;1",
                                        "1;" UUID ";1;1;0;",
                                        "1;" UUID ";-1;1;0",
                                        "1;" UUID ";1;1;xyz",
                                        "1;" UUID ";1;1;0;9",
                                        "1;short;1;1;0",
                                        "{\"a\": 1}"};
    struct frontier read;
    cr_assert(frontier_parse(4, STR("1;" UUID ";1;1;0"), &read));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_not(frontier_parse(4, str_of(wrong[i]), &read), "%s", wrong[i]);
}

Test(frontier, put_back_without_its_chain_says_so)
{
    struct frontier written = {.position.seq = 3, .is_restored = true}, read;
    char text[FRONTIER_TEXT_SIZE];
    frontier_make_store(written.store);
    size_t size = frontier_print(&written, text);
    cr_expect_eq(text[size - 1], '-');
    cr_assert(frontier_parse(4, (struct relance_str){text, size}, &read));
    cr_expect(read.is_restored);
    cr_expect_eq(read.position.seq, 3u);
    cr_assert(frontier_parse(4, STR("1;" UUID ";0;0;-"), &read));
    cr_expect_not(frontier_is_first(&read), "whoever begins knows that nothing has been published");
}

Test(position, is_within_another_by_records_and_by_marks)
{
    const struct position saved = {10, 3, 7, 1}, published = {12, 3, 9, 2}, elsewhere = {9, 4, 7, 1};
    cr_expect(position_is_within(saved, saved));
    cr_expect(position_is_within(saved, published));
    cr_expect_not(position_is_within(published, saved));
    cr_expect_not(position_is_within(elsewhere, saved));
    cr_expect_not(position_is_within(saved, elsewhere));
    cr_expect_not(position_is_same(saved, published));
}

Test(frontier, stores_get_different_names)
{
    char a[STORE_ID_SIZE], b[STORE_ID_SIZE];
    frontier_make_store(a);
    frontier_make_store(b);
    cr_expect_str_neq(a, b);
    cr_expect_eq(strlen(a), 36);
}

Test(mark, is_read_as_it_was_written)
{
    char rules[] = "[{\"name\":\"a.json\",\"text\":\"{\\\"rules\\\": {}}\\n\"}]",
         options[] = "engine=0.1.0 \"quoted\"", zones[] = "{\"Europe/Paris\":\"29e8a1d37c0b4f52\"}",
         models[] = "{\"goes_with\":\"17:9f3c5a0b77d1e642\",\"also_viewed\":null}";
    struct mark written = {.n = 17,
                           .at = 9007199254740991,
                           .wall = 1772445600120,
                           .tick = -5,
                           .waits = 8192,
                           .links = 44,
                           .rules = rules,
                           .options = options,
                           .zones = zones,
                           .models = models,
                           .is_approximate = true},
                read;
    struct buffer text = {0};
    struct relance_error error;
    mark_print(&written, &text);
    cr_assert_eq(mark_parse(buffer_str(&text), &read, &error), RELANCE_OK);
    cr_expect(read.n == 17 && read.at == written.at && read.wall == written.wall && read.tick == -5 &&
              read.waits == 8192);
    cr_expect(read.links == 44 && read.is_approximate);
    cr_expect_str_eq(read.rules, rules);
    cr_expect_str_eq(read.options, options);
    cr_expect_str_eq(read.zones, zones);
    cr_expect_str_eq(read.models, models);
    mark_free(&read);
    buffer_free(&text);
}

Test(mark, says_nothing_about_what_it_does_not_change)
{
    struct mark written = {.n = 1,
                           .at = 0,
                           .wall = RELANCE_NEVER,
                           .tick = RELANCE_NEVER,
                           .links = RELANCE_NEVER},
                read;
    struct buffer text = {0};
    struct relance_error error;
    mark_print(&written, &text);
    cr_expect(str_equal(buffer_str(&text), STR("{\"n\":1,\"at\":0}")));
    cr_assert_eq(mark_parse(buffer_str(&text), &read, &error), RELANCE_OK);
    cr_expect(read.wall == RELANCE_NEVER && read.tick == RELANCE_NEVER && read.links == RELANCE_NEVER &&
              !read.waits && !read.rules && !read.options && !read.models);
    buffer_free(&text);
}

Test(mark, other_records_are_none)
{
    static const char *const wrong[] = {"",
                                        "[]",
                                        "{}",
                                        "{\"n\":0,\"at\":1}",
                                        "{\"n\":1}",
                                        "{\"n\":1,\"at\":-1}",
                                        "{\"n\":\"1\",\"at\":1}",
                                        "{\"n\":1,\"at\":1,\"rules\":\"x\"}",
                                        "{\"n\":1,\"at\":1,\"options\":7}",
                                        "{\"n\":1,\"at\":1,\"models\":\"17:9f\"}",
                                        "{\"n\":1.5,\"at\":1}",
                                        "{\"n\":1,\"at\":1,\"wall\":0.5}",
                                        "{\"n\":1,\"at\":1,\"tick\":null}",
                                        "{\"n\":1,\"at\":1,\"tick\":1,\"waits\":-1}",
                                        "{\"n\":1,\"at\":1,\"links\":-1}",
                                        "{\"n\":1,\"at\":1e300}"};
    struct mark read;
    struct relance_error error;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(mark_parse(str_of(wrong[i]), &read, &error), RELANCE_INVALID, "%s", wrong[i]);
}

Test(mark_list, drops_from_its_front)
{
    struct mark_list list = {0};
    for (uint64_t n = 1; n <= 20; n++)
        mark_list_add(&list, (struct mark){.n = n});
    mark_list_drop(&list, 18);
    cr_expect_eq(list.count, 2);
    cr_expect_eq(list.items[0].n, 19);
    mark_list_free(&list);
}

static void put_field(void *out, struct relance_str name, struct relance_str value)
{
    resp_word(out, name);
    resp_word(out, value);
}

Test(meta, takes_the_fields_that_it_gives)
{
    struct meta meta = {0};
    meta_clear(&meta);
    cr_expect_not(meta_has_checkpoint(&meta));
    cr_expect(meta_take(&meta, STR("offset"), STR("1812")));
    cr_expect(meta_take(&meta, STR("clock"), STR("-9223372036854775808")));
    cr_expect(meta_take(&meta, STR("chain"), STR("00000000000000ff")));
    cr_expect(meta_take(&meta, STR("rules"), STR("[]")));
    cr_expect(meta_take(&meta, STR("of_a_later_version"), STR("?")));
    cr_expect(meta_has_checkpoint(&meta) && meta.offset == 1812 && meta.clock == INT64_MIN &&
              meta.chain == 255);
    cr_expect_not(meta_take(&meta, STR("seq"), STR("many")));
    cr_expect_not(meta_take(&meta, STR("seq"), STR("")));
    cr_expect_not(meta_take(&meta, STR("seq"), STR("99999999999999999999")));
    struct buffer words = {0};
    meta_each(&meta, put_field, &words);
    cr_expect(memmem(words.data, words.size, "$5\r\nclock\r\n$20\r\n-9223372036854775808\r\n", 38));
    cr_expect(memmem(words.data, words.size, "$5\r\nchain\r\n$16\r\n00000000000000ff\r\n", 34));
    buffer_free(&words);
    meta_free(&meta);
}

Test(resp, words_may_hold_anything)
{
    struct buffer out = {0};
    resp_command(&out, 2, (struct relance_str[]){STR("ECHO"), STR("a\r\n\0b")});
    cr_expect(str_equal(buffer_str(&out), STR("*2\r\n$4\r\nECHO\r\n$5\r\na\r\n\0b\r\n")));
    buffer_free(&out);
}

Test(resp, long_commands_are_cut_between_pairs)
{
    struct buffer out = {0};
    struct resp_many many = {.out = &out, .verb = STR("HSET"), .key = STR("k")};
    size_t commands = 0;
    for (int i = 0; i < RESP_MANY; i++) {
        resp_many_add(&many, STR("f"), STR("v"));
        if (many.count >= RESP_MANY) commands += resp_many_flush(&many);
    }
    commands += resp_many_flush(&many);
    cr_expect_eq(commands, 2);
    cr_expect_eq(resp_many_flush(&many), 0);
    static const char start[] = "*2002\r\n$4\r\nHSET\r\n$1\r\nk\r\n$1\r\nf\r\n";
    cr_expect_eq(memcmp(out.data, start, sizeof start - 1), 0);
    buffer_free(&many.words);
    buffer_free(&out);
}

Test(outbox, gives_back_records_in_order_and_tells_no_key_from_an_empty_one)
{
    struct outbox outbox = {0};
    struct outbox_record read;
    size_t at = 0;
    outbox_put(&outbox, &(struct outbox_record){.topic = OUTBOX_DEAD,
                                                .partition = -1,
                                                .value = STR("v"),
                                                .headers = {{"why", STR("json")}, {"none", {0}}},
                                                .header_count = 2});
    outbox_put(&outbox, &(struct outbox_record){
                            .topic = OUTBOX_MARKS, .partition = 3, .key = STR(""), .value = STR("")});
    cr_assert(outbox_next(&outbox, &at, &read));
    cr_expect(read.topic == OUTBOX_DEAD && read.partition == -1 && !read.key.data &&
              str_equal(read.value, STR("v")));
    cr_expect(read.header_count == 2 && str_equal(read.headers[0].value, STR("json")) &&
              read.headers[1].value.size == 0);
    cr_assert(outbox_next(&outbox, &at, &read));
    cr_expect(read.topic == OUTBOX_MARKS && read.partition == 3 && read.key.data && read.key.size == 0);
    cr_expect_not(outbox_next(&outbox, &at, &read));
    outbox_clear(&outbox);
    at = 0;
    cr_expect_not(outbox_next(&outbox, &at, &read));
    outbox_free(&outbox);
}
