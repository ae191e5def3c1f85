/* Names of sums are read backwards, money is exact, and what is added in parts is one. */
#include "base/rfc3339.h"
#include "report/report.h"
#include <criterion/criterion.h>

static void expect_name(const char *text, enum relance_sales sum, enum sales_word word, const char *value)
{
    struct sales_name name;
    cr_assert(sales_name_read(str_of(text), &name), "%s", text);
    cr_expect_eq(name.sum, sum, "%s", text);
    cr_expect(str_equal(name.words[word], str_of(value)), "%s: '%.*s'", text, STR_ARG(name.words[word]));
}

Test(report, a_name_is_read_backwards_whatever_the_channel_is_called)
{
    expect_name("sales.first.orders", RELANCE_SALES_ORDERS, SALES_CLASS, "first");
    expect_name("sales.loyal.gross.EUR", RELANCE_SALES_GROSS, SALES_CUR, "EUR");
    expect_name("sales.orders_updated", RELANCE_SALES_ORDERS_UPDATED, SALES_CLASS, "");
    expect_name("refunded_on.other", RELANCE_SALES_REFUNDED_ON, SALES_CUR, "other");
    expect_name("customers.3plus", RELANCE_SALES_CUSTOMERS, SALES_N, "3plus");
    expect_name("second_after.more", RELANCE_SALES_SECOND_AFTER, SALES_DAYS, "more");
    expect_name("channel.mail.customers", RELANCE_SALES_CHANNEL_CUSTOMERS, SALES_CH, "mail");
    expect_name("channel..:x.net.customers.second", RELANCE_SALES_CHANNEL_SECOND, SALES_CH,
                ".:x.net.customers");
    expect_name("channel.a.net.b.net.EUR", RELANCE_SALES_CHANNEL_NET, SALES_CH, "a.net.b");
    expect_name("2026-03:mail:0:c", RELANCE_SALES_COHORT_CUSTOMERS, SALES_K, "0");
    expect_name("2026-03:a:7:c:12:g.EUR", RELANCE_SALES_COHORT_GROSS, SALES_CH, "a:7:c");
    expect_name("2026-03:a:7:c:12:g.EUR", RELANCE_SALES_COHORT_GROSS, SALES_MONTH, "2026-03");
}

Test(report, what_is_no_name_of_a_sum_is_none)
{
    static const char *const texts[] = {"",
                                        ".",
                                        "events",
                                        "events.purchase",
                                        "sales",
                                        "sales.",
                                        "sales..",
                                        "sales.a.orders_",
                                        "sales.a.gross.",
                                        "customers.",
                                        "channel",
                                        "channel.",
                                        "channel.a",
                                        "channel..customers",
                                        "2026-03::0:c",
                                        ":::",
                                        "rule.sales.first.orders"};
    struct sales_name name;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_expect_not(sales_name_read(str_of(texts[i]), &name), "%s", texts[i]);
}

static void expect_money(int64_t money, const char *text)
{
    char found[REPORT_MONEY_SIZE];
    cr_expect_str_eq(report_money_text(money, found), text);
}

Test(report, money_is_printed_exactly)
{
    expect_money(0, "0");
    expect_money(18464980030000 / 1000, "1846498.003");
    expect_money(1, "0.0001");
    expect_money(-1, "-0.0001");
    expect_money(-10500, "-1.05");
    expect_money(100000, "10");
    expect_money(INT64_MAX, "922337203685477.5807");
    expect_money(INT64_MIN, "-922337203685477.5808");
}

static void expect_each(int64_t money, int64_t among, int64_t each)
{
    int64_t found = 0;
    cr_expect(report_each(money, among, &found));
    cr_expect_eq(found, each, "%lld among %lld: %lld", (long long)money, (long long)among, (long long)found);
}

Test(report, what_each_has_is_rounded_halves_away_from_zero)
{
    int64_t each;
    expect_each(10, 4, 3);
    expect_each(-10, 4, -3);
    expect_each(9, 4, 2);
    expect_each(-9, 4, -2);
    expect_each(11, 4, 3);
    expect_each(-11, 4, -3);
    expect_each(7, 1, 7);
    expect_each(INT64_MAX, 2, INT64_MAX / 2 + 1);
    expect_each(INT64_MIN, 1, INT64_MIN);
    cr_expect_not(report_each(1, 0, &each));
    cr_expect_not(report_each(1, -1, &each));
}

static void add(struct report *report, enum relance_sums table, int64_t day, const char *name, int64_t number)
{
    report_add(report, &(struct relance_addition){table, day, str_of(name), number});
}

/* 2026-03-10 */
static void end(struct report *report)
{
    const struct report_asked asked = {.at_ms = rfc3339_days(2026, 3, 10) * INT64_C(86400000)};
    report_ask(report, &asked);
    report_end(report);
}

Test(report, partitions_are_added_up_and_currencies_are_not)
{
    struct report report = {0};
    for (int p = 0; p < 2; p++) {
        add(&report, RELANCE_SUMS_ALL, 0, "sales.first.orders", 2 - 3 * p); /* a customer has moved */
        add(&report, RELANCE_SUMS_ALL, 0, "sales.second.orders", 4);
        add(&report, RELANCE_SUMS_ALL, 0, "sales.first.gross.EUR", 10);
        add(&report, RELANCE_SUMS_ALL, 0, "sales.second.gross.CHF", 5);
    }
    add(&report, RELANCE_SUMS_ALL, 0, "sales.second.orders_refunded", 1);
    end(&report);
    cr_expect_eq(report.of[REPORT_FIRST].orders, 1);
    cr_expect_eq(report.of[REPORT_ALL].orders, 9);
    cr_expect_eq(report.of[REPORT_ALL].refunded, 1);
    cr_assert_eq(report.of[REPORT_ALL].money.count, 2);
    cr_expect_str_eq(report.of[REPORT_ALL].money.items[0].currency, "CHF");
    cr_expect_eq(report.of[REPORT_ALL].money.items[0].gross, 10);
    cr_expect_eq(report.of[REPORT_ALL].money.items[1].gross, 20);
    int64_t average;
    cr_expect_not(report_average(&report.of[REPORT_ALL], report.of[REPORT_ALL].money.items, &average));
    cr_expect(report_average(&report.of[REPORT_SECOND], report.of[REPORT_SECOND].money.items, &average));
    cr_expect_eq(average, 1); /* 10 among 7 */
    report_free(&report);
}

/* Who came less than 90 days ago has not had the time. */
Test(report, a_second_order_within_90_days_is_asked_of_those_who_have_had_them)
{
    struct report report = {0};
    int64_t today = rfc3339_days(2026, 3, 10);
    add(&report, RELANCE_SUMS_ALL, 0, "sales.first.orders", 10);
    add(&report, RELANCE_SUMS_ALL, 0, "second_after.7", 2);
    add(&report, RELANCE_SUMS_ALL, 0, "second_after.90", 1);
    add(&report, RELANCE_SUMS_ALL, 0, "second_after.180", 1);
    add(&report, RELANCE_SUMS_DAY, today - 90, "sales.first.orders", 3);
    add(&report, RELANCE_SUMS_DAY, today - 89, "sales.first.orders", 2);
    add(&report, RELANCE_SUMS_DAY, today - 89, "second_after.7", 1);
    add(&report, RELANCE_SUMS_DAY, today, "sales.first.orders", 1);
    end(&report);
    cr_expect_eq(report.within_of, 7);
    cr_expect_eq(report.within, 2);
    cr_expect_eq(report_second_orders(&report), 4);
    cr_expect_eq(report_median_days(&report), 7);
    cr_expect_eq(report.day_count, 2, "the last 90 days are told");
    report_free(&report);
}

Test(report, a_cohort_is_worth_what_its_months_brought_once_they_are_over)
{
    struct report report = {0};
    struct report_cohort cohort = {0};
    add(&report, RELANCE_SUMS_COHORTS, 0, "2026-02:b:0:c", 4);
    add(&report, RELANCE_SUMS_COHORTS, 0, "2026-02:b:0:g.EUR", 400);
    add(&report, RELANCE_SUMS_COHORTS, 0, "2026-01:b:1:g.EUR", 50);
    add(&report, RELANCE_SUMS_COHORTS, 0, "2026-01:b:0:c", 2);
    add(&report, RELANCE_SUMS_COHORTS, 0, "2026-01:b:0:g.EUR", 100);
    add(&report, RELANCE_SUMS_COHORTS, 0, "2026-01:b:0:r.EUR", 30);
    add(&report, RELANCE_SUMS_COHORTS, 0, "2026-01:a:0:c", 1);
    add(&report, RELANCE_SUMS_COHORTS, 0, "2026-01:a:36:c", 1); /* there is no such month */
    end(&report);
    cr_assert(report_next_cohort(&report, &cohort));
    cr_expect_eq(cohort.month, 2026 * 12);
    cr_expect_eq(cohort.customers, 3);
    cr_expect_eq(cohort.months, 3, "March has begun");
    cr_expect(report_is_over(&report, cohort.month, 1));
    cr_expect_not(report_is_over(&report, cohort.month, 2));
    struct report_cell cell = report_cohort_month(&report, &cohort, 0);
    cr_expect_eq(cell.customers, 3);
    cr_expect_eq(report_net(cell.money.items), 70);
    report_cell_free(&cell);
    cr_assert(report_next_cohort(&report, &cohort));
    cr_expect_not(report_next_cohort(&report, &cohort));
    struct report_ltv ltv = report_ltv(&report, 0, "EUR", 1); /* "b", of January alone */
    cr_expect_eq(ltv.net, 120);
    cr_expect_eq(ltv.customers, 2);
    cr_expect_eq(report_ltv(&report, 0, "EUR", 3).customers, 0);
    report_free(&report);
}
