#include "world.h"
#include "base/ensure.h"
#include "base/str.h"
#include "delivery/models.h"
#include "host/clock.h"
#include "host/file.h"
#include "host/stop.h"
#include "learn/also.h"
#include "learn/shelf.h"
#include "learn/stream.h"
#include <stdio.h>
#include <stdlib.h>

struct world world;

static bool is_dead(struct relance_error *error)
{
    world.calls++;
    if (world.killed_at && world.calls >= world.killed_at) world.stopping = true;
    bool dead = world.killed_at && world.calls >= world.killed_at;
    if (dead && error) (void)relance_error_set(error, RELANCE_AGAIN, "killed");
    return dead;
}

static unsigned drawn(void)
{
    world.seed = world.seed * 1664525u + 1013904223u;
    return world.seed >> 16;
}

/* ---- what a test makes of it */
void world_happen(int partition, int phase, const char *customer, const char *product, int64_t time_ms)
{
    ensure(world.input_count[partition] < WORLD_RECORDS);
    struct world_record *record = &world.input[partition][world.input_count[partition]++];
    snprintf(record->text, sizeof record->text,
             "{\"type\":\"%s\",\"customer\":\"%s\",\"product\":\"%s\",\"time\":%lld}",
             product ? "view" : "forget", customer, product ? product : "", (long long)time_ms);
    record->time_ms = time_ms;
    record->phase = phase;
    if (phase >= world.phases) world.phases = phase + 1;
}

static void topic_drop(int from)
{
    for (int i = from; i < world.open; i++) {
        buffer_free(&world.topic[i].head);
        buffer_free(&world.topic[i].bytes);
        world.topic[i] = (struct world_version){.head = {0}};
    }
    world.open = from;
}

void world_reset(void)
{
    topic_drop(0);
    world.committed = world.phase = 0;
    world.redis_number = 0;
}

void world_restart(unsigned seed, int killed_at)
{
    topic_drop(world.committed);
    world.seed = seed;
    world.calls = world.rests = 0;
    world.killed_at = killed_at;
    world.stopping = false;
}

struct parcel_head world_head(int at)
{
    struct parcel_head head;
    struct relance_error error;
    ensure(parcel_head_parse(buffer_str(&world.topic[at].head), &head, &error) == RELANCE_OK);
    return head;
}

struct relance_ruleset *world_rules(void)
{
    static const char text[] =
        "{\"events\": {\"view\": {\"product\": \"string\"}},"
        " \"affinities\": {\"a\": {\"from\": [{\"on\": \"view\", \"by\": \"event.product\"}],"
        "   \"within\": \"1d\", \"half_life\": \"2d\", \"least\": 1}},"
        " \"rules\": {\"r\": {\"on\": \"view\", \"do\": [{\"send\": \"x\"}]}}}";
    struct relance_ruleset *rules = NULL;
    struct relance_report *report = NULL;
    struct relance_error error;
    const struct relance_source source = {.name = STR("t.json"), .text = STR(text)};
    ensure(relance_ruleset_compile(&source, 1, file_zone_load, NULL, &rules, &report, &error) == RELANCE_OK);
    relance_report_free(report);
    return rules;
}

/* ---- clock and end */
int64_t clock_monotonic_us(void)
{
    return world.now_us;
}

int64_t clock_wall_ms(void)
{
    return WORLD_WALL_MS + world.now_us / 1000;
}

double clock_speed(void)
{
    return 1;
}

void clock_sleep_us(int64_t us)
{
    world.now_us += us;
}

bool stop_requested(void)
{
    return world.stopping;
}

int64_t stop_requested_us(void)
{
    return world.stopping ? 0 : -1;
}

void stop_request(void)
{
    world.stopping = true;
}

const atomic_int *stop_flag(void)
{
    static atomic_int none;
    return &none;
}

void stop_on_signals(void)
{
}

/* ---- the input */
struct stream {
    int64_t at[WORLD_PARTITIONS], read_to[WORLD_PARTITIONS];
    struct relance_record records[8];
};

enum relance_status stream_count(const struct options *options, int *partitions, struct relance_error *error)
{
    (void)options;
    if (is_dead(error)) return RELANCE_AGAIN;
    *partitions = WORLD_PARTITIONS;
    return RELANCE_OK;
}

enum relance_status stream_open(const struct options *options, const int64_t *offsets, int partitions,
                                struct stream **out, struct relance_error *error)
{
    (void)options;
    if (is_dead(error)) return RELANCE_AGAIN;
    struct stream *stream = *out = calloc(1, sizeof *stream);
    ensure(stream);
    for (int p = 0; p < partitions; p++) {
        stream->at[p] = offsets[p] == STREAM_BEGINNING ? 0 : offsets[p];
        stream->read_to[p] = -1;
    }
    return RELANCE_OK;
}

void stream_close(struct stream *stream)
{
    free(stream);
}

static bool stream_has(const struct stream *stream, int p)
{
    return stream->at[p] < world.input_count[p] && world.input[p][stream->at[p]].phase <= world.phase;
}

/* All has been read: an hour goes by, and more of the input is there; behind the last of it the learner is to end. */
static void stream_rest(struct stream *stream)
{
    for (int p = 0; p < WORLD_PARTITIONS; p++)
        stream->read_to[p] = stream->at[p];
    world.now_us += WORLD_HOUR_US * INT64_C(4);
    if (world.phase + 1 < world.phases)
        world.phase++;
    else if (++world.rests == WORLD_RESTS)
        world.stopping = true;
}

enum relance_status stream_next(struct stream *stream, int wait_ms, const struct relance_record **records,
                                size_t *count, struct relance_error *error)
{
    (void)wait_ms;
    *records = stream->records;
    *count = 0;
    if (is_dead(error)) return RELANCE_AGAIN;
    int p = (int)(drawn() % WORLD_PARTITIONS), tried = 0;
    while (tried < WORLD_PARTITIONS && !stream_has(stream, p))
        p = (p + 1) % WORLD_PARTITIONS, tried++;
    if (tried == WORLD_PARTITIONS) stream_rest(stream);
    for (size_t most = 1 + drawn() % 8; *count < most && tried < WORLD_PARTITIONS && stream_has(stream, p);) {
        const struct world_record *record = &world.input[p][stream->at[p]];
        stream->records[(*count)++] = (struct relance_record){.topic = STR("in"),
                                                              .partition = p,
                                                              .offset = stream->at[p]++,
                                                              .value = {record->text, strlen(record->text)},
                                                              .timestamp_ms = record->time_ms};
    }
    return RELANCE_OK;
}

size_t stream_headers(const struct stream *stream, size_t at, struct relance_header out[STREAM_HEADERS_MAX])
{
    (void)stream, (void)at, (void)out;
    return 0;
}

int64_t stream_read_to(const struct stream *stream, int partition)
{
    return stream->read_to[partition];
}

/* ---- the topic of versions */
struct shelf {
    int none;
};

enum relance_status shelf_open(const struct options *options, struct shelf **out, struct relance_error *error)
{
    (void)options;
    if (is_dead(error)) return RELANCE_AGAIN;
    topic_drop(world.committed); /* what the one before had begun */
    ensure(*out = calloc(1, sizeof **out));
    return RELANCE_OK;
}

void shelf_close(struct shelf *shelf)
{
    free(shelf);
}

enum relance_status shelf_begin(struct shelf *shelf, struct relance_error *error)
{
    (void)shelf;
    return is_dead(error) ? RELANCE_AGAIN : RELANCE_OK;
}

enum relance_status shelf_put(struct shelf *shelf, const struct parcel_head *head, struct relance_str bytes,
                              struct relance_error *error)
{
    (void)shelf;
    if (is_dead(error)) return RELANCE_AGAIN;
    ensure(world.open < WORLD_VERSIONS && bytes.size <= PARCEL_PIECE_BYTES);
    struct world_version *version = &world.topic[world.open++];
    parcel_head_print(head, &version->head);
    buffer_put_str(&version->bytes, bytes);
    return RELANCE_OK;
}

/* Killed while it waits for the answer: every other time it has been done. */
enum relance_status shelf_commit(struct shelf *shelf, struct relance_error *error)
{
    (void)shelf;
    bool dead = is_dead(error);
    if (!dead || world.killed_at % 2) world.committed = world.open;
    return dead ? RELANCE_AGAIN : RELANCE_OK;
}

struct models {
    int next;
    bool in_bytes;
};

enum relance_status models_open(const struct options *options, int64_t from, struct models **out,
                                struct relance_error *error)
{
    (void)options, (void)from;
    if (is_dead(error)) return RELANCE_AGAIN;
    ensure(*out = calloc(1, sizeof **out));
    return RELANCE_OK;
}

void models_close(struct models *models)
{
    free(models);
}

enum relance_status models_next(struct models *models, int wait_ms, struct parcel_record *record,
                                bool *at_end, struct relance_error *error)
{
    (void)wait_ms;
    *record = (struct parcel_record){.offset = -1};
    if (is_dead(error)) return RELANCE_AGAIN;
    *at_end = models->next == world.committed;
    if (*at_end) return RELANCE_OK;
    const struct world_version *version = &world.topic[models->next];
    *record =
        (struct parcel_record){models->in_bytes ? buffer_str(&version->bytes) : buffer_str(&version->head),
                               2 * models->next + models->in_bytes, models->in_bytes - 1};
    models->next += models->in_bytes;
    models->in_bytes = !models->in_bytes;
    return RELANCE_OK;
}

/* ---- Redis */
static bool redis_is_away(struct relance_error *error)
{
    if (is_dead(error)) return true;
    bool is_away = world.rests >= world.redis_goes && world.rests < world.redis_comes;
    if (is_away) (void)relance_error_set(error, RELANCE_AGAIN, "Redis is away");
    if (is_away) world.redis_number = 0; /* it has kept nothing */
    return is_away;
}

enum relance_status also_write(const struct also_place *place, struct relance_str affinity,
                               const struct relance_model *before, const struct relance_model *model,
                               struct relance_error *error)
{
    (void)place, (void)affinity, (void)before;
    if (redis_is_away(error)) return RELANCE_AGAIN;
    world.redis_number = relance_model_about(model)->number;
    return RELANCE_OK;
}

enum relance_status also_look(const struct also_place *place, struct relance_str affinity,
                              const struct relance_model *model, bool *is_behind, struct relance_error *error)
{
    (void)place, (void)affinity;
    if (redis_is_away(error)) return RELANCE_AGAIN;
    *is_behind = world.redis_number < relance_model_about(model)->number;
    return RELANCE_OK;
}
