/* hiredis itself makes two blocks of each text of a list, and frees them one by one: a fifth of what a worker did that
 * took thousands of states. Here an answer is one block, with an arena for what stands in its lists. */
#include "redis/make.h"
#include "base/arena.h"
#include "base/ensure.h"
#include "redis/answer.h"
#include "redis/line.h"
#include <hiredis/hiredis.h>
#include <stdlib.h>

#if HIREDIS_MAJOR >= 1
typedef size_t make_count;
#else
typedef int make_count;
#endif

struct made {
    struct arena elements;
    redisReply answer;
};

static struct made *made_of(void *answer)
{
    return (struct made *)((char *)answer - offsetof(struct made, answer));
}

static void made_free(void *answer)
{
    struct made *made = made_of(answer);
    arena_free(&made->elements);
    free(made);
}

void redis_answer_free(struct redisReply *answer)
{
    if (answer) made_free(answer);
}

static redisReply *make_whole(size_t more)
{
    struct made *made = malloc(sizeof *made + more);
    ensure(made);
    arena_init(&made->elements, 0);
    return &made->answer;
}

static redisReply *make_element(const redisReadTask *task, size_t more)
{
    const redisReadTask *in = task->parent;
    const redisReply *list = in->obj;
    while (in->parent)
        in = in->parent;
    redisReply *element = arena_alloc(&made_of(in->obj)->elements, sizeof *element + more);
    ensure(element);
    return list->element[task->idx] = element;
}

/* With room for so many bytes right behind it. */
static redisReply *make(const redisReadTask *task, size_t more)
{
    redisReply *reply = task->parent ? make_element(task, more) : make_whole(more);
    *reply = (redisReply){.type = task->type};
    return reply;
}

static void *make_text(const redisReadTask *task, char *text, size_t size)
{
    redisReply *reply = make(task, size + 1);
    reply->len = size;
    reply->str = memcpy(reply + 1, text, size);
    reply->str[size] = '\0';
    return reply;
}

static void *make_list(const redisReadTask *task, make_count count)
{
    struct redis_maker *maker = task->privdata;
    int depth = 1;
    for (const redisReadTask *in = task->parent; in; in = in->parent)
        depth++;
    if (depth > REDIS_DEPTH_MAX)
        maker->crossed = "an answer with too many lists in lists";
    else if ((size_t)count > maker->elements_left)
        maker->crossed = "an answer with too many elements";
    if (maker->crossed) return NULL;
    maker->elements_left -= (size_t)count;
    redisReply *reply = make(task, (size_t)count * sizeof *reply->element);
    reply->elements = (size_t)count;
    reply->element = (redisReply **)(reply + 1);
    return reply;
}

static void *make_number(const redisReadTask *task, long long number)
{
    redisReply *reply = make(task, 0);
    reply->integer = number;
    return reply;
}

static void *make_nothing(const redisReadTask *task)
{
    redisReply *reply = make(task, 0);
    reply->type = REDIS_REPLY_NIL; /* the task has the type of what is absent */
    return reply;
}

/* What only RESP3 has is of a kind that nobody asks for: its value is not kept. */
#if HIREDIS_MAJOR >= 1
static void *make_fraction(const redisReadTask *task, double number, char *text, size_t size)
{
    (void)number, (void)text, (void)size;
    return make(task, 0);
}

static void *make_truth(const redisReadTask *task, int is_true)
{
    (void)is_true;
    return make(task, 0);
}
#endif

static redisReplyObjectFunctions make_functions = {
    .createString = make_text,
    .createArray = make_list,
    .createInteger = make_number,
    .createNil = make_nothing,
#if HIREDIS_MAJOR >= 1
    .createDouble = make_fraction,
    .createBool = make_truth,
#endif
    .freeObject = made_free,
};

void redis_make_by(struct redisReader *reader, struct redis_maker *maker)
{
    reader->fn = &make_functions;
    reader->privdata = maker;
}
