"""What the benches calculate with, without servers: the answers that they compare with, and what they make of figures.

The engine itself has to agree, in `relance replay`: the answers are made by other code.
"""
import contextlib
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench import bars, contests, customers, figures, peers
from support import place, suite

EVENTS = 20_000
SHOP = [
    {"id": "e1", "type": "view", "customer": "c1", "time": "2026-03-28T10:00:00.000Z", "product": "p1", "name": "Tent", "category": "tents",
     "price": 25.5, "currency": "EUR", "url": "https://shop.example/p/1"},
    {"id": "e2", "type": "click", "customer": "c1", "time": "2026-03-28T10:00:01.000Z", "offer": "spring-1", "campaign": "newsletter-12",
     "url": "https://shop.example/o/1"},
    {"id": "e3", "type": "add_to_cart", "customer": "c1", "time": "2026-03-28T10:00:02.000Z", "cart": "k1-0",
     "items": [{"product": "p1", "name": "Tent", "price": 25.5, "qty": 2}, {"product": "p2", "name": "Mat", "price": 9.99, "qty": 1}]},
    {"id": "e4", "type": "visit", "customer": "c2", "time": "2026-03-28T10:00:03.000Z", "url": "https://shop.example/",
     "referrer": "https://search.example/?q=tent", "channel": "paid"},
    {"id": "e5", "type": "purchase", "customer": "c1", "time": "2026-03-28T10:00:04.000Z", "order": "o5", "cart": "k1-0", "total": 60.99,
     "currency": "EUR", "items": [{"product": "p1", "name": "Tent", "price": 25.5, "qty": 2}]},
    {"id": "end0", "type": "end", "customer": "end", "time": "2026-03-31T10:00:04.000Z"},
]
# Every field that the rules of ShopMix read, said back.
FIELDS = {"view": ("product", "category", "price"), "click": ("offer",), "add_to_cart": ("cart", "items"),
          "purchase": ("order", "cart", "total", "items"), "visit": ("channel",)}
TYPES = {"price": "double", "total": "double", "items": "list(item)"}
ECHO = {
    "types": {"item": {"product": "string", "price": "double", "qty": "int"}},
    "events": {kind: {field: TYPES.get(field, "string") for field in of} for kind, of in FIELDS.items()},
    "rules": {f"said_{kind}": {"on": kind, "key": "event.id", "do": [{"send": "push", "with": {field: f"${{trigger.{field}}}" for field in of}}]}
              for kind, of in FIELDS.items()},
}


def replayed(rules, lines, *options):
    """What `relance replay` sends over lines of events or records."""
    folder = place.Folder("bench-test")
    try:
        file, rule_file = folder.path / "events.jsonl", folder.path / "rules.json"
        file.write_bytes(b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines))
        rule_file.write_text(json.dumps(rules))
        done = subprocess.run([place.program("relance"), "replay", f"--rules={rule_file}", "--only=sent", *options, str(file)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    finally:
        folder.close()
    if done.returncode:
        raise RuntimeError(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


def view(n):
    product = n * 7 % contests.PRODUCTS
    return {"id": f"e{n}", "type": "view", "customer": f"c{n % 10}", "time": "2026-03-02T00:00:00.000Z", "product": f"p{product:05}",
            "price": contests.price_of(product) / 100}


class Answers(unittest.TestCase):
    def test_many_rules_act_on_what_their_answer_says(self):
        views = [view(n) for n in range(EVENTS)]
        answers = contests.watched_views(json.dumps(v, separators=(",", ":")).encode() for v in views)
        for count in (1, 100, 1000):
            said = [f"{line['customer']} {line['key']}" for line in replayed(contests.many_rules(count), views)]
            self.assertEqual(len(said), len(set(said)))
            self.assertEqual(set(said), answers[count])
        self.assertGreater(len(answers[1000]), len(answers[1]))
        self.assertLess(len(answers[1000]), EVENTS // 10)

    def test_a_shop_says_the_same_in_segments_form(self):
        native = replayed(ECHO, SHOP)
        foreign = replayed(ECHO, map(contests.segment, SHOP), f"--mapping={contests.MAPPING}")
        self.assertEqual([line["key"] for line in native], ["e1", "e2", "e3", "e4", "e5"])
        self.assertEqual(foreign, native)

    def test_carts_are_abandoned_as_the_generator_says(self):
        contest = contests.contests()["replay"]
        run = contest.rows["relance replay, one rule"]
        with contest.stream(EVENTS) as stream:
            self.assertTrue(figures.is_exact(run(stream)))
            self.assertGreater(len(stream.answer), EVENTS // 50)
            stream.answer.pop()
            with contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(run(stream).extra, 1)


    def test_a_stream_is_the_same_byte_for_byte_wherever_it_is_made(self):
        for name, words, stream, answer in (("cart_stream", ("4000", "7"), "d06a835b66f2065f", "f806b1f76a773182"),
                                            ("shop_stream", ("2000", "1"), "5cbbecde3df13630", "50692e43e573cb23")):
            folder = place.Folder("stream")
            try:
                made = subprocess.run([place.program(name), "-", "-", str(EVENTS), *words, str(folder.path / "answer")],
                                      stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60)
                said = sorted((folder.path / "answer").read_bytes().splitlines())
            finally:
                folder.close()
            self.assertEqual((digest(made.stdout), digest(b"\n".join(said))), (stream, answer), name)


class Counting(unittest.TestCase):
    def compare(self, said, answer):
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            return *figures.compare(said, answer), shown.getvalue()

    def test_what_is_missing_and_what_is_too_much_are_told_apart(self):
        self.assertEqual(self.compare(["a", "b"], {"a", "b"}), (0, 0, ""))
        self.assertEqual(self.compare(["a"], {"a", "b"}), (1, 0, "    missing: b\n"))
        self.assertEqual(self.compare(["a", "c"], {"a"}), (0, 1, "    extra: c\n"))
        self.assertEqual(self.compare(["a", "a"], {"a"})[:2], (0, 1))

    def test_medians_are_each_figures_own_and_the_worst_of_what_is_wrong(self):
        runs = [figures.Figures(100, seconds, cpu, peak, missing=missing)
                for seconds, cpu, peak, missing in ((1, 5, 7, 0), (2, 4, 9, 3), (9, 6, 8, 0))]
        found = figures.medians(runs)
        self.assertEqual((found.seconds, found.cpu_s, found.peak, found.missing, found.extra), (2, 5, 8, 3, 0))
        self.assertEqual((found.rate, found.cpu_rate), (50, 20))
        self.assertFalse(figures.is_exact(found))

    def test_rediss_cpu_counts_as_the_engines(self):
        self.assertEqual(figures.Figures(100, 1, 3, 0, redis_s=1, broker_s=50).cpu_rate, 25)

    def test_where_there_is_nothing_to_compare_with_it_is_not_said_to_be_exact(self):
        results = {("Replay", "shipped rules"): [figures.Figures(100, 1, 1, 0, missing=None, extra=None)] * 3}
        self.assertEqual(figures.table(results, "another").splitlines()[1].split()[-3:], ["-", "-", "3"])

    def test_a_bar_is_met_missed_or_has_not_been_asked(self):
        found = bars.Found()
        self.assertEqual({bar.row(found)[2:] for bar in bars.BARS}, {("-", "-")})
        for row, cpu_s in ((bars.READING, 1), (bars.TWO, 1.8), (bars.FLINK, 2), (bars.STREAMS[0], 9), (bars.STREAMS[1], 4.4)):
            found.runs[bars.CARTS, row] = [figures.Figures(100, 1, cpu_s, 1)]
        found.customers = {size: customers.Costs(size, 1, bytes_, 300, 1, rate, 2, 4e5, 0, 0)
                           for size, bytes_, rate in ((100, 900, 50), (1000, 240, 60), (5000, 251, 40))}
        found.latency = {"Relance": (1, 49.9, 80)}
        verdicts = {words: (measured, verdict) for words, _, measured, verdict in (bar.row(found) for bar in bars.BARS) if verdict != "-"}
        self.assertEqual(verdicts, {
            "CartAbandon: per CPU-second, times Flink heap": ("1.11", "missed"),
            "CartAbandon: per CPU-second, times the better Kafka Streams": ("2.44", "missed"),
            "CartAbandon: events/s with 2 workers, times Flink heap": ("1.00", "met"),
            "CartAbandon: CPU of an event, times that of consuming alone": ("1.80", "met"),
            "event to action at half of full load, p99, ms": ("49.9", "met"),
            "memory of a customer in the process, bytes": ("251", "missed"),
            "memory of a customer in Redis, bytes": ("300", "met"),
            "events/s with the most customers, times that with the fewest": ("0.80", "met"),
            "start with the most customers, s": ("2.00", "met"),
            "waits that end at once, a second": ("400,000", "met"),
        })

    def test_of_a_peers_runs_the_last_is_the_measured_one(self):
        lines = "noise\nWARM events=5 wall_s=2.0\nWARM events=5 wall_s=1.5\nRESULT events=5 wall_s=1.0\n"
        self.assertEqual([run["wall_s"] for run in peers.read_runs(lines)], [2, 1.5, 1])
        for cut in ("", "WARM events=5 wall_s=2.0\n"):
            with self.assertRaises(RuntimeError):
                peers.read_runs(cut)

    def test_a_process_that_fails_or_lasts_too_long_is_no_result(self):
        for program, limit_s in (("exit 3", 10), ("sleep 60", 0.2)):
            process = place.start(["sh", "-c", program])
            with self.assertRaises(RuntimeError):
                figures.wait_for(process, limit_s, pathlib.Path("/dev/null"))


if __name__ == "__main__":
    sys.exit(suite.run(sys.modules[__name__]))
