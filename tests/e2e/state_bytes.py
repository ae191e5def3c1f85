"""A customer who has more than there is room for (LANGUAGE.md §4.13): on real servers as in a replay, before a restart as
after it, counted, told of, and seen."""
import json
import subprocess
import time
import unittest

from support import place
from support.engine import World, running
from support.kafka import event

LIMIT = 8192
RULES = {
    "stale": "3650d",
    "events": {"cart": {"cart": "string", "note": "string"}, "view": {"product": "string"}},
    "customer": {"about": "string"},
    "counts": {"views": {"on": "view", "by": "event.product"}},
    "rules": {"left": {"on": "cart", "key": "event.cart", "again": "rearm",
                       "do": [{"after": "1d", "send": "email", "with": {"adds": "${triggers.size()}"}}]},
              "seen": {"on": "view", "do": [{"send": "push", "with": {"first": "${views('p0')}"}}]}},
}


def history():
    """In the last hour, so that nothing falls due: carts whose notes have no room, first few of them and then many, and a
    view between any two."""
    begin = int(time.time()) - 3600
    stamp = lambda n: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin + n * 10))
    for n in range(120):
        note = "x" * (200 + n % 7 * 300)
        yield event("c-1", "cart", id=f"c{n}", time=stamp(n), cart=f"k{n % 4 if n < 60 else n}", note=note)
        yield event("c-1", "view", id=f"v{n}", time=stamp(n), product=f"p{n}")
        yield event("c-2", "cart", id=f"o{n}", time=stamp(n), cart="k", note="short")
    yield event("c-1", "identify", id="i", time=stamp(120), about="x" * 70000)


class StateBytes(unittest.TestCase):
    def setUp(self):
        self.world = World(RULES, partitions=1)
        self.addCleanup(self.world.__exit__)

    def decide(self, records, **options):
        self.world.produce(records)
        with running(self.world, state_bytes=LIMIT, **options) as engine:
            self.world.wait_decided(engine)
        return engine.output()

    def wait_for(self, holds):
        until = time.monotonic() + 20
        while not holds():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)

    def sizes(self):
        [key] = [key for key in self.world.redis("KEYS", "*:customers")]
        return {name.decode(): self.world.redis("HSTRLEN", key, name) for name in self.world.redis("HKEYS", key)}

    def inspect(self, customer):
        world = self.world
        done = subprocess.run([place.program("relance"), "inspect", customer, f"--redis={world.redis.reader_url}",
                               f"--group={world.group}", f"--input={world.input}"], capture_output=True, timeout=place.PATIENCE * 20,
                              stdin=subprocess.DEVNULL, check=True)
        return json.loads(done.stdout)

    def test_it_forgets_what_is_oldest_counts_it_and_shows_it(self):
        said = self.decide(list(history()))
        sizes, counters = self.sizes(), self.world.counters()
        self.assertLessEqual(sizes["c-1"], LIMIT)
        for name in ("state_triggers", "state_by", "state_runs", "rule.left.dropped"):
            self.assertGreater(counters.get(name, 0), 0, name)
        self.assertEqual(counters["state_runs"], counters["rule.left.dropped"])
        self.assertEqual(counters["attributes_too_large"], 1)
        self.assertIn('A customer has too much: a part of it is forgotten." what=state_triggers customer=c-1 ', said)
        seen = self.inspect("c-1")
        self.assertEqual(seen["bytes"], sizes["c-1"])
        self.assertEqual(seen["forgotten"], {name: counters[name] for name in seen["forgotten"]})
        self.assertIn("state_runs", seen["forgotten"])
        self.assertEqual(self.inspect("c-2")["forgotten"], {})

    def test_restarts_between_make_no_difference_and_a_replay_says_the_same(self):
        records = list(history())
        for begin in range(0, len(records), 60):
            self.decide(records[begin:begin + 60])
        live = [(a.customer, a.rule, a.key, a.payload) for a in self.world.actions()]
        replayed = self.world.replay([record.value for record in records], "--state-bytes", str(LIMIT))
        self.assertEqual(live, [(a.customer, a.rule, a.key, a.payload) for a in replayed])
        self.assertEqual({payload for *_, payload in live}, {'{"first": 0}', '{"first": 1}'}, "the first view is forgotten")

    def test_another_number_decides_from_a_checkpoint_on_that_holds_all(self):
        records = list(history())
        self.decide(records[:90])
        self.world.produce(records[90:])
        with running(self.world, state_bytes=2 * LIMIT) as engine:
            self.world.wait_decided(engine)
            [meta] = self.world.redis("KEYS", "*:meta")
            self.wait_for(lambda: f" state-bytes={2 * LIMIT} ".encode() in self.world.redis("HGET", meta, "options"))
        self.assertGreater(self.sizes()["c-1"], LIMIT)
