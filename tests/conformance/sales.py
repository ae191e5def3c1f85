"""sales.py FORGETFUL [SEEDS]: what `sales` adds up, against a second implementation and against published figures.

Histories of customers who order, change orders and send them back are drawn, and their sums computed from the sorted log by
what stands here, which knows nothing of ledgers. The engine is given the same events shuffled, repeated under other ids, with
refunds in front of their orders, and once more while it forgets what it holds after each event: the sums are the same.
Then the orders of two real shops, whose figures are published.
"""
import collections
import csv
import datetime
import gzip
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile
import zoneinfo

DATA = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"
ZONE = zoneinfo.ZoneInfo("Europe/Berlin")
DAY = 86_400_000
PARTS = 10_000
SECOND_AFTER = (7, 14, 30, 60, 90, 180, 365)

RULES = {
    "tz": "Europe/Berlin",
    "events": {"order": {"key": "string", "total": "double", "currency": "string", "channel": "string"},
               "refund": {"key": "string", "total": "double"}},
    "sales": {"order": {"on": "order", "key": "event.key", "total": "event.total", "currency": "event.currency"},
              "refund": {"on": "refund", "key": "event.key", "total": "event.total"},
              "channel": "event.channel", "loyal": "event.key.endsWith('1')"},
}

# ---- the second implementation


def local_day(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, ZONE).date()


def money(units):
    """Halves away from zero; none here is below it."""
    return math.floor(units * PARTS + 0.5)


def months_between(day, first):
    return (day.year - first.year) * 12 + day.month - first.month


def take_off(total, refunds):
    """(taken, day) of each refund of an order, in the order of time, and how many were cut."""
    left, taken, cut = total, [], 0
    for time, amount in sorted(refunds, key=lambda refund: (refund[0], refund[1] is None, refund[1] or 0)):
        part = left if amount is None else min(amount, left)
        cut += amount is not None and amount > left
        left -= part
        taken.append((part, local_day(time)))
    return taken, cut


class Sums(collections.Counter):
    def classed(self, classes, day, name, number):
        for one in classes:
            self[f"ALL sales.{one}.{name}"] += number
            self[f"DAY {day} sales.{one}.{name}"] += number

    def customer(self, orders, refunds):
        """orders: [(time, key, total, currency, channel)], ascending; refunds: {key: {(time, amount)}}"""
        keys = {order[1] for order in orders}
        self["ALL sales.refunds_unmatched"] += sum(len(own) for key, own in refunds.items() if key not in keys)
        if not orders:
            return
        first, channel = local_day(orders[0][0]), orders[0][4]
        self[f"ALL customers.{len(orders) if len(orders) < 3 else '3plus'}"] += 1
        for name, least in (("customers", 1), ("second", 2), ("third", 3)):
            self[f"ALL channel.{channel}.{name}"] += len(orders) >= least
        self[f"ALL channel.{channel}.loyal"] += any(key.endswith("1") for key in keys)
        if len(orders) > 1:
            gap = orders[1][0] - orders[0][0]
            name = next((days for days in SECOND_AFTER if gap <= days * DAY), "more")
            self[f"ALL second_after.{name}"] += 1
            self[f"DAY {first} second_after.{name}"] += 1
        for k in {months_between(local_day(order[0]), first) for order in orders}:
            if k < 36:
                self[f"COHORTS {first:%Y-%m}:{channel}:{k}:c"] += 1
        for place, (time, key, total, currency, _) in enumerate(orders):
            taken, cut = take_off(total, refunds.get(key, ()))
            day, back = local_day(time), sum(part for part, _ in taken)
            classes = ("first", "second", "repeat")[min(place, 2)], "loyal" if key.endswith("1") else "others"
            self.classed(classes, day, "orders", 1)
            self.classed(classes, day, f"gross.{currency}", total)
            self.classed(classes, day, f"refunded.{currency}", back)
            self.classed(classes, day, "orders_refunded", bool(taken) and back == total)
            self[f"ALL channel.{channel}.net.{currency}"] += total - back
            self["ALL sales.refunds_cut"] += cut
            for part, on in taken:
                self[f"DAY {on} refunded_on.{currency}"] += part
            k = months_between(day, first)
            if k < 36:
                for name, number in (("o", 1), (f"g.{currency}", total), (f"r.{currency}", back)):
                    self[f"COHORTS {first:%Y-%m}:{channel}:{k}:{name}"] += number


def sums_of(events):
    """What the log of events comes to, whatever their order."""
    sums = Sums()
    for customer in {event["customer"] for event in events}:
        told, refunds = collections.defaultdict(list), collections.defaultdict(set)
        for event in (event for event in events if event["customer"] == customer):
            if event["type"] == "order":
                told[event["key"]].append(event)
            else:
                amount = event.get("total")
                refunds[event["key"]].add((event["time"], None if amount is None else money(amount)))
        orders = []
        for key, tellings in told.items():
            tellings.sort(key=lambda event: event["time"])
            newest = tellings[-1]
            orders.append((tellings[0]["time"], key, money(newest["total"]), newest["currency"], tellings[0]["channel"]))
            sums["ALL sales.orders_updated"] += len(tellings) - 1
        sums.customer(sorted(orders), refunds)
    return {name: number for name, number in sums.items() if number}


# ---- histories


def draw_customer(draw, name, times, span):
    """The events of one customer; no two of them at one instant."""
    events = []
    for number in range(draw.choice((1, 1, 2, 3, 8, 25))):
        key, currency = f"{name}-{number}", draw.choice(("EUR", "EUR", "USD"))
        total = draw.choice((0.0, 10.0, 19.99, draw.randrange(10 ** 6) / PARTS))
        for _ in range(draw.choice((1, 1, 1, 2, 4))):
            events.append({"type": "order", "key": key, "total": total, "currency": currency, "channel": draw.choice(("ads", "mail", "a.net.EUR"))})
            total = draw.choice((total, total / 2, total + 5.0))
        if span < 30 * DAY and draw.random() < 0.3 and sum(event["type"] == "refund" for event in events) < 6:
            for amount in draw.choice(((None,), (5.0,), (3.0, 4.0), (1000.0,), (2.5, None))):
                refund = {"type": "refund", "key": draw.choice((key, key, key, f"{name}-nobody"))}
                events.append(refund | ({} if amount is None else {"total": amount}))
    for event in events:
        event |= {"customer": name, "time": times.pop()}
    return events


def draw_history(seed):
    draw = random.Random(seed)
    span = draw.choice((2 * DAY, 25 * DAY, 400 * DAY, 1400 * DAY))
    start = 1_769_000_000_000 + draw.randrange(400) * DAY  # from January 2026 on, over changes of the clock
    times = draw.sample(range(start, start + span, 997), 1500)
    events = [event for number in range(4) for event in draw_customer(draw, f"c{number}", times, span)]
    draw.shuffle(events)
    return events


def with_duplicates(events, draw):
    """As Kafka may have them: each with its id, some twice."""
    lines = []
    for number, event in enumerate(events):
        lines += [{"id": f"e{number}", **event}] * draw.choice((1, 1, 1, 2))
    return lines


def run(forgetful, rules, lines, *words):
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / name for name in ("rules.json", "events.jsonl")]
        paths[0].write_text(json.dumps(rules))
        paths[1].write_text("".join(json.dumps(line) + "\n" for line in lines))
        out = subprocess.run([forgetful, "--sums", *words, *map(str, paths)], capture_output=True, text=True, check=True).stdout
    return {name: int(number) for name, number in (line.rsplit(" ", 1) for line in out.splitlines())}


def differences(found, wanted):
    return [f"{name}: {found.get(name, 0)} instead of {wanted.get(name, 0)}"
            for name in sorted({*found, *wanted}) if found.get(name, 0) != wanted.get(name, 0)]


def check_seed(forgetful, seed):
    events = draw_history(seed)
    wanted = sums_of(events)
    draw = random.Random(seed)
    orders = {"in order": sorted(events, key=lambda event: event["time"]), "shuffled": events, "backwards": events[::-1]}
    for name, arrival in orders.items():
        for manner in ("all", "none", f"some={seed}"):
            wrong = differences(run(forgetful, RULES, with_duplicates(arrival, draw), "--manner", manner), wanted)
            if wrong:
                return [f"seed {seed}, {name}, {manner}: {line}" for line in wrong[:5]]
    return []


# ---- real shops


def cdnow():
    """A line an order, of no zone."""
    for number, line in enumerate((DATA / "cdnow" / "CDNOW_sample.txt").read_text().splitlines()):
        customer, day, dollars = (line.split()[place] for place in (0, 2, 4))
        yield {"type": "order", "customer": customer, "time": f"{day[:4]}-{day[4:6]}-{day[6:]}T00:00:00Z", "key": str(number),
               "total": float(dollars), "currency": "USD"}


def online_retail():
    """Invoices with a customer; what is sent back names no order."""
    invoices = {}
    with gzip.open(DATA / "online-retail" / "online-retail.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            quantity, price, number = int(row["Quantity"]), float(row["UnitPrice"]), row["InvoiceNo"]
            back = number.startswith("C")
            if not row["CustomerID"] or not (back or (quantity > 0 and price > 0)):
                continue
            invoice = invoices.setdefault((number, row["CustomerID"]), {
                "type": "refund" if back else "order", "customer": row["CustomerID"], "time": row["InvoiceDate"].replace(" ", "T") + "Z",
                "key": number, "currency": "GBP", "total": 0.0})
            invoice["total"] += quantity * price
    return invoices.values()


KNOWN = {
    "cdnow": (cdnow, {
        "first.orders": 2357, "second.orders": 1152, "repeat.orders": 3410,
        "first.gross.USD": 766_749_400, "second.gross.USD": 396_589_600, "repeat.gross.USD": 1_277_580_400}, {}),
    "online retail": (online_retail, {
        "first.orders": 4338, "second.orders": 2845, "repeat.orders": 11349, "refunds_unmatched": 3654,
        "first.gross.GBP": 18_464_980_030, "second.gross.GBP": 12_621_872_900, "repeat.gross.GBP": 58_027_226_110},
        # customers of December 2010, by months since
        {k: count for k, count in enumerate((885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445, 235))}),
}


def check_known(forgetful, name):
    events, sales, cohort = KNOWN[name]
    rules = RULES | {"tz": "UTC", "sales": {part: value for part, value in RULES["sales"].items() if part in ("order", "refund")}}
    found = run(forgetful, rules, [{"id": str(number), **event} for number, event in enumerate(events())])
    wanted = {f"ALL sales.{key}": number for key, number in sales.items()}
    wanted |= {f"COHORTS 2010-12:unknown:{k}:c": count for k, count in cohort.items()}
    return [f"{name}: {line}" for line in differences({key: found.get(key, 0) for key in wanted}, wanted)]


def main(forgetful, seeds="1-60"):
    first, last = map(int, seeds.split("-"))
    results = [check_seed(forgetful, seed) for seed in range(first, last + 1)]
    shops = [name for name in KNOWN if DATA.exists()]
    results += [check_known(forgetful, name) for name in shops]
    for line in (line for result in results for line in result):
        print(line)
    failed = sum(map(bool, results))
    print(f"{len(results) - failed} passed, {failed} failed")
    if not shops:
        print(f"no data at {DATA}: {', '.join(KNOWN)} not looked at")
        return 1 if failed else 77
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
