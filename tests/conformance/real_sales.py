"""real_sales.py RELANCE NAME: what a shop's own orders come to by `relance report`, and the answers that are known.

KNOWN has what was published or counted elsewhere of the same data. The file is reported as it stands and shuffled as far as
`--lateness` covers; which of two orders of one instant is the first is known only by the order of the file, so a shuffle
has to give the same but for what depends on that.
"""
import itertools
import json
import subprocess
import sys

from real_data import DATA, EXPORTS, HERE, SEEDS, Table, blocks, shuffled

# orders and what they brought, by place; customers of the first cohort in the months 0, 1, …
KNOWN = {
    "online_retail": {
        "currency": "GBP", "mapping": "online_retail_sales",
        "first": (4338, 1846498.003), "second": (2845, 1262187.29), "repeat": (11349, 5802722.611), "all": (18532, 8911407.904),
        "refunds_unmatched": 3654,
        "cohort": ("2010-12", [885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445, 235]),
    },
    "cdnow": {
        "currency": "USD", "mapping": "cdnow",
        "first": (2357, 76674.94), "second": (1152, 39658.96), "repeat": (3410, 127758.04), "all": (6919, 244091.94),
        "refunds_unmatched": 0, "cohort": None,
    },
}


def together(export, table):
    """As blocks, the lines of an invoice all behind its first one: a few of them are interrupted."""
    if not export.block:
        return list(blocks(export, table))
    invoices = {}
    for (time, lines), invoice in zip(blocks(export, table), [key for key, _ in itertools.groupby(table.column(export.block))]):
        invoices.setdefault(invoice, (time, []))[1].extend(lines)
    return list(invoices.values())


def report(relance, name, head, rows, lateness_s):
    known = KNOWN[name]
    text = "".join(line + "\n" for line in [*head, *(line for _, lines in rows for line in lines)])
    done = subprocess.run([relance, "report", "--json", "--rules", str(HERE / f"{name}_sales.jsonc"), "--mapping", str(HERE / f"{known['mapping']}.csv.jsonc"),
                           f"--lateness={lateness_s}s", "--events", "-"], input=text, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def orders(found):
    """{class: (orders, gross)}"""
    return {name: (one["orders"], sum(money["gross"] for money in one["money"].values()))
            for name, one in found["sales"].items() if name in ("first", "second", "repeat", "all")}


def cohort(found, month):
    [one] = [one for one in found["cohorts"] if one["month"] == month]
    return [at["customers"] for at in one["months"]]


def differences(known, found, by_time):
    """What is not as it is known; `by_time`: which order of an instant is the first is."""
    for name, (count, gross) in orders(found).items():
        if count != known[name][0] or ((by_time or name == "all") and round(gross, 4) != known[name][1]):
            yield f"{name}: {count} orders, {gross:.4f}, not {known[name]}"
    if found["sales"]["refunds_unmatched"] != known["refunds_unmatched"]:
        yield f"refunds_unmatched: {found['sales']['refunds_unmatched']}, not {known['refunds_unmatched']}"
    if known["cohort"] and cohort(found, known["cohort"][0]) != known["cohort"][1]:
        yield f"cohort {known['cohort'][0]}: {cohort(found, known['cohort'][0])}, not {known['cohort'][1]}"
    customers = found["second_order"]
    counts = [known["first"][0] - known["second"][0], known["second"][0]]
    if [customers["once"], customers["twice"] + customers["more"]] != counts or sum(at["customers"] for at in customers["after"]) != counts[1]:
        yield f"customers: {customers}, not {counts}"
    if {currency for one in found["sales"]["days"] for currency in one["all"]["money"]} - {known["currency"]}:
        yield "there are other currencies"


def main():
    relance, name = sys.argv[1:]
    export, known = EXPORTS[name], KNOWN[name]
    if not (DATA / export.path).exists():
        print(f"skipped: {DATA / export.path} is not here")
        return 77
    table = Table(export)
    stands = together(export, table)
    ways = [("as it stands", stands, export.span_s, True)]
    ways += [(f"shuffled by {seed}", shuffled(sorted(stands, key=lambda one: one[0]), seed, export.lateness_s), export.lateness_s, False) for seed in SEEDS]
    right = []
    for way, rows, lateness_s, by_time in ways:
        found = report(relance, name, table.head, rows, lateness_s)
        wrong = list(differences(known, found, by_time))
        print(f"{way}: {orders(found)}", *wrong, sep="\n  ")
        right.append(not wrong)
    print(f"{sum(right)} passed, {len(right) - sum(right)} failed")
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
