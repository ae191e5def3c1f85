"""The JSON Schema of mappings, from rules/mapping/keyword.def: make.py writes it. The table gives each keyword its place and its
prose; what its value may be stands here, a row each.
"""
import json
import pathlib
import re
import sys

from make import HERE, NAME, SCALARS, TYPE, choice, list_of, map_of, reference, text

TABLE = HERE.parent / "mapping" / "keyword.def"
SCHEMA = HERE / "mapping.schema.json"
ROW = re.compile(r'^MAPPING_KEYWORD\((\w+), "([^"]+)", "((?:[^"\\]|\\.)*)"\)$')

PATH = rf"^ *{NAME}(\.{NAME})* *$"
LOOP = rf"^ *{NAME} +in .+$"
NULL = {"type": "null"}


def or_null(*kinds):
    return {"anyOf": [*kinds, NULL]}


TIME_FORMAT = text("%", "%d.%m.%Y %H:%M")
VALUES = {
    "FILE $schema": {},
    "FILE extends": text(None, "segment", "shopify"),
    "FILE format": or_null(choice("json", "cloudevents", "snowplow-tsv", "form", "csv", "avro", "protobuf")),
    "FILE csv": or_null(reference("CSV")),
    "FILE record": map_of(or_null(reference("SHAPE"))),
    "FILE for": or_null(text(LOOP, "e in record.events")),
    "FILE let": map_of({}),
    "FILE by": or_null(text(None, "record.event", "headers['x-topic']")),
    "FILE each": map_of({}),
    "FILE events": map_of(or_null(reference("ROW"), list_of(reference("ROW"), minItems=1), text())),
    "FILE tests": or_null(list_of(reference("TEST"))),
    "CSV separator": text(r'^([^"\r\n ]|blanks)$', ";", "\t", "blanks"),
    "CSV header": list_of(text(), minItems=1, maxItems=1000),
    "CSV time": {"anyOf": [TIME_FORMAT, list_of(TIME_FORMAT)]},
    "CSV tz": text(None, "Europe/Berlin"),
    "CSV group": text(None, "record.Order"),
    "ROW type": or_null(text(None, "purchase", "${record.event}"), {"type": "number"}),
    "ROW customer": or_null(text(None, "${record.user_id}"), {"type": "number"}),
    "ROW visitor": or_null(text(None, "${record.anonymous_id}"), {"type": "number"}),
    "ROW id": or_null(text(None, "${record.message_id}"), {"type": "number"}),
    "ROW time": or_null(text(None, "${record.timestamp}"), {"type": "number"}),
    "ROW need": list_of(text()),
    "ROW if": text(None, "has(record.order)"),
    "ROW for": text(LOOP, "i in record.items"),
    "ROW from": text(PATH, "record.properties"),
    "TEST name": text(),
    "TEST given": reference("GIVEN"),
    "TEST expect": {"anyOf": [reference("DEAD"), list_of({"anyOf": [reference("DEAD"), reference("EVENT")]})]},
    "GIVEN key": or_null(text()),
    "GIVEN headers": map_of(or_null(text())),
    "GIVEN topic": or_null(text()),
    "GIVEN value": {},
}
NEEDS = {"TEST": ["name", "given", "expect"]}


def alone(name, value, **others):
    return {"type": "object", "additionalProperties": False, "properties": {name: value, **others}, "required": [name]}


# What is no object of keywords.
PARTS = {
    "shape": {"anyOf": [
        {"enum": [*SCALARS, "timestamp_us", "timestamp_s"]},
        text(TYPE, "list(string)", "map(string, double)"),
        list_of(reference("SHAPE"), minItems=1),
        alone("$time", {"anyOf": [TIME_FORMAT, list_of(TIME_FORMAT, minItems=1)]}, tz=text(None, "Europe/Berlin")),
        alone("$number", {"enum": [",", "."]}),
        *(alone(name, reference("SHAPE")) for name in ("$map", "$text", "$form")),
        map_of(or_null(reference("SHAPE")))]},
    "dead": {"anyOf": [{"enum": ["dead"]}, alone("dead", text(None, "mapping", "customer", "json"))]},
    "event": {"type": "object", "required": ["type"]},
}

# What editors offer where an object begins: (label, what it is, what is put in).
SNIPPETS = {
    "FILE": [("mapping", "A shop's own records", {
        "record": {"${1:kind}": "string", "user": "string"}, "by": "record.${1:kind}",
        "each": {"customer": "\\${record.user\\}"}, "events": {"${2:order}": {"type": "${3:purchase}"}}})],
    "TEST": [("test", "A record, and what it becomes", {
        "name": "${1:what it claims}", "given": {"value": {}}, "expect": [{"type": "${2:purchase}", "customer": "${3:anna}"}]})],
}


def read_table():
    """[(place, name, prose)]"""
    rows = []
    for line in TABLE.read_text().splitlines():
        if not line.startswith("MAPPING_KEYWORD("):
            continue
        row = ROW.match(line)
        if not row:
            sys.exit(f"mapping.py: {TABLE}: a row that cannot be read: {line}")
        rows.append((row[1], row[2], row[3].replace('\\"', '"')))
    there = {f"{place} {name}" for place, name, _ in rows}
    if set(VALUES) != there:
        sys.exit(f"mapping.py: the table and VALUES differ in {', '.join(sorted(set(VALUES) ^ there))}")
    return rows


def make_place(place, rows):
    schema = {"type": "object", "additionalProperties": {} if place == "ROW" else False, "properties": {}}
    for _, name, prose in (row for row in rows if row[0] == place):
        value = VALUES[f"{place} {name}"]
        schema["properties"][name] = {"description": prose, **({"allOf": [value]} if "$ref" in value else value)}
    if place in NEEDS:
        schema["required"] = NEEDS[place]
    if place in SNIPPETS:
        schema["defaultSnippets"] = [{"label": label, "description": prose, "body": body} for label, prose, body in SNIPPETS[place]]
    return schema


def make_schema():
    rows = read_table()
    places = {place: make_place(place, rows) for place in dict.fromkeys(row[0] for row in rows)}
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Relance: a mapping",
            "description": "Other pipelines' records as events: what is looked at, which row it belongs to, what it becomes.",
            "allowComments": True, "allowTrailingCommas": True}
    definitions = {place.lower(): schema for place, schema in places.items() if place != "FILE"}
    return head | places["FILE"] | {"definitions": definitions | PARTS}


def make_text():
    return json.dumps(make_schema(), indent=2, ensure_ascii=False) + "\n"
