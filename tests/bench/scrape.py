"""What it costs an engine to be scraped 50 times a second by 20 clients, in events per CPU-second: sh tests/bench/run.sh
scrape.py [EVENTS [ROUNDS]]

A round is two runs over the same topic, one engine that nobody can ask and one that is asked, in turn the one and the other
first; the figure is the median of the rounds' ratios, since the machine's own speed drifts. Beside it stands what the server's
thread has used by itself. Nothing is asserted.
"""
import http.client
import os
import pathlib
import statistics
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import kafka, place
from support.engine import World
from support.kafka import event

PARTITIONS, BATCH, CUSTOMERS, TYPES = 4, 20000, 50000, 12
CLIENTS, SCRAPES_PER_S = 20, 50
RULES = {"stale": "3650d", "events": {f"type_{n}": {"cart": "string", "total": "double"} for n in range(TYPES)},
         "counts": {f"count_{n}": {"on": f"type_{n}"} for n in range(TYPES)},
         "rules": {f"rule_{n}": {"on": f"type_{n}", "key": "event.cart", "if": "event.total > 20.0", "again": "rearm",
                                 "do": [{"after": "45m", "send": "email"}]} for n in range(TYPES)}}


def fill(world, count):
    """Ten minutes of a shop, so that no wait falls due."""
    for begin in range(0, count, BATCH):
        world.produce([event(f"c-{n * 7919 % CUSTOMERS}", f"type_{n % TYPES}", time=stamp(n * 600 / count), cart=f"k-{n % 3}", total=n % 40)
                       for n in range(begin, min(begin + BATCH, count))])


def stamp(seconds):
    return time.strftime("2026-03-02T10:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03d}Z"


class Clients:
    """20 clients, each of which asks 2.5 times a second, until told to end."""

    def __init__(self, port):
        self.port, self.ends, self.answers, self.size = port, threading.Event(), [0] * CLIENTS, 0
        self.threads = [threading.Thread(target=self.ask_on, args=(n,)) for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def ask_on(self, number):
        self.ends.wait(number / SCRAPES_PER_S)
        while not self.ends.wait(CLIENTS / SCRAPES_PER_S):
            link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                link.request("GET", "/metrics")
                answer = link.getresponse()
                self.size = max(self.size, len(answer.read()))
                self.answers[number] += answer.status == 200
            except OSError:  # it has not begun, or has ended
                pass
            finally:
                link.close()

    def close(self):
        self.ends.set()
        for thread in self.threads:
            thread.join()


def server_s(pid):
    """CPU-seconds of the threads that libmicrohttpd has named, by the scheduler's clock."""
    used = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().startswith("MHD"):
            used += int((task / "schedstat").read_text().split()[0])
    return used / 1e9


def run(world, number, is_scraped):
    """CPU-seconds of a run, of the server's thread in it, its seconds, scrapes that were answered, bytes of the largest answer."""
    port = place.free_port()
    world.group = f"{world.input}.group{number}"
    world.redis("FLUSHALL")
    for topic in (world.output, f"{world.output}.dead", f"{world.output}.marks", f"{world.output}.links"):
        world.kafka.create(f"{topic}", PARTITIONS)
    begin = time.monotonic()
    engine = world.engine(stop_at_end=True, listen=port if is_scraped else None)
    clients, own, ended = Clients(port) if is_scraped else None, 0, 0
    while not ended:
        time.sleep(0.05)
        try:
            own = max(own, server_s(engine.pid))  # at the end its thread is gone
        except OSError:
            pass
        ended, status, usage = os.wait4(engine.pid, os.WNOHANG)
    seconds = time.monotonic() - begin
    if clients:
        clients.close()
    engine.process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise RuntimeError(f"the engine ended with {engine.process.returncode}: {engine.output()[-4000:]}")
    return usage.ru_utime + usage.ru_stime, own, seconds, sum(clients.answers) if clients else 0, clients.size if clients else 0


def main(events="1500000", rounds="7"):
    count, ratios = int(events), []
    with World(RULES, partitions=PARTITIONS) as world:
        fill(world, count)
        output = world.output
        print(f"{count:,} events; per CPU-second      alone    scraped   ratio   scrapes a second   bytes   the server's thread: us each, % of all")
        for n in range(int(rounds)):
            both = {}
            for is_scraped in ((False, True), (True, False))[n % 2]:
                world.output = f"{output}.{n}.{int(is_scraped)}"
                both[is_scraped] = run(world, f"{n}-{int(is_scraped)}", is_scraped)
            alone, (cpu, own, seconds, answers, size) = both[False][0], both[True]
            ratios.append(alone / cpu)
            print(f"round {n + 1:<25} {count / alone:9,.0f}  {count / cpu:9,.0f}   {ratios[-1]:5.3f} {answers / seconds:18.0f} {size:7} {own / max(1, answers) * 1e6:29.0f} {100 * own / cpu:8.2f}",
                  flush=True)
    print(f"median of the ratios: {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    finally:
        kafka.close()
