#include "kafka/member.h"
#include "kafka/trouble.h"
#include "base/ensure.h"
#include "base/str.h"

enum { MEMBER_ASK_MS = 5000, MEMBER_UUID_SIZE = 36 };

/* Generation and member id, from the form in which librdkafka writes them out for other processes: magic, the
 * generation, the group and the member's id, each of these two with a NUL. There is no other way to ask. */
bool kafka_member_read(const rd_kafka_consumer_group_metadata_t *metadata, char id[KAFKA_MEMBER_SIZE],
                       int32_t *out)
{
    static const char magic[] = "CGMDv2:";
    enum { MAGIC = sizeof magic - 1 };
    void *bytes;
    size_t size;
    int32_t generation = -1;
    if (!metadata || rd_kafka_consumer_group_metadata_write(metadata, &bytes, &size)) return false;
    const char *text = bytes, *end = text + size;
    bool ours = size > MAGIC + sizeof generation && memcmp(text, magic, MAGIC) == 0;
    ensure(ours); /* another librdkafka: this function has to learn its form */
    memcpy(&generation, text + MAGIC, sizeof generation);
    const char *group = text + MAGIC + sizeof generation;
    const char *member = memchr(group, '\0', (size_t)(end - group));
    bool named = member && member + 1 < end && member[1];
    if (named) snprintf(id, KAFKA_MEMBER_SIZE, "%s", member + 1);
    if (out) *out = generation;
    rd_kafka_mem_free(NULL, bytes);
    return generation >= 0 && named;
}

/* The broker makes the id of a member that has a name of it: NAME-UUID. */
static bool member_has_name(const char *id, const char *instance)
{
    size_t size = strlen(instance);
    return strncmp(id, instance, size) == 0 && id[size] == '-' && strlen(id + size + 1) == MEMBER_UUID_SIZE;
}

static void member_find(const struct rd_kafka_group_info *group, const char *instance,
                        char out[KAFKA_MEMBER_SIZE])
{
    for (int i = 0; i < group->member_cnt; i++)
        if (member_has_name(group->members[i].member_id, instance))
            snprintf(out, KAFKA_MEMBER_SIZE, "%s", group->members[i].member_id);
}

/* rd_kafka_DescribeConsumerGroups would tell the names themselves. But librdkafka 2.0.2 aborts the process when that
 * question times out and the group's coordinator is found afterwards (rd_kafka_admin_coord_request: a reference is given
 * back twice). This one asks all brokers, and tells the last one's error: a list without the group says nothing. */
enum relance_status kafka_member_of(rd_kafka_t *rk, const char *group, const char *instance,
                                    char out[KAFKA_MEMBER_SIZE], struct relance_error *error)
{
    const struct rd_kafka_group_list *list;
    *out = '\0';
    rd_kafka_resp_err_t err = rd_kafka_list_groups(rk, group, &list, MEMBER_ASK_MS);
    if (!err || err == RD_KAFKA_RESP_ERR__PARTIAL) { /* not from all brokers, but from the group's */
        err = list->group_cnt ? list->groups[0].err : RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE;
        if (!err) member_find(&list->groups[0], instance, out);
        rd_kafka_group_list_destroy(list);
    }
    return err ? kafka_trouble(error, RELANCE_AGAIN, err, (struct kafka_right){"Read", "group", group},
                               "asking for the members of group %s", group)
               : RELANCE_OK;
}
