"""Producers that choose the partition of a key otherwise than Java's client: counted, told of with the client's setting, and
with --misplaced refuse among the dead letters. The producers are real ones."""
import json
import re
import subprocess
import unittest

from support import place
from support.engine import World, running
from support.kafka import VERSIONS, event

RULES = {"stale": "3650d", "events": {"cart": {"cart": "string"}, "purchase": {"cart": "string"}},
         "rules": {"left": {"on": "cart", "key": "event.cart", "cancel": [{"on": "purchase", "key": "event.cart"}],
                            "do": [{"after": "1h", "send": "email"}]}}}
TIME = "2026-03-02T10:00:00Z"
WARNING = re.compile(r' level=warning msg="(Records .*)')


def carts(count, prefix="c"):
    return [event(f"{prefix}-{n}", "cart", id=f"{prefix}{n}", time=TIME, cart="k") for n in range(count)]


class Misplaced(unittest.TestCase):
    def world(self, **options):
        world = World(RULES, **options)
        self.addCleanup(world.__exit__)
        return world

    def through(self, world, **options):
        """Decides all; the counters that concern us, and the warnings."""
        with running(world, **options) as engine:
            world.wait_decided(engine)
        counters = world.counters()
        found = {name: counters.get(name, 0) for name in ("events", "events_misplaced", "dead.misplaced")}
        return found, WARNING.findall(engine.output())

    def misplaced(self, world):
        """How many records stand in another partition than that in which murmur2 has put the same key in a second topic."""
        world.kafka.create(f"{world.input}.right", world.partitions)
        records = world.kafka.consume(world.input)
        world.kafka.produce(f"{world.input}.right", [event(key.decode(), "x") for key in {r.key for r in records}])
        home = {r.key: r.partition for r in world.kafka.consume(f"{world.input}.right")}
        return [r for r in records if r.partition != home[r.key]]

    def test_librdkafkas_default_is_told_of_once_with_the_setting_to_change(self):
        world = self.world()
        world.produce(carts(200), setting="partitioner=consistent_random")
        wrong = self.misplaced(world)
        self.assertGreater(len(wrong), 50)
        counted, said = self.through(world)
        self.assertEqual(counted, {"events": 200, "events_misplaced": len(wrong), "dead.misplaced": 0})
        # As soon as the client is known, and at the end of what has come since.
        self.assertIn(len(said), (1, 2), said)
        for line in said:
            self.assertIn("librdkafka; set there: partitioner=murmur2_random", line)
        self.assertEqual(sum(int(re.search(r"records=(\d+)", line)[1]) for line in said), len(wrong))

    def test_fnv1a_is_taken_for_that_of_gos_clients(self):
        world = self.world()
        world.produce(carts(200), setting="partitioner=fnv1a_random")
        _, said = self.through(world)
        self.assertIn('client="sarama, kafka-go; set there: ', said[0])

    def test_keyed_records_sent_anywhere_name_no_client(self):
        world = self.world()
        world.produce(carts(200), setting="partitioner=random")
        counted, said = self.through(world)
        self.assertEqual(counted["events_misplaced"], len(self.misplaced(world)))
        self.assertEqual(len(said), 1, said)
        self.assertIn("not recognised; `relance help clients`", said[0])

    def test_who_sets_murmur2_and_javas_client_are_where_they_belong(self):
        for version in VERSIONS:
            world = self.world(version=version)
            world.produce(carts(100), setting="partitioner=murmur2_random")
            world.kafka.java_produce(world.input, carts(100, "java"))
            self.assertEqual(self.through(world), ({"events": 200, "events_misplaced": 0, "dead.misplaced": 0}, []))

    def test_javas_client_told_to_ignore_keys_is_told_of(self):
        world = self.world()
        world.kafka.java_produce(world.input, carts(100), "partitioner.ignore.keys=true")
        counted, said = self.through(world)
        self.assertEqual(counted["events_misplaced"], len(self.misplaced(world)))
        self.assertEqual(len(said), 1, said)

    def test_refused_they_are_dead_letters_unchanged_and_decide_nothing(self):
        world = self.world()
        world.produce(carts(60), setting="partitioner=consistent_random")
        wrong = self.misplaced(world)
        counted, said = self.through(world, misplaced="refuse")
        self.assertEqual(counted, {"events": 60 - len(wrong), "events_misplaced": len(wrong), "dead.misplaced": len(wrong)})
        self.assertIn("become dead letters", said[0])
        letters = world.dead()
        self.assertEqual({letter.header("relance-reason") for letter in letters}, {"misplaced"})
        self.assertEqual(sorted((letter.key, letter.value) for letter in letters), sorted((r.key, r.value) for r in wrong))
        self.assertEqual({a.customer for a in world.actions()},
                         {r.key.decode() for r in world.kafka.consume(world.input)} - {r.key.decode() for r in wrong})

    def ask(self, world, command, *options):
        done = subprocess.run([place.program("relance"), command, "anna", f"--input={world.input}", *options],
                              capture_output=True, text=True, timeout=90, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, done.stderr

    def test_inspect_and_explain_show_both_of_a_customer_and_say_that_there_are_two(self):
        world = self.world()
        twice = [event("anna", type_, id=type_, time=TIME, cart="k") for type_ in ("cart", "purchase")]
        world.produce(twice[:1])
        [home] = [r.partition for r in world.kafka.consume(world.input)]
        twice[1].partition = other = (home + 1) % world.partitions
        redis = [f"--group={world.group}", f"--redis={world.redis.reader_url}"]
        kafka = f"--kafka.bootstrap.servers={world.kafka.address}"
        both = rf"customer 'anna' stands in partition {home} and {other}, and belongs into {home} alone: .*`relance help clients`"
        self.through(world)
        self.assertNotIn("stands in", self.ask(world, "inspect", *redis)[1])
        world.produce(twice[1:])
        self.through(world)
        shown, said = self.ask(world, "inspect", *redis)
        decoder = json.JSONDecoder()
        first, end = decoder.raw_decode(shown)
        second = json.loads(shown[end:])
        self.assertEqual([(each["customer"], each["recent_events"]) for each in (first, second)], [("anna", 1)] * 2)
        self.assertRegex(said, both)
        for by in (redis, [f"--rules={world.rules}"]):
            story, said = self.ask(world, "explain", kafka, *by)
            self.assertEqual(re.findall(r", partition (\d),", story), [str(home), str(other)])
            self.assertRegex(story, r"(?s)left k: started.*left k: step 1: sent email.*purchase  purchase")
            self.assertRegex(said, both)
        refusing, _ = self.ask(world, "explain", kafka, f"--rules={world.rules}", "--misplaced=refuse")
        self.assertNotIn("purchase  purchase", refusing)

    def test_forgetting_reaches_every_partition_and_is_refused_in_none(self):
        world = self.world()
        home, other = event("anna", "cart", id="1", time=TIME, cart="k"), event("anna", "cart", id="2", time=TIME, cart="l")
        world.produce([home])
        [at] = [r.partition for r in world.kafka.consume(world.input)]
        other.partition = (at + 1) % world.partitions
        world.produce([other])
        self.through(world)
        with running(world, misplaced="refuse") as engine:
            done = subprocess.run([place.program("relance"), "forget", "anna", f"--input={world.input}", f"--group={world.group}",
                                   f"--redis={world.redis.reader_url}", f"--kafka.bootstrap.servers={world.kafka.address}"],
                                  capture_output=True, text=True, timeout=90, stdin=subprocess.DEVNULL)
            world.wait_decided(engine)
        self.assertEqual((done.returncode, done.stdout.count("forgotten with record")), (0, 2), done.stdout + done.stderr)
        self.assertEqual((world.counters()["events_misplaced"], world.dead()), (1, []))
