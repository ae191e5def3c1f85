#include "intake/scatter.h"
#include "base/str.h"

bool scatter_note(struct scatter *scatter, struct relance_str customer, uint32_t source)
{
    uint64_t hash = str_hash(customer) | 1; /* never 0 */
    struct scatter_place *place = &scatter->places[hash >> 48];
    bool is_scattered = place->customer == hash && place->source != source;
    *place = (struct scatter_place){hash, source};
    return is_scattered;
}
