#!/usr/bin/env python3
"""run.py RELANCE [--write]: the report of a shop in three currencies, in its three forms.

rules.jsonc and events.jsonl are the shop; sample.json, sample.csv and sample.txt what `relance report` prints of it. --write
writes what was seen: look at the difference, and look at sample.txt as a person would.
"""
import difflib
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
FORMS = {"sample.json": ["--json", "--from=2026-02-06"], "sample.csv": ["--csv", "--from=2026-02-22"], "sample.txt": []}


def main():
    relance, *rest = sys.argv[1:]
    failed = 0
    for name, words in FORMS.items():
        seen = subprocess.run([relance, "report", "--rules", HERE / "rules.jsonc", "--events", HERE / "events.jsonl", "--until=30d", *words],
                              capture_output=True, text=True, check=True).stdout
        expected = (HERE / name).read_text(encoding="utf-8") if (HERE / name).exists() else ""
        if seen == expected:
            continue
        failed += 1
        sys.stdout.writelines(difflib.unified_diff(expected.splitlines(True), seen.splitlines(True), name, "seen"))
        if "--write" in rest:
            (HERE / name).write_text(seen, encoding="utf-8")
    print(f"{len(FORMS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
