/* base64 (RFC 4648 §4), both ways. */
#ifndef RULES_CEL_ENCODE_H
#define RULES_CEL_ENCODE_H

#include "base/buffer.h"

void base64_encode(str bytes, struct buffer *out);
/* Padding may be missing altogether; anything else out of place is refused. */
bool base64_decode(str text, struct buffer *out);

#endif
