"""Rules edited under a running engine: SIGHUP, --watch, sets that do not check, and a crash behind the edit.

What an action says of the rules that made it is its template: each version of the rules has its own.
"""
import json
import signal
import unittest

from support import place
from support.engine import World, running, sequence_faults
from support.kafka import event

TIME = "2026-03-02T10:00:00Z"


def rules(template, **more):
    return {"stale": "3650d", "events": {"ping": {"note": "string"}, "quiet": {}},
            "rules": {"answer": {"on": "ping", "key": "event.id",
                                 "do": [{"send": "email", "with": {"template": template}}]}}, **more}


def counting(template):
    made = rules(template, counts={"pings": {"on": "ping"}})
    made["rules"]["answer"]["do"][0]["with"]["pings"] = "${pings()}"
    return made


class Reload(unittest.TestCase):
    maxDiff = 4000

    def ping(self, world, engine, *names, customer=None):
        world.produce([event(customer or f"c-{name}", "ping", id=name, time=TIME, note="hello") for name in names])
        world.wait_decided(engine)

    def edit(self, world, made):
        world.rules.write_text(made if isinstance(made, str) else json.dumps(made))

    def hang_up(self, world, engine, made, expect="New rules take effect"):
        """Edits the rules and asks for them; all partitions have them when this returns."""
        self.edit(world, made)
        said = engine.output().count(expect)
        wanted = said + (world.partitions if expect.startswith("New") else 1)
        engine.process.send_signal(signal.SIGHUP)
        place.wait_until(lambda: engine.output().count(expect) >= wanted, 10, expect)

    def templates(self, world):
        return sorted((action.key, json.loads(action.payload)["template"]) for action in world.actions())

    def live(self, world, name):
        return int(world.live().get(name, "0"))

    def test_sighup_takes_a_changed_set_and_refuses_a_bad_one(self):
        with World(rules("one")) as world, running(world) as engine:
            self.ping(world, engine, "a")
            self.hang_up(world, engine, rules("two"))
            self.ping(world, engine, "b")
            self.hang_up(world, engine, '{"events": {},\n "rules": {"answer": {"on": "pong", "do": []}}}', "are refused")
            self.assertIn("rules.json:2:", engine.output())
            self.assertIn("event type 'pong' is not declared", engine.output())
            self.ping(world, engine, "c")
            self.assertEqual(self.templates(world), [("a", "one"), ("b", "two"), ("c", "two")])
            place.wait_until(lambda: self.live(world, "rules_refused") == 1, 5, "the refusal is counted")
            self.assertEqual(self.live(world, "rules_taken"), 1)
            self.hang_up(world, engine, rules("three"))
            self.ping(world, engine, "d")
            self.assertIn(("d", "three"), self.templates(world))

    def test_watch_takes_a_change_by_itself_and_says_a_bad_one_once(self):
        with World(rules("one")) as world, running(world, watch=True) as engine:
            self.ping(world, engine, "a")
            self.edit(world, '{"rules": ')
            place.wait_until(lambda: "are refused" in engine.output(), 10, "the bad set is refused")
            self.edit(world, rules("two"))
            place.wait_until(lambda: engine.output().count("New rules take effect") == world.partitions, 10, "it is taken")
            self.ping(world, engine, "b")
            self.assertEqual(self.templates(world), [("a", "one"), ("b", "two")])
            self.assertEqual(engine.output().count("are refused"), 1)

    def test_catching_up_after_a_crash_uses_the_sets_of_the_marks(self):
        with World(rules("one")) as world:
            engine = world.engine()
            self.ping(world, engine, "a", "b")
            world.wait_counter("events", 2)
            world.redis("CONFIG", "SET", "maxmemory", 1)  # no checkpoint any more: all that follows is decided again
            self.ping(world, engine, "c")
            self.hang_up(world, engine, rules("two"))
            self.ping(world, engine, "d", "e")
            self.hang_up(world, engine, rules("three"))
            self.ping(world, engine, "f")
            engine.stop(signal.SIGKILL)
            world.redis("CONFIG", "SET", "maxmemory", 0)
            self.edit(world, rules("four"))
            with running(world) as engine:
                self.ping(world, engine, "g", "h")
            self.assertEqual(self.templates(world),
                             [("a", "one"), ("b", "one"), ("c", "one"), ("d", "two"), ("e", "two"), ("f", "three"),
                              ("g", "four"), ("h", "four")])
            self.assertEqual(sequence_faults(world.output_records()), [])
            world.wait_counter("events", 8)

    def count_after(self, change):
        """Three events of a customer, counted; then `change` takes the count away and brings it back; what the
        fourth event is counted as, and the fifth."""
        with World(counting("one"), partitions=1) as world:
            engine = world.engine()
            self.ping(world, engine, "a", "b", "c", customer="c-1")
            world.wait_counter("events", 3)
            engine = change(world, engine)
            self.ping(world, engine, "d", customer="c-1")
            engine.stop(signal.SIGKILL)
            with running(world) as engine:
                self.ping(world, engine, "e", customer="c-1")
            return [json.loads(action.payload)["pings"] for action in world.actions()][3:]

    def test_a_count_that_went_and_came_back_is_empty_for_a_customer_at_hand(self):
        def change(world, engine):
            self.hang_up(world, engine, rules("two"))
            self.hang_up(world, engine, counting("three"))
            return engine
        self.assertEqual(self.count_after(change), [1, 2])

    def test_and_for_one_whose_state_has_to_be_read_again(self):
        def change(world, engine):
            for made in (rules("two"), counting("three")):
                self.assertEqual(engine.stop()[0], 0)
                self.edit(world, made)
                engine = world.engine()
                place.wait_until(lambda: "New rules take effect" in engine.output(), 20, "the new rules")
            return engine
        self.assertEqual(self.count_after(change), [1, 2])

    def test_and_after_a_crash_that_has_to_catch_up_over_both_changes(self):
        def change(world, engine):
            world.redis("CONFIG", "SET", "maxmemory", 1)
            self.hang_up(world, engine, rules("two"))
            self.hang_up(world, engine, counting("three"))
            self.ping(world, engine, "x", customer="c-2")  # a transaction: the marks are said
            engine.stop(signal.SIGKILL)
            world.redis("CONFIG", "SET", "maxmemory", 0)
            return world.engine()
        self.assertEqual(self.count_after(change), [1, 1, 2])  # the first is c-2's

    def test_a_field_that_only_the_new_rules_read_is_there_for_runs_that_are_waiting(self):
        made = rules("one")
        made["rules"]["answer"]["do"][0]["after"] = "4s"
        later = json.loads(json.dumps(made))
        later["rules"]["answer"]["do"][0]["with"]["note"] = "${trigger.note}"
        with World(made, partitions=1) as world, running(world) as engine:
            world.produce([event("c-1", "ping", note="hello")])
            world.wait_decided(engine)
            self.hang_up(world, engine, later)
            self.assertEqual(world.actions(), [])
            [action] = world.wait_actions(1)
            self.assertEqual(json.loads(action.payload), {"template": "one", "note": "hello"})

    def test_rules_too_large_for_a_mark_are_refused_at_the_start_and_later(self):
        big = rules("one", tests=[])
        text = json.dumps(big)
        huge = text[:-1] + " " * 3_000_000 + "}"
        with World(rules("one")) as world:
            self.edit(world, huge)
            status, said = world.refusal()
            self.assertEqual(status, 2, said)
            self.assertIn("max.message.bytes", said)
            self.edit(world, rules("one"))
            with running(world) as engine:
                self.ping(world, engine, "a")
                self.hang_up(world, engine, huge, "are refused")
                self.ping(world, engine, "b")
                self.assertEqual(self.templates(world), [("a", "one"), ("b", "one")])
