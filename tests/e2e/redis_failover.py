"""Redis fails over while events come: nothing is lost and nothing said twice, whatever the new master had not heard yet.

Every ping is answered with a number that counts up by one for each customer, so a state that is lost, doubled or of another
moment shows in every action after it. What was published is compared with `relance replay` of the same events.

    python3 tests/e2e redis_failover            24 failovers with Sentinel
    python3 tests/e2e --long redis_failover     100
"""
import contextlib
import json
import os
import random
import socket
import subprocess
import threading
import time
import unittest
from dataclasses import replace

from e2e.faults import COUNTING, Shop
from support import certificates, place
from support.engine import Action, World, sequence_faults
from support.kafka import event
from support.proxy import Proxy
from support.redis import ENGINE, READER, SERVERS, Redis
from support.sentinel import Watched

SEED = int(os.environ.get("RELANCE_SEED", random.SystemRandom().randrange(1 << 32)))
FAILOVERS = 100 if "RELANCE_LONG" in os.environ else 24
LAG_S = 1.2  # longer than from one checkpoint to the next


class FakeSentinel:
    """Names the same master to everybody, for ever."""

    def __init__(self, master_port):
        port = str(master_port).encode()
        self.answer = b"*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%s\r\n" % (len(port), port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                link, _ = self.listener.accept()
                with link, contextlib.suppress(OSError):
                    while data := link.recv(4096):
                        link.sendall(self.answer if b"SENTINEL" in data else b"-WRONGPASS no such user\r\n")

    def close(self):
        self.listener.close()


class RedisFailover(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        print(f"RELANCE_SEED={SEED}")
        self.dice = random.Random(f"{SEED} {self.id()}")

    def watched(self, program, trust=None):
        pair = Watched(program, trust)
        world = World(COUNTING, redis=pair)
        self.addCleanup(world.__exit__)
        return pair, world

    # ---- a shop that is alive while masters come and go

    @contextlib.contextmanager
    def living(self, world, **options):
        """An engine and a shop; in the end all that the shop did has been answered, once."""
        shop, engine = Shop(world, self.dice, threading.Lock()), world.engine(**options)
        self.addCleanup(engine.stop, 9)
        self.wait_live(world, engine)
        shop.thread.start()
        try:
            yield engine
        finally:
            shop.over.set()
            shop.thread.join()
        world.wait_decided(engine, 120)
        world.wait_actions(sum(map(len, shop.answer().values())), 120)
        self.assertEqual(engine.stop()[0], 0, engine.output()[-4000:])
        self.assert_as_replayed(world)

    def wait_live(self, world, engine):
        place.wait_until(lambda: engine.output().count("A partition is live.") >= world.partitions, 30, "it is live")

    def assert_as_replayed(self, world):
        """But for their ids: an event that has none of its own is named after its place in the topic, which a file does not know."""
        events = sorted((record.value for record in world.kafka.consume(world.input)), key=lambda value: json.loads(value)["time"])
        records = world.output_records()
        published, replayed = [Action.of_record(record) for record in records], world.replay(events, "--until=1h")
        self.assertEqual(len({action.id for action in published}), len(published), "an action was said twice")
        self.assertEqual(*(sorted(repr(replace(action, id="")) for action in actions) for actions in (published, replayed)))
        self.assertEqual(sequence_faults(records), [])

    def fail_over(self, pair, how):
        if how == "asked":
            return pair.be_asked()
        if how == "lagging":
            pair.be_cut_off()
            time.sleep(LAG_S)
        return pair.be_killed()

    def fail_over_often(self, program, trust, times):
        pair, world = self.watched(program, trust)
        kinds = ["asked", "killed", "lagging"] * (times // 3) + ["lagging"] * (times % 3)
        self.dice.shuffle(kinds)
        begin = time.monotonic()
        with self.living(world) as engine:
            for how in kinds:
                self.fail_over(pair, how)
        claims = engine.output().count("Claimed a partition.")
        self.assertGreater(claims, world.partitions, "no failover has lost a checkpoint")
        print(f"{program}: {times} failovers in {time.monotonic() - begin:.0f} s, {len(world.actions())} actions, exact; "
              f"{claims} claims of {world.partitions} partitions", flush=True)

    def test_many_failovers_by_sentinel_lose_nothing_and_repeat_nothing(self):
        for program in SERVERS:
            with self.subTest(program=program):
                self.fail_over_often(program, None, FAILOVERS)

    def test_failovers_over_tls(self):
        folder = place.Folder("tls")
        self.addCleanup(folder.close)
        certificates.make(folder.path)
        for program in SERVERS:
            with self.subTest(program=program):
                self.fail_over_often(program, folder.path, 3)

    def test_a_demoted_master_is_left_for_whoever_the_name_leads_to(self):
        for program in SERVERS:
            with self.subTest(program=program):
                old, new = Redis(program, port=str(place.free_port()), bind="127.0.0.1"), Redis(program, port=str(place.free_port()), bind="127.0.0.1")
                self.addCleanup(old.close)
                world = World(COUNTING, redis=new)
                self.addCleanup(world.__exit__)
                new("REPLICAOF", "127.0.0.1", old.config["port"])
                path = str(world.folder.path / "door")
                with Proxy(back=old.socket, front=path) as door, self.living(world, redis=new.url_at(path)) as engine:
                    place.wait_until(lambda: new("DBSIZE") > world.partitions, 30, "there are checkpoints, also on the replica")
                    new("REPLICAOF", "NO", "ONE")
                    door.back = new.socket
                    old("REPLICAOF", "127.0.0.1", new.config["port"])
                    place.wait_until(lambda: "READONLY" in engine.output(), 30, "the demoted one refuses")
                    had = world.counters().get("rule.answer.sent", 0)
                    place.wait_until(lambda: world.counters().get("rule.answer.sent", 0) > had, 30, "the new one has a checkpoint")

    # ---- asking

    def said(self, url):
        done = subprocess.run([place.program("relance"), "metrics", "--input=i", "--group=g"], env={"RELANCE_REDIS": url},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        return done.stderr

    def test_sentinels_are_asked_in_turn_and_none_is_believed(self):
        for program in SERVERS:
            with self.subTest(program=program), Watched(program) as pair:
                liar = FakeSentinel(pair.port_of[pair.replica])
                self.addCleanup(liar.close)
                away, true = place.free_port(), pair.sentinels[0].port
                none = "holds no state"
                self.assertIn(none, self.said(pair.reader_url))
                self.assertIn(none, self.said(pair.url_for(READER, ports=[away, liar.port, true])))
                self.assertIn("is no master, though a sentinel says so", self.said(pair.url_for(READER, ports=[liar.port, away])))
                self.assertIn(f"Sentinel at 127.0.0.1:{away}: Connection refused", self.said(pair.url_for(READER, ports=[away])))
                self.assertIn("it knows no master of the name other", self.said(pair.url_for(READER, name="other")))
                self.assertIn("WRONGPASS", self.said(pair.reader_url.replace("hush", "hash")))

    def test_an_engine_does_not_start_on_a_replica_that_a_sentinel_takes_for_the_master(self):
        pair, world = self.watched(SERVERS[0])
        liar = FakeSentinel(pair.port_of[pair.replica])
        self.addCleanup(liar.close)
        status, said = world.refusal(redis=pair.url_for(ENGINE, ports=[liar.port]))
        self.assertNotIn(status, (0, -6, -11))
        self.assertIn("is no master, though a sentinel says so", said)
        self.assertEqual(pair.master("DBSIZE"), 0)

    def test_who_looks_finds_the_new_master(self):
        pair, world = self.watched(SERVERS[0])
        engine = world.engine()
        self.addCleanup(engine.stop, 9)
        self.wait_live(world, engine)
        for customer in "ab":
            world.produce([event(customer, "ping", id=customer, time=int(time.time() * 1000))])
            world.wait_counter("rule.answer.sent", "ab".index(customer) + 1)
            look = subprocess.run([place.program("relance"), "metrics", f"--input={world.input}", f"--group={world.group}",
                                   f"--redis={pair.reader_url}", "--json"], capture_output=True, text=True, timeout=30)
            self.assertIn("rule.answer.sent", look.stdout, look.stderr)
            pair.be_killed()
        self.assertEqual(engine.stop()[0], 0)
