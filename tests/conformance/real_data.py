"""real_data.py RELANCE NAME: a shop's own data, replayed, and the same questions asked of SQL.

real_data/NAME has the rules (.jsonc), how to read the file (.csv.jsonc) and the answers from elsewhere: .sql, over
the table `row` of the file's cells, and `reference`, what was published about it. A row of SQL is the rule, the
customer and what the send carries, in the order of its members. The sends are these rows, each once, whatever the
order of the file: as it stands, rows of equal times backwards, and shuffled as far as `--lateness` covers.
"""
import collections
import csv
import datetime
import gzip
import itertools
import json
import pathlib
import random
import sqlite3
import subprocess
import sys
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent / "real_data"
DATA = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data"
SEEDS = (1, 2)


@dataclass(frozen=True)
class Export:
    path: str
    time: str             # the column, and what stands in it
    format: str
    lateness_s: int       # how far a shuffle goes
    known: dict           # sends by rule, as the data's own description counts them where it does
    block: str = ""       # rows beside each other with the same in this column stay together
    columns: str = ""     # of a file of words without a header
    reference: str = ""
    repeats: tuple = ()   # customers by the first value of `summary`, from 0
    span_s: int = 0       # of a file that is not sorted: lateness that covers it as it stands


EXPORTS = {
    "cdnow": Export("cdnow/CDNOW_sample.txt", "day", "%Y%m%d", lateness_s=30 * 86400, span_s=550 * 86400,
                    columns="master sample day cds dollars",
                    reference="cdnow/cdnow_customers_summary_with_transactions.csv",
                    known={"summary": 2357, "second_purchase": 946},
                    repeats=(1411, 439, 214, 100, 62, 38, 29, 23, 7, 5, 5, 5)),
    "online_retail": Export("online-retail/online-retail.csv.gz", "InvoiceDate", "%Y-%m-%d %H:%M:%S",
                            lateness_s=2 * 86400, block="InvoiceNo",
                            known={"year": 4339, "reached_1000": 1668, "reached_5000": 275, "came_back_quickly": 958}),
    "rees46": Export("rees46/2019-Oct.csv", "event_time", "%Y-%m-%d %H:%M:%S %Z", lateness_s=600,
                     known={"cart": 53, "browse": 838, "left": 49, "straight": 131}),
}


class Table:
    """The rows of an export: the lines as they stand, and their cells."""

    def __init__(self, export):
        path = DATA / export.path
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8", newline="") as file:
            lines = file.read().splitlines()
        if export.columns:
            self.head, cells = [], map(str.split, lines)
            self.columns = export.columns.split()
        else:
            self.head, lines = lines[:1], lines[1:]
            cells = csv.reader(lines)
            self.columns = next(csv.reader(self.head))
        self.rows = [row for row in zip(lines, cells) if len(row[1]) == len(self.columns)]

    def column(self, name):
        """The cells of a column."""
        at = self.columns.index(name)
        return [cells[at] for _, cells in self.rows]


def blocks(export, table):
    """(time, lines) of what stays together, in the order of the file."""
    times = table.column(export.time)
    seconds = {text: datetime.datetime.strptime(text, export.format).replace(tzinfo=datetime.UTC).timestamp()
               for text in set(times)}
    keys = table.column(export.block) if export.block else range(len(times))
    for _, group in itertools.groupby(zip(keys, times, table.rows), key=lambda row: row[0]):
        group = list(group)
        yield seconds[group[0][1]], [line for _, _, (line, _) in group]


def shuffled(ordered, seed, lateness_s):
    """No block stands behind one that is more than lateness_s later."""
    chance = random.Random(seed)
    return sorted(ordered, key=lambda block: block[0] + chance.uniform(0, lateness_s))


def orders(export, table):
    """(name, blocks, lateness) of every order that has to give the same answers."""
    stands = list(blocks(export, table))
    yield "as it stands", stands, export.span_s
    ordered = sorted(stands, key=lambda block: block[0])
    if export.span_s:
        yield "by time", ordered, 0
    yield "equal times backwards", sorted(reversed(ordered), key=lambda block: block[0]), 0
    for seed in SEEDS:
        yield f"shuffled by {seed}", shuffled(ordered, seed, export.lateness_s), export.lateness_s


def plain(value):
    """A value as both sides say it: money and weeks to the second decimal."""
    return round(value, 2) if isinstance(value, float) else value


def sends(relance, name, head, rows, lateness_s):
    """What the rules send."""
    lines = itertools.chain(head, *(lines for _, lines in rows))
    done = subprocess.run([relance, "replay", "--rules", str(HERE / f"{name}.jsonc"), "--only", "sent",
                           "--mapping", str(HERE / f"{name}.csv.jsonc"), f"--lateness={lateness_s}s", "--until=1d", "-"],
                          input="".join(line + "\n" for line in lines), capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        sys.exit(done.stderr)
    decisions = map(json.loads, done.stdout.splitlines())
    return collections.Counter((d["rule"], d["customer"], *map(plain, d.get("with", {}).values())) for d in decisions)


def load(base, name, columns, rows):
    """One table of texts."""
    base.execute(f"CREATE TABLE {name} ({', '.join(columns)}, line INTEGER PRIMARY KEY)")
    base.executemany(f"INSERT INTO {name} VALUES ({'?, ' * len(columns)}NULL)", rows)


def answers(export, name, table):
    """What SQL says."""
    base = sqlite3.connect(":memory:")
    load(base, "row", table.columns, (cells for _, cells in table.rows))
    if export.reference:
        with open(DATA / export.reference, encoding="utf-8", newline="") as file:
            reference = csv.reader(file)
            load(base, "reference", next(reference), reference)
    found = collections.Counter()
    for statement in (HERE / f"{name}.sql").read_text(encoding="utf-8").split(";"):
        found.update(tuple(map(plain, row)) for row in base.execute(statement))
    return found


def by_rule(rows):
    """How often each rule sends."""
    return dict(sorted(collections.Counter(row[0] for row in rows.elements()).items()))


def repeats(export, rows):
    """As many figures as were published."""
    summaries = collections.Counter(row[2] for row in rows.elements() if row[0] == "summary")
    return tuple(summaries[x] for x in range(len(export.repeats)))


def as_published(export, expected):
    """Whether SQL counts what those counted who described the data."""
    said = by_rule(expected), repeats(export, expected)
    published = dict(sorted(export.known.items())), export.repeats
    if said != published:
        print(f"SQL says {said}, not {published}")
    return said == published


def as_expected(order, found, expected):
    """Whether one order of the file gives the answers; prints what is wrong with it."""
    print(f"{order}: {by_rule(found)}")
    for what, rows in ("missing", expected - found), ("too many", found - expected):
        for row in list(rows)[:5]:
            print(f"  {what}: {row} ({sum(rows.values())} in all)")
    return found == expected


def main():
    relance, name = sys.argv[1:]
    export = EXPORTS[name]
    if not (DATA / export.path).exists():
        print(f"skipped: {DATA / export.path} is not here")
        return 77
    table = Table(export)
    expected = answers(export, name, table)
    right = [as_published(export, expected)]
    for order, rows, lateness_s in orders(export, table):
        right.append(as_expected(order, sends(relance, name, table.head, rows, lateness_s), expected))
    print(f"{sum(right)} passed, {len(right) - sum(right)} failed")
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
