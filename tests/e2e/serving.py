"""Metrics and health over HTTP: `relance serve`, `relance health`, and what a supervisor is told.

What is served is what `relance metrics` prints; who may ask, and what becomes of those who mean harm; one reader in Redis,
however many ask; and a Redis or an engine that goes away and comes back.
"""
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest
import urllib.parse

from support import models, place, redis
from support.engine import SECRET, Engine, World, running
from support.intake import Mill, foreign
from support.kafka import event

RULES = {"events": {"ping": {}}, "rules": {"answer": {"on": "ping", "do": [{"send": "push"}]}}}
TOKEN = f"{SECRET}-0123456789abcdef"
MOST_RSS_KIB = 20 * 1024
HEADER_BYTES = 8192
REQUEST_S = 10
CONNECTIONS = 64
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; "
          "base-uri 'none'; form-action 'none'")


class Listener:
    """Whoever listens at `port`."""

    def __init__(self, port):
        self.port = port

    def ask(self, path, method="GET", timeout=10, **headers):
        """Status, headers and body of an answer."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            link.request(method, path, headers=headers)
            answer = link.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            link.close()

    def raw(self, data, patience_s=0.5):
        """All that comes back until the other side closes, or says nothing for a while."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), 5) as link:
            link.settimeout(patience_s)
            try:
                link.sendall(data)
                while piece := link.recv(65536):
                    answer += piece
            except OSError:  # reset by the other side, which did not read it all, or a time-out
                pass
        return answer

    def wait_ready(self, status, seconds=15, saying=""):
        """Until it answers so, in words in which that pattern is; gives the words."""
        def said():
            answer = self.ask("/readyz")
            return answer[0] == status and re.search(saying, answer[2]) and answer[2]
        return place.wait_until(said, seconds, f"/readyz says {status}: {saying}")


class Server(Listener):
    """A run of `relance serve`."""

    def __init__(self, folder, url, group="g", input="i", environment=None, **options):
        super().__init__(int(str(options.get("listen") or place.free_port()).rpartition(":")[2]))
        options = {"listen": self.port, "redis": url, "group": group, "input": input, **options}
        words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if value is not None]
        os.environ.update(environment or {})
        self.engine = Engine([place.program("relance"), "serve", *words], folder / f"serve-{self.port}")
        for name in environment or {}:
            del os.environ[name]
        place.wait_until(lambda: self.ask("/healthz")[0] == 200, 10, "serve answers")

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.engine.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])

    def stop(self):
        return self.engine.stop()


def listening(pid):
    """The sockets at which a process listens, as the kernel has them."""
    process = pathlib.Path(f"/proc/{pid}")
    rows = [line.split() for name in ("tcp", "tcp6") for line in (process / "net" / name).read_text().splitlines()[1:]]
    held = {os.readlink(file) for file in (process / "fd").iterdir()}
    return {row[9] for row in rows if row[3] == "0A"} & {name[8:-1] for name in held if name.startswith("socket:[")}


def serve(test, *arguments, **options):
    server = Server(*arguments, **options)
    test.addCleanup(server.stop)
    return server


class Serving(unittest.TestCase):
    """Of a group that works."""

    def setUp(self):
        self.world = World(RULES)
        self.addCleanup(self.world.__exit__)

    def serve(self, **options):
        world = self.world
        return serve(self, world.folder.path, world.redis.reader_url, world.group, world.input, **options)

    def test_it_serves_what_metrics_prints(self):
        with running(self.world) as engine:
            self.world.produce([event(f"c-{n}", "ping") for n in range(10)])
            self.world.wait_decided(engine)
            self.world.wait_counter("events", 10)
            server = self.serve()
            self.assertEqual(server.wait_ready(200), "4 of 4 partitions have an owner.\n")
            status, headers, text = server.ask("/metrics")
            self.assertEqual((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
            self.assertRegex(text, re.compile(r"^relance_events_total\{[^}]*\} 10$", re.M))
            printed = subprocess.run([place.program("relance"), "metrics", "--prometheus", f"--redis={self.world.redis.reader_url}",
                                      f"--group={self.world.group}", f"--input={self.world.input}"], capture_output=True, text=True)
            kinds = [[line for line in said.splitlines() if line.startswith("# TYPE")] for said in (text, printed.stdout)]
            self.assertEqual(*kinds)
            self.assertEqual(server.ask("/metrics", "HEAD")[2], "")
        self.assertEqual(server.stop()[0], 0)

    def test_partitions_that_lose_their_owner_are_told_and_so_is_their_next_one(self):
        with running(self.world) as engine:
            self.world.produce([event("c-1", "ping")])
            self.world.wait_decided(engine)
            self.world.wait_counter("events", 1)
            server = self.serve()
            server.wait_ready(200)
        self.assertEqual(server.wait_ready(503), "0 of 4 partitions have an owner; nobody has 0.\n")
        self.assertEqual(server.ask("/metrics")[0], 200)
        with running(self.world):
            server.wait_ready(200, 30)

    def test_it_outlives_a_redis_that_goes_away_says_so_and_recovers(self):
        server = self.serve()
        server.wait_ready(503, saying="no state of group and topic")
        with running(self.world) as engine:
            self.world.produce([event("c-1", "ping")])
            self.world.wait_decided(engine)
            self.world.wait_counter("events", 1)
            server.wait_ready(200)
            self.world.redis.kill()
            server.wait_ready(503, saying=r"^The newest figures are \d+ s old: Redis at .*\n$")
            self.assertEqual((server.ask("/metrics")[0], server.ask("/healthz")[0]), (503, 200))
            self.world.redis.start()
            server.wait_ready(200, 30)
            self.assertEqual(server.ask("/metrics")[0], 200)
        log = server.engine.output()
        self.assertEqual((log.count("There are no newer figures."), log.count("There are figures again.")), (2, 2), log)

    def test_fifty_who_ask_are_one_reader_for_redis(self):
        world = self.world

        def questions():
            stats = world.redis("INFO", "commandstats").decode()
            return sum(map(int, re.findall(r"cmdstat_(?:hgetall|scan|hget):calls=(\d+)", stats)))

        def readers():
            return len(re.findall(rf"user={redis.READER}\b", world.redis("CLIENT", "LIST").decode()))

        def spent(seconds):
            before, begin = questions(), time.monotonic()
            time.sleep(seconds)
            return (questions() - before) / (time.monotonic() - begin)

        with running(world) as engine:
            world.produce([event("c-1", "ping")])
            world.wait_decided(engine)
            world.wait_counter("events", 1)
            server = self.serve()
            server.wait_ready(200)
            alone = spent(4)
            end = time.monotonic() + 4.5

            def view(_):
                answers = 0
                while time.monotonic() < end:
                    answers += server.ask("/metrics")[0] == 200
                return answers

            with concurrent.futures.ThreadPoolExecutor(50) as pool:
                watched = pool.submit(spent, 4)
                answers = sum(pool.map(view, range(49)))
                self.assertGreater(answers, 500)
                self.assertLess(watched.result(), 1.5 * alone + 1)
            self.assertEqual(readers(), 1)


VIEWED = {"events": {"ping": {"n": "int"}}, "customer": {"name": "string"},
          "rules": {"answer": {"on": "ping", "split": {"a": 1, "holdout": 1}, "do": [{"send": "push"}]},
                    "later": {"on": "ping", "cancel": [{"on": "identify"}], "do": [{"after": "1h", "send": "email"}]}}}
HOSTILE = ["ann & bob", "<script>alert(1)</script>", "--help", "a/../b?c=d#e", "\u202e\x1b[31mred", "ä%41+ü", "{\"id\": 1}", "-", "x" * 256]


class View(unittest.TestCase):
    """What the page asks for, of a shop of people with odd names."""

    @classmethod
    def setUpClass(cls):
        cls.world = world = World(VIEWED)
        cls.addClassCleanup(world.__exit__)
        cls.customers = [f"c-{n}" for n in range(12)] + HOSTILE
        with running(world) as engine:
            world.produce([event(name, "ping", id=f"e-{n}", n=n) for n, name in enumerate(cls.customers)])
            world.produce([event("c-0", "identify", name="Zoë"), event("c-1", "nothing", text="\n\t")])
            world.wait_decided(engine)
            world.wait_counter("events", len(cls.customers) + 2)
            place.wait_until(lambda: "customers" in world.live() and not float(world.live()["checkpoint_age_s"]), 10, "all is saved")
        cls.server = Server(world.folder.path, world.redis.reader_url, world.group, world.input, output=world.output,
                            **{"kafka.bootstrap.servers": world.kafka.address})
        cls.addClassCleanup(cls.server.stop)
        cls.server.wait_ready(503)  # nobody has the partitions any more: what is shown stands still
        place.wait_until(lambda: cls.get("/api/now")["counters"], 10, "figures")

    @classmethod
    def get(cls, path, status=200, **query):
        words = urllib.parse.urlencode(query, doseq=True)
        found, headers, body = cls.server.ask(f"{path}?{words}" if words else path)
        if found != status:
            raise AssertionError(f"{path} {query}: {found} {body}")
        if headers["Content-Type"] == "application/x-ndjson; charset=utf-8":
            return [json.loads(line) for line in body.splitlines() if line]
        return json.loads(body)

    def tool(self, command, *words):
        world = self.world
        return subprocess.run([place.program("relance"), command, f"--redis={world.redis.reader_url}", f"--group={world.group}", f"--input={world.input}",
                               *([f"--kafka.bootstrap.servers={world.kafka.address}"] if command == "explain" else []), *words],
                              capture_output=True, text=True, check=True, timeout=60).stdout

    def test_now_is_what_metrics_prints_and_more(self):
        now, printed = self.get("/api/now"), json.loads(self.tool("metrics", "--json"))
        self.assertEqual(now["counters"], printed["counters"])
        for shown, told in zip(now["partitions"], printed["partitions"], strict=True):
            self.assertEqual(told.items() - shown.items(), set())
            self.assertRegex(shown["ruleset"], r"^[0-9a-f]{12}$")
        self.assertEqual(sum(shown["offset"] for shown in now["partitions"]), len(self.customers) + 2)
        rules = {rule["name"]: rule for rule in now["rules"]}
        self.assertEqual(set(rules), {"answer", "later"})
        self.assertEqual((rules["later"]["decided"]["started"], rules["later"]["cancelled_by"]), (len(self.customers), {"identify": 1}))
        answer = rules["answer"]
        self.assertEqual(answer["decided"]["sent"] + answer["decided"]["held"], len(self.customers))
        self.assertEqual((answer["variants"]["a"]["sent"], answer["steps"]["1"]["held"]), (answer["decided"]["sent"], answer["decided"]["held"]))
        self.assertNotIn("trouble", now)
        self.assertEqual((now["customers"], now["stories"], now["examples"], now["ready"]), (True, True, True, False))

    def test_whoever_has_it_already_is_told_so(self):
        for path in ("/", "/app.js", "/app.css", "/api/now", "/api/rules"):
            status, headers, body = self.server.ask(path)
            again = self.server.ask(path, **{"If-None-Match": headers["ETag"]})
            self.assertEqual((status, again[0], again[1]["ETag"], again[2]), (200, 304, headers["ETag"], ""), path)
            self.assertGreaterEqual(float(again[1]["Relance-Age"]), 0)
            self.assertEqual(self.server.ask(path, **{"If-None-Match": '"0000000000000000"'})[2], body)

    def test_the_report_is_what_the_command_prints(self):
        shown, printed = self.get("/api/report"), json.loads(self.tool("report", "--json"))
        self.assertEqual({**shown, "at": 0}, {**printed, "at": 0})

    def test_rules_are_those_in_force_as_they_were_written(self):
        [found] = self.get("/api/rules")["sets"]
        self.assertEqual((found["partitions"], found["rules"]), ([0, 1, 2, 3], ["answer", "later"]))
        self.assertEqual([(file["name"], json.loads(file["text"])) for file in found["files"]], [("rules.json", VIEWED)])

    def test_minutes_add_up_to_the_counters(self):
        counters = self.get("/api/now")["counters"]
        for _ in range(2):  # the second time from what was kept
            minutes = self.get("/api/minutes", name=["events", "rule.later.started", "nothing"])
            self.assertEqual({name: sum(values) for name, values in minutes["series"].items()},
                             {"events": counters["events"], "rule.later.started": counters["rule.later.started"], "nothing": 0})
            self.assertEqual({len(values) for values in minutes["series"].values()} | {minutes["minutes"]}, {2880})
        late = self.get("/api/minutes", name="events", **{"from": "2999-01-01T00:00:00Z"})
        self.assertEqual((late["minutes"], late["series"]), (0, {"events": []}))
        [lag] = self.get("/api/minutes", name="lag", **{"from": int(1000 * time.time()) - 60000})["series"].values()
        self.assertTrue(all(value is None or value >= 0 for value in lag), lag)
        self.get("/api/minutes", 400)
        self.get("/api/minutes", 400, name="events", **{"from": "yesterday"})

    def test_a_customer_is_what_inspect_prints_and_so_is_one_with_an_odd_name(self):
        for name in ["c-0", *HOSTILE]:
            found = self.get("/api/customer", id=name)
            [state] = found["states"]
            self.assertEqual((found["id"], state["partition"], state["state"]), (name, found["home"], json.loads(self.tool("inspect", "--", name))))
        for missing in ("nobody", "c-0 ", "C-0", "*"):
            self.assertEqual(list(self.get("/api/customer", 404, id=missing)), ["error"])
        self.assertEqual(self.server.ask("/api/customer?id=c-0&visitor=1")[0], 404)
        for query in ("", "?id=", "?id=a&id=b", "?id=%ff", "?id=%00", "?id=%4", "?id=" + "a" * 1025):
            self.assertEqual(self.server.ask("/api/customer" + query)[0], 400, query)
        self.assertEqual(self.server.engine.output().count('msg="A customer was looked up." customer=c-0 by=127.0.0.1:'), 1)

    def test_a_story_is_what_explain_prints(self):
        for name in ["c-0", "c-1", *HOSTILE]:
            told = self.get("/api/story", id=name)
            printed = [json.loads(line) for line in self.tool("explain", "--json", "--from=earliest", "--", name).splitlines()]
            self.assertEqual(told, printed)
            self.assertEqual(([line["kind"] for line in told[:2]], told[-1]), (["partition", "event"], {"kind": "end", "events": told[-1]["events"]}))
        self.assertEqual([line["event"]["n"] for line in told if line["kind"] == "event"], [len(self.customers) - 1])
        self.assertEqual(self.get("/api/story", id="c-0", **{"from": "2999-01-01T00:00:00Z"})[-1], {"kind": "end", "events": 0})
        self.get("/api/story", 400, id="c-0", **{"from": "yesterday"})

    def test_examples_are_what_was_published_the_newest_first(self):
        [decided] = [rule["decided"] for rule in self.get("/api/now")["rules"] if rule["name"] == "answer"]
        place.wait_until(lambda: self.get("/api/examples")["seen"] == len(self.world.output_records()), 10, "all has been read")
        for outcome in ("sent", "held"):
            shown = self.get("/api/examples", rule="answer", outcome=outcome)["examples"]
            self.assertEqual(len(shown), min(10, decided[outcome]))
            for example in shown:
                self.assertEqual((example["outcome"], example["action"]["rule"]), (outcome, "answer"))
                self.assertIn(example["action"]["customer"], self.customers)
        self.assertEqual(self.get("/api/examples", rule="nothing")["examples"], [])

    def test_where_customers_are_nobodys_business_nothing_is_told_of_them(self):
        quiet = serve(self, self.world.folder.path, self.world.redis.reader_url, self.world.group, self.world.input, no_customers="true", output=self.world.output,
                      **{"kafka.bootstrap.servers": self.world.kafka.address})
        for path in ("/api/customer?id=c-0", "/api/story?id=c-0", "/api/examples"):
            self.assertEqual(quiet.ask(path)[0], 403)
        now = json.loads(quiet.ask("/api/now")[2])
        self.assertEqual((now["customers"], now["stories"], now["examples"]), (False, False, False))

    def test_without_kafka_what_takes_it_says_so(self):
        server = serve(self, self.world.folder.path, self.world.redis.reader_url, self.world.group, self.world.input)
        place.wait_until(lambda: json.loads(server.ask("/api/now")[2]).get("counters"), 10, "figures")
        for path in ("/api/story?id=c-0", "/api/examples"):
            status, _, body = server.ask(path)
            self.assertEqual(status, 501)
            self.assertIn("--kafka.bootstrap.servers", json.loads(body)["error"])
        self.assertLess(server.rss_kib(), MOST_RSS_KIB)

    def test_the_page_comes_from_a_directory_for_whoever_works_on_it(self):
        folder = shutil.copytree(place.ROOT / "consumer" / "view" / "page", self.world.folder.path / "page")
        server = serve(self, self.world.folder.path, self.world.redis.reader_url, self.world.group, self.world.input, assets=folder)
        for file in folder.iterdir():
            self.assertEqual(server.ask("/" if file.name == "index.html" else f"/{file.name}")[:3:2], self.server.ask("/" if file.name == "index.html" else f"/{file.name}")[:3:2])
        (folder / "app.js").write_text("second")
        place.wait_until(lambda: server.ask("/app.js")[2] == "second", 10, "it is taken anew")
        (folder / "app.css").unlink()
        place.wait_until(lambda: "The page cannot be read." in server.engine.output(), 10, "it says what is missing")

    def test_nobody_who_looks_is_another_reader_for_redis(self):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            paths = 4 * ["/api/now", "/api/rules", "/api/customer?id=c-0", "/api/minutes?name=events"]
            for status in pool.map(lambda path: self.server.ask(path)[0], paths):
                self.assertIn(status, (200, 503))
        clients = self.world.redis("CLIENT", "LIST").decode()
        self.assertEqual(len([line for line in clients.splitlines() if f"user={redis.READER}" in line]), 1, clients)


LEARNING = {
    "stale": "3650d",
    "events": {"view": {"product": "string"}, "purchase": {"product": "string"}},
    "affinities": {"goes_with": {"from": [{"on": "purchase", "by": "event.product"}], "within": "1d", "half_life": "60d"}},
    "rules": {"look": {"on": "view", "do": [{"send": "email", "with": {"also": "${goes_with(trigger.product, 3)}"}}]}},
}


class Learnt(unittest.TestCase):
    """What has been learnt, of products with odd names."""

    LISTS = {"tent": ["mat", "lamp", *HOSTILE], "*": ["mug", *HOSTILE], **{name: ["tent"] for name in HOSTILE}}

    @classmethod
    def setUpClass(cls):
        cls.world = world = World(LEARNING, partitions=2)
        cls.addClassCleanup(world.__exit__)
        world.kafka.create(f"{world.output}.models", 1)
        cls.at = int(1000 * time.time()) - 60000
        cls.engine = world.engine()
        cls.addClassCleanup(cls.engine.stop)
        cls.server = Server(world.folder.path, world.redis.reader_url, world.group, world.input, output=world.output,
                            **{"kafka.bootstrap.servers": world.kafka.address})
        cls.addClassCleanup(cls.server.stop)

    def get(self, path, status=200, server=None, **query):
        words = urllib.parse.urlencode(query)
        found, _, body = (server or self.server).ask(f"{path}?{words}" if words else path)
        self.assertEqual(found, status, f"{path} {query}: {body}")
        return json.loads(body)

    def affinity(self, server=None):
        [one] = self.get("/api/learnt", server=server)["affinities"]
        return one

    def publish(self, number, lists, base="0"):
        """A version, and events behind it in both partitions; gives its chain."""
        chain = models.publish(self.world, "goes_with", number, lists, base, at=self.at)
        place.wait_until(lambda: f"affinity=goes_with version={number}:" in self.engine.output(), 20, f"version {number}")
        self.world.produce([event(f"c-{n}", "view", product="tent") for n in range(8)])
        return chain

    def test_versions_are_told_as_they_are_made_and_adopted_and_lists_are_looked_up(self):
        self.server.wait_ready(200)
        place.wait_until(lambda: self.server.ask("/api/learnt")[0] == 200 and self.get("/api/learnt")["affinities"], 10, "rules in force")
        self.assertEqual((self.affinity()["in_force"], "newest" in self.affinity()), ([], False))
        self.get("/api/also", 404, name="goes_with", product="tent")
        first = self.publish(1, {"tent": ["mat"]})
        place.wait_until(lambda: [one["partitions"] for one in self.affinity()["in_force"]] == [[0, 1]], 20, "the first is in force")
        second = self.publish(2, self.LISTS, first)
        place.wait_until(lambda: self.affinity()["in_force"] == [{"version": 2, "chain": second, "partitions": [0, 1]}], 20, "the second is in force")
        newest = place.wait_until(lambda: self.affinity()["newest"]["version"] == 2 and self.affinity()["newest"], 10, "and it is read")
        self.assertEqual((newest["chain"], newest["at_ms"]), (second, self.at))
        self.assertTrue(60 <= newest["age_s"] < 600, newest["age_s"])
        self.assertEqual(newest["products"], len({"tent", "mat", "lamp", "mug", *HOSTILE}))
        self.assertEqual([one["product"] for one in newest["popular"]], self.LISTS["*"])
        self.assertEqual(newest["popular"][0]["weight"], 1)
        for product in ("tent", *HOSTILE, "mug"):
            also = self.get("/api/also", name="goes_with", product=product)
            self.assertEqual((also["name"], also["product"], also["version"]), ("goes_with", product, 2))
            self.assertEqual([one["product"] for one in also["partners"]], self.LISTS.get(product, []))
            weights = [one["weight"] for one in also["partners"]]
            self.assertEqual(weights, sorted(weights, reverse=True))

    def test_what_is_wrong_with_a_question_is_said(self):
        for query in ("", "?name=goes_with", "?product=tent", "?name=goes_with&product=", "?name=goes_with&product=a&product=b", "?name=goes_with&product=%ff"):
            self.assertEqual(self.server.ask("/api/also" + query)[0], 400, query)
        place.wait_until(lambda: self.server.ask("/api/learnt")[0] == 200, 10, "it has read")
        self.get("/api/also", 404, name="nothing", product="tent")

    def test_without_kafka_it_tells_what_checkpoints_hold_and_says_what_the_rest_takes(self):
        world = self.world
        server = serve(self, world.folder.path, world.redis.reader_url, world.group, world.input)
        place.wait_until(lambda: server.ask("/api/learnt")[0] == 200, 10, "it has read")
        self.assertEqual((self.get("/api/learnt", server=server)["read"], self.affinity(server)["name"], "newest" in self.affinity(server)), (False, "goes_with", False))
        self.assertIn("--output", self.get("/api/also", 501, server, name="goes_with", product="tent")["error"])


class Stories(unittest.TestCase):
    """Long ones."""

    def test_one_at_a_time_which_ends_when_the_browser_leaves(self):
        world = World(RULES, partitions=1)
        self.addCleanup(world.__exit__)
        world.produce([event("c-1", "ping")])
        with running(world) as engine:
            world.wait_decided(engine)
            world.wait_counter("events", 1)
        server = serve(self, world.folder.path, world.redis.reader_url, world.group, world.input, **{"kafka.bootstrap.servers": world.kafka.address})
        place.wait_until(lambda: json.loads(server.ask("/api/now")[2]).get("counters"), 10, "figures")

        def tellers():
            found = subprocess.run(["ps", "-o", "pid=,stat=", "--ppid", str(server.engine.pid)], capture_output=True, text=True).stdout
            return [int(line.split()[0]) for line in found.splitlines() if "Z" not in line.split()[1]]

        world.kafka.process.send_signal(signal.SIGSTOP)  # the story begins, and does not go on
        try:
            with socket.create_connection(("127.0.0.1", server.port), 5) as link:
                link.sendall(b"GET /api/story?id=c-1 HTTP/1.1\r\n" + HOST + b"\r\n")
                place.wait_until(tellers, 5, "somebody tells it")
                status, _, body = server.ask("/api/story?id=c-1")
                self.assertEqual((status, list(json.loads(body))), (409, ["error"]))
            place.wait_until(lambda: not tellers(), 5, "nobody listens any more")
            with socket.create_connection(("127.0.0.1", server.port), 5) as link:
                link.sendall(b"GET /api/story?id=c-1 HTTP/1.1\r\n" + HOST + b"\r\n")
                place.wait_until(tellers, 5, "somebody tells it again")
            begin = time.monotonic()
            self.assertEqual(server.stop()[0], 0)  # nor does its end wait for Kafka
            self.assertLess(time.monotonic() - begin, 5)
            self.assertEqual(tellers(), [])
        finally:
            world.kafka.process.send_signal(signal.SIGCONT)


class Demonstration(unittest.TestCase):
    """`relance demo` shows its live view, without being told anything."""

    def test_a_newcomer_finds_the_view_and_a_second_one_another_port(self):
        folder = place.Folder("demo")
        self.addCleanup(folder.close)
        demos, ports = [], []
        for n in range(2):
            demos.append(Engine([place.program("relance"), "demo", "--seconds=0"], folder.path / f"demo-{n}"))
            self.addCleanup(demos[n].stop)
            address = r"^To be seen in a browser: http://127\.0\.0\.1:(\d+)/$"
            ports.append(int(place.wait_until(lambda: re.search(address, demos[n].output(), re.M), 30, "it says where")[1]))
        self.assertNotEqual(*ports)
        for port in ports:
            shop = Listener(port)
            self.assertEqual(shop.ask("/")[1]["Content-Type"], "text/html; charset=utf-8")
            place.wait_until(lambda: json.loads(shop.ask("/api/now")[2])["counters"].get("events"), 20, "the shop is open")
            self.assertEqual(json.loads(shop.ask("/api/now")[2])["examples"], True)
        taken = subprocess.run([place.program("relance"), "demo", f"--listen={ports[0]}"], capture_output=True, text=True, timeout=20)
        self.assertEqual(taken.returncode, 1)
        self.assertIn("somebody else listens there", taken.stderr)
        self.assertEqual([demo.stop()[0] for demo in demos], [0, 0])
        with self.assertRaises(OSError):
            Listener(ports[0]).ask("/")


class Engines(unittest.TestCase):
    """An engine with --listen."""

    def setUp(self):
        self.world = World(RULES)
        self.addCleanup(self.world.__exit__)
        self.listener = Listener(place.free_port())

    def counter(self, name):
        status, _, text = self.listener.ask("/metrics")
        self.assertEqual(status, 200, text)
        found = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.M)
        return float(found[0]) if found else None

    def wait_counter(self, name, value):
        place.wait_until(lambda: self.counter(name) == value, 20, f"{name} is {value}")

    def test_it_counts_since_its_start_and_tells_of_its_own_partitions(self):
        for turn, count in enumerate((10, 5)):
            with running(self.world, listen=self.listener.port) as engine:
                self.listener.wait_ready(200, 30)
                self.assertEqual(self.counter("relance_events_total"), 0)
                self.world.produce([event(f"c-{turn}-{n}", "ping") for n in range(count)])
                self.world.wait_decided(engine)
                self.wait_counter("relance_events_total", count)
                text = self.listener.ask("/metrics")[2]
                self.assertRegex(text, re.compile(rf'^relance_rule_by_outcome_total\{{.*rule="answer",outcome="sent"\}} {count}$', re.M))
                self.assertRegex(text, re.compile(r'^relance_live_partitions\{.*engine="one"\} 4$', re.M))
                self.assertEqual(len(re.findall(r"^relance_partition_live\{.*\} 1$", text, re.M)), 4)
                self.assertEqual(self.listener.ask("/readyz")[2], "Of its 4 partitions 4 have caught up.\n")
        self.world.wait_counter("events", 15)

    def test_what_two_engines_count_is_what_redis_has(self):
        other = Listener(place.free_port())
        with running(self.world, listen=self.listener.port), running(self.world, listen=f"0.0.0.0:{other.port}", instance="two") as engine:
            place.wait_until(lambda: [one.ask("/readyz")[2] for one in (self.listener, other)] == 2 * ["Of its 2 partitions 2 have caught up.\n"], 60, "they share")
            self.world.produce([event(f"c-{n}", "ping") for n in range(40)])
            self.world.wait_decided(engine)
            self.world.wait_counter("events", 40)
            place.wait_until(lambda: sum(float(re.search(r"^relance_events_total\{.*\} (\d+)$", one.ask("/metrics")[2], re.M)[1]) for one in (self.listener, other)) == 40, 10, "40 events")
            for one in (self.listener, other):
                self.assertEqual(len(re.findall(r"^relance_partition_live\{.*\} 1$", one.ask("/metrics")[2], re.M)), 2)

    def test_it_is_answered_while_redis_is_away(self):
        with running(self.world, listen=self.listener.port) as engine:
            self.world.produce([event("c-1", "ping")])
            self.world.wait_decided(engine)
            self.wait_counter("relance_events_total", 1)
            self.world.redis.kill()
            self.assertEqual(self.listener.wait_ready(503, 20), "Redis does not answer, or refuses what is written.\n")
            for _ in range(20):
                time.sleep(0.3)
                self.assertEqual(self.counter("relance_events_total"), 1)
                self.assertEqual(self.listener.ask("/healthz")[0], 200)
            self.assertEqual(self.counter("relance_live_redis_refuses"), 1)
            self.world.redis.start()
            self.assertEqual(self.listener.wait_ready(200, 30), "Of its 4 partitions 4 have caught up.\n")

    def test_where_only_this_machine_gets_names_are_looked_at_and_elsewhere_not(self):
        with running(self.world, listen=self.listener.port):
            self.listener.wait_ready(200, 30)
            self.assertEqual(self.listener.ask("/metrics", Host="evil.example")[0], 421)
            self.assertEqual(self.listener.ask("/readyz", Host="evil.example")[0], 200)
            self.assertEqual(self.listener.ask("/metrics", "POST")[0], 405)
            self.assertEqual(self.listener.ask("/api/now")[0], 404)
        with running(self.world, listen=f"0.0.0.0:{self.listener.port}"):
            self.listener.wait_ready(200, 30)
            self.assertEqual(self.listener.ask("/metrics", Host="relance-0.relance:9090")[0], 200)

    def test_an_address_that_is_wrong_or_taken_is_a_mistake_of_the_configuration(self):
        status, said = self.world.refusal(listen="relance-0:9090")
        self.assertEqual(status, 2)
        self.assertIn("'relance-0:9090' is none of", said)
        with socket.socket() as other:
            other.bind(("127.0.0.1", self.listener.port))
            other.listen()
            status, said = self.world.refusal(listen=self.listener.port)
        self.assertEqual(status, 2)
        self.assertIn("somebody else listens there", said)

    def test_nobody_listens_unless_told(self):
        with running(self.world) as engine:
            self.world.produce([event("c-1", "ping")])
            self.world.wait_decided(engine)
            self.assertEqual(listening(engine.pid), set())
        with running(self.world, listen=self.listener.port) as engine:
            self.listener.wait_ready(200, 30)
            self.assertEqual(len(listening(engine.pid)), 1)

    def test_its_supervisor_hears_when_it_is_ready_and_when_it_ends(self):
        name = str(self.world.folder.path / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(name)
            told.settimeout(30)
            os.environ["NOTIFY_SOCKET"] = name
            self.addCleanup(os.environ.pop, "NOTIFY_SOCKET", None)
            with running(self.world):
                said = []
                while not said or "READY=1" not in said[-1]:
                    said.append(told.recv(4096).decode())
                self.assertEqual(said[-1], "READY=1\nSTATUS=Of its 4 partitions 4 have caught up.")
                self.assertTrue(all(re.fullmatch(r"EXTEND_TIMEOUT_USEC=\d+\nSTATUS=.+", line) for line in said[:-1]), said)
            said = []
            while "STATUS=The engine is ending." not in said:
                said.append(told.recv(4096).decode())
            self.assertIn("STOPPING=1", said)


class Intake(unittest.TestCase):
    """`relance intake` with --listen."""

    def test_it_tells_what_it_has_done_and_what_is_in_the_way(self):
        listener = Listener(place.free_port())
        with Mill({"web": 2}) as mill, mill.running(listen=listener.port):
            self.assertEqual(listener.wait_ready(200, 30), "It reads, maps and writes.\n")
            mill.produce("web", [foreign(f"c-{n}", f"u-{n}") for n in range(10)] + [foreign("c-1", "u-x", event="pair")])
            mill.wait_read()
            wanted = [f'{name}{{group="{mill.group}"{more}}} {value}\n' for name, more, value in (
                ("relance_intake_records_total", "", 11), ("relance_intake_events_total", "", 11), ("relance_intake_dead_by_reason_total", ',reason="mapping"', 1))]
            place.wait_until(lambda: all(line in listener.ask("/metrics")[2] for line in wanted), 10, f"it shows {wanted}")
            with socket.socket() as other:
                other.bind(("127.0.0.1", 0))
                other.listen()
                status, said = mill.refusal(listen=other.getsockname()[1])
        self.assertEqual(status, 2)
        self.assertIn("somebody else listens there", said)


class Door(unittest.TestCase):
    """Who may ask. There is nothing in Redis: what is let in gets a 503 that says so."""

    LET_IN = 503

    def setUp(self):
        self.redis = redis.Redis()
        self.addCleanup(self.redis.close)
        self.folder = place.Folder("serve")
        self.addCleanup(self.folder.close)

    def serve(self, **options):
        return serve(self, self.folder.path, self.redis.reader_url, **options)

    def refusal(self, *words, **environment):
        command = [place.program("relance"), "serve", "--group=g", "--input=i", f"--redis={self.redis.reader_url}", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, env={**os.environ, **environment})
        self.assertNotIn(SECRET, done.stderr)
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr

    def test_names_that_nobody_gave_are_refused_and_health_is_everybodys(self):
        server = self.serve(host="metrics.example,shop.example")
        for host, status in [("127.0.0.1", self.LET_IN), (f"localhost:{server.port}", self.LET_IN), ("[::1]:80", self.LET_IN),
                             ("Shop.Example", self.LET_IN), ("evil.example", 421), (f"evil.example:{server.port}", 421), ("127.0.0.1.evil.example", 421)]:
            self.assertEqual(server.ask("/metrics", Host=host)[0], status, host)
            self.assertEqual(server.ask("/healthz", Host=host)[0], 200, host)
        self.assertTrue(server.raw(b"GET /metrics HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 421 "))

    def test_a_token_is_asked_for_where_there_is_one_and_stands_nowhere(self):
        path = self.folder.path / "token"
        path.write_text(TOKEN + "\n")
        path.chmod(0o600)
        for options in ({"token_file": path}, {"environment": {"RELANCE_TOKEN": TOKEN}}):
            server = self.serve(**options)
            for given, status in [(f"Bearer {TOKEN}", self.LET_IN), (f"Bearer {TOKEN}x", 401), (f"Bearer {TOKEN[:-1]}", 401), (f"Basic {TOKEN}", 401), ("", 401)]:
                self.assertEqual(server.ask("/metrics", Authorization=given)[0], status, given)
            status, headers, body = server.ask("/metrics")
            self.assertEqual((status, headers["WWW-Authenticate"]), (401, 'Bearer realm="relance"'))
            self.assertNotIn(SECRET, body)
            self.assertEqual(server.ask("/nothing")[0], 401)
            self.assertEqual((server.ask("/healthz")[0], server.ask("/readyz")[0]), (200, 503))
            self.assertNotIn(SECRET.encode(), pathlib.Path(f"/proc/{server.engine.pid}/cmdline").read_bytes())
            self.assertNotIn("--token", server.engine.output())
            server.stop()  # which looks through its log

    def test_a_browser_logs_in_once_and_carries_a_cookie(self):
        server = self.serve(environment={"RELANCE_TOKEN": TOKEN})
        for path in ("/", "/app.js", "/api/now", "/login", "/login?token=", f"/login?token={TOKEN}x", f"/login?token={TOKEN}&token={TOKEN}"):
            self.assertIn(server.ask(path)[0], (400, 401), path)
        status, headers, body = server.ask(f"/login?token={urllib.parse.quote(TOKEN)}")
        cookie, *attributes = headers["Set-Cookie"].split("; ")
        self.assertEqual((status, cookie), (200, f"relance-{server.port}={TOKEN}"))
        self.assertLessEqual({"HttpOnly", "SameSite=Strict", "Path=/"}, set(attributes))
        self.assertNotIn(SECRET, body)
        for path in ("/", "/app.js", "/api/now"):
            self.assertEqual(server.ask(path, Cookie=f"a=b; {cookie}")[0], 200, path)
            self.assertEqual(server.ask(path, Cookie=f"{cookie}x")[0], 401, path)
            self.assertEqual(server.ask(path, Cookie=cookie, Host="evil.example")[0], 421, path)
            self.assertEqual(server.ask(path, "POST", Cookie=cookie)[0], 405, path)
        status, _, body = server.ask("/api/now")
        self.assertEqual((status, list(json.loads(body))), (401, ["error"]))

    def test_what_is_open_to_other_machines_takes_a_token(self):
        port = place.free_port()
        for address in (f"0.0.0.0:{port}", f"[::]:{port}"):
            self.assertIn("takes a token", self.refusal(f"--listen={address}"))
        server = self.serve(listen=f"0.0.0.0:{port}", environment={"RELANCE_TOKEN": TOKEN})
        self.assertEqual(server.ask("/metrics", Authorization=f"Bearer {TOKEN}")[0], self.LET_IN)

    def test_what_is_wrong_is_said_at_the_start(self):
        path = self.folder.path / "token"
        path.write_text("short\n")
        self.assertIn("no token: 16 to 256", self.refusal(f"--token-file={path}"))
        self.assertIn("no token: 16 to 256", self.refusal(RELANCE_TOKEN=f"{SECRET} {SECRET} {SECRET} {SECRET}"))
        self.assertIn("--token-file: ", self.refusal(f"--token-file={path}-that-is-none"))
        self.assertIn("--token: there is no such option", self.refusal(f"--token={TOKEN}"))
        self.assertIn("'relance:8077' is none of", self.refusal("--listen=relance:8077"))
        self.assertIn("no list of names", self.refusal("--host=http://shop.example"))
        self.assertIn("--redis: ", self.refusal("--redis=http://shop.example"))
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            self.assertIn(f"127.0.0.1:{port}: somebody else listens there", self.refusal(f"--listen={port}"))
        self.assertIn("Cannot assign requested address", self.refusal("--listen=192.0.2.1:8077", RELANCE_TOKEN=TOKEN))

    def test_a_token_file_that_everybody_may_read_is_worth_a_word(self):
        path = self.folder.path / "token"
        path.write_text(TOKEN)
        path.chmod(0o644)
        self.assertIn("chmod o-r", self.serve(token_file=path).engine.output())

    def test_there_is_nothing_but_to_read(self):
        server = self.serve()
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "BREW"):
            for path in ("/metrics", "/healthz", "/nothing"):
                status, headers, _ = server.ask(path, method)
                self.assertEqual((status, headers.get("Allow")), (405, "GET, HEAD"), (method, path))
        for path in ("/nothing", "/metrics/", "/../metrics", "/api", "/api/", "/app.js/", "/page/app.js"):
            self.assertEqual(server.ask(path)[0], 404, path)

    def test_every_answer_tells_browsers_to_keep_it_to_themselves(self):
        server = self.serve()
        for path in ("/", "/app.js", "/app.css"):
            headers = server.ask(path)[1]
            self.assertEqual((headers["Content-Security-Policy"], headers["Cache-Control"]), (POLICY, "no-cache"))
        for path, host in (("/api/now", "127.0.0.1"), ("/api/customer?id=a", "127.0.0.1"), ("/metrics", "127.0.0.1"), ("/healthz", "127.0.0.1"), ("/readyz", "127.0.0.1"), ("/nothing", "127.0.0.1"), ("/metrics", "evil.example")):
            headers = server.ask(path, Host=host)[1]
            self.assertEqual(headers["Content-Security-Policy"], POLICY)
            self.assertEqual((headers["X-Content-Type-Options"], headers["Referrer-Policy"], headers["Cache-Control"]), ("nosniff", "no-referrer", "no-store"))
            self.assertNotIn("Access-Control-Allow-Origin", headers)


class Health(unittest.TestCase):
    """`relance health`: a status and a sentence."""

    def setUp(self):
        self.world = World(RULES)
        self.addCleanup(self.world.__exit__)

    def health(self, *words):
        done = subprocess.run([place.program("relance"), "health", *words], capture_output=True, text=True, timeout=20, env={**os.environ, "http_proxy": "http://127.0.0.1:1"})
        self.assertNotIn(SECRET, done.stdout)
        return done.returncode, done.stdout or done.stderr.splitlines()[-1]

    def of_instance(self, name):
        world = self.world
        return self.health(f"--group={world.group}", f"--input={world.input}", f"--redis={world.redis.reader_url}", f"--instance={name}")

    def test_an_engine_that_has_not_met_an_event_yet_is_alive_and_one_that_has_ended_is_not(self):
        with running(self.world):
            alive = (0, "Instance one is alive: of its 4 partitions 4 have caught up.\n")
            place.wait_until(lambda: self.of_instance("one") == alive, 20, "it is alive")
            status, said = self.of_instance("two")
            self.assertEqual((status, said), (1, "relance health: Instance two has given no sign of life for 5 s."))
        place.wait_until(lambda: self.of_instance("one")[0] == 1, 10, "it is not alive any more")
        self.world.redis.kill()
        status, said = self.of_instance("one")
        self.assertEqual(status, 1)
        self.assertIn("Redis at ", said)
        self.world.redis.start()

    def test_serve_says_itself_whether_all_is_well(self):
        world = self.world
        server = serve(self, world.folder.path, world.redis.reader_url, world.group, world.input, environment={"RELANCE_TOKEN": TOKEN})
        server.wait_ready(503, saying="no state of group and topic")
        status, said = self.health(f"--listen={server.port}")
        self.assertEqual(status, 1)
        self.assertIn("no state of group and topic", said)
        with running(world) as engine:
            world.produce([event("c-1", "ping")])
            world.wait_decided(engine)
            well = (0, "4 of 4 partitions have an owner.\n")
            for address in (str(server.port), f"0.0.0.0:{server.port}", f"localhost:{server.port}"):
                place.wait_until(lambda: self.health(f"--listen={address}") == well, 20, "all is well")
        server.stop()
        status, said = self.health(f"--listen={server.port}")
        self.assertEqual(status, 1)
        self.assertIn(f"the listener at http://127.0.0.1:{server.port}", said)

    def test_a_call_that_says_nothing_is_wrong(self):
        self.assertEqual(self.health()[0], 2)
        self.assertEqual(self.health("--listen=relance:80")[0], 2)


class Supervisor(unittest.TestCase):
    """What systemd is told, over a socket with a name in the file system and over one without."""

    def test_of_serve(self):
        server = redis.Redis()
        self.addCleanup(server.close)
        for name in (str(server.folder.path / "notify"), f"@relance-{os.getpid()}"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
                told.bind(name.replace("@", "\0"))
                told.settimeout(5)
                served = serve(self, server.folder.path, server.reader_url, environment={"NOTIFY_SOCKET": name})
                self.assertEqual(told.recv(4096), b"READY=1")
                served.stop()
                self.assertEqual(told.recv(4096), b"STOPPING=1")


LINE = b"GET /metrics HTTP/1.1\r\n"
HOST = b"Host: 127.0.0.1\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\n" + HOST


class Hostile(unittest.TestCase):
    """Those who mean harm: they are refused or cut off, and everybody else is answered."""

    def setUp(self):
        self.redis = redis.Redis()
        self.addCleanup(self.redis.close)
        self.folder = place.Folder("serve")
        self.addCleanup(self.folder.close)
        self.server = serve(self, self.folder.path, self.redis.reader_url)

    def tearDown(self):
        self.assertEqual(self.server.ask("/healthz")[0], 200)
        self.assertLess(self.server.rss_kib(), MOST_RSS_KIB)
        self.assertEqual(self.server.stop()[0], 0, self.server.engine.output())

    def status(self, data):
        answer = self.server.raw(data)
        return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None

    def test_whoever_says_a_byte_now_and_then_is_cut_off(self):
        begin = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.server.port), 5) as link:
            link.sendall(LINE + HOST)
            link.settimeout(0.5)
            closed = False
            while not closed and time.monotonic() - begin < 2 * REQUEST_S:
                try:
                    link.sendall(b"X-A: b\r\n")
                    closed = link.recv(1) == b""
                except TimeoutError:
                    self.assertEqual(self.server.ask("/healthz")[0], 200)
                except OSError:
                    closed = True
        self.assertTrue(closed)
        self.assertGreater(time.monotonic() - begin, REQUEST_S - 1)

    def test_those_who_take_all_connections_and_ask_for_nothing_make_room(self):
        silent, began = [], time.monotonic()
        self.addCleanup(lambda: [link.close() for link in silent])
        for begun in (b"", LINE + HOST):
            for _ in range(2 * CONNECTIONS):
                silent.append(socket.create_connection(("127.0.0.1", self.server.port), 5))
                silent[-1].sendall(begun)
                if len(silent) % 16 == 0:
                    self.assertEqual(self.server.ask("/healthz", timeout=2)[0], 200)
        self.assertLess(time.monotonic() - began, REQUEST_S, "none has been cut off for its age")

    def test_headers_have_a_bound(self):
        self.assertEqual(self.status(HEALTH + b"X: " + b"a" * (HEADER_BYTES // 2) + b"\r\n\r\n"), 200)
        for much in (b"X: " + b"a" * 2 * HEADER_BYTES, b"\r\n".join(b"X-%d: a" % n for n in range(HEADER_BYTES)), b"X: " + b"a" * (1 << 20)):
            self.assertIn(self.status(HEALTH + much + b"\r\n\r\n"), (None, 413, 431))
        self.assertIn(self.status(b"GET /" + b"a" * 2 * HEADER_BYTES + b" HTTP/1.1\r\n" + HOST + b"\r\n"), (None, 414, 431))

    def test_a_second_request_behind_the_first_is_not_answered(self):
        self.assertEqual(self.server.raw((HEALTH + b"\r\n") * 2).count(b"HTTP/1.1 200 "), 1)
        self.assertLessEqual(self.server.raw((HEALTH + b"\r\n") * 1000).count(b"HTTP/1.1 "), 1)

    def test_paths_that_are_no_text_are_no_pages(self):
        for path in (b"\xff\xfe", b"%ff%fe", b"metrics%00", b"%2e%2e/metrics", b"../../etc/passwd", b"\xc0\xaf", b"m\x01etrics", b"%", b"%zz", b"\xf0\x9f\x98\x80"):
            self.assertIn(self.status(b"GET /" + path + b" HTTP/1.1\r\n" + HOST + b"\r\n"), (None, 400, 404), path)

    def test_what_is_no_request_gets_no_answer_or_a_refusal(self):
        for data in (b"", b"\r\n" * 1000, b"\0" * 1000, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 500, b"GET\r\n\r\n", b"GET /metrics\r\n\r\n",
                     LINE + b"\r\n", LINE + HOST + HOST + b"\r\n", LINE + HOST + b"Host: evil.example\r\n\r\n", LINE + b"Host : 127.0.0.1\r\n\r\n",
                     LINE + HOST + b"Content-Length: 5\r\n\r\nhello", LINE + HOST + b"Content-Length: -1\r\n\r\n", LINE + HOST + b"Content-Length: 99999999999999999999\r\n\r\n",
                     LINE + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", LINE + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
                     LINE + HOST + b"Authorization: a\r\nAuthorization: b\r\n\r\n", b"GET http://evil.example/metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n",
                     b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"POST /metrics HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\n\r\n" + b"a" * 1000000):
            self.assertIn(self.status(data), (None, 400, 404, 405, 413, 421, 505), data[:80])

    def test_requests_with_something_changed_in_them(self):
        chance = random.Random(7)
        seeds = [HEALTH + b"\r\n", LINE + HOST + b"Authorization: Bearer x\r\n\r\n", LINE + HOST + b"Content-Length: 0\r\nConnection: keep-alive\r\n\r\n",
                 b"GET /api/customer?id=a%20b&visitor=1 HTTP/1.1\r\n" + HOST + b"Cookie: a=b; c=d\r\n\r\n", b"HEAD /api/minutes?name=a&name=b&from=0 HTTP/1.1\r\n" + HOST + b"\r\n",
                 b"GET /api/now HTTP/1.1\r\n" + HOST + b'If-None-Match: "0123456789abcdef"\r\n\r\n', b"HEAD /api/story?id=a HTTP/1.0\r\n" + HOST + b"\r\n"]

        def changed(data):
            data = bytearray(data)
            for _ in range(chance.randint(1, 6)):
                at = chance.randrange(len(data) + 1)
                data[at:at + chance.randint(0, 3)] = chance.choice([b"", b"\0", b"\r\n", b"\n", b" ", b":", b"\xff", b"%", bytes([chance.randrange(256)]), data[:at]])
            return bytes(data)

        requests = [changed(chance.choice(seeds)) for _ in range(1000)]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(self.status, requests))
        wrong = [(request, status) for request, status in zip(requests, answers) if status not in (None, 200, 304, 501, 502, 503, 505) and not 400 <= status < 500]
        self.assertEqual(wrong, [])
        self.assertGreater(sum(status is not None for status in answers), len(requests) / 2)

    def test_those_who_do_not_read_their_answers_are_in_nobodys_way(self):
        links = [socket.create_connection(("127.0.0.1", self.server.port), 5) for _ in range(CONNECTIONS // 2)]
        self.addCleanup(lambda: [link.close() for link in links])
        for link in links:
            link.sendall(HEALTH + b"\r\n")
        self.assertEqual(self.server.ask("/healthz")[0], 200)
