/* ensure(): what must hold if the shell is right. On in release: a state that cannot be is not carried on
 * with. What can happen (a broker gone, a full disk) is handled, never ensured. */
#ifndef CONSUMER_HOST_ENSURE_H
#define CONSUMER_HOST_ENSURE_H

#include <stdio.h>
#include <stdlib.h>

#define ensure(expression)                                                                                   \
    ((expression) ? (void)0                                                                                  \
                  : (fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #expression), abort()))

#endif
