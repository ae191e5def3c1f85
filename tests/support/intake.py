"""`relance intake` in the world of one test: source topics, one output, a group of its own.

    with Mill(sources={"web": 3, "shop": 2}) as mill:
        mill.produce("web", [foreign("c-1", n=1)])
        with mill.running():
            mill.wait_read()
        mill.events()
"""
import contextlib
import itertools
import json

from support import kafka, place
from support.engine import Engine
from support.kafka import Record

NUMBERS = itertools.count()

# A shop's own JSON with other names. A `click` becomes one event; a `pair` two, of which the second needs `n`.
MAPPING = {
    "record": {"event": "string", "user": "string", "uid": "string", "n": "int"},
    "by": "record.event",
    "each": {"id": "${record.uid}", "customer": "${record.user}", "n": "${record.n}"},
    "events": {"click": {"type": "click"}, "pair": [{"type": "click"}, {"type": "view", "need": ["n"]}]},
}


def foreign(user, uid, event="click", n=None, key=None, partition=None, timestamp=None, headers=None):
    """A record of that shop: without a key, as its pipeline sends them."""
    body = {"event": event, "uid": uid, **({"user": user} if user is not None else {}), **({"n": n} if n is not None else {})}
    return Record(json.dumps(body).encode(), key=key, timestamp=timestamp, headers=headers or {}, partition=partition)


class Mill:
    def __init__(self, sources, version=kafka.VERSIONS[0], partitions=4, mapping=None):
        self.name = f"i{next(NUMBERS)}"
        self.kafka = kafka.broker(version)
        self.group, self.output = f"{self.name}.group", f"{self.name}.events"
        self.sources = {source: f"{self.name}.{source}" for source in sources}
        for source, count in sources.items():
            self.kafka.create(self.sources[source], count)
        for topic in (self.output, f"{self.output}.dead"):
            self.kafka.create(topic, partitions)
        self.folder = place.Folder("intake")
        self.mapping = self.folder.path / "mapping.jsonc"
        self.mapping.write_text(json.dumps(mapping or MAPPING))
        self.runs = itertools.count()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.close()

    def start(self, *words, **options):
        """A process of `relance intake`; None takes an option away; `words` are further ones."""
        options = {"kafka.bootstrap.servers": self.kafka.address, "group": self.group, "output": self.output,
                   "input": ",".join(self.sources.values()), "mapping": self.mapping,
                   "kafka.session.timeout.ms": 3000, "kafka.heartbeat.interval.ms": 300, **options}
        given = [f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}")
                 for name, value in options.items() if value is not None]
        return Engine([place.program("relance"), "intake", *given, *words], self.folder.path / f"log-{next(self.runs)}")

    @contextlib.contextmanager
    def running(self, *words, **options):
        """One that must still be there at the end, and end well."""
        process = self.start(*words, **options)
        try:
            yield process
            if not process.is_running():
                raise RuntimeError(f"intake ended by itself: {process.output()[-4000:]}")
        finally:
            status, _ = process.stop()
        if status != 0:
            raise RuntimeError(f"intake ended with {status}: {process.output()[-4000:]}")

    def refusal(self, *words, **options):
        """Runs it where it has to refuse: its exit status and what it said."""
        process = self.start(*words, **options)
        status, _ = process.stop(None, 30)
        return status, process.output()

    def produce(self, source, records):
        self.kafka.produce(self.sources[source], records)

    def is_read(self, *sources):
        """Have all records of the sources been dealt with, in committed transactions?"""
        topics = [self.sources[source] for source in sources or self.sources]
        return all(self.kafka.committed(self.group, topic)[p][0] >= end
                   for topic in topics for p, end in self.kafka.ends(topic).items() if end)

    def wait_read(self, *sources, seconds=60):
        place.wait_until(lambda: self.is_read(*sources), seconds, f"{self.group} has read all", pause_s=0.2)

    def events(self):
        return self.kafka.consume(self.output)

    def dead(self):
        return self.kafka.consume(f"{self.output}.dead")
