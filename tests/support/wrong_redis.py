"""A door to a Redis through which answers come wrong.

    with WrongRedis(back=redis.socket, front=path) as door:
        door.garble("HGETALL", "a number")              # every answer to that command
        door.garble("EXEC", "closes in the middle", 1)  # the next one

Commands arrive as they were sent, and are done. WAYS has all that an answer can come to.
"""
import contextlib
import socket
import threading
import time

CURSOR = b"*2\r\n$3\r\n123\r\n*0\r\n"


class Ways:
    """What comes instead of an answer: bytes, or what to do with the right ones."""
    whole = {
        "a word": b"+OK\r\n",
        "another word": b"+PONG\r\n",
        "a number": b":7\r\n",
        "a negative number": b":-7\r\n",
        "a number beyond 64 bits": b":99999999999999999999\r\n",
        "no number": b":abc\r\n",
        "a text": b"$3\r\nabc\r\n",
        "an empty text": b"$0\r\n\r\n",
        "nothing": b"$-1\r\n",
        "no list": b"*-1\r\n",
        "an empty list": b"*0\r\n",
        "a list of one": b"*1\r\n$1\r\na\r\n",
        "a list of three": b"*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n",
        "a list of numbers": b"*2\r\n:1\r\n:2\r\n",
        "a list with an error": b"*2\r\n:1\r\n-ERR no\r\n",
        "lists in a list": b"*2\r\n*1\r\n$1\r\na\r\n*0\r\n",
        "lists in lists in lists": b"*1\r\n" * 20 + b":1\r\n",
        "more elements than there can be": b"*2000000000\r\n",
        "fewer elements than none": b"*-5\r\n",
        "a text longer than there can be": b"$99999999999\r\nabc",
        "a text shorter than none": b"$-5\r\n",
        "another protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
        "zeros": bytes(64),
        "a map of RESP3": b"%1\r\n+a\r\n:1\r\n",
        "a cursor without end": CURSOR,
        "a cursor that is none": b"*2\r\n$3\r\nabc\r\n*0\r\n",
        "an error": b"-ERR something is wrong\r\n",
        "an error with orders to terminals": b"-ERR \x1b[2J\x07\r\n",
        "LOADING": b"-LOADING Redis is loading the dataset in memory\r\n",
        "READONLY": b"-READONLY You can't write against a read only replica.\r\n",
        "MOVED": b"-MOVED 3999 127.0.0.1:6381\r\n",
        "ASK": b"-ASK 3999 127.0.0.1:6381\r\n",
        "TRYAGAIN": b"-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
        "NOAUTH": b"-NOAUTH Authentication required.\r\n",
        "EXECABORT": b"-EXECABORT Transaction discarded because of previous errors.\r\n",
    }
    acts = ("half of it and silence", "half of it and the end", "silence", "the end", "a byte a second", "twice")


WAYS = [*Ways.whole, *Ways.acts]
SLOW = ("half of it and silence", "silence", "a byte a second", "a text longer than there can be", "a cursor without end")


class Reader:
    """Takes whole requests or answers off a stream, as bytes."""

    def __init__(self, link):
        self.stream = link.makefile("rb")

    def line(self):
        line = self.stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError
        return line

    def take(self):
        line = self.line()
        kind, rest = line[:1], line[1:-2]
        if kind == b"$" and int(rest) >= 0:
            return line + self.stream.read(int(rest) + 2)
        if kind == b"*":
            return line + b"".join(self.take() for _ in range(max(int(rest), 0)))
        return line


def verb(request):
    """The command's name: the first of its words."""
    return request.split(b"\r\n", 3)[2].decode().upper()


class WrongRedis:
    def __init__(self, back, front):
        self.back, self.lock, self.wrong, self.garbled = back, threading.Lock(), {}, 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(front)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.heal()
        self.listener.close()

    def garble(self, command, way, times=None):
        with self.lock:
            self.wrong[command] = [way, times]

    def heal(self):
        with self.lock:
            self.wrong.clear()

    # ---- a thread for each connection

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _way(self, command):
        with self.lock:
            found = self.wrong.get(command) or self.wrong.get("*")
            if not found or found[1] == 0:
                return None
            if found[1]:
                found[1] -= 1
            self.garbled += 1
            return found[0]

    def _serve(self, client):
        with contextlib.suppress(OSError, ValueError, IndexError), client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.back)
            requests, answers = Reader(client), Reader(server)
            while True:
                request = requests.take()
                server.sendall(request)
                answer = answers.take()
                way = None if verb(request) in ("AUTH", "SELECT") else self._way(verb(request))
                self._give(client, answer, way)

    def _give(self, client, answer, way):
        if way in Ways.whole:
            client.sendall(Ways.whole[way])
        elif way == "twice":
            client.sendall(answer * 2)
        elif way == "a byte a second":
            for at in range(len(answer)):
                client.sendall(answer[at:at + 1])
                time.sleep(1)
        elif way is None:
            client.sendall(answer)
        else:
            client.sendall(answer[:len(answer) // 2] if way.startswith("half") else b"")
            if way.endswith("silence"):
                client.recv(1)  # until the other side gives up
            raise ConnectionError
