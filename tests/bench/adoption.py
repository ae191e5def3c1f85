"""How long a version of what goes with what takes from where a learner has it to the decisions of an engine, and what it weighs there:
sh tests/bench/run.sh adoption.py [PRODUCTS [ROUNDS]]

As many customers as products view six of them each, so that every product has a full list. A learner reads them all and makes one
version, a whole one; an engine that is live beside it adopts it. Instants are those of the two logs. Nothing is asserted.
"""
import pathlib
import re
import statistics
import sys
import time
from datetime import datetime

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench.figures import memory
from support import kafka, place
from support.engine import World, running
from support.kafka import event

PARTITIONS, BATCH = 4, 20000
MADE, IN_FORCE = "A version of a model is made.", "Versions of models take effect."
STEPS = (0, 1, 8, 43, 217, 1090)  # no two of them lie equally far apart: 30 partners of each product
BEGIN = int(1000 * time.time()) - 3600000
RULES = {
    "stale": "3650d",
    "events": {"view": {"product": "string"}},
    "affinities": {"also_viewed": {"from": [{"on": "view", "by": "event.product"}], "within": "1d", "half_life": "60d", "least": 1}},
    "rules": {"look": {"on": "view", "key": "event.id", "if": "also_viewed(event.product, 4).size() == 5", "do": [{"send": "email"}]}},
}


def fill(world, products):
    for begin in range(0, products, BATCH):
        world.produce([event(f"c-{c}", "view", id=f"{c}-{n}", time=BEGIN + n, product=f"product-{(c + step) % products}")
                       for c in range(begin, min(begin + BATCH, products)) for n, step in enumerate(STEPS)])


def trickle(world):
    """A partition adopts a version before it decides something: an event for each."""
    world.produce([event(f"t-{n}", "view", time=BEGIN + n, product="product-0") for n in range(8 * PARTITIONS)])


def instants(program, sentence):
    """When its log has said so."""
    found = re.findall(rf'time=(\S+)Z level=\w+ msg="{re.escape(sentence)}"', program.output())
    return [datetime.fromisoformat(when).timestamp() for when in found]


def once(products):
    """(seconds to available, seconds to in force everywhere, bytes in the engine)"""
    with World(RULES, partitions=PARTITIONS) as world:
        fill(world, products)
        with running(world, create_topics=True) as engine:
            place.wait_until(lambda: engine.is_live() and world.is_decided(), 300, "all is decided", pause_s=0.5)
            before, learner = memory(engine.process.pid, "VmRSS"), world.learner(every="1h")
            try:
                place.wait_until(lambda: MADE in learner.output(), 300, "a version")
                while len(instants(engine, IN_FORCE)) < PARTITIONS and engine.is_running() and learner.is_running():
                    trickle(world)
                    time.sleep(0.02)
                made = re.search(rf'"{re.escape(MADE)}".* products=(\d+) full=1', learner.output())
                if int(made[1]) != products:
                    raise RuntimeError(f"the first version has {made[1]} products")
                begun = instants(learner, MADE)[0]
                return (instants(engine, "A version of a model is available.")[0] - begun,
                        max(instants(engine, IN_FORCE)) - begun, memory(engine.process.pid, "VmRSS") - before)
            finally:
                learner.stop()


def main(products="100000", rounds="3"):
    try:
        found = [once(int(products)) for _ in range(int(rounds))]
    finally:
        kafka.close()
    for available_s, in_force_s, size in found:
        print(f"available after {available_s:.2f} s, in force after {in_force_s:.2f} s, {size / 1e6:,.0f} MB")
    medians = [statistics.median(column) for column in zip(*found)]
    print(f"{int(products):,} products, medians of {rounds}: available after {medians[0]:.2f} s, in force after {medians[1]:.2f} s, {medians[2] / 1e6:,.0f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
