"""SIGTERM and SIGINT: finish the cycle, checkpoint, leave, in under two seconds, whatever is being evaluated or waited for,
and nothing is published again."""
import signal
import time
import unittest

from support import place
from support.engine import World, sequence_faults
from support.kafka import event
from support.proxy import Proxy

RULES = {"stale": "3650d", "events": {"ping": {}},
         "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "email"}]}}}
SECONDS = 2.0
BUSY_SECONDS = 5.0  # asserted where the processor is busy, as others may keep it; how long it took is printed

# What keeps an evaluation busy for as long as its steps last, and how many rules of the kind an event goes through.
TYPES = {"note": "string", "other": "string", "tags": "list(string)"}
BIG = "a" * 900_000
SLOW = {
    "loops in loops": ("event.tags.exists(a, event.tags.exists(b, a + b == event.note))", 60, {"note": "x", "tags": ["t"] * 3000}),
    "a pattern that branches": ("event.note.matches('(a?){30}(.a?){30}b$')", 60, {"note": BIG}),
    "a place far back in a loop": ("event.tags.exists(t, event.note.charAt(200000) == 'b')", 60, {"note": BIG, "tags": ["x"] * 9000}),
    "comparing long texts in a loop": ("event.tags.exists(t, event.note == event.other)", 60,
                                       {"note": "a" * 400_000, "other": "a" * 399_999 + "b", "tags": ["x"] * 20_000}),
    "a pattern with counted parts": (r"event.note.matches('[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}(\\.[a-z0-9-]{1,63}){1,8}')", 60,
                                     {"note": BIG}),
    "searching from behind": ("event.note.lastIndexOf(event.other) == 5", 60, {"note": "a" * 600_000, "other": "a" * 250_000 + "b"}),
    "trimming in a loop": ("event.tags.exists(t, t == event.note.trim())", 60, {"note": "\u3000" * 170_000, "tags": ["x"] * 2000}),
    "a value shared over and over": ("cel.bind(a, [event.note, event.note], cel.bind(b, [a, a], cel.bind(c, [b, b], cel.bind(d, [c, c], "
                                     "cel.bind(e, [d, d], '%s'.format([e]).size() + '%s'.format([e]).size() == 3)))))", 60,
                                     {"note": "a" * 10_000}),
}
NOW = "2026-03-02T10:00:00Z"


def slow_world(expr, rules):
    """An event goes through the slow rules and then through a plain one that answers it."""
    names = {f"r{i:03d}": {"on": "e", "if": f"{i} >= 0 && {expr}", "do": [{"send": "sms"}]} for i in range(rules)}
    return World({"stale": "3650d", "events": {"e": TYPES},
                  "rules": {"a_before": {"on": "e", "key": "event.id", "do": [{"send": "email"}]}, **names,
                            "z_after": {"on": "e", "key": "event.id", "do": [{"send": "push"}]}}}, partitions=1)


def pings(count, start=0):
    return [event(f"c-{n % 500}", "ping", id=f"p{n}", time="2026-03-02T10:00:00Z") for n in range(start, start + count)]


class Stopping(unittest.TestCase):
    def leave(self, world, engine, how, ends=(0,)):
        status, seconds = engine.stop(how)
        self.assertIn(status, ends, engine.output())
        self.assertLess(seconds, SECONDS)

    def test_idle_it_leaves_at_once_on_sigterm_and_on_sigint(self):
        with World(RULES) as world:
            for count, how in enumerate((signal.SIGTERM, signal.SIGINT), 1):
                world.produce(pings(1, count))
                engine = world.engine()
                world.wait_decided(engine)
                self.leave(world, engine, how)
                self.assertEqual(len(world.actions()), count)

    def test_in_the_middle_of_its_work_it_leaves_and_the_next_one_goes_on(self):
        count = 60000
        with World(RULES) as world:
            world.produce(pings(count))
            for _ in range(3):
                engine = world.engine()
                time.sleep(0.4)
                self.leave(world, engine, signal.SIGTERM, ends=(0, 3))  # 3: before it had claimed all
            engine = world.engine()
            world.wait_decided(engine)
            self.leave(world, engine, signal.SIGTERM)
            records = world.output_records()
            self.assertEqual(len({record.header("ce_id") for record in records}), count)
            self.assertEqual(len(records), count)
            self.assertEqual(sequence_faults(records), [])

    def test_it_leaves_when_redis_is_gone(self):
        with World(RULES) as world:
            world.produce(pings(10))
            engine = world.engine()
            world.wait_decided(engine)
            world.redis.stop()
            world.produce(pings(10, 10))
            time.sleep(0.5)
            status, seconds = engine.stop()
            world.redis.start()
            self.assertLess(seconds, SECONDS)
            self.assertNotEqual(status, "had to be killed")

    # ---- busy

    def end_busy(self, engine, what):
        status, seconds = engine.stop()
        print(f"ended in {seconds:.1f} s: {what}", flush=True)
        self.assertEqual(status, 0, engine.output())
        self.assertLess(seconds, BUSY_SECONDS, what)

    def test_in_the_middle_of_an_evaluation_that_takes_its_time(self):
        for what, (expr, rules, fields) in SLOW.items():
            with self.subTest(what), slow_world(expr, rules) as world:
                world.produce([event("c", "e", NOW, id=f"e{n}", **fields) for n in range(20)])
                engine = world.engine()
                place.wait_until(lambda: "A partition is live." in engine.output(), 20, "it has begun")
                time.sleep(0.5)
                self.end_busy(engine, what)

    def test_what_was_half_decided_is_decided_again_and_published_once(self):
        expr, _, fields = SLOW["loops in loops"]
        with slow_world(expr, 300) as world:
            world.produce([event("c", "e", NOW, id=f"e{n}", **fields) for n in range(4)])
            for _ in range(3):
                engine = world.engine()
                place.wait_until(lambda: "A partition is live." in engine.output() or world.is_decided(), 20, "it has begun")
                time.sleep(0.7)
                self.end_busy(engine, "half-way through slow rules")
            engine = world.engine()
            world.wait_decided(engine, 120)
            self.end_busy(engine, "done")
            records = world.output_records()
            self.assertEqual(sorted((r.json()["rule"], r.header("ce_id")) for r in records),
                             sorted({(r.json()["rule"], r.header("ce_id")) for r in records}))
            self.assertEqual(len(records), 8)
            self.assertEqual(sequence_faults(records), [])

    def test_a_quick_evaluation_comes_to_its_end_and_into_the_last_checkpoint(self):
        with World(RULES) as world:
            world.produce(pings(200000))
            engine = world.engine()
            place.wait_until(lambda: engine.output().count("A partition is live.") == 4, 20, "it has begun")
            time.sleep(0.3)
            self.leave(world, engine, signal.SIGTERM)
            self.assertNotIn("without a last checkpoint", engine.output())
            for partition, (offset, _) in world.frontier().items():
                saved = world.redis("HGET", f"relance:{{{world.group}:{world.input}:{partition}}}:meta", "offset")
                self.assertEqual(int(saved), offset)

    # ---- waiting for Redis

    def behind_a_door(self, world, name):
        door = Proxy(world.redis.socket, str(world.folder.path / name))
        self.addCleanup(door.close)
        return door, world.redis.url_at(str(world.folder.path / name))

    def test_it_leaves_while_redis_is_silent(self):
        """In the middle of an answer about a customer, and of a checkpoint."""
        with World(RULES) as world:
            world.produce(pings(2000))
            for what, silence in (("an answer", "held"), ("an answer that does not come", "deaf")):
                door, url = self.behind_a_door(world, silence)
                engine = world.engine(redis=url)
                world.wait_decided(engine)
                time.sleep(1.5)
                setattr(door, silence, True)
                world.produce(pings(500, 10_000))
                time.sleep(1)
                status, seconds = engine.stop()
                print(f"ended in {seconds:.1f} s: waiting for {what} of Redis", flush=True)
                self.assertEqual(status, 3, engine.output())  # something is in no checkpoint
                self.assertLess(seconds, BUSY_SECONDS)
