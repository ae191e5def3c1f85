"""relance explain on a live topic: the story is what the engine did, told by somebody who changes nothing."""
import json
import re
import subprocess
import time
import unittest

from support import models, place
from support.engine import World, running
from support.kafka import Record, event

RULES = {
    "stale": "3650d",
    "events": {"cart": {"cart": "string", "value": "double"}, "purchase": {"cart": "string"}},
    "counts": {"orders": {"on": "purchase"}},
    "rules": {
        "left": {"on": "cart", "key": "event.cart", "if": "event.value >= 20.0",
                 "cancel": [{"on": "purchase", "key": "event.cart"}],
                 "do": [{"after": "1h", "send": "email", "with": {"cart": "${run.key}"}}]},
        "third": {"on": "purchase", "if": "orders() >= 3", "do": [{"send": "push"}]},
    },
}
ANNA = [event("anna", "cart", id="a1", time="2026-03-02T10:00:00Z", cart="k1", value=5),
        event("anna", "cart", id="a2", time="2026-03-02T11:00:00Z", cart="k2", value=50),
        event("anna", "cart", id="a3", time="2026-03-02T12:30:00Z", cart="k3", value=30),
        event("anna", "purchase", id="a4", time="2026-03-02T12:40:00Z", cart="k3")]
OTHERS = [event(f"c-{n}", "cart", id=f"c{n}", time="2026-03-02T10:30:00Z", cart="x", value=50) for n in range(20)]
ID = re.compile(r"^(\S+)  (?:cart|purchase)  (\w+)$", re.M)


class Telling(unittest.TestCase):
    maxDiff = 4000

    def explain(self, *options, status=0):
        world = self.world
        words = [f"--input={world.input}", f"--kafka.bootstrap.servers={world.kafka.address}", *options]
        done = subprocess.run([place.program("relance"), "explain", *words], capture_output=True, text=True, timeout=place.PATIENCE * 60,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def live(self, customer, *options):
        return self.explain(customer, f"--group={self.world.group}", f"--redis={self.world.redis.reader_url}", *options)


class Explain(Telling):
    def setUp(self):
        self.world = World(RULES)
        self.addCleanup(self.world.__exit__)

    def test_the_story_of_one_customer_by_the_rules_in_force_beside_a_living_engine_that_does_not_notice(self):
        world = self.world
        with running(world) as engine:
            world.produce([ANNA[0], *OTHERS[:10], *ANNA[1:], *OTHERS[10:]])
            world.wait_decided(engine)
            sent = {(a.rule, a.key) for a in world.wait_actions(21) if a.customer == "anna"}
            place.wait_until(lambda: world.counters().get("events") == 24, 20, "the checkpoint has all events")
            before = world.frontier(), world.redis("KEYS", "*")
            story = self.live("anna")
            after = world.frontier(), world.redis("KEYS", "*")
        self.assertEqual(sent, {("left", "k2")})
        self.assertEqual([id_ for _, id_ in ID.findall(story)], ["a1", "a2", "a3", "a4"])
        self.assertIn("left: not started: `if` is not true: event.value >= 20.0 is false (event.value = 5)", story)
        self.assertIn('left k2: step 1: sent email {"cart":"k2"}', story)
        self.assertIn("left k3: cancelled by purchase", story)
        self.assertIn("third: not started: `if` is not true: orders() >= 3 is false (orders() = 1)", story)
        self.assertNotIn("c-1", story)
        self.assertEqual(before[0], after[0])
        self.assertEqual(sorted(before[1]), sorted(after[1]))

    def test_from_a_time_on_only_what_came_since_is_known(self):
        world = self.world
        for record in ANNA[:2]:
            world.produce([Record(record.value, key=record.key, timestamp=1_000_000)])
        for record in ANNA[2:]:
            world.produce([Record(record.value, key=record.key, timestamp=2_000_000)])
        rules = f"--rules={world.rules}"
        self.assertEqual([i for _, i in ID.findall(self.explain("anna", rules))], ["a1", "a2", "a3", "a4"])
        since = self.explain("anna", rules, "--from=1970-01-01T00:30:00Z")
        self.assertEqual([i for _, i in ID.findall(since)], ["a3", "a4"])
        self.assertRegex(since, r"^topic \S+, partition \d, from offset 2; nothing is known of what came before")
        late = self.explain("anna", rules, "--from=2026-01-01T00:00:00Z")
        self.assertIn("no event of customer anna", late)

    def test_refuses_what_cannot_be_told(self):
        self.assertIn("either --events FILE or --input TOPIC", self.explain("anna", "--events=x", status=2))
        self.assertIn("--rules is needed", self.explain("anna", status=2))
        self.world.input = "nowhere"
        self.assertIn("nowhere", self.explain("anna", f"--rules={self.world.rules}", status=1))


# What is asked at once, and once more by a wait that nothing but a tick ends.
LEARNT = {
    "stale": "3650d",
    "events": {"view": {"product": "string"}, "purchase": {"product": "string"}},
    "counts": {"bought": {"on": "purchase", "by": "event.product"}},
    "affinities": {"goes_with": {"from": [{"on": "purchase", "by": "event.product"}], "within": "1d", "half_life": "60d", "least": 2}},
    "rules": {"look": {"on": "view", "key": "event.id", "let": {"near": "goes_with(trigger.product, 3).filter(p, bought(p) == 0)"},
                       "do": [{"send": "email", "with": {"also": "${near.take(1)}"}}, {"after": "1m", "send": "push", "with": {"also": "${near}"}}]}},
}
BEGIN = int(1000 * time.time()) - 3600000


class ExplainLearnt(Telling):
    def start(self):
        self.world = World(LEARNT, partitions=1)
        self.addCleanup(self.world.__exit__)
        return self.world

    def story(self, *options, group=True, output=""):
        world = self.world
        where = [f"--output={output or world.output}"] if output is not None else []
        whose = (f"--group={world.group}", f"--redis={world.redis.reader_url}") if group else (f"--rules={world.rules}",)
        return self.explain("emil", *where, f"--lateness={world.lateness}", *whose, *options)

    def buy(self, names, *products):
        self.world.produce([event(name, "purchase", id=f"{name}-{product}", time=BEGIN + 60000 * n, product=product)
                            for name in names for n, product in enumerate(products)])

    def look(self, name, actions):
        """A view of Emil's, each ten minutes behind the one before; until he has been sent so much."""
        self.world.produce([event("emil", "view", id=name, time=BEGIN + 300000 * actions, product="tent")])
        self.world.wait_actions(actions)

    def await_version(self, engine, least):
        """Until one from that number on is adopted."""
        def is_adopted():
            self.assertTrue(engine.is_running(), engine.output()[-2000:])
            marks = (record.json() for record in self.world.kafka.consume(f"{self.world.output}.marks"))
            return any(int(mark["models"]["goes_with"].split(":")[0]) >= least for mark in marks if "models" in mark)
        place.wait_until(is_adopted, 30, f"version {least}", pause_s=0.2)

    def await_lists(self, engine, product):
        """The same of the first version that lists the product."""
        def number():
            records, newest = self.world.kafka.consume(f"{self.world.output}.models"), None
            for record in records:
                if "relance-piece" not in record.headers:
                    newest = record.json()
                elif newest["kind"] != "state" and product.encode() in record.value:
                    return newest["n"]
            return None
        self.await_version(engine, place.wait_until(number, 30, f"a version with {product}", pause_s=0.2))

    def sent(self):
        return [(body["key"], body["step"], body["with"]["also"], body["models"]) for body in (record.json() for record in self.world.output_records())]

    def told(self, *options, **where):
        lines = [json.loads(line) for line in self.story("--json", *options, **where).splitlines()]
        return lines, [(line["decision"]["key"], line["decision"]["step"], line["decision"]["with"]["also"], line["decision"].get("models"))
                       for line in lines if line["kind"] == "decision" and line["decision"]["outcome"] == "sent"]

    def test_each_action_is_told_with_the_version_that_a_learner_had_made_by_then(self):
        world = self.start()
        learner = world.learner(create_topics=True)
        self.addCleanup(learner.stop)
        place.wait_until(lambda: "Learning." in learner.output(), 20, "it learns")
        with running(world) as engine:
            self.buy(["emil"], "mat")
            self.buy(["anna", "bert", "cleo"], "tent", "mat")
            self.buy(["dora", "eva"], "tent", "lamp")
            self.await_lists(engine, "lamp")
            self.look("first", 2)
            self.buy(["fritz", "gina", "hans", "ines"], "tent", "rope")
            self.await_lists(engine, "rope")
            self.look("second", 4)
        self.assertEqual(learner.stop()[0], 0)
        sent = self.sent()
        self.assertEqual([(key, step, also) for key, step, also, _ in sent],
                         [("first", 1, ["lamp"]), ("first", 2, ["lamp"]), ("second", 1, ["rope"]), ("second", 2, ["rope", "lamp"])])
        versions = [list(by.values()) for *_, by in sent]
        self.assertEqual(versions[0], versions[1])
        self.assertLess(versions[1], versions[2])
        for where in (True, False):
            lines, told = self.told(group=where)
            self.assertEqual(told, sent)
        listed = [line["learnt"] for line in lines if "learnt" in line]
        self.assertEqual([[one["version"]] for [one] in listed], versions)
        made = {head["n"]: head for head in (r.json() for r in world.kafka.consume(f"{world.output}.models") if "relance-piece" not in r.headers)}
        for [one] in listed:
            self.assertEqual((one["asked"], one["chain"]), (["tent"], made[one["version"]]["chain"]))
            became = {of["product"]: of.get("why", of.get("taken")) for of in one["listed"]}
            self.assertEqual(became["mat"], "bought(p) == 0 is false (bought(p) = 1)")
        self.assertEqual([of["weight"] for of in listed[0][0]["listed"]], sorted((of["weight"] for of in listed[0][0]["listed"]), reverse=True))
        story = self.story()
        for version, in versions:
            self.assertIn(f"    goes_with version {version} of ", story)
        self.assertRegex(story, r"\n      taken: rope \S+\n      not mat \S+: bought\(p\) == 0 is false \(bought\(p\) = 1\)\n      not lamp \S+: left out by take\(1\)\n")

    def two_versions(self):
        """What two versions have decided; the offset behind the first of them."""
        world = self.start()
        world.kafka.create(f"{world.output}.models", 1)
        with running(world) as engine:
            first = models.publish(world, "goes_with", 1, {"tent": ["mat", "lamp"]})
            behind = world.kafka.ends(f"{world.output}.models")[0]
            self.await_version(engine, 1)
            self.look("a", 2)
            models.publish(world, "goes_with", 2, {"tent": ["stove"]}, first, "abort")
            models.publish(world, "goes_with", 2, {"tent": ["rope", "mat"]}, first)
            self.await_version(engine, 2)
            self.look("b", 4)
        return behind

    def test_a_version_that_is_no_longer_there_is_said_to_be_gone_and_no_other_stands_in(self):
        behind = self.two_versions()
        world, gone = self.world, f"version 1 is not on {self.world.output}.models any more"
        sent = self.sent()
        self.assertEqual([by["goes_with"] for *_, by in sent], [1, 1, 2, 2])
        self.assertEqual(self.told()[1], sent)
        world.kafka.truncate(f"{world.output}.models", 0, behind)
        lines, told = self.told()
        self.assertEqual(told, [(key, step, [], None) for key, step, *_ in sent[:2]] + sent[2:])
        self.assertEqual([(line["affinity"], line["words"]) for line in lines if line["kind"] == "unknown"], [("goes_with", gone)])
        self.assertEqual([line["learnt"][0].get("unknown") for line in lines if "learnt" in line], [True, True, None, None])
        story = self.story()
        self.assertIn(f"what goes_with answers from here on is not known, and is told as nothing: {gone}\n", story)
        self.assertIn("    goes_with: what it gave is not known, as is told above, asked about tent\n", story)
        self.assertIn("    goes_with version 2 of ", story)
        marks = world.kafka.consume(f"{world.output}.marks")
        world.kafka.truncate(f"{world.output}.marks", 0, next(mark.offset for mark in marks if "1:" in mark.json().get("models", {}).get("goes_with", "")) + 1)
        lines, told = self.told()
        self.assertEqual([by for *_, by in told], [None, None, {"goes_with": 2}, {"goes_with": 2}])
        self.assertRegex([line["words"] for line in lines if line["kind"] == "unknown"][0], "^the marks before number [0-9]+ are no longer kept$")
        world.kafka.truncate(f"{world.output}.marks", 0, world.kafka.ends(f"{world.output}.marks")[0])
        lines, told = self.told()
        self.assertEqual([by for *_, by in told], [None] * 4)
        self.assertEqual([line["words"] for line in lines if line["kind"] == "unknown"], ["no marks are kept"])

    def test_without_what_says_it_the_version_is_not_known(self):
        self.two_versions()
        world = self.world
        story = self.story(output=None)
        self.assertIn("is told as nothing: --output was not given", story)
        self.assertNotIn(" version ", story)
        story = self.story(output=f"{world.output}.other")
        self.assertIn(f"{world.output}.other.marks", story)
        self.assertNotIn(" version ", story)
        self.assertEqual(self.told("--models=none")[1], [(key, step, [], None) for key, step, *_ in self.sent()])
        file = world.folder.path / "other.json"
        file.write_text(json.dumps({**LEARNT, "affinities": {"goes_with": {**LEARNT["affinities"]["goes_with"], "within": "2d"}}}))
        world.rules = file
        lines, _ = self.told(group=False)
        self.assertEqual([line["words"] for line in lines if line["kind"] == "unknown"],
                         ["version 1 was counted by another declaration than these rules have", "version 2 was counted by another declaration than these rules have"])
