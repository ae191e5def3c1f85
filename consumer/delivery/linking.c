/* What other partitions have told ours, taken in by marks (DELIVERY.md §3.7).
 *
 * I6: a link record is said in the transaction that moves P past its cause, and counts into CHAIN; it is taken by a mark, in
 * the transaction that moves MARKS. So which link records have had effect, and before which record of the input, stands in
 * the marks, and a partition that is decided again takes the same ones at the same places. */
#include "delivery/partition.h"

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

enum relance_status partition_apply_links(struct partition *partition, int64_t before,
                                          struct relance_error *error)
{
    for (;;) {
        struct links_record record;
        enum relance_status status =
            links_take(partition->place->links, partition->number, before, &record, error);
        if (status != RELANCE_OK) return status;
        if (record.offset < 0) break;
        status = linking_deal(partition, &record, error);
        if (status != RELANCE_OK) return status;
    }
    partition->links_to = before;
    return RELANCE_OK;
}

enum relance_status partition_take_links(struct partition *partition, struct relance_error *error)
{
    int64_t to;
    if (partition->state != PARTITION_LIVE) return RELANCE_OK;
    enum relance_status status = links_look(partition->place->links, partition->number, &to, error);
    if (status != RELANCE_OK || to == RELANCE_NEVER) return status;
    return partition_freshen(partition, RELANCE_NEVER, to, error);
}
