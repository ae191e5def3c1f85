"""The log: what an operator's tools make of it, whatever strangers send; what goes wrong leaves a line, and not a line each."""
import signal
import time
import unittest

from support import logs, place
from support.engine import World, running
from support.kafka import Record, event

RULES = {
    "stale": "3650d",
    "events": {"ping": {"size": "int"}, "purchase": {"total": "double"}},
    "rules": {"answer": {"on": "ping", "key": "event.id", "if": "event.size > 0", "do": [{"send": "email"}]},
              "thanks": {"on": "purchase", "key": "event.id", "do": [{"send": "email", "with": {"total": "${trigger.total}"}}]}},
}
TIME = "2026-03-02T10:00:00Z"
HOSTILE = ['anna"\n level=error msg="forged"', "}\n{\"level\":\"error\"}", "\x1b[31mred\x07", "\u202eevil\u2028", "a=b c", "\\", "Käse"]


class Logs(unittest.TestCase):
    maxDiff = 4000

    def through(self, world, records, form):
        """The lines that an engine says while it decides these records."""
        world.produce([*records, event("last", "ping", TIME, id="last", size=1)])
        with running(world, log_format=form, log_level="debug") as engine:
            world.wait_decided(engine)
        return logs.read(engine.output(), form)

    def test_all_that_is_said_is_read_in_both_forms_whatever_strangers_send(self):
        records = [event(customer, "ping", TIME, id=f"{n}-{i}") for n, customer in enumerate(HOSTILE) for i in range(2)]
        records += [event(customer, "purchase", TIME, id=f"p{n}") for n, customer in enumerate(HOSTILE)]
        records += [Record(record.value, key=customer.encode()) for record, customer in zip(records, HOSTILE[::-1])]
        records += [Record(b"\xff\xfe{", key=b"\x00\xff\n")]
        for form in ("text", "json"):
            with self.subTest(form), World(RULES, partitions=1) as world:
                lines = self.through(world, records, form)
                self.assertEqual({facts["level"] for facts in lines} & {"error"}, set())
                self.assertEqual([facts["customer"] for facts in logs.saying(lines, "An expression cannot be evaluated.")], HOSTILE[:1])
                self.assertEqual([facts["customer"] for facts in logs.saying(lines, "A step has failed")], HOSTILE[:1])
                [miskeyed] = logs.saying(lines, "A record's key is not its customer")
                self.assertEqual((miskeyed["key"], miskeyed["customer"]), (HOSTILE[-1], HOSTILE[0]))
                self.assertIn("Ended.", [facts["msg"] for facts in lines])

    def test_the_first_of_each_kind_of_mishap_leaves_a_line_and_says_what_it_was(self):
        broken = [Record(b'{"type": "ping", "customer": anna}', key=b"anna")] * 50
        broken += [Record(b'{"type": "ping", "customer": "\xff"}', key=b"anna"), Record(b'{"type": "ping"', key=b"anna"),
                   Record(b'{"type": "ping"}', key=b"anna")]
        with World(RULES, partitions=1) as world:
            lines = self.through(world, [*broken, *[event("anna", "purchase", TIME, id=f"p{n}") for n in range(50)],
                                         *[Record(event("anna", "ping", TIME, id=f"k{n}", size=0).value, key=b"bert") for n in range(50)]], "text")
            world.wait_counter("events_miskeyed", 50)
            topic = world.input
        self.assertEqual(logs.saying(lines, "A record is a dead letter."), [
            {"reason": "json", "why": "The record is not a JSON object.", "byte": "29", "topic": topic, "partition": "0", "offset": "0",
             "more_since": "0"},
            {"reason": "utf8", "why": "The record is not valid UTF-8.", "byte": "30", "topic": topic, "partition": "0", "offset": "50",
             "more_since": "0"},
            {"reason": "customer", "topic": topic, "partition": "0", "offset": "52", "more_since": "0",
             "why": "The record has neither `customer` nor `visitor`, or its `customer` is no text or number, empty or too long."}])
        self.assertEqual(logs.saying(lines, "A step has failed, and nothing is sent."), [
            {"rule": "thanks", "step": "1", "customer": "anna", "why": "no such field 'total'", "partition": "0", "offset": "53",
             "more_since": "0"}])
        self.assertEqual(logs.saying(lines, "A record's key is not its customer"), [
            {"key": "bert", "customer": "anna", "event": "ping", "partition": "0", "offset": "103", "more_since": "0"}])
        self.assertEqual({facts["level"] for facts in lines if "more_since" in facts}, {"warning"})

    def test_what_is_decided_again_is_not_told_again(self):
        mishaps = ("A record is a dead letter.", "A step has failed")
        with World(RULES, partitions=1) as world:
            engine = world.engine()
            place.wait_until(lambda: "A partition is live." in engine.output(), 20, "it is live")
            world.redis("CONFIG", "SET", "maxmemory", "1")
            world.produce([Record(b"broken", key=b"anna"), event("anna", "purchase", TIME, id="p")])
            world.wait_decided(engine)
            engine.stop(signal.SIGKILL)
            world.redis("CONFIG", "SET", "maxmemory", "0")
            with running(world) as again:
                place.wait_until(lambda: "A partition is live." in again.output(), 20, "it has decided all again")
            [live] = logs.saying(logs.read(again.output()), "A partition is live.")
            self.assertEqual(live["offset"], "2")
            for sentence in mishaps:
                self.assertEqual((engine.output().count(sentence), again.output().count(sentence)), (1, 0), sentence)

    def test_a_redis_that_takes_no_checkpoint_is_told_of_again_after_ten_seconds(self):
        sentence = "No checkpoint is written"
        with World(RULES, partitions=1) as world:
            with running(world) as engine:
                place.wait_until(lambda: "A partition is live." in engine.output(), 20, "it is live")
                world.redis("CONFIG", "SET", "maxmemory", "1")
                world.produce([event("anna", "ping", TIME, id="a", size=1)])
                place.wait_until(lambda: "Redis takes no checkpoint" in engine.output(), 10, "it is told of")
                self.assertNotIn(sentence, engine.output())
                place.wait_until(lambda: sentence in engine.output(), 20, "it is told of again")
                time.sleep(3)  # in which it is tried three times
                world.redis("CONFIG", "SET", "maxmemory", "0")
                place.wait_until(lambda: "Redis takes checkpoints again." in engine.output(), 10, "it is over")
            [facts] = logs.saying(logs.read(engine.output()), sentence)
        self.assertEqual((facts["member"], facts["for_s"]), (f"{world.group}/one/0", "10"))
        self.assertIn("OOM", facts["why"])


if __name__ == "__main__":
    unittest.main()
