"""Who may do what in Kafka: the three requests of its protocol that it takes (librdkafka 2.0.2 knows no transactional
ids here, and Kafka's own command takes a JVM and two seconds each time).

    acls = Acls("127.0.0.1:9092")       # a listener at which we may do anything
    acls.allow("User:relance", [("topic", "prefixed", "shop.", "Read")])

A right is (resource, literal or prefixed, name, operation). Both calls return when the broker itself knows.
"""
import socket
import struct

from support import place

DESCRIBE, CREATE, DELETE, VERSION = 29, 30, 31, 1
ANY, ALLOW = 1, 3
RESOURCES = {"topic": 2, "group": 3, "cluster": 4, "transactional id": 5}
PATTERNS = {"literal": 3, "prefixed": 4}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10, "IdempotentWrite": 12}


def text(word):
    return struct.pack(">h", -1) if word is None else struct.pack(">h", len(word.encode())) + word.encode()


def row(principal, right, permission=ALLOW):
    resource, pattern, name, operation = right
    return (struct.pack(">b", RESOURCES[resource]) + text(name) + struct.pack(">b", PATTERNS[pattern]) + text(principal)
            + text("*") + struct.pack(">bb", OPERATIONS[operation], permission))


class Acls:
    def __init__(self, address):
        self.address = address

    def ask(self, key, body):
        """One request and its answer, behind its number and the time it was held back."""
        host, port = self.address.split(":")
        request = struct.pack(">hhi", key, VERSION, 0) + text("tests") + body
        with socket.create_connection((host, int(port)), timeout=10) as link:
            link.sendall(struct.pack(">i", len(request)) + request)
            stream = link.makefile("rb")
            return stream.read(struct.unpack(">i", stream.read(4))[0])[8:]

    def change(self, key, principal, rights):
        answer = self.ask(key, struct.pack(">i", len(rights)) + b"".join(row(principal, right) for right in rights))
        [error] = struct.unpack(">h", answer[4:6])
        if error:
            raise RuntimeError(f"Kafka refuses to change rights: error {error}")

    def is_known(self, principal, right):
        answer = self.ask(DESCRIBE, row(principal, right))
        error, message = struct.unpack(">hh", answer[:4])
        if error:
            raise RuntimeError(f"Kafka does not tell rights: error {error}")
        return struct.unpack(">i", answer[4 + max(message, 0):][:4])[0] > 0

    def allow(self, principal, rights):
        self.change(CREATE, principal, rights)
        place.wait_until(lambda: all(self.is_known(principal, right) for right in rights), 10, "the rights are given")

    def take(self, principal, rights):
        self.change(DELETE, principal, rights)
        place.wait_until(lambda: not any(self.is_known(principal, right) for right in rights), 10, "the rights are taken")
