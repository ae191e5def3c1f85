"""Something that is needed has gone for ever: the engine stops with a sentence that says what, and what is meant
for it; with that it goes on, publishes nothing twice and, as far as can be, leaves nothing out.

Every customer pings; each ping is answered at once with its number, and with another word two seconds after the
last. So a state that is lost, doubled or of another moment shows in what is published next.
"""
import json
import random
import subprocess
import time
import unittest

from e2e.faults_siege import LASTING, Siege
from support import place
from support.engine import World, place_faults, sequence_faults
from support.kafka import event

CUSTOMERS = 6
META = "relance:{%s:%s:%d}:%s"
RULES = {
    "stale": "3650d",
    "events": {"ping": {"n": "int"}, "leave": {}},
    "counts": {"pings": {"on": "ping"}},
    "rules": {
        "answer": {"on": "ping", "key": "event.id", "do": [{"send": "push", "with": {"n": "${pings()}"}}]},
        "gone": {"on": "leave", "do": [{"after": "20s", "send": "email", "with": {"n": "${pings()}"}}]},
        "silent": {"on": "ping", "again": "rearm", "do": [{"after": "2s", "send": "email", "with": {"n": "${trigger.n}"}}]},
    },
}


def stamp(ahead_s=0):
    now = time.time() + ahead_s
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}Z"


class Recovery(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.world = World(RULES, partitions=2, redis_config={"appendfsync": "always"})
        self.addCleanup(self.world.__exit__)
        self.siege = Siege(self.world, random.Random(1))
        self.addCleanup(self.siege.__exit__)
        self.sent = 0

    # ---- steps of the stories

    def options(self, **options):
        return {"kafka.session.timeout.ms": 3000, "kafka.heartbeat.interval.ms": 500,
                "kafka.transaction.timeout.ms": 2500, **options}

    def live(self, partitions=2, door=False, **options):
        """Starts an engine and waits until it has its partitions; `door`: it reaches Redis through the siege's."""
        if door:
            options |= {"redis": self.world.redis.url_at(self.siege.redis_path), **LASTING}
        self.engine = self.world.engine(**self.options(**options))
        self.addCleanup(self.engine.stop, 9)
        self.wait_said("A partition is live.", partitions)
        return self.engine

    def wait_said(self, sentence, times=1):
        def said():
            if not self.engine.is_running():
                raise AssertionError(f"the engine ended: {self.engine.output()[-4000:]}")
            return self.engine.output().count(sentence) >= times
        place.wait_until(said, 30, f"it says {times} times: {sentence}")

    def ping(self, rounds=3):
        for n in range(self.sent + 1, self.sent + rounds + 1):
            self.world.produce([event(f"c-{c}", "ping", id=f"{c}-{n}", time=stamp(), n=n) for c in range(CUSTOMERS)])
        self.sent += rounds

    def wait_saved(self):
        """All that was sent has been decided and stands in Redis, and everybody has been silent for long enough."""
        self.world.wait_decided(self.engine)
        self.world.wait_saved()
        place.wait_until(lambda: self.counted("rule.silent.finished") == self.counted("rule.silent.started") > 0, 20,
                         "all waits are over")  # what was started is counted in the checkpoint that has all records

    def counted(self, name):
        return self.world.counters().get(name, 0)

    def key(self, partition, part="meta"):
        return META % (self.world.group, self.world.input, partition, part)

    def meta(self, partition, field):
        value = self.world.redis("HGET", self.key(partition), field)
        return value.decode() if value is not None else None

    def states(self):
        """All of what Redis has that is a function of the events."""
        kept = ("offset", "marks", "clock", "seq", "chain", "rules_mark", "since")
        return [[self.world.redis.hash(self.key(p, "customers")), self.world.redis.hash(self.key(p, "metrics")), self.world.redis.hash(self.key(p, "cohorts")),
                 {day: self.world.redis.hash(self.key(p, f"sales:{day.decode()}")) for day in self.world.redis.hash(self.key(p, "sales"))},
                 [self.world.redis("HGET", self.key(p), field) for field in kept]] for p in range(2)]

    def end(self, how=None):
        status, _ = self.engine.stop(*([how] if how else []))
        if how is None:
            self.assertEqual(status, 0, self.engine.output())
        else:
            self.world.kafka.dismiss(self.world.group)

    def refused(self, *words, **options):
        status, said = self.world.refusal(**self.options(**options))
        self.assertEqual(status, 1, said)
        for word in words:
            self.assertIn(word, said)

    def tool(self, command, *words, status=0):
        world = self.world
        done = subprocess.run(
            [place.program("relance"), command, f"--input={world.input}", f"--output={world.output}",
             f"--group={world.group}", f"--redis={world.redis.reader_url}", f"--kafka.bootstrap.servers={world.kafka.address}",
             *words], capture_output=True, text=True, timeout=place.PATIENCE * 60, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def heard(self):
        """{customer: [numbers of answers], [numbers of last words]}, in the order of the output."""
        heard = {f"c-{c}": ([], []) for c in range(CUSTOMERS)}
        for record in self.world.output_records():
            body = record.json()
            heard[body["customer"]][body["rule"] == "silent"].append(body["with"]["n"])
        return heard

    def assert_answered(self):
        """Each ping once, counted up by one; nobody heard the last word on a ping twice."""
        for answers, words in self.heard().values():
            self.assertEqual(answers, list(range(1, self.sent + 1)))
            self.assertEqual(len(words), len(set(words)))
        self.assertEqual(sequence_faults(self.world.output_records()), [])

    def finish(self):
        self.ping()
        self.wait_saved()
        self.end()
        self.assert_answered()

    # ---- Redis has nothing that fits

    def test_an_emptied_redis_is_rebuilt_to_the_same_state(self):
        self.live()
        self.ping()
        self.wait_saved()
        self.world.rules.write_text(json.dumps(RULES | {"tz": "Europe/Paris"}))
        self.end()
        self.live()
        self.ping()
        self.wait_saved()
        self.end()
        before = self.states()
        self.world.redis("FLUSHALL")
        self.refused("Redis has no checkpoint", "--rebuild decides all records again")
        self.live(rebuild=True)
        place.wait_until(lambda: self.counted("events") == self.sent * CUSTOMERS, 20, "Redis has it again")
        self.end()
        self.assertNotIn("not exact", self.engine.output())
        self.assertEqual([part[:2] for part in self.states()], [part[:2] for part in before])
        self.live(rebuild=True)  # a supervisor that keeps the option changes nothing
        self.finish()
        self.assertNotIn("Deciding everything again", self.engine.output())

    def test_a_redis_of_another_group(self):
        other = World(RULES, partitions=2)
        self.addCleanup(other.__exit__)
        self.live()
        self.ping()
        self.wait_saved()
        self.end()
        for p in range(2):
            self.world.redis("HSET", self.key(p), "store", "01234567-89ab-4cde-8f01-23456789abcd")
        self.refused("of another group or a copy", "Is --redis right?", "--rebuild")
        self.live(rebuild=True)
        self.finish()

    def test_a_checkpoint_of_another_format(self):
        self.live()
        self.ping()
        self.wait_saved()
        self.end()
        next_format = str(int(self.meta(0, "format")) + 1)
        for format_ in ("0", next_format):
            for p in range(2):
                self.world.redis("HSET", self.key(p), "format", format_, "version", "9.9")
            self.refused(f"format {format_} and is of version 9.9", "--rebuild")
        self.live(rebuild=True)
        self.finish()

    def test_rebuilt_without_the_oldest_records_and_marks_nothing_is_said_twice(self):
        self.live()
        self.ping()
        self.wait_saved()
        self.end()
        self.world.redis("FLUSHALL")
        cut = self.sent * CUSTOMERS // 4  # of records and control records, in each partition
        for p in range(2):
            self.world.kafka.truncate(self.world.input, p, cut)
            self.world.kafka.truncate(f"{self.world.output}.marks", p, 2)
        self.live(rebuild=True)
        self.wait_said("Recovered, but not exactly.", 2)
        said = len(self.world.output_records())
        time.sleep(3)
        self.assertEqual(len(self.world.output_records()), said, "what is past is not said again")
        self.ping()
        self.wait_saved()
        self.end()
        ids = [record.header("ce_id") for record in self.world.output_records()]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual(sequence_faults(self.world.output_records()), [])

    # ---- offsets

    def behind(self):
        """An engine ended with a checkpoint far behind what it has said, ticks included."""
        marks = f"{self.world.output}.marks"
        self.live(door=True)
        self.ping()
        self.wait_saved()
        before = self.world.kafka.ends(marks)
        self.siege.redis_door.close_door()
        self.ping()
        self.world.wait_actions((self.sent + 2) * CUSTOMERS)
        place.wait_until(lambda: all(end > before[p] for p, end in self.world.kafka.ends(marks).items()), 20, "time has ended waits")
        self.end(9)
        self.siege.redis_door.open_door()

    def reset(self, offset):
        for p in range(2):
            self.world.kafka.reset(self.world.group, self.world.input, p, offset)

    def test_offsets_that_are_gone(self):
        self.behind()
        self.reset(-1)
        self.refused("has no offset", "relance restore-offsets", "--accept-loss with --from")
        self.assertIn("would be put back", self.tool("restore-offsets", "--dry-run"))
        self.assertEqual({offset for offset, _ in self.world.frontier().values()}, {-1})
        self.assertEqual(self.tool("restore-offsets").count("put back"), 2)
        self.assertEqual(self.tool("restore-offsets").count("right as it is"), 2)
        self.live()
        self.finish()
        self.assertNotIn("not exact", self.engine.output())

    def test_offsets_that_are_gone_are_behind_what_only_lines_tell_of(self):
        self.world.kafka.create(self.world.decisions, 2)
        with_lines = {"decisions": self.world.decisions}
        self.live(door=True, **with_lines)
        self.ping()
        self.wait_saved()
        self.siege.redis_door.close_door()
        before = len(self.world.lines())
        self.world.produce([event(f"c-{c}", "leave", id=f"{c}-left", time=stamp()) for c in range(CUSTOMERS)])  # no action for 20 s
        place.wait_until(lambda: len(self.world.lines()) >= before + CUSTOMERS, 15, "the lines are there", pause_s=0.2)
        self.world.wait_decided(self.engine)
        self.end(9)
        self.siege.redis_door.open_door()
        ends = {p: offset for p, (offset, _) in self.world.frontier().items()}
        self.reset(-1)
        found = {int(row.split()[0]): int(row.split()[2]) for row in self.tool("restore-offsets", "--dry-run").splitlines()[1:]}
        self.assertTrue(all(found[p] < end for p, end in ends.items()), (found, ends))  # nothing else tells of it
        lines = f"--decisions={self.world.decisions}"
        self.assertEqual(self.tool("restore-offsets", lines).count("put back"), 2)
        self.assertEqual({p: offset for p, (offset, _) in self.world.frontier().items()}, ends)
        self.live(**with_lines)
        self.world.wait_decided(self.engine)
        self.end()
        self.assertEqual(place_faults(self.world.lines()), [])

    def test_offsets_set_by_hand(self):
        self.behind()
        self.reset(1)
        self.refused("an offset that is not ours", "relance restore-offsets")
        self.tool("restore-offsets")
        self.live()
        self.finish()

    def test_offsets_are_not_restored_under_a_living_engine(self):
        self.live()
        self.ping()
        self.wait_saved()
        self.assertEqual(self.tool("restore-offsets").count("right as it is"), 2)
        for p in range(2):
            self.world.redis("HSET", self.key(p), "offset", "1000000")
        self.assertIn("the input ends before", self.tool("restore-offsets", "--timeout=1s", status=1))

    # ---- records and marks

    def test_records_that_are_needed_are_gone(self):
        self.behind()
        self.ping()  # nobody has seen these
        for p, (offset, _) in self.world.frontier().items():
            self.world.kafka.truncate(self.world.input, p, offset)
        self.refused("are needed, the oldest kept is", "--accept-loss goes on without what is gone")
        self.live(accept_loss=True)
        self.wait_said("Recovered, but not exactly.", 2)
        self.ping()
        self.wait_saved()
        self.end()
        for answers, words in self.heard().values():
            # Six answers before; the state then knows of three pings, and counts on from there.
            self.assertEqual(answers, [1, 2, 3, 4, 5, 6, 4, 5, 6, 7, 8, 9])
            self.assertEqual(len(words), len(set(words)))
        self.assertEqual(sequence_faults(self.world.output_records()), [])

    def test_records_are_gone_that_had_ended_waits(self):
        """The checkpoint has the waits, the output what came of them; the record whose time ended them is gone."""
        self.live(door=True)
        self.world.produce([event(f"c-{c}", "leave", id=f"leave-{c}", time=stamp()) for c in range(CUSTOMERS)])
        self.world.wait_decided(self.engine)
        place.wait_until(lambda: self.counted("rule.gone.started") == CUSTOMERS, 3, "Redis has the waits")
        self.siege.redis_door.close_door()
        self.world.produce([event(f"c-{c}", "ping", id=f"{c}-ahead", time=stamp(22), n=0) for c in range(CUSTOMERS)])
        self.world.wait_actions(2 * CUSTOMERS)
        self.end(9)
        self.siege.redis_door.open_door()
        for p, (offset, _) in self.world.frontier().items():
            self.world.kafka.truncate(self.world.input, p, offset)
        self.live(accept_loss=True)
        self.wait_said("Recovered, but not exactly.", 2)
        self.ping()
        self.wait_saved()
        place.wait_until(lambda: self.counted("rule.gone.finished") == CUSTOMERS, 20, "these waits are over, too")
        self.end()
        words = [record.json()["customer"] for record in self.world.output_records() if record.json()["rule"] == "gone"]
        self.assertEqual(sorted(words), [f"c-{c}" for c in range(CUSTOMERS)])

    def test_marks_that_are_needed_are_gone(self):
        self.behind()
        for p in range(2):
            ends = self.world.kafka.ends(f"{self.world.output}.marks")
            self.world.kafka.truncate(f"{self.world.output}.marks", p, ends[p])
        self.refused("marks topic", "--accept-loss goes on without what is gone")
        self.live(accept_loss=True)
        self.finish()

    def test_an_input_made_anew(self):
        self.live()
        self.ping()
        self.wait_saved()
        self.end()
        self.world.kafka.delete(self.world.input)
        self.world.kafka.create(self.world.input, 2)
        self.world.produce([event(f"c-{c}", "ping", id=f"new-{c}-{n}", time=stamp(), n=n)
                            for n in range(4, 7) for c in range(CUSTOMERS)])
        self.refused("--accept-loss with --from", **{"from": None})
        self.sent = 6
        self.live(accept_loss=True, **{"from": "earliest"})
        self.wait_saved()
        self.end()
        self.assert_answered()
        self.live()
        self.finish()

    def test_an_input_made_anew_behind_offsets_that_are_still_there(self):
        """The last record processed is another one."""
        self.live()
        self.ping()
        self.wait_saved()
        self.end()
        frontier = self.world.frontier()
        for p in range(2):
            self.world.redis("HSET", self.key(p), "last_hash", "0123456789abcdef")
        self.refused("the topic has been made anew", "--accept-loss with --from")
        self.live(accept_loss=True, **{"from": "latest"})
        self.wait_said("Recovered, but not exactly.", 2)
        self.finish()
        self.assertGreaterEqual(min(self.world.frontier()), min(frontier))

    # ---- another engine

    def test_other_options_decided_what_has_to_be_decided_again(self):
        self.behind()
        self.refused("with [engine=", "Start once more as before", "--approximate", lateness="5s")
        self.refused("misplaced=warn", "misplaced=refuse/", "--approximate", misplaced="refuse")
        self.live(approximate=True, lateness="0s")
        self.assertNotIn("not exact", self.engine.output())
        self.end(9)

    def test_approximately_with_other_options(self):
        self.behind()
        self.live(approximate=True, lateness="1s")
        self.wait_said("Recovered, but not exactly.", 2)
        self.ping()
        self.wait_saved()
        self.end()
        self.assert_answered()

    def test_across_an_approximate_recovery_there_is_no_exact_one(self):
        self.behind()
        self.siege.take_dump()
        self.live(approximate=True, lateness="1s")
        self.ping()
        self.wait_saved()
        self.end()
        self.world.redis.kill()
        self.siege.put_dump()
        self.world.redis.start()
        self.refused("a recovery that was not exact", "--approximate", lateness="1s")
        self.live(approximate=True, lateness="1s")
        self.ping()
        self.wait_saved()
        self.end()
        self.assert_answered()

    # ---- partitions

    def test_partitions_added(self):
        self.live()
        self.ping()
        self.wait_saved()
        self.end()
        for topic in (self.world.input, f"{self.world.output}.marks", f"{self.world.output}.links"):
            self.world.kafka.grow(topic, 3)
        self.refused("the topic had 2 partitions and has 3 now", "`relance run --drain` and then `relance reshard`")
