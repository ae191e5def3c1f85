"""`relance learn` beside an engine: what customers do becomes a version, the engine decides by it and says so; a learner that
was killed goes on from its last state, and of two the older is fenced."""
import json
import signal
import subprocess
import time
import unittest
from dataclasses import replace

from support import certificates, place
from support.cluster import Cluster
from support.engine import World, running
from support.kafka import event
from support.models import publish
from support.redis import LEARN, Redis
from support.sentinel import Watched

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

    def world(self, redis=None):
        world = World(RULES, partitions=2, redis=redis)
        self.addCleanup(world.__exit__)
        return world

    def learner(self, world, **options):
        learner = world.learner(create_topics=True, **options)
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

    def test_the_topic_that_it_makes_is_kept_as_long_as_its_input(self):
        world = self.world()
        world.kafka.create(f"{world.input}.short", 1, retention_ms=86400000)
        learner = self.learner(world, input=f"{world.input}.short")
        with running(world) as engine:  # whose input is kept for ever
            place.wait_until(engine.is_live, 20, "it is live")
        self.assertIn(f'"Versions of models are kept for a shorter time than the events that they belong to." topic={world.output}.models', engine.output())
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
        self.assertEqual(status, 2)
        self.assertIn("another `relance learn` of this group has started", older.output())
        self.await_versions(world, newer, 2)
        self.assertEqual(newer.stop()[0], 0)

    def lists(self, world):
        """What a shop finds in Redis, and the head."""
        found = {name: json.loads(value) for name, value in world.redis.hash(f"relance:{{{world.group}:{world.input}}}:also:goes_with").items()}
        head = found.pop("#", None)
        return {name: [product for product, _ in partners] for name, partners in found.items()}, head

    def await_lists(self, world, learner, **expected):
        def are_there():
            self.assertTrue(learner.is_running(), learner.output()[-3000:])
            return {name: partners for name, partners in self.lists(world)[0].items() if name != "*"} == expected
        place.wait_until(are_there, 20, "the lists")

    def test_a_shop_finds_the_lists_in_redis_whatever_becomes_of_it(self):
        world = self.world()
        learner = self.learner(world, redis=world.redis.learn_url)
        self.buy(world, ["anna", "bert"], "tent", "mat")
        self.await_lists(world, learner, tent=["mat"], mat=["tent"])
        lists, head = self.lists(world)
        self.assertEqual(lists["*"], ["mat", "tent"])
        version = [v for v in self.versions(world) if v["kind"] != "state"][-1]
        self.assertEqual(head, {"n": version["n"], "recipe": version["recipe"], "chain": version["chain"], "at": version["at"], "whole": True})
        world.redis.kill()  # the learner goes on, and says so once
        for n in range(2):
            self.buy(world, ["cleo", "dora"], f"mug-{n}", f"rope-{n}", at=BEGIN + 1000)
            self.await_versions(world, learner, 2 + n)
        place.wait_until(lambda: "The lists in Redis stay as they are" in learner.output(), 10, "it says so")
        world.redis.start()
        all_of_them = {a: [b] for pair in (("tent", "mat"), ("mug-0", "rope-0"), ("mug-1", "rope-1")) for a, b in (pair, pair[::-1])}
        place.wait_until(lambda: set(all_of_them) <= set(self.lists(world)[0]), 20, "the lists of all, though no version comes")
        self.assertEqual(learner.output().count("The lists in Redis stay as they are"), 1)
        self.assertIn("The lists in Redis are those of the last version again.", learner.output())
        self.assertEqual(learner.stop()[0], 0)
        before = self.lists(world)
        world.redis("FLUSHALL")
        learner = self.learner(world, redis=world.redis.learn_url)
        place.wait_until(lambda: self.lists(world) == before, 20, "a learner that starts writes what is not there")
        self.assertEqual(learner.stop()[0], 0)

    def test_the_lists_go_to_a_cluster_to_whom_sentinels_name_and_through_tls(self):
        folder = place.Folder("tls")
        self.addCleanup(folder.close)
        certificates.make(folder.path)
        cluster, watched = Cluster(masters=3, replicas=0), Watched()
        tls = Redis(tls_port=str(place.free_port()), bind="127.0.0.1", tls_auth_clients="no", tls_ca_cert_file=str(folder.path / "ca.pem"),
                    tls_cert_file=str(folder.path / "server.pem"), tls_key_file=str(folder.path / "server.key"))
        for redis, url in ((cluster, cluster.url_for(LEARN)), (watched, watched.url_for(LEARN)), (tls, tls.tcp_url(LEARN, ca=folder.path / "ca.pem"))):
            with self.subTest(url=url):
                world = self.world(redis)
                learner = self.learner(world, redis=url)
                self.buy(world, ["anna", "bert"], "tent", "mat")
                self.await_lists(world, learner, tent=["mat"], mat=["tent"])
                self.buy(world, ["cleo", "dora"], "mug", "rope")
                self.await_lists(world, learner, tent=["mat"], mat=["tent"], mug=["rope"], rope=["mug"])
                self.assertEqual(learner.stop()[0], 0, learner.output())
                self.assertNotIn("The lists in Redis stay as they are", learner.output())

    def verified(self, world, version, input=None):
        return subprocess.run(world.words("learn", input=input or world.input, verify=version),
                              capture_output=True, text=True, timeout=60)

    def test_a_version_is_counted_again_and_comes_out_equal_or_not(self):
        world = self.world()
        learner = self.learner(world)
        self.buy(world, ["anna", "bert"], "tent", "mat")
        self.await_versions(world, learner, 1)
        self.assertEqual(learner.stop()[0], 0)
        self.buy(world, ["cleo", "dora"], "mug", "rope", at=BEGIN + 1000)
        learner = self.learner(world)
        before = len([v for v in self.versions(world) if v["kind"] != "state"])
        self.await_versions(world, learner, before + 1)
        self.buy(world, ["emil", "fritz"], "cup", "pan", at=BEGIN + 2000)
        self.await_versions(world, learner, before + 2)
        self.assertEqual(learner.stop()[0], 0)
        versions = [v for v in self.versions(world) if v["kind"] != "state"]
        whole = [v for v in versions if v["kind"] == "full"]
        self.assertGreaterEqual(len(whole), 2)
        self.assertLess(len(whole), len(versions), "a delta is one, too")
        for version in versions:
            again = self.verified(world, version["n"])
            self.assertEqual((again.returncode, again.stdout.split(": ")[-1]), (0, "equal\n"), again.stdout + again.stderr)
            self.assertIn(f"version {version['n']}, chain {version['chain']}", again.stdout)
        unknown = self.verified(world, 99)
        self.assertEqual(unknown.returncode, 2)
        self.assertIn("version 99 of goes_with is not on the topic", unknown.stderr)
        self.expect_found(world, whole)

    def expect_found(self, world, whole):
        """Counted from another input, from one that is cut off, and one that somebody else has written."""
        other = f"{world.input}.other"
        world.kafka.create(other, 2)
        world.kafka.produce(other, [replace(record, value=record.value.replace(b'"mat"', b'"map"'), offset=None) for record in world.kafka.consume(world.input)])
        again = self.verified(world, whole[0]["n"], other)
        self.assertEqual(again.returncode, 1, again.stdout + again.stderr)
        self.assertRegex(again.stdout, f"version {whole[0]['n']}, chain {whole[0]['chain']}: differs; counted again its chain is [0-9a-f]{{16}}, and what goes with map is something else")
        world.kafka.create(f"{other}.empty", 2)
        again = self.verified(world, whole[0]["n"], f"{other}.empty")
        self.assertEqual(again.returncode, 2, again.stdout)
        self.assertIn("it is not the input that it was", again.stderr)
        publish(world, "goes_with", whole[0]["n"], {"tent": ["lamp"]})
        again = self.verified(world, whole[0]["n"])
        self.assertEqual(again.returncode, 1, again.stdout + again.stderr)
        self.assertIn("what goes with mat is something else", again.stdout)
        for partition, end in world.kafka.ends(world.input).items():
            if end:
                world.kafka.truncate(world.input, partition, 1)
        again = self.verified(world, whole[0]["n"])
        self.assertEqual(again.returncode, 2, again.stdout)
        self.assertIn("records that are to be counted are no longer kept", again.stderr)
