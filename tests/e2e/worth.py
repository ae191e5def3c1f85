"""What rules are worth, on real servers: people, each once, their goals, steps, limits, what cancelled, what became of sends,
and totals, also over a crash; and what relance metrics says of them."""
import json
import signal
import subprocess
import time
import unittest

from support import place
from support.engine import World
from support.kafka import event

CUSTOMERS = 60
RULES = {
    "stale": "3650d",
    "events": {"cart": {"total": "double"}, "purchase": {"total": "double"}, "leave": {},
               "email_open": {"rule": "string", "step": "int"}},
    "totals": {"bought": {"on": "purchase", "by": "event.total > 40.0 ? 'much' : 'little'", "sum": "event.total"}},
    "limits": [{"max": "1 per 1d", "send": "push", "name": "one push"}],
    "rules": {
        "cart": {"on": "cart", "again": "restart", "cancel": "leave", "split": {"mail": 50, "holdout": 50},
                 "do": [{"send": "email"}, {"after": "3650d", "send": "email"}],
                 "goal": {"on": "purchase", "within": "3650d", "value": "event.total"}},
        "pushed": {"on": "cart", "do": [{"send": "push"}]}},
}


def history():
    """Each customer has two carts, and every second buys for 30 and again for 50.25; then a third of them leave."""
    begin = int(time.time()) - 3600
    stamp = lambda n: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin + n))
    for n, (kind, total) in enumerate((("cart", 1), ("purchase", 30), ("cart", 1), ("purchase", 50.25))):
        for c in range(CUSTOMERS):
            if kind == "cart" or c % 2 == 0:
                yield event(f"c-{c}", kind, id=f"{n}-{c}", time=stamp(n * 100 + c), total=total)
    for c in range(0, CUSTOMERS, 3):
        yield event(f"c-{c}", "leave", id=f"l-{c}", time=stamp(500 + c))
        yield event(f"c-{c}", "email_open", id=f"o-{c}", time=stamp(600 + c), rule="cart", step=1)


class Worth(unittest.TestCase):
    def setUp(self):
        self.world = World(RULES, partitions=2)
        self.addCleanup(self.world.__exit__)

    def metrics(self):
        done = subprocess.run([place.program("relance"), "metrics", "--json", f"--redis={self.world.redis.reader_url}",
                               f"--group={self.world.group}", f"--input={self.world.input}"], capture_output=True,
                              timeout=place.PATIENCE * 20, stdin=subprocess.DEVNULL, check=True)
        return json.loads(done.stdout)

    def test_all_of_it_is_counted_once_though_the_engine_is_killed(self):
        records = list(history())
        engine = self.world.engine()
        try:
            for begin in range(0, len(records), 80):
                self.world.produce(records[begin:begin + 80])
                self.world.wait_decided(engine)
                engine.stop(signal.SIGKILL)
                engine = self.world.engine()
            self.world.wait_decided(engine)
        finally:
            engine.stop()
        metrics = self.metrics()
        counters = metrics["counters"]
        sum_of = lambda what: sum(counters.get(f"rule.cart.{what}.{variant}", 0) for variant in ("mail", "holdout"))
        half = CUSTOMERS // 2
        self.assertEqual((sum_of("people"), sum_of("won")), (CUSTOMERS, half))
        self.assertEqual(sum_of("value"), half * 802500)
        self.assertEqual(sum_of("value_squares"), half * 802500 ** 2)
        self.assertEqual(counters["rule.cart.step.1.sent"] + counters["rule.cart.step.1.held"], 2 * CUSTOMERS)
        self.assertEqual(counters["rule.cart.cancelled_by.leave"], CUSTOMERS // 3)
        self.assertEqual(counters["rule.cart.step.1.opened"], CUSTOMERS // 3)
        self.assertEqual(counters["limit.one push.capped"], CUSTOMERS)
        self.assertEqual([counters[f"totals{name}.bought.{by}"] for name in ("", "_sum") for by in ("little", "much")],
                         [half, half, half * 300000, half * 502500])
        [lift] = metrics["lift"]
        self.assertEqual((lift["rule"], lift["variant"], lift["over"]), ("cart", "mail", "holdout"))
        self.assertEqual(lift["conversion"]["words"], "not yet told apart")
        told, of_file = self.world.report(), self.world.report_of([record.value for record in records])
        for part in ("rules", "limits", "totals"):
            self.assertEqual(told[part], of_file[part])


if __name__ == "__main__":
    unittest.main()
