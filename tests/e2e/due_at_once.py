"""Very many waits that fall due at one instant leave in parts, each exactly once, also where a part is the last that an engine does.

A tick ends them in one test, a record that brings the clock past all of them in the other.
"""
import json
import random
import signal
import time
import unittest
from dataclasses import replace

from support import place
from support.engine import World, place_faults, sequence_faults
from support.kafka import event

CUSTOMERS, PARTITIONS, WORKERS, MARK_MOST = 100_000, 2, 2, 8192
COUNTER = "rule.waits.step.1.sent"
RULES = {
    "events": {"add": {}},
    "counts": {"adds": {"on": "add"}},
    "rules": {"waits": {"on": "add", "do": [{"after": "1h", "send": "email", "with": {"adds": "${adds()}"}}]}},
}


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class DueAtOnce(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.world = World(RULES, partitions=PARTITIONS)
        self.addCleanup(self.world.__exit__)

    def start(self, **options):
        return self.world.engine(workers=WORKERS, **options)

    def arm(self, added_s):
        customers = [f"c-{n:06}" for n in range(CUSTOMERS)]
        random.Random(1).shuffle(customers)
        self.world.produce([event(customer, "add", time=stamp(added_s)) for customer in customers])

    def kill_in_the_middle(self, engine):
        place.wait_until(lambda: self.saved() or not engine.is_running(), 120, "a part has been saved", pause_s=0.01)
        self.assertTrue(engine.is_running(), engine.output())
        engine.stop(signal.SIGKILL)
        said = sum(self.world.kafka.ends(self.world.output).values())
        self.assertLess(self.saved(), CUSTOMERS, "the kill came too late")
        print(f"killed with {self.saved()} of {CUSTOMERS} saved, and {said} records said")

    def saved(self):
        """What Redis has counted: it is written between two parts."""
        return self.world.counters().get(COUNTER, 0)

    def assert_each_once(self):
        records = self.world.output_records()
        self.assertEqual(len(records), CUSTOMERS)
        self.assertEqual(sequence_faults(records), [])
        for p in range(PARTITIONS):
            numbered = sorted((int(record.header("relance-seq")), record.json()["customer"])
                              for record in records if record.header("relance-partition") == str(p))
            customers = [customer for _, customer in numbered]
            self.assertEqual(customers, sorted(customers), f"partition {p}: not in the order of what is due at one instant")

    def assert_each_decision_once(self):
        lines = self.world.lines()
        self.assertEqual(place_faults(lines), [])
        for outcome in (b"started", b"sent", b"finished"):
            self.assertEqual(sum(b'"outcome":"%s"' % outcome in line.value for line in lines), CUSTOMERS, outcome)

    def assert_split(self):
        """Marks say what they have ended, in every partition several do, and none more than it may."""
        marks = [(record.partition, json.loads(record.value)) for record in self.world.kafka.consume(f"{self.world.output}.marks")]
        for p in range(PARTITIONS):
            parts = [mark["waits"] for partition, mark in marks if partition == p and "waits" in mark]
            self.assertGreater(len(parts), 3)
            self.assertLessEqual(max(parts), MARK_MOST)

    def finish(self, engine):
        place.wait_until(lambda: self.saved() == CUSTOMERS or not engine.is_running(), 20, "all is saved", pause_s=0.2)
        status, _ = engine.stop()
        self.assertEqual(status, 0, engine.output())
        self.assertNotIn("Claiming everything again.", engine.output())
        self.assert_each_once()
        self.assert_split()

    def test_a_tick_that_is_killed_in_the_middle(self):
        self.arm(time.time() - 7200)
        self.kill_in_the_middle(self.start())
        self.finish(self.start())

    def test_a_record_behind_them_that_is_killed_in_the_middle(self):
        added_s = time.time() - 3600 + 300  # due in 5 minutes; an event may be 15 ahead
        self.arm(added_s)
        self.world.kafka.create(self.world.decisions, PARTITIONS)
        engine = self.start(decisions=self.world.decisions)
        self.world.wait_decided(engine, 120)
        late = stamp(added_s + 3600 + 240)
        self.world.produce([replace(event("last", "nothing", time=late), partition=p) for p in range(PARTITIONS)])
        self.kill_in_the_middle(engine)
        self.finish(self.start(decisions=self.world.decisions))
        self.assert_each_decision_once()


if __name__ == "__main__":
    unittest.main()
