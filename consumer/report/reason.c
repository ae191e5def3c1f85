#include "report/reason.h"
#include "host/print.h"
#include "host/text.h"

#include <cjson/cJSON.h>

enum { ITEMS_NAMED = 2 };

/* {key}: the run's key; {items}: names in `with.items`; {ago}: from the trigger to the moment it was due;
 * {trigger}: its type. A step of 0 stands for all steps. */
static const struct reason_row {
    const char *rule;
    int step;
    const char *form;
} rows[] = {
    {"cart_abandoned", 1, "left cart {key} with {items} {ago} ago, no purchase"},
    {"cart_abandoned", 0, "first mail did not help: cart {key} with {items}, left {ago} ago"},
    {"offer_follow_up", 0, "clicked on offer {key} {ago} ago, no purchase since"},
    {"browse_abandoned", 0, "looked at {key} again and again, last {ago} ago, not in the cart"},
    {"first_purchase", 0, "first order {key} {ago} ago: {items}"},
    {NULL, 0, "{trigger} {key} {ago} ago"},
};

static const char *text_member(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

static int number_member(const cJSON *object, const char *name)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(number) ? number->valueint : 0;
}

static int64_t instant_member(const cJSON *object, const char *name)
{
    int64_t ms = 0;
    return text_instant(str_of(text_member(object, name)), &ms) ? ms : 0;
}

/* ---- what may stand in a form */

static void put_key(const cJSON *action, FILE *out)
{
    print(out, "%s", text_member(action, "key"));
}

/* "Tent", "Tent and Headlamp", "Tent, Headlamp and 2 more" */
static void put_items(const cJSON *action, FILE *out)
{
    const cJSON *items =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(action, "with"), "items");
    int count = cJSON_GetArraySize(items);
    for (int i = 0; i < count && i < ITEMS_NAMED; i++)
        print(out, "%s%s",
              !i                     ? ""
              : count == ITEMS_NAMED ? " and "
                                     : ", ",
              text_member(cJSON_GetArrayItem(items, i), "name"));
    if (count > ITEMS_NAMED) print(out, " and %d more", count - ITEMS_NAMED);
}

static void put_ago(const cJSON *action, FILE *out)
{
    const cJSON *trigger = cJSON_GetObjectItemCaseSensitive(action, "trigger");
    int64_t minutes = (instant_member(action, "due") - instant_member(trigger, "time")) / 60000;
    if (minutes < 60)
        print(out, "%lld min", (long long)minutes);
    else if (minutes < 48 * 60)
        print(out, "%lld h", (long long)minutes / 60);
    else
        print(out, "%lld days", (long long)minutes / (24 * 60));
}

static void put_trigger(const cJSON *action, FILE *out)
{
    print(out, "%s", text_member(cJSON_GetObjectItemCaseSensitive(action, "trigger"), "type"));
}

static const struct reason_word {
    struct relance_str word;
    void (*put)(const cJSON *action, FILE *out);
} words[] = {
    {STR("{key}"), put_key},
    {STR("{items}"), put_items},
    {STR("{ago}"), put_ago},
    {STR("{trigger}"), put_trigger},
};

/* ---- forms */

static const char *reason_form(const char *rule, int step)
{
    size_t i = 0;
    while (rows[i].rule && (strcmp(rows[i].rule, rule) != 0 || (rows[i].step && rows[i].step != step)))
        i++;
    return rows[i].form;
}

static size_t put_word(const char *at, const cJSON *action, FILE *out)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strncmp(at, words[i].word.data, words[i].word.size) != 0) continue;
        words[i].put(action, out);
        return words[i].word.size;
    }
    fputc(*at, out);
    return 1;
}

static bool reason_write(const char *form, const cJSON *action, char *text, size_t size)
{
    FILE *out = fmemopen(text, size, "w");
    if (!out) return false;
    while (*form)
        form += put_word(form, action, out);
    fclose(out); /* ends it with a NUL, also where it was cut */
    text[size - 1] = '\0';
    return true;
}

bool reason_read(struct relance_str text, struct reason *out)
{
    cJSON *action = cJSON_ParseWithLength(text.data, text.size);
    const char *rule = text_member(action, "rule"), *customer = text_member(action, "customer");
    bool ok = *rule && *customer;
    if (ok) {
        *out = (struct reason){
            .due_ms = instant_member(action, "due"),
            .step = number_member(action, "step"),
        };
        snprintf(out->customer, sizeof out->customer, "%s", customer);
        snprintf(out->rule, sizeof out->rule, "%s", rule);
        snprintf(out->kind, sizeof out->kind, "%s", text_member(action, "action"));
        ok = reason_write(reason_form(rule, out->step), action, out->why, sizeof out->why);
    }
    cJSON_Delete(action);
    return ok;
}
