"""A Redis Cluster of three masters and their replicas: the engine and all that reads, while slots move and masters go.

    RELANCE_SEED=N …    the dice of a run that has printed it
"""
import json
import os
import random
import signal
import subprocess
import threading
import time
import unittest
from collections import Counter

from e2e import crashes
from support import place
from support.cluster import Cluster
from support.engine import World, running, sequence_faults
from support.kafka import event
from support.redis import ENGINE, PASSWORD, Redis

SEED = int(os.environ.get("RELANCE_SEED", random.SystemRandom().randrange(1 << 32)))
PARTITIONS, EVENTS, CUSTOMERS = 6, 12000, 400
# What is sent does not depend on when a wait ends: by the clock of the events, or of the wall.
RULES = {
    "stale": "3650d",
    "events": {"ping": {}},
    "counts": {"pings": {"on": "ping"}},
    "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "push", "with": {"n": "${pings()}"}}]},
              "soon": {"on": "ping", "key": "event.id", "do": [{"after": "2s", "send": "email"}]},
              "later": {"on": "ping", "again": "rearm", "do": [{"after": "3650d", "send": "email"}]}},
}
BEGIN = 1772445600  # seconds


def pings(dice, count):
    return [event(f"c-{dice.randrange(CUSTOMERS)}", "ping", id=f"e{n}", time=crashes.stamp(BEGIN + n)) for n in range(count)]


class Load:
    """Produces events bit by bit, and at `end` the rest of them."""

    def __init__(self, world, events, seconds):
        self.world, self.events, self.pause_s = world, events, seconds / (len(events) / 100)
        self.hurry = threading.Event()
        self.error = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        try:
            for at in range(0, len(self.events), 100):
                self.world.produce(self.events[at:at + 100])
                self.hurry.wait(self.pause_s)
        except Exception as error:  # told to whoever waits for the end
            self.error = error

    def end(self):
        self.hurry.set()
        self.thread.join()
        if self.error:
            raise self.error
        return self.events


class ClusterTest(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        print(f"RELANCE_SEED={SEED}", flush=True)
        self.dice = random.Random(f"{SEED} {self.id()}")
        self.cluster = Cluster(appendfsync="everysec")
        self.world = World(RULES, partitions=PARTITIONS, redis=self.cluster)
        self.addCleanup(self.world.__exit__)

    def key(self, partition, what="meta"):
        return f"relance:{{{self.world.group}:{self.world.input}:{partition}}}:{what}"

    def load(self, seconds, events=EVENTS):
        return Load(self.world, pings(self.dice, events), seconds)

    def wait_live(self, engine):
        place.wait_until(lambda: engine.output().count("A partition is live.") >= PARTITIONS, 60, "all is live")

    def replayed(self, events):
        return self.world.replay([record.value for record in events], "--until=1d")

    def assert_exactly(self, events):
        """What was published is what `replay` decides of the same events, each once; and each event is counted once."""
        records, actions = self.world.output_records(), self.world.actions()
        expected = self.replayed(events)
        said, wanted = Counter(map(repr, actions)), Counter(map(repr, expected))
        self.assertEqual((list((wanted - said).elements()), list((said - wanted).elements())), ([], []), "missing, too much")
        self.assertEqual(sequence_faults(records), [])
        self.assertEqual(self.world.counters()["events"], len(events))

    def finish(self, load, engine):
        events = load.end()
        self.world.wait_decided(engine, 120)
        self.world.wait_actions(len(self.replayed(events)))
        self.world.wait_counter("events", len(events), 60)
        return events

    # ---- what an operator does

    def tool(self, command, *words, status=0):
        url = self.world.redis.reshard_url if command == "reshard" else self.world.redis.reader_url
        kafka = [] if command in ("metrics", "inspect", "top") else [f"--kafka.bootstrap.servers={self.world.kafka.address}"]
        done = subprocess.run([place.program("relance"), command, *words, f"--redis={url}", f"--group={self.world.group}",
                               f"--input={self.world.input}", *kafka], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        if status is not None:
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def test_an_engine_and_all_that_reads(self):
        owners = {self.cluster.master_of(self.key(p)).port for p in range(PARTITIONS)}
        self.assertGreater(len(owners), 1, "the partitions are on several nodes")
        load = self.load(1, 2000)
        with running(self.world) as engine:
            events = self.finish(load, engine)
            customer = events[0].key.decode()
            self.assertEqual(json.loads(self.tool("metrics", "--json"))["counters"]["events"], len(events))
            totals = f"relance:{self.world.group}:{self.world.input}:totals"
            place.wait_until(lambda: self.world.redis.hash(totals).get("events") == str(len(events)).encode(), 20, "the totals are right")
            self.assertIn(customer, self.tool("inspect", customer))
            self.assertIn("answer", self.tool("explain", customer))
            self.assertRegex(self.tool("metrics"), r"partitions_live +6\n")
            self.assert_exactly(events)
            self.tool("forget", "--timeout=20s", customer)
            self.tool("inspect", customer, status=1)

    def test_a_database_is_refused(self):
        status, said = self.world.refusal(redis=self.cluster.url_for(ENGINE, "3"))
        self.assertEqual(status, 2, said)
        self.assertIn("a Redis Cluster has no database but 0: leave out the /3", said)

    def test_several_servers_that_are_no_cluster_are_refused(self):
        alone = Redis(port=str(place.free_port()), bind="127.0.0.1")
        self.addCleanup(alone.close)
        host = f"127.0.0.1:{alone.config['port']}"
        status, said = self.world.refusal(redis=f"redis://{ENGINE}:{PASSWORD}@{host},{host}/")
        self.assertEqual(status, 2, said)
        self.assertIn("several hosts are for a Redis Cluster", said)

    def test_each_server_that_has_a_partition_is_looked_at(self):
        for node in self.cluster.masters()[1:]:
            node("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        status, said = self.world.refusal()
        self.assertEqual(status, 2, said)
        self.assertIn("maxmemory-policy allkeys-lru", said)

    def test_partitions_are_added(self):
        events = pings(self.dice, 4000)
        quick = {"kafka.session.timeout.ms": 3000, "kafka.transaction.timeout.ms": 2500}
        self.world.produce(events[:2000])
        with running(self.world, **quick) as engine:
            self.world.wait_decided(engine)
        self.assertEqual(self.world.engine(drain=True, **quick).stop(None, 60)[0], 0)
        self.world.partitions += 3
        for topic in (self.world.input, f"{self.world.output}.marks", f"{self.world.output}.links"):
            self.world.kafka.grow(topic, self.world.partitions)
        place.wait_until(lambda: "moved" in self.tool("reshard", status=None), 30, "the group is empty", pause_s=0.5)
        self.world.produce(events[2000:])
        with running(self.world) as engine:
            self.world.wait_decided(engine)
            self.world.wait_actions(len(self.replayed(events)))
        self.assert_exactly(events)

    # ---- slots that move

    def move(self, partition, pause_s):
        """The partition's slot goes to another master, with time between the steps."""
        key = self.key(partition)
        source = self.cluster.master_of(key)
        target = self.dice.choice([node for node in self.cluster.masters() if node is not source])
        slot = self.cluster.slot(key)
        for _ in self.cluster.migrate(slot, source, target):
            time.sleep(self.dice.uniform(0, pause_s))
        self.cluster.settle(slot, key)

    def test_slots_move_under_load(self):
        load = self.load(40)
        with running(self.world) as engine:
            self.wait_live(engine)
            for pause_s in (0, 0.3, 2):
                for partition in range(PARTITIONS):
                    self.move(partition, pause_s)
            events = self.finish(load, engine)
        self.assert_exactly(events)

    # ---- masters that go

    def fail_over(self, how):
        """The engine goes, too, and the next one begins at nodes that are others now."""
        load = self.load(30)
        engine = self.world.engine()
        self.wait_live(engine)
        for partition in (0, 1, 2):
            self.cluster.replace(self.cluster.master_of(self.key(partition)), how)
            time.sleep(self.dice.uniform(0, 2))
        self.assertTrue(engine.is_running(), engine.output()[-4000:])
        engine.stop(signal.SIGKILL)
        with running(self.world) as engine:
            events = self.finish(load, engine)
        self.assert_exactly(events)

    def test_masters_are_killed_under_load(self):
        self.fail_over("kill")

    def test_masters_hand_over_under_load(self):
        self.fail_over("ask")
