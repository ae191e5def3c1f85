#!/usr/bin/env python3
"""rules.schema.json against the engine, both ways: run.py RELANCE

whole.json uses every keyword. One thing in it is made wrong at a time: a keyword misspelt, a keyword taken away,
a value of the wrong kind, a text of the wrong form. What the schema refuses, `relance check` must refuse; and what is
wrong in form, both. Where the schema asks for a form, TEXTS has texts that are of it and texts that are not, and what
editors offer has to be accepted.
"""
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "rules" / "schema"))
sys.path.insert(0, str(ROOT / "tests" / "conformance" / "model"))
sys.path.insert(0, str(ROOT / "tests"))
import make  # noqa: E402  (the table's reader)
import page  # noqa: E402  (a reader of rule files)
from support.json_schema import accepts, member_schema, resolved  # noqa: E402

# What is of a form and what is not, by the pattern that says so: of everything that has it, and of one keyword alone.
TEXTS = {
    make.DURATION: (["1w", "2d", "3h", "45m", "1s", "1h30m", "1w2d3h4m5s"],
                    ["", "1", "h", "-1h", "1.5h", "1h 30m", "30m1h", "1h1h", "1H", "1ms", " 1h", "1h ", "1h\n", "P1D"]),
    make.SIGNED_DURATION: (["1w", "45m", "1h30m", "0m"], ["", "-", "1", "--1h", "+1h", "30m1h", "1ms", "1h\n"]),
    make.TIME_OF_DAY: (["00:00", "09:30", "23:59", "mon 09:30", "mon-fri 09:30", "fri-mon,wed 09:30"],
                       ["", "24:00", "9:30", "09:60", "09-30", "09:30:00", " 09:30", "09:30\n", "Mon 09:30", "mon, tue 09:30", "mon"]),
    make.QUIET: (["21:00-08:00", "00:00-23:59", "12:00-24:00", "sat,sun", "mon-fri 20:00-08:00", "holidays"],
                 ["", "21:00", "9:00-10:00", "21:00 - 08:00", "21:00-08:00\n", "24:00-08:00", "weekend", "sat sun", "holiday"]),
    make.INTERPOLATED: (["${duration('1h')}"], ["${", "duration('1h')"]),
    make.DAY: (["2026-12-25", "12-25", "02-29"], ["", "2026-13-01", "25.12.", "12/25", "2026-12-25\n", "12-32"]),
    make.CAP: (["1 per 24h", "01 per 1d", "4 per week", "2 per day", "3 per month", "10 per 1h30m"],
               ["", "0 per 24h", "per day", "1 per", "1 per year", "-1 per day", "1.5 per day", "1  per day", "1 per -1d", "one per day",
                "1 per day\n"]),
    make.INSTANT: (["2026-03-02T10:00:00Z", "2026-03-02t10:00:00.125z", "2026-03-02T10:00:00+01:00"],
                   ["", "2026-03-02", "2026-03-02 10:00:00Z", "2026-03-02T10:00:00", "2026-03-02T10:00Z", "2026-03-02T10:00:00.Z",
                    "2026-03-02T10:00:00+0100", "2026-03-02T10:00:00Z\n", "26-03-02T10:00:00Z"]),
    make.LOCAL_TIME: (["2026-03-12 17:00", "2026-03-12 17:00:30"],
                      ["", "2026-03-12T17:00", "2026-03-12 5:00", "2026-03-12 17:00Z", "2026-03-12", "2026-03-12 17:00\n"]),
    make.TYPE: (["string", " double ", "item", "list(item)", "list ( list( int ) )", "map(string, double)", "map( string ,list(item))"],
                ["", "(string)", "list string", "map(int, string)", "map(string)", "list<string>", "string?", "strings[]"]),
    make.EVENT_TYPE: (["purchase"], ["enter ", "leave ", "enter a b", "enter  loyal"]),
    make.SEGMENT_CHANGE: (["enter loyal", "leave loyal"], ["enter 1", "leave loyal "]),
}

def walk(schema, value, whole, path=()):
    """(path, value, what the schema says of it): of each value within a value that it accepts."""
    schema = resolved(schema, whole)
    yield path, value, schema
    for part in schema.get("anyOf", []):
        if accepts(part, value, whole) and not part.keys() <= {"required"}:
            yield from walk(part, value, whole, path)
    if isinstance(value, dict):
        for name, member in value.items():
            yield from walk(member_schema(schema, name), member, whole, (*path, name))
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from walk(schema.get("items", {}), item, whole, (*path, number))


class Engine:
    def __init__(self, program):
        self.program = program
        self.file = tempfile.NamedTemporaryFile("w", suffix=".json")

    def accepts(self, value):
        pathlib.Path(self.file.name).write_text(json.dumps(value, indent=1))
        run = subprocess.run([self.program, "check", self.file.name], capture_output=True, text=True, timeout=60)
        self.said = run.stdout
        if run.returncode not in (0, 1):
            sys.exit(f"run.py: relance check ended with {run.returncode}: {run.stderr}")
        return run.returncode == 0


class Claims:
    """Counts what holds and prints what does not."""

    def __init__(self):
        self.passed = self.failed = 0

    def claim(self, name, holds, said=""):
        self.passed, self.failed = self.passed + bool(holds), self.failed + (not holds)
        if not holds:
            print(f"FAILED {name}\n{said}")


# ---- one thing wrong at a time


def at(value, path):
    for step in path:
        value = value[step]
    return value


def changed(whole, path, change):
    value = copy.deepcopy(whole)
    change(at(value, path))
    return value


def replaced(whole, path, text):
    return changed(whole, path[:-1], lambda node: node.__setitem__(path[-1], text))


def objects(whole, schema):
    """{place: paths of its objects in whole.json}"""
    names = {row[0].lower(): row[0] for row in make.read_table()}
    of_schema = {id(part): names[name] for name, part in schema["definitions"].items()} | {id(schema): "SET"}
    found = {}
    for path, _, part in walk(schema, whole, schema):
        if id(part) in of_schema and path not in found.setdefault(of_schema[id(part)], []):
            found[of_schema[id(part)]].append(path)
    return found


def mistakes(whole, schema):
    """(claim, rule set, wrong in form): one thing wrong in each."""
    found = objects(whole, schema)
    for place, name, form, _ in make.read_table():
        places = [path for path in found.get(place, []) if name in at(whole, path)]
        assert places, f"whole.json lacks {place} {name}"
        anything = name == "$schema" or "type" not in make.VALUES.get(f"{place} {name}", {}) and form == "PAYLOAD"
        for path in places:
            where = "/".join(map(str, [*path, name]))
            yield f"{where} taken away", changed(whole, path, lambda node: node.pop(name)), False
            yield f"{where} misspelt", changed(whole, path, lambda node: node.update({name + "x": node.pop(name)})), True
            for wrong in () if anything else ("no" if form == "BOOL" else True, None, [1.5], "" if form in ("OBJECT", "LIST", "INTEGER") else 1.5):
                if not isinstance(wrong, float) or "number" != make.VALUES.get(f"{place} {name}", {}).get("type"):
                    yield f"{where} is {wrong}", changed(whole, path, lambda node: node.update({name: wrong})), True


def compare_mistakes(claims, schema, engine, whole):
    for name, value, wrong_in_form in mistakes(whole, schema):
        by_schema, by_engine = accepts(schema, value, schema), engine.accepts(value)
        if wrong_in_form:
            claims.claim(f"{name}: both refuse (schema {not by_schema}, engine {not by_engine})", not by_schema and not by_engine)
        else:
            claims.claim(f"{name}: the schema refuses only what the engine does", by_schema or not by_engine)


# ---- texts


def paths_of_texts(whole, schema):
    """{what the schema asks for: paths in whole.json of texts that are so}; words to choose from are a tuple."""
    found = {}
    for path, value, part in walk(schema, whole, schema):
        asked = part.get("pattern") or tuple(part.get("enum", ()))
        if isinstance(value, str) and asked and path not in found.setdefault(asked, []):
            found[asked].append(path)
    return found


def compare_texts(claims, schema, engine, whole):
    found = paths_of_texts(whole, schema)
    for asked, paths in found.items():
        claims.claim(f"there are texts for {asked}", isinstance(asked, tuple) or asked in TEXTS)
        good, bad = (asked, ["", "no such word"]) if isinstance(asked, tuple) else TEXTS.get(asked, ((), ()))
        for text in good:
            values = [replaced(whole, path, text) for path in paths]
            claims.claim(f"{asked}: the schema takes {text!r}", all(accepts(schema, value, schema) for value in values))
            claims.claim(f"{asked}: somewhere the engine takes {text!r}", any(engine.accepts(value) for value in values), engine.said)
        for text in bad:
            for path in paths:
                value = replaced(whole, path, text)
                by_schema, by_engine = accepts(schema, value, schema), engine.accepts(value)
                claims.claim(f"{'/'.join(map(str, path))} is {text!r}: both refuse (schema {not by_schema}, engine {not by_engine})",
                             not by_schema and not by_engine)
    for asked in TEXTS:
        claims.claim(f"whole.json has a text for {asked}", asked in found)


# ---- what editors offer


def filled_in(body):
    """A snippet as it is put in: each placeholder with what stands in it."""
    return json.loads(re.sub(r"\$\{\d+:([^}]*)\}", r"\1", json.dumps(body)))


def check_offers(claims, schema):
    for name, part in [("rule set", schema), *schema["definitions"].items()]:
        for snippet in part.get("defaultSnippets", []):
            claims.claim(f"snippet '{snippet['label']}' of a {name}", accepts(part, filled_in(snippet["body"]), schema))
        for keyword, value in part["properties"].items():
            for offer in [*value.get("examples", []), *([value["default"]] if "default" in value else [])]:
                claims.claim(f"{offer!r} is offered for {name} {keyword}", accepts(value, offer, schema))
    claims.claim("comments and trailing commas are no mistakes", schema["allowComments"] and schema["allowTrailingCommas"])


def main():
    engine, claims = Engine(sys.argv[1]), Claims()
    schema = json.loads(make.SCHEMA.read_text())
    whole = json.loads((HERE / "whole.json").read_text())
    claims.claim("the schema is what make.py writes", make.SCHEMA.read_text() == make.make_text())
    claims.claim("both accept whole.json", accepts(schema, whole, schema) and engine.accepts(whole), getattr(engine, "said", ""))
    shipped = [ROOT / "rules" / "scenarios", ROOT / "rules" / "recipes", ROOT / "tests" / "golden" / "flows"]
    for path in sorted(path for folder in shipped for path in folder.glob("*.jsonc")):
        claims.claim(f"the schema accepts {path.name}", accepts(schema, page.read_rules(path.read_text()), schema))
    if claims.failed == 0:
        compare_mistakes(claims, schema, engine, whole)
        compare_texts(claims, schema, engine, whole)
        check_offers(claims, schema)
    print(f"{claims.passed} passed, {claims.failed} failed")
    return 1 if claims.failed else 0


if __name__ == "__main__":
    sys.exit(main())
