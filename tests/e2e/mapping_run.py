"""Foreign records straight into the engine: `relance run --mapping`, on topics that are keyed by customer already.

The mapping is a part of the rule set: it comes with a mark, and what is decided again is decided under the mapping of its
mark.
"""
import collections
import json
import random
import signal
import subprocess
import time
import unittest

from support import place
from support.engine import World, running, sequence_faults
from support.kafka import Record

SEED = 20260302
TIME = "2026-03-02T10:00:00Z"


# ---- a shop that sends Segment's form

def instant(minute):
    return f"2026-03-{2 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00.000Z"


def track(customer, id_, minute, event, **properties):
    body = {"type": "track", "event": event, "messageId": id_, "timestamp": instant(minute), "userId": customer, "properties": properties,
            "context": {"library": {"name": "analytics.js"}}}
    return Record(json.dumps(body).encode(), key=customer.encode())


def carts(customers=40):
    """Customers who fill carts; every third buys, some of them before their cart is called left."""
    random.seed(SEED)
    records = []
    for c in range(customers):
        customer, minute = f"c-{c}", random.randrange(1000)
        tent = {"product_id": "tent", "price": 25, "quantity": 2}
        records.append((minute, track(customer, f"a{c}", minute, "Product Added", **tent)))
        if c % 3 == 0:
            minute += random.randrange(1, 600)
            records.append((minute, track(customer, f"o{c}", minute, "Order Completed", order_id=f"o{c}", total="50.00", products=[tent])))
        if c % 5 == 0:
            records.append((minute, track(customer, f"x{c}", minute, "Unheard Of")))
    last = 20000  # by when all that waits is due, on each partition
    records += [(last + n, track(f"l-{n}", f"l{n}", last + n, "Products Searched", query="end")) for n in range(60)]
    return [record for _, record in sorted(records, key=lambda one: one[0])]


LEFT = {
    "stale": "3650d",
    "types": {"item": {"product": "string", "price": "double", "qty": "int"}},
    "events": {"add_to_cart": {"cart": "string", "items": "list(item)"},
               "purchase": {"order": "string", "cart": "string", "total": "double"}, "search": {"query": "string"}},
    "counts": {"searches": {"on": "search"}},
    "rules": {
        "left": {"on": "add_to_cart", "key": "event.cart", "cancel": [{"on": "purchase", "key": "event.cart"}],
                 "do": [{"after": "3h", "send": "email", "with": {"items": "${trigger.items}"}}]},
        "thanks": {"on": "purchase", "key": "event.order", "do": [{"send": "push", "with": {"total": "${trigger.total}"}}]}},
}

# ---- a shop with names of its own

ORDERS = {
    "events": {"order": {"total": "double"}, "gone": {"why": "string"}},
    "counts": {"large": {"on": "order", "if": "event.total >= 100.0"}},
    "rules": {"answer": {"on": "order", "key": "event.id",
                         "do": [{"send": "email", "with": {"total": "${trigger.total}", "large": "${large()}"}}]},
              "sorry": {"on": "gone", "key": "event.id", "do": [{"send": "email", "with": {"why": "${trigger.why}"}}]}},
    "stale": "3650d",
}


def mapping(total="${record.amount}", **more):
    return {"record": {"uid": "string", "amount": "double", "why": "string", "at": "timestamp"}, "by": "headers['x-topic']",
            "each": {"id": "${record.uid}", "customer": "${key}", "time": "${record.at}"},
            "events": {"orders/create": {"type": "order", "total": total},
                       "orders/lost": [{"type": "order", "total": total}, {"type": "gone", "need": ["why"], "why": "${record.why}"},
                                       {"type": "order", "total": 1.0}]}, **more}


def order(customer, uid, amount, topic="orders/create", **more):
    body = {"uid": uid, "amount": amount, "at": TIME, **more}
    return Record(json.dumps(body).encode(), key=customer.encode(), headers={"Trace": b"1", "X-Topic": topic.encode()})


def sent(world):
    """By what made them: (key, total, orders of 100 or more until then)."""
    found = [(action.key, json.loads(action.payload)) for action in world.actions()]
    return sorted((key, payload.get("total", payload.get("why")), payload.get("large")) for key, payload in found)


class MappingRun(unittest.TestCase):
    maxDiff = 4000

    def test_a_topic_in_segments_form_gives_what_replay_gives(self):
        records = carts()
        with World(LEFT) as world:
            with running(world, mapping="segment") as engine:
                world.produce(records)
                world.wait_decided(engine)
                actions = world.actions()
                world.wait_counter("events_unmapped", 8)
            replayed = world.replay([record.value for record in records], "--mapping=segment")
            self.assertGreater(len(actions), 30)
            self.assertEqual(collections.Counter(actions), collections.Counter(replayed))
            self.assertEqual(sequence_faults(world.output_records()), [])
            self.assertEqual(world.dead(), [])

    def edit(self, world, made):
        self.file(world).write_text(made if isinstance(made, str) else json.dumps(made))

    def file(self, world):
        return world.folder.path / "mapping.jsonc"

    def hang_up(self, world, engine, made, expect="New rules take effect"):
        self.edit(world, made)
        said = engine.output().count(expect)
        wanted = said + (world.partitions if expect.startswith("New") else 1)
        engine.process.send_signal(signal.SIGHUP)
        place.wait_until(lambda: engine.output().count(expect) >= wanted, 10, expect)

    def produce(self, world, engine, *records):
        world.produce(records)
        world.wait_decided(engine)

    def test_headers_and_key_reach_the_mapping(self):
        with World(ORDERS) as world:
            self.edit(world, mapping())
            with running(world, mapping=self.file(world)) as engine:
                self.produce(world, engine, order("anna", "a", 7), order("bert", "b", 200), order("anna", "c", 8, "orders/none"),
                             Record(json.dumps({"uid": "d"}).encode(), key=b"anna"))
                world.wait_counter("events_unmapped", 2)
            self.assertEqual(sent(world), [("a", 7, 0), ("b", 200, 1)])
            self.assertEqual({action.key: action.customer for action in world.actions()}, {"a": "anna", "b": "bert"})

    def test_an_event_that_is_a_dead_letter_leaves_the_records_others_alone(self):
        with World(ORDERS) as world:
            self.edit(world, mapping())
            lost = order("anna", "a", 7, "orders/lost")
            with running(world, mapping=self.file(world)) as engine:
                self.produce(world, engine, lost, order("bert", "b", 8, "orders/lost", why="late"), Record(b"{", key=b"k"))
                world.wait_counter("dead.mapping", 1)
                self.assertEqual(world.counters().get("dead.json"), 1)
                self.assertEqual(world.counters().get("events"), 5)
            self.assertEqual(sent(world), [("a", 7, 0), ("a/2", 1, 0), ("b", 8, 0), ("b/1", "late", None), ("b/2", 1, 0)])
            letters = {record.header("relance-reason"): record for record in world.dead()}
            self.assertEqual(sorted(letters), ["json", "mapping"])
            letter = letters["mapping"]
            self.assertEqual((letter.key, letter.value, letter.header("relance-event")), (b"anna", lost.value, "1"))
            self.assertIn("why", letter.header("relance-sentence"))
            self.assertNotIn("relance-event", letters["json"].headers)

    def test_a_list_of_native_events_needs_no_mapping(self):
        with World(ORDERS) as world:
            listed = [{"type": "order", "customer": "anna", "id": "a", "time": TIME, "total": 7}, {"type": "order", "id": "b"},
                      {"type": "order", "customer": "anna", "id": "c", "time": TIME, "total": 200}]
            with running(world) as engine:
                self.produce(world, engine, Record(json.dumps(listed).encode(), key=b"anna"), Record(b" []", key=b"anna"),
                             Record(b"[3]", key=b"anna"))
                world.wait_counter("events", 2)
            self.assertEqual(sent(world), [("a", 7, 0), ("c", 200, 1)])
            letters = [(record.header("relance-offset"), record.header("relance-reason"), record.headers.get("relance-event"))
                       for record in world.dead()]
            self.assertEqual(letters, [("0", "customer", b"1"), ("2", "json", None)])

    def test_sighup_takes_a_changed_mapping_and_refuses_one_with_all_its_mistakes(self):
        with World(ORDERS) as world:
            self.edit(world, mapping())
            with running(world, mapping=self.file(world)) as engine:
                self.produce(world, engine, order("anna", "a", 7))
                self.hang_up(world, engine, mapping("${record.amount * 2.0}"))
                self.produce(world, engine, order("anna", "b", 7))
                self.hang_up(world, engine, mapping("${record.nosuch}", by="record.uid +"), "are refused")
                said = engine.output()
                self.assertIn("mapping.jsonc:1:", said)
                self.assertIn("nosuch", said)
                self.assertIn("record.uid +", said)
                self.produce(world, engine, order("anna", "c", 7))
                self.file(world).unlink()
                engine.process.send_signal(signal.SIGHUP)
                place.wait_until(lambda: "--mapping: " in engine.output(), 10, "a mapping that is gone is refused")
                self.hang_up(world, engine, mapping("${record.amount * 3.0}"))
                self.produce(world, engine, order("anna", "d", 7))
            self.assertEqual([total for _, total, _ in sent(world)], [7, 14, 14, 21])

    def test_what_is_decided_again_after_a_crash_is_decided_under_the_mapping_of_its_mark(self):
        with World(ORDERS) as world:
            self.edit(world, mapping())
            engine = world.engine(mapping=self.file(world))
            self.produce(world, engine, order("anna", "a", 60))
            world.wait_counter("events", 1)
            world.redis("CONFIG", "SET", "maxmemory", 1)  # no checkpoint any more: all that follows is decided again
            self.produce(world, engine, order("anna", "b", 60), order("bert", "c", 60))
            self.hang_up(world, engine, mapping("${record.amount * 2.0}"))
            self.produce(world, engine, order("anna", "d", 60), order("bert", "e", 60))
            engine.stop(signal.SIGKILL)
            world.redis("CONFIG", "SET", "maxmemory", 0)
            self.edit(world, mapping("${record.amount + 1.0}"))
            with running(world, mapping=self.file(world)) as engine:
                self.produce(world, engine, order("anna", "f", 60), order("bert", "g", 100))
            self.assertEqual(sent(world), [("a", 60, 0), ("b", 60, 0), ("c", 60, 0), ("d", 120, 1), ("e", 120, 1),
                                           ("f", 61, 1), ("g", 101, 2)])
            self.assertEqual(sequence_faults(world.output_records()), [])
            self.assertNotIn("differ", engine.output())

    def test_an_emptied_redis_is_rebuilt_through_the_mappings_of_the_marks(self):
        with World(ORDERS) as world:
            self.edit(world, mapping())
            engine = world.engine(mapping=self.file(world))
            self.produce(world, engine, order("anna", "a", 60))
            self.hang_up(world, engine, mapping("${record.amount * 2.0}"))
            self.produce(world, engine, order("anna", "b", 60))
            engine.stop(signal.SIGKILL)
            world.redis("FLUSHALL")
            self.edit(world, mapping("${record.amount + 1.0}"))
            with running(world, mapping=self.file(world), rebuild=True) as engine:
                self.produce(world, engine, order("anna", "c", 60))
            self.assertEqual(sent(world), [("a", 60, 0), ("b", 120, 1), ("c", 61, 1)])
            self.assertEqual(sequence_faults(world.output_records()), [])

    def tool(self, world, command, *words, redis=None, status=0):
        group = [f"--input={world.input}", f"--group={world.group}", f"--redis={redis or world.redis.reader_url}"]
        done = subprocess.run([place.program("relance"), command, f"--kafka.bootstrap.servers={world.kafka.address}",
                               *(group if command != "audit" else []), *words],
                              capture_output=True, text=True, timeout=place.PATIENCE * 60, stdin=subprocess.DEVNULL)
        self.assertIn(done.returncode, (0, status), done.stdout + done.stderr)
        return done

    def test_the_other_commands_know_a_set_with_a_mapping(self):
        """They read the set as the marks have brought it, mapping included; a reshard carries it to new partitions."""
        short = {"kafka.session.timeout.ms": 3000, "kafka.transaction.timeout.ms": 2500}
        customers = [f"c-{n}" for n in range(30)]
        with World(ORDERS, partitions=2) as world:
            self.edit(world, mapping("${record.amount * 2.0}"))
            with running(world, mapping=self.file(world), **short) as engine:
                self.produce(world, engine, *[order(c, f"a-{c}", 60) for c in customers])
                world.wait_counter("events", 30)
                self.assertEqual(json.loads(self.tool(world, "inspect", "c-7").stdout)["counts"]["large"], 1)
            said = self.tool(world, "audit", f"--output={world.output}").stdout
            self.assertIn("30 actions of 2 input partitions: 0 missing", said)
            said = self.tool(world, "restore-offsets", f"--output={world.output}", "--dry-run").stdout
            self.assertEqual(said.count("right as it is"), 2, said)
            world.engine(mapping=self.file(world), drain=True, **short).stop(None, 60)
            for topic in (world.input, f"{world.output}.marks", f"{world.output}.links"):
                world.kafka.grow(topic, 5)
            place.wait_until(lambda: self.resharded(world), 30, "the group is empty", pause_s=0.5)
            world.partitions = 5
            with running(world, mapping=self.file(world), **short) as engine:
                self.produce(world, engine, *[order(c, f"b-{c}", 60) for c in customers])
            self.assertEqual(sent(world), sorted([(f"a-{c}", 120, 1) for c in customers] + [(f"b-{c}", 120, 2) for c in customers]))

    def test_a_format_that_takes_a_schema_is_refused(self):
        with World(ORDERS, partitions=1) as world:
            for schema in ("avro", "protobuf"):
                self.edit(world, mapping(format=schema))
                status, said = world.refusal(mapping=self.file(world))
                self.assertEqual(status, 2, said)
                self.assertIn(f"format {schema} takes a schema: `relance intake` makes events of such records", said)

    def test_forget_erases_a_customer_of_a_topic_in_another_form(self):
        with World(ORDERS) as world:
            self.edit(world, mapping())
            with running(world, mapping=self.file(world)) as engine:
                self.produce(world, engine, order("anna", "a-1", 120), order("bert", "b-1", 120))
                said = self.tool(world, "forget", "anna").stdout
                self.assertRegex(said, r"^partition \d: forgotten with record 1\n$|^partition \d: forgotten with record 2\n$")
                self.assertIn("nothing is known", self.tool(world, "inspect", "anna", status=1).stderr)
                self.produce(world, engine, order("anna", "a-2", 120), order("bert", "b-2", 120))
            self.assertEqual(sent(world), [("a-1", 120, 1), ("a-2", 120, 1), ("b-1", 120, 1), ("b-2", 120, 2)])
            self.assertEqual(world.dead(), [])

    def resharded(self, world):
        """Once the session of the drained engine is over."""
        done = self.tool(world, "reshard", redis=world.redis.reshard_url, status=2)
        self.assertTrue(done.returncode == 0 or "has members" in done.stderr, done.stderr)
        return done.returncode == 0

    def test_a_story_from_the_live_topic_is_that_of_the_events_which_records_became(self):
        with World(ORDERS) as world:
            self.edit(world, mapping())
            with running(world, mapping=self.file(world)) as engine:
                self.produce(world, engine, order("anna", "a", 150), order("bert", "b", 3), order("anna", "c", 8, "orders/lost", why="late"))
                self.produce(world, engine, order("anna", "d", 8, "orders/lost"))
                world.wait_counter("events", 7)
                told = [self.tool(world, "explain", "anna").stdout,  # by the rules in force, and by those of the files
                        self.tool(world, "explain", "anna", f"--rules={world.rules}", f"--mapping={self.file(world)}").stdout]
            for story in told:
                self.assertIn('{"type":"order","id":"a","customer":"anna"', story)
                self.assertIn('answer a: step 1: sent email {"total":150,"large":1}', story)
                self.assertIn('sorry c/1: step 1: sent email {"why":"late"}', story)
                self.assertIn('answer c/2: step 1: sent email {"total":1,"large":1}', story)
                self.assertIn("a dead letter: mapping: the event 'gone' has no 'why'", story)
                self.assertNotIn("bert", story)

    def test_the_simulated_shop_speaks_shopify_into_a_topic(self):
        """Real records, with headers and keys: what the engine makes of them is what replay makes of the same lines."""
        orders = {"stale": "3650d", "events": {"purchase": {"order": "string", "total": "double"}, "refund": {"order": "string"}},
                  "rules": {"thanks": {"on": "purchase", "key": "event.order", "cancel": [{"on": "refund", "key": "event.order"}],
                                       "do": [{"send": "email", "with": {"total": "${trigger.total}"}}]}}}
        clock = time.strftime("%Y-%m-%dT%H:%M:%SZ*43200", time.gmtime())  # the engine's, too: nothing comes from its future
        with World(orders) as world:
            subprocess.run([place.program("relance"), "simulate", "--form=shopify", f"--input={world.input}", "--seconds=6",
                            f"--clock={clock}",
                            f"--kafka.bootstrap.servers={world.kafka.address}"], check=True, capture_output=True, timeout=place.PATIENCE * 60)
            with running(world, mapping="shopify", clock=clock) as engine:
                world.wait_decided(engine)
            records = sorted(world.kafka.consume(world.input), key=lambda record: int(record.header("x-shopify-webhook-id")[2:]))
            lines = [json.dumps({"key": record.key.decode(), "headers": {name: value.decode() for name, value in record.headers.items()},
                                 "value": record.json()}).encode() for record in records]
            replayed = world.replay(lines, "--mapping=shopify")
            self.assertGreater(len(replayed), 20)
            self.assertEqual(collections.Counter(world.actions()), collections.Counter(replayed))
            self.assertEqual(world.dead(), [])
