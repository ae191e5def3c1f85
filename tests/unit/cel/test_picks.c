/* What became of the elements that a function of the host gave: what is taken, and what left the others out. */
#include "base/buffer.h"
#include "cel/picks.h"
#include "cel_world.h"

#include <criterion/criterion.h>

enum { VIEWS, NEAR = 5, POPULAR };

static struct cel_world world;

/* near(x, n): the first n of mat, lamp, cup, rope. popular(n): likewise of mug, tent. views: how long the name is. */
static struct cel_value call(struct cel_frame *frame, uint32_t function, const struct cel_value *arguments)
{
    static const char *const lists[][4] = {{"mat", "lamp", "cup", "rope"}, {"mug", "tent"}};
    if (function < NEAR) return cel_int(arguments[0].size);
    int64_t wanted = arguments[function == NEAR].as.i;
    struct cel_list *list = cel_list_with_room(frame, 4);
    for (size_t i = 0; i < 4 && (int64_t)i < wanted && lists[function - NEAR][i]; i++)
        list->items[list->count++] = cel_string(str_of(lists[function - NEAR][i]));
    return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}

static void begin(void)
{
    static const struct cel_type *parameters[] = {&cel_types[CEL_TYPE_STRING], &cel_types[CEL_TYPE_INT]};
    cel_world_begin(&world);
    world.frame.call = call;
    const struct cel_type *texts = cel_list_of(&world.arena, parameters[0]);
    cr_assert(cel_env_add_function(world.env, STR("near"), parameters, 2, texts, NEAR));
    cr_assert(cel_env_add_function(world.env, STR("popular"), parameters + 1, 1, texts, POPULAR));
}

static void end(void)
{
    cel_world_end(&world);
}

TestSuite(cel_picks, .init = begin, .fini = end);

static void *tag(void *context)
{
    return context;
}

/* "mat +, lamp -views(p) < 4 is false (views(p) = 4)"; + is taken, . only asked about; | between calls. */
static str shown(const char *text)
{
    const struct cel_picking picking = {world.env, str_of(text), NEAR, tag, &world};
    struct cel_picks *picks;
    struct buffer out;
    buffer_init(&out, &world.arena);
    cr_assert(cel_picks_find(&world.arena, &picking, &world.frame, &picks));
    for (; picks; picks = picks->next) {
        cr_expect_eq(picks->tag, &world);
        for (size_t i = 0; i < picks->list->count; i++)
            buffer_put_format(&out, "%s%.*s %s%s%.*s", i ? ", " : "",
                              STR_ARG(cel_text(picks->list->items[i])),
                              picks->picks[i].why.size ? "-"
                              : picks->is_taken        ? "+"
                                                       : ".",
                              picks->picks[i].why.size && !picks->picks[i].by_value ? "by " : "",
                              STR_ARG(picks->picks[i].why));
        if (picks->next) buffer_put_str(&out, STR(" | "));
    }
    return buffer_str(&out);
}

static void picked(const char *text, const char *expected)
{
    str got = shown(text);
    cr_expect(str_equal(got, str_of(expected)), "%s\n  expected %s\n  got      %.*s", text, expected,
              STR_ARG(got));
}

Test(cel_picks, all_are_taken_where_nothing_leaves_out)
{
    picked("near('x', 2)", "mat +, lamp +");
    picked("{'list': near('x', 2)}", "mat +, lamp +");
    picked("near('x', 0)", "");
    picked("score", "");
}

Test(cel_picks, a_condition_leaves_out_with_its_values)
{
    picked("near('x', 3).filter(p, views(p) < 4)",
           "mat +, lamp -views(p) < 4 is false (views(p) = 4), cup +");
    picked("near('x', 3).filter(p, !(p in ['mat', 'cup']) && views(p) > 9)",
           "mat -p in ['mat', 'cup'] is true, and views(p) > 9 is false (views(p) = 3), "
           "lamp -views(p) > 9 is false (views(p) = 4), "
           "cup -p in ['mat', 'cup'] is true, and views(p) > 9 is false (views(p) = 3)");
    picked("near('x', 2).transformList(i, p, i > 0, p)", "mat -i > 0 is false, lamp +");
}

Test(cel_picks, a_call_leaves_out_as_it_is_written)
{
    picked("near('x', 3).take(2)", "mat +, lamp +, cup -by take(2)");
    picked("(near('x', 3).slice(1, 3))", "mat -by slice(1, 3), lamp +, cup +");
    picked("near('x', 3)[1]", "mat -by near('x', 3)[1], lamp +, cup -by near('x', 3)[1]");
    picked("near('x', 4).filter(p, views(p) < 4).take(1)",
           "mat +, lamp -views(p) < 4 is false (views(p) = 4), cup -by take(1), "
           "rope -views(p) < 4 is false (views(p) = 4)");
}

Test(cel_picks, what_becomes_of_each_is_followed)
{
    picked("near('x', 3).map(p, {'product': p}).take(1)", "mat +, lamp -by take(1), cup -by take(1)");
    picked("near('x', 3).map(p, p + '!').filter(p, p != 'cup!')", "mat +, lamp +, cup -p != 'cup!' is false");
    picked("near('x', 3).take(2).join(', ')", "mat +, lamp +, cup -by take(2)");
    picked("near('x', 3).sortBy(p, p).take(2)", "mat -by take(2), lamp +, cup +");
    picked("near('x', 2) + ['z']", "mat +, lamp +");
    picked("cel.bind(n, near('x', 3), n.size() > 2 ? n.take(1) : n)",
           "mat +, lamp -by cel.bind(n, near('x', 3), n.size() > 2 ? n.take(1) : n), "
           "cup -by cel.bind(n, near('x', 3), n.size() > 2 ? n.take(1) : n)");
    picked("cel.bind(x, 'tent', near(x, 3).filter(p, p != x && views(p) < 4))",
           "mat +, lamp -views(p) < 4 is false (views(p) = 4), cup +");
}

Test(cel_picks, what_only_says_something_of_them_takes_none)
{
    picked("near('x', 2).size()", "mat ., lamp .");
    picked("near('x', 2).exists(p, views(p) > 3)", "mat -views(p) > 3 is false (views(p) = 3), lamp .");
    picked("'z' in near('x', 1) || score > 1", "mat .");
    picked("near('x', 2).join(', ').size() + 1", "mat ., lamp .");
    picked("near(near('y', 1)[0], 2)", "mat . | mat +, lamp +");
}

Test(cel_picks, looks_where_the_language_looks)
{
    picked("near('x', 4).size() > 9 ? near('x', 1) : popular(2)",
           "mat ., lamp ., cup ., rope . | mug +, tent +");
    picked("score > 99 && near('x', 1).size() > 0", "");
    picked("coalesce(event.coupon, near('x', 1)[0])", "mat +");
    picked("event.tags.exists(t, near(t, 1).size() > 0)", "");
}

Test(cel_picks, an_expression_that_fails_says_what_it_can)
{
    picked("near('x', 2).filter(p, event.coupon == p)",
           "mat -event.coupon == p fails: no such field 'coupon', "
           "lamp -event.coupon == p fails: no such field 'coupon'");
}
