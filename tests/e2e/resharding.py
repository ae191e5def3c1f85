"""An input that gets more partitions: customers move with all that is known of them and all that waits for them."""
import random
import subprocess
import time
import unittest

from support import place, redis, rights
from support.engine import World, running, sequence_faults
from support.kafka import event
from support.wrong_redis import SLOW, WAYS, WrongRedis

BEFORE, NOW, CUSTOMERS = 2, 5, 300
RULES = {
    "stale": "3650d",
    "customer": {"ok": "bool"},
    "events": {"ping": {}, "cart": {"cart": "string"}, "buy": {}},
    "sales": {"order": {"on": "ping", "key": "event.id", "total": "2.5"}},
    "counts": {"pings": {"on": "ping"}},
    "rules": {
        "answer": {"on": "ping", "key": "event.id", "do": [{"send": "push", "with": {"n": "${pings()}"}}]},
        "left": {"on": "cart", "key": "event.cart", "cancel": ["buy"],
                 "do": [{"after": "20s", "send": "email"}, {"after": "1s", "if": "customer.ok", "send": "email"}]},
    },
}


class Resharding(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.world = World(RULES, partitions=BEFORE)
        self.addCleanup(self.world.__exit__)

    def everybody(self, type_, number, **fields):
        self.world.produce([event(f"c-{c}", type_, id=f"{type_}-{number}-{c}", time=int(1000 * time.time()), **fields)
                            for c in range(CUSTOMERS)])

    def tool(self, command, *words, status=0):
        world = self.world
        done = subprocess.run(
            [place.program("relance"), command, f"--input={world.input}", f"--group={world.group}",
             f"--redis={world.redis.reshard_url}", f"--kafka.bootstrap.servers={world.kafka.address}", *words],
            capture_output=True, text=True, timeout=place.PATIENCE * 60, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def drain(self, **options):
        status, _ = self.world.engine(drain=True, **options, **{"kafka.session.timeout.ms": 3000,
                                                     "kafka.transaction.timeout.ms": 2500}).stop(None, 60)
        self.assertEqual(status, 0)

    def grow(self):
        for topic in (self.world.input, f"{self.world.output}.marks", f"{self.world.output}.links"):
            self.world.kafka.grow(topic, NOW)

    def reshard(self):
        """Once the session of the drained engine is over."""
        place.wait_until(lambda: self.offered(), 30, "the group is empty", pause_s=0.5)
        return self.said

    def offered(self):
        world = self.world
        done = subprocess.run(
            [place.program("relance"), "reshard", f"--input={world.input}", f"--group={world.group}",
             f"--redis={world.redis.reshard_url}", f"--kafka.bootstrap.servers={world.kafka.address}"],
            capture_output=True, text=True, timeout=place.PATIENCE * 60, stdin=subprocess.DEVNULL)
        self.said = done.stdout + done.stderr
        if "has members" in self.said:
            return False
        self.assertEqual(done.returncode, 0, self.said)
        return True

    def heard(self):
        heard = {}
        for record in self.world.output_records():
            body = record.json()
            heard.setdefault(body["customer"], []).append((body["rule"], body["step"], (body.get("with") or {}).get("n")))
        return heard

    def test_where_misplaced_records_are_refused_none_is_while_partitions_are_added(self):
        world = self.world
        with running(world, misplaced="refuse", **{"kafka.session.timeout.ms": 3000, "kafka.transaction.timeout.ms": 2500}) as engine:
            self.everybody("ping", 1)
            world.wait_decided(engine)
        self.grow()
        self.everybody("ping", 2)  # in their new places, of which some are old partitions
        self.drain(misplaced="refuse")
        self.reshard()
        world.partitions = NOW
        self.everybody("ping", 3)
        with running(world, misplaced="refuse") as engine:
            world.wait_decided(engine)
            world.wait_counter("events", 3 * CUSTOMERS)
        counters = world.counters()
        self.assertGreater(counters["events_misplaced"], 0)  # of the drain, which knew of two partitions
        self.assertEqual((counters.get("dead.misplaced"), world.dead()), (None, []))

    def test_states_and_waits_go_with_their_customers(self):
        world = self.world
        with running(world, **{"kafka.session.timeout.ms": 3000, "kafka.transaction.timeout.ms": 2500}) as engine:
            self.everybody("identify", 0, ok=True)
            self.everybody("ping", 1)
            self.everybody("cart", 2, cart="k")
            world.wait_decided(engine)
        self.everybody("ping", 3)  # not decided yet when the topic grows
        self.grow()
        self.tool("reshard", status=2)
        status, said = world.refusal()
        self.assertIn("relance reshard", said)
        self.drain()
        world.redis("CONFIG", "RESETSTAT")
        self.assertIn(f"{NOW} partitions, {BEFORE} before", self.reshard())
        asked = {name.removeprefix("cmdstat_") for name in world.redis.info("commandstats")}
        allowed = {rule[1:] for rule in rights.redis_rules(redis.RESHARD) if rule.startswith("+")}
        self.assertEqual(asked - {"auth", "config|resetstat"}, allowed - {"select"})
        counts = [world.redis("HLEN", f"relance:{{{world.group}:{world.input}:{p}}}:customers") for p in range(NOW)]
        self.assertEqual(sum(counts), CUSTOMERS)
        self.assertTrue(all(counts), counts)
        world.partitions = NOW
        self.everybody("ping", 4)
        world.produce([event(f"c-{c}", "buy", time=int(1000 * time.time())) for c in range(0, CUSTOMERS, 3)])
        with running(world) as engine:
            world.wait_decided(engine)
            place.wait_until(lambda: world.counters().get("rule.left.finished") == CUSTOMERS * 2 / 3, 60,
                             "all waits are over")
        heard = self.heard()
        for c in range(CUSTOMERS):
            bought = c % 3 == 0
            mine = heard[f"c-{c}"]
            self.assertEqual([n for rule, _, n in mine if rule == "answer"], [1, 2, 3])
            self.assertEqual([step for rule, step, _ in mine if rule == "left"], [] if bought else [1, 2])
        self.assertEqual(sequence_faults(world.output_records()), [])
        self.assert_sums(3 * CUSTOMERS)

    def assert_sums(self, orders):
        """What partitions have added up stays there, and what their customers do elsewhere is added there."""
        report = self.world.report()
        self.assertEqual({name: report["sales"][name]["orders"] for name in ("first", "second", "repeat")}, dict.fromkeys(("first", "second", "repeat"), CUSTOMERS))
        self.assertEqual(report["sales"]["all"]["money"]["XXX"]["gross"], orders * 2.5)
        self.assertEqual((report["second_order"]["once"], report["second_order"]["more"]), (0, CUSTOMERS))
        self.assertEqual([channel["customers"] for channel in report["channels"]], [CUSTOMERS])

    def test_answers_that_come_wrong_interrupt_it_and_it_is_called_again(self):
        """Each call gets one wrong answer, somewhere; the last one gets none."""
        world, generator = self.world, random.Random(1)
        with running(world, **{"kafka.session.timeout.ms": 3000, "kafka.transaction.timeout.ms": 2500}) as engine:
            self.everybody("ping", 1)
            world.wait_decided(engine)
        self.grow()
        self.drain()
        time.sleep(5)  # until the session of the drained engine is over
        path = str(world.folder.path / "door")
        door = WrongRedis(world.redis.socket, path)
        self.addCleanup(door.close)
        trials = [(asked, way) for asked in ("WATCH", "HGETALL", "EXEC", "HMGET", "HSCAN", "ZMSCORE", "HSET", "HDEL", "ZREM")
                  for way in WAYS if way not in SLOW and way != "a cursor without end"]
        for asked, way in generator.sample(trials, 16):
            door.heal()
            door.garble(asked, way, 1)
            done = subprocess.run(
                [place.program("relance"), "reshard", f"--input={world.input}", f"--group={world.group}",
                 f"--redis={world.redis.url_at(path, redis.RESHARD)}", f"--kafka.bootstrap.servers={world.kafka.address}"],
                capture_output=True, text=True, timeout=place.PATIENCE * 60, stdin=subprocess.DEVNULL)
            self.assertIn(done.returncode, (0, 1, 2), f"{asked}: {way}: {done.stderr}")
            self.assertNotIn("not so:", done.stderr, f"{asked}: {way}")
            if done.returncode:
                self.assertIn("relance reshard: ", done.stderr, f"{asked}: {way}")
        door.heal()
        self.reshard()
        print(f"{door.garbled} wrong answers to reshard, in 16 calls", flush=True)
        counts = [world.redis("HLEN", f"relance:{{{world.group}:{world.input}:{p}}}:customers") for p in range(NOW)]
        self.assertEqual(sum(counts), CUSTOMERS)
        self.assertGreater(door.garbled, 0)
        world.partitions = NOW
        with running(world) as engine:
            self.everybody("ping", 2)
            world.wait_decided(engine)
        for c, mine in self.heard().items():
            self.assertEqual([n for _, _, n in mine], [1, 2], c)

    def test_interrupted_it_is_called_again(self):
        world = self.world
        with running(world, **{"kafka.session.timeout.ms": 3000, "kafka.transaction.timeout.ms": 2500}) as engine:
            self.everybody("ping", 1)
            world.wait_decided(engine)
        self.grow()
        self.drain()
        # As after a call that wrote some customers to their new place, and ended before it took them away.
        source = f"relance:{{{world.group}:{world.input}:0}}:customers"
        target = f"relance:{{{world.group}:{world.input}:{NOW - 1}}}:customers"
        before = world.redis("HKEYS", source)
        self.reshard()
        moved = [c for c in before if world.redis("HEXISTS", target, c)]
        for customer in moved[:10]:
            world.redis("HSET", source, customer, world.redis("HGET", target, customer))
        for p in range(NOW):
            meta = f"relance:{{{world.group}:{world.input}:{p}}}:meta"
            if p < BEFORE:
                world.redis("HSET", meta, "partitions", BEFORE)
            else:
                world.redis("DEL", meta)
        self.reshard()
        self.assertEqual(sum(world.redis("HLEN", f"relance:{{{world.group}:{world.input}:{p}}}:customers")
                             for p in range(NOW)), CUSTOMERS)
        world.partitions = NOW
        self.everybody("ping", 2)
        with running(world) as engine:
            world.wait_decided(engine)
        self.assertEqual({tuple(n for _, _, n in said) for said in self.heard().values()}, {(1, 2)})

    def test_it_refuses_while_something_is_to_be_decided_and_beside_an_engine(self):
        world = self.world
        with running(world, **{"kafka.topic.metadata.refresh.interval.ms": 1000}) as engine:
            self.everybody("ping", 1)
            world.wait_decided(engine)
            place.wait_until(lambda: world.counters().get("events") == CUSTOMERS, 20, "all is saved")
            self.grow()
            said = self.tool("reshard", status=2)
            self.assertIn("has members", said)
            place.wait_until(lambda: not engine.is_running(), 60, "the engine has noticed")
            self.assertIn("has more partitions than the 2 it had", engine.output())
            engine.stop(None)
            engine.stop = lambda *_: (0, 0)
            engine.is_running = lambda: True
        self.everybody("ping", 2)
        self.assertIn("are still to be decided", self.tool("reshard", status=2))
