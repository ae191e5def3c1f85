#include "base/numeral.h"

#include <criterion/criterion.h>
#include <stdio.h>

TestSuite(numeral, .timeout = 30);

struct row {
    const char *text;
    const char *number; /* NULL: none */
};

static void expect_rows(char mark, const struct row *rows, size_t count)
{
    struct buffer out = {0};
    for (size_t i = 0; i < count; i++) {
        out.size = 0;
        buffer_put_str(&out, STR("x:"));
        bool read = numeral_read(str_of(rows[i].text), mark, &out);
        str found = str_slice(buffer_str(&out), 2, out.size), wanted = str_of(rows[i].number);
        cr_expect(read == (rows[i].number != NULL) && str_equal(found, wanted),
                  "'%s' with the mark '%c': wanted %s, got '%.*s'", rows[i].text, mark,
                  rows[i].number ? rows[i].number : "nothing", STR_ARG(found));
    }
    buffer_free(&out);
}

#define EXPECT(mark, rows) expect_rows(mark, rows, sizeof(rows) / sizeof *(rows))

Test(numeral, reads_what_has_a_decimal_comma)
{
    static const struct row rows[] = {
        {"12,50", "12.50"},
        {"1.234,50", "1234.50"},
        {"1.800", "1800"},
        {"1.240,50 €", "1240.50"},
        {"1 234,50", "1234.50"},
        {"1\u00A0234,50 €", "1234.50"},
        {"1\u202F234,50 €", "1234.50"},
        {"199,00 kr.", "199.00"},
        {"kr. 199,00", "199.00"},
        {"kr 1.299,-", "1299"},
        {"12,-", "12"},
        {"12,--", "12"},
        {"12:-", "12"},
        {"€ 5,–", "5"},
        {"CHF 1'200,50", "1200.50"},
        {"1.234.567,89", "1234567.89"},
        {"0,5", "0.5"},
        {",5", "0.5"},
        {"5,", "5"},
        {"Rs. 12,50", "12.50"},
        {"zł 12,50", "12.50"},
        {"12,50 zł", "12.50"},
        {"100,00 руб.", "100.00"},
        {"1,2E+03", "1.2E+03"},
    };
    EXPECT(',', rows);
}

Test(numeral, reads_what_has_a_decimal_point)
{
    static const struct row rows[] = {
        {"12.50", "12.50"},
        {"1,234.50", "1234.50"},
        {"1,800", "1800"},
        {"$1,299.00", "1299.00"},
        {"USD 12.50", "12.50"},
        {"12.50USD", "12.50"},
        {"US$ 9.99", "9.99"},
        {"A$9.99", "9.99"},
        {"Rs. 1,299.00", "1299.00"},
        {"Rs.1,299.00", "1299.00"},
        {"S/. 12.50", "12.50"},
        {"Fr. 20", "20"},
        {"Fr. 12.–", "12"},
        {"CHF 1'200.50", "1200.50"},
        {"CHF 1’200.50", "1200.50"},
        {"₹1,00,000.00", "100000.00"},
        {"12,34,567", "1234567"},
        {"1.2E+03", "1.2E+03"},
        {"1e3", "1e3"},
        {"0", "0"},
        {"007", "7"},
        {"000", "0"},
        {"0.50", "0.50"},
        {".50", "0.50"},
        {"5.", "5"},
        {"  12.50\t", "12.50"},
        {"R 12", "12"},
        {"1234567.891", "1234567.891"},
    };
    EXPECT('.', rows);
}

Test(numeral, reads_the_sign_wherever_formatters_put_it)
{
    static const struct row rows[] = {
        {"-12.50", "-12.50"},
        {"−12.50", "-12.50"},       /* U+2212 */
        {"‐12.50", "-12.50"},       /* U+2010 */
        {"–12.50", "-12.50"},       /* U+2013 */
        {"\u200E−12.50", "-12.50"}, /* behind a mark of direction */
        {"kr\u00A0−600.00", "-600.00"},
        {"−kr 600.00", "-600.00"},
        {"-$5", "-5"},
        {"$-5", "-5"},
        {"(12.50)", "-12.50"},
        {"$(1,234.50)", "-1234.50"},
        {"(€ 12.50)", "-12.50"},
        {"12.50-", "-12.50"},
        {"12.50− kr", "-12.50"},
        {"+5.00", "5.00"},
        {"-.5", "-0.5"},
        {"-0", "-0"},
    };
    EXPECT('.', rows);
}

Test(numeral, takes_nothing_from_a_text_that_it_does_not_understand_to_its_end)
{
    static const char *const texts[] = {
        "",           " ",        "-",       "€",         "()",        "n/a",
        "free",       "12,50",    "1,23.50", "1,2345",    "1234,567",  "0,500",
        "1.234.567",  "12.5.0",   "1 2",     "1 000,50",  "1,234 567", "600·00",
        "2×300.00",   "2 x 9.99", "5€50",    "1½",        "10–20",     "1+2",
        "5+",         "--5",      "-5-",     "(-5)",      "(5",        "5)",
        "((5))",      ")5(",      "12.50%",  "12.50 ea.", "12 pcs",    "12 all",
        "krone 5",    "EURX 5",   "9.99/10", "1.5 234",   "12,-5",     "1,00,00",
        "100,00,000", "1e",       "e5",      "\xC3",      "5\xE2\x88", "12.50 (incl. VAT)",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_rows('.', &(struct row){texts[i], NULL}, 1);
}

Test(numeral, takes_no_point_for_a_comma_unless_it_separates_thousands)
{
    static const struct row rows[] = {
        {"12.50", NULL},
        {"1,234.50", NULL},
        {"1,234,567", NULL},
        {"3 für 2,50", NULL},
        {"12,50 EUR inkl. 19% MwSt.", NULL},
    };
    EXPECT(',', rows);
}
