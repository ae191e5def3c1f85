"""The benches work, on few events: their streams are filled, read and decided, and every answer is exact.

How fast is measured by `sh tests/bench/run.sh`. Peers are left out: they are others' programs, and take a JDK and their
libraries. Of rows that differ in a number only, the last is run; the answers themselves are tested without servers
(tests/bench/bench_test.py).
"""
import unittest
import unittest.mock

from bench import bars, contests, customers, figures, latency

EVENTS, CUSTOMERS, RATE = 20_000, 200, 1000


class Bench(unittest.TestCase):
    def check(self, name, *rows):
        contest = contests.contests()[name]
        with contest.stream(EVENTS) as stream:
            for row in rows:
                found = contest.rows[row](stream)
                self.assertTrue(figures.is_exact(found), row)
                self.assertGreater(found.cpu_rate, 0)
                self.assertGreater(found.peak, 0)

    def test_abandoned_carts(self):
        self.check("carts", bars.READING, bars.TWO)

    def test_abandoned_carts_over_tls(self):
        self.check("tls", bars.TWO)

    def test_a_mixed_shop(self):
        self.check("shop", bars.TWO)

    def test_many_rules(self):
        self.check("rules", "Relance, 1,000 rules")

    def test_a_shop_in_segments_form(self):
        self.check("foreign", bars.TWO)

    def test_a_file(self):
        self.check("replay", "relance replay, one rule", "relance replay, shipped rules")

    def test_customers_who_are_only_there(self):
        with unittest.mock.patch.multiple(customers, SETTLE_S=1, SILENCE_S=1):
            costs = customers.measure(CUSTOMERS)
        self.assertEqual((costs.missing, costs.extra), (0, 0))

    def test_actions_are_timed(self):
        with unittest.mock.patch.multiple(latency, WARM_S=1, LOAD_S=1):
            for run in latency.relance, latency.passing:
                p50, p99, most = run(RATE)
                self.assertTrue(0 < p50 <= p99 <= most, run)
