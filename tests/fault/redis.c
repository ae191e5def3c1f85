/* The model of Redis, below hiredis: consumer/redis/store.c runs as it is, over a server that is as nasty as
 * the real one.
 *
 * Each partition's keys are a database of their own, as the slots of a Cluster are. What an EXEC leaves behind
 * is a version; versions are never changed, so that a tail can be cut off and a backup brought back by taking
 * an older one. Requests may be lost, be executed up to the middle, or arrive when their sender has long
 * given up; answers may be lost; between two commands of one connection others get their turn.
 *
 * A partition may go to another server, as a slot of a Cluster does, or because a replica takes over, which may lack what
 * was written last. Lines to the server before stay, unless it has died: it may not know yet, and go on by itself, for
 * nothing; then it says READONLY, and still answers who only reads, or MOVED. On the way from one node to the other
 * some keys of a slot have gone and some have not: ASK and TRYAGAIN.
 *
 * It never loses the first checkpoint: a Redis without any is refused by the engine, and rightly. */
#include "redis.h"
#include "base/buffer.h"
#include "base/ensure.h"
#include "host/text.h"
#include "redis/line.h"
#include "base/str.h"
#include <hiredis/hiredis.h>
#include <stdlib.h>

enum {
    REDIS_LINES_MAX = 16384, /* connections of one history */
    REDIS_LATE_MAX = 16,
    REDIS_WORDS_MAX = 4096,
    REDIS_QUEUE_MAX = 1024,
    REDIS_ANSWERS_MAX = 1100,
};

struct redis_table {
    struct redis_field *fields;
    size_t count, capacity;
};

struct redis_command {
    struct relance_str *words;
    size_t count;
};

struct redis_version {
    struct redis_table tables[REDIS_HASHES];
    const struct redis_version *before;   /* to this one */
    const struct redis_command *commands; /* these were done */
    size_t command_count;
    bool has_part; /* some of a lost EXEC have been, too: counters have counted twice */
};

struct redis_line {
    struct process *process;
    bool lost;           /* no answer will come, */
    bool failed;         /* and its owner has seen that */
    bool broken;         /* the server will have nothing more from it */
    bool waited;         /* the way back has been waited for */
    bool must_reconnect; /* an answer has said that another server is to be asked */
    int partition;
    uint64_t home; /* which of its servers this is */
    bool multi, refused;
    int watching; /* partition; -1: none */
    uint64_t watched;
    struct redis_command queue[REDIS_QUEUE_MAX];
    size_t queue_count;
    redisReply *answers[REDIS_ANSWERS_MAX];
    size_t answer_count, answer_next;
};

/* What a server has of a partition. */
struct redis_data {
    struct redis_version *version;
    uint64_t meta_writes;
};

static struct {
    struct {
        struct redis_data now, old; /* of the server that has it, and of the one before */
        uint64_t home;              /* how many servers have had it */
        bool is_moved;          /* from node to node of a cluster; else the one before is a replica now, */
        int64_t split_until_us; /* and does not know it before then */
        int64_t leaves_us,
            gone_us; /* a slot on its way: meta leaves, and the slot has arrived; 0: it is not */
        struct redis_version **kept; /* from the first checkpoint on */
        size_t kept_count, kept_capacity;
        const struct redis_version *torn; /* of its commands some have stayed, in a MULTI that is open */
        size_t torn_count;
        uint64_t torn_writes; /* of the server, when that happened */
    } partitions[SIM_PARTITIONS_MAX];
    struct redis_line *lines[REDIS_LINES_MAX];
    size_t line_count;
    struct {
        int64_t at_us;
        struct redis_line *line;
        struct relance_str request;
    } late[REDIS_LATE_MAX];
    size_t late_count;
    int64_t down_until_us, full_until_us;
    uint64_t writes;
} redis;

void redis_begin(void)
{
    memset(&redis, 0, sizeof redis);
    for (int p = 0; p < SIM_PARTITIONS_MAX; p++)
        redis.partitions[p].now.version = sim_keep(sizeof(struct redis_version));
}

/* ---- what happens to the server */
/* What the server at the other end has. */
static struct redis_data *redis_data(const struct redis_line *line)
{
    bool is_now = line->home == redis.partitions[line->partition].home;
    return is_now ? &redis.partitions[line->partition].now : &redis.partitions[line->partition].old;
}

void redis_set_down(int64_t us)
{
    redis.down_until_us = sim.now_us + us;
    if (us) sim_tell("Redis is away for %.3f s", (double)us / 1e6);
}

void redis_set_full(int64_t us)
{
    redis.full_until_us = sim.now_us + us;
    if (us) sim_tell("Redis is full for %.3f s", (double)us / 1e6);
}

static bool redis_is_down(void)
{
    return sim.now_us < redis.down_until_us;
}

static void redis_keep_version(int partition)
{
    struct redis_version *version = redis.partitions[partition].now.version;
    size_t *count = &redis.partitions[partition].kept_count;
    size_t *capacity = &redis.partitions[partition].kept_capacity;
    if (!*count && !redis_meta(partition, "offset").data) return;
    if (*count == *capacity) {
        struct redis_version **old = redis.partitions[partition].kept;
        *capacity = *capacity ? 2 * *capacity : 64;
        redis.partitions[partition].kept = sim_keep(*capacity * sizeof *old);
        if (*count) memcpy(redis.partitions[partition].kept, old, *count * sizeof *old);
    }
    redis.partitions[partition].kept[(*count)++] = version;
}

/* What was lost ends in the middle of an EXEC: the first of its commands have stayed in the file, in a MULTI that has
 * no end. `kept` is the last version before it. */
static void redis_tear(int partition, struct redis_version **kept)
{
    const struct redis_version *lost = kept[1];
    if (!sim.rebuild || lost->before != kept[0] || lost->command_count < 2) return;
    redis.partitions[partition].torn = lost;
    redis.partitions[partition].torn_count = (size_t)sim_between(1, (int64_t)lost->command_count);
    redis.partitions[partition].torn_writes = redis.writes;
}

/* Back to one of the last versions, or to any. Gives that one, behind which stands what was lost; NULL: nothing was. */
static struct redis_version **redis_go_back(int partition, bool far)
{
    size_t count = redis.partitions[partition].kept_count, most = far ? count : 4;
    if (!count) return NULL;
    size_t back = (size_t)sim_between(0, (int64_t)(most < count ? most : count) - 1);
    redis.partitions[partition].now.version = redis.partitions[partition].kept[count - 1 - back];
    redis.partitions[partition].now.meta_writes++;
    if (!back) return NULL;
    struct redis_version **kept = &redis.partitions[partition].kept[count - 1 - back];
    sim_tell("Redis: partition %d is %zu versions back, at offset %.*s", partition, back,
             STR_ARG(redis_meta(partition, "offset")));
    redis_keep_version(partition);
    return kept;
}

/* ---- tables */

static struct redis_field *redis_find(const struct redis_table *table, struct relance_str name)
{
    for (size_t i = 0; i < table->count; i++)
        if (str_equal(table->fields[i].name, name)) return &table->fields[i];
    return NULL;
}

/* Both: has it changed anything? */
static bool redis_put(struct redis_table *table, struct relance_str name, struct relance_str value)
{
    struct redis_field *field = redis_find(table, name);
    bool changes = !field || !str_equal(field->value, value);
    if (!field) {
        ensure(table->count < table->capacity);
        field = &table->fields[table->count++];
        field->name = name;
    }
    field->value = value;
    return changes;
}

static bool redis_remove(struct redis_table *table, struct relance_str name)
{
    struct redis_field *field = redis_find(table, name);
    if (field) *field = table->fields[--table->count];
    return field;
}

/* A copy that has room for so many more. */
static void redis_copy_table(struct redis_table *table, size_t more)
{
    struct redis_field *old = table->fields;
    table->capacity = table->count + more;
    table->fields = sim_keep(table->capacity * sizeof *old);
    if (table->count) memcpy(table->fields, old, table->count * sizeof *old);
}

static struct relance_str redis_meta_of(const struct redis_data *data, const char *name)
{
    const struct redis_field *field = redis_find(&data->version->tables[REDIS_META], str_of(name));
    return field ? field->value : (struct relance_str){0};
}

struct relance_str redis_meta(int partition, const char *name)
{
    return redis_meta_of(&redis.partitions[partition].now, name);
}

size_t redis_fields(int partition, enum redis_hash hash, const struct redis_field **out)
{
    *out = redis.partitions[partition].now.version->tables[hash].fields;
    return redis.partitions[partition].now.version->tables[hash].count;
}

uint64_t redis_writes(void)
{
    return redis.writes;
}

/* ---- answers */
static redisReply *redis_reply(int type)
{
    redisReply *reply = sim_keep(sizeof *reply);
    reply->type = type;
    return reply;
}

static redisReply *redis_text_reply(int type, struct relance_str text)
{
    redisReply *reply = redis_reply(text.data ? type : REDIS_REPLY_NIL);
    reply->str = (char *)(uintptr_t)text.data;
    reply->len = text.size;
    return reply;
}

static redisReply *redis_error_reply(const char *text)
{
    return redis_text_reply(REDIS_REPLY_ERROR, str_of(text));
}

static redisReply *redis_number_reply(int64_t number)
{
    redisReply *reply = redis_reply(REDIS_REPLY_INTEGER);
    reply->integer = number;
    return reply;
}

static redisReply *redis_array_reply(size_t count)
{
    redisReply *reply = redis_reply(REDIS_REPLY_ARRAY);
    reply->elements = count;
    reply->element = sim_keep(count * sizeof *reply->element + 1);
    return reply;
}

/* ---- commands */
/* relance:{g:t:P}:NAME, or :sales:DAY; minutes' counters are nobody's. */
static bool redis_parse_key(struct relance_str key, int *partition, enum redis_hash *hash)
{
    static const char *const names[REDIS_DAYS] = {"meta",    "customers", "timers",
                                                  "metrics", "cohorts",   "sales"};
    static const size_t start = sizeof "relance:{g:t:" - 1;
    *partition = key.data[start] - '0';
    struct relance_str name = {key.data + start + 3, key.size - start - 3};
    for (int i = 0; i < REDIS_DAYS; i++)
        if (str_equal(name, str_of(names[i]))) return *hash = (enum redis_hash)i, true;
    *hash = REDIS_DAYS;
    return str_starts_with(name, STR("sales:"));
}

/* "…:sales:2026-03-02" */
static struct relance_str redis_day_of_key(struct relance_str key)
{
    enum { SIZE = sizeof "2026-03-02" - 1 };
    ensure(key.size > SIZE);
    return (struct relance_str){key.data + key.size - SIZE, SIZE};
}

static double redis_number(const struct redis_field *field)
{
    return field ? strtod(field->value.data, NULL) : 0;
}

static struct relance_str redis_print(const char *format, double number)
{
    char text[64];
    int size = snprintf(text, sizeof text, format, number);
    return sim_keep_text((struct relance_str){text, (size_t)size});
}

static void redis_unlink_day(struct redis_table *days, struct relance_str day)
{
    redis_copy_table(days, 0);
    for (size_t i = 0; i < days->count;)
        if (str_starts_with(days->fields[i].name, day))
            days->fields[i] = days->fields[--days->count];
        else
            i++;
    days->capacity = 0;
}

static void redis_unlink(struct redis_version *version, const struct redis_command *command)
{
    int partition;
    enum redis_hash hash;
    for (size_t i = 1; i < command->count; i++) {
        if (!redis_parse_key(command->words[i], &partition, &hash)) continue;
        if (hash == REDIS_DAYS)
            redis_unlink_day(&version->tables[hash], redis_day_of_key(command->words[i]));
        else
            version->tables[hash] = (struct redis_table){0};
        version->has_part &= hash != REDIS_META;
    }
}

static void redis_add(struct redis_table *table, struct relance_str name, struct relance_str number)
{
    char text[TEXT_NUMBER_SIZE];
    const struct redis_field *field = redis_find(table, name);
    int64_t sum = strtoll(number.data, NULL, 10) + (field ? strtoll(field->value.data, NULL, 10) : 0);
    size_t size = text_put_int(text, sum);
    redis_put(table, name, sim_keep_text((struct relance_str){text, size}));
}

static void redis_add_float(struct redis_table *table, struct relance_str name, struct relance_str number)
{
    double sum = redis_number(redis_find(table, name)) + strtod(number.data, NULL);
    redis_put(table, name, redis_print("%.17g", sum));
}

/* HINCRBY: of the hash of a day, under the day's name. */
static void redis_do_add(struct redis_table *table, enum redis_hash hash, const struct relance_str *words)
{
    char name[600];
    struct relance_str day = hash == REDIS_DAYS ? redis_day_of_key(words[1]) : STR("");
    int size =
        snprintf(name, sizeof name, "%.*s%s%.*s", STR_ARG(day), day.size ? " " : "", STR_ARG(words[2]));
    ensure(size < (int)sizeof name);
    redis_add(table, sim_keep_text((struct relance_str){name, (size_t)size}), words[3]);
}

/* A command that writes. A table without capacity belongs to an older version. False: the server's file does not
 * keep it, since it changes nothing; HSET it keeps always. */
static bool redis_do_write(struct redis_version *version, const struct redis_command *command)
{
    int partition;
    enum redis_hash hash;
    bool changes = false;
    struct relance_str *words = command->words;
    if (str_equal(words[0], STR("UNLINK"))) return redis_unlink(version, command), true;
    if (!redis_parse_key(words[1], &partition, &hash)) return true;
    struct redis_table *table = &version->tables[hash];
    if (table->capacity < table->count + command->count) redis_copy_table(table, command->count + 32);
    if (str_equal(words[0], STR("ZADD"))) {
        for (size_t i = 2; i + 1 < command->count; i += 2)
            changes |= redis_put(table, words[i + 1], words[i]);
        return changes;
    }
    if (str_equal(words[0], STR("HDEL")) || str_equal(words[0], STR("ZREM"))) {
        for (size_t i = 2; i < command->count; i++)
            changes |= redis_remove(table, words[i]);
        return changes;
    }
    if (str_equal(words[0], STR("HSET")))
        for (size_t i = 2; i + 1 < command->count; i += 2)
            redis_put(table, words[i], words[i + 1]);
    else if (str_equal(words[0], STR("HINCRBY")))
        redis_do_add(table, hash, words);
    else if (str_equal(words[0], STR("HINCRBYFLOAT")))
        redis_add_float(table, words[2], words[3]);
    else
        ensure(str_equal(words[0], STR("EXPIRE")));
    return true;
}

static struct redis_version *redis_new_version(const struct redis_version *before)
{
    struct redis_version *version = sim_keep(sizeof *version);
    *version = *before;
    for (int i = 0; i < REDIS_HASHES; i++)
        version->tables[i].capacity = 0;
    return version;
}

/* Does again what led from one version to another; false: nothing did. */
static bool redis_redo(struct redis_version *onto, const struct redis_version *from,
                       const struct redis_version *to)
{
    if (to == from) return true;
    if (!to || !redis_redo(onto, from, to->before)) return false;
    for (size_t i = 0; i < to->command_count; i++)
        redis_do_write(onto, &to->commands[i]);
    return true;
}

static void redis_hide_part(struct redis_version *version, const struct redis_version *before)
{
    static const char *const names[] = {"begun", "whole"};
    struct redis_table *meta = &version->tables[REDIS_META];
    for (size_t i = 0; i < 2; i++) {
        const struct redis_field *field = redis_find(&before->tables[REDIS_META], str_of(names[i]));
        if (field)
            redis_put(meta, field->name, field->value);
        else
            redis_remove(meta, str_of(names[i]));
    }
}

/* The file is read again: the next EXEC behind the open MULTI, of whomever, carries out what stood in that. Without
 * one, Redis drops all that stands behind it: a lost tail like any other. */
static void redis_carry_out_torn(int partition)
{
    const struct redis_version *torn = redis.partitions[partition].torn;
    redis.partitions[partition].torn = NULL;
    if (!torn || redis.writes == redis.partitions[partition].torn_writes) return;
    struct redis_version *version = redis_new_version(torn->before);
    for (size_t i = 0; i < redis.partitions[partition].torn_count; i++)
        redis_do_write(version, &torn->commands[i]);
    if (!redis_redo(version, torn->before, redis.partitions[partition].now.version)) return;
    if (sabotage(BUG_PART)) redis_hide_part(version, redis.partitions[partition].now.version);
    version->before = NULL;
    version->has_part = true;
    redis.partitions[partition].now.version = version;
    redis.partitions[partition].now.meta_writes++;
    redis_keep_version(partition);
    sim_tell("Redis: partition %d has %zu commands of a lost EXEC carried out", partition,
             redis.partitions[partition].torn_count);
}

bool redis_is_torn(void)
{
    for (int p = 0; p < sim.partitions; p++)
        if (redis.partitions[p].torn) return true;
    return false;
}

bool redis_has_part(int partition)
{
    return redis.partitions[partition].now.version->has_part;
}

static bool redis_is_meta(const struct redis_command *command, int *partition)
{
    enum redis_hash hash;
    return redis_parse_key(command->words[1], partition, &hash) && hash == REDIS_META;
}

/* ---- starting again */
void redis_restart(bool lose_tail, bool old)
{
    sim_tell("Redis restarts");
    for (size_t i = 0; i < redis.line_count; i++)
        redis.lines[i]->broken = true;
    redis.late_count = 0;
    for (int p = 0; p < sim.partitions; p++)
        redis_carry_out_torn(p);
    for (int p = 0; lose_tail && p < sim.partitions; p++) {
        struct redis_version **kept = redis_go_back(p, old);
        if (kept) redis_tear(p, kept);
    }
}

void redis_forget(void)
{
    redis_restart(false, false);
    for (int p = 0; p < sim.partitions; p++) {
        redis.partitions[p].now.version = sim_keep(sizeof(struct redis_version));
        redis.partitions[p].now.meta_writes++;
        redis_keep_version(p);
    }
    sim_tell("Redis is empty");
}

/* ---- servers that take over */
static void redis_break_lines(int partition, uint64_t home_before)
{
    for (size_t i = 0; i < redis.line_count; i++)
        if (redis.lines[i]->partition == partition && redis.lines[i]->home < home_before)
            redis.lines[i]->broken = true;
}

/* Another server has the partition from now on; who had it before the last one has nothing more to say. */
static void redis_hand_over(int partition, bool is_moved)
{
    redis.partitions[partition].old = redis.partitions[partition].now;
    redis.partitions[partition].home++;
    redis.partitions[partition].is_moved = is_moved;
    redis.partitions[partition].split_until_us = 0;
    redis.partitions[partition].leaves_us = redis.partitions[partition].gone_us = 0;
    redis_break_lines(partition, redis.partitions[partition].home - 1);
}

void redis_move(int partition)
{
    if (redis.partitions[partition].gone_us) return;
    redis.partitions[partition].leaves_us = sim.now_us + sim_between(0, 500000);
    redis.partitions[partition].gone_us = redis.partitions[partition].leaves_us + sim_between(1, 1000000);
    sim_tell("Redis: partition %d is on its way to another node", partition);
}

void redis_fail_over(int partition)
{
    enum { DEAD, SPLIT, ASKED };
    int64_t fate = sim_between(DEAD, ASKED);
    if (fate == SPLIT && !redis.partitions[partition].kept_count)
        fate = ASKED; /* the first checkpoint would be lost */
    redis_hand_over(partition, sim_between(0, 1));
    if (fate == DEAD) redis_break_lines(partition, redis.partitions[partition].home);
    if (fate == SPLIT) redis.partitions[partition].split_until_us = sim.now_us + sim_between(1, 3000000);
    sim_tell("Redis: a replica takes partition %d over%s", partition,
             fate == SPLIT ? ", and the master does not know" : "");
    redis_go_back(partition, false);
}

/* Slots whose time has come have arrived. */
static void redis_arrive(void)
{
    for (int p = 0; p < sim.partitions; p++) {
        if (!redis.partitions[p].gone_us || sim.now_us < redis.partitions[p].gone_us) continue;
        redis_hand_over(p, true);
        sim_tell("Redis: partition %d is on another node", p);
    }
}

void redis_calm_down(void)
{
    for (int p = 0; p < sim.partitions; p++) {
        redis.partitions[p].split_until_us = 0;
        if (redis.partitions[p].gone_us) redis.partitions[p].gone_us = sim.now_us;
    }
    redis_arrive();
}

/* Which server somebody finds who connects now: that of before, now and then, as long as that may be asked. */
static uint64_t redis_find_home(int partition)
{
    uint64_t home = redis.partitions[partition].home;
    bool is_split = sim.now_us < redis.partitions[partition].split_until_us;
    bool is_old_there = home && (is_split || !redis.partitions[partition].is_moved);
    return is_old_there && !sim.calm && !sim_between(0, 3) ? home - 1 : home;
}

/* A server that is a replica now gets what its master has, sooner or later. */
static void redis_follow(const struct redis_line *line)
{
    bool is_replica = line->home != redis.partitions[line->partition].home &&
                      sim.now_us >= redis.partitions[line->partition].split_until_us;
    if (is_replica && sim_between(0, 1))
        redis.partitions[line->partition].old = redis.partitions[line->partition].now;
}

/* What is said where a command is not for this server; NULL: it is. */
static const char *redis_turn_away(const struct redis_line *line, bool is_meta, bool writes)
{
    static const char moved[] = "MOVED 7 node:6379", ask[] = "ASK 7 node:6379";
    int p = line->partition;
    if (line->home != redis.partitions[p].home) {
        if (sim.now_us < redis.partitions[p].split_until_us) return NULL;
        if (redis.partitions[p].is_moved) return moved;
        return writes ? "READONLY You can't write against a read only replica." : NULL;
    }
    if (!redis.partitions[p].gone_us) return NULL;
    if (sim.now_us >= redis.partitions[p].leaves_us) return ask;
    return !is_meta && sim_between(0, 1) ? ask : NULL;
}

/* What a checkpoint is guarded by, as this process wrote or claimed it last, for the sabotage that compares with nothing
 * else. */
static const char *const redis_guard[] = {"stamp", "begun", "whole"};

static void redis_believe(struct redis_line *line, int partition, struct relance_str name,
                          struct relance_str value)
{
    char(*believed)[40] = line->process->believed[partition];
    for (size_t i = 0; i < sizeof redis_guard / sizeof *redis_guard; i++)
        if (str_equal(name, str_of(redis_guard[i])))
            snprintf(believed[i], sizeof believed[i], "%.*s", STR_ARG(value));
}

static void redis_believe_written(struct redis_line *line, const struct redis_command *command, int partition)
{
    for (size_t i = 2; i + 1 < command->count; i += 2)
        redis_believe(line, partition, command->words[i], command->words[i + 1]);
}

/* The commands from `begin` on, as one EXEC; its answers go to `reply`. */
static void redis_apply(struct redis_line *line, size_t begin, size_t end, redisReply *reply)
{
    int partition = 0, meta_partition;
    enum redis_hash hash;
    redis_parse_key(line->queue[begin].words[1], &partition, &hash);
    struct redis_data *data = redis_data(line);
    struct redis_version *version = redis_new_version(data->version);
    struct redis_command *commands = sim_keep((end - begin) * sizeof *commands);
    version->before = data->version;
    version->commands = commands;
    version->command_count = 0;
    for (size_t i = begin; i < end; i++) {
        reply->element[i] = redis_number_reply(1);
        if (redis_do_write(version, &line->queue[i])) commands[version->command_count++] = line->queue[i];
        if (!redis_is_meta(&line->queue[i], &meta_partition)) continue;
        data->meta_writes++;
        redis_believe_written(line, &line->queue[i], partition);
    }
    data->version = version;
    redis.writes++;
    if (data == &redis.partitions[partition].now) redis_keep_version(partition);
}

/* Some keys of the slot have gone, and some not, among those that are to change together. */
static bool redis_is_between(const struct redis_line *line)
{
    int partition;
    if (line->home != redis.partitions[line->partition].home || !redis.partitions[line->partition].gone_us)
        return false;
    for (size_t i = 0; i < line->queue_count; i++)
        if (!redis_is_meta(&line->queue[i], &partition)) return sim_between(0, 1);
    return false;
}

/* BUG_SUMS_OUTSIDE: what an EXEC that is refused would have added. */
static void redis_add_outside(struct redis_line *line)
{
    int partition;
    enum redis_hash hash;
    redisReply *reply = redis_array_reply(line->queue_count);
    for (size_t i = 0; i < line->queue_count; i++) {
        const struct relance_str *words = line->queue[i].words;
        bool sum =
            redis_parse_key(words[1], &partition, &hash) && (hash == REDIS_DAYS || hash == REDIS_COHORTS);
        if (sum && str_equal(words[0], STR("HINCRBY"))) redis_apply(line, i, i + 1, reply);
    }
}

static redisReply *redis_do_exec(struct redis_line *line)
{
    bool dirty = line->watching >= 0 && redis_data(line)->meta_writes != line->watched;
    line->multi = false;
    line->watching = -1;
    if (line->refused)
        return redis_error_reply("EXECABORT Transaction discarded because of previous errors.");
    const char *away = redis_turn_away(line, true, true);
    if (!away && redis_is_between(line)) away = "TRYAGAIN Multiple keys request during rehashing of slot";
    if (away) return redis_error_reply(away);
    if (dirty && sabotage(BUG_SUMS_OUTSIDE)) redis_add_outside(line);
    if (dirty && !sabotage(BUG_NO_GUARD)) return redis_reply(REDIS_REPLY_NIL);
    size_t count = line->queue_count;
    redisReply *reply = redis_array_reply(count);
    if (sabotage(BUG_TWO_EXECS) && count > 1) {
        redis_apply(line, 0, count - 1, reply);
        if (line->broken || sim_chance(4 * sim.rates.lose_request)) return line->broken = true, NULL;
        redis_apply(line, count - 1, count, reply);
    } else {
        redis_apply(line, 0, count, reply);
    }
    sim_tell("Redis: EXEC of %zu commands, offset %.*s", count,
             STR_ARG(redis_meta_of(redis_data(line), "offset")));
    return reply;
}

static redisReply *redis_do_watch(struct redis_line *line, int partition)
{
    if (line->watching < 0) line->watched = redis_data(line)->meta_writes;
    line->watching = partition;
    return redis_text_reply(REDIS_REPLY_STATUS, STR("OK"));
}

static redisReply *redis_do_get_guard(struct redis_line *line, int partition, size_t at)
{
    const char(*believed)[40] = line->process->believed[partition];
    if (sabotage(BUG_NO_STAMP) && **believed)
        return redis_text_reply(REDIS_REPLY_STRING, sim_keep_text(str_of(believed[at])));
    return redis_text_reply(REDIS_REPLY_STRING, redis_meta_of(redis_data(line), redis_guard[at]));
}

/* HMGET META stamp begun whole */
static redisReply *redis_do_get_watched(struct redis_line *line, int partition)
{
    redisReply *reply = redis_array_reply(3);
    for (size_t i = 0; i < 3; i++)
        reply->element[i] = redis_do_get_guard(line, partition, i);
    return reply;
}

static redisReply *redis_do_get_all(const struct redis_table *table)
{
    redisReply *reply = redis_array_reply(2 * table->count);
    for (size_t i = 0; i < table->count; i++) {
        bool lost = sabotage(BUG_NAMES_LOST) && str_equal(table->fields[i].name, STR("names"));
        reply->element[2 * i] = redis_text_reply(REDIS_REPLY_STRING, table->fields[i].name);
        reply->element[2 * i + 1] =
            redis_text_reply(REDIS_REPLY_STRING, lost ? STR("") : table->fields[i].value);
    }
    return reply;
}

/* HGETALL META: a claim */
static redisReply *redis_do_get_meta(struct redis_line *line, const struct redis_table *table, int partition)
{
    for (size_t i = 1; i < 3; i++)
        redis_believe(line, partition, str_of(redis_guard[i]),
                      redis_meta_of(redis_data(line), redis_guard[i]));
    return redis_do_get_all(table);
}

static redisReply *redis_do_get_many(const struct redis_table *table, const struct redis_command *command)
{
    redisReply *reply = redis_array_reply(command->count - 2);
    for (size_t i = 2; i < command->count; i++) {
        const struct redis_field *field = redis_find(table, command->words[i]);
        reply->element[i - 2] =
            redis_text_reply(REDIS_REPLY_STRING, field ? field->value : (struct relance_str){0});
    }
    return reply;
}

static int redis_compare_scores(const void *left, const void *right)
{
    const struct redis_field *a = left, *b = right;
    double x = redis_number(a), y = redis_number(b);
    return x != y ? (x > y) - (x < y) : strcmp(a->name.data, b->name.data);
}

/* ZRANGE KEY FROM +inf BYSCORE LIMIT OFFSET COUNT WITHSCORES */
static redisReply *redis_do_range(const struct redis_table *table, const struct redis_command *command)
{
    struct redis_table sorted = *table;
    redis_copy_table(&sorted, 1);
    if (sorted.count) qsort(sorted.fields, sorted.count, sizeof *sorted.fields, redis_compare_scores);
    double from = strtod(command->words[2].data, NULL);
    size_t first = 0, offset = strtoul(command->words[6].data, NULL, 10);
    size_t most = strtoul(command->words[7].data, NULL, 10);
    ensure(str_equal(command->words[4], STR("BYSCORE")) && str_equal(command->words[5], STR("LIMIT")));
    while (first < sorted.count && redis_number(&sorted.fields[first]) < from)
        first++;
    first = first + offset < sorted.count ? first + offset : sorted.count;
    sorted.fields += first;
    sorted.count = sorted.count - first < most ? sorted.count - first : most;
    return redis_do_get_all(&sorted);
}

static bool redis_writes_data(struct relance_str verb)
{
    static const char *const verbs[] = {"HSET",    "HDEL",         "ZADD",   "ZREM",
                                        "HINCRBY", "HINCRBYFLOAT", "EXPIRE", "UNLINK"};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (str_equal(verb, str_of(verbs[i]))) return true;
    return false;
}

static bool redis_is_full(struct relance_str verb)
{
    return sim.now_us < redis.full_until_us && !str_equal(verb, STR("HDEL")) &&
           !str_equal(verb, STR("ZREM")) && !str_equal(verb, STR("EXPIRE")) &&
           !str_equal(verb, STR("UNLINK"));
}

static redisReply *redis_queue(struct redis_line *line, struct redis_command command)
{
    int partition;
    ensure(redis_writes_data(command.words[0]));
    const char *away = redis_turn_away(line, redis_is_meta(&command, &partition), true);
    if (away) {
        line->refused = true;
        return redis_error_reply(away);
    }
    if (redis_is_full(command.words[0])) {
        line->refused = true;
        return redis_error_reply("OOM command not allowed when used memory > 'maxmemory'.");
    }
    ensure(line->queue_count < REDIS_QUEUE_MAX);
    line->queue[line->queue_count++] = command;
    return redis_text_reply(REDIS_REPLY_STATUS, STR("QUEUED"));
}

/* NULL: the connection broke before there was an answer. */
static redisReply *redis_obey(struct redis_line *line, struct redis_command command)
{
    int partition = 0;
    enum redis_hash hash = REDIS_META;
    struct relance_str verb = command.words[0];
    if (str_equal(verb, STR("EXEC"))) return redis_do_exec(line);
    if (line->multi) return redis_queue(line, command);
    if (str_equal(verb, STR("MULTI"))) {
        line->multi = true;
        line->refused = false;
        line->queue_count = 0;
        return redis_text_reply(REDIS_REPLY_STATUS, STR("OK"));
    }
    ensure(redis_parse_key(command.words[1], &partition, &hash));
    const char *away = redis_turn_away(line, hash == REDIS_META, false);
    static const struct redis_table empty;
    bool is_asked = away && sabotage(BUG_ASKING) && hash != REDIS_META;
    if (away && !is_asked) return redis_error_reply(away);
    redis_follow(line);
    const struct redis_table *table = is_asked ? &empty : &redis_data(line)->version->tables[hash];
    if (str_equal(verb, STR("WATCH"))) return redis_do_watch(line, partition);
    if (str_equal(verb, STR("HGET"))) return redis_do_get_guard(line, partition, 0);
    if (str_equal(verb, STR("HGETALL")) && hash == REDIS_META)
        return redis_do_get_meta(line, table, partition);
    if (str_equal(verb, STR("HGETALL"))) return redis_do_get_all(table);
    if (str_equal(verb, STR("HLEN"))) return redis_number_reply((int64_t)table->count);
    if (str_equal(verb, STR("HMGET")) && hash == REDIS_META) return redis_do_get_watched(line, partition);
    if (str_equal(verb, STR("HMGET"))) return redis_do_get_many(table, &command);
    if (str_equal(verb, STR("ZRANGE"))) return redis_do_range(table, &command);
    sim_fail("the model of Redis does not know %.*s", STR_ARG(verb));
    return redis_error_reply("ERR unknown command");
}

/* ---- requests */
static size_t redis_read_number(struct relance_str text, size_t *at)
{
    char *end;
    size_t number = strtoul(text.data + *at + 1, &end, 10);
    *at = (size_t)(end - text.data) + 2;
    return number;
}

/* One command of a request that will not be changed any more; false: no more whole ones. */
static bool redis_read_command(struct relance_str request, size_t *at, struct redis_command *command)
{
    if (*at >= request.size) return false;
    command->count = redis_read_number(request, at);
    command->words = sim_keep(command->count * sizeof *command->words);
    for (size_t i = 0; i < command->count; i++) {
        size_t size = redis_read_number(request, at);
        command->words[i] = sim_keep_text((struct relance_str){request.data + *at, size});
        *at += size + 2;
    }
    return true;
}

/* One command after the other; others may get their turn between two, but for those of a MULTI. */
static void redis_execute(struct redis_line *line, struct relance_str request, bool pausing)
{
    struct redis_command command;
    for (size_t at = 0; !line->broken && redis_read_command(request, &at, &command);) {
        redis_arrive();
        redisReply *reply = redis_obey(line, command);
        if (reply && line->answer_count < REDIS_ANSWERS_MAX) line->answers[line->answer_count++] = reply;
        if (!pausing || line->multi || !sim_chance(sim.rates.slow)) continue;
        if (!sim_wait(sim_between(1, 5000)) && sim_between(0, 1)) return; /* dead: the rest has not arrived */
    }
}

/* What was on its way when its sender gave up. */
static void redis_settle(void)
{
    for (size_t i = 0; i < redis.late_count;) {
        if (redis.late[i].at_us > sim.now_us) {
            i++;
            continue;
        }
        struct redis_line *line = redis.late[i].line;
        struct relance_str request = redis.late[i].request;
        redis.late[i] = redis.late[--redis.late_count];
        if (!line->broken) sim_tell("Redis: a request arrives late");
        redis_execute(line, request, false);
        line->broken = true;
    }
}

static enum relance_status redis_fail(struct redis_line *line, struct relance_error *error)
{
    line->failed = true;
    return relance_error_set(error, RELANCE_IO, "the model of Redis has closed the connection");
}

/* The request goes on its way; when it is late, its sender will not see an answer. */
static void redis_delay(struct redis_line *line, struct relance_str request)
{
    if (redis.late_count == REDIS_LATE_MAX) return;
    redis.late[redis.late_count].at_us = sim.now_us + sim_between(0, 4000000);
    redis.late[redis.late_count].line = line;
    redis.late[redis.late_count++].request = request;
}

static struct relance_str redis_cut_request(struct relance_str request)
{
    struct redis_command command;
    size_t at = 0, end = 0, most = (size_t)sim_between(0, (int64_t)request.size - 1);
    while (redis_read_command(request, &at, &command) && at <= most)
        end = at;
    return (struct relance_str){request.data, end};
}

/* ---- the line, as consumer/redis/line.h has it */
enum relance_status redis_send(struct redis_line *line, struct redis_question *question,
                               struct relance_error *error)
{
    bool lost = sim_chance(sim.rates.lose_request);
    if (!sim_enter() || line->broken || line->failed) return redis_fail(line, error);
    struct relance_str request = sim_keep_text(buffer_str(&question->commands));
    if (lost && sim_between(0, 1)) { /* the line broke in the middle: all but the last command may be there */
        redis_execute(line, redis_cut_request(request), true);
        line->broken = true;
        return redis_fail(line, error);
    }
    bool alive = sim_wait(sim_network_us());
    redis_settle();
    question->commands.size = 0;
    if (redis_is_down() || lost || line->broken) {
        if (lost) redis_delay(line, request);
        line->lost = true;
        return RELANCE_OK;
    }
    if (!alive && sim_between(0, 1)) return redis_fail(line, error); /* its sender died: on its way, or not */
    line->waited = false;
    redis_execute(line, request, true);
    return RELANCE_OK;
}

enum relance_status redis_take(struct redis_line *line, struct redis_question *question,
                               struct redisReply **out, struct relance_error *error)
{
    bool enter = sim_enter();
    if (!line->lost && !line->waited) {
        line->waited = true;
        if (sim_chance(sim.rates.lose_reply)) line->lost = true;
        if (!sim_wait(sim_network_us())) enter = false;
        redis_settle();
    }
    if (line->lost) sim_wait(sim_between(1000, REDIS_TIMEOUT_MS * 1000));
    if (!enter || line->lost || line->failed || line->answer_next == line->answer_count)
        return redis_fail(line, error);
    question->expected--;
    *out = line->answers[line->answer_next++];
    line->must_reconnect |= redis_is_elsewhere(*out);
    if (line->answer_next == line->answer_count) line->answer_next = line->answer_count = 0;
    return RELANCE_OK;
}

enum relance_status redis_connect(const char *url, const char *key, struct redis_line **out,
                                  struct relance_error *error)
{
    enum redis_hash hash;
    (void)url;
    bool reached = sim_enter() && !redis_is_down() && !sim_chance(sim.rates.lose_request);
    if (!sim_wait(reached ? sim_network_us() : sim_between(1000, REDIS_TIMEOUT_MS * 1000)) || !reached)
        return relance_error_set(error, RELANCE_IO, "the model of Redis is not there");
    redis_settle();
    ensure(redis.line_count < REDIS_LINES_MAX);
    struct redis_line *line = sim_keep(sizeof *line);
    line->process = sim.running;
    line->watching = -1;
    redis_arrive();
    ensure(redis_parse_key(str_of(key), &line->partition, &hash));
    line->home = redis_find_home(line->partition);
    if (redis_turn_away(line, true, false))
        return relance_error_set(error, RELANCE_IO, "the model of Redis has moved the partition");
    redis.lines[redis.line_count++] = line;
    *out = line;
    return RELANCE_OK;
}

/* The server may still find what was sent; it is what redis_delay() has kept. */
void redis_close(struct redis_line *line)
{
    if (line) line->failed = true;
}

bool redis_must_reconnect(const struct redis_line *line)
{
    return line->must_reconnect && !sabotage(BUG_STAY);
}

void redis_answer_free(struct redisReply *answer)
{
    (void)answer;
}

enum relance_status redis_check_url(const char *url, struct relance_error *error)
{
    (void)url, (void)error;
    return RELANCE_OK;
}
