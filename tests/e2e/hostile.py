"""Hostile strings as customers, ids, keys, values and rule text: each customer has its own state and no other's, and no
key appears in Redis but those that the design names.

The Big List of Naughty Strings, where it is at hand, and strings aimed at us: hash tags, globs, commands of Redis's
protocol, ends of strings, orders to terminals.
"""
import json
import re
import subprocess
import unittest

from support import place
from support.engine import World, running
from support.kafka import Record, event

LIST = place.SHARED / "suites" / "blns" / "blns.json"
TIME = "2026-03-02T10:00:00Z"
OURS = ["{", "}", "{}", "}{", "{a}", "a}:customers", "relance:{x:y:0}:meta", ":", "/", "a/b/0", "*", "?", "[a-z]", "\\*", "%s%n", "%",
        "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n", "\r\n", "\n", "$-1\r\n", "FLUSHALL", "a b", " ", "\t", "'", '"', "\\",
        "\0", "a\0b", "a\0c", "\x1b]0;title\x07", "\x1b[2J", "\x7f", "\x9b31m", "\u2028", "\ufeff", "ß", "é", "e\u0301", "\U0001f600",
        "x" * 256, "é" * 128, "null", "true", "0", "-1", "1e400", "forget", "__proto__", "--help", "-", "=", "${event.id}"]
RULES = {
    "stale": "3650d",
    "events": {"ping": {"note": "string"}, "add_to_cart": {"cart": "string"}},
    "counts": {"pings": {"on": "ping"}, "alike": {"on": "ping", "by": "event.note"}},
    "rules": {
        "answer": {"on": "ping", "key": "event.id", "do": [{"send": "push", "with": {
            "n": "${pings()}", "alike": "${alike(trigger.note)}", "note": "${trigger.note}"}}]},
        "carted": {"on": "add_to_cart", "key": "event.cart", "again": "rearm", "do": [{"after": "45m", "send": "email"}]},
    },
}


def names():
    """Each once; none is empty or longer than an id may be."""
    listed = json.loads(LIST.read_text()) if LIST.exists() else []
    return list(dict.fromkeys(name for name in OURS + listed if 0 < len(name.encode()) <= 256))


def slot(key):
    """The slot of a key in a Redis Cluster, by its specification: CRC16 of what stands in the first pair of braces."""
    begin = key.find(b"{")
    end = key.find(b"}", begin + 1)
    crc = 0
    for byte in key[begin + 1:end] if 0 <= begin < end - 1 else key:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc % 16384


class Hostile(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        if not LIST.exists():
            print(f"{LIST} is not here: our own strings only")
        self.names = names()

    def ping(self, world, turn):
        """Each customer pings and fills a cart: ids, notes and carts are names too, in the second turn another's. The third
        has the notes of the first, and ids that have not been there."""
        others = self.names[turn % 2:] + self.names[:turn % 2]
        ids = others if turn < 2 else [f"3-{n}" for n in range(len(others))]
        world.produce([record for name, other, id in zip(self.names, others, ids)
                       for record in (event(name, "ping", TIME, id=id, note=other),
                                      event(name, "add_to_cart", TIME, id=f"cart {id}"[:100], cart=other))])
        return others

    def test_each_customer_has_its_own_state_under_its_own_name(self):
        texts = [name for name in self.names if "${" not in name]
        texts_rule = {"on": "ping", "if": "event.id == '3-0'", "do": [{"send": "sms", "with": {"texts": texts}}]}
        heard = {name: [] for name in self.names}
        with World({**RULES, "rules": {**RULES["rules"], "texts": texts_rule}}, partitions=3) as world:
            for turn in range(3):  # each with an engine of its own: all states go to Redis and come back
                with running(world) as engine:
                    others = self.ping(world, turn)
                    world.wait_decided(engine)
                for name, other in zip(self.names, others):
                    alike = 1 + sum(note == other for _, _, note in heard[name])
                    heard[name].append((turn + 1, alike, other))
            self.assert_heard(world.output_records(), heard, texts)
            self.assertEqual(world.dead(), [])
            self.assert_keys(world)
            self.forget_one(world, "*")
            self.look(world)

    def assert_heard(self, records, heard, texts):
        found = {}
        for record in records:
            body = record.json()
            self.assertEqual((record.key, record.headers["ce_subject"]), (body["customer"].encode(),) * 2)
            if body["action"] == "sms":
                self.assertEqual(body["with"]["texts"], texts)
            if body["action"] == "push":
                found.setdefault(body["customer"], []).append(tuple(body["with"][name] for name in ("n", "alike", "note")))
        self.assertEqual({name: found.get(name) for name in heard if found.get(name) != heard[name]}, {})
        self.assertEqual(set(found), set(heard))
        self.assertEqual(sum(record.json()["action"] == "sms" for record in records), 1)

    def assert_keys(self, world):
        """Only the keys of the design, those of a partition in one slot, and in them each customer once."""
        self.assertEqual((slot(b"123456789"), slot(b"a{123456789}b")), (0x31C3, 0x31C3))  # as the specification has it
        tag = re.escape(f"{world.group}:{world.input}").encode()
        form = rb"relance:(?:\{" + tag + rb":(\d)\}:(?:meta|customers|timers|metrics(?::\d{4}-\d\d-\d\dT\d\d:\d\d)?|cohorts|sales(?::\d{4}-\d\d-\d\d)?)"
        form += rb"|" + tag + rb":(?:instances|totals)|live:" + re.escape(world.group).encode() + rb":one)"
        slots, customers = {}, []
        for key in world.redis("KEYS", "*"):
            match = re.fullmatch(form, key)
            self.assertTrue(match, key)
            if match[1]:
                slots.setdefault(match[1], set()).add(slot(key))
            if key.endswith(b":customers"):
                customers += world.redis("HKEYS", key)
        self.assertEqual([len(found) for found in slots.values()], [1] * 3)
        self.assertEqual(sorted(customers), sorted(name.encode() for name in self.names))

    def customers(self, world):
        return {name for p in range(3) for name in world.redis("HKEYS", f"relance:{{{world.group}:{world.input}:{p}}}:customers")}

    def forget_one(self, world, name):
        before = self.customers(world)
        with running(world) as engine:
            world.produce([event(name, "forget", TIME)])
            world.wait_decided(engine)
        self.assertEqual(before - self.customers(world), {name.encode()})

    def look(self, world):
        """What people see of it gives no orders to their terminal."""
        where = [f"--redis={world.redis.reader_url}", f"--group={world.group}", f"--input={world.input}"]
        broker = f"--kafka.bootstrap.servers={world.kafka.address}"
        for name in ("{}", "\x1b[2J", "\x9b31m", "--help", "\r\n", "%s%n"):
            for command in (["inspect", *where], ["explain", *where, broker]):
                done = subprocess.run([place.program("relance"), *command, "--", name], stdin=subprocess.DEVNULL,
                                      capture_output=True, timeout=place.PATIENCE * 20)
                self.assertEqual(done.returncode, 0, done.stderr)
                said = done.stdout.decode()
                self.assertEqual(re.findall(r"[\0-\x09\x0b-\x1f\x7f-\x9f]", said), [], (command[0], name))
                if command[0] == "inspect":
                    self.assertEqual(json.loads(said)["customer"], name)

    def test_names_that_would_break_keys_or_ids_are_refused(self):
        with World(RULES, partitions=1) as world:
            for option in ("group", "instance", "input", "output"):
                for name in ("a}b", "{a}", "a{", "a/b", "a b", "a\tb", "größe", "a\x7f", "x" * 201, "\x1b[2J"):
                    status, said = world.refusal(**{option: name})
                    self.assertEqual(status, 2, said)
                    self.assertIn(f"--{option}: ", said)
                    self.assertIn("is no name: 1 to 200 signs of ASCII without blanks, slashes and braces", said)
            self.assertEqual(world.redis("DBSIZE"), 0)
            with running(world, group="a*[?]:\\b", instance="o:n*e", output=world.output) as engine:
                world.produce([event("c", "ping", TIME, note="n")])
                world.wait_actions(1)
                place.wait_until(lambda: world.redis("EXISTS", "relance:live:a*[?]:\\b:o:n*e"), 10, "it is live")
                self.assertTrue(engine.is_running())
            shown = subprocess.run([place.program("relance"), "metrics", f"--redis={world.redis.reader_url}", "--group=a*[?]:\\b",
                                    f"--input={world.input}", "--json"], capture_output=True, text=True, timeout=place.PATIENCE * 20)
            self.assertEqual(json.loads(shown.stdout)["counters"]["events"], 1)

    def test_records_of_strangers_on_our_topics_mislead_nobody(self):
        """Headers that are ours by their names and nothing by their values, and marks that are none."""
        with World(RULES, partitions=1) as world:
            world.produce([event("c", "ping", TIME, id=f"a{n}", note="n") for n in range(20)])
            with running(world) as engine:
                world.wait_decided(engine)
            actions, frontier = world.actions(), world.frontier()
            self.assertEqual(len(actions), 20)
            for value in (b"9223372036854775807", b"99999999999999999999", b"-1", b"1.5", b"abc", b"", b"\0", b"\xff" * 300):
                headers = {"ce_source": f"/relance/{world.group}".encode(), "ce_id": value, "ce_time": value, "ce_subject": value,
                           "relance-partition": b"0", "relance-seq": value, "relance-offset": value,
                           "relance-topic": world.input.encode()}
                for topic in (f"{world.output}.dead", f"{world.output}.marks"):
                    world.kafka.produce(topic, [Record(value, value, headers=headers, partition=0)])
                world.kafka.produce(f"{world.output}.marks", [Record(b'{"n":%s,"at":%s}' % (value, value), partition=0)])
            done = subprocess.run([place.program("relance"), "restore-offsets", f"--redis={world.redis.reader_url}",
                                   f"--group={world.group}", f"--input={world.input}", f"--output={world.output}", "--dry-run",
                                   f"--kafka.bootstrap.servers={world.kafka.address}"], capture_output=True, text=True, timeout=place.PATIENCE * 60)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("right as it is", done.stdout)
            with running(world) as engine:
                world.produce([event("c", "ping", TIME, id=f"b{n}", note="n") for n in range(20)])
                world.wait_decided(engine)
            self.assertEqual(world.actions()[:20], actions)
            self.assertEqual(len(world.actions()), 40)
            self.assertGreater(world.frontier()[0][0], frontier[0][0])
