"""From an event to the committed action in a reader's hands: a lone one in a quiet shop, and under load beside the peers.

Alone, it is a ping that is answered at once. Under load, it is a cart that was filled an hour ago, so that its wait is over
as soon as it has begun: a rule that every engine has. One is sent every 20 ms, whether those before are answered or not,
among other events at a steady pace. Of a peer that is the time to its next checkpoint or commit, for which its reader
has to wait; ours publishes as it goes. A program that only passes the carts on is beside them.
"""
import functools
import statistics

from bench import contests, peers
from support import carts, kafka, place
from support.engine import World, running

RULES = {"events": {"ping": {}}, "rules": {"answer": {"on": "ping", "do": [{"send": "email"}]}}}
WARM, COUNT, PAUSE_MS = 20, 200, 20
WARM_S, LOAD_S = 20, 20


def row(times):
    """p50, p99 and the most, in ms."""
    times = sorted(times)
    return statistics.median(times), times[len(times) * 99 // 100], times[-1]


def lone():
    with World(RULES, redis_config=contests.REDIS) as world:
        with running(world):
            lines = world.kafka.tool("latency", world.input, world.output, WARM + COUNT, PAUSE_MS)
    return row([int(line) / 1000 for line in lines[WARM:]])


def load(broker, topic, output, rate):
    lines = broker.tool("load", topic, output, rate, WARM_S + LOAD_S, timeout=WARM_S + LOAD_S + 120)
    return row([int(line) / 1000 for line in lines[len(lines) * WARM_S // (WARM_S + LOAD_S):]])


def relance(rate):
    with World(carts.RULES, partitions=contests.PARTITIONS, lateness=contests.LATENESS, redis_config=contests.REDIS) as world:
        with running(world, workers=2, cache_bytes=contests.CACHE):
            return load(world.kafka, world.input, world.output, rate)


def answered(command, rate):
    """The same of a process that is not ours: `command` has the broker, a topic, the one for its answers and a folder of its own."""
    broker, folder = kafka.broker(), place.Folder("answered")
    topic, output = contests.new_topic("load"), contests.new_topic("answers")
    log = folder.path / "log"
    with open(log, "wb") as file:
        process = place.start(command(broker.address, topic, output, folder.path), stdout=file, stderr=file)
    try:
        return load(broker, topic, output, rate)
    except RuntimeError as error:
        raise RuntimeError(f"{error}: {log.read_text(errors='replace')[-4000:]}") from error
    finally:
        process.kill()
        process.wait()
        folder.close()
        for name in topic, output:
            broker.delete(name)


def passing(rate):
    """No engine: a program that reads as librdkafka does and passes the carts on as they come, at least once."""
    return answered(lambda address, topic, output, _: [place.program("kafka_tool"), address, "pass", topic, output, "probe-"], rate)


def peer(system, store, rate, **words):
    return answered(lambda address, topic, output, folder: peers.command(
        system, contests.built(system), workload="carts", store=store, brokers=address, topic=topic, out=output, dir=folder, bounded="false",
        **words), rate)


ROWS = {
    "Relance": relance,
    "passing on alone": passing,
    "Flink, heap, a checkpoint a second": functools.partial(peer, peers.FLINK, "heap", checkpoint=1000),
    "Kafka Streams, memory, a commit every 100 ms": functools.partial(peer, peers.STREAMS, "memory", commit=100, linger=5),
}
