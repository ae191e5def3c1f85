#!/usr/bin/env python3
"""mapping.schema.json against the program: mapping.py RELANCE

The schema accepts the presets, the mappings of the goldens and those of the manual. In each of them one thing is made wrong at
a time: a keyword misspelt, taken away, or given a value of a wrong kind. What the schema refuses, `relance check` refuses;
what is misspelt, and what is of a kind that no value of that name has, both.
"""
import json
import pathlib
import re
import sys

import run  # the engine and the schema's reader, which it has for rule files

sys.path.insert(0, str(run.ROOT / "tests"))
import mapping  # noqa: E402  (of rules/schema)
from support.mapping import read_jsonc  # noqa: E402

WRONG = [None, True, 1.5, "", [1.5], {"": 1.5}]


def examples():
    """{name: mapping}: what the schema has to accept."""
    found = {path.name: read_jsonc(path) for folder in ("rules/presets", "tests/golden/mappings") for path in sorted((run.ROOT / folder).glob("*.jsonc"))}
    page = (run.ROOT / "rules" / "README.md").read_text()
    section = re.search(r"^## Mappings\n(.*?)^## ", page, re.M | re.S)[1]
    for name, content in re.findall(r"^```jsonc (\S+)\n(.*?)^```", section, re.M | re.S):
        path = pathlib.Path(run.tempfile.gettempdir()) / f"relance-{name}"
        path.write_text(content)
        found[f"the manual's {name}"] = read_jsonc(path)
        path.unlink()
    return found


def objects(value):
    """(place, path) of every object of keywords of a mapping."""
    yield "FILE", ()
    if "csv" in value:
        yield "CSV", ("csv",)
    for name, rows in value.get("events", {}).items():
        if isinstance(rows, dict):
            yield "ROW", ("events", name)
        for number, _ in enumerate(rows if isinstance(rows, list) else []):
            yield "ROW", ("events", name, number)
    for number, _ in enumerate(value.get("tests", [])):
        yield "TEST", ("tests", number)
        yield "GIVEN", ("tests", number, "given")


def mistakes(value, seen):
    """(claim, mapping, both have to refuse it): each keyword of each place once, over all examples."""
    for place, path in objects(value):
        for name in [name for name in run.at(value, path) if f"{place} {name}" in mapping.VALUES]:
            if (place, name) in seen or name == "$schema":
                continue
            seen.add((place, name))
            where = "/".join(map(str, [*path, name]))
            yield f"{where} misspelt", run.changed(value, path, lambda node: node.update({name + "x": node.pop(name)})), place != "ROW"
            yield f"{where} taken away", run.changed(value, path, lambda node: node.pop(name)), False
            for wrong in WRONG:
                yield f"{where} is {wrong!r}", run.changed(value, path, lambda node: node.update({name: wrong})), False


def main():
    engine, claims = run.Engine(sys.argv[1]), run.Claims()
    schema = json.loads(mapping.SCHEMA.read_text())
    claims.claim("the schema is what make.py writes", mapping.SCHEMA.read_text() == mapping.make_text())
    values, seen = examples(), set()
    for name, value in values.items():
        claims.claim(f"the schema accepts {name}", run.accepts(schema, value, schema))
    for value in values.values():
        if value.get("extends") == "shop":  # a preset of the goldens alone
            continue
        for name, wrong, both in mistakes(value, seen):
            by_schema, by_engine = run.accepts(schema, wrong, schema), engine.accepts(wrong)
            claims.claim(f"{name}: the schema refuses only what the engine does", by_schema or not by_engine)
            if both:
                claims.claim(f"{name}: both refuse (schema {not by_schema}, engine {not by_engine})", not by_schema and not by_engine)
    told = {tuple(keyword.split(" ", 1)) for keyword in mapping.VALUES} - {("FILE", "$schema")}
    claims.claim(f"the examples have every keyword, but {sorted(told - seen)}", told <= seen)
    for name, part in [("mapping", schema), *schema["definitions"].items()]:
        for snippet in part.get("defaultSnippets", []):
            body = json.loads(json.dumps(snippet["body"]).replace("\\\\$", "$").replace("\\\\}", "}"))
            claims.claim(f"snippet '{snippet['label']}' of a {name}", run.accepts(part, run.filled_in(body), schema))
    print(f"{claims.passed} passed, {claims.failed} failed")
    return 1 if claims.failed else 0


if __name__ == "__main__":
    sys.exit(main())
