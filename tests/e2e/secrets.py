"""Secrets are in no log, no output, no topic, no key of Redis, and not in the list of processes.

Every password of the tests begins with the same word, and that word is looked for. The logs of all the engines of
the other modules are searched for it as well (tests/support/engine.py).
"""
import os
import pathlib
import subprocess
import unittest

from e2e.forgetting import everything
from e2e.kafka_rights import SecureWorld
from support import kafka, place, redis
from support.engine import SECRET

BELONGS = "a secret on the command line is kept by shells"
COMMANDS = {"run": ["--rules=rules.json", "--input=i", "--output=o", "--group=g"], "inspect": ["--input=i", "--group=g", "c"],
            "top": ["--input=i", "--group=g"], "metrics": ["--input=i", "--group=g"], "report": ["--input=i", "--group=g"], "health": ["--input=i", "--group=g"], "serve": ["--input=i", "--group=g", "--listen=wrong"], "forget": ["--input=i", "--group=g", "c"],
            "explain": ["--input=i", "--group=g", "c"], "audit": ["--output=o"], "simulate": [], "check": ["rules.json"],
            "test": ["rules.json"], "replay": ["--rules=rules.json", "events"], "version": [], "help": ["options"]}


class Engines(unittest.TestCase):
    """In a living engine."""

    def setUp(self):
        self.world = SecureWorld()
        self.addCleanup(self.world.__exit__)
        self.world.acls.allow(f"User:{kafka.ENGINE}", self.world.engine_rights)

    def cmdline(self, engine):
        return pathlib.Path(f"/proc/{engine.pid}/cmdline").read_bytes().decode().split("\0")

    def work(self, **options):
        """An engine that does its work; its command line, as everybody may see it."""
        engine = self.world.live(**options)
        self.world.ping()
        self.world.wait_decided(engine)
        seen = self.cmdline(engine)
        self.assertIn(place.program("relance"), seen)
        self.assertNotIn(SECRET, " ".join(seen))
        self.world.wait_counter("events", 4 * self.world.pings)
        self.assertNotIn(SECRET.encode(), everything(self.world.redis))
        self.assertEqual(engine.stop()[0], 0, engine.output())
        for topic in (self.world.output, f"{self.world.output}.dead", f"{self.world.output}.marks", f"{self.world.output}.links"):
            self.assertNotIn(SECRET.encode(), b"".join(repr(record).encode() for record in self.world.kafka.consume(topic)))
        return seen, engine.output()

    def test_from_a_file_of_ones_own_even_when_the_client_tells_all_it_knows(self):
        path = self.world.config(debug="all", ssl_key_password=f"{SECRET}-key", ssl_keystore_password=f"{SECRET}-store",
                                 sasl_oauthbearer_config=f"principal={SECRET}")
        _, said = self.work(config=path, log_level="debug")
        self.assertIn("sasl.password = [redacted]", said)
        self.assertNotIn("warning:", said)

    def test_from_the_command_line_with_a_word_on_where_they_belong(self):
        seen, said = self.work(**{"redis": self.world.redis.url, "kafka.sasl.password": kafka.PASSWORD})
        stars = "*" * len(kafka.PASSWORD)
        self.assertIn(f"--kafka.sasl.password={stars}", seen)
        self.assertIn(f"--redis={self.world.redis.url.replace(redis.PASSWORD, '*' * len(redis.PASSWORD))}", seen)
        self.assertEqual(said.count(BELONGS), 2)
        self.assertIn("RELANCE_REDIS", said)
        self.assertIn("RELANCE_KAFKA_SASL_PASSWORD", said)

    def test_from_the_environment(self):
        secrets = {"RELANCE_REDIS": self.world.redis.url, "RELANCE_KAFKA_SASL_PASSWORD": kafka.PASSWORD}
        os.environ.update(secrets)
        self.addCleanup(lambda: [os.environ.pop(name) for name in secrets])
        _, said = self.work()
        self.assertNotIn("warning:", said)


class Commands(unittest.TestCase):
    """In what commands say, above all when they go wrong."""

    def setUp(self):
        self.folder = place.Folder("secrets")
        self.addCleanup(self.folder.close)
        (self.folder.path / "rules.json").write_text('{"events": {"ping": {}}}')
        (self.folder.path / "events").write_text("")

    def said(self, *words, **environment):
        done = subprocess.run([place.program("relance"), *words], cwd=self.folder.path, env={**os.environ, **environment},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=place.PATIENCE * 30)
        said = done.stdout + done.stderr
        self.assertNotIn(SECRET, said, words)
        return said

    def test_every_command_with_a_redis_that_is_away_refuses_or_cannot_be_meant(self):
        server = redis.Redis()
        self.addCleanup(server.close)
        away, refuses = f"redis://u:{SECRET}@127.0.0.1:1/0", f"unix://{redis.ENGINE}:{SECRET}@{server.socket}"
        wrong = [f"redis://u:{SECRET}@h:port/0", f"rediss://u:{SECRET}@h:6380?ca", f"sentinel://u:{SECRET}@h", f"redis:/u:{SECRET}@h", f"redis://u:{SECRET}%@h"]
        for command, arguments in COMMANDS.items():
            for url in [away, refuses, *wrong]:
                with self.subTest(command=command, url=url):
                    kafka = {"RELANCE_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "RELANCE_KAFKA_SASL_PASSWORD": SECRET,
                             "RELANCE_KAFKA_SECURITY_PROTOCOL": "nonsense"}
                    said = self.said(command, *arguments, RELANCE_REDIS=url, **kafka)
                    if command in ("run", "inspect", "top", "metrics", "report", "health", "forget", "explain"):
                        self.assertRegex(said, r"Redis at 127.0.0.1:\d+: Connection refused|WRONGPASS|--redis: |security.protocol: ")
                    self.said(command, *arguments, f"--redis={url}", f"--kafka.sasl.password={SECRET}")

    def test_help(self):
        for command in COMMANDS:
            self.said(command, "--help", RELANCE_REDIS=f"redis://u:{SECRET}@h", RELANCE_KAFKA_SASL_PASSWORD=SECRET)
            self.said("help", command, RELANCE_REDIS=f"redis://u:{SECRET}@h")
        self.assertIn("sasl.password", self.said("help", "kafka"))

    def test_a_file_that_everybody_may_read(self):
        config = self.folder.path / "config"
        config.write_text(f"redis = redis://u:{SECRET}@h\n")
        for mode, word in ((0o600, ""), (0o640, ""), (0o644, "holds a secret, and everybody may read it; chmod o-r")):
            config.chmod(mode)
            self.assertEqual("warning:" in self.said("version", f"--config={config}"), bool(word))
            self.assertIn(word, self.said("version", f"--config={config}"))

    def test_slips_of_the_finger(self):
        url = f"redis://u:{SECRET}@h"
        config = self.folder.path / "config"
        for words, sentence in [
                ([f"--redis={url}", "metrics"], "no command '--redis…'"),
                (["metrics", f"--reds={url}"], "did you mean --redis?"),
                (["metrics", url], "'redis…': unexpected argument"),
                (["metrics", f"-kafka.sasl.password={SECRET}"], "'-kafka.sasl.password…': unexpected argument"),
                (["metrics", f"--kafka-sasl.password={SECRET}"], "no such option"),
                (["help", url], "nothing is known about 'redis…'")]:
            self.assertIn(sentence, self.said(*words))
        for line, sentence in [(f"kafka.sasl.password: {SECRET}", ":1: no `name = value`"), (f"reds = {url}", "did you mean 'redis'?"),
                               (f"kafka.sasl.pasword = {SECRET}", ""), (f"workers = 1\nworkers = 1\nredis = {url}", "given twice")]:
            config.write_text(line + "\n")
            self.assertIn(sentence, self.said("metrics", "--input=i", "--group=g", f"--config={config}"))
