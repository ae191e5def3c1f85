#!/usr/bin/env python3
"""rules.schema.json against the engine, both ways: run.py RELANCE

whole.json uses every keyword. One thing in it is made wrong at a time: a keyword misspelt, a keyword taken away,
a value of the wrong kind. What the schema refuses, `relance check` must refuse; and what is wrong in form, both.
"""
import copy
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "rules" / "schema"))
import make  # noqa: E402  (the table's reader)
import re  # noqa: E402


KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}


def is_kind(value, kind):
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def accepts(schema, value, whole):
    """The part of JSON Schema that make.py uses."""
    if "$ref" in schema:
        return accepts(whole["definitions"][schema["$ref"].rsplit("/", 1)[1]], value, whole)
    if "type" in schema and not is_kind(value, schema["type"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "anyOf" in schema and not any(accepts(part, value, whole) for part in schema["anyOf"]):
        return False
    if isinstance(value, str):
        return len(value) >= schema.get("minLength", 0) and re.search(schema.get("pattern", ""), value) is not None
    if isinstance(value, list):
        return len(value) >= schema.get("minItems", 0) and all(accepts(schema.get("items", {}), v, whole) for v in value)
    if isinstance(value, int):
        return value >= schema.get("minimum", value)
    if not isinstance(value, dict):
        return True
    if any(name not in value for name in schema.get("required", [])):
        return False
    others = schema.get("additionalProperties", {})
    for name, member in value.items():
        part = schema.get("properties", {}).get(name, others)
        if part is False or not accepts(part, member, whole):
            return False
    return True


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


# Where the objects of each place are in whole.json.
PATHS = {
    "SET": [[]], "ATTRIBUTE": [["customer", "first"]], "COUNT": [["counts", "views"], ["counts", "dearest"]],
    "RULE": [["rules", "all"]], "CANCEL": [["rules", "all", "cancel", 0]], "STEP": [["rules", "all", "do", 0]],
    "LIMIT": [["limits", n] for n in range(4)], "GOAL": [["rules", "all", "goal"]],
    "ON": [["rules", "yearly", "on"], ["rules", "date", "on"]], "TEST": [["tests", 0]],
    "EXPECT": [["rules", "all", "tests", 0, "expect", 0], ["rules", "all", "tests", 0, "expect", 1]],
}


def at(value, path):
    for step in path:
        value = value[step]
    return value


def changed(whole, path, change):
    value = copy.deepcopy(whole)
    change(at(value, path))
    return value


def mistakes(whole, rows):
    """(claim, rule set, wrong in form): one thing wrong in each."""
    for place, name, form, _ in rows:
        places = [path for path in PATHS[place] if name in at(whole, path)]
        assert places, f"whole.json lacks {place} {name}"
        for path in places:
            where = "/".join(map(str, [*path, name]))
            yield f"{where} taken away", changed(whole, path, lambda node: node.pop(name)), False
            yield f"{where} misspelt", changed(whole, path, lambda node: node.update({name + "x": node.pop(name)})), True
            if form == "PAYLOAD" or name == "$schema":
                continue
            for wrong in (True, 1.5, None):
                yield f"{where} is {wrong}", changed(whole, path, lambda node: node.update({name: wrong})), True


def main():
    engine = Engine(sys.argv[1])
    schema = json.loads(make.SCHEMA.read_text())
    whole = json.loads((HERE / "whole.json").read_text())
    passed = failed = 0

    def claim(name, holds, said=""):
        nonlocal passed, failed
        passed, failed = passed + holds, failed + (not holds)
        if not holds:
            print(f"FAILED {name}\n{said}")

    claim("the schema is what make.py writes", make.SCHEMA.read_text() ==
          json.dumps(make.make_schema(), indent=2, ensure_ascii=False) + "\n")
    claim("both accept whole.json", accepts(schema, whole, schema) and engine.accepts(whole), getattr(engine, "said", ""))
    for name, value, wrong_in_form in mistakes(whole, make.read_table()):
        by_schema, by_engine = accepts(schema, value, schema), engine.accepts(value)
        if wrong_in_form:
            claim(f"{name}: both refuse (schema {not by_schema}, engine {not by_engine})", not by_schema and not by_engine)
        else:
            claim(f"{name}: the schema refuses only what the engine does", by_schema or not by_engine)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
