"""learn_baskets.py LEARN_BASKETS: what is learnt of a shop's orders foretells what customers buy next that they never had.

The set is ../shared/data/online-retail, of which products are codes that begin with a digit (postage and the like are none);
what was cancelled or cost nothing is no order. It is learnt day by day and tested from 2011-09-01, as the bars say, and from
2011-04-01 to there. Of an order the new products that are among twenty answers are counted, of twenty
at most: hits / min(20, new products).
"""
import csv
import datetime
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

DATA = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data" / "online-retail" / "online-retail.csv.gz"

FROM, TEST = "2011-04-01", "2011-09-01"

# what is asked about, part of the time: orders, least recall@20, and least times the most popular ones
BARS = {
    ("list", "test"): (5109, .10, 1.6),
    ("order", "test"): (5109, .095, 1.55),
    ("list", "earlier"): (4711, .10, 1.6),
    ("order", "earlier"): (4711, .10, 1.5),
}


def seconds(text):
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp())


def orders():
    """Lines of orders, in the order of time; of an order each product once."""
    found = {}
    with gzip.open(DATA, "rt", encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            counts = row["CustomerID"] and row["StockCode"][:1].isdigit() and not row["InvoiceNo"].startswith("C")
            if counts and int(row["Quantity"]) > 0 and float(row["UnitPrice"]) > 0:
                order = found.setdefault(row["InvoiceNo"], (seconds(row["InvoiceDate"]), row["CustomerID"], {}))
                order[2][row["StockCode"].replace(" ", "_")] = True
    return [f"{at} {customer} {' '.join(products)}\n" for at, customer, products in sorted(found.values(), key=lambda order: order[0])]


def mistakes(found):
    count, recall, times = BARS[found["asked"], found["part"]]
    print(found)
    return [f"{found['asked']}, {found['part']}: {what} {value:.4f}, not {least}" for what, value, least in (
        ("orders", found["orders"], count), ("recall", found["recall"], recall), ("times the most popular", found["recall"] / found["popular"], times))
        if value < least]


def main():
    if not DATA.exists():
        print(f"{DATA} is not there: skipped")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "orders.txt"
        path.write_text("".join(orders()))
        told = subprocess.run([sys.argv[1], path, str(seconds(FROM)), str(seconds(TEST))], capture_output=True, text=True, check=True, timeout=600).stdout
    wrong = [mistake for line in told.splitlines() for mistake in mistakes(json.loads(line))]
    print("\n".join(wrong))
    print(f"{3 * len(BARS) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
