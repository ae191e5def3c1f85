"""Makes native events (STATE.md §5.1) of the REES46 click log: python3 tests/support/rees46.py 2019-Oct.csv

One line of JSON a row: view, cart (`add_to_cart`) or purchase; the customer is the user. Ids count the rows, so
that a replay and the live engine, which would make up different ones, give their actions the same ids. A row
that is cut off is passed on as it stands: what is broken has to end as a dead letter, not in a converter.
"""
import csv
import json
import sys

TYPES = {"view": "view", "cart": "add_to_cart", "purchase": "purchase"}
HEADER = "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session"


def convert_row(number, line):
    """The event of one row, as text."""
    row = next(csv.reader([line]), [])
    if len(row) != HEADER.count(",") + 1 or not row[-1]:
        return line
    time, kind, product, _, category, brand, price, user, session = row
    event = {"id": f"r{number}", "type": TYPES[kind], "customer": user,
             "time": time.removesuffix(" UTC").replace(" ", "T") + "Z",
             "product": product, "category": category, "brand": brand, "price": float(price), "session": session}
    return json.dumps({name: value for name, value in event.items() if value != ""})


def convert(path):
    """All events of a file, one text each."""
    with open(path, encoding="utf-8", newline="") as file:
        lines = file.read().splitlines()
    assert lines[0] == HEADER, lines[0]
    return [convert_row(number, line) for number, line in enumerate(lines[1:], 1)]


if __name__ == "__main__":
    print("\n".join(convert(sys.argv[1])))
