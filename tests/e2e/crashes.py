"""kill -9 at ten random moments and start again: the same actions as without, none missing, none twice.

Two histories. In the first a long log is waiting, so the kills land in claims, in catch-ups and in full cycles
and checkpoints. In the second events come as they happen, so they land in ticks and between lone events too.
"""
import json
import os
import random
import signal
import threading
import time
import unittest
from dataclasses import replace

from support import place
from support.engine import Action, World, place_faults, sequence_faults, timeless
from support.kafka import event

KILLS = 10
SEED = int(os.environ.get("RELANCE_SEED", random.SystemRandom().randrange(1 << 32)))
RULES = {
    "stale": "3650d",
    "events": {"add_to_cart": {"cart": "string"}, "purchase": {}},
    "counts": {"adds": {"on": "add_to_cart"}, "bought": {"on": "purchase"}},
    "segments": {"loyal": "bought() >= 3"},
    "sales": {
        "order": {"on": "purchase", "key": "event.id", "total": "double(event.time.getSeconds()) + 0.0625",
                  "currency": "event.time.getMinutes() % 7 == 0 ? 'CHF' : 'EUR'"},
        "refund": {"on": "add_to_cart", "key": "'e' + string(int(event.id.substring(1)) - 2)"},
        "channel": "event.time.getHours() < 6 ? 'by night' : 'by day'",
        "loyal": "segments.loyal",
    },
    "rules": {"carted": {
        "on": "add_to_cart", "key": "event.cart", "again": "rearm", "cancel": ["purchase"],
        "do": [{"after": "45m", "send": "email", "with": {"template": "cart-1", "adds": "${adds()}"}},
               {"after": "1d", "send": "email", "with": {"template": "cart-2"}}]}},
}
SHORT = {**{name: value for name, value in RULES.items() if name != "sales"}, "rules": {"carted": {**RULES["rules"]["carted"], "do": [{"after": "1s", "send": "email"}]}}}


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03d}Z"


def history(dice, events, customers):
    """A day in a shop, in which one event in fifty is of the customer of two events before, which a refund looks for."""
    begin, made, names = 1772409600, [], []
    for n in range(events):
        customer = names[-2] if n > 1 and dice.random() < 0.02 else f"c-{dice.randrange(customers)}"
        names.append(customer)
        kind = "add_to_cart" if dice.random() < 0.6 else "purchase"
        made.append(event(customer, kind, id=f"e{n}", time=stamp(begin + n * 86400 / events),
                          **({"cart": f"k{dice.randrange(2)}"} if kind == "add_to_cart" else {})))
    return made


def closing(partitions):
    """Moves the clock of every partition past the last due time."""
    late = stamp(1772409600 + 7 * 86400)
    return [replace(event(f"end-{p}", "purchase", id=f"end-{p}", time=late), partition=p) for p in range(partitions)]


class Crashes(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        print(f"RELANCE_SEED={SEED}")
        self.dice = random.Random(SEED)

    def kill_ten_times(self, world, **options):
        """Every other kill falls somewhere into the start, the others into the work after it. Gives how much
        of the output was written at each."""
        written = []
        for n in range(KILLS):
            engine = world.engine(**options)
            if n % 2:
                place.wait_until(lambda: "is live" in engine.output() or not engine.is_running(), 30, "it is live")
            time.sleep(self.dice.uniform(0, 1))
            self.assertTrue(engine.is_running(), engine.output())
            engine.stop(signal.SIGKILL)
            written.append(sum(world.kafka.ends(world.output).values()))
        return written

    def assert_exactly(self, world, expected):
        records, actions = world.output_records(), world.actions()
        self.assertEqual(len({action.id for action in actions}), len(actions), "an action was said twice")
        self.assertEqual(sorted(map(repr, actions)), sorted(map(repr, expected)))
        self.assertEqual(sequence_faults(records), [])

    def assert_each_decision(self, world, expected):
        """Each once, as `relance replay` has it, which does not say by what."""
        lines = world.lines()
        found = sorted(json.dumps({name: value for name, value in line.json().items() if name != "by"}) for line in lines)
        self.assertEqual(len(found), len(expected))
        self.assertEqual(found, sorted(map(json.dumps, expected)))
        self.assertEqual(place_faults(lines), [])
        self.assertEqual({line.json()["by"] for line in lines if line.json()["outcome"] == "cancelled"}, {"purchase"})

    def finish(self, world, **options):
        engine = world.engine(**options)
        world.wait_decided(engine)
        self.assertEqual(engine.stop()[0], 0, engine.output())

    def test_ten_kills_in_a_long_log_change_no_action(self):
        with World(RULES) as world:
            events = history(self.dice, 200000, 30000) + closing(world.partitions)
            decided = world.decided([record.value for record in events])
            expected = [Action.of_line(line) for line in decided if line["outcome"] == "sent"]
            self.assertGreater(len(expected), 1000)
            world.kafka.create(world.decisions, 3)
            world.produce(events)
            written = self.kill_ten_times(world, workers=2, decisions=world.decisions)
            self.finish(world, workers=2, decisions=world.decisions)
            self.assert_exactly(world, expected)
            self.assert_each_decision(world, decided)
            days = ["--from=2026-03-01", "--to=2026-03-31"]
            report = world.report(*days)
            self.assertEqual(timeless(report), timeless(world.report_of([record.value for record in events], *days)))
            self.assertEqual(report["sales"]["all"]["orders"], sum(b'"purchase"' in record.value for record in events))
            self.assertGreater(report["sales"]["all"]["orders_refunded"], 0)
            end = sum(world.kafka.ends(world.output).values())
            self.assertGreater(len([n for n in written if 0 < n < end]), 1, "no kill fell into the middle of the work")

    def test_ten_kills_while_events_come_lose_nothing_and_repeat_nothing(self):
        with World(SHORT) as world:
            world.kafka.create(world.decisions, world.partitions)
            expected, stop = [], threading.Event()

            def shop():
                for n in range(100000):
                    if stop.wait(0.1):
                        return
                    now, batch = stamp(time.time()), [f"c-{n}-{m}" for m in range(5)]
                    carts = [event(customer, "add_to_cart", time=now, cart="k") for customer in batch]
                    world.produce([*carts, event(batch[0], "purchase", time=now)])
                    expected.extend(batch[1:])

            feeder = threading.Thread(target=shop)
            feeder.start()
            try:
                self.kill_ten_times(world, decisions=world.decisions)
            finally:
                stop.set()
                feeder.join()
            engine = world.engine(decisions=world.decisions)
            world.wait_actions(len(expected))
            self.assertEqual(engine.stop()[0], 0, engine.output())
            records, lines = world.output_records(), world.lines()
            self.assertEqual(place_faults(lines), [])
            outcomes = [line.json()["outcome"] for line in lines]
            self.assertEqual({name: outcomes.count(name) for name in ("started", "sent", "cancelled", "finished")},
                             {"started": len(expected) * 5 // 4, "sent": len(expected), "cancelled": len(expected) // 4,
                              "finished": len(expected)})
            self.assertEqual(sorted((line.header("relance-partition"), line.header("relance-seq")) for line in lines
                                    if line.json()["outcome"] == "sent"),
                             sorted((record.header("relance-partition"), record.header("relance-seq")) for record in records))
            self.assertEqual(sorted(action.customer for action in world.actions()), sorted(expected))
            self.assertEqual(sequence_faults(records), [])
