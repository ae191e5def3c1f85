/* Who is let in over HTTP, and what is answered to the others. */
#include "http/door.h"
#include <criterion/criterion.h>

#define TOKEN "0123456789abcdef"
static const struct http_door loopback = {0}, named = {.names = "shop.example, metrics.shop.example"},
                              guarded = {.token = TOKEN}, engine = {.any_host = true};

/* What `relance serve` has. */
static const struct http_door view = {.token = TOKEN, .cookie = "relance-8077", .has_view = true},
                              display = {.has_view = true, .no_customers = true};

static enum http_verdict ask_view(const char *path, const char *cookie, const char *token)
{
    enum http_page page;
    const struct http_request request = {.method = STR("GET"),
                                         .path = str_of(path),
                                         .host = STR("127.0.0.1"),
                                         .cookie = str_of(cookie),
                                         .token = str_of(token)};
    return http_judge(&view, &request, &page);
}

static enum http_verdict ask(const struct http_door *door, const char *method, const char *path,
                             const char *host, const char *authorization)
{
    enum http_page page;
    const struct http_request request = {.method = str_of(method),
                                         .path = str_of(path),
                                         .host = str_of(host),
                                         .authorization = str_of(authorization)};
    return http_judge(door, &request, &page);
}

static enum http_verdict ask_host(const struct http_door *door, const char *host)
{
    return ask(door, "GET", "/metrics", host, NULL);
}

static enum http_verdict ask_token(const char *authorization)
{
    return ask(&guarded, "GET", "/metrics", "127.0.0.1", authorization);
}

Test(door, lets_addresses_and_names_of_this_machine_in)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.1:8077", "10.1.2.3:80",
                                        "[::1]",     "[::1]:8077",     "[2001:db8::1]:443",
                                        "localhost", "LOCALHOST:8077", "relance.localhost:80"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        cr_expect_eq(ask_host(&loopback, hosts[i]), HTTP_LET_IN, "%s", hosts[i]);
}

Test(door, a_name_that_nobody_gave_is_no_host)
{
    static const char *const hosts[] = {"evil.example",
                                        "evil.example:8077",
                                        "",
                                        "::1",
                                        "127.0.0.1.evil.example",
                                        "localhost.evil.example",
                                        "127.0.0.1:x",
                                        "127.0.0.1:99999",
                                        "127.0.0.1@evil.example",
                                        "[::1].evil.example",
                                        "[x].localhost",
                                        "a[]b.localhost:1]",
                                        "0x7f000001",
                                        "127.0.0.1:80:80",
                                        " ",
                                        "shop.example"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        cr_expect_eq(ask_host(&loopback, hosts[i]), HTTP_NO_HOST, "%s", hosts[i]);
    cr_expect_eq(ask_host(&loopback, NULL), HTTP_NO_HOST);
}

Test(door, names_that_were_given_are_let_in_in_any_case_and_no_others)
{
    cr_expect_eq(ask_host(&named, "shop.example"), HTTP_LET_IN);
    cr_expect_eq(ask_host(&named, "Metrics.Shop.Example:443"), HTTP_LET_IN);
    cr_expect_eq(ask_host(&named, "127.0.0.1"), HTTP_LET_IN);
    cr_expect_eq(ask_host(&named, "example"), HTTP_NO_HOST);
    cr_expect_eq(ask_host(&named, "shop.example,"), HTTP_NO_HOST);
    cr_expect_eq(ask_host(&engine, "any.example"), HTTP_LET_IN);
    cr_expect_eq(ask_host(&engine, NULL), HTTP_LET_IN);
}

Test(door, only_the_whole_token_opens_it)
{
    static const char *const wrong[] = {"",
                                        "Bearer",
                                        "Bearer ",
                                        "Bearer 0123456789abcde",
                                        "Bearer 0123456789abcdeg",
                                        "Bearer " TOKEN "0",
                                        "Bearer " TOKEN TOKEN,
                                        "Basic " TOKEN,
                                        TOKEN,
                                        "Bearer" TOKEN};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(ask_token(wrong[i]), HTTP_NO_TOKEN, "%s", wrong[i]);
    cr_expect_eq(ask_token(NULL), HTTP_NO_TOKEN);
    cr_expect_eq(ask_token("Bearer " TOKEN), HTTP_LET_IN);
    cr_expect_eq(ask_token("bearer  " TOKEN), HTTP_LET_IN);
}

Test(door, a_cookie_of_its_own_name_opens_it_with_the_whole_token)
{
    static const char *const wrong[] = {"",
                                        "relance-8077",
                                        "relance-8077=",
                                        "relance-8077=0123456789abcde",
                                        "relance-8077=" TOKEN "0",
                                        "relance-8077=\"" TOKEN "\"",
                                        "relance-80=" TOKEN,
                                        "xrelance-8077=" TOKEN,
                                        "relance-80770=" TOKEN,
                                        "relance-8077 =" TOKEN,
                                        TOKEN,
                                        "a=b; c",
                                        ";;;",
                                        "relance-8077=no; relance-8077=" TOKEN};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(ask_view("/api/now", wrong[i], NULL), HTTP_NO_TOKEN, "%s", wrong[i]);
    cr_expect_eq(ask_view("/api/now", NULL, NULL), HTTP_NO_TOKEN);
    cr_expect_eq(ask_view("/api/now", NULL, TOKEN), HTTP_NO_TOKEN);
    cr_expect_eq(ask_view("/api/now", "relance-8077=" TOKEN, NULL), HTTP_LET_IN);
    cr_expect_eq(ask_view("/", "a=b;relance-8077=" TOKEN " ; c=d", NULL), HTTP_LET_IN);
}

Test(door, a_login_takes_the_token_from_the_query_alone)
{
    cr_expect_eq(ask_view("/login", NULL, TOKEN), HTTP_LET_IN);
    cr_expect_eq(ask_view("/login", NULL, TOKEN "0"), HTTP_NO_TOKEN);
    cr_expect_eq(ask_view("/login", NULL, ""), HTTP_NO_TOKEN);
    cr_expect_eq(ask_view("/login", "relance-8077=" TOKEN, NULL), HTTP_NO_TOKEN);
    cr_expect_eq(ask(&display, "GET", "/login", "127.0.0.1", NULL), HTTP_LET_IN);
    cr_expect_eq(ask(&display, "GET", "/login", "evil.example", NULL), HTTP_NO_HOST);
}

Test(door, customers_are_shown_unless_they_are_not_to_be_and_the_view_only_where_there_is_one)
{
    static const char *const of_customers[] = {"/api/customer", "/api/story", "/api/examples"};
    for (size_t i = 0; i < sizeof of_customers / sizeof *of_customers; i++) {
        cr_expect_eq(ask(&display, "GET", of_customers[i], "127.0.0.1", NULL), HTTP_NO_CUSTOMERS);
        cr_expect_eq(ask(&display, "GET", of_customers[i], "evil.example", NULL), HTTP_NO_HOST);
        cr_expect_eq(ask_view(of_customers[i], NULL, NULL), HTTP_NO_TOKEN);
        cr_expect_eq(ask_view(of_customers[i], "relance-8077=" TOKEN, NULL), HTTP_LET_IN);
    }
    for (enum http_page page = 0; page < HTTP_PAGE_COUNT; page++)
        cr_expect_eq(ask(&loopback, "GET", http_page_path(page), "127.0.0.1", NULL),
                     page < HTTP_VIEW ? HTTP_LET_IN : HTTP_NO_PAGE, "%s", http_page_path(page));
    cr_expect_eq(ask(&display, "GET", "/api/now", "127.0.0.1", NULL), HTTP_LET_IN);
    cr_expect_eq(ask(&display, "POST", "/api/now", "127.0.0.1", NULL), HTTP_NO_METHOD);
}

static bool decodes(str text, str wanted)
{
    char out[64];
    size_t size;
    return http_decode(text, out, &size) && str_equal((str){out, size}, wanted);
}

Test(door, values_are_decoded_or_refused)
{
    static const char *const wrong[] = {"%",   "a%",  "a%4",    "%4g",       "%g4", "%%41",
                                        "%00", "%ff", "%c0%af", "%ed%a0%80", "\xff"};
    cr_expect(decodes(STR(""), STR("")));
    cr_expect(decodes(STR("a+b%20c%2Bd%2bE"), STR("a b c+d+E")));
    cr_expect(decodes(STR("%c3%a4\xc3\xa4%F0%9F%98%80"), STR("ää\xf0\x9f\x98\x80")));
    cr_expect(decodes(STR("%2541"), STR("%41"))); /* once is enough */
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char out[64];
        size_t size;
        cr_expect_not(http_decode(str_of(wrong[i]), out, &size), "%s", wrong[i]);
    }
}

Test(door, whoever_asks_for_health_needs_neither_host_nor_token)
{
    cr_expect_eq(ask(&guarded, "GET", "/healthz", "evil.example", NULL), HTTP_LET_IN);
    cr_expect_eq(ask(&guarded, "HEAD", "/readyz", NULL, NULL), HTTP_LET_IN);
    cr_expect_eq(ask(&guarded, "POST", "/readyz", NULL, NULL), HTTP_NO_METHOD);
}

Test(door, nothing_is_told_to_whoever_is_not_let_in_not_even_what_there_is)
{
    cr_expect_eq(ask(&guarded, "GET", "/nothing", "127.0.0.1", NULL), HTTP_NO_TOKEN);
    cr_expect_eq(ask(&loopback, "GET", "/nothing", "evil.example", NULL), HTTP_NO_HOST);
    cr_expect_eq(ask(&loopback, "GET", "/nothing", "127.0.0.1", NULL), HTTP_NO_PAGE);
    cr_expect_eq(ask(&loopback, "GET", "/metrics/", "127.0.0.1", NULL), HTTP_NO_PAGE);
    cr_expect_eq(ask(&loopback, "get", "/metrics", "127.0.0.1", NULL), HTTP_NO_METHOD);
}

Test(door, what_is_doubtful_is_not_let_in)
{
    enum http_page page;
    const struct http_request request = {.method = STR("GET"), .path = STR("/healthz"), .is_doubtful = true};
    cr_expect_eq(http_judge(&engine, &request, &page), HTTP_DOUBTFUL);
}

Test(door, knows_what_can_be_a_token_and_what_a_list_of_names)
{
    char longest[HTTP_TOKEN_MAX + 2];
    memset(longest, 'a', sizeof longest);
    cr_expect(http_is_token((str){longest, HTTP_TOKEN_MAX}));
    cr_expect_not(http_is_token((str){longest, HTTP_TOKEN_MAX + 1}));
    cr_expect(http_is_token(STR("AZaz09-._~+/====")));
    cr_expect_not(http_is_token(STR("0123456789abcde")));
    cr_expect_not(http_is_token(STR("0123456789 abcdef")));
    cr_expect_not(http_is_token(STR("0123456789\0abcdef")));
    cr_expect_not(http_is_token(STR("0123456789abcde\xc3\xa9")));
    cr_expect(http_are_names(STR("a")));
    cr_expect(http_are_names(STR("a.example, b-c.example")));
    static const char *const wrong[] = {"", ",", "a,", ",a", "a,,b", "a b", "a:80", "http://a", "[::1]"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_not(http_are_names(str_of(wrong[i])), "%s", wrong[i]);
}
