#!/usr/bin/env python3
"""Writes rules.schema.json, the JSON Schema of rule files, from rules/rule/compile/keyword.def, and mapping.schema.json, that
of mappings, from rules/mapping/keyword.def.

    python3 rules/schema/make.py            writes them
    python3 rules/schema/make.py --check    says whether the copies have drifted

The table gives each keyword its place, its form and its prose: a row there is enough for a keyword whose value is no
more than its form. What the table does not say stands here, a row each: what a value may be beyond its form (VALUES),
what an object needs (NEEDS, ONE_OF), what editors offer where one begins (SNIPPETS). A row for a keyword that the table
does not have is a mistake. Of mappings the table has place and prose alone: what a value may be stands in mapping.py.

tests/golden/schema compares the schema with the engine, both ways.
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE.parent / "rule" / "compile" / "keyword.def"
SCHEMA = HERE / "rules.schema.json"

ROW = re.compile(r'^KEYWORD\((\w+), "([^"]+)", (\w+), "((?:[^"\\]|\\.)*)"\)$')

# ---- texts

SPAN = "([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?"
HOUR = "([01][0-9]|2[0-3]):[0-5][0-9]"
NAME = "[A-Za-z_][A-Za-z0-9_]*"

DURATION = f"^(?=[0-9]){SPAN}$"
SIGNED_DURATION = f"^(?=-?[0-9])-?{SPAN}$"
CAP = f"^0*[1-9][0-9]* per (day|week|month|(?=[0-9]){SPAN})$"
LOCAL_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}(:[0-9]{2})?$"
INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
WEEKDAYS = "(mon|tue|wed|thu|fri|sat|sun)"
DAYS = f"{WEEKDAYS}(-{WEEKDAYS})?(,{WEEKDAYS}(-{WEEKDAYS})?)*"
TIME_OF_DAY = f"^({DAYS} )?{HOUR}$"
QUIET = f"^(({DAYS} )?{HOUR}-({HOUR}|24:00)|{DAYS}|holidays)$"
INTERPOLATED = r"^\$\{.*\}$"
DAY = r"^([0-9]{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
EVENT_TYPE = "^(?!(enter|leave) )"
SEGMENT_CHANGE = f"^(enter|leave) {NAME}$"
# A regular expression cannot count brackets: those of a type are only looked at from the left.
SCALARS = ["string", "int", "uint", "double", "bool", "timestamp", "duration", "bytes"]
TYPE = rf"^ *((list *\(|map *\( *string *,) *)*{NAME}[ )]*$"

# ---- values


def reference(place):
    return {"$ref": f"#/definitions/{place.lower()}"}


def text(pattern=None, *examples, **more):
    return {"type": "string", **({"pattern": pattern} if pattern else {}), **more,
            **({"examples": list(examples)} if examples else {})}


def choice(default, *others):
    return {"enum": [default, *others], "default": default}


def map_of(values):
    return {"type": "object", "additionalProperties": values}


def list_of(items, **more):
    return {"type": "array", "items": items, **more}


FIELD_TYPE = {"anyOf": [{"enum": SCALARS}, text(TYPE, "list(string)", "map(string, double)")]}
CANCEL = {"anyOf": [text(), reference("CANCEL")]}

# What a value of each form of the table looks like.
FORMS = {
    "TEXT": text(),
    "CEL": text(),
    "OBJECT": {"type": "object"},
    "LIST": {"type": "array"},
    "TEXTS": {"type": "array", "items": {"type": "string"}},
    "RULES": {"anyOf": [{"enum": ["*"]}, list_of(text(), minItems=1)]},
    "INTEGER": {"type": "integer"},
    "NUMBER": {"type": "number"},
    "BOOL": {"type": "boolean"},
    "DURATION": text(DURATION, "45m", "1h30m", "7d"),
    "EVENTS": {"anyOf": [text(), list_of(text(), minItems=1)]},
    "TRIGGER": {"anyOf": [text(EVENT_TYPE), text(SEGMENT_CHANGE, "enter SEGMENT", "leave SEGMENT"),
                          list_of(text(), minItems=1), reference("ON")]},
    "COOLDOWN": {"anyOf": [text(DURATION, "7d"), reference("COOLDOWN")]},
    "WAIT": {"anyOf": [text(), reference("WAIT")]},
    "CANCELS": {"anyOf": [*CANCEL["anyOf"], list_of(CANCEL)]},
    "PAYLOAD": {},
}

# Where a keyword is more than its form.
VALUES = {
    "SET tz": text(None, "Europe/Berlin", default="UTC"),
    "SET types": map_of(map_of(FIELD_TYPE)),
    "SET events": map_of(map_of(FIELD_TYPE)),
    "SET customer": map_of({"anyOf": [*FIELD_TYPE["anyOf"], reference("ATTRIBUTE")]}),
    "SET counts": map_of(reference("COUNT")),
    "SET lists": map_of(reference("LIST")),
    "LIST by": text(None, "event.product"),
    "LIST keep": {"type": "integer", "minimum": 1, "maximum": 32, "default": 10},
    "LIST over": text(DURATION, "30d"),
    "SET affinities": map_of(reference("AFFINITY")),
    "AFFINITY from": list_of(reference("FROM"), minItems=1),
    "AFFINITY within": text(DURATION, "1d", "30d"),
    "AFFINITY half_life": text(DURATION, default="60d"),
    "AFFINITY lift": {"type": "number", "minimum": 0, "maximum": 1, "default": 0},
    "AFFINITY least": {"type": "integer", "minimum": 1, "maximum": 8, "default": 3},
    "FROM by": text(None, "event.product", "event.items.map(i, i.product)"),
    "FROM weight": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 1},
    "SET segments": map_of(text(None, "orders() >= 3")),
    "SET sales": reference("SALES"),
    "SALES order": reference("ORDER"),
    "SALES refund": reference("REFUND"),
    "SALES channel": text(None, "customer.?first_channel.orValue('unknown')"),
    "SALES loyal": text(None, "segments.loyal"),
    "SALES before": text(None, "customer.?orders_before.orValue(0)", default="0"),
    "ORDER key": text(None, "event.order"),
    "ORDER total": text(None, "event.total"),
    "ORDER currency": text(None, "event.currency"),
    "REFUND key": text(None, "event.order"),
    "REFUND total": text(None, "event.total"),
    "SET totals": map_of(reference("TOTAL")),
    "TOTAL by": text(None, "event.reason"),
    "TOTAL sum": text(None, "event.total"),
    "SET let": map_of(text(None, "event.total > 50.0")),
    "RULE let": map_of(text(None, "event.total > 50.0")),
    "SET tables": map_of({"anyOf": [map_of(kind) for kind in (
        text(), {"type": "number"}, {"type": "boolean"}, list_of(text()))]}),
    "SET holidays": list_of(text(DAY, "2026-12-25", "12-25")),
    "SET credit": choice("each", "last"),
    "SET limits": list_of(reference("LIMIT")),
    "SET rules": map_of(reference("RULE")),
    "SET tests": list_of(reference("TEST")),
    "SET stale": text(DURATION, default="1d"),
    "ATTRIBUTE type": FIELD_TYPE,
    "ATTRIBUTE keep": choice("last", "first"),
    "COUNT by": text(None, "event.product"),
    "COUNT sum": text(None, "event.total"),
    "COUNT over": text(DURATION, "7d", "90d"),
    "RULE again": choice("ignore", "rearm", "restart", "collect"),
    "RULE do": list_of(reference("STEP"), minItems=1),
    "RULE goal": reference("GOAL"),
    "RULE split": {**map_of({"type": "integer", "minimum": 0}), "examples": [{"a": 45, "b": 45, "holdout": 10}]},
    "RULE priority": {"type": "integer", "default": 0},
    "RULE tests": list_of(reference("TEST")),
    "COOLDOWN for": {"anyOf": [{"enum": ["ever"]}, text(DURATION, "30d")]},
    "COOLDOWN per": choice("customer", "key"),
    "STEP after": {"anyOf": [text(DURATION, "45m", "1h30m", "7d"), text(INTERPOLATED, "${customer.pause}")],
                   "default": "0m"},
    "STEP at": {"anyOf": [text(TIME_OF_DAY, "09:30", "mon-fri 09:30"), text(INTERPOLATED, "${customer.when}")]},
    "STEP else": choice("go on", "end"),
    "STEP send": text(None, "email", "push", minLength=1),
    "LIMIT quiet": text(QUIET, "21:00-08:00", "sat,sun", "holidays"),
    "LIMIT max": text(CAP, "1 per 24h", "1 per day", "4 per week"),
    "LIMIT else": choice("drop", "defer"),
    "GOAL within": text(DURATION, "5d"),
    "GOAL value": text(None, "event.total", default="1.0"),
    "TEST from": text(INSTANT, "2026-03-02T10:00:00Z"),
    "TEST until": text(DURATION, default="120d"),
    "TEST given": list_of({**map_of({"type": "object"}), "properties": {"t": text(SIGNED_DURATION, "30m"),
                              # whose the event is; an event type of that name has an object
                              "visitor": {"anyOf": [text(), {"type": "object"}]},
                              "customer": {"anyOf": [text(), {"type": "object"}]},
                              # what the mapping reads; an event type of that name has fields
                              "record": {"type": "object", "properties": {"key": {}, "headers": {}, "value": {}}}},
                           "minProperties": 1, "maxProperties": 4}),
    "TEST learnt": map_of(map_of(list_of(text()))),
    "TEST expect": list_of(reference("EXPECT")),
    "EXPECT at": text(LOCAL_TIME, "2026-03-12 17:00"),
    "EXPECT t": text(SIGNED_DURATION, "1h30m"),
    "EXPECT held": {"examples": [True]},
    "EXPECT goal": {"type": "number"},
}

# ---- objects

# Keywords that an object needs; of each list in ONE_OF it needs one, or several that stand together.
NEEDS = {
    "ATTRIBUTE": ["type"],
    "COUNT": ["on"],
    "LIST": ["on", "by"],
    "AFFINITY": ["from", "within"],
    "FROM": ["on", "by"],
    "SALES": ["order"],
    "ORDER": ["on", "key", "total"],
    "REFUND": ["on", "key"],
    "TOTAL": ["on"],
    "RULE": ["on", "do"],
    "CANCEL": ["on"],
    "COOLDOWN": ["for"],
    "WAIT": ["on"],
    "GOAL": ["on", "within"],
    "TEST": ["from", "expect"],
}
ONE_OF = {
    "STEP": ["send", "set", "wait"],
    "LIMIT": ["quiet", "max", "never", "hold"],
    "ON": ["yearly", "date"],
    "EXPECT": [f"{when} {what}" for when in ("t", "at") for what in ("send", "goal")],
}

# What editors offer where an object begins: (place, label, what it is, what is put in).
SNIPPETS = [
    ("SET", "rule file", "Events, and a rule on one of them",
     {"events": {"${1:event}": {"${2:field}": "string"}},
      "rules": {"${3:name}": {"on": "${1:event}", "do": [{"after": "${4:1h}", "send": "${5:email}"}]}}}),
    ("RULE", "send", "So long after an event", {"on": "${1:event}", "do": [{"after": "${2:1h}", "send": "${3:email}"}]}),
    ("RULE", "send, unless", "So long after an event, unless another comes",
     {"on": "${1:event}", "key": "event.${2:id}", "again": "rearm", "cancel": [{"on": "${3:other}", "key": "event.${2:id}"}],
      "do": [{"after": "${4:1h}", "send": "${5:email}"}]}),
    ("RULE", "enter a segment", "When a customer enters a segment",
     {"on": "enter ${1:segment}", "do": [{"send": "${2:email}"}]}),
    ("RULE", "yearly", "Each year on a customer's day",
     {"on": {"yearly": "customer.${1:birthday}"}, "do": [{"at": "${2:10:00}", "send": "${3:email}"}]}),
    ("STEP", "send", "Wait and send", {"after": "${1:1h}", "send": "${2:email}"}),
    ("STEP", "send at", "Days later, at a time of day", {"after": "${1:1d}", "at": "${2:10:00}", "send": "${3:email}"}),
    ("STEP", "wait", "Wait for an event", {"wait": "${1:event}", "within": "${2:2d}"}),
    ("COUNT", "of the last days", "How many there were", {"on": "${1:event}", "over": "${2:7d}"}),
    ("COUNT", "sum", "What they come to", {"on": "${1:event}", "sum": "event.${2:total}"}),
    ("LIST", "looked at last", "What was looked at last", {"on": "${1:view}", "by": "event.${2:product}"}),
    ("AFFINITY", "bought together", "What is bought together",
     {"from": [{"on": "${1:purchase}", "by": "event.${2:items}.map(i, i.${3:product})"}], "within": "${4:30d}", "lift": 0.3}),
    ("LIMIT", "quiet", "Hours in which nothing is sent", {"quiet": "${1:21:00-08:00}"}),
    ("LIMIT", "max", "So many at most", {"max": "${1:1} per ${2:24h}", "send": "${3:email}"}),
    ("LIMIT", "never", "Sends that are not sent", {"never": "${1:no consent}", "if": "${2:!customer.email_ok}"}),
    ("LIMIT", "hold", "A control group over all rules",
     {"hold": "${1:control}", "if": "bucket('${1:control}', 100) < ${2:5}"}),
    ("GOAL", "goal", "Success after a send", {"on": "${1:purchase}", "within": "${2:5d}", "value": "event.${3:total}"}),
    ("TEST", "test", "Events, and what follows from them",
     {"name": "${1:what it claims}", "from": "${2:2026-03-02T10:00:00Z}", "given": [{"t": "${3:0m}", "${4:event}": {}}],
      "expect": [{"t": "${5:1h}", "send": "${6:email}"}]}),
]


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


def make_value(place, name, form, prose):
    value = VALUES.get(f"{place} {name}", FORMS[form])
    if "$ref" in value:  # beside which draft 7 reads nothing
        value = {"allOf": [value]}
    return {"description": prose, **value}


def make_place(place, rows):
    schema = {"type": "object", "additionalProperties": False,
              "properties": {row[1]: make_value(*row) for row in rows if row[0] == place}}
    if place in NEEDS:
        schema["required"] = NEEDS[place]
    if place in ONE_OF:
        schema["anyOf"] = [{"required": names.split()} for names in ONE_OF[place]]
    snippets = [{"label": label, "description": prose, "body": body}
                for snippet_place, label, prose, body in SNIPPETS if snippet_place == place]
    if snippets:
        schema["defaultSnippets"] = snippets
    return schema


def check_rows(rows):
    """What stands here has to be there."""
    there = {f"{place} {name}" for place, name, _, _ in rows}
    told = {*VALUES, *(f"{place} {name}" for table in (NEEDS, ONE_OF) for place, names in table.items() for name in " ".join(names).split())}
    if told - there:
        sys.exit(f"make.py: {TABLE.name} does not have {', '.join(sorted(told - there))}")
    unknown = {row[2] for row in rows} - set(FORMS)
    if unknown:
        sys.exit(f"make.py: what do these forms look like? {', '.join(sorted(unknown))}")


def make_schema():
    rows = read_table()
    check_rows(rows)
    places = {row[0]: make_place(row[0], rows) for row in rows}
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Relance: a rule file",
            "description": "When a customer's behaviour makes something happen. Durations are like 45m, 1h30m, 7d; "
                           "conditions are CEL.",
            "allowComments": True, "allowTrailingCommas": True}
    definitions = {place.lower(): schema for place, schema in places.items() if place != "SET"}
    return head | places["SET"] | {"definitions": definitions}


def make_text():
    return json.dumps(make_schema(), indent=2, ensure_ascii=False) + "\n"


def main():
    import mapping  # which needs what stands above
    made = {SCHEMA: make_text(), mapping.SCHEMA: mapping.make_text()}
    if "--check" not in sys.argv:
        for path, content in made.items():
            path.write_text(content)
        return 0
    drifted = [path.name for path, content in made.items() if not path.exists() or path.read_text() != content]
    for name in drifted:
        print(f"{name} has drifted from its table: python3 rules/schema/make.py writes it anew", file=sys.stderr)
    return 1 if drifted else 0


if __name__ == "__main__":
    sys.exit(main())
