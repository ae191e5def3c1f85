"""A lone event in a quiet shop: from its producer's call to the committed action in a reader's hands."""
import unittest

from support.engine import World, running

RULES = {"events": {"ping": {}}, "rules": {"answer": {"on": "ping", "do": [{"send": "email"}]}}}
COUNT, PAUSE_MS = 200, 20
P99_MS = 50


class Latency(unittest.TestCase):
    def test_a_lone_event_is_answered_within_50_ms(self):
        with World(RULES) as world:
            with running(world):
                lines = world.kafka.tool("latency", world.input, world.output, 20 + COUNT, PAUSE_MS)
            times_ms = sorted(int(line) / 1000 for line in lines[20:])
        p50, p99 = times_ms[COUNT // 2], times_ms[COUNT * 99 // 100]
        print(f"lone event -> action: p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {times_ms[-1]:.1f} ms")
        self.assertLess(p99, P99_MS)
