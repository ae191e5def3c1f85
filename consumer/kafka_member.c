#include "kafka_member.h"
#include "kafka_trouble.h"
#include "text.h"

enum { MEMBER_ASK_MS = 5000 };

static void member_find(const rd_kafka_ConsumerGroupDescription_t *description, const char *instance,
                        char out[KAFKA_MEMBER_SIZE])
{
    *out = '\0';
    for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(description); i++) {
        const rd_kafka_MemberDescription_t *member = rd_kafka_ConsumerGroupDescription_member(description, i);
        const char *name = rd_kafka_MemberDescription_group_instance_id(member);
        if (name && strcmp(name, instance) == 0)
            snprintf(out, KAFKA_MEMBER_SIZE, "%s", rd_kafka_MemberDescription_consumer_id(member));
    }
}

/* `event` NULL: no answer came. */
static enum relance_status member_answer(rd_kafka_event_t *event, const char *group, const char *instance,
                                         char out[KAFKA_MEMBER_SIZE], struct relance_error *error)
{
    rd_kafka_resp_err_t err = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    size_t count = 0;
    const rd_kafka_ConsumerGroupDescription_t **groups = NULL;
    if (!err)
        groups = rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(event), &count);
    if (count && rd_kafka_ConsumerGroupDescription_error(groups[0]))
        err = rd_kafka_error_code(rd_kafka_ConsumerGroupDescription_error(groups[0]));
    if (err)
        return kafka_trouble(error, RELANCE_AGAIN, err, (struct kafka_right){"Read", "group", group},
                             "asking for the members of group %s", group);
    *out = '\0';
    if (count) member_find(groups[0], instance, out);
    return RELANCE_OK;
}

enum relance_status kafka_member_of(rd_kafka_t *rk, const char *group, const char *instance,
                                    char out[KAFKA_MEMBER_SIZE], struct relance_error *error)
{
    const char *groups[] = {group};
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *ask = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    char reason[256];
    rd_kafka_AdminOptions_set_request_timeout(ask, MEMBER_ASK_MS, reason, sizeof reason);
    rd_kafka_DescribeConsumerGroups(rk, groups, 1, ask, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, MEMBER_ASK_MS + 1000);
    enum relance_status status = member_answer(event, group, instance, out, error);
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(ask);
    rd_kafka_queue_destroy(queue);
    return status;
}
