/* An audit of decisions: lines that come again, actions without lines and lines without actions. */
#include "report/told.h"
#include "base/str.h"
#include <criterion/criterion.h>

static struct told told;
static struct audit actions;
static uint64_t counts[TOLD_LACKS];
static struct audit_range ranges[TOLD_LACKS][8];
static size_t range_count[TOLD_LACKS];

static bool line(int32_t in, int64_t mark, int64_t offset, int64_t index, uint64_t seq)
{
    const struct told_line line = {STR("a"), 3, {mark, offset, index}, seq, in};
    return told_see(&told, &line);
}

static void action(uint64_t seq)
{
    bool twice;
    audit_see_number(&actions, STR("/relance/a"), 3, seq, &twice);
}

static void keep(void *context, const struct told_lacking *lacking)
{
    (void)context;
    cr_expect_str_eq(lacking->source, "/relance/a");
    cr_expect_eq(lacking->partition, 3);
    ranges[lacking->lack][range_count[lacking->lack]++] = lacking->numbers;
}

static void compare(bool whole)
{
    told_compare(&told, &actions, whole, keep, NULL, counts);
}

static void expect_range(enum told_lack lack, size_t i, uint64_t first, uint64_t last)
{
    cr_expect(range_count[lack] > i && ranges[lack][i].first == first && ranges[lack][i].last == last);
}

static void free_all(void)
{
    told_free(&told);
    audit_free(&actions);
}

TestSuite(told, .fini = free_all);

Test(told, takes_places_that_ascend_in_each_partition_of_the_topic)
{
    cr_expect(line(0, 1, 5, 0, 0));
    cr_expect(line(1, 1, 4, 0, 0), "another partition of the topic is read at another pace");
    cr_expect(line(0, 1, 5, 2, 0));
    cr_expect(line(0, 1, 6, 0, 0));
    cr_expect(line(0, 2, 1, 0, 0), "an input that was made anew: its offsets begin again, its marks go on");
    const struct told_line other = {STR("b"), 3, {1, 1, 0}, 0, 0};
    cr_expect(told_see(&told, &other), "another group");
    cr_expect_eq(told.lines, 6);
    cr_expect_eq(told.again, 0);
}

Test(told, finds_lines_that_come_again)
{
    cr_expect(line(0, 1, 5, 0, 0));
    cr_expect(line(0, 1, 6, 0, 1));
    cr_expect_not(line(0, 1, 5, 0, 0));
    cr_expect_not(line(0, 1, 6, 0, 1));
    cr_expect(line(0, 1, 6, 1, 0), "what had not come before is new");
    cr_expect_eq(told.again, 2);
}

Test(told, passes_strangers_by)
{
    const struct told_line lines[] = {
        {{0}, 3, {1, 1, 0}, 0, 0}, {STR("a"), -1, {1, 1, 0}, 0, 0}, {STR("a"), 3, {1, 1, -1}, 0, 0}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cr_expect(told_see(&told, &lines[i]));
    cr_expect_eq(told.strangers, 3);
    cr_expect_eq(told.lines, 0);
}

Test(told, finds_nothing_where_each_action_has_its_line)
{
    for (uint64_t seq = 1; seq <= 5; seq++) {
        action(seq);
        line(0, 1, (int64_t)seq, 0, seq);
    }
    line(0, 1, 6, 0, 6); /* of an action that came when the actions had been read */
    compare(true);
    for (int lack = 0; lack < TOLD_LACKS; lack++)
        cr_expect_eq(counts[lack], 0);
}

Test(told, finds_actions_without_line)
{
    for (uint64_t seq = 1; seq <= 9; seq++)
        if (seq != 5) action(seq); /* 5 is nowhere: the audit of actions says so */
    const uint64_t seqs[] = {3, 7};
    for (size_t i = 0; i < 2; i++)
        line(0, 1, (int64_t)i + 1, 0, seqs[i]);
    compare(true);
    cr_expect_eq(counts[TOLD_EARLIER], 2, "1 and 2: lines began with 3");
    cr_expect_eq(counts[TOLD_NO_LINE], 4);
    expect_range(TOLD_NO_LINE, 0, 4, 4);
    expect_range(TOLD_NO_LINE, 1, 6, 6);
    expect_range(TOLD_NO_LINE, 2, 8, 9);
    cr_expect_eq(counts[TOLD_NO_ACTION], 0);
}

Test(told, finds_lines_without_action)
{
    action(2);
    action(5);
    for (uint64_t seq = 1; seq <= 5; seq++)
        line(0, 1, (int64_t)seq, 0, seq);
    compare(true);
    cr_expect_eq(counts[TOLD_NO_ACTION], 3);
    expect_range(TOLD_NO_ACTION, 0, 1, 1);
    expect_range(TOLD_NO_ACTION, 1, 3, 4);
    cr_expect_eq(counts[TOLD_NO_LINE], 0);
}

Test(told, does_not_ask_for_actions_that_the_topic_has_lost)
{
    action(4);
    for (uint64_t seq = 1; seq <= 4; seq++)
        line(0, 1, (int64_t)seq, 0, seq);
    compare(false);
    cr_expect_eq(counts[TOLD_NO_ACTION], 0);
    compare(true);
    cr_expect_eq(counts[TOLD_NO_ACTION], 3);
}

Test(told, finds_lines_whose_partition_has_no_action_at_all)
{
    line(0, 1, 1, 0, 1);
    compare(true);
    cr_expect_eq(counts[TOLD_NO_ACTION], 1);
}
