#include "view/customer.h"
#include "report/places.h"

#include <relance/engine.h>
#include <stdlib.h>

struct customer {
    const struct rulesets *rulesets;
    const struct checkpoints *checkpoints;
    struct relance_str id, name; /* as it is asked for, and of its state */
    struct buffer *to;
};

static void customer_put_state(const struct customer *customer, const struct ruleset *ruleset,
                               struct relance_str state)
{
    size_t size = ruleset->rules ? relance_state_print(ruleset->rules, customer->name, state, NULL, 0) : 0;
    if (!size) {
        buffer_put_str(customer->to, STR("null")); /* of another version */
        return;
    }
    char *room = buffer_room(customer->to, size);
    relance_state_print(ruleset->rules, customer->name, state, room, size);
    customer->to->size += size;
}

static enum relance_status customer_print_in(const struct customer *customer, struct redis_view *view,
                                             int partition, struct relance_error *error)
{
    char *state = NULL;
    size_t size = 0;
    const char *hash = customer->checkpoints->items[partition].ruleset;
    const struct ruleset *ruleset = rulesets_find(customer->rulesets, hash);
    if (!ruleset) return relance_error_set(error, RELANCE_REFUSED, "Redis holds no rules here");
    enum relance_status status =
        redis_view_field(view, partition, REDIS_VIEW_CUSTOMERS, customer->name, &state, &size, error);
    if (status == RELANCE_OK) {
        buffer_put_format(customer->to, "{\"partition\":%d,\"ruleset\":\"%s\",\"state\":", partition, hash);
        customer_put_state(customer, ruleset, (struct relance_str){state, size});
        buffer_put_char(customer->to, '}');
    }
    free(state);
    return status;
}

static enum relance_status customer_print_at(const struct customer *customer, struct redis_view *view,
                                             const struct places *places, bool is_visitor,
                                             struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    if (!places->count)
        return relance_error_set(error, RELANCE_REFUSED, "Nothing is known of %s '%.*s'.",
                                 is_visitor ? "visitor" : "customer", STR_ARG(customer->id));
    buffer_put_str(customer->to, STR("{\"id\":"));
    buffer_put_json_string(customer->to, customer->id);
    buffer_put_format(customer->to, ",\"visitor\":%s,\"home\":%d,\"partitions\":%d,\"states\":[",
                      is_visitor ? "true" : "false", places->home, places->partitions);
    for (size_t i = 0; i < places->count && status == RELANCE_OK; i++) {
        if (i) buffer_put_char(customer->to, ',');
        status = customer_print_in(customer, view, places->items[i], error);
    }
    buffer_put_str(customer->to, STR("]}\n"));
    return status;
}

enum relance_status customer_print(struct redis_view *view, const struct rulesets *rulesets,
                                   const struct checkpoints *checkpoints, const char *id, bool is_visitor,
                                   struct buffer *to, struct relance_error *error)
{
    char name[RELANCE_VISITOR_NAME_BYTES];
    struct customer customer = {rulesets, checkpoints, str_of(id), str_of(id), to};
    struct places places = {0};
    if (is_visitor) customer.name = (struct relance_str){name, relance_visitor_name(customer.id, name)};
    enum relance_status status = places_in_redis(view, customer.id, customer.name, &places, error);
    if (status == RELANCE_OK) status = customer_print_at(&customer, view, &places, is_visitor, error);
    places_free(&places);
    return status;
}
