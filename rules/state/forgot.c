/* What is forgotten has a name, the same in the metrics, in a saved state and where one is shown. */
#include "base/str.h"

#include <relance/forgot.h>

struct relance_str relance_forgot_name(enum relance_forgot_kind kind)
{
    static const str names[] = {
#define FORGOT(name, letter, counter, prose) STR(counter),
        RELANCE_FORGOT_TABLE(FORGOT)
#undef FORGOT
    };
    return names[kind];
}
