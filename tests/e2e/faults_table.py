"""The table of what can happen, a test a line, where real servers can be brought to it (DELIVERY.md §6).

What stands elsewhere: refusals.py (what stops the engine), bad_input.py (poison), stopping.py (SIGTERM),
pressure.py (servers away, slow, full), crashes.py and faults.py (all of it at random).
"""
import json
import os
import random
import subprocess
import unittest
from unittest import mock

from e2e.faults_siege import LASTING, SESSION_S, Siege
from support import place
from support.engine import World, sequence_faults
from support.kafka import event

META = "relance:{%s:%s:%d}:meta"
EXEC = rb"\r\nwhole\r\n.*\r\nEXEC\r\n"  # of a checkpoint: others make transactions, too
CLAIM = rb"HGETALL\r\n\$\d+\r\nrelance:[^\r]*:%d}:meta"
END_TRANSACTION = rb"^.{4}\x00\x1a\x00"  # a request's size, its key, its version
COUNTING = {
    "stale": "3650d",
    "events": {"ping": {"pad": "string"}},
    "counts": {"pings": {"on": "ping"}},
    "rules": {"answer": {"on": "ping", "key": "event.id",
                         "do": [{"send": "push", "with": {"n": "${pings()}", "text": "before"}}]}},
}


class Table(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.world = World(COUNTING, partitions=2, redis_config={"appendfsync": "always"})
        self.addCleanup(self.world.__exit__)
        self.siege = Siege(self.world, random.Random(1))
        self.addCleanup(self.siege.__exit__)
        self.sent = 0

    # ---- steps of the stories

    def live(self, name="one", partitions=2, **options):
        """Starts an engine and waits until it has partitions."""
        engine = self.siege.start(name, **options)
        self.wait_said(engine, "A partition is live.", partitions)
        return engine

    def wait_said(self, engine, sentence, times=1, seconds=30):
        place.wait_until(lambda: self.siege.supervise() or engine.output().count(sentence) >= times, seconds,
                         f"it says {times} times: {sentence}")

    def ping(self, rounds=5, customers=8):
        """Every customer pings so many times; each has to hear the next numbers."""
        for n in range(self.sent, self.sent + rounds):
            self.world.produce([event(f"c-{c}", "ping", id=f"{c}-{n}", time="2026-03-02T10:00:00Z")
                                for c in range(customers)])
        self.sent += rounds

    def wait_saved(self):
        """Waits until all that was sent has been decided, and counted in Redis."""
        self.siege.wait_decided()
        place.wait_until(lambda: self.world.counters().get("events", 0) == self.sent * 8, 20, "all is in Redis")

    def finish(self, customers=8):
        """In the end each customer has heard 1, 2, 3 ... as often as it pinged, and every event is counted once."""
        self.siege.heal()
        self.wait_saved()
        self.siege.end()
        heard = {}
        for record in self.world.output_records():
            heard.setdefault(record.json()["customer"], []).append(record.json()["with"]["n"])
        self.assertEqual(heard, {f"c-{c}": list(range(1, self.sent + 1)) for c in range(customers)})
        self.assertEqual(sequence_faults(self.world.output_records()), [])

    def lose(self, lose, pattern):
        lose(pattern)
        self.ping(1)
        door = lose.__self__
        place.wait_until(door.has_lost, 20, "it has been lost", pause_s=0.001)

    # ---- crashes

    def test_killed_with_a_checkpoint_under_way(self):
        for lose in (self.siege.redis_door.lose_answer, self.siege.redis_door.lose_command):
            self.live()
            self.ping()
            self.lose(lose, EXEC)
            self.siege.kill("one")
        self.live()
        self.finish()

    def test_killed_with_a_commit_under_way(self):
        for lose in (self.siege.kafka_door.lose_answer, self.siege.kafka_door.lose_command):
            self.live()
            self.ping()
            self.lose(lose, END_TRANSACTION)
            self.siege.kill("one")
        self.live()
        self.finish()

    # ---- answers that are lost

    def test_a_commits_answer_lost_and_nothing_guessed(self):
        engine = self.live()
        self.lose(self.siege.kafka_door.lose_answer, END_TRANSACTION)
        self.siege.kafka_door.close_door()  # and no asking again
        self.wait_said(engine, "Claiming everything again.")
        self.siege.kafka_door.open_door()
        self.ping()
        self.finish()

    def test_a_checkpoints_answer_lost_the_stamp_tells(self):
        engine = self.live()
        for lose in (self.siege.redis_door.lose_answer, self.siege.redis_door.lose_command):
            self.wait_saved()
            self.ping()
            self.lose(lose, EXEC)
        self.ping()
        self.wait_said(engine, "The answer to a checkpoint was lost")
        self.finish()

    # ---- others in our place

    def test_a_foreign_stamp_is_claimed_over(self):
        engine = self.live()
        self.ping()
        self.wait_saved()
        for partition in range(2):
            self.world.redis("HSET", META % (self.world.group, self.world.input, partition), "stamp", "f" * 32)
        self.ping()
        self.wait_said(engine, "A partition is live.", 4)
        self.finish()

    def test_a_frozen_engine_loses_its_partitions_and_says_nothing_twice(self):
        self.live("one")
        self.ping()
        self.siege.freeze("one")
        heir = self.live("two")
        self.ping()
        self.siege.wait_decided()
        self.siege.thaw("one")
        self.ping()
        self.siege.pass_time(SESSION_S, SESSION_S)
        self.assertTrue(heir.is_running(), heir.output())
        self.ping()
        self.finish()

    def test_of_two_with_one_name_the_older_ends_with_a_sentence(self):
        older = self.live()
        self.ping()
        younger = self.live()
        self.ping()
        status, _ = older.stop(None, 30)
        self.assertEqual(status, 1)
        self.assertIn("another process has started under our --instance; it has taken over", older.output())
        self.assertTrue(younger.is_running(), younger.output())
        self.ping()
        self.finish()

    # ---- a rebalance: all partitions are taken away, and most of them come back

    def test_what_a_rebalance_gives_back_goes_on_with_the_states_at_hand(self):
        one = self.live()
        self.ping()
        self.wait_saved()
        two = self.live("two", 1)
        self.wait_said(one, "states=kept")
        self.ping()
        self.wait_saved()
        two.stop()
        del self.siege.engines["two"]
        self.wait_said(one, "states=kept", 2, SESSION_S + 30)
        self.wait_said(one, "A partition is live.", 5)
        self.assertEqual(one.output().count("states=loaded"), 3, one.output())
        self.ping()
        self.finish()

    # ---- Redis is waited for, and nothing is read meanwhile

    def wait_for_redis(self):
        """An engine that waits in the middle of a batch, since its Redis does not answer."""
        self.live()
        self.ping()
        self.wait_saved()
        self.siege.kill("one")  # what it knows of customers it has to ask for after that
        engine = self.live()
        self.siege.redis_door.held = True
        self.ping()
        self.wait_said(engine, "Waiting for Redis to read customers.")
        return engine

    def test_what_is_taken_away_in_a_wait_for_redis_is_read_when_it_comes_back(self):
        one = self.wait_for_redis()
        two = self.siege.start("two", redis=self.world.redis.url)
        self.wait_said(two, "A partition is live.")
        self.siege.heal()
        self.wait_said(one, "A partition is live.", 3)
        self.wait_saved()
        self.siege.kill("two")
        del self.siege.engines["two"]
        self.wait_said(one, "A partition is live.", 5, SESSION_S + 30)
        self.ping()
        self.finish()

    def test_what_is_claimed_later_than_its_neighbour_after_a_wait_for_redis_is_read(self):
        engine = self.wait_for_redis()
        for partition in range(2):
            self.world.redis("HSET", META % (self.world.group, self.world.input, partition), "stamp", "f" * 32)
        self.siege.redis_door.lose_answer(CLAIM % 1)
        self.siege.redis_door.held = False
        self.wait_said(engine, 'A partition cannot be claimed yet." partition=1')
        self.wait_said(engine, "A partition is live.", 4)
        self.finish()

    # ---- Redis of another moment

    def restore(self, alive):
        engine = self.live()
        self.ping()
        self.wait_saved()
        self.siege.take_dump()
        self.ping()
        self.wait_saved()
        if not alive:
            self.siege.kill("one")
        self.world.redis.kill()
        self.siege.put_dump()
        self.world.redis.start()
        if not alive:
            engine = self.live()
        self.ping()
        self.wait_said(engine, "A partition is live.", 4 if alive else 2)
        self.finish()

    def test_a_client_that_takes_itself_for_fenced_asks_the_group_and_joins_anew(self):
        library = self.world.folder.path / "fenced.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, place.ROOT / "tests" / "support" / "fenced.c", "-ldl"],
                       check=True)
        with mock.patch.dict(os.environ, LD_PRELOAD=str(library)):
            engine = self.siege.start("one")
        self.wait_said(engine, "A partition is live.", 2)
        self.ping()
        self.wait_said(engine, "joining the group anew")
        self.ping()
        self.finish()

    def test_redis_restored_from_an_older_dump_under_a_living_engine(self):
        self.restore(alive=True)

    def test_redis_restored_from_an_older_dump_before_a_start(self):
        self.restore(alive=False)

    # ---- a producer's transaction

    def test_a_transaction_of_the_input_that_hangs_is_told_of_and_what_it_hides_is_decided_in_the_end(self):
        engine = self.live()
        self.ping()
        self.wait_saved()
        self.world.produce([event("c-1", "ping", id=f"hidden-{n}", time="2026-03-02T10:00:00Z") for n in range(3)],
                           transaction="hang")
        self.ping(1)
        self.wait_said(engine, "A producer's transaction that does not end hides the records behind it.", seconds=50)
        self.assertIn("transaction_begins_at_offset=", engine.output())
        self.world.produce([], transaction="abort")  # a producer of the same name: the broker aborts what it left
        self.finish()

    # ---- rules

    def test_rules_edited_then_a_crash_what_was_decided_stays(self):
        self.live(**LASTING)
        self.wait_saved()
        self.siege.redis_door.close_door()  # no checkpoint of what follows
        self.ping()
        self.siege.wait_decided()
        self.siege.kill("one")
        self.world.kafka.dismiss(self.world.group)
        after = json.loads(json.dumps(COUNTING).replace("before", "after"))
        self.world.rules.write_text(json.dumps(after))
        self.siege.redis_door.open_door()
        self.live()
        self.ping()
        self.finish()
        said = [record.json()["with"] for record in self.world.output_records()]
        texts = {(one["n"], one["text"]) for one in said}
        self.assertEqual(sorted(texts), [(n, "before" if n <= 5 else "after") for n in range(1, 11)])

    # ---- sizes

    def test_an_action_above_512_kib_fails_and_its_neighbours_do_not(self):
        padded = COUNTING["rules"]["answer"] | {"do": [{"send": "push", "with": {"n": "${pings()}",
                                                                                "pad": "${trigger.pad}"}}]}
        self.world.rules.write_text(json.dumps(COUNTING | {"rules": {"answer": padded}}))
        self.live()
        for size in (10, 600 << 10, 500 << 10):
            self.world.produce([event("c-1", "ping", id=str(size), time="2026-03-02T10:00:00Z", pad="x" * size)])
        self.siege.wait_decided()
        self.world.wait_counter("rule.answer.failed", 1)
        self.siege.end()
        self.assertEqual([record.json()["with"]["n"] for record in self.world.output_records()], [1, 3])
