"""Runs the benches and prints the table: sh tests/bench/run.sh [OPTION]...; see tests/bench/README.md."""
import argparse
import collections
import dataclasses
import pathlib
import signal
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench import contests, customers, figures, latency
from support import kafka

OWN = ("customers", "latency")  # not contests: tables of their own
CUSTOMERS = (100_000, 1_000_000, 5_000_000)
RELANCE, FLINK, STREAMS = "Relance, 2 workers", "Flink, heap", ("Kafka Streams, memory", "Kafka Streams, rocksdb")


def is_peer(row):
    return row.startswith(("Flink", "Kafka Streams"))


def is_wanted(row, options):
    if is_peer(row) and options.without_peers:
        return False
    return not options.engine or any(part.lower() in row.lower() for part in options.engine)


def run_contest(contest, options, results):
    """Rounds of all rows in turn; whether every run was exact."""
    exact = True
    for events in [options.events] if options.events else contest.sizes:
        name = f"{contest.name} {events:,}"
        with contest.stream(events) as stream:
            for number in range(options.rounds):
                for row, run in contest.rows.items():
                    if not is_wanted(row, options):
                        continue
                    one = run(stream)
                    results[name, row].append(one)
                    exact &= figures.is_exact(one)
                    print(f"{name}, round {number + 1}: {row}: {one.rate:,.0f} events/s, {one.cpu_rate:,.0f} per CPU-second, missing and "
                          f"extra: {one.missing}, {one.extra}", file=sys.stderr, flush=True)
    return exact


def run_customers(options):
    """A line for each number of customers; whether every run was exact."""
    rows = [("customers", "", "armed/s", "B each", "B in Redis", "silent, ms/s", "events/s", "start s", "waits/s", "missing", "extra")]
    sizes, exact = (max(1, options.events // 50), options.events) if options.events else CUSTOMERS, True
    runs = [customers.measure(size) for _ in range(options.rounds) for size in sizes]
    for size in sizes:
        own = [run for run in runs if run.customers == size]
        c = customers.Costs(*(statistics.median(getattr(run, f.name) for run in own) for f in dataclasses.fields(customers.Costs)))
        exact &= not any(run.missing or run.extra for run in own)
        rows.append((f"{size:,}", "", f"{size / c.armed_s:,.0f}", f"{c.process_bytes:,.0f}", f"{c.redis_bytes:,.0f}", f"{c.silent_ms:.1f}",
                     f"{c.rate:,.0f}", f"{c.start_s:.2f}", f"{c.fired:,.0f}", str(max(run.missing for run in own)),
                     str(max(run.extra for run in own))))
    contest = contests.contests()["shop"]
    with contest.stream(options.events or contest.sizes[0]) as stream:
        shops = [customers.measure_shop(stream) for _ in range(options.rounds)]
    process_bytes, redis_bytes, count = map(statistics.median, zip(*shops))
    rows.append((f"{count:,.0f}", "of ShopMix", "", f"{process_bytes:,.0f}", f"{redis_bytes:,.0f}", *[""] * 6))
    return figures.columns(rows), exact


def run_latency(options, results):
    """A line for each engine, under half of what ours does at most."""
    rate = options.rate or full_rate(options, results) // 2
    rows = [("event -> action, ms", "", "p50", "p99", "most")]
    runs = {"alone, Relance": latency.lone}
    runs.update({f"{rate:,} events/s, {name}": lambda run=run: run(rate) for name, run in latency.ROWS.items() if is_wanted(name, options)})
    found = collections.defaultdict(list)
    for _ in range(options.rounds):
        for name, run in runs.items():
            found[name].append(run())
    for name, rounds in found.items():
        rows.append((name, "", *(f"{statistics.median(column):,.1f}" for column in zip(*rounds))))
    return figures.columns(rows)


def full_rate(options, results):
    """Of CartAbandon with two workers, measured for it where it has not been."""
    found = [runs for (workload, row), runs in results.items() if workload.startswith("CartAbandon") and row == RELANCE]
    if not found:
        contest = contests.contests()["carts"]
        with contest.stream(options.events or contest.sizes[0]) as stream:
            found = [[contest.rows[RELANCE](stream)]]
    return int(figures.medians(found[0]).rate)


def comparisons(results):
    """What the table's rows are to each other."""
    for workload in dict.fromkeys(workload for workload, _ in results):
        for figure, words in (("rate", "events/s"), ("cpu_rate", "events per CPU-second")):
            for other in (FLINK, *STREAMS):
                times = figures.ratio(results, workload, RELANCE, other, figure)
                if times:
                    yield f"{workload}: {words} of {RELANCE}: {times:.2f} of {other}"
            one, most = (f"Relance, {count}" for count in ("1 rule", "1,000 rules"))
            times = figures.ratio(results, workload, most, one, figure)
            if times:
                yield f"{workload}: {words} with 1,000 rules: {times:.2f} of those with 1"
        times = figures.ratio(results, workload, "librdkafka alone", RELANCE, "cpu_rate")
        if times:
            yield f"{workload}: CPU an event of {RELANCE}: {times:.2f} times that of consuming alone"


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended, and its folders go
    names = [*contests.contests(), *OWN]
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh", description="Runs workloads on real servers and prints what they cost.")
    parser.add_argument("workload", nargs="*", metavar="WORKLOAD", choices=[*names, []], help=f"of {', '.join(names)}; default: all")
    parser.add_argument("--events", type=int, help="so many in every workload, instead of its own sizes; of customers, as many")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3; the table has their medians")
    parser.add_argument("--engine", action="append", help="only rows with this in their name; may be given several times")
    parser.add_argument("--without-peers", action="store_true", help="leave Flink and Kafka Streams out")
    parser.add_argument("--rate", type=int, help="of latency: events a second; default: half of what CartAbandon does here")
    options = parser.parse_args()
    chosen, results, pages, exact = options.workload or names, collections.defaultdict(list), [], True
    try:
        for name in chosen:
            if name == "customers":
                page, is_exact = run_customers(options)
                pages, exact = [*pages, page], exact and is_exact
            elif name == "latency":
                pages.append(run_latency(options, results))
            else:
                exact &= run_contest(contests.contests()[name], options, results)
    finally:
        kafka.close()
    if results:
        pages.insert(0, "\n".join([figures.table(results), "", *comparisons(results)]).rstrip())
    print("\n\n".join(pages))
    return 0 if exact else 1


if __name__ == "__main__":
    sys.exit(main())
