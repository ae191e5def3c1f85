"""The benches work, on few events: their streams are filled, read and decided, and every answer is exact.

How fast is measured by `sh tests/bench/run.sh`. Peers are left out: they are others' programs, and take a JDK and their libraries.
"""
import unittest
import unittest.mock

from bench import contests, customers, figures
from bench.run import is_peer

EVENTS, CUSTOMERS = 10_000, 200


class Bench(unittest.TestCase):
    def check(self, name):
        contest = contests.contests()[name]
        with contest.stream(EVENTS) as stream:
            for row, run in contest.rows.items():
                if not is_peer(row):
                    found = run(stream)
                    self.assertTrue(figures.is_exact(found), row)
                    self.assertGreater(found.cpu_rate, 0)
                    self.assertGreater(found.peak, 0)

    def test_abandoned_carts(self):
        self.check("carts")

    def test_a_mixed_shop(self):
        self.check("shop")

    def test_many_rules(self):
        self.check("rules")

    def test_a_shop_in_segments_form(self):
        self.check("foreign")

    def test_customers_who_are_only_there(self):
        with unittest.mock.patch.multiple(customers, SETTLE_S=2, SILENCE_S=1):
            costs = customers.measure(CUSTOMERS)
        self.assertEqual((costs.missing, costs.extra), (0, 0))
