/* What the engine asks of the servers before it starts: of a Redis Cluster, of each that has a partition. */
#include "delivery/store.h"
#include "host/log.h"
#include "redis/keys.h"
#include "redis/nodes.h"
#include <stdio.h>

/* The value behind "\nNAME:" in INFO's text. */
static struct relance_str check_value(const char *info, const char *name)
{
    char line[64];
    snprintf(line, sizeof line, "\n%s:", name);
    const char *at = strstr(info, line);
    if (!at) return (struct relance_str){0};
    at += strlen(line);
    return (struct relance_str){at, strcspn(at, "\r\n")};
}

static enum relance_status check_info(const char *info, const struct redis_url *url,
                                      struct relance_error *error)
{
    struct relance_str version = check_value(info, "redis_version"),
                       policy = check_value(info, "maxmemory_policy");
    int major = 0, minor = 0;
    if (version.size) sscanf(version.data, "%d.%d", &major, &minor);
    if (major < 6 || (major == 6 && minor < 2))
        return relance_error_set(error, RELANCE_INVALID, "Redis is version %.*s; 6.2 or later is needed",
                                 STR_ARG(version));
    if (!str_equal(policy, STR("noeviction")))
        return relance_error_set(
            error, RELANCE_INVALID,
            "Redis has maxmemory-policy %.*s and would throw customers away; set maxmemory-policy noeviction",
            STR_ARG(policy));
    if (str_equal(check_value(info, "role"), STR("slave")))
        return relance_error_set(
            error, RELANCE_REFUSED,
            "Redis is a replica of %.*s:%.*s and takes no checkpoints; name its master, or sentinels: "
            "sentinel://host:port,host:port/NAME",
            STR_ARG(check_value(info, "master_host")), STR_ARG(check_value(info, "master_port")));
    if (url->host_count > 1 && !*url->master && !str_equal(check_value(info, "cluster_enabled"), STR("1")))
        return relance_error_set(error, RELANCE_INVALID,
                                 "--redis: several hosts are for a Redis Cluster, and this Redis is none");
    return RELANCE_OK;
}

/* One server that has keys of ours. */
static enum relance_status check_line(void *context, struct redis_line *line, struct relance_error *error)
{
    const struct redis_url *url = context;
    struct redisReply *answer;
    struct relance_str info;
    enum relance_status status = REDIS_DO(line, &answer, error, STR("INFO"));
    if (status != RELANCE_OK) return status;
    status = redis_read_text(answer, "INFO", &info, error);
    if (status == RELANCE_OK) status = check_info(info.data ? info.data : "", url, error);
    if (status == RELANCE_OK && !str_equal(check_value(info.data, "aof_enabled"), STR("1")))
        log_line(LOG_WARNING, "Redis keeps no append-only file: what it loses has to be decided again.",
                 "set=\"appendonly yes\"");
    redis_answer_free(answer);
    return status;
}

static enum relance_status check_nodes(struct redis_nodes *nodes, const struct store_place *place,
                                       int partitions, struct redis_url *url, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    for (int p = 0; p < partitions && status == RELANCE_OK; p++) {
        char key[REDIS_KEY_SIZE];
        redis_key(key, place->group, place->topic, p, REDIS_KEY_META);
        status = redis_nodes_find(nodes, key, error);
    }
    return status == RELANCE_OK ? redis_nodes_each(nodes, check_line, url, error) : status;
}

enum relance_status store_check_server(const struct store_place *place, int partitions,
                                       struct relance_error *error)
{
    struct redis_url url;
    struct redis_nodes *nodes;
    enum relance_status status = redis_url_parse(place->url, &url, error);
    if (status == RELANCE_OK) status = redis_nodes_open(place->url, &nodes, error);
    if (status != RELANCE_OK) return status;
    status = check_nodes(nodes, place, partitions, &url, error);
    redis_nodes_close(nodes);
    return status;
}

enum relance_status store_check_url(const char *url, struct relance_error *error)
{
    return redis_check_url(url, error);
}
