"""Two servers, each the replica of the other in turn, and three sentinels that watch them.

    with Watched("redis-server") as pair:
        pair.url            # asks the sentinels
        pair.be_killed()    # the master is killed and comes back as a replica; also asked, lagging

`trust`, a folder of support/certificates.py, has all of them speak TLS.
"""
import contextlib
import socket
import ssl
import subprocess

from support import place
from support.redis import ENGINE, PASSWORD, READER, Link, Redis, RedisError

NAME = "shop"
DOWN_MS = 300  # so long a server is silent before a sentinel takes it for dead
# How often sentinels do what they do; their own seconds would make a failover last half a minute.
HASTE = {"info-period": 200, "ping-period": 100, "publish-period": 200, "ask-period": 100, "slave-reconf-timeout": 1000,
         "failover-timeout": 2000, "election-timeout": 1000, "tilt-period": 1000}
REPLICA = ["--user", "replica", "on", f">{PASSWORD}", "+psync", "+replconf", "+ping"]


class Sentinel(Link):
    def __init__(self, program, master_port, config):
        self.folder = place.Folder("sentinel")
        self.port, self.trust = place.free_port(), config.get("tls-ca-cert-file")
        lines = [f"{'tls-port' if self.trust else 'port'} {self.port}", "bind 127.0.0.1", f"dir {self.folder.path}",
                 f"logfile {self.folder.path}/log", *(f"{name} {value}" for name, value in config.items()),
                 f"sentinel monitor {NAME} 127.0.0.1 {master_port} 2", f"sentinel down-after-milliseconds {NAME} {DOWN_MS}",
                 f"sentinel failover-timeout {NAME} {HASTE['failover-timeout']}"]
        file = self.folder.path / "sentinel.conf"
        file.write_text("\n".join(lines + ["port 0"] * bool(self.trust)) + "\n")
        self.process = place.start([program, str(file), "--sentinel"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        place.wait_until(self.connect, 10, "a sentinel answers")
        for name, value in HASTE.items():
            with contextlib.suppress(RedisError):  # the older have not all of them
                self("SENTINEL", "DEBUG", name, value)

    def connect(self):
        link = socket.create_connection(("127.0.0.1", self.port), 10)
        if self.trust:
            folder = place.pathlib.Path(self.trust).parent
            context = ssl.create_default_context(cafile=self.trust)
            context.load_cert_chain(folder / "broker.pem")
            link = context.wrap_socket(link, server_hostname="127.0.0.1")
        self.attach(link)
        return self("PING") == b"PONG"

    def master_port(self):
        return int(self("SENTINEL", "get-master-addr-by-name", NAME)[1])

    def sees(self, replica_port):
        """Is that its one replica, and fit to take over? And are there the others?"""
        found = [dict(zip(row[::2], row[1::2])) for row in self("SENTINEL", "replicas", NAME)]
        fit = [row for row in found if row[b"port"] == b"%d" % replica_port and row[b"flags"] == b"slave" and
               row.get(b"master-link-status") == b"ok"]
        return fit and len(self("SENTINEL", "sentinels", NAME)) == 2

    def close(self):
        self.link.close()
        self.process.kill()
        self.process.wait()
        self.folder.close()


class Watched:
    def __init__(self, program="redis-server", trust=None):
        tls = {"tls-cert-file": trust / "server.pem", "tls-key-file": trust / "server.key", "tls-ca-cert-file": trust / "ca.pem",
               "tls-replication": "yes", "tls-auth-clients": "optional"} if trust else {}
        self.tls = {name: str(value) for name, value in tls.items()}
        port = "tls-port" if trust else "port"
        config = {"bind": "127.0.0.1", "repl-diskless-sync-delay": "0", "masteruser": "replica", "masterauth": PASSWORD, **self.tls}
        self.master, self.replica = (Redis(program, ["+role"], REPLICA, **{**config, port: str(place.free_port())}) for _ in "ab")
        self.port_of = {server: int(server.config[port]) for server in (self.master, self.replica)}
        self.replica("REPLICAOF", "127.0.0.1", self.port_of[self.master])
        self.sentinels = [Sentinel(program, self.port_of[self.master], self.tls) for _ in range(3)]
        self.url, self.reader_url = self.url_for(ENGINE), self.url_for(READER)
        self.wait_fit()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for server in (*self.sentinels, self.master, self.replica):
            server.close()

    def url_for(self, user, name=NAME, ports=None):
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports or [sentinel.port for sentinel in self.sentinels])
        scheme, asked = ("sentinels", f"?ca={self.tls['tls-ca-cert-file']}") if self.tls else ("sentinel", "")
        return f"{scheme}://{user}:{PASSWORD}@{hosts}/{name}/0{asked}"

    def hash(self, key):
        return self.again(lambda: self.master.hash(key), self.master)

    def again(self, ask, server):
        """Asks that server; sentinels end all connections to those whose role they change, ours too."""
        try:
            return ask()
        except OSError:
            server.connect()
            return ask()

    def is_linked(self):
        return self.again(lambda: self.replica.info("replication"), self.replica).get("master_link_status") == "up"

    # ---- failovers: each returns when the next one may come

    def wait_fit(self):
        place.wait_until(lambda: self.is_linked() and
                         all(sentinel.master_port() == self.port_of[self.master] and sentinel.sees(self.port_of[self.replica])
                             for sentinel in self.sentinels), 30, "the replica is fit to take over", pause_s=0.1)

    def is_promoted(self):
        return self.again(lambda: self.replica("ROLE"), self.replica)[0] == b"master" and \
            all(sentinel.master_port() == self.port_of[self.replica] for sentinel in self.sentinels)

    def wait_promoted(self, urge=lambda: None):
        place.wait_until(lambda: self.is_promoted() or urge(), 30, "the replica is the master", pause_s=0.2)
        self.master, self.replica = self.replica, self.master

    def ask(self):
        """A failover that was begun may be given up for want of a fit replica or of votes, and is asked for again."""
        first = self.sentinels[0]
        with contextlib.suppress(RedisError):  # one is under way, or no replica is fit yet
            if first.master_port() == self.port_of[self.master]:
                first("SENTINEL", "FAILOVER", NAME)

    def be_asked(self):
        """Both go on: the old master finds itself a replica."""
        self.wait_promoted(self.ask)
        self.wait_fit()

    def be_killed(self):
        self.master.kill()
        self.wait_promoted()
        self.replica.start()
        self.replica("REPLICAOF", "127.0.0.1", self.port_of[self.master])
        self.wait_fit()

    def be_cut_off(self):
        """The replica hears no more of its master: what that takes from now on will be lost."""
        self.again(lambda: self.master("ACL", "SETUSER", "replica", "off"), self.master)
        self.master("CLIENT", "KILL", "TYPE", "replica")
