"""The public bodies of ../shared/data, as records: (name, preset, record) for each. A name begins with the file; behind # stands
which of its bodies it is, behind @ the webhook that brings it."""
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from support.mapping import SHARED, record  # noqa: E402

# Shopify's webhooks that have the body of a resource; of others its name, as a topic that no row is for.
TOPICS = {
    "order": ("orders/create", "orders/updated", "orders/cancelled"), "checkout": ("checkouts/create",), "cart": ("carts/update",),
    "customer": ("customers/create", "customers/update", "customers/delete"), "refund": ("refunds/create",),
}
# Files that hold no record: what they are.
NO_RECORDS = {
    "SOURCE.txt": "origin and licence", "LICENSE": "a licence",
    ".md": "pages of the Spec, whose bodies are in pipelines/segment/spec, and their licence",
    "columns.txt": "the names of the columns of a TSV", ".feature": "examples, taken by the tests of formats",
    ".yaml": "examples, taken by the tests of formats", ".csv": "a table, taken by the tests of visitors",
    "_jsonschema_": "a schema", "adobe-xdm": "no preset is for it", "orderlineitems": "a part of an order",
    "user-recognition.json": "a story, taken by the tests of visitors",
}


def load(path):
    return json.loads(path.read_text(encoding="utf-8-sig"))


def shopify(path):
    """{"order": {…}} and {"orders": [{…}, …]} of the API, as the webhooks' bodies."""
    body = load(path)
    pairs = list(body.items()) if isinstance(body, dict) else []
    name, content = pairs[0] if len(pairs) == 1 else (path.stem, body)
    single = name.rstrip("s")
    several = isinstance(content, list) and all(isinstance(thing, dict) for thing in content)
    things = content if several else [content if isinstance(content, dict) else body]
    for i, thing in enumerate(things):
        for topic in TOPICS.get(single, (f"{single}s/update",)):
            headers = {"X-Shopify-Topic": topic, "X-Shopify-Webhook-Id": "w1"}
            yield f"#{i}@{topic}" if len(things) > 1 else f"@{topic}", "shopify", record(thing, headers)


def segment(path):
    """A call; or the body of a request, as it is and taken apart."""
    body = load(path)
    yield "", "segment", record(body)
    calls = body.get("batch", []) if isinstance(body, dict) else body
    for i, call in enumerate(calls):
        yield f"#{i}", "segment", record(call)


def segment_lines(path):
    for i, line in enumerate(path.read_text().splitlines()):
        value = json.loads(line)["value"]
        yield f"#{i} {value.get('event', value['type'])}", "segment", record(value)


def pairs(path):
    for i, line in enumerate(path.read_text().splitlines()):
        pair = json.loads(line)
        yield f"#{i} segment", "segment", record(pair["segment"])
        yield f"#{i} ga4", "ga4", record(pair["ga4"])


def lines(preset):
    return lambda path: ((f"#{i}", preset, record(json.loads(line))) for i, line in enumerate(path.read_text().splitlines()) if line)


def whole(preset):
    return lambda path: [("", preset, record(load(path)))]


def cloudevents(path):
    body = load(path)
    batch = "-batch" if isinstance(body, list) else ""
    return [("", "cloudevents", record(body, {"content-type": f"application/cloudevents{batch}+json"}))]


def snowplow_tsv(path):
    return [("", "snowplow", record(path.read_text().rstrip("\n")))]


READERS = [
    (r"shopify/test/fixtures/.*\.json|pipelines/shopify/.*\.json", shopify),
    (r"pipelines/segment/records\.jsonl", segment_lines),
    (r"pipelines/segment-to-ga4/pairs\.jsonl", pairs),
    (r"pipelines/(segment|rudderstack|jitsu)/.*\.json", segment),
    (r"pipelines/ga4/.*\.jsonl", lines("ga4")),
    (r"pipelines/snowplow/.*\.tsv", snowplow_tsv),
    (r"pipelines/snowplow/.*\.json", whole("snowplow")),
    (r"pipelines/cloudevents/spec/.*\.json", cloudevents),
    (r"pipelines/debezium/.*\.json", whole("debezium")),
]


def no_record(path):
    """What a file is that holds no record; None for one that does."""
    return next((what for mark, what in NO_RECORDS.items() if mark in str(path)), None)


def bodies():
    """All of them, in the order of their names; a file that nobody reads is a mistake."""
    for top in ("shopify", "segment", "pipelines"):
        for path in sorted((SHARED / top).rglob("*")):
            name = str(path.relative_to(SHARED))
            if path.is_dir() or no_record(name):
                continue
            reader = next((read for pattern, read in READERS if re.fullmatch(pattern, name)), None)
            if reader is None:
                raise RuntimeError(f"{name}: nothing reads it")
            for suffix, preset, body in reader(path):
                yield name + suffix, preset, body
