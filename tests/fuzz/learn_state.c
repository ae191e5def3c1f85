/* Any bytes as a state of a learner: refused, or gone on from; what it then keeps is read again as the same state. */
#include "base/ensure.h"
#include "learn/counts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct relance_learn_recipe recipe = {
        .within_ms = 86400000, .half_life_ms = 86400000, .lift = 300, .least = 1};
    struct relance_learn *learn = relance_learn_new(&recipe);
    struct relance_error error;
    ensure(learn);
    if (relance_learn_restore(learn, (str){(const char *)data, size}, &error) == RELANCE_OK) {
        const str products[] = {STR("a"), STR("lamp"), STR("mat")};
        struct relance_str bytes;
        for (uint64_t customer = 0; customer < 4; customer++)
            relance_learn_count(learn, &(struct relance_learn_event){customer, products, 3, 86400000, 1});
        struct relance_model *model = relance_learn_version(learn, 0, NULL, true, &bytes), *read;
        ensure(model && relance_model_read(bytes, &read, &error) == RELANCE_OK);
        relance_model_release(model);
        relance_model_release(read);
        relance_learn_state(learn, 0);
    }
    relance_learn_free(learn);
    return 0;
}
