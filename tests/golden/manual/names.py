#!/usr/bin/env python3
"""The table of names that may be read where, against the program: names.py RELANCE

In the manual a table stands behind the comment `names:`. Each of its columns is some places in which CEL may stand, each of
its rows some names. For every name a rule set that reads it in every place has to have a mistake in those whose cell has no
tick, and in no other.
"""
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile

MANUAL = pathlib.Path(__file__).resolve().parents[3] / "rules" / "README.md"

RULES = {
    "events": {"go": {"k": "string"}, "stop": {"k": "string"}},
    "customer": {"note": "string", "seen": {"type": "bool", "on": "go", "value": "true"}},
    "counts": {"times": {"on": "go"}, "asked": {"on": "go", "if": "true", "by": "'a'"}},
    "lists": {"looked": {"on": "go", "by": "event.k"}},
    "affinities": {"goes": {"from": [{"on": "go", "by": "event.k"}], "within": "1d"}},
    "segments": {"known": "times() > 0", "asked_of": "true"},
    "tables": {"words": {"a": "b"}},
    "limits": [{"never": "no", "if": "true"}],
    "rules": {
        "main": {
            "on": "go", "if": "true", "key": "'a'", "while": "true", "cancel": [{"on": "stop", "key": "'a'", "if": "true"}],
            "do": [
                {"wait": {"on": "stop", "key": "'a'", "if": "true"}, "within": "1d"},
                {"after": "1h", "if": "true", "send": "email", "with": "a", "set": {"note": "a"}},
            ],
            "goal": {"on": "stop", "key": "'a'", "if": "true", "value": "1.0", "within": "1d"},
        },
        "day": {"on": {"date": "'2026-03-02'"}, "do": [{"send": "email"}]},
        "year": {"on": {"yearly": "'03-02'"}, "do": [{"send": "push"}]},
        "entered": {"on": "enter known", "if": "true", "key": "'a'", "do": [{"send": "sms"}]},
    },
}

# A condition that reads the name.
READS = {
    "event": "event.time == event.time", "trigger": "trigger.time == trigger.time", "triggers": "size(triggers) > 0",
    "answer": "has(answer.k)", "run.key": "run.key == ''", "run.variant": "run.variant == ''", "run.step": "run.step == 1",
    "run.started": "run.started == run.started", "run.sent": "run.sent == 0", "run.outcome": "run.outcome == ''",
    "run.action": "run.action == ''", "run.answered": "run.answered", "customer": "customer.note == ''",
    "segments": "segments.known", "last": "has(last.stop)", "rule": "rule.name == ''", "tables": "tables.words['a'] == ''",
    "now": "now == now", "counts": "times() > 0", "bucket": "bucket('a', 2) == 0",
    "lists": "looked() == []", "affinities": "goes(1) == []",
}


def condition(*path):
    return path, "{}"


def text(*path):
    return path, "{} ? 'a' : 'b'"


MAIN, STEP, WAIT = ("rules", "main"), ("rules", "main", "do", 1), ("rules", "main", "do", 0, "wait")
CANCEL, GOAL = (*MAIN, "cancel", 0), (*MAIN, "goal")
PLACES = {
    "attributes, counts": [condition("customer", "seen", "value"), condition("counts", "asked", "if"), text("counts", "asked", "by")],
    "segments": [condition("segments", "asked_of")],
    "yearly, date": [text("rules", "day", "on", "date"), text("rules", "year", "on", "yearly")],
    "if, key of a rule": [condition(*MAIN, "if"), text(*MAIN, "key"), condition("rules", "entered", "if"), text("rules", "entered", "key")],
    "while, steps": [
        condition(*MAIN, "while"), condition(*STEP, "if"), (STEP + ("after",), "${{duration({} ? '1h' : '2h')}}"),
        (STEP + ("with",), "${{{}}}"), (STEP + ("set", "note"), "${{{} ? 'a' : 'b'}}"),
    ],
    "if of cancel, wait": [condition(*CANCEL, "if"), condition(*WAIT, "if")],
    "key of cancel, wait, goal": [text(*CANCEL, "key"), text(*WAIT, "key"), text(*GOAL, "key")],
    "if, value of a goal": [condition(*GOAL, "if"), (GOAL + ("value",), "{} ? 1.0 : 2.0")],
    "if of a limit": [condition("limits", 0, "if")],
}
CELLS = [(column, place) for column, places in PLACES.items() for place in places]


def set_that_reads(name):
    """A rule set that reads the name in every place; behind each, which of CELLS it is: the text of one line for each value."""
    rules = copy.deepcopy(RULES)
    for number, (_, (path, form)) in enumerate(CELLS):
        at = rules
        for part in path[:-1]:
            at = at[part]
        at[path[-1]] = form.format(f"('cell {number}' != '' && {READS[name]})")
    return json.dumps(rules, indent=1)


def places_refused(program, name):
    """Which of CELLS do not know the name."""
    text = set_that_reads(name)
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory, "rules.json")
        file.write_text(text)
        told = subprocess.run([program, "check", "--json", str(file)], capture_output=True, text=True, timeout=60)
    lines = text.splitlines()
    mistakes = [found for found in json.loads(told.stdout)["diagnostics"] if found["severity"] == "error"]
    return {int(re.search(r"'cell (\d+)'", lines[found["line"] - 1])[1]) for found in mistakes}


def read_table():
    """{name: {column: does it have a tick}}"""
    table = re.search(r"^<!-- names: .*?-->\n\n(.*?)\n\n", MANUAL.read_text(), re.M | re.S)[1].replace("`", "")
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {name: dict(zip(head[1:], [cell == "✓" for cell in row[1:]])) for row in rows for name in row[0].split(", ")}


def main():
    program, table = sys.argv[1], read_table()
    if set(table) != set(READS) or any(set(row) != set(PLACES) for row in table.values()):
        print(f"FAILED: the table has other names or places: {sorted(set(table) ^ set(READS))} {sorted(set(table['event']) ^ set(PLACES))}")
        return 1
    failed = 0
    for name in READS:
        refused = places_refused(program, name)
        for number, (column, (path, _)) in enumerate(CELLS):
            if (number in refused) == table[name][column]:
                print(f"FAILED: '{name}' in {'.'.join(map(str, path))} is {'refused' if number in refused else 'known'}")
                failed += 1
    print(f"{len(READS) * len(CELLS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
