/* Of each customer and rule, the number of sends under both sets and a digest of what was sent when: two that
 * are the same in number may still be other mails, or at another time. */
#include "report/diff.h"
#include "host/print.h"
#include "base/buffer.h"
#include "base/ensure.h"
#include "host/table.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>

enum { EXAMPLES = 10 };

/* ---- taking */

static uint64_t diff_digest(const struct relance_decision *decision)
{
    struct relance_str parts[] = {decision->send, decision->with, decision->key};
    uint64_t digest = (uint64_t)decision->time_ms;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        digest = XXH3_64bits_withSeed(parts[i].data, parts[i].size, digest);
    return digest;
}

void diff_take(struct diff *diff, enum diff_side side, const struct relance_decision *decision)
{
    summary_take(&diff->summaries[side], decision);
    if (decision->outcome != RELANCE_OUTCOME_SENT) return;
    struct buffer name = {0};
    if (decision->is_visitor) buffer_put_str(&name, STR("visitor "));
    buffer_put_str(&name, decision->customer);
    buffer_put(&name, "", 1);
    buffer_put_str(&name, decision->rule);
    struct tally_item *item = tally_at(&diff->sends, buffer_str(&name));
    item->count[side]++;
    item->digest[side] += diff_digest(decision);
    buffer_free(&name);
}

/* ---- rules */

static void diff_put_change(struct table *table, const char *rule, const char *what, double now, double draft,
                            int decimals)
{
    table_put(table, "%s", rule);
    table_put(table, "%s", what);
    table_put(table, "%.*f", decimals, now);
    table_put(table, "%.*f", decimals, draft);
    table_put(table, "%+.*f", decimals, draft - now);
}

static size_t diff_put_rule(struct table *table, const struct summary_row *now,
                            const struct summary_row *draft)
{
    const char *name = now->name ? now->name : draft->name;
    size_t changes = 0;
    for (int i = 0; i < RELANCE_OUTCOME_COUNT; i++) {
        if (now->counts[i] == draft->counts[i]) continue;
        struct relance_str outcome = relance_outcome_text((enum relance_outcome)i);
        char what[32];
        snprintf(what, sizeof what, "%.*s", STR_ARG(outcome));
        diff_put_change(table, changes++ ? "" : name, what, (double)now->counts[i], (double)draft->counts[i],
                        0);
    }
    if (now->money != draft->money)
        diff_put_change(table, changes++ ? "" : name, "money", now->money, draft->money, 2);
    return changes;
}

/* Both in the order of their names, a rule that one of them does not have being one that decided nothing. */
static void diff_print_rules(const struct diff *diff, FILE *out)
{
    static const struct table_column columns[] = {{"rule", TABLE_LEFT},
                                                  {"outcome", TABLE_LEFT},
                                                  {"now", TABLE_RIGHT},
                                                  {"draft", TABLE_RIGHT},
                                                  {"change", TABLE_RIGHT}};
    static const struct summary_row none = {0};
    const struct summary *a = &diff->summaries[DIFF_NOW], *b = &diff->summaries[DIFF_DRAFT];
    struct table *table = table_new(columns, 5);
    size_t changes = 0;
    for (size_t i = 0, j = 0; i < a->rules.count || j < b->rules.count;) {
        int order = i == a->rules.count   ? 1
                    : j == b->rules.count ? -1
                                          : strcmp(a->rules.list[i].name, b->rules.list[j].name);
        changes += diff_put_rule(table, order <= 0 ? &a->rules.list[i] : &none,
                                 order >= 0 ? &b->rules.list[j] : &none);
        i += order <= 0;
        j += order >= 0;
    }
    if (changes)
        table_print(table, out);
    else
        fputs("No rule decides anything more or less often.\n", out);
    table_free(table);
}

/* ---- customers */

enum group { GETS_MORE, GETS_LESS, GETS_OTHER, GETS_SAME, GROUPS };

/* What one customer gets: its items stand together, by rule. */
struct customer {
    const struct tally_item *items;
    size_t count;
    int64_t change;
    enum group group;
};

static struct relance_str item_customer(const struct tally_item *item)
{
    return str_of(item->name.data); /* up to the NUL */
}

static const char *item_rule(const struct tally_item *item)
{
    return item->name.data + strlen(item->name.data) + 1;
}

static struct customer diff_customer(const struct tally_item *items, size_t left)
{
    struct customer customer = {.items = items, .group = GETS_SAME};
    bool same = true;
    while (customer.count < left && str_equal(item_customer(&items[customer.count]), item_customer(items))) {
        const struct tally_item *item = &items[customer.count++];
        customer.change += (int64_t)item->count[DIFF_DRAFT] - (int64_t)item->count[DIFF_NOW];
        same &= item->count[DIFF_NOW] == item->count[DIFF_DRAFT] &&
                item->digest[DIFF_NOW] == item->digest[DIFF_DRAFT];
    }
    if (!same)
        customer.group = customer.change > 0 ? GETS_MORE : customer.change < 0 ? GETS_LESS : GETS_OTHER;
    return customer;
}

/* Those whose number of sends changes most, then by name. */
static int diff_by_change(const void *a, const void *b)
{
    const struct customer *x = a, *y = b;
    int64_t x_change = x->change < 0 ? -x->change : x->change,
            y_change = y->change < 0 ? -y->change : y->change;
    if (x_change != y_change) return x_change > y_change ? -1 : 1;
    return str_compare(item_customer(x->items), item_customer(y->items));
}

static void diff_print_customer(const struct customer *customer, FILE *out)
{
    print(out, "  %s  %+" PRId64 ":", item_customer(customer->items).data, customer->change);
    const char *comma = " ";
    for (size_t i = 0; i < customer->count; i++) {
        const struct tally_item *item = &customer->items[i];
        bool moved = item->count[DIFF_NOW] == item->count[DIFF_DRAFT];
        if (moved && item->digest[DIFF_NOW] == item->digest[DIFF_DRAFT]) continue;
        print(out, "%s%s ", comma, item_rule(item));
        if (moved)
            print(out, "%" PRIu64 " at another time or with other contents", item->count[DIFF_NOW]);
        else
            print(out, "%" PRIu64 " -> %" PRIu64, item->count[DIFF_NOW], item->count[DIFF_DRAFT]);
        comma = ", ";
    }
    fputc('\n', out);
}

/* Of each group in turn the one that changes most, until there are ten. */
static void diff_print_examples(const struct customer *customers, size_t count, FILE *out)
{
    size_t next[GROUPS] = {0}, shown = 0;
    for (bool more = true; more && shown < EXAMPLES;) {
        more = false;
        for (enum group group = 0; group < GETS_SAME && shown < EXAMPLES; group++) {
            while (next[group] < count && customers[next[group]].group != group)
                next[group]++;
            if (next[group] == count) continue;
            if (!shown++) fputs("\nfor example\n", out);
            diff_print_customer(&customers[next[group]++], out);
            more = true;
        }
    }
}

static void diff_print_customers(const struct diff *diff, FILE *out)
{
    static const char *const texts[GROUPS] = {
        "get more", "get less", "get as many, at another time or with other contents", "get the same"};
    const struct tally *sends = &diff->sends;
    struct customer *customers = calloc(sends->count + 1, sizeof *customers);
    size_t count = 0, groups[GROUPS] = {0};
    ensure(customers);
    for (size_t at = 0; at < sends->count; at += customers[count++].count) {
        customers[count] = diff_customer(&sends->items[at], sends->count - at);
        groups[customers[count].group]++;
    }
    fputs("\ncustomers to whom something is sent\n", out);
    for (enum group group = 0; group < GROUPS; group++)
        print(out, "  %zu %s\n", groups[group], texts[group]);
    qsort(customers, count, sizeof *customers, diff_by_change);
    diff_print_examples(customers, count, out);
    free(customers);
}

void diff_print(struct diff *diff, FILE *out)
{
    for (enum diff_side side = 0; side < DIFF_SIDES; side++)
        summary_sort(&diff->summaries[side]);
    tally_sort(&diff->sends);
    diff_print_rules(diff, out);
    diff_print_customers(diff, out);
    fputc('\n', out);
}

void diff_free(struct diff *diff)
{
    for (enum diff_side side = 0; side < DIFF_SIDES; side++)
        summary_free(&diff->summaries[side]);
    tally_free(&diff->sends);
}
