/* Numbers of the project's own records: whole ones within 2^53, for a double, which is what JSON is read into, has all of them. */
#ifndef CONSUMER_DELIVERY_NUMBER_H
#define CONSUMER_DELIVERY_NUMBER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* False: it is not there, or no such number. */
bool number_read(const cJSON *item, int64_t *out);

#endif
