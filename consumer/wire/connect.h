/* Kafka Connect's envelope around JSON, as its JsonConverter writes it with `schemas.enable`:
 *
 *     {"schema": {"type": "struct", …}, "payload": {…}}      ──▶      the payload, as it stands
 *
 * An object with exactly these two members, the schema an object or null, in whichever order. */
#ifndef CONSUMER_WIRE_CONNECT_H
#define CONSUMER_WIRE_CONNECT_H

#include "base/str.h"

/* The payload; all of `json` where it is no envelope. Nothing else is checked: whether it is JSON, its reader says. */
str connect_payload(str json);

#endif
