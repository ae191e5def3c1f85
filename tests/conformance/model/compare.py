"""compare.py RELANCE: the engine beside the reference model, on random rule sets.

    compare.py RELANCE --seeds 1-200 --fresh 50 --seconds 30     the fixed seeds, then fresh ones, while time lasts
    compare.py RELANCE --seed N --keep DIR                       one seed; its files go to DIR

A difference is printed with its seed; a seed gives the same rule set and stream for ever, so that it can be looked
at. The clock of --seconds is the processor's, of this process and of the engines that it started."""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import generate  # noqa: E402
import model  # noqa: E402


def parse(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("relance")
    parser.add_argument("--seeds", default="1-60", help="FIRST-LAST")
    parser.add_argument("--fresh", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep")
    return parser.parse_args(words)


def write(seed, folder):
    """The seed's rules.jsonc, events.jsonl and args, in the form of the shared cases; the words for a replay."""
    rules, lines, options = generate.generate(seed)
    folder = pathlib.Path(folder)
    (folder / "rules.jsonc").write_text(json.dumps(rules, indent=1, ensure_ascii=False), encoding="utf-8")
    (folder / "events.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    (folder / "args").write_text(" ".join(options))
    return ["--rules", str(folder / "rules.jsonc"), *options, str(folder / "events.jsonl")]


def engine(relance, words):
    done = subprocess.run([relance, "replay", *words], capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


def compare(relance, seed, folder):
    """'' where engine and model decide alike, else what differs; and the number of decisions."""
    words = write(seed, folder)
    status, out, said = engine(relance, words)
    if status:
        return f"ended with status {status}: {said}", 0
    wanted = model.decisions(words)
    return model.difference(wanted, model.read_lines(out)), len(wanted)


def seeds(options):
    if options.seed is not None:
        return [options.seed]
    first, last = map(int, options.seeds.split("-"))
    return [*range(first, last + 1), *(random.SystemRandom().randrange(10**6, 10**12) for _ in range(options.fresh))]


def spent():
    return sum(os.times()[:4])


def main():
    options = parse(sys.argv[1:])
    done = decisions = 0
    failed = []
    for seed in seeds(options):
        if spent() > options.seconds:
            break
        with tempfile.TemporaryDirectory() as folder:
            wrong, count = compare(options.relance, seed, options.keep or folder)
        done, decisions = done + 1, decisions + count
        if wrong:
            failed.append(seed)
            print(f"seed {seed}: {wrong}\n(- is the model, + the engine)", flush=True)
    print(f"{done - len(failed)} passed, {len(failed)} failed; {decisions} decisions {failed or ''}")
    return 1 if failed or not decisions else 0


if __name__ == "__main__":
    sys.exit(main())
