/* Names of before, until nobody uses them. */
#ifndef CONSUMER_HOST_BLOB_H
#define CONSUMER_HOST_BLOB_H

#include "base/buffer.h"

#define blob          buffer
#define blob_room     buffer_room
#define blob_free     buffer_free
#define blob_put      buffer_put
#define blob_put_text buffer_put_str
#define blob_text     buffer_str

#endif
