"""Runs the CartAbandon workload of ../shared/bench and prints its figures; see cart_abandon.sh."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import carts
from bench import workload

SEED = 7


def fill(broker, topic, partitions, events, customers, folder):
    return carts.fill(broker, topic, partitions, events, customers, SEED, folder)


if __name__ == "__main__":
    sys.exit(workload.main(workload.Workload("cartabandon", carts.GENERATOR, carts.RULES, carts.LATENESS, fill,
                                             carts.said, events_each=5)))
