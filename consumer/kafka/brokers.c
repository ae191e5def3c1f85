#include "kafka/brokers.h"
#include "base/ensure.h"
#include "host/clock.h"
#include "kafka/conf.h"

#include <poll.h>
#include <stdlib.h>

bool kafka_brokers_init(struct kafka_brokers *brokers, rd_kafka_t *rk)
{
    *brokers = (struct kafka_brokers){.timeout_ms = kafka_conf_number(rk, "socket.timeout.ms")};
    kafka_conf_text(rk, "client.id", brokers->client, sizeof brokers->client);
    return kafka_access_read(rk, &brokers->access);
}

void kafka_brokers_close(struct kafka_brokers *brokers)
{
    for (int i = 0; i < brokers->count; i++) {
        kafka_line_close(&brokers->all[i].line);
        kafka_chunk_free(brokers->all[i].answer);
    }
    kafka_chunk_free(brokers->spare);
    free(brokers->all);
}

/* ---- who they are */
int kafka_brokers_find(const struct kafka_brokers *brokers, int32_t id)
{
    for (int i = 0; i < brokers->count; i++)
        if (brokers->all[i].id == id) return i;
    return KAFKA_NO_BROKER;
}

int kafka_brokers_note(struct kafka_brokers *brokers, int32_t id, const char *host, int port)
{
    int i = kafka_brokers_find(brokers, id);
    if (i == KAFKA_NO_BROKER) {
        i = brokers->count++;
        brokers->all = realloc(brokers->all, (size_t)brokers->count * sizeof *brokers->all);
        ensure(brokers->all);
        brokers->all[i] = (struct kafka_broker){.id = id};
        kafka_line_init(&brokers->all[i].line, &brokers->access, host, port, brokers->timeout_ms);
    }
    kafka_line_move(&brokers->all[i].line, host, port);
    return i;
}

/* ---- waiting */
/* Goes on with a line, and says in front of what has failed whose it is. */
static bool brokers_go_on(struct kafka_brokers *brokers, struct kafka_line *line)
{
    struct relance_error error;
    if (kafka_line_go_on(line, &brokers->spare, &error)) return true;
    relance_error_set(&brokers->error, RELANCE_AGAIN, "%s:%d: %s", line->host, line->port, error.message);
    return false;
}

/* Until a line may go on, no longer than anybody may wait. */
static void brokers_wait(const struct kafka_brokers *brokers, struct pollfd *ready, nfds_t count,
                         int64_t until_us)
{
    int64_t now = clock_monotonic_us();
    if (brokers->until_us < until_us) until_us = brokers->until_us;
    if (until_us > now) poll(ready, count, (int)((until_us - now + 999) / 1000));
}

static bool brokers_is_late(const struct kafka_brokers *brokers)
{
    return clock_monotonic_us() >= brokers->until_us;
}

static bool brokers_connect(struct kafka_brokers *brokers, struct kafka_line *line)
{
    kafka_line_freshen(line);
    while (line->state != KAFKA_LINE_FREE) {
        if (!brokers_go_on(brokers, line)) return false;
        if (line->state == KAFKA_LINE_FREE) break;
        if (brokers_is_late(brokers)) {
            relance_error_set(&brokers->error, RELANCE_AGAIN, "%s:%d: no connection in time", line->host,
                              line->port);
            return false;
        }
        short events = kafka_line_events(line);
        struct pollfd ready = {.fd = events ? line->fd : -1, .events = events};
        brokers_wait(brokers, &ready, 1, kafka_line_until(line));
    }
    return true;
}

void kafka_brokers_await(struct kafka_brokers *brokers)
{
    struct pollfd *ready = calloc((size_t)brokers->count + 1, sizeof *ready);
    ensure(ready);
    for (;;) {
        int waiting = 0;
        int64_t until_us = INT64_MAX;
        for (int i = 0; i < brokers->count; i++) {
            struct kafka_line *line = &brokers->all[i].line;
            if (line->state == KAFKA_LINE_ASKED) brokers_go_on(brokers, line);
            if (line->state != KAFKA_LINE_ASKED) continue;
            if (kafka_line_until(line) < until_us) until_us = kafka_line_until(line);
            ready[waiting++] = (struct pollfd){.fd = line->fd, .events = kafka_line_events(line)};
        }
        if (!waiting || brokers_is_late(brokers)) break;
        brokers_wait(brokers, ready, (nfds_t)waiting, until_us);
    }
    free(ready);
}

/* ---- asking */
static void brokers_drop_answer(struct kafka_brokers *brokers, struct kafka_broker *broker)
{
    if (broker->answer) kafka_chunk_give(&brokers->spare, broker->answer);
    broker->answer = NULL;
}

struct buffer *kafka_brokers_begin(struct kafka_brokers *brokers, int index, enum kafka_request request,
                                   int version)
{
    struct kafka_broker *broker = &brokers->all[index];
    brokers_drop_answer(brokers, broker);
    if (!brokers_connect(brokers, &broker->line)) return NULL;
    struct buffer *out = kafka_line_begin(&broker->line);
    kafka_put_head(out, request, version, ++broker->asked, brokers->client);
    return out;
}

void kafka_brokers_ask(struct kafka_brokers *brokers, int index)
{
    struct kafka_line *line = &brokers->all[index].line;
    kafka_line_ask(line);
    brokers_go_on(brokers, line);
}

bool kafka_brokers_answer(struct kafka_brokers *brokers, int index, struct kafka_answer *out)
{
    struct kafka_broker *broker = &brokers->all[index];
    if (broker->line.state != KAFKA_LINE_ANSWERED) return false;
    const struct kafka_chunk *chunk = broker->answer = kafka_line_answer(&broker->line);
    *out = (struct kafka_answer){.at = chunk->bytes, .bound = chunk->bytes + chunk->size};
    if ((uint32_t)kafka_read_int32(out) == broker->asked) return true;
    relance_error_set(&brokers->error, RELANCE_AGAIN, "%s:%d: answers something else", broker->line.host,
                      broker->line.port);
    return false;
}
