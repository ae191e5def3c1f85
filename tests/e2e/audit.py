"""relance audit: each action once, or it says which is not."""
import json
import subprocess
import unittest

from support import place
from support.engine import World
from support.kafka import Record, event

RULES = {"stale": "3650d", "events": {"ping": {}, "buy": {}},
         "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "email"}],
                              "goal": {"on": "buy", "within": "1d"}}}}


def audit(world, *options):
    done = subprocess.run([place.program("relance"), "audit", "--output", world.output,
                           f"--kafka.bootstrap.servers={world.kafka.address}", *options],
                          capture_output=True, text=True, timeout=place.PATIENCE * 60)
    return done.returncode, done.stdout, done.stderr


class Audit(unittest.TestCase):
    def test_each_action_once_then_one_twice_and_then_one_missing(self):
        with World(RULES, partitions=2) as world:
            world.produce([event(f"c-{n % 50}", "ping", id=f"p{n}", time="2026-03-02T10:00:00Z") for n in range(300)])
            world.produce([event(f"c-{n}", "buy", id=f"b{n}", time="2026-03-02T11:00:00Z") for n in range(50)])
            engine = world.engine()
            world.wait_decided(engine)
            engine.stop()
            status, said, _ = audit(world)
            self.assertEqual((status, said.strip()),
                             (0, f"{world.output}: 350 actions of 2 input partitions: 0 missing, 0 numbers twice, "
                                 "0 ids twice"))

            record = world.output_records()[0]  # somebody copies an action, and writes one that skips numbers
            world.kafka.produce(world.output, [Record(record.value, key=record.key, headers=record.headers)])
            seq = 5 + max(int(r.header("relance-seq")) for r in world.output_records()
                          if r.header("relance-partition") == record.header("relance-partition"))
            skipped = {**record.headers, "relance-seq": str(seq).encode(), "ce_id": b"0" * 32}
            world.kafka.produce(world.output, [Record(record.value, key=record.key, headers=skipped)])
            status, said, _ = audit(world)
            self.assertEqual(status, 1, said)
            self.assertIn("4 missing, 1 numbers twice, 1 ids twice", said)
            self.assertIn(f"id {record.header('ce_id')} came twice", said)
            self.assertIn(f"numbers {seq - 4} to {seq - 1} of input partition", said)

            status, said, _ = audit(world, "--json")
            found = json.loads(said)
            self.assertEqual((status, found["actions"], found["missing"], found["numbers_twice"], found["ids_twice"]),
                             (1, 352, 4, 1, [record.header("ce_id")]))

    def test_a_topic_that_is_not_there(self):
        with World(RULES) as world:
            world.output = "nowhere"
            status, _, said = audit(world)
            self.assertEqual(status, 2)
            self.assertIn("nowhere", said)
