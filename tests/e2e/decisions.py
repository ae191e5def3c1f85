"""`relance run --decisions`: every decision as a line, once, also where the option comes and goes. (Under kills: crashes.py.)"""
import json
import subprocess
import unittest

from support import place
from support.engine import World, place_faults, place_of, running
from support.kafka import Record, event

RULES = {"stale": "3650d", "events": {"ping": {}, "buy": {}}, "limits": [{"max": "1 per day", "send": "push"}],
         "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "email"}], "goal": {"on": "buy", "within": "1d"}},
                   "nag": {"on": "ping", "key": "event.id", "do": [{"send": "push"}]},
                   "silent": {"on": "ping", "key": "event.id", "cancel": ["buy"], "do": [{"after": "9000d", "send": "sms"}]}}}
CUSTOMERS = 20


class Decisions(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.world = World(RULES, partitions=2)
        self.addCleanup(self.world.__exit__)

    def create(self):
        self.world.kafka.create(self.world.decisions, 3)

    def ping(self, n, kind="ping"):
        self.world.produce([event(f"c-{c}", kind, id=f"{kind}-{c}-{n}", time=f"2026-03-02T10:{n:02}:00Z") for c in range(CUSTOMERS)])

    def run_through(self, decisions=True, **options):
        """Decides and saves all that there is, and ends."""
        with running(self.world, decisions=self.world.decisions if decisions else None, **options) as engine:
            self.world.wait_decided(engine)

    def audit(self, *options, status=0):
        world = self.world
        done = subprocess.run([place.program("relance"), "audit", f"--output={world.output}", f"--decisions={world.decisions}",
                               f"--kafka.bootstrap.servers={world.kafka.address}", *options],
                              capture_output=True, text=True, timeout=place.PATIENCE * 60)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def outcomes(self):
        return [line.json()["outcome"] for line in self.world.lines()]

    def test_what_is_only_counted_has_a_line_that_says_by_what(self):
        self.create()
        self.ping(0)
        self.ping(1, "buy")
        self.run_through()
        lines = [line.json() for line in self.world.lines() if line.key == b"c-7"]
        told = [(line["rule"], line["outcome"], line.get("by")) for line in lines]
        self.assertEqual(sorted(told, key=str), sorted([
            ("answer", "started", None), ("answer", "sent", None), ("answer", "finished", None), ("answer", "goal", None),
            ("nag", "started", None), ("nag", "sent", None), ("nag", "finished", None),
            ("silent", "started", None), ("silent", "cancelled", "buy")], key=str))
        self.ping(2)
        self.run_through()
        [capped] = [line.json() for line in self.world.lines() if line.key == b"c-7" and line.json()["outcome"] == "capped"]
        self.assertEqual((capped["rule"], capped["by"]), ("nag", "max 1 per day of push"))
        counters = self.world.counters()
        for outcome in ("started", "capped", "cancelled", "finished"):
            self.assertEqual(self.outcomes().count(outcome), sum(counters[f"rule.{rule}.{outcome}"] for rule in RULES["rules"]
                                                                 if f"rule.{rule}.{outcome}" in counters))
        self.assertEqual(place_faults(self.world.lines()), [])
        self.assertIn(" 0 came again, 0 actions without line, 0 lines without action\n", self.audit())

    def test_a_line_lies_where_the_actions_of_its_customer_lie(self):
        self.world.kafka.create(self.world.decisions, 2)
        self.ping(0)
        self.run_through()
        where = lambda records: {record.key: record.partition for record in records}
        self.assertEqual(where(self.world.lines()), where(self.world.output_records()))

    def test_a_decision_that_is_no_action_does_not_wait_for_one(self):
        self.create()
        engine = self.world.engine(decisions=self.world.decisions)
        self.world.produce([event("anna", "ping", id="p", time="2026-03-02T10:00:00Z")])
        self.world.wait_decided(engine)
        before = len(self.world.lines())
        self.world.produce([event("anna", "buy", id="b", time="2026-03-02T12:00:00Z")])  # a goal, and a cancel
        place.wait_until(lambda: len(self.world.lines()) > before, 10, "the lines are there", pause_s=0.2)
        self.assertEqual(engine.stop()[0], 0)

    def test_switched_off_and_on_nothing_is_told_twice_and_nothing_is_made_up_for(self):
        self.create()
        for n, decisions in enumerate((False, True, False, True)):
            self.ping(n)
            self.run_through(decisions)
        self.ping(4)
        engine = self.world.engine(decisions=self.world.decisions)
        self.world.wait_decided(engine)
        engine.stop(9)  # what is decided again below P is silent
        self.run_through()
        started = [line.json()["key"].split("-")[2] for line in self.world.lines() if line.json()["outcome"] == "started"]
        self.assertEqual({ping: started.count(ping) for ping in sorted(set(started))}, {ping: 3 * CUSTOMERS for ping in "134"})
        self.assertEqual(place_faults(self.world.lines()), [])
        said = self.audit(status=1)
        self.assertIn(f" 0 came again, {CUSTOMERS} actions without line, 0 lines without action\n", said)
        self.assertIn(f"{2 * CUSTOMERS} actions are from before the first lines: they were not compared.", said)
        self.assertRegex(said, r"numbers \d+ to \d+ of input partition \d \(\S+\) have no line")

    def test_the_audit_finds_lines_that_come_again_and_lines_without_action(self):
        self.create()
        self.ping(0)
        self.run_through()
        line = next(line for line in self.world.lines() if line.json()["outcome"] == "sent")
        copy = lambda **headers: Record(line.value, key=line.key, partition=line.partition, headers={**line.headers, **headers})
        seq = 1 + max(int(each.header("relance-seq")) for each in self.world.output_records()
                      if each.header("relance-partition") == line.header("relance-partition"))
        self.world.kafka.produce(self.world.decisions, [copy(), copy(**{"relance-mark": b"99", "relance-seq": str(seq).encode()}),
                                                        Record(b"not of Relance", key=b"x")])
        action = next(each for each in self.world.output_records() if each.header("relance-partition") == line.header("relance-partition"))
        far = {**action.headers, "relance-seq": str(seq + 1).encode(), "ce_id": b"0" * 32}
        self.world.kafka.produce(self.world.output, [Record(action.value, key=action.key, headers=far)])  # has no line; number `seq` is no action
        said = self.audit(status=1)
        self.assertIn(f"{self.world.decisions}: ", said)
        self.assertIn(" 1 came again, 1 actions without line, 1 lines without action\n", said)
        self.assertIn("1 records there are not of Relance.", said)
        partition, mark, offset, index = place_of(line)
        self.assertIn(f"decision {mark}/{offset}/{index} of input partition {partition} came again: record {line.partition}/", said)
        self.assertIn(f"numbers {seq} to {seq} of input partition {partition} (/relance/{self.world.group}) have a line and no action", said)
        found = json.loads(self.audit("--json", status=1))["decisions"]
        self.assertEqual({name: found[name] for name in ("again", "actions_without_line", "lines_without_action", "strangers")},
                         {"again": 1, "actions_without_line": 1, "lines_without_action": 1, "strangers": 1})
        self.assertEqual([(item["lacks"], item["numbers"]) for item in found["lacking"]], [("line", [seq + 1, seq + 1]), ("action", [seq, seq])])

    def test_their_topic_has_to_be_there_and_to_be_their_own(self):
        world = self.world
        status, said = world.refusal(decisions=world.decisions)
        self.assertEqual(status, 2, said)
        self.assertIn(f"Kafka has no topic {world.decisions}; create it, or start with --create-topics", said)
        for topic in (world.input, world.output, f"{world.output}.marks"):
            status, said = world.refusal(decisions=topic)
            self.assertEqual(status, 2, said)
            self.assertIn(f"--decisions: {topic} holds something else", said)
        self.assertEqual(world.refusal(decisions="no/name")[0], 2)
        self.ping(0)
        self.run_through(create_topics=True)
        self.assertEqual(len(world.kafka.ends(world.decisions)), world.partitions)
        self.assertEqual(self.outcomes().count("started"), 3 * CUSTOMERS)
