"""Nothing lost, nothing twice, while engines, Redis, Kafka and the lines between them are done everything to.

Two histories go through the faults of faults_siege.py. CartAbandon is a long log that is read slowly enough for
them to hit the work; its generator knows the exact answer. The counting shop is alive: every event is answered
with a number that must count up by one for each customer, so that a state lost, doubled or of another moment
shows in every action after it.

    python3 tests/e2e faults            what CI runs: every fault once, some kills
    python3 tests/e2e --long faults     50 kills and every other fault three times, each history on both brokers
    RELANCE_SEED=N …                    the plan that a run has printed
"""
import os
import random
import threading
import time
import unittest

from e2e.faults_siege import Siege
from support import carts, kafka, place
from support.engine import World, sequence_faults
from support.kafka import event

SEED = int(os.environ.get("RELANCE_SEED", random.SystemRandom().randrange(1 << 32)))
LONG = "RELANCE_LONG" in os.environ
KILLS, OTHERS = (50, 3) if LONG else (8, 1)
REDIS = {"save": "", "auto_aof_rewrite_percentage": "0"}
EVENTS, CUSTOMERS, PARTITIONS = (6_000_000, 300_000, 6) if LONG else (1_500_000, 100_000, 6)
RATES = (50_000, 64_000_000)  # bytes a second that the log is let through with, at least and at most
RATE = 8_000_000  # in the beginning

COUNTING = {
    "stale": "3650d",
    "events": {"ping": {}, "add_to_cart": {"cart": "string"}, "purchase": {}},
    "counts": {"pings": {"on": "ping"}},
    "rules": {
        "answer": {"on": "ping", "key": "event.id", "do": [{"send": "push", "with": {"n": "${pings()}"}}]},
        "carted": {"on": "add_to_cart", "key": "event.cart", "cancel": ["purchase"],
                   "do": [{"after": "2s", "send": "email"}, {"after": "1s", "send": "email"}]},
    },
}


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03d}Z"


class Shop:
    """Customers who do something twice a second until they are told to stop. What one batch holds appears at
    once, in a transaction, so that no wait can end between a cart and the purchase that belongs to it."""

    def __init__(self, world, dice, lock):
        self.world, self.dice, self.lock = world, random.Random(dice.random()), lock
        self.pings, self.carts, self.batches = {}, [], 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.live)
        self.error = None

    def live(self):
        try:
            while not self.over.wait(0.4):
                with self.lock:
                    self.world.produce(self.batch(), transaction="commit")
        except Exception as error:  # told to whoever asks for the answer
            self.error = error

    def batch(self):
        self.batches += 1
        made, now = [], stamp(time.time())
        for n in range(60):
            customer = f"p-{self.dice.randrange(150)}"
            self.pings[customer] = self.pings.get(customer, 0) + 1
            made.append(event(customer, "ping", time=now, id=f"{self.batches}-{n}"))
        for n in range(10):
            customer = f"c-{self.batches}-{n}"
            made.append(event(customer, "add_to_cart", time=now, cart="k"))
            if n < 4:
                made.append(event(customer, "purchase", time=now))
            else:
                self.carts.append(customer)
        return made

    def answer(self):
        """{customer: what it must hear, in order}"""
        if self.error:
            raise self.error
        heard = {customer: [("answer", 1, n) for n in range(1, count + 1)] for customer, count in self.pings.items()}
        return heard | {customer: [("carted", 1, None), ("carted", 2, None)] for customer in self.carts}


class Faults(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        print(f"RELANCE_SEED={SEED}")
        self.dice = random.Random(f"{SEED} {self.id()}")

    def tell(self, siege, begin, actions):
        kinds = ", ".join(f"{count} × {what}" for what, count in sorted(siege.done.items()))
        print(f"{actions} actions, exact, in {time.monotonic() - begin:.0f} s under: {kinds}; "
              f"{siege.kafka_door.cuts + siege.redis_door.cuts} connections cut", flush=True)

    # ---- a long log

    def pace(self, siege, part):
        """Lets the log through so that it lasts as long as the plan: `part` of that is over."""
        ends = siege.world.kafka.ends(siege.world.input)
        decided = sum(max(0, offset) for offset, _ in siege.world.frontier().values()) / sum(ends.values())
        rate = siege.kafka_door.rate or RATE
        siege.kafka_door.rate = min(RATES[1], max(RATES[0], rate * (2 if decided < part else 0.5)))

    def abandon(self, version, fsync, workers):
        begin = time.monotonic()
        folder = place.Folder("carts")
        self.addCleanup(folder.close)
        topic = f"carts-{version}-{fsync}"
        answer = carts.fill(kafka.broker(version), topic, PARTITIONS, EVENTS, CUSTOMERS, SEED % 1000, folder.path)
        with World(carts.RULES, version, PARTITIONS, input=topic, lateness=carts.LATENESS,
                   redis_config={"appendfsync": fsync, **REDIS}) as world, Siege(world, self.dice, workers) as siege:
            siege.kafka_door.rate = RATE
            siege.start("one")
            siege.start("two")
            siege.wait_saved()
            plan = siege.plan(KILLS, OTHERS)
            for step, fault in enumerate(plan):
                siege.suffer(fault)
                if not siege.kafka_door.rate:
                    siege.kafka_door.rate = RATE
                self.pace(siege, step / len(plan))
            siege.heal()
            siege.wait_decided()
            siege.end()
            records = world.output_records()
            said = [carts.said(record) for record in records]
            self.assertEqual((len(answer - set(said)), len(set(said) - answer), len(said) - len(set(said))),
                             (0, 0, 0), "missing, invented, published twice")
            self.assertEqual(sequence_faults(records), [])
            self.assert_in_order(records, lambda record: int(carts.said(record).split()[2]))
            self.tell(siege, begin, len(said))

    def assert_in_order(self, records, when):
        """What one customer hears comes in the order of `when`."""
        last = {}
        for record in records:
            self.assertLessEqual(last.get(record.key, -1), when(record), record.value)
            last[record.key] = when(record)

    # ---- a shop that is alive

    def count(self, version, fsync, workers):
        begin = time.monotonic()
        with World(COUNTING, version, redis_config={"appendfsync": fsync, **REDIS}) as world, \
                Siege(world, self.dice, workers) as siege:
            siege.still = threading.Lock()
            shop = Shop(world, self.dice, siege.still)
            siege.start("one")
            siege.start("two")
            shop.thread.start()
            try:
                siege.wait_saved()
                for fault in siege.plan(KILLS, OTHERS):
                    siege.suffer(fault)
            finally:
                shop.over.set()
                shop.thread.join()
            siege.heal()
            siege.wait_decided()
            answer = shop.answer()
            count = sum(map(len, answer.values()))
            siege.wait_actions(count)
            siege.end()
            self.assert_heard(world, answer)
            self.tell(siege, begin, count)

    def assert_heard(self, world, answer):
        records, heard = world.output_records(), {}
        for record in records:
            body = record.json()
            heard.setdefault(body["customer"], []).append(
                (body["rule"], body["step"], body["with"]["n"] if "with" in body else None))
        self.assertEqual({c: heard.get(c) for c in answer if heard.get(c) != answer[c]}, {})
        self.assertEqual(set(heard) - set(answer), set())
        self.assertEqual(sequence_faults(records), [])

    def test_1_a_long_log(self):
        for version, fsync in [("3.9.1", "always")] * LONG + [("4.1.1", "everysec")]:
            self.abandon(version, fsync, workers=1)

    def test_2_a_living_shop(self):
        for version, fsync in [("4.1.1", "everysec")] * LONG + [("3.9.1", "always")]:
            self.count(version, fsync, workers=2)
