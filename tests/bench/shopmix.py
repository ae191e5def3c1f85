"""Runs the ShopMix workload of ../shared/bench/shopmix and prints its figures; see shopmix.sh.

Every event changes state; four rules, three of them under quiet hours and a cap. The answer, every send with its
payload, is made by a program beside the generator that shares no code with us.
"""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import carts, place
from bench import workload

FOLDER = place.SHARED / "bench" / "shopmix"
SEED, LATENESS = 1, "30s"
RULES = FOLDER / "shopmix.jsonc"


def fill(broker, topic, partitions, events, customers, folder):
    """Makes the topic and its answer: {"customer rule key due_ms payload"}."""
    for name in ("shopgen", "oracle"):
        subprocess.run(["gcc", "-O2", "-o", folder / name, FOLDER / f"{name}.c", "-lrdkafka", "-lm"], check=True)
    broker.create(topic, partitions, retention_ms=-1)
    answer = folder / "answer"
    # What stands for the answer's file are the arguments of the oracle: no sends, but sends with payloads.
    subprocess.run([folder / "shopgen", broker.address, topic, str(events), str(customers), str(SEED), f"/dev/null {answer}"],
                   check=True)
    return set(map(timeless, answer.read_text().splitlines()))


def timeless(line):
    """A send at once has the time of its event in the action and the customer's `now` in the answer, which differ
    for a late event: its order says which it is."""
    customer, rule, key, due, payload = line.split(" ", 4)
    return f"{customer} {rule} {key} {'at once' if rule == 'first_purchase' else due} {payload}"


def item(one):
    return f"{one['product']}*{one['qty']}@{one['price']:.2f}"


PAYLOADS = {
    "still-looking": lambda w: f"{w['category']} {w['price']:.2f}",
    "cart": lambda w: f"{','.join(map(item, w['items']))} {w['total']:.2f}",
    "thank-you": lambda w: f"{w['total']:.2f}",
    "regular": lambda w: w["channel"],
}


def said(record):
    """An action as the answer has it."""
    body = record.json()
    payload = PAYLOADS[body["with"]["template"]](body["with"])
    due = carts.milliseconds(body["due"])
    return timeless(f"{body['customer']} {body['rule']} {body.get('key') or '-'} {due} {payload}")


if __name__ == "__main__":
    sys.exit(workload.main(workload.Workload("shopmix", RULES, RULES.exists() and RULES.read_text(), LATENESS, fill, said,
                                             events_each=10)))
