"""compare.py RELANCE: the engine beside the reference model, on random rule sets.

    compare.py RELANCE --seeds 1-150,371 --seconds 30 --census    the fixed seeds, then fresh ones while time lasts
    compare.py RELANCE --seed N --keep DIR                    one seed; its files go to DIR

Of each seed the decisions of a replay are compared, and a test is made of a customer's events, which expects what the
model decides by itself: `relance test` has to pass it. A difference is printed with its seed; a seed gives the same rule set and stream as long as generate.py stands, so
that it can be looked at. With --census the fixed seeds have to make happen all that census.py lists, and how often
they did is printed. The clock of --seconds is the processor's, of this process and of the engines that it started."""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import census  # noqa: E402
import generate  # noqa: E402
import model  # noqa: E402
import page  # noqa: E402
import rules as language  # noqa: E402
import ruletests  # noqa: E402
import visitors  # noqa: E402


def parse(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("relance")
    parser.add_argument("--seeds", default="1-60", help="FIRST-LAST, or several of these and single ones: the fixed ones")
    parser.add_argument("--seconds", type=float, default=0, help="then fresh ones, until so much is spent")
    parser.add_argument("--census", action="store_true")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep")
    return parser.parse_args(words)


def write(seed, folder):
    """The seed's rules.jsonc, events.jsonl and args, in the form of the shared cases; the words for a replay."""
    files, lines, options = generate.generate(seed)
    folder = pathlib.Path(folder)
    write_files(files, folder)
    (folder / "events.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    (folder / "args").write_text(" ".join(options))
    return ["--rules", str(folder / "rules.jsonc"), *options, str(folder / "events.jsonl")]


def write_files(files, folder):
    for name, rules in files.items():
        path = pathlib.Path(folder) / "rules.jsonc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rules, indent=1, ensure_ascii=False), encoding="utf-8")


def engine(relance, words):
    done = subprocess.run([relance, "replay", "--models=none", *words], capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


def compare(relance, seed, folder, counted):
    """'' where engine and model decide alike, else what differs; and the number of decisions."""
    words = write(seed, folder)
    status, out, said = engine(relance, words)
    if status:
        return f"ended with status {status}: {said}", 0
    try:
        world = model.replay(model.parse(words), kind=census.Watched)
    except Exception:  # noqa: BLE001: of the model, and has to be told with its seed
        return traceback.format_exc(), 0
    counted.take(world)
    shown = model.shown(world.decisions, model.parse(words).only)
    return model.difference(shown, model.read_lines(out)), len(shown)


def as_test(seed, folder):
    """The same rules with a test made of the customer's events, which expects what the model decides: what `relance
    test` says of it, or None where there is none to make."""
    files, lines, _ = generate.generate(seed)
    path = pathlib.Path(folder) / "rules.jsonc"
    events = fitting(language.RuleSet(language.unite(files.values())), lines)
    if not events:
        return None
    raw = files[sorted(files)[-1]]
    raw["tests"] = [generate.rule_test(seed, events)]
    write_files(files, folder)
    (_, test, set_), = ruletests.tests_of(path)
    test["expect"] = [ruletests.expectation(line, page.instant(test["from"])) for line in ruletests.play(test, set_)]
    if None in test["expect"]:
        return None
    raw["tests"] = [test]
    write_files(files, folder)
    return path


def fitting(rules, lines):
    """[(second, type, fields, whose)] of the customer c1 and of visitors, without what does not fit its type."""
    out = []
    for number, line in enumerate(lines):
        try:
            raw, typed = json.loads(line), page.read_json(line)
            time, fields = page.to_time(typed["time"]) // 1000, rules.events[typed["type"]]
        except (ValueError, KeyError, TypeError, page.Absent):
            continue
        visitor, customer = visitors.visitor_of(typed), typed.get("customer")
        if customer == "c1" or (customer is None and visitor):
            fit = page.coerce_fields(typed, fields, rules.types)
            kept = {name: raw[name] for name in fit if fits(typed[name], fields[name], rules)}
            whose = {"visitor": visitor, **({"customer": customer} if customer else {})} if visitor else {}
            out.append((time, raw["type"], {"id": str(raw.get("id", f"of line {number}")), **kept}, whose))
    return out


def fits(value, type_, rules):
    """Also the fields of its records?"""
    if isinstance(value, dict) and type_ in rules.types:
        return len(page.coerce_fields(value, rules.types[type_], rules.types)) == len(value)
    if isinstance(value, list) and type_.startswith("list("):
        return all(fits(item, type_[5:-1], rules) for item in value)
    if isinstance(value, dict):
        return all(fits(item, type_.split(",", 1)[1][:-1].strip(), rules) for item in value.values())
    return True


def run_test(relance, seed, folder):
    """'' where the engine passes the test, else what it says; None: there is no test."""
    path = as_test(seed, folder)
    if path is None:
        return None
    done = subprocess.run([relance, "test", str(path)], capture_output=True, timeout=120)
    said = done.stdout.decode()
    return "" if "# 1 passed, 0 failed" in said else f"relance test: {said}{done.stderr.decode(errors='replace')}"


def fixed_seeds(options):
    if options.seed is not None:
        return [options.seed]
    spans = [span.partition("-") for span in options.seeds.split(",")]
    return [seed for first, dash, last in spans for seed in range(int(first), int(last if dash else first) + 1)]


def fresh_seeds(seconds):
    while sum(os.times()[:4]) < seconds:
        yield random.SystemRandom().randrange(10**6, 10**12)


def main():
    options = parse(sys.argv[1:])
    done = decisions = tests = failed = 0

    def one(seed, counted):
        nonlocal done, decisions, tests, failed
        with tempfile.TemporaryDirectory() as folder:
            wrong, count = compare(options.relance, seed, options.keep or folder, counted)
            said = None if wrong else run_test(options.relance, seed, options.keep or folder)
        wrong, tests = wrong or said, tests + (said is not None)
        done, decisions, failed = done + 1, decisions + count, failed + bool(wrong)
        if wrong:
            print(f"seed {seed}: {wrong}\n(- is the model, + the engine; again: python3 {HERE / 'compare.py'} "
                  f"{options.relance} --seed {seed} --keep DIR)", flush=True)
    fixed = census.Census()
    for seed in fixed_seeds(options):
        one(seed, fixed)
    missing = fixed.missing() if options.census else []
    print(*[fixed.table()] * options.census, *(f"no seed has made happen: {row}" for row in missing), sep="\n")
    for seed in fresh_seeds(options.seconds if options.seed is None else 0):
        one(seed, census.Census())
    print(f"{done} seeds, {decisions} decisions, {tests} tests")
    print(f"{done - failed} passed, {failed + len(missing)} failed")
    return 1 if failed or missing or not decisions or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
