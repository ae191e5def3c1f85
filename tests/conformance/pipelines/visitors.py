"""Who a visitor is, by other people's tests: after an event that names both, what the visitor did is the customer's.

The events that a preset makes go through `relance replay` under visits.jsonc, which at the end says of everybody how often they
were here."""
import csv
import json
import pathlib
import subprocess

from support.mapping import SHARED, outcomes, record

RULES = pathlib.Path(__file__).resolve().parent / "visits.jsonc"
GA4 = SHARED / "pipelines" / "ga4" / "bigquery"
JITSU = SHARED / "pipelines" / "jitsu" / "user-recognition.json"


def mapped(tool, preset, bodies):
    return [event for outcome in outcomes(tool, preset, [record(body) for body in bodies]) for event in outcome["events"]]


def visits(relance, events):
    """{("customer" or "visitor", name): how often}."""
    lines = "".join(json.dumps(event) + "\n" for event in events)
    done = subprocess.run([relance, "replay", "--rules", RULES, "--only", "sent", "--until", "2h", "-"], input=lines,
                          capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    sent = [json.loads(line) for line in done.stdout.splitlines()]
    return {next((kind, one[kind]) for kind in ("customer", "visitor") if kind in one): one["with"]["visits"] for one in sent}


def ga4(relance, tool, passed, failed):
    """dbt-ga4: the customer that was last seen on a device; an event without one changes nothing. Everything that happens on
    the device before and after is that customer's."""
    rows = sorted(csv.DictReader((GA4 / "user_id_mapping.input.csv").open()), key=lambda row: int(row["event_timestamp"]))
    owner = {row["client_key"]: row["last_seen_user_id"] for row in csv.DictReader((GA4 / "user_id_mapping.expected.csv").open())}
    bodies = [{"event_name": "page_view", "user_pseudo_id": row["client_key"], "user_id": row["user_id"],
               "event_timestamp": row["event_timestamp"] + "000000"} for row in rows]
    wanted = {}
    for row in rows:
        who = ("customer", owner[row["client_key"]]) if row["client_key"] in owner else ("visitor", row["client_key"])
        wanted[who] = wanted.get(who, 0) + 1
    found = visits(relance, mapped(tool, "ga4", bodies))
    if found == wanted and len(owner) == 4:
        passed()
    else:
        failed(f"ga4: {found} instead of {wanted}")


def jitsu(relance, tool, passed, failed):
    """Jitsu says anonymous events again under the customer's name; here they become the customer's."""
    story = json.loads(JITSU.read_text())
    seen = mapped(tool, "segment", [*story["anonymousEvents"], story["identifiedEvent"]])
    again = mapped(tool, "segment", story["expectedEvents"])
    for events in (seen, again):
        for minute, event in enumerate(events):
            event["time"] = f"2026-03-02T10:0{minute}:00Z"
    ours, theirs = visits(relance, seen), visits(relance, again)
    if ours == theirs == {("customer", "user1"): 4}:
        passed()
    else:
        failed(f"jitsu: {ours} instead of {theirs}")


def check(relance, tool, passed, failed):
    ga4(relance, tool, passed, failed)
    jitsu(relance, tool, passed, failed)
