"""consumer/senders/mail.py behind a real engine, before a mail server that keeps, refuses and hangs up: what has to wait waits,
what is dead is left alone, and killed before each of its lines it sends no mail twice."""
import collections
import signal
import sqlite3
import subprocess
import unittest

from support import place
from support.engine import World, running
from support.kafka import Record, event
from support.run import ROOT
from support.smtp import HANG_UP, Sink

PYTHON = "/usr/bin/python3"  # that of Debian, whose packages the sender is for
SENDER = str(ROOT / "consumer" / "senders" / "mail.py")
DYING = str(ROOT / "tests" / "support" / "dying.py")
FUNCTIONS = "take,note,send,deliver"
RULES = {"stale": "3650d", "events": {"ask": {"to": "string", "template": "string"}, "like": {}},
         "rules": {"answer": {"on": "ask", "key": "event.id",
                              "do": [{"send": "email", "with": {"to": "${trigger.to}", "template": "${trigger.template}", "cart": "k-1"}},
                                     {"send": "push"}],
                              "goal": {"on": "like", "within": "1d"}}}}


class Post:
    """A sender with its file and its mail server."""

    def __init__(self, world, sink):
        self.world, self.sink = world, sink
        self.file, self.log = world.folder.path / "mail.sqlite", world.folder.path / "mail.log"
        self.process, self.number = None, 0

    def ask(self, to, template="cart-1"):
        """An event of which a mail follows."""
        self.number += 1
        self.world.produce([event(f"c-{self.number}", "ask", id=f"e{self.number}", time="2026-03-02T10:00:00Z", to=to, template=template)])

    def start(self, *options, dying=()):
        with open(self.log, "ab") as log:
            self.process = place.start([PYTHON, *dying, SENDER, "--kafka", f"bootstrap.servers={self.world.kafka.address}",
                                        "--group", f"{self.world.group}.mail", "--topic", self.world.output, "--smtp", self.sink.address, "--sender", "shop@shop.example",
                                        "--retry", "0.2", "--file", str(self.file), *options], stdout=log, stderr=log)

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(30)

    def rows(self):
        """[(address, state, tries)], in the order in which they came"""
        if not self.file.exists():
            return []
        rows = sqlite3.connect(self.file)
        try:
            return rows.execute("SELECT address, state, tries FROM mails ORDER BY since").fetchall()
        except sqlite3.OperationalError:  # there is no table yet
            return []
        finally:
            rows.close()

    def wait_settled(self, count):
        def settled():
            states = [state for _, state, _ in self.rows()]
            return len(states) == count and not {"waiting", "sending"} & set(states)
        place.wait_until(settled, 120, f"{count} mails settled, as {self.log} tells")
        return self.rows()

    def received(self):
        """{address: how often a mail has come for it}"""
        return collections.Counter(address for address, _ in self.sink.mails)


class Senders(unittest.TestCase):
    def setUp(self):
        if subprocess.run([PYTHON, "-c", "import confluent_kafka"], capture_output=True).returncode != 0:
            raise RuntimeError("the package python3-confluent-kafka is missing")
        self.world = self.enterContext(World(RULES))
        self.sink = self.enterContext(Sink())
        self.enterContext(running(self.world))
        self.post = Post(self.world, self.sink)
        self.addCleanup(lambda: self.post.process and self.post.stop(signal.SIGKILL))

    def test_a_mail_says_what_its_template_says_and_nothing_else_is_sent(self):
        self.post.ask("anna@shop.example")
        self.world.produce([event("c-1", "like", id="l1", time="2026-03-02T11:00:00Z")])
        self.world.kafka.produce(self.world.output, [Record(b"{}", key=b"x"), Record(None, key=b"y", headers={"ce_type": b"other"})])
        self.post.start()
        self.assertEqual(self.post.wait_settled(1), [("anna@shop.example", "sent", 0)])
        (address, mail), = self.sink.mails
        record = next(r for r in self.world.output_records() if r.headers.get("ce_type") == b"relance.action.email")
        self.assertEqual((address, mail["To"], mail["From"], mail["Subject"]), ("anna@shop.example", "anna@shop.example", "shop@shop.example", "Your cart is waiting"))
        self.assertEqual(mail["Message-ID"], f"<{record.header('ce_id')}@shop.example>")
        self.assertIn("https://shop.example/cart/k-1", mail.get_payload(decode=True).decode())
        self.assertEqual(self.post.stop(), 0)

    def test_what_the_server_refuses_waits_or_is_given_up_as_it_says(self):
        self.sink.answers["RCPT", "later@shop.example"] = ["450 4.2.0 later", "451 4.3.0 later still"]
        self.sink.answers["RCPT", "dead@shop.example"] = ["550 5.1.1 no such mailbox"]
        self.sink.answers["DATA", "spam@shop.example"] = ["554 5.7.1 we do not like this"]
        self.sink.answers["DATA", "cut@shop.example"] = [HANG_UP]
        self.sink.answers["MAIL", None] = [HANG_UP]
        for to in ("later", "dead", "spam", "cut", "fine"):
            self.post.ask(f"{to}@shop.example")
        self.post.ask("two@shop.example, addresses@shop.example")
        self.post.ask("line\r\nBcc: x@shop.example")
        self.post.ask("fine@shop.example", template="../../../etc/passwd")
        self.post.start()
        rows = self.post.wait_settled(8)
        self.assertEqual(collections.Counter((address, state) for address, state, _ in rows), collections.Counter(
            [("later@shop.example", "sent"), ("dead@shop.example", "dead"), ("spam@shop.example", "refused"), ("cut@shop.example", "unknown"),
             ("fine@shop.example", "sent"), (None, "failed"), (None, "failed"), (None, "failed")]))
        self.assertIn(("later@shop.example", "sent", 2), rows)
        self.post.ask("dead@shop.example")
        self.assertIn(("dead@shop.example", "skipped", 0), self.post.wait_settled(9))
        self.assertEqual(self.sink.asked.count("dead@shop.example"), 1)
        self.assertEqual(self.post.received(), {f"{to}@shop.example": 1 for to in ("later", "spam", "cut", "fine")})

    def test_killed_before_each_of_its_lines_it_sends_no_mail_twice(self):
        number = 0
        while self.dies_before(number):
            number += 1
        self.assertGreater(number, 25)
        came = self.post.received()
        ends = [(state, came[address]) for address, state, _ in self.post.rows()]
        self.assertEqual(set(ends), {("sent", 1), ("unknown", 0), ("unknown", 1)})
        self.assertLess(sum(state == "unknown" for state, _ in ends), number / 2)
        self.assertEqual(len(ends), number + 1)

    def test_with_again_each_mail_is_sent_at_least_once(self):
        number = 0
        while self.dies_before(number, "--again"):
            number += 3  # where it is in doubt, it is so for longer
        came = self.post.received()
        self.assertEqual({(state, came[address]) for address, state, _ in self.post.rows()}, {("sent", 1), ("sent", 2)})

    def dies_before(self, number, *options):
        """A sender does what the last one left, and dies on a mail of its own before a line; False: it does not come to that line."""
        to = f"a{number}@shop.example"
        self.post.start(*options, dying=[DYING, str(number), f"c-{self.post.number + 1}", FUNCTIONS])
        self.post.wait_settled(self.post.number)
        self.post.ask(to)
        place.wait_until(lambda: self.post.process.poll() is not None or any(row[:2] == (to, "sent") for row in self.post.rows()), 30, "an end")
        if self.post.process.poll() is None:
            return False
        self.assertEqual(self.post.process.returncode, -signal.SIGKILL, self.post.log.read_text()[-2000:])
        return True
