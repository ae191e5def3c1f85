#include "kafka/member.h"
#include "kafka/trouble.h"
#include "base/str.h"

enum { MEMBER_ASK_MS = 5000, MEMBER_UUID_SIZE = 36 };

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
