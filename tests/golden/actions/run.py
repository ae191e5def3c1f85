#!/usr/bin/env python3
"""Actions, decisions and their JSON Schemas: run.py RELANCE FORGETFUL

What rules of the goldens of the language do, and the shipped scenarios in simulated shops, is printed as it would be published,
actions as well as all decisions. The schema accepts each and names each of its members; each of its members is in some; one with
anything wrong in it is refused. What asyncapi.yaml says of headers and topics is checked against a running engine (tests/e2e/state_page.py).
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.json_schema import accepts  # noqa: E402

SCHEMAS = {name: json.loads((ROOT / f"consumer/senders/{name}.schema.json").read_text()) for name in ("action", "decision")}
OUTCOMES = set(re.findall(r'^    X\([A-Z]+, "(\w+)",', (ROOT / "include/relance/decision.h").read_text(), re.M))
RELANCE, FORGETFUL = sys.argv[1:3]
REPLAY = re.compile(r"\$ relance replay --rules (\S+)((?: --\S+(?: [^-\s]\S*)?)*) (\S+)$")
TAKEN = {"--lateness", "--until", "--wall"}  # what forgetful knows, too
FOUND = {"passed": 0, "failed": 0}


def claim(name, holds, said=""):
    FOUND["passed" if holds else "failed"] += 1
    if not holds:
        print(f"FAILED  {name}\n{said}")


def lines(kind, rules, events, options=()):
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder, name) for name in ("rules.jsonc", "events.jsonl")]
        for file, text in zip(files, (rules, events)):
            file.write_text(text)
        done = subprocess.run([FORGETFUL, f"--{kind}s", *options, *map(str, files)], capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else []


def stories(file):
    """(rules, words of options, events) of each replay in a golden; a file lasts until it is written anew."""
    files, name = {}, None
    for line in file.read_text().splitlines():
        replay = REPLAY.match(line)
        if line.startswith("@ "):
            name = line[2:]
            files[name] = ""
        elif line.startswith(("$ ", "##", "= ", "! ", "> ")):
            name = None
        elif name:
            files[name] += line + "\n"
        if replay and replay[1] in files and replay[3] in files:
            yield files[replay[1]], replay[2].split(), files[replay[3]]


def of_goldens(kind):
    for file in sorted((HERE.parent / "semantics").glob("*.test")):
        for rules, words, events in stories(file):
            yield from lines(kind, rules, events, [word for pair in zip(words, words[1:]) if pair[0] in TAKEN for word in pair])


def of_shops(kind):
    shop = subprocess.run([RELANCE, "simulate", "--seconds", "20"], capture_output=True, text=True, check=True).stdout
    for file in sorted((ROOT / "rules/scenarios").glob("*.jsonc")):
        yield from lines(kind, file.read_text(), shop, ["--until", "40d"])


def members(value, schema, path=""):
    """(path, whether the schema names it) of every member; what `with` and `set` hold, and the names in `models`, are the rules' affair."""
    for name, member in value.items():
        known = schema.get("properties", {}).get(name)
        yield path + name, known is not None
        if isinstance(member, dict) and name not in ("with", "set", "models") and known:
            yield from members(member, known, f"{path}{name}.")


def named(schema, path=""):
    for name, part in schema.get("properties", {}).items():
        yield path + name
        yield from named(part, f"{path}{name}.")


def spoilt(schema, line):
    """(what is wrong with it, the line)"""
    for name in schema["required"]:
        yield f"no {name}", {key: value for key, value in line.items() if key != name}
    for name in set(line) - {"with"}:
        yield f"{name} of another kind", {**line, name: [line[name]]}
    for name in {"due", "time", "until"} & set(line):
        yield f"another {name}", {**line, name: line[name].replace("T", " ")}


def spoilt_action(action):
    yield "for nobody", {key: value for key, value in action.items() if key not in ("customer", "visitor")}
    yield "no hash", {**action, "ruleset": "x"}


def check(kind, least):
    """Gives the lines of a kind."""
    schema, found = SCHEMAS[kind], [*of_goldens(kind), *of_shops(kind)]
    refused = [line for line in found if not accepts(schema, line, schema)]
    claim(f"each of {len(found)} {kind}s is accepted", len(found) > least and not refused, json.dumps(refused[:3]))
    seen = {member for line in found for member in members(line, schema)}
    claim(f"each member of a {kind} is named", all(known for _, known in seen), str(sorted(name for name, known in seen if not known)))
    missing = set(named(schema)) - {name for name, _ in seen}
    claim(f"each name is a member of some {kind}", not missing, str(missing))
    order = list(schema["properties"])
    claim(f"members of a {kind} come in the order of the schema",
          all(list(line) == [name for name in order if name in line] for line in found))
    return found


def refuses(kind, cases):
    for what, line in cases:
        claim(f"refused: a {kind}, {what}", not accepts(SCHEMAS[kind], line, SCHEMAS[kind]), json.dumps(line))


def main():
    action = next(line for line in check("action", 500) if "variant" in line and "with" in line)
    refuses("action", [*spoilt(SCHEMAS["action"], action), *spoilt_action(action)])
    decisions = check("decision", 3000)
    seen = {line["outcome"] for line in decisions} | {"dropped"}  # for which rules would have to change, or states be small
    claim("each outcome is that of some decision", seen == OUTCOMES, str(OUTCOMES ^ seen))
    with_cause = {line["outcome"] for line in decisions if "by" in line}
    claim("what was brought about by something says by what",
          with_cause == {"cancelled", "answered", "overtaken", "capped", "blocked", "deferred"}, str(with_cause))
    for outcome in ("cancelled", "capped", "blocked", "deferred"):
        claim(f"each {outcome} says by what", all("by" in line for line in decisions if line["outcome"] == outcome))
    for outcome in ("sent", "deferred", "goal", "set"):
        refuses("decision", spoilt(SCHEMAS["decision"], next(line for line in decisions if line["outcome"] == outcome)))
    print(f"{FOUND['passed']} passed, {FOUND['failed']} failed")
    return 1 if FOUND["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
