#!/usr/bin/env python3
"""Actions and their JSON Schema: run.py RELANCE FORGETFUL

What rules of the goldens of the language do, and the shipped scenarios in simulated shops, is printed as it would be published.
The schema accepts each action and names each of its members; each of its members is in some action; an action with anything
wrong in it is refused. What asyncapi.yaml says of headers and topics is checked against a running engine (tests/e2e/state_page.py).
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

SCHEMA = json.loads((ROOT / "consumer/senders/action.schema.json").read_text())
RELANCE, FORGETFUL = sys.argv[1:3]
REPLAY = re.compile(r"\$ relance replay --rules (\S+)((?: --\S+(?: [^-\s]\S*)?)*) (\S+)$")
TAKEN = {"--lateness", "--until", "--wall"}  # what forgetful knows, too
FOUND = {"passed": 0, "failed": 0}


def claim(name, holds, said=""):
    FOUND["passed" if holds else "failed"] += 1
    if not holds:
        print(f"FAILED  {name}\n{said}")


def actions(rules, events, options=()):
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder, name) for name in ("rules.jsonc", "events.jsonl")]
        for file, text in zip(files, (rules, events)):
            file.write_text(text)
        done = subprocess.run([FORGETFUL, "--actions", *options, *map(str, files)], capture_output=True, text=True)
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


def of_goldens():
    for file in sorted((HERE.parent / "semantics").glob("*.test")):
        for rules, words, events in stories(file):
            yield from actions(rules, events, [word for pair in zip(words, words[1:]) if pair[0] in TAKEN for word in pair])


def of_shops():
    shop = subprocess.run([RELANCE, "simulate", "--seconds", "20"], capture_output=True, text=True, check=True).stdout
    for file in sorted((ROOT / "rules/scenarios").glob("*.jsonc")):
        yield from actions(file.read_text(), shop, ["--until", "40d"])


def members(value, schema, path=""):
    """(path, whether the schema names it) of every member; what `with` holds is the rule's affair."""
    for name, member in value.items():
        known = schema.get("properties", {}).get(name)
        yield path + name, known is not None
        if isinstance(member, dict) and name != "with" and known:
            yield from members(member, known, f"{path}{name}.")


def named(schema, path=""):
    for name, part in schema.get("properties", {}).items():
        yield path + name
        yield from named(part, f"{path}{name}.")


def spoilt(action):
    """(what is wrong with it, the action)"""
    for name in SCHEMA["required"]:
        yield f"no {name}", {key: value for key, value in action.items() if key != name}
    yield "for nobody", {key: value for key, value in action.items() if key not in ("customer", "visitor")}
    for name in set(action) - {"with"}:
        yield f"{name} of another kind", {**action, name: [action[name]]}
    yield "another time", {**action, "due": action["due"].replace("T", " ")}
    yield "no hash", {**action, "ruleset": "x"}


def main():
    found = [*of_goldens(), *of_shops()]
    refused = [action for action in found if not accepts(SCHEMA, action, SCHEMA)]
    claim(f"each of {len(found)} actions is accepted", len(found) > 500 and not refused, json.dumps(refused[:3]))
    seen = {member for action in found for member in members(action, SCHEMA)}
    claim("each member is named", all(known for _, known in seen), str(sorted(name for name, known in seen if not known)))
    missing = set(named(SCHEMA)) - {name for name, _ in seen}
    claim("each name is a member of some action", not missing, str(missing))
    order = list(SCHEMA["properties"])
    claim("members come in the order of the schema", all(list(action) == [name for name in order if name in action] for action in found))
    for what, action in spoilt(next(action for action in found if "variant" in action and "with" in action)):
        claim(f"refused: {what}", not accepts(SCHEMA, action, SCHEMA), json.dumps(action))
    print(f"{FOUND['passed']} passed, {FOUND['failed']} failed")
    return 1 if FOUND["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
