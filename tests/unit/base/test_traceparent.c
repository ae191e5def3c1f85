/* W3C's form of a trace context, as its specification has it. */
#include "base/traceparent.h"

#include <criterion/criterion.h>

Test(traceparent, of_the_specification_is_one)
{
    cr_expect(traceparent_is_valid(STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")));
    cr_expect(traceparent_is_valid(STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")));
    cr_expect(traceparent_is_valid(STR("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-09")),
              "a later version");
}

Test(traceparent, of_another_form_is_none)
{
    static const char *const wrong[] = {
        "",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-012",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7-01",
        "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-x1",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_not(traceparent_is_valid(str_of(wrong[i])), "%s", wrong[i]);
    cr_expect_not(traceparent_is_valid((str){0}));
    cr_expect_not(
        traceparent_is_valid((str){"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-\n1", 55}));
}
