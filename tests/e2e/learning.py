"""`relance learn` beside an engine: what customers do becomes a version, the engine decides by it and says so; a learner that
was killed goes on from its last state, and of two the older is fenced."""
import signal
import time
import unittest

from support import place
from support.engine import Engine, World, running
from support.kafka import event

RULES = {
    "stale": "3650d",
    "events": {"view": {"product": "string"}, "purchase": {"product": "string"}},
    "affinities": {"goes_with": {"from": [{"on": "purchase", "by": "event.product"}], "within": "1d", "half_life": "60d", "least": 2}},
    "rules": {"look": {"on": "view", "key": "event.id",
                       "do": [{"send": "email", "with": {"also": "${goes_with(trigger.product, 3)}"}}]}},
}
BEGIN = int(1000 * time.time()) - 3600000


class Learning(unittest.TestCase):
    maxDiff = 4000

    def world(self):
        world = World(RULES, partitions=2)
        self.addCleanup(world.__exit__)
        return world

    def learner(self, world):
        learner = Engine([place.program("relance"), "learn", f"--rules={world.rules}", f"--kafka.bootstrap.servers={world.kafka.address}",
                       f"--input={world.input}", f"--output={world.output}", f"--group={world.group}", "--every=1s", "--create-topics"],
                      world.folder.path / f"learner-{next(world.runs)}")
        self.addCleanup(learner.stop)
        place.wait_until(lambda: "Learning." in learner.output() or not learner.is_running(), 20, "it learns")
        self.assertTrue(learner.is_running(), learner.output()[-3000:])
        return learner

    def buy(self, world, names, *products, at=BEGIN):
        world.produce([event(name, "purchase", id=f"{name}-{product}", time=at + 60000 * n, product=product)
                       for name in names for n, product in enumerate(products)])

    def versions(self, world):
        return [record.json() for record in world.kafka.consume(f"{world.output}.models") if "relance-piece" not in record.headers]

    def await_versions(self, world, learner, count):
        def are_there():
            self.assertTrue(learner.is_running(), learner.output()[-3000:])
            return len([v for v in self.versions(world) if v["kind"] != "state"]) >= count
        place.wait_until(are_there, 20, f"{count} versions", pause_s=0.5)

    def test_what_customers_buy_together_is_what_an_engine_says(self):
        world = self.world()
        learner = self.learner(world)
        self.buy(world, ["anna", "bert", "cleo"], "tent", "mat")
        self.buy(world, ["dora"], "tent", "lamp")
        self.await_versions(world, learner, 1)
        with running(world) as engine:
            place.wait_until(lambda: "A version of a model is available." in engine.output(), 20, "a version")
            world.produce([event("emil", "view", id="e-1", time=BEGIN, product="tent")])
            [action] = world.wait_actions(1)
            body = world.output_records()[0].json()
        self.assertEqual(body["with"], {"also": ["mat"]}, "the lamp was one customer's")
        self.assertEqual(list(body["models"]), ["goes_with"])
        self.assertEqual(learner.stop()[0], 0)

    def test_a_learner_that_was_killed_goes_on_from_its_state(self):
        world = self.world()
        learner = self.learner(world)
        self.buy(world, ["anna", "bert"], "tent", "mat")
        self.await_versions(world, learner, 1)
        learner.stop(signal.SIGKILL)
        self.buy(world, ["cleo", "dora"], "mug", "rope", at=BEGIN + 1000)
        learner = self.learner(world)
        before = len([v for v in self.versions(world) if v["kind"] != "state"])
        self.await_versions(world, learner, before + 1)
        versions = [v for v in self.versions(world) if v["kind"] != "state"]
        self.assertEqual([v["n"] for v in versions], list(range(1, len(versions) + 1)))
        self.assertEqual([v["base"] for v in versions[1:]], [v["chain"] for v in versions[:-1]])
        self.assertEqual(learner.stop()[0], 0)
        with running(world) as engine:
            place.wait_until(lambda: f"version={len(versions)}:" in engine.output(), 20, "the newest version")
            world.produce([event("emil", "view", id=name, time=BEGIN, product=name) for name in ("tent", "mug")])
            world.wait_actions(2)
        self.assertEqual({r.json()["key"]: r.json()["with"]["also"] for r in world.output_records()}, {"tent": ["mat"], "mug": ["rope"]})

    def test_of_two_learners_the_older_is_fenced(self):
        world = self.world()
        older = self.learner(world)
        self.buy(world, ["anna", "bert"], "tent", "mat")
        self.await_versions(world, older, 1)
        newer = self.learner(world)
        self.buy(world, ["cleo", "dora"], "mug", "rope")
        status, _ = older.stop(None, 20)
        self.assertEqual(status, 1)
        self.assertIn("another `relance learn` of this group has started", older.output())
        self.await_versions(world, newer, 2)
        self.assertEqual(newer.stop()[0], 0)
