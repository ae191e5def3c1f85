"""What a record costs `relance intake`: Segment's Order Completed with two items and its usual context, by the preset
`segment`, one process: sh tests/bench/run.sh intake.py [RECORDS]

Each round reads the same topic under a group of its own and writes to a topic of its own. Reading, mapping and writing
with its transactions are all in it. Nothing is asserted.
"""
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench.figures import cpu_s
from support import kafka
from support.intake import Mill
from support.kafka import Record

ROUNDS, BATCH = 3, 20000


def order(n):
    item = {"product_id": "507f1f77bcf86cd799439011", "sku": "45790-32", "name": "Monopoly: 3rd Edition", "price": 19, "quantity": 1,
            "category": "Games", "url": "https://www.example.com/product/path", "image_url": "https://www.example.com/product/path.jpg"}
    return {"type": "track", "event": "Order Completed", "messageId": f"ajs-next-{n:032d}", "userId": f"user-{n % 50000}",
            "anonymousId": "507f191e-810c-4972-8de8-60ea7e5f0f1b", "timestamp": "2026-03-02T10:00:00.120Z", "channel": "browser",
            "context": {"ip": "203.0.113.7", "locale": "en-US", "library": {"name": "analytics.js", "version": "2.11.1"},
                        "page": {"path": "/checkout", "referrer": "", "search": "", "title": "Checkout", "url": "https://shop.example.com/checkout"},
                        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36"},
            "properties": {"checkout_id": "fksdjfsdjfisjf9sdfjsd9f", "order_id": f"order-{n}", "total": 27.5, "currency": "USD",
                           "coupon": "hasbros", "products": [item, {**item, "product_id": "505bd76785ebb509fc183733", "price": 3}]}}


def main(records="400000"):
    count = int(records)
    with Mill({"segment": 4}) as mill:
        for begin in range(0, count, BATCH):
            mill.produce("segment", [Record(json.dumps(order(n)).encode(), partition=n % 4) for n in range(begin, min(begin + BATCH, count))])
        size = len(json.dumps(order(0)))
        print(f"{count} records of {size} bytes:   seconds   CPU s   records/s   records/CPU s   us/record")
        output = mill.output
        for n in range(1, ROUNDS + 1):
            mill.group, mill.output = f"{mill.name}.group{n}", f"{output}{n}"
            for topic in (mill.output, f"{mill.output}.dead"):
                mill.kafka.create(topic, 4)
            begin = time.monotonic()
            with mill.running(mapping="segment") as process:
                mill.wait_read(seconds=600)
                wall, cpu = time.monotonic() - begin, cpu_s(process.pid)
            print(f"round {n:<20} {wall:12.1f} {cpu:7.1f} {count / wall:11.0f} {count / cpu:15.0f} {cpu / count * 1e6:11.2f}", flush=True)
            assert sum(mill.kafka.ends(f"{mill.output}.dead").values()) == 0


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    finally:
        kafka.close()
