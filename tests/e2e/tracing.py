"""The header `traceparent` of the trigger's record goes on to its actions, also over a wait, a kill and an emptied Redis."""
import datetime
import json
import signal
import subprocess
import unittest

from support import place
from support.engine import World, running
from support.kafka import event

ONE, TWO = (f"00-{digit * 32}-{digit * 16}-01" for digit in "12")
RULES = {"events": {"cart": {"cart": "string"}},
         "rules": {"now": {"on": "cart", "key": "event.cart", "do": [{"send": "push"}]},
                   "left": {"on": "cart", "key": "event.cart", "again": "rearm", "do": [{"after": "8s", "send": "email"}]}}}


class Tracing(unittest.TestCase):
    def cart(self, id_, cart, trace=None):
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        record = event("anna", "cart", id=id_, time=now, cart=cart)
        if trace:
            record.headers = {"other": b"x", "traceparent": trace.encode()}
        return record

    def found(self, world):
        """{(rule, cart, id of the trigger): traceparent}"""
        return {(r.json()["rule"], r.json()["key"], r.json()["trigger"]["id"]): r.headers.get("traceparent", b"").decode()
                for r in world.output_records()}

    def wait_for(self, world, rule, count):
        place.wait_until(lambda: len([key for key in self.found(world) if key[0] == rule]) == count, 60, f"{count} of {rule}")

    def inspect(self, world):
        done = subprocess.run([place.program("relance"), "inspect", "anna", f"--input={world.input}", f"--group={world.group}",
                               f"--redis={world.redis.reader_url}"], capture_output=True, text=True, timeout=60)
        return {run["key"]: run.get("traceparent") for run in json.loads(done.stdout)["runs"]}

    def test_it_goes_on_after_a_kill_and_a_rebuild_with_the_newest_trigger_alone(self):
        with World(RULES, partitions=1) as world:
            engine = world.engine()
            world.produce([self.cart("a", "k", ONE), self.cart("b", "l", ONE), self.cart("c", "m"),
                           self.cart("d", "n", ONE.replace("1", "A")), self.cart("e", "o", ONE)])
            self.wait_for(world, "now", 5)
            world.produce([self.cart("f", "l", TWO), self.cart("g", "o")])
            self.wait_for(world, "now", 7)
            world.wait_counter("events", 7)
            self.assertEqual(self.inspect(world), {"k": ONE, "l": TWO, "m": None, "n": None, "o": None})
            engine.stop(signal.SIGKILL)
            with running(world):
                self.wait_for(world, "left", 5)
            found = self.found(world)
            self.assertEqual({key: trace for key, trace in found.items() if key[0] == "now"},
                             {("now", "k", "a"): ONE, ("now", "l", "b"): ONE, ("now", "m", "c"): "", ("now", "n", "d"): "",
                              ("now", "o", "e"): ONE, ("now", "l", "f"): TWO, ("now", "o", "g"): ""})
            self.assertEqual({key: trace for key, trace in found.items() if key[0] == "left"},
                             {("left", "k", "a"): ONE, ("left", "l", "f"): TWO, ("left", "m", "c"): "", ("left", "n", "d"): "",
                              ("left", "o", "g"): ""})

    def test_it_is_found_again_where_redis_was_emptied(self):
        with World(RULES, partitions=1) as world:
            engine = world.engine()
            world.produce([self.cart("a", "k", ONE)])
            self.wait_for(world, "now", 1)
            engine.stop(signal.SIGKILL)
            world.redis("FLUSHALL")
            with running(world, rebuild=True):
                self.wait_for(world, "left", 1)
            self.assertEqual(self.found(world)[("left", "k", "a")], ONE)
