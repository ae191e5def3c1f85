"""Runs the benches and prints the table: sh tests/bench/run.sh [OPTION]...; see tests/bench/README.md."""
import argparse
import pathlib
import signal
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench import bars, contests, customers, figures, latency
from support import kafka

OWN = ("customers", "latency")  # not contests: tables of their own
CUSTOMERS = (100_000, 1_000_000, 5_000_000)


def is_peer(row):
    return row.startswith(("Flink", "Kafka Streams"))


def is_wanted(row, options):
    if is_peer(row) and options.without_peers:
        return False
    return not options.engine or any(part.lower() in row.lower() for part in options.engine)


def tell(words):
    print(words, file=sys.stderr, flush=True)


def tried(words, run, *arguments):
    """What a run gives; None where it fails, which is told and ends none of the others."""
    try:
        return run(*arguments)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        tell(f"{words} has failed: {error}")
        return None


def run_row(words, run, stream):
    """Its figures, or None."""
    one = tried(words, run, stream)
    if one:
        tell(f"{words}: {one.rate:,.0f} events/s, {one.cpu_rate:,.0f} per CPU-second, missing and extra: {one.missing}, {one.extra}")
    return one


def run_contest(contest, options, found):
    """Rounds of all rows in turn; whether every run was exact."""
    runs = []
    with contest.stream(options.events or contest.size) as stream:
        for number in range(1 if stream.is_file else 0, options.rounds + 1):
            is_warming = number == 0  # the broker, which compiles what it is asked for: peers do so by their own warm runs
            name = "warming up" if is_warming else f"round {number}"
            for row, run in contest.rows.items():
                if not is_wanted(row, options) or (is_warming and is_peer(row)):
                    continue
                runs.append(run_row(f"{contest.name} {stream.events:,}, {name}: {row}", run, stream))
                if runs[-1] and not is_warming:
                    found.runs.setdefault((contest.name, row), []).append(runs[-1])
    return all(one and figures.is_exact(one) for one in runs)


def run_customers(options, found):
    """For each number of customers what they cost; whether every run was exact."""
    sizes, runs = (max(1, options.events // 50), options.events) if options.events else CUSTOMERS, []
    for number in range(options.rounds):
        for size in sizes:
            runs.append(tried(f"{size:,} customers", customers.measure, size))
            tell(f"customers, round {number + 1}: {runs[-1]}")
    for size in sizes:
        own = [run for run in runs if run and run.customers == size]
        if own:
            found.customers[size] = figures.medians(own)
    contest = contests.contests()["shop"]
    with contest.stream(options.events or contest.size) as stream:
        shops = [tried("ShopMix's customers", customers.measure_shop, stream) for _ in range(options.rounds)]
    if any(shops):
        found.shop = tuple(map(statistics.median, zip(*filter(None, shops))))
    return all(shops) and all(run and not run.missing and not run.extra for run in runs)


def customers_page(found):
    rows = [("customers", "", "armed/s", "B each", "B in Redis", "silent, ms/s", "events/s", "start s", "waits/s", "missing", "extra")]
    for size, c in found.customers.items():
        rows.append((f"{size:,}", "", f"{size / c.armed_s:,.0f}", f"{c.process_bytes:,.0f}", f"{c.redis_bytes:,.0f}", f"{c.silent_ms:.1f}",
                     f"{c.rate:,.0f}", f"{c.start_s:.2f}", f"{c.fired:,.0f}", f"{c.missing}", f"{c.extra}"))
    if found.shop:
        process_bytes, redis_bytes, count = found.shop
        rows.append((f"{count:,.0f}", "of ShopMix", "", f"{process_bytes:,.0f}", f"{redis_bytes:,.0f}", *[""] * 6))
    return figures.columns(rows)


def run_latency(options, found):
    """For each engine, under half of what ours does at most; the page that tells it."""
    rate = options.rate or full_rate(options, found) // 2
    runs = {"alone, Relance": latency.lone}
    runs.update({name: lambda run=run: run(rate) for name, run in latency.ROWS.items() if is_wanted(name, options)})
    tried("warming up", latency.relance, rate)
    rounds = [{name: tried(name, run) for name, run in runs.items()} for _ in range(options.rounds)]
    for name in runs:
        own = [one[name] for one in rounds if one[name]]
        if own:
            found.latency[name] = tuple(map(statistics.median, zip(*own)))
    return figures.columns([(f"event -> action, ms; but for the first at {rate:,} events/s", "", "p50", "p99", "most"),
                            *((name, "", *(f"{value:,.1f}" for value in row)) for name, row in found.latency.items())])


def full_rate(options, found):
    """Of CartAbandon with two workers, measured for it where it has not been."""
    runs = found.runs.get((bars.CARTS, bars.TWO))
    if not runs:
        contest = contests.contests()["carts"]
        with contest.stream(options.events or contest.size) as stream:
            runs = [contest.rows[bars.TWO](stream)]
    return int(figures.medians(runs).rate)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended, and its folders go
    names = [*contests.contests(), *OWN]
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh", description="Runs workloads on real servers and prints what they cost.")
    parser.add_argument("workload", nargs="*", metavar="WORKLOAD", choices=[*names, []], help=f"of {', '.join(names)}; default: all")
    parser.add_argument("--events", type=int, help="so many in every workload, instead of its own size; of customers, as many")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3; the table has their medians")
    parser.add_argument("--engine", action="append", help="only rows with this in their name; may be given several times")
    parser.add_argument("--without-peers", action="store_true", help="leave Flink and Kafka Streams out")
    parser.add_argument("--rate", type=int, help="of latency: events a second; default: half of what CartAbandon does here")
    options = parser.parse_args()
    found, pages, exact = bars.Found(), [], True
    try:
        for name in options.workload or names:
            if name == "customers":
                exact &= run_customers(options, found)
                pages.append(customers_page(found))
            elif name == "latency":
                pages.append(run_latency(options, found))
            else:
                exact &= run_contest(contests.contests()[name], options, found)
    finally:
        kafka.close()
        if found.runs:  # also of a run that is ended early
            pages.insert(0, figures.table(found.runs, bars.READING))
        print("\n\n".join([*pages, bars.table(found)]), flush=True)
    return 0 if exact else 1


if __name__ == "__main__":
    sys.exit(main())
