"""cases.py RELANCE: the rule sets, events and exact decisions of ../shared/cases/revised, replayed and compared; and the
tests of the rule sets that lie beside them, run by `relance test`."""
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

CASES = pathlib.Path(__file__).resolve().parents[3] / "shared" / "cases" / "revised"
SAME = CASES.parent / "same.py"
TESTS = {"rule-tests.jsonc": 50, "rule-tests-files": 5}
TOTALS = re.compile(r"^# (\d+) passed, (\d+) failed$", re.M)


def replay(relance, case):
    """The decisions as bytes, and what was said on standard error."""
    args = (case / "args").read_text().split()
    done = subprocess.run([relance, "replay", "--rules", str(case / "rules.jsonc"), *args, str(case / "events.jsonl")],
                          capture_output=True, timeout=120)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def run_case(relance, case):
    """'' when it passes, else what is wrong."""
    status, decisions, said = replay(relance, case)
    if status != 0:
        return said or f"ended with status {status}"
    same = subprocess.run([sys.executable, str(SAME), str(case / "expected.jsonl")], input=decisions,
                          capture_output=True, timeout=60)
    return same.stderr.decode(errors="replace") if same.returncode else ""


def run_tests(relance, rules, wanted):
    """The tests of a rule set: how many pass."""
    done = subprocess.run([relance, "test", str(CASES / rules)], capture_output=True, text=True, timeout=120)
    totals = TOTALS.search(done.stdout)
    passed = int(totals[1]) if totals else 0
    if passed != wanted:
        print(done.stdout + done.stderr)
    return passed


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
    passed = sum(not r for r in results) + sum(run_tests(sys.argv[1], *tests) for tests in TESTS.items())
    failed = len(cases) + sum(TESTS.values()) - passed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
