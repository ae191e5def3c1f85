"""Segment's events and what Segment's own GA4 destination makes of them: our preset `segment` on the one gives what our preset
`ga4` gives on the other, alike but for `id`.

Who it was is compared as far as the destination keeps it: its client_id is the user's id, else the anonymous one, so GA4's
visitor has to be one of Segment's two names."""
import json

from support.mapping import SHARED, outcomes, record

PAIRS = SHARED / "pipelines" / "segment-to-ga4" / "pairs.jsonl"
WHO = {"id", "customer", "visitor"}

# What does not commute, by its line: why.
REASONS = {
    "the test takes the product's name as its id": (15, 16, 17, 19, 76),
    "the test takes the revenue without tax and shipping as the value": (41, 42),
    "the test reads the order's number from order_number, which is none of the Spec's names": (40, 44, 45, 46, 49),
    "the test gives the event a name of its own": (21, 22, 23, 24),
    "Segment's event has none of the Spec's names": (33, 35, 36, 37, 38, 39, 54, 56, 62, 66, 67, 70, 75, 79),
}
DIFFERENT = {number: reason for reason, numbers in REASONS.items() for number in numbers}


def events(outcome):
    return outcome.get("events", []) if "dead" not in outcome else [outcome]


def commutes(segment, ga4):
    """'' when both say the same, else how they differ."""
    ours, theirs = events(segment), events(ga4)
    if len(ours) != len(theirs):
        return f"{len(ours)} events against {len(theirs)}"
    for a, b in zip(ours, theirs):
        names = {a.get("customer"), a.get("visitor")}
        if b.get("visitor") not in names:
            return f"{b.get('visitor')!r} is none of {names}"
        differing = sorted(n for n in set(a) | set(b) if n not in WHO and a.get(n) != b.get(n))
        if differing:
            return ", ".join(f"{n}: {a.get(n)!r} against {b.get(n)!r}" for n in differing)
    return ""


def check(tool, passed, failed):
    pairs = [json.loads(line) for line in PAIRS.read_text().splitlines()]
    ours = outcomes(tool, "segment", [record(pair["segment"]) for pair in pairs])
    theirs = outcomes(tool, "ga4", [record(pair["ga4"]) for pair in pairs])
    told = 0
    for number, (pair, a, b) in enumerate(zip(pairs, ours, theirs)):
        difference, reason = commutes(a, b), DIFFERENT.get(number)
        told += bool(events(a))
        if bool(difference) != bool(reason):
            failed(f"pair {number}, {pair['test']}: {difference or 'is the same, though listed: ' + reason}")
        else:
            passed()
    if told < 40:
        failed(f"only {told} pairs are events at all")
