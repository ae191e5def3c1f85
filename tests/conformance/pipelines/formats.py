"""Wire formats, by other people's tests: Snowplow's TSV is what its SDK expects in JSON, and a CloudEvent in Kafka has the
attributes that the conformance tests of CloudEvents expect."""
import json
import pathlib
import re

from support.mapping import SHARED, outcomes, record

HERE = pathlib.Path(__file__).resolve().parent
SNOWPLOW = SHARED / "pipelines" / "snowplow" / "python-sdk"
FEATURES = SHARED / "pipelines" / "cloudevents" / "conformance" / "features_kafka-protocol-binding.feature"
ENVELOPE = {"id", "type", "time", "customer", "visitor"}


def snowplow(tool, passed, failed):
    tsv = (SNOWPLOW / "enriched.tsv").read_text().rstrip("\n")
    expected = json.loads((SNOWPLOW / "expected.json").read_text())
    [of_tsv, of_json] = outcomes(tool, HERE / "enriched.jsonc", [record(tsv), record(expected)])
    event = of_tsv["events"][0]
    wanted = {name: value for name, value in expected.items() if name not in ENVELOPE}
    found = {name: value for name, value in event.items() if name not in ENVELOPE}
    for name in sorted(set(wanted) | set(found)):
        if wanted.get(name) == found.get(name):
            passed()
        else:
            failed(f"snowplow: {name} is {found.get(name)!r}, expected {wanted.get(name)!r}")
    if event == of_json["events"][0]:
        passed()
    else:
        failed("snowplow: the event of the TSV is not that of the JSON")


def rows(text):
    """{key: value} of a table of Gherkin, without its head."""
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.strip().splitlines()]
    return {row[0]: row[-1] for row in cells[1:]}


def scenarios():
    """(name, headers, payload, attributes, data) of the feature, outlines filled in."""
    for text in re.split(r"\n\s*Scenario(?: Outline)?: ", FEATURES.read_text())[1:]:
        name = text.splitlines()[0]
        payload, data = (json.loads(found) for found in re.findall(r'"""(.*?)"""', text, re.S))
        tables = [rows(found) for found in re.findall(r"((?:^\s*\|.*\n?)+)", text, re.M)]
        headers, attributes, examples = (*tables, {"": ""})[:3]
        for example in examples:
            filled = {key: value.replace("<contentType>", example) for key, value in headers.items()}
            yield name, filled, payload, attributes, data


def cloudevents(tool, passed, failed):
    cases = list(scenarios())
    found = outcomes(tool, HERE / "attributes.jsonc", [record(payload, headers) for _, headers, payload, _, _ in cases])
    for (name, _, _, attributes, data), outcome in zip(cases, found):
        event = (outcome.get("events") or [{}])[0]
        wanted = {f"attribute_{key}": value for key, value in attributes.items()} | data
        seen = {key: value for key, value in event.items() if key not in ENVELOPE}
        if wanted == seen:
            passed()
        else:
            failed(f"cloudevents: {name}: {seen} instead of {wanted}: {outcome}")
    if len(cases) != 3:
        failed(f"cloudevents: {len(cases)} cases")


def check(tool, passed, failed):
    snowplow(tool, passed, failed)
    cloudevents(tool, passed, failed)
