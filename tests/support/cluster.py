"""A private Redis Cluster for tests: masters and as many replicas on ports of this machine, each a Redis of redis.py.

It answers as a Redis does, wherever the key is: `cluster("HGETALL", key)`, `cluster.hash(key)`. A master goes with
`cluster.master_of(key).kill()`; a slot goes to another one step by step, `for step in cluster.migrate(slot, to): …`.
"""
import contextlib
import time

from support import place
from support.redis import ENGINE, PASSWORD, READER, RESHARD, Redis, RedisError

SLOTS = 16384
NODE_TIMEOUT_MS = 6000  # a master that is silent for so long is replaced; where others work, it may be so for seconds
ASK_AGAIN_S = 6  # Redis gives a CLUSTER FAILOVER up after 5 s, and says so nowhere but in its log


class Node(Redis):
    def __init__(self, **config):
        self.port = place.free_port()
        super().__init__(port=str(self.port), bind="127.0.0.1", cluster_enabled="yes", cluster_port=str(place.free_port()),
                         cluster_node_timeout=str(NODE_TIMEOUT_MS), cluster_replica_validity_factor="0", **config)

    def id(self):
        return self("CLUSTER", "MYID").decode()

    def state(self):
        lines = self("CLUSTER", "INFO").decode().splitlines()
        return dict(line.split(":") for line in lines)["cluster_state"]

    def is_alive(self):
        return self.process.poll() is None

    def is_master(self):
        return self.is_alive() and self.info("replication")["role"] == "master"


class Cluster:
    def __init__(self, masters=3, replicas=3, **config):
        self.nodes = [Node(**config) for _ in range(masters + replicas)]
        first, firsts = self.nodes[0], self.nodes[:masters]
        for epoch, node in enumerate(self.nodes, 1):
            node("CLUSTER", "SET-CONFIG-EPOCH", epoch)
            if node is not first:
                node("CLUSTER", "MEET", "127.0.0.1", first.port, first.config["cluster-port"])
        for n, node in enumerate(firsts):
            node("CLUSTER", "ADDSLOTSRANGE", SLOTS * n // masters, SLOTS * (n + 1) // masters - 1)
        for node in self.nodes:
            place.wait_until(lambda node=node: node("CLUSTER", "NODES").count(b"\n") == len(self.nodes), 20, "all know each other")
        for n, node in enumerate(self.nodes[masters:]):
            node("CLUSTER", "REPLICATE", firsts[n % masters].id())
        self.wait_whole()
        self.url, self.reader_url, self.reshard_url = (self.url_for(user) for user in (ENGINE, READER, RESHARD))

    def url_for(self, user, database=""):
        """It names a replica first: any node of a cluster says where the others are."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in (self.nodes[-1], *self.nodes[:2]))
        return f"redis://{user}:{PASSWORD}@{hosts}/{database}"

    def wait_whole(self):
        """Every node that runs finds the cluster whole, and every replica follows its master."""
        place.wait_until(lambda: all(node.state() == "ok" and self.is_linked(node) for node in self.nodes if node.is_alive()),
                         60, "the cluster is whole")

    def is_linked(self, node):
        return node.info("replication").get("master_link_status", "up") == "up"

    def close(self):
        for node in self.nodes:
            if node.is_alive():
                node.stop()
            node.folder.close()

    # ---- who has what

    def slot(self, key):
        return self.anybody()("CLUSTER", "KEYSLOT", key)

    def anybody(self):
        return next(node for node in self.nodes if node.is_alive())

    def master_of(self, key):
        """Whoever says that it has the slot of this key."""
        def found():
            for node in self.nodes:
                if node.is_alive() and self.has(node, key):
                    return node
            return None
        return place.wait_until(found, 60, f"somebody has {key}")

    def has(self, node, key):
        try:
            return node("EXISTS", key) is not None
        except RedisError as error:
            return str(error).startswith("ASK ")  # it is the one to be asked first

    def replica_of(self, master):
        return next(node for node in self.nodes if node.is_alive() and node.info("replication").get("master_port") == str(master.port))

    def masters(self):
        return [node for node in self.nodes if node.is_master()]

    # ---- the keys, wherever they are

    def __call__(self, verb, key, *words):
        return self.master_of(key)(verb, key, *words)

    def hash(self, key):
        def read():
            try:
                return [self.master_of(key).hash(key)]
            except RedisError:  # it has just moved
                return None
        return place.wait_until(read, 60, f"{key} can be read")[0]

    # ---- what is done to it

    def migrate(self, slot, source, target):
        """A slot goes from one master to the other; after each small step this yields, so that something may happen there."""
        target("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id())
        yield "importing"
        source("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id())
        yield "migrating"
        while keys := source("CLUSTER", "GETKEYSINSLOT", slot, 1):
            source("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
            yield keys[0].decode()
        for node in (target, source, *(other for other in self.masters() if other not in (target, source))):
            node("CLUSTER", "SETSLOT", slot, "NODE", target.id())
            yield "told"

    def settle(self, slot, key):
        """Waits until somebody has the slot. A master that is replaced while it is told of a slot can leave it with nobody: then,
        when a failover would be over, it goes to whoever has most of its keys, as with `redis-cli --cluster fix`."""
        patience_s = time.monotonic() + 20

        def fixed():
            if any(self.has(node, key) for node in self.masters()):
                return True
            if time.monotonic() > patience_s:
                self.give(slot, max(self.masters(), key=lambda node: node("CLUSTER", "COUNTKEYSINSLOT", slot)))
            return False
        place.wait_until(fixed, 60, f"somebody has slot {slot}", pause_s=0.5)

    def give(self, slot, owner):
        print(f"nobody has slot {slot}: it is given to {owner.port}", flush=True)
        for node in (owner, *(other for other in self.masters() if other is not owner)):
            try:
                node("CLUSTER", "SETSLOT", slot, "NODE", owner.id())
            except RedisError as error:
                print(f"{node.port}: {error}", flush=True)

    def hand_over(self, replica):
        """CLUSTER FAILOVER, asked for again until it has come true."""
        asked = float("-inf")

        def has_come():
            nonlocal asked
            if not replica.is_master() and time.monotonic() - asked > ASK_AGAIN_S:
                asked = time.monotonic()
                with contextlib.suppress(RedisError):  # it has just become master
                    replica("CLUSTER", "FAILOVER")
            return replica.is_master()
        place.wait_until(has_come, 60, "the replica that was asked is master")

    def replace(self, master, how):
        """Its replica takes over: `how` is kill (and the old one comes back as a replica) or ask (CLUSTER FAILOVER)."""
        replica = self.replica_of(master)
        if how == "kill":
            master.kill()
            place.wait_until(replica.is_master, 60, "the replica is master")
            time.sleep(0.5)
            master.start()
        else:
            self.hand_over(replica)
        self.wait_whole()
        return replica
