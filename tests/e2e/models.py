"""Versions of models, as an engine adopts them: what is committed decides from the next mark on, an action says by which
version it was made, what is decided again after a crash is decided as it was, and a version that is gone stops the engine."""
import shutil
import signal
import time
import unittest

from support import models, place
from support.engine import World, running, sequence_faults
from support.kafka import event

TIME = "2026-03-02T10:00:00Z"
RULES = {
    "stale": "3650d",
    "events": {"view": {"product": "string"}, "purchase": {"product": "string"}},
    "affinities": {"goes_with": {"from": [{"on": "purchase", "by": "event.product"}], "within": "1d", "half_life": "60d"}},
    "rules": {"look": {"on": "view", "key": "event.id",
                       "do": [{"send": "email", "with": {"also": "${goes_with(trigger.product, 3)}"}}]}},
}


class Models(unittest.TestCase):
    maxDiff = 4000

    def world(self, partitions=2, rules=RULES):
        world = World(rules, partitions=partitions)
        self.addCleanup(world.__exit__)
        world.kafka.create(f"{world.output}.models", 1)
        return world

    def publish(self, world, number, lists, base="0", transaction="commit"):
        return models.publish(world, "goes_with", number, lists, base, transaction)

    def await_version(self, engine, number):
        place.wait_until(lambda: f"affinity=goes_with version={number}:" in engine.output() or not engine.is_running(), 20, f"version {number}")
        self.assertTrue(engine.is_running(), engine.output()[-2000:])

    def look(self, world, engine, *names):
        world.produce([event(f"c-{name}", "view", id=name, time=TIME, product="tent") for name in names])
        world.wait_decided(engine)

    def keep(self, world):
        """A copy of what Redis has, which `put_back` makes it have again."""
        world.redis.stop()
        shutil.copytree(world.redis.folder.path, world.folder.path / "kept")
        world.redis.start()

    def put_back(self, world):
        world.redis.kill()
        shutil.rmtree(world.redis.folder.path / "appendonlydir")
        shutil.copytree(world.folder.path / "kept" / "appendonlydir", world.redis.folder.path / "appendonlydir")
        world.redis.start()

    def said(self, world):
        return {record.json()["key"]: (record.json()["with"]["also"], record.json().get("models"))
                for record in world.output_records()}

    def marks(self, world):
        return [record.json()["models"] for record in world.kafka.consume(f"{world.output}.marks") if "models" in record.json()]

    def test_a_version_decides_from_its_mark_on(self):
        world = self.world(1)
        with running(world) as engine:
            self.look(world, engine, "none")
            first = self.publish(world, 1, {"tent": ["mat", "lamp"]})
            self.await_version(engine, 1)
            self.look(world, engine, "one")
            self.publish(world, 2, {"tent": ["stove"]}, first, "abort")
            second = self.publish(world, 2, {"tent": ["rope", "mat"]}, first)
            self.await_version(engine, 2)
            self.look(world, engine, "two")
        self.assertEqual(self.said(world), {"none": ([], None), "one": (["mat", "lamp"], {"goes_with": 1}),
                                            "two": (["rope", "mat"], {"goes_with": 2})})
        self.assertEqual(self.marks(world), [{"goes_with": f"1:{first}"}, {"goes_with": f"2:{second}"}])

    def test_a_quiet_partition_adopts_a_version_too_and_what_waits_in_it_is_decided_by_it(self):
        rules = {**RULES, "rules": {**RULES["rules"], "later": {
            "on": "view", "if": "event.product == 'mug'", "key": "event.id",
            "do": [{"after": "6s", "send": "email", "with": {"also": "${goes_with(\"tent\", 3)}"}}]}}}
        world = self.world(3, rules)
        names = [f"c-{n}" for n in range(24)]
        with running(world) as engine:
            world.produce([event(name, "view", id=name, time=int(1000 * time.time()), product="mug") for name in names])
            world.wait_decided(engine)
            first = self.publish(world, 1, {"tent": ["mat", "lamp"]})
            place.wait_until(lambda: self.marks(world) == 3 * [{"goes_with": f"1:{first}"}], 5, "a mark of each partition")
            place.wait_until(lambda: len(world.output_records()) == 2 * len(names), 20, "what had waited")
            later = [record.json() for record in world.output_records() if record.json()["rule"] == "later"]
            self.assertEqual([(action["with"]["also"], action.get("models")) for action in later],
                             len(names) * [(["mat", "lamp"], {"goes_with": 1})])
            self.publish(world, 2, {"tent": ["rope"]}, first)
            place.wait_until(lambda: len(self.marks(world)) == 6, 5, "a mark of each partition, in which nothing happens")
        self.assertEqual(sequence_faults(world.output_records()), [])

    def test_what_is_decided_again_is_decided_by_the_version_of_its_mark(self):
        world = self.world()
        with running(world) as engine:
            first = self.publish(world, 1, {"tent": ["mat", "lamp"]})
            self.await_version(engine, 1)
            self.look(world, engine, *(f"a{n}" for n in range(8)))
        self.keep(world)
        engine = world.engine()
        second = self.publish(world, 2, {"tent": ["rope"]}, first)
        self.await_version(engine, 2)
        self.look(world, engine, *(f"b{n}" for n in range(8)))
        engine.stop(signal.SIGKILL)
        self.put_back(world)
        self.publish(world, 3, {"tent": ["stove"]}, second)
        with running(world) as engine:
            self.await_version(engine, 3)
            self.look(world, engine, *(f"c{n}" for n in range(8)))
        said = self.said(world)
        self.assertEqual({key[0]: said[key] for key in said},
                         {"a": (["mat", "lamp"], {"goes_with": 1}), "b": (["rope"], {"goes_with": 2}), "c": (["stove"], {"goes_with": 3})})
        self.assertEqual(sequence_faults(world.output_records()), [])

    def test_a_version_that_is_gone_stops_it_until_that_is_accepted(self):
        world = self.world(1)
        with running(world) as engine:
            first = self.publish(world, 1, {"tent": ["mat"]})
            self.await_version(engine, 1)
            self.look(world, engine, "a")
        self.keep(world)
        engine = world.engine()
        self.look(world, engine, "b")
        engine.stop(signal.SIGKILL)
        self.put_back(world)
        world.kafka.truncate(f"{world.output}.models", 0, world.kafka.ends(f"{world.output}.models")[0])
        status, said = world.refusal()
        self.assertEqual(status, 1)
        self.assertIn(f"version 1 of goes_with is needed, and {world.output}.models has it no longer", said)
        self.assertIn("--accept-loss goes on", said)
        self.publish(world, 2, {"tent": ["rope"]}, first)
        with running(world, accept_loss=True) as engine:
            self.await_version(engine, 2)
            self.look(world, engine, "c")
        self.assertEqual(self.said(world)["c"], (["rope"], {"goes_with": 2}))
        self.assertEqual(sequence_faults(world.output_records()), [])

    def test_one_that_nothing_is_decided_again_by_is_not_missed(self):
        world = self.world(1)
        with running(world) as engine:
            first = self.publish(world, 1, {"tent": ["mat"]})
            self.await_version(engine, 1)
            self.look(world, engine, "a")
        world.kafka.truncate(f"{world.output}.models", 0, world.kafka.ends(f"{world.output}.models")[0])
        with running(world) as engine:
            self.look(world, engine, "b")
            self.assertIn("A version of a model is no longer kept; going on with the newest", engine.output())
            self.publish(world, 2, {"tent": ["rope"]}, first)
            self.await_version(engine, 2)
            self.look(world, engine, "c")
        self.assertEqual([self.said(world)[key][0] for key in ("a", "b", "c")], [["mat"], [], ["rope"]])
        self.assertEqual(self.marks(world)[1], {"goes_with": None})

    def test_rules_that_ask_for_models_need_their_topic(self):
        with World(RULES, partitions=1) as world:
            status, said = world.refusal()
            self.assertEqual(status, 2)
            self.assertIn(f"Kafka has no topic {world.output}.models", said)
            world.kafka.create(f"{world.output}.models", 3)
            status, said = world.refusal()
            self.assertEqual(status, 2)
            self.assertIn("has 3 partitions and must have 1", said)
