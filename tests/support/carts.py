"""The CartAbandon workload: a topic full of events and the exact answer to them.

Add to cart arms or re-arms a wait of 45 minutes, a purchase ends it. The generator (tests/bench/stream/cart_stream.c)
writes its answer by itself and shares no code with the engine.
"""
import datetime
import subprocess

from support import place

RULES = {
    "stale": "3650d",
    "events": {"add_to_cart": {"cart": "string"}, "purchase": {}},
    "rules": {"cart_abandoned": {"on": "add_to_cart", "key": "event.cart", "again": "rearm", "cancel": ["purchase"],
                                 "do": [{"after": "45m", "send": "email"}]}},
}
LATENESS = "30s"


def command(to, events, customers, seed, folder):
    """What makes the events, and the file that it writes its answer to. `to`: a broker's address and a topic, or "-" twice for lines."""
    answer = folder / "answer"
    return [place.program("cart_stream"), *to, str(events), str(customers), str(seed), answer], answer


def fill(broker, topic, partitions, events, customers, seed, folder):
    """Makes the topic and its answer: {"customer cart due_ms"}."""
    words, answer = command((broker.address, topic), events, customers, seed, folder)
    broker.create(topic, partitions, retention_ms=-1)
    subprocess.run(words, check=True)
    return set(answer.read_text().splitlines())


def milliseconds(time_text):
    moment = datetime.datetime.fromisoformat(time_text.replace("Z", "+00:00"))
    return round(moment.timestamp() * 1000)


def said(record):
    """An action as the answer has it."""
    body = record.json()
    return f"{body['customer']} {body['key']} {milliseconds(body['due'])}"
