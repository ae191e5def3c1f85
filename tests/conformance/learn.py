"""learn.py LEARN_SESSIONS NAME: what is learnt of public sessions foretells what comes next, as well as it has to.

The sets are those of ../shared/data/sessions (its SOURCE.txt): exact splits, so that the figures compare with published ones.
Diginetica: SR-GNN's own code has .500 to .505 / .163 to .169. Serenade's README: .6402 / .3277. The 387 queries: GRU4Rec .571.
"""
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

DATA = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data" / "sessions"

# train, test, days that the sessions are spread over, states on the way, least recall@20 and MRR@20
BARS = {
    "diginetica": ("diginetica.train", "diginetica.test", 180, 10, .520, .185),
    "serenade": ("serenade.train", "serenade.test", 180, 10, .66, 0),
    "yoochoose": ("yoo100k.train", "yoo387.test", 7, 7, .64, .33),
}


def unpacked(folder, name):
    path = folder / name
    path.write_bytes(gzip.decompress((DATA / f"{name}.gz").read_bytes()))
    return path


def main():
    program, name = sys.argv[1:]
    train, test, days, states, recall, mrr = BARS[name]
    if not (DATA / f"{train}.gz").exists():
        print(f"{DATA} is not there: skipped")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        files = [unpacked(pathlib.Path(folder), part) for part in (train, test)]
        found = json.loads(subprocess.run([program, *files, str(days), str(states)], capture_output=True, text=True, check=True, timeout=600).stdout)
    print(found)
    wrong = [f"{what} {found[what]}, not {least}" for what, least in (("recall", recall), ("mrr", mrr)) if found[what] < least]
    wrong += [] if found["recall"] > 5 * found["popular"] else ["not even five times the most popular"]
    print("\n".join(wrong))
    print(f"{3 - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
