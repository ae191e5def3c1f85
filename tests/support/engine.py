"""The program under test in the world of one test: topics and a group of its own, a Redis of its own.

    with World(rules={...}) as world:
        world.produce([event("c-1", "add_to_cart", cart="k")])
        with running(world):
            world.wait_decided()
        world.actions()
"""
import contextlib
import itertools
import json
import pathlib
import re
import signal
import subprocess
import time
from dataclasses import dataclass

from support import kafka, place
from support.redis import Redis

NUMBERS = itertools.count()
SECRET = "hush"  # every password of the tests begins so; it is to be found nowhere
MIB = 1 << 20


class Engine:
    """One run of `relance run`; its output is kept in `log`."""

    def __init__(self, command, log):
        self.log = log
        self.file = open(log, "ab")
        self.process = place.start(command, stdout=self.file, stderr=self.file)
        self.pid = self.process.pid

    def is_running(self):
        return self.process.poll() is None

    def state(self):
        """R: it runs, S: it waits, T: it is stopped, Z: it has ended; as `ps` has it."""
        status = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        return status.rpartition(") ")[2].split()[0]

    def is_live(self):
        """Has it begun its work on every partition that it has been given?"""
        output = self.output()
        given = re.findall(r"The group has given us partitions.*count=(\d+)", output)
        return bool(given) and output.count("A partition is live.") >= sum(map(int, given))

    def hears(self, number):
        """Has it a handler for that signal, or has it ended? One that has only just been started has none yet."""
        if not self.is_running():
            return True
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^SigCgt:\s*(\w+)$", status, re.M)[1], 16) >> number - 1 & 1 == 1

    def stop(self, how=signal.SIGTERM, seconds=20):
        """Ends it (or, with None, waits for its end); gives its exit status and how long that took."""
        if how == signal.SIGTERM:
            place.wait_until(lambda: self.hears(how), 20, f"process {self.pid} hears signal {how}")
        begin = time.monotonic()
        if how is not None and self.is_running():
            self.process.send_signal(how)
        try:
            status = self.process.wait(place.PATIENCE * seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = "had to be killed"
        self.file.close()
        if SECRET in self.output():
            raise AssertionError(f"a secret stands in {self.log}")
        return status, time.monotonic() - begin

    def output(self):
        return self.log.read_text(errors="replace")


@dataclass(frozen=True)
class Action:
    """What a sender sees of an action, whoever published it."""
    id: str
    customer: str  # or visitor
    rule: str
    key: str
    step: int
    due: str
    payload: str  # `with`, as sorted JSON

    @staticmethod
    def of_record(record):
        body = record.json()
        return Action(record.header("ce_id"), body.get("customer") or body["visitor"], body["rule"], body.get("key", ""), body["step"],
                      record.header("ce_time"), json.dumps(body.get("with"), sort_keys=True))

    @staticmethod
    def of_line(line):
        """Of a line of `relance replay`: a step that was waited for is performed when it falls due."""
        return Action(line["id"], line.get("customer") or line["visitor"], line["rule"], line.get("key", ""), line["step"], line["time"],
                      json.dumps(line.get("with"), sort_keys=True))


class World:
    """One input topic (`input` names one that is there already), one group, one Redis (`redis`: that one, which is closed
    with the world), on the broker of a version or, where one is given, on that one, on as many as `replicas`."""

    def __init__(self, rules, version=kafka.VERSIONS[0], partitions=4, input=None, input_config=None,
                 output_config=None, redis_config=None, lateness="0s", redis=None, broker=None, replicas=1):
        name = f"t{next(NUMBERS)}"
        self.kafka = broker or kafka.broker(version)
        self.input, self.output, self.group = input or f"{name}.events", f"{name}.actions", f"{name}.group"
        self.decisions = f"{self.output}.decisions"  # where a test asks for it
        self.partitions, self.lateness = partitions, lateness
        if not input:
            self.kafka.create(self.input, partitions, replicas=replicas, **(input_config or {}))
        for topic in (self.output, f"{self.output}.dead", f"{self.output}.marks", f"{self.output}.links"):
            self.kafka.create(topic, partitions, replicas=replicas, max_message_bytes=2 * MIB,
                              **(output_config or {} if topic == self.output else {}))
        self.folder = place.Folder("world")
        self.rules = self.folder.path / "rules.json"
        self.rules.write_text(rules if isinstance(rules, str) else json.dumps(rules))
        self.redis = redis or Redis(**(redis_config or {}))
        self.runs = itertools.count()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.redis.close()
        self.folder.close()

    # ---- the program

    def words(self, name, **options):
        """The command line of one that reads the input; None takes an option away, True makes it a flag."""
        options = {"rules": self.rules, "kafka.bootstrap.servers": self.kafka.address,
                   "input": self.input, "output": self.output, "group": self.group, **options}
        return [place.program("relance"), name, *(f"--{option.replace('_', '-')}" + ("" if value is True else f"={value}")
                                                  for option, value in options.items() if value is not None)]

    def command(self, **options):
        """That of `relance run`."""
        return self.words("run", **{"redis": self.redis.url, "instance": "one", "workers": 1, "from": "earliest",
                                    "lateness": self.lateness, **options})

    def learner(self, **options):
        return Engine(self.words("learn", **{"every": "1s", **options}), self.folder.path / f"learner-{next(self.runs)}")

    def engine(self, **options):
        return Engine(self.command(**options), self.folder.path / f"log-{next(self.runs)}")

    def refusal(self, **options):
        """Runs it where it has to refuse: its exit status and what it said."""
        engine = self.engine(**options)
        status, _ = engine.stop(None, 30)
        return status, engine.output()

    def replay(self, lines, *options):
        """The sends of `relance replay` over the same events."""
        return [Action.of_line(d) for d in self.decided(lines, *options) if d["outcome"] == "sent"]

    def decided(self, lines, *options):
        """All decisions of `relance replay` over the same events, where nobody learns what goes with what."""
        file = self.folder.path / "events.jsonl"
        file.write_bytes(b"".join(line + b"\n" for line in lines))
        command = [place.program("relance"), "replay", f"--rules={self.rules}", f"--lateness={self.lateness}", "--models=none",
                   *options, str(file)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(f"replay ended with {done.returncode}: {done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def report(self, *options):
        """What `relance report` says of what stands in Redis, to one who only looks."""
        return self.reported(f"--group={self.group}", f"--input={self.input}", f"--redis={self.redis.reader_url}", *options)

    def report_of(self, lines, *options):
        """The same of the same events, from a file and without a server."""
        file = self.folder.path / "events.jsonl"
        file.write_bytes(b"".join(line + b"\n" for line in lines))
        return self.reported(f"--rules={self.rules}", f"--lateness={self.lateness}", f"--events={file}", *options)

    @staticmethod
    def reported(*options):
        done = subprocess.run([place.program("relance"), "report", "--json", *options], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(f"report ended with {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    # ---- its input and its traces

    def produce(self, records, transaction=None, setting=None):
        self.kafka.produce(self.input, records, transaction, setting)

    def frontier(self):
        return self.kafka.committed(self.group, self.input)

    def is_decided(self):
        """Has all of the input been accounted for in committed transactions?"""
        return all(self.frontier()[p][0] >= end for p, end in self.kafka.ends(self.input).items())

    def wait_decided(self, engine=None, seconds=60):
        def decided():
            if engine and not engine.is_running():
                raise RuntimeError(f"the engine ended: {engine.output()[-4000:]}")
            return self.is_decided()
        place.wait_until(decided, seconds, f"group {self.group} is through {self.input}", pause_s=0.2)

    def published(self):
        """Up to where decisions are committed, by partition."""
        return {p: offset for p, (offset, _) in self.frontier().items()}

    def saved(self):
        """Where the checkpoints are, by partition; 0: there is none."""
        return {p: int(self.redis("HGET", f"relance:{{{self.group}:{self.input}:{p}}}:meta", "offset") or 0) for p in range(self.partitions)}

    def wait_saved(self, seconds=20):
        """Until no answer of Redis is awaited: a checkpoint whose answer is lost would stop deciding."""
        place.wait_until(lambda: self.saved() == self.published(), seconds, "all that is published is saved")

    def output_records(self):
        return self.kafka.consume(self.output)

    def actions(self):
        return [Action.of_record(record) for record in self.output_records()]

    def dead(self):
        return self.kafka.consume(f"{self.output}.dead")

    def lines(self):
        return self.kafka.consume(self.decisions)

    def wait_actions(self, count, seconds=60):
        return place.wait_until(lambda: len(self.actions()) >= count and self.actions(), seconds, f"{count} actions",
                                pause_s=0.2)

    def counters(self):
        """The exact counters, summed over the partitions, as they stand in Redis."""
        total = {}
        for p in range(self.partitions):
            for name, value in self.redis.hash(f"relance:{{{self.group}:{self.input}:{p}}}:metrics").items():
                total[name] = total.get(name, 0) + float(value)
        return total

    def live(self, instance="one"):
        """An instance's live figures, as texts; empty where it has none."""
        found = self.redis.hash(f"relance:live:{self.group}:{instance}")
        return {name: value.decode() for name, value in found.items()}

    def wait_counter(self, name, value, seconds=15):
        place.wait_until(lambda: self.counters().get(name) == value, seconds, f"counter {name} = {value}")


def place_of(line):
    """Of a decision: partition of the input, mark, offset, index."""
    return tuple(int(line.header(f"relance-{name}")) for name in ("partition", "mark", "offset", "index"))


def place_faults(lines):
    """What is wrong with the places of decisions, as consumed: in each partition of their topic those of a partition of the input
    ascend, no place is there twice, and of one record or mark the index is 0, 1, 2 ..."""
    last, indices, faults = {}, {}, []
    for line in lines:
        place = place_of(line)
        if last.get((line.partition, place[0]), ()) >= place:
            faults.append(f"{place} comes behind {last[line.partition, place[0]]}")
        last[line.partition, place[0]] = place
        indices.setdefault(place[:3], []).append(place[3])
    return faults + [f"{place} has {found}" for place, found in indices.items() if sorted(found) != list(range(len(found)))]


def timeless(report):
    """Of a report what does not depend on when it is read."""
    second = {name: value for name, value in report["second_order"].items() if name != "within_90_days"}
    cohorts = {cohort["month"]: [{**month, "over": None} for month in cohort["months"] if month["customers"]] for cohort in report["cohorts"]}
    channels = [{**channel, "money": {currency: {**money, "ltv": None} for currency, money in channel["money"].items()}}
                for channel in report["channels"]]
    return {**{name: report[name] for name in ("zone", "from", "to", "sales", "rules", "limits")},
            "second_order": second, "cohorts": cohorts, "channels": channels}


def sequence_faults(records):
    """What is wrong with `relance-seq`: for each input partition the numbers are 1, 2, 3 ... n, each once."""
    numbers, faults = {}, []
    for record in records:
        numbers.setdefault(record.header("relance-partition"), []).append(int(record.header("relance-seq")))
    for partition, found in sorted(numbers.items()):
        gaps = set(range(1, max(found) + 1)) - set(found)
        if gaps or len(found) != len(set(found)):
            faults.append(f"partition {partition}: {len(found)} numbers up to {max(found)}, {len(gaps)} missing")
    return faults


@contextlib.contextmanager
def running(world, **options):
    """An engine that must still be there at the end, and end well."""
    engine = world.engine(**options)
    try:
        yield engine
        # Where there was nothing left to do, it may not have claimed yet what it would have to answer for at its end.
        with contextlib.suppress(TimeoutError):
            place.wait_until(lambda: engine.is_live() or not engine.is_running(), 5, "it is live")
        if not engine.is_running():
            raise RuntimeError(f"the engine ended by itself: {engine.output()[-4000:]}")
    finally:
        status, _ = engine.stop()
    if status != 0:
        raise RuntimeError(f"the engine ended with {status}: {engine.output()[-4000:]}")
