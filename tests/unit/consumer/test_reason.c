/* Actions in words. */
#include "report/reason.h"

#include <criterion/criterion.h>
#include <string.h>

static struct reason read_action(const char *text)
{
    struct reason reason;
    cr_assert(reason_read((struct relance_str){text, strlen(text)}, &reason));
    return reason;
}

Test(reason, tells_a_shipped_rule_in_its_own_words)
{
    struct reason reason = read_action(
        "{\"action\":\"email\",\"rule\":\"cart_abandoned\",\"customer\":\"anna\",\"key\":\"k-17\",\"step\":1,"
        "\"due\":\"2026-03-02T11:00:00.120Z\",\"with\":{\"items\":[{\"name\":\"Tent\"},{\"name\":\"Mat\"},{"
        "\"name\":\"Mug\"}]},"
        "\"trigger\":{\"id\":\"e-81\",\"type\":\"add_to_cart\",\"time\":\"2026-03-02T10:00:00.120Z\"}}");
    cr_expect_str_eq(reason.why, "left cart k-17 with Tent, Mat and 1 more 1 h ago, no purchase");
    cr_expect_str_eq(reason.customer, "anna");
    cr_expect_str_eq(reason.rule, "cart_abandoned");
    cr_expect_str_eq(reason.kind, "email");
    cr_expect_eq(reason.step, 1);
    cr_expect_eq(reason.due_ms, 1772449200120);
}

Test(reason, tells_any_other_rule_by_its_trigger)
{
    struct reason reason = read_action("{\"rule\":\"mine\",\"customer\":\"ben\",\"key\":\"x\",\"step\":3,"
                                       "\"due\":\"2026-03-05T10:00:00Z\","
                                       "\"trigger\":{\"type\":\"visit\",\"time\":\"2026-03-02T10:00:00Z\"}}");
    cr_expect_str_eq(reason.why, "visit x 3 days ago");
}

Test(reason, refuses_what_is_no_action)
{
    static const char *const texts[] = {
        "", "null", "[]", "{}", "{\"rule\":1,\"customer\":2}", "{\"rule\":\"a\"", "\"rule\""};
    struct reason reason;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_expect_not(reason_read((struct relance_str){texts[i], strlen(texts[i])}, &reason), "%s", texts[i]);
}

Test(reason, cuts_what_is_too_long)
{
    char text[4096], key[2000];
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    snprintf(text, sizeof text, "{\"rule\":\"mine\",\"customer\":\"%s\",\"key\":\"%s\"}", key, key);
    struct reason reason = read_action(text);
    cr_expect_lt(strlen(reason.why), sizeof reason.why);
    cr_expect_lt(strlen(reason.customer), sizeof reason.customer);
}
