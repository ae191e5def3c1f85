/* `sales`: which events are orders and refunds, and what is asked of them. */
#include "rule/compile/compile.h"

static const struct type_list no_types = {0};

/* That it is declared is known before any expression is compiled: some call what it gives. */
void declare_sales(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    struct names *names = &set->names.sales;
    bool declared = c->files.sales.node;
    struct sales_rule *sales = declared ? ARENA_NEW(c->keep, struct sales_rule) : NULL;
    if (!names_init(names, c->keep, 1) || (declared && !sales)) c->diag->failed = true;
    if (!sales) return;
    set->sales = sales;
    names_add(names, STR("sales"));
}

/* A part of it, which is an object; NULL: it is not there. */
static const struct json *sales_part(struct compiler *c, const struct json *node, const char *name,
                                     enum keyword_place place, const char *needs)
{
    const struct source *source = c->files.sales.source;
    const struct json *part = keyword_get(node, PLACE_SALES, name);
    str what = arena_format(c->scratch, "'%s'", name);
    if (!part || !what.size) return NULL;
    keyword_check(source, part, place, what.data, c->diag);
    bool whole = json_member(part, "on") && json_member(part, "key") &&
                 (place != PLACE_ORDER || json_member(part, "total"));
    if (!whole) gather_error_at_key(c->diag, source, part, (str){0}, "%s needs %s", what.data, needs);
    return part;
}

static const struct cel_program *compile_key(struct compiler *c, const struct cel_env *env,
                                             const struct json *node)
{
    const struct source *source = c->files.sales.source;
    const struct cel_program *key = compile_text(c, env, source, node, NULL);
    compile_expect_kinds(c, source, node, key, KINDS_KEY, false, "a string, int, uint or bool");
    return key;
}

static const struct cel_program *compile_money(struct compiler *c, const struct cel_env *env,
                                               const struct json *node)
{
    const struct source *source = c->files.sales.source;
    const struct cel_program *total = compile_text(c, env, source, node, NULL);
    compile_expect_kinds(c, source, node, total, KINDS_NUMBER, false, "a number");
    return total;
}

static void compile_order(struct compiler *c, const struct json *node, struct sales_rule *out)
{
    const struct source *source = c->files.sales.source;
    const struct json *order = sales_part(c, node, "order", PLACE_ORDER, "'on', 'key' and 'total'");
    if (!order) return;
    c->owner = (struct owner){"sales", STR("order")};
    out->orders = declare_read_types(c, source, keyword_get(order, PLACE_ORDER, "on"));
    if (!out->orders.count) return;
    arena_reset(c->place);
    const struct cel_env *env = scope_env(c, SCOPE_EVENT, out->orders, no_types, "'order'");
    out->key = compile_key(c, env, keyword_get(order, PLACE_ORDER, "key"));
    out->total = compile_money(c, env, keyword_get(order, PLACE_ORDER, "total"));
    out->currency = compile_text(c, env, source, keyword_get(order, PLACE_ORDER, "currency"),
                                 &cel_types[CEL_TYPE_STRING]);
}

static void compile_refund(struct compiler *c, const struct json *node, struct sales_rule *out)
{
    const struct json *refund = sales_part(c, node, "refund", PLACE_REFUND, "'on' and 'key'");
    if (!refund) return;
    c->owner = (struct owner){"sales", STR("refund")};
    out->refunds = declare_read_types(c, c->files.sales.source, keyword_get(refund, PLACE_REFUND, "on"));
    if (!out->refunds.count) return;
    arena_reset(c->place);
    const struct cel_env *env = scope_env(c, SCOPE_EVENT, out->refunds, no_types, "'refund'");
    out->refund_key = compile_key(c, env, keyword_get(refund, PLACE_REFUND, "key"));
    out->refund_total = compile_money(c, env, keyword_get(refund, PLACE_REFUND, "total"));
}

/* What is asked of the customer when an order comes. */
static void compile_customer(struct compiler *c, const struct json *node, struct sales_rule *out)
{
    enum { SCOPE = SCOPE_EVENT | SCOPE_LAST | SCOPE_NOW | SCOPE_COUNTS | SCOPE_SEGMENTS };
    const struct source *source = c->files.sales.source;
    struct type_list orders = out->orders;
    unsigned flags = SCOPE | scope_of(orders);
    arena_reset(c->place);
    c->owner = (struct owner){"sales", STR("channel")};
    out->channel = compile_text(c, scope_env(c, flags, orders, no_types, "'channel'"), source,
                                keyword_get(node, PLACE_SALES, "channel"), &cel_types[CEL_TYPE_STRING]);
    c->owner.name = STR("loyal");
    out->loyal = compile_condition(c, scope_env(c, flags, orders, no_types, "'loyal'"), source,
                                   keyword_get(node, PLACE_SALES, "loyal"));
    c->owner.name = STR("before");
    out->before = compile_text(c, scope_env(c, flags, orders, no_types, "'before'"), source,
                               keyword_get(node, PLACE_SALES, "before"), &cel_types[CEL_TYPE_INT]);
}

static void mark_types(struct compiler *c, const struct sales_rule *sales)
{
    for (size_t i = 0; i < sales->orders.count; i++)
        c->set->types[sales->orders.types[i]].sells = true;
    for (size_t i = 0; i < sales->refunds.count; i++)
        c->set->types[sales->refunds.types[i]].refunds = true;
}

void compile_sales(struct compiler *c)
{
    struct sales_rule *sales = (struct sales_rule *)c->set->sales;
    const struct json *node = c->files.sales.node;
    if (!sales) return;
    keyword_check(c->files.sales.source, node, PLACE_SALES, "'sales'", c->diag);
    if (!json_member(node, "order"))
        gather_error_at_key(c->diag, c->files.sales.source, node,
                            STR("\"order\": {\"on\": EVENT, \"key\": CEL, \"total\": CEL}"),
                            "'sales' needs 'order': which events tell of an order");
    compile_order(c, node, sales);
    compile_refund(c, node, sales);
    compile_customer(c, node, sales);
    mark_types(c, sales);
}
