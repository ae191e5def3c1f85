/* The way to the node of a Redis Cluster that has a key, among nodes that say whatever a test wants them to. */
#include "redis/cluster.h"
#include "redis/nodes.h"
#include "base/str.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NODES = 3, KEY_SLOT = 12182 };

/* What a node says to HGET: "@1" stands for the port of node 1. To ASKING it says OK, and to a HGET behind that :1. */
static const char *says[NODES];
static int listeners[NODES], ports[NODES];
static atomic_int asked[NODES]; /* how often it was asked with HGET */
static struct relance_error error;

static void say(int client, int node)
{
    char text[256];
    const char *at = strchr(says[node], '@');
    if (at)
        snprintf(text, sizeof text, "%.*s%d%s\r\n", (int)(at - says[node]), says[node], ports[at[1] - '0'],
                 at + 2);
    else
        snprintf(text, sizeof text, "%s\r\n", says[node]);
    cr_assert_eq(write(client, text, strlen(text)), (ssize_t)strlen(text));
}

/* One command a time comes, small enough for one packet. */
static void *serve(void *context)
{
    int node = *(int *)context & 0xf, client = *(int *)context >> 4;
    char command[512];
    bool is_asking = false;
    free(context);
    for (ssize_t size; (size = read(client, command, sizeof command - 1)) > 0;) {
        command[size] = '\0';
        bool is_get = strstr(command, "HGET");
        asked[node] += is_get;
        if (is_get && !is_asking)
            say(client, node);
        else
            cr_assert(write(client, is_get ? ":1\r\n" : "+OK\r\n", is_get ? 4 : 5) > 0);
        is_asking = strstr(command, "ASKING");
    }
    close(client);
    return NULL;
}

static void *accept_all(void *context)
{
    int node = (int)(intptr_t)context;
    for (int client; (client = accept(listeners[node], NULL, NULL)) >= 0;) {
        pthread_t thread;
        int *both = malloc(sizeof *both);
        *both = client << 4 | node;
        cr_assert_eq(pthread_create(&thread, NULL, serve, both), 0);
        pthread_detach(thread);
    }
    return NULL;
}

static void begin(void)
{
    for (int node = 0; node < NODES; node++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof address;
        pthread_t thread;
        listeners[node] = socket(AF_INET, SOCK_STREAM, 0);
        cr_assert_eq(bind(listeners[node], (struct sockaddr *)&address, sizeof address), 0);
        cr_assert_eq(listen(listeners[node], 16), 0);
        cr_assert_eq(getsockname(listeners[node], (struct sockaddr *)&address, &size), 0);
        ports[node] = ntohs(address.sin_port);
        cr_assert_eq(pthread_create(&thread, NULL, accept_all, (void *)(intptr_t)node), 0);
        pthread_detach(thread);
    }
}

TestSuite(cluster, .init = begin, .timeout = 60);

static const char *url(int count)
{
    static char text[128];
    size_t size = (size_t)sprintf(text, "redis://");
    for (int node = 0; node < count; node++)
        size += (size_t)sprintf(text + size, "%s127.0.0.1:%d", node ? "," : "", ports[node]);
    return text;
}

static void expect_node(int node, int seeds)
{
    struct redis_line *line = NULL;
    cr_assert_eq(redis_connect(url(seeds), "foo", &line, &error), RELANCE_OK, "%s", error.message);
    cr_expect_eq(redis_line_host(line)->port, ports[node]);
    redis_close(line);
}

static void expect_no_line(const char *sentence)
{
    struct redis_line *line = NULL;
    cr_expect_eq(redis_connect(url(1), "foo", &line, &error), RELANCE_IO);
    cr_expect(strstr(error.message, sentence), "%s", error.message);
}

Test(cluster, a_keys_slot_is_that_of_its_tag_where_it_has_one)
{
    static const struct {
        const char *key;
        unsigned slot;
    } rows[] = {{"123456789", 0x31c3},
                {"foo", KEY_SLOT},
                {"bar", 5061},
                {"relance:{foo}:meta", KEY_SLOT},
                {"{foo}{bar}", KEY_SLOT},
                {"", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(cluster_slot(rows[i].key), rows[i].slot, "%s: %u", rows[i].key,
                     cluster_slot(rows[i].key));
    cr_expect_neq(cluster_slot("foo{}{bar}"), cluster_slot("bar"), "an empty tag is none");
    cr_expect_neq(cluster_slot("x{foo"), KEY_SLOT, "one without an end is none");
}

Test(cluster, a_redirection_is_read_whole_or_not_at_all)
{
    static const struct {
        const char *refusal;
        enum cluster_redirect redirect;
        const char *name;
        int64_t port;
    } rows[] = {{"MOVED 3999 10.0.0.7:6381", CLUSTER_MOVED, "10.0.0.7", 6381},
                {"ASK 3999 redis-2.internal:6381", CLUSTER_ASK, "redis-2.internal", 6381},
                {"MOVED 3999 2001:db8::7:6381", CLUSTER_MOVED, "2001:db8::7", 6381},
                {"MOVED 3999 :6381", CLUSTER_MOVED, "here", 6381},
                {"MOVED 3999 ?:6381", CLUSTER_NONE, NULL, 0},
                {"MOVED 3999 10.0.0.7:0", CLUSTER_NONE, NULL, 0},
                {"MOVED 3999 10.0.0.7:65536", CLUSTER_NONE, NULL, 0},
                {"MOVED 3999 10.0.0.7:", CLUSTER_NONE, NULL, 0},
                {"MOVED 3999 10.0.0.7", CLUSTER_NONE, NULL, 0},
                {"MOVED 3999", CLUSTER_NONE, NULL, 0},
                {"MOVED ", CLUSTER_NONE, NULL, 0},
                {"MOVED", CLUSTER_NONE, NULL, 0},
                {"MOVEDX 3999 10.0.0.7:6381", CLUSTER_NONE, NULL, 0},
                {"TRYAGAIN Multiple keys request during rehashing of slot", CLUSTER_NONE, NULL, 0},
                {"CLUSTERDOWN Hash slot not served", CLUSTER_NONE, NULL, 0},
                {"", CLUSTER_NONE, NULL, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct redis_host at = {"here", 1};
        enum cluster_redirect redirect = cluster_read_redirect(str_of(rows[i].refusal), &at);
        cr_expect_eq(redirect, rows[i].redirect, "%s", rows[i].refusal);
        if (redirect == CLUSTER_NONE) continue;
        cr_expect_str_eq(at.name, rows[i].name);
        cr_expect_eq(at.port, rows[i].port);
    }
    char longest[400] = "MOVED 1 ";
    memset(longest + 8, 'h', 300);
    strcpy(longest + 308, ":6379");
    cr_expect_eq(cluster_read_redirect(str_of(longest), &(struct redis_host){"here", 1}), CLUSTER_NONE);
}

Test(cluster, a_line_goes_where_moved_says)
{
    says[0] = "-MOVED 12182 127.0.0.1:@1";
    says[1] = "-MOVED 12182 :@2";
    says[2] = "$-1";
    expect_node(2, 1);
}

Test(cluster, moved_in_a_circle_has_an_end)
{
    says[0] = "-MOVED 12182 127.0.0.1:@1";
    says[1] = "-MOVED 12182 127.0.0.1:@0";
    expect_no_line("each node of the cluster says that another one has foo");
    cr_expect_eq(asked[0] + asked[1], 5);
}

Test(cluster, what_leads_nowhere_is_told_in_the_words_of_the_node)
{
    static const char *const refusals[] = {"-MOVED 12182 nowhere",
                                           "-ASK 12182 127.0.0.1:7",
                                           "-TRYAGAIN Multiple keys request",
                                           "-CLUSTERDOWN The cluster is down",
                                           "-LOADING Redis is loading the dataset in memory",
                                           "-MASTERDOWN Link with MASTER is down"};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        says[0] = refusals[i];
        expect_no_line(refusals[i] + 1);
    }
}

Test(cluster, another_seed_is_asked_where_one_knows_nothing_or_somebody_who_is_gone)
{
    says[2] = "$-1";
    shutdown(listeners[1], SHUT_RDWR);
    says[0] = "-CLUSTERDOWN The cluster is down";
    expect_node(2, 3);
    says[0] = "-MOVED 12182 127.0.0.1:@1";
    expect_node(2, 3);
    int before = asked[0];
    expect_node(2, 3);
    cr_expect_eq(asked[0], before, "the one that has answered is asked first");
}

/* ---- nodes of which each has something */
static enum relance_status get(struct redis_nodes *nodes, const char *sentence)
{
    struct redisReply *answer = NULL;
    int64_t count = 0;
    enum relance_status status =
        REDIS_NODES_DO(nodes, "foo", &answer, &error, STR("HGET"), STR("foo"), STR("x"));
    cr_expect_eq(status == RELANCE_OK, answer != NULL);
    if (status != RELANCE_OK) return status;
    status = redis_read_count(answer, "HGET", &count, &error);
    redis_answer_free(answer);
    cr_expect(status == RELANCE_OK || strstr(error.message, sentence), "%s", error.message);
    return status;
}

static struct redis_nodes *open_nodes(void)
{
    struct redis_nodes *nodes = NULL;
    cr_assert_eq(redis_nodes_open(url(1), &nodes, &error), RELANCE_OK, "%s", error.message);
    return nodes;
}

Test(cluster, what_moved_has_said_is_remembered)
{
    struct redis_nodes *nodes = open_nodes();
    says[0] = "-MOVED 12182 127.0.0.1:@1";
    says[1] = ":1";
    for (int i = 0; i < 3; i++)
        cr_expect_eq(get(nodes, ""), RELANCE_OK);
    cr_expect_eq(asked[0], 1);
    cr_expect_eq(asked[1], 3);
    redis_nodes_close(nodes);
}

Test(cluster, ask_is_followed_with_asking_and_not_remembered)
{
    struct redis_nodes *nodes = open_nodes();
    says[0] = "-ASK 12182 127.0.0.1:@1";
    says[1] = "-MOVED 12182 127.0.0.1:@0"; /* without ASKING */
    for (int i = 0; i < 3; i++)
        cr_expect_eq(get(nodes, ""), RELANCE_OK);
    cr_expect_eq(asked[0], 3);
    redis_nodes_close(nodes);
}

Test(cluster, after_a_failure_the_way_begins_at_the_url_again)
{
    struct redis_nodes *nodes = open_nodes();
    says[0] = "-MOVED 12182 127.0.0.1:@1";
    says[1] = "-CLUSTERDOWN The cluster is down";
    cr_expect_eq(get(nodes, "CLUSTERDOWN"), RELANCE_AGAIN);
    says[0] = "-MOVED 12182 127.0.0.1:@0";
    cr_expect_eq(get(nodes, ""), RELANCE_IO);
    cr_expect(strstr(error.message, "another one has foo"), "%s", error.message);
    says[0] = ":1";
    cr_expect_eq(get(nodes, ""), RELANCE_OK);
    redis_nodes_close(nodes);
}

Test(cluster, after_a_failure_another_seed_is_asked)
{
    struct redis_nodes *nodes = NULL;
    says[0] = "-CLUSTERDOWN The cluster is down";
    says[1] = ":1";
    cr_assert_eq(redis_nodes_open(url(2), &nodes, &error), RELANCE_OK, "%s", error.message);
    cr_expect_eq(get(nodes, "CLUSTERDOWN"), RELANCE_AGAIN);
    cr_expect_eq(get(nodes, ""), RELANCE_OK);
    redis_nodes_close(nodes);
}
