/* Where to listen: what is loopback's, what is open to others, and what is no address. */
#include "http/address.h"
#include <criterion/criterion.h>

static struct relance_error error;

static const char *read_as(const char *text)
{
    static char shown[HTTP_ADDRESS_TEXT];
    struct http_address address;
    if (http_address_read(text, &address, &error) != RELANCE_OK) return "";
    return http_address_text(&address, shown);
}

Test(address, a_port_alone_is_loopbacks)
{
    struct http_address address;
    cr_assert_eq(http_address_read("8077", &address, &error), RELANCE_OK);
    cr_expect(address.is_loopback);
    cr_expect_str_eq(read_as("8077"), "127.0.0.1:8077");
    cr_expect_str_eq(read_as("localhost:1"), "127.0.0.1:1");
}

Test(address, says_what_is_open_to_other_machines)
{
    static const char *const own[] = {"127.0.0.1:1", "127.9.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1",
                                      "LocalHost:1"};
    static const char *const open[] = {
        "0.0.0.0:1",           "[::]:1",     "10.0.0.1:1", "[fe80::1]:1", "126.255.255.255:1",
        "[::ffff:10.0.0.1]:1", "128.0.0.1:1"};
    struct http_address address;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        cr_assert_eq(http_address_read(own[i], &address, &error), RELANCE_OK, "%s", own[i]);
        cr_expect(address.is_loopback, "%s", own[i]);
    }
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        cr_assert_eq(http_address_read(open[i], &address, &error), RELANCE_OK, "%s", open[i]);
        cr_expect_not(address.is_loopback, "%s", open[i]);
    }
}

Test(address, refuses_what_is_none_and_says_which_there_are)
{
    static const char *const wrong[] = {"",
                                        ":8077",
                                        "0",
                                        "65536",
                                        "-1",
                                        "8077 ",
                                        "127.0.0.1",
                                        "127.0.0.1:",
                                        "host:80",
                                        "::1:80",
                                        "[::1]",
                                        "[]:80",
                                        "[127.0.0.1]:80",
                                        "127.1:80",
                                        "1.2.3.4.5:80",
                                        "http://127.0.0.1:80",
                                        "[::1:80",
                                        "127.0.0.1:80:80",
                                        "0x7f.0.0.1:80",
                                        ".localhost:80",
                                        "notlocalhost:80",
                                        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct http_address address;
        cr_assert_eq(http_address_read(wrong[i], &address, &error), RELANCE_INVALID, "%s", wrong[i]);
        cr_expect_not_null(strstr(error.message, "127.0.0.1:8077"), "%s", error.message);
    }
}

Test(address, is_written_as_it_was_read)
{
    static const char *const right[] = {"127.0.0.1:8077", "0.0.0.0:65535", "[::1]:1", "[::]:80",
                                        "[2001:db8::1]:443"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        cr_expect_str_eq(read_as(right[i]), right[i]);
}

Test(address, who_asks_this_machine_asks_by_way_of_loopback)
{
    static const char *const asked[][2] = {
        {"0.0.0.0:80", "127.0.0.1:80"}, {"[::]:80", "[::1]:80"}, {"10.0.0.1:80", "10.0.0.1:80"}};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct http_address address, ask;
        char shown[HTTP_ADDRESS_TEXT];
        cr_assert_eq(http_address_read(asked[i][0], &address, &error), RELANCE_OK);
        ask = http_address_to_ask(&address);
        cr_expect_str_eq(http_address_text(&ask, shown), asked[i][1]);
    }
}

Test(address, knows_the_names_of_this_machine)
{
    static const char *const own[] = {"localhost", "LOCALHOST", "localhost.", "shop.localhost",
                                      "a.b.LocalHost."};
    static const char *const others[] = {
        "", ".", "localhos", ".localhost", "alocalhost", "localhost.example", "localhost..", "evil.example"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        cr_expect(http_is_loopback_name(str_of(own[i])), "%s", own[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_expect_not(http_is_loopback_name(str_of(others[i])), "%s", others[i]);
}
