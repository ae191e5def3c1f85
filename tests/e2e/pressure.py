"""Servers that are away, full or slow while events keep coming: memory stays bounded, nothing is lost, and when
they are back all goes on by itself.

`--long` keeps Kafka and Redis away for ten minutes each instead of seconds. Memory is what the kernel says that
the process holds; the bounds are those of consumer/README.md with room for what the allocator keeps.
"""
import os
import pathlib
import random
import subprocess
import time
import unittest

from e2e.faults_siege import LASTING, Siege
from support import place
from support.engine import MIB, World, sequence_faults
from support.kafka import event

LONG = "RELANCE_LONG" in os.environ
AWAY_S = 600 if LONG else 10
CUSTOMERS = 500
MEMORY_GROWTH = 200 * MIB
CHANGED_MAX = 131072  # changed customers of a partition that Redis does not have: then it reads no further
RULES = {
    "stale": "3650d",
    "events": {"ping": {"pad": "string"}},
    "counts": {"pings": {"on": "ping"}},
    "rules": {"answer": {"on": "ping", "if": "pings() % 10 == 1", "key": "event.id",
                         "do": [{"send": "push", "with": {"n": "${pings()}"}}]}},
}
TIME = "2026-03-02T10:00:00Z"


def pings(customers, times=1, begin=0):
    return [event(f"c-{c}", "ping", id=f"{c}-{n}", time=TIME)
            for n in range(begin, begin + times) for c in customers]


def resident(engine):
    """Bytes that the process holds now, and at most held."""
    lines = pathlib.Path(f"/proc/{engine.pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return tuple(int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))


class Pressure(unittest.TestCase):
    maxDiff = 4000

    def begin(self, partitions=2, options=None, **redis_config):
        self.world = World(RULES, partitions=partitions, redis_config=redis_config)
        self.addCleanup(self.world.__exit__)
        self.siege = Siege(self.world, random.Random(1))
        self.addCleanup(self.siege.__exit__)
        self.engine = self.siege.start("one", **(options or {}))
        self.wait_said("A partition is live.", partitions)

    def wait_said(self, sentence, times=1, seconds=30):
        place.wait_until(lambda: self.siege.supervise() or self.engine.output().count(sentence) >= times, seconds,
                         f"it says {times} times: {sentence}")

    def tell(self, what, *facts):
        print(f"{what}: " + ", ".join(facts), flush=True)

    def finish(self, events, customers):
        """Everything decided and counted once; every tenth ping of each customer answered."""
        back = time.monotonic()
        self.siege.wait_decided()
        place.wait_until(lambda: self.world.counters().get("events") == events, 60, f"{events} events are counted")
        took = time.monotonic() - back
        now, most = resident(self.engine)
        self.siege.end()
        records, heard = self.world.output_records(), {}
        for record in records:
            body = record.json()
            heard.setdefault(body["customer"], []).append(body["with"]["n"])
        each = events // customers
        self.assertEqual(set(map(tuple, heard.values())), {tuple(range(1, each + 1, 10))})
        self.assertEqual(len(heard), customers)
        self.assertEqual(sequence_faults(records), [])
        return [f"{events} events, none lost, none twice", f"caught up in {took:.1f} s",
                f"memory {now / MIB:.0f} MiB at the end, {most / MIB:.0f} MiB at most"]

    def feed(self, seconds, rounds=0):
        """CUSTOMERS ping about twice a second, from their ping number `rounds` on; how often each then has."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.world.produce(pings(range(CUSTOMERS), begin=rounds))
            rounds += 1
            self.siege.supervise()
            time.sleep(0.4)
        return rounds

    def away(self, door):
        """Feeds while nobody gets through that door, and a little before and after."""
        rounds = self.feed(2)
        before, _ = resident(self.engine)
        door.close_door()
        rounds = self.feed(AWAY_S, rounds)
        after, _ = resident(self.engine)
        self.siege.heal()
        rounds = self.feed(1, rounds)
        facts = self.finish(rounds * CUSTOMERS, CUSTOMERS)
        self.assertLess(after - before, MEMORY_GROWTH)
        return [f"{AWAY_S} s under load, memory {before / MIB:.0f} -> {after / MIB:.0f} MiB", *facts]

    def test_kafka_out_of_reach_under_load(self):
        self.begin()
        self.tell("Kafka out of reach", *self.away(self.siege.kafka_door))

    def test_redis_out_of_reach_under_load(self):
        self.begin()
        self.tell("Redis out of reach", *self.away(self.siege.redis_door))

    def test_redis_out_of_reach_and_more_customers_than_may_wait_for_it(self):
        """What Redis does not have is bounded: it reads no further, and says nothing that it could not keep."""
        count = CHANGED_MAX * 2
        self.begin(partitions=1, options=LASTING)
        self.world.produce(pings(range(1)))
        self.siege.wait_decided()
        self.world.wait_saved()
        self.siege.redis_door.close_door()
        self.world.produce(pings(range(1, count)))
        self.siege.wait(lambda: self.decided() > CHANGED_MAX, "as many are changed as may be")
        time.sleep(2)
        decided, (memory, _) = self.decided(), resident(self.engine)
        time.sleep(3)
        self.assertEqual(self.decided(), decided)
        self.assertLess(decided, count)
        self.assertLess(resident(self.engine)[0] - memory, MIB)
        two = self.siege.start("two", redis=self.world.redis.url)
        place.wait_until(lambda: "The group has given us partitions." in two.output(), 60, "the group goes on with another")
        self.siege.heal()
        self.tell("Redis out of reach, many customers", f"stopped after {decided} of {count}", *self.finish(count, count))

    def decided(self):
        return self.world.frontier()[0][0]

    # ---- a Redis that is full

    def fill_and_free(self, fill, free):
        self.begin(**self.redis_config)
        rounds = self.feed(1)
        fill()
        rounds = self.feed(3, rounds)
        self.wait_said("Redis takes no checkpoint")
        free()
        self.wait_said("Redis takes checkpoints again.")
        rounds = self.feed(1, rounds)
        return self.finish(rounds * CUSTOMERS, CUSTOMERS)

    def test_redis_out_of_memory(self):
        self.redis_config = {}
        self.tell("Redis out of memory", *self.fill_and_free(
            lambda: self.world.redis("CONFIG", "SET", "maxmemory", "1mb"),
            lambda: self.world.redis("CONFIG", "SET", "maxmemory", "0")))

    def test_a_full_disk_under_redis(self):
        disk = place.Folder("disk")
        self.addCleanup(disk.close)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk.path], capture_output=True).returncode:
            self.skipTest("a small disk cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", disk.path], check=True)
        ballast = disk.path / "ballast"
        self.redis_config = {"dir": str(disk.path), "appendfsync": "everysec"}
        self.tell("A full disk under Redis", *self.fill_and_free(lambda: fill_up(ballast), ballast.unlink))

    # ---- a Redis that is slow

    def test_a_slow_redis_lengthens_the_cycle_and_breaks_nothing(self):
        self.begin()
        rounds, facts = self.feed(3), []
        for delay_s in (0, 0.005, 0.05):
            self.siege.redis_door.delay_s = delay_s
            rounds = self.feed(5, rounds)
            live = self.world.live()
            facts.append(f"{1000 * delay_s:.0f} ms a piece: " + ", ".join(
                f"{name} {live[name]}" for name in sorted(live) if "redis" in name or "cycle" in name))
        self.siege.heal()
        self.tell("A slow Redis", *facts, *self.finish(rounds * CUSTOMERS, CUSTOMERS))


def fill_up(path):
    """Writes until the disk is full."""
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * MIB)
        except OSError:
            pass
