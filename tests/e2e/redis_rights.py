"""The users of Redis that the manual describes: each may do what it needs, and needs what it may do.

That it is enough, all the other modules show: they run with nothing else (tests/support/redis.py). Here Redis itself
counts what was asked of it, over TCP and in another database than the first.
"""
import json
import subprocess
import time
import unittest

from support import place, redis, rights
from support.engine import World, running
from support.kafka import event

RULES = {
    "stale": "3650d",
    "events": {"add_to_cart": {"cart": "string"}, "purchase": {"total": "double"}},
    "sales": {"order": {"on": "purchase", "key": "event.id", "total": "event.total"}},
    "rules": {"carted": {"on": "add_to_cart", "key": "event.cart", "cancel": ["purchase"], "do": [{"after": "45m", "send": "email"}]},
              "thanks": {"on": "add_to_cart", "do": [{"send": "push"}],
                         "goal": {"on": "purchase", "within": "1d", "value": "event.total"}}},
}


class RedisRights(unittest.TestCase):
    def setUp(self):
        self.port = place.free_port()
        self.world = World(RULES, partitions=2, redis_config={"port": str(self.port), "bind": "127.0.0.1"})
        self.addCleanup(self.world.__exit__)

    def url(self, user):
        return f"redis://{user}:{redis.PASSWORD}@127.0.0.1:{self.port}/3"

    def event(self, kind, customer="c-1", **fields):
        self.world.produce([event(customer, kind, time=int(time.time() * 1000), **fields)])

    def asked(self):
        """The commands that Redis was asked for since the last question; `auth` needs no right, the others are the test's."""
        rows = self.world.redis.info("commandstats")
        self.world.redis("CONFIG", "RESETSTAT")
        stats = {name.removeprefix("cmdstat_"): dict(part.split("=") for part in row.split(",")) for name, row in rows.items()}
        self.assertEqual({name for name, row in stats.items() if row["rejected_calls"] != "0"}, set())
        return {name for name in stats if name not in ("auth", "config|resetstat", "ping")}

    def allowed(self, user):
        return {rule[1:] for rule in rights.redis_rules(user) if rule.startswith("+")}

    def test_each_needs_all_that_it_may_do(self):
        self.asked()
        with running(self.world, redis=self.url(redis.ENGINE)) as engine:
            self.event("add_to_cart", cart="k")
            self.world.wait_decided(engine)
        with running(self.world, redis=self.url(redis.ENGINE)) as engine:
            self.event("purchase", total=4.5)
            self.world.wait_decided(engine)
            self.event("forget")
            self.world.wait_decided(engine)
        asked = self.asked()
        for command in (("SELECT", 3), ("FLUSHDB",), ("SELECT", 0)):
            self.world.redis(*command)
        self.asked()
        with running(self.world, redis=self.url(redis.ENGINE), rebuild=True) as engine:
            place.wait_until(lambda: engine.output().count("A partition is live.") == 2, 20, "all is rebuilt")
        self.assertEqual(asked | self.asked(), self.allowed(redis.ENGINE))
        for command in (["inspect", "c-2"], ["metrics"], ["report"], ["top"], ["explain", "c-1"], ["forget", "c-1", "--timeout=100ms"]):
            self.look(*command)
        self.assertEqual(self.asked(), self.allowed(redis.READER))

    def test_the_learner_needs_all_that_it_may_do_and_names_what_is_missing(self):
        self.world.rules.write_text(json.dumps({
            "events": {"buy": {"product": "string"}},
            "affinities": {"goes_with": {"from": [{"on": "buy", "by": "event.product"}], "within": "1d", "least": 1}},
            "rules": {"r": {"on": "buy", "do": [{"send": "email", "with": {"p": "${goes_with(1)}"}}]}}}))
        key = f"relance:{{{self.world.group}:{self.world.input}}}:also:goes_with"
        self.world.redis("SELECT", 3)
        self.world.redis("HSET", key, "stranger", "[]")
        self.asked()
        learner = self.world.learner(create_topics=True, redis=self.url(redis.LEARN))
        self.addCleanup(learner.stop)
        self.event("buy", product="tent")
        place.wait_until(lambda: self.world.redis.hash(key).get("#"), 20, "a version")
        self.assertEqual(set(self.world.redis.hash(key)), {"#", "*"})
        self.assertEqual(self.asked() - {"hgetall"}, self.allowed(redis.LEARN))
        for n, (missing, sentence) in enumerate({"hscan": "HSCAN: NOPERM", "hset": "'hset' command", "keys": "permissions to access"}.items()):
            self.world.redis("ACL", "SETUSER", redis.LEARN, "resetkeys" if missing == "keys" else f"-{missing}")
            self.world.redis("DEL", key)
            self.event("buy", f"c-{n}", product=f"mug-{n}")
            place.wait_until(lambda: sentence in learner.output(), 20, f"{missing} is missed")
            self.world.redis("ACL", "SETUSER", redis.LEARN, *rights.redis_rules(redis.LEARN))
            self.event("buy", f"d-{n}", product=f"cup-{n}")
            place.wait_until(lambda: f"cup-{n}".encode() in self.world.redis.hash(key).get("*", b""), 20, "the lists are there again")
        self.assertEqual(learner.stop()[0], 0)

    def look(self, command, *arguments):
        kafka = [f"--kafka.bootstrap.servers={self.world.kafka.address}"] if command in ("explain", "forget") else []
        asking = subprocess.Popen([place.program("relance"), command, *arguments, f"--redis={self.url(redis.READER)}",
                                   f"--group={self.world.group}", f"--input={self.world.input}", *kafka],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if command == "top":
            self.assertIn(self.world.group, asking.stdout.readline())
            asking.terminate()
        said = "".join(asking.communicate(timeout=place.PATIENCE * 20))
        self.assertNotIn("NOPERM", said)
        self.assertIn(asking.returncode, (0, 1), said)

    def test_what_is_missing_at_the_start_is_named(self):
        self.world.redis("ACL", "SETUSER", redis.ENGINE, "-info")
        status, said = self.world.refusal()
        self.assertEqual(status, 1, said)
        self.assertIn("Redis: INFO: NOPERM", said)
        self.assertIn("'info'", said)
        self.world.redis("ACL", "SETUSER", redis.ENGINE, "+info", ">another", f"<{redis.PASSWORD}")
        status, said = self.world.refusal()
        self.assertEqual(status, 1, said)
        self.assertIn("Redis: AUTH: WRONGPASS", said)

    def test_what_is_missing_later_is_named_and_waited_for(self):
        sentences = {"hset": "'hset' command", "zadd": "'zadd' command", "keys": "permissions to access"}
        with running(self.world) as engine:
            self.event("add_to_cart", cart="k")
            self.world.wait_counter("events", 1)
            for n, (missing, sentence) in enumerate(sentences.items(), 2):
                self.world.redis("ACL", "SETUSER", redis.ENGINE, "resetkeys" if missing == "keys" else f"-{missing}")
                self.event("add_to_cart", missing, cart="k")
                place.wait_until(lambda: sentence in engine.output(), 10, f"{missing} is missed")
                self.world.redis("ACL", "SETUSER", redis.ENGINE, *rights.redis_rules(redis.ENGINE))
                self.world.wait_counter("events", n)
        self.assertEqual(len([a for a in self.world.actions() if a.rule == "thanks"]), 1 + len(sentences))
