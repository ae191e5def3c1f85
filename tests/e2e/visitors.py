"""Visitors who become customers, on real servers: what they did is the customer's over a kill, where both live in one
partition. Where they do not: links.py."""
import json
import signal
import subprocess
import time
import unittest

from support import place
from support.engine import World
from support.kafka import Record, event

RULES = {
    "stale": "3650d",
    "customer": {"nick": "string"},
    "events": {"cart": {"cart": "string"}, "buy": {}},
    "rules": {
        "left": {"on": "cart", "key": "event.cart", "cancel": "buy", "do": [{"after": "1s", "send": "email"}]},
        "shown": {"on": "cart", "key": "event.cart", "visitors": True, "do": [{"send": "page"}]},
    },
}


def of_visitor(visitor, type_, customer=None, **fields):
    body = {"type": type_, "visitor": visitor, **({"customer": customer} if customer else {}), **fields}
    return Record(json.dumps(body).encode(), key=(customer or visitor).encode())


def stamp():
    return int(time.time() * 1000)


class Visitors(unittest.TestCase):
    def tell(self, world, command, *arguments, status=0):
        done = subprocess.run([place.program("relance"), command, *arguments, "--input", world.input, "--group", world.group,
                               "--redis", world.redis.reader_url, *self.servers(world, command)],
                              capture_output=True, text=True, timeout=place.PATIENCE * 60)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def servers(self, world, command):
        return [f"--kafka.bootstrap.servers={world.kafka.address}"] if command == "forget" else []

    def inspect(self, world, *arguments):
        return json.loads(self.tell(world, "inspect", *arguments))

    def is_known(self, world, visitor):
        return world.redis("HEXISTS", f"relance:{{{world.group}:{world.input}:0}}:customers", b"\xff" + visitor.encode())

    def test_a_cart_waits_for_the_login_over_a_kill(self):
        with World(RULES, partitions=1) as world:
            engine = world.engine()
            world.produce([of_visitor("v1", "cart", cart="k1", id="e1", time=stamp())])
            world.wait_actions(1)
            place.wait_until(lambda: self.is_known(world, "v1"), 15, "the visitor is checkpointed")
            [run] = self.inspect(world, "v1", "--visitor")["runs"]
            self.assertTrue(run["parked"])
            engine.stop(signal.SIGKILL)
            engine = world.engine()
            time.sleep(2)  # the wait would be over
            world.produce([of_visitor("v1", "login", "anna", id="e2", time=stamp()), event("else", "buy", time=stamp() + 2000)])
            world.wait_actions(2)
            world.wait_counter("links_taken", 1)
            world.wait_counter("runs_parked", 1)
            [page, mail] = sorted(world.output_records(), key=lambda record: record.json()["action"], reverse=True)
            self.assertEqual((page.key, page.json()["visitor"]), (b"v1", "v1"))
            self.assertNotIn("customer", page.json())
            self.assertEqual((mail.key, mail.json()["customer"], mail.json()["key"]), (b"anna", "anna", "k1"))
            place.wait_until(lambda: self.inspect(world, "--visitor", "v1").get("known_as") == "anna", 10, "the link is checkpointed")
            self.assertEqual([link["visitor"] for link in self.inspect(world, "anna")["visitors"]], ["v1"])
            self.assertIn("forgotten with record", self.tell(world, "forget", "--visitor", "v1"))
            self.assertNotIn("visitors", self.inspect(world, "anna"))
            self.tell(world, "inspect", "v1", "--visitor", status=1)
            engine.stop()


if __name__ == "__main__":
    unittest.main()
