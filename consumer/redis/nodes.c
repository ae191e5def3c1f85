#include "redis/nodes.h"
#include "base/ensure.h"
#include "redis/cluster.h"
#include <stdlib.h>

struct node {
    struct redis_host at;
    struct redis_line *line; /* NULL: none yet */
    struct redis_question question;
};

struct redis_nodes {
    char *url;
    struct redis_url parsed;
    struct node *nodes; /* the first is whichever of the URL's hosts has answered */
    size_t count;
    uint16_t slots[CLUSTER_SLOTS]; /* which node has it, from 1; 0: not known, the first is asked */
};

static void nodes_forget(struct redis_nodes *nodes)
{
    for (size_t i = 0; i < nodes->count; i++) {
        redis_close(nodes->nodes[i].line);
        redis_question_free(&nodes->nodes[i].question);
    }
    nodes->count = 0;
    memset(nodes->slots, 0, sizeof nodes->slots);
}

/* At another host of the URL, since what was learnt from this one may be why it has failed. */
static void nodes_begin_again(struct redis_nodes *nodes)
{
    nodes_forget(nodes);
    redis_connect_elsewhere();
}

static struct node *nodes_add(struct redis_nodes *nodes)
{
    nodes->nodes = realloc(nodes->nodes, (nodes->count + 1) * sizeof *nodes->nodes);
    ensure(nodes->nodes && nodes->count < UINT16_MAX);
    nodes->nodes[nodes->count] = (struct node){0};
    return &nodes->nodes[nodes->count++];
}

/* Which of them is at that place; a new one where none is. */
static uint16_t nodes_find(struct redis_nodes *nodes, const struct redis_host *at)
{
    for (size_t i = 0; i < nodes->count; i++)
        if (nodes->nodes[i].at.port == at->port && strcmp(nodes->nodes[i].at.name, at->name) == 0)
            return (uint16_t)i;
    nodes_add(nodes)->at = *at;
    return (uint16_t)(nodes->count - 1);
}

static enum relance_status nodes_begin(struct redis_nodes *nodes, struct relance_error *error)
{
    struct redis_line *line;
    if (nodes->count) return RELANCE_OK;
    enum relance_status status = redis_connect(nodes->url, NULL, &line, error);
    if (status == RELANCE_OK) *nodes_add(nodes) = (struct node){.at = *redis_line_host(line), .line = line};
    return status;
}

enum relance_status redis_nodes_open(const char *url, struct redis_nodes **out, struct relance_error *error)
{
    struct redis_nodes *nodes = calloc(1, sizeof *nodes);
    ensure(nodes);
    nodes->url = strdup(url);
    ensure(nodes->url);
    enum relance_status status = redis_url_parse(url, &nodes->parsed, error);
    if (status == RELANCE_OK) status = nodes_begin(nodes, error);
    if (status == RELANCE_OK)
        *out = nodes;
    else
        redis_nodes_close(nodes);
    return status;
}

void redis_nodes_close(struct redis_nodes *nodes)
{
    if (!nodes) return;
    nodes_forget(nodes);
    free(nodes->nodes);
    free(nodes->url);
    free(nodes);
}

/* ---- asking */
static enum relance_status nodes_reach(struct redis_nodes *nodes, struct node *node,
                                       struct relance_error *error)
{
    return node->line ? RELANCE_OK : redis_line_open(&nodes->parsed, &node->at, &node->line, error);
}

static enum relance_status nodes_ask(struct redis_nodes *nodes, struct node *node, bool asking, size_t count,
                                     const struct relance_str *words, struct redisReply **out,
                                     struct relance_error *error)
{
    enum relance_status status = nodes_reach(nodes, node, error);
    if (status == RELANCE_OK && asking) {
        status = REDIS_DO(node->line, out, error, STR("ASKING"));
        if (status == RELANCE_OK) redis_answer_free(*out);
    }
    *out = NULL;
    return status == RELANCE_OK ? redis_do(node->line, count, words, out, error) : status;
}

enum relance_status redis_nodes_do(struct redis_nodes *nodes, const char *key, size_t count,
                                   const struct relance_str *words, struct redisReply **out,
                                   struct relance_error *error)
{
    enum relance_status status = nodes_begin(nodes, error);
    enum cluster_redirect redirect = CLUSTER_NONE;
    unsigned slot = cluster_slot(key);
    *out = NULL;
    uint16_t index = nodes->slots[slot] ? (uint16_t)(nodes->slots[slot] - 1) : 0;
    for (int hop = 0; hop < CLUSTER_HOPS && status == RELANCE_OK; hop++) {
        status = nodes_ask(nodes, &nodes->nodes[index], redirect == CLUSTER_ASK, count, words, out, error);
        if (status != RELANCE_OK) break;
        if (redirect != CLUSTER_ASK) nodes->slots[slot] = (uint16_t)(index + 1);
        struct redis_host at = nodes->nodes[index].at;
        redirect = cluster_read_redirect(redis_read_refusal(*out), &at);
        if (redirect == CLUSTER_NONE) {
            if (redis_is_elsewhere(*out)) nodes_begin_again(nodes);
            return RELANCE_OK;
        }
        index = nodes_find(nodes, &at);
        redis_answer_free(*out);
        *out = NULL;
    }
    nodes_begin_again(nodes);
    return status != RELANCE_OK ? status : cluster_no_end(key, error);
}

/* ---- who has what */
enum relance_status redis_nodes_find(struct redis_nodes *nodes, const char *key, struct relance_error *error)
{
    struct redisReply *answer = NULL;
    struct relance_str ignored;
    unsigned slot = cluster_slot(key);
    if (nodes->slots[slot]) return RELANCE_OK;
    enum relance_status status =
        REDIS_NODES_DO(nodes, key, &answer, error, STR("HGET"), str_of(key), STR("stamp"));
    if (status == RELANCE_OK && !nodes->slots[slot]) /* whoever was asked last has refused */
        status = redis_read_text(answer, "HGET", &ignored, error);
    redis_answer_free(answer);
    return status;
}

static bool nodes_has_any(const struct redis_nodes *nodes, size_t index)
{
    for (size_t slot = 0; slot < CLUSTER_SLOTS; slot++)
        if (nodes->slots[slot] == index + 1) return true;
    return false;
}

enum relance_status redis_nodes_each(struct redis_nodes *nodes, redis_node_visit *visit, void *context,
                                     struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    for (size_t i = 0; i < nodes->count && status == RELANCE_OK; i++) {
        if (!nodes_has_any(nodes, i)) continue;
        status = nodes_reach(nodes, &nodes->nodes[i], error);
        if (status == RELANCE_OK) status = visit(context, nodes->nodes[i].line, error);
    }
    return status;
}

/* ---- many commands */
enum relance_status redis_nodes_question(struct redis_nodes *nodes, const char *key,
                                         struct redis_question **out, struct relance_error *error)
{
    enum relance_status status = redis_nodes_find(nodes, key, error);
    if (status == RELANCE_OK) *out = &nodes->nodes[nodes->slots[cluster_slot(key)] - 1].question;
    return status;
}

/* What is to become of an answer. */
struct nodes_taking {
    enum relance_status (*read)(const struct nodes_taking *taking, const struct redisReply *answer,
                                struct relance_error *error);
    redis_nodes_text *visit;
    void *context;
};

static enum relance_status nodes_read_count(const struct nodes_taking *taking,
                                            const struct redisReply *answer, struct relance_error *error)
{
    int64_t count;
    (void)taking;
    return redis_read_count(answer, "a change", &count, error);
}

static enum relance_status nodes_read_text(const struct nodes_taking *taking, const struct redisReply *answer,
                                           struct relance_error *error)
{
    struct relance_str text;
    enum relance_status status = redis_read_text(answer, "HGET", &text, error);
    if (status == RELANCE_OK) taking->visit(taking->context, text);
    return status;
}

static enum relance_status nodes_take(struct node *node, const struct nodes_taking *taking,
                                      struct relance_error *error)
{
    struct redisReply *answer;
    enum relance_status status = redis_take(node->line, &node->question, &answer, error);
    if (status != RELANCE_OK) return status;
    status = taking->read(taking, answer, error);
    redis_answer_free(answer);
    return status;
}

static enum relance_status nodes_put(struct redis_nodes *nodes, struct node *node,
                                     const struct nodes_taking *taking, struct relance_error *error)
{
    enum relance_status first = nodes_reach(nodes, node, error);
    if (first == RELANCE_OK) first = redis_send(node->line, &node->question, error);
    while (node->question.expected && first != RELANCE_IO) {
        struct relance_error later;
        enum relance_status status = nodes_take(node, taking, &later);
        if (status != RELANCE_OK && (first == RELANCE_OK || status == RELANCE_IO))
            *error = later, first = status;
    }
    redis_question_clear(&node->question);
    return first;
}

static enum relance_status nodes_put_all(struct redis_nodes *nodes, const struct nodes_taking *taking,
                                         struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    for (size_t i = 0; i < nodes->count && status == RELANCE_OK; i++)
        if (nodes->nodes[i].question.expected) status = nodes_put(nodes, &nodes->nodes[i], taking, error);
    if (status != RELANCE_OK) nodes_begin_again(nodes);
    return status;
}

enum relance_status redis_nodes_change(struct redis_nodes *nodes, struct relance_error *error)
{
    const struct nodes_taking taking = {.read = nodes_read_count};
    return nodes_put_all(nodes, &taking, error);
}

enum relance_status redis_nodes_texts(struct redis_nodes *nodes, redis_nodes_text *visit, void *context,
                                      struct relance_error *error)
{
    const struct nodes_taking taking = {nodes_read_text, visit, context};
    return nodes_put_all(nodes, &taking, error);
}
