/* Lists in a real Redis: what differs is written, what has left goes, and whoever finds the hash in any other state than it
 * left it in puts it right. */
#include "base/str.h"
#include "learn/also.h"
#include "server.h"
#include <criterion/criterion.h>
#include <relance/learn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define KEY "relance:{g:t}:also:goes_with"
/* Of lists that are written down the weights are of no account; these are what they come to. */
#define FIRST  "7.53e-07"
#define SECOND "7.45e-07"

static struct relance_error error;

TestSuite(also, .init = server_begin, .fini = server_end, .timeout = 60);

#define LIST(name, ...)                                                                                      \
    {                                                                                                        \
        .product = STR(name), .partners = (const str[]){__VA_ARGS__},                                        \
        .count = sizeof((const str[]){__VA_ARGS__}) / sizeof(str)                                            \
    }

static struct relance_model *version(uint64_t number, const struct relance_model_list *lists, size_t count)
{
    const struct relance_model_head head = {
        .number = number, .recipe = 7, .chain = 0xabc0 + number, .at_ms = 1772445600120};
    struct relance_model *model = relance_model_of_lists(lists, count, &head);
    cr_assert(model);
    return model;
}

static struct relance_model *first_version(void)
{
    const struct relance_model_list lists[] = {LIST("tent", STR("mat"), STR("lamp")),
                                               LIST("boot", STR("sock")), LIST("gas", STR("tent")),
                                               LIST("*", STR("mug"), STR("tent"))};
    return version(1, lists, 4);
}

/* The boot has left, a stove has come, gas has no list any more, the tent goes with something else; and that a mug is popular stays. */
static struct relance_model *second_version(void)
{
    const struct relance_model_list lists[] = {LIST("tent", STR("stove")), LIST("stove", STR("gas")),
                                               LIST("*", STR("mug"), STR("tent"))};
    return version(2, lists, 3);
}

static enum relance_status put(const struct relance_model *before, const struct relance_model *model)
{
    const struct also_place place = {server_url, "g", "t"};
    return also_write(&place, STR("goes_with"), before, model, &error);
}

static void expect_first(void)
{
    server_expect("[[\"mat\"," FIRST "],[\"lamp\"," SECOND "]]", "HGET " KEY " tent");
    server_expect("[[\"sock\"," FIRST "]]", "HGET " KEY " boot");
    server_expect("[[\"mug\",1],[\"tent\",0.99]]", "HGET " KEY " *");
    server_expect(
        "{\"n\":1,\"recipe\":\"0000000000000007\",\"chain\":\"000000000000abc1\",\"at\":1772445600120,"
        "\"whole\":true}",
        "HGET " KEY " #");
    server_expect("5", "HLEN " KEY);
}

static void expect_second(void)
{
    server_expect("[[\"stove\"," FIRST "]]", "HGET " KEY " tent");
    server_expect("[[\"gas\"," FIRST "]]", "HGET " KEY " stove");
    server_expect(
        "{\"n\":2,\"recipe\":\"0000000000000007\",\"chain\":\"000000000000abc2\",\"at\":1772445600120,"
        "\"whole\":true}",
        "HGET " KEY " #");
    server_expect("4", "HLEN " KEY);
}

Test(also, a_version_is_written_and_the_next_takes_its_place)
{
    struct relance_model *first = first_version(), *second = second_version();
    cr_assert_eq(put(NULL, first), RELANCE_OK, "%s", error.message);
    expect_first();
    server_expect("0", "HSET " KEY " * meddled");
    cr_assert_eq(put(first, second), RELANCE_OK, "%s", error.message);
    expect_second();
    server_expect("meddled", "HGET " KEY " *"); /* what has not changed is not written */
    relance_model_release(first);
    relance_model_release(second);
}

Test(also, a_hash_that_is_as_it_should_be_is_left_alone)
{
    struct relance_model *first = first_version();
    cr_assert_eq(put(NULL, first), RELANCE_OK);
    server_expect("0", "HSET " KEY " * meddled");
    cr_assert_eq(put(NULL, first), RELANCE_OK);
    server_expect("meddled", "HGET " KEY " *");
    relance_model_release(first);
}

Test(also, a_lost_hash_is_written_again_whole)
{
    struct relance_model *first = first_version(), *second = second_version();
    cr_assert_eq(put(NULL, first), RELANCE_OK);
    server_expect("1", "DEL " KEY);
    cr_assert_eq(put(first, second), RELANCE_OK, "%s", error.message);
    expect_second();
    relance_model_release(first);
    relance_model_release(second);
}

static bool is_behind(const struct relance_model *model)
{
    const struct also_place place = {server_url, "g", "t"};
    bool found = false;
    cr_assert_eq(also_look(&place, STR("goes_with"), model, &found, &error), RELANCE_OK, "%s", error.message);
    return found;
}

Test(also, a_hash_that_is_lost_or_older_is_seen_and_a_later_one_let_alone)
{
    struct relance_model *first = first_version(), *second = second_version();
    cr_expect(is_behind(first));
    cr_assert_eq(put(NULL, first), RELANCE_OK);
    cr_expect_not(is_behind(first));
    cr_expect(is_behind(second));
    cr_assert_eq(put(NULL, second), RELANCE_OK);
    cr_expect_not(is_behind(first), "another learner's, by whom we are replaced");
    server_expect("0", "HSET " KEY " # meddled");
    cr_expect(is_behind(first));
    server_expect("0", "HSET " KEY " # {\"n\":1,\"recipe\":\"0000000000000007\",\"whole\":false}");
    cr_expect(is_behind(first));
    server_expect("0", "HSET " KEY " # {\"n\":9,\"recipe\":\"0000000000000008\",\"whole\":true}");
    cr_expect(is_behind(first), "of another declaration");
    server_expect("1", "DEL " KEY);
    cr_expect(is_behind(first));
    relance_model_release(first);
    relance_model_release(second);
}

Test(also, a_hash_of_any_other_version_is_put_right)
{
    struct relance_model *first = first_version(), *second = second_version();
    cr_assert_eq(put(NULL, second), RELANCE_OK);
    server_expect("1", "HSET " KEY " stranger x");
    cr_assert_eq(put(second, first), RELANCE_OK); /* as whoever goes back: its head is known, */
    server_expect("x", "HGET " KEY " stranger");
    server_expect("0", "HSET " KEY " # other tent old"); /* and here it is not */
    cr_assert_eq(put(second, first), RELANCE_OK);
    expect_first();
    relance_model_release(first);
    relance_model_release(second);
}

Test(also, weights_are_parts_of_all_who_came)
{
    const struct relance_learn_recipe recipe = {
        .recipe = 7, .within_ms = 86400000, .half_life_ms = 86400000 * 60L, .least = 1};
    struct relance_learn *learn = relance_learn_new(&recipe);
    struct relance_str bytes;
    relance_learn_state(learn, 0);
    for (uint64_t customer = 1; customer <= 4; customer++)
        for (size_t i = 0; i < (customer == 4 ? 1 : 2); i++) {
            const str products[] = {STR("tent"), STR("mat")};
            const struct relance_learn_event event = {customer, &products[i], 1, 1000 + 1000 * (int64_t)i, 1};
            relance_learn_count(learn, &event);
        }
    struct relance_model *model = relance_learn_version(learn, 3000, NULL, true, &bytes);
    cr_assert_eq(put(NULL, model), RELANCE_OK, "%s", error.message);
    server_expect("[[\"mat\",0.75]]", "HGET " KEY " tent");
    server_expect("[[\"tent\",0.5]]", "HGET " KEY " mat"); /* what came before counts half */
    server_expect("[[\"tent\",1],[\"mat\",0.75]]", "HGET " KEY " *");
    relance_model_release(model);
    relance_learn_free(learn);
}

Test(also, names_of_strangers_are_text)
{
    const struct relance_model_list lists[] = {LIST("a b\r\n\"\\", STR("x\"],[\n"))};
    struct relance_model *model = version(1, lists, 1);
    cr_assert_eq(put(NULL, model), RELANCE_OK);
    redisReply *reply = redisCommand(server_link, "HGET " KEY " %s", "a b\r\n\"\\");
    cr_expect_str_eq(reply->str, "[[\"x\\\"],[\\n\"," FIRST "]]");
    freeReplyObject(reply);
    relance_model_release(model);
}

/* Of so long names that it takes several parts. */
enum { LARGE_PRODUCTS = 5000, LARGE_NAME = 1000 };
static struct relance_model *large_version(uint64_t number)
{
    char(*names)[LARGE_NAME] = calloc(LARGE_PRODUCTS, sizeof *names);
    str *texts = calloc(LARGE_PRODUCTS, sizeof *texts);
    struct relance_model_list *lists = calloc(LARGE_PRODUCTS, sizeof *lists);
    for (size_t i = 0; i < LARGE_PRODUCTS; i++) {
        snprintf(names[i], sizeof names[i], "%0*zu", LARGE_NAME - 1, i * number);
        texts[i] = (str){names[i], LARGE_NAME - 1};
    }
    for (size_t i = 0; i < LARGE_PRODUCTS; i++)
        lists[i] = (struct relance_model_list){texts[i], &texts[(i + 1) % LARGE_PRODUCTS], 1};
    struct relance_model *model = version(number, lists, LARGE_PRODUCTS);
    free(names);
    free(texts);
    free(lists);
    return model;
}

static void expect_in_log(const char *word, bool there)
{
    char command[256];
    snprintf(command, sizeof command, "grep -rqaF '%s' %s", word, server_directory);
    cr_expect_eq(system(command) == 0, there, "%s", word);
}

Test(also, what_is_large_goes_in_parts_and_the_head_says_when_it_is_whole)
{
    struct relance_model *small = first_version(), *first = large_version(2), *second = large_version(3);
    cr_assert_eq(put(NULL, small), RELANCE_OK);
    expect_in_log("\"whole\":false", false);
    cr_assert_eq(put(small, first), RELANCE_OK, "%s", error.message);
    expect_in_log("\"whole\":false", true);
    server_expect("5001", "HLEN " KEY);
    server_expect("0", "HEXISTS " KEY " tent");
    const str some = relance_model_product(first, 7);
    freeReplyObject(redisCommand(server_link, "HSET " KEY " # half %b x", some.data, some.size));
    cr_assert_eq(put(small, first), RELANCE_OK, "%s", error.message); /* whoever wrote before has not ended */
    server_expect("5001", "HLEN " KEY);
    cr_assert_eq(put(first, second), RELANCE_OK, "%s", error.message);
    server_expect("5001", "HLEN " KEY);
    server_expect(
        "{\"n\":3,\"recipe\":\"0000000000000007\",\"chain\":\"000000000000abc3\",\"at\":1772445600120,"
        "\"whole\":true}",
        "HGET " KEY " #");
    relance_model_release(small);
    relance_model_release(first);
    relance_model_release(second);
}

Test(also, a_redis_that_is_away_is_told)
{
    struct relance_model *first = first_version();
    server_stop(SIGKILL);
    cr_assert_neq(put(NULL, first), RELANCE_OK);
    server_start();
    cr_assert_eq(put(NULL, first), RELANCE_OK, "%s", error.message);
    expect_first();
    relance_model_release(first);
}
