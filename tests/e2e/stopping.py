"""SIGTERM and SIGINT: finish the cycle, checkpoint, leave, in under two seconds, and nothing is published again."""
import signal
import time
import unittest

from support.engine import World, sequence_faults
from support.kafka import event

RULES = {"stale": "3650d", "events": {"ping": {}},
         "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "email"}]}}}
SECONDS = 2.0


def pings(count, start=0):
    return [event(f"c-{n % 500}", "ping", id=f"p{n}", time="2026-03-02T10:00:00Z") for n in range(start, start + count)]


class Stopping(unittest.TestCase):
    def leave(self, world, engine, how):
        status, seconds = engine.stop(how)
        self.assertEqual(status, 0, engine.output())
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
                self.leave(world, engine, signal.SIGTERM)
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
