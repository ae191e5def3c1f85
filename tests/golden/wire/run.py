#!/usr/bin/env python3
"""Wire formats: run.py WIRE_TOOL [PART OF A NAME], or run.py WIRE_TOOL --write to take what comes for right.

The cases beside this file are schemas, values in hex, and what becomes of them (of JSON, the values as JSON texts). Others
are made here: random schemas whose values an encoder of our own writes, from Avro's specification, and a registry that
answers, refuses, hangs, lies or is not there.
"""
import base64
import contextlib
import json
import math
import pathlib
import random
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
from support import certificates, suite

TOOL = None
SCHEMA_ENDS = {"avro": "avsc", "protobuf": "proto"}
SEEDS = 150
# A registry on 127.0.0.1 is not to be asked through a proxy that the machine has.
DIRECT = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}


class Tool:
    """The program, a question at a time."""

    def __init__(self, *words):
        self.process = subprocess.Popen([TOOL, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, env=DIRECT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()

    def ask(self, value):
        self.process.stdin.write(value.hex() + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")


# ---- cases

def read_cases(path):
    """The blocks of a file: comments, the head, lines of the schema, lines of values."""
    for block in path.read_text().split("\n\n"):
        lines = [line for line in block.splitlines()]
        head = next((line for line in lines if line and line[0] not in "#"), None)
        if head:
            yield block, head.split(), "\n".join(line[2:] for line in lines if line.startswith("  ")), \
                [line for line in lines if "=> " in line and line[0] not in " #"]


def run_case(head, schema, lines):
    """What comes of the values, a line each."""
    form, *message = head
    values = [line.partition("=> ")[0].strip() for line in lines]
    if form == "json":
        values = [json.loads(value).encode().hex() for value in values]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, f"schema.{SCHEMA_ENDS.get(form)}")
        file.write_text(schema)
        words = ["--schema", file] if schema else []
        done = subprocess.run([TOOL, form, *words, *(["--message", *message] if message else [])], text=True,
                              input="".join(value + "\n" for value in values), capture_output=True)
        refusal = done.stderr.strip().replace(f"{folder}/", "")
    return [f"refused {refusal}"] if done.returncode == 2 else done.stdout.splitlines()


def write():
    for path in sorted(HERE.glob("*.txt")):
        text = path.read_text()
        for block, head, schema, lines in read_cases(path):
            new = block
            for line, came in zip(lines, run_case(head, schema, lines)):
                new = new.replace(line, line.partition("=> ")[0] + "=> " + came)
            text = text.replace(block, new)
        path.write_text(text)


class Cases(unittest.TestCase):
    def check(self, name):
        for _, head, schema, lines in read_cases(HERE / f"{name}.txt"):
            with self.subTest(schema=schema):
                self.assertEqual(run_case(head, schema, lines), [line.partition("=> ")[2] for line in lines])

    def test_avro(self):
        self.check("avro")

    def test_protobuf(self):
        self.check("protobuf")

    def test_json(self):
        self.check("json")


# ---- random schemas

def zigzag(number):
    number = number << 1 ^ number >> 63
    out = b""
    while True:
        out += bytes([number & 127 | (128 if number > 127 else 0)])
        number >>= 7
        if not number:
            return out


def sized(data):
    return zigzag(len(data)) + data


class Maker:
    """Makes a schema, and a value of it as bytes and as the JSON that is expected."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.named = []  # of those that are finished: schema by name, how to make a value

    def schema(self, depth):
        kinds = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
        if depth < 4:
            kinds += ["record", "enum", "array", "map", "union", "fixed", "again"] * 2
        kind = self.random.choice(kinds)
        return getattr(self, f"make_{kind}")(depth) if hasattr(self, f"make_{kind}") else (kind, getattr(self, f"value_{kind}"))

    def name(self):
        return f"N{self.random.randrange(1 << 40)}"

    def value_null(self):
        return b"", None

    def value_boolean(self):
        value = self.random.random() < 0.5
        return bytes([value]), value

    def value_int(self):
        value = self.random.choice([0, -1, 2 ** 31 - 1, -2 ** 31, self.random.randrange(-1000, 1000)])
        return zigzag(value), value

    def value_long(self):
        value = self.random.choice([0, 2 ** 63 - 1, -2 ** 63, self.random.randrange(-2 ** 40, 2 ** 40)])
        return zigzag(value), value

    def value_float(self):
        data = struct.pack("<I", self.random.randrange(1 << 32))
        return data, ("float", struct.unpack("<f", data)[0])

    def value_double(self):
        data = struct.pack("<Q", self.random.randrange(1 << 64))
        return data, ("double", struct.unpack("<d", data)[0])

    def value_bytes(self):
        value = self.random.randbytes(self.random.randrange(5))
        return sized(value), base64.b64encode(value).decode()

    def value_string(self):
        value = "".join(self.random.choice("ab\"\\\n\x00é€😀") for _ in range(self.random.randrange(6)))
        return sized(value.encode()), value

    def make_record(self, depth):
        fields = [(f"f{i}", *self.schema(depth + 1)) for i in range(self.random.randrange(4))]
        name = self.name()

        def value():
            made = [(key, *make()) for key, _, make in fields]
            return b"".join(data for _, data, _ in made), {key: out for key, _, out in made}
        self.named.append((name, value))
        return {"type": "record", "name": name, "fields": [{"name": key, "type": inner} for key, inner, _ in fields]}, value

    def make_enum(self, _):
        symbols, name = ["A", "B", "C"], self.name()

        def value():
            number = self.random.randrange(3)
            return zigzag(number), symbols[number]
        self.named.append((name, value))
        return {"type": "enum", "name": name, "symbols": symbols}, value

    def make_fixed(self, _):
        size, name = self.random.randrange(6), self.name()

        def value():
            data = self.random.randbytes(size)
            return data, base64.b64encode(data).decode()
        self.named.append((name, value))
        return {"type": "fixed", "name": name, "size": size}, value

    def make_again(self, depth):
        if not self.named:
            return self.make_fixed(depth)
        return self.random.choice(self.named)

    def blocks(self, elements):
        """Elements in blocks, some with their size."""
        out = b""
        while elements:
            count = self.random.randrange(1, len(elements) + 1)
            data, elements = b"".join(elements[:count]), elements[count:]
            out += zigzag(-count) + zigzag(len(data)) + data if self.random.random() < 0.5 else zigzag(count) + data
        return out + zigzag(0)

    def make_array(self, depth):
        inner, make = self.schema(depth + 1)

        def value():
            made = [make() for _ in range(self.random.randrange(4))]
            return self.blocks([data for data, _ in made]), [out for _, out in made]
        return {"type": "array", "items": inner}, value

    def make_map(self, depth):
        inner, make = self.schema(depth + 1)

        def value():
            made = [(f"k{i}", *make()) for i in range(self.random.randrange(4))]
            return self.blocks([sized(key.encode()) + data for key, data, _ in made]), {key: out for key, _, out in made}
        return {"type": "map", "values": inner}, value

    def make_union(self, depth):
        kinds = self.random.sample(["null", "boolean", "long", "string", "bytes"], self.random.randrange(1, 5))
        branches = [(kind, getattr(self, f"value_{kind}")) for kind in kinds] + [self.make_record(depth + 1)]

        def value():
            number = self.random.randrange(len(branches))
            data, out = branches[number][1]()
            return zigzag(number) + data, out
        return [inner for inner, _ in branches], value


def same(expected, came):
    """Floating-point numbers are the same if their bytes are; what is no number is a text."""
    if isinstance(expected, tuple):
        kind, number = expected
        if not math.isfinite(number):
            return came == ("NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity")
        form = "<f" if kind == "float" else "<d"
        return struct.pack(form, number + 0.0) == struct.pack(form, float(came) + 0.0) or number == came == 0
    if isinstance(expected, dict):
        return isinstance(came, dict) and expected.keys() == came.keys() and all(same(expected[key], came[key]) for key in expected)
    if isinstance(expected, list):
        return isinstance(came, list) and len(expected) == len(came) and all(map(same, expected, came))
    return type(expected) is type(came) and expected == came


class Random(unittest.TestCase):
    def test_random_values_of_random_schemas_come_out_as_they_went_in(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "schema.avsc")
            for seed in range(SEEDS):
                maker = Maker(seed)
                schema, make = maker.schema(0)
                file.write_text(json.dumps(schema))
                with self.subTest(seed=seed), Tool("avro", "--schema", file) as tool:
                    for _ in range(10):
                        data, expected = make()
                        answer = tool.ask(bytes(5) + data)
                        self.assertTrue(answer.startswith("ok ") and same(expected, json.loads(answer[3:])), (schema, data.hex(), answer))


# ---- a registry

class Registry:
    """A schema registry on a port of its own. `answers` has what is said to a path: (status, text), or a function that
    says it to the handler; what is not there is refused as a registry does."""

    def __init__(self, port=0, context=None):
        self.answers, self.asked, self.login, self.connections = {}, [], None, []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version, wbufsize = "HTTP/1.1", -1  # an answer goes out in one piece

            def setup(self):
                registry.connections.append(self.request)
                super().setup()

            def do_GET(self):
                registry.asked.append(self.path)
                if registry.login and self.headers.get("Authorization") != "Basic " + base64.b64encode(registry.login).decode():
                    return self.say(401, '{"error_code": 401, "message": "Unauthorized"}')
                said = registry.answers.get(self.path, (404, '{"error_code": 40403, "message": "Schema not found"}'))
                return said(self) if callable(said) else self.say(*said)

            def say(self, status, text):
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass
        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # who is cut off while it speaks
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def has(self, number, schema, **members):
        self.answers[f"/schemas/ids/{number}"] = 200, json.dumps({"schema": schema, **members})

    def refers(self, subject, version, schema, **members):
        self.answers[f"/subjects/{subject}/versions/{version}"] = 200, json.dumps({"schema": schema, "id": 99, **members})

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def framed(number, data):
    return struct.pack(">BI", 0, number) + data


class WithRegistry(unittest.TestCase):
    def setUp(self):
        self.registry = Registry()
        self.addCleanup(lambda: self.registry.close())

    def avro(self, *words):
        return Tool("avro", "--registry", self.registry.url, *words)

    def test_a_schema_is_asked_for_once(self):
        self.registry.has(7, '"string"')
        self.registry.has(8, '"long"', schemaType="AVRO")
        with self.avro() as tool:
            for _ in range(100):
                self.assertEqual(tool.ask(framed(7, sized(b"a"))), 'ok "a"')
                self.assertEqual(tool.ask(framed(8, zigzag(5))), "ok 5")
        self.assertEqual(self.registry.asked, ["/schemas/ids/7", "/schemas/ids/8"])

    def test_an_id_that_it_does_not_have_is_dead_and_asked_for_once_a_minute(self):
        with self.avro() as tool:
            for _ in range(3):
                self.assertEqual(tool.ask(framed(4294967295, b"")), "dead schema the schema registry has no schema 4294967295")
        self.assertEqual(len(self.registry.asked), 1)

    def test_unknown_ids_displace_no_schema(self):
        self.registry.has(7, '"long"')
        with self.avro() as tool:
            for number in range(2000):
                self.assertTrue(tool.ask(framed(1000 + number, b"")).startswith("dead schema "))
                self.assertEqual(tool.ask(framed(7, zigzag(number))), f"ok {number}")
        self.assertEqual(self.registry.asked.count("/schemas/ids/7"), 1)

    def test_more_schemas_than_are_kept_are_asked_for_again(self):
        for number in range(1030):
            self.registry.has(number, f'{{"type": "enum", "name": "E", "symbols": ["S{number}"]}}')
        with self.avro() as tool:
            for number in [*range(1030), 0, 1029]:
                self.assertEqual(tool.ask(framed(number, zigzag(0))), f'ok "S{number}"')
        self.assertEqual([self.registry.asked.count(f"/schemas/ids/{number}") for number in (0, 1, 1029)], [2, 1, 1])

    def test_a_schema_that_is_none_is_dead_and_not_asked_for_again(self):
        self.registry.has(1, '{"type": "wrong"}')
        self.registry.has(2, "syntax", schemaType="PROTOBUF")
        with self.avro() as tool:
            for _ in range(2):
                self.assertEqual(tool.ask(framed(1, b"")),
                                 "dead schema schema 1 cannot be used: the Avro schema does not define a type: wrong")
                self.assertEqual(tool.ask(framed(2, b"")),
                                 "dead schema schema 2 cannot be used: it is PROTOBUF, and records are read as avro")
        self.assertEqual(len(self.registry.asked), 2)

    def test_a_value_without_a_frame_is_dead_and_nobody_is_asked(self):
        with self.avro() as tool:
            for value in (b"", b"\0", bytes(4), b"\1" + bytes(9), b'{"a": 1}'):
                self.assertEqual(tool.ask(value), "dead format it does not begin with 0 and the id of a schema")
        self.assertEqual(self.registry.asked, [])

    def test_whatever_is_no_answer_of_a_registry_is_away_and_tried_again(self):
        def cut(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b'{"schema": ')
            handler.close_connection = True

        def huge(handler):
            handler.send_response(200)
            handler.end_headers()
            try:
                while True:
                    handler.wfile.write(b" " * 65536)
            except OSError:
                handler.close_connection = True
        answers = {(500, '{"error_code": 50001}'): "answers 500", (503, ""): "answers 503", (429, ""): "answers 429",
                   (404, "<html>no such page</html>"): "answers 404: is this a schema registry?",
                   (404, '{"error_code": 404, "message": "HTTP 404 Not Found"}'): "answers 404: is this a schema registry?",
                   (403, ""): "answers 403: the login is refused", (302, ""): "answers 302",
                   (200, "<html>welcome</html>"): "answers 200 and what is no schema", (200, "[]"): "what is no schema",
                   (200, '{"schema": 7}'): "what is no schema", (200, "{" * 100000): "what is no schema",
                   cut: "", huge: "its answer is larger than 4 MiB"}
        with self.avro() as tool:
            for said, sentence in answers.items():
                with self.subTest(said=said):
                    self.registry.answers["/schemas/ids/3"] = said
                    answer = tool.ask(framed(3, zigzag(1)))
                    self.assertTrue(answer.startswith(f"away the schema registry at {self.registry.url}"), answer)
                    self.assertIn(sentence, answer)
            self.registry.has(3, '"long"')
            self.assertEqual(tool.ask(framed(3, zigzag(1))), "ok 1")

    def test_a_registry_that_hangs_is_away_in_time(self):
        release = threading.Event()
        self.addCleanup(release.set)
        self.registry.answers["/schemas/ids/3"] = lambda handler: release.wait(60)
        with self.avro() as tool:
            begin = time.monotonic()
            self.assertTrue(tool.ask(framed(3, b"")).startswith("away "))
            self.assertLess(time.monotonic() - begin, 40)

    def test_one_that_is_down_is_away_and_found_when_it_is_back(self):
        self.registry.has(1, '"long"')
        with self.avro() as tool:
            self.assertEqual(tool.ask(framed(1, zigzag(1))), "ok 1")
            port, answers = self.registry.port, self.registry.answers
            self.registry.close()
            self.assertTrue(tool.ask(framed(2, b"")).startswith("away "))
            self.assertEqual(tool.ask(framed(1, zigzag(2))), "ok 2")
            self.registry = Registry(port)
            self.registry.answers = answers
            self.registry.has(2, '"long"')
            self.assertEqual(tool.ask(framed(2, zigzag(3))), "ok 3")

    def test_it_logs_in_by_the_url_or_by_options_and_never_tells_the_password(self):
        self.registry.login = b"us er:p@ss/w"
        self.registry.has(1, '"long"')
        url = self.registry.url.replace("://", "://us%20er:p%40ss%2Fw@") + "/"
        for words in (["--registry", url], ["--registry", self.registry.url, "--user", "us er", "--password", "p@ss/w"],
                      ["--registry", url.replace("us%20er", "other"), "--user", "us er"]):
            with Tool("avro", *words) as tool:
                self.assertEqual(tool.ask(framed(1, zigzag(1))), "ok 1")
        with Tool("avro", "--registry", url.replace("w@", "x@")) as tool:
            self.assertEqual(tool.ask(framed(1, b"")), f"away the schema registry at {self.registry.url}/ answers 401: the login is refused")

    def test_a_path_of_the_url_stays_in_front(self):
        self.registry.answers["/a/b/schemas/ids/1"] = 200, '{"schema": "\\"long\\""}'
        for end in ("/a/b", "/a/b/", "/a/b/?x=1#y"):
            with Tool("avro", "--registry", self.registry.url + end) as tool:
                self.assertEqual(tool.ask(framed(1, zigzag(1))), "ok 1")

    def test_references_of_avro_are_fetched_once_and_deepest_first(self):
        item = {"name": "shop.Item", "subject": "shop/../item x", "version": 3}
        price = {"name": "shop.Price", "subject": "price", "version": 1}
        self.registry.has(5, json.dumps({"type": "array", "items": {"type": "record", "name": "R", "fields": [
            {"name": "i", "type": "shop.Item"}, {"name": "p", "type": "shop.Price"}]}}), references=[item, price])
        self.registry.refers("shop%2F%2E%2E%2Fitem%20x", 3, json.dumps({"type": "record", "name": "Item", "namespace": "shop", "fields": [
            {"name": "price", "type": "Price"}]}), references=[price])
        self.registry.refers("price", 1, '{"type": "fixed", "name": "shop.Price", "size": 1}')
        with self.avro() as tool:
            self.assertEqual(tool.ask(framed(5, zigzag(1) + b"\1\2" + zigzag(0))), 'ok [{"i":{"price":"AQ=="},"p":"Ag=="}]')
        self.assertEqual(len(self.registry.asked), 3)

    def test_references_of_protobuf_are_fetched(self):
        self.registry.has(5, 'syntax = "proto3"; import "a.proto"; message M { a.A x = 1; }', schemaType="PROTOBUF",
                          references=[{"name": "a.proto", "subject": "a", "version": 1}])
        self.registry.refers("a", 1, 'syntax = "proto3"; package a; import "google/protobuf/timestamp.proto"; '
                             'message A { google.protobuf.Timestamp at = 1; }', schemaType="PROTOBUF",
                             references=[{"name": "google/protobuf/timestamp.proto", "subject": "t", "version": 1}])
        self.registry.refers("t", 1, 'syntax = "proto3"; package google.protobuf; message Timestamp { int64 seconds = 1; int32 nanos = 2; }',
                             schemaType="PROTOBUF")
        with Tool("protobuf", "--registry", self.registry.url) as tool:
            self.assertEqual(tool.ask(framed(5, bytes.fromhex("00 0a040a020805"))), 'ok {"x":{"at":"1970-01-01T00:00:05Z"}}')

    def test_references_that_are_missing_endless_or_many_are_dead(self):
        self.registry.has(1, '"long"', references=[{"name": "gone", "subject": "gone", "version": 1}])
        self.registry.has(2, '"long"', references=[{"name": "0", "subject": "s0", "version": 1}])
        for i in range(40):
            self.registry.refers(f"s{i}", 1, '"long"', references=[{"name": str(i + 1), "subject": f"s{i + 1}", "version": 1}])
        many = [{"name": f"m{i}", "subject": "s", "version": 1} for i in range(300)]
        self.registry.has(3, '"long"', references=many)
        self.registry.refers("s", 1, '"long"')
        with self.avro() as tool:
            self.assertEqual(tool.ask(framed(1, b"")), "dead schema the schema registry has no schema gone")
            self.assertEqual(tool.ask(framed(2, b"")), "dead schema a schema's references refer to others, and so on, too deep")
            self.assertEqual(tool.ask(framed(3, b"")), "dead schema a schema refers to more than 256 others")

    def test_https_is_spoken_and_strangers_are_not_trusted(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            certificates.make(folder)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder / "broker.pem")
            secure = Registry(context=context)
            secure.has(1, '"long"')
            with Tool("avro", "--registry", secure.url, "--ca", folder / "ca.pem") as tool:
                self.assertEqual(tool.ask(framed(1, zigzag(1))), "ok 1")
            for words in (["--ca", folder / "stranger.pem"], []):
                with Tool("avro", "--registry", secure.url, *words) as tool:
                    self.assertTrue(tool.ask(framed(1, zigzag(1))).startswith("away "))
            secure.close()


class Options(unittest.TestCase):
    def refusal(self, *words):
        done = subprocess.run([TOOL, *words], input="", text=True, capture_output=True)
        self.assertEqual(done.returncode, 2)
        return done.stderr.strip()

    def test_what_is_wrong_is_said_at_the_start(self):
        self.assertEqual(self.refusal("xml"), "there is no wire format 'xml': json, avro, protobuf")
        self.assertEqual(self.refusal("avro"), "the format avro needs a schema registry or a schema file")
        self.assertIn("not both", self.refusal("avro", "--schema", "a", "--registry", "http://a"))
        self.assertIn("no-such-file", self.refusal("avro", "--schema", "/no-such-file"))
        for url in ("registry:8081", "ftp://a", "file:///etc/passwd", "", "http://"):
            self.assertEqual(self.refusal("avro", "--registry", url), "the URL of the schema registry is none of http:// or https://")

    def test_several_files_are_one_schema(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "shop").mkdir()
            (folder / "shop/item.proto").write_text('syntax = "proto3"; package shop; message Item { string sku = 1; }')
            (folder / "order.proto").write_text('syntax = "proto3"; import "shop/item.proto"; message Other {} message Order { shop.Item item = 1; }')
            words = ["protobuf", "--schema", folder / "shop/item.proto", "--schema", folder / "order.proto"]
            for message in ("Order", "Other", "shop.Item", "Item"):
                with Tool(*words, "--message", message) as tool:
                    self.assertEqual(tool.ask(b""), 'ok {"sku":""}' if "Item" in message else "ok {}")
            with Tool(*words) as tool:
                self.assertEqual(tool.ask(framed(1, b"\2\2\x0a\0")), 'ok {"item":{"sku":""}}')
                self.assertEqual(tool.ask(b""), "ok {}")


if __name__ == "__main__":
    TOOL = sys.argv[1]
    if sys.argv[2:] == ["--write"]:
        write()
    else:
        sys.exit(suite.run(sys.modules["__main__"], patterns=sys.argv[2:]))
