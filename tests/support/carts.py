"""The CartAbandon workload of ../shared/bench: a topic full of events and the exact answer to them.

Add to cart arms or re-arms a wait of 45 minutes, a purchase ends it. The generator writes its answer by itself and
shares no code with us.
"""
import datetime
import subprocess

from support import place

GENERATOR = place.SHARED / "bench" / "cartgen.c"
RULES = {
    "stale": "3650d",
    "events": {"add_to_cart": {"cart": "string"}, "purchase": {}},
    "rules": {"cart_abandoned": {"on": "add_to_cart", "key": "event.cart", "again": "rearm", "cancel": ["purchase"],
                                 "do": [{"after": "45m", "send": "email"}]}},
}
LATENESS = "30s"


def compiled(source, folder):
    """The program of a generator of the kit."""
    program = folder / source.stem
    subprocess.run(["gcc", "-O2", "-o", program, source, "-lrdkafka", "-lm"], check=True, timeout=120)
    return program


def command(to, events, customers, seed, folder):
    """What makes the events, and the file that it writes its answer to. `to`: a broker's address and a topic, or "-" twice for lines."""
    answer = folder / "answer"
    return [compiled(GENERATOR, folder), *to, str(events), str(customers), str(seed), answer], answer


def fill(broker, topic, partitions, events, customers, seed, folder):
    """Makes the topic and its answer: {"customer cart due_ms"}."""
    words, answer = command((broker.address, topic), events, customers, seed, folder)
    broker.create(topic, partitions, retention_ms=-1)
    subprocess.run(words, check=True, stderr=subprocess.DEVNULL)
    return set(answer.read_text().splitlines())


def milliseconds(time_text):
    moment = datetime.datetime.fromisoformat(time_text.replace("Z", "+00:00"))
    return round(moment.timestamp() * 1000)


def said(record):
    """An action as the answer has it."""
    body = record.json()
    return f"{body['customer']} {body['key']} {milliseconds(body['due'])}"
