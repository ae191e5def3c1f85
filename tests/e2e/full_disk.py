"""Into a full disk every command fails: status 1 and a sentence, whatever it would have printed. Those that need no Kafka
are in tests/golden/outputs; between the two is every row of command.def."""
import re
import subprocess
import sys
import unittest

from support import place
from support.engine import World
from support.kafka import event

sys.path.append(str(place.ROOT / "tests" / "golden" / "outputs"))
RULES = {"stale": "3650d", "events": {"ping": {}}, "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "email"}]}}}
SENTENCE = "standard output cannot be written: No space left on device"


def into_full_disk(command, words):
    with open("/dev/full", "wb") as full:
        return subprocess.run([place.program("relance"), command, *words], stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=place.PATIENCE * 90)


class FullDisk(unittest.TestCase):
    def calls(self, world):
        kafka = [f"--kafka.bootstrap.servers={world.kafka.address}"]
        group = [f"--input={world.input}", f"--group={world.group}", *kafka]
        reader, mover = f"--redis={world.redis.reader_url}", f"--redis={world.redis.reshard_url}"
        return {  # in this order: the last ones need the engine gone, and reshard everything decided
            "run": ["--help"],  # else they print nothing
            "intake": ["--help"],
            "demo": ["--seconds=1"],
            "audit": [f"--output={world.output}", *kafka],
            "forget": ["c-1", "--timeout=1s", reader, *group],
            "restore-offsets": [f"--output={world.output}", "--dry-run", reader, *group],
            "reshard": [mover, *group],
        }

    def test_every_command_that_needs_kafka(self):
        from outputs import ON_KAFKA
        named = re.findall(r'^COMMAND\(\w+, \w+, "([a-z-]+)"', (place.ROOT / "consumer" / "command.def").read_text(), re.M)
        with World(RULES, partitions=2) as world:
            calls = self.calls(world)
            self.assertEqual(set(calls), ON_KAFKA)
            self.assertLessEqual(ON_KAFKA, set(named))
            world.produce([event(f"c-{n}", "ping", id=f"p{n}", time="2026-03-02T10:00:00Z") for n in range(20)])
            self.run_engine(world, stop_at_end=True)
            for command, words in calls.items():
                if command == "reshard":
                    self.run_engine(world, drain=True)  # what `forget` has published
                with self.subTest(command):
                    done = place.wait_until(lambda: self.offered(command, words), 30, "the group is empty", pause_s=0.5)
                    self.assertIn(SENTENCE, done.stderr)
                    self.assertEqual(done.returncode, 1, done.stderr)

    def run_engine(self, world, **how):
        engine = world.engine(**how, **{"kafka.session.timeout.ms": 3000, "kafka.transaction.timeout.ms": 2500})
        status, _ = engine.stop(None, 60)
        self.assertEqual(status, 0, engine.output())

    def offered(self, command, words):
        done = into_full_disk(command, words)
        return None if "has members" in done.stderr else done

    def test_a_reader_that_goes_away_ends_a_command_in_silence(self):
        command = f"{place.program('relance')} simulate --seconds 0 | head -n 1"
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=place.PATIENCE * 60)
        self.assertEqual((done.returncode, done.stderr, done.stdout.count("\n")), (128 + 13, "", 1))

    def test_an_output_that_nobody_has_opened_takes_nothing(self):
        done = subprocess.run(["bash", "-c", f"{place.program('relance')} version >&-"], capture_output=True, text=True, timeout=place.PATIENCE * 60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output cannot be written: Bad file descriptor", done.stderr)

    def test_what_prints_for_ever_ends(self):
        done = into_full_disk("simulate", ["--seconds=0"])
        self.assertEqual(done.returncode, 1)
        self.assertIn(SENTENCE, done.stderr)
