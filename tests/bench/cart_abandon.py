"""Runs the CartAbandon workload of ../shared/bench and prints its figures; see cart_abandon.sh.

The answer is exact, so the actions must be: 0 missing, 0 extra, or the exit status says so. Speed is printed,
not judged: the machine's own speed drifts by half within the hour.
"""
import os
import pathlib
import sys
import time
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import carts, kafka, place
from support.engine import World

PARTITIONS, SEED, WORKERS, INSTANCE = 8, 7, (1, 2), "bench"


def compare(world, answer):
    """How many actions of the answer are missing, and how many there are that should not be."""
    said, count = set(), 0
    for record in world.kafka.stream(world.output):
        said.add(carts.said(record))
        count += 1
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
        held = world.redis.hash(f"relance:live:{INSTANCE}") or held
        ended, status, usage = os.wait4(engine.pid, os.WNOHANG)
    seconds = time.monotonic() - begin
    engine.process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise RuntimeError(f"the engine ended with {engine.process.returncode}: {engine.output()[-4000:]}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, held)


def customers_of(world):
    keys = (f"relance:{{{world.group}:{world.input}:{p}}}:customers" for p in range(PARTITIONS))
    return max(1, sum(world.redis("HLEN", key) for key in keys))


def run(topic, events, answer, workers):
    """One run and its figures; did it say exactly what it should?"""
    with World(carts.RULES, partitions=PARTITIONS, input=topic, lateness=carts.LATENESS) as world:
        cpu_before, memory_before = redis_cpu(world.redis), redis_memory(world.redis)
        cost = wait_for(world, world.engine(workers=workers, instance=INSTANCE, stop_at_end=True))
        redis_s, memory = redis_cpu(world.redis) - cpu_before, redis_memory(world.redis) - memory_before
        customers = customers_of(world)
        missing, extra = compare(world, answer)
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


def main():
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    customers = int(sys.argv[2]) if len(sys.argv) > 2 else max(1, events // 5)
    if not carts.GENERATOR.exists():
        print(f"{carts.GENERATOR} is not here")
        return 1
    folder = place.Folder("bench")
    try:
        broker = kafka.broker()
        answer = carts.fill(broker, "cartabandon", PARTITIONS, events, customers, SEED, folder.path)
        exact = [run("cartabandon", events, answer, workers) for workers in WORKERS]
    finally:
        folder.close()
        kafka.close()
    return 0 if all(exact) else 1


if __name__ == "__main__":
    sys.exit(main())
