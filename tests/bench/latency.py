"""A lone event in a quiet shop, from its producer's call to the committed action in a reader's hands:
sh tests/bench/latency.sh [ROUNDS]

The 99th percentile of 200 is its second worst or so: one moment in which the machine does something else decides it.
So each round has a line of its own, and the last one holds the medians of the rounds. Nothing is asserted.
"""
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import kafka
from support.engine import World, running

RULES = {"events": {"ping": {}}, "rules": {"answer": {"on": "ping", "do": [{"send": "email"}]}}}
WARM, COUNT, PAUSE_MS = 20, 200, 20


def measure(rounds):
    """The times in ms of each round, in their order of size."""
    with World(RULES) as world:
        with running(world):
            lines = world.kafka.tool("latency", world.input, world.output, WARM + rounds * COUNT, PAUSE_MS)
    times_ms = [int(line) / 1000 for line in lines[WARM:]]
    return [sorted(times_ms[n:n + COUNT]) for n in range(0, rounds * COUNT, COUNT)]


def main(rounds="3"):
    print("lone event -> action, ms:   p50     p99    most")
    rows = [(statistics.median(times), times[COUNT * 99 // 100], times[-1]) for times in measure(int(rounds))]
    for n, row in enumerate(rows, 1):
        print(f"round {n:<17}" + "".join(f"{ms:8.1f}" for ms in row), flush=True)
    print(f"{'medians':23}" + "".join(f"{statistics.median(column):8.1f}" for column in zip(*rows)))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    finally:
        kafka.close()
