"""The same failover for Relance, Kafka Streams and Flink: sh tests/bench/run.sh failover_peers.py [SYSTEM...]

One input, one rule (CartAbandon: 45 minutes after the cart, unless there is a purchase; 30 s of
lateness), one measure. A million customers wait and go on waiting; 2,000 more a second fall due, under 10,000 events a
second in real time. Then kill -9. `restart`: the one process that there is is started again at once. `takeover`:
there are two, and the other gets its partitions. Measured is when a reader of committed records has the first action of
each of the eight partitions after the kill; in a takeover half of them go on as if nothing had happened.

The peers are those of the table (tests/bench/peers), told to go on at the end of their input.
"""
import glob
import os
import pathlib
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench import peers
from bench.contests import built
from bench.failover import PARTITIONS, RATE, Load, settings
from support import carts, kafka, place
from support.engine import World
from support.kafka import Record, to_line

WAITING, DUE_A_SECOND, DUE_FOR_S = 1_000_000, 2_000, 300
WAIT_S = 45 * 60
BEHIND = 2 * RATE  # events: two seconds of load
QUIET_S = 12       # longer than the time between two checkpoints of anybody
READ_MS = 300      # what a reader has so soon after the kill was committed before it


class Peer:
    """Processes of one system over one world's topics; `start` again under a name is what a supervisor does."""

    def __init__(self, world, session_s, **options):
        self.world, self.session_s, self.options = world, session_s, options
        self.group, self.processes, self.starts = world.group, {}, 0

    def launch(self, name, command, **options):
        self.starts += 1
        with open(self.world.folder.path / f"log-{name}-{self.starts}", "wb") as log:
            self.processes[name] = place.start(list(map(str, command)), stdout=log, stderr=log, **options)

    def kill(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def close(self):
        for name in self.processes:
            self.kill(name)


class Relance(Peer):
    def start(self, name):
        self.launch(name, self.world.command(workers=self.options["workers"], **settings(name, self.session_s)))


class KafkaStreams(Peer):
    def start(self, name):
        self.group = f"streams-{self.world.output}"
        self.launch(name, peers.command(peers.STREAMS, built(peers.STREAMS), workload="carts", bounded="false", store=self.options["store"],
                                        brokers=self.world.kafka.address, topic=self.world.input, out=self.world.output,
                                        dir=self.world.folder.path / f"state-{name}", instance=name, threads=self.options["workers"],
                                        session=self.session_s * 1000, txtimeout=self.session_s * 1000 - 1000,
                                        standby=self.options.get("standby", 0)))


class Flink(Peer):
    """One process; it goes on from the newest whole checkpoint that there is."""

    def start(self, name):
        self.group = f"flink-{self.world.output}"
        folder = self.world.folder.path / "flink"
        whole = sorted(glob.glob(f"{folder}/ckpt/*/chk-*/_metadata"), key=os.path.getmtime)
        recovery = {"conf.execution.state-recovery.path": f"file://{os.path.dirname(whole[-1])}"} if whole else {}
        self.launch(name, peers.command(peers.FLINK, built(peers.FLINK), workload="carts", bounded="false", store="heap",
                                        checkpoint=self.options["checkpoint_s"] * 1000, brokers=self.world.kafka.address,
                                        topic=self.world.input, out=self.world.output, dir=folder, **recovery))


# system, how, session timeout in s, options
RUNS = {
    "relance": [(Relance, "restart", 12, {"workers": 2}), (Relance, "takeover", 6, {"workers": 1})],
    "kafka-streams": [(KafkaStreams, "restart", 12, {"workers": 2, "store": "memory"}),
                      (KafkaStreams, "restart", 12, {"workers": 2, "store": "rocksdb"}),
                      (KafkaStreams, "takeover", 6, {"workers": 1, "store": "memory"}),
                      (KafkaStreams, "takeover", 6, {"workers": 1, "store": "memory", "standby": 1})],
    "flink": [(Flink, "restart", 0, {"checkpoint_s": 1}), (Flink, "restart", 0, {"checkpoint_s": 10})],
}


class Reader:
    """When which partition of the output had something new, for a reader of what is committed."""

    def __init__(self, world):
        self.tool = place.start([place.program("kafka_tool"), world.kafka.address, "follow", world.output],
                                stdout=subprocess.PIPE, text=True)
        self.seen = []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        for line in self.tool.stdout:
            partition, at_ms = map(int, line.split())
            self.seen.append((partition, at_ms))

    def first_after(self, at_ms):
        """{partition: ms from then on}"""
        first = {}
        for partition, seen_ms in list(self.seen):
            if seen_ms >= at_ms:
                first.setdefault(partition, seen_ms - at_ms)
        return first

    def close(self):
        self.tool.kill()
        self.thread.join()


def cart(customer, at_s):
    body = f'{{"type":"add_to_cart","customer":"{customer}","cart":"k-{customer}"}}'
    return to_line(Record(body.encode(), key=customer.encode(), timestamp=round(at_s * 1000)))


def fill(world, now_s):
    soon = (cart(f"soon-{n}", now_s + n / DUE_A_SECOND - WAIT_S) for n in range(DUE_A_SECOND * DUE_FOR_S))
    world.kafka.tool("produce", world.input, lines=soon, timeout=300)
    world.kafka.tool("produce", world.input, lines=(cart(f"c-{n}", now_s) for n in range(WAITING)), timeout=300)


def wait_steady(world, peer, reader):
    """Caught up, and each partition has been saying something for a while."""
    def speaks():
        return len(reader.first_after((time.time() - QUIET_S) * 1000)) == PARTITIONS

    def is_steady():
        if any(process.poll() is not None for process in peer.processes.values()):
            raise RuntimeError(f"a process has ended; its log is in {world.folder.path}")
        frontier = world.kafka.committed(peer.group, world.input)
        ends = world.kafka.ends(world.input)
        behind = sum(end - max(frontier.get(p, (0, ""))[0], 0) for p, end in ends.items())
        return behind < BEHIND and speaks()

    place.wait_until(is_steady, 200, "it keeps up with its input", pause_s=1)
    time.sleep(20)
    if not speaks():
        raise RuntimeError("it has fallen silent")


def measure(system, how, session_s, options):
    rules = {**carts.RULES, "events": {**carts.RULES["events"], "view": {}, "ping": {}}}
    with World(rules, partitions=PARTITIONS, lateness=carts.LATENESS) as world:
        fill(world, time.time())
        peer, reader, load = system(world, session_s, **options), Reader(world), None
        try:
            for name in ("one", "two") if how == "takeover" else ("one",):
                peer.start(name)
            load = Load(world, WAITING)
            wait_steady(world, peer, reader)
            killed_ms = time.time() * 1000
            peer.kill("one")
            if how == "restart":
                peer.start("one")
            place.wait_until(lambda: len(reader.first_after(killed_ms + READ_MS)) == PARTITIONS, 120,
                             "all partitions say something again", pause_s=1)
            return sorted((ms + READ_MS) / 1000 for ms in reader.first_after(killed_ms + READ_MS).values())
        finally:
            if load:
                load.stop()
            reader.close()
            peer.close()


def main():
    names = sys.argv[1:] or list(RUNS)
    print(f"{WAITING:,} customers wait, {DUE_A_SECOND:,} a second fall due, {RATE:,} events/s; seconds from kill -9 "
          f"until a reader has an action of each of the {PARTITIONS} partitions")
    try:
        for name in names:
            for system, how, session_s, options in RUNS[name]:
                try:
                    times = " ".join(f"{s:.1f}" for s in measure(system, how, session_s, options))
                except (RuntimeError, TimeoutError) as error:
                    times = f"failed: {error}"
                words = " ".join(f"{key}={value}" for key, value in options.items())
                print(f"{name:13} {how:8} session {session_s:2} s {words:36} {times}", flush=True)
    finally:
        kafka.close()


if __name__ == "__main__":
    sys.exit(main())
