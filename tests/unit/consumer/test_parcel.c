/* Versions on their topic: head and pieces, and how they come together again. */
#include "delivery/parcel.h"
#include "base/str.h"
#include <criterion/criterion.h>
#include <stdlib.h>

static const struct parcel_head written = {.name = "goes_with",
                                           .kind = PARCEL_DELTA,
                                           .number = 17,
                                           .recipe = 0x29e8a1d37c0b4f52,
                                           .chain = 0x9f3c5a0b77d1e642,
                                           .base = 1,
                                           .at_ms = 1772445600120,
                                           .bytes = 2 * PARCEL_PIECE_BYTES + 1};

/* Puts what a record holds into a joiner; with it a version is whole. */
static bool put(struct parcel_joiner *joiner, int32_t piece, const char *data, size_t size)
{
    const struct parcel_record record = {{data, size}, 0, piece};
    return parcel_join(joiner, &record);
}

static void begin(struct parcel_joiner *joiner, const struct parcel_head *head)
{
    struct buffer text = {0};
    parcel_head_print(head, &text);
    cr_expect_not(put(joiner, -1, text.data, text.size), "a head alone is nothing");
    buffer_free(&text);
}

Test(parcel, head_is_read_as_it_was_written)
{
    struct parcel_head read;
    struct relance_error error;
    struct buffer text = {0};
    parcel_head_print(&written, &text);
    cr_assert_eq(parcel_head_parse(buffer_str(&text), &read, &error), RELANCE_OK);
    cr_expect_str_eq(read.name, "goes_with");
    cr_expect(read.kind == PARCEL_DELTA && read.number == 17 && read.recipe == written.recipe);
    cr_expect(read.chain == written.chain && read.base == 1 && read.at_ms == written.at_ms);
    cr_expect_eq(read.bytes, written.bytes);
    cr_expect_eq(parcel_pieces(&read), 3);
    buffer_free(&text);
}

Test(parcel, a_head_says_how_far_was_counted)
{
    static const int64_t offsets[] = {12, -2, INT64_C(1) << 40};
    struct parcel_head head = written, read;
    struct relance_error error;
    struct buffer text = {0};
    int64_t found[3];
    parcel_head_print(&head, &text);
    cr_expect_not(parcel_offsets(buffer_str(&text), 3, found), "older ones do not");
    head.offsets = offsets;
    head.partitions = 3;
    parcel_head_print(&head, &text);
    cr_assert_eq(parcel_head_parse(buffer_str(&text), &read, &error), RELANCE_OK);
    cr_expect(read.bytes == written.bytes && !read.offsets);
    cr_assert(parcel_offsets(buffer_str(&text), 3, found));
    cr_expect_eq(memcmp(found, offsets, sizeof found), 0);
    cr_expect_not(parcel_offsets(buffer_str(&text), 2, found), "of another input");
    cr_expect_not(parcel_offsets(buffer_str(&text), 4, found), "of another input");
    cr_expect_not(parcel_offsets(STR("{\"offsets\":[1,\"2\",3]}"), 3, found));
    cr_expect_not(parcel_offsets(STR("no JSON"), 3, found));
    buffer_free(&text);
}

Test(parcel, other_records_are_no_heads)
{
#define HASHES "\"recipe\":\"1\",\"chain\":\"2\",\"base\":\"0\",\"at\":5"
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"affinity\":\"a\",\"kind\":\"all\",\"n\":1," HASHES ",\"bytes\":9}",
        "{\"affinity\":\"\",\"kind\":\"full\",\"n\":1," HASHES ",\"bytes\":9}",
        "{\"affinity\":\"a\",\"kind\":\"full\",\"n\":-1," HASHES ",\"bytes\":9}",
        "{\"affinity\":\"a\",\"kind\":\"full\",\"n\":1," HASHES ",\"bytes\":0}",
        "{\"affinity\":\"a\",\"kind\":\"full\",\"n\":1," HASHES ",\"bytes\":1e12}",
        "{\"affinity\":\"a\",\"kind\":\"full\",\"n\":1,\"recipe\":\"x\",\"chain\":\"2\",\"base\":\"0\","
        "\"at\":5,"
        "\"bytes\":9}",
    };
    struct parcel_head read;
    struct relance_error error;
    cr_assert_eq(
        parcel_head_parse(STR("{\"affinity\":\"a\",\"kind\":\"full\",\"n\":1," HASHES ",\"bytes\":9}"), &read,
                          &error),
        RELANCE_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(parcel_head_parse(str_of(wrong[i]), &read, &error), RELANCE_INVALID, "%s", wrong[i]);
}

Test(parcel, pieces_come_together_in_their_order)
{
    struct parcel_joiner joiner = {0};
    char *bytes = malloc(written.bytes);
    for (size_t i = 0; i < written.bytes; i++)
        bytes[i] = (char)(i * 31);
    for (int round = 0; round < 2; round++) {
        begin(&joiner, &written);
        cr_expect_not(put(&joiner, 0, bytes, PARCEL_PIECE_BYTES));
        cr_expect_not(put(&joiner, 1, bytes + PARCEL_PIECE_BYTES, PARCEL_PIECE_BYTES));
        cr_assert(put(&joiner, 2, bytes + 2 * PARCEL_PIECE_BYTES, 1));
        cr_expect(str_equal(buffer_str(&joiner.bytes), (struct relance_str){bytes, written.bytes}));
        cr_expect_not(put(&joiner, 3, bytes, 1), "nothing more belongs to it");
    }
    free(bytes);
    parcel_joiner_free(&joiner);
}

Test(parcel, what_has_lost_its_head_or_a_piece_is_passed_over)
{
    struct parcel_joiner joiner = {0};
    struct parcel_head one = written;
    one.bytes = 2;
    cr_expect_not(put(&joiner, 0, "xy", 2), "its head has been cut off");
    begin(&joiner, &written);
    cr_expect_not(put(&joiner, 1, "xy", 2), "the first is missing");
    cr_expect_not(put(&joiner, 0, "xy", 2));
    begin(&joiner, &one);
    cr_expect_not(put(&joiner, 0, "x", 1), "it is too short");
    cr_expect_not(put(&joiner, -1, "no head", 7));
    cr_expect_not(put(&joiner, 0, "xy", 2));
    begin(&joiner, &one);
    cr_assert(put(&joiner, 0, "xy", 2));
    parcel_joiner_free(&joiner);
}

Test(parcel, states_are_passed_over_by_whoever_does_not_want_them)
{
    struct parcel_joiner joiner = {.skips_states = true};
    struct parcel_head state = written;
    state.kind = PARCEL_STATE;
    state.bytes = 2;
    begin(&joiner, &state);
    cr_expect_not(put(&joiner, 0, "xy", 2));
    joiner.skips_states = false;
    begin(&joiner, &state);
    cr_assert(put(&joiner, 0, "xy", 2));
    parcel_joiner_free(&joiner);
}

Test(parcel, is_named_by_number_and_chain)
{
    char text[PARCEL_TEXT_SIZE];
    uint64_t number, chain;
    parcel_print(17, 0x9f3c5a0b77d1e642, text);
    cr_expect_str_eq(text, "17:9f3c5a0b77d1e642");
    cr_assert(parcel_parse(str_of(text), &number, &chain));
    cr_expect(number == 17 && chain == 0x9f3c5a0b77d1e642);
    parcel_print(UINT64_MAX >> 1, UINT64_MAX, text);
    cr_expect(parcel_parse(str_of(text), &number, &chain));
    static const char *const wrong[] = {"", "17", "17:", ":9f", "x:9f", "17:9G", "17:9f3c5a0b77d1e6420"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_not(parcel_parse(str_of(wrong[i]), &number, &chain), "%s", wrong[i]);
}
