"""A private Redis for tests: a unix socket in a folder of its own, append-only, never evicting.

`url` is for the engine, `reader_url` for those who only look, `reshard_url` for resharding, `learn_url` for the learner: users with the rights that the manual gives them
and no others. The test itself is the default user, who may do anything.
"""
import shutil
import socket
import subprocess

from support import place, rights

SERVERS = [name for name in ("redis-server", "valkey-server") if shutil.which(name)]
ENGINE, READER, RESHARD, LEARN, PASSWORD = "relance", "relance-reader", "relance-reshard", "relance-learn", "hush-redis"


class RedisError(Exception):
    pass


class Link:
    """A connection to a server, and the protocol as far as tests need it."""

    def attach(self, link):
        self.link = link
        self.stream = link.makefile("rb")

    def __call__(self, *words):
        """One command and its reply: bytes, int, list or None."""
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.link.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return self.reply()

    def reply(self):
        line = self.stream.readline()
        if not line:
            raise ConnectionError("Redis has gone")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if int(rest) < 0:
            return None
        if kind == b"$":
            return self.stream.read(int(rest) + 2)[:-2]
        return [self.reply() for _ in range(int(rest))]

    def hash(self, key):
        flat = self("HGETALL", key)
        return {name.decode(errors="surrogateescape"): value for name, value in zip(flat[::2], flat[1::2])}

    def info(self, section):
        lines = self("INFO", section).decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)


class Redis(Link):
    def __init__(self, program="redis-server", more_rights=(), more_users=(), **config):
        self.program, self.more_rights, self.more_users = program, more_rights, more_users
        self.folder = place.Folder("redis")
        self.socket = str(self.folder.path / "s")
        self.url, self.reader_url, self.reshard_url, self.learn_url = (self.url_at(self.socket, user) for user in (ENGINE, READER, RESHARD, LEARN))
        self.config = {"port": "0", "unixsocket": self.socket, "dir": str(self.folder.path), "save": "",
                       "appendonly": "yes", "maxmemory-policy": "noeviction", "logfile": str(self.folder.path / "log"),
                       **{name.replace("_", "-"): value for name, value in config.items()}}
        self.start()

    def tcp_url(self, user=ENGINE, host="127.0.0.1", **settings):
        """The URL over TCP: of TLS where it has a port for that. `settings` are what stands behind the question mark."""
        port, scheme = self.config.get("tls-port"), "rediss"
        if not port:
            port, scheme = self.config["port"], "redis"
        asked = "&".join(f"{name}={value}" for name, value in settings.items())
        return f"{scheme}://{user}:{PASSWORD}@{host}:{port}/0" + (f"?{asked}" if asked else "")

    def url_at(self, path, user=ENGINE):
        """The URL for somebody who comes in at another socket, such as a proxy's."""
        return f"unix://{user}:{PASSWORD}@{path}"

    def start(self):
        options = [word for name, value in self.config.items() for word in (f"--{name}", value)]
        for user in (ENGINE, READER, RESHARD, LEARN):
            options += ["--user", user, "on", f">{PASSWORD}", *rights.redis_rules(user), *self.more_rights]
        self.process = place.start([self.program, *options, *self.more_users], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        place.wait_until(self.connect, 10, "Redis answers")

    def connect(self):
        link = socket.socket(socket.AF_UNIX)
        link.connect(self.socket)
        self.attach(link)
        try:
            return self("PING") == b"PONG"
        except RedisError:  # still loading
            self.link.close()
            return False

    def stop(self):
        self.link.close()
        self.process.terminate()
        self.process.wait(20)

    def kill(self):
        self.link.close()
        self.process.kill()
        self.process.wait()

    def close(self):
        self.stop()
        self.folder.close()
