"""A Redis that answers wrongly, in every way that WAYS has: no command and no engine crashes or waits for ever; each says what
was wrong, and what is in Redis and on the topics stays right.
"""
import concurrent.futures
import itertools
import os
import random
import subprocess
import time
import unittest

from support import place
from support.engine import World, running, sequence_faults
from support.kafka import event
from support.wrong_redis import SLOW, WAYS, WrongRedis

RULES = {
    "stale": "3650d",
    "events": {"ping": {}},
    "counts": {"pings": {"on": "ping"}},
    "sales": {"order": {"on": "ping", "key": "event.id", "total": "1.5"}},
    "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "push", "with": {"n": "${pings()}"}}]},
              "later": {"on": "ping", "again": "rearm", "do": [{"after": "3650d", "send": "email"}]}},
}
TIME = "2026-03-02T10:00:00Z"
CUSTOMERS = [f"c-{n}" for n in range(40)]
PATIENCE_S = 60  # of a scan that does not end: 30 s
# What each command asks Redis.
ASKED = {
    "metrics": ("HGET", "HGETALL"),
    "report": ("HGET", "HGETALL"),
    "inspect": ("HGET",),
    "top": ("HGET", "HGETALL"),
    "explain": ("HGET",),
    "forget": ("HGET",),
    "restore-offsets": ("HGET",),
    "run": ("INFO", "WATCH", "HGETALL", "MULTI", "HSET", "EXEC", "HMGET", "HLEN", "ZRANGE", "HGET"),
}
# Answers of the right form that are lies: no reader can know.
LIES = {("HMGET", "nothing"), ("HLEN", "a number"), ("ZRANGE", "an empty list"), ("ZRANGE", "a list of three")}


def pings(times, begin=0):
    return [event(customer, "ping", TIME, id=f"{customer}-{n}") for n in range(begin, begin + times) for customer in CUSTOMERS]


def hear_again(process, door, seconds=3):
    """Until it has been answered wrongly twice more, so that it has met the first and tried again, or has ended; or asks no more."""
    heard, end = door.garbled, time.monotonic() + seconds
    while process.poll() is None and door.garbled < heard + 2 and time.monotonic() < end:
        time.sleep(0.02)


class WrongAnswers(unittest.TestCase):
    maxDiff = 4000

    def begin(self, partitions=1):
        self.world = World(RULES, partitions=partitions)
        self.addCleanup(self.world.__exit__)
        self.doors = itertools.count()
        self.world.produce(pings(2))
        with running(self.world) as engine:
            self.world.wait_decided(engine)

    def door(self):
        path = str(self.world.folder.path / f"door-{next(self.doors)}")
        door = WrongRedis(self.world.redis.socket, path)
        self.addCleanup(door.close)
        return door, self.world.redis.url_at(path)

    def words(self, command, url):
        world = self.world
        broker = f"--kafka.bootstrap.servers={world.kafka.address}"
        where = [f"--group={world.group}", f"--input={world.input}"]
        rest = {"metrics": [], "report": [], "inspect": ["c-1"], "top": ["--interval=100ms"], "explain": [broker, "c-1"],
                "forget": [broker, "--timeout=1s", "nobody"],
                "restore-offsets": [broker, f"--output={world.output}", "--dry-run"]}
        if command == "run":
            return world.command(redis=url, stop_at_end=True)
        return [place.program("relance"), command, *where, *rest[command]]

    def try_way(self, command, asked, way):
        """What is wrong with how a command bears that answer; nothing: nothing."""
        door, url = self.door()
        door.garble(asked, way)
        what = f"{command}, {asked}: {way}"
        process = place.start(self.words(command, url), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, "RELANCE_REDIS": url})
        try:
            # `top` and `run` go on until they are told to end, as long as they hope; `run` does for ever.
            lasting = command in ("top", "run") and way not in SLOW
            if lasting:
                place.wait_until(lambda: door.garbled or process.poll() is not None, PATIENCE_S, f"{what}: it has been asked")
            if lasting:
                hear_again(process, door)
            said = process.communicate(timeout=0.2 if lasting else place.PATIENCE * PATIENCE_S)[0]
        except subprocess.TimeoutExpired:
            process.terminate()
            try:
                said = process.communicate(timeout=place.PATIENCE * 10)[0]
            except subprocess.TimeoutExpired:
                process.kill()
                return f"{what}: it does not end; {process.communicate()[0][-500:]}"
            if command not in ("top", "run"):
                return f"{what}: it had to be told to end; {said[-500:]}"
        finally:
            door.close()
        said = said.decode(errors="replace")
        if process.returncode not in (0, 1, 2, 3) or "not so:" in said:
            return f"{what}: ended with {process.returncode}; {said[-1000:]}"
        if process.returncode and not any(word in said for word in (f"relance {command}: ", "why=", "does an engine run?")):
            return f"{what}: ended with {process.returncode} and no sentence; {said[-1000:]}"
        return "\x1b" in said and f"{what}: orders to a terminal"

    def snapshot(self):
        """All that is in Redis, without the order of a hash, which changes when it is read."""
        redis = self.world.redis
        read = {b"hash": ("HGETALL", ()), b"zset": ("ZRANGE", (0, -1, "WITHSCORES"))}
        def content(key):
            command, rest = read[redis("TYPE", key)]
            flat = redis(command, key, *rest)
            return dict(zip(flat[::2], flat[1::2]))
        return {key: content(key) for key in sorted(redis("KEYS", "*")) if b"live" not in key and b":instances" not in key}

    def bear(self, commands):
        trials = [(command, asked, way) for command in commands for asked in ASKED[command] for way in WAYS
                  if way != "a cursor without end" or "SCAN" in asked]
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            faults = [fault for fault in pool.map(lambda trial: self.try_way(*trial), trials) if fault]
        self.assertEqual(faults, [])
        print(f"{len(trials)} wrong answers to {', '.join(commands)}", flush=True)

    def test_commands_that_look_say_what_is_wrong(self):
        self.begin()
        before = self.snapshot()
        self.bear(["metrics", "report", "inspect", "top", "explain"])
        self.assertEqual(self.snapshot(), before)

    def test_commands_that_act_say_what_is_wrong(self):
        self.begin()
        before = self.snapshot()
        self.bear(["forget", "restore-offsets"])
        self.assertEqual(self.snapshot(), before)
        self.finish(2)

    def finish(self, rounds):
        """An engine at the real Redis goes on, and every customer has been counted right from beginning to end."""
        world = self.world
        world.produce(pings(1, rounds))
        with running(world) as engine:
            world.wait_decided(engine)
        records = [record for record in world.output_records() if record.json()["rule"] == "answer"]
        heard = {}
        for record in records:
            heard.setdefault(record.json()["customer"], []).append(record.json()["with"]["n"])
        self.assertEqual(heard, {customer: list(range(1, rounds + 2)) for customer in CUSTOMERS})
        self.assertEqual(sequence_faults(world.output_records()), [])

    def test_an_engine_at_its_start(self):
        """One after the other, since they have one name; those that try again for ever are told to end."""
        self.begin()
        generator = random.Random(1)
        trials = [(asked, way) for asked in ASKED["run"] for way in WAYS
                  if (asked, way) not in LIES and way not in SLOW and generator.random() < 0.12]
        faults = [fault for asked, way in trials if (fault := self.try_way("run", asked, way))]
        self.assertEqual(faults, [])
        print(f"{len(trials)} wrong answers at the start of an engine", flush=True)
        self.finish(2)

    def test_an_engine_in_mid_flight(self):
        self.begin(partitions=2)
        door, url = self.door()
        generator, rounds, ends = random.Random(2), 2, []
        engine = self.world.engine(redis=url)
        for _ in range(60):
            asked = generator.choice(ASKED["run"])
            way = generator.choice([way for way in WAYS if (asked, way) not in LIES])
            door.garble(asked, way, 1)
            self.world.produce(pings(1, rounds))
            rounds += 1
            time.sleep(0.3)
            if not engine.is_running():
                status, _ = engine.stop(None)
                self.assertEqual(status, 1, engine.output()[-2000:])
                self.assertIn("why=", engine.output())
                ends.append(f"{asked}: {way}")
                door.heal()
                engine = self.world.engine(redis=url)
            self.assertNotIn("not so:", engine.output())
        door.heal()
        self.world.wait_decided(engine)
        status, _ = engine.stop()
        self.assertEqual(status, 0, engine.output()[-2000:])
        print(f"{door.garbled} wrong answers in mid-flight; it ended for {ends}", flush=True)
        self.finish(rounds)
