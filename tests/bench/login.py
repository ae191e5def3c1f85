"""Logins across partitions under load: from the login's record to the action that the visitor's cart makes as soon as the
customer has it: sh tests/bench/run.sh login.py [EVENTS_A_SECOND [SECONDS [ENGINES]]]

By default 20,000 events a second for 10 seconds, one engine with two workers; with ENGINES 2, two of one worker.

Visitors fill carts, whose runs wait for somebody to write to. Then events come steadily, and among them the logins: what a
customer's partition tells the visitor's, and gets from it, goes through the topic of links, there and back. Times are
those of the records: the login's, when it was produced, and the action's, when the broker appended it.
"""
import contextlib
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import kafka
from support.engine import World, running
from support.kafka import Record, event

PARTITIONS, CUSTOMERS, LOGINS_A_SECOND, SLICE_S = 8, 50_000, 50, 0.5
RULES = {
    "events": {"add_to_cart": {"cart": "string"}, "login": {}, "view": {"product": "string"}},
    "counts": {"views": {"on": "view", "over": "1d"}},
    "rules": {"carted": {"on": "add_to_cart", "key": "event.cart", "do": [{"send": "email", "with": {"cart": "${trigger.cart}"}}]}},
}


def now():
    return int(1000 * time.time())


def cart(n):
    """A visitor's, before anybody knows who it is."""
    made = event(f"v-{n}", "add_to_cart", time=now(), cart=f"k-{n}", id=f"add-{n}")
    return Record(made.value.replace(b'"customer"', b'"visitor"'), made.key)


def login(n):
    return event(f"c-{n}", "login", time=now(), visitor=f"v-{n}", id=f"login-{n}")


def view(dice):
    return event(f"s-{dice.randrange(CUSTOMERS)}", "view", time=now(), product=f"p-{dice.randrange(1000)}")


def load(world, a_second, seconds):
    """Events at a steady pace, and the logins evenly among them. How many events there were a second."""
    dice, begin, logins = random.Random(1), time.monotonic(), 0
    slices = max(1, int(seconds / SLICE_S))
    for n in range(slices):
        records = [view(dice) for _ in range(int(a_second * SLICE_S))]
        some = int(LOGINS_A_SECOND * SLICE_S)
        for at in range(some):
            records.insert((at + 1) * len(records) // (some + 1), login(logins))
            logins += 1
        world.produce(records)
        time.sleep(max(0.0, begin + (n + 1) * SLICE_S - time.monotonic()))
    return int(slices * a_second * SLICE_S / (time.monotonic() - begin))


def partitions(world, kind):
    """Where the events of that kind stand, and when they were produced, by the number in their id."""
    found = {}
    for record in world.kafka.stream(world.input):
        body = record.json()
        if body["type"] == kind:
            found[int(body["id"].rpartition("-")[2])] = record.partition, record.timestamp
    return found


def measure(a_second, seconds, engines):
    """Times in ms of logins across partitions and within one, each in their order of size; and the load that there was."""
    logins = int(LOGINS_A_SECOND * SLICE_S) * max(1, int(seconds / SLICE_S))
    with World(RULES, partitions=PARTITIONS, output_config={"message_timestamp_type": "LogAppendTime"}) as world:
        with contextlib.ExitStack() as stack:
            for n in range(engines):
                stack.enter_context(running(world, instance=f"bench-{n}", workers=2 // engines))
            world.produce([cart(n) for n in range(logins)])
            world.wait_decided()
            there = load(world, a_second, seconds)
            world.wait_actions(logins)
        begun, carts = partitions(world, "login"), partitions(world, "add_to_cart")
        across, within = [], []
        for record in world.output_records():
            n = int(record.json()["key"].rpartition("-")[2])
            (across if begun[n][0] != carts[n][0] else within).append(record.timestamp - begun[n][1])
    return sorted(across), sorted(within), there


def main(a_second="20000", seconds="10", engines="1"):
    across, within, there = measure(int(a_second), float(seconds), int(engines))
    print(f"{there:,} events a second, {LOGINS_A_SECOND} logins among them, {engines} engine(s)")
    print("login -> action of the visitor's cart, ms:   p50     p99    most")
    for what, times in (("across partitions", across), ("within one", within)):
        row = (times[len(times) // 2], times[len(times) * 99 // 100], times[-1]) if times else ()
        print(f"{what:>25} ({len(times):>5,})     " + "".join(f"{ms:8,}" for ms in row), flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    finally:
        kafka.close()
