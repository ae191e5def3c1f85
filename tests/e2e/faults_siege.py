"""A siege: engines that reach Kafka and Redis through doors of ours, and everything that can be done to them.

FAULTS is the list; a seed draws a plan from it and all that is random inside. Engines are started again when they
end because a server was away at their start, as an operator's supervisor would, and with --rebuild when Redis has
kept a part of a checkpoint, as they ask for; that they end for any other reason is a finding, whatever was done to
them.
"""
import json
import shutil
import signal
import time

from support import place
from support.proxy import Proxy

SESSION_S = 3.0  # what the engines are told; the shorter, the more often a frozen one is given up
HEARTBEAT_S = 0.5  # likewise
# Of engines that go on without Redis: what a session or a transaction that ends there leaves could not be claimed again.
LASTING = {"kafka.session.timeout.ms": 30000, "kafka.transaction.timeout.ms": 30000}
HEARD_S = 4 * HEARTBEAT_S  # in that time every worker has heard that its name is another's
AWAY, GIVES_UP = "Cannot start:", "There is no going on."
PART = "Redis has carried out a part of a checkpoint that it had lost"
EMPTY = "Redis has no checkpoint, though"  # what a rebuild leaves that does not come to its end
STILL_S, MOST_S = 120, 600  # how long no partition may move, and how long all of a wait may take
TAIL = 8000  # characters of an engine's output that are told


class Siege:
    def __init__(self, world, dice, workers=1):
        self.world, self.dice, self.workers = world, dice, workers
        self.kafka_door = Proxy(world.kafka.behind, world.kafka.front)
        self.redis_path = str(world.folder.path / "door")
        self.redis_door = Proxy(world.redis.socket, self.redis_path)
        self.engines = {}       # by name, those that are to run
        self.frozen = set()     # of them, those that are stopped just now
        self.done = {}          # how often what was done
        self.diary = []         # what began when
        self.edits = 0
        self.has_rebuilt = False
        self.dump = None        # an older copy of Redis's files
        self.still = _Open()    # held while the broker is away, by whoever must not produce then

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for engine in self.engines.values():
            engine.stop(signal.SIGKILL)
        self.kafka_door.close()
        self.redis_door.close()

    def count(self, what):
        self.done[what] = self.done.get(what, 0) + 1

    # ---- engines
    def options(self, name):
        return {"instance": name, "workers": self.workers, "redis": self.world.redis.url_at(self.redis_path),
                "kafka.bootstrap.servers": f"127.0.0.1:{self.world.kafka.front}",
                "kafka.session.timeout.ms": int(SESSION_S * 1000), "kafka.heartbeat.interval.ms": int(HEARTBEAT_S * 1000),
                "kafka.transaction.timeout.ms": int(SESSION_S * 1000) - 500,
                "kafka.reconnect.backoff.max.ms": 500}

    def start(self, name, **options):
        self.engines[name] = self.world.engine(**{**self.options(name), **options})
        return self.engines[name]

    def kill(self, name):
        self.engines[name].stop(signal.SIGKILL)
        self.frozen.discard(name)
        self.count("SIGKILL of an engine")

    def restart(self, name, how=signal.SIGKILL):
        if how == signal.SIGKILL:
            self.kill(name)
        else:
            self.engines[name].stop(how)
        return self.start(name)

    def freeze(self, name):
        self.engines[name].process.send_signal(signal.SIGSTOP)
        self.frozen.add(name)

    def thaw(self, name):
        self.engines[name].process.send_signal(signal.SIGCONT)
        self.frozen.discard(name)

    def any(self):
        return self.dice.choice(sorted(self.engines))

    def cause_of_end(self, output):
        """Why an engine may end by itself here: "rebuild", "away", or None: it may not."""
        ending = [line for line in output.splitlines() if GIVES_UP in line or AWAY in line][-1:]
        if any(PART in line or (self.has_rebuilt and EMPTY in line) for line in ending):
            return "rebuild"
        return "away" if any(AWAY in line for line in ending) else None

    def start_again(self, name, cause):
        if cause == "rebuild":
            self.has_rebuilt = True
            self.count("a part of a checkpoint found, decided anew")
        else:
            self.count("start that found a server away")
        self.start(name, **({"rebuild": True} if cause == "rebuild" else {}))

    def supervise(self):
        for name, engine in list(self.engines.items()):
            if engine.is_running():
                continue
            output = engine.output()
            cause = self.cause_of_end(output)
            if not cause:
                raise AssertionError(f"engine {name} ended by itself, after {self.diary[-5:]}:\n{output[-60000:]}")
            engine.stop(None)
            self.start_again(name, cause)

    def pass_time(self, low, high):
        """A while in which engines that could not start are started again."""
        end = time.monotonic() + self.dice.uniform(low, high)
        while time.monotonic() < end:
            self.supervise()
            time.sleep(0.05)

    def end(self):
        """SIGTERM to all; each must leave well. An engine that has just begun again may still catch up with what is
        decided: told to end, it would leave without a checkpoint, and say so (status 3)."""
        self.wait(self.is_saved, "all is saved")
        for name, engine in self.engines.items():
            status, _ = engine.stop()
            if status != 0:
                raise AssertionError(f"engine {name} ended with {status}:\n{engine.output()[-6000:]}")
        self.engines = {}

    # ---- Redis's files
    def redis_files(self):
        return self.world.redis.folder.path / "appendonlydir"

    def cut_tail(self):
        """Takes up to a fifth off the end of the append-only file: what `everysec` may lose, and more."""
        newest = max(self.redis_files().glob("*.incr.aof"), key=lambda path: int(path.name.split(".")[2]))
        size = newest.stat().st_size
        with open(newest, "r+b") as file:
            file.truncate(size - self.dice.randrange(1, max(2, size // 5)))

    def take_dump(self):
        self.dump = self.world.folder.path / "dump"
        shutil.rmtree(self.dump, ignore_errors=True)
        shutil.copytree(self.redis_files(), self.dump)

    def put_dump(self):
        shutil.rmtree(self.redis_files())
        shutil.copytree(self.dump, self.redis_files())

    # ---- what a plan is made of
    def plan(self, kills, others):
        """So many kills, and every other fault so many times, in an order of the dice."""
        steps = [kill_engine] * kills + [fault for fault in FAULTS if fault is not kill_engine] * others
        self.dice.shuffle(steps)
        return steps

    def suffer(self, fault):
        """One fault from its beginning to its end; in the middle of every third an engine is killed as well."""
        self.diary.append(f"{time.strftime('%H:%M:%S')} {fault.__name__}")
        fault(self)
        if fault is not kill_engine:
            self.count(fault.__doc__.strip().rstrip("."))

    def middle(self, low, high):
        """The middle of a fault."""
        if self.dice.random() < 0.33:
            name = self.any()
            self.pass_time(0, high / 2)
            if name not in self.frozen:
                self.restart(name)
        self.pass_time(low, high)

    def heal(self):
        """Everything is as it should be again."""
        for door in (self.kafka_door, self.redis_door):
            door.open_door()
        for name in list(self.frozen):
            self.thaw(name)

    # ---- waiting, as long as anything moves
    def wait(self, condition, what):
        def come():
            self.supervise()
            return condition()
        try:
            return place.wait_while_moving(come, lambda: (self.world.frontier(), self.world.saved()), STILL_S, MOST_S, what)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.standing()}") from None

    def wait_saved(self):
        """Until each partition has a second checkpoint: a Redis that loses the first one is an empty one."""
        self.wait(lambda: all(offset > 0 for offset in self.world.saved().values()), "all partitions are saved")

    def wait_decided(self):
        self.wait(self.world.is_decided, "all is decided")

    def is_saved(self):
        saved = self.world.saved()
        return all(saved[p] >= offset for p, offset in self.world.published().items())

    def wait_actions(self, count):
        self.wait(lambda: len(self.world.output_records()) >= count, f"{count} actions")

    def standing(self):
        """Where each partition and each engine stands, for whoever reads of a wait that has failed."""
        ends, frontier, saved = self.world.kafka.ends(self.world.input), self.world.frontier(), self.world.saved()
        lines = [f"after {', '.join(self.diary[-8:])}"]
        lines += [f"partition {p}: published {frontier[p][0]} of {end}, saved {saved[p]}, frontier {frontier[p][1]}"
                  for p, end in sorted(ends.items())]
        lines += [f"door to {name}: {door}" for name, door in (("Kafka", self.kafka_door), ("Redis", self.redis_door))]
        for name, engine in sorted(self.engines.items()):
            lines.append(f"engine {name}, process {engine.pid}, in state {engine.state()}:\n"
                         f"{engine.output()[-TAIL:]}")
        return "\n".join(lines)


class _Open:
    """A lock that nobody else wants, until somebody is given a real one."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


# ---- the faults: each a function of the siege, which leaves the servers well and the engines running

def kill_engine(siege):
    """SIGKILL of an engine."""
    siege.pass_time(0, 1.2)
    name = siege.any()
    siege.kill(name)
    if siege.dice.random() < 0.3:  # the others get its partitions, where there are others
        time.sleep(siege.dice.uniform(0, 1.5 * SESSION_S if len(siege.engines) > 1 else 0.5))
    siege.start(name)


def freeze_engine(siege):
    """SIGSTOP past the session, SIGCONT."""
    name = siege.any()
    siege.freeze(name)
    time.sleep(SESSION_S + siege.dice.uniform(0.5, 2))
    siege.thaw(name)
    siege.pass_time(1, 2)


def twin_engine(siege):
    """SIGSTOP, another process under the same name, SIGCONT."""
    name = siege.any()
    # One that has not come so far would be the younger of the two when it wakes up.
    place.wait_until(lambda: siege.supervise() or "has given us partitions" in siege.engines[name].output(), 60,
                     f"{name} is a member")
    older = siege.engines[name]
    siege.freeze(name)
    siege.frozen.discard(name)
    siege.start(name)
    siege.pass_time(1, SESSION_S + 1)
    older.process.send_signal(signal.SIGCONT)
    settle_twins(siege, name, (older, siege.engines[name]))


def settle_twins(siege, name, twins):
    """A name is whose who joined the group last. Mostly that is the younger; one that slept longer than its session may
    join anew before it hears of that, with all its workers or with some, when both end."""
    try:
        place.wait_until(lambda: not all(twin.is_running() for twin in twins), 60, "one of two with one name ends")
    except TimeoutError as error:
        outputs = "\n".join(twin.output()[-20000:] for twin in twins)
        raise AssertionError(f"{error}:\n{outputs}") from None
    time.sleep(HEARD_S)
    left = [twin for twin in twins if twin.is_running()]
    causes = [cause_of_twins_end(siege, twin) for twin in twins if twin not in left]
    if left:
        siege.engines[name] = left[0]
    elif any(causes):
        siege.start_again(name, "rebuild" if "rebuild" in causes else "away")
    else:
        siege.start(name)


def cause_of_twins_end(siege, twin):
    """None where it was the other twin; else as any engine's."""
    status, _ = twin.stop(None)
    if status in (1, 2) and "another process has started under our --instance" in twin.output():
        return None
    cause = siege.cause_of_end(twin.output())
    if not cause:
        raise AssertionError(f"of two with one name one ended with {status}:\n{twin.output()[-6000:]}")
    return cause


def add_engine(siege):
    """One engine more, then one less."""
    siege.start(f"guest-{len(siege.done)}-{siege.dice.randrange(1000)}")
    siege.middle(1, 4)
    name = siege.any()
    siege.engines[name].stop(siege.dice.choice([signal.SIGTERM, signal.SIGKILL]))
    del siege.engines[name]
    siege.pass_time(0, SESSION_S)


def crash_redis(siege):
    """SIGKILL of Redis, restart."""
    siege.world.redis.kill()
    siege.middle(0, 2)
    siege.world.redis.start()
    siege.pass_time(0, 1)


def cut_redis_tail(siege):
    """SIGKILL of Redis, tail cut, restart."""
    siege.world.redis.kill()
    siege.cut_tail()
    siege.middle(0, 1)
    siege.world.redis.start()
    siege.pass_time(0, 2)


def restore_redis(siege):
    """Redis restored from an older dump, engines alive."""
    siege.take_dump()
    siege.pass_time(2, 5)
    siege.world.redis.kill()
    siege.put_dump()
    siege.world.redis.start()
    siege.pass_time(1, 2)


def restore_redis_dead(siege):
    """Redis restored from an older dump, engines dead."""
    siege.take_dump()
    siege.pass_time(2, 5)
    names = sorted(siege.engines)
    for name in names:
        siege.kill(name)
    siege.world.redis.kill()
    siege.put_dump()
    siege.world.redis.start()
    for name in names:
        siege.start(name)
    siege.pass_time(1, 2)


def kill_clients(siege):
    """CLIENT KILL."""
    for _ in range(siege.dice.randrange(1, 6)):
        siege.world.redis("CLIENT", "KILL", "TYPE", "normal")
        siege.pass_time(0, 0.3)


def pause_clients(siege):
    """CLIENT PAUSE."""
    siege.world.redis("CLIENT", "PAUSE", siege.dice.randrange(200, 5000), siege.dice.choice(["ALL", "WRITE"]))
    siege.middle(0, 3)
    siege.world.redis("CLIENT", "UNPAUSE")


def starve_redis(siege):
    """maxmemory lowered and raised."""
    siege.world.redis("CONFIG", "SET", "maxmemory", "1mb")
    siege.middle(1, 4)
    siege.world.redis("CONFIG", "SET", "maxmemory", "0")
    siege.pass_time(0, 1)


def restart_kafka(siege):
    """restart of the broker."""
    with siege.still:
        siege.dice.choice([siege.world.kafka.stop, siege.world.kafka.kill])()
        siege.middle(0, 2)
        siege.world.kafka.start()
    siege.pass_time(1, 3)


def cut_lines(siege):
    """connections cut at some byte."""
    for _ in range(siege.dice.randrange(3, 12)):
        door = siege.dice.choice([siege.kafka_door, siege.redis_door])
        door.cut_after(siege.dice.choice([siege.dice.randrange(0, 64), siege.dice.randrange(0, 100000)]))
        siege.pass_time(0, 0.6)


def lose_answers(siege):
    """answers of EXEC lost."""
    for _ in range(siege.dice.randrange(1, 4)):
        siege.redis_door.lose_answer(rb"EXEC")
        siege.pass_time(0.2, 2)
    siege.redis_door.losing = None


def delay_lines(siege):
    """pieces of a few bytes, each delayed."""
    door = siege.dice.choice([siege.kafka_door, siege.redis_door])
    door.piece, door.delay_s = siege.dice.randrange(16, 4096), siege.dice.uniform(0.001, 0.02)
    siege.middle(0.5, 3)
    door.open_door()


def swallow(siege):
    """a network that swallows everything, or answers only."""
    door = siege.dice.choice([siege.kafka_door, siege.redis_door])
    if siege.dice.random() < 0.5:
        door.held = True
    else:
        door.deaf = True
    siege.middle(0.5, SESSION_S + 1)
    if siege.dice.random() < 0.7:
        door.cut()
    door.open_door()


def edit_rules(siege):
    """rule files edited, SIGHUP, SIGKILL or SIGTERM."""
    siege.edits += 1
    rules = json.loads(siege.world.rules.read_text())
    rules["rules"][f"edit_{siege.edits}"] = {"on": "purchase", "if": "event.id == 'never'", "do": [{"send": "sms"}]}
    siege.world.rules.write_text(json.dumps(rules))
    how = siege.dice.choice([signal.SIGHUP, signal.SIGKILL, signal.SIGTERM])
    for name in sorted(siege.engines):
        if how != signal.SIGHUP:
            siege.restart(name, how)
        elif "Read the rules." in siege.engines[name].output():  # before that the signal would end it
            siege.engines[name].process.send_signal(how)
        siege.pass_time(0, 1)


FAULTS = [kill_engine, freeze_engine, twin_engine, add_engine, crash_redis, cut_redis_tail, restore_redis,
          restore_redis_dead, kill_clients, pause_clients, starve_redis, restart_kafka, cut_lines, lose_answers,
          delay_lines, swallow, edit_rules]
