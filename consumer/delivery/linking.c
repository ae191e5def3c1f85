/* What other partitions have told ours, taken in by marks (DELIVERY.md §3.7).
 *
 * I6: a link record is said in the transaction that moves P past its cause, and counts into CHAIN; it is taken by a mark, in
 * the transaction that moves MARKS. So which link records have had effect, and before which record of the input, stands in
 * the marks, and a partition that is decided again takes the same ones at the same places. */
#include "delivery/partition.h"
#include "delivery/wanted.h"

static enum relance_status linking_deal(struct partition *partition, const struct links_record *record,
                                        struct relance_error *error)
{
    enum relance_progress progress;
    while ((progress = relance_engine_hear(partition->engine, record->value)) == RELANCE_NEEDS) {
        enum relance_status status = partition_fetch_needed(partition, error);
        if (status != RELANCE_OK) return status;
    }
    partition_count_forgotten(partition);
    partition_count_links(partition);
    return partition_settle(partition, progress, error);
}

struct linking_wants {
    const struct partition *partition;
    struct wanted wanted;
};

static void linking_want(void *context, struct relance_str key)
{
    struct linking_wants *wants = context;
    if (!relance_engine_holds(wants->partition->engine, key)) wanted_add(&wants->wanted, key);
}

/* A record's key says whose state it needs: what is not at hand is asked for at once, and not record by record. */
static enum relance_status linking_fetch(struct partition *partition, int64_t before,
                                         struct relance_error *error)
{
    struct linking_wants wants = {.partition = partition};
    links_waiting(partition->place->links, partition->number, before, linking_want, &wants);
    enum relance_status status =
        partition_fetch(partition, wants.wanted.customers, wants.wanted.count, error);
    wanted_free(&wants.wanted);
    return status;
}

enum relance_status partition_apply_links(struct partition *partition, int64_t before,
                                          struct relance_error *error)
{
    enum relance_status status = linking_fetch(partition, before, error);
    while (status == RELANCE_OK) {
        struct links_record record;
        status = links_take(partition->place->links, partition->number, before, &record, error);
        if (status != RELANCE_OK || record.offset < 0) break;
        status = linking_deal(partition, &record, error);
    }
    if (status == RELANCE_OK) partition->links_to = before;
    return status;
}

enum relance_status partition_take_links(struct partition *partition, struct relance_error *error)
{
    int64_t to;
    if (partition->state != PARTITION_LIVE) return RELANCE_OK;
    enum relance_status status = links_look(partition->place->links, partition->number, &to, error);
    if (status != RELANCE_OK || to == RELANCE_NEVER) return status;
    return partition_freshen(partition, RELANCE_NEVER, to, error);
}
