"""`relance intake`: other pipelines' records become native events, each exactly once, whoever is killed meanwhile."""
import collections
import datetime
import json
import random
import re
import signal
import time
import unittest

from support import kafka, place, rights
from support.engine import World, running
from support.intake import MAPPING, Mill, foreign
from support.kafka import Record
from support.kafka_acls import Acls
from support.registry import Registry

TIME = 1772445600000
SEED = 20260302


def places(mill, keys):
    """Where Java's producers would put each key in a topic with as many partitions as the output."""
    topic = f"{mill.output}.probe"
    mill.kafka.create(topic, len(mill.kafka.ends(mill.output)))
    mill.kafka.produce(topic, [Record(b"", key=key) for key in keys])
    return {record.key: record.partition for record in mill.kafka.consume(topic)}


class Mapping(unittest.TestCase):
    maxDiff = 4000

    def test_a_record_becomes_its_events_with_its_time_and_trace_keyed_by_customer(self):
        with Mill({"web": 1}) as mill:
            trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            mill.produce("web", [foreign("anna", "u1", "pair", 7, timestamp=TIME, headers={"traceparent": trace, "other": b"x"}),
                                 foreign("bert", "u2", key=b"somebody", timestamp=TIME + 1)])
            with mill.running():
                mill.wait_read()
            found = {record.json()["id"]: record for record in mill.events()}
            self.assertEqual({id: record.json() for id, record in found.items()}, {
                "u1": {"type": "click", "id": "u1", "customer": "anna", "n": 7},
                "u1/1": {"type": "view", "id": "u1/1", "customer": "anna", "n": 7},
                "u2": {"type": "click", "id": "u2", "customer": "bert"}})
            self.assertEqual([found[id].timestamp for id in ("u1", "u1/1", "u2")], [TIME, TIME, TIME + 1])
            self.assertEqual([found[id].headers for id in ("u1", "u1/1", "u2")], [{"traceparent": trace}, {"traceparent": trace}, {}])
            self.assertEqual({record.key: record.partition for record in found.values()}, places(mill, [b"anna", b"bert"]))

    def test_what_is_no_event_is_a_dead_letter_with_its_place_and_a_sentence_or_is_passed_over(self):
        with Mill({"web": 1}) as mill:
            mill.produce("web", [Record(b"{broken", key=b"k", timestamp=TIME, headers={"origin": b"pos", "relance-reason": b"old"}),
                                 foreign("anna", "u1", "pair", timestamp=TIME), foreign("anna", "u2", "unheard of"),
                                 Record(None, key=b"k"), foreign(None, "u3", "pair", 1), foreign("anna", "u4")])
            with mill.running() as process:
                mill.wait_read()
            self.assertEqual([record.json()["id"] for record in mill.events()], ["u1", "u4"])
            dead = sorted(mill.dead(), key=lambda r: (int(r.header("relance-offset")), r.headers.get("relance-event", b"")))
            self.assertEqual([(r.header("relance-offset"), r.header("relance-reason"), r.headers.get("relance-event")) for r in dead],
                             [("0", "json", None), ("1", "mapping", b"1"), ("4", "customer", b"0"), ("4", "customer", b"1")])
            self.assertEqual([r.value for r in dead[:2]], [b"{broken", foreign("anna", "u1", "pair").value])
            self.assertEqual((dead[0].key, dead[0].timestamp, dead[0].header("origin")), (b"k", TIME, "pos"))
            for record in dead:
                self.assertEqual((record.header("relance-topic"), record.header("relance-partition")), (mill.sources["web"], "0"))
                self.assertTrue(record.header("relance-sentence"))
            [said] = [line for line in process.output().splitlines() if "In all:" in line]
            for fact in ("records=6 events=2 events_unmapped=1 events_tombstone=1 ", "dead.json=1", "dead.mapping=1", "dead.customer=2"):
                self.assertIn(fact, said)

    def test_large_records_and_events_do_not_stand_in_the_way(self):
        with Mill({"web": 1}) as mill:
            broken = b"{" + b"x" * 700_000
            mill.produce("web", [Record(broken), foreign("anna", "u1")])
            with mill.running():
                mill.wait_read()
            [dead] = mill.dead()
            self.assertEqual((dead.value, dead.header("relance-size")), (broken[:16384], "700001"))
            self.assertEqual(len(mill.events()), 1)

    def test_a_key_or_a_trace_as_large_as_a_record_may_be_does_not_stand_in_the_way(self):
        with Mill({"web": 1}) as mill:
            key = b"k" * 1_048_430
            mill.produce("web", [Record(b"{broken", key=key), foreign("anna", "u1", headers={"traceparent": b"0" * 1_048_300})])
            with mill.running():
                mill.wait_read()
            self.assertEqual([(dead.key, dead.value) for dead in mill.dead()], [(key[:16384], b"{broken")])
            self.assertEqual([(event.json()["id"], event.headers) for event in mill.events()], [("u1", {})])

    def test_a_time_that_the_output_refuses_does_not_stand_in_the_way(self):
        with Mill({"web": 1}) as mill:
            output = f"{mill.name}.strict"
            for topic in (output, f"{output}.dead"):
                mill.kafka.create(topic, 1, message_timestamp_after_max_ms=3_600_000)
            mill.output = output
            late, early = int(time.time() * 1000) + 86_400_000, int(time.time() * 1000) - 1000
            mill.produce("web", [foreign("anna", "u1", timestamp=late), Record(b"{broken", timestamp=late), foreign("anna", "u2", timestamp=early)])
            with mill.running():
                mill.wait_read(seconds=25)
            self.assertEqual([event.json()["id"] for event in mill.events()], ["u1", "u2"])

    def test_customers_whose_events_come_from_several_partitions_are_counted(self):
        with Mill({"web": 2}) as mill:
            mill.produce("web", [foreign("anna", f"a{n}", partition=0) for n in range(4)] +
                         [foreign("bert", f"b{n}", partition=1) for n in range(4)])
            with mill.running() as process:
                mill.wait_read()
                mill.produce("web", [foreign("anna", "a4", partition=1)])
                mill.wait_read()
            self.assertIn("events_scattered=1 ", process.output())


class Topics(unittest.TestCase):
    def test_each_topic_has_its_mapping_or_all_is_refused(self):
        with Mill({"web": 1, "shop": 1}) as mill:
            web, shop = mill.sources["web"], mill.sources["shop"]
            for words, sentence in {
                (f"--mapping={web}={mill.mapping}",): f"topic {shop} has none",
                (f"--mapping={mill.mapping}", f"--mapping={mill.mapping}"): "are for the same topics",
                (f"--mapping={mill.mapping}", f"--mapping=elsewhere={mill.mapping}"): "--input does not have a topic elsewhere",
                ("--mapping=nosuch",): "there is no preset 'nosuch'",
                ("--mapping=./nosuch.jsonc",): "./nosuch.jsonc",
            }.items():
                with self.subTest(words=words):
                    status, said = mill.refusal(*words, mapping=None)
                    self.assertEqual(status, 2, said)
                    self.assertIn(sentence, said)
            for missing in ("group", "output", "input", "mapping", "kafka.bootstrap.servers"):
                with self.subTest(missing=missing):
                    status, said = mill.refusal(**{missing: None})
                    self.assertEqual(status, 2, said)
                    self.assertIn(f"--{missing} is needed", said)
            other = mill.folder.path / "other.jsonc"
            other.write_text('{"record": {"event": "string"}, "by": "record.event",'
                             ' "events": {"*": {"type": "other", "customer": "all"}}}')
            mill.produce("web", [foreign("anna", "u1")])
            mill.produce("shop", [foreign("anna", "u2", "whatever")])
            with mill.running(f"--mapping={shop}={other}"):
                mill.wait_read()
            self.assertEqual(sorted(r.json()["type"] for r in mill.events()), ["click", "other"])

    def test_what_relance_writes_is_refused_by_name(self):
        with Mill({"web": 1, "actions": 1, "actions.dead": 1, "actions.marks": 1, "actions.links": 1}) as mill:
            web = mill.sources["web"]
            for topic, sentence in [(mill.output, "is of the output"), (f"{mill.output}.dead", "is of the output"),
                                    *((mill.sources[name], f"there is {mill.name}.actions.marks, too")
                                      for name in ("actions", "actions.dead", "actions.marks", "actions.links")),
                                    (f"{mill.name}.absent", "Kafka has no topic")]:
                with self.subTest(topic=topic):
                    status, said = mill.refusal(input=f"{web},{topic}")
                    self.assertEqual(status, 2, said)
                    self.assertIn(sentence, said)
            for output, sentence in [(mill.sources["actions"], "is an engine's"), (f"{mill.name}.absent", "Kafka has no topic"),
                                     (web, f"Kafka has no topic {web}.dead")]:
                with self.subTest(output=output):
                    status, said = mill.refusal(output=output, input=f"{mill.name}.actions.dead" if output == web else web)
                    self.assertEqual(status, 2, said)
                    self.assertIn(sentence, said)

    def test_a_pattern_takes_what_fits_now_and_later_and_never_what_relance_writes(self):
        with Mill({"web": 1, "actions": 1, "actions.marks": 1, "actions.links": 1, "other": 1, "other.dead": 1}) as mill:
            pattern = rf"^{mill.name}\..*"
            mill.kafka.create(f"{mill.output}.links", 1)
            for n, topic in enumerate([*mill.sources.values(), f"{mill.output}.links", f"{mill.output}.dead"]):
                mill.kafka.produce(topic, [foreign(f"c-{n}", topic)])
            with mill.running(input=pattern) as process:
                mill.wait_read("web", "other")
                fresh = f"{mill.name}.fresh"
                mill.kafka.create(fresh, 1)
                mill.kafka.produce(fresh, [foreign("anna", fresh)])
                mill.sources["fresh"] = fresh
                mill.wait_read("fresh", seconds=30)
            self.assertEqual({r.json()["id"] for r in mill.events()}, {mill.sources[s] for s in ("web", "other", "fresh")})
            self.assertEqual({line.split("topic=")[1].split()[0] for line in process.output().splitlines() if "Reading a topic." in line},
                             {mill.sources[s] for s in ("web", "other", "fresh")})

    def test_decisions_are_passed_over_whatever_their_topic_is_called(self):
        with Mill({"web": 1, "why": 1}) as mill:
            place = {f"relance-{name}": b"0" for name in ("partition", "mark", "offset", "index")}
            mill.produce("why", [foreign("anna", f"d{n}", headers=place) for n in range(3)])
            mill.produce("web", [foreign("anna", "u1")])
            with mill.running(input=rf"^{mill.name}\.(web|why)$") as process:
                mill.wait_read("web", "why")
            self.assertEqual([r.json()["id"] for r in mill.events()], ["u1"])
            self.assertEqual(mill.dead(), [])
            self.assertIn("events_decision=3 ", process.output())

    def test_a_pattern_is_refused_where_a_topic_has_no_mapping_and_where_it_is_none(self):
        with Mill({"web": 1, "shop": 1}) as mill:
            status, said = mill.refusal(f"--mapping={mill.sources['web']}={mill.mapping}", mapping=None, input=rf"^{mill.name}\.(web|shop)$")
            self.assertEqual(status, 2, said)
            self.assertIn(f"topic {mill.sources['shop']} has none", said)
            status, said = mill.refusal(input="^(web")
            self.assertEqual(status, 2, said)
            self.assertIn("'^(web' is no pattern", said)


class Flow:
    """Customers click on two sites; each source partition numbers a customer's clicks. What has to come out is known."""

    def __init__(self, mill, seed):
        self.mill, self.random = mill, random.Random(seed)
        self.counts = collections.Counter()
        self.expected, self.dead = set(), set()
        self.offsets = collections.Counter()

    def produce(self, count):
        batches = collections.defaultdict(list)
        for _ in range(count):
            source = self.random.choice(["web", "shop"])
            partition = self.random.randrange(3)
            user = f"c-{self.random.randrange(20)}"
            where = (source, partition)
            kind = self.random.choices(["click", "pair", "short", "broken", "other"], [60, 20, 8, 6, 6])[0]
            self.counts[(user, where)] += 1
            n = self.counts[(user, where)]
            uid = f"{source}-{partition}-{user}-{n}"
            offset = self.offsets[where]
            self.offsets[where] += 1
            if kind == "broken":
                batches[source].append(Record(b"{" + uid.encode(), partition=partition))
                self.dead.add((self.mill.sources[source], str(partition), str(offset), None))
                continue
            self.expected |= {uid} if kind in ("click", "pair", "short") else set()
            self.expected |= {f"{uid}/1"} if kind == "pair" else set()
            if kind == "short":
                self.dead.add((self.mill.sources[source], str(partition), str(offset), b"1"))
            batches[source].append(foreign(user, uid, {"short": "pair"}.get(kind, kind), None if kind == "short" else n, partition=partition))
        for source, records in batches.items():
            self.mill.produce(source, records)

    def faults(self):
        """What is wrong with what came out."""
        events, found = self.mill.events(), []
        ids = [record.json()["id"] for record in events]
        twice = [id for id, count in collections.Counter(ids).items() if count > 1]
        found += [f"twice: {twice[:5]}"] if twice else []
        found += [f"lost: {sorted(self.expected - set(ids))[:5]}"] if self.expected - set(ids) else []
        found += [f"made up: {sorted(set(ids) - self.expected)[:5]}"] if set(ids) - self.expected else []
        last = collections.defaultdict(int)
        for record in events:
            source, partition, user, n = re.fullmatch(r"(\w+)-(\d)-(c-\d+)-(\d+)(?:/1)?", record.json()["id"]).groups()
            if int(n) < last[(source, partition, user)]:
                found.append(f"out of order: {record.json()['id']}")
            last[(source, partition, user)] = int(n)
        homes = collections.defaultdict(set)
        for record in events:
            homes[record.key].add(record.partition)
        found += [f"in two partitions: {key}" for key, where in homes.items() if len(where) > 1]
        dead = [(r.header("relance-topic"), r.header("relance-partition"), r.header("relance-offset"), r.headers.get("relance-event"))
                for r in self.mill.dead()]
        found += [f"dead letters: {len(dead)}, should be {len(self.dead)}"] if sorted(map(str, dead)) != sorted(map(str, self.dead)) else []
        return found


class Kills(unittest.TestCase):
    ROUNDS = 12

    def test_killed_at_random_points_nothing_is_lost_or_twice(self):
        for version in kafka.VERSIONS:
            with self.subTest(version=version), Mill({"web": 3, "shop": 3}, version) as mill:
                self.siege(mill)

    def siege(self, mill):
        flow, dice = Flow(mill, SEED), random.Random(SEED)
        processes = [mill.start(), mill.start()]
        for n in range(self.ROUNDS):
            flow.produce(400)
            time.sleep(dice.uniform(0, 1.5))
            if n == self.ROUNDS // 2:  # the broker dies and comes back
                mill.kafka.kill()
                time.sleep(1)
                mill.kafka.start()
                place.wait_until(lambda: mill.kafka.is_led(mill.sources["web"]), 30, "the broker is back")
                continue
            victim = dice.randrange(len(processes))
            how = dice.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM])
            status, _ = processes[victim].stop(how)
            self.assertEqual(status, -9 if how == signal.SIGKILL else 0, processes[victim].output()[-3000:])
            processes[victim] = mill.start()
            if n % 4 == 1:
                processes.append(mill.start())
        mill.wait_read(seconds=90)
        for process in processes:
            self.assertTrue(process.is_running(), process.output()[-3000:])
            self.assertEqual(process.stop()[0], 0, process.output()[-3000:])
        self.assertEqual(flow.faults(), [])
        self.assertGreater(len(flow.expected), 3000)

    def test_a_process_that_slept_through_its_session_writes_nothing_of_it(self):
        with Mill({"web": 3, "shop": 3}) as mill:
            flow = Flow(mill, SEED + 1)
            sleeper = mill.start()
            place.wait_until(lambda: "has given us" in sleeper.output(), 30, "it has partitions")
            flow.produce(5000)
            place.wait_until(mill.events, 30, "it is at work")
            sleeper.process.send_signal(signal.SIGSTOP)
            flow.produce(300)
            heir = mill.start()
            mill.wait_read(seconds=60)
            sleeper.process.send_signal(signal.SIGCONT)
            flow.produce(300)
            mill.wait_read(seconds=60)
            for process in (sleeper, heir):
                self.assertEqual(process.stop()[0], 0, process.output()[-3000:])
            self.assertEqual(flow.faults(), [])


class Ending(unittest.TestCase):
    def test_it_leaves_idle_under_load_and_without_a_broker(self):
        with Mill({"web": 3, "shop": 3}) as mill:
            flow = Flow(mill, SEED)
            for state in ("idle", "under load", "without a broker"):
                with self.subTest(state=state):
                    process = mill.start()
                    place.wait_until(lambda: "has given us" in process.output(), 30, "it has partitions")
                    if state == "under load":
                        flow.produce(20000)
                    if state == "without a broker":
                        mill.kafka.kill()
                        time.sleep(1)
                    status, _ = process.stop(seconds=10)  # whoever needs longer is killed
                    self.assertEqual(status, 0, process.output())
            mill.kafka.start()
            with mill.running():
                mill.wait_read()
            self.assertEqual(flow.faults(), [])


AVRO = {"type": "record", "name": "Click", "fields": [{"name": "event", "type": "string"}, {"name": "user", "type": "string"},
                                                      {"name": "uid", "type": "string"}, {"name": "n", "type": "int"}]}
PROTO = 'syntax = "proto3"; message Click { string event = 1; string user = 2; string uid = 3; int32 n = 4; }'


def avro(user, uid, n, event="click"):
    return b"".join(bytes([2 * len(word)]) + word.encode() for word in (event, user, uid)) + bytes([2 * n])


def protobuf(user, uid, n, event="click"):
    words = b"".join(bytes([8 * field + 2, len(word)]) + word.encode() for field, word in enumerate((event, user, uid), 1))
    return words + bytes([4 * 8, n])


def framed(schema, value):
    return Record(b"\0" + schema.to_bytes(4, "big") + value, partition=0)


class WireFormats(unittest.TestCase):
    def test_avro_waits_for_a_registry_that_is_away_and_buries_what_it_does_not_know(self):
        with Mill({"web": 1}, mapping={**MAPPING, "format": "avro"}) as mill, Registry({7: AVRO}) as registry:
            registry.stop()
            with mill.running(registry=registry.url) as process:
                mill.produce("web", [framed(7, avro("anna", "u1", 1))])
                place.wait_until(lambda: "The schema registry is away" in process.output(), 30, "it says that the registry is away")
                mill.produce("web", [framed(7, avro("anna", f"u{n}", n)) for n in range(2, 6)] + [framed(8, b"x"), framed(7, b"\xff"), Record(b"", partition=0)])
                time.sleep(3)
                self.assertEqual((mill.events(), mill.dead()), ([], []))
                registry.start()
                mill.wait_read()
                self.assertEqual(process.output().count("The schema registry is away"), 1)
                self.assertEqual(process.output().count("The schema registry answers again."), 1)
                registry.stop()  # what is known is read on
                mill.produce("web", [framed(7, avro("anna", "u6", 6))])
                mill.wait_read()
            self.assertEqual([(r.json()["id"], r.json()["n"]) for r in mill.events()], [(f"u{n}", n) for n in range(1, 7)])
            self.assertEqual(sorted((r.header("relance-offset"), r.header("relance-reason")) for r in mill.dead()),
                             [("5", "schema"), ("6", "format"), ("7", "format")])

    def test_what_was_read_before_the_unknown_schema_is_written_at_once(self):
        with Mill({"web": 1}, mapping={**MAPPING, "format": "avro"}) as mill, Registry({7: AVRO, 9: AVRO}) as registry:
            with mill.running(registry=registry.url) as process:
                mill.produce("web", [framed(7, avro("anna", "u0", 0))])
                mill.wait_read()
                registry.stop()
                mill.produce("web", [framed(7, avro("anna", "u1", 1)), framed(9, avro("anna", "u2", 2)), framed(7, avro("anna", "u3", 3))])
                place.wait_until(lambda: "The schema registry is away" in process.output(), 30, "it says that the registry is away")
                place.wait_until(lambda: len(mill.events()) == 2, 10, "what comes before is written")
            self.assertEqual([r.json()["id"] for r in mill.events()], ["u0", "u1"])
            registry.start()
            with mill.running(registry=registry.url):
                mill.wait_read()
            self.assertEqual([r.json()["id"] for r in mill.events()], ["u0", "u1", "u2", "u3"])

    def test_schema_files_and_kafka_connects_envelope(self):
        with Mill({"web": 1, "shop": 1, "till": 1}) as mill:
            for name, format in (("avro", "avro"), ("proto", "protobuf")):
                (mill.folder.path / f"{name}.jsonc").write_text(json.dumps({**MAPPING, "format": format}))
            (mill.folder.path / "click.avsc").write_text(json.dumps(AVRO))
            (mill.folder.path / "click.proto").write_text(PROTO)
            web, shop = mill.sources["web"], mill.sources["shop"]
            words = [f"--mapping={web}={mill.folder.path}/avro.jsonc", f"--schema={web}={mill.folder.path}/click.avsc",
                     f"--mapping={shop}={mill.folder.path}/proto.jsonc", f"--schema={shop}={mill.folder.path}/click.proto"]
            mill.produce("web", [Record(avro("anna", "u1", 1))])
            mill.produce("shop", [Record(protobuf("anna", "u2", 2))])
            mill.produce("till", [Record(json.dumps({"schema": None, "payload": foreign("anna", "u3", n=3).json()}).encode()),
                                  Record(b"\0\0\0\0\x07" + foreign("anna", "u4", n=4).value)])
            with mill.running(*words):
                mill.wait_read()
            self.assertEqual(sorted((r.json()["id"], r.json()["n"]) for r in mill.events()), [(f"u{n}", n) for n in range(1, 5)])
            self.assertEqual(mill.dead(), [])
            for taken, sentence in [(words[1], "format avro takes a schema"), (words[0], f"there is no --mapping {web}=")]:
                with self.subTest(sentence=sentence):
                    status, said = mill.refusal(*(word for word in words if word != taken))
                    self.assertEqual(status, 2, said)
                    self.assertIn(sentence, said)


class Rights(unittest.TestCase):
    """With what the manual's table gives, and nothing else; by SCRAM, which is why it is the older broker."""

    def setUp(self):
        self.mill = Mill({"web": 2})
        self.addCleanup(self.mill.__exit__)
        self.acls = Acls(self.mill.kafka.address)
        self.user = f"User:{kafka.ENGINE}"
        self.given = rights.kafka_rights("intake", self.mill.group, self.mill.sources["web"], self.mill.output)
        self.acls.allow(self.user, self.given)
        settings = {"bootstrap.servers": self.mill.kafka.secure, "security.protocol": "sasl_ssl", "sasl.mechanism": "SCRAM-SHA-512",
                    "ssl.ca.location": self.mill.kafka.folder.path / "ca.pem", "sasl.username": kafka.ENGINE, "sasl.password": kafka.PASSWORD}
        self.config = self.mill.folder.path / "intake.conf"
        self.config.write_text("".join(f"kafka.{name} = {value}\n" for name, value in settings.items()))
        self.config.chmod(0o600)
        self.options = {"config": self.config, "kafka.bootstrap.servers": None}

    def assert_ends(self, process, right):
        resource, _, name, operation = right
        status, _ = process.stop(None, 60)
        self.assertEqual(status, 1, process.output()[-3000:])
        for word in ("this user needs", operation, resource, name):
            self.assertIn(word, process.output())

    def test_each_right_that_is_missing_at_the_start_or_taken_later_is_named(self):
        self.assertEqual(len(self.given), 5)
        flow = 0
        for right in self.given:
            with self.subTest(right=right):
                process = self.mill.start(**self.options)
                self.mill.produce("web", [foreign("anna", f"a{flow}"), Record(b"broken")])
                self.mill.wait_read()
                self.acls.take(self.user, [right])
                self.mill.produce("web", [foreign("anna", f"b{flow}"), Record(b"broken")])
                self.assert_ends(process, right)
                self.assert_ends(self.mill.start(**self.options), right)
                self.acls.allow(self.user, [right])
                flow += 1
        with self.mill.running(**self.options):
            self.mill.wait_read()
        # Who could not end his transaction any more hides what comes behind it until the broker ends it.
        place.wait_until(lambda: len(self.mill.events()) >= 2 * flow and len(self.mill.dead()) >= 2 * flow, 30, "all can be seen", pause_s=1)
        self.assertEqual(sorted(r.json()["id"] for r in self.mill.events()), sorted(f"{x}{n}" for n in range(flow) for x in "ab"))
        self.assertEqual(len(self.mill.dead()), 2 * flow)

    def test_a_pattern_reads_those_that_it_may(self):
        self.mill.kafka.create(f"{self.mill.name}.hidden", 1)
        self.mill.kafka.produce(f"{self.mill.name}.hidden", [foreign("anna", "hidden")])
        self.mill.produce("web", [foreign("anna", "a")])
        with self.mill.running(**self.options, input=rf"^{self.mill.name}\."):
            self.mill.wait_read()
        self.assertEqual([r.json()["id"] for r in self.mill.events()], ["a"])


class Engine(unittest.TestCase):
    RULES = {"stale": "3650d", "events": {"click": {"n": "int"}, "view": {"n": "int"}}, "counts": {"clicks": {"on": "click"}},
             "rules": {"answer": {"on": "click", "key": "event.id", "do": [{"send": "email", "with": {"n": "${clicks()}"}}]}}}

    def test_an_engine_reads_what_intake_writes(self):
        with Mill({"web": 3, "shop": 3}) as mill, World(self.RULES, input=mill.output) as world:
            flow = Flow(mill, SEED)
            with mill.running(), running(world):
                flow.produce(500)
                mill.wait_read()
                world.wait_decided()
            # In Kafka an event without a time has its record's; in a file there is none to have.
            lines = [json.dumps({"time": datetime.datetime.fromtimestamp(record.timestamp / 1000, datetime.UTC).isoformat(), **record.json()}).encode()
                     for record in mill.events()]
            clicks = sum(record.json()["type"] == "click" for record in mill.events())
            actions = world.actions()
            self.assertEqual(len(actions), clicks)
            told = world.replay(lines)
            self.assertEqual({(a.customer, a.key, a.payload) for a in actions}, {(a.customer, a.key, a.payload) for a in told})
