/* The lists of a version in Redis. A line is opened for each version and closed again: they are an hour apart. The head is
 * written last, and is what tells how far the hash is, so whoever writes needs to remember nothing:
 *
 *     # is that of this version            all is there
 *     # is that of the one before          what differs between the two is written, and what has left taken away
 *     anything else, or nothing            the hash is read through, and compared with what it should be
 *
 * Two learners of one group cannot be for long: the older is fenced at its next version. What it may have written last, the
 * newer one finds out by the head. */
#include "learn/also.h"
#include "base/buffer.h"
#include "base/ensure.h"
#include "base/str.h"
#include "redis/keys.h"
#include "redis/line.h"
#include "redis/resp.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ALSO_SCAN_ROUNDS = 1 << 20, /* steps of a scan: one that takes more has no end */
    ALSO_HEAD_SIZE = 256,       /* longer than any of ours */
};
#define ALSO_SCAN_COUNT "1000"
#define ALSO_POPULAR    STR("*")
#define ALSO_HEAD       STR("#")

/* One version on its way. Fields go by number: those of its products, and behind them the popular ones. */
struct also {
    const struct relance_model *model;
    char key[REDIS_KEY_ALSO_SIZE];
    struct redis_line *line;
    bool *is_there;     /* by field: as it should be */
    struct buffer gone; /* names of fields that are to go, each behind its size */
    struct buffer list, head;
    struct redis_question question;
    size_t queued; /* commands of the transaction that is being put together */
    struct resp_many set, erase;
};

/* ---- what is to stand there */
static size_t also_fields(const struct also *also)
{
    return relance_model_product_count(also->model) + 1;
}

static struct relance_str also_field(const struct also *also, size_t number)
{
    return number + 1 < also_fields(also) ? relance_model_product(also->model, number) : ALSO_POPULAR;
}

static bool also_has(const struct relance_model *model, struct relance_str field)
{
    struct relance_partner list[ALSO_LISTED];
    uint64_t whole;
    return relance_model_listed(model, field, ALSO_LISTED, list, &whole) > 0;
}

/* As JSON; empty: there is none, and the field is not there. */
static struct relance_str also_list(struct also *also, struct relance_str field)
{
    struct relance_partner partners[ALSO_LISTED];
    uint64_t whole;
    size_t count = relance_model_listed(also->model, field, ALSO_LISTED, partners, &whole);
    also->list.size = 0;
    for (size_t i = 0; i < count; i++) {
        buffer_put_str(&also->list, i ? STR(",[") : STR("[["));
        buffer_put_json_string(&also->list, partners[i].product);
        buffer_put_format(&also->list, ",%.3g]", (double)partners[i].weight / (double)whole);
    }
    if (count) buffer_put_char(&also->list, ']');
    ensure(!also->list.failed);
    return buffer_str(&also->list);
}

static struct relance_str also_head(struct also *also, const struct relance_model *model, bool is_whole)
{
    const struct relance_model_head *head = relance_model_about(model);
    also->head.size = 0;
    buffer_put_format(&also->head,
                      "{\"n\":%" PRIu64 ",\"recipe\":\"%016" PRIx64 "\",\"chain\":\"%016" PRIx64
                      "\",\"at\":%" PRId64 ",\"whole\":%s}",
                      head->number, head->recipe, head->chain, head->at_ms, is_whole ? "true" : "false");
    ensure(!also->head.failed);
    return buffer_str(&also->head);
}

/* Is it the head of a whole version, of the same recipe as this one, and none before it? */
static bool also_is_reached(struct relance_str head, const struct relance_model *model)
{
    char text[ALSO_HEAD_SIZE];
    const struct relance_model_head *about = relance_model_about(model);
    uint64_t number, recipe;
    int length = 0;
    snprintf(text, sizeof text, "%.*s", STR_ARG(head));
    bool is_head =
        sscanf(text, "{\"n\":%" SCNu64 ",\"recipe\":\"%" SCNx64 "\",%n", &number, &recipe, &length) == 2;
    return is_head && length && strstr(text, "\"whole\":true}") && recipe == about->recipe &&
           number >= about->number;
}

/* ---- what differs */
static void also_let_go(struct also *also, struct relance_str field)
{
    buffer_put(&also->gone, &field.size, sizeof field.size);
    buffer_put_str(&also->gone, field);
    ensure(!also->gone.failed);
}

static bool also_is_same(const struct also *also, const struct relance_model *before,
                         struct relance_str field)
{
    struct relance_partner were[ALSO_LISTED], are[ALSO_LISTED];
    uint64_t whole_then, whole_now;
    size_t count = relance_model_listed(also->model, field, ALSO_LISTED, are, &whole_now);
    if (relance_model_listed(before, field, ALSO_LISTED, were, &whole_then) != count ||
        whole_then != whole_now)
        return false;
    for (size_t i = 0; i < count; i++)
        if (were[i].weight != are[i].weight || !str_equal(were[i].product, are[i].product)) return false;
    return true;
}

static void also_compare_field(struct also *also, const struct relance_model *before,
                               struct relance_str field)
{
    if (also_has(before, field) && !also_has(also->model, field)) also_let_go(also, field);
}

static void also_compare_versions(struct also *also, const struct relance_model *before)
{
    for (size_t i = 0; i < also_fields(also); i++)
        also->is_there[i] |= also_is_same(also, before, also_field(also, i));
    for (size_t i = 0; i < relance_model_product_count(before); i++)
        also_compare_field(also, before, relance_model_product(before, i));
    also_compare_field(also, before, ALSO_POPULAR);
}

/* A scan may show a field twice: it is compared twice, or taken away twice. */
static enum relance_status also_take_field(void *context, struct relance_str field, struct relance_str value,
                                           struct relance_error *error)
{
    struct also *also = context;
    (void)error;
    if (str_equal(field, ALSO_HEAD)) return RELANCE_OK;
    struct relance_str list = also_list(also, field);
    if (!list.size) {
        also_let_go(also, field);
        return RELANCE_OK;
    }
    size_t number = relance_model_number(also->model, field);
    if (number == RELANCE_MODEL_NOWHERE) number = also_fields(also) - 1;
    also->is_there[number] = str_equal(value, list);
    return RELANCE_OK;
}

static enum relance_status also_read_through(struct also *also, struct relance_error *error)
{
    char cursor[REDIS_CURSOR_SIZE] = "0";
    for (int round = 0; round < ALSO_SCAN_ROUNDS; round++) {
        const struct redisReply *found;
        struct redisReply *answer = NULL;
        enum relance_status status = REDIS_DO(also->line, &answer, error, STR("HSCAN"), str_of(also->key),
                                              str_of(cursor), STR("COUNT"), STR(ALSO_SCAN_COUNT));
        if (status == RELANCE_OK) status = redis_read_scan(answer, "HSCAN", cursor, &found, error);
        if (status == RELANCE_OK) status = redis_read_pairs(found, "HSCAN", also_take_field, also, error);
        redis_answer_free(answer);
        if (status != RELANCE_OK || strcmp(cursor, "0") == 0) return status;
    }
    return relance_error_set(error, RELANCE_IO, "Redis: HSCAN does not come to its end");
}

/* *done: the hash is that of the version. */
static enum relance_status also_compare(struct also *also, const struct relance_model *before, bool *done,
                                        struct relance_error *error)
{
    struct redisReply *answer = NULL;
    struct relance_str found = {0};
    enum relance_status status =
        REDIS_DO(also->line, &answer, error, STR("HGET"), str_of(also->key), ALSO_HEAD);
    if (status == RELANCE_OK) status = redis_read_text(answer, "HGET", &found, error);
    *done = status == RELANCE_OK && str_equal(found, also_head(also, also->model, true));
    bool is_known = status == RELANCE_OK && before && str_equal(found, also_head(also, before, true));
    redis_answer_free(answer);
    if (status != RELANCE_OK || *done) return status;
    for (size_t i = 0; i < also_fields(also); i++) /* what has no list needs no field */
        also->is_there[i] = !also_has(also->model, also_field(also, i));
    if (!is_known) return also_read_through(also, error);
    also_compare_versions(also, before);
    return RELANCE_OK;
}

/* ---- writing */
static void also_begin(struct also *also)
{
    REDIS_ASK(&also->question, STR("MULTI"));
    also->queued = 0;
}

static void also_flush(struct also *also, struct resp_many *many)
{
    size_t commands = resp_many_flush(many);
    also->queued += commands;
    also->question.expected += commands;
}

/* MULTI, so many that are queued, and EXEC. */
static enum relance_status also_hear(struct also *also, struct relance_error *error)
{
    enum relance_status status = redis_send(also->line, &also->question, error);
    for (size_t i = 0; status == RELANCE_OK && also->question.expected; i++) {
        struct redisReply *answer = NULL;
        bool done;
        status = redis_take(also->line, &also->question, &answer, error);
        if (status == RELANCE_OK && i <= also->queued)
            status = redis_read_word(answer, "MULTI", i ? "QUEUED" : "OK", error);
        else if (status == RELANCE_OK)
            status = redis_read_exec(answer, also->queued, &done, error);
        redis_answer_free(answer);
    }
    return status;
}

static enum relance_status also_commit(struct also *also, bool is_whole, struct relance_error *error)
{
    resp_many_add(&also->set, ALSO_HEAD, also_head(also, also->model, is_whole));
    also_flush(also, &also->set);
    also_flush(also, &also->erase);
    REDIS_ASK(&also->question, STR("EXEC"));
    enum relance_status status = also_hear(also, error);
    redis_question_clear(&also->question);
    return status;
}

/* Commands are kept short; a transaction that has become long is ended, and another begun. */
static enum relance_status also_go_on(struct also *also, struct relance_error *error)
{
    if (also->set.count >= RESP_MANY) also_flush(also, &also->set);
    if (also->erase.count >= RESP_MANY) also_flush(also, &also->erase);
    size_t bytes = also->question.commands.size + also->set.words.size + also->erase.words.size;
    if (bytes < ALSO_PART_BYTES) return RELANCE_OK;
    enum relance_status status = also_commit(also, false, error);
    also_begin(also);
    return status;
}

static enum relance_status also_put(struct also *also, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    also_begin(also);
    for (size_t at = 0, size; at < also->gone.size && status == RELANCE_OK; at += sizeof size + size) {
        memcpy(&size, also->gone.data + at, sizeof size);
        resp_many_add_one(&also->erase, (struct relance_str){also->gone.data + at + sizeof size, size});
        status = also_go_on(also, error);
    }
    for (size_t i = 0; i < also_fields(also) && status == RELANCE_OK; i++) {
        if (also->is_there[i]) continue;
        struct relance_str field = also_field(also, i);
        resp_many_add(&also->set, field, also_list(also, field));
        status = also_go_on(also, error);
    }
    return status == RELANCE_OK ? also_commit(also, true, error) : status;
}

static void also_free(struct also *also)
{
    redis_close(also->line);
    redis_question_free(&also->question);
    buffer_free(&also->gone);
    buffer_free(&also->list);
    buffer_free(&also->head);
    buffer_free(&also->set.words);
    buffer_free(&also->erase.words);
    free(also->is_there);
}

enum relance_status also_write(const struct also_place *place, struct relance_str affinity,
                               const struct relance_model *before, const struct relance_model *model,
                               struct relance_error *error)
{
    struct also also = {.model = model};
    bool done = false;
    redis_key_also(also.key, place->group, place->input, affinity);
    also.set =
        (struct resp_many){.out = &also.question.commands, .verb = STR("HSET"), .key = str_of(also.key)};
    also.erase =
        (struct resp_many){.out = &also.question.commands, .verb = STR("HDEL"), .key = str_of(also.key)};
    ensure(also.is_there = calloc(also_fields(&also), sizeof *also.is_there));
    enum relance_status status = redis_connect(place->url, also.key, &also.line, error);
    if (status == RELANCE_OK) status = also_compare(&also, before, &done, error);
    if (status == RELANCE_OK && !done) status = also_put(&also, error);
    also_free(&also);
    return status;
}

enum relance_status also_look(const struct also_place *place, struct relance_str affinity,
                              const struct relance_model *model, bool *is_behind, struct relance_error *error)
{
    struct also also = {.model = model};
    struct redisReply *answer = NULL;
    struct relance_str found = {0};
    redis_key_also(also.key, place->group, place->input, affinity);
    enum relance_status status = redis_connect(place->url, also.key, &also.line, error);
    if (status == RELANCE_OK)
        status = REDIS_DO(also.line, &answer, error, STR("HGET"), str_of(also.key), ALSO_HEAD);
    if (status == RELANCE_OK) status = redis_read_text(answer, "HGET", &found, error);
    *is_behind = status == RELANCE_OK && !also_is_reached(found, model);
    redis_answer_free(answer);
    also_free(&also);
    return status;
}
