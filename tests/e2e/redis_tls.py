"""TLS to Redis: an engine behind a private authority with certificates on both sides, and each way in which it can be
wrong, which ends with a sentence that says what to do. Done with each kind of server that the machine has."""
import contextlib
import signal
import socket
import subprocess
import time
import unittest

from support import certificates, place
from support.engine import World, running
from support.kafka import event
from support.redis import ENGINE, PASSWORD, READER, SERVERS, Redis

RULES = {
    "stale": "3650d",
    "events": {"ping": {"text": "string"}},
    "counts": {"pings": {"on": "ping"}},
    "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "push", "with": {"n": "${pings()}"}}]}},
}
CUSTOMERS = 3000


def settings(folder, **more):
    return {"ca": folder / "ca.pem", "cert": folder / "engine.pem", "key": folder / "engine.key", **more}


class RedisTls(unittest.TestCase):
    def setUp(self):
        self.folder = place.Folder("tls")
        self.addCleanup(self.folder.close)
        self.files = self.folder.path
        certificates.make(self.files)
        for name, names, days in (("engine", "DNS:engine", "2"), ("named", "DNS:redis.test,DNS:redis.example", "2"),
                                  ("expired", "IP:127.0.0.1", "-1")):
            certificates.sign(self.files, name, names, days)

    def server(self, program, certificate="server", **config):
        server = Redis(program, tls_port=str(place.free_port()), bind="127.0.0.1", tls_cert_file=str(self.files / f"{certificate}.pem"),
                       tls_key_file=str(self.files / f"{certificate}.key"), tls_ca_cert_file=str(self.files / "ca.pem"), **config)
        self.addCleanup(server.close)
        return server

    def said(self, url):
        """What somebody hears who only looks: an empty Redis says that it holds no state."""
        done = subprocess.run([place.program("relance"), "metrics", "--input=i", "--group=g"], env={"RELANCE_REDIS": url},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        self.assertNotIn(PASSWORD, done.stderr)
        return done.stderr

    def assert_reached(self, server, **settings):
        self.assertIn("holds no state", self.said(server.tcp_url(READER, **settings)))

    # ---- what works

    def test_an_engine_keeps_its_state_behind_certificates_on_both_sides(self):
        for program in SERVERS:
            with self.subTest(program=program), World(RULES, partitions=2, redis=self.server(program)) as world:
                url = world.redis.tcp_url(**settings(self.files))
                for n in (1, 2):
                    with running(world, redis=url) as engine:
                        world.produce([event(f"c-{c}", "ping", id=f"{c}-{n}", time=int(time.time() * 1000), text="x" * 200)
                                       for c in range(CUSTOMERS)])
                        world.wait_decided(engine)
                counted = sorted(action.payload for action in world.actions())
                self.assertEqual(counted, ['{"n": 1}'] * CUSTOMERS + ['{"n": 2}'] * CUSTOMERS)
                look = subprocess.run([place.program("relance"), "metrics", f"--input={world.input}", f"--group={world.group}",
                                       f"--redis={world.redis.tcp_url(READER, **settings(self.files))}"],
                                      capture_output=True, text=True, timeout=30)
                self.assertIn(str(2 * CUSTOMERS), look.stdout, look.stderr)

    def test_a_server_that_falls_silent_delays_the_end_no_longer_than_without_tls(self):
        with World(RULES, partitions=2, redis=self.server(SERVERS[0])) as world:
            engine = world.engine(redis=world.redis.tcp_url(**settings(self.files)))
            place.wait_until(lambda: engine.output().count("is live") == 2, 30, "it is live")
            world.produce([event("c-1", "ping", time=int(time.time() * 1000))])
            world.redis.process.send_signal(signal.SIGSTOP)
            time.sleep(1)
            _, took = engine.stop()
            world.redis.process.send_signal(signal.SIGCONT)
            self.assertLess(took, 8)

    def test_a_certificate_for_another_name_is_taken_where_that_name_is_said(self):
        for program in SERVERS:
            server = self.server(program, "named", tls_auth_clients="no")
            self.assert_reached(server, ca=self.files / "ca.pem", name="redis.example")

    def test_a_key_and_its_certificate_may_stand_in_one_file(self):
        self.assert_reached(self.server(SERVERS[0]), ca=self.files / "ca.pem", cert=self.files / "broker.pem")

    def test_whoever_asks_for_no_check_gets_none(self):
        for certificate in ("expired", "named"):
            server = self.server(SERVERS[0], certificate, tls_auth_clients="no")
            self.assert_reached(server, verify="no")

    def test_a_certificate_that_was_renewed_is_taken_without_a_restart(self):
        with World(RULES, partitions=2, redis=self.server(SERVERS[0])) as world:
            with running(world, redis=world.redis.tcp_url(**settings(self.files))) as engine:
                place.wait_until(lambda: engine.output().count("is live") == 2, 30, "it is live")
                certificates.sign(self.files, "engine", "DNS:engine", "-1")
                world.redis("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                world.produce([event("c-1", "ping", time=int(time.time() * 1000))])
                refusals = world.redis.folder.path / "log"
                place.wait_until(lambda: "certificate verify failed" in refusals.read_text(), 30, "the expired one is refused")
                certificates.sign(self.files, "engine", "DNS:engine")
                world.wait_counter("rule.answer.sent", 1)

    # ---- what does not, and what it says

    def test_each_mistake_has_its_sentence(self):
        ca, open_door = self.files / "ca.pem", {"tls_auth_clients": "no"}
        mistakes = [
            ("an unknown authority", "server", open_door, {}, "signed by nobody who is trusted here; ?ca=FILE"),
            ("another authority", "server", open_door, {"ca": self.files / "stranger.pem"}, "signed by nobody who is trusted"),
            ("another name", "named", open_door, {"ca": ca},
             "its certificate is for redis.test, redis.example and not for 127.0.0.1; if that is right, say ?name=HOST"),
            ("not that name either", "named", open_door, {"ca": ca, "name": "redis.org"}, "and not for redis.org"),
            ("a day too late", "expired", open_door, {"ca": ca}, "its certificate has expired at 20"),
            ("no certificate of ours", "server", {}, {"ca": ca}, "?cert=FILE&key=FILE names one"),
            ("a certificate of strangers", "server", {}, {"ca": ca, "cert": self.files / "stranger.pem", "key": self.files / "stranger.key"},
             "certificate"),
            ("another's key", "server", {}, settings(self.files, key=self.files / "ca.key"), "ca.key cannot be used: key values mismatch"),
            ("no such file", "server", {}, settings(self.files, ca="/nowhere.pem"), "--redis: ca=/nowhere.pem cannot be used: No such file"),
            ("no certificate in it", "server", {}, settings(self.files, cert=self.files / "engine.key"), "engine.key cannot be used"),
        ]
        for program in SERVERS:
            for what, certificate, config, asked, sentence in mistakes:
                with self.subTest(program=program, what=what):
                    self.assertIn(sentence, self.said(self.server(program, certificate, **config).tcp_url(**asked)))

    def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(self):
        subprocess.run(["openssl", "pkey", "-in", self.files / "engine.key", "-aes256", "-passout", "pass:word", "-out",
                        self.files / "locked.key"], check=True, capture_output=True)
        url = self.server(SERVERS[0]).tcp_url(**settings(self.files, key=self.files / "locked.key"))
        self.assertRegex(self.said(url), "key=.*locked.key cannot be used")

    def test_tls_and_none_notice_each_other(self):
        for program in SERVERS:
            with self.subTest(program=program):
                port = str(place.free_port())
                server = self.server(program, port=port)
                self.assertIn("is TLS spoken there?", self.said(f"rediss://{ENGINE}:{PASSWORD}@127.0.0.1:{port}?verify=no"))
                spoken = f"redis://{ENGINE}:{PASSWORD}@127.0.0.1:{server.config['tls-port']}"
                self.assertIn("if TLS is spoken there, say rediss://", self.said(spoken))

    def test_a_server_that_never_answers_a_handshake_is_given_up_in_time(self):
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
            begin = time.monotonic()
            said = self.said(f"rediss://127.0.0.1:{listener.getsockname()[1]}?verify=no")
            self.assertIn("no TLS handshake in time", said)
            self.assertLess(time.monotonic() - begin, 10)

    def test_the_engine_refuses_what_is_wrong_at_its_start(self):
        server = self.server(SERVERS[0])
        with World(RULES, redis=server) as world:
            status, said = world.refusal(redis=server.tcp_url(**settings(self.files, name="elsewhere.example")))
            self.assertNotIn(status, (0, -6, -11))
            self.assertIn("and not for elsewhere.example", said)
            self.assertEqual(server("DBSIZE"), 0)
