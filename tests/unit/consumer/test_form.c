/* Requests and answers of Kafka's protocol: that what is written is what the protocol says, and that an answer that is cut off anywhere, or
 * says more than there is, is found out and read no further. */
#include "kafka/form.h"

#include <criterion/criterion.h>

static struct buffer out;

static void expect_written(const char *bytes, size_t size)
{
    cr_assert_eq(out.size, size);
    cr_expect(memcmp(out.data, bytes, size) == 0);
    out.size = 0;
}
#define EXPECT_WRITTEN(bytes) expect_written(bytes, sizeof(bytes) - 1)

static struct kafka_answer answer_of(const char *bytes, size_t size)
{
    return (struct kafka_answer){(const unsigned char *)bytes, (const unsigned char *)bytes + size, false};
}

Test(form, numbers_have_their_highest_byte_first)
{
    kafka_put(&out, 0x0102030405060708, 8);
    kafka_put(&out, 0x0102030405060708, 2);
    kafka_put(&out, (uint64_t)-1, 4);
    EXPECT_WRITTEN("\1\2\3\4\5\6\7\x8\7\x8\xff\xff\xff\xff");
}

Test(form, a_request_begins_with_what_it_is)
{
    kafka_put_head(&out, KAFKA_END_TXN, 3, 77, "me");
    EXPECT_WRITTEN("\0\x1a\0\3\0\0\0\x4d\0\2me");
}

Test(form, compact_sizes_are_one_more_and_varints)
{
    static char text[200];
    memset(text, 'x', 127);
    kafka_put_compact(&out, NULL);
    kafka_put_compact(&out, "");
    kafka_put_compact(&out, "ab");
    kafka_put_compact_size(&out, 126);
    kafka_put_compact_size(&out, 127);
    kafka_put_compact_size(&out, 20000);
    EXPECT_WRITTEN("\0\1\3ab\x7f\x80\1\xa1\x9c\1");
    kafka_put_compact(&out, text);
    struct kafka_answer in = answer_of(out.data, out.size);
    str read = kafka_read_text(&in, (int32_t)kafka_read_compact_size(&in));
    cr_expect_eq(read.size, 127);
    cr_expect(!in.failed && in.at == in.bound);
}

/* An int16, a text behind an int32, two tags, an int64. */
static bool read_whole(const char *bytes, size_t size)
{
    struct kafka_answer in = answer_of(bytes, size);
    bool is_right = kafka_read_int16(&in) == -2;
    str text = kafka_read_text(&in, kafka_read_int32(&in));
    kafka_read_tags(&in);
    is_right &= text.size == 3 && memcmp(text.data, "abc", 3) == 0;
    is_right &= kafka_read_int64(&in) == 5;
    cr_expect_leq(in.at, in.bound);
    return is_right && !in.failed;
}

Test(form, an_answer_that_is_cut_off_is_found_out)
{
    static const char whole[] = "\xff\xfe\0\0\0\3abc\2\0\1x\x81\1\2yz\0\0\0\0\0\0\0\5";
    cr_expect(read_whole(whole, sizeof whole - 1));
    for (size_t size = 0; size < sizeof whole - 1; size++) {
        char cut[sizeof whole];
        memcpy(cut, whole, size);
        cr_expect(!read_whole(cut, size), "%zu bytes", size);
    }
}

Test(form, a_size_that_never_ends_or_is_too_large_is_none)
{
    struct kafka_answer in = answer_of("\xff\xff\xff\xff\xff\xff\xff\1", 8);
    cr_expect_eq(kafka_read_compact_size(&in), 0);
    cr_expect(in.failed);
    in = answer_of("\x7f\xff\xff\xff", 4);
    cr_expect_eq(kafka_read_text(&in, kafka_read_int32(&in)).size, 0);
    cr_expect(in.failed);
    in = answer_of("\xff\xff", 2); /* -1: no text */
    cr_expect_eq(kafka_read_text(&in, kafka_read_int16(&in)).size, 0);
    cr_expect(!in.failed);
}
