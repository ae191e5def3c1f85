"""The engine makes and sends its output by itself (consumer/kafka/writer.h): whatever is lost between it and the brokers, each action
is published once, and as librdkafka would have published it (`kafka.broker.address.family=v4` has it produce)."""
import contextlib
import json
import struct
import time
import unittest

from support import kafka, place
from support.engine import MIB, World, running, sequence_faults
from support.kafka import Record, event
from support.kafka_acls import Acls, text
from support.proxy import Proxy

RULES = {
    "stale": "3650d",
    "events": {"ping": {"pad": "string"}},
    "counts": {"pings": {"on": "ping"}},
    "rules": {"answer": {"on": "ping", "key": "event.id",
                         "do": [{"send": "push", "with": {"n": "${pings()}", "pad": "${trigger.?pad.orValue('')}"}}]}},
}
TIME = "2026-03-02T10:00:00Z"
AGAIN = "Claiming everything again."
BY_LIBRDKAFKA = {"kafka.broker.address.family": "v4"}
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
HASTY = {"kafka.session.timeout.ms": 5000, "kafka.transaction.timeout.ms": 4500, "kafka.reconnect.backoff.max.ms": 500}
IDLE_MS = 3000  # connections of which nothing is heard for so long are closed by a broker
DUPLICATE_SEQUENCE_NUMBER, NOT_LEADER, REQUEST_TIMED_OUT = 46, 6, 7  # errors
LETTERS = "".join(map(chr, [*range(1, 0x250), 0x2028, 0xd7ff, 0xe000, 0xffff, 0x1f600, 0x10ffff]))
NAMES = ("a", "Zoë", "\U0001f600" * 64, "x" * 256, "line\nline", "\x01")  # of customers

FIND_COORDINATOR, GROUP, TRANSACTIONS = 10, 0, 1

# Requests as they begin: size, key, version. librdkafka has other versions of InitProducerId.
PRODUCE = rb"^.{4}\0\0\0\x07"
INIT_PRODUCER = rb"^.{4}\0\x16\0\0"
ADD_PARTITIONS = rb"^.{4}\0\x18\0\0"
ADD_OFFSETS = rb"^.{4}\0\x19\0\0"
COMMIT_OFFSETS = rb"^.{4}\0\x1c\0\x03"
END_TRANSACTION = rb"^.{4}\0\x1a\0\0"


def pings(name, count=10, customers=10, **more):
    return [event(f"c-{n % customers}", "ping", id=f"{name}-{n}", time=TIME, **more) for n in range(count)]


def batches(path):
    """The heads of a log's record batches: (codec, is it of a transaction's end?). Format: kafka.apache.org/documentation/#recordbatch"""
    log = path.read_bytes()
    at = 0
    while at + 23 <= len(log):
        [size], [flags] = struct.unpack_from(">i", log, at + 8), struct.unpack_from(">h", log, at + 21)
        yield flags & 7, bool(flags & 32)
        at += 12 + size


class Publisher(unittest.TestCase):
    maxDiff = 4000

    def world(self, **options):
        world = World(**{"rules": RULES, "partitions": 2, **options})
        self.addCleanup(world.__exit__)
        return world

    @contextlib.contextmanager
    def behind_door(self, world, prepare=lambda door: None, **options):
        """An engine that reaches Kafka by a door, which counts its own producers: both."""
        with Proxy(world.kafka.behind, world.kafka.front) as door:
            door.watch(INIT_PRODUCER)
            prepare(door)
            with running(world, **{"kafka.bootstrap.servers": f"127.0.0.1:{world.kafka.front}", **options}) as engine:
                yield door, engine

    def ping(self, world, engine, name, *arguments, transaction=None, **more):
        """Produces some and waits until they are decided; gives them."""
        made = pings(name, *arguments, **more)
        world.produce(made, transaction)
        world.wait_decided(engine)
        return made

    def assert_published(self, world, events):
        """Each once, and the numbers of each partition without gap."""
        records, expected = world.output_records(), world.replay([record.value for record in events])
        self.assertEqual(sorted(map(repr, world.actions())), sorted(map(repr, expected)))
        self.assertEqual(sequence_faults(records), [])


class Publishing(Publisher):
    # ---- what is lost on the way

    def lose(self, requests, claims):
        """Loses of each request the answer, and then the request: after each it has claimed anew so often."""
        world = self.world()
        with self.behind_door(world) as (door, engine):
            made = self.ping(world, engine, "first")
            for n, request in enumerate(requests):
                for lose in (door.lose_answer, door.lose_command):
                    before, name = engine.output().count(AGAIN), f"{n}-{lose.__name__}"
                    lose(request)
                    made += self.ping(world, engine, name)
                    self.assertTrue(door.has_lost(), name)
                    made += self.ping(world, engine, f"{name}-after")
                    self.assertEqual(engine.output().count(AGAIN) - before, claims, engine.output())
            self.assertGreater(door.seen, 0)
        self.assert_published(world, made)

    def test_what_may_be_asked_again_is_asked_again_and_nothing_is_claimed_anew(self):
        self.lose((PRODUCE, ADD_PARTITIONS, ADD_OFFSETS), 0)

    def test_what_may_not_be_asked_again_is_settled_by_the_next_producer(self):
        self.lose((COMMIT_OFFSETS, END_TRANSACTION), 1)

    def test_a_large_transaction_goes_on_behind_what_was_lost(self):
        world = self.world()
        with self.behind_door(world) as (door, engine):
            made = self.ping(world, engine, "first")
            for lose in (door.lose_answer, door.lose_command):
                door.watch(PRODUCE)
                lose(PRODUCE)
                made += self.ping(world, engine, lose.__name__, transaction="commit", pad="x" * 400_000)
                self.assertTrue(door.has_lost())
                self.assertGreater(door.seen, 2)  # it takes several requests
                made += self.ping(world, engine, f"{lose.__name__}-after")
            self.assertNotIn(AGAIN, engine.output())
        self.assert_published(world, made)

    def code_of(self, topic, code):
        """What puts another code into an answer to Produce, which says of the only partition that it has taken the records."""
        return rb"(%s\0\0\0\x01\0{4})\0\0(?=.{8}\xff{8})" % topic.encode(), b"\\g<1>" + struct.pack(">h", code)

    def test_what_a_broker_says_of_records_that_it_has_already_is_no_failure(self):
        world = self.world(partitions=1)
        with self.behind_door(world) as (door, engine):
            made = self.ping(world, engine, "first")
            for code in (DUPLICATE_SEQUENCE_NUMBER, NOT_LEADER, REQUEST_TIMED_OUT):
                door.alter_answer(*self.code_of(world.output, code))
                made += self.ping(world, engine, f"{code}")
                self.assertTrue(door.has_altered())
                made += self.ping(world, engine, f"{code}-after")
            self.assertNotIn(AGAIN, engine.output())
        self.assert_published(world, made)

    def test_a_broker_that_goes_and_comes_back_costs_no_action(self):
        world, made = self.world(), pings("long", 40_000, 1000)
        world.produce(made)
        lasting = lambda door: setattr(door, "rate", 500_000)  # bytes a second
        with self.behind_door(world, lasting, **HASTY) as (door, engine):
            place.wait_until(lambda: door.seen, 20, "it has begun")
            door.watch(PRODUCE)
            place.wait_until(lambda: door.seen > 1, 20, "it is in the middle of it", pause_s=0.001)
            door.held = True
            self.assertLess(sum(world.kafka.ends(world.output).values()), len(made))
            world.kafka.stop()  # one that is killed is let in again only when its session is over
            door.open_door()
            world.kafka.start()
            made += self.ping(world, engine, "after")
        self.assert_published(world, made)

    # ---- where it goes

    def test_partitions_that_come_while_it_runs_are_written_to(self):
        world, count = self.world(), 7
        with running(world, **{"kafka.topic.metadata.refresh.interval.ms": 200}) as engine:
            made = self.ping(world, engine, "before")
            world.kafka.grow(world.output, count)
            time.sleep(0.5)
            after = self.ping(world, engine, "after", 200, 100)
            self.assertNotIn(AGAIN, engine.output())
        self.assert_published(world, made + after)
        placed = f"{world.output}.placed"  # the keys of the same records, where librdkafka puts them
        world.kafka.create(placed, count)
        world.kafka.produce(placed, after)
        places = {record.key: record.partition for record in world.kafka.consume(placed)}
        found = [record for record in world.output_records() if record.json()["trigger"]["id"].startswith("after")]
        self.assertEqual({record.key: record.partition for record in found}, places)
        self.assertEqual(set(places.values()), set(range(count)))

    # ---- the same as librdkafka

    def rules(self):
        """The rules, in a file of which one record of a mark is larger than a batch of others."""
        return f"// {LETTERS[32:]} {'x' * 1_200_000}\n{json.dumps(RULES)}"

    def odd(self):
        """Records of many sizes and of all bytes, of which some become actions, some dead letters."""
        sizes = [*range(130), *range(8100, 8200), 16_000, 65_536, *[400_000] * 6, 500_000]
        padded = [event(f"c-{n}", "ping", id=f"size-{size}-{n}", time=TIME, pad="x" * size) for n, size in enumerate(sizes)]
        named = [event(name, "ping", id=f"name-{n}", time=TIME, pad=LETTERS) for n, name in enumerate(NAMES)]
        raw = [Record(json.dumps({"type": "ping", "customer": "raw", "time": TIME, "pad": LETTERS}, ensure_ascii=False).encode(), b"raw")]
        dead = [Record(value, key, headers={"other": b""}) for value in (b"", b"no json", bytes(range(256)))
                for key in (None, b"", b"c-0", bytes(range(256)), b"k" * 20_000)]
        dead += [Record(b"x" * size, b"c-0") for size in (511_000, 600_000)]
        return pings("small", 2500, 700) + padded + named + raw + dead

    def linked(self):
        """A visitor of one partition who becomes a customer of another."""
        visitor = json.dumps({"type": "ping", "visitor": "v-0", "id": "visit", "time": TIME}).encode()
        return [Record(visitor, b"v-0")], [event("c-1", "ping", id="login", time=TIME, visitor="v-0")]

    def published(self, world):
        """Of each topic its records without what is of the group or of the time of day; of a dead letter without key any partition will do."""
        def plain(record):
            headers = {name: value.replace(world.group.encode(), b"GROUP") for name, value in record.headers.items() if name != "relance-mark"}
            return record.partition if record.key is not None else -1, record.key, record.value, headers

        def rules(record):
            return {name: value for name, value in record.json().items() if name != "wall"}
        found = {kind: [plain(record) for record in world.kafka.consume(topic)] for kind, topic in
                 (("actions", world.output), ("dead", f"{world.output}.dead"), ("links", f"{world.output}.links"), ("decisions", world.decisions))}
        found["rules"] = [(record.partition, record.key, record.headers, len(record.value), rules(record))
                          for record in world.kafka.consume(f"{world.output}.marks") if b'"rules"' in record.value]
        return {kind: sorted(map(repr, records)) for kind, records in found.items()}

    def test_records_of_all_sizes_and_bytes_are_what_librdkafka_makes_of_them(self):
        ours = self.world(rules=self.rules())
        theirs = self.world(rules=self.rules(), input=ours.input)
        first, then = self.linked()
        for world in (ours, theirs):
            world.kafka.create(world.decisions, 3, max_message_bytes=2 * MIB)
        for records, links in ((self.odd() + first, None), (then, 1)):
            ours.produce(records)
            for world, options in ((ours, {}), (theirs, BY_LIBRDKAFKA)):
                with running(world, decisions=world.decisions, **options) as engine:
                    world.wait_decided(engine)
                    world.wait_counter("links_taken", links)
                self.assertNotIn(AGAIN, engine.output())
        found, expected = self.published(ours), self.published(theirs)
        for kind, records in expected.items():
            self.assertGreater(len(records), 1, kind)
            self.assertEqual([text[:600] for text in set(found[kind]) ^ set(records)], [], kind)
            self.assertEqual(len(found[kind]), len(records), kind)

    # ---- compression

    def codecs(self, world, topic):
        """Those of the batches with records that lie in the logs of its partitions."""
        logs = (world.kafka.folder.path / "data").glob(f"{topic}-[0-9]*/*.log")
        return {CODECS[codec] for log in logs for codec, is_end in batches(log) if not is_end}

    def test_it_compresses_as_it_is_told(self):
        for codec in CODECS:
            world = self.world()
            with self.behind_door(world, **{"kafka.compression.type": codec}) as (door, engine):
                made = self.ping(world, engine, "a", 100, pad="x" * 1000)
                made += self.ping(world, engine, "b", pad=LETTERS)
                self.assertEqual(door.seen, 1)
            self.assert_published(world, made)
            self.assertEqual(self.codecs(world, world.output), {codec})

    # ---- whom librdkafka serves

    def test_where_more_is_asked_for_than_a_plain_connection_librdkafka_produces(self):
        world = self.world()
        with self.behind_door(world, **BY_LIBRDKAFKA) as (door, engine):
            made = self.ping(world, engine, "a")
            self.assertEqual(door.seen, 0)
        self.assert_published(world, made)

    def test_for_a_broker_that_is_too_old_librdkafka_produces(self):
        # Of an answer to ApiVersions as our own producer asks for it, where no tags stand between the rows: it ends with 2.
        rows = rb"(\0\x1c\0\0\0)[\x03-\x09](?=\0\x1d\0)"
        world = self.world()
        with self.behind_door(world, lambda door: door.alter_answer(rows, b"\\g<1>\x02")) as (door, engine):
            made = self.ping(world, engine, "a")
            self.assertTrue(door.has_altered())
            self.assertEqual(door.seen, 0)
        self.assert_published(world, made)


class Two(Publisher):
    """A second broker, which leads some of the topics, the internal ones among them; whoever comes in may do only what is not
    reserved for others, and whoever is silent is shown the door."""

    @classmethod
    def setUpClass(cls):
        settings = {"connections_max_idle_ms": IDLE_MS}
        cls.first = kafka.Kafka(kafka.VERSIONS[0], super_users=f"User:{kafka.BEARER}", allow_everyone_if_no_acl_found="true", **settings)
        cls.addClassCleanup(cls.first.close)
        cls.second = kafka.Joined(cls.first, **settings)
        cls.addClassCleanup(cls.second.close)
        place.wait_until(lambda: cls.second.answers(), 30, "it is there")
        cls.first.create("begin", 1)
        cls.first.produce("begin", pings("begin"), transaction="commit")
        cls.first.committed("begin", "begin")

    def coordinator(self, kind, name):
        """The number of the broker that serves it. Kafka's protocol: FindCoordinator, version 1."""
        def found():
            answer = Acls(self.first.address).ask(FIND_COORDINATOR, text(name) + struct.pack(">b", kind))
            error, words = struct.unpack(">hh", answer[:4])
            return None if error else struct.unpack_from(">i", answer, 4 + max(words, 0))
        return place.wait_until(found, 30, f"{name} has a coordinator")[0]

    def choose_names(self, world, of_group, of_transactions):
        """Gives the world a group that is served by one broker, and gives an instance whose transactions are served by the other."""
        def find(kind, name, broker):
            return next(name % n for n in range(100) if self.coordinator(kind, name % n) == broker)
        world.group = find(GROUP, f"{world.group}-%d", of_group)
        return find(TRANSACTIONS, f"{world.group}/%d/0", of_transactions).split("/")[1]

    def test_connections_that_are_closed_for_being_silent_cost_nothing(self):
        world = self.world(broker=self.first, partitions=1)
        [leader] = self.first.leaders(world.output).values()
        instance, made = self.choose_names(world, 3 - leader, leader), []  # nothing but offsets goes to the other
        with running(world, instance=instance) as engine:
            for n in range(3):
                made += self.ping(world, engine, f"{n}")
                time.sleep(IDLE_MS / 1000 * 1.5)
            self.assertNotIn(AGAIN, engine.output())
        self.assert_published(world, made)

    def test_leaders_that_go_and_come_back_cost_no_action(self):
        world, made = self.world(broker=self.first, partitions=4, replicas=2), []
        instance = self.choose_names(world, 1, 1)

        def produce(name):
            batch = pings(name, 40, 40)
            made.extend(batch)
            world.produce(batch)

        with running(world, instance=instance) as engine:
            self.second.come_and_go(world.output, produce, lambda: world.wait_decided(engine))
        self.assert_published(world, made)

    def test_the_right_that_is_missing_is_named(self):
        world = self.world(broker=self.first)
        Acls(self.first.address).allow("User:ANONYMOUS", [("topic", "literal", world.output, "Describe")])
        world.produce(pings("a"))
        for options in ({}, BY_LIBRDKAFKA):
            status, said = world.refusal(**options)
            self.assertEqual(status, 1, said)
            self.assertRegex(said, f"this user needs Write on topics.*{world.output}")
