"""A lone event in a quiet shop is answered when it comes, not when something else wakes the engine up.

How soon is measured by `sh tests/bench/run.sh latency`. Here the bound is one that no busy machine crosses, only a wait that
nobody ends.
"""
import unittest

from support.engine import World, running

RULES = {"events": {"ping": {}}, "rules": {"answer": {"on": "ping", "do": [{"send": "email"}]}}}
COUNT, PAUSE_MS = 100, 20
BOUND_MS = 5000


class Latency(unittest.TestCase):
    def test_no_lone_event_waits_for_its_answer(self):
        with World(RULES) as world:
            with running(world):
                lines = world.kafka.tool("latency", world.input, world.output, COUNT, PAUSE_MS)
        times_ms = [int(line) / 1000 for line in lines]
        self.assertEqual(len(times_ms), COUNT)
        self.assertLess(max(times_ms), BOUND_MS)
