/* What is decided, in the form in which it leaves: actions as CloudEvents, dead letters unchanged, marks. (All decisions
 * as lines, where somebody reads them: lines.c.)
 *
 * While a partition is behind its frontier P everything here has been published already: it is numbered and
 * hashed again, so that at P both can be compared, and not put into the outbox. */
#include "base/ensure.h"
#include "host/clock.h"
#include "delivery/partition.h"
#include "host/text.h"
#include <inttypes.h>
#include <xxhash.h>

enum {
    ACTION_DEAD_MAX = 512 << 10, /* a larger dead letter goes with its head and headers only */
    ACTION_DEAD_HEAD = 16 << 10, /* of a key it is all that goes */
};

static bool action_is_silent(const struct partition *partition)
{
    return partition->state == PARTITION_BEHIND;
}

static void action_link(struct partition *partition, struct relance_str bytes)
{
    partition->decided.chain = XXH3_64bits_withSeed(bytes.data, bytes.size, partition->decided.chain);
}

static void action_put(struct partition *partition, const struct outbox_record *record)
{
    outbox_put(&partition->place->outbox, record);
    partition->place->unpublished_count++;
}

/* ---- actions */
static struct relance_str action_body(struct partition *partition, const struct relance_decision *decision)
{
    struct buffer *body = &partition->place->body;
    struct relance_str hash = str_of(partition->in_force.rules ? partition->in_force.rules->hash : "");
    body->size = 0;
    size_t room = 4096, size = relance_action_print(decision, hash, buffer_room(body, room), room);
    if (size > room) {
        size_t again = relance_action_print(decision, hash, buffer_room(body, size), size);
        ensure(again == size);
    }
    return (struct relance_str){body->data, size};
}

/* relance.action.CHANNEL, relance.held, relance.goal */
static struct relance_str action_type(const struct relance_decision *decision, char *out, size_t size)
{
    if (decision->outcome == RELANCE_OUTCOME_GOAL) return STR("relance.goal");
    if (decision->outcome == RELANCE_OUTCOME_HELD) return STR("relance.held");
    int wanted = snprintf(out, size, "relance.action.%.*s", STR_ARG(decision->send));
    return (struct relance_str){out, (size_t)wanted < size ? (size_t)wanted : size - 1};
}

/* A goal is no step and has no id of its own: made from what it is about, the same after a restart. */
static struct relance_str action_goal_id(const struct relance_decision *decision, char out[32])
{
    char name[RELANCE_VISITOR_NAME_BYTES];
    struct relance_str whose = decision->customer;
    if (decision->is_visitor) whose = (struct relance_str){name, relance_visitor_name(whose, name)};
    const struct relance_str parts[] = {STR("goal"), decision->rule, whose, decision->key,
                                        decision->trigger_id};
    XXH128_hash_t hash = {0};
    XXH128_canonical_t canonical;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        hash = XXH3_128bits_withSeed(parts[i].data, parts[i].size, hash.low64 ^ hash.high64);
    XXH128_canonicalFromHash(&canonical, hash);
    hex_print(canonical.digest, sizeof canonical.digest, out);
    return (struct relance_str){out, 32};
}

static void action_publish(struct partition *partition, const struct relance_decision *decision,
                           struct relance_str body)
{
    char type[256], time[24], goal_id[32], source[256];
    char number[TEXT_NUMBER_SIZE], seq[TEXT_NUMBER_SIZE], reached[TEXT_NUMBER_SIZE];
    bool is_step = decision->outcome != RELANCE_OUTCOME_GOAL;
    relance_time_print(is_step ? decision->due_ms : decision->time_ms, time);
    int source_size = snprintf(source, sizeof source, "/relance/%s", partition->place->options->group);
    struct outbox_record record = {
        .topic = OUTBOX_ACTIONS,
        .partition = -1,
        .key = decision->customer,
        .value = body,
        .headers =
            {
                {"ce_specversion", STR("1.0")},
                {"ce_id", is_step ? decision->id : action_goal_id(decision, goal_id)},
                {"ce_source",
                 {source, (size_t)source_size < sizeof source ? (size_t)source_size : sizeof source - 1}},
                {"ce_type", action_type(decision, type, sizeof type)},
                {"ce_time", {time, sizeof time}},
                {"ce_subject", decision->customer},
                {"content-type", STR("application/json")},
                {"relance-partition", {number, text_put_int(number, partition->number)}},
                {"relance-seq", {seq, text_put_int(seq, (int64_t)partition->decided.seq)}},
                {"relance-offset", {reached, text_put_int(reached, partition->reached)}},
            },
        .header_count = 10,
    };
    if (decision->traceparent.size)
        record.headers[record.header_count++] = (struct outbox_header){"traceparent", decision->traceparent};
    action_put(partition, &record);
}

static void action_decided(struct partition *partition, const struct relance_decision *decision)
{
    struct relance_str body = action_body(partition, decision);
    partition->decided.seq++;
    action_link(partition, decision->id);
    action_link(partition, body);
    if (!action_is_silent(partition)) action_publish(partition, decision, body);
}

void partition_decided(void *context, const struct relance_decision *decision)
{
    struct partition *partition = context;
    counters_add_decision(&partition->counters, decision);
    if (decision->outcome == RELANCE_OUTCOME_ERROR) partition_tell_error(partition, decision);
    if (decision->outcome == RELANCE_OUTCOME_FAILED) partition_tell_failed(partition, decision);
    if (relance_decision_is_output(decision)) action_decided(partition, decision);
    partition_tell_decision(partition, decision);
}

void partition_added(void *context, const struct relance_addition *addition)
{
    struct partition *partition = context;
    sums_add(&partition->sums, addition);
}

struct relance_str partition_traceparent(void *context)
{
    const struct partition *partition = context;
    struct relance_str value = {0};
    source_find_header(partition->record, STR("traceparent"), &value);
    return value;
}

/* ---- dead letters */
void partition_dead_letter(struct partition *partition, const struct source_record *record,
                           const struct relance_fate *fate)
{
    char number[TEXT_NUMBER_SIZE], offset[TEXT_NUMBER_SIZE], size[TEXT_NUMBER_SIZE], event[TEXT_NUMBER_SIZE];
    struct relance_str value = record->value;
    bool cut = value.size > ACTION_DEAD_MAX;
    if (cut) value.size = ACTION_DEAD_HEAD;
    struct outbox_record letter = {
        .topic = OUTBOX_DEAD,
        .partition = -1,
        .key = record->key,
        .value = value,
        .headers =
            {
                {"relance-reason", fate->reason},
                {"relance-topic", str_of(partition->place->options->input)},
                {"relance-partition", {number, text_put_int(number, record->partition)}},
                {"relance-offset", {offset, text_put_int(offset, record->offset)}},
            },
        .header_count = 4,
    };
    if (fate->number || fate->more)
        letter.headers[letter.header_count++] =
            (struct outbox_header){"relance-event", {event, text_put_int(event, (int64_t)fate->number)}};
    if (fate->sentence.size)
        letter.headers[letter.header_count++] = (struct outbox_header){"relance-sentence", fate->sentence};
    if (cut) /* what the input holds of it */
        letter.headers[letter.header_count++] =
            (struct outbox_header){"relance-size", {size, text_put_int(size, (int64_t)record->value.size)}};
    if (letter.key.size > ACTION_DEAD_HEAD) letter.key.size = ACTION_DEAD_HEAD;
    action_link(partition, letter.headers[3].value);
    action_link(partition, fate->reason);
    if (!action_is_silent(partition)) action_put(partition, &letter);
}

/* ---- link records */
/* For another partition, or for ours, through the log all the same: so they have an order that can be had again. */
void partition_link_said(void *context, const struct relance_link_record *link)
{
    struct partition *partition = context;
    char to[TEXT_NUMBER_SIZE], number[TEXT_NUMBER_SIZE], reached[TEXT_NUMBER_SIZE];
    struct outbox_record record = {
        .topic = OUTBOX_LINKS,
        .partition = link->partition,
        .key = link->key,
        .value = link->value,
        .headers = {{"relance-partition", {number, text_put_int(number, partition->number)}},
                    {"relance-offset", {reached, text_put_int(reached, partition->reached)}}},
        .header_count = 2,
    };
    action_link(partition, (struct relance_str){to, text_put_int(to, link->partition)});
    action_link(partition, link->value);
    partition->place->told_us = clock_monotonic_us();
    if (!action_is_silent(partition)) action_put(partition, &record);
}

/* ---- marks */
/* Marks alone ask for no transaction: they wait for the next one. */
void partition_put_mark(struct partition *partition, const struct mark *mark)
{
    struct buffer *body = &partition->place->body;
    mark_print(mark, body);
    struct outbox_record record = {
        .topic = OUTBOX_MARKS, .partition = partition->number, .value = buffer_str(body)};
    outbox_put(&partition->place->outbox, &record);
}
