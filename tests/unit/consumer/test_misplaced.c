/* Clients that choose a partition otherwise than Java's: that what we take for theirs is theirs, and that a client is
 * recognised by the records that it misplaces, and nobody is accused by accident. */
#include "delivery/misplaced.h"
#include "base/murmur2.h"
#include "base/str.h"
#include "delivery/partitioner.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct relance_str key_of(int number, char out[16])
{
    return (struct relance_str){out, (size_t)snprintf(out, 16, "c-%d", number)};
}

/* ---- each client's way */
Test(partitioner, librdkafkas_ways_are_those_of_librdkafka)
{
    typedef int32_t way(const rd_kafka_topic_t *, const void *, size_t, int32_t, void *, void *);
    static const struct {
        enum partitioner ours;
        way *theirs;
    } ways[] = {{PARTITIONER_crc32, rd_kafka_msg_partitioner_consistent},
                {PARTITIONER_fnv1a, rd_kafka_msg_partitioner_fnv1a}};
    char text[16];
    for (size_t w = 0; w < COUNT(ways); w++)
        for (int i = 0; i < 20000; i++) {
            struct relance_str key = key_of(i * 7919, text);
            int32_t partitions = 1 + i % 50,
                    theirs = ways[w].theirs(NULL, key.data, key.size, partitions, NULL, NULL);
            cr_assert_eq(partitioner_choose(ways[w].ours, key, partitions), theirs, "%s of %d", text,
                         partitions);
        }
}

Test(partitioner, the_home_of_a_key_is_where_librdkafkas_murmur2_puts_it)
{
    char text[16];
    for (int i = 0; i < 20000; i++) {
        struct relance_str key = str_slice(key_of(i * 7919, text), 0, (size_t)i % 12);
        int32_t partitions = 1 + i % 50,
                theirs = rd_kafka_msg_partitioner_murmur2(NULL, key.data, key.size, partitions, NULL, NULL);
        cr_assert_eq(murmur2_partition(key, partitions), theirs, "%.*s of %d", STR_ARG(key), partitions);
    }
}

/* Of the test of librdkafka, which has them from elsewhere; the hash itself is seen with the most partitions there can be. */
Test(partitioner, known_answers_of_crc32_and_fnv1a)
{
    static const struct {
        const char *key;
        uint32_t crc32, fnv1a; /* of FNV-1a without its sign */
    } known[] = {{"23456", 0xb1b451d7, 0x27e6f469},
                 {"this is another string with more length to it perhaps", 0xb0150df7, 0x155e3e5f},
                 {"hejsan", 0xd077037e, 0x17b1e27a}};
    for (size_t i = 0; i < COUNT(known); i++) {
        struct relance_str key = str_of(known[i].key);
        cr_expect_eq(partitioner_choose(PARTITIONER_crc32, key, 17), (int32_t)(known[i].crc32 % 17));
        cr_expect_eq(partitioner_choose(PARTITIONER_crc32, key, INT32_MAX),
                     (int32_t)(known[i].crc32 % INT32_MAX));
        cr_expect_eq(partitioner_choose(PARTITIONER_fnv1a, key, INT32_MAX), (int32_t)known[i].fnv1a);
    }
}

/* Of the test of kafka-go: a hash with its highest bit set, where dropping the sign and masking it differ. */
Test(partitioner, gos_two_ways_differ_in_the_sign)
{
    cr_expect_eq(partitioner_choose(PARTITIONER_fnv1a, STR("blah"), 2), 0);
    cr_expect_eq(partitioner_choose(PARTITIONER_fnv1a, STR("blah"), 3), 1);
    cr_expect_eq(partitioner_choose(PARTITIONER_fnv1a, STR("boop"), 3), 2);
    cr_expect_eq(partitioner_choose(PARTITIONER_fnv1a, STR("20"), 16), 1);
    cr_expect_eq(partitioner_choose(PARTITIONER_fnv1a_reference, STR("20"), 16), 15);
}

/* Of the tests of KafkaJS: hash of its LegacyPartitioner, without the sign bit as that takes it. */
Test(partitioner, known_answers_of_kafkajs_legacy_partitioner)
{
    static const struct {
        const char *key;
        int32_t hash;
    } known[] = {{"0", 272173970},        {"1", 1311020360},         {"128", 2053105854},
                 {"2187", -2081355488},   {"16384", 204404061},      {"78125", -677491393},
                 {"279936", -622460209},  {"823543", 651276451},     {"2097152", 944683677},
                 {"4782969", -892695770}, {"10000000", -1778616326}, {"19487171", -518311627},
                 {"35831808", 556972389}, {"62748517", -233806557},  {"105413504", -109398538},
                 {"170859375", 102939717}};
    for (size_t i = 0; i < COUNT(known); i++)
        cr_expect_eq(partitioner_choose(PARTITIONER_kafkajs_legacy, str_of(known[i].key), INT32_MAX),
                     (known[i].hash & INT32_MAX) % INT32_MAX, "%s", known[i].key);
}

/* Of librdkafka, kafka-python and KafkaJS, as Java's client has them. */
Test(partitioner, known_answers_of_murmur2)
{
    static const struct {
        const char *key;
        uint32_t hash;
    } known[] = {{"kafka", 0xd067cf64}, {"giberish123456789", 0x8f552b0c},
                 {"1234", 0x9fc97b14},  {"234", 0xe7c009ca},
                 {"34", 0x873930da},    {"4", 0x5a4b5ca1},
                 {"0", 971027396},      {"100:48069", 1009543857}};
    for (size_t i = 0; i < COUNT(known); i++) {
        struct relance_str key = str_of(known[i].key);
        cr_expect_eq(murmur2(key), known[i].hash);
        cr_expect_eq(source_partition_of(key, 12), (int)((known[i].hash & INT32_MAX) % 12));
        cr_expect_eq(partitioner_choose(PARTITIONER_unmasked, key, 12), (int32_t)(known[i].hash % 12));
    }
    cr_expect_eq(source_partition_of(STR("a"), 1000), 524);
    cr_expect_eq(source_partition_of(STR("123456789"), 1000), 566);
}

/* ---- who it was */
/* What a client has sent, as far as it is misplaced, noted. */
static void send_from(struct misplaced *misplaced, enum partitioner by, int keys, int partitions)
{
    char text[16];
    for (int i = 0; i < keys; i++) {
        struct relance_str key = key_of(i, text);
        struct source_record record = {.key = key, .partition = partitioner_choose(by, key, partitions)};
        if (record.partition != source_partition_of(key, partitions))
            misplaced_note(misplaced, &record, partitions);
    }
}

Test(misplaced, each_client_is_recognised_however_many_partitions_there_are)
{
    static const int counts[] = {2, 3, 6, 12, 50, 1000};
    for (size_t c = 0; c < COUNT(counts); c++)
        for (enum partitioner i = 0; i < PARTITIONERS; i++) {
            struct misplaced misplaced = {0};
            send_from(&misplaced, i, 100, counts[c]);
            if (!misplaced.count) continue; /* without the mask one of two partitions is the same */
            struct misplaced_cause cause = misplaced_recognise(&misplaced, counts[c]);
            cr_expect(cause.client && strcmp(cause.client, partitioner_client(i)) == 0,
                      "%s of %d partitions: %s", partitioner_client(i), counts[c],
                      cause.client ? cause.client : "nobody");
        }
}

Test(misplaced, one_key_however_often_it_comes_accuses_nobody)
{
    struct misplaced misplaced = {0};
    for (int i = 0; i < 100; i++)
        send_from(&misplaced, PARTITIONER_crc32, 4, 4);
    cr_expect_gt(misplaced.count, 100u);
    cr_expect_null(misplaced_recognise(&misplaced, 4).client);
}

Test(misplaced, a_client_that_sends_anywhere_is_nobody)
{
    for (int run = 0; run < 200; run++) {
        struct misplaced misplaced = {0};
        char text[16];
        for (int i = 0; i < 100; i++) {
            struct relance_str key = key_of(run * 1000 + i, text);
            struct source_record record = {.key = key, .partition = (run + i) % 6};
            if (record.partition != source_partition_of(key, 6)) misplaced_note(&misplaced, &record, 6);
        }
        struct misplaced_cause cause = misplaced_recognise(&misplaced, 6);
        cr_expect_null(cause.client);
        cr_expect_eq(cause.before, 0);
    }
}

Test(misplaced, of_two_clients_the_one_that_misplaces_more_is_named)
{
    struct misplaced misplaced = {0};
    send_from(&misplaced, PARTITIONER_fnv1a, 10, 12);
    send_from(&misplaced, PARTITIONER_crc32, 30, 12);
    cr_expect_str_eq(misplaced_recognise(&misplaced, 12).client, "librdkafka");
}

Test(misplaced, records_from_before_partitions_were_added_are_recognised)
{
    struct misplaced misplaced = {0};
    char text[16];
    for (int i = 0; i < 40; i++) {
        struct relance_str key = key_of(i, text);
        struct source_record record = {.key = key, .partition = source_partition_of(key, 8)};
        if (record.partition != source_partition_of(key, 12)) misplaced_note(&misplaced, &record, 12);
    }
    struct misplaced_cause cause = misplaced_recognise(&misplaced, 12);
    cr_expect_null(cause.client);
    cr_expect_eq(cause.before, 8);
}

Test(misplaced, a_record_without_a_key_is_where_it_belongs)
{
    struct source_record record = {.partition = 3};
    for (record.partition = 0; record.partition < 4; record.partition++)
        cr_expect_not(misplaced_is(&record, 4));
    cr_expect_not(misplaced_is(&(struct source_record){.key = {"", 0}, .partition = 1}, 4));
}

Test(misplaced, a_record_with_one_partition_is_where_it_belongs)
{
    cr_expect_not(misplaced_is(&(struct source_record){.key = {"anna", 4}}, 1));
}
