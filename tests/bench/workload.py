"""Runs a workload whose answer is exact and prints what it costs: the common part of cart_abandon.py and shopmix.py.

0 missing, 0 extra, or the exit status says so. Speed is printed, not judged: the machine's own speed drifts by
half within the hour.
"""
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from support import kafka, place
from support.engine import World

PARTITIONS, WORKERS, INSTANCE = 8, (1, 2), "bench"
SHOWN = 10  # of what is missing or extra


@dataclass
class Workload:
    topic: str
    needs: object       # a file without which it cannot be
    rules: object       # as JSON or as text
    lateness: str
    fill: Callable      # (broker, topic, partitions, events, customers, folder) -> the answer, a set of texts
    said: Callable      # an action's record -> its text
    events_each: int    # events of a customer, where nothing else is said


def compare(world, said_of, answer):
    """How many actions of the answer are missing, and how many there are that should not be."""
    said, count = set(), 0
    for record in world.kafka.stream(world.output):
        said.add(said_of(record))
        count += 1
    for word, texts in (("missing", answer - said), ("extra", said - answer)):
        for text in sorted(texts)[:SHOWN]:
            print(f"    {word}: {text}")
    return len(answer - said), count - len(answer & said)


def redis_cpu(redis):
    used = redis.info("cpu")
    return sum(float(used[f"used_cpu_{kind}"]) for kind in ("user", "sys", "user_children", "sys_children"))


def redis_memory(redis):
    return int(redis.info("memory")["used_memory"])


@dataclass
class Cost:
    seconds: float
    cpu_s: float
    resident: int  # bytes, at most
    held: dict     # the last of what it told about itself while it lived


def wait_for(world, engine):
    """Waits for the end of a run; what it cost."""
    begin, held, ended = time.monotonic(), {}, 0
    while not ended:
        time.sleep(0.1)
        held = world.live(INSTANCE) or held
        ended, status, usage = os.wait4(engine.pid, os.WNOHANG)
    seconds = time.monotonic() - begin
    engine.process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise RuntimeError(f"the engine ended with {engine.process.returncode}: {engine.output()[-4000:]}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, held)


def customers_of(world):
    keys = (f"relance:{{{world.group}:{world.input}:{p}}}:customers" for p in range(PARTITIONS))
    return max(1, sum(world.redis("HLEN", key) for key in keys))


def run(workload, events, answer, workers):
    """One run and its figures; did it say exactly what it should?"""
    with World(workload.rules, partitions=PARTITIONS, input=workload.topic, lateness=workload.lateness) as world:
        cpu_before, memory_before = redis_cpu(world.redis), redis_memory(world.redis)
        cost = wait_for(world, world.engine(workers=workers, instance=INSTANCE, stop_at_end=True))
        redis_s, memory = redis_cpu(world.redis) - cpu_before, redis_memory(world.redis) - memory_before
        customers = customers_of(world)
        missing, extra = compare(world, workload.said, answer)
    held = int(cost.held.get("cache_bytes", 0)) / max(1, int(cost.held.get("customers", 0)))
    for line in (
        f"workers {workers}: {events / cost.seconds:,.0f} events/s, "
        f"{events / (cost.cpu_s + redis_s):,.0f} events per CPU-second",
        f"    {cost.seconds:.1f} s; CPU-seconds: engine {cost.cpu_s:.1f}, Redis {redis_s:.1f}",
        f"    {customers:,} customers: {memory / customers:.0f} B each in Redis, {held:.0f} B each in the process, "
        f"which took {cost.resident / 1e6:.0f} MB at most",
        f"    {len(answer):,} actions: {missing} missing, {extra} extra",
    ):
        print(line, flush=True)
    return missing == extra == 0


def main(workload):
    """The program: [EVENTS [CUSTOMERS]]; its exit status."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    customers = int(sys.argv[2]) if len(sys.argv) > 2 else max(1, events // workload.events_each)
    if not workload.needs.exists():
        print(f"{workload.needs} is not here")
        return 1
    folder = place.Folder("bench")
    try:
        answer = workload.fill(kafka.broker(), workload.topic, PARTITIONS, events, customers, folder.path)
        exact = [run(workload, events, answer, workers) for workers in WORKERS]
    finally:
        folder.close()
        kafka.close()
    return 0 if all(exact) else 1
