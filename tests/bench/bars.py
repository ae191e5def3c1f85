"""What the engine is held to, and whether a run of the benches has shown it.

A bar compares figures of one run: what was measured side by side on one machine. It is told and fails nothing, since a machine
that does other work says little; what could not be asked, because a workload or a peer was left out, is `-`.
"""
from collections.abc import Callable
from dataclasses import dataclass, field

from bench import figures

ONE, TWO, READING = "Relance, 1 worker", "Relance, 2 workers", "librdkafka alone"
FLINK, STREAMS = "Flink, heap", ("Kafka Streams, memory", "Kafka Streams, rocksdb")
CARTS, SHOP, RULES, REPLAY = "CartAbandon", "ShopMix", "ManyRules", "Replay"


@dataclass
class Found:
    """All that a run has measured."""
    runs: dict = field(default_factory=dict)        # {(workload, row): [figures.Figures]}
    customers: dict = field(default_factory=dict)   # {number of customers: customers.Costs}, the fewest first
    shop: tuple = ()                                # bytes of a customer of ShopMix: in the process, in Redis
    latency: dict = field(default_factory=dict)     # {row: (p50, p99, most)}, in ms, at half of full load


@dataclass(frozen=True)
class Bar:
    words: str
    least: float | None
    most: float | None
    measure: Callable   # Found -> a number; None: it has not been measured
    form: str = ",.2f"

    def row(self, found):
        value = self.measure(found)
        bound = f"at least {self.least:,}" if self.most is None else f"at most {self.most:,}"
        if value is None:
            return self.words, bound, "-", "-"
        is_met = value >= self.least if self.most is None else value <= self.most
        return self.words, bound, format(value, self.form), "met" if is_met else "missed"


def at_least(words, least, measure, form=",.2f"):
    return Bar(words, least, None, measure, form)


def at_most(words, most, measure, form=",.2f"):
    return Bar(words, None, most, measure, form)


# ---- what is asked

def times(workload, one, *others, figure):
    """How many times the best of the others' a row's figure is."""
    def measure(found):
        ratios = [figures.ratio(found.runs, workload, one, other, figure) for other in others]
        return None if None in ratios else min(ratios)
    return measure


def of_row(workload, row, figure):
    def measure(found):
        runs = found.runs.get((workload, row))
        return getattr(figures.medians(runs), figure) if runs else None
    return measure


def of_most_customers(figure):
    return lambda found: getattr(list(found.customers.values())[-1], figure) if found.customers else None


def of_many_customers(figure):
    """The most that it is, at any number of customers but the fewest."""
    return lambda found: max((getattr(costs, figure) for costs in list(found.customers.values())[1:]), default=None)


def growth(found):
    rates = [costs.rate for costs in found.customers.values()]
    return rates[-1] / rates[0] if len(rates) > 1 else None


def of_shop(part):
    return lambda found: found.shop[part] if found.shop else None


def p99(found):
    return found.latency["Relance"][1] if "Relance" in found.latency else None


BARS = (
    at_least("CartAbandon: per CPU-second, times Flink heap", 1.3, times(CARTS, TWO, FLINK, figure="cpu_rate")),
    at_least("CartAbandon: per CPU-second, times the better Kafka Streams", 2.5, times(CARTS, TWO, *STREAMS, figure="cpu_rate")),
    at_least("CartAbandon: events/s with 2 workers, times Flink heap", 1, times(CARTS, TWO, FLINK, figure="rate")),
    at_least("ShopMix: per CPU-second, times Flink heap", 2, times(SHOP, TWO, FLINK, figure="cpu_rate")),
    at_least("ShopMix: events/s with 2 workers, times Flink heap", 1.5, times(SHOP, TWO, FLINK, figure="rate")),
    at_most("CartAbandon: CPU of an event, times that of consuming alone", 1.9, times(CARTS, READING, TWO, figure="cpu_rate")),
    at_least("ManyRules: events/s with 1,000 rules, times that with 1", .5, times(RULES, "Relance, 1,000 rules", "Relance, 1 rule", figure="rate")),
    at_most("event to action at half of full load, p99, ms", 50, p99, ",.1f"),
    at_most("memory of a customer in the process, bytes", 250, of_many_customers("process_bytes"), ",.0f"),
    at_most("memory of a customer in Redis, bytes", 350, of_many_customers("redis_bytes"), ",.0f"),
    at_most("ShopMix: memory of a customer in the process, bytes", 700, of_shop(0), ",.0f"),
    at_most("ShopMix: memory of a customer in Redis, bytes", 400, of_shop(1), ",.0f"),
    at_least("events/s with the most customers, times that with the fewest", .8, growth),
    at_most("start with the most customers, s", 3, of_most_customers("start_s")),
    at_least("waits that end at once, a second", 300_000, of_most_customers("fired"), ",.0f"),
    at_least("replay of CartAbandon: events per CPU-second", 1_000_000, of_row(REPLAY, "relance replay, one rule", "cpu_rate"), ",.0f"),
    at_least("replay with the rules that ship: events per CPU-second", 500_000, of_row(REPLAY, "relance replay, shipped rules", "cpu_rate"), ",.0f"),
)


def table(found):
    """All bars, a line each."""
    return figures.columns([("bar", "", "measured", ""), *(bar.row(found) for bar in BARS)])
