"""Time zones that change under what has to be decided again: only a zone that was used there stops an engine."""
import os
import pathlib
import signal
import shutil
import unittest

from support import place
from support.engine import World, running
from support.kafka import event

RULES = {"stale": "3650d", "events": {"ping": {}, "pong": {}},
         "rules": {"paris": {"on": "ping", "key": "event.id", "if": "event.time.getHours('Europe/Paris') >= 0", "do": [{"send": "push"}]},
                   "york": {"on": "pong", "key": "event.id", "if": "event.time.getHours('America/New_York') >= 0", "do": [{"send": "push"}]}}}
NAMES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Tokyo")
SYSTEM = pathlib.Path("/usr/share/zoneinfo")
OTHER = SYSTEM / "Asia/Kolkata"


class Zones(unittest.TestCase):
    def setUp(self):
        self.world = World(RULES, partitions=1)
        self.addCleanup(self.world.__exit__)
        self.folder = self.world.folder.path / "zoneinfo"
        for name in NAMES:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SYSTEM / name, self.folder / name)
        (self.folder / "tzdata.zi").write_text("# version 2026a\n")
        before = os.environ.get("TZDIR")
        os.environ["TZDIR"] = str(self.folder)
        self.addCleanup(lambda: os.environ.pop("TZDIR") if before is None else os.environ.update(TZDIR=before))

    def decide(self, *types):
        """Events of these types are decided before a checkpoint, and then a pong and another behind the last one that there is."""
        engine = self.world.engine()
        place.wait_until(lambda: "A partition is live." in engine.output(), 30, "it is live")
        self.world.produce([event("anna", kind, id=kind, time="2026-03-02T10:00:00Z") for kind in types])
        self.world.wait_decided(engine)
        self.world.wait_counter("events", len(types))
        self.world.redis("CONFIG", "SET", "maxmemory", "1")
        self.world.produce([event("anna", "pong", id=f"last{n}", time="2026-03-02T10:00:00Z") for n in range(2)])
        self.world.wait_decided(engine)
        engine.stop(signal.SIGKILL)
        self.world.redis("CONFIG", "SET", "maxmemory", "0")

    def assert_goes_on(self):
        with running(self.world) as engine:
            place.wait_until(lambda: "A partition is live." in engine.output(), 30, "it has decided all again")
        self.world.wait_counter("events", 3)

    def test_a_zone_that_was_used_in_what_has_to_be_decided_again(self):
        self.decide("ping")
        marks = "".join(record.value.decode() for record in self.world.kafka.consume(f"{self.world.output}.marks"))
        self.assertIn('"zones":{"America/New_York":"', marks)
        kept = (self.folder / "America/New_York").read_bytes()
        shutil.copy(OTHER, self.folder / "America/New_York")
        status, said = self.world.refusal()
        self.assertEqual(status, 1, said)
        self.assertIn("the time zone America/New_York has changed since", said)
        (self.folder / "America/New_York").write_bytes(kept)
        self.assert_goes_on()

    def test_a_zone_that_was_used_before_only(self):
        self.decide("ping")
        shutil.copy(OTHER, self.folder / "Europe/Paris")
        self.assert_goes_on()

    def test_a_zone_that_nobody_has_used(self):
        self.decide("ping")
        shutil.copy(OTHER, self.folder / "Asia/Tokyo")
        (self.folder / "tzdata.zi").write_text("# version 2026b\n")
        self.assert_goes_on()

    def test_a_zone_that_has_gone(self):
        self.decide("ping")
        (self.folder / "America/New_York").unlink()
        (self.folder / "Asia/Tokyo").unlink()
        status, said = self.world.refusal(approximate=None)
        self.assertNotEqual(status, 0)
        self.assertIn("America/New_York", said)

    def test_options_that_name_the_version_of_all_zones_are_held_to_it(self):
        """As checkpoints have them that were written before zones stood in marks."""
        self.decide("ping")
        meta = f"relance:{{{self.world.group}:{self.world.input}:0}}:meta"
        options = self.world.redis("HGET", meta, "options").decode()
        self.world.redis("HSET", meta, "options", f"{options} tzdata=2025b")
        status, said = self.world.refusal()
        self.assertEqual(status, 1, said)
        self.assertIn("tzdata=2025b]", said)
        self.world.redis("HSET", meta, "options", f"{options} tzdata=2026a")
        self.assert_goes_on()


if __name__ == "__main__":
    unittest.main()
