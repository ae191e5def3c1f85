#include "learn/given.h"
#include "base/ensure.h"
#include "base/str.h"

struct relance_learn *given_learner(const struct relance_affinity *about)
{
    struct relance_learn *learn = relance_learn_new(&(struct relance_learn_recipe){
        about->recipe, about->within_ms, about->half_life_ms, about->lift, about->least});
    ensure(learn);
    return learn;
}

uint64_t given_customer(const struct relance_given *given)
{
    return str_hash(given->customer) ^ (given->is_visitor ? UINT64_MAX : 0);
}

void given_count(const struct relance_given *given, struct relance_learn *learn)
{
    if (!given->product_count) {
        relance_learn_forget(learn, given_customer(given));
        return;
    }
    relance_learn_count(learn, &(struct relance_learn_event){.customer = given_customer(given),
                                                             .products = given->products,
                                                             .count = given->product_count,
                                                             .time_ms = given->time_ms,
                                                             .weight = given->weight});
}
