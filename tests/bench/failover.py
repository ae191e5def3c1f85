"""How long it takes until an engine's partitions speak again after kill -9: sh tests/bench/run.sh failover.py

Two engines share eight partitions with the state and the waits of a million customers (or as many as the first
argument says), under load. `takeover`: one is killed, the other gets its partitions when the session is over.
`restart`: it is killed and started again under its name at once. Measured is the time from the kill to the first
action of its partitions, by the action's own timestamp. How much has to be decided again depends on how old the
last checkpoint is; to show that, Redis refuses checkpoints for so many seconds before the kill.
"""
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import kafka, place
from support.engine import World
from support.kafka import event, to_line

PARTITIONS, RATE, CHUNKS = 8, 10_000, 20  # events a second; different half seconds of load
RULES = {
    "stale": "3650d",
    "events": {"view": {}, "ping": {}, "add_to_cart": {"cart": "string"}, "purchase": {}},
    "counts": {"views": {"on": "view"}},
    "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "push", "with": {"views": "${views()}"}}]},
              "carted": {"on": "add_to_cart", "cancel": ["purchase"], "do": [{"after": "45m", "send": "email"}]}},
}
# what is killed how, session timeout in s, seconds without a checkpoint before it
RUNS = [("restart", 12, 0), ("restart", 12, 15), ("takeover", 12, 0), ("takeover", 6, 0), ("takeover", 6, 15),
        ("takeover", 6, 45)]
CLAIMED = re.compile(r"Claimed a partition\. partition=(\d+) checkpoint=(\d+) published=(\d+)")


class Load:
    """RATE events a second until told to stop; one in twenty is answered at once. Without ids: every one counts."""

    def __init__(self, world, customers):
        dice = random.Random(1)
        self.world, self.over = world, threading.Event()
        self.chunks = [[to_line(event(f"c-{dice.randrange(customers)}", "ping" if n % 20 == 0 else "view"))
                        for n in range(RATE // 2)] for _ in range(CHUNKS)]
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        begin, n = time.monotonic(), 0
        while not self.over.wait(max(0, begin + n / 2 - time.monotonic())):
            self.world.kafka.tool("produce", self.world.input, lines=self.chunks[n % CHUNKS])
            n += 1

    def stop(self):
        self.over.set()
        self.thread.join()


def settings(name, session_s):
    return {"instance": name, "cache_bytes": "2GiB", "kafka.session.timeout.ms": session_s * 1000,
            "kafka.transaction.timeout.ms": session_s * 1000 - 1000}


def start(world, name, session_s):
    return world.engine(**settings(name, session_s))


def owned(engine):
    """The partitions that an engine claimed last, whatever it had before."""
    text = engine.output()
    return {int(m[1]): (int(m[2]), int(m[3])) for m in CLAIMED.finditer(text[text.rfind("has given us"):])}


def measure(customers, how, session_s, age_s):
    with World(RULES, partitions=PARTITIONS) as world:
        engines = {name: start(world, name, session_s) for name in ("one", "two")}
        world.produce(event(f"c-{c}", "add_to_cart", cart="k") for c in range(customers))
        world.wait_decided(seconds=300)
        place.wait_until(lambda: all(len(owned(e)) == PARTITIONS // 2 for e in engines.values()), 60, "they share")
        load = Load(world, customers)
        time.sleep(8)
        world.redis("CONFIG", "SET", "maxmemory", "1mb" if age_s else "0")
        time.sleep(age_s)
        lost, heir = set(owned(engines["one"])), "two" if how == "takeover" else "one"
        killed = time.time()
        engines["one"].stop(signal.SIGKILL)
        world.redis("CONFIG", "SET", "maxmemory", "0")
        if how == "restart":
            engines["one"] = start(world, "one", session_s)
        place.wait_until(lambda: lost <= set(owned(engines[heir])), 120, "its partitions are claimed")
        time.sleep(6)
        load.stop()
        again = sum(published - checkpoint for p, (checkpoint, published) in owned(engines[heir]).items() if p in lost)
        first = first_actions(world, lost, killed)
        for engine in engines.values():
            engine.stop()
    return first, again


def first_actions(world, partitions, killed):
    """Seconds from the kill to the first action of each of these partitions after it."""
    first = {}
    for record in world.kafka.stream(world.output):
        partition, after = int(record.header("relance-partition")), record.timestamp / 1000 - killed
        if partition in partitions and after > 0:
            first[partition] = min(after, first.get(partition, after))
    if set(first) != partitions:
        raise RuntimeError(f"partitions {partitions - set(first)} have said nothing since")
    return sorted(first.values())


def main():
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print(f"{customers:,} customers with a wait each, {RATE:,} events/s, {PARTITIONS} partitions, two engines; seconds "
          "from kill -9 to the first action")
    try:
        for how, session_s, age_s in RUNS:
            first, again = measure(customers, how, session_s, age_s)
            beyond = f", {first[0] - session_s:+.1f} to {first[-1] - session_s:+.1f} beyond it" if how == "takeover" else ""
            print(f"{how:8} session {session_s:2} s, {f'no checkpoint for {age_s} s' if age_s else 'checkpoints as usual':24}"
                  f" {first[0]:5.1f} first partition, {first[-1]:5.1f} last{beyond}; {again:,} records decided again",
                  flush=True)
    finally:
        kafka.close()


if __name__ == "__main__":
    sys.exit(main())
