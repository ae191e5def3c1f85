"""Kafka that asks who we are: a password over TLS, and the rights that the manual's table gives and no others.

The password goes by SCRAM-SHA-512; to the newer broker (--long) by PLAIN, since librdkafka 2.0.2 has SCRAM wrong in a
way that Kafka 4 does not let pass any more.
"""
import http.client
import json
import os
import signal
import subprocess
import unittest

from e2e.faults_siege import LASTING
from support import kafka, place, rights
from support.engine import Engine, World, running, sequence_faults
from support.kafka import Record, event
from support.kafka_acls import Acls

RULES = {
    "stale": "3650d",
    "events": {"ping": {}},
    "counts": {"pings": {"on": "ping"}},
    "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "email", "with": {"n": "${pings()}"}}]}},
}
LEARNT = {
    "stale": "3650d",
    "events": {"ping": {}},
    "affinities": {"goes_with": {"from": [{"on": "ping", "by": "event.id"}], "within": "1d", "least": 1}},
    "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "email", "with": {"also": "${goes_with(3)}"}}]}},
}
TIME = "2026-03-02T10:00:00Z"
SESSION_MS = 3000
VERSIONS = kafka.VERSIONS if "RELANCE_LONG" in os.environ else kafka.VERSIONS[:1]


class SecureWorld(World):
    """A world whose engine comes in at the secure listener, its secrets in a file of its own."""

    def __init__(self, version=kafka.VERSIONS[0], rules=RULES):
        super().__init__(rules, version, partitions=2)
        self.kafka.create(self.decisions, 2)
        self.mechanism = "SCRAM-SHA-512" if version < "4" else "PLAIN"
        self.acls = Acls(self.kafka.address)
        self.engine_rights = self.rights("engine")
        self.pings = 0

    def rights(self, user, models=False):
        return rights.kafka_rights(user, self.group, self.input, self.output, self.decisions, models)

    def config(self, user=kafka.ENGINE, redis=None, **changes):
        """A configuration file of everything secret, and of what else it takes to come in."""
        settings = {"redis": redis or self.redis.url, "kafka.bootstrap.servers": self.kafka.secure,
                    "kafka.security.protocol": "sasl_ssl", "kafka.ssl.ca.location": self.kafka.folder.path / "ca.pem",
                    "kafka.sasl.mechanism": self.mechanism, "kafka.sasl.username": user,
                    "kafka.sasl.password": kafka.PASSWORD,
                    **{f"kafka.{name.replace('_', '.')}": value for name, value in changes.items()}}
        path = self.folder.path / f"{len(list(self.folder.path.iterdir()))}.conf"
        path.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        path.chmod(0o600)
        return path

    def secured(self, path=None, **options):
        return {"config": path or self.config(), "redis": None, "kafka.bootstrap.servers": None, "decisions": self.decisions, **options}

    def live(self, **options):
        engine = self.engine(**self.secured(**options))
        place.wait_until(lambda: engine.is_live() or not engine.is_running(), 30, "it is live")
        return engine

    def ping(self, rounds=1):
        """Four customers ping, and somebody sends what is no event."""
        for n in range(self.pings, self.pings + rounds):
            self.produce([*(event(f"c-{c}", "ping", id=f"{c}-{n}", time=TIME) for c in range(4)), Record(b"broken", key=b"c-0")])
        self.pings += rounds

    def run(self, command, *arguments, user=kafka.HELPER):
        done = subprocess.run([place.program("relance"), command, *arguments,
                               f"--config={self.config(user, redis=self.redis.reader_url)}"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=place.PATIENCE * 60)
        return done.returncode, done.stdout + done.stderr


class Rights(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        """Those who cannot come in try for ten seconds, beside the other tests."""
        world = SecureWorld()
        cls.addClassCleanup(world.__exit__)
        stranger = world.kafka.folder.path / "stranger.pem"
        cases = [(world.config(sasl_password="hush-wrong"), "invalid credentials"),
                 (world.config(user="nobody"), "invalid credentials"),
                 (world.config(ssl_ca_location=stranger), "certificate verify failed"),
                 (world.config(security_protocol="plaintext"), "connecting to a SSL listener?"),
                 (world.config(security_protocol="ssl"), "broker might require SASL authentication"),
                 (world.config(bootstrap_servers=world.kafka.address), "is it a listener without TLS?")]
        cls.locked_out = [(world.engine(**world.secured(path)), words) for path, words in cases]

    def setUp(self):
        self.world = SecureWorld()
        self.addCleanup(self.world.__exit__)
        self.world.acls.allow(f"User:{kafka.ENGINE}", self.world.engine_rights)

    def assert_ends(self, engine, *words):
        """It ends by itself, badly, and says all of these words."""
        status, _ = engine.stop(None, 30)
        self.assertEqual(status, 1, engine.output())
        for word in words:
            self.assertIn(word, engine.output())

    def test_each_right_that_is_missing_at_the_start_is_named(self):
        world = self.world
        # Of an empty group, whose first record brings the first mark: that one is missed there only.
        for right in sorted(world.engine_rights, key=lambda right: right[3] != "Write"):
            resource, _, name, operation = right
            if name.endswith(".links") and operation == "Write":
                continue  # missed only when there is a link record to be written
            with self.subTest(right=right):
                world.acls.take(f"User:{kafka.ENGINE}", [right])
                engine = world.engine(**world.secured())
                world.ping()
                if operation == "DescribeConfigs":
                    world.wait_decided(engine)
                    self.assertEqual(engine.stop()[0], 0)
                    self.assertIn(f'needed="DescribeConfigs on topic {name}"', engine.output())
                else:
                    self.assert_ends(engine, "this user needs", operation, resource, name)
                world.acls.allow(f"User:{kafka.ENGINE}", [right])

    def test_each_right_that_is_taken_from_a_living_engine_is_named(self):
        world = self.world
        for right in world.engine_rights:
            resource, _, name, operation = right
            if operation == "DescribeConfigs" or name.endswith((".marks", ".links")):
                continue  # asked for at the start; at the start and every ten seconds
            with self.subTest(right=right):
                engine = world.live()
                world.acls.take(f"User:{kafka.ENGINE}", [right])
                try:
                    world.ping()
                    self.assert_ends(engine, "this user needs", operation, resource, name)
                finally:
                    world.acls.allow(f"User:{kafka.ENGINE}", [right])
        engine = world.live()
        world.wait_decided(engine)
        self.assertEqual(engine.stop()[0], 0)
        self.assertEqual(sequence_faults(world.output_records()), [])
        self.assertEqual(len(world.actions()), 4 * world.pings)

    def test_the_commands_beside_the_engine_need_what_the_table_gives_them(self):
        world = self.world
        with_group = (f"--input={world.input}", f"--group={world.group}")
        commands = {"audit": (f"--output={world.output}", f"--decisions={world.decisions}"), "explain": ("c-1", *with_group), "forget": ("c-1", *with_group),
                    "simulate": (f"--input={world.input}", "--seconds=1", "--speed=1000")}
        world.ping()
        engine = world.live()
        world.wait_counter("events", 4)
        for command, arguments in commands.items():
            with self.subTest(command=command):
                given = world.rights(command)
                status, said = world.run(command, *arguments)
                self.assertNotEqual(status, 0, said)
                self.assertIn(f"this user needs {given[0][3]} on topic {given[0][2]}", said)
                world.acls.allow(f"User:{kafka.HELPER}", given)
                status, said = world.run(command, *arguments)
                self.assertEqual(status, 0, said)
                world.acls.take(f"User:{kafka.HELPER}", given)
        self.assertEqual(engine.stop()[0], 0)

    def test_the_live_view_needs_what_the_table_gives_it_and_says_what_it_lacks(self):
        world, port = self.world, place.free_port()
        world.ping()
        engine = world.live()
        world.wait_decided(engine)
        world.wait_counter("events", 4 * world.pings)
        self.assertEqual(engine.stop()[0], 0)
        served = Engine([place.program("relance"), "serve", f"--listen={port}", f"--input={world.input}", f"--group={world.group}", f"--output={world.output}",
                         f"--config={world.config(kafka.HELPER, redis=world.redis.reader_url)}"], world.folder.path / "serve")
        self.addCleanup(served.stop)

        def ask(path):
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=40)
            try:
                link.request("GET", path)
                answer = link.getresponse()
                return answer.status, answer.read().decode()
            except OSError as error:
                return 0, str(error)
            finally:
                link.close()

        def examples():
            return ask("/api/examples?outcome=sent")

        place.wait_until(lambda: ask("/api/now")[0] == 200 and json.loads(ask("/api/now")[1])["counters"], 20, "figures")
        place.wait_until(lambda: examples()[0] == 501, 20, "examples are not to be had")
        self.assertIn(f"this user needs Read on topic {world.output}", examples()[1])
        self.assertIn(f"this user needs Read on topic {world.input}", ask("/api/story?id=c-1")[1])
        world.acls.allow(f"User:{kafka.HELPER}", world.rights("serve"))
        self.addCleanup(world.acls.take, f"User:{kafka.HELPER}", world.rights("serve"))
        place.wait_until(lambda: examples()[0] == 200 and json.loads(examples()[1])["examples"], 30, "examples")
        status, said = ask("/api/story?id=c-1")
        self.assertEqual((status, json.loads(said.splitlines()[-1])["kind"]), (200, "end"), said)

    def test_topics_are_created_by_whoever_may(self):
        world = self.world
        output = f"{world.output}.new"
        needed = [("topic", "prefixed", output, operation) for operation in ("Write", "Read", "DescribeConfigs")]
        world.acls.allow(f"User:{kafka.ENGINE}", needed)
        status, said = world.refusal(**world.secured(output=output, create_topics=True))
        self.assertEqual(status, 1, said)
        self.assertIn(f"this user needs Create on topic {output}", said)
        world.acls.allow(f"User:{kafka.ENGINE}", [("topic", "prefixed", output, "Create")])
        engine = world.live(output=output, create_topics=True)
        self.assertEqual(engine.stop()[0], 0, engine.output())


    def test_who_cannot_come_in_is_told_why_and_ends(self):
        for engine, words in self.locked_out:
            with self.subTest(words=words):
                self.assert_ends(engine, words)
                [last] = [line for line in engine.output().splitlines() if "Cannot start:" in line]
                self.assertIn(words, last)


class Learning(unittest.TestCase):
    """The learner is a user of its own, which may write the versions and nothing else; the engine may read them."""

    def setUp(self):
        self.world = world = SecureWorld(rules=LEARNT)
        self.addCleanup(world.__exit__)
        world.kafka.create(f"{world.output}.models", 1)
        self.needed = world.rights("learn", models=True)
        world.acls.allow(f"User:{kafka.HELPER}", self.needed)
        self.addCleanup(world.acls.take, f"User:{kafka.HELPER}", self.needed)
        world.acls.allow(f"User:{kafka.ENGINE}", world.rights("engine", models=True))

    def learner(self, output=None, create_topics=False):
        world = self.world
        learner = world.learner(**{"kafka.bootstrap.servers": None}, output=output or world.output, create_topics=create_topics or None,
                                config=world.config(kafka.HELPER, redis=world.redis.learn_url))
        self.addCleanup(learner.stop)
        return learner

    def await_version(self, learner):
        said = learner.output().count("A version of a model is made.")
        self.world.ping()
        place.wait_until(lambda: learner.output().count("A version of a model is made.") > said or not learner.is_running(), 20, "a version")

    def assert_ends(self, run, right):
        status, _ = run.stop(None, 30)
        self.assertEqual(status, 1, run.output())
        self.assertIn(f"this user needs {right[3]} on {right[0]} {right[2]}", run.output())

    def test_each_right_that_the_learner_misses_is_named(self):
        self.assertEqual({right[3] for right in self.needed}, {"Read", "Write"})
        for right in self.needed:
            with self.subTest(right=right):
                self.world.acls.take(f"User:{kafka.HELPER}", [right])
                learner = self.learner()
                self.world.ping()
                self.assert_ends(learner, right)
                self.world.acls.allow(f"User:{kafka.HELPER}", [right])

    def test_a_story_names_the_right_that_it_misses_and_tells_the_rest(self):
        world, learner = self.world, self.learner()
        engine = world.live()
        self.await_version(learner)
        place.wait_until(lambda: "Versions of models take effect." in engine.output(), 30, "it is adopted")
        world.ping()
        world.wait_decided(engine)
        self.assertEqual((learner.stop()[0], engine.stop()[0]), (0, 0))
        world.acls.take(f"User:{kafka.HELPER}", self.needed)
        needed = world.rights("explain", models=True)
        world.acls.allow(f"User:{kafka.HELPER}", needed)
        self.addCleanup(world.acls.take, f"User:{kafka.HELPER}", needed)
        story = ("explain", "c-1", f"--input={world.input}", f"--group={world.group}", f"--output={world.output}")
        status, said = world.run(*story)
        self.assertEqual(status, 0, said)
        self.assertIn("    goes_with version ", said)
        self.assertNotIn("is not known", said)
        self.assertEqual([right[2] for right in needed], [world.input, f"{world.output}.marks", f"{world.output}.models"])
        for right in needed[1:]:
            with self.subTest(right=right):
                world.acls.take(f"User:{kafka.HELPER}", [right])
                status, said = world.run(*story)
                self.assertEqual(status, 0, said)
                self.assertIn("what goes_with answers from here on is not known, and is told as nothing: ", said)
                self.assertIn(f"this user needs Read on topic {right[2]}", said)
                self.assertNotIn("    goes_with version ", said)
                world.acls.allow(f"User:{kafka.HELPER}", [right])

    def test_each_right_that_is_taken_from_a_living_learner_is_named(self):
        for right in self.needed:
            if right[2].endswith(".models") and right[3] == "Read":
                continue  # read at the start alone
            with self.subTest(right=right):
                learner = self.learner()
                self.await_version(learner)
                self.world.acls.take(f"User:{kafka.HELPER}", [right])
                self.world.ping()
                self.assert_ends(learner, right)
                self.world.acls.allow(f"User:{kafka.HELPER}", [right])

    def test_the_topic_of_versions_is_created_by_whoever_may(self):
        output = f"{self.world.output}.new"
        given = [("topic", "literal", f"{output}.models", operation) for operation in ("Read", "Write")]
        create = ("topic", "literal", f"{output}.models", "Create")
        self.world.acls.allow(f"User:{kafka.HELPER}", given)
        self.assert_ends(self.learner(output=output, create_topics=True), create)
        self.world.acls.allow(f"User:{kafka.HELPER}", [create])
        learner = self.learner(output=output, create_topics=True)
        self.await_version(learner)
        self.assertEqual(learner.stop()[0], 0, learner.output())
        self.assertIn(f'needed="DescribeConfigs on topic {self.world.input}"', learner.output())

    def test_what_the_table_gives_is_enough_for_learner_and_engine(self):
        learner = self.learner()
        self.await_version(learner)
        with running(self.world, **self.world.secured()) as engine:
            place.wait_until(lambda: "A version of a model is available." in engine.output(), 20, "the version")
            self.world.ping()
            place.wait_until(lambda: any("models" in record.json() for record in self.world.output_records()), 20, "it is asked")
        self.assertEqual(learner.stop()[0], 0, learner.output())
        self.assertTrue(self.world.redis.hash(f"relance:{{{self.world.group}:{self.world.input}}}:also:goes_with"))

    def test_an_engine_that_may_not_read_versions_says_what_it_misses(self):
        learner = self.learner()
        self.await_version(learner)
        self.assertEqual(learner.stop()[0], 0, learner.output())
        read, describe = [right for right in self.world.rights("engine", models=True) if right[2].endswith(".models")]
        self.world.acls.take(f"User:{kafka.ENGINE}", [read])
        self.assert_ends(self.world.engine(**self.world.secured()), read)
        self.world.acls.allow(f"User:{kafka.ENGINE}", [read])
        self.world.acls.take(f"User:{kafka.ENGINE}", [describe])
        with running(self.world, **self.world.secured()) as engine:
            place.wait_until(lambda: "A version of a model is available." in engine.output(), 20, "the version")
        self.assertIn(f'needed="DescribeConfigs on topic {describe[2]}"', engine.output())


class Story(unittest.TestCase):
    def test_start_kill_takeover_and_end_with_the_least_rights(self):
        for version in VERSIONS:
            with self.subTest(version=version), SecureWorld(version) as world:
                world.acls.allow(f"User:{kafka.ENGINE}", world.engine_rights)
                world.acls.allow(f"User:{kafka.HELPER}", world.rights("audit") + world.rights("forget"))
                self.tell(world)

    def tell(self, world):
        options = {"kafka.session.timeout.ms": SESSION_MS, "kafka.heartbeat.interval.ms": 500,
                   "kafka.transaction.timeout.ms": SESSION_MS - 500}
        engine = world.live(**{**options, **LASTING})
        world.ping(2)
        world.wait_counter("events", 8)
        world.redis("ACL", "SETUSER", "relance", "-exec")  # no checkpoint of what follows: there is something to catch up
        world.ping(2)
        world.wait_decided(engine)
        engine.stop(signal.SIGKILL)
        world.kafka.dismiss(world.group)
        world.redis("ACL", "SETUSER", "relance", "+exec")
        engine = world.live(**options)
        world.ping()
        world.wait_decided(engine)
        engine.stop(signal.SIGKILL)
        heir = world.live(instance="two", **options)
        world.ping()
        world.wait_decided(heir)
        world.wait_counter("events", 4 * world.pings)
        where = (f"--input={world.input}", f"--group={world.group}")
        said = self.said(world, "audit", f"--output={world.output}", f"--decisions={world.decisions}")
        self.assertIn("0 missing, 0 numbers twice", said)
        self.assertIn("0 came again, 0 actions without line, 0 lines without action", said)
        self.assertEqual(json.loads(self.said(world, "metrics", "--json", *where))["counters"]["events"], 4 * world.pings)
        self.assertIn("forgotten", self.said(world, "forget", "c-1", *where))
        self.assertEqual(heir.stop()[0], 0, heir.output())
        heard = {}
        for record in world.output_records():
            heard.setdefault(record.json()["customer"], []).append(record.json()["with"]["n"])
        self.assertEqual(heard, {f"c-{c}": list(range(1, world.pings + 1)) for c in range(4)})
        self.assertEqual(len(world.dead()), world.pings)
        self.assertEqual(sequence_faults(world.output_records()), [])

    def said(self, world, command, *arguments):
        status, said = world.run(command, *arguments)
        self.assertEqual(status, 0, said)
        return said
