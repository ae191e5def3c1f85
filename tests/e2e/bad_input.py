"""What bad input gets (STATE.md §5.1 and §5.3): a dead letter with its headers and the value unchanged, or a counter.

Every test ends with a good event behind the bad one: nothing bad may stop what follows it.
"""
import json
import unittest

from support import logs
from support.engine import MIB, World, running
from support.kafka import Record, event

RULES = {
    "stale": "3650d",
    "events": {"ping": {"size": "int", "note": "string"}, "purchase": {"total": "double"}, "quiet": {}},
    "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "email"}]},
              "thanks": {"on": "purchase", "do": [{"send": "email", "with": {"total": "${trigger.total}"}}]}},
}
TIME = "2026-03-02T10:00:00Z"


def ping(customer="c-1", **fields):
    return event(customer, "ping", **{"time": TIME, **fields})


def raw(value, key=b"c-1"):
    return Record(value, key=key)


# What must end as a dead letter, by the reason that its header gives.
DEAD = {
    "json": [b"no json", b"", b"[1, 2]", b'"text"', b'{"type": "ping", "customer": "c-1"', b'{"type": "ping",}',
             b'{"type": "ping", "customer": "c-1"} trailing', b"\0", b"\xef\xbb\xbf"],
    "utf8": [b'{"type": "ping", "customer": "c-1", "note": "\xff"}', b'{"type": "ping", "customer": "\xc0\x80"}',
             b'{"type": "ping", "customer": "c-1", "note": "\xed\xa0\x80"}'],
    "depth": [b'{"type": "ping", "customer": "c-1", "deep": ' + b"[" * 64 + b"]" * 64 + b"}"],
    "type": [b"{}", b'{"customer": "c-1"}', b'{"type": 5, "customer": "c-1"}', b'{"type": null, "customer": "c-1"}'],
    "customer": [b'{"type": "ping"}', b'{"type": "ping", "customer": ""}', b'{"type": "ping", "customer": true}',
                 b'{"type": "ping", "customer": {"id": 1}}'],
    "id": [json.dumps({"type": "ping", "customer": "c-1", "id": "x" * 257}).encode(),
           b'{"type": "ping", "customer": "c-1", "id": [1]}'],
    "time": [b'{"type": "ping", "customer": "c-1", "time": "yesterday"}',
             b'{"type": "ping", "customer": "c-1", "time": "2026-02-30T10:00:00Z"}',
             b'{"type": "ping", "customer": "c-1", "time": "2026-03-02 10:00"}',
             b'{"type": "ping", "customer": "c-1", "time": true}'],
}


class BadInput(unittest.TestCase):
    maxDiff = 4000

    def through(self, world, records):
        """Sends records and a good one, and waits until the engine is through; the actions."""
        world.produce([*records, ping("last", id="last")])
        with running(world) as engine:
            world.wait_decided(engine)
        self.said = engine.output()
        actions = world.actions()
        self.assertEqual([a.customer for a in actions][-1:], ["last"])
        return actions

    def world(self, **options):
        return World(RULES, partitions=1, input_config={"max_message_bytes": 4 * MIB}, **options)

    def assert_counters(self, world, **expected):
        counters = world.counters()
        found = {name: counters.get(name.replace("__", "."), 0) for name in expected}
        self.assertEqual(found, expected)

    def test_every_kind_of_broken_record_ends_unchanged_among_the_dead_with_its_reason(self):
        values = [(reason, value) for reason, rows in DEAD.items() for value in rows]
        with self.world() as world:
            self.through(world, [raw(value) for _, value in values])
            letters = world.dead()
            found = [(letter.header("relance-reason"), letter.value) for letter in letters]
            self.assertEqual(found, values)
            for offset, letter in enumerate(letters):
                self.assertEqual((letter.header("relance-topic"), letter.header("relance-partition"),
                                  letter.header("relance-offset")), (world.input, "0", str(offset)))
            self.assert_counters(world, **{f"dead__{reason}": len(rows) for reason, rows in DEAD.items()})

    def test_a_record_past_the_limit_leaves_its_head_only(self):
        def padded(size):
            head = b'{"type": "ping", "customer": "c-big", "time": "%s", "pad": "' % TIME.encode()
            return head + b"x" * (size - len(head) - 2) + b'"}'
        with self.world() as world:
            actions = self.through(world, [raw(padded(MIB)), raw(padded(MIB + 1)), raw(b"no json " + b"x" * 700000)])
            self.assertEqual([a.customer for a in actions], ["c-big", "last"])
            size, json_ = world.dead()
            self.assertEqual([size.header("relance-reason"), json_.header("relance-reason")], ["size", "json"])
            self.assertTrue(0 < len(size.value) <= 512 * 1024 and padded(MIB + 1).startswith(size.value))
            self.assertTrue(0 < len(json_.value) <= 512 * 1024 and json_.value.startswith(b"no json xxx"))

    def test_a_key_past_what_a_topic_takes_leaves_its_head_only(self):
        key = b"k" * (2 * MIB)
        with self.world() as world:
            self.through(world, [raw(b"no json", key=key)])
            [letter] = world.dead()
            self.assertEqual((letter.key, letter.value), (key[:16384], b"no json"))

    def test_nesting_of_64_is_fine(self):
        deep = ping().value[:-1] + b', "deep": ' + b"[" * 63 + b"]" * 63 + b"}"
        with self.world() as world:
            self.assertEqual(len(self.through(world, [raw(deep)])), 2)
            self.assertEqual(world.dead(), [])

    def test_an_id_of_256_bytes_is_fine(self):
        with self.world() as world:
            self.assertEqual(len(self.through(world, [ping(id="x" * 256)])), 2)
            self.assertEqual(world.dead(), [])

    def test_unknown_types_and_fields_are_ignored_and_types_counted(self):
        with self.world() as world:
            actions = self.through(world, [event("c-1", "unheard-of", time=TIME), event("c-1", "quiet", time=TIME),
                                           ping(id="p", never_declared={"a": [1]})])
            self.assertEqual(len(actions), 2)
            self.assertEqual(world.dead(), [])
            self.assert_counters(world, events=4, events_ignored=2, events__ping=2)

    def test_a_value_of_the_wrong_type_leaves_its_field_absent_and_is_counted(self):
        with self.world() as world:
            actions = self.through(world, [ping(id="p", size="many"),
                                           event("c-2", "purchase", time=TIME, total="much")])
            self.assertEqual([a.customer for a in actions], ["c-1", "last"])  # no total: no thanks, never half-rendered
            self.assert_counters(world, fields_invalid=2, rule__thanks__failed=1)

    def test_of_a_hundred_mishaps_one_is_told_of_and_all_are_counted(self):
        rules = json.loads(json.dumps(RULES))
        rules["rules"]["answer"]["if"] = "event.id == 'last' || event.size > 0"
        world = World(rules, partitions=1)
        with world:
            self.through(world, [ping(id=f"p{n}", size="many", note="private") for n in range(100)])
            self.assert_counters(world, fields_invalid=100, rule__answer__error=100)
        told = [facts for facts in logs.read(self.said) if "more_since" in facts]
        self.assertRegex(told[0].pop("place"), r"rules\.json:\d+:\d+$")
        self.assertEqual([{name: value for name, value in facts.items() if name not in ("time", "level")} for facts in told], [
            {"msg": "An expression cannot be evaluated.", "in": "rule answer", "rule": "answer", "customer": "c-1",
             "why": "no such field 'size'", "more_since": "0"},
            {"msg": "A value does not fit the type of its field, which is left out.", "event": "ping", "field": "size", "type": "int",
             "partition": "0", "offset": "0", "more_since": "0"}])
        self.assertNotIn("private", self.said)

    def test_what_a_customer_has_too_many_of_is_forgotten_and_counted(self):
        world = World({
            "stale": "3650d",
            "events": {"ping": {"note": "string"}},
            "counts": {"notes": {"on": "ping", "by": "event.note"}},
            "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "email", "with": {"n": "${notes('7')}"}}],
                                 "goal": {"on": "ping", "key": "'never'", "within": "30d"}}}}, partitions=1)
        with world:
            self.through(world, [ping(id=f"p{n}", note=str(n)) for n in range(270)])
            self.assert_counters(world, counts_forgotten=14, goals_forgotten=14)

    def test_tombstones_are_skipped_and_counted(self):
        with self.world() as world:
            self.assertEqual(len(self.through(world, [Record(None, key=b"c-1"), Record(None)])), 1)
            self.assertEqual(world.dead(), [])
            self.assert_counters(world, events_tombstone=2, events=1)

    def test_what_a_transaction_aborted_is_never_seen(self):
        with self.world() as world:
            world.produce([ping("aborted"), raw(b"aborted and broken")], transaction="abort")
            world.produce([ping("committed")], transaction="commit")
            actions = self.through(world, [])
            self.assertEqual([a.customer for a in actions], ["committed", "last"])
            self.assertEqual(world.dead(), [])
            self.assert_counters(world, events=2)

    def test_a_record_under_another_key_is_processed_and_counted(self):
        with self.world() as world:
            actions = self.through(world, [Record(ping("c-1").value, key=b"c-2"), Record(ping("c-3").value)])
            self.assertEqual([a.customer for a in actions], ["c-1", "c-3", "last"])
            self.assert_counters(world, events_miskeyed=2)

    def test_duplicates_and_late_events_are_counted(self):
        with self.world() as world:
            actions = self.through(world, [ping(id="twice"), ping(id="twice"),
                                           ping(id="late", time="2026-03-02T09:00:00Z")])
            self.assertEqual(len(actions), 3)
            self.assert_counters(world, events_duplicate=1, events_late=1)

    def test_an_event_from_the_future_does_not_fire_it(self):
        with self.world() as world:
            rules = {**RULES, "rules": {**RULES["rules"], "later": {
                "on": "quiet", "do": [{"after": "1h", "send": "email", "with": {"why": "the future came"}}]}}}
            world.rules.write_text(json.dumps(rules))
            actions = self.through(world, [event("c-1", "quiet"),
                                           ping("c-9", id="far", time="2999-01-01T00:00:00Z")])
            self.assertEqual([a.rule for a in actions], ["answer", "answer"])
            self.assert_counters(world, events_future=1)

    def test_numbers_as_customer_and_id_are_taken_by_their_text(self):
        with self.world() as world:
            body = b'{"type": "ping", "customer": 17, "id": 4711, "time": "2026-03-02T10:00:00Z"}'
            actions = self.through(world, [Record(body, key=b"17")])
            self.assertEqual([(a.customer, a.key) for a in actions], [("17", "4711"), ("last", "last")])
            self.assert_counters(world, events_miskeyed=0)
