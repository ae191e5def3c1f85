#!/usr/bin/env python3
"""Writes rules.schema.json, the JSON Schema of rule files, from rules/rule/compile/keyword.def.

    python3 rules/schema/make.py            writes it
    python3 rules/schema/make.py --check    says whether the copy has drifted

The table gives each keyword its place, its form and its prose; here stands only what it does not say: which
places lie inside which keywords, the words that may be chosen from, and what is required.
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE.parent / "rule" / "compile" / "keyword.def"
SCHEMA = HERE / "rules.schema.json"

ROW = re.compile(r'^KEYWORD\((\w+), "([^"]+)", (\w+), "((?:[^"\\]|\\.)*)"\)$')

DURATION = r"^([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$"
DAY = r"^([0-9]{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
EVENTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
PLACES = {"SET": "a rule set", "ATTRIBUTE": "attribute", "COUNT": "count", "RULE": "rule", "CANCEL": "cancel", "STEP": "step",
          "LIMIT": "limit", "GOAL": "goal", "ON": "on", "TEST": "test", "EXPECT": "expect"}


def reference(place):
    return {"$ref": f"#/definitions/{PLACES[place]}"}


def map_of(values):
    return {"type": "object", "additionalProperties": values}


# What a value of each form looks like.
FORMS = {
    "TEXT": {"type": "string"},
    "CEL": {"type": "string"},
    "OBJECT": {"type": "object"},
    "LIST": {"type": "array"},
    "TEXTS": {"type": "array", "items": {"type": "string"}},
    "INTEGER": {"type": "integer"},
    "CLOCK": {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
    "DURATION": {"type": "string", "minLength": 2, "pattern": DURATION},
    "EVENTS": EVENTS,
    "TRIGGER": {"anyOf": [*EVENTS["anyOf"], reference("ON")]},
    "CANCELS": {"anyOf": [{"type": "string"}, reference("CANCEL"),
                          {"type": "array", "items": {"anyOf": [{"type": "string"}, reference("CANCEL")]}}]},
    "PAYLOAD": {},
}

# Where a keyword is more than its form.
TYPE = {"type": "string"}
FIELDS = map_of(TYPE)
SPECIAL = {
    ("SET", "types"): map_of(FIELDS),
    ("SET", "events"): map_of(FIELDS),
    ("SET", "customer"): map_of({"anyOf": [TYPE, reference("ATTRIBUTE")]}),
    ("SET", "counts"): map_of(reference("COUNT")),
    ("SET", "segments"): map_of({"type": "string"}),
    ("SET", "let"): map_of({"type": "string"}),
    ("RULE", "let"): map_of({"type": "string"}),
    ("SET", "tables"): map_of({"anyOf": [map_of(kind) for kind in (
        TYPE, {"type": "number"}, {"type": "boolean"}, {"type": "array", "items": TYPE})]}),
    ("SET", "holidays"): {"type": "array", "items": {"type": "string", "pattern": DAY}},
    ("SET", "credit"): {"enum": ["each", "last"]},
    ("SET", "limits"): {"type": "array", "items": reference("LIMIT")},
    ("SET", "rules"): map_of(reference("RULE")),
    ("SET", "tests"): {"type": "array", "items": reference("TEST")},
    ("RULE", "tests"): {"type": "array", "items": reference("TEST")},
    ("TEST", "given"): {"type": "array", "items": {"type": "object", "required": ["t"]}},
    ("TEST", "expect"): {"type": "array", "items": reference("EXPECT")},
    ("ATTRIBUTE", "keep"): {"enum": ["first", "last"]},
    ("RULE", "again"): {"enum": ["ignore", "rearm", "restart"]},
    ("RULE", "do"): {"type": "array", "items": reference("STEP"), "minItems": 1},
    ("RULE", "goal"): reference("GOAL"),
    ("RULE", "split"): map_of({"type": "integer", "minimum": 0}),
    ("LIMIT", "else"): {"enum": ["drop", "defer"]},
    ("STEP", "send"): {"type": "string", "minLength": 1},
    ("STEP", "after"): {"type": "string", "pattern": DURATION.replace("^", "^-?", 1), "minLength": 2},
}
REQUIRED = {"ATTRIBUTE": ["type"], "COUNT": ["on"], "RULE": ["on", "do"], "CANCEL": ["on"], "GOAL": ["on", "within"],
            "TEST": ["from", "expect"], "EXPECT": ["t"]}
ANY_OF = {"STEP": ["send", "set"], "LIMIT": ["quiet", "max"], "ON": ["yearly", "date"],
          "EXPECT": ["send", "goal"]}


def read_table():
    """[(place, name, form, prose)]"""
    rows = []
    for line in TABLE.read_text().splitlines():
        if not line.startswith("KEYWORD("):
            continue
        row = ROW.match(line)
        if not row:
            sys.exit(f"make.py: {TABLE.name}: a row that cannot be read: {line}")
        place, name, form, prose = row.groups()
        rows.append((place, name, form, prose.replace('\\"', '"')))
    return rows


def make_place(place, rows):
    properties = {name: {"description": prose, **SPECIAL.get((place, name), FORMS[form])}
                  for row_place, name, form, prose in rows if row_place == place}
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if place in REQUIRED:
        schema["required"] = REQUIRED[place]
    choices = [name for name in ANY_OF.get(place, []) if name in properties]
    if choices:
        schema["anyOf"] = [{"required": [name]} for name in choices]
    return schema


def make_schema():
    rows = read_table()
    unknown = {row[0] for row in rows} - set(PLACES)
    if unknown:
        sys.exit(f"make.py: where do these places lie? {', '.join(sorted(unknown))}")
    places = {place: make_place(place, rows) for place in PLACES if any(row[0] == place for row in rows)}
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Relance: a rule file",
            "description": "When a customer's behaviour makes something happen. Durations are like 45m, 1h30m, 7d; "
                           "conditions are CEL."}
    definitions = {PLACES[place]: schema for place, schema in places.items() if place != "SET"}
    return head | places["SET"] | {"definitions": definitions}


def main():
    text = json.dumps(make_schema(), indent=2, ensure_ascii=False) + "\n"
    if "--check" not in sys.argv:
        SCHEMA.write_text(text)
        return 0
    if SCHEMA.exists() and SCHEMA.read_text() == text:
        return 0
    print(f"{SCHEMA.name} has drifted from {TABLE.name}: python3 rules/schema/make.py writes it anew", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
