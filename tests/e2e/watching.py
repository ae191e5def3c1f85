"""What people see of a running engine: inspect, metrics and that all of it is in Redis (STATE.md §1)."""
import json
import re
import shutil
import subprocess
import time
import unittest

from support import place
from support.engine import World, running
from support.kafka import event

RULES = {
    "events": {"add_to_cart": {"cart": "string"}, "ping": {}},
    "rules": {"carted": {"on": "add_to_cart", "key": "event.cart", "do": [{"after": "45m", "send": "email"}]},
              "answer": {"on": "ping", "do": [{"send": "push"}]}},
}
SECOND_MS = 1000


def stamp(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}Z"


class Watching(unittest.TestCase):
    def setUp(self):
        self.world = World(RULES)
        self.addCleanup(self.world.__exit__)

    def ask(self, command, *arguments, status=0):
        world = self.world
        options = [f"--redis={world.redis.reader_url}", f"--group={world.group}", f"--input={world.input}"]
        done = subprocess.run([place.program("relance"), command, *options, *arguments], capture_output=True, text=True,
                              timeout=place.PATIENCE * 20, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def test_inspect_shows_a_customers_live_run_and_when_it_falls_due(self):
        now = int(time.time()) * SECOND_MS
        with running(self.world) as engine:
            self.world.produce([event("c-17", "add_to_cart", time=stamp(now), cart="k-9")])
            self.world.wait_decided(engine)
            self.world.wait_counter("rule.carted.started", 1)
            shown = json.loads(self.ask("inspect", "c-17"))
        self.assertEqual(shown["customer"], "c-17")
        [run] = shown["runs"]
        self.assertEqual({name: run[name] for name in ("rule", "key", "step", "send", "due")},
                         {"rule": "carted", "key": "k-9", "step": 1, "send": "email",
                          "due": stamp(now + 45 * 60 * SECOND_MS)})

    def test_inspect_says_when_it_knows_nobody_of_that_name(self):
        with running(self.world) as engine:
            self.world.produce([event("c-17", "ping")])
            self.world.wait_decided(engine)
            self.world.wait_counter("events", 1)
            self.assertIn("c-18", self.ask("inspect", "c-18", status=1))

    def test_metrics_are_the_exact_counters_in_every_form(self):
        with running(self.world) as engine:
            self.world.produce([event(f"c-{n}", "ping") for n in range(10)])
            self.world.wait_decided(engine)
            self.world.wait_counter("events", 10)
            counters = json.loads(self.ask("metrics", "--json"))["counters"]
            expected = {"events": 10, "events.ping": 10, "rule.answer.sent": 10, "sent.push": 10}
            self.assertEqual({name: counters[name] for name in expected}, expected)
            text = self.ask("metrics", "--prometheus")
            self.assertRegex(text, re.compile(r"^relance_events_total\{[^}]*\} 10$", re.M))
            self.assertRegex(self.ask("metrics"), r"events\s.*10")

    @unittest.skipUnless(shutil.which("promtool"), "there is no promtool (Debian's package prometheus)")
    def test_promtool_has_nothing_to_say_of_a_running_engines_metrics(self):
        with running(self.world) as engine:
            self.world.produce([event(f"c-{n}", "ping") for n in range(10)])
            self.world.wait_decided(engine)
            self.world.wait_counter("events", 10)
            text = self.ask("metrics", "--prometheus")
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        self.assertIn("relance_live_uptime_seconds{", text)

    def test_a_live_engine_tells_about_itself_and_falls_silent_when_it_ends(self):
        with running(self.world) as engine:
            self.world.produce([event("c-1", "ping")])
            self.world.wait_decided(engine)
            place.wait_until(self.world.live, 10, "live figures appear")
        place.wait_until(lambda: not self.world.live(), 10, "they expire")
