"""compare.py RELANCE: the engine beside the reference model, on random rule sets.

    compare.py RELANCE --seeds 1-150 --seconds 30 --census    the fixed seeds, then fresh ones while time lasts
    compare.py RELANCE --seed N --keep DIR                    one seed; its files go to DIR

A difference is printed with its seed; a seed gives the same rule set and stream as long as generate.py stands, so
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


def parse(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("relance")
    parser.add_argument("--seeds", default="1-60", help="FIRST-LAST: the fixed ones")
    parser.add_argument("--seconds", type=float, default=0, help="then fresh ones, until so much is spent")
    parser.add_argument("--census", action="store_true")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep")
    return parser.parse_args(words)


def write(seed, folder):
    """The seed's rules.jsonc, events.jsonl and args, in the form of the shared cases; the words for a replay."""
    files, lines, options = generate.generate(seed)
    folder = pathlib.Path(folder)
    for name, rules in files.items():
        path = folder / "rules.jsonc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(rules, indent=1, ensure_ascii=False), encoding="utf-8")
    (folder / "events.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    (folder / "args").write_text(" ".join(options))
    return ["--rules", str(folder / "rules.jsonc"), *options, str(folder / "events.jsonl")]


def engine(relance, words):
    done = subprocess.run([relance, "replay", *words], capture_output=True, timeout=120)
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


def fixed_seeds(options):
    first, last = [options.seed] * 2 if options.seed is not None else map(int, options.seeds.split("-"))
    return range(first, last + 1)


def fresh_seeds(seconds):
    while sum(os.times()[:4]) < seconds:
        yield random.SystemRandom().randrange(10**6, 10**12)


def main():
    options = parse(sys.argv[1:])
    done = decisions = failed = 0

    def one(seed, counted):
        nonlocal done, decisions, failed
        with tempfile.TemporaryDirectory() as folder:
            wrong, count = compare(options.relance, seed, options.keep or folder, counted)
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
    print(f"{done} seeds, {decisions} decisions")
    print(f"{done - failed} passed, {failed + len(missing)} failed")
    return 1 if failed or missing or not decisions else 0


if __name__ == "__main__":
    sys.exit(main())
