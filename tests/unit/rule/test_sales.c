/* The ledger of orders, and what it adds to the sums, through the engine's seam. tests/conformance/sales.py compares whole
 * histories with a second implementation; here are its bounds, and what a history seldom has. */
#include "base/limits.h"
#include "rig.h"

#include <criterion/criterion.h>

#define HOUR  3600000LL
#define DAY   86400000LL
#define START 1772445600000LL /* 2026-03-02T10:00:00Z */

#define EVENTS                                                                                               \
    "\"customer\": {\"vip\": \"bool\", \"earlier\": \"int\"},"                                               \
    "\"events\": {\"buy\": {\"key\": \"string\", \"total\": \"double\", \"currency\": \"string\", "          \
    "\"channel\": \"string\"},"                                                                              \
    "             \"back\": {\"key\": \"string\", \"total\": \"double\"}},"
#define SALES                                                                                                \
    "\"sales\": {\"order\": {\"on\": \"buy\", \"key\": \"event.key\", \"total\": \"event.total\","           \
    "                        \"currency\": \"event.?currency.orValue('EUR')\"},"                             \
    "            \"refund\": {\"on\": \"back\", \"key\": \"event.key\", \"total\": \"event.total\"},"        \
    "            \"channel\": \"event.?channel.orValue('')\","                                               \
    "            \"before\": \"customer.?earlier.orValue(0)\"},"
#define RULE "\"rules\": {\"r\": {\"on\": \"back\", \"if\": \"false\", \"do\": [{\"send\": \"email\"}]}}}"

static struct arena arena;
static struct relance_ruleset *rules;
static struct rig rig;
static int number; /* of the event that comes next */

static void start_with(const char *text)
{
    rules = rig_rules(&arena, str_of(text));
    cr_assert_not_null(rules);
    rig_start(&rig, rules, 0);
}

static void setup(void)
{
    arena_init(&arena, 0);
    start_with("{" EVENTS SALES RULE);
}

static void teardown(void)
{
    rig_end(&rig);
    relance_ruleset_free(rules);
    arena_free(&arena);
}

TestSuite(sales, .init = setup, .fini = teardown, .timeout = 60);

/* `who` and `rest` as they stand in JSON: "\"customer\":\"c1\"", "\"key\":\"k\",\"total\":5". */
static void comes(const char *type, const char *who, int64_t time_ms, const char *rest)
{
    rig_event(&rig, arena_format(&arena, "{\"id\":\"e%d\",\"type\":\"%s\",%s,\"time\":%lld%s%s}", ++number,
                                 type, who, (long long)time_ms, *rest ? "," : "", rest));
}

static void buys(int64_t time_ms, const char *rest)
{
    comes("buy", "\"customer\":\"c1\"", time_ms, rest);
}

static void gives_back(int64_t time_ms, const char *rest)
{
    comes("back", "\"customer\":\"c1\"", time_ms, rest);
}

static void buys_number(int64_t time_ms, int key)
{
    buys(time_ms, arena_format(&arena, "\"key\":\"k%d\",\"total\":1", key).data);
}

static void sum_is(const char *name, int64_t wanted)
{
    cr_expect_eq(rig_sum(&rig, name), wanted, "%s is %lld, wanted %lld", name, (long long)rig_sum(&rig, name),
                 (long long)wanted);
}

/* ---- money */

Test(sales, money_is_rounded_to_the_ten_thousandth_and_halves_go_away_from_zero)
{
    buys(START, "\"key\":\"a\",\"total\":0.00005");
    sum_is("ALL sales.first.gross.EUR", 1);
    buys(START + 1, "\"key\":\"b\",\"total\":-0.00005");
    sum_is("ALL sales.second.gross.EUR", -1);
    buys(START + 2, "\"key\":\"c\",\"total\":0.00004");
    sum_is("ALL sales.repeat.gross.EUR", 0);
    sum_is("ALL sales.repeat.orders", 1);
}

Test(sales, what_has_no_key_or_no_such_total_is_no_order)
{
    buys(START, "\"key\":\"a\",\"total\":900000000000000");
    sum_is("ALL sales.first.gross.EUR", 9000000000000000000);
    buys(START, "\"key\":\"b\",\"total\":900000000000001");
    buys(START, "\"key\":\"b\"");
    buys(START, "\"total\":5");
    buys(START, "\"key\":\"\",\"total\":5");
    gives_back(START, "\"key\":\"a\",\"total\":-900000000000001");
    sum_is("ALL sales.orders_invalid", 5);
    sum_is("ALL customers.1", 1);
}

/* ---- refunds */

Test(sales, a_refund_is_taken_off_where_its_order_stands_and_is_cut_at_what_is_left)
{
    buys(START, "\"key\":\"a\",\"total\":100");
    gives_back(START + 2 * DAY, "\"key\":\"a\",\"total\":-80");
    gives_back(START + 3 * DAY, "\"key\":\"a\",\"total\":50");
    sum_is("DAY 2026-03-02 sales.first.refunded.EUR", 1000000);
    sum_is("DAY 2026-03-04 refunded_on.EUR", 800000);
    sum_is("DAY 2026-03-05 refunded_on.EUR", 200000);
    sum_is("ALL sales.refunds_cut", 1);
    sum_is("ALL sales.first.orders_refunded", 1);
    buys(START + DAY, "\"key\":\"a\",\"total\":200"); /* the order was larger than it was told */
    sum_is("ALL sales.refunds_cut", 0);
    sum_is("ALL sales.first.orders_refunded", 0);
    sum_is("ALL sales.first.refunded.EUR", 1300000);
    sum_is("DAY 2026-03-05 refunded_on.EUR", 500000);
}

Test(sales, the_same_refund_counts_once)
{
    buys(START, "\"key\":\"a\",\"total\":100");
    for (int i = 0; i < 3; i++)
        gives_back(START + DAY, "\"key\":\"a\",\"total\":30");
    gives_back(START + DAY, "\"key\":\"a\",\"total\":0");
    sum_is("ALL sales.first.refunded.EUR", 300000);
}

Test(sales, a_refund_waits_for_its_order_so_many_days)
{
    gives_back(START, "\"key\":\"late\",\"total\":1");
    buys(START + LIMIT_WAITING_REFUND_DAYS * DAY, "\"key\":\"late\",\"total\":10");
    sum_is("ALL sales.first.refunded.EUR", 10000);
    sum_is("ALL sales.refunds_unmatched", 0);
    gives_back(START + 40 * DAY, "\"key\":\"later\",\"total\":1");
    buys(START + (40 + LIMIT_WAITING_REFUND_DAYS) * DAY + 1, "\"key\":\"later\",\"total\":10");
    sum_is("ALL sales.second.refunded.EUR", 0);
    sum_is("ALL sales.refunds_unmatched", 1);
}

Test(sales, so_many_refunds_wait_and_one_more_makes_the_oldest_wait_no_longer)
{
    for (int i = 0; i <= LIMIT_WAITING_REFUNDS; i++)
        gives_back(START + i, arena_format(&arena, "\"key\":\"k%d\"", i).data);
    sum_is("ALL sales.refunds_unmatched", LIMIT_WAITING_REFUNDS + 1);
    buys_number(START + DAY, 0);
    sum_is("ALL sales.first.orders_refunded", 0);
    buys_number(START + DAY + 1, 1);
    sum_is("ALL sales.second.orders_refunded", 1);
    sum_is("ALL sales.refunds_unmatched", LIMIT_WAITING_REFUNDS);
}

Test(sales, of_too_many_refunds_of_an_order_the_two_oldest_count_as_one)
{
    buys(START, "\"key\":\"a\",\"total\":100");
    for (int i = 0; i < LIMIT_ORDER_REFUNDS; i++)
        gives_back(START + i * DAY, "\"key\":\"a\",\"total\":1");
    sum_is("DAY 2026-03-02 refunded_on.EUR", 10000);
    gives_back(START + 20 * DAY, "\"key\":\"a\",\"total\":1");
    sum_is("DAY 2026-03-02 refunded_on.EUR", 0);
    sum_is("DAY 2026-03-03 refunded_on.EUR", 20000);
    sum_is("ALL sales.first.refunded.EUR", (LIMIT_ORDER_REFUNDS + 1) * 10000);
}

Test(sales, a_refund_without_a_key_is_counted_and_waits_for_nothing)
{
    gives_back(START, "\"total\":5");
    sum_is("ALL sales.refunds_unmatched", 1);
    buys(START + 1, "\"key\":\"a\",\"total\":10");
    sum_is("ALL sales.refunds_unmatched", 1);
}

/* ---- a full ledger */

static void fill(int count)
{
    for (int i = 1; i <= count; i++)
        buys_number(START + i * HOUR, i);
}

Test(sales, one_order_more_than_the_ledger_has_pushes_the_oldest_out_and_changes_nothing_else)
{
    fill(LIMIT_ORDERS);
    buys_number(START + 2 * HOUR, 2); /* is known */
    sum_is("ALL sales.orders_updated", 1);
    buys_number(START + 100 * HOUR, 100);
    sum_is("ALL sales.first.orders", 1);
    sum_is("ALL sales.second.orders", 1);
    sum_is("ALL sales.repeat.orders", LIMIT_ORDERS - 1);
    sum_is("ALL sales.orders_beyond", 0);
    gives_back(START + 101 * HOUR, "\"key\":\"k1\""); /* is not known any more */
    sum_is("ALL sales.refunds_unmatched", 1);
    sum_is("ALL sales.first.orders_refunded", 0);
    gives_back(START + 101 * HOUR, "\"key\":\"k2\"");
    sum_is("ALL sales.second.orders_refunded", 1);
}

Test(sales, an_order_older_than_a_full_ledger_counts_as_a_later_one_each_time)
{
    fill(LIMIT_ORDERS);
    for (int i = 1; i <= 2; i++) {
        buys_number(START, 1000);
        sum_is("ALL sales.orders_beyond", i);
        sum_is("ALL sales.repeat.orders", LIMIT_ORDERS - 2 + i);
    }
    sum_is("DAY 2026-03-02 sales.first.orders", 1);
    buys_number(START + 200 * HOUR, 200);
    sum_is("ALL sales.first.orders", 1);
    sum_is("ALL sales.repeat.orders", LIMIT_ORDERS + 1);
    sum_is("ALL customers.3plus", 1);
}

/* ---- names */

Test(sales, a_partition_knows_so_many_channels_also_after_a_restart)
{
    for (int i = 0; i <= LIMIT_CHANNELS; i++) {
        comes("buy", arena_format(&arena, "\"customer\":\"c%d\"", i).data, START,
              arena_format(&arena, "\"key\":\"k\",\"total\":1,\"channel\":\"ch%d\"", i).data);
        rig_restart(&rig);
    }
    sum_is(arena_format(&arena, "ALL channel.ch%d.customers", LIMIT_CHANNELS - 1).data, 1);
    sum_is(arena_format(&arena, "ALL channel.ch%d.customers", LIMIT_CHANNELS).data, 0);
    sum_is("ALL channel.other.customers", 1);
    comes("buy", "\"customer\":\"known\"", START, "\"key\":\"k\",\"total\":1,\"channel\":\"ch0\"");
    sum_is("ALL channel.ch0.customers", 2);
}

Test(sales, a_channel_has_a_name_of_so_many_bytes)
{
    char name[LIMIT_CHANNEL_BYTES + 2] = {0};
    memset(name, 'x', LIMIT_CHANNEL_BYTES + 1);
    buys(START, arena_format(&arena, "\"key\":\"a\",\"total\":1,\"channel\":\"%s\"", name).data);
    sum_is("ALL channel.other.customers", 1);
    buys(START - 1, arena_format(&arena, "\"key\":\"b\",\"total\":1,\"channel\":\"%s\"", name + 1).data);
    sum_is("ALL channel.other.customers", 0);
    sum_is(arena_format(&arena, "ALL channel.%s.customers", name + 1).data, 1);
    buys(START - 2, "\"key\":\"c\",\"total\":1");
    sum_is("ALL channel.unknown.customers", 1);
}

Test(sales, a_partition_knows_so_many_currencies_of_three_letters)
{
    buys(START, "\"key\":\"odd\",\"total\":1,\"currency\":\"EURO\"");
    sum_is("ALL sales.first.gross.other", 10000);
    for (int i = 0; i <= LIMIT_CURRENCIES; i++)
        comes("buy", arena_format(&arena, "\"customer\":\"c%d\"", 10 + i).data, START,
              arena_format(&arena, "\"key\":\"k\",\"total\":1,\"currency\":\"AA%c\"", 'A' + i).data);
    sum_is("ALL sales.first.gross.AAP", 10000);
    sum_is("ALL sales.first.gross.AAQ", 0);
    sum_is("ALL sales.first.gross.other", 20000);
    comes("buy", "\"customer\":\"c9\"", START, "\"key\":\"k\",\"total\":1,\"currency\":\"aaa\"");
    sum_is("ALL sales.first.gross.AAA", 20000);
}

/* ---- whose orders they are */

Test(sales, who_had_ordered_before_is_not_new)
{
    comes("identify", "\"customer\":\"c1\"", START, "\"earlier\":1");
    buys(START, "\"key\":\"a\",\"total\":1");
    sum_is("ALL sales.second.orders", 1);
    sum_is("ALL customers.2", 1);
    sum_is("COHORTS 2026-03:unknown:0:c", 0);
    comes("identify", "\"customer\":\"c1\"", START, "\"earlier\":7"); /* it is asked once */
    buys(START + 1, "\"key\":\"b\",\"total\":1");
    sum_is("ALL sales.repeat.orders", 1);
    sum_is("ALL second_after.7", 0);
}

Test(sales, the_orders_of_a_visitor_are_the_customers_once_who_it_is_is_known)
{
    comes("buy", "\"visitor\":\"v\"", START, "\"key\":\"seen\",\"total\":5,\"channel\":\"ads\"");
    comes("buy", "\"visitor\":\"v\"", START + 40 * DAY, "\"key\":\"both\",\"total\":7");
    comes("back", "\"visitor\":\"v\"", START + 41 * DAY, "\"key\":\"own\",\"total\":2");
    buys(START + DAY, "\"key\":\"own\",\"total\":10,\"channel\":\"mail\"");
    buys(START + 42 * DAY, "\"key\":\"both\",\"total\":8");
    sum_is("ALL customers.2", 2);
    sum_is("ALL sales.first.orders", 2);
    comes("buy", "\"customer\":\"c1\",\"visitor\":\"v\"", START + 50 * DAY, "\"key\":\"last\",\"total\":1");
    sum_is("ALL customers.1", 0);
    sum_is("ALL customers.2", 0);
    sum_is("ALL customers.3plus", 1);
    sum_is("ALL sales.first.gross.EUR", 50000);
    sum_is("ALL sales.second.gross.EUR", 100000);
    sum_is("ALL sales.second.refunded.EUR", 20000);
    sum_is("ALL sales.repeat.orders", 2);
    sum_is("ALL sales.repeat.gross.EUR", 90000); /* what the newer event said, and the last */
    sum_is("ALL channel.ads.customers", 1);
    sum_is("ALL channel.mail.customers", 0);
    sum_is("ALL channel.mail.net.EUR", 0);
    sum_is("ALL second_after.7", 1);
    sum_is("ALL second_after.60", 0);
    sum_is("ALL sales.refunds_unmatched", 0);
    sum_is("COHORTS 2026-03:ads:1:o", 2);
}

Test(sales, forgetting_takes_the_ledger_and_leaves_the_sums)
{
    buys(START, "\"key\":\"a\",\"total\":1");
    comes("forget", "\"customer\":\"c1\"", START + 1, "");
    sum_is("ALL customers.1", 1);
    buys(START + 2, "\"key\":\"a\",\"total\":1");
    sum_is("ALL customers.1", 2);
    sum_is("ALL sales.first.orders", 2);
}

/* ---- other rules */

static void use_rules(const char *text, int64_t mark)
{
    struct relance_ruleset *next = rig_rules(&arena, str_of(text));
    cr_assert_not_null(next);
    cr_assert_eq(relance_engine_set_rules(rig.engine, next, mark), RELANCE_OK);
    relance_ruleset_free(rules);
    rig.options.rules = rules = next;
}

Test(sales, another_time_zone_moves_no_order_that_has_come)
{
    buys(START + 13 * HOUR, "\"key\":\"a\",\"total\":1");
    sum_is("DAY 2026-03-02 sales.first.orders", 1);
    use_rules("{\"tz\": \"Europe/Berlin\"," EVENTS SALES RULE, 1);
    buys(START + 13 * HOUR + 1, "\"key\":\"b\",\"total\":1");
    buys(START, "\"key\":\"c\",\"total\":1");
    sum_is("DAY 2026-03-02 sales.second.orders", 1);
    sum_is("DAY 2026-03-03 sales.repeat.orders", 1);
    sum_is("DAY 2026-03-02 sales.first.orders", 1);
}

Test(sales, a_ledger_goes_with_its_declaration_and_begins_anew)
{
    buys(START, "\"key\":\"a\",\"total\":1");
    use_rules("{" EVENTS RULE, 1);
    use_rules("{" EVENTS SALES RULE, 2);
    buys(START + 1, "\"key\":\"b\",\"total\":1");
    sum_is("ALL sales.first.orders", 2);
    use_rules("{\"stale\": \"1h\"," EVENTS SALES RULE, 3); /* which is the same declaration */
    buys(START + 2, "\"key\":\"c\",\"total\":1");
    sum_is("ALL sales.second.orders", 1);
}

Test(sales, a_state_without_room_forgets_the_ledger_and_says_so)
{
    rig_end(&rig);
    rig_start_as(&rig, (struct relance_engine_options){.rules = rules, .state_bytes = LIMIT_STATE_BYTES_MIN});
    fill(LIMIT_ORDERS);
    cr_expect_gt(relance_engine_forgot(rig.engine)->of[RELANCE_FORGOT_STATE_SALES], 0);
    sum_is("ALL sales.first.orders",
           1 + (int64_t)relance_engine_forgot(rig.engine)->of[RELANCE_FORGOT_STATE_SALES]);
}

/* ---- shown */

Test(sales, a_state_is_shown_with_its_orders)
{
    buys(START, "\"key\":\"a\",\"total\":10.5,\"channel\":\"ads\"");
    buys(START + DAY, "\"key\":\"b\",\"total\":3,\"currency\":\"usd\"");
    gives_back(START + DAY, "\"key\":\"a\",\"total\":2.25");
    gives_back(START + DAY, "\"key\":\"nobody\"");
    rig_checkpoint(&rig);
    str state = rig_stored(&rig, STR("c1"))->state;
    size_t size = relance_state_print(rules, STR("c1"), state, NULL, 0);
    char *text = arena_alloc(&arena, size + 1);
    text[relance_state_print(rules, STR("c1"), state, text, size)] = 0;
    const char *wanted =
        "\"sales\":{\"channel\":\"ads\",\"orders_ever\":2,\"refunds_waiting\":1,\"orders\":["
        "{\"number\":1,\"time\":\"2026-03-02T10:00:00.000Z\",\"total\":10.5,\"currency\":\"EUR\","
        "\"refunded\":2.25},"
        "{\"number\":2,\"time\":\"2026-03-03T10:00:00.000Z\",\"total\":3,\"currency\":\"USD\"}]}";
    cr_expect_not_null(strstr(text, wanted), "%s", text);
}
