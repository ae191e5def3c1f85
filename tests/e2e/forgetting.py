"""relance forget: nothing of the customer is left in Redis, in the engine or in later actions, nor comes back with a
takeover or with an older state of Redis."""
import shutil
import signal
import subprocess
import time
import unittest

from support import place
from support.engine import World
from support.kafka import event

NAME = "erasmus-77"
RULES = {
    "stale": "3650d",
    "customer": {"nick": "string"},
    "events": {"ping": {}, "add_to_cart": {"cart": "string"}, "purchase": {}},
    "counts": {"pings": {"on": "ping"}},
    "rules": {
        "answer": {"on": "ping", "key": "event.id", "do": [{"send": "push", "with": {"n": "${pings()}"}}],
                   "goal": {"on": "purchase", "within": "1d"}},
        "carted": {"on": "add_to_cart", "key": "event.cart", "do": [{"after": "30s", "send": "email"}]},
    },
}


def everything(redis):
    """All that Redis holds, keys and values, as one text of bytes."""
    found = []
    for key in redis("KEYS", "*"):
        read = {b"hash": ("HGETALL",), b"zset": ("ZRANGE", 0, -1), b"string": ("GET",), b"set": ("SMEMBERS",),
                b"list": ("LRANGE", 0, -1)}[redis("TYPE", key)]
        value = redis(read[0], key, *read[1:])
        found += [key, *(value if isinstance(value, list) else [value])]
    return b"\n".join(found)


class Forgetting(unittest.TestCase):
    def forget(self, world, customer, *options, status=0):
        done = subprocess.run([place.program("relance"), "forget", customer, "--input", world.input, "--group", world.group,
                               "--redis", world.redis.reader_url, f"--kafka.bootstrap.servers={world.kafka.address}", *options],
                              capture_output=True, text=True, timeout=place.PATIENCE * 60)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def known(self, world):
        """A customer of whom everything is known that can be: attributes, counts, a wait, a goal's window."""
        now = int(time.time() * 1000)
        world.produce([event(name, kind, id=f"{name}-{n}", time=now, **fields) for name in (NAME, "other")
                       for n, (kind, fields) in enumerate([("identify", {"nick": f"nick of {name}"}), ("ping", {}), ("ping", {}),
                                                           ("add_to_cart", {"cart": f"cart of {name}"})])])

    def ping(self, world, number):
        world.produce([event(NAME, "ping", id=f"later-{number}", time=int(time.time() * 1000))])

    def counts(self, world):
        said = [record.json() for record in world.output_records()]
        return [body["with"]["n"] for body in said if body["customer"] == NAME and body["action"] == "push"]

    def test_nothing_is_left_and_nothing_is_sent_any_more(self):
        with World(RULES, partitions=2) as world:
            engine = world.engine()
            self.known(world)
            world.wait_decided(engine)
            place.wait_until(lambda: NAME.encode() in everything(world.redis), 10, "the customer is checkpointed")
            said = self.forget(world, NAME)
            self.assertIn("forgotten with record", said)
            self.assertNotIn(NAME.encode(), everything(world.redis))
            self.assertIn(b"other", everything(world.redis))
            world.wait_actions(5)  # the other's mail comes, half a minute later; this one's does not
            self.ping(world, 1)
            world.wait_actions(6)
            engine.stop()
            self.assertEqual(self.counts(world), [1, 2, 1], "counting has begun anew")
            self.assertEqual([a.customer for a in world.actions() if a.rule == "carted"], ["other"])

    def test_it_stays_so_after_a_takeover_and_with_an_older_redis(self):
        with World(RULES, partitions=2) as world:
            engine = world.engine(instance="one")
            self.known(world)
            world.wait_decided(engine)
            place.wait_until(lambda: NAME.encode() in everything(world.redis), 10, "the customer is checkpointed")
            old = world.redis.folder.path.parent / f"{world.redis.folder.path.name}-old"
            world.redis("BGREWRITEAOF")
            place.wait_until(lambda: world.redis.info("persistence")["aof_rewrite_in_progress"] == "0", 20, "Redis is saved")
            shutil.copytree(world.redis.folder.path / "appendonlydir", old)
            try:
                self.forget(world, NAME)
                engine.stop(signal.SIGKILL)
                engine = world.engine(instance="one")
                self.ping(world, 1)
                world.wait_decided(engine)
                engine.stop()
                self.assertEqual(self.counts(world), [1, 2, 1])

                world.redis.stop()
                shutil.rmtree(world.redis.folder.path / "appendonlydir")
                shutil.copytree(old, world.redis.folder.path / "appendonlydir")
                world.redis.start()
                self.assertIn(NAME.encode(), everything(world.redis))
                engine = world.engine(instance="one")
                self.ping(world, 2)
                world.wait_decided(engine)
                engine.stop()
                self.assertEqual(self.counts(world), [1, 2, 1, 2], "what is caught up with holds the forgetting, too")
            finally:
                shutil.rmtree(old, ignore_errors=True)

    def test_without_an_engine_it_says_so(self):
        with World(RULES) as world:
            engine = world.engine()
            self.known(world)
            world.wait_decided(engine)
            engine.stop()
            said = self.forget(world, NAME, "--timeout", "500ms", status=1)
            self.assertIn("no checkpoint holds it yet", said)
            engine = world.engine()
            world.wait_decided(engine)
            engine.stop()
            self.assertNotIn(NAME.encode(), everything(world.redis))
