/* Decisions on their way out: what becomes a line, with which place, and what does not. */
#include "delivery/partition.h"
#include "base/str.h"
#include <criterion/criterion.h>
#include <stdlib.h>

static struct options options = {.group = "g", .decisions = "d"};
static struct workplace place = {.options = &options, .lines_room = 64 << 20};
static struct partition partition = {.number = 2, .state = PARTITION_LIVE, .place = &place, .reached = 8};
static const struct relance_decision started = {
    .outcome = RELANCE_OUTCOME_STARTED, .customer = {"anna", 4}, .rule = {"cart", 4}};
static const struct relance_decision sent = {.outcome = RELANCE_OUTCOME_SENT,
                                             .customer = {"anna", 4},
                                             .rule = {"cart", 4},
                                             .step = 1,
                                             .id = {"0123456789abcdef0123456789abcdef", 32},
                                             .send = {"email", 5}};
static size_t at; /* of the outbox */

static void init(void)
{
    partition.decided.marks = 3;
}

static void fini(void)
{
    outbox_free(&place.outbox);
    buffer_free(&place.body);
    counters_free(&partition.counters);
}

TestSuite(decisions, .init = init, .fini = fini);

static struct outbox_record next(enum outbox_topic topic)
{
    struct outbox_record record;
    cr_assert(outbox_next(&place.outbox, &at, &record));
    cr_assert_eq(record.topic, topic);
    return record;
}

static void expect_none(void)
{
    struct outbox_record record;
    cr_expect_not(outbox_next(&place.outbox, &at, &record));
}

/* "" where there is no header of that name. */
static const char *header(const struct outbox_record *record, const char *name)
{
    static char text[64];
    *text = '\0';
    for (size_t i = 0; i < record->header_count; i++)
        if (strcmp(record->headers[i].name, name) == 0)
            snprintf(text, sizeof text, "%.*s", STR_ARG(record->headers[i].value));
    return text;
}

Test(decisions, are_lines_with_a_place_each)
{
    partition_decided(&partition, &started);
    partition_decided(&partition, &sent);
    struct outbox_record line = next(OUTBOX_DECISIONS);
    cr_expect(str_equal(line.key, STR("anna")));
    cr_expect_eq(line.partition, -1, "the partition of the key, as of actions");
    cr_expect(str_equal(line.value,
                        STR("{\"time\":\"1970-01-01T00:00:00.000Z\",\"customer\":\"anna\",\"rule\":\"cart\","
                            "\"outcome\":\"started\"}")));
    cr_expect_str_eq(header(&line, "relance-group"), "g");
    cr_expect_str_eq(header(&line, "relance-partition"), "2");
    cr_expect_str_eq(header(&line, "relance-mark"), "3");
    cr_expect_str_eq(header(&line, "relance-offset"), "8");
    cr_expect_str_eq(header(&line, "relance-index"), "0");
    cr_expect_str_eq(header(&line, "relance-seq"), "", "it is no action");
    struct outbox_record action = next(OUTBOX_ACTIONS);
    cr_expect_str_eq(header(&action, "relance-seq"), "1");
    line = next(OUTBOX_DECISIONS);
    cr_expect_str_eq(header(&line, "relance-index"), "1");
    cr_expect_str_eq(header(&line, "relance-seq"), "1", "by which it is that action's");
    expect_none();
}

Test(decisions, ask_for_no_transaction_as_actions_do)
{
    partition_decided(&partition, &started);
    cr_expect_eq(place.unpublished_count, 0);
    partition_decided(&partition, &sent);
    cr_expect_eq(place.unpublished_count, 1);
}

Test(decisions, are_not_told_unless_asked_for)
{
    options.decisions = NULL;
    partition_decided(&partition, &started);
    partition_decided(&partition, &sent);
    next(OUTBOX_ACTIONS);
    expect_none();
    options.decisions = "d";
}

Test(decisions, make_no_difference_to_the_chain)
{
    struct partition other = partition;
    partition_decided(&partition, &sent);
    options.decisions = NULL;
    other.counters = (struct counters){0};
    partition_decided(&other, &sent);
    options.decisions = "d";
    cr_expect(position_is_same(partition.decided, other.decided));
    counters_free(&other.counters);
}

Test(decisions, that_are_made_again_below_the_frontier_are_silent)
{
    partition.state = PARTITION_BEHIND;
    partition_decided(&partition, &started);
    partition_decided(&partition, &sent);
    expect_none();
    cr_expect_eq(partition.told, 0);
}

Test(decisions, of_an_action_that_was_said_before_a_recovery_are_not_told_again)
{
    struct relance_decision said = sent;
    said.said = true;
    partition_decided(&partition, &said);
    expect_none();
}

Test(decisions, are_left_out_where_there_is_no_room_and_keep_their_places)
{
    place.lines_room = 1;
    partition_decided(&partition, &started);
    partition_decided(&partition, &sent);
    cr_expect_eq(place.lines_left, 1);
    place.lines_room = 64 << 20;
    partition_decided(&partition, &started);
    next(OUTBOX_DECISIONS);
    next(OUTBOX_ACTIONS);
    struct outbox_record line = next(OUTBOX_DECISIONS);
    cr_expect_str_eq(header(&line, "relance-index"), "2");
}

Test(decisions, that_are_too_large_go_without_what_makes_them_so)
{
    enum { SIZE = 640 << 10 };
    char *text = malloc(SIZE);
    cr_assert(text);
    memset(text, 'x', SIZE);
    text[0] = text[SIZE - 1] = '"';
    struct relance_decision large = started;
    large.outcome = RELANCE_OUTCOME_SET;
    large.set = (struct relance_str){text, SIZE};
    partition_decided(&partition, &large);
    size_t rest =
        sizeof "{'time':'1970-01-01T00:00:00.000Z','customer':'anna','rule':'cart','outcome':'set'}" - 1;
    struct outbox_record line = next(OUTBOX_DECISIONS);
    cr_expect_eq(line.value.size, rest);
    cr_expect_eq(strtoull(header(&line, "relance-size"), NULL, 10), SIZE + rest + sizeof ",'set':" - 1);
    large.set.size = SIZE - rest - (sizeof ",'set':" - 1);
    partition_decided(&partition, &large);
    line = next(OUTBOX_DECISIONS);
    cr_expect_eq(line.value.size, SIZE, "so large it may be");
    cr_expect_str_eq(header(&line, "relance-size"), "");
    free(text);
}
