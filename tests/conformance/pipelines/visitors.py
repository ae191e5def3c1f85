"""Who a visitor is, by other people's tests: after an event that names both, what the visitor did is the customer's."""
import csv
import json

from support.mapping import SHARED, outcomes, record

GA4 = SHARED / "pipelines" / "ga4" / "bigquery"
JITSU = SHARED / "pipelines" / "jitsu" / "user-recognition.json"


def links(events):
    """Visitor -> customer, the newest link of each."""
    found = {}
    for event in events:
        if "customer" in event and "visitor" in event:
            found[event["visitor"]] = event["customer"]
    return found


def mapped(tool, preset, bodies):
    return [event for outcome in outcomes(tool, preset, [record(body) for body in bodies]) for event in outcome["events"]]


def ga4(tool, passed, failed):
    """dbt-ga4: the customer that was last seen on a device; an event without one changes nothing."""
    rows = sorted(csv.DictReader((GA4 / "user_id_mapping.input.csv").open()), key=lambda row: int(row["event_timestamp"]))
    wanted = {row["client_key"]: row["last_seen_user_id"] for row in csv.DictReader((GA4 / "user_id_mapping.expected.csv").open())}
    bodies = [{"event_name": "page_view", "user_pseudo_id": row["client_key"], "user_id": row["user_id"],
               "event_timestamp": row["event_timestamp"]} for row in rows]
    found = links(mapped(tool, "ga4", bodies))
    if found == wanted and wanted:
        passed()
    else:
        failed(f"ga4: {found} instead of {wanted}")


def jitsu(tool, passed, failed):
    """Jitsu says anonymous events again under the customer's name; here they are the customer's by the link."""
    story = json.loads(JITSU.read_text())
    seen = mapped(tool, "segment", [*story["anonymousEvents"], story["identifiedEvent"]])
    known = links(seen)
    ours = {(event["id"], event.get("customer", known.get(event["visitor"]))) for event in seen}
    theirs = {(event["id"], event["customer"]) for event in mapped(tool, "segment", story["expectedEvents"])}
    if ours == theirs and len(ours) == 4 and not any("customer" in event for event in seen[:3]):
        passed()
    else:
        failed(f"jitsu: {sorted(ours)} instead of {sorted(theirs)}")


def check(tool, passed, failed):
    ga4(tool, passed, failed)
    jitsu(tool, passed, failed)
