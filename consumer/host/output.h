/* Output through one large buffer: no call of the system per line, no allocation per line. The first failure
 * sticks; who writes asks once, at the end. */
#ifndef CONSUMER_HOST_OUTPUT_H
#define CONSUMER_HOST_OUTPUT_H

#include <relance/text.h>
#include <stdbool.h>

struct output {
    int file; /* descriptor */
    char *data;
    size_t size, capacity;
    bool failed; /* errno of the first failure is gone; the sentence is the caller's */
};

bool output_open(struct output *output, int file); /* false: no memory */
/* Room for at least `size` more bytes, to be followed by output_take of what was used. NULL: no memory. */
char *output_room(struct output *output, size_t size);
void output_take(struct output *output, size_t size);
void output_put(struct output *output, struct relance_str text);
bool output_flush(struct output *output); /* false: something could not be written */
void output_close(struct output *output); /* without flushing */

#endif
