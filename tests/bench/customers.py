"""What customers cost who are only there: memory, waiting, starting again, and all their waits at once.

Each of N customers fills a cart, once: a run that waits, and three counts. Then, in this order: what they take in the process
and in Redis; what their waiting costs while nothing comes; events for all of them, in no order; the engine is stopped and
started again; and one event a partition moves the clocks, so that all waits are over at once. In the end each wait has to
have given its one action, at its own instant. Customers of ShopMix are only looked at, after their stream.

Memory of the process is what is resident beyond that of an engine that has read the same topic and knows none of its types, so has no
customers: queues of both are drained, and what they held has gone back to the machine. Nothing is evicted.
"""
import json
import random
import time
from dataclasses import dataclass

from bench.contests import LATENESS, PARTITIONS, REDIS, limit_s, redis_s, shop_rules
from bench.figures import cpu_s, memory
from support import carts, place
from support.engine import World
from support.kafka import Record, to_line

CACHE, WORKERS = "16GiB", 2
WAIT_S, AHEAD_S = 12 * 60, 14 * 60     # events may be up to 15 minutes ahead of the wall clock
SETTLE_S, SILENCE_S = 5, 10
SEED, PINGS, MOST_EVENTS, TRANSACTION_MS = 5, 64, 2_000_000, 600_000
RULES = {
    "events": {"add_to_cart": {"cart": "string", "total": "double"}, "view": {}, "ping": {}},
    "counts": {"adds": {"on": "add_to_cart"}, "adds_7d": {"on": "add_to_cart", "over": "7d"},
               "filled": {"on": "add_to_cart", "sum": "event.total", "over": "30d"}, "views": {"on": "view"}},
    "rules": {"waits": {"on": "add_to_cart", "key": "event.cart", "do": [{"after": f"{WAIT_S}s", "send": "email"}]},
              "answer": {"on": "ping", "key": "event.id", "do": [{"send": "push"}]}},
}
STRANGER = {"events": {"ping": {}}, "rules": {"answer": RULES["rules"]["answer"]}}


@dataclass
class Costs:
    customers: int
    armed_s: float         # to read and arm all of them, from a start on
    process_bytes: float   # a customer's
    redis_bytes: float
    silent_ms: float       # CPU a second while nothing comes, of the engine and Redis
    rate: float            # events a second, for all of them in no order
    start_s: float         # from a start until what came meanwhile is answered
    fired: float           # waits a second
    missing: int
    extra: int


def line(customer, body, timestamp_ms):
    return f"- {timestamp_ms} {customer.encode().hex()} {json.dumps(body, separators=(',', ':')).encode().hex()}"


def added(n, at_ms):
    return line(f"c{n}", {"type": "add_to_cart", "customer": f"c{n}", "cart": f"k{n}", "total": n % 1000 / 10}, at_ms)


def at_of(n, begin_ms):
    """The waits end one after the other, a hundred a millisecond."""
    return begin_ms + n // 100


def start(world):
    return world.engine(workers=WORKERS, cache_bytes=CACHE)


def settle(world):
    """Until queues are drained and all is saved."""
    time.sleep(SETTLE_S)  # what it tells of itself may be older
    place.wait_until(lambda: float(world.live().get("checkpoint_age_s", 1)) == 0, 60, "all is saved", pause_s=0.5)


def stop(world, engine):
    settle(world)
    status, _ = engine.stop(seconds=60)
    if status:
        raise RuntimeError(f"the engine ended with {status}: {engine.output()[-4000:]}")


def seconds_until_decided(world, engine, events):
    begin = time.monotonic()
    world.wait_decided(engine, limit_s(events) / place.PATIENCE)
    return time.monotonic() - begin


def resident(world, engine):
    settle(world)
    return memory(engine.pid, "VmRSS")


def resident_of_stranger(topic, events):
    with World(STRANGER, partitions=PARTITIONS, input=topic, redis_config=REDIS) as world:
        engine = start(world)
        seconds_until_decided(world, engine, events)
        bytes_ = resident(world, engine)
        stop(world, engine)
    return bytes_


def held(world, events):
    """An engine that has read all and holds it, its seconds for that, and bytes of all customers in the process and in Redis."""
    nobody, before = resident_of_stranger(world.input, events), int(world.redis.info("memory")["used_memory"])
    engine = start(world)
    seconds = seconds_until_decided(world, engine, events)
    return engine, seconds, resident(world, engine) - nobody, int(world.redis.info("memory")["used_memory"]) - before


def measure_shop(stream):
    """Bytes that a customer of ShopMix takes in the process and in Redis, at the end of the stream; and how many there are."""
    with World(shop_rules(), partitions=PARTITIONS, input=stream.topic, lateness=LATENESS, redis_config=REDIS) as world:
        engine, _, process_bytes, redis_bytes = held(world, stream.events)
        stop(world, engine)
        customers = sum(world.redis("HLEN", f"relance:{{{world.group}:{world.input}:{p}}}:customers") for p in range(PARTITIONS))
    return process_bytes / customers, redis_bytes / customers, customers


def used_s(world, engine):
    return cpu_s(engine.pid) + redis_s(world.redis)


def wrong(world, customers, begin_ms):
    """How many actions of carts are missing, and how many there should not be."""
    found, extra = bytearray(customers), 0
    for record in world.kafka.stream(world.output):
        body = record.json()
        if body["rule"] != "waits":
            continue
        n = int(body["customer"][1:])
        is_due = carts.milliseconds(body["due"]) == at_of(n, begin_ms) + 1000 * WAIT_S
        extra += found[n] or not is_due
        found[n] = 1
    return found.count(0), extra


def measure(customers):
    with World(RULES, partitions=PARTITIONS, redis_config=REDIS) as world:
        begin_ms = round(time.time() * 1000)
        world.kafka.feed(world.input, (added(n, at_of(n, begin_ms)) for n in range(customers)))
        engine, armed_s, process_bytes, redis_bytes = held(world, customers)
        before = used_s(world, engine)
        time.sleep(SILENCE_S)
        silent_ms = 1000 * (used_s(world, engine) - before) / SILENCE_S
        rate = views(world, engine, customers)
        stop(world, engine)
        start_s, engine = restart(world)
        fired = fire(world, engine, customers)
        stop(world, engine)
        missing, extra = wrong(world, customers, begin_ms)
    return Costs(customers, armed_s, process_bytes / customers, redis_bytes / customers, silent_ms, rate, start_s, fired, missing, extra)


def views(world, engine, customers):
    """Events a second. They come in one transaction, so that the engine sees the first of them when the last is there."""
    dice, count = random.Random(SEED), min(MOST_EVENTS, 10 * customers)
    now_ms = round(time.time() * 1000)
    world.kafka.feed(world.input, (line(c, {"type": "view", "customer": c}, now_ms) for c in (f"c{dice.randrange(customers)}" for _ in range(count))),
                     "commit", f"transaction.timeout.ms={TRANSACTION_MS}")
    return count / seconds_until_decided(world, engine, count)


def restart(world):
    """Seconds from the start until the pings of meanwhile are answered, and the engine."""
    world.produce([Record(json.dumps({"type": "ping", "customer": f"p{n}", "id": f"{n}"}).encode(), key=f"p{n}".encode()) for n in range(PINGS)])
    begin = time.monotonic()
    engine = start(world)
    seconds_until_decided(world, engine, PINGS)
    return time.monotonic() - begin, engine


def fire(world, engine, customers):
    """Waits a second, from the event that ends them to the last commit."""
    if sum(world.kafka.ends(world.output).values()) > 2 * PINGS:
        raise RuntimeError("waits have ended by themselves: filling and arming took too long")
    ahead_ms = round(1000 * (time.time() + AHEAD_S))
    end = [Record(b'{"type":"view","customer":"end"}', key=b"end", partition=p, timestamp=ahead_ms) for p in range(PARTITIONS)]
    world.kafka.feed(world.input, map(to_line, end))
    return customers / seconds_until_decided(world, engine, customers)
