/* Every decision as a line, for whoever wants to know why (--decisions).
 *
 * Lines are put into the outbox where actions are, and leave with them: in the transaction that moves P past what they
 * follow from. So each is published once, by whoever decides it live; whoever decides it again, below P, is silent.
 *
 * They decide nothing. They are not in the chain and not in the checkpoint, and have no number of their own that would have
 * to be kept: a line has a place, which is a function of the records and marks before it. So an engine may publish them
 * today and not tomorrow, and nothing has to agree. What was decided below P by an engine that did not publish lines is
 * never made up for.
 *
 * And they endanger nothing. What one record causes leaves in one transaction, however much that is, and a transaction
 * has a time: beyond `lines_room` bytes lines are left out (worker.c), and told of in the log.
 *
 *     relance-mark      marks in force          a mark      moves on to the next of these,
 *     relance-offset    records below it        a record    to the next of these,
 *     relance-index     0, 1, 2 …               and in either the index begins at 0 */
#include "base/ensure.h"
#include "delivery/partition.h"
#include "host/text.h"

enum { LINES_BYTES_MAX = 640 << 10 /* a larger line goes without `with` and `set` */ };

static struct relance_str lines_print(struct partition *partition, const struct relance_decision *decision)
{
    struct buffer *body = &partition->place->body;
    body->size = 0;
    size_t room = 4096, size = relance_decision_body_print(decision, buffer_room(body, room), room);
    if (size > room && size <= LINES_BYTES_MAX)
        relance_decision_body_print(decision, buffer_room(body, size), size);
    return (struct relance_str){body->data, size};
}

/* `whole`: its size, also of one that is too large and is cut. */
static struct relance_str lines_body(struct partition *partition, const struct relance_decision *decision,
                                     size_t *whole)
{
    struct relance_decision rest = *decision;
    struct relance_str line = lines_print(partition, decision);
    *whole = line.size;
    if (line.size <= LINES_BYTES_MAX) return line;
    rest.with = rest.set = (struct relance_str){0};
    line = lines_print(partition, &rest);
    ensure(line.size <= LINES_BYTES_MAX);
    return line;
}

/* A line asks for no transaction: it goes with the next one, at the latest with that of a checkpoint. */
static void lines_put(struct partition *partition, const struct relance_decision *decision)
{
    char number[TEXT_NUMBER_SIZE], reached[TEXT_NUMBER_SIZE], mark[TEXT_NUMBER_SIZE], index[TEXT_NUMBER_SIZE],
        seq[TEXT_NUMBER_SIZE], size[TEXT_NUMBER_SIZE];
    size_t whole;
    struct outbox_record record = {
        .topic = OUTBOX_DECISIONS,
        .partition = -1,
        .key = decision->customer,
        .value = lines_body(partition, decision, &whole),
        .headers =
            {
                {"relance-group", str_of(partition->place->options->group)},
                {"relance-partition", {number, text_put_int(number, partition->number)}},
                {"relance-mark", {mark, text_put_int(mark, (int64_t)partition->decided.marks)}},
                {"relance-offset", {reached, text_put_int(reached, partition->reached)}},
                {"relance-index", {index, text_put_int(index, partition->told)}},
            },
        .header_count = 5,
    };
    if (relance_decision_is_output(decision))
        record.headers[record.header_count++] =
            (struct outbox_header){"relance-seq", {seq, text_put_int(seq, (int64_t)partition->decided.seq)}};
    if (whole > LINES_BYTES_MAX)
        record.headers[record.header_count++] =
            (struct outbox_header){"relance-size", {size, text_put_int(size, (int64_t)whole)}};
    outbox_put(&partition->place->outbox, &record);
}

/* An action that was published before a recovery that was not exact had its line then. What else becomes of such a step now
 * is news. */
static bool lines_has(const struct relance_decision *decision)
{
    bool is_action = decision->outcome == RELANCE_OUTCOME_SENT || decision->outcome == RELANCE_OUTCOME_HELD;
    return decision->said && is_action;
}

void partition_tell_decision(struct partition *partition, const struct relance_decision *decision)
{
    struct workplace *place = partition->place;
    if (!place->options->decisions || partition->state == PARTITION_BEHIND || lines_has(decision)) return;
    if (place->outbox.bytes.size < place->lines_room)
        lines_put(partition, decision);
    else
        place->lines_left++;
    partition->told++;
}
