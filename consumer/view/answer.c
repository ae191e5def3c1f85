#include "view/answer.h"
#include "host/log.h"
#include "host/text.h"

enum { ANSWER_OK = 200, ANSWER_WRONG = 400, ANSWER_UNKNOWN = 404, ANSWER_AWAY = 502 };

/* ---- what is asked */
bool answer_from(const struct http_question *question, int64_t otherwise, int64_t *out)
{
    const char *from = http_question_value(question, "from");
    *out = otherwise;
    return !from || strcmp(from, "earliest") == 0 || text_instant(str_of(from), out);
}

bool answer_is_visitor(const struct http_question *question)
{
    const char *visitor = http_question_value(question, "visitor");
    return visitor && strcmp(visitor, "1") == 0;
}

bool answer_whom(struct http_question *question, const char *sentence)
{
    const char *id = http_question_value(question, "id");
    if (!id || !*id) return false;
    log_line(LOG_INFO, sentence,
             answer_is_visitor(question) ? "visitor=\"%s\" by=%s" : "customer=\"%s\" by=%s", id,
             http_question_who(question));
    return true;
}

/* ---- answers */
static bool answer_give(struct http_question *question, enum relance_status status, str body,
                        const struct relance_error *error)
{
    bool is_refused = status == RELANCE_REFUSED;
    if (status == RELANCE_OK)
        http_question_answer(question, ANSWER_OK, body);
    else
        http_question_refuse(question, is_refused ? ANSWER_UNKNOWN : ANSWER_AWAY, error->message);
    return status == RELANCE_OK || is_refused;
}

static bool answer_customer(const struct answering *answering, struct http_question *question)
{
    struct relance_error error;
    struct buffer body = {0};
    if (!answer_whom(question, "A customer was looked up.")) {
        http_question_refuse(question, ANSWER_WRONG, "id=… is needed.");
        return true;
    }
    enum relance_status status =
        customer_print(answering->redis, answering->rulesets, answering->checkpoints,
                       http_question_value(question, "id"), answer_is_visitor(question), &body, &error);
    bool is_well = answer_give(question, status, buffer_str(&body), &error);
    buffer_free(&body);
    return is_well;
}

static bool answer_minutes(const struct answering *answering, struct http_question *question)
{
    struct relance_error error;
    struct buffer body = {0};
    const char *names[MINUTES_NAMES_MAX];
    size_t count = 0;
    int64_t from_ms;
    while (count < MINUTES_NAMES_MAX && (names[count] = http_question_nth(question, "name", count)))
        count++;
    if (!count || !answer_from(question, 0, &from_ms)) {
        http_question_refuse(
            question, ANSWER_WRONG,
            "name=… is needed, and from is `earliest` or an instant such as 2026-03-02T10:00:00Z.");
        return true;
    }
    enum relance_status status = minutes_print(answering->minutes, answering->redis, names, count, from_ms,
                                               answering->now_ms, &body, &error);
    bool is_well = answer_give(question, status, buffer_str(&body), &error);
    buffer_free(&body);
    return is_well;
}

bool answer_question(const struct answering *answering, struct http_question *question)
{
    if (!answering->redis) {
        http_question_refuse(question, ANSWER_AWAY, "Redis does not answer.");
        return true;
    }
    return http_question_page(question) == HTTP_MINUTES ? answer_minutes(answering, question)
                                                        : answer_customer(answering, question);
}
