/* The forms in which the simulated shop speaks: native events; calls of Segment's Spec, as RudderStack has them, too;
 * bodies of Shopify's webhooks. What a form has no word for is not said. */
#include "input/shop_form.h"

#include <relance/decision.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOPIFY_CUSTOMER = 7000001, SHOPIFY_PRODUCT = 5000001, SHOPIFY_ORDER = 9000000, TIME_SIZE = 25 };

__attribute__((format(printf, 2, 3))) static void put(struct shop_text *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    out->size += (size_t)vsnprintf(out->json + out->size, sizeof out->json - out->size, format, arguments);
    va_end(arguments);
    if (out->size >= sizeof out->json) abort(); /* SHOP_JSON_MAX is wrong */
}

static void put_cents(struct shop_text *out, const char *key, uint32_t cents)
{
    put(out, ",\"%s\":%u.%02u", key, cents / 100, cents % 100);
}

static const char *print_time(const struct happening *what, char out[TIME_SIZE])
{
    relance_time_print(what->time_ms, out);
    out[TIME_SIZE - 1] = '\0';
    return out;
}

static bool is_about_cart(const struct happening *what)
{
    return what->kind == ADD || what->kind == REMOVE;
}

/* ---- native events */

static void put_items(struct shop_text *out, const struct product *const *items, uint32_t count)
{
    put(out, ",\"items\":[");
    for (uint32_t i = 0; i < count; i++) {
        put(out, "%s{\"product\":\"%s\",\"name\":\"%s\"", i ? "," : "", items[i]->id, items[i]->name);
        put_cents(out, "price", items[i]->price_cents);
        put(out, ",\"qty\":1}");
    }
    put(out, "]");
}

static const char *const native_types[] = {
    [LOOK] = "view",    [LOOK_ELSEWHERE] = "view", [ADD] = "add_to_cart", [REMOVE] = "remove_from_cart",
    [BUY] = "purchase", [CLICK] = "click",         [REFUND] = "refund",   [HELLO] = "identify",
};

static void put_native_fields(const struct happening *what, struct shop_text *out)
{
    switch (what->kind) {
    case HELLO:
        put(out, ",\"first_name\":\"%c%s\",\"tz\":\"Europe/Paris\",\"email_ok\":%s", what->customer[0] - 32,
            what->customer + 1, what->email_ok ? "true" : "false");
        return;
    case LOOK:
    case LOOK_ELSEWHERE:
        put(out, ",\"product\":\"%s\",\"category\":\"%s\"", what->about->id, what->about->category);
        put_cents(out, "price", what->about->price_cents);
        return;
    case ADD:
    case REMOVE:
        put(out, ",\"cart\":\"k-%u\"", what->cart);
        put_items(out, &what->about, 1);
        return;
    case BUY:
        put(out, ",\"order\":\"o-%u\",\"cart\":\"k-%u\"", what->order, what->cart);
        put_cents(out, "total", what->cents);
        put(out, ",\"currency\":\"EUR\"");
        put_items(out, what->cart_has, what->cart_count);
        return;
    case CLICK:
        put(out, ",\"offer\":\"%s\",\"campaign\":\"newsletter\",\"channel\":\"email\"", what->offer);
        return;
    case REFUND:
        put(out, ",\"order\":\"o-%u\"", what->order);
        put_cents(out, "total", what->cents);
        return;
    }
}

static void put_native(const struct happening *what, struct shop_text *out)
{
    char time[TIME_SIZE];
    put(out, "{\"id\":\"e-%llu\",\"type\":\"%s\",\"customer\":\"%s\",\"time\":\"%s\"",
        (unsigned long long)what->number, native_types[what->kind], what->customer, print_time(what, time));
    put_native_fields(what, out);
    put(out, "}");
}

/* ---- Segment */

static const char *const segment_events[] = {
    [LOOK] = "Product Viewed",    [LOOK_ELSEWHERE] = "Product Viewed", [ADD] = "Product Added",
    [REMOVE] = "Product Removed", [BUY] = "Order Completed",           [CLICK] = "Promotion Clicked",
    [REFUND] = "Order Refunded",
};

static void put_segment_product(struct shop_text *out, const struct product *product)
{
    put(out, "\"product_id\":\"%s\",\"name\":\"%s\",\"category\":\"%s\"", product->id, product->name,
        product->category);
    put_cents(out, "price", product->price_cents);
}

static void put_segment_products(const struct happening *what, struct shop_text *out)
{
    put(out, ",\"products\":[");
    for (uint32_t i = 0; i < what->cart_count; i++) {
        put(out, "%s{", i ? "," : "");
        put_segment_product(out, what->cart_has[i]);
        put(out, ",\"quantity\":1}");
    }
    put(out, "]");
}

static void put_segment_properties(const struct happening *what, struct shop_text *out)
{
    switch (what->kind) {
    case HELLO: return;
    case LOOK:
    case LOOK_ELSEWHERE: put_segment_product(out, what->about); return;
    case ADD:
    case REMOVE:
        put(out, "\"cart_id\":\"k-%u\",", what->cart);
        put_segment_product(out, what->about);
        put(out, ",\"quantity\":1");
        return;
    case BUY:
        put(out, "\"order_id\":\"o-%u\",\"cart_id\":\"k-%u\"", what->order, what->cart);
        put_cents(out, "total", what->cents);
        put(out, ",\"currency\":\"EUR\"");
        put_segment_products(what, out);
        return;
    case CLICK: put(out, "\"promotion_id\":\"%s\",\"name\":\"newsletter\"", what->offer); return;
    case REFUND:
        put(out, "\"order_id\":\"o-%u\"", what->order);
        put_cents(out, "total", what->cents);
        return;
    }
}

static void put_segment(const struct happening *what, struct shop_text *out)
{
    char time[TIME_SIZE];
    bool hello = what->kind == HELLO;
    put(out, "{\"type\":\"%s\",\"messageId\":\"e-%llu\",\"timestamp\":\"%s\",\"userId\":\"%s\"",
        hello ? "identify" : "track", (unsigned long long)what->number, print_time(what, time),
        what->customer);
    put(out, ",\"context\":{\"library\":{\"name\":\"analytics.js\"},\"timezone\":\"Europe/Paris\"}");
    if (hello) {
        put(out, ",\"traits\":{\"firstName\":\"%c%s\",\"marketing_opt_in\":%s}}", what->customer[0] - 32,
            what->customer + 1, what->email_ok ? "true" : "false");
        return;
    }
    put(out, ",\"event\":\"%s\",\"properties\":{", segment_events[what->kind]);
    put_segment_properties(what, out);
    put(out, "}}");
}

/* ---- Shopify */

static const char *const shopify_topics[] = {
    [ADD] = "carts/update",      [REMOVE] = "carts/update",    [BUY] = "orders/create",
    [REFUND] = "orders/updated", [HELLO] = "customers/create",
};

/* Prices are texts. */
static void put_shopify_price(struct shop_text *out, const char *key, uint32_t cents)
{
    put(out, ",\"%s\":\"%u.%02u\"", key, cents / 100, cents % 100);
}

static void put_shopify_lines(const struct happening *what, struct shop_text *out)
{
    put(out, ",\"line_items\":[");
    for (uint32_t i = 0; i < what->cart_count; i++) {
        const struct product *product = what->cart_has[i];
        put(out, "%s{\"product_id\":%u,\"title\":\"%s\"", i ? "," : "", SHOPIFY_PRODUCT + product->number,
            product->name);
        put_shopify_price(out, "price", product->price_cents);
        put(out, ",\"quantity\":1}");
    }
    put(out, "]");
}

static void put_shopify_customer(const struct happening *what, struct shop_text *out)
{
    put(out,
        "{\"id\":%u,\"first_name\":\"%c%s\",\"state\":\"disabled\",\"email_marketing_consent\":{\"state\":\"%"
        "s\"}",
        SHOPIFY_CUSTOMER + what->customer_number, what->customer[0] - 32, what->customer + 1,
        what->email_ok ? "subscribed" : "not_subscribed");
}

static void put_shopify_order(const struct happening *what, const char *time, struct shop_text *out)
{
    bool back = what->kind == REFUND;
    put(out, "{\"id\":%u,\"cart_token\":\"k-%u\",\"customer\":{\"id\":%u},\"currency\":\"EUR\"",
        SHOPIFY_ORDER + what->order, what->cart, SHOPIFY_CUSTOMER + what->customer_number);
    put_shopify_price(out, "total_price", what->cents);
    put(out, ",\"financial_status\":\"%s\"", back ? "refunded" : "paid");
    put_shopify_lines(what, out);
    put(out, ",\"refunds\":[");
    if (back) {
        put(out,
            "{\"id\":%llu,\"created_at\":\"%s\",\"transactions\":[{\"kind\":\"refund\",\"status\":"
            "\"success\"",
            (unsigned long long)what->number, time);
        put_shopify_price(out, "amount", what->cents);
        put(out, "}]}");
    }
    put(out, "]");
    if (!back) put(out, ",\"created_at\":\"%s\"", time);
}

static void put_shopify(const struct happening *what, struct shop_text *out)
{
    char time[TIME_SIZE];
    if ((size_t)what->kind >= sizeof shopify_topics / sizeof *shopify_topics || !shopify_topics[what->kind])
        return;
    print_time(what, time);
    if (is_about_cart(what)) {
        put(out, "{\"id\":\"k-%u\",\"token\":\"k-%u\"", what->cart, what->cart);
        put_shopify_lines(what, out);
    } else if (what->kind == HELLO) {
        put_shopify_customer(what, out);
    } else {
        put_shopify_order(what, time, out);
    }
    put(out, ",\"updated_at\":\"%s\"}", time);
    snprintf(out->key, sizeof out->key, "%u", SHOPIFY_CUSTOMER + what->customer_number);
    snprintf(out->topic, sizeof out->topic, "%s", shopify_topics[what->kind]);
    snprintf(out->id, sizeof out->id, "e-%llu", (unsigned long long)what->number);
    out->headers[0] = (struct relance_header){{"x-shopify-topic", 15}, {out->topic, strlen(out->topic)}};
    out->headers[1] = (struct relance_header){{"x-shopify-webhook-id", 20}, {out->id, strlen(out->id)}};
    out->header_count = 2;
}

/* ---- all of them */

static void (*const forms[])(const struct happening *what, struct shop_text *out) = {
    [SHOP_NATIVE] = put_native,
    [SHOP_SEGMENT] = put_segment,
    [SHOP_SHOPIFY] = put_shopify,
};

void shop_form_put(enum shop_form form, const struct happening *what, struct shop_text *out)
{
    out->size = out->header_count = 0;
    snprintf(out->key, sizeof out->key, "%s", what->customer);
    forms[form](what, out);
}
