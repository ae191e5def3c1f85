"""What the live view costs with 300 rules and 8 partitions: sh tests/bench/run.sh view.py [RULES [VIEWERS [SECONDS]]]

Redis holds what engines would have written: the rule set, counters of each rule and step, 48 h of minutes, a customer. Viewers
ask as the page does, every two seconds, with If-None-Match. Printed are the time to a whole answer, what `relance serve` uses of a
CPU and of memory, and what Redis is asked a second, alone and with all viewers. Nothing is asserted.
"""
import http.client
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import place
from support.redis import READER, Redis

PARTITIONS, MINUTES, GROUP, INPUT = 8, 2880, "shop", "shop.events"
OUTCOMES = ("started", "sent", "held", "goal", "cancelled", "capped", "finished", "deferred", "skipped", "cooling")
PATHS = ("/", "/app.js", "/api/now", "/api/report", "/api/rules", "/api/customer?id=anna", "/api/minutes?name=events&name=sent.email&name=lag")


def fill(redis, rules):
    text = json.dumps({"events": {"ping": {"cart": "string", "total": "double"}},
                       "rules": {f"rule_{n}": {"on": "ping", "key": "event.cart", "if": f"event.total > {n}.0", "do": [{"after": "1h", "send": "email", "with": {"n": n}}, {"after": "1d", "send": "push"}]}
                                 for n in range(rules)}})
    wall = int(time.time() * 1000)
    counters = {"events": "100000", "sent.email": "5000"}
    for n in range(rules):
        counters |= {f"rule.rule_{n}.{outcome}": str(n) for outcome in OUTCOMES} | {f"rule.rule_{n}.step.{step}.{outcome}": str(n) for step in (1, 2) for outcome in ("sent", "capped")}
    for p in range(PARTITIONS):
        key = f"relance:{{{GROUP}:{INPUT}:{p}}}"
        meta = {"format": "3", "offset": "1000", "clock": str(wall), "wall": str(wall), "partitions": str(PARTITIONS), "rules_hash": "0123456789ab", "stamp": "x",
                "rules": json.dumps([{"name": "rules.json", "text": text}])}
        redis("HSET", f"{key}:meta", *[word for pair in meta.items() for word in pair])
        redis("HSET", f"{key}:metrics", *[word for pair in counters.items() for word in pair])
        redis("HSET", f"{key}:customers", "anna", b"\x83\xa1v\x03\xa1n\x00\xa1e\x00")
        for minute in range(MINUTES):
            redis("HSET", f"{key}:metrics:{time.strftime('%Y-%m-%dT%H:%M', time.gmtime(wall / 1000 - 60 * minute))}", "events", "30", "sent.email", "2")


def ask(port, path, etag=""):
    begin = time.monotonic()
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    link.request("GET", path, headers={"If-None-Match": etag} if etag else {})
    answer = link.getresponse()
    size = len(answer.read())
    link.close()
    return (time.monotonic() - begin) * 1000, answer.status, size, answer.headers.get("ETag", "")


def used(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def calls(redis):
    return sum(map(int, re.findall(r"cmdstat_(?:hgetall|hget):calls=(\d+)", redis("INFO", "commandstats").decode())))


def spent(pid, redis, seconds):
    cpu, count, begin = used(pid), calls(redis), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - begin
    return f"{100 * (used(pid) - cpu) / took:.1f} % of a CPU, {(calls(redis) - count) / took:.0f} questions to Redis a second"


def view(port, end, times):
    etag = ""
    while time.monotonic() < end:
        took, _, _, etag = ask(port, "/api/now", etag)
        times.append(took)
        time.sleep(2)


def main():
    rules, viewers, seconds = (int(word) for word in (*sys.argv[1:], *("300", "50", "10")[len(sys.argv) - 1:]))
    redis, port = Redis(), place.free_port()
    try:
        fill(redis, rules)
        process = subprocess.Popen([place.program("relance"), "serve", f"--listen={port}", f"--group={GROUP}", f"--input={INPUT}"],
                                   env={**os.environ, "RELANCE_REDIS": redis.reader_url}, stderr=subprocess.DEVNULL)
        place.wait_until(lambda: ask(port, "/api/report")[1] == 200, 20, "it is there")
        for path in PATHS:
            first, *more = [ask(port, path) for _ in range(50)]
            print(f"{path:48} {first[1]} {first[2]:8} bytes, first {first[0]:6.1f} ms, then median {statistics.median(t for t, *_ in more):5.1f}, most {max(t for t, *_ in more):5.1f} ms")
        print("alone:", spent(process.pid, redis, seconds))
        times, end = [], time.monotonic() + seconds + 1
        threads = [threading.Thread(target=view, args=(port, end, times)) for _ in range(viewers)]
        for thread in threads:
            thread.start()
        print(f"{viewers} viewers:", spent(process.pid, redis, seconds))
        clients = len(re.findall(rf"user={READER}\b", redis("CLIENT", "LIST").decode()))
        for thread in threads:
            thread.join()
        rss = re.search(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{process.pid}/status").read_text())[1]
        print(f"/api/now for {len(times)} of them: median {statistics.median(times):.1f}, most {max(times):.1f} ms; {clients} connection to Redis; resident {int(rss) / 1024:.1f} MB")
        process.terminate()
        process.wait()
    finally:
        redis.close()


main()
