"""Ways into Kafka, and what is said where there is none: the reason stands in the last line of whoever ends for it.

OAUTHBEARER with OIDC is there where librdkafka was built with it (Debian 13); elsewhere that is what has to be said."""
import base64
import http.server
import json
import shutil
import subprocess
import threading
import time
import unittest
import urllib.parse

from support import kafka, place, rights
from support.engine import SECRET, World, running, sequence_faults
from support.kafka import BEARER, event
from support.kafka_acls import Acls

CONNECTED, LEFT = "Connected to a broker.", "A broker does not let us in where librdkafka is in: librdkafka reads."
RULES = {"stale": "3650d", "events": {"ping": {}}, "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "email"}]}}}


class Issuer(http.server.BaseHTTPRequestHandler):
    """An OIDC provider's token endpoint: who knows the secret gets an unsigned token for an hour."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"] or 0))
        known = base64.b64decode(self.headers["authorization"].split()[1]).decode().split(":")
        if urllib.parse.unquote(known[1]) != f"{SECRET}-oidc":
            self.answer(401, {"error": "invalid_client", "error_description": "nobody knows this client"})
            return
        claims = {"sub": BEARER, "iat": int(time.time()), "exp": int(time.time()) + 3600, "iss": "tests", "aud": "kafka", "scope": "all"}
        parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
        token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."
        self.answer(200, {"access_token": token, "token_type": "bearer", "expires_in": 3600})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def bearer(world, **more):
    return {"kafka.bootstrap.servers": world.kafka.tokens, "kafka.security.protocol": "sasl_plaintext",
            "kafka.sasl.mechanism": "OAUTHBEARER", **{f"kafka.{name.replace('__', '.')}": value for name, value in more.items()}}


class Connections(unittest.TestCase):
    """The engine's own connections, over which it reads and produces without librdkafka."""

    def setUp(self):
        self.world = World(RULES, partitions=2)
        self.addCleanup(self.world.__exit__)
        self.files = self.world.kafka.folder.path
        rights_of = rights.kafka_rights("engine", self.world.group, self.world.input, self.world.output)
        Acls(self.world.kafka.address).allow(f"User:{kafka.ENGINE}", rights_of)
        self.pings = 0

    def by_password(self, mechanism):
        path = self.world.folder.path / "password.conf"
        path.write_text(f"kafka.sasl.password = {kafka.PASSWORD}\n")
        path.chmod(0o600)
        return {"config": path, "kafka.bootstrap.servers": self.world.kafka.secure, "kafka.security.protocol": "sasl_ssl",
                "kafka.sasl.mechanism": mechanism, "kafka.sasl.username": kafka.ENGINE, "kafka.ssl.ca.location": self.files / "ca.pem"}

    def ping(self, count):
        self.world.produce([event(f"c-{n % 7}", "ping", id=f"{n}", time="2026-03-02T10:00:00Z") for n in range(self.pings, self.pings + count)])
        self.pings += count

    def said_while(self, options, rounds=1, pause_s=0):
        """What an engine says that answers pings: each once, whoever has answered before."""
        with running(self.world, log_level="debug", **options) as engine:
            for _ in range(rounds):
                self.ping(500)
                time.sleep(pause_s)
            self.world.wait_actions(self.pings)
        self.assertEqual(sequence_faults(self.world.output_records()), [])
        self.assertEqual(len(self.world.actions()), self.pings)
        return engine.output()

    def test_every_way_in_that_is_ours(self):
        ways = [("tls=yes login=none", self.world.kafka.by_certificate())]
        ways += [(f"tls=yes login={name}", self.by_password(name)) for name in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")]
        for words, options in ways:
            with self.subTest(words):
                said = self.said_while(options)
                self.assertIn(f'"{CONNECTED}"', said)
                self.assertTrue(all(words in line for line in said.splitlines() if CONNECTED in line), said)

    def test_a_login_that_does_not_last_is_made_anew_and_no_action_is_lost(self):
        said = self.said_while(self.by_password("SCRAM-SHA-256"), rounds=2 * kafka.SESSION_MS // 1000, pause_s=1)
        self.assertIn("A login at a broker is about to end.", said)
        self.assertGreater(said.count(CONNECTED), 2)

    def test_a_broker_that_does_not_let_us_in_is_left_to_librdkafka_which_is_in(self):
        trusted, options = self.world.folder.path / "trusted.pem", self.by_password("SCRAM-SHA-256")
        shutil.copy(self.files / "ca.pem", trusted)
        with running(self.world, **{**options, "kafka.ssl.ca.location": trusted}) as engine:
            self.ping(10)
            self.world.wait_actions(self.pings)
            shutil.copy(self.files / "stranger.pem", trusted)  # for whoever connects from now on
            place.wait_until(lambda: LEFT in engine.output(), 60, "it gives its own connections up")
            shutil.copy(self.files / "ca.pem", trusted)  # a new producer needs it, too
            self.ping(10)
            self.world.wait_actions(self.pings)
        self.assertIn("signed by nobody who is trusted here; kafka.ssl.ca.location=FILE names the file of its authority", engine.output())
        self.assertEqual(sequence_faults(self.world.output_records()), [])
        self.assertEqual(len(self.world.actions()), self.pings)

    def test_a_certificate_that_is_not_taken_any_more_is_found_out_behind_the_handshake_of_tls_1_3(self):
        copies = {ending: self.world.folder.path / f"own.{ending}" for ending in ("pem", "key")}
        options = {**self.world.kafka.by_certificate(), "kafka.ssl.certificate.location": copies["pem"], "kafka.ssl.key.location": copies["key"]}

        def be(name):
            for ending, copy in copies.items():
                shutil.copy(self.files / f"{name}.{ending}", copy)

        be(kafka.ENGINE)
        with running(self.world, **options) as engine:
            self.ping(10)
            self.world.wait_actions(self.pings)
            be("stranger")
            with running(self.world, **self.world.kafka.by_certificate(), instance="two"):  # so the first has to connect anew
                place.wait_until(lambda: LEFT in engine.output(), 60, "it gives its own connections up")
                be(kafka.ENGINE)
                self.ping(10)
                self.world.wait_actions(self.pings)
        self.assertIn("certificate", "".join(line for line in engine.output().splitlines() if "cannot be read from" in line))
        self.assertEqual(sequence_faults(self.world.output_records()), [])
        self.assertEqual(len(self.world.actions()), self.pings)

    def test_what_librdkafka_alone_can_do_is_left_to_it(self):
        locked = self.world.folder.path / "locked.key"
        subprocess.run(["openssl", "pkey", "-in", self.files / f"{kafka.ENGINE}.key", "-aes256", "-passout", "pass:word", "-out", locked],
                       check=True, capture_output=True)
        path = self.world.folder.path / "key.conf"
        path.write_text("kafka.ssl.key.password = word\n")
        path.chmod(0o600)
        self.assertNotIn(CONNECTED, self.said_while({"config": path, **self.world.kafka.by_certificate(), "kafka.ssl.key.location": locked}))


class Login(unittest.TestCase):
    def setUp(self):
        self.world = World(RULES, partitions=1)
        self.addCleanup(self.world.__exit__)

    def ends(self, status, *words, **options):
        """It ends so, and its last line has the words."""
        found, said = self.world.refusal(**options)
        last = said.splitlines()[-1]
        self.assertEqual(found, status, said)
        for word in words:
            self.assertIn(word, last)

    def works(self, **options):
        self.world.produce([event("anna", "ping", id="1", time="2026-03-02T10:00:00Z")])
        with running(self.world, **options):
            self.world.wait_actions(1)

    def issuer(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}/token"

    def oidc(self, url, secret=f"{SECRET}-oidc"):
        path = self.world.folder.path / "oidc.conf"
        path.write_text(f"kafka.sasl.oauthbearer.client.secret = {secret}\n")
        path.chmod(0o600)
        more = {"sasl.oauthbearer.method": "oidc", "sasl.oauthbearer.client.id": "relance", "sasl.oauthbearer.scope": "all",
                "sasl.oauthbearer.token.endpoint.url": url}
        return {"config": path, **bearer(self.world, **more)}

    def has_oidc(self):
        done = subprocess.run([place.program("kafka_tool"), "-", "features"], capture_output=True, text=True, check=True)
        return "oidc" in done.stdout.strip().split(",")

    def test_a_token_that_nobody_signs_for_tests(self):
        self.works(**bearer(self.world, enable__sasl__oauthbearer__unsecure__jwt="true",
                            sasl__oauthbearer__config=f"principal={BEARER}"))

    def test_oauthbearer_without_anybody_who_gets_tokens_is_refused(self):
        self.ends(2, "OAUTHBEARER needs kafka.sasl.oauthbearer.method=oidc", **bearer(self.world))

    def test_oidc_where_librdkafka_has_it_and_said_plainly_where_not(self):
        options = self.oidc(self.issuer())
        if self.has_oidc():
            self.works(**options)
        else:
            self.ends(2, "was built without OIDC, as Debian 12's is; Debian 13's has it", **options)

    def test_an_issuer_that_refuses_or_is_away_is_the_reason(self):
        if not self.has_oidc():
            self.skipTest("this librdkafka was built without OIDC")
        self.ends(1, "asking Kafka for topic", "token", "nobody knows this client", **self.oidc(self.issuer(), f"{SECRET}-wrong"))
        self.ends(1, "asking Kafka for topic", "token", **self.oidc(f"http://127.0.0.1:{place.free_port()}/token"))

    def test_a_token_that_the_broker_does_not_take_is_the_reason(self):
        self.ends(1, "asking Kafka for topic", "invalid_token",
                  **bearer(self.world, enable__sasl__oauthbearer__unsecure__jwt="true",
                           sasl__oauthbearer__config=f"principal={BEARER} principalClaimName=azp"))

    def test_a_wrong_password_by_plain_and_by_scram_is_the_reason(self):
        path = self.world.folder.path / "wrong.conf"
        for mechanism in ("PLAIN", "SCRAM-SHA-512"):
            path.write_text(f"kafka.sasl.password = {SECRET}-wrong\n")
            path.chmod(0o600)
            secure = {"kafka.bootstrap.servers": self.world.kafka.secure, "kafka.security.protocol": "sasl_ssl",
                      "kafka.ssl.ca.location": self.world.kafka.folder.path / "ca.pem", "kafka.sasl.username": kafka.ENGINE}
            with self.subTest(mechanism=mechanism):
                self.ends(1, "asking Kafka for topic", "uthentication failed", config=path,
                          **{"kafka.sasl.mechanism": mechanism, **secure})

    def test_a_wrong_password_is_the_reason_of_every_command(self):
        world, wrong = self.world, self.world.folder.path / "wrong.conf"
        wrong.write_text(f"kafka.sasl.password = {SECRET}-wrong\n")
        wrong.chmod(0o600)
        where = [f"--config={wrong}", f"--kafka.bootstrap.servers={world.kafka.secure}", "--kafka.security.protocol=sasl_ssl",
                 f"--kafka.ssl.ca.location={world.kafka.folder.path / 'ca.pem'}", "--kafka.sasl.mechanism=PLAIN",
                 f"--kafka.sasl.username={kafka.ENGINE}"]
        group = [f"--group={world.group}", f"--redis={world.redis.reader_url}"]
        commands = {"audit": [f"--output={world.output}"], "explain": ["anna", f"--rules={world.rules}", f"--input={world.input}"],
                    "intake": [f"--input={world.input}", f"--output={world.output}", "--mapping=segment", f"--group={world.group}.i"],
                    "reshard": [f"--input={world.input}", *group],
                    "restore-offsets": [f"--input={world.input}", f"--output={world.output}", "--dry-run", *group],
                    "simulate": [f"--input={world.input}", "--seconds=5"]}
        started = {command: subprocess.Popen([place.program("relance"), command, *words, *where], stdin=subprocess.DEVNULL,
                                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                   for command, words in commands.items()}
        for command, process in started.items():
            said, _ = process.communicate(timeout=place.PATIENCE * 90)
            with self.subTest(command=command):
                self.assertNotEqual(process.returncode, 0, said)
                self.assertIn("uthentication failed", said.splitlines()[-1], said)
