/* Who the group takes for the bearer of a name. For this room only. */
#ifndef CONSUMER_KAFKA_MEMBER_H
#define CONSUMER_KAFKA_MEMBER_H

#include <relance/text.h>

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

enum { KAFKA_MEMBER_SIZE = 512 };

/* Is it the metadata of a member of a generation? Then what is committed under it is fenced. Also gives the id under
 * which the group knows that member, and the generation (NULL: is not asked for). */
bool kafka_member_read(const rd_kafka_consumer_group_metadata_t *metadata, char id[KAFKA_MEMBER_SIZE],
                       int32_t *generation);

/* The member id under which the group knows `instance`, a group.instance.id; "" when it knows none of that name.
 * Asks the brokers. RELANCE_AGAIN: the group's gives no answer now, or we may not ask; RELANCE_REFUSED: it says that. */
RELANCE_MUST enum relance_status kafka_member_of(rd_kafka_t *rk, const char *group, const char *instance,
                                                 char out[KAFKA_MEMBER_SIZE], struct relance_error *error);

#endif
