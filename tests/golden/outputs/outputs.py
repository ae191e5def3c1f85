#!/usr/bin/env python3
"""Names of strangers through everything that the program prints: outputs.py RELANCE

Rules, tests, ids, customers, keys, channels, variants, files, counters and instances are called what nobody would call
them. Whatever a command prints is UTF-8 without a control, and can still be read by whoever reads that format: JSON and
XML give the names back, a line of TAP is one line, a label of Prometheus ends where it ends.

Every row of command.def has its calls here, or says which test with real servers has them. Each call is made a second
time into a full disk: that is status 1 and a sentence.
"""
import csv
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unicodedata
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE.parent / "commands"))
from run import Redis

BAD = "a\x1b[31m\x9b2J\u202eb\u2028c\x7f\n\t#\\\"<&>'\r\ufffe\uffff\U0001f600"
IN_XML = BAD.replace("\x1b", "\\u001b").replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")  # as XML 1.0 can have it
KEPT = {"\n"}
TURNING = set("\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
TEST = {"name": f"t{BAD}", "from": "2026-03-02T10:00:00Z", "given": [{"t": "0m", "ping": {"id": f"i{BAD}", "note": f"n{BAD}"}}],
        "expect": [{"t": "1h", "send": f"s{BAD}"}]}
RULES = {"stale": "3650d", "events": {"ping": {"note": "string"}, "buy": {}},
         "rules": {f"r{BAD}": {"on": "ping", "key": "event.note", "split": {f"v{BAD}": 50, f"w{BAD}": 50},
                               "do": [{"after": "1h", "send": f"s{BAD}", "with": {"n": "${trigger.note}"}}],
                               "goal": {"on": "buy", "within": "1d"},
                               "tests": [TEST, {**TEST, "name": f"u{BAD}", "expect": []}]},
                   "idle": {"on": "buy", "if": "1 / 0 == 1", "do": [{"send": "x"}]}}}
AFFINITIES = {"goes_with": {"from": [{"on": "ping", "by": "[event.note, event.id]"}], "within": "1d", "half_life": "7d", "least": 1}}
EVENTS = [{"id": f"i{BAD}", "type": "ping", "customer": f"k{BAD}", "time": "2026-03-02T10:00:00Z", "note": f"n{BAD}"},
          {"id": f"j{BAD}", "type": f"p{BAD}", "customer": f"k{BAD}", "time": "2026-03-02T10:00:01Z"},
          {"id": f"l{BAD}", "type": "buy", "customer": f"k{BAD}", "time": "2026-03-02T12:00:01Z"}]

# Those that speak to Kafka: tests/e2e/full_disk.py and hostile.py have them.
ON_KAFKA = {"run", "intake", "audit", "restore-offsets", "reshard", "forget", "demo"}


class Place:
    def __init__(self, folder):
        self.folder = folder
        self.good, self.bad = folder / f"r{BAD}.json", folder / f"b{BAD}.json"
        self.good.write_text(json.dumps(RULES, ensure_ascii=False))
        self.bad.write_text(json.dumps({"rules": {f"r{BAD}": {f"k{BAD}": 1}}}, ensure_ascii=False))
        self.taught = folder / f"t{BAD}.json"
        self.taught.write_text(json.dumps({**RULES, "affinities": AFFINITIES}, ensure_ascii=False))
        self.events = folder / f"e{BAD}.jsonl"
        self.events.write_text("".join(json.dumps(event, ensure_ascii=False) + "\n" for event in EVENTS) + f"{BAD}\n")
        self.csv = folder / f"c{BAD}.csv"
        self.csv.write_text(f'Id,"W{BAD.replace(chr(34), "")}"\n1,"x{BAD.replace(chr(34), "")}"\n')
        self.junit = folder / "junit.xml"
        self.redis = Redis(folder)

    def fill_redis(self, group):
        """Counters, states and instances, as somebody could have written them."""
        self.redis.start()
        key = f"relance:{{{group}:{BAD}:0}}"
        counters = {f"rule.r{BAD}.sent.v{BAD}": 1, f"rule.r{BAD}.started": 2, "events": 3, f"events.e{BAD}": 3, f"x{BAD}": 1}
        self.ask(b"HSET", f"{key}:meta", "partitions", "1", "stamp", "s")
        self.ask(b"HSET", f"{key}:metrics", *[str(word) for row in counters.items() for word in row])
        self.ask(b"HSET", f"{key}:metrics", b"sent.\xff\xc3", "1")
        self.ask(b"HSET", f"{key}:metrics", f"channel.{BAD}.customers", "2", f"channel.{BAD}.net.EUR", "50000", f"sales.first.gross.{BAD[:3]}", "1")
        self.ask(b"HSET", f"{key}:metrics", "channel.=1+1.customers", "1", b"channel.\xff\xc3.customers", "1")
        self.ask(b"HSET", f"{key}:cohorts", f"2026-03:{BAD}:0:c", "2", b"2026-03:\xff\xc3:1:c", "1", f"{BAD}:x:0:c", "1")
        self.ask(b"HSET", f"{key}:sales", "2026-03-02", "1")
        self.ask(b"HSET", f"{key}:sales:2026-03-02", "sales.first.orders", "2", f"refunded_on.{BAD[:3]}", "1", f"{BAD}", "1")
        self.ask(b"HSET", f"relance:{group}:{BAD}:instances", f"l{BAD}", f"seen={BAD}", b"\xff", "1")
        self.ask(b"HSET", f"relance:live:{group}:l{BAD}", "version", f"v{BAD}", "lag", "7", f"f{BAD}", "8", "hex", "0x1f", b"\xff", "1",
                 "partition.0", f"live{BAD} lag={BAD}", "redis_refuses_since", "1e300", "kafka_away_since", "-1")
        self.ask(b"HSET", f"{key}:customers", f"k{BAD}", b"\xff\xff")

    def ask(self, *words):
        words = [word if isinstance(word, bytes) else word.encode() for word in words]
        said = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        subprocess.run(["redis-cli", "-s", self.redis.socket, "--pipe"], input=said, capture_output=True, check=True)


def calls(place):
    """Of each command its calls: words, and who reads what it prints."""
    rules, events = ["--rules", place.good], ["--until", "1d", "--events", place.events]
    redis = ["--group", "g", "--input", BAD, "--redis", f"unix://{place.redis.socket}"]
    return {
        "check": [([place.good], None), ([place.good, "--dump"], None), ([place.good, "--json"], json_text),
                  ([place.bad], None), ([place.bad, "--json"], mistakes), ([place.folder / BAD], None)],
        "test": [([place.good, "--coverage", "--junit", place.junit], tap), ([place.bad], None)],
        "replay": [([*rules, "--until", "1d", place.events], decisions), ([*rules, "--until", "1d", "--errors", place.events], json_lines),
                   ([*rules, "--until", "1d", "--summary", place.events], None),
                   ([*rules, "--until", "1d", "--diff", place.good, place.events], None), ([*rules, "--only", BAD, place.events], None),
                   ([*rules, "--mapping", f'{{"time": "Id", "{BAD.encode("unicode_escape").decode()}": 1}}', place.csv], None),
                   ([*rules, "--mapping", '{"format": "csv", "by": "record.W", "record": {"W": "string", "Id": {"$number": ","}}, "events": {}}', place.csv], None),
                   ([*rules, "--wall", BAD, "--until", BAD, place.events], None)],
        "learn": [(["--rules", place.taught, *events[2:]], None), (["--rules", place.taught, "--evaluate", "7d", *events[2:]], None),
                  (["--rules", place.good, *events[2:]], None), (["--rules", place.taught, "--evaluate", BAD, *events[2:]], None)],
        "explain": [([f"k{BAD}", *rules, *events], None), ([BAD, *rules, *events], None)],
        "inspect": [([f"k{BAD}", *redis, *rules], None), ([BAD, *redis], None)],
        "metrics": [(redis, None), ([*redis, "--json"], json_text), ([*redis, "--prometheus"], prometheus),
                    (["--group", BAD, *redis[2:]], None)],
        "report": [(redis, None), ([*redis, "--json"], report_json), ([*redis, "--csv"], report_csv),
                   ([*rules, "--events", place.events], None), ([*redis, "--from", BAD], None)],
        "top": [([*redis, "--interval", "10ms"], None)],
        "health": [(redis, None), ([*redis, "--instance", f"l{BAD}"], None), (["--listen", BAD], None)],
        "serve": [([*redis, "--listen", BAD], None), ([*redis, "--host", BAD], None), ([*redis, "--token-file", BAD], None)],
        "simulate": [(["--seconds", "100"], json_lines), (["--clock", BAD, "--seconds", "1"], None)],
        "help": [([], None), ([BAD], None), (["functions"], None)],
        "version": [([], None), ([BAD], None), ([f"--{BAD}"], None), (["--config", BAD], None)],
    }


# ---- readers of formats

def json_text(text, _):
    return json.loads(text)


def report_json(text, _):
    assert f"{BAD}" in [channel["channel"] for channel in json_text(text, _)["channels"]], text


def report_csv(text, _):
    rows = list(csv.reader(text.splitlines()))
    assert {len(row) for row in rows} == {6} and rows[0] == ["section", "name", "of", "currency", "figure", "value"], rows
    assert not [row for row in rows for cell in row[:5] if cell[:1] in ("=", "+", "-", "@")], "a spreadsheet would take it for a formula"
    assert "'=1+1" in [row[1] for row in rows]


def mistakes(text, _):
    found = json_text(text, _)["diagnostics"]
    assert all(row["file"].endswith(f"/b{BAD}.json") for row in found) and any(f"k{BAD}" in row["message"] for row in found), found


def json_lines(text, _):
    return [json.loads(line) for line in text.splitlines()]


def decisions(text, _):
    sent = [line for line in json_lines(text, _) if line["outcome"] == "sent"]
    assert [(line["customer"], line["rule"], line["key"], line["with"]["n"]) for line in sent] == \
        [(f"k{BAD}", f"r{BAD}", f"n{BAD}", f"n{BAD}")], sent


def tap(text, place):
    lines = text.splitlines()
    results = [line for line in lines if re.match(r"(not )?ok ", line)]
    assert len(results) == 2 and lines[:2] == ["TAP version 14", "1..2"], results
    assert all(not re.search(r"(?<!\\)#", line) for line in results), results  # a directive would hide a failure
    root = xml.etree.ElementTree.fromstring(place.junit.read_bytes())
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert names == [(f"r{IN_XML}", f"t{IN_XML}"), (f"r{IN_XML}", f"u{IN_XML}")], names
    assert_plain(place.junit.read_bytes(), "junit.xml")


SAMPLE = re.compile(r'(\w+)\{((?:\w+="(?:[^"\\]|\\["\\n])*",?)+)\} (-?[0-9.e+-]+)')


def prometheus(text, _):
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    for line in samples:
        assert SAMPLE.fullmatch(line), line
    assert any(line.startswith("relance_rule_by_") and "\\\\u001b" in line for line in samples)
    names = [line.rpartition(" ")[0] for line in samples]
    assert len(set(names)) == len(names), "a sample stands twice"


# ---- what holds for all

def assert_plain(data, whose):
    text = data.decode()  # UTF-8, or this fails
    for at, character in enumerate(text):
        hidden = unicodedata.category(character) == "Cc" and character not in KEPT or character in TURNING
        indents = character == "\t" and text[:at].rpartition("\n")[2].strip("\t") == "" or text[at - 1:at] == ":"
        if hidden and not (character == "\t" and indents):
            raise AssertionError(f"{whose}: {character!r} in {text[max(0, at - 40):at + 40]!r}")


def run(program, command, words, stdout=subprocess.PIPE):
    words = [program, command, *[str(word) for word in words]]
    if command == "top":  # it goes on until somebody ends it
        words = ["timeout", "-s", "INT", "1", *words]
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, timeout=60)


def check(program, command, words, reader, place):
    whose = f"relance {command} {' '.join(ascii(str(word)) for word in words)}"
    done = run(program, command, words)
    assert_plain(done.stdout, whose)
    assert_plain(done.stderr, whose)
    assert done.returncode >= 0, f"{whose}: {done.stderr}"
    if reader:
        reader(done.stdout.decode(), place)
    if not done.stdout:
        return
    with open("/dev/full", "wb") as full:
        done = run(program, command, words, full)
    assert done.returncode in ((1, 124) if command == "top" else (1, 2)), f"{whose} > /dev/full: {done.returncode}"
    assert b"standard output cannot be written: No space left on device" in done.stderr, f"{whose} > /dev/full: {done.stderr}"


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    commands = re.findall(r'^COMMAND\(\w+, \w+, "([a-z-]+)"', (ROOT / "consumer" / "command.def").read_text(), re.M)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Place(pathlib.Path(folder))
        try:
            place.fill_redis("g")
            table = calls(place)
            for command in commands:
                rows = table.get(command, []) + [(["--help"], None)]
                if command not in table and command not in ON_KAFKA:
                    print(f"FAILED {command}: this test has no call of it")
                    failed += 1
                for words, reader in rows:
                    try:
                        check(program, command, words, reader, place)
                        passed += 1
                    except (AssertionError, ValueError, KeyError, xml.etree.ElementTree.ParseError) as wrong:
                        print(f"FAILED {command} {ascii([str(word) for word in words])}: {type(wrong).__name__}: {ascii(str(wrong))[:2000]}")
                        failed += 1
        finally:
            place.redis.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
