"""consumer/STATE.md, taken at its word: a reader written from the page alone reads what a running engine has written. It
finds no key, field or part that the page does not have, and comes to the same numbers and the same chain."""
import ctypes
import datetime
import json
import pathlib
import re
import struct
import time
import unittest
import zoneinfo

import yaml

from support.engine import World, running
from support.json_schema import accepts
from support.kafka import Record, event
from support.run import ROOT

RULES = {
    "types": {"item": {"product": "string", "price": "double"}},
    "events": {"add": {"cart": "string", "items": "list(item)", "at": "timestamp"},
               "buy": {"cart": "string", "total": "double"}, "gone": {"why": "string"}},
    "customer": {"tz": "string", "born": "string", "nick": "string",
                 "channel": {"type": "string", "on": "gone", "value": "event.why"}},
    "counts": {"ever": {"on": "add"}, "carts": {"on": "add", "by": "event.cart", "over": "7d"},
               "money": {"on": "buy", "sum": "event.total", "over": "30m"}},
    "segments": {"busy": "ever() >= 2 && carts('k1') >= 1 && customer.channel != 'x'"},
    "tz": "Europe/Berlin",
    "sales": {"order": {"on": "buy", "key": "event.cart", "total": "event.total", "currency": "'EUR'"}, "channel": "customer.channel"},
    "limits": [{"max": "5 per day"}, {"quiet": "03:00-03:01", "send": "fax"}],
    "rules": {
        "left": {"on": "add", "key": "event.cart", "again": "rearm", "cancel": [{"on": "buy", "key": "event.cart"}],
                 "cooldown": "1d", "split": {"a": 1, "b": 1},
                 "do": [{"send": "push", "with": {"all": "${triggers.map(t, t.items).flatten()}"}},
                        {"after": "4d", "send": "email", "with": {"last": "${last.buy.total}", "m": "${money()}"}}],
                 "goal": {"on": "buy", "key": "event.cart", "within": "5d", "value": "event.total"}},
        "also": {"on": "add", "key": "event.cart", "do": [{"wait": "buy", "within": "4d"}, {"send": "sms"}]},
        "asks": {"on": "add", "key": "event.type", "again": "rearm", "cooldown": {"for": "ever", "per": "key"},
                 "do": [{"send": "web"}, {"wait": "add", "within": "3d"}, {"after": "4d", "send": "web"}]},
        "grew": {"on": "enter busy", "do": [{"set": {"nick": "busy"}}, {"after": "1d", "send": "email"}]},
        "birthday": {"on": {"yearly": "customer.born"}, "do": [{"send": "email"}]}},
}
SENDERS = ROOT / "consumer" / "senders"
META_TEXT = {"version", "store", "stamp", "rules", "rules_hash", "since", "models", "names", "options", "begun", "whole"}
META_HASH = {"chain", "last_hash"}
META_NUMBER = {"format", "offset", "marks", "marks_from", "links", "clock", "wall", "seq", "rules_mark", "partitions", "last_offset"}
LEAST = -1 << 63
XXH = ctypes.CDLL("libxxhash.so.0")
XXH.XXH3_64bits_withSeed.restype = ctypes.c_uint64
XXH.XXH3_64bits_withSeed.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]


def usual_names():
    """The table of STATE.md §3.5."""
    page = (ROOT / "consumer" / "STATE.md").read_text().split("### 3.5 ")[1].split("\n## ")[0]
    return [name for row in re.findall(r"^\| \d+ \| (.*) \|$", page, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)]


WORDS = usual_names()


def in_full(value):
    """With all names of fields."""
    if isinstance(value, list):
        return [in_full(item) for item in value]
    return {name_of(name): in_full(item) for name, item in value.items()} if isinstance(value, dict) else value


def name_of(name):
    return WORDS[name] if isinstance(name, int) else name


def xxh3(data, seed=0):
    return XXH.XXH3_64bits_withSeed(data, len(data), seed)


class Pack:
    """MessagePack, as its specification has it."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        self.at += size
        if self.at > len(self.data):
            raise ValueError("it ends too early")
        return self.data[self.at - size:self.at]

    def number(self, size, signed=False):
        return int.from_bytes(self.take(size), "big", signed=signed)

    def items(self, count):
        return [self.value() for _ in range(count)]

    def pairs(self, count):
        return {self.value(): self.value() for _ in range(count)}

    def value(self):
        head = self.number(1)
        for least, most, mask, read in ((0x00, 0x7f, 0x7f, int), (0x80, 0x8f, 15, self.pairs), (0x90, 0x9f, 15, self.items),
                                        (0xa0, 0xbf, 31, self.text), (0xe0, 0xff, 31, lambda n: n - 32)):
            if least <= head <= most:
                return read(head & mask)
        simple = {0xc0: None, 0xc2: False, 0xc3: True}
        if head in simple:
            return simple[head]
        if head == 0xcb:
            return struct.unpack(">d", self.take(8))[0]
        for least, sizes, read in ((0xc4, (1, 2, 4), self.take), (0xcc, (1, 2, 4, 8), int), (0xd9, (1, 2, 4), self.text),
                                   (0xdc, (2, 4), self.items), (0xde, (2, 4), self.pairs)):
            if least <= head < least + len(sizes):
                return read(self.number(sizes[head - least]))
        if 0xd0 <= head <= 0xd3:
            return self.number(1 << (head - 0xd0), signed=True)
        raise ValueError(f"no head of MessagePack that the engine writes: {head:#x}")

    def text(self, size):
        return self.take(size).decode()


def unpack(data):
    pack = Pack(data)
    value = pack.value()
    if pack.at != len(data):
        raise ValueError("something stands behind it")
    return value


class Ledger(Pack):
    """The orders of a customer, as bytes."""

    def seven(self):
        number, shift = 0, 0
        while True:
            byte = self.number(1)
            number, shift = number | (byte & 127) << shift, shift + 7
            if byte < 128:
                return number

    def signed(self):
        twice = self.seven()
        return -(twice + 1 >> 1) if twice & 1 else twice >> 1

    def orders(self):
        """(hash of the key, time, total, is loyal, local day less that of UTC) of each whose total is of its first event."""
        time_ms = 0
        while self.at < len(self.data):
            hashed, time_ms = int.from_bytes(self.take(8), "little"), time_ms + self.signed()
            total, bits = self.signed(), self.number(1)
            yield hashed, time_ms, total, bool(bits & 1), (bits >> 2 & 3) - 1


class Ids(Ledger):
    """The ids of one type of event, as bytes: (hash, or the number of an event, when)."""

    def ids(self, now):
        while self.at < len(self.data):
            since = self.seven()
            now += -(since + 2 >> 2) if since & 2 else since >> 2
            yield self.seven() if since & 1 else int.from_bytes(self.take(8), "little"), bool(since & 1), now


class State(dict):
    """A state with all of it in full: instants, names, ids."""
    HEAD = ("v", "n", "m", "t", "e")

    def __init__(self, packed):
        head = packed["v"] + [0, None, 0][len(packed["v"]) - 2:]
        super().__init__(zip(self.HEAD, head))
        self.events, self.rules, self.limits = [], [], []
        self.now = self["n"] or 0
        self.due = self.now + (self["t"] or 0)
        self["n"] = LEAST if self["n"] is None else self["n"]
        self["t"], self["e"] = None if self["t"] is None else self.due, self.past(self["e"])
        for letter, part in packed.items():
            if letter != "v":
                self[letter] = getattr(self, f"read_{letter}", lambda part: part)(part)
        for letter in [letter for letter in "mt" if not self[letter]]:
            del self[letter]

    def past(self, before):
        return LEAST if before is None else self.now - before

    def told(self, name, of):
        if isinstance(name, int):
            return of[-1 - name] if name < 0 else WORDS[name]
        of.append(name)
        return name

    def type(self, type_):
        return self.events[-1 - type_]["type"] if isinstance(type_, int) and type_ < 0 else name_of(type_)

    def event(self, stored):
        id_, type_, before, *fields = stored
        event = {"id": id_, "type": self.type(type_), "time": self.past(before), **in_full(dict(in_twos(fields)))}
        self.events.append(event)
        return event

    def read_x(self, part):
        return [self.event(stored) for stored in part]

    read_q = read_x

    def read_l(self, part):
        return {name_of(type_): self.event(stored) for type_, stored in part.items()}

    def read_a(self, part):
        return {name_of(name): [self.past(before), value] for name, (before, value) in part.items()}

    def read_p(self, part):
        return {name_of(name): self.past(before) for name, before in part.items()}

    def read_g(self, part):
        return {name_of(name): value for name, value in part.items()}

    def read_c(self, part):
        return {name_of(name): list(self.count(*count)) for name, count in part.items()}

    def count(self, form, *values):
        """One without `by` is its buckets alone."""
        width = 0 if form >= 32 and form < 48 else [0, 1, 60, 3600, 86400, 10, 600, 21600][form // 4 if form < 32 else (form & 15) // 2]
        bucket = lambda ms: ms if 32 <= form < 48 else ms // 1000 // width if width else 0
        number = lambda n: n[0] / 100 if isinstance(n, list) else n
        told_from = lambda ms, buckets: [number(n) if i % 2 else bucket(ms) - n for i, n in enumerate(buckets)]
        yield form
        if not form & 1:
            yield from (None, told_from(self.now, values))
            return
        updated = None
        for by, seconds, buckets in zip(values[::3], values[1::3], values[2::3]):
            updated = self.now // 1000 - seconds if updated is None else updated + seconds
            yield from (by, updated, told_from(updated * 1000 if updated else self.now, buckets))

    def read_r(self, part):
        return [self.run(*run) for run in part]

    def run(self, rule, key, due, *events):
        rule, rest = self.told(rule, self.rules), events[-1] if isinstance(events[-1], dict) else {}
        kept = [event if isinstance(event, int) else self.event(event) for event in events if not isinstance(event, dict)]
        first, last = (self["x"][event] if isinstance(event, int) else event for event in (kept[0], kept[-1]))
        if "w" in rest:
            rest["w"] = self.event(rest["w"])
        instants = {"d": lambda n: self.now + n, "b": self.past, "c": self.past, "m": self.past}
        rest = {letter: instants.get(letter, lambda value: value)(value) for letter, value in rest.items()}
        step, started, triggered = rest.pop("k", 0), rest.pop("c", first["time"]), rest.pop("m", last["time"])
        return [rule, key, None if due is None else self.due + due, step, started, triggered, rest.pop("g", first["id"]), rest.pop("v", None),
                kept, rest]

    def read_k(self, part):
        return [[self.told(rule, self.rules), self.past(before), *key] for rule, before, *key in part]

    def read_h(self, part):
        return [(self.told(limit, self.limits), self.past(before)) for limit, before in in_twos(part)]

    def read_w(self, part):
        return [[self.told(rule, self.rules), key, self.past(opened), self.now + closes, variant] for rule, key, opened, closes, variant in part]

    def read_z(self, part):
        return {self.told(rule, self.rules): reached for rule, reached in part.items()}

    def read_y(self, part):
        coming = lambda ms: None if ms is None else self.now + ms
        return [[self.told(rule, self.rules), coming(due), self.past(fired), basis, *map(coming, rest)] for rule, due, fired, basis, *rest in part]

    def read_j(self, part):
        return [[visitor, ask, self.past(used), *rest] for visitor, ask, used, *rest in part]

    def read_L(self, part):
        return {name_of(name): [(self.past(before), text) for before, text in in_twos(entries)] for name, entries in part.items()}

    def read_i(self, part):
        return {self.type(type_):
                [(xxh3(self.events[id_]["id"].encode()) if told else id_, at) for id_, told, at in Ids(ids).ids(self.now)]
                for type_, ids in part.items()}


def letters(code):
    """A currency as a number of three digits of base 26."""
    first, second, third = (ord(letter) - ord("A") for letter in code)
    return (first * 26 + second) * 26 + third


def in_twos(flat):
    return list(zip(flat[::2], flat[1::2]))


class Reader(unittest.TestCase):
    """One world for all: what is written once is read by every test."""

    @classmethod
    def setUpClass(cls):
        now = int(time.time()) * 1000 - 3600000
        cls.born = time.strftime("1990-%m-15", time.gmtime(now // 1000 + 180 * 86400))  # far from today's
        cls.bought_ms = (now + 9 * 60000) // 1000 * 1000
        stamp = lambda minutes: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((now + minutes * 60000) // 1000))
        item = {"product": "tent", "price": 189}
        cls.world = World(RULES, partitions=2)
        cls.addClassCleanup(cls.world.__exit__)
        records = [event(name, "identify", time=stamp(0), id=f"{name}-0", tz="Europe/Berlin", born=cls.born, nick=None)
                   for name in ("anna", "ben", "cara", "dora", "emil", "finn")]
        records += [event(name, "gone", time=stamp(1), id=f"{name}-1", why="shop") for name in ("anna", "ben")]
        records += [Record(key=b"anna", value=b"no event"), Record(key=b"ben", value=b'{"type":"add"}')]
        records += [event(name, "add", time=stamp(2 + n), id=f"{name}-a{n}", cart=f"k{n}", items=[item], at=stamp(n))
                    for name in ("anna", "ben") for n in (1, 2)]
        records += [event("anna", "buy", time=stamp(9), id="anna-b", cart="k1", total=18.5),
                    event("cara", "buy", time=stamp(9), id="cara-b", cart="k1", total=1)]
        both = {"type": "identify", "customer": "gina", "visitor": "v1", "time": stamp(10)}  # keyed by what is above both
        records += [Record(key=b"shop", value=json.dumps(both).encode())]
        cls.world.kafka.create(cls.world.decisions, 2)
        with running(cls.world, decisions=cls.world.decisions) as engine:
            cls.world.produce(records)
            cls.world.wait_decided(engine)
            cls.world.wait_counter("events", len(records) - 2)
            cls.live = cls.world.live()
        redis = cls.world.redis
        cls.keys = {key.decode() for key in redis("KEYS", "*")}
        cls.shared = {f"relance:{cls.world.group}:{cls.world.input}:{name}" for name in ("totals", "instances")}
        cls.totals = redis.hash(f"relance:{cls.world.group}:{cls.world.input}:totals")
        cls.counters = cls.world.counters()
        cls.tags = [f"relance:{{{cls.world.group}:{cls.world.input}:{p}}}" for p in range(2)]
        cls.meta = [redis.hash(f"{tag}:meta") for tag in cls.tags]
        cls.packed = [{name: unpack(value) for name, value in redis.hash(f"{tag}:customers").items()} for tag in cls.tags]
        cls.states = [{name: State(packed) for name, packed in states.items()} for states in cls.packed]
        cls.timers = [dict(in_twos(redis("ZRANGE", f"{tag}:timers", 0, -1, "WITHSCORES"))) for tag in cls.tags]
        cls.frontier = cls.world.frontier()

    def state(self, name):
        [state] = [states[name] for states in self.states if name in states]
        return state

    def test_every_key_is_one_of_the_page(self):
        form = re.compile(r"(:meta|:customers|:timers|:metrics(:\d{4}-\d\d-\d\dT\d\d:\d\d)?|:cohorts|:sales(:\d{4}-\d\d-\d\d)?)$")
        for key in self.keys - {f"relance:live:{self.world.group}:one", *self.shared}:
            tag = form.sub("", key)
            self.assertIn(tag, self.tags, key)
            self.assertNotEqual(tag, key)
        self.assertEqual(self.world.redis("TTL", f"{self.tags[0]}:meta"), -1)

    def test_meta_has_the_fields_of_the_page_in_their_forms(self):
        for meta in self.meta:
            self.assertEqual(set(meta), META_TEXT | META_HASH | META_NUMBER)
            for field in META_NUMBER:
                int(meta[field])
            for field in META_HASH:
                self.assertRegex(meta[field].decode(), r"^[0-9a-f]{16}$")
            self.assertEqual((meta["format"], meta["partitions"], meta["begun"]), (b"5", b"2", meta["whole"]))
            self.assertRegex(meta["stamp"].decode(), r"^[0-9a-f]{32}$")
            [file] = json.loads(meta["rules"])
            self.assertEqual(json.loads(file["text"]), RULES)
            self.assertRegex(meta["options"].decode(), r"^engine=\S+ lateness=0ms forget-after=0ms forget-visitors-after=2592000000ms state-bytes=262144 ")
            self.assertEqual(meta["models"], b"", "these rules ask for none")
            since = unpack(meta["since"])
            self.assertEqual({name[0] for name in since}, set("alcrgho"))
            self.assertLessEqual({"a-tz", "l-buy", "r-left", "g-busy", "cAever"}, set(since))
            self.assertLessEqual(set(unpack(meta["names"]) if meta["names"] else ()), {"c", "m", "t"})

    def test_states_consist_of_the_parts_of_the_page(self):
        parts = {"v", *"faxlcrkiqpghwydjubzo"}
        for states in self.packed:
            for name, state in states.items():
                self.assertLessEqual(set(state), parts, name)
                self.assertEqual((list(state)[0], state["v"][0]), ("v", 5))
                self.assertEqual(list(state)[-1] == "i", "i" in state, "ids are last")
        seen = {part for states in self.packed for state in states.values() for part in state}
        self.assertEqual(seen, parts - {"d", "f", "p"})

    def test_a_ledger_has_its_orders_as_the_page_says(self):
        [(currency, channel, orders, *_)] = self.state("anna")["o"]
        self.assertEqual((currency, channel), (letters("EUR"), "shop"))
        [order] = Ledger(orders).orders()
        day = datetime.datetime.fromtimestamp(self.bought_ms / 1000, zoneinfo.ZoneInfo(RULES["tz"])).date()
        utc_day = datetime.datetime.fromtimestamp(self.bought_ms / 1000, datetime.UTC).date()
        self.assertEqual(order, (xxh3(b"k1"), self.bought_ms, 185000, False, (day - utc_day).days))
        known = [unpack(meta["names"]) for meta in self.meta if meta["names"]]
        self.assertIn({"c": ["shop"], "m": ["EUR"]}, known)

    def test_a_link_has_two_ends_as_the_page_says(self):
        [[visitor, ask, used]] = self.state("gina")["j"]
        self.assertEqual((visitor, used), ("v1", self.state("gina")["e"]))
        stub = self.state("\udcffv1")  # byte 0xFF
        self.assertEqual((stub["u"], stub["b"]), ([["gina", ask]], [xxh3(b"gina")]))

    def test_a_state_says_what_the_page_says(self):
        ben = self.state("ben")
        self.assertEqual({name: value for name, (_, value) in ben["a"].items()},
                         {"tz": "Europe/Berlin", "born": self.born, "nick": "busy", "channel": "shop"})
        self.assertEqual(ben["c"]["ever"], [0, None, [0, 2]])
        form, *values = ben["c"]["carts"]
        self.assertEqual((form, values[::3]), (4 * 3 + 1, ["k1", "k2"]))
        self.assertEqual(values[4], ben["n"] // 1000)
        runs = {(run[0], run[1]): run for run in ben["r"]}
        self.assertEqual(set(runs), {("left", "k1"), ("also", "k1"), ("also", "k2"), ("asks", "add"), ("grew", "")})
        rule, key, due, step, started, triggered, origin, variant, events, rest = runs["left", "k1"]
        self.assertEqual((events, runs["also", "k1"][8]), ([0], [0]), "the one event that both keep")
        self.assertEqual(rest, {"n": 1, "a": 1, "o": 1})
        self.assertEqual(runs["also", "k1"][9], {"b": started})
        self.assertEqual((step, origin), (1, "ben-a1"))
        self.assertTrue(started <= due - 4 * 86400000 <= ben["n"])
        self.assertIn(variant, ("a", "b"))
        newest = ben["x"][events[-1]]
        self.assertEqual((newest["time"], newest["items"]), (triggered, [{"product": "tent", "price": 189.0}]))
        self.assertEqual(runs["grew", ""][8][0]["type"], "enter busy")
        self.assertEqual(runs["grew", ""][9], {"o": 10})
        asks = runs["asks", "add"]
        answer = asks[9].pop("w")
        self.assertEqual((answer["id"], asks[3], asks[9]), ("ben-a2", 2, {"n": 1, "a": 1, "o": 8, "t": [60000]}))
        self.assertEqual({type_: [hashed for hashed, _ in ids] for type_, ids in ben["i"].items()},
                         {"identify": [xxh3(b"ben-0")], "gone": [xxh3(b"ben-1")], "add": [xxh3(b"ben-a1"), xxh3(b"ben-a2")]})
        self.assertEqual(ben["g"], {"busy": [True, False]})
        self.assertEqual([[rule, *key] for rule, _, *key in ben["k"]], [["asks", "add"], ["left"]])
        self.assertEqual({limit for limit, _ in ben["h"]}, {xxh3(b'{"max":"5 per day"}').to_bytes(8, "little")})
        [(rule, key, opened, closes, _)] = ben["w"]
        self.assertEqual((rule, key, closes - opened), ("left", "k1", 5 * 86400000))
        [(rule, due, fired, basis)] = ben["y"]
        self.assertEqual((rule, fired, basis), ("birthday", LEAST, f"{self.born}\0Europe/Berlin"))
        self.assertEqual(ben["t"], min(due, *(run[2] for run in ben["r"])))
        anna = self.state("anna")
        self.assertEqual(anna["c"]["money"][:2] + [anna["c"]["money"][2][1]], [4 * 5 + 2, None, 18.5])
        self.assertEqual(anna["q"], [{"id": "anna-b", "type": "buy", "time": anna["e"], "cart": "k1"}])
        self.assertEqual(anna["l"]["buy"]["total"], 18.5)

    def test_timers_are_never_later_than_the_waits(self):
        for states, timers in zip(self.states, self.timers):
            waits = {name.encode(): state["t"] for name, state in states.items() if "t" in state}
            self.assertEqual(set(timers), set(waits))
            for name, score in timers.items():
                self.assertLessEqual(float(score), waits[name])

    def test_live_figures_are_numbers(self):
        self.assertIn("version", self.live)
        for name, value in self.live.items():
            if name == "version" or name.startswith("partition."):
                continue
            instant = name.endswith("_s") or name.endswith("_since")
            form = r"\d+\.\d{3}" if name.endswith("_ms") else r"\d+(\.\d{1,3})?" if instant else r"\d+"
            self.assertRegex(value, f"^{form}$", name)
        self.assertEqual({name for name in self.live if name.startswith("partition.")}, {"partition.0", "partition.1"})
        for p in range(2):
            self.assertRegex(self.live[f"partition.{p}"],
                             r"^live lag=\d+ behind=0 published=\d+( clock_behind_s=[\d.]+)? checkpoint_age_s=[\d.]+$")

    def test_totals_have_the_sums_and_what_the_page_says_beside_them(self):
        totals = {name: value.decode() for name, value in self.totals.items()}
        self.assertRegex(totals.pop("at"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        beside = {name: totals.pop(name) for name in ("partitions", "instances", "partitions_owned", "partitions_live", "lag", "behind")}
        self.assertEqual(beside["partitions"], "2")
        self.assertEqual({name: float(value) for name, value in totals.items()}, self.counters)

    def test_the_chain_and_the_numbers_come_from_what_was_published(self):
        actions, letters = self.world.output_records(), self.world.dead()
        self.assertEqual(sorted(letter.header("relance-reason") for letter in letters), ["customer", "json"])
        for p in range(2):
            mine = lambda record: int(record.header("relance-partition")) == p
            links = [(int(a.header("relance-offset")) - 1, 1, int(a.header("relance-seq")), a) for a in actions if mine(a)]
            links += [(int(d.header("relance-offset")), 0, 0, d) for d in letters if mine(d)]
            chain, seq = 0, 0
            for _, is_action, number, record in sorted(links, key=lambda link: link[:3]):
                if is_action:
                    seq += 1
                    self.assertEqual(number, seq)
                    id_ = b"" if record.header("ce_type") == "relance.goal" else record.header("ce_id").encode()
                    chain = xxh3(record.value, xxh3(id_, chain))
                else:
                    for header in ("relance-offset", "relance-reason"):
                        chain = xxh3(record.header(header).encode(), chain)
            offset, metadata = self.frontier[p]
            form, store, published_seq, marks, published_chain = metadata.split(";")
            self.assertEqual((form, int(published_seq), int(published_chain, 16)), ("1", seq, chain))
            meta = {name: self.meta[p][name].decode() for name in ("store", "offset", "marks", "seq", "chain")}
            self.assertEqual(meta, {"store": store, "offset": str(offset), "marks": marks, "seq": str(seq),
                                    "chain": f"{chain:016x}"})
            marks_there = [json.loads(record.value) for record in self.world.kafka.consume(f"{self.world.output}.marks")
                           if record.partition == p]
            self.assertEqual([mark["n"] for mark in marks_there], list(range(1, int(marks) + 1)))
            self.assertTrue(all(set(mark) <= {"n", "at", "wall", "tick", "waits", "rules", "options", "zones"} for mark in marks_there))
            for zone, hash_ in (item for mark in marks_there for item in mark.get("zones", {}).items()):
                self.assertEqual(hash_, f"{xxh3(pathlib.Path('/usr/share/zoneinfo', zone).read_bytes()):016x}")

    def test_records_are_as_asyncapi_and_the_schemas_say(self):
        messages = yaml.safe_load((SENDERS / "asyncapi.yaml").read_text())["components"]["messages"]
        found = {"action": self.world.output_records(), "deadLetter": self.world.dead(), "decision": self.world.lines()}
        self.assertTrue(all(found.values()))
        for record, message in [(record, messages[kind]) for kind, records in found.items() for record in records]:
            headers = {name: value.decode() for name, value in record.headers.items()}
            self.assertTrue(accepts(message["headers"], headers, {}), headers)
            self.assertLessEqual(headers.keys(), message["headers"]["properties"].keys())
        for kind in ("action", "decision"):
            schema = json.loads((SENDERS / messages[kind]["payload"]["$ref"]).read_text())
            for record in found[kind]:
                self.assertTrue(accepts(schema, record.json(), schema), record.value)
                self.assertLessEqual(record.json().keys(), schema["properties"].keys())
        events = yaml.safe_load((SENDERS / "asyncapi.yaml").read_text())["components"]["schemas"]["event"]
        taken = [accepts(events, json.loads(r.value), {}) for r in self.world.kafka.consume(self.world.input) if r.value.startswith(b"{")]
        self.assertEqual((taken.count(False), taken.count(True) > 10), (1, True))  # the one that is for nobody is a dead letter

    def test_the_last_record_is_hashed_as_the_page_says(self):
        for p, meta in enumerate(self.meta):
            records = {r.offset: r for r in self.world.kafka.consume(self.world.input) if r.partition == p}
            last = int(meta["last_offset"])
            self.assertEqual(last, max(records))
            self.assertEqual(int(meta["last_hash"], 16), xxh3(records[last].value, last))
