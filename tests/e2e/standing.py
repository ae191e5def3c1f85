"""What a group tells about itself while things go wrong: the lag of partitions that wait, servers that are away, sums
and instances through kills and rebalances. All of it as an operator reads it."""
import json
import signal
import subprocess
import time
import unittest

from support import place, redis, rights
from support.engine import World, running
from support.kafka import event
from support.proxy import Proxy

RULES = {"stale": "3650d", "events": {"ping": {"worth": "double"}},
         "rules": {"answer": {"on": "ping", "do": [{"send": "push"}],
                              "goal": {"on": "ping", "within": "1d", "value": "event.worth"}}}}
PARTITIONS, SECONDS = 4, 30
SESSION = {"kafka.session.timeout.ms": 6000, "kafka.heartbeat.interval.ms": 500}  # the least that brokers take as they come


class Figures(unittest.TestCase):
    def setUp(self):
        self.world = World(RULES, partitions=PARTITIONS)
        self.addCleanup(self.world.__exit__)
        self.sent = 0

    # ---- what is done

    def pings(self, count):
        self.world.produce([event(f"c-{(self.sent + n) % 17}", "ping", id=f"{self.sent + n}", worth=0.25) for n in range(count)])
        self.sent += count

    def forbid(self, *rules):
        """The engine's user in Redis gets these rights beside its own; none: just its own again."""
        self.world.redis("ACL", "SETUSER", redis.ENGINE, "resetkeys", *rights.redis_rules(redis.ENGINE), *rules)

    def tag(self, partition):
        return f"relance:{{{self.world.group}:{self.world.input}:{partition}}}"

    def open_keys(self, *partitions):
        """Keys that are of no partition, and those of these partitions."""
        world = self.world
        return ["resetkeys", f"~relance:live:{world.group}:*", f"~relance:{world.group}:{world.input}:*",
                *[f"~{self.tag(p)}:*" for p in partitions]]

    # ---- what is read

    def ask(self, command, *arguments):
        world = self.world
        words = [place.program("relance"), command, *arguments, f"--redis={world.redis.reader_url}", f"--group={world.group}",
                 f"--input={world.input}"]
        return subprocess.run(words, capture_output=True, text=True, timeout=20, check=True, stdin=subprocess.DEVNULL).stdout

    def metrics(self):
        return json.loads(self.ask("metrics", "--json"))

    def lives(self, name="one"):
        return self.metrics()["live"].get(name, {})

    def wait(self, holds, what):
        place.wait_until(holds, SECONDS, what)

    def wait_figure(self, figure, value):
        self.wait(lambda: self.lives().get(figure) == value, f"{figure} = {value}")

    def totals(self):
        return {name: value.decode() for name, value in self.world.redis.hash(f"relance:{self.world.group}:{self.world.input}:totals").items()}

    def instances(self):
        entries = self.world.redis.hash(f"relance:{self.world.group}:{self.world.input}:instances")
        return {name: dict(part.split("=", 1) for part in entry.decode().split()) for name, entry in entries.items()}

    def sums(self):
        """The counters as they stand in the totals, beside their sums over partitions as we read them."""
        totals, counters = self.totals(), self.world.counters()
        return {name: float(totals.get(name, "nan")) for name in counters}, counters

    def wait_sums(self):
        def right():
            totals, counters = self.sums()
            return totals == counters and counters.get("events") == self.sent and "missing" not in self.totals()
        self.wait(right, "the totals are the sums")

    # ---- partitions that wait

    def test_partitions_that_wait_to_be_claimed_have_a_lag(self):
        with running(self.world) as engine:
            self.pings(10)
            self.world.wait_decided(engine)
        self.forbid(*self.open_keys(0))
        before = self.world.kafka.ends(self.world.input)
        self.pings(30)
        after = self.world.kafka.ends(self.world.input)
        news = [after[p] - before[p] for p in range(PARTITIONS)]
        self.assertEqual(sum(news), 30)
        with running(self.world) as engine:
            def told():
                rows = self.metrics()["partitions"]
                return [row["state"] for row in rows] == ["live"] + ["unclaimed"] * 3 and \
                    [row.get("lag") for row in rows] == [0, *news[1:]] and rows
            self.wait(told, "what waits is told")
            self.assertEqual({row["instance"] for row in told()}, {"one"})
            live = self.lives()
            self.assertEqual((live["partitions_expected"], live["partitions"], live["partitions_live"], live["lag"]),
                             (PARTITIONS, PARTITIONS, 1, sum(news[1:])))
            self.assertEqual(live["redis_refuses"], 1)
            text = self.ask("metrics", "--prometheus")
            for p in range(1, PARTITIONS):
                self.assertRegex(text, rf'relance_partition_lag{{[^}}]*partition="{p}"}} {news[p]}\n')
            self.forbid()
            self.world.wait_counter("events", self.sent)
            self.wait_figure("redis_refuses", 0)
            self.wait_figure("lag", 0)
            self.assertEqual([row["state"] for row in self.metrics()["partitions"]], ["live"] * PARTITIONS)

    # ---- servers

    def test_a_redis_that_refuses_writes_is_told_with_since_when(self):
        with running(self.world) as engine:
            self.pings(10)
            self.world.wait_decided(engine)
            self.wait_figure("redis_refuses", 0)
            self.assertEqual(self.lives()["redis_refuses_since"], 0)
            self.forbid("-hincrby")
            began = time.time()
            self.pings(10)
            self.wait_figure("redis_refuses", 1)
            since = self.lives()["redis_refuses_since"]
            self.assertTrue(began - 1 < since < time.time(), (began, since))
            self.wait(lambda: self.lives()["checkpoint_age_s"] > 2, "the checkpoint grows old")
            self.assertEqual(self.lives()["redis_refuses_since"], since)
            self.assertIn(time.strftime("%Y-%m-%dT%H:%M", time.gmtime(since)), self.ask("metrics"))
            self.forbid()
            self.wait_figure("redis_refuses", 0)
            self.wait_figure("checkpoint_age_s", 0)
            self.world.wait_counter("events", self.sent)

    def test_a_kafka_that_is_away_is_told_with_since_when(self):
        with Proxy(self.world.kafka.behind, self.world.kafka.front) as door:
            address = {"kafka.bootstrap.servers": f"127.0.0.1:{self.world.kafka.front}", "kafka.reconnect.backoff.max.ms": 500}
            with running(self.world, **address) as engine:
                self.pings(10)
                self.world.wait_decided(engine)
                self.wait_figure("kafka_away", 0)
                began = time.time()
                door.held = True
                self.wait_figure("kafka_away", 1)
                since = self.lives()["kafka_away_since"]
                self.assertTrue(began - 2 < since < time.time(), (began, since))
                self.assertEqual(self.lives()["redis_refuses"], 0)
                door.held = False
                door.cut()
                self.wait_figure("kafka_away", 0)
                self.assertEqual(self.lives()["kafka_away_since"], 0)

    # ---- totals and instances

    def test_totals_are_the_sums_through_kills_and_rebalances(self):
        one, two = (self.world.engine(instance=name, **SESSION) for name in ("one", "two"))
        try:
            self.wait(lambda: len(self.instances()) == 2, "both are instances")
            for victim in ("two", "one", "one"):
                self.pings(40)
                self.wait_sums()
                if victim == "one":
                    one.stop(signal.SIGKILL)
                    one = self.world.engine(instance="one", **SESSION)
                else:
                    two.stop(signal.SIGKILL)
                    two = self.world.engine(instance="two", **SESSION)
            self.pings(40)
            self.wait_sums()
            totals = self.totals()
            self.assertEqual({name: totals[name] for name in ("partitions", "partitions_owned", "partitions_live", "instances")},
                             {"partitions": "4", "partitions_owned": "4", "partitions_live": "4", "instances": "2"})
            self.assertEqual(float(totals["rule.answer.goal_value"]), self.world.counters()["rule.answer.goal_value"])
            parts = [set(entry["partitions"].split(",")) for entry in self.instances().values()]
            self.assertEqual(set().union(*parts), {"0", "1", "2", "3"})
            self.assertEqual(sum(map(len, parts)), 4)
            two.stop(signal.SIGKILL)
            self.wait(lambda: set(self.instances()) == {"one"} and self.totals()["instances"] == "1", "who is gone is no instance")
            self.pings(10)
            self.wait_sums()
            self.pings(10)
            self.world.wait_decided(one)
        finally:
            for engine in (one, two):
                engine.stop()
        self.wait_sums()  # what is saved at the end is in the last totals
        self.assertEqual(self.instances(), {})

    def test_a_partition_that_cannot_be_read_is_named_and_no_wrong_sum_is_written(self):
        with running(self.world) as engine:
            self.pings(20)
            self.wait_sums()
            self.forbid(*self.open_keys(0, 1, 3))
            self.pings(20)
            self.wait(lambda: self.totals().get("missing", "").startswith("partition 2: Redis: HGETALL: NOPERM"), "it is named")
            before = self.totals()
            self.assertEqual(before["events"], "20")
            self.wait(lambda: self.world.counters()["events"] > 20, "others go on")
            time.sleep(2)
            self.assertEqual(self.totals(), before)
            self.forbid()
            self.world.wait_decided(engine)
            self.wait_sums()
            self.assertNotIn("missing_since", self.totals())

    def test_a_name_that_two_processes_use_is_told(self):
        with running(self.world) as engine:
            self.pings(5)
            self.world.wait_decided(engine)
            self.wait_figure("same_name", 0)
            other = "host=elsewhere pid=7 since=2026-03-02T10:00:00.000Z seen=2026-03-02T10:00:00.000Z"
            self.world.redis("HSET", f"relance:{self.world.group}:{self.world.input}:instances", "one", other)
            self.wait_figure("same_name", 1)
            self.wait(lambda: self.instances()["one"].get("same_name") == "host=elsewhere,pid=7", "it is named")

    def test_two_groups_with_one_instance_name_are_told_apart(self):
        with running(self.world), running(self.world, group=f"{self.world.group}.b", output=self.world.output):
            for group in (self.world.group, f"{self.world.group}.b"):
                self.wait(lambda: self.world.redis.hash(f"relance:live:{group}:one").get("partitions_live") == b"4", f"{group} is live")


if __name__ == "__main__":
    unittest.main()
