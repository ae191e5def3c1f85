#include "base/nearest.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(nearest, .timeout = 30);

static void expect_nearest(str word, str expected)
{
    static const str names[] = {STR("on"),       STR("if"),      STR("key"), STR("again"),
                                STR("cancel"),   STR("while"),   STR("do"),  STR("cooldown"),
                                STR("priority"), STR("product"), STR("")};
    struct nearest nearest = nearest_to(word);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        nearest_offer(&nearest, names[i]);
    str found = nearest.name;
    cr_expect(str_equal(found, expected), "for '%.*s' wanted '%.*s', got '%.*s'", STR_ARG(word),
              STR_ARG(expected), STR_ARG(found));
}

Test(nearest, finds_the_name_that_a_typing_mistake_meant)
{
    expect_nearest(STR("cancel"), STR("cancel"));
    expect_nearest(STR("cancle"), STR("cancel"));      /* two letters swapped */
    expect_nearest(STR("pruduct"), STR("product"));    /* one wrong */
    expect_nearest(STR("priorty"), STR("priority"));   /* one missing */
    expect_nearest(STR("cool_down"), STR("cooldown")); /* one too many */
    expect_nearest(STR("kei"), STR("key"));
    expect_nearest(STR("no"), STR("on"));
}

Test(nearest, suggests_nothing_that_is_not_near)
{
    expect_nearest(STR("zzzzzz"), STR(""));
    expect_nearest(STR("weather"), STR(""));
    expect_nearest(STR(""), STR(""));
    expect_nearest(STR("frequency_of_mails"), STR(""));
}

Test(nearest, of_a_list_is_the_same)
{
    static const str words[] = {STR("lateness"), STR("test"), STR("output")};
    cr_expect(str_equal(nearest_of(STR("tset"), words, 3), STR("test")));
    cr_expect(str_equal(nearest_of(STR("ouput"), words, 3), STR("output")));
    cr_expect_eq(nearest_of(STR("colour"), words, 3).size, 0);
    cr_expect_eq(nearest_of(STR(""), words, 3).size, 0);
}

/* The bound of the search is on the safe side: 64 letters are compared, 65 are not. */
Test(nearest, compares_names_of_64_letters_and_leaves_longer_ones)
{
    char letters[65];
    memset(letters, 'a', sizeof letters);
    const struct {
        size_t word, candidate, found;
    } sizes[] = {{63, 64, 64}, {64, 64, 64}, {65, 65, 0}, {64, 65, 0}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct nearest nearest = nearest_to((str){letters, sizes[i].word});
        nearest_offer(&nearest, (str){letters, sizes[i].candidate});
        cr_expect_eq(nearest.name.size, sizes[i].found);
    }
}
