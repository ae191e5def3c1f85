"""presets.py RELANCE: the tests that stand in the presets pass and reach every row; the mappings that their comments show are
without mistakes."""
import itertools
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.mapping import PRESETS  # noqa: E402

TOTALS = re.compile(r"^# (\d+) passed, (\d+) failed$", re.M)


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def tests(relance, path):
    """How many passed, and what is wrong."""
    status, said = run(relance, "test", "--coverage", path)
    totals = TOTALS.search(said)
    missed = [line for line in said.splitlines() if "no test reached" in line]
    wrong = [said] if status != 0 or not totals or int(totals[1]) == 0 else missed
    return int(totals[1]) if totals else 0, wrong


def shown(path):
    """The mappings in the comment that opens a preset: each from its bracket to the one that closes it."""
    lines = itertools.takewhile(lambda line: line.startswith("//"), path.read_text().splitlines())
    text = "\n".join(line[2:] for line in lines)
    for begin in (found.start() for found in re.finditer(r'\{"extends"', text)):
        depths = itertools.accumulate((c == "{") - (c == "}") for c in text[begin:])
        yield text[begin:begin + next(i for i, depth in enumerate(depths) if depth == 0) + 1]


def mistakes(relance, text):
    """What `relance check` says of a mapping; '' for nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "own.jsonc")
        path.write_text(text)
        status, said = run(relance, "check", path)
        return said if status != 0 else ""


def main():
    passed, wrong = 0, []
    for path in sorted(PRESETS.glob("*.jsonc")):
        count, misses = tests(sys.argv[1], path)
        examples = list(shown(path))
        found = [said for said in (mistakes(sys.argv[1], text) for text in examples) if said]
        passed += count + len(examples) - len(found)
        wrong += misses + found
    print("\n".join(wrong), f"{passed} passed, {len(wrong)} failed", sep="\n" if wrong else "")
    return 1 if wrong or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
