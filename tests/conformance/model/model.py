"""model.py: the decisions of the reference model, as `relance replay` prints them.

    python3 model.py --rules FILE [--lateness D] [--until D|INSTANT] [--wall INSTANT] EVENTS.jsonl
    python3 model.py --cases DIR        the shared cases: does the model by itself decide as they say?
    python3 model.py --golden FILE…     the same of the tests of tests/golden/semantics
    python3 model.py --tests PATH…      the tests in rule files"""
import argparse
import json
import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "golden" / "commands")]
import page  # noqa: E402
import rules as language  # noqa: E402
import ruletests  # noqa: E402
import run as golden  # noqa: E402
import world  # noqa: E402


def until(text):
    return page.instant(text) if "T" in text else ("after", page.duration(text))


def parse(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--rules")
    parser.add_argument("--lateness", type=page.duration, default=0)
    parser.add_argument("--forget-visitors-after", type=page.duration, default=world.MONTH)
    parser.add_argument("--until", type=until)
    parser.add_argument("--wall", type=page.instant)
    parser.add_argument("--only")
    parser.add_argument("--errors", action="store_true")
    parser.add_argument("--cases")
    parser.add_argument("--golden", nargs="+")
    parser.add_argument("--tests", nargs="+")
    parser.add_argument("events", nargs="?")
    return parser.parse_args(words)


def replay(args, events=None, kind=world.World):
    rules = language.RuleSet(language.unite(raw for _, raw in language.read_files(args.rules)))
    events = events or pathlib.Path(args.events).read_text(encoding="utf-8")
    return world.replay(rules, events.split("\n"), args.lateness, args.until, args.wall, kind,
                        args.forget_visitors_after)


def shown(lines, only=None):
    """What is printed of all decisions: what `set` does only where it is asked for."""
    return [line for line in lines if (line["outcome"] in only.split(",") if only else line["outcome"] != "set")]


def decisions(words, events=None):
    args = parse(words)
    return shown(replay(args, events).decisions, args.only)


def comparable(lines):
    """What same.py of the cases compares."""
    lines = [line for line in lines if line["outcome"] != "error"]
    for line in lines:
        if line["outcome"] == "failed":
            line.pop("why", None)
    return lines


def equal(a, b):
    """As JSON values: 65 and 65.0 are equal, 1 and true are not."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and a == b


def difference(want, got):
    """'' or the first difference, with what stands before it."""
    want, got = comparable(want), comparable(got)
    at = next((i for i, (a, b) in enumerate(zip(want, got)) if not equal(a, b)), min(len(want), len(got)))
    if at == len(want) == len(got):
        return ""
    say = [f"  {json.dumps(line, ensure_ascii=False)}" for line in want[max(0, at - 3):at]]
    for mark, lines in (("-", want), ("+", got)):
        say += [f"{mark} {json.dumps(line, ensure_ascii=False)}" for line in lines[at:at + 3]] or [f"{mark} end"]
    return "\n".join([f"decision {at + 1} ({len(want)} and {len(got)}):", *say])


def read_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def run_cases(folder):
    if not pathlib.Path(folder).is_dir():
        print(f"skipped: {folder} is not here")
        return 77
    failed, tests = run_tests(sorted(pathlib.Path(folder).glob("rule-tests*")))
    cases = sorted(path.parent for path in pathlib.Path(folder).glob("*/*/expected.jsonl"))
    for case in cases:
        words = ["--rules", str(case / "rules.jsonc"), *(case / "args").read_text().split()]
        expected = read_lines((case / "expected.jsonl").read_text(encoding="utf-8"))
        wrong = difference(expected, decisions(words, (case / "events.jsonl").read_text(encoding="utf-8")))
        if wrong:
            failed.append(f"{case.parent.name}/{case.name}: {wrong}")
    return told(failed, len(cases) + tests)


def told(failed, count):
    print("\n".join([*failed, f"{count - len(failed)} passed, {len(failed)} failed"]))
    return 1 if failed or not count else 0


def run_tests(paths):
    """What fails, and how many there are: of each path, the tests of its rule files."""
    tests = [(*test, ruletests.run(*test[1:])) for path in paths for test in ruletests.tests_of(path)]
    return [f"{place}: {test['name']}:\n{wrong}" for place, test, _, wrong in tests if wrong], len(tests)


def left_by(command, shown):
    """What `tail -N` or `grep RE` leaves of decisions; no command: all of them."""
    if command.startswith("tail -"):
        return shown[-int(command.removeprefix("tail -")):]
    wanted = command.removeprefix("grep '").removesuffix("'").replace("\\|", "|")
    return [line for line in shown if re.search(wanted, json.dumps(line, ensure_ascii=False))]


def run_golden(paths):
    failed, count = [], 0
    for path in map(pathlib.Path, paths):
        for case in golden.read_cases(path):
            if not case["command"].startswith("relance replay "):
                continue  # what is told of decisions is not the model's business
            count += 1
            command, _, then = case["command"].removeprefix("relance replay ").partition(" | ")
            with tempfile.TemporaryDirectory() as folder:
                golden.prepare(case, folder, None)
                words = [f"{folder}/{w}" if pathlib.Path(folder, w).exists() else w for w in command.split()]
                wrong = difference(read_lines(case["out"]), left_by(then, decisions(words)))
            if wrong:
                failed.append(f"{path.name}: {case['claim']}: {wrong}")
    return told(failed, count)


if __name__ == "__main__":
    options = parse(sys.argv[1:])
    if options.cases:
        sys.exit(run_cases(options.cases))
    if options.golden:
        sys.exit(run_golden(options.golden))
    if options.tests:
        sys.exit(told(*run_tests(options.tests)))
    for decision in decisions(sys.argv[1:]):
        print(json.dumps(decision, ensure_ascii=False, separators=(",", ":")))
