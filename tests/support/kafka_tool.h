/* What the commands of kafka_tool share. Whatever fails ends the program with a sentence. */
#ifndef TESTS_SUPPORT_KAFKA_TOOL_H
#define TESTS_SUPPORT_KAFKA_TOOL_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define TIMEOUT_MS 30000

_Noreturn __attribute__((format(printf, 1, 2))) void fail(const char *format, ...);
void check(rd_kafka_resp_err_t error, const char *what);

int64_t clock_us(clockid_t clock);
void sleep_ms(int ms);

/* The brokers are those of the command line. A client is the caller's, and `conf` the client's. */
void set(rd_kafka_conf_t *conf, const char *name, const char *value);
rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf);
rd_kafka_t *consumer(const char *group);

int32_t partition_count(rd_kafka_t *rk, const char *topic);
/* All partitions, from there on; how many they are. */
int assign(rd_kafka_t *rk, const char *topic, int64_t offset);

/* Commands, behind their names (kafka_bench.c). */
void bench_latency(int argc, char **argv);
void bench_load(int argc, char **argv);
void bench_pass(int argc, char **argv);
void bench_drain(int argc, char **argv);

#endif
