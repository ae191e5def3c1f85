"""States that are large and a Redis that is slow with them: what is asked for is asked once, in questions that Redis and the
line can bear, and the group does not take us for dead meanwhile.

A state of 16 MiB is written into Redis as an engine without bounds for states would have written it.
"""
import struct
import time
import unittest

from support import place
from support.engine import MIB, World, running, sequence_faults
from support.kafka import event
from support.proxy import Proxy

RULES = {
    "stale": "3650d",
    "events": {"note": {"text": "string"}, "ping": {}},
    "customer": {"log": {"type": "string", "on": "note", "value": "event.text"}},
    "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "email"}]}},
}
TIME = "2026-03-02T10:00:00Z"
MARKER = b"*" * 200
FIRST_SECONDS = 30  # asserted; 5 are meant, and what it took is printed


def pings(customers, name):
    return [event(customer, "ping", TIME, id=f"{name}-{n}") for n, customer in enumerate(customers)]


class LargeStates(unittest.TestCase):
    def begin(self, customers):
        """A world in which each of these has a state with the marker in it, and no engine runs."""
        world = World(RULES, partitions=1)
        self.addCleanup(world.__exit__)
        self.key = f"relance:{{{world.group}:{world.input}:0}}:customers"
        world.produce([event(customer, "note", TIME, id=f"n-{customer}", text=MARKER.decode()) for customer in customers])
        with running(world) as engine:
            world.wait_decided(engine)
        self.assertEqual(world.redis("HLEN", self.key), len(customers))
        return world

    def enlarge(self, world, customer, size):
        """Makes the marker a text of that size: of MessagePack, the head of a string and its bytes."""
        state = world.redis("HGET", self.key, customer)
        small, large = b"\xd9" + bytes([len(MARKER)]) + MARKER, b"\xdb" + struct.pack(">I", size) + b"*" * size
        self.assertEqual(state.count(small), 1)
        world.redis("HSET", self.key, customer, state.replace(small, large))

    def restart_redis(self, world):
        """So that what it has held at most is no more than what it holds."""
        world.redis("BGREWRITEAOF")
        place.wait_until(lambda: world.redis.info("persistence")["aof_rewrite_in_progress"] == "0"
                         and world.redis.info("persistence")["aof_rewrite_scheduled"] == "0", 30, "the file is rewritten")
        world.redis.stop()
        world.redis.start()

    def memory(self, world):
        info = world.redis.info("memory")
        return int(info["used_memory"]), int(info["used_memory_peak"])

    def behind_a_door(self, world):
        door = Proxy(world.redis.socket, str(world.folder.path / "door"))
        self.addCleanup(door.close)
        return door, world.redis.url_at(str(world.folder.path / "door"))

    def assert_answered(self, world, count):
        records = world.output_records()
        self.assertEqual(len({record.header("ce_id") for record in records}), count)
        self.assertEqual(len(records), count)
        self.assertEqual(sequence_faults(records), [])

    def test_a_state_of_16_mib_behind_5000_records(self):
        others = [f"c-{n}" for n in range(500)]
        world = self.begin(["big", *others])
        self.enlarge(world, "big", 16 * MIB)
        self.restart_redis(world)
        world.produce(pings((["big"] + others[:124]) * 40, "p"))
        state, peak_before = self.memory(world)
        begin = time.monotonic()
        with running(world) as engine:
            place.wait_until(lambda: world.kafka.ends(world.output)[0] > 0, 60, "a first action", pause_s=0.05)
            first_s = time.monotonic() - begin
            world.wait_decided(engine)
            all_s = time.monotonic() - begin
            _, peak = self.memory(world)
        print(f"16 MiB behind 5,000 records: first action after {first_s:.1f} s, all after {all_s:.1f} s, Redis {state / MIB:.0f} MiB, before "
              f"{peak_before / MIB:.0f} at most, then {peak / MIB:.0f}", flush=True)
        self.assertLess(first_s, FIRST_SECONDS)
        self.assertLess(peak, 2 * max(state, peak_before) + MIB)
        self.assertNotIn("Waiting for Redis", engine.output())
        self.assert_answered(world, 5000)

    def test_questions_become_smaller_until_a_slow_line_bears_them(self):
        """100 states of 40 KiB at 400 KB a second and connection: what is asked for 64 at once takes 6.5 s."""
        customers = [f"c-{n}" for n in range(100)]
        world = self.begin(customers)
        for customer in customers:
            self.enlarge(world, customer, 40 << 10)
        world.produce(pings(customers, "p"))
        door, url = self.behind_a_door(world)
        door.rate = 400_000
        with running(world, redis=url) as engine:
            place.wait_until(lambda: "Waiting for Redis" in engine.output(), 30, "it was too much at once")
            world.wait_decided(engine, 180)
            door.open_door()
            self.assertEqual(engine.output().count("The group has taken our partitions."), 0, engine.output())
        self.assert_answered(world, len(customers))

    def test_the_group_hears_from_us_while_redis_is_silent(self):
        """Longer than Kafka waits for one that does not ask for records; they come meanwhile, and are not lost."""
        customers = [f"c-{n}" for n in range(3000)]
        world = self.begin(customers)
        door, url = self.behind_a_door(world)
        settings = {"kafka.session.timeout.ms": 6000, "kafka.max.poll.interval.ms": 6000}
        with running(world, redis=url, **settings) as engine:
            place.wait_until(lambda: "A partition is live." in engine.output(), 20, "it is live")
            door.deaf = True
            for part in range(10):
                world.produce(pings(customers[part::10], f"p{part}"))
                time.sleep(1.5)
            door.open_door()
            world.wait_decided(engine)
            self.assertNotIn("max.poll.interval", engine.output())
            self.assertEqual(engine.output().count("The group has taken our partitions."), 0, engine.output())
        self.assert_answered(world, len(customers))

    def test_a_rebalance_comes_while_redis_is_silent(self):
        """Another instance joins in the middle of a fetch: both go on with their share, and nothing is done twice."""
        customers = [f"c-{n}" for n in range(500)]
        world = World(RULES, partitions=2)
        self.addCleanup(world.__exit__)
        world.produce([event(customer, "note", TIME, id=f"n-{customer}", text="x") for customer in customers])
        with running(world) as engine:
            world.wait_decided(engine)
        door, url = self.behind_a_door(world)
        with running(world, redis=url) as one:
            place.wait_until(lambda: one.output().count("A partition is live.") == 2, 20, "it is live")
            door.deaf = True
            world.produce(pings(customers, "p"))
            place.wait_until(lambda: "Waiting for Redis" in one.output(), 20, "it waits")
            with running(world, instance="two") as two:
                place.wait_until(lambda: "A partition is live." in two.output(), 40, "the other one has its share")
                door.open_door()
                world.wait_decided(one)
                self.assertGreater(one.output().count("The group has taken our partitions."), 0)
        self.assert_answered(world, len(customers))
