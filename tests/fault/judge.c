/* The judge decides everything again, as one engine that nothing ever happened to: the records of the input,
 * merged with the marks that Kafka has in the end. What that engine decides has to be what was committed, number
 * by number, once, in order, actions as well as the lines of all decisions; what it remembers has to be what stands in Redis, to the byte; what it counts has
 * to be what was counted. */
#include "judge.h"
#include "identity.h"
#include "delivery/counter.h"
#include "delivery/sums.h"
#include "base/ensure.h"
#include "kafka.h"
#include "delivery/mark.h"
#include "redis.h"
#include "host/text.h"
#include "state/pack.h"
#include "versions.h"
#include "workload.h"
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <relance/affinity.h>
#include <stdlib.h>
#include <xxhash.h>

struct judge {
    int partition;
    struct relance_engine *engine;
    const struct rulebook_set *set;
    struct counters counters;
    struct sums sums;
    size_t sum_count[RELANCE_SUMS_COUNT]; /* those that are not 0 */
    size_t action, letter, line;          /* next places in the logs of what was published */
    size_t link[SIM_PARTITIONS_MAX];
    struct relance_str key; /* of the record that is being decided */
    int64_t offset;         /* its */
    int64_t links_to;       /* link records for us before this place have been taken */
    int64_t seq;
    const struct relance_model *model; /* in force; there is one affinity */
    int64_t marks, reached, told;      /* the place of the next decision */
};

/* ---- at rest */
bool judge_all_is_said(void)
{
    for (int p = 0; p < sim.partitions; p++) {
        struct frontier frontier;
        if (!kafka_frontier(p, &frontier) || frontier.position.offset != workload_stable_end(p)) return false;
    }
    return true;
}

/* Has each link record for the partition been taken? */
static bool judge_all_is_linked(int partition)
{
    const struct kafka_log *log = kafka_log(KAFKA_LINKS + partition);
    int64_t taken;
    if (!text_count(redis_meta(partition, "links"), &taken)) return false;
    for (size_t i = (size_t)taken; i < log->count; i++)
        if (kafka_is_committed(&log->items[i])) return false;
    return true;
}

bool judge_all_is_saved(void)
{
    for (int p = 0; p < sim.partitions; p++) {
        int64_t saved, marks;
        struct frontier frontier;
        if (!kafka_frontier(p, &frontier)) return false;
        if (!text_count(redis_meta(p, "offset"), &saved) || saved != frontier.position.offset) return false;
        if (!judge_all_is_linked(p)) return false;
        if (!text_count(redis_meta(p, "marks"), &marks) || (uint64_t)marks != frontier.position.marks)
            return false;
    }
    return true;
}

bool judge_rules_are_in_force(void)
{
    for (int p = 0; p < sim.partitions; p++)
        if (!str_equal(redis_meta(p, "rules"), str_of(workload_rules(sim.edition)))) return false;
    return true;
}

/* ---- actions and dead letters */
/* The next one of this partition that has been committed; NULL: there is none. */
static const struct kafka_said *judge_next(int topic, int partition, size_t *at)
{
    const struct kafka_log *log = kafka_log(topic);
    while (*at < log->count) {
        const struct kafka_said *said = &log->items[(*at)++];
        if (said->partition == partition && kafka_is_committed(said)) return said;
    }
    return NULL;
}

/* What is no step has no id of its own; what stands there then is the shell's. */
static bool judge_same(const struct kafka_said *said, const struct relance_decision *decision,
                       struct relance_str body)
{
    return str_equal(said->value, body) && str_equal(said->key, decision->customer) &&
           str_equal(said->traceparent, decision->traceparent) &&
           (!decision->step || str_equal(said->id, decision->id));
}

static void judge_action(struct judge *judge, const struct relance_decision *decision)
{
    char body[4096];
    int64_t seq;
    size_t size = relance_action_print(decision, str_of(judge->set->hash), body, sizeof body);
    ensure(size <= sizeof body);
    struct relance_str expected = {body, size};
    const struct kafka_said *said = judge_next(KAFKA_ACTIONS, judge->partition, &judge->action);
    judge->seq++;
    if (!said)
        sim_fail("partition %d: action %" PRId64 " has not been said: %.*s", judge->partition, judge->seq,
                 STR_ARG(expected));
    else if (!text_count(said->seq, &seq) || seq != judge->seq)
        sim_fail("partition %d: where action %" PRId64 " should be, there is number %.*s", judge->partition,
                 judge->seq, STR_ARG(said->seq));
    else if (!judge_same(said, decision, expected))
        sim_fail("partition %d: action %" PRId64 " should be %.*s, and is %.*s", judge->partition, seq,
                 STR_ARG(expected), STR_ARG(said->value));
}

/* ---- lines */
static bool judge_is_number(struct relance_str text, int64_t expected)
{
    int64_t number;
    return text_count(text, &number) && number == expected;
}

static bool judge_is_place(const struct judge *judge, const struct kafka_said *said)
{
    return judge_is_number(said->mark, judge->marks) && judge_is_number(said->offset, judge->reached) &&
           judge_is_number(said->index, judge->told);
}

static bool judge_has_number(const struct judge *judge, const struct kafka_said *said,
                             const struct relance_decision *decision)
{
    bool is_output = relance_decision_is_output(decision);
    return is_output ? judge_is_number(said->seq, judge->seq) : !said->seq.size;
}

/* Where processes with and without --decisions take turns, any may be missing; of what is decided at one place all are
 * there or none, since a partition changes hands between two places. */
static void judge_line(struct judge *judge, const struct relance_decision *decision)
{
    char body[4096];
    size_t size = relance_decision_body_print(decision, body, sizeof body), at = judge->line;
    ensure(size <= sizeof body);
    struct relance_str expected = {body, size};
    const struct kafka_said *said = judge_next(KAFKA_DECISIONS, judge->partition, &at);
    if (!said || !judge_is_place(judge, said)) {
        if (sim.lines == SIM_LINES_ALWAYS || judge->told)
            sim_fail("partition %d: decision %" PRId64 "/%" PRId64 "/%" PRId64
                     " is not where it should be: %.*s",
                     judge->partition, judge->marks, judge->reached, judge->told, STR_ARG(expected));
        judge->told = -1;
        return;
    }
    judge->line = at;
    judge->told++;
    if (!str_equal(said->value, expected) || !str_equal(said->key, decision->customer) ||
        !judge_has_number(judge, said, decision))
        sim_fail("partition %d: a decision should be %.*s, and is %.*s", judge->partition, STR_ARG(expected),
                 STR_ARG(said->value));
}

static struct relance_str judge_traceparent(void *context)
{
    const struct judge *judge = context;
    return workload_traceparent(judge->partition, judge->offset);
}

static void judge_decided(void *context, const struct relance_decision *decision)
{
    struct judge *judge = context;
    counters_add_decision(&judge->counters, decision);
    identity_decided(judge->partition, decision);
    if (relance_decision_is_output(decision)) judge_action(judge, decision);
    if (sim.lines != SIM_LINES_NEVER && judge->told >= 0) judge_line(judge, decision);
}

static void judge_added(void *context, const struct relance_addition *addition)
{
    struct judge *judge = context;
    sums_add(&judge->sums, addition);
}

static void judge_letter(struct judge *judge, int64_t offset)
{
    int64_t there;
    const struct kafka_said *said = judge_next(KAFKA_DEAD, judge->partition, &judge->letter);
    if (!said || !text_count(said->offset, &there) || there != offset)
        sim_fail("partition %d: the dead letter of offset %" PRId64 " is not where it should be",
                 judge->partition, offset);
}

/* A link record as JSON, for people; what it holds lasts as long as the history. */
static const char *judge_show_link(struct relance_str value)
{
    struct unpack in = unpack_of(value);
    struct buffer text = {0};
    unpack_print(&in, &text);
    const char *shown = sim_keep_text(buffer_str(&text)).data;
    buffer_free(&text);
    return shown ? shown : "";
}

static void judge_link_said(void *context, const struct relance_link_record *link)
{
    struct judge *judge = context;
    const struct kafka_said *said =
        judge_next(KAFKA_LINKS + link->partition, judge->partition, &judge->link[link->partition]);
    if (!said)
        sim_fail("partition %d: a link record for partition %d has not been said: %s", judge->partition,
                 link->partition, judge_show_link(link->value));
    else if (!str_equal(said->key, link->key) || !str_equal(said->value, link->value))
        sim_fail("partition %d: a link record for partition %d should be %s, and is %s", judge->partition,
                 link->partition, judge_show_link(link->value), judge_show_link(said->value));
}

static bool judge_lives_here(void *context, struct relance_str customer, struct relance_str visitor)
{
    const struct judge *judge = context;
    bool by_customer = str_equal(judge->key, customer), by_visitor = str_equal(judge->key, visitor);
    if (!by_customer && !by_visitor) return true;
    return source_partition_of(by_customer ? visitor : customer, sim.partitions) == judge->partition;
}

static void judge_nothing_is_left(struct judge *judge)
{
    const struct kafka_said *more = judge_next(KAFKA_ACTIONS, judge->partition, &judge->action);
    if (more)
        sim_fail("partition %d: action %.*s follows from nothing: %.*s", judge->partition, STR_ARG(more->seq),
                 STR_ARG(more->value));
    more = judge_next(KAFKA_DECISIONS, judge->partition, &judge->line);
    if (more)
        sim_fail("partition %d: decision %.*s/%.*s/%.*s came again, or follows from nothing: %.*s",
                 judge->partition, STR_ARG(more->mark), STR_ARG(more->offset), STR_ARG(more->index),
                 STR_ARG(more->value));
    more = judge_next(KAFKA_DEAD, judge->partition, &judge->letter);
    if (more)
        sim_fail("partition %d: a dead letter too many, of offset %.*s", judge->partition,
                 STR_ARG(more->offset));
    for (int to = 0; to < sim.partitions; to++)
        if (judge_next(KAFKA_LINKS + to, judge->partition, &judge->link[to]))
            sim_fail("partition %d: a link record for partition %d follows from nothing", judge->partition,
                     to);
}

/* ---- deciding again */
static void judge_take_links(struct judge *judge, int64_t before)
{
    const struct kafka_log *log = kafka_log(KAFKA_LINKS + judge->partition);
    if (before > (int64_t)log->count)
        sim_fail("partition %d: link records have been taken that there are not", judge->partition);
    for (; judge->links_to < before && !*sim.failure; judge->links_to++)
        if (kafka_is_committed(&log->items[judge->links_to]))
            ensure(relance_engine_hear(judge->engine, log->items[judge->links_to].value) == RELANCE_DONE);
}

/* The model of another recipe is in force no more. */
static void judge_keep_model(struct judge *judge)
{
    const struct relance_ruleset *rules = judge->set->rules;
    if (judge->model &&
        relance_model_about(judge->model)->recipe != relance_ruleset_affinity_recipe(rules, 0))
        judge->model = NULL;
    relance_engine_set_model(judge->engine, relance_ruleset_affinity_name(rules, 0), judge->model);
}

static void judge_models(struct judge *judge, const char *models)
{
    cJSON *object = cJSON_Parse(models);
    for (const cJSON *member = object ? object->child : NULL; member; member = member->next) {
        struct relance_str name = str_of(member->string);
        judge->model = cJSON_IsNull(member) ? NULL : versions_find(name, str_of(member->valuestring));
        if (!judge->model && !cJSON_IsNull(member))
            sim_fail("partition %d: mark %" PRId64 " names %s, which was never committed", judge->partition,
                     judge->marks, member->valuestring);
        relance_engine_set_model(judge->engine, name, judge->model);
    }
    cJSON_Delete(object);
}

static void judge_mark(struct judge *judge, const struct mark *mark)
{
    judge->marks = (int64_t)mark->n;
    judge->reached = mark->at;
    judge->told = 0;
    if (mark->rules) {
        judge->set = workload_set(str_of(mark->rules));
        ensure(judge->set);
        ensure(relance_engine_set_rules(judge->engine, judge->set->rules, (int64_t)mark->n) == RELANCE_OK);
        judge_keep_model(judge);
    }
    if (mark->models) judge_models(judge, mark->models);
    if (mark->wall != RELANCE_NEVER) relance_engine_set_wall(judge->engine, mark->wall);
    uint64_t most = mark->waits ? mark->waits : UINT64_MAX;
    if (mark->tick != RELANCE_NEVER)
        ensure(relance_engine_tick(judge->engine, mark->tick, &most) == RELANCE_DONE);
    if (mark->waits && most)
        sim_fail("partition %d: mark %" PRIu64 " has ended waits that were not due", judge->partition,
                 mark->n);
    if (mark->links != RELANCE_NEVER) judge_take_links(judge, mark->links);
}

static bool judge_is_misplaced(const struct judge *judge, struct relance_str key)
{
    return key.size && source_partition_of(key, sim.partitions) != judge->partition;
}

static void judge_record(struct judge *judge, int64_t offset)
{
    const struct input_record *record = &workload_input(judge->partition)->records[offset];
    struct relance_fate fate;
    if (record->gap) return;
    identity_record(judge->partition, offset);
    if (!record->value.data) {
        counters_add(&judge->counters, COUNTER_TOMBSTONES, 1);
        return;
    }
    judge->key = record->key;
    judge->offset = offset;
    judge->reached = offset + 1;
    judge->told = 0;
    if (judge_is_misplaced(judge, record->key)) {
        counters_add(&judge->counters, COUNTER_MISPLACED, 1);
        if (sim.refuses_misplaced) {
            judge_letter(judge, offset);
            return;
        }
    }
    const struct relance_record event = {.topic = STR("t"),
                                         .partition = judge->partition,
                                         .offset = offset,
                                         .value = record->value,
                                         .timestamp_ms = record->timestamp_ms};
    do {
        ensure(relance_engine_record(judge->engine, &event, &fate) == RELANCE_DONE);
        if (fate.kind == RELANCE_DEAD)
            judge_letter(judge, offset);
        else
            counters_add(&judge->counters, COUNTER_EVENTS, fate.kind != RELANCE_NOTHING);
    } while (fate.more);
}

/* Marks that were committed, in order: numbered from 1, each once. */
static void judge_read_marks(int partition, struct mark_list *marks)
{
    struct relance_error error;
    const struct kafka_log *log = kafka_log(KAFKA_MARKS + partition);
    for (size_t i = 0; i < log->count; i++) {
        struct mark mark;
        if (!kafka_is_committed(&log->items[i])) continue;
        ensure(mark_parse(log->items[i].value, &mark, &error) == RELANCE_OK);
        mark_list_add(marks, mark);
        if (mark.n != marks->count)
            sim_fail("partition %d: where mark %zu should be, there is number %" PRIu64, partition,
                     marks->count, mark.n);
    }
}

/* Behind it everybody comes once more. */
static bool judge_is_at_rest(const struct judge *judge, int64_t offset)
{
    const struct input *input = workload_input(judge->partition);
    bool touches = offset < input->count && input->records[offset].seen_us == RELANCE_NEVER;
    bool before = offset && input->records[offset - 1].seen_us == RELANCE_NEVER;
    return (touches || offset == input->count) && !before;
}

static void judge_decide(struct judge *judge, const struct mark_list *marks)
{
    int64_t end = workload_input(judge->partition)->count;
    size_t mark = 0;
    for (int64_t offset = 0; offset <= end && !*sim.failure; offset++) {
        while (mark < marks->count && marks->items[mark].at <= offset)
            judge_mark(judge, &marks->items[mark++]);
        if (judge_is_at_rest(judge, offset)) identity_collect(judge->engine);
        if (offset < end) judge_record(judge, offset);
    }
    for (int kind = 0; kind < RELANCE_FORGOT_KINDS; kind++)
        counters_add(&judge->counters, (enum counter)(COUNTER_FORGOT_FIRST + kind),
                     (int64_t)relance_engine_forgot(judge->engine)->of[kind]);
    const struct relance_links *links = relance_engine_links(judge->engine);
    counters_add(&judge->counters, COUNTER_LINKS, (int64_t)links->taken);
    counters_add(&judge->counters, COUNTER_LINKS_OPEN, (int64_t)links->open);
    counters_add(&judge->counters, COUNTER_LINKS_DROPPED, (int64_t)links->dropped);
    counters_add(&judge->counters, COUNTER_FORWARDED, (int64_t)links->forwarded);
    if (!*sim.failure) judge_nothing_is_left(judge);
}

/* ---- the state */
struct judge_states {
    const struct judge *judge;
    size_t count;
};

static const struct redis_field *judge_find(int partition, enum redis_hash hash, struct relance_str name)
{
    const struct redis_field *fields;
    size_t count = redis_fields(partition, hash, &fields);
    for (size_t i = 0; i < count; i++)
        if (str_equal(fields[i].name, name)) return &fields[i];
    return NULL;
}

static void judge_show(const struct judge *judge, const char *what, struct relance_str customer,
                       struct relance_str state)
{
    char text[4096];
    size_t size = relance_state_print(judge->set->rules, customer, state, text, sizeof text);
    sim_tell("%zu bytes %s %.*s", state.size, what, (int)(size < sizeof text ? size : sizeof text), text);
}

static void judge_state(void *context, const struct relance_change *change)
{
    struct judge_states *states = context;
    int partition = states->judge->partition;
    const struct redis_field *state = judge_find(partition, REDIS_CUSTOMERS, change->customer);
    const struct redis_field *due = judge_find(partition, REDIS_TIMERS, change->customer);
    states->count += change->state.size > 0;
    if (!str_equal(state ? state->value : STR(""), change->state)) {
        judge_show(states->judge, "should be", change->customer, change->state);
        if (state) judge_show(states->judge, "is", change->customer, state->value);
        sim_fail("partition %d: the state of %.*s in Redis is not what follows from its events", partition,
                 STR_ARG(change->customer));
    }
    if (change->due_ms != RELANCE_NEVER && (!due || strtod(due->value.data, NULL) > (double)change->due_ms))
        sim_fail("partition %d: what %.*s waits for is not in Redis", partition, STR_ARG(change->customer));
}

static void judge_counter(void *context, struct relance_str name, bool whole, double value)
{
    const struct judge *judge = context;
    const struct redis_field *field = judge_find(judge->partition, REDIS_METRICS, name);
    double found = field ? strtod(field->value.data, NULL) : 0;
    if (whole ? found != value : (found > value + 1e-6 || found < value - 1e-6))
        sim_fail("partition %d: the counter %.*s is %.17g instead of %.17g", judge->partition, STR_ARG(name),
                 found, value);
}

static void judge_sum(void *context, const struct relance_addition *sum)
{
    static const enum redis_hash hashes[] = {[RELANCE_SUMS_ALL] = REDIS_METRICS,
                                             [RELANCE_SUMS_DAY] = REDIS_DAYS,
                                             [RELANCE_SUMS_COHORTS] = REDIS_COHORTS};
    struct judge *judge = context;
    char name[600], day[TEXT_DAY_SIZE] = "";
    if (sum->table == RELANCE_SUMS_DAY) text_put_day(day, sum->day);
    int size = snprintf(name, sizeof name, "%s%s%.*s", day, *day ? " " : "", STR_ARG(sum->name));
    ensure(size < (int)sizeof name);
    const struct redis_field *field =
        judge_find(judge->partition, hashes[sum->table], (struct relance_str){name, (size_t)size});
    int64_t found = field ? strtoll(field->value.data, NULL, 10) : 0;
    judge->sum_count[sum->table]++;
    if (found != sum->number)
        sim_fail("partition %d: the sum %s is %" PRId64 " instead of %" PRId64, judge->partition, name, found,
                 sum->number);
    if (*day && !judge_find(judge->partition, REDIS_SALES, str_of(day)))
        sim_fail("partition %d: nobody can know that there are sums of %s", judge->partition, day);
}

/* Sums that are 0 may stand in Redis. */
static size_t judge_count_sums(int partition, enum redis_hash hash)
{
    const struct redis_field *fields;
    size_t count = redis_fields(partition, hash, &fields), found = 0;
    for (size_t i = 0; i < count; i++)
        found += !str_equal(fields[i].value, STR("0"));
    return found;
}

static void judge_sums(struct judge *judge)
{
    sums_each(&judge->sums, judge_sum, judge);
    if (judge_count_sums(judge->partition, REDIS_DAYS) != judge->sum_count[RELANCE_SUMS_DAY] ||
        judge_count_sums(judge->partition, REDIS_COHORTS) != judge->sum_count[RELANCE_SUMS_COHORTS])
        sim_fail("partition %d: there are sums in Redis that follow from nothing", judge->partition);
}

static void judge_state_of_all(struct judge *judge)
{
    const struct redis_field *fields;
    struct judge_states states = {judge, 0};
    ensure(relance_engine_changes(judge->engine, judge_state, &states) == RELANCE_OK);
    if (redis_fields(judge->partition, REDIS_CUSTOMERS, &fields) != states.count)
        sim_fail("partition %d: there are customers in Redis who never were", judge->partition);
    if (redis_has_part(judge->partition)) return;
    counters_each(&judge->counters, judge_counter, judge);
    judge_sums(judge);
}

/* ---- a partition */
static void judge_partition(int partition)
{
    struct judge judge = {.partition = partition, .set = workload_set(str_of(workload_rules(0)))};
    struct mark_list marks = {0};
    judge_read_marks(partition, &marks);
    if (!*sim.failure && (!marks.count || !marks.items[0].rules))
        sim_fail("partition %d: the first mark brings no rules", partition);
    if (!*sim.failure) {
        judge.set = workload_set(str_of(marks.items[0].rules));
        struct relance_engine_options options = {.rules = judge.set->rules,
                                                 .lateness_ms = sim.lateness_ms,
                                                 .forget_after_ms = sim.forget_after_ms,
                                                 .state_bytes = (size_t)sim.state_bytes,
                                                 .decide = judge_decided,
                                                 .say = judge_link_said,
                                                 .add = judge_added,
                                                 .traceparent = judge_traceparent,
                                                 .lives_here = judge_lives_here,
                                                 .partition = partition,
                                                 .partitions = sim.partitions,
                                                 .context = &judge,
                                                 .errors = true,
                                                 .complete = true};
        ensure(judge.engine = relance_engine_new(&options));
        judge_decide(&judge, &marks);
        if (!*sim.failure) judge_state_of_all(&judge);
        relance_engine_free(judge.engine);
    }
    counters_free(&judge.counters);
    sums_free(&judge.sums);
    mark_list_free(&marks);
}

void judge_history(void)
{
    identity_begin();
    for (int p = 0; p < sim.partitions && !*sim.failure; p++)
        judge_partition(p);
    if (!*sim.failure) identity_judge();
}

uint64_t judge_digest(void)
{
    uint64_t digest = 0;
    const struct kafka_log *log = kafka_log(KAFKA_ACTIONS);
    for (size_t i = 0; i < log->count; i++) {
        const struct kafka_said *said = &log->items[i];
        if (!kafka_is_committed(said)) continue;
        uint64_t id = XXH3_64bits(said->id.data, said->id.size);
        digest += XXH3_64bits_withSeed(said->value.data, said->value.size, id);
    }
    return digest;
}
