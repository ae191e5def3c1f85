"""relance explain on a live topic: the story is what the engine did, told by somebody who changes nothing."""
import re
import subprocess
import unittest

from support import place
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


class Explain(unittest.TestCase):
    def setUp(self):
        self.world = World(RULES)
        self.addCleanup(self.world.__exit__)

    def explain(self, *options, status=0):
        world = self.world
        words = [f"--input={world.input}", f"--kafka.bootstrap.servers={world.kafka.address}", *options]
        done = subprocess.run([place.program("relance"), "explain", *words], capture_output=True, text=True, timeout=place.PATIENCE * 60,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def live(self, customer, *options):
        return self.explain(customer, f"--group={self.world.group}", f"--redis={self.world.redis.reader_url}", *options)

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
