/* Lines to all nodes of a Redis Cluster that have keys that are asked for, or to the one Redis: for whoever reads or
 * writes keys of several partitions. For files of this room only.
 *
 * Which node has a key is learnt from MOVED when it is first asked for. A command about one key may follow ASK, too:
 * the node that a slot comes from has said that this very key is not there any more. After a failure all that was
 * learnt is forgotten, and the next question begins at the URL again. */
#ifndef CONSUMER_REDIS_NODES_H
#define CONSUMER_REDIS_NODES_H

#include "redis/line.h"

struct redis_nodes;

/* Connects to one of them; as redis_connect. */
RELANCE_MUST enum relance_status redis_nodes_open(const char *url, struct redis_nodes **out,
                                                  struct relance_error *error);
void redis_nodes_close(struct redis_nodes *nodes); /* NULL: nothing to do */

/* One command about one key, and its answer, to be freed. RELANCE_IO: there is none, and *out is NULL. */
RELANCE_MUST enum relance_status redis_nodes_do(struct redis_nodes *nodes, const char *key, size_t count,
                                                const struct relance_str *words, struct redisReply **out,
                                                struct relance_error *error);
#define REDIS_NODES_DO(nodes, key, out, error, ...)                                                          \
    redis_nodes_do(nodes, key, sizeof((struct relance_str[]){__VA_ARGS__}) / sizeof(struct relance_str),     \
                   (struct relance_str[]){__VA_ARGS__}, out, error)

/* Learns which node has a key. */
RELANCE_MUST enum relance_status redis_nodes_find(struct redis_nodes *nodes, const char *key,
                                                  struct relance_error *error);
/* A line to each node that has a key which has been asked for, until one is not RELANCE_OK. */
typedef enum relance_status redis_node_visit(void *context, struct redis_line *line,
                                             struct relance_error *error);
RELANCE_MUST enum relance_status redis_nodes_each(struct redis_nodes *nodes, redis_node_visit *visit,
                                                  void *context, struct relance_error *error);

/* Many commands, sent together: the question to the node that has this key, to which commands about it may be added. */
RELANCE_MUST enum relance_status redis_nodes_question(struct redis_nodes *nodes, const char *key,
                                                      struct redis_question **out,
                                                      struct relance_error *error);
/* Puts all these questions, and gives the texts that they are answered with, in the order of the questions to a node; data
 * NULL: absent. */
typedef void redis_nodes_text(void *context, struct relance_str text);
RELANCE_MUST enum relance_status redis_nodes_texts(struct redis_nodes *nodes, redis_nodes_text *visit,
                                                   void *context, struct relance_error *error);
/* Puts all these questions. Each answer is to be a count; the first that is none is told, and those behind it are taken
 * all the same. */
RELANCE_MUST enum relance_status redis_nodes_change(struct redis_nodes *nodes, struct relance_error *error);

#endif
