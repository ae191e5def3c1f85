#include "redis/answer.h"
#include "base/str.h"
#include <ctype.h>
#include <hiredis/hiredis.h>

/* ---- sentences */
/* What a stranger says, for a log and for a terminal: the beginning of it, in plain signs. */
enum { ANSWER_SHOWN = 200 };
static const char *answer_show(const redisReply *answer, char out[ANSWER_SHOWN + 1])
{
    size_t size = !answer->str ? 0 : answer->len < ANSWER_SHOWN ? answer->len : ANSWER_SHOWN;
    for (size_t i = 0; i < size; i++)
        out[i] = isprint((unsigned char)answer->str[i]) ? answer->str[i] : '?';
    out[size] = '\0';
    return out;
}

static const char *answer_kind(const redisReply *answer)
{
    switch (answer->type) {
    case REDIS_REPLY_STRING: return "a text";
    case REDIS_REPLY_ARRAY: return "a list";
    case REDIS_REPLY_INTEGER: return "a number";
    case REDIS_REPLY_NIL: return "nothing";
    case REDIS_REPLY_STATUS: return "a word";
    case REDIS_REPLY_ERROR: return "an error";
    default: return "an answer of a kind of its own";
    }
}

/* It is not what was wanted: what Redis refuses is told in its words. */
static enum relance_status answer_wrong(const redisReply *answer, const char *asked, const char *wanted,
                                        struct relance_error *error)
{
    char shown[ANSWER_SHOWN + 1];
    if (answer->type == REDIS_REPLY_ERROR)
        return relance_error_set(error, RELANCE_AGAIN, "Redis: %s: %s", asked, answer_show(answer, shown));
    return relance_error_set(error, RELANCE_IO, "Redis: %s: %s was expected, %s has come", asked, wanted,
                             answer_kind(answer));
}

static struct relance_str answer_bytes(const redisReply *answer)
{
    return (struct relance_str){answer->str ? answer->str : "", answer->str ? answer->len : 0};
}

/* ---- what Redis refuses */
struct relance_str redis_read_refusal(const redisReply *answer)
{
    return answer->type == REDIS_REPLY_ERROR ? answer_bytes(answer) : (struct relance_str){0};
}

bool redis_is_elsewhere(const redisReply *answer)
{
    static const char *const words[] = {"MOVED ",    "ASK ",     "TRYAGAIN ",   "CLUSTERDOWN ",
                                        "READONLY ", "LOADING ", "MASTERDOWN ", "NOREPLICAS "};
    struct relance_str refusal = redis_read_refusal(answer);
    for (size_t i = 0; refusal.data && i < sizeof words / sizeof *words; i++)
        if (str_starts_with(refusal, str_of(words[i]))) return true;
    return false;
}

/* ---- single ones */

enum relance_status redis_read_word(const redisReply *answer, const char *asked, const char *word,
                                    struct relance_error *error)
{
    bool right = answer->type == REDIS_REPLY_STATUS && str_equal(answer_bytes(answer), str_of(word));
    return right ? RELANCE_OK : answer_wrong(answer, asked, word, error);
}

enum relance_status redis_read_count(const redisReply *answer, const char *asked, int64_t *out,
                                     struct relance_error *error)
{
    if (answer->type != REDIS_REPLY_INTEGER || answer->integer < 0)
        return answer_wrong(answer, asked, "a count", error);
    *out = answer->integer;
    return RELANCE_OK;
}

enum relance_status redis_read_text(const redisReply *answer, const char *asked, struct relance_str *out,
                                    struct relance_error *error)
{
    *out = (struct relance_str){0};
    if (answer->type == REDIS_REPLY_NIL) return RELANCE_OK;
    if (answer->type != REDIS_REPLY_STRING) return answer_wrong(answer, asked, "a text", error);
    *out = answer_bytes(answer);
    return RELANCE_OK;
}

/* ---- lists */
static enum relance_status answer_check_list(const redisReply *answer, const char *asked, size_t count,
                                             struct relance_error *error)
{
    if (answer->type != REDIS_REPLY_ARRAY) return answer_wrong(answer, asked, "a list", error);
    if (count == REDIS_ANY || answer->elements == count) return RELANCE_OK;
    return relance_error_set(error, RELANCE_IO, "Redis: %s: a list of %zu was expected, one of %zu has come",
                             asked, count, answer->elements);
}

enum relance_status redis_read_first(const redisReply *answer, const char *asked, struct relance_str *out,
                                     struct relance_error *error)
{
    enum relance_status status = answer_check_list(answer, asked, REDIS_ANY, error);
    if (status != RELANCE_OK) return status;
    if (answer->elements && answer->element[0]->type == REDIS_REPLY_STRING) {
        *out = answer_bytes(answer->element[0]);
        return RELANCE_OK;
    }
    return relance_error_set(error, RELANCE_IO, "Redis: %s: a list that begins with a text was expected",
                             asked);
}

/* All are looked at before the first is visited: in a list that has something else in it nothing can be trusted. */
static enum relance_status answer_check_texts(const redisReply *answer, const char *asked, bool absent,
                                              struct relance_error *error)
{
    for (size_t i = 0; i < answer->elements; i++) {
        const redisReply *text = answer->element[i];
        bool is_text = text->type == REDIS_REPLY_STRING || (absent && text->type == REDIS_REPLY_NIL);
        if (!is_text) return answer_wrong(text, asked, "a text", error);
    }
    return RELANCE_OK;
}

enum relance_status redis_read_texts(const redisReply *answer, const char *asked, size_t count,
                                     redis_text_visit *visit, void *context, struct relance_error *error)
{
    enum relance_status status = answer_check_list(answer, asked, count, error);
    if (status == RELANCE_OK) status = answer_check_texts(answer, asked, true, error);
    for (size_t i = 0; status == RELANCE_OK && i < answer->elements; i++) {
        struct relance_str text;
        status = redis_read_text(answer->element[i], asked, &text, error);
        if (status == RELANCE_OK) status = visit(context, i, text, error);
    }
    return status;
}

enum relance_status redis_read_pairs(const redisReply *answer, const char *asked, redis_pair_visit *visit,
                                     void *context, struct relance_error *error)
{
    enum relance_status status = answer_check_list(answer, asked, REDIS_ANY, error);
    if (status == RELANCE_OK && answer->elements % 2)
        status =
            relance_error_set(error, RELANCE_IO, "Redis: %s: pairs were expected, a list of %zu has come",
                              asked, answer->elements);
    if (status == RELANCE_OK) status = answer_check_texts(answer, asked, false, error);
    for (size_t i = 0; status == RELANCE_OK && i < answer->elements; i += 2)
        status =
            visit(context, answer_bytes(answer->element[i]), answer_bytes(answer->element[i + 1]), error);
    return status;
}

enum relance_status redis_read_scan(const redisReply *answer, const char *asked,
                                    char cursor[REDIS_CURSOR_SIZE], const redisReply **found,
                                    struct relance_error *error)
{
    struct relance_str text;
    enum relance_status status = answer_check_list(answer, asked, 2, error);
    if (status == RELANCE_OK) status = redis_read_text(answer->element[0], asked, &text, error);
    if (status == RELANCE_OK) status = answer_check_list(answer->element[1], asked, REDIS_ANY, error);
    if (status != RELANCE_OK) return status;
    bool is_cursor =
        text.size && text.size < REDIS_CURSOR_SIZE && strspn(text.data, "0123456789") == text.size;
    if (!is_cursor) return relance_error_set(error, RELANCE_IO, "Redis: %s: the cursor is no number", asked);
    memcpy(cursor, text.data, text.size + 1);
    *found = answer->element[1];
    return RELANCE_OK;
}

/* A sum that would leave 64 bits stays as it is: nothing else can be done about it, and stopping for ever would be worse. */
static bool answer_is_full_sum(const redisReply *answer)
{
    return str_equal(answer_bytes(answer), STR("ERR increment or decrement would overflow"));
}

enum relance_status redis_read_exec(const redisReply *answer, size_t count, bool *done,
                                    struct relance_error *error)
{
    char shown[ANSWER_SHOWN + 1];
    *done = false;
    if (answer->type == REDIS_REPLY_NIL) return RELANCE_OK;
    enum relance_status status = answer_check_list(answer, "EXEC", count, error);
    if (status != RELANCE_OK) return status;
    *done = true;
    for (size_t i = 0; i < answer->elements; i++)
        if (answer->element[i]->type == REDIS_REPLY_ERROR && !answer_is_full_sum(answer->element[i]))
            return relance_error_set(error, RELANCE_INVALID, "Redis refused a part of a checkpoint: %s",
                                     answer_show(answer->element[i], shown));
    return RELANCE_OK;
}
