/* Checkpoints against a real Redis, in a directory of its own: who has the stamp writes, nobody else does,
 * and a Redis that goes away in between is found out. */
#include "delivery/store.h"
#include "host/clock.h"
#include "host/text.h"
#include "server.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct relance_error error;

TestSuite(store, .init = server_begin, .fini = server_end, .timeout = 30);

struct owner {
    struct store *store;
    struct meta meta;
};

static enum relance_status claim(struct owner *owner)
{
    char stamp[STAMP_SIZE];
    meta_make_stamp(stamp);
    return store_claim(owner->store, stamp, &owner->meta, &error);
}

static struct owner new_owner(void)
{
    const struct store_place place = {server_url, "g", "t", 3};
    struct owner owner = {.store = store_open(&place)};
    cr_assert_eq(claim(&owner), RELANCE_OK, "%s", error.message);
    return owner;
}

static void free_owner(struct owner *owner)
{
    store_close(owner->store);
    meta_free(&owner->meta);
}

static void put(struct owner *owner, const char *customer, const char *state, int64_t due, int64_t due_saved)
{
    const struct relance_change change = {str_of(customer), str_of(state), due, due_saved};
    store_put_change(owner->store, &change);
}

static enum relance_status commit(struct owner *owner, int64_t offset)
{
    char stamp[STAMP_SIZE];
    meta_make_stamp(stamp);
    meta_set_text(&owner->meta.stamp, stamp);
    owner->meta.offset = offset;
    return store_commit(owner->store, &owner->meta, &error);
}

static void collect(void *context, struct relance_str customer, struct relance_str state)
{
    char *out = context;
    sprintf(out + strlen(out), "%.*s=%.*s ", STR_ARG(customer), STR_ARG(state));
}

/* All of them, question by question. */
static enum relance_status read_states(struct store *store, size_t count, const struct relance_str *customers,
                                       char *states)
{
    enum relance_status status = RELANCE_OK;
    for (size_t at = 0, asked = count; at < count && status == RELANCE_OK; at += asked, asked = count - at)
        status = store_read_states(store, customers + at, &asked, collect, states, &error);
    return status;
}

static void collect_due(void *context, struct relance_str customer, int64_t due_ms)
{
    char *out = context;
    sprintf(out + strlen(out), "%.*s@%lld ", STR_ARG(customer), (long long)due_ms);
}

/* All of them, part by part. */
static enum relance_status read_dues(struct store *store, char *dues)
{
    enum relance_status status = RELANCE_OK;
    for (int64_t from_ms = INT64_MIN, to_ms; from_ms != RELANCE_NEVER && status == RELANCE_OK;
         from_ms = to_ms) {
        status = store_read_dues(store, from_ms, &to_ms, collect_due, dues + strlen(dues), &error);
        cr_expect(status != RELANCE_OK || to_ms > from_ms);
    }
    return status;
}

Test(store, gives_back_what_a_checkpoint_wrote_to_the_next_owner)
{
    struct owner first = new_owner();
    cr_expect_not(meta_has_checkpoint(&first.meta));
    store_begin(first.store);
    put(&first, "c-1", "one", 1772445600120, RELANCE_NEVER);
    put(&first, "c-2", "two", RELANCE_NEVER, RELANCE_NEVER);
    store_put_count(first.store, STR("events"), 2, "2026-03-02T10:00");
    store_put_sum(first.store, STR("rule.r.goal_value"), 2.5, "2026-03-02T10:00");
    cr_assert_eq(commit(&first, 17), RELANCE_OK, "%s", error.message);
    struct owner next = new_owner();
    char states[256] = "", dues[256] = "";
    int64_t count;
    cr_expect_eq(next.meta.offset, 17);
    cr_assert_eq(store_customer_count(next.store, &count, &error), RELANCE_OK);
    cr_expect_eq(count, 2);
    cr_assert_eq(read_dues(next.store, dues), RELANCE_OK);
    cr_expect_str_eq(dues, "c-1@1772445600120 ");
    const struct relance_str customers[] = {STR("c-2"), STR("c-9"), STR("c-1")};
    cr_assert_eq(read_states(next.store, 3, customers, states), RELANCE_OK);
    cr_expect_str_eq(states, "c-2=two c-9= c-1=one ");
    server_expect("2", "HGET relance:{g:t:3}:metrics events");
    server_expect("2.5", "HGET relance:{g:t:3}:metrics rule.r.goal_value");
    server_expect("2", "HGET relance:{g:t:3}:metrics:2026-03-02T10:00 events");
    server_expect("172800", "TTL relance:{g:t:3}:metrics:2026-03-02T10:00");
    free_owner(&first);
    free_owner(&next);
}

Test(store, gives_back_the_room_of_a_large_checkpoint_and_writes_the_next_one)
{
    enum { LARGE = 400 << 10 };
    struct owner owner = new_owner();
    char *large = malloc(LARGE + 1), states[64] = "";
    cr_assert_not_null(large);
    memset(large, 'x', LARGE);
    large[LARGE] = '\0';
    cr_expect_not(store_rest(owner.store), "nothing has been written yet");
    store_begin(owner.store);
    put(&owner, "c-1", large, RELANCE_NEVER, RELANCE_NEVER);
    cr_assert_eq(commit(&owner, 17), RELANCE_OK, "%s", error.message);
    cr_expect(store_rest(owner.store));
    cr_expect_not(store_rest(owner.store), "it has gone");
    store_begin(owner.store);
    put(&owner, "c-1", "one", RELANCE_NEVER, RELANCE_NEVER);
    cr_assert_eq(commit(&owner, 18), RELANCE_OK, "%s", error.message);
    cr_expect_not(store_rest(owner.store), "a small one keeps its room");
    cr_assert_eq(read_states(owner.store, 1, (const struct relance_str[]){STR("c-1")}, states), RELANCE_OK);
    cr_expect_str_eq(states, "c-1=one ");
    free(large);
    free_owner(&owner);
}

static void add(struct owner *owner, enum relance_sums table, int64_t day, const char *name, int64_t number)
{
    const struct relance_addition addition = {table, day, str_of(name), number};
    store_put_addition(owner->store, &addition);
}

Test(store, sums_stand_where_their_table_is_and_those_of_a_day_go_after_800_days)
{
    struct owner owner = new_owner();
    for (int64_t offset = 1; offset <= 2; offset++) {
        store_begin(owner.store);
        add(&owner, RELANCE_SUMS_ALL, 0, "sales.first.gross.EUR", 9007199254740993);
        add(&owner, RELANCE_SUMS_DAY, -1, "sales.first.orders", 1);
        add(&owner, RELANCE_SUMS_DAY, 20514, "sales.first.orders", 2);
        add(&owner, RELANCE_SUMS_DAY, 20514, "sales.second.orders", -2);
        add(&owner, RELANCE_SUMS_COHORTS, 0, "2026-03:mail:0:c", 3);
        cr_assert_eq(commit(&owner, offset), RELANCE_OK, "%s", error.message);
    }
    server_expect("18014398509481986", "HGET relance:{g:t:3}:metrics sales.first.gross.EUR");
    server_expect("2", "HGET relance:{g:t:3}:sales:1969-12-31 sales.first.orders");
    server_expect("4", "HGET relance:{g:t:3}:sales:2026-03-02 sales.first.orders");
    server_expect("-4", "HGET relance:{g:t:3}:sales:2026-03-02 sales.second.orders");
    server_expect("6", "HGET relance:{g:t:3}:cohorts 2026-03:mail:0:c");
    server_expect("2", "HLEN relance:{g:t:3}:sales");
    server_expect("1", "HGET relance:{g:t:3}:sales 2026-03-02");
    server_expect("69120000", "TTL relance:{g:t:3}:sales:1969-12-31");
    server_expect("69120000", "TTL relance:{g:t:3}:sales:2026-03-02");
    free_owner(&owner);
}

Test(store, emptying_it_takes_the_sums_of_all_days_along)
{
    struct owner owner = new_owner();
    store_begin(owner.store);
    put(&owner, "c-1", "one", 5, RELANCE_NEVER);
    store_put_count(owner.store, STR("events"), 2, "2026-03-02T10:00");
    add(&owner, RELANCE_SUMS_COHORTS, 0, "2026-03:mail:0:c", 3);
    for (int64_t day = 0; day < 400; day++)
        add(&owner, RELANCE_SUMS_DAY, day, "sales.first.orders", 1);
    cr_assert_eq(commit(&owner, 1), RELANCE_OK, "%s", error.message);
    server_expect("400", "HLEN relance:{g:t:3}:sales");
    cr_assert_eq(store_empty(owner.store, &error), RELANCE_OK, "%s", error.message);
    server_expect("3", "DBSIZE"); /* the stamp, the counters of a minute, and which days may have sums */
    server_expect("1", "HLEN relance:{g:t:3}:meta");
    store_begin(owner.store);
    add(&owner, RELANCE_SUMS_DAY, 17, "sales.first.orders", 1);
    cr_assert_eq(commit(&owner, 1), RELANCE_OK, "%s", error.message);
    server_expect("1", "HGET relance:{g:t:3}:sales:1970-01-18 sales.first.orders");
    free_owner(&owner);
}

Test(store, a_sum_without_room_for_more_stays_and_keeps_nothing_else_from_being_written)
{
    struct owner owner = new_owner();
    for (int64_t offset = 1; offset <= 2; offset++) {
        store_begin(owner.store);
        add(&owner, RELANCE_SUMS_ALL, 0, "sales.first.gross.EUR", INT64_MAX);
        put(&owner, "c-1", offset == 1 ? "one" : "two", RELANCE_NEVER, RELANCE_NEVER);
        cr_assert_eq(commit(&owner, offset), RELANCE_OK, "%s", error.message);
    }
    server_expect("9223372036854775807", "HGET relance:{g:t:3}:metrics sales.first.gross.EUR");
    server_expect("two", "HGET relance:{g:t:3}:customers c-1");
    server_expect("2", "HGET relance:{g:t:3}:meta offset");
    free_owner(&owner);
}

Test(store, a_zombie_can_neither_write_nor_read_once_another_has_claimed)
{
    struct owner zombie = new_owner(), owner = new_owner();
    char states[64] = "";
    store_begin(zombie.store);
    put(&zombie, "c-1", "stale", 5, RELANCE_NEVER);
    cr_expect_eq(commit(&zombie, 99), RELANCE_REFUSED);
    server_expect("(nil)", "HGET relance:{g:t:3}:meta offset");
    server_expect("0", "EXISTS relance:{g:t:3}:customers");
    cr_expect_eq(read_states(zombie.store, 1, (struct relance_str[]){STR("c-1")}, states), RELANCE_REFUSED);
    store_begin(owner.store);
    cr_expect_eq(commit(&owner, 1), RELANCE_OK, "%s", error.message);
    free_owner(&zombie);
    free_owner(&owner);
}

Test(store, writes_checkpoint_after_checkpoint_and_notices_one_that_is_not_its_own)
{
    struct owner owner = new_owner();
    for (int64_t offset = 0; offset < 5; offset++) {
        store_begin(owner.store);
        put(&owner, "c-1", "x", RELANCE_NEVER, RELANCE_NEVER);
        cr_assert_eq(commit(&owner, offset), RELANCE_OK, "%s", error.message);
    }
    server_expect("4", "HGET relance:{g:t:3}:meta offset");
    freeReplyObject(
        redisCommand(server_link, "HSET relance:{g:t:3}:meta offset 3")); /* a rolled-back Redis, in small */
    store_begin(owner.store);
    cr_expect_eq(commit(&owner, 6), RELANCE_REFUSED);
    free_owner(&owner);
}

Test(store, a_wait_is_written_when_it_moves_earlier_and_removed_when_it_is_over)
{
    static const struct {
        int64_t due, saved;
        const char *score;
    } steps[] = {{1000, RELANCE_NEVER, "1000"},
                 {2000, 1000, "1000"},
                 {500, 2000, "500"},
                 {RELANCE_NEVER, 500, "(nil)"},
                 {RELANCE_NEVER, RELANCE_NEVER, "(nil)"}};
    struct owner owner = new_owner();
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        store_begin(owner.store);
        put(&owner, "c-1", "x", steps[i].due, steps[i].saved);
        cr_assert_eq(commit(&owner, (int64_t)i), RELANCE_OK, "%s", error.message);
        server_expect(steps[i].score, "ZSCORE relance:{g:t:3}:timers c-1");
    }
    store_begin(owner.store);
    put(&owner, "c-1", "", RELANCE_NEVER, RELANCE_NEVER); /* forgotten */
    cr_assert_eq(commit(&owner, 9), RELANCE_OK);
    server_expect("0", "HEXISTS relance:{g:t:3}:customers c-1");
    free_owner(&owner);
}

Test(store, more_customers_than_a_command_takes_arrive_all)
{
    enum { CUSTOMERS = 11000 };
    struct owner owner = new_owner();
    char name[16];
    store_begin(owner.store);
    for (int i = 0; i < CUSTOMERS; i++) {
        snprintf(name, sizeof name, "c-%d", i);
        put(&owner, name, name, i, RELANCE_NEVER);
    }
    cr_assert_eq(commit(&owner, 1), RELANCE_OK, "%s", error.message);
    server_expect("11000", "HLEN relance:{g:t:3}:customers");
    server_expect("11000", "ZCARD relance:{g:t:3}:timers");
    char *dues = calloc(CUSTOMERS, 20);
    cr_assert_eq(read_dues(owner.store, dues), RELANCE_OK);
    cr_expect(strstr(dues, "c-0@0 c-1@1 "));
    cr_expect(strstr(dues, "c-10999@10999 "));
    free(dues);
    free_owner(&owner);
}

struct part {
    size_t count;
    int64_t least_ms, most_ms;
};

static void count_due(void *context, struct relance_str customer, int64_t due_ms)
{
    struct part *part = context;
    cr_expect(customer.size > 0);
    cr_expect_geq(due_ms, part->most_ms, "they come in their order");
    if (!part->count++) part->least_ms = due_ms;
    part->most_ms = due_ms;
}

static struct part read_part(struct store *store, int64_t from_ms, int64_t *to_ms)
{
    struct part part = {.most_ms = INT64_MIN};
    cr_assert_eq(store_read_dues(store, from_ms, to_ms, count_due, &part, &error), RELANCE_OK);
    return part;
}

/* 12,000 one after the other, a millisecond each; then 35,000 at once, and one behind them. */
Test(store, reads_waits_in_parts_that_end_between_two_instants)
{
    enum { ROW = 12000, ALL = 47000 };
    struct owner owner = new_owner();
    char name[16];
    int64_t to_ms;
    store_begin(owner.store);
    for (int i = 0; i <= ALL; i++) {
        snprintf(name, sizeof name, "c-%d", i);
        put(&owner, name, "x", i < ROW ? i - 5 : i < ALL ? ROW : ROW + 1, RELANCE_NEVER);
    }
    cr_assert_eq(commit(&owner, 1), RELANCE_OK, "%s", error.message);
    struct part part = read_part(owner.store, INT64_MIN, &to_ms);
    cr_expect_eq(part.least_ms, -5);
    cr_expect_eq(part.most_ms, to_ms);
    cr_expect_lt(part.count, (size_t)ROW);
    part = read_part(owner.store, to_ms, &to_ms);
    cr_expect_eq(part.most_ms, ROW);
    cr_expect_eq(to_ms, ROW, "it ends among those of one instant");
    part = read_part(owner.store, ROW, &to_ms);
    cr_expect_eq(part.count, (size_t)(ALL + 1 - ROW), "all of them, and what comes behind");
    cr_expect_eq(to_ms, RELANCE_NEVER);
    part = read_part(owner.store, ROW + 2, &to_ms);
    cr_expect_eq(part.count, 0u);
    cr_expect_eq(to_ms, RELANCE_NEVER);
    free_owner(&owner);
}

struct late {
    char before[STAMP_SIZE], stamp[STAMP_SIZE]; /* of the checkpoint whose answer was lost */
    size_t visited[12000];
    bool is_there;
};

/* The first answer has come; only now Redis carries out what was on its way: nine of its waits are over. */
static void count_and_let_it_come(void *context, struct relance_str customer, int64_t due_ms)
{
    struct late *late = context;
    cr_expect_eq(due_ms, 1000);
    late->visited[strtoul(customer.data + 2, NULL, 10)]++;
    if (late->is_there) return;
    late->is_there = true;
    freeReplyObject(
        redisCommand(server_link, "ZREM relance:{g:t:3}:timers c-1 c-2 c-3 c-4 c-5 c-6 c-7 c-8 c-9"));
    freeReplyObject(redisCommand(server_link, "HSET relance:{g:t:3}:meta stamp %s begun %s whole %s",
                                 late->stamp, late->before, late->before));
}

Test(store, passes_no_wait_over_when_a_checkpoint_comes_late_between_two_questions)
{
    struct late late = {0};
    struct owner owner = new_owner();
    char name[16];
    int64_t to_ms;
    size_t count = sizeof late.visited / sizeof *late.visited;
    store_begin(owner.store);
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "c-%zu", i);
        put(&owner, name, "x", 1000, RELANCE_NEVER);
    }
    cr_assert_eq(commit(&owner, 1), RELANCE_OK, "%s", error.message);
    server_expect("1",
                  "HSET relance:{g:t:3}:meta seen yes"); /* so the one that is lost does not come by itself */
    kill(server_pid, SIGSTOP);
    snprintf(late.before, sizeof late.before, "%s", store_stamp(owner.store));
    store_begin(owner.store);
    put(&owner, "c-1", "y", RELANCE_NEVER, 1000);
    cr_assert_eq(commit(&owner, 2), RELANCE_IO);
    kill(server_pid, SIGCONT);
    snprintf(late.stamp, sizeof late.stamp, "%.*s", STR_ARG(buffer_str(&owner.meta.stamp)));
    cr_assert_eq(store_read_dues(owner.store, 1000, &to_ms, count_and_let_it_come, &late, &error), RELANCE_OK,
                 "%s", error.message);
    cr_expect_eq(to_ms, RELANCE_NEVER);
    for (size_t i = 10; i < count; i++)
        cr_assert_geq(late.visited[i], 1u, "c-%zu was passed over", i);
    cr_expect_eq(store_settle(owner.store, &error), RELANCE_OK, "it counts");
    free_owner(&owner);
}

Test(store, a_full_redis_applies_nothing_and_takes_it_later)
{
    struct owner owner = new_owner();
    freeReplyObject(redisCommand(server_link, "CONFIG SET maxmemory 1"));
    store_begin(owner.store);
    put(&owner, "c-1", "x", RELANCE_NEVER, RELANCE_NEVER);
    cr_expect_eq(commit(&owner, 1), RELANCE_AGAIN);
    cr_expect(strstr(error.message, "OOM"), "%s", error.message);
    server_expect("(nil)", "HGET relance:{g:t:3}:meta offset");
    freeReplyObject(redisCommand(server_link, "CONFIG SET maxmemory 0"));
    store_begin(owner.store);
    put(&owner, "c-1", "x", RELANCE_NEVER, RELANCE_NEVER);
    cr_expect_eq(commit(&owner, 1), RELANCE_OK, "%s", error.message);
    server_expect("1", "HGET relance:{g:t:3}:meta offset");
    free_owner(&owner);
}

Test(store, survives_a_redis_that_was_killed_and_came_back)
{
    struct owner owner = new_owner();
    store_begin(owner.store);
    cr_assert_eq(commit(&owner, 1), RELANCE_OK);
    server_stop(SIGKILL);
    store_begin(owner.store);
    put(&owner, "c-1", "x", RELANCE_NEVER, RELANCE_NEVER);
    enum relance_status status = commit(&owner, 2);
    cr_expect(status == RELANCE_AGAIN || status == RELANCE_IO);
    server_start();
    if (status == RELANCE_IO) cr_expect_eq(store_settle(owner.store, &error), RELANCE_AGAIN);
    store_begin(owner.store);
    put(&owner, "c-1", "x", RELANCE_NEVER, RELANCE_NEVER);
    cr_expect_eq(commit(&owner, 2), RELANCE_OK, "%s", error.message);
    server_expect("2", "HGET relance:{g:t:3}:meta offset");
    free_owner(&owner);
}

/* Takes bytes off the end of the append-only file of a Redis that has ended. */
static void cut_tail(long bytes)
{
    char command[256];
    snprintf(command, sizeof command, "truncate -s -%ld %s/appendonlydir/appendonly.aof.1.incr.aof", bytes,
             server_directory);
    cr_assert_eq(system(command), 0);
}

/* Redis loses the end of the second checkpoint, takes the command that is not whole away and leaves the MULTI open;
 * somebody's EXEC then ends that, at the next start. */
static void lose_the_end_of_a_checkpoint(struct owner *owner, long cut)
{
    store_begin(owner->store);
    put(owner, "c-1", "old", 1000, RELANCE_NEVER);
    cr_assert_eq(commit(owner, 1), RELANCE_OK);
    store_begin(owner->store);
    put(owner, "c-1", "new", RELANCE_NEVER, 1000);
    put(owner, "c-2", "new", 2000, RELANCE_NEVER);
    cr_assert_eq(commit(owner, 2), RELANCE_OK);
    server_stop(SIGKILL);
    cut_tail(cut);
    server_start();
}

static void execute_what_was_left(void)
{
    freeReplyObject(redisCommand(server_link, "MULTI"));
    freeReplyObject(redisCommand(server_link, "SET a 1"));
    freeReplyObject(redisCommand(server_link, "SET b 2"));
    freeReplyObject(redisCommand(server_link, "EXEC"));
    server_stop(SIGKILL);
    server_start();
}

/* Has the server carried out what it had lost? One that is repaired has not. */
static bool has_come_back(void)
{
    redisReply *reply = redisCommand(server_link, "HGET relance:{g:t:3}:customers c-1");
    bool back = strcmp(reply->str, "new") == 0;
    freeReplyObject(reply);
    return back;
}

/* `cut`: bytes off the second checkpoint. */
static void expect_what_comes_back_to_be_seen(long cut, bool in_part)
{
    struct owner owner = new_owner(), next;
    const struct relance_str customer = STR("c-1");
    enum relance_status status;
    char states[64] = "";
    lose_the_end_of_a_checkpoint(&owner, cut);
    server_expect("old", "HGET relance:{g:t:3}:customers c-1");
    next = new_owner();
    cr_expect_eq(next.meta.offset, 1);
    cr_expect_not(store_is_part(next.store));
    execute_what_was_left();
    do
        status = read_states(next.store, 1, &customer, states);
    while (status == RELANCE_AGAIN); /* until the connection has been made anew */
    cr_expect_eq(status, has_come_back() ? RELANCE_REFUSED : RELANCE_OK, "%s", states);
    free_owner(&next);
    next = new_owner();
    cr_expect_eq(store_is_part(next.store), in_part && has_come_back());
    cr_expect_eq(store_empty(next.store, &error), RELANCE_OK, "%s", error.message);
    cr_expect_not(store_is_part(next.store));
    store_begin(next.store);
    cr_expect_eq(commit(&next, 3), RELANCE_OK, "%s", error.message);
    free_owner(&owner);
    free_owner(&next);
    next = new_owner();
    cr_expect_not(store_is_part(next.store));
    free_owner(&next);
}

Test(store, a_part_of_a_checkpoint_that_comes_back_is_found_out)
{
    expect_what_comes_back_to_be_seen(50, true);
}

Test(store, a_checkpoint_that_comes_back_under_another_owner_is_found_out)
{
    expect_what_comes_back_to_be_seen(3, false); /* in the middle of EXEC */
}

/* The wait that the lost one took out of the set is not the one that the next one has, and the one that it put in is
 * not there any more. */
Test(store, a_checkpoint_heals_what_a_part_of_a_lost_one_does)
{
    struct owner owner = new_owner(), next;
    lose_the_end_of_a_checkpoint(&owner, 50);
    next = new_owner();
    store_begin(next.store);
    put(&next, "c-1", "newer", 3000, 1000);
    put(&next, "c-2", "newer", RELANCE_NEVER, RELANCE_NEVER);
    cr_expect_eq(commit(&next, 3), RELANCE_OK, "%s", error.message);
    server_stop(SIGKILL);
    server_start();
    free_owner(&next);
    next = new_owner();
    char dues[64] = "";
    cr_expect_not(store_is_part(next.store));
    cr_expect_eq(next.meta.offset, 3);
    cr_expect_eq(read_dues(next.store, dues), RELANCE_OK);
    cr_expect_str_eq(dues, "c-1@3000 ");
    server_expect("newer", "HGET relance:{g:t:3}:customers c-1");
    free_owner(&owner);
    free_owner(&next);
}

/* A stopped server takes bytes and gives no answer: the reader gives up, the server then applies them. */
Test(store, an_answer_that_was_lost_is_settled_by_the_stamp)
{
    struct owner owner = new_owner();
    store_begin(owner.store);
    put(&owner, "c-1", "x", RELANCE_NEVER, RELANCE_NEVER);
    kill(server_pid, SIGSTOP);
    cr_expect_eq(commit(&owner, 7), RELANCE_IO, "%s", error.message);
    kill(server_pid, SIGCONT);
    cr_expect_eq(store_settle(owner.store, &error), RELANCE_OK, "%s", error.message);
    server_expect("7", "HGET relance:{g:t:3}:meta offset");
    store_begin(owner.store);
    cr_expect_eq(commit(&owner, 8), RELANCE_OK, "%s", error.message);
    free_owner(&owner);
}

Test(store, a_server_that_may_evict_is_refused_and_says_what_to_set)
{
    cr_expect_eq(store_check_server(&(struct store_place){server_url, "g", "t", 0}, 4, &error), RELANCE_OK,
                 "%s", error.message);
    freeReplyObject(redisCommand(server_link, "CONFIG SET maxmemory-policy allkeys-lru"));
    cr_expect_eq(store_check_server(&(struct store_place){server_url, "g", "t", 0}, 4, &error),
                 RELANCE_INVALID);
    cr_expect(strstr(error.message, "set maxmemory-policy noeviction"), "%s", error.message);
}

Test(store, urls_are_checked_before_anything_is_connected_and_never_shown_with_their_password)
{
    static const char *const right[] = {"redis://localhost",
                                        "redis://h:7/3",
                                        "redis://u:p@h:6379/0",
                                        "redis://:p@h",
                                        "redis://[::1]:6379/1",
                                        "redis://u:p@@h",
                                        "unix:///run/redis.sock",
                                        "unix://u:p@/run/s",
                                        "redis://u:%2F@h",
                                        "unix:///run/a@/s",
                                        "redis://[::1]",
                                        "rediss://u:p@h:6380/2",
                                        "redis://:a?b/c@h/1",
                                        "rediss://h?ca=/etc/ca.pem&cert=c.pem&key=/k%40y&name=n&verify=no",
                                        "sentinel://h/m",
                                        "sentinel://:p@a,[::1]:26379,b:1/m/2",
                                        "sentinels://a:1/m?ca=ca.pem"};
    static const char *const wrong[] = {"",
                                        "localhost:6379",
                                        "redis://",
                                        "redis://h:0x1/0",
                                        "redis://h:70000",
                                        "redis://h/db",
                                        "unix://run/s",
                                        "unix://u:secret@run/s",
                                        "redis://u:secret%@h",
                                        "redis://u:secret%00@h",
                                        "redis://::1:6379",
                                        "redis://[::1:6379",
                                        "redis://[::1]x",
                                        "redis://h:0",
                                        "redis://h?ca=ca.pem",
                                        "rediss://u:secret@h?ca",
                                        "rediss://u:secret@h?verify=yes",
                                        "rediss://u:secret@h?key=k.pem",
                                        "rediss://u:secret@h?port=1",
                                        "sentinel://u:secret@h",
                                        "sentinel://u:secret@h/",
                                        "sentinel://u:secret@h,/m",
                                        "sentinel://u:secret@h/m/x",
                                        "sentinel://u:secret@h/m?ca=ca.pem",
                                        "https://u:secret@h"};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        cr_expect_eq(store_check_url(right[i], &error), RELANCE_OK, "%s", right[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_expect_eq(store_check_url(wrong[i], &error), RELANCE_INVALID, "%s", wrong[i]);
        cr_expect_not(strstr(error.message, "secret"));
    }
}

Test(store, a_user_and_a_password_of_any_signs_reach_the_server_over_a_socket_too)
{
    char login[256];
    freeReplyObject(redisCommand(server_link, "ACL SETUSER a@b on >p/:@%%?# +@all ~*"));
    snprintf(login, sizeof login, "unix://a%%40b:p%%2F%%3a%%40%%25?#@%s", server_url + strlen("unix://"));
    cr_expect_eq(store_check_server(&(struct store_place){login, "g", "t", 0}, 4, &error), RELANCE_OK, "%s",
                 error.message);
    snprintf(login, sizeof login, "unix://a%%40b:wrong@%s", server_url + strlen("unix://"));
    cr_expect_eq(store_check_server(&(struct store_place){login, "g", "t", 0}, 4, &error), RELANCE_IO);
    cr_expect(strstr(error.message, "WRONGPASS") && !strstr(error.message, "wrong@"), "%s", error.message);
}
