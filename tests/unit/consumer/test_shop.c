/* The simulated shop: the same seed gives the same shop, time never goes back, every event is one. */
#include "input/shop.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { EVENTS = 3000, START_MS = 1000000 };

static struct shop *open_shop(uint64_t seed, uint32_t customers)
{
    struct shop_options options = {.seed = seed, .customers = customers, .start_ms = START_MS};
    struct shop *shop = shop_new(&options);
    cr_assert(shop);
    return shop;
}

Test(shop, tells_the_same_story_for_the_same_seed_and_another_for_another)
{
    struct shop *a = open_shop(1, 40), *b = open_shop(1, 40), *c = open_shop(2, 40);
    struct shop_event x, y, z;
    int different = 0;
    for (int i = 0; i < EVENTS; i++) {
        shop_next(a, &x);
        shop_next(b, &y);
        shop_next(c, &z);
        cr_assert_eq(x.json.size, y.json.size);
        cr_assert(memcmp(x.json.data, y.json.data, x.json.size) == 0);
        different += x.json.size != z.json.size || memcmp(x.json.data, z.json.data, x.json.size) != 0;
    }
    cr_expect_gt(different, EVENTS / 2);
    shop_free(a);
    shop_free(b);
    shop_free(c);
}

Test(shop, makes_json_events_in_the_order_of_their_time)
{
    struct shop *shop = open_shop(7, 100);
    struct shop_event event;
    int64_t newest_ms = START_MS;
    for (int i = 0; i < EVENTS; i++) {
        shop_next(shop, &event);
        cr_assert(event.time_ms >= newest_ms);
        newest_ms = event.time_ms;
        cJSON *json = cJSON_ParseWithLength(event.json.data, event.json.size);
        cr_assert(json);
        const char *customer = cJSON_GetStringValue(cJSON_GetObjectItem(json, "customer"));
        cr_assert(customer && strlen(customer) == event.customer.size);
        cr_assert(memcmp(customer, event.customer.data, event.customer.size) == 0);
        cr_assert(cJSON_GetStringValue(cJSON_GetObjectItem(json, "id")));
        cr_assert(cJSON_GetStringValue(cJSON_GetObjectItem(json, "type")));
        cJSON_Delete(json);
    }
    shop_free(shop);
}

/* What a form has no word for is left out; the rest comes at the same times. */
Test(shop, tells_the_same_in_other_forms_with_the_headers_that_these_have)
{
    for (enum shop_form form = SHOP_SEGMENT; form <= SHOP_SHOPIFY; form++) {
        struct shop_options options = {.form = form, .seed = 7, .customers = 100, .start_ms = START_MS};
        struct shop *native = open_shop(7, 100), *shop = shop_new(&options);
        struct shop_event said, event;
        cr_assert(shop);
        for (int i = 0; i < EVENTS; i++) {
            shop_next(shop, &event);
            do
                shop_next(native, &said);
            while (said.time_ms < event.time_ms && form == SHOP_SHOPIFY);
            cr_assert_eq(said.time_ms, event.time_ms);
            cr_assert_eq(event.header_count, form == SHOP_SHOPIFY ? 2 : 0);
            cJSON *json = cJSON_ParseWithLength(event.json.data, event.json.size);
            cr_assert(json);
            cr_assert(cJSON_HasObjectItem(json, form == SHOP_SHOPIFY ? "updated_at" : "messageId"));
            cJSON_Delete(json);
        }
        shop_free(shop);
        shop_free(native);
    }
}

Test(shop, opens_with_its_first_customer_and_lives_with_one)
{
    struct shop *shop = open_shop(3, 1);
    struct shop_event event;
    shop_next(shop, &event);
    cr_expect_eq(event.time_ms, START_MS);
    for (int i = 0; i < EVENTS; i++) {
        shop_next(shop, &event);
        cr_assert_eq(event.customer.size, 4);
        cr_assert(memcmp(event.customer.data, "anna", 4) == 0);
    }
    shop_free(shop);
}

/* "k-3 tent" of an event with a cart. */
static void cart_line(const cJSON *json, char *out, size_t size)
{
    const cJSON *item = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "items"), 0);
    snprintf(out, size, "%s %s", cJSON_GetStringValue(cJSON_GetObjectItem(json, "cart")),
             cJSON_GetStringValue(cJSON_GetObjectItem(item, "product")));
}

Test(shop, takes_out_of_a_cart_what_was_put_into_it)
{
    static char added[EVENTS][64];
    struct shop *shop = open_shop(1, 40);
    struct shop_event event;
    int additions = 0, removals = 0;
    for (int i = 0; i < EVENTS; i++) {
        shop_next(shop, &event);
        cJSON *json = cJSON_ParseWithLength(event.json.data, event.json.size);
        const char *type = cJSON_GetStringValue(cJSON_GetObjectItem(json, "type"));
        if (strcmp(type, "add_to_cart") == 0) cart_line(json, added[additions++], sizeof added[0]);
        if (strcmp(type, "remove_from_cart") == 0) {
            char removed[64];
            bool known = false;
            cart_line(json, removed, sizeof removed);
            for (int a = 0; a < additions; a++)
                known |= strcmp(added[a], removed) == 0;
            cr_expect(known, "%s", removed);
            removals++;
        }
        cJSON_Delete(json);
    }
    cr_expect_gt(removals, 0);
    shop_free(shop);
}
