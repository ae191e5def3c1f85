"""The engine reads its input by itself: whatever is written how, by whom and in which transaction, each record is decided once,
and as librdkafka would have read it (`kafka.check.crcs=true` has it read all)."""
import os
import random
import signal
import time
import unittest
from dataclasses import replace

from support import kafka, place
from support.engine import MIB, World, running, sequence_faults
from support.kafka import Record, event
from support.proxy import Proxy

SEED = int(os.environ.get("RELANCE_SEED", random.SystemRandom().randrange(1 << 32)))
RULES = {
    "stale": "3650d",
    "events": {"ping": {}},
    "counts": {"pings": {"on": "ping"}},
    "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "push", "with": {"n": "${pings()}"}}]}},
}
TIME = "2026-03-02T10:00:00Z"
BEGIN_MS = 1772445600000
CODECS = ("none", "gzip", "snappy", "lz4", "zstd", "none")
LEFT = "librdkafka reads them"
BY_LIBRDKAFKA = {"kafka.check.crcs": "true"}
GONE = "records that are needed are no longer kept"


def pings(names, partitions, **more):
    """Of each name one for every partition; each partition has customers of its own."""
    return [replace(event(f"c-{p}-{n % 3}", "ping", id=f"{name}-{p}", time=TIME, **more), partition=p)
            for n, name in enumerate(names) for p in range(partitions)]


class Reading(unittest.TestCase):
    maxDiff = 4000

    def world(self, **options):
        world = World(RULES, **{"partitions": 2, **options})
        self.addCleanup(world.__exit__)
        return world

    def assert_decided(self, world, events):
        """Each once, in the order of its partition."""
        actions = world.actions()
        self.assertEqual(sorted(map(repr, actions)), sorted(map(repr, world.replay([record.value for record in events]))))
        self.assertEqual(sequence_faults(world.output_records()), [])
        place.wait_until(lambda: world.counters().get("events") == len(events), 15, f"{len(events)} events are counted")
        self.assertEqual(world.counters().get("events_duplicate", 0), 0)

    # ---- compression

    def test_whatever_codec_wrote_it_each_record_is_decided_once(self):
        world, made = self.world(), []
        for n, codec in enumerate(CODECS):
            batch = pings([f"{n}-{m}" for m in range(50)], 2)
            world.produce(batch, setting=f"compression.type={codec}")
            made += batch
        with running(world) as engine:
            world.wait_decided(engine)
        self.assertNotIn(LEFT, engine.output())
        self.assert_decided(world, made)

    def test_a_producer_begins_to_compress_and_stops_under_a_running_engine(self):
        world, made = self.world(), []
        with running(world) as engine:
            for n, codec in enumerate(CODECS):
                # Those of the other partition are never compressed, and come in the same moment.
                batch = pings([f"{n}-{m}" for m in range(20)], 2)
                made += batch
                with world.kafka.weave(world.input) as weave:
                    weave.produce("-", batch[0::2])
                    world.produce(batch[1::2], setting=f"compression.type={codec}")
                world.wait_decided(engine)
        self.assertNotIn(LEFT, engine.output())
        self.assert_decided(world, made)

    def test_it_begins_in_the_middle_of_a_batch(self):
        for codec in ("none", "lz4"):
            with self.subTest(codec):
                world = self.world()
                made = [replace(record, timestamp=BEGIN_MS + n // 2 * 1000) for n, record in enumerate(pings(map(str, range(20)), 2))]
                world.produce(made, setting=f"compression.type={codec}")
                with running(world, **{"from": "2026-03-02T10:00:07Z"}) as engine:
                    world.wait_decided(engine)
                self.assertNotIn(LEFT, engine.output())
                self.assert_decided(world, made[14:])

    def test_what_it_cannot_read_librdkafka_reads_from_that_very_record_on(self):
        # Of the batch with this event: its size and leader, its format, its checksum, and the flags: a codec that there is not.
        batch = rb"(\0\0\0[^\0]\0{4}\x02.{4}\0)\0(.{38,200}odd-0)"
        world, made = self.world(partitions=1), pings(["a", "b"], 1)
        address = {"kafka.bootstrap.servers": f"127.0.0.1:{world.kafka.front}"}
        with Proxy(world.kafka.behind, world.kafka.front) as door, running(world, **address) as engine:
            world.produce(made)
            world.wait_decided(engine)
            door.alter_answer(batch, b"\\1\x07\\2")
            for name in ("odd", "c", "d"):
                made += pings([name], 1)
                world.produce(made[-1:])
            world.wait_decided(engine)
            self.assertTrue(door.has_altered())
            made += pings(["e"], 1)
            world.produce(made[-1:])
            world.wait_decided(engine)
            self.assertEqual(engine.output().count(LEFT), 1, engine.output())
        self.assert_decided(world, made)

    def test_a_topic_that_asks_for_zstd_is_librdkafkas(self):
        # Its leader tells of it who asks by version 10 on, and of a producer's zstd everybody.
        kafka.broker().create("asks-for-zstd", 2, compression_type="zstd")
        world, made = self.world(input="asks-for-zstd"), pings(map(str, range(30)), 2)
        world.produce(made)
        with running(world) as engine:
            world.wait_decided(engine)
        self.assertEqual(engine.output().count(LEFT), 1, engine.output())
        self.assert_decided(world, made)

    # ---- transactions

    def weave(self, weave, dice, turns, tag, partitions):
        """Turns of four producers, of which the last has no transactions: records, or the end of a transaction. Gives the events
        that are committed, in the order of the log; at the end no transaction is open."""
        said, open_, aborted = [], {}, set()

        def end(producer):
            how = dice.choice(("commit", "abort")) if aborted else "abort"
            weave.end(producer, how)
            if how == "abort":
                aborted.update(open_[producer])
            del open_[producer]

        for turn in range(turns):
            producer = dice.choice("abc-")
            if producer in open_ and dice.random() < 0.4:
                end(producer)
                continue
            batch = pings([f"{tag}-{turn}-{n}" for n in range(dice.randrange(1, 5))], partitions, pad="x" * dice.choice((0, 200, 3000)))
            batch = [record for record in batch if dice.random() < 0.7] or batch[:1]
            weave.produce(producer, batch)
            said += [(producer, turn, record) for record in batch]
            if producer != "-":
                open_.setdefault(producer, []).append(turn)
        for producer in list(open_):
            end(producer)
        return [record for _, turn, record in said if turn not in aborted], len(aborted)

    def test_of_transactions_that_lie_one_in_another_the_committed_ones_are_decided(self):
        print(f"RELANCE_SEED={SEED}")
        dice = random.Random(SEED)
        # The second engine has a batch or two in each answer, and so begins within transactions again and again.
        for version, options in ((kafka.VERSIONS[0], {}), (kafka.VERSIONS[0], {"kafka.fetch.message.max.bytes": 1000}),
                                 (kafka.VERSIONS[1], {})):
            with self.subTest(version=version, **options):
                world = self.world(version=version)
                with world.kafka.weave(world.input) as weave:
                    before, aborted = self.weave(weave, dice, 50, "before", 2)
                    with running(world, **options) as engine:
                        meanwhile, others = self.weave(weave, dice, 30, "meanwhile", 2)
                        world.wait_decided(engine)
                self.assertGreater(min(aborted, others), 0)
                self.assertNotIn(LEFT, engine.output())
                self.assert_decided(world, before + meanwhile)

    def test_what_stands_behind_an_open_transaction_is_decided_when_that_is_over(self):
        for how in ("commit", "abort"):
            with self.subTest(how):
                world = self.world()
                inside, behind = (pings([name], 1) for name in ("inside", "behind"))
                elsewhere = [record for record in pings(["elsewhere"], 2) if record.partition == 1]
                with world.kafka.weave(world.input) as weave, running(world):
                    weave.produce("a", inside)
                    weave.produce("-", behind + elsewhere)
                    world.wait_actions(1)
                    time.sleep(0.5)
                    self.assertEqual([action.key for action in world.actions()], ["elsewhere-1"])
                    weave.end("a", how)
                    made = (inside if how == "commit" else []) + behind
                    world.wait_actions(1 + len(made))
                self.assert_decided(world, made + elsewhere)
                first = [record.json()["key"] for record in world.output_records() if record.header("relance-partition") == "0"]
                self.assertEqual(first, [record.json()["id"] for record in made])

    # ---- the same as librdkafka

    def odd(self, partitions):
        """Records of every kind, among them some above 1 MiB, one of which stands first in its partition and one alone."""
        def padded(name, size):
            return pings([name], partitions, pad="x" * size)
        trace = {"other": b"", "none": None, "traceparent": b"00-" + b"1" * 32 + b"-" + b"1" * 16 + b"-01"}
        whole = [padded("large-first", 2 * MIB), pings(["plain"], partitions), padded("just", MIB - 200), padded("larger", 3 * MIB + 7),
                 [replace(record, headers=trace) for record in pings(["traced"], partitions)],
                 [Record(None, key=b"c-0-0", partition=p) for p in range(partitions)],
                 [Record(None, partition=p) for p in range(partitions)],
                 [Record(b"no json", key=b"", headers={"a": b"b", "empty": b""}, partition=p) for p in range(partitions)],
                 [Record(b"", partition=p, headers=trace) for p in range(partitions)],
                 # These have the time of their record, of which the second lies before the first.
                 [replace(event(f"c-{p}-0", "ping", id=f"timeless-{ms}-{p}"), partition=p, timestamp=BEGIN_MS + ms)
                  for ms in (5000, 1, 70000) for p in range(partitions)],
                 padded("large-last", MIB + 1)]
        return [record for records in whole for record in records]

    def heard(self, world):
        """What it has said and thrown away, but for when, and under which names the world has it."""
        def plain(record):
            return record.key, record.value, {**record.headers, "ce_source": record.headers.get("ce_source", b"").replace(world.group.encode(), b"group")}
        counters = {name: value for name, value in world.counters().items() if name.startswith(("events", "dead", "rule"))}
        return [sorted(map(repr, map(plain, records))) for records in (world.output_records(), world.dead())], counters

    def compare(self, kind):
        for version in kafka.VERSIONS:
            with self.subTest(version=version):
                ours = self.world(version=version, input_config={"max_message_bytes": 8 * MIB, "message_timestamp_type": kind})
                theirs = self.world(version=version, input=ours.input)
                records, found = self.odd(2), []
                ours.produce(records[:len(records) // 2])
                ours.produce(records[len(records) // 2:])
                for world, options in ((ours, {}), (theirs, BY_LIBRDKAFKA)):
                    with running(world, **options) as engine:
                        world.wait_decided(engine)
                        if world is ours:
                            self.assertNotIn(LEFT, engine.output())
                    found.append(self.heard(world))
                self.assertEqual(found[0], found[1])
                self.assertEqual([len(records) for records in found[0][0]], [2 * 6, 2 * 5])

    def test_it_reads_what_librdkafka_reads_of_records_with_the_time_of_their_making(self):
        self.compare("CreateTime")

    def test_it_reads_what_librdkafka_reads_of_records_with_the_time_of_the_broker(self):
        self.compare("LogAppendTime")

    # ---- leaders

    def test_leaders_that_go_and_come_back_cost_no_record(self):
        before = self.world(partitions=1)
        before.produce(pings(["before"], 1))
        with running(before) as engine:
            before.wait_decided(engine)  # with it internal topics have come, on the first broker
        broker, topic = before.kafka, f"{before.input}.led"
        world, made = self.world(input=topic, partitions=4), []
        second = kafka.Joined(broker)
        self.addCleanup(second.close)
        broker.create(topic, 4, replicas=2)

        def produce(name):
            batch = pings([f"{name}-{n}" for n in range(10)], 4)
            made.extend(batch)
            world.produce(batch)

        with running(world) as engine:
            second.come_and_go(topic, produce, lambda: world.wait_decided(engine))
        self.assertNotIn(LEFT, engine.output())
        self.assert_decided(world, made)

    # ---- what is not there

    def test_records_that_went_before_they_were_read_end_it(self):
        for options in ({}, BY_LIBRDKAFKA):
            with self.subTest(**options):
                world = self.world(partitions=1)
                world.produce(pings(["a"], 1))
                engine = world.engine(**options)
                world.wait_decided(engine)
                os.kill(engine.pid, signal.SIGSTOP)
                time.sleep(0.3)  # what it has asked for is answered
                world.produce(pings(["b", "c"], 1))
                world.kafka.truncate(world.input, 0, 2)
                os.kill(engine.pid, signal.SIGCONT)
                status, _ = engine.stop(None, 10)
                self.assertEqual(status, 1, engine.output())
                self.assertIn(f"{world.input}, partition 0: {GONE}", engine.output())

    def test_an_input_that_is_deleted_is_told_of_and_ends_it(self):
        world = self.world()
        world.produce(pings(["a"], 2))
        engine = world.engine(**{"kafka.topic.metadata.refresh.interval.ms": 2000})
        world.wait_decided(engine)
        world.kafka.delete(world.input)
        status, _ = engine.stop(None, 10)
        self.assertEqual(status, 1, engine.output())
        self.assertIn("A broker has no records of a partition for us.", engine.output())
        self.assertIn(f"topic {world.input} is gone", engine.output())


if __name__ == "__main__":
    unittest.main()
