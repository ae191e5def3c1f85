/* What the streams of the benches are made with: dice, customers, and events as lines of JSON that go to Kafka or to the
 * standard output. The same seed gives the same stream, byte for byte. Whatever goes wrong ends the program with a
 * sentence and status 1. None of the engine's code is in it, so that the answers come from somewhere else. */
#ifndef BENCH_STREAM_H
#define BENCH_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SECOND_MS  1000LL
#define MINUTE_MS  (60 * SECOND_MS)
#define HOUR_MS    (60 * MINUTE_MS)
#define DAY_MS     (24 * HOUR_MS)
#define LATE_MS    30000 /* so late a late event is, less 1 ms, at most */
#define EDGE_MS    90000 /* so far from an instant at which a wait might be over a customer's events stay */
#define PRODUCTS   20000
#define TEXT_BYTES 8192

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* `count` items of `size` bytes, all zero. They live as long as the program. */
void *zeroes(size_t count, size_t size);

/* Room for one item more behind `count` of `size` bytes each; gives the items, which may have moved. */
void *with_room(void *items, size_t count, size_t size);

/* ---- dice: xorshift128+ (S. Vigna, "Further scramblings of Marsaglia's xorshift generators", 2014) */

void dice_seed(uint64_t seed);
uint64_t dice(void);

/* Less than `sides`. */
uint32_t dice_of(uint32_t sides);

/* From 0 to less than 1. */
double dice_unit(void);

/* ---- customers: some come often, most seldom (Zipf's law); who comes often has nothing to do with the number */

struct crowd {
    uint32_t count;
    double *weights;   /* of the ranks so far */
    uint32_t *numbers; /* by rank */
};

/* The larger `flatness` is, the less the first ranks stand out. */
struct crowd crowd_of(uint32_t count, double flatness);
void crowd_free(struct crowd *crowd);

uint32_t crowd_draw(const struct crowd *crowd);

/* ---- products: all that is told of one follows from its number */

int64_t product_cents(uint32_t product);
const char *product_category(uint32_t product);

/* ---- events */

struct line {
    int size;
    char text[TEXT_BYTES];
};

/* Id, type, customer and time; the customer's number gives the name. */
void line_begin(struct line *line, int64_t number, const char *type, uint32_t customer, int64_t time_ms);

/* The last event of a partition. */
void line_end(struct line *line, int number, const char *type, int64_t time_ms);

void line_add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- where they go */

struct stream;

/* To a topic, which is there; to the standard output where `brokers` is "-". */
struct stream *stream_open(const char *brokers, const char *topic);

/* By the customer's key; the record has the time of the event. */
void stream_write(struct stream *stream, uint32_t customer, int64_t time_ms, const struct line *line);

/* How many partitions there are; of the standard output none. */
int stream_partitions(const struct stream *stream);

/* An event of the customer "end", to one partition or, -1, to the standard output. */
void stream_write_end(struct stream *stream, int partition, int64_t time_ms, const struct line *line);

/* When all is there. */
void stream_close(struct stream *stream);

#endif
