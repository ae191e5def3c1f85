"""What a process ends with, and what a supervisor or an upgrade may make of it."""
import signal
import time
import unittest

from support import logs, place
from support.engine import World, running
from support.kafka import event

RULES = {"stale": "3650d", "events": {"ping": {}},
         "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "email"}]}}}
WELL, FAILED, USAGE, UNSAVED = 0, 1, 2, 3
UNWRITTEN = "Ending without a last checkpoint"


def pings(count, start=0):
    return [event(f"c-{n % 50}", "ping", id=f"p{n}", time="2026-03-02T10:00:00Z") for n in range(start, start + count)]


class Endings(unittest.TestCase):
    def live(self, engine, count):
        place.wait_until(lambda: engine.output().count("A partition is live.") >= count, 30, f"{count} partitions are live")

    def unsaved(self, engine, seconds=20):
        """It ends with 3, and with an error line; its facts."""
        status, _ = engine.stop(signal.SIGTERM, seconds)
        self.assertEqual(status, UNSAVED, engine.output())
        lines = logs.read(engine.output())
        self.assertEqual([facts["status"] for facts in lines if facts["msg"] == "Ended."], ["3"])
        [told] = [facts for facts in lines if facts["msg"].startswith(UNWRITTEN)]
        self.assertEqual(told["level"], "error")
        return told

    def test_a_stop_without_a_last_checkpoint_ends_with_3_and_the_next_one_heals_it(self):
        with World(RULES, partitions=2) as world:
            engine = world.engine()
            self.live(engine, 2)
            world.redis("CONFIG", "SET", "maxmemory", "1")
            world.produce(pings(100))
            world.wait_decided(engine)
            self.assertEqual(self.unsaved(engine)["partitions"], "2")
            self.assertNotEqual(world.saved(), world.published())
            world.redis("CONFIG", "SET", "maxmemory", "0")
            with running(world) as engine:  # ends with 0
                self.live(engine, 2)
            self.assertEqual(world.saved(), world.published())
            self.assertNotIn(UNWRITTEN, engine.output())

    def test_a_stop_while_redis_is_gone_ends_with_3(self):
        with World(RULES, partitions=2) as world:
            world.produce(pings(100))
            engine = world.engine()
            world.wait_decided(engine)
            world.wait_saved()
            world.redis.stop()
            world.produce(pings(100, 100))
            world.wait_decided(engine)
            self.unsaved(engine)
            world.redis.start()

    def test_a_stop_before_partitions_could_be_claimed_ends_with_3(self):
        """Nobody knows then whether all that was published before is in a checkpoint."""
        with World(RULES, partitions=2) as world:
            world.redis("ACL", "SETUSER", "relance", "-hset")
            engine = world.engine()
            place.wait_until(lambda: engine.output().count("A partition cannot be claimed yet.") == 2, 30, "it has come so far")
            self.assertEqual(self.unsaved(engine)["partitions"], "2")

    def test_a_stop_at_any_time_that_ends_with_0_has_saved_what_is_published(self):
        count, ends = 20000, []
        with World(RULES) as world:
            world.produce(pings(count))
            for pause_s in (0.3, 0.5, 0.7, 0.9, 1.5):
                engine = world.engine()
                time.sleep(pause_s)
                status, _ = engine.stop()
                ends.append(status)
                self.assertIn(status, (WELL, UNSAVED), engine.output())
                if status == WELL and "A partition is live." in engine.output():
                    published = world.published()
                    self.assertEqual({p: world.saved()[p] for p in published}, published)
                self.assertEqual(UNWRITTEN in engine.output(), status == UNSAVED)
        self.assertIn(WELL, ends)

    def test_engines_of_one_name_that_are_started_again_and_again_come_to_an_end(self):
        """As two supervisors would: each starts its engine again for as long as that ends with 1."""
        with World(RULES) as world:
            world.produce(pings(10))
            engines, ends = [world.engine(), None], [[], []]
            self.live(engines[0], 1)
            engines[1] = world.engine()

            def supervise():
                for i, engine in enumerate(engines):
                    if engine.is_running() or USAGE in ends[i]:
                        continue
                    ends[i].append(engine.stop(None)[0])
                    if ends[i][-1] == FAILED:
                        engines[i] = world.engine()
                return USAGE in ends[0] + ends[1]
            place.wait_until(supervise, 120, "one has given up")
            self.assertEqual(sorted(ends[0] + ends[1]), [FAILED, FAILED, USAGE])
            given_up = 0 if USAGE in ends[0] else 1
            self.assertIn("Each process needs an --instance of its own.", engines[given_up].output())
            world.produce(pings(10, 10))
            world.wait_decided(engines[1 - given_up])
            self.assertEqual(engines[1 - given_up].stop()[0], WELL, engines[1 - given_up].output())
            self.assertEqual(len(world.actions()), 20)


if __name__ == "__main__":
    unittest.main()
