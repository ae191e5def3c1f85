#!/usr/bin/env python3
"""Flows as rule files: run.py RELANCE [--sabotage]

Each *.jsonc of rules/recipes and beside this driver is a rule set of its own. It has to be without a mistake and without a
warning (`check --strict`), its tests pass, there are two of them at least, and together they start every rule and reach
every step. The manual names every recipe, and no other.

--sabotage spoils copies of a recipe, one way each, and fails where that is not noticed.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
RECIPES = ROOT / "rules" / "recipes"
MANUAL = ROOT / "rules" / "README.md"

ALL_REACHED = re.compile(r"^# reached: rules (\d+) of \1, steps (\d+) of \2,", re.M)


def run(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=60)


def faults(program, path):
    """What is wrong with a flow, as sentences."""
    check = run(program, "check", "--strict", str(path))
    if check.returncode != 0:
        return [f"check --strict refuses it:\n{check.stdout}{check.stderr}"]
    test = run(program, "test", "--coverage", str(path))
    if test.returncode != 0:
        return [f"its tests fail:\n{test.stdout}{test.stderr}"]
    return [sentence for sentence, holds in {
        "it has fewer than two tests": len(re.findall(r"^ok ", test.stdout, re.M)) >= 2,
        "its tests do not reach every rule and step": ALL_REACHED.search(test.stdout),
    }.items() if not holds]


def manual_faults():
    named = set(re.findall(r"\(recipes/(\w+)\.jsonc\)", MANUAL.read_text()))
    there = {path.stem for path in RECIPES.glob("*.jsonc")}
    return [f"the manual does not name recipes/{name}.jsonc" for name in sorted(there - named)] + \
           [f"the manual names recipes/{name}.jsonc, which is not there" for name in sorted(named - there)]


# One way each in which a flow can be wrong: how random_delay.jsonc is spoilt, and what has to be said of it then.
SABOTAGE = [
    (r'"key": "event.sale"', r'"key": "event.sail"', "check --strict"),
    (r'"sale": "\$\{run.key\}"', r'"sale": "{{ sale }}"', "check --strict"),
    (r'"t": "39m29s"', r'"t": "39m30s"', "its tests fail"),
    (r'"tests": \[\s*(\{.*?\n        \}),.*?\n      \]', r'"tests": [\1]', "it has fewer than two tests"),
    (r'("ends": "\$\{trigger.ends\}"\}\s*\})', r'\1, {"after": "200d", "send": "email"}', "its tests do not reach"),
]


def sabotage(program):
    whole = (RECIPES / "random_delay.jsonc").read_text()
    missed = 0
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "spoilt.jsonc")
        for pattern, instead, said in SABOTAGE:
            path.write_text(re.sub(pattern, instead, whole, count=1, flags=re.S))
            sentences = faults(program, path)
            if not any(sentence.startswith(said) for sentence in sentences):
                print(f"FAILED: {pattern} -> {instead}: expected {said!r}, found {sentences}")
                missed += 1
    print(f"{len(SABOTAGE) - missed} passed, {missed} failed")
    return missed


def main():
    program = sys.argv[1]
    if "--sabotage" in sys.argv:
        return 1 if sabotage(program) else 0
    paths = sorted(RECIPES.glob("*.jsonc")) + sorted(HERE.glob("*.jsonc"))
    found = {path.relative_to(ROOT): faults(program, path) for path in paths}
    found[MANUAL.relative_to(ROOT)] = manual_faults()
    for path, sentences in found.items():
        for sentence in sentences:
            print(f"FAILED {path}: {sentence}")
    failed = sum(1 for sentences in found.values() if sentences)
    print(f"{len(found) - failed} passed, {failed} failed")
    return 1 if failed or len(paths) == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
