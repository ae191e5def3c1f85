"""The workloads of the table: how each fills its topic, what the exact answer is, and who takes part.

A contest is a stream and rows, each of which works through the whole of it once: rows are run in turn, round by round, since
the machine's own speed drifts. Every run's output is compared with the answer, those that only warm a JVM up as well.
"""
import contextlib
import functools
import itertools
import json
import pathlib
import random
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bench import bars, peers
from bench.figures import Figures, compare, cpu_s, memory, wait_for
from support import carts, kafka, logs, place
from support.engine import Action, Engine, World
from support.kafka import Record, to_line

HERE = pathlib.Path(__file__).resolve().parent
PARTITIONS, LATENESS, CACHE = 8, "30s", "2GiB"
REDIS = {"auto_aof_rewrite_percentage": "400", "auto_aof_rewrite_min_size": "512mb"}  # as the manual asks
WARM_RUNS = 2            # of a JVM, before the one that is measured
SLOWEST = 5_000          # events a second: what is slower is ended
START_S = 120
NUMBERS = itertools.count()


def limit_s(events, runs=1):
    return runs * (START_S + events / SLOWEST)


@dataclass
class Stream:
    topic: str    # or the path of a file
    events: int
    answer: set   # of ManyRules, one for each number of rules

    @property
    def is_file(self):
        return pathlib.Path(self.topic).is_absolute()


@dataclass
class Contest:
    name: str
    size: int        # in events
    fill: Callable   # (events, folder) -> Stream
    rows: dict       # {name: Stream -> Figures}

    @contextlib.contextmanager
    def stream(self, events):
        folder = place.Folder("bench")
        try:
            stream = self.fill(events, folder.path)
            yield stream
        finally:
            folder.close()
        if stream.is_file:
            return
        kafka.broker().delete(stream.topic)


def new_topic(name):
    """A topic of that name's own, to be filled."""
    topic = f"{name}{next(NUMBERS)}"
    kafka.broker().create(topic, PARTITIONS, retention_ms=-1)
    return topic


# ---- who takes part

def relance(rules, said, workers, stream, answer=None, is_signed=False, **options):
    """The engine itself, from the first record to its end; `is_signed`: over TLS, with certificates on both sides."""
    with World(rules() if callable(rules) else rules, partitions=PARTITIONS, input=stream.topic, lateness=LATENESS, redis_config=REDIS) as world:
        broker = world.kafka.process.pid
        if is_signed:
            options.update(world.kafka.by_certificate())
        before = redis_s(world.redis), cpu_s(broker)
        began = time.time()
        engine = world.engine(workers=workers, cache_bytes=CACHE, stop_at_end=True, **options)
        seconds, used_s, peak = wait_for(engine.process, limit_s(stream.events), engine.log)
        redis, broker_s = redis_s(world.redis) - before[0], cpu_s(broker) - before[1]
        peak += memory(world.redis.process.pid, "VmHWM")
        start_s = live_at(engine) - began
        missing, extra = compare(map(said, world.kafka.stream(world.output)), stream.answer if answer is None else answer(stream))
        if any(world.kafka.ends(f"{world.output}.dead").values()):
            raise RuntimeError("there are dead letters")
        for topic in ("", ".dead", ".marks", ".links"):
            world.kafka.delete(world.output + topic)
    return Figures(stream.events, seconds - start_s, used_s, peak, redis, broker_s, missing, extra, start_s)


def live_at(engine):
    """When its first partition was live: the first record is read after that."""
    first = next(line for line in logs.read(engine.output()) if line["msg"] == "A partition is live.")
    return datetime.fromisoformat(first["time"]).timestamp()


def redis_s(redis):
    used = redis.info("cpu")
    return sum(float(used[f"used_cpu_{kind}"]) for kind in ("user", "sys", "user_children", "sys_children"))


@functools.cache
def built(system):
    return peers.build(system)


def peer(system, workload, store, said, stream, **words):
    """A JVM that works through the stream three times, of which the last is measured."""
    broker, folder = kafka.broker(), place.Folder("peer")
    outputs = [new_topic("peer") for _ in range(WARM_RUNS + 1)]
    log = folder.path / "log"
    class_path = built(system)
    try:
        with open(log, "wb") as file:
            process = place.start(peers.command(system, class_path, workload=workload, store=store, brokers=broker.address, topic=stream.topic,
                                                out=outputs[-1], warm=",".join(outputs[:-1]), dir=folder.path, **words),
                                  stdout=file, stderr=file)
        before = cpu_s(broker.process.pid)
        wait_for(process, limit_s(stream.events, len(outputs)), log)
        broker_s = (cpu_s(broker.process.pid) - before) / len(outputs)
        run = peers.read_runs(log.read_text())[-1]
        wrong = [compare(map(said, broker.stream(topic)), stream.answer) for topic in outputs]
    finally:
        folder.close()
        for topic in outputs:
            broker.delete(topic)
    return Figures(stream.events, run["wall_s"], run["cpu_s"], run["peak_kb"] * 1024, 0, broker_s, max(m for m, _ in wrong), max(e for _, e in wrong))


def reader(stream):
    """Consuming alone, in batches. It leaves out what closes the stream: as many records as there are events, or more."""
    broker, folder = kafka.broker(), place.Folder("reader")
    log = folder.path / "log"
    try:
        before = cpu_s(broker.process.pid)
        with open(log, "wb") as file:
            process = place.start([place.program("kafka_tool"), broker.address, "drain", stream.topic], stdout=file, stderr=file)
        seconds, used_s, peak = wait_for(process, limit_s(stream.events), log)
        broker_s, count = cpu_s(broker.process.pid) - before, int(log.read_text())
    finally:
        folder.close()
    return Figures(stream.events, seconds, used_s, peak, 0, broker_s, max(0, stream.events - count), max(0, count - stream.events - PARTITIONS))


def replay(rules, is_compared, stream):
    """`relance replay` of a file, whose sends are kept."""
    folder = place.Folder("replay")
    log, lines = folder.path / "log", folder.path / "lines"
    try:
        rule_file = pathlib.Path(rules) if isinstance(rules, str) else folder.path / "rules.json"
        if not isinstance(rules, str):
            rule_file.write_text(json.dumps(rules))
        with open(log, "wb") as errors, open(lines, "wb") as output:
            process = place.start([place.program("relance"), "replay", f"--rules={rule_file}", f"--lateness={LATENESS}", "--models=none", "--only=sent",
                                   "--until=2h", stream.topic], stdout=output, stderr=errors)
        seconds, used_s, peak = wait_for(process, limit_s(stream.events), log)
        with open(lines) as output:
            missing, extra = compare((said_line(json.loads(line)) for line in output), stream.answer) if is_compared else (None, None)
    finally:
        folder.close()
    return Figures(stream.events, seconds, used_s, peak, missing=missing, extra=extra)


def said_line(line):
    action = Action.of_line(line)
    return f"{action.customer} {action.key} {carts.milliseconds(action.due)}"


# ---- CartAbandon

CART_SEED, EVENTS_A_CART_CUSTOMER = 7, 5


def customers_of(events, each):
    return max(1, events // each)


def cart_command(events, folder, to):
    return carts.command(to, events, customers_of(events, EVENTS_A_CART_CUSTOMER), CART_SEED, folder)


def fill_carts(events, folder):
    topic = f"carts{next(NUMBERS)}"
    answer = carts.fill(kafka.broker(), topic, PARTITIONS, events, customers_of(events, EVENTS_A_CART_CUSTOMER), CART_SEED, folder)
    return Stream(topic, events, answer)


def fill_cart_file(events, folder):
    """The same as a file of lines, without what closes a topic."""
    file = folder / "events.jsonl"
    command, answer = cart_command(events, folder, ("-", "-"))
    with open(file, "wb") as output:
        subprocess.run(command, check=True, stdout=output, timeout=limit_s(events))
    return Stream(str(file), events, set(answer.read_text().splitlines()))


def said_by_peer_of_cart(record):
    body = record.json()
    return f"{body['customer']} {body['cart']} {body['due']}"


# ---- ManyRules: the stream of CartAbandon, rules that each look for one product, and half of them for a price that it has not

PRODUCTS, RULE_SEED, RULE_COUNTS = 20_000, 11, (1, 100, 1000)


def price_of(product):
    """In cents, as the stream has it."""
    return 500 + product % 9973


def watched():
    """[(product, price in cents from which its rule acts)], a rule each: every second one is dearer than its product is."""
    products = random.Random(RULE_SEED).sample(range(PRODUCTS), max(RULE_COUNTS))
    return [(product, price_of(product) + (10 if n % 2 else -10)) for n, product in enumerate(products)]


def many_rules(count):
    return {"stale": "3650d", "events": {"view": {"product": "string", "price": "double"}},
            "rules": {f"product_{product}": {"on": "view", "key": "event.id",
                                             "if": f"event.product == 'p{product:05}' && event.price >= {cents / 100:.2f}",
                                             "do": [{"send": "email"}]} for product, cents in watched()[:count]}}


def watched_views(lines):
    """The exact answers, from the events themselves: {"customer event"} of the views that a rule acts on, by how many rules there are."""
    acting = {f"p{product:05}".encode(): n for n, (product, cents) in enumerate(watched()) if price_of(product) >= cents}
    answers = {count: set() for count in RULE_COUNTS}
    for line in lines:
        number = acting.get(line.partition(b'","product":"')[2][:6])  # of a view; elsewhere products stand in items
        if number is not None:
            body = json.loads(line)
            for count in RULE_COUNTS:
                if number < count:
                    answers[count].add(f"{body['customer']} {body['id']}")
    return answers


def said_of_view(record):
    body = record.json()
    return f"{body['customer']} {body['key']}"


def fill_many(events, folder):
    stream = fill_carts(events, folder)
    command, _ = cart_command(events, folder, ("-", "-"))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as generator:
        stream.answer = watched_views(generator.stdout)
    return stream


# ---- ShopMix: every event changes state; four rules, three of them under quiet hours and a cap

SHOP_RULES = HERE / "shopmix.jsonc"
SHOP_SEED, EVENTS_A_SHOP_CUSTOMER = 1, 10
PAYLOADS = {
    "still-looking": lambda w: f"{w['category']} {w['price']:.2f}",
    "cart": lambda w: f"{','.join(map(item, w['items']))} {w['total']:.2f}",
    "thank-you": lambda w: f"{w['total']:.2f}",
    "regular": lambda w: w["channel"],
}


def item(one):
    return f"{one['product']}*{one['qty']}@{one['price']:.2f}"


def said_of_shop(record):
    """An action as the answer has it, ours or a peer's."""
    body = record.json()
    payload = PAYLOADS[body["with"]["template"]](body["with"])
    due = carts.milliseconds(body["due"]) if "due" in body else body["time"]
    return timeless(f"{body['customer']} {body['rule']} {body.get('key') or '-'} {due} {payload}")


def timeless(line):
    """A send at once has the time of its event in the action and the customer's `now` in the answer, which differ
    for a late event: its order says which it is."""
    customer, rule, key, due, payload = line.split(" ", 4)
    return f"{customer} {rule} {key} {'at once' if rule == 'first_purchase' else due} {payload}"


def shop_command(events, folder, to):
    answer = folder / "answer"
    return [place.program("shop_stream"), *to, str(events), str(customers_of(events, EVENTS_A_SHOP_CUSTOMER)), str(SHOP_SEED), answer], answer


def fill_shop(events, folder):
    topic = new_topic("shop")
    command, answer = shop_command(events, folder, (kafka.broker().address, topic))
    subprocess.run(command, check=True, timeout=limit_s(events))
    return Stream(topic, events, set(map(timeless, answer.read_text().splitlines())))


# ---- Foreign: the same as calls of Segment's Spec, through the preset

MAPPING = HERE / "segment.jsonc"
TRACKED = {
    "view": ("Product Viewed", lambda e: {"product_id": e["product"], "name": e["name"], "category": e["category"], "price": e["price"],
                                          "currency": e["currency"], "url": e["url"]}),
    "click": ("Promotion Clicked", lambda e: {"promotion_id": e["offer"], "name": e["campaign"], "url": e["url"]}),
    "add_to_cart": ("Product Added", lambda e: {"cart_id": e["cart"], "products": list(map(product_of, e["items"]))}),
    "purchase": ("Order Completed", lambda e: {"cart_id": e["cart"], "order_id": e["order"], "total": e["total"], "currency": e["currency"],
                                               "products": list(map(product_of, e["items"]))}),
    "end": ("Products Searched", lambda e: {"query": "the end"}),  # what closes the stream and changes nothing
}


def product_of(one):
    return {"product_id": one["product"], "name": one["name"], "price": one["price"], "quantity": one["qty"]}


def segment(event):
    """A native event of ShopMix as the call that a shop's pipeline would have written."""
    call = {"messageId": event["id"], "userId": event["customer"], "timestamp": event["time"], "channel": "browser",
            "context": {"library": {"name": "analytics.js", "version": "2.11.1"}, "locale": "fr-FR"}}
    if event["type"] == "visit":
        call["context"]["campaign"] = {"medium": event["channel"]}
        return {"type": "page", **call, "properties": {"url": event["url"], "referrer": event["referrer"]}}
    name, properties = TRACKED[event["type"]]
    return {"type": "track", "event": name, **call, "properties": properties(event)}


def foreign_lines(lines):
    """Records for kafka_tool: each event in Segment's form, and the last, which moves the clock, for every partition."""
    for line in lines:
        event = json.loads(line)
        record = Record(json.dumps(segment(event), separators=(",", ":")).encode(), event["customer"].encode(), carts.milliseconds(event["time"]))
        for record.partition in range(PARTITIONS) if event["type"] == "end" else (None,):
            yield to_line(record)


def fill_foreign(events, folder):
    topic = new_topic("foreign")
    command, answer = shop_command(events, folder, ("-", "-"))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as generator:
        kafka.broker().feed(topic, foreign_lines(generator.stdout), timeout=limit_s(events))
    return Stream(topic, events, set(map(timeless, answer.read_text().splitlines())))


# ---- all of them

def ours(rules, said, **options):
    return {f"Relance, {workers} worker{'s' * (workers > 1)}": functools.partial(relance, rules, said, workers, **options) for workers in (1, 2)}


def theirs(workload, said, commit_ms):
    rows = {f"Flink, {store}": functools.partial(peer, peers.FLINK, workload, store, said) for store in ("heap", "rocksdb")}
    return {**rows, **{f"Kafka Streams, {store}": functools.partial(peer, peers.STREAMS, workload, store, said, commit=commit_ms)
                       for store in ("memory", "rocksdb")}}


def many(count):
    return functools.partial(relance, many_rules(count), said_of_view, 2, answer=lambda stream: stream.answer[count])


def shop_rules():
    return SHOP_RULES.read_text()


def contests():
    return {
        "carts": Contest("CartAbandon", 5_000_000, fill_carts,
                         {bars.READING: reader, **ours(carts.RULES, carts.said), **theirs("carts", said_by_peer_of_cart, 100)}),
        "shop": Contest("ShopMix", 5_000_000, fill_shop, {bars.READING: reader, **ours(shop_rules, said_of_shop), **theirs("shop", said_of_shop, 1000)}),
        "tls": Contest("CartAbandon, TLS", 5_000_000, fill_carts, ours(carts.RULES, carts.said, is_signed=True)),
        "rules": Contest("ManyRules", 5_000_000, fill_many,
                         {f"Relance, {count:,} rule{'s' * (count > 1)}": many(count) for count in RULE_COUNTS}),
        "foreign": Contest("Foreign", 5_000_000, fill_foreign, ours(shop_rules, said_of_shop, mapping=MAPPING)),
        "replay": Contest("Replay", 5_000_000, fill_cart_file,
                          {"relance replay, one rule": functools.partial(replay, carts.RULES, True),
                           "relance replay, shipped rules": functools.partial(replay, str(place.ROOT / "rules" / "scenarios"), False)}),
    }
