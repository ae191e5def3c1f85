"""A real Apache Kafka for tests: one KRaft node on loopback ports, its data in a private folder.

The broker comes from Maven Central as ordinary artifacts (kafka-VERSION.xml), kept in the user's cache. A JVM
is heavy, so there is at most one at a time: `broker(VERSION)` gives the running one, or ends that of another
version first. All else (topics, records, offsets) goes through kafka_tool, which takes milliseconds.

Whoever comes in at `address`, the tests themselves, is ANONYMOUS and may do anything. At `secure` TLS is asked for,
and a password (SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN); users may do there what kafka_acls.py gives them. At `tokens` an unsigned JWT
says who it is, at `signed` a certificate (`relance.pem`, `relance.key`).
"""
import atexit
import base64
import contextlib
import fcntl
import json
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import uuid
from dataclasses import dataclass, field

from support import certificates, place

# Of the JVM. A broker of tests lives for minutes, in which the second compiler takes more than it gives (`hurry`); benches have it.
FLAGS = []
VERSIONS = ("3.9.1", "4.1.1")
HERE = pathlib.Path(__file__).resolve().parent
ENGINE, HELPER, PASSWORD = "relance", "relance-helper", "hush-kafka"  # users: of the engine, of the commands beside it
BEARER = "relance-bearer"  # whose tokens are taken, unsigned
SESSION_MS = 2000  # after so long a login by SCRAM-SHA-256 has to be made anew

PROPERTIES = """
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},BEHIND://127.0.0.1:{behind},SECURE://127.0.0.1:{secure},TOKENS://127.0.0.1:{tokens},SIGNED://127.0.0.1:{signed},CONTROLLER://127.0.0.1:{controller}
# Whoever comes in through a proxy at port `front` is told to come back the same way.
advertised.listeners=PLAINTEXT://127.0.0.1:{port},BEHIND://127.0.0.1:{front},SECURE://127.0.0.1:{secure},TOKENS://127.0.0.1:{tokens},SIGNED://127.0.0.1:{signed}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,BEHIND:PLAINTEXT,SECURE:SASL_SSL,TOKENS:SASL_PLAINTEXT,SIGNED:SSL,CONTROLLER:PLAINTEXT
listener.name.secure.sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.scram-sha-256.connections.max.reauth.ms={session_ms}
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required {plain};
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location={folder}/broker.pem
listener.name.signed.ssl.keystore.type=PEM
listener.name.signed.ssl.keystore.location={folder}/broker.pem
listener.name.signed.ssl.truststore.type=PEM
listener.name.signed.ssl.truststore.location={folder}/ca.pem
listener.name.signed.ssl.client.auth=required
listener.name.tokens.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.tokens.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:{bearer};User:CN={engine}
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
log.dirs={folder}/data
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
# Test events carry old timestamps; the default retention would delete them within minutes.
log.retention.ms=-1
leader.imbalance.check.interval.seconds=1
"""

# Of all brokers, since each finds coordinators by itself.
INTERNAL = """
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
"""

# Of a broker that joins one of these.
JOINED = """
process.roles=broker
node.id=2
listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
log.dirs={folder}/data
"""


def fetch(pom, kept):
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        fresh = pathlib.Path(folder) / "jars"
        subprocess.run(["mvn", "-q", "-B", "-Dstyle.color=never", "-f", str(pom),
                        "dependency:copy-dependencies", f"-DoutputDirectory={fresh}"],
                       check=True, timeout=900, stdin=subprocess.DEVNULL)
        fresh.rename(kept)


def artifacts(name, pom):
    """The folder of the jars that a pom.xml names, kept in the user's cache; fetched once."""
    kept = place.CACHE / name
    kept.parent.mkdir(parents=True, exist_ok=True)
    with open(kept.with_name(f"{name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests that run side by side want the same jars
        if not kept.is_dir():
            fetch(pom, kept)
    return kept


@dataclass
class Record:
    """A Kafka record. `partition` None: by the key's murmur2; `timestamp` None: now; `offset` as consumed."""
    value: bytes | None
    key: bytes | None = None
    timestamp: int | None = None
    headers: dict = field(default_factory=dict)
    partition: int | None = None
    offset: int | None = None

    def json(self):
        return json.loads(self.value)

    def header(self, name):
        return self.headers[name].decode()


def event(customer, type_, time=None, **fields):
    """A native event as a record, keyed as STATE.md §5.1 wants it."""
    body = {"type": type_, "customer": customer, **({"time": time} if time is not None else {}), **fields}
    return Record(json.dumps(body).encode(), key=customer.encode())


def to_hex(data):
    return "-" if data is None else data.hex() or "."


def from_hex(word):
    return None if word == "-" else b"" if word == "." else bytes.fromhex(word)


def to_line(record):
    words = ["-" if record.partition is None else str(record.partition),
             "-" if record.timestamp is None else str(record.timestamp), to_hex(record.key), to_hex(record.value)]
    return " ".join(words + [f"{name}={to_hex(value)}" for name, value in record.headers.items()])


def from_line(line):
    partition, offset, timestamp, key, value, *headers = line.split()
    return Record(from_hex(value), from_hex(key), int(timestamp),
                  {name: from_hex(word) for name, word in (header.split("=") for header in headers)},
                  int(partition), int(offset))


class Weave:
    """What each producer does, in the log before the call is over. The producer "-" has no transactions."""

    def __init__(self, tool):
        self.tool = tool

    def say(self, producer, *words):
        self.tool.stdin.writelines(f"{producer} {word}\n" for word in words)
        self.tool.stdin.flush()
        if self.tool.stdout.readline() != "ok\n":
            raise RuntimeError(f"kafka_tool weave ended in {producer}'s turn")

    def produce(self, producer, records):
        """Begins a transaction where none is open."""
        self.say(producer, *map(to_line, records), "wait")

    def end(self, producer, how):
        """commit or abort."""
        self.say(producer, how)


class Kafka:
    def __init__(self, version, **settings):
        """`settings`: of the broker, in place of those above; `_` stands for `.`."""
        self.version, self.settings = version, settings
        self.folder = place.Folder(f"kafka-{version}")
        certificates.make(self.folder.path)
        certificates.sign(self.folder.path, ENGINE, f"DNS:{ENGINE}")
        for last in (False, False, True):
            self.configure()
            self.format()
            try:
                return self.start()
            except RuntimeError as error:  # another program has taken a port that was free just now
                if last or "Address already in use" not in str(error):
                    raise
                shutil.rmtree(self.folder.path / "data", ignore_errors=True)

    def configure(self):
        version = self.version
        port, self.controller = place.free_port(), place.free_port()
        self.behind, self.front = place.free_port(), place.free_port()
        self.secure_port = place.free_port()
        tokens, signed = place.free_port(), place.free_port()
        self.address, self.secure = f"127.0.0.1:{port}", f"127.0.0.1:{self.secure_port}"
        self.tokens, self.signed = f"127.0.0.1:{tokens}", f"127.0.0.1:{signed}"
        self.classes = f"{artifacts(f'kafka-{version}', HERE / f'kafka-{version}.xml')}/*"
        self.properties = self.folder.path / "server.properties"
        self.write_properties(PROPERTIES.format(port=port, controller=self.controller, behind=self.behind, front=self.front,
                                                secure=self.secure_port, tokens=tokens, signed=signed, bearer=BEARER, engine=ENGINE,
                                                session_ms=SESSION_MS, folder=self.folder.path,
                                                plain=" ".join(f'user_{user}="{PASSWORD}"' for user in (ENGINE, HELPER))))

    def write_properties(self, text):
        """Of two lines of one name the later counts."""
        self.properties.write_text(text + INTERNAL + "".join(f"{name.replace('_', '.')}={value}\n" for name, value in self.settings.items()))

    def by_certificate(self):
        """Options of whoever comes in at `signed`."""
        files = self.folder.path
        return {"kafka.bootstrap.servers": self.signed, "kafka.security.protocol": "ssl", "kafka.ssl.ca.location": files / "ca.pem",
                "kafka.ssl.certificate.location": files / f"{ENGINE}.pem", "kafka.ssl.key.location": files / f"{ENGINE}.key"}

    def java(self, *arguments):
        return ["java", "-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", *FLAGS, "-cp", self.classes, *arguments]

    def format(self):
        storage = self.java("kafka.tools.StorageTool")
        self.cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        users = [word for user in (ENGINE, HELPER) for bits in (256, 512)
                 for word in ("--add-scram", f"SCRAM-SHA-{bits}=[name={user},password={PASSWORD},iterations=4096]")]
        done = subprocess.run([*storage, "format", f"--cluster-id={self.cluster}", "-c", str(self.properties), *users],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"Kafka's storage was not formatted: {done.stderr}{done.stdout}")

    def start(self):
        self.log = open(self.folder.path / "log", "ab")
        self.process = place.start(self.java("kafka.Kafka", str(self.properties)), stdout=self.log, stderr=self.log,
                                   cwd=self.folder.path)
        place.wait_until(self.answers, 180, f"Kafka {self.version} answers")

    def answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"Kafka ended: {(self.folder.path / 'log').read_text()[-4000:]}")
        host, port = self.address.split(":")
        with socket.create_connection((host, int(port)), timeout=1):
            return True

    def stop(self):
        """Ends the broker; its data stay, for `start`."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def kill(self):
        """The same without its leave."""
        self.process.kill()
        self.process.wait()
        self.log.close()

    def close(self):
        self.stop()
        self.folder.close()

    # ---- what tests do with it

    def tool(self, *arguments, lines=None, timeout=120):
        done = subprocess.run([place.program("kafka_tool"), self.address, *map(str, arguments)], timeout=timeout,
                              input="".join(line + "\n" for line in lines or []), capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return done.stdout.splitlines()

    def create(self, topic, partitions=1, **config):
        self.tool("create", topic, partitions, *(f"{name.replace('_', '.')}={value}" for name, value in config.items()))
        place.wait_until(lambda: self.is_led(topic), 30, f"{topic} has its leaders")

    def is_led(self, topic):
        """Do its leaders answer? Before, a producer's first records may be sent again behind later ones."""
        try:
            return self.ends(topic)
        except RuntimeError:
            return False

    def produce(self, topic, records, transaction=None, setting=None):
        """`setting`: one of librdkafka's, such as partitioner=consistent_random."""
        self.tool("produce", topic, *filter(None, (transaction, setting)), lines=map(to_line, records))

    def feed(self, topic, lines, *words, timeout=120):
        """Produces lines as they come, more of them than fit into memory; `words` as `kafka_tool produce` has them."""
        command = [place.program("kafka_tool"), self.address, "produce", topic, *words]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as tool:
            with contextlib.suppress(BrokenPipeError):  # it has failed and says why
                tool.stdin.writelines(f"{line}\n" for line in lines)
            _, said = tool.communicate(timeout=timeout)
        if tool.returncode:
            raise RuntimeError(said.strip())

    @contextlib.contextmanager
    def weave(self, topic):
        """Several producers at a time, whose transactions lie one in another: a Weave."""
        command = [place.program("kafka_tool"), self.address, "weave", topic]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tool:
            yield Weave(tool)

    def java_produce(self, topic, records, *settings):
        """The same by Java's own client; keys and values without a tab or the end of a line."""
        room = "kafka.tools" if self.version.startswith("3.") else "org.apache.kafka.tools"
        command = self.java(f"{room}.ConsoleProducer", "--bootstrap-server", self.address, "--topic", topic,
                            "--property", "parse.key=true", *(word for s in settings for word in ("--producer-property", s)))
        subprocess.run(command, input=b"".join(r.key + b"\t" + r.value + b"\n" for r in records), check=True, timeout=60,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def consume(self, topic):
        """All that a reader of committed records sees, by partition and offset."""
        return sorted(self.stream(topic), key=lambda r: (r.partition, r.offset))

    def stream(self, topic):
        """The same, as they come, for topics that do not fit into memory."""
        command = [place.program("kafka_tool"), self.address, "consume", topic]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as tool:
            yield from map(from_line, tool.stdout)
        if tool.returncode != 0:
            raise RuntimeError(f"consuming {topic} failed")

    def ends(self, topic):
        return {int(p): int(offset) for p, offset in (line.split() for line in self.tool("ends", topic))}

    def leaders(self, topic):
        """{partition: number of its broker, or -1}"""
        return {int(p): int(leader) for p, leader in (line.split() for line in self.tool("leaders", topic))}

    def delete(self, topic):
        self.tool("delete", topic)
        place.wait_until(lambda: not self.is_led(topic), 30, f"{topic} has gone")

    def grow(self, topic, partitions):
        self.tool("grow", topic, partitions)
        place.wait_until(lambda: len(self.is_led(topic) or ()) == partitions, 30, f"{topic} has {partitions} partitions")

    def truncate(self, topic, partition, offset):
        """Deletes the records below."""
        self.tool("truncate", topic, partition, offset)

    def reset(self, group, topic, partition, offset=-1):
        """Sets an offset by hand, without metadata; -1: it is gone."""
        self.tool("reset", group, topic, partition, offset)

    def dismiss(self, group):
        """Ends the membership of all who are in a group, as each would have done before its end: nobody has to wait until
        the session of one that was killed is over. Kafka's protocol: LeaveGroup, version 0, a field after the other."""
        def text(word):
            return struct.pack(">h", len(word)) + word.encode()
        for member in self.tool("members", group):
            request = struct.pack(">hhi", 13, 0, 1) + text("tests") + text(group) + text(member)
            with socket.create_connection(self.address.split(":"), 10) as connection, connection.makefile("rb") as answers:
                connection.sendall(struct.pack(">i", len(request)) + request)
                *_, error = struct.unpack(">iih", answers.read(10))  # length, number of the request, error
            if error:
                raise RuntimeError(f"LeaveGroup of {member}: error {error}")

    def committed(self, group, topic):
        """{partition: (offset or -1, metadata)} of a group."""
        rows = (line.split() for line in self.tool("committed", group, topic))
        return {int(p): (int(offset), (from_hex(data) or b"").decode()) for p, offset, data in rows}


class Joined(Kafka):
    """A second broker, which leads no partition but of topics that are created, with `replicas`, while it is there. Internal topics have
    to be there before: they would go with it. Its leaders come back to it some seconds after it has."""

    def __init__(self, first, **settings):
        self.first = first
        super().__init__(first.version, **settings)

    def configure(self):
        port = place.free_port()
        self.address, self.classes = f"127.0.0.1:{port}", self.first.classes
        self.properties = self.folder.path / "server.properties"
        self.write_properties(JOINED.format(port=port, controller=self.first.controller, folder=self.folder.path))

    def format(self):
        subprocess.run([*self.java("kafka.tools.StorageTool"), "format", f"--cluster-id={self.first.cluster}", "-c", str(self.properties)],
                       capture_output=True, check=True)

    def wait_leaders(self, topic, *numbers):
        place.wait_until(lambda: set(self.first.leaders(topic).values()) == set(numbers), 30, f"{numbers} lead {topic}")

    def come_and_go(self, topic, work, settle):
        """Is worked while both lead the topic, while this one leaves, when it has left, while it comes back, and when it has;
        where brokers come and go just then, what has been done is not settled until they have."""
        self.wait_leaders(topic, 1, 2)
        work("both")
        settle()
        leaving = threading.Thread(target=self.stop)
        leaving.start()
        work("leaving")
        leaving.join()
        self.wait_leaders(topic, 1)
        work("one")
        settle()
        self.start()
        work("coming")
        self.wait_leaders(topic, 1, 2)
        work("both again")
        settle()


RUNNING = {}


def hurry():
    FLAGS[:] = ["-XX:TieredStopAtLevel=1"]


def broker(version=VERSIONS[0]):
    """The running broker of that version. It stays for whoever asks next: a start takes longer than most tests."""
    if version not in RUNNING:
        RUNNING[version] = Kafka(version)
    return RUNNING[version]


@atexit.register
def close():
    while RUNNING:
        RUNNING.popitem()[1].close()
